//! Storms that are over, which no event has said.

use chrono::{NaiveDate, TimeDelta};

use super::ReminderHandler;
use super::draft::Draft;
use crate::clock::Invocation;
use crate::domain::storm::{Course, PastStorm};
use crate::edge::beside::{Beside, Work};
use crate::edge::ledger::Storms;

/// Days without a reminder in between, at most: a long holiday.
const LOOK_BACK: TimeDelta = TimeDelta::days(14);

impl ReminderHandler {
    /// Those that are over by now and began after the last reminder of an earlier day. The ledger's days are those of UTC.
    pub(super) async fn storms_that_are_over(&self, today: NaiveDate, invocation: Invocation) -> Vec<Storms> {
        let (Some(limit), now) = (self.storm_above, invocation.now()) else { return Vec::new() };
        let last = now.date_naive();
        let before = self.calendar.previous_working_day(today).unwrap_or(today) - TimeDelta::days(1);
        let ledger = self.dispatcher.ledger();
        let days = before.max(last - LOOK_BACK).iter_days().take_while(|day| *day <= last);
        let mut all: Beside<'_, Option<Storms>> =
            Beside::new(days.map(|day| Box::pin(ledger.storms_of(day, now)) as Work<'_, _>).collect());
        all.all().await;
        let mut over: Vec<Storms> = all.into_ended().into_iter().flatten().collect();
        over.retain(|storms| storms.course(limit, now) == Course::Over);
        over.sort_by_key(|storms| storms.day);
        over
    }

    /// What the reminder says of them.
    pub(super) fn past(&self, storms: &[Storms]) -> Vec<PastStorm> {
        let past = |storms: &Storms| {
            let last = storms.counts.last(storms.day);
            let on = last.map_or(storms.day, |last| self.calendar.today(last));
            PastStorm { on, incidents: storms.incidents() }
        };
        storms.iter().map(past).collect()
    }

    /// Ends those that the reminder speaks of.
    pub(super) async fn end(&self, draft: &Draft, invocation: Invocation) {
        let Draft::Day(_, storms) = draft else { return };
        for storms in storms {
            self.dispatcher.end_storm(storms, None, invocation).await;
        }
    }
}
