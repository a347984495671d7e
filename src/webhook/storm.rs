//! What a storm changes about a new incident's post, and what people are told of it.

use std::sync::{MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use tokio::time::Instant;

use super::WebhookHandler;
use crate::budget::{MIN_EVENT, STORM_ASKED_EVERY, STORM_SHOWN_EVERY};
use crate::clock::Invocation;
use crate::domain::alert::Mentions;
use crate::domain::event::{Event, Link};
use crate::domain::message::Subject;
use crate::domain::storm::{Counts, Course, Storm};
use crate::edge::ledger::Storms;

/// What a process has seen of a storm.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When it brought the message about it up to date.
    shown: Option<DateTime<Utc>>,
    /// The day of a storm that isn't known to be over, and when that was last looked at.
    ongoing: Option<(NaiveDate, DateTime<Utc>)>,
}

/// What is to be done about a storm once the posts of a webhook are made.
pub(super) enum StormNews {
    /// Tell what the incident at hand has found.
    Found(Box<(Course, Storms, Storm)>),
    /// Look whether the storm of a day is over.
    Look { day: NaiveDate, list: Option<Link> },
}

impl WebhookHandler {
    /// Whom a new incident mentions, and what is to be told once it is posted. In doubt it mentions as usual.
    pub(super) fn in_a_storm(
        &self,
        storms: Option<Storms>,
        mentions: Mentions,
        event: &Event,
        invocation: Invocation,
    ) -> (Mentions, Option<StormNews>) {
        let list = event.incident.link.as_ref().and_then(|link| link.sibling("/incidents"));
        let now = invocation.now();
        let (Some(storms), Some(limit)) = (storms, self.storm_above) else {
            return (mentions, self.watch().due(now).map(|day| StormNews::Look { day, list }));
        };
        let course = storms.course(limit, now);
        let storm = as_found(&storms, mentions.clone(), list, now);
        let news = (course != Course::Usual).then(|| StormNews::Found(Box::new((course, storms, storm))));
        (if course == Course::GoesOn { Mentions::Nobody } else { mentions }, news)
    }

    /// Tells that a storm is on, how many there are by now, or that it is over, in time that no post needs.
    pub(super) async fn tell(&self, news: StormNews, invocation: Invocation) {
        if !invocation.has_more_than(MIN_EVENT) {
            return;
        }
        let now = invocation.now();
        let (course, storms, storm) = match news {
            StormNews::Found(found) => *found,
            StormNews::Look { day, list } => return self.look(day, list, invocation).await,
        };
        match course {
            Course::Usual => {}
            Course::Over => {
                self.end(&storms, storm.list.clone(), invocation).await;
                // The incident that finds it over may be the one too many that begins another.
                let next = Storms { told: None, over: storms.over + 1, ..storms };
                if self.storm_above.is_some_and(|limit| next.course(limit, now) == Course::Begins) {
                    self.begin(&next, as_found(&next, storm.mentions, storm.list, now), invocation).await;
                }
            }
            Course::Begins => self.begin(&storms, storm, invocation).await,
            Course::GoesOn => {
                self.watch().saw(storms.day, now);
                let Some(message) = storms.told.and_then(|told| told.message) else { return };
                if !self.watch().shows(invocation.arrived_at()) {
                    return;
                }
                let left = invocation.deadline().saturating_duration_since(Instant::now());
                self.dispatcher.show_storm(&storm, &message, left).await;
            }
        }
    }

    async fn begin(&self, storms: &Storms, mut storm: Storm, invocation: Invocation) {
        self.watch().saw(storms.day, invocation.now());
        if let Ok(permit) = self.dispatcher.claim_storm(storms.over, invocation).await {
            storm.in_doubt = permit.is_in_doubt();
            self.dispatcher.post(permit, Subject::Storm(&storm), invocation).await;
        }
    }

    /// Looks whether a storm is over by now, of which this event says nothing.
    async fn look(&self, day: NaiveDate, list: Option<Link>, invocation: Invocation) {
        let (Some(limit), now) = (self.storm_above, invocation.now()) else { return };
        let Some(storms) = self.dispatcher.ledger().storms_of(day, now).await else { return };
        match storms.course(limit, now) {
            Course::Over => self.end(&storms, list, invocation).await,
            // Another process has ended it.
            _ if storms.told.is_none() => self.watch().ended(),
            _ => {}
        }
    }

    async fn end(&self, storms: &Storms, list: Option<Link>, invocation: Invocation) {
        self.dispatcher.end_storm(storms, list, invocation).await;
        self.watch().ended();
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.storm.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The storm as a new incident finds it.
fn as_found(storms: &Storms, mentions: Mentions, list: Option<Link>, now: DateTime<Utc>) -> Storm {
    let before = match &storms.told {
        Some(told) => told.before,
        None => storms.today.saturating_sub(storms.counts.in_minute(Counts::piece(now)).into()),
    };
    let so_far = storms.today.saturating_sub(before);
    Storm { so_far, before, mentions, list, in_doubt: false, is_over: false }
}

impl Watch {
    fn saw(&mut self, day: NaiveDate, now: DateTime<Utc>) {
        self.ongoing = Some((day, now));
    }

    fn ended(&mut self) {
        self.ongoing = None;
    }

    /// The day of a storm that may be over by now, at most once in a while.
    fn due(&mut self, now: DateTime<Utc>) -> Option<NaiveDate> {
        let (day, looked) = self.ongoing.as_mut().filter(|(_, looked)| now >= *looked + STORM_ASKED_EVERY)?;
        *looked = now;
        Some(*day)
    }

    /// Whether the message about a storm is to be brought up to date now.
    fn shows(&mut self, now: DateTime<Utc>) -> bool {
        let is_due = self.shown.is_none_or(|shown| now >= shown + STORM_SHOWN_EVERY);
        if is_due {
            self.shown = Some(now);
        }
        is_due
    }
}
