//! What is remembered under one key: a number, a thread, and what became of each event.
//!
//! Pure rules, which the memory of a process applies itself and DynamoDB by conditions.

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{IdempotencyKey, Storms};
use crate::budget::{POSTED_FOR, PRESS_KNOWN_FOR, RECORD_FOR};
use crate::domain::acting::Pressed;
use crate::domain::chat::ChatName;
use crate::domain::message::FirstMessage;
use crate::edge::chat::Thread;

/// What is known of an incident besides its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentFacts {
    /// Its number.
    pub number: Option<u64>,
    /// Its thread on Slack, which is where its first message is.
    pub thread: Option<Thread>,
    /// How it stands, and what its first message shows.
    pub first: Option<FirstMessage>,
    /// Each person's last press of each action, the newest first.
    pub pressed: Vec<Pressed>,
}

impl IncidentFacts {
    /// This, and where it has gaps, the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let is_newer = self.order() >= other.order();
        Self {
            number: self.number.or(other.number),
            thread: self.thread.or(other.thread),
            first: if is_newer { self.first.or(other.first) } else { other.first.or(self.first) },
            pressed: other.pressed.into_iter().fold(self.pressed, keep_last),
        }
    }

    /// The order of the state; what is not known comes first.
    pub(super) fn order(&self) -> i64 {
        self.first.as_ref().map_or(i64::MIN, |first| first.standing.order())
    }
}

/// Presses that are known of an incident at most; an older one has been told of by then.
const MAX_PRESSES: usize = 30;

/// Presses with one more; of each person and action the last one counts.
pub(super) fn keep_last(mut presses: Vec<Pressed>, other: Pressed) -> Vec<Pressed> {
    let is_same = |pressed: &&mut Pressed| pressed.action == other.action && pressed.presser.id == other.presser.id;
    match presses.iter_mut().find(is_same) {
        // Without the user as whom it was carried out, no event can be known to tell of it.
        Some(known) if known.agent.is_none() && other.agent.is_some() => *known = other,
        Some(known) if known.at >= other.at => {}
        Some(known) => *known = other,
        None => presses.push(other),
    }
    presses.sort_by_key(|pressed| Reverse(pressed.at));
    presses.truncate(MAX_PRESSES);
    presses
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The chat that has it; none if somebody is posting it, or died over it.
    pub(super) posted: Option<ChatName>,
    /// When a posted entry is forgotten, or an unfinished claim counts as abandoned.
    pub(super) until: DateTime<Utc>,
}

impl Entry {
    pub(super) fn claimed(key: &IdempotencyKey, now: DateTime<Utc>) -> Self {
        Self { posted: None, until: now + key.lease_time }
    }

    /// What an attempt leaves behind that doesn't know whether its post has arrived.
    pub(super) fn in_doubt(now: DateTime<Utc>) -> Self {
        Self { posted: None, until: now }
    }

    pub(super) fn posted(chat: ChatName, now: DateTime<Utc>) -> Self {
        Self { posted: Some(chat), until: now + POSTED_FOR }
    }
}

/// The answer to an attempt that wants to post an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Go ahead.
    Granted(Lease),
    /// It is posted; and what is known of the incident.
    AlreadyPosted(ChatName, IncidentFacts),
    /// Somebody else is posting it.
    InProgress,
}

impl Claim {
    /// The same; if it is granted to what carries a number, and another one was known, the number is to be told.
    pub(super) fn teaching(self, carried: Option<u64>, known: Option<u64>) -> Self {
        match self {
            Self::Granted(lease) => {
                let teaches = carried.filter(|_| carried != known || lease.in_doubt);
                Self::Granted(Lease { teaches, ..lease })
            }
            decided => decided,
        }
    }
}

/// The right to post an event, for some seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Somebody else went ahead before and never wrote down how it ended: the event may be posted already.
    pub in_doubt: bool,
    /// What is known of the incident.
    pub facts: IncidentFacts,
    /// The incident's number, if nobody has been told it yet, or perhaps not: it must lead to the incident.
    pub(super) teaches: Option<u64>,
    /// When the right ends; tells this claim from a later one.
    pub(super) until: DateTime<Utc>,
    /// Whether the record had been left over by DynamoDB past its time, with things on it that are to go.
    pub(super) is_leftover: bool,
}

impl Lease {
    /// Whether the incident's number was news, so that nobody has tried to post anything of it before.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.teaches.is_some() && !self.in_doubt
    }
}

/// Whether an event with this entry may be posted now.
pub(super) fn decide(entry: Option<Entry>, facts: IncidentFacts, key: &IdempotencyKey, now: DateTime<Utc>) -> Claim {
    match entry {
        Some(Entry { posted: Some(chat), until }) if until > now => Claim::AlreadyPosted(chat, facts),
        Some(Entry { posted: None, until }) if until > now => Claim::InProgress,
        old => {
            let in_doubt = old.is_some_and(|entry| entry.posted.is_none());
            let until = Entry::claimed(key, now).until;
            Claim::Granted(Lease { in_doubt, facts, teaches: None, until, is_leftover: false })
        }
    }
}

/// All that is remembered under one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) facts: IncidentFacts,
    pub(super) entries: HashMap<String, Entry>,
    /// Presses that were carried out, or are being, and since when.
    pub(super) presses: HashMap<String, DateTime<Utc>>,
    /// Until when one is being carried out.
    pub(super) pressing: Option<DateTime<Utc>>,
    /// New incidents and storms, where the record is a day's.
    pub(super) storms: Storms,
    pub(super) expires: DateTime<Utc>,
}

impl Record {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        Self {
            facts: IncidentFacts::default(),
            entries: HashMap::new(),
            presses: HashMap::new(),
            pressing: None,
            storms: Storms::default(),
            expires: now + RECORD_FOR,
        }
    }

    /// Forgets posts and presses that are past their time. What is in doubt stays in doubt as long as the record.
    pub(super) fn forget(&mut self, now: DateTime<Utc>) {
        self.presses.retain(|_, at| now - *at <= PRESS_KNOWN_FOR);
        self.entries.retain(|_, entry| entry.posted.is_none() || entry.until > now);
    }
}
