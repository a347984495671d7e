//! The attempts to post one message on one chat, until it has it or there is no point in another one.

use std::time::Duration;

use chrono_tz::Tz;
use tokio::time::{Instant, sleep};

use crate::budget::{MAX_TRY, MIN_TRY, PAUSE};
use crate::domain::event::Kind;
use crate::domain::message::{Card, Destination, FirstMessage, Message, Subject};
use crate::domain::wording::Language;
use crate::edge::chat::{Chat, Post, PostError, PostFailure, Posted, Thread};

/// The attempts to post one message on one chat.
pub(super) struct Attempts<'a> {
    pub(super) chat: &'a Chat,
    pub(super) subject: Subject<'a>,
    pub(super) destination: Destination,
    pub(super) language: Language,
    pub(super) zone: Tz,
    pub(super) has_buttons: bool,
    pub(super) deadline: Instant,
}

/// A message as a chat has it.
pub(super) struct Written {
    pub(super) text: String,
    /// How it is laid out.
    card: Option<Card>,
    /// The first message of an incident that it is, or is to become if Slack doesn't thread it.
    pub(super) first: Option<FirstMessage>,
    /// Whether it is a reply in a thread.
    pub(super) is_reply: bool,
}

impl Attempts<'_> {
    /// What the chat has in the end, and where; and whether any of the attempts may have left a post that nobody has
    /// confirmed, however the last one ended.
    pub(super) async fn run(&self, thread: Option<&Thread>) -> (Result<(Written, Posted), PostError>, bool) {
        let (mut thread, mut repeated, mut is_bare) = (thread, false, false);
        let mut destination = self.destination;
        loop {
            let within = self.deadline.saturating_duration_since(Instant::now()).min(MAX_TRY);
            if within < MIN_TRY {
                return (Err(PostError::not_attempted("no time left")), destination.in_doubt);
            }
            let written = self.written(thread.is_some(), is_bare, destination);
            let broadcast = self.subject.is_broadcast();
            let Written { text, card, .. } = &written;
            let error = match self.chat.post(Post { text, card: card.as_ref(), thread, broadcast, within }).await {
                Ok(posted) => return (Ok((written, posted)), destination.in_doubt),
                Err(error) => error,
            };
            destination.in_doubt |= error.failure.is_in_doubt();
            match error.failure {
                PostFailure::Unavailable { retry_after, .. } if !repeated && self.can_wait(retry_after) => {
                    repeated = true;
                    sleep(retry_after.unwrap_or(PAUSE)).await;
                }
                PostFailure::Broken { reused_connection: true } if !repeated => repeated = true,
                PostFailure::MessageRefused if !is_bare => is_bare = true,
                PostFailure::ThreadRefused if thread.is_some() => thread = None,
                _ => return (Err(error), destination.in_doubt),
            }
        }
    }

    fn written(&self, in_thread: bool, is_bare: bool, destination: Destination) -> Written {
        let (subject, language) = (self.subject, self.language);
        let plain = |message: &Message, first| Written {
            text: self.chat.render(message),
            card: None,
            first,
            is_reply: in_thread,
        };
        let alert = match subject {
            Subject::Alert(alert) if self.chat.has_threads() && alert.event.is_about_an_incident() => alert,
            _ if is_bare => return plain(&Message::minimum(subject, destination, language), None),
            _ => return plain(&Message::whole(subject, destination, language), None),
        };
        let first = FirstMessage::begin(alert, destination, language);
        if is_bare {
            return plain(&Message::minimum(subject, destination, language), Some(first));
        }
        match alert.event.kind {
            _ if in_thread => plain(&Message::reply(alert, destination, language), Some(first)),
            Kind::Unknown { .. } | Kind::Unreadable => {
                plain(&Message::whole(subject, destination, language), Some(first))
            }
            _ => {
                let mut card = first.card(language, self.zone);
                card.buttons = if self.has_buttons { first.buttons(language) } else { Vec::new() };
                let text = self.chat.render(&card.text());
                Written { text, card: Some(card), first: Some(first), is_reply: false }
            }
        }
    }

    fn can_wait(&self, retry_after: Option<Duration>) -> bool {
        let needed = retry_after.unwrap_or(PAUSE).saturating_add(MIN_TRY);
        self.deadline.saturating_duration_since(Instant::now()) > needed
    }
}
