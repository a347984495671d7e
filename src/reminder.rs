//! The second use case: at a scheduled time, the people of a day are reminded of their duty.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tokio::time::Instant;

use crate::config::ReminderConfig;
use crate::delivery::{Delivered, deliver};
use crate::domain::calendar::Calendar;
use crate::domain::event::Link;
use crate::domain::message::{Destination, Message, News};
use crate::domain::reminder::{self, OpenIncidents, Reminder, Shift};
use crate::domain::roster::{OnCall, OnCallToday};
use crate::domain::words::Language;
use crate::edge::chat::Chat;
use crate::edge::http::HttpClient;
use crate::edge::incidents::Incidents;
use crate::edge::ledger::{Claim, Ledger, Matter, Patience};
use crate::edge::roster_source::{KeyError, RosterSource};

/// The function's time-out is 30 s; the runtime and the start need some of it.
const SETTLE_WITHIN: Duration = Duration::from_secs(25);

/// Clocks differ by less than this.
const EARLY: TimeDelta = TimeDelta::hours(1);

/// What the schedule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Whose day to speak of.
    pub shift: Shift,
    /// When it was due; an order that is carried out late still speaks of the right day.
    pub at: Option<DateTime<Utc>>,
    /// Only say what would be posted.
    pub dry_run: bool,
}

impl Order {
    /// Whether it is for a time to come: carried out now, it would count as done when that time comes.
    fn is_early(self, now: DateTime<Utc>) -> bool {
        !self.dry_run && self.at.is_some_and(|at| at - now > EARLY)
    }

    /// Whether a schedule can have given the order, now or on a day whose retries are still coming.
    #[must_use]
    pub fn is_current(self, now: DateTime<Utc>) -> bool {
        let ago = now - self.at.unwrap_or(now);
        (-EARLY..=TimeDelta::hours(36)).contains(&ago)
    }
}

/// How an order ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A chat has the reminder, or would have it.
    Reminded {
        /// Whether it was posted, and not only tried out.
        posted: bool,
        /// The day it speaks of.
        date: NaiveDate,
        /// Who is on call then, as the sheet has them.
        on_call: Vec<String>,
        /// The text as the chat has it.
        text: String,
    },
    /// The same, but an earlier order of the same kind and day had been carried out already.
    RemindedBefore(Box<Outcome>),
    /// There was nothing to remind anybody of.
    DayOff {
        /// The day.
        date: NaiveDate,
    },
    /// It is for a time to come, and was not carried out.
    Early {
        /// When it is due.
        at: DateTime<Utc>,
    },
    /// Every chat refuses the reminder itself: trying again won't help.
    GivenUp,
}

/// What happened to an order, for the metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Every chat refused the reminder itself.
    pub given_up: u32,
    /// The sheet could not be read.
    pub roster_stale: u32,
    /// The ledger's table could not be used.
    pub ledger_failed: u32,
    /// People on call who could not be mentioned on the chat that has the reminder.
    pub unmentionable: u32,
    /// From the time that it was due to the post, if it was posted.
    pub seconds_to_post: Option<f64>,
}

/// No chat took the reminder; the schedule has to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no chat took the reminder; the log says why")]
pub struct NotPosted;

/// Everything that lasts from one reminder to the next.
#[derive(Debug)]
pub struct Reminders {
    calendar: Calendar,
    language: Language,
    fallback_mentions: Vec<String>,
    manual: Option<Link>,
    roster: RosterSource,
    chats: Vec<Chat>,
    incidents: Option<Incidents>,
    ledger: Ledger,
}

impl Reminders {
    /// Opens what the settings describe; nothing is called yet.
    ///
    /// # Errors
    /// If the service account's key can't be used.
    pub async fn open(config: ReminderConfig) -> Result<Self, KeyError> {
        let ReminderConfig { team, manual, incidents } = config;
        team.log_warnings();
        let http = HttpClient::new();
        Ok(Self {
            roster: RosterSource::open(&team).await?,
            chats: team.chats.iter().map(|chat| Chat::new(chat, http.clone())).collect(),
            ledger: Ledger::open(team.ledger.as_ref(), Patience::OF_A_REMINDER, &http),
            incidents: incidents.map(|config| Incidents::new(&config, http)),
            calendar: team.calendar,
            language: team.language,
            fallback_mentions: team.fallback_mentions,
            manual,
        })
    }

    /// Carries out an order within the function's time.
    ///
    /// The outcome is an error if no chat took the reminder.
    pub async fn remind(&self, order: Order, now: DateTime<Utc>) -> (Result<Outcome, NotPosted>, Tally) {
        let (mut tally, failures) = (Tally::default(), self.ledger.failures());
        let outcome = self.carry_out(order, now, &mut tally).await;
        tally.ledger_failed = u32::from(self.ledger.failures() > failures);
        (outcome, tally)
    }

    async fn carry_out(&self, order: Order, now: DateTime<Utc>, tally: &mut Tally) -> Result<Outcome, NotPosted> {
        if let Some(at) = order.at.filter(|_| order.is_early(now)) {
            return Ok(Outcome::Early { at });
        }
        let started = Instant::now();
        let deadline = started + SETTLE_WITHIN;
        let today = self.calendar.today(order.at.unwrap_or(now));
        let Some(first) = reminder::due(order.shift, today, &self.calendar) else {
            return Ok(Outcome::DayOff { date: today });
        };
        if !self.calendar.knows_year_of(first) {
            tracing::warn!(event = "holidays", "the public holidays of {first}'s year are not known: update the relay");
        }
        let (reading, open) = tokio::join!(
            self.roster.reading(&self.ledger, now, today, deadline),
            self.open_incidents(order.shift, deadline)
        );
        tally.roster_stale = u32::from(reading.failure.is_some());
        let day = reminder::on_call(order.shift, first, &self.calendar, &reading, &self.fallback_mentions, now);
        let mut reminder =
            Reminder { shift: order.shift, now, day, manual: self.manual.clone(), open, in_doubt: false };
        if order.dry_run {
            return Ok(self.as_if_posted(&reminder, false));
        }
        let matter = Matter::of_reminder(order.shift, today);
        let grant = match self.ledger.claim_by(&matter, None, now + started.elapsed(), deadline).await {
            Claim::Granted(grant) => grant,
            Claim::Posted(chat) => {
                tracing::info!(event = "duplicate", reminder = order.shift.key(), chat = chat.key(), "posted before");
                return Ok(Outcome::RemindedBefore(Box::new(self.as_if_posted(&reminder, true))));
            }
            // Whoever has it has probably died. Lambda tries again after some time, when the claim has ended.
            Claim::Taken => {
                tracing::warn!(
                    event = "taken",
                    reminder = order.shift.key(),
                    "another invocation has been posting it all the time"
                );
                return Err(NotPosted);
            }
        };
        reminder.in_doubt = grant.in_doubt;
        let delivered = deliver(&self.chats, News::Reminder(&reminder), None, self.language, deadline).await;
        let now = now + started.elapsed();
        match delivered {
            Delivered::Posted { chat, text, .. } => {
                tally.unmentionable = reminder.day.unmentionable(chat);
                tally.seconds_to_post =
                    order.at.filter(|_| order.is_current(now)).map(|at| (now - at).as_seconds_f64());
                self.ledger.record(&matter, &grant, chat, &grant.known, now).await;
                self.roster.save(&self.ledger, now).await;
                Ok(reminded(&reminder.day, true, text))
            }
            Delivered::GivenUp => {
                tally.given_up = 1;
                self.ledger.release(&matter, &grant, grant.in_doubt, now).await;
                Ok(Outcome::GivenUp)
            }
            Delivered::Failed { in_doubt } => {
                self.ledger.release(&matter, &grant, grant.in_doubt || in_doubt, now).await;
                Err(NotPosted)
            }
        }
    }

    async fn open_incidents(&self, shift: Shift, deadline: Instant) -> OpenIncidents {
        match (&self.incidents, shift) {
            (Some(incidents), Shift::Today) => incidents.open(deadline).await,
            _ => OpenIncidents::NotAsked,
        }
    }

    fn as_if_posted(&self, reminder: &Reminder, posted: bool) -> Outcome {
        let text = self.chats.first().map(|chat| {
            let destination = Destination { chat: chat.name(), instead_of: None, again: false };
            chat.render(&Message::whole(News::Reminder(reminder), destination, self.language))
        });
        reminded(&reminder.day, posted, text.unwrap_or_default())
    }
}

fn reminded(day: &OnCallToday, posted: bool, text: String) -> Outcome {
    let on_call = match &day.on_call {
        OnCall::People(people) => people.iter().map(|person| person.name().to_owned()).collect(),
        OnCall::Nobody | OnCall::NoRow | OnCall::Unknown(_) => Vec::new(),
    };
    Outcome::Reminded { posted, date: day.date, on_call, text }
}
