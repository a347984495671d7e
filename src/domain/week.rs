//! A week's incidents: how many, when, how long they took, and which titles came most often.
//!
//! It is for those who had a quiet week: whoever was not called learns what happened to the others.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use super::calendar::Calendar;
use super::event::Incident;
use super::sanitize;

/// Titles that are listed.
const MAX_TITLES: usize = 5;
/// Services that have a row of their own.
const MAX_SERVICES: usize = 10;
/// A period is no longer than this, whatever the calendar says.
const MAX_PERIOD: TimeDelta = TimeDelta::days(31);

/// The time that is told of: from the end of the last week's work to the end of this week's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first moment.
    pub from: DateTime<Tz>,
    /// The moment after its last.
    pub until: DateTime<Tz>,
}

/// Whether a day is the last working day of its week.
#[must_use]
pub fn is_due(today: NaiveDate, calendar: &Calendar) -> bool {
    let week = |date| calendar.week_of(date);
    let is_last = calendar.next_working_day(today).is_none_or(|next| week(next) != week(today));
    calendar.is_working_day(today) && is_last
}

impl Period {
    /// The one that ends now: it begins at the same hour of the last working day before this week, where the one before
    /// has ended. Full hours, since no schedule is exact to the second, and what failed is tried again.
    #[must_use]
    pub fn until(now: DateTime<Utc>, calendar: &Calendar) -> Self {
        let until = calendar.local(now);
        let until = until
            - TimeDelta::seconds(i64::from(until.minute() * 60 + until.second()))
            - TimeDelta::nanoseconds(i64::from(until.nanosecond()));
        let last = calendar.previous_working_day(calendar.week_of(until.date_naive()));
        let at_the_same_hour =
            |day: NaiveDate| day.and_time(until.time()).and_local_timezone(until.timezone()).earliest();
        let from = last.and_then(at_the_same_hour).unwrap_or(until - TimeDelta::weeks(1));
        Self { from: from.max(until - MAX_PERIOD), until }
    }

    fn contains(&self, at: DateTime<Utc>) -> bool {
        (self.from.to_utc()..self.until.to_utc()).contains(&at)
    }
}

/// An incident as PagerDuty lists it afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastIncident {
    /// The incident.
    pub incident: Incident,
    /// Its service.
    pub service: ServiceName,
    /// When it began.
    pub began: Option<DateTime<Utc>>,
    /// How it stands.
    pub end: End,
}

/// A service, by the id that stays and the name that may change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceName {
    /// Its id.
    pub id: String,
    /// Its name, as it was with this incident.
    pub name: String,
}

/// How an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is not over.
    Open,
    /// It was merged into another one, which goes on in its place.
    Merged,
    /// It is resolved, and since when, if that is known.
    Resolved(Option<DateTime<Utc>>),
}

/// What PagerDuty says of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PastIncidents {
    /// These incidents.
    Listed {
        /// They themselves.
        incidents: Vec<PastIncident>,
        /// Whether there are no others.
        complete: bool,
    },
    /// PagerDuty could not be asked.
    Unknown,
}

/// Everything that the week's message is made from, before a chat is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    /// The time that it tells of.
    pub period: Period,
    /// The numbers; none if PagerDuty could not be asked.
    pub report: Option<Report>,
    /// Whether an earlier attempt may have posted it already.
    pub in_doubt: bool,
}

/// How many incidents there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub all: usize,
    /// Those that began in business hours.
    pub in_hours: usize,
}

impl Count {
    fn add(&mut self, in_hours: bool) {
        self.all += 1;
        self.in_hours += usize::from(in_hours);
    }

    /// Those that began outside of business hours.
    #[must_use]
    pub fn out_of_hours(self) -> usize {
        self.all - self.in_hours
    }
}

/// A week in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// All incidents.
    pub count: Count,
    /// Those that are not over.
    pub open: usize,
    /// Those that were merged into others.
    pub merged: usize,
    /// Whether there were still more, which PagerDuty doesn't list.
    pub or_more: bool,
    /// By service, the busiest first.
    pub services: Vec<(String, Count)>,
    /// How many services there were besides.
    pub more_services: usize,
    /// By day.
    pub days: Vec<(NaiveDate, Count)>,
    /// How long they took, if one of them is over.
    pub resolution: Option<Resolution>,
    /// The titles that came most often, and how often.
    pub titles: Vec<Frequent>,
}

/// How long incidents took to be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Half of them took no longer.
    pub median: TimeDelta,
    /// The longest.
    pub longest: TimeDelta,
    /// The one that took longest.
    pub longest_of: Incident,
}

/// A title that came several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frequent {
    /// How often.
    pub times: usize,
    /// The last incident that was called so.
    pub last: Incident,
}

impl Report {
    /// Counts what PagerDuty listed; none if it could not be asked.
    #[must_use]
    pub fn of(past: PastIncidents, period: &Period, calendar: &Calendar) -> Option<Self> {
        let PastIncidents::Listed { mut incidents, complete } = past else { return None };
        // What PagerDuty understands by an end is not said; an incident must be in one week and in no other.
        incidents.retain(|past| !past.incident.is_practice() && past.began.is_none_or(|began| period.contains(began)));
        incidents.sort_by_key(|past| past.began);
        let (mut count, mut days) = (Count::default(), BTreeMap::<_, Count>::new());
        for past in &incidents {
            let in_hours = past.is_in_hours(calendar);
            count.add(in_hours);
            if let Some(began) = past.began {
                days.entry(calendar.today(began)).or_default().add(in_hours);
            }
        }
        let (services, more_services) = services(&incidents, calendar);
        Some(Self {
            count,
            open: incidents.iter().filter(|past| past.end == End::Open).count(),
            merged: incidents.iter().filter(|past| past.end == End::Merged).count(),
            or_more: !complete,
            services,
            more_services,
            days: days.into_iter().collect(),
            resolution: resolution(&incidents),
            titles: titles(&incidents),
        })
    }
}

impl PastIncident {
    fn is_in_hours(&self, calendar: &Calendar) -> bool {
        self.began.is_some_and(|began| calendar.is_business_time(began))
    }

    /// How long it took. Clocks that ran backwards say nothing, and a merged one is not over.
    fn took(&self) -> Option<TimeDelta> {
        let End::Resolved(Some(resolved)) = self.end else { return None };
        Some(resolved - self.began?).filter(|took| *took >= TimeDelta::zero())
    }
}

/// By id, since names change: the last one is the one that people know.
fn services(incidents: &[PastIncident], calendar: &Calendar) -> (Vec<(String, Count)>, usize) {
    let mut by_id: HashMap<&str, (&str, Count)> = HashMap::new();
    for past in incidents {
        let ServiceName { id, name } = &past.service;
        let (last_name, count) = by_id.entry(if id.is_empty() { name } else { id }).or_default();
        if !name.is_empty() {
            *last_name = name;
        }
        count.add(past.is_in_hours(calendar));
    }
    let mut services: Vec<_> = by_id.into_values().map(|(name, count)| (name.to_owned(), count)).collect();
    services.sort_by(|(name, count), (other, others)| others.all.cmp(&count.all).then_with(|| name.cmp(other)));
    let more = services.len().saturating_sub(MAX_SERVICES);
    services.truncate(MAX_SERVICES);
    (services, more)
}

fn resolution(incidents: &[PastIncident]) -> Option<Resolution> {
    let mut took: Vec<_> = incidents.iter().filter_map(|past| Some((past.took()?, &past.incident))).collect();
    took.sort_by_key(|(took, _)| *took);
    let (longest, longest_of) = took.last()?;
    let middle = took.len() / 2;
    let median = if took.len() % 2 == 1 { took[middle].0 } else { (took[middle - 1].0 + took[middle].0) / 2 };
    Some(Resolution { median, longest: *longest, longest_of: (*longest_of).clone() })
}

fn titles(incidents: &[PastIncident]) -> Vec<Frequent> {
    let mut by_title: HashMap<String, (usize, usize)> = HashMap::new();
    for (index, past) in incidents.iter().enumerate() {
        let title = past.incident.title.as_deref().map(sanitize::line).filter(|title| !title.is_empty());
        if let Some(title) = title {
            let (times, last) = by_title.entry(title).or_default();
            (*times, *last) = (*times + 1, index);
        }
    }
    let mut titles: Vec<_> = by_title.into_values().collect();
    titles.sort_unstable_by(|one, other| other.cmp(one));
    let frequent = |(times, last): (usize, usize)| Frequent { times, last: incidents[last].incident.clone() };
    titles.into_iter().take(MAX_TITLES).map(frequent).collect()
}

#[cfg(test)]
mod tests;
