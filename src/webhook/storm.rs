//! What a storm changes about a new incident's post, and what people are told of it.

use std::sync::PoisonError;

use tokio::time::Instant;

use super::WebhookHandler;
use crate::budget::{MIN_EVENT, STORM_SHOWN_EVERY};
use crate::clock::Invocation;
use crate::domain::alert::Mentions;
use crate::domain::event::Event;
use crate::domain::message::Subject;
use crate::domain::storm::{Counts, Course, Storm};
use crate::edge::ledger::Storms;

/// What is to be told of a storm once the posts of a webhook are made.
pub(super) struct StormNews {
    course: Course,
    storms: Storms,
    storm: Storm,
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
        let (Some(storms), Some(limit)) = (storms, self.storm_above) else { return (mentions, None) };
        let now = invocation.now();
        let course = storms.course(limit, now);
        let before = match &storms.told {
            Some(told) => told.before,
            None => storms.today.saturating_sub(storms.counts.in_minute(Counts::piece(now)).into()),
        };
        let list = event.incident.link.as_ref().and_then(|link| link.sibling("/incidents"));
        let so_far = storms.today.saturating_sub(before);
        let storm = Storm { so_far, before, mentions: mentions.clone(), list, in_doubt: false };
        let news = (course != Course::Usual).then_some(StormNews { course, storms, storm });
        (if course == Course::GoesOn { Mentions::Nobody } else { mentions }, news)
    }

    /// Tells that a storm is on, how many there are by now, or that it is over, in time that no post needs.
    pub(super) async fn tell(&self, StormNews { course, storms, mut storm }: StormNews, invocation: Invocation) {
        if !invocation.has_more_than(MIN_EVENT) {
            return;
        }
        match course {
            Course::Usual => {}
            Course::Over => self.dispatcher.ledger().end_storm(&storms, invocation.now()).await,
            Course::Begins => {
                if let Ok(permit) = self.dispatcher.claim_storm(storms.over, invocation).await {
                    storm.in_doubt = permit.is_in_doubt();
                    self.dispatcher.post(permit, Subject::Storm(&storm), invocation).await;
                }
            }
            Course::GoesOn => {
                let Some(message) = storms.told.and_then(|told| told.message) else { return };
                {
                    let mut shown = self.storm_shown.lock().unwrap_or_else(PoisonError::into_inner);
                    if shown.is_some_and(|shown| invocation.arrived_at() < shown + STORM_SHOWN_EVERY) {
                        return;
                    }
                    *shown = Some(invocation.arrived_at());
                }
                let left = invocation.deadline().saturating_duration_since(Instant::now());
                self.dispatcher.show_storm(&storm, &message, left).await;
            }
        }
    }
}
