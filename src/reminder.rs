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
    /// Whether a schedule can have given the order, now or on a day whose retries are still coming.
    #[must_use]
    pub fn is_current(self, now: DateTime<Utc>) -> bool {
        let ago = now - self.at.unwrap_or(now);
        (TimeDelta::hours(-1)..=TimeDelta::hours(36)).contains(&ago)
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
    /// # Errors
    /// If no chat took the reminder.
    pub async fn remind(&self, order: Order, now: DateTime<Utc>) -> Result<Outcome, NotPosted> {
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
        let day = reminder::on_call(order.shift, first, &self.calendar, &reading, &self.fallback_mentions, now);
        let mut reminder =
            Reminder { shift: order.shift, now, day, manual: self.manual.clone(), open, in_doubt: false };
        if order.dry_run {
            return Ok(self.as_if_posted(&reminder, false));
        }
        let matter = Matter::of_reminder(order.shift, today);
        let grant = match self.ledger.claim(&matter, None, now + started.elapsed()).await {
            Claim::Granted(grant) => grant,
            Claim::Posted(chat) => {
                tracing::info!(event = "duplicate", reminder = order.shift.key(), chat = chat.key(), "posted before");
                return Ok(Outcome::RemindedBefore(Box::new(self.as_if_posted(&reminder, true))));
            }
            // Lambda tries again after some time; by then it is known how this ended.
            Claim::Taken => {
                tracing::warn!(event = "taken", reminder = order.shift.key(), "another invocation is posting it");
                return Err(NotPosted);
            }
        };
        reminder.in_doubt = grant.in_doubt;
        let delivered = deliver(&self.chats, News::Reminder(&reminder), None, self.language, deadline).await;
        let now = now + started.elapsed();
        match delivered {
            Delivered::Posted { chat, text, .. } => {
                self.ledger.record(&matter, &grant, chat, &grant.known, now).await;
                self.roster.save(&self.ledger, now).await;
                Ok(reminded(&reminder.day, true, text))
            }
            Delivered::GivenUp => {
                self.ledger.release(&matter, &grant, grant.in_doubt, now).await;
                Err(NotPosted)
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
