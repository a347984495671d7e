//! Claims what is to be posted, words and posts it on the first chat that takes it, and settles the claim. Between claim
//! and post the use case finds out about people and day.
//!
//! The first message of an incident shows the state that it is in now. It is brought up to date after the posts of a
//! webhook, in the time that is left.
//!
//! What becomes of a post is one of: posted; given up, because every chat refuses the message itself; or failed, and
//! the caller has to send it again.

mod attempts;
mod update;

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tokio::time::Instant;

use crate::budget::{Budget, PER_BACKUP};
use crate::clock::Invocation;
use crate::config::TeamConfig;
use crate::domain::chat::ChatName;
use crate::domain::chat::FailedChat;
use crate::domain::message::{Destination, Message, Subject};
use crate::domain::reminder::ReminderKind;
use crate::domain::wording::Language;
use crate::edge::chat::{Chat, PostError, PostFailure, Thread};
use crate::edge::http::HttpClient;
use crate::edge::ledger::{Claim, IdempotencyKey, IncidentFacts, Lease, Ledger};
use crate::log_events;
use attempts::{Attempts, Written};
use update::Behind;
pub use update::{Update, Updates};

/// The chats, in order, and the ledger that keeps a message from being posted twice.
#[derive(Debug)]
pub struct Dispatcher {
    chats: Vec<Chat>,
    ledger: Ledger,
    language: Language,
    zone: Tz,
    budget: Budget,
    has_buttons: bool,
    behind: Behind,
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

    /// Whether nobody has tried to post anything of the incident before.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.claim.as_ref().is_some_and(|(_, lease)| lease.is_first())
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPermitted {
    /// A chat has it. The incident's first message may be behind.
    AlreadyPosted(Option<Box<Update>>),
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
        /// The first message that is behind the incident's state by now.
        update: Option<Box<Update>>,
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
            zone: team.calendar.local(DateTime::UNIX_EPOCH).timezone(),
            budget,
            has_buttons: false,
            behind: Behind::default(),
        }
    }

    /// The same with buttons under the first messages of incidents, if there is something that answers their presses.
    #[must_use]
    pub fn with_buttons(self, has_buttons: bool) -> Self {
        Self { has_buttons, ..self }
    }

    /// What else the ledger remembers.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Opens a connection to the primary chat for a post that is to come, while something else is waited for.
    pub fn open_ahead(&self) {
        if let Some(chat) = self.chats.first() {
            chat.open_ahead();
        }
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
        let claim = self.ledger.claim_by(&key, number, invocation).await;
        permit(key, claim)
    }

    /// The same for the message about a storm, which is no reason to wait for another process. Messages about earlier
    /// storms are no thread of its.
    ///
    /// # Errors
    /// If it is posted, or being posted, by now.
    pub async fn claim_storm(&self, over: u64, invocation: Invocation) -> Result<Permit, NotPermitted> {
        let key = IdempotencyKey::of_storm(invocation.now(), over);
        let claim = self.ledger.claim(&key, None, invocation.now()).await;
        permit(key, claim).map(|permit| permit.about(IncidentFacts::default()))
    }

    /// Gives the right back unused.
    pub async fn withdraw(&self, permit: Permit, now: DateTime<Utc>) {
        if let Some((key, lease)) = permit.claim {
            self.ledger.release(&key, &lease, lease.in_doubt, now).await;
        }
    }

    /// Posts to the first chat that takes it, and settles the claim.
    pub async fn post(&self, permit: Permit, subject: Subject<'_>, invocation: Invocation) -> Delivery {
        let known = permit.facts();
        let deadline = invocation.deadline() - self.budget.settle;
        let outcome = self.deliver(subject, known.thread.as_ref(), deadline).await;
        match outcome {
            Ok(Taken { chat, written, thread, failed_over }) => {
                let text = written.text.clone();
                let before = known.thread.clone();
                let (facts, mut update) = learnt(subject, known, written, thread);
                if let Some((key, lease)) = &permit.claim
                    && !self.ledger.mark_posted(key, lease, chat, &facts, invocation.now()).await
                {
                    // Whoever knows the newer state shows it, but not on a message that only this attempt knows of.
                    let extra = facts.thread.filter(|thread| before.as_ref() != Some(thread));
                    update = self.newest_on(extra, subject, invocation).await;
                }
                Delivery::Posted { chat, text, update: update.map(Box::new), failed_over }
            }
            Err(NotTaken { all_refused_the_message, in_doubt }) => {
                if let Some((key, lease)) = &permit.claim {
                    self.ledger.release(key, lease, lease.in_doubt || in_doubt, invocation.now()).await;
                }
                if all_refused_the_message { Delivery::GivenUp { in_doubt } } else { Delivery::Failed { in_doubt } }
            }
        }
    }

    /// A message that was begun while another process knew a newer state, which it is to show.
    async fn newest_on(&self, extra: Option<Thread>, subject: Subject<'_>, invocation: Invocation) -> Option<Update> {
        let (Some(message), Subject::Alert(alert)) = (extra, subject) else { return None };
        let known = self.ledger.incident(alert.event.incident.id.as_ref()?, invocation.now()).await;
        known.first.map(|first| Update { message, first })
    }

    /// The text that the primary chat would have, if it took the message.
    #[must_use]
    pub fn preview(&self, subject: Subject<'_>) -> String {
        self.chats.first().map_or_else(String::new, |chat| {
            let destination = Destination { chat: chat.name(), instead_of: None, in_doubt: false };
            chat.render(&Message::whole(subject, destination, self.language))
        })
    }

    async fn deliver(
        &self,
        subject: Subject<'_>,
        thread: Option<&Thread>,
        deadline: Instant,
    ) -> Result<Taken, NotTaken> {
        let (mut all_refused_the_message, mut in_doubt) = (true, false);
        let mut failed = None;
        for (index, chat) in self.chats.iter().enumerate() {
            let backups = u32::try_from(self.chats.len() - index - 1).unwrap_or(u32::MAX);
            let deadline = deadline.checked_sub(PER_BACKUP * backups).unwrap_or(deadline);
            let destination = Destination { chat: chat.name(), instead_of: failed, in_doubt: false };
            let started = Instant::now();
            let (language, zone) = (self.language, self.zone);
            let has_buttons = self.has_buttons;
            let attempts = Attempts { chat, subject, destination, language, zone, has_buttons, deadline };
            let (result, chat_in_doubt) = attempts.run(thread.filter(|thread| chat.has(thread))).await;
            log(subject, chat.name(), result.as_ref().map(|_| ()), started.elapsed());
            match result {
                Ok((written, posted)) => {
                    let thread = posted.thread;
                    return Ok(Taken { chat: chat.name(), written, thread, failed_over: index > 0 });
                }
                Err(error) => {
                    all_refused_the_message &= error.failure == PostFailure::MessageRefused;
                    in_doubt |= chat_in_doubt;
                    failed.get_or_insert(FailedChat { chat: chat.name(), in_doubt: chat_in_doubt });
                }
            }
        }
        Err(NotTaken { all_refused_the_message, in_doubt })
    }
}

fn permit(key: IdempotencyKey, claim: Claim) -> Result<Permit, NotPermitted> {
    match claim {
        Claim::Granted(lease) => Ok(Permit { facts: lease.facts.clone(), claim: Some((key, lease)) }),
        Claim::AlreadyPosted(chat, IncidentFacts { thread, first, .. }) => {
            tracing::info!(event = log_events::DUPLICATE, key = %key, chat = chat.key(), "already posted");
            let update = thread.zip(first).map(|(message, first)| Box::new(Update { message, first }));
            Err(NotPermitted::AlreadyPosted(update))
        }
        Claim::InProgress => {
            tracing::warn!(event = log_events::IN_PROGRESS, key = %key, "another instance still holds the claim");
            Err(NotPermitted::InProgress)
        }
    }
}

/// A post that a chat has.
struct Taken {
    chat: ChatName,
    written: Written,
    thread: Option<Thread>,
    failed_over: bool,
}

/// A message that no chat has confirmed.
struct NotTaken {
    all_refused_the_message: bool,
    in_doubt: bool,
}

/// What a post has taught of its incident, and which first message is behind now.
fn learnt(
    subject: Subject<'_>,
    known: IncidentFacts,
    written: Written,
    thread: Option<Thread>,
) -> (IncidentFacts, Option<Update>) {
    let number = subject.incident_number().or(known.number);
    // Its record is its own, not the incident's.
    if matches!(subject, Subject::Notice(_)) {
        return (IncidentFacts::default(), None);
    }
    if let Subject::Storm(storm) = subject {
        return (IncidentFacts { number: Some(storm.before), thread, ..IncidentFacts::default() }, None);
    }
    let Subject::Alert(alert) = subject else {
        return (IncidentFacts { number, thread, first: None, pressed: Vec::new() }, None);
    };
    let later = known.first.unwrap_or_default().at(&alert.standing);
    let Written { first: begun, is_reply, .. } = written;
    match (thread, begun) {
        (Some(message), Some(begun)) if known.thread.as_ref() != Some(&message) => {
            let update = if is_reply {
                // It was not threaded, and is now what the channel has of the incident.
                Some(Update { message: message.clone(), first: begun.clone() })
            } else {
                // Where the incident was shown before, in another channel, it is shown as it is for the last time.
                let before = known.thread.filter(|before| before.channel != message.channel);
                before.map(|message| Update { message, first: later })
            };
            (IncidentFacts { number, thread: Some(message), first: Some(begun), pressed: Vec::new() }, update)
        }
        _ => {
            let update = known.thread.clone().map(|message| Update { message, first: later.clone() });
            (IncidentFacts { number, thread: known.thread, first: Some(later), pressed: Vec::new() }, update)
        }
    }
}

/// One line for each chat that was tried. It names no people and quotes nobody.
fn log(subject: Subject<'_>, chat: ChatName, result: Result<(), &PostError>, took: Duration) {
    let (event_id, incident, kind) = match subject {
        Subject::Alert(alert) => (alert.event.id.as_deref(), alert.event.incident.tag(), alert.event.kind.name()),
        Subject::Reminder(reminder) => (None, None, reminder.kind.key()),
        Subject::Notice(notice) => (None, notice.incident.tag(), "notice"),
        Subject::Week(_) => (None, None, ReminderKind::Week.key()),
        Subject::Storm(_) => (None, None, "storm"),
    };
    let incident = incident.map(|tag| tag.to_string());
    let chat = chat.key();
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok(()) => {
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
