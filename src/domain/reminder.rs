//! Reminders: on which days one is due, which day it speaks of, and what else it tells.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::calendar::Calendar;
use super::check::Act;
use super::event::{Incident, Link};
use super::roster::{OnCall, OnCallDay, RosterState};
use super::storm::PastStorm;
use super::week;

/// How far a reminder looks for a day with people, in days after the one it is sent on.
const LOOK_AHEAD: TimeDelta = TimeDelta::days(14);

/// Whose day a reminder is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReminderKind {
    /// The people of the day itself, in the morning.
    Today,
    /// The people of the next working day, in the evening before.
    Next,
    /// What happened in the week, at its end, for everybody.
    Week,
}

impl ReminderKind {
    /// The name in invocations and logs.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Next => "next",
            Self::Week => "week",
        }
    }
}

/// The first day that a reminder sent on `today` may speak of; none on a day that is not a working day, or for a week
/// that is not over.
#[must_use]
pub fn due(kind: ReminderKind, today: NaiveDate, calendar: &Calendar) -> Option<NaiveDate> {
    if !calendar.is_working_day(today) {
        return None;
    }
    match kind {
        ReminderKind::Today => Some(today),
        ReminderKind::Next => calendar.next_working_day(today),
        ReminderKind::Week => week::is_due(today, calendar).then_some(today),
    }
}

/// Who is on call on the day that a reminder speaks of.
///
/// A `next` reminder passes over days whose row is there and empty; a day whose row is missing is named,
/// because a silent reminder is how rotations die. If all days ahead are empty, it names the first.
#[must_use]
pub fn on_call(
    kind: ReminderKind,
    first: NaiveDate,
    calendar: &Calendar,
    reading: &RosterState,
    fallback: &[String],
    now: DateTime<Utc>,
) -> OnCallDay {
    let of = |date| OnCallDay::from_reading(reading, fallback, date, now);
    let days = std::iter::successors(Some(first), |date| calendar.next_working_day(*date));
    match kind {
        ReminderKind::Today | ReminderKind::Week => of(first),
        ReminderKind::Next => days
            .take_while(|date| *date <= first + LOOK_AHEAD)
            .map(of)
            .find(|day| day.on_call != OnCall::Nobody)
            .unwrap_or_else(|| of(first)),
    }
}

/// An incident that is still triggered or acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIncident {
    /// The incident.
    pub incident: Incident,
    /// Whether somebody has acknowledged it.
    pub acknowledged: bool,
    /// When it was triggered.
    pub since: Option<DateTime<Utc>>,
}

/// What is known of the incidents that are still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenIncidents {
    /// Nobody asked: the reminder is not about the night, or no API key is configured.
    NotRequested,
    /// These, the oldest first.
    Known {
        /// As many as a message lists.
        oldest: Vec<OpenIncident>,
        /// How many more there are.
        more: usize,
        /// Whether there may be still more, because PagerDuty stopped answering.
        or_more: bool,
        /// Where all of them are.
        link: Option<Link>,
    },
    /// PagerDuty could not be asked.
    Unknown,
}

impl OpenIncidents {
    /// As many as a message lists.
    const LISTED: usize = 10;

    /// Sorts what PagerDuty listed; `complete` says whether that was all.
    #[must_use]
    pub fn listed(mut incidents: Vec<OpenIncident>, complete: bool) -> Self {
        // Unknown ages come last: what is known to be old matters most.
        incidents.sort_by_key(|open| (open.since.is_none(), open.since));
        let more = incidents.len().saturating_sub(Self::LISTED);
        incidents.truncate(Self::LISTED);
        let link = incidents.iter().find_map(|open| open.incident.link.as_ref()?.sibling("/incidents"));
        Self::Known { oldest: incidents, more, or_more: !complete, link }
    }
}

/// Everything that a reminder is made from, before a chat is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// Whose day it is about.
    pub kind: ReminderKind,
    /// When it is sent, as far as ages are concerned.
    pub now: DateTime<Utc>,
    /// Who is on call that day.
    pub day: OnCallDay,
    /// The on-call manual.
    pub manual: Option<Link>,
    /// What is still open from the night.
    pub open: OpenIncidents,
    /// Storms that are over, which no event has said.
    pub storms: Vec<PastStorm>,
    /// Whether an earlier attempt may have posted it already.
    pub in_doubt: bool,
    /// Where the sheet is.
    pub sheet: Option<Link>,
    /// What the sheet says of the days ahead, in the evening.
    pub outlook: Outlook,
    /// What the check found that people must act on, in the morning.
    pub acts: Vec<Act>,
}

/// What a reminder says of the days ahead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outlook {
    /// The days other than the one that the reminder speaks of.
    pub days: Vec<OnCallDay>,
    /// Whether the sheet is read with its dates across.
    pub is_turned: bool,
}

impl Outlook {
    /// How many working days the evening's reminder looks at.
    const DAYS: usize = 5;

    /// The next working days after `today`, but for the one that is spoken of anyway.
    #[must_use]
    pub fn of(
        today: NaiveDate,
        spoken_of: NaiveDate,
        calendar: &Calendar,
        reading: &RosterState,
        fallback: &[String],
        now: DateTime<Utc>,
    ) -> Self {
        let days = std::iter::successors(calendar.next_working_day(today), |date| calendar.next_working_day(*date));
        let days = days.take(Self::DAYS).filter(|date| *date != spoken_of);
        let is_turned = reading.snapshot.as_ref().is_some_and(|snapshot| snapshot.roster.shape().is_turned);
        let of = |date| OnCallDay::from_reading(reading, fallback, date, now);
        Self { days: days.map(of).collect(), is_turned }
    }
}

#[cfg(test)]
mod tests;
