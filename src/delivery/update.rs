//! Brings an incident's first message up to date, in time that nothing else needs.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Dispatcher, explain};
use crate::budget::{MAX_UPDATE, MIN_TRY, PAUSE, WEBHOOK};
use crate::clock::Invocation;
use crate::domain::event::Link;
use crate::domain::message::FirstMessage;
use crate::domain::storm::Storm;
use crate::edge::chat::{PostError, PostFailure, Thread, Update as ChatUpdate};
use crate::edge::ledger::Storms;
use crate::log_events;

/// What an incident's first message is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The message.
    pub message: Thread,
    /// What it shows from now on.
    pub first: FirstMessage,
}

/// Updates that wait until every event of a webhook has its post: none of them may cost one.
#[derive(Debug, Default)]
pub struct Updates(Vec<Update>);

impl Updates {
    /// One more. Of several for the same message the newest state counts.
    pub fn add(&mut self, update: Option<Box<Update>>) {
        let Some(update) = update else { return };
        let Some(other) = self.0.iter_mut().find(|other| other.message == update.message) else {
            return self.0.push(*update);
        };
        if other.first.standing.order() <= update.first.standing.order() {
            *other = *update;
        }
    }
}

/// Messages at most that wait for a later webhook to put them right.
const MAX_BEHIND: usize = 100;

/// First messages that don't show their state, the one that waits longest first. No later event may come to an incident
/// that is over, so that other incidents' webhooks have to see to it.
#[derive(Debug, Default)]
pub(super) struct Behind(Mutex<VecDeque<Update>>);

impl Behind {
    fn keep(&self, update: &Update) {
        let mut behind = self.lock();
        behind.retain(|other| other.message != update.message);
        behind.push_back(update.clone());
        if behind.len() > MAX_BEHIND {
            behind.pop_front();
        }
    }

    fn forget(&self, message: &Thread) {
        self.lock().retain(|other| other.message != *message);
    }

    fn next(&self) -> Option<Update> {
        self.lock().front().cloned()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Update>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Update {
    /// Whether the incident is over: then no event may come that would put the message right.
    fn is_final(&self) -> bool {
        self.first.standing.state.as_ref().is_some_and(|state| !state.phase.is_open())
    }
}

impl Dispatcher {
    /// Brings first messages up to date, one after the other, while there is time; the last states of incidents are
    /// tried once more. What fails or finds no time costs nothing: a later event puts the message right.
    pub async fn show(&self, updates: Updates, invocation: Invocation) {
        let left_over = self.behind.next();
        let mut again = Vec::new();
        for update in updates.0 {
            let result = self.try_to_show(&update, left(invocation)).await;
            if let Some(wait) = result.err().and_then(pause).filter(|_| update.is_final()) {
                again.push((update, Instant::now() + wait));
            }
        }
        for (update, at) in again {
            if at + WEBHOOK.claim + MIN_TRY < invocation.deadline() {
                sleep_until(at).await;
                self.show_late(update, invocation).await;
            }
        }
        // One that an earlier webhook has left; never in time that anything of this one needs.
        if let Some(old) = left_over.filter(|_| invocation.has_more_than(WEBHOOK.claim + MIN_TRY)) {
            self.show_late(old, invocation).await;
        }
    }

    /// Another process may have shown a newer state since: that one is shown.
    async fn show_late(&self, old: Update, invocation: Invocation) {
        let Some(id) = &old.first.standing.incident.id else { return self.behind.forget(&old.message) };
        let known = self.ledger.incident(id, invocation.now()).await;
        let is_first = known.thread.as_ref() == Some(&old.message);
        let newer = known.first.filter(|first| is_first && first.standing.order() > old.first.standing.order());
        let update = Update { first: newer.unwrap_or(old.first), message: old.message };
        self.show_one(&update, left(invocation)).await;
    }

    /// Brings the message about a storm up to date; that it isn't costs nothing.
    pub async fn show_storm(&self, storm: &Storm, message: &Thread, within: Duration) {
        let Some(chat) = self.chats.iter().find(|chat| chat.has_threads()) else { return };
        let card = storm.card(chat.name(), self.language);
        let (text, within) = (chat.render(&card.text()), within.min(MAX_UPDATE));
        let result = chat.update(ChatUpdate { message, text: &text, card: &card, within }).await;
        let outcome = result.map_or_else(|error| error.detail, |()| "shown".to_owned());
        tracing::info!(event = log_events::UPDATE, kind = "storm", chat = chat.name().key(), outcome);
    }

    /// Shows for the last time how many incidents a storm brought, and writes down that it is over.
    pub async fn end_storm(&self, storms: &Storms, list: Option<Link>, invocation: Invocation) {
        if let Some(message) = storms.told.as_ref().and_then(|told| told.message.as_ref()) {
            let left = invocation.deadline().saturating_duration_since(Instant::now());
            self.show_storm(&Storm::over(storms.incidents(), list), message, left).await;
        }
        self.ledger.end_storm(storms, invocation.now()).await;
    }

    /// Brings one first message up to date, and says whether it is. It is logged here if it isn't.
    pub async fn show_one(&self, update: &Update, within: Duration) -> bool {
        self.try_to_show(update, within).await.is_ok()
    }

    async fn try_to_show(&self, update: &Update, within: Duration) -> Result<(), PostFailure> {
        let result = self.change(update, within).await;
        match result {
            // What is refused once is refused again.
            Ok(()) | Err(PostFailure::MessageRefused | PostFailure::ThreadRefused | PostFailure::Rejected) => {
                self.behind.forget(&update.message);
            }
            Err(_) => self.behind.keep(update),
        }
        result
    }

    async fn change(&self, update: &Update, within: Duration) -> Result<(), PostFailure> {
        let Some(chat) = self.chats.iter().find(|chat| chat.has_threads()) else { return Err(PostFailure::Rejected) };
        if within < MIN_TRY {
            tracing::info!(event = log_events::UPDATE, outcome = "not_attempted", "no time left");
            return Err(PostFailure::NotAttempted);
        }
        let mut card = update.first.changed_card(self.language, self.zone);
        card.buttons = if self.has_buttons { update.first.buttons(self.language) } else { Vec::new() };
        let text = chat.render(&card.text());
        let started = Instant::now();
        let within = within.min(MAX_UPDATE);
        let result = chat.update(ChatUpdate { message: &update.message, text: &text, card: &card, within }).await;
        let incident = update.first.standing.incident.tag().map(|tag| tag.to_string());
        let chat = chat.name().key();
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &result {
            Ok(()) => tracing::info!(event = log_events::UPDATE, incident, chat, outcome = "shown", milliseconds),
            Err(PostError { failure, detail, remedy }) => {
                let outcome = explain(*failure).map_or("not_attempted", |(outcome, _)| outcome);
                tracing::warn!(
                    event = log_events::UPDATE,
                    incident,
                    chat,
                    outcome,
                    detail,
                    milliseconds,
                    "the incident's first message doesn't show its state; a later event tries again; {remedy}"
                );
            }
        }
        result.map_err(|error| error.failure)
    }
}

fn left(invocation: Invocation) -> Duration {
    invocation.deadline().saturating_duration_since(Instant::now())
}

/// How long to wait before an update is tried once more, if that may help. It says the same however often it arrives.
fn pause(failure: PostFailure) -> Option<Duration> {
    match failure {
        PostFailure::Unavailable { retry_after, .. } => Some(retry_after.unwrap_or(PAUSE)),
        PostFailure::Broken { .. } => Some(PAUSE),
        _ => None,
    }
}
