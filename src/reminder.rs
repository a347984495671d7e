//! At a scheduled time, the people of a day are reminded of their duty.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::budget::REMINDER;
use crate::clock::Invocation;
use crate::config::ReminderConfig;
use crate::delivery::{Delivery, Dispatcher, NotPermitted};
use crate::domain::calendar::Calendar;
use crate::domain::event::Link;
use crate::domain::message::Subject;
use crate::domain::reminder::{self, OpenIncidents, Reminder, ReminderKind};
use crate::domain::roster::{OnCall, OnCallDay};
use crate::edge::http::HttpClient;
use crate::edge::ledger::IdempotencyKey;
use crate::edge::pagerduty::rest::RestClient;
use crate::edge::roster::{KeyError, RosterSource};
use crate::log_events;

/// Clocks differ by less than this.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::hours(1);

/// What the schedule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReminderRequest {
    /// Whose day to speak of.
    pub kind: ReminderKind,
    /// When it was due; a request that is carried out late still speaks of the right day.
    pub at: Option<DateTime<Utc>>,
    /// Only say what would be posted.
    pub dry_run: bool,
}

impl ReminderRequest {
    /// Whether it is for a time to come: carried out now, it would count as done when that time comes.
    fn is_early(self, now: DateTime<Utc>) -> bool {
        !self.dry_run && self.at.is_some_and(|at| at - now > CLOCKS_DIFFER)
    }

    /// Whether a schedule can have given the request, now or on a day whose retries are still coming.
    #[must_use]
    pub fn is_current(self, now: DateTime<Utc>) -> bool {
        let ago = now - self.at.unwrap_or(now);
        (-CLOCKS_DIFFER..=TimeDelta::hours(36)).contains(&ago)
    }
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderOutcome {
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
    /// The same, but an earlier request of the same kind and day had been carried out already.
    RemindedBefore(Box<ReminderOutcome>),
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

/// What happened to a request, for the metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Every chat refused the reminder itself.
    pub given_up: u32,
    /// The sheet could not be read.
    pub roster_stale: u32,
    /// The members tab could not be read.
    pub members_unreadable: u32,
    /// A row of the day could not be read.
    pub row_unreadable: u32,
    /// The ledger's table could not be used.
    pub ledger_failed: u32,
    /// People on call who could not be mentioned on the chat that has the reminder.
    pub unmentionable: u32,
    /// Somebody should be mentioned, and nobody is on the chat that has the reminder.
    pub nobody_mentioned: u32,
    /// From the time that it was due to the post, if it was posted.
    pub seconds_to_post: Option<f64>,
}

/// No chat took the reminder; the schedule has to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no chat took the reminder; the log says why")]
pub struct NotPosted;

/// Everything that lasts from one reminder to the next.
#[derive(Debug)]
pub struct ReminderHandler {
    calendar: Calendar,
    fallback_mentions: Vec<String>,
    manual: Option<Link>,
    roster: RosterSource,
    incidents: Option<RestClient>,
    dispatcher: Dispatcher,
}

impl ReminderHandler {
    /// Sets up what the settings describe; nothing is called yet.
    ///
    /// # Errors
    /// If the service account's key can't be used.
    pub async fn new(config: ReminderConfig) -> Result<Self, KeyError> {
        let ReminderConfig { team, manual, incidents } = config;
        team.log_warnings();
        let http = HttpClient::new();
        Ok(Self {
            roster: RosterSource::new(&team, REMINDER).await?,
            dispatcher: Dispatcher::new(&team, REMINDER, &http),
            incidents: incidents.map(|config| RestClient::new(config, http)),
            calendar: team.calendar,
            fallback_mentions: team.fallback_mentions,
            manual,
        })
    }

    /// Does what is asked for, within the function's time.
    ///
    /// The outcome is an error if no chat took the reminder.
    pub async fn remind(
        &self,
        request: ReminderRequest,
        now: DateTime<Utc>,
    ) -> (Result<ReminderOutcome, NotPosted>, Tally) {
        let invocation = Invocation::begin(now, REMINDER.answer);
        let (mut tally, failures) = (Tally::default(), self.dispatcher.ledger().failures());
        let outcome = self.carry_out(request, invocation, &mut tally).await;
        tally.ledger_failed = u32::from(self.dispatcher.ledger().failures() > failures);
        (outcome, tally)
    }

    async fn carry_out(
        &self,
        request: ReminderRequest,
        invocation: Invocation,
        tally: &mut Tally,
    ) -> Result<ReminderOutcome, NotPosted> {
        let now = invocation.arrived_at();
        if let Some(at) = request.at.filter(|_| request.is_early(now)) {
            return Ok(ReminderOutcome::Early { at });
        }
        let today = self.calendar.today(request.at.unwrap_or(now));
        let Some(first) = reminder::due(request.kind, today, &self.calendar) else {
            return Ok(ReminderOutcome::DayOff { date: today });
        };
        let mut reminder = self.reminder(request, today, first, invocation, tally).await;
        if request.dry_run {
            return Ok(self.as_if_posted(&reminder, false));
        }
        let key = IdempotencyKey::of_reminder(request.kind, today);
        let permit = match self.dispatcher.claim(Some(key), None, invocation).await {
            Ok(permit) => permit,
            Err(NotPermitted::AlreadyPosted(_)) => {
                return Ok(ReminderOutcome::RemindedBefore(Box::new(self.as_if_posted(&reminder, true))));
            }
            // The invocation that holds the claim has probably died. Lambda tries again when the claim has ended.
            Err(NotPermitted::InProgress) => return Err(NotPosted),
        };
        reminder.in_doubt = permit.is_in_doubt();
        match self.dispatcher.post(permit, Subject::Reminder(&reminder), invocation).await {
            Delivery::Posted { chat, text, .. } => {
                let now = invocation.now();
                tally.unmentionable = reminder.day.unmentionable(chat);
                // Nobody is reminded of a day on which nobody is meant to be on call.
                let is_meant_for_somebody = reminder.day.on_call != OnCall::Nobody;
                tally.nobody_mentioned = u32::from(is_meant_for_somebody && reminder.day.mentions_nobody(chat));
                tally.seconds_to_post =
                    request.at.filter(|_| request.is_current(now)).map(|at| (now - at).as_seconds_f64());
                self.roster.save(self.dispatcher.ledger(), now).await;
                Ok(reminded(&reminder.day, true, text))
            }
            Delivery::GivenUp { .. } => {
                tally.given_up = 1;
                Ok(ReminderOutcome::GivenUp)
            }
            Delivery::Failed { .. } => Err(NotPosted),
        }
    }

    async fn reminder(
        &self,
        request: ReminderRequest,
        today: NaiveDate,
        first: NaiveDate,
        invocation: Invocation,
        tally: &mut Tally,
    ) -> Reminder {
        let (kind, now) = (request.kind, invocation.arrived_at());
        if !self.calendar.knows_year_of(first) {
            tracing::warn!(
                event = log_events::HOLIDAYS,
                "the public holidays of {first}'s year are not known: update the relay"
            );
        }
        let (roster, open) = tokio::join!(
            self.roster.reading(self.dispatcher.ledger(), today, invocation),
            self.open_incidents(kind, invocation)
        );
        tally.roster_stale = u32::from(roster.failure.is_some() && !request.dry_run);
        let day = reminder::on_call(kind, first, &self.calendar, &roster, &self.fallback_mentions, now);
        tally.members_unreadable = u32::from(roster.lacks_members && !request.dry_run);
        tally.row_unreadable = u32::from(day.has_unread_row() && !request.dry_run);
        Reminder { kind, now, day, manual: self.manual.clone(), open, in_doubt: false }
    }

    async fn open_incidents(&self, kind: ReminderKind, invocation: Invocation) -> OpenIncidents {
        match (&self.incidents, kind) {
            (Some(incidents), ReminderKind::Today) => incidents.open_incidents(invocation).await,
            _ => OpenIncidents::NotRequested,
        }
    }

    fn as_if_posted(&self, reminder: &Reminder, posted: bool) -> ReminderOutcome {
        reminded(&reminder.day, posted, self.dispatcher.preview(Subject::Reminder(reminder)))
    }
}

fn reminded(day: &OnCallDay, posted: bool, text: String) -> ReminderOutcome {
    let on_call = match &day.on_call {
        OnCall::People(people) => people.iter().map(|person| person.name().to_owned()).collect(),
        _ => Vec::new(),
    };
    ReminderOutcome::Reminded { posted, date: day.date, on_call, text }
}
