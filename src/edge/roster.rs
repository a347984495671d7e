//! Where the roster comes from, read no oftener than its owner allows; the last good copy is kept.

mod csv;
mod google;
mod saved;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

pub use google::KeyError;

use super::ledger::{Ledger, SavedRoster};
use crate::budget::{Budget, ROSTER_FRESH, ROSTER_SAVED_EVERY};
use crate::clock::Invocation;
use crate::config::{ChatConfig, RosterConfig, TeamConfig};
use crate::domain::chat::ChatName;
use crate::domain::roster::{FallbackProblem, MembersTable, Roster, RosterState, Snapshot, SourceFailure, Tables};

/// The roster, as fresh as it can be had.
#[derive(Debug)]
pub struct RosterSource {
    origin: Origin,
    fallback: Vec<String>,
    chats: Vec<ChatName>,
    memory: Mutex<Memory>,
    budget: Budget,
}

#[derive(Debug)]
enum Origin {
    Google(Box<google::Spreadsheet>),
    Csv(csv::CsvFiles),
}

#[derive(Debug, Default)]
struct Memory {
    copy: Option<Snapshot>,
    last_attempt: Option<Attempt>,
    /// When the ledger's copy was read, if it holds what `copy` does.
    saved_at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Attempt {
    at: DateTime<Utc>,
    failure: Option<SourceFailure>,
}

/// What one reading brought: the tables, and what was wrong with part of them.
struct Read {
    tables: Tables,
    complaint: Option<SourceError>,
}

/// A reading that failed: what readers of a message are told, and what the log says to do.
#[derive(Debug)]
struct SourceError {
    failure: SourceFailure,
    remedy: String,
}

impl SourceError {
    fn new(failure: SourceFailure, remedy: impl Into<String>) -> Self {
        Self { failure, remedy: remedy.into() }
    }
}

impl RosterSource {
    /// A source that has not read anything yet.
    ///
    /// # Errors
    /// If the service account's key can't be used.
    pub async fn new(team: &TeamConfig, budget: Budget) -> Result<Self, KeyError> {
        let origin = match &team.roster {
            RosterConfig::Google(config) => Origin::Google(Box::new(google::Spreadsheet::new(config).await?)),
            RosterConfig::Csv(config) => Origin::Csv(csv::CsvFiles::new(config)),
        };
        let chats = team.chats.iter().map(ChatConfig::name).collect();
        Ok(Self { origin, fallback: team.fallback_mentions.clone(), chats, memory: Mutex::default(), budget })
    }

    /// The best reading that can be had before the deadline; `today` settles dates without a year.
    ///
    /// A process that has never had a good one takes the last that the ledger knows.
    pub async fn reading(&self, ledger: &Ledger, today: chrono::NaiveDate, invocation: Invocation) -> RosterState {
        let (now, deadline) = (invocation.arrived_at(), invocation.within(self.budget.roster));
        // Others wait for a reading under way, and use it.
        let Ok(mut memory) = timeout_at(deadline, self.memory.lock()).await else {
            return RosterState { copy: None, failure: Some(SourceFailure::Slow) };
        };
        let due =
            memory.last_attempt.as_ref().is_none_or(|attempt| !(attempt.at..attempt.at + ROSTER_FRESH).contains(&now));
        if due {
            let kept = if memory.copy.is_none() { self.budget.saved_roster } else { Duration::ZERO };
            let failure = self.read_into(&mut memory, now, today, deadline - kept).await;
            memory.last_attempt = Some(Attempt { at: now, failure });
            if memory.copy.is_none() {
                memory.copy = ledger.saved_roster(now).await.and_then(restored);
                memory.saved_at = memory.copy.as_ref().map(|copy| copy.read_at);
            }
        }
        RosterState {
            copy: memory.copy.clone(),
            failure: memory.last_attempt.as_ref().and_then(|attempt| attempt.failure),
        }
    }

    /// Saves the roster in the ledger if it has changed since, or some time has passed.
    pub async fn save(&self, ledger: &Ledger, now: DateTime<Utc>) {
        let mut memory = self.memory.lock().await;
        let Some(copy) = memory.copy.clone() else { return };
        if memory.saved_at.is_some_and(|saved_at| copy.read_at < saved_at + ROSTER_SAVED_EVERY) {
            return;
        }
        if let Some(tables) = saved::to_json(&copy.tables) {
            if ledger.save_roster(SavedRoster { tables, read_at: copy.read_at }, now).await {
                memory.saved_at = Some(copy.read_at);
            }
        } else {
            memory.saved_at = Some(copy.read_at);
            tracing::warn!(
                event = "roster_unsaved",
                "the roster is too large for the ledger; give ROSTER_RANGE fewer rows or columns"
            );
        }
    }

    async fn read_into(
        &self,
        memory: &mut Memory,
        now: DateTime<Utc>,
        today: chrono::NaiveDate,
        deadline: Instant,
    ) -> Option<SourceFailure> {
        let read = timeout_at(deadline, self.read()).await.unwrap_or_else(|_| {
            Err(SourceError::new(
                SourceFailure::Slow,
                "Google gave neither token nor sheet in time; the last good copy is used if there is one",
            ))
        });
        match read {
            Ok(Read { mut tables, complaint }) => {
                if let Some(SourceError { remedy, .. }) = complaint {
                    tracing::error!(event = "members_unreadable", "{remedy}");
                    // Who people are changes less often than who is on call.
                    if let Some(old) = &memory.copy {
                        tables.members = old.tables.members.clone();
                    }
                }
                let changed = memory.copy.as_ref().is_none_or(|old| *old.tables != tables);
                if changed {
                    log_row_problems(&tables, today);
                    self.log_fallback_problems(&tables.members);
                    memory.saved_at = None;
                }
                memory.copy = Some(Snapshot { tables: Arc::new(tables), read_at: now });
                None
            }
            Err(SourceError { failure, remedy }) => {
                tracing::error!(event = "roster_unreadable", "{remedy}");
                Some(failure)
            }
        }
    }

    /// Without a members tab they are told at the start.
    fn log_fallback_problems(&self, members: &MembersTable) {
        if matches!(members, MembersTable::Table(_)) {
            for problem in FallbackProblem::all(&self.fallback, members, &self.chats) {
                tracing::warn!(event = "settings", "{problem}");
            }
        }
    }

    async fn read(&self) -> Result<Read, SourceError> {
        match &self.origin {
            Origin::Google(spreadsheet) => spreadsheet.read().await,
            Origin::Csv(files) => files.read(),
        }
    }
}

fn restored(SavedRoster { tables, read_at }: SavedRoster) -> Option<Snapshot> {
    Some(Snapshot { tables: Arc::new(saved::from_json(&tables)?), read_at })
}

/// Tells the rows to mend, once for every change of the sheet, by number and without names.
fn log_row_problems(tables: &Tables, today: chrono::NaiveDate) {
    const MOST: usize = 20;
    let (_, problems) = Roster::parse(tables, today);
    for problem in problems.iter().take(MOST) {
        tracing::warn!(event = "roster_row", row = problem.row, "{problem}");
    }
    if problems.len() > MOST {
        tracing::warn!(event = "roster_row", "{} more rows have problems", problems.len() - MOST);
    }
}
