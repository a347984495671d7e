//! The ledger in the memory of one process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::press::{Ending, Hold, Turn};
use super::record::{Claim, Entry, IncidentFacts, Lease, Record, decide, keep_last};
use super::{INCIDENT, IdempotencyKey, SavedRoster};
use crate::budget::{PRESS_LEASE, RECORD_FOR};
use crate::domain::acting::Pressed;
use crate::domain::chat::ChatName;

/// Records at most, so that a storm can't fill the function's memory.
const MAX_RECORDS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Memory {
    records: Mutex<HashMap<String, Record>>,
    roster: Mutex<Option<SavedRoster>>,
    acting_user: Mutex<Option<String>>,
}

impl Memory {
    pub(super) fn claim(&self, key: &IdempotencyKey, number: Option<u64>, now: DateTime<Utc>) -> Claim {
        self.with_record(&key.record, now, |record| {
            let known = record.facts.number;
            record.facts.number = number.or(known);
            let claim = decide(record.entries.get(&key.entry).copied(), record.facts.clone(), key, now);
            let claim = claim.teaching(number, known);
            if matches!(claim, Claim::Granted(_)) {
                record.entries.insert(key.entry.clone(), Entry::claimed(key, now));
            }
            claim
        })
    }

    /// Whether no newer state was known already.
    pub(super) fn mark_posted(
        &self,
        key: &IdempotencyKey,
        chat: ChatName,
        facts: &IncidentFacts,
        now: DateTime<Utc>,
    ) -> bool {
        self.with_record(&key.record, now, |record| {
            record.entries.insert(key.entry.clone(), Entry::posted(chat, now));
            let is_newest = facts.order() >= record.facts.order();
            let known = std::mem::take(&mut record.facts);
            // Whoever knows the newer state knows the message that shows it.
            record.facts = if is_newest { facts.clone().or(known) } else { known.or(facts.clone()) };
            is_newest
        })
    }

    /// What is known under a key.
    pub(super) fn facts(&self, key: &str, now: DateTime<Utc>) -> IncidentFacts {
        let records = self.records();
        records.get(key).filter(|record| record.expires > now).map(|record| record.facts.clone()).unwrap_or_default()
    }

    pub(super) fn release(&self, key: &IdempotencyKey, lease: &Lease, in_doubt: bool, now: DateTime<Utc>) {
        self.with_record(&key.record, now, |record| {
            let is_ours = |entry: &Entry| entry.posted.is_none() && entry.until == lease.until;
            if !record.entries.get(&key.entry).is_some_and(is_ours) {
                return;
            }
            if in_doubt {
                record.entries.insert(key.entry.clone(), Entry::in_doubt(now));
            } else {
                record.entries.remove(&key.entry);
            }
        });
    }

    /// The record of the incident that has this number, the newest if there are several.
    pub(super) fn record_of(&self, number: u64, now: DateTime<Utc>) -> Option<String> {
        let records = self.records();
        let of_number = |(key, record): &(&String, &Record)| {
            key.starts_with(INCIDENT) && record.facts.number == Some(number) && record.expires > now
        };
        let newest = records.iter().filter(of_number).max_by_key(|(_, record)| record.expires);
        newest.map(|(key, _)| key.clone())
    }

    pub(super) fn take_turn(&self, record: &str, press: &str, now: DateTime<Utc>) -> Turn {
        self.with_record(record, now, |record| {
            if record.presses.contains_key(press) {
                return Turn::Replayed;
            }
            if record.pressing.is_some_and(|until| until > now) {
                return Turn::Busy;
            }
            let until = now + PRESS_LEASE;
            record.pressing = Some(until);
            record.presses.insert(press.to_owned(), now);
            Turn::Taken(Hold { facts: record.facts.clone(), until, press: press.to_owned(), old: Vec::new() })
        })
    }

    pub(super) fn remember_press(&self, record: &str, pressed: &Pressed, now: DateTime<Utc>) {
        self.with_record(record, now, |record| {
            record.facts.pressed = keep_last(std::mem::take(&mut record.facts.pressed), pressed.clone());
        });
    }

    pub(super) fn end_turn(&self, record: &str, hold: &Hold, ending: &Ending, now: DateTime<Utc>) {
        self.with_record(record, now, |record| {
            record.pressing = record.pressing.filter(|until| *until != hold.until);
            let last = &mut record.facts.pressed;
            match ending {
                Ending::Acted(pressed) => *last = keep_last(std::mem::take(last), pressed.clone()),
                Ending::NothingToDo => {}
                Ending::InDoubt(pressed) => {
                    *last = keep_last(std::mem::take(last), pressed.clone());
                    record.presses.remove(&hold.press);
                }
                Ending::Failed(remembered) => {
                    let is_it = |pressed: &Pressed, it: &Pressed| {
                        pressed.action == it.action && pressed.presser.id == it.presser.id && pressed.at == it.at
                    };
                    last.retain(|pressed| !remembered.as_ref().is_some_and(|it| is_it(pressed, it)));
                    record.presses.remove(&hold.press);
                }
            }
        });
    }

    /// As if it had never been taken.
    pub(super) fn forget_turn(&self, record: &str, hold: &Hold, now: DateTime<Utc>) {
        self.with_record(record, now, |record| {
            record.pressing = record.pressing.filter(|until| *until != hold.until);
            record.presses.remove(&hold.press);
        });
    }

    pub(super) fn acting_user(&self) -> Option<String> {
        self.acting_user.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is another one than before.
    pub(super) fn keep_acting_user(&self, user: &str) -> bool {
        let known = self.acting_user.lock().unwrap_or_else(PoisonError::into_inner).replace(user.to_owned());
        known.as_deref() != Some(user)
    }

    pub(super) fn save_roster(&self, saved: SavedRoster) {
        *self.roster.lock().unwrap_or_else(PoisonError::into_inner) = Some(saved);
    }

    pub(super) fn saved_roster(&self) -> Option<SavedRoster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens a record, without what is past its time.
    pub(super) fn with_record<T>(&self, key: &str, now: DateTime<Utc>, act: impl FnOnce(&mut Record) -> T) -> T {
        let mut records = self.records();
        if records.len() >= MAX_RECORDS && !records.contains_key(key) {
            drop_oldest_half(&mut records);
        }
        let record = records.entry(key.to_owned()).or_insert_with(|| Record::new(now));
        if record.expires <= now {
            *record = Record::new(now);
        }
        record.expires = now + RECORD_FOR;
        record.forget(now);
        act(record)
    }

    fn records(&self) -> MutexGuard<'_, HashMap<String, Record>> {
        // Whoever panicked while holding it left nothing half-done: every change is one insertion.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_oldest_half(records: &mut HashMap<String, Record>) {
    let mut by_age: Vec<_> = records.iter().map(|(key, record)| (record.expires, key.clone())).collect();
    by_age.sort_unstable();
    for (_, key) in &by_age[..by_age.len() / 2] {
        records.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_storm_does_not_fill_the_memory_and_the_newest_stay() {
        let memory = Memory::default();
        let at = |n: i64| "2026-11-24T02:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::milliseconds(n);
        let key = |n: i64| IdempotencyKey {
            record: format!("incident#{n}"),
            entry: "e".to_owned(),
            lease_time: TimeDelta::seconds(5),
        };
        for n in 0..25_000 {
            memory.mark_posted(&key(n), ChatName::Slack, &IncidentFacts::default(), at(n));
        }
        assert!(memory.records().len() <= MAX_RECORDS);
        assert_eq!(
            memory.claim(&key(24_999), None, at(25_000)),
            Claim::AlreadyPosted(ChatName::Slack, IncidentFacts::default())
        );
    }
}
