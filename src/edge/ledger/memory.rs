//! The ledger in the memory of one process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::page::{Claim, Entry, Grant, Known, PAGE_FOR, Page, judge};
use super::{Matter, SavedRoster};
use crate::domain::roster::ChatName;

/// Pages at most, so that a storm can't fill the function's memory.
const MOST_PAGES: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Memory {
    pages: Mutex<HashMap<String, Page>>,
    roster: Mutex<Option<SavedRoster>>,
}

impl Memory {
    pub(super) fn claim(&self, matter: &Matter, number: Option<u64>, now: DateTime<Utc>) -> Claim {
        self.turn(matter, now, |page| {
            page.known.number = number.or(page.known.number);
            let claim = judge(page.entries.get(&matter.event).copied(), page.known.clone(), matter, now);
            if matches!(claim, Claim::Granted(_)) {
                page.entries.insert(matter.event.clone(), Entry::claimed(matter, now));
            }
            claim
        })
    }

    pub(super) fn record(&self, matter: &Matter, chat: ChatName, known: &Known, now: DateTime<Utc>) {
        self.turn(matter, now, |page| {
            page.entries.insert(matter.event.clone(), Entry::posted(chat, now));
            page.known = known.clone().or(page.known.clone());
        });
    }

    pub(super) fn release(&self, matter: &Matter, grant: &Grant, in_doubt: bool, now: DateTime<Utc>) {
        self.turn(matter, now, |page| {
            let is_ours = |entry: &Entry| entry.posted.is_none() && entry.until == grant.until;
            if !page.entries.get(&matter.event).is_some_and(is_ours) {
                return;
            }
            if in_doubt {
                page.entries.insert(matter.event.clone(), Entry::in_doubt(now));
            } else {
                page.entries.remove(&matter.event);
            }
        });
    }

    pub(super) fn save_roster(&self, saved: SavedRoster) {
        *self.roster.lock().unwrap_or_else(PoisonError::into_inner) = Some(saved);
    }

    pub(super) fn saved_roster(&self) -> Option<SavedRoster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens a page, without what is past its time.
    fn turn<T>(&self, matter: &Matter, now: DateTime<Utc>, act: impl FnOnce(&mut Page) -> T) -> T {
        let mut pages = self.pages();
        if pages.len() >= MOST_PAGES && !pages.contains_key(&matter.key) {
            drop_oldest_half(&mut pages);
        }
        let page = pages.entry(matter.key.clone()).or_insert_with(|| Page::new(now));
        if page.expires <= now {
            *page = Page::new(now);
        }
        page.expires = now + PAGE_FOR;
        page.forget(now);
        act(page)
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<String, Page>> {
        // Whoever panicked while holding it left nothing half-done: every change is one insertion.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_oldest_half(pages: &mut HashMap<String, Page>) {
    let mut by_age: Vec<_> = pages.iter().map(|(key, page)| (page.expires, key.clone())).collect();
    by_age.sort_unstable();
    for (_, key) in &by_age[..by_age.len() / 2] {
        pages.remove(key);
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
        let matter =
            |n: i64| Matter { key: format!("incident#{n}"), event: "e".to_owned(), claim_lives: TimeDelta::seconds(5) };
        for n in 0..25_000 {
            memory.record(&matter(n), ChatName::Slack, &Known::default(), at(n));
        }
        assert!(memory.pages().len() <= MOST_PAGES);
        assert_eq!(memory.claim(&matter(24_999), None, at(25_000)), Claim::Posted(ChatName::Slack));
    }
}
