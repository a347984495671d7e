//! The ends of every post: `claim` before, `post` and settle after, once, on the first chat that takes it. What is
//! between is the use case's: people, day, words.
//!
//! What becomes of a post is one of: posted; given up, because every chat refuses the message itself; or failed, and
//! the caller has to send it again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep};

use crate::budget::{Budget, MAX_TRY, MIN_TRY, PAUSE, PER_BACKUP};
use crate::clock::Invocation;
use crate::config::TeamConfig;
use crate::domain::chat::ChatName;
use crate::domain::chat::FailedChat;
use crate::domain::message::{Destination, Message, Subject};
use crate::domain::reminder::ReminderKind;
use crate::domain::wording::Language;
use crate::edge::chat::{Chat, Post, PostError, PostFailure, Posted, Thread};
use crate::edge::http::HttpClient;
use crate::edge::ledger::{Claim, IdempotencyKey, IncidentFacts, Lease, Ledger};
use crate::log_events;

/// The chats, in order, and the ledger that keeps a message from being posted twice.
#[derive(Debug)]
pub struct Dispatcher {
    chats: Vec<Chat>,
    ledger: Ledger,
    language: Language,
    budget: Budget,
}

/// The right to post something once.
#[derive(Debug)]
pub struct Permit {
    /// None for what carries no id, which can't be told from others.
    claim: Option<(IdempotencyKey, Lease)>,
    /// What is known of the incident.
    facts: IncidentFacts,
}

impl Permit {
    /// Whether an earlier attempt may have posted it already.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.claim.as_ref().is_some_and(|(_, lease)| lease.in_doubt)
    }

    /// What is known of the incident.
    #[must_use]
    pub fn facts(&self) -> IncidentFacts {
        self.facts.clone()
    }

    /// The right to post the same, which belongs to an incident of which this is known.
    #[must_use]
    pub fn about(self, facts: IncidentFacts) -> Self {
        Self { facts, ..self }
    }
}

/// Why there is nothing to post now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPermitted {
    /// A chat has it.
    AlreadyPosted,
    /// Another process is posting it, and there was no time to see how that ends.
    InProgress,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
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
    GivenUp {
        /// One may have taken it before it refused.
        in_doubt: bool,
    },
    /// No chat took it.
    Failed {
        /// One may have taken it all the same.
        in_doubt: bool,
    },
}

impl Dispatcher {
    /// The team's chats and ledger; nothing is called yet.
    #[must_use]
    pub fn new(team: &TeamConfig, budget: Budget, http: &HttpClient) -> Self {
        Self {
            chats: team.chats.iter().map(|chat| Chat::new(chat, http.clone())).collect(),
            ledger: Ledger::new(team.ledger.as_ref(), budget, http),
            language: team.language,
            budget,
        }
    }

    /// What else the ledger remembers.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Asks for the right to post, and waits for a process that has it as long as there is time.
    ///
    /// # Errors
    /// If it is posted, or being posted, by now.
    pub async fn claim(
        &self,
        key: Option<IdempotencyKey>,
        number: Option<u64>,
        invocation: Invocation,
    ) -> Result<Permit, NotPermitted> {
        let Some(key) = key else { return Ok(Permit { claim: None, facts: IncidentFacts::default() }) };
        match self.ledger.claim_by(&key, number, invocation).await {
            Claim::Granted(lease) => Ok(Permit { facts: lease.facts.clone(), claim: Some((key, lease)) }),
            Claim::AlreadyPosted(chat) => {
                tracing::info!(event = log_events::DUPLICATE, key = %key, chat = chat.key(), "already posted");
                Err(NotPermitted::AlreadyPosted)
            }
            Claim::InProgress => {
                tracing::warn!(event = log_events::IN_PROGRESS, key = %key, "another instance still holds the claim");
                Err(NotPermitted::InProgress)
            }
        }
    }

    /// Gives the right back unused.
    pub async fn withdraw(&self, permit: Permit, now: DateTime<Utc>) {
        if let Some((key, lease)) = permit.claim {
            self.ledger.release(&key, &lease, lease.in_doubt, now).await;
        }
    }

    /// Posts to the first chat that takes it, and settles the claim.
    pub async fn post(&self, permit: Permit, subject: Subject<'_>, invocation: Invocation) -> Delivery {
        let facts = permit.facts();
        let deadline = invocation.deadline() - self.budget.settle;
        let delivery = self.deliver(subject, facts.thread.as_ref(), deadline).await;
        if let Some((key, lease)) = permit.claim {
            let now = invocation.now();
            match &delivery {
                Delivery::Posted { chat, thread, .. } => {
                    let facts = match subject {
                        // Its record is its own, not the incident's.
                        Subject::Notice(_) => IncidentFacts::default(),
                        _ => IncidentFacts { number: subject.incident_number(), thread: thread.clone() }.or(facts),
                    };
                    self.ledger.mark_posted(&key, &lease, *chat, &facts, now).await;
                }
                Delivery::GivenUp { in_doubt } | Delivery::Failed { in_doubt } => {
                    self.ledger.release(&key, &lease, lease.in_doubt || *in_doubt, now).await;
                }
            }
        }
        delivery
    }

    /// The text that the primary chat would have, if it took the message.
    #[must_use]
    pub fn preview(&self, subject: Subject<'_>) -> String {
        self.chats.first().map_or_else(String::new, |chat| {
            let destination = Destination { chat: chat.name(), instead_of: None, again: false };
            chat.render(&Message::whole(subject, destination, self.language))
        })
    }

    async fn deliver(&self, subject: Subject<'_>, thread: Option<&Thread>, deadline: Instant) -> Delivery {
        let (mut all_refused_the_message, mut in_doubt) = (true, false);
        let mut failed = None;
        for (index, chat) in self.chats.iter().enumerate() {
            let backups = u32::try_from(self.chats.len() - index - 1).unwrap_or(u32::MAX);
            let deadline = deadline.checked_sub(PER_BACKUP * backups).unwrap_or(deadline);
            let destination = Destination { chat: chat.name(), instead_of: failed, again: false };
            let started = Instant::now();
            let attempts = Attempts { chat, subject, destination, language: self.language, deadline };
            let (result, unconfirmed) = attempts.run(thread).await;
            log(subject, chat.name(), &result, started.elapsed());
            match result {
                Ok((text, Posted { thread })) => {
                    return Delivery::Posted { chat: chat.name(), text, thread, failed_over: index > 0 };
                }
                Err(error) => {
                    all_refused_the_message &= error.failure == PostFailure::MessageRefused;
                    in_doubt |= unconfirmed;
                    failed.get_or_insert(FailedChat { chat: chat.name(), in_doubt: unconfirmed });
                }
            }
        }
        if all_refused_the_message { Delivery::GivenUp { in_doubt } } else { Delivery::Failed { in_doubt } }
    }
}

/// The attempts to post one message on one chat.
struct Attempts<'a> {
    chat: &'a Chat,
    subject: Subject<'a>,
    destination: Destination,
    language: Language,
    deadline: Instant,
}

impl Attempts<'_> {
    /// The text that the chat has in the end, and where; and whether any of the attempts may have left a post that
    /// nobody has confirmed, however the last one ended.
    async fn run(&self, thread: Option<&Thread>) -> (Result<(String, Posted), PostError>, bool) {
        let mut text = self.chat.render(&Message::whole(self.subject, self.destination, self.language));
        let (mut thread, mut repeated, mut is_bare) = (thread, false, false);
        let mut destination = self.destination;
        loop {
            let within = self.deadline.saturating_duration_since(Instant::now()).min(MAX_TRY);
            if within < MIN_TRY {
                return (Err(PostError::not_attempted("no time left")), destination.again);
            }
            let broadcast = self.subject.is_broadcast();
            let error = match self.chat.post(Post { text: &text, thread, broadcast, within }).await {
                Ok(posted) => return (Ok((text, posted)), destination.again),
                Err(error) => error,
            };
            destination.again |= error.failure.is_in_doubt();
            match error.failure {
                PostFailure::Unavailable { retry_after, .. } if !repeated && self.can_wait(retry_after) => {
                    repeated = true;
                    sleep(retry_after.unwrap_or(PAUSE)).await;
                }
                PostFailure::Broken { reused_connection: true } if !repeated => repeated = true,
                PostFailure::MessageRefused if !is_bare => {
                    is_bare = true;
                }
                PostFailure::ThreadRefused if thread.is_some() => thread = None,
                _ => return (Err(error), destination.again),
            }
            let message = if is_bare { Message::minimum } else { Message::whole };
            text = self.chat.render(&message(self.subject, destination, self.language));
        }
    }

    fn can_wait(&self, retry_after: Option<Duration>) -> bool {
        let needed = retry_after.unwrap_or(PAUSE).saturating_add(MIN_TRY);
        self.deadline.saturating_duration_since(Instant::now()) > needed
    }
}

/// The one line of a delivery. It names no people and quotes nobody.
fn log(subject: Subject<'_>, chat: ChatName, result: &Result<(String, Posted), PostError>, took: Duration) {
    let (event_id, incident, kind) = match subject {
        Subject::Alert(alert) => (alert.event.id.as_deref(), alert.event.incident.tag(), alert.event.kind.name()),
        Subject::Reminder(reminder) => (None, None, reminder.kind.key()),
        Subject::Notice(notice) => (None, notice.incident.tag(), "notice"),
        Subject::Week(_) => (None, None, ReminderKind::Week.key()),
    };
    let incident = incident.map(|tag| tag.to_string());
    let chat = chat.key();
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok(_) => {
            tracing::info!(
                event = log_events::DELIVERY,
                event_id,
                incident,
                kind,
                chat,
                outcome = "posted",
                milliseconds
            );
        }
        Err(PostError { failure, detail, remedy }) => {
            let Some((outcome, what)) = explain(*failure) else {
                tracing::warn!(
                    event = log_events::DELIVERY,
                    event_id,
                    incident,
                    kind,
                    chat,
                    outcome = "not_attempted",
                    detail
                );
                return;
            };
            let advice = if remedy.is_empty() { what.to_owned() } else { format!("{what}; {remedy}") };
            tracing::error!(
                event = log_events::DELIVERY,
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

/// What became of an attempt, if there was one.
fn explain(failure: PostFailure) -> Option<(&'static str, &'static str)> {
    Some(match failure {
        PostFailure::NotAttempted => return None,
        PostFailure::Unavailable { .. } => ("unavailable", "the chat is down or too busy"),
        PostFailure::Broken { .. } | PostFailure::Unknown => {
            ("unknown", "the chat may or may not have the post; look there before sending it again")
        }
        PostFailure::MessageRefused | PostFailure::ThreadRefused => {
            ("message_refused", "the chat refuses this message, even at its barest")
        }
        PostFailure::Rejected => ("refused", "the chat refuses us"),
    })
}
