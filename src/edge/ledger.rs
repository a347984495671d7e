//! What must be remembered between invocations: what was posted, incidents' numbers, Slack threads.
//!
//! It lives in the memory of the process. Forgetting costs at most a duplicate or a plainer message.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::event::IncidentId;
use crate::domain::roster::ChatName;

/// PagerDuty sends an event again for 48 hours; a day more leaves no gap.
const POSTED_FOR: TimeDelta = TimeDelta::hours(72);
/// Counted from an incident's last event.
const INCIDENT_FOR: TimeDelta = TimeDelta::days(30);
/// Entries per kind, so that a storm can't fill the function's memory.
const MOST_ENTRIES: usize = 10_000;

/// The memory of one process.
#[derive(Debug, Default)]
pub struct Ledger {
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    posted: Expiring<(String, ChatName)>,
    numbers: Expiring<IncidentId, u64>,
    threads: Expiring<IncidentId, String>,
}

impl Ledger {
    /// The chat that has this event already, if any.
    #[must_use]
    pub fn posted(&self, event_id: &str, chats: &[ChatName], now: DateTime<Utc>) -> Option<ChatName> {
        let mut memory = self.memory();
        chats.iter().copied().find(|chat| memory.posted.get(&(event_id.to_owned(), *chat), now).is_some())
    }

    /// Remembers that this event is on that chat.
    pub fn record_posted(&self, event_id: &str, chat: ChatName, now: DateTime<Utc>) {
        self.memory().posted.insert((event_id.to_owned(), chat), (), now + POSTED_FOR);
    }

    /// The number of an incident: learnt if the event carries it, else remembered.
    pub fn number(&self, id: &IncidentId, carried: Option<u64>, now: DateTime<Utc>) -> Option<u64> {
        let mut memory = self.memory();
        let number = carried.or_else(|| memory.numbers.get(id, now).copied())?;
        memory.numbers.insert(id.clone(), number, now + INCIDENT_FOR);
        Some(number)
    }

    /// The Slack thread of an incident.
    #[must_use]
    pub fn thread(&self, id: &IncidentId, now: DateTime<Utc>) -> Option<String> {
        let mut memory = self.memory();
        let thread = memory.threads.get(id, now).cloned()?;
        memory.threads.insert(id.clone(), thread.clone(), now + INCIDENT_FOR);
        Some(thread)
    }

    /// Remembers the Slack thread of an incident, in the place of an older one.
    pub fn record_thread(&self, id: &IncidentId, thread: String, now: DateTime<Utc>) {
        self.memory().threads.insert(id.clone(), thread, now + INCIDENT_FOR);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Whoever panicked while holding it left nothing half-done: every change is one insertion.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A map whose entries are gone after their time.
#[derive(Debug)]
struct Expiring<K, V = ()> {
    entries: HashMap<K, (V, DateTime<Utc>)>,
}

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new() }
    }
}

impl<K: Hash + Eq + Clone, V> Expiring<K, V> {
    fn get(&mut self, key: &K, now: DateTime<Utc>) -> Option<&V> {
        self.entries.get(key).filter(|(_, expires)| *expires > now).map(|(value, _)| value)
    }

    fn insert(&mut self, key: K, value: V, expires: DateTime<Utc>) {
        if self.entries.len() >= MOST_ENTRIES && !self.entries.contains_key(&key) {
            self.drop_oldest_half();
        }
        self.entries.insert(key, (value, expires));
    }

    fn drop_oldest_half(&mut self) {
        let mut times: Vec<_> = self.entries.values().map(|(_, expires)| *expires).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        self.entries.retain(|_, (_, expires)| *expires > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        "2026-11-24T02:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hours)
    }

    const BOTH: [ChatName; 2] = [ChatName::Typetalk, ChatName::Slack];

    #[test]
    fn what_was_posted_is_remembered_for_72_hours_by_chat() {
        let ledger = Ledger::default();
        ledger.record_posted("e1", ChatName::Slack, at(0));
        assert_eq!(ledger.posted("e1", &BOTH, at(71)), Some(ChatName::Slack));
        assert_eq!(ledger.posted("e1", &[ChatName::Typetalk], at(1)), None);
        assert_eq!(ledger.posted("e2", &BOTH, at(1)), None);
        assert_eq!(ledger.posted("e1", &BOTH, at(72)), None);
    }

    #[test]
    fn a_number_lasts_30_days_from_the_incidents_last_event() {
        let (ledger, id) = (Ledger::default(), IncidentId::parse("P1").unwrap());
        assert_eq!(ledger.number(&id, None, at(0)), None);
        assert_eq!(ledger.number(&id, Some(33), at(0)), Some(33));
        assert_eq!(ledger.number(&id, None, at(29 * 24)), Some(33));
        assert_eq!(ledger.number(&id, None, at(58 * 24)), Some(33));
        assert_eq!(ledger.number(&id, None, at(89 * 24)), None);
    }

    #[test]
    fn a_storm_does_not_fill_the_memory_and_the_newest_stay() {
        let ledger = Ledger::default();
        for n in 0..25_000 {
            ledger.record_posted(&format!("e{n}"), ChatName::Slack, at(0) + TimeDelta::milliseconds(n));
        }
        assert!(ledger.memory().posted.entries.len() <= MOST_ENTRIES);
        assert!(ledger.posted("e24999", &BOTH, at(1)).is_some());
    }
}
