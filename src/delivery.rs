//! Delivery: the primary chat first, then the backups, until one has the post or the time is up.
//!
//! What became of a post is one of: posted, given up (every chat refuses the message itself), or
//! failed, and then PagerDuty is asked to send the event again.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::domain::message::{Destination, FailedChat, Message, News};
use crate::domain::roster::ChatName;
use crate::domain::words::Language;
use crate::edge::chat::{Chat, Fate, Post, PostError, Posted, Thread};

/// Kept back for every backup behind the chat that is being tried.
const KEPT_PER_BACKUP: Duration = Duration::from_millis(800);
/// The pause before trying a chat again that names none.
const PAUSE: Duration = Duration::from_millis(200);
/// No chat that will still answer takes longer than this, and a reminder has time for the backups.
const LONGEST_TRY: Duration = Duration::from_secs(8);
/// With less time than this a post is not worth trying.
const SHORTEST_TRY: Duration = Duration::from_millis(150);

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// A chat has it.
    Posted {
        /// Which.
        chat: ChatName,
        /// The text that it has.
        text: String,
        /// Where later posts of the incident can be threaded.
        thread: Option<Thread>,
        /// Whether it is a backup.
        failed_over: bool,
    },
    /// Every chat refuses the message itself: sending it again won't help.
    GivenUp,
    /// No chat took it.
    Failed {
        /// One may have taken it all the same.
        in_doubt: bool,
    },
}

/// Posts a message to the first chat that takes it. `thread` is the incident's thread on Slack.
pub async fn deliver(
    chats: &[Chat],
    news: News<'_>,
    thread: Option<&Thread>,
    language: Language,
    deadline: Instant,
) -> Delivered {
    let (mut all_refused_the_message, mut in_doubt) = (true, false);
    let mut failed = None;
    for (index, chat) in chats.iter().enumerate() {
        let backups = u32::try_from(chats.len() - index - 1).unwrap_or(u32::MAX);
        let deadline = deadline.checked_sub(KEPT_PER_BACKUP * backups).unwrap_or(deadline);
        let destination = Destination { chat: chat.name(), instead_of: failed, again: false };
        let started = Instant::now();
        let result = Attempts { chat, news, destination, language, deadline }.run(thread).await;
        log(news, chat.name(), &result, started.elapsed());
        match result {
            Ok((text, Posted { thread })) => {
                return Delivered::Posted { chat: chat.name(), text, thread, failed_over: index > 0 };
            }
            Err(error) => {
                all_refused_the_message &= error.fate == Fate::MessageRefused;
                let unconfirmed = error.fate.is_in_doubt();
                in_doubt |= unconfirmed;
                failed.get_or_insert(FailedChat { chat: chat.name(), in_doubt: unconfirmed });
            }
        }
    }
    if all_refused_the_message { Delivered::GivenUp } else { Delivered::Failed { in_doubt } }
}

/// The attempts to post one message on one chat.
struct Attempts<'a> {
    chat: &'a Chat,
    news: News<'a>,
    destination: Destination,
    language: Language,
    deadline: Instant,
}

impl Attempts<'_> {
    /// The text that the chat has in the end, and where.
    async fn run(&self, thread: Option<&Thread>) -> Result<(String, Posted), PostError> {
        let mut text = self.chat.render(&Message::whole(self.news, self.destination, self.language));
        let (mut thread, mut repeated, mut is_bare) = (thread, false, false);
        let mut destination = self.destination;
        loop {
            let within = self.deadline.saturating_duration_since(Instant::now()).min(LONGEST_TRY);
            if within < SHORTEST_TRY {
                return Err(PostError::not_asked("no time left"));
            }
            let broadcast = self.news.is_loud();
            let error = match self.chat.post(Post { text: &text, thread, broadcast, within }).await {
                Ok(posted) => return Ok((text, posted)),
                Err(error) => error,
            };
            destination.again |= error.fate.is_in_doubt();
            match error.fate {
                Fate::Unavailable { retry_after, .. } if !repeated && self.can_wait(retry_after) => {
                    repeated = true;
                    sleep(retry_after.unwrap_or(PAUSE)).await;
                }
                Fate::Broken { reused_connection: true } if !repeated => repeated = true,
                Fate::MessageRefused if !is_bare => {
                    is_bare = true;
                }
                Fate::ThreadRefused if thread.is_some() => thread = None,
                _ => return Err(error),
            }
            let message = if is_bare { Message::minimum } else { Message::whole };
            text = self.chat.render(&message(self.news, destination, self.language));
        }
    }

    fn can_wait(&self, retry_after: Option<Duration>) -> bool {
        let needed = retry_after.unwrap_or(PAUSE).saturating_add(SHORTEST_TRY);
        self.deadline.saturating_duration_since(Instant::now()) > needed
    }
}

/// The one line of a delivery. It names no people and quotes nobody.
fn log(news: News<'_>, chat: ChatName, result: &Result<(String, Posted), PostError>, took: Duration) {
    let (event_id, incident, kind) = match news {
        News::Alert(notice) => (notice.event.id.as_deref(), notice.event.incident.tag(), notice.event.kind.name()),
        News::Reminder(reminder) => (None, None, reminder.shift.key()),
    };
    let incident = incident.map(|tag| tag.to_string());
    let chat = chat.key();
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok(_) => {
            tracing::info!(event = "delivery", event_id, incident, kind, chat, outcome = "posted", milliseconds);
        }
        Err(PostError { fate: Fate::NotAsked, detail, .. }) => {
            tracing::warn!(event = "delivery", event_id, incident, kind, chat, outcome = "not_asked", detail);
        }
        Err(PostError { fate, detail, remedy }) => {
            let (outcome, what) = explain(*fate);
            let advice = if remedy.is_empty() { what.to_owned() } else { format!("{what}; {remedy}") };
            tracing::error!(
                event = "delivery",
                event_id,
                incident,
                kind,
                chat,
                outcome,
                detail,
                milliseconds,
                "{advice}"
            );
        }
    }
}

fn explain(fate: Fate) -> (&'static str, &'static str) {
    match fate {
        Fate::NotAsked | Fate::Unavailable { .. } => ("unavailable", "the chat is out of order or too busy"),
        Fate::Broken { .. } | Fate::Unknown => {
            ("unknown", "the chat may or may not have the post; look there before sending it again")
        }
        Fate::MessageRefused | Fate::ThreadRefused => {
            ("message_refused", "the chat refuses this message, even at its barest")
        }
        Fate::WeAreRefused => ("refused", "the chat refuses us"),
    }
}
