//! Brings an incident's first message up to date, in time that nothing else needs.

use std::time::Duration;

use tokio::time::Instant;

use super::{Dispatcher, explain};
use crate::budget::{MAX_UPDATE, MIN_TRY};
use crate::clock::Invocation;
use crate::domain::message::FirstMessage;
use crate::domain::storm::Storm;
use crate::edge::chat::{PostError, Thread, Update as ChatUpdate};
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

impl Dispatcher {
    /// Brings first messages up to date, one after the other, while there is time. What fails or finds none costs
    /// nothing: the next event of the incident puts its message right.
    pub async fn show(&self, updates: Updates, invocation: Invocation) {
        for update in updates.0 {
            let left = invocation.deadline().saturating_duration_since(Instant::now());
            if left < MIN_TRY {
                tracing::info!(event = log_events::UPDATE, outcome = "not_attempted", "no time left");
                return;
            }
            self.show_one(&update, left).await;
        }
    }

    /// Brings the message about a storm up to date; that it isn't costs nothing.
    pub async fn show_storm(&self, storm: &Storm, message: &Thread, within: Duration) {
        let Some(chat) = self.chats.iter().find(|chat| chat.has(message)) else { return };
        let card = storm.card(chat.name(), self.language);
        let (text, within) = (chat.render(&card.text()), within.min(MAX_UPDATE));
        let result = chat.update(ChatUpdate { message, text: &text, card: &card, within }).await;
        let outcome = result.map_or_else(|error| error.detail, |()| "shown".to_owned());
        tracing::info!(event = log_events::UPDATE, kind = "storm", chat = chat.name().key(), outcome);
    }

    /// Brings one first message up to date, and says whether it is. It is logged here if it isn't.
    pub async fn show_one(&self, update: &Update, within: Duration) -> bool {
        let Some(chat) = self.chats.iter().find(|chat| chat.has_threads()) else { return false };
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
                    "the incident's first message doesn't show its state; its next event tries again; {remedy}"
                );
            }
        }
        result.is_ok()
    }
}
