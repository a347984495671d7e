//! What is remembered under one key: a number, a thread, and what became of each event.
//!
//! Pure rules, which the memory of a process applies itself and DynamoDB by conditions.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::Matter;
use crate::domain::roster::ChatName;
use crate::edge::chat::Thread;

/// `PagerDuty` sends an event again for 48 hours; a day more leaves no gap.
pub(super) const POSTED_FOR: TimeDelta = TimeDelta::hours(72);
/// Counted from an incident's last event.
pub(super) const PAGE_FOR: TimeDelta = TimeDelta::days(30);
/// What is known of an incident besides its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Its number.
    pub number: Option<u64>,
    /// Its thread on Slack.
    pub thread: Option<Thread>,
}

impl Known {
    /// This, and where it has gaps, the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { number: self.number.or(other.number), thread: self.thread.or(other.thread) }
    }
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The chat that has it; none if somebody is posting it, or died over it.
    pub(super) posted: Option<ChatName>,
    /// From then on, it is as if nobody had ever posted it, or as if whoever is posting it had died.
    pub(super) until: DateTime<Utc>,
}

impl Entry {
    pub(super) fn claimed(matter: &Matter, now: DateTime<Utc>) -> Self {
        Self { posted: None, until: now + matter.claim_lives }
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
    Granted(Grant),
    /// It is posted.
    Posted(ChatName),
    /// Somebody else is posting it.
    Taken,
}

/// The right to post an event, for some seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Somebody else went ahead before and never told how it ended: the event may be posted already.
    pub in_doubt: bool,
    /// What is known of the incident.
    pub known: Known,
    /// When the right ends; tells this claim from a later one.
    pub(super) until: DateTime<Utc>,
    /// Whether the page had been left over by DynamoDB past its time, with things on it that are to go.
    pub(super) is_leftover: bool,
}

/// Whether an event with this entry may be posted now.
pub(super) fn judge(entry: Option<Entry>, known: Known, matter: &Matter, now: DateTime<Utc>) -> Claim {
    match entry {
        Some(Entry { posted: Some(chat), until }) if until > now => Claim::Posted(chat),
        Some(Entry { posted: None, until }) if until > now => Claim::Taken,
        old => {
            let in_doubt = old.is_some_and(|entry| entry.posted.is_none());
            let until = Entry::claimed(matter, now).until;
            Claim::Granted(Grant { in_doubt, known, until, is_leftover: false })
        }
    }
}

/// All that is remembered under one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) known: Known,
    pub(super) entries: HashMap<String, Entry>,
    pub(super) expires: DateTime<Utc>,
}

impl Page {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        Self { known: Known::default(), entries: HashMap::new(), expires: now + PAGE_FOR }
    }

    /// Forgets posts that are past their time. What is in doubt stays in doubt as long as the page.
    pub(super) fn forget(&mut self, now: DateTime<Utc>) {
        self.entries.retain(|_, entry| entry.posted.is_none() || entry.until > now);
    }
}
