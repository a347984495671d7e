//! Where the roster comes from, read no oftener than its owner allows; the last good copy is kept.

mod csv;
mod google;
mod saved;

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

pub use google::KeyError;

use super::ledger::{Ledger, SavedRoster};
use crate::budget::{Budget, ROSTER_FRESH, ROSTER_SAVED_EVERY};
use crate::clock::Invocation;
use crate::config::{ChatConfig, RosterConfig, TeamConfig};
use crate::domain::chat::ChatName;
use crate::domain::roster::{
    Cell, FallbackProblem, MembersTable, ReadingRules, RosterState, RowProblem, Snapshot, SourceFailure, Tables,
};
use crate::log_events;

/// Nobody's roster is larger; whatever is would cost the time of the post.
const MAX_SOURCE: usize = 2 * 1024 * 1024;
/// The same in rows of one table.
const MAX_ROWS: usize = 5_000;

/// The roster, as fresh as it can be had.
#[derive(Debug)]
pub struct RosterSource {
    origin: Origin,
    fallback: Vec<String>,
    chats: Vec<ChatName>,
    rules: ReadingRules,
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
    lacks_members: bool,
    /// What the log said to do about the sheet, and about the members tab.
    remedy: Option<String>,
    complaint: Option<String>,
}

/// The state of the roster, and what there is to do about it, for whoever checks.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The best that can be had.
    pub state: RosterState,
    /// What to do about a sheet that can't be read.
    pub remedy: Option<String>,
    /// What to do about a members tab that can't be read.
    pub complaint: Option<String>,
}

/// What one reading brought: the tables, and what was wrong with part of them.
struct Read {
    tables: Tables,
    complaint: Option<SourceError>,
}

/// A reading that failed.
#[derive(Debug)]
pub struct SourceError {
    /// What a message says about it.
    pub failure: SourceFailure,
    /// What the log says to do.
    pub remedy: String,
}

impl SourceError {
    fn new(failure: SourceFailure, remedy: impl Into<String>) -> Self {
        Self { failure, remedy: remedy.into() }
    }
}

/// Reads once, for whoever sets the relay up. What can't be read of a members tab is returned.
///
/// # Errors
/// If the key can't be used, or the roster can't be read.
pub async fn try_out(config: &RosterConfig, within: Duration) -> Result<Option<SourceError>, SourceError> {
    let origin = Origin::new(config).await;
    let origin = origin.map_err(|error| SourceError::new(SourceFailure::BadKey, error.to_string()))?;
    origin.read(Instant::now() + within).await.map(|read| read.complaint)
}

impl RosterSource {
    /// A source that has not read anything yet.
    ///
    /// # Errors
    /// If the service account's key can't be used.
    pub async fn new(team: &TeamConfig, budget: Budget) -> Result<Self, KeyError> {
        let origin = Origin::new(&team.roster).await?;
        let chats = team.chats.iter().map(ChatConfig::name).collect();
        let rules = ReadingRules { columns: team.roster_columns.clone(), calendar: team.calendar.clone() };
        let fallback = team.fallback_mentions.clone();
        Ok(Self { origin, rules, fallback, chats, memory: Mutex::default(), budget })
    }

    /// The best reading that can be had before the deadline; `today` settles dates without a year.
    pub async fn reading(&self, ledger: &Ledger, today: NaiveDate, invocation: Invocation) -> RosterState {
        let (now, deadline) = (invocation.arrived_at(), invocation.within(self.budget.roster));
        // Others wait for a reading under way, and use it.
        let Ok(mut memory) = timeout_at(deadline, self.memory.lock()).await else {
            return RosterState { failure: Some(SourceFailure::Slow), ..RosterState::default() };
        };
        let due =
            memory.last_attempt.as_ref().is_none_or(|attempt| !(attempt.at..attempt.at + ROSTER_FRESH).contains(&now));
        if due {
            let (mut complaint, mut sheet_remedy) = (None, None);
            let mut lacks_members = false;
            let failure = match self.origin.read(deadline - self.budget.saved_roster).await {
                Ok(read) => {
                    lacks_members = read.complaint.is_some();
                    complaint = read.complaint.as_ref().map(|complaint| complaint.remedy.clone());
                    let tables = with_members(read, &memory, ledger, now).await;
                    self.keep(&mut memory, tables, today, now, None);
                    None
                }
                Err(SourceError { failure, remedy }) => {
                    tracing::error!(event = log_events::ROSTER_UNREADABLE, "{remedy}");
                    self.take_newer(&mut memory, ledger, today, now).await;
                    sheet_remedy = Some(remedy);
                    Some(failure)
                }
            };
            memory.last_attempt = Some(Attempt { at: now, failure, lacks_members, remedy: sheet_remedy, complaint });
        }
        memory.copy = memory.copy.take().map(|copy| copy.seen_on(today, &self.rules));
        let attempt = memory.last_attempt.as_ref();
        RosterState {
            snapshot: memory.copy.clone(),
            failure: attempt.and_then(|attempt| attempt.failure),
            lacks_members: attempt.is_some_and(|attempt| attempt.lacks_members),
        }
    }

    /// The same with what there is to do about it.
    pub async fn diagnosis(&self, ledger: &Ledger, invocation: Invocation) -> Diagnosis {
        let today = self.rules.calendar.today(invocation.arrived_at());
        let state = self.reading(ledger, today, invocation).await;
        let memory = self.memory.lock().await;
        let last = memory.last_attempt.as_ref();
        let remedy = last.and_then(|attempt| attempt.remedy.clone());
        let complaint = last.and_then(|attempt| attempt.complaint.clone());
        Diagnosis { state, remedy, complaint }
    }

    /// Saves the roster in the ledger if it has changed since, or some time has passed.
    pub async fn save(&self, ledger: &Ledger, now: DateTime<Utc>) {
        let mut memory = self.memory.lock().await;
        let Some(copy) = memory.copy.clone() else { return };
        if memory.saved_at.is_some_and(|saved_at| copy.read_at < saved_at + ROSTER_SAVED_EVERY) {
            return;
        }
        // Another process may have saved members, whom nobody could mention after this.
        if copy.tables.members == MembersTable::Unreadable {
            return;
        }
        if let Some(tables) = saved::to_json(&copy.tables) {
            if ledger.save_roster(SavedRoster { tables, read_at: copy.read_at }, now).await {
                memory.saved_at = Some(copy.read_at);
            }
        } else {
            memory.saved_at = Some(copy.read_at);
            tracing::warn!(
                event = log_events::ROSTER_UNSAVED,
                "the roster is too large for the ledger; give ROSTER_RANGE fewer rows or columns"
            );
        }
    }

    /// Keeps what was read, by us or by whoever `saved` it, and parses it if it is new.
    fn keep(
        &self,
        memory: &mut Memory,
        tables: Tables,
        today: NaiveDate,
        read_at: DateTime<Utc>,
        saved: Option<&SavedRoster>,
    ) {
        if let Some(unchanged) = memory.copy.take_if(|old| *old.tables == tables) {
            memory.copy = Some(Snapshot { read_at, ..unchanged });
        } else {
            let (snapshot, problems) = Snapshot::new(tables, &self.rules, today, read_at);
            if saved.is_none() {
                log_row_problems(&problems);
                self.log_fallback_problems(&snapshot.tables.members);
                memory.saved_at = None;
            }
            memory.copy = Some(snapshot);
        }
        if let Some(saved) = saved {
            memory.saved_at = Some(saved.read_at);
        }
    }

    /// Another process may have read the sheet since, and a new one has read nothing yet.
    async fn take_newer(&self, memory: &mut Memory, ledger: &Ledger, today: NaiveDate, now: DateTime<Utc>) {
        let Some(saved) = ledger.saved_roster(now).await else { return };
        if memory.copy.as_ref().is_some_and(|copy| copy.read_at >= saved.read_at) {
            return;
        }
        let Some(mut tables) = saved::from_json(&saved.tables) else { return };
        if let (MembersTable::Unreadable, Some(known)) = (&tables.members, memory.members()) {
            tables.members = known.clone();
        }
        self.keep(memory, tables, today, saved.read_at, Some(&saved));
    }

    /// Without a members tab they are reported at the start.
    fn log_fallback_problems(&self, members: &MembersTable) {
        if matches!(members, MembersTable::Table(_)) {
            for problem in FallbackProblem::all(&self.fallback, members, &self.chats) {
                tracing::warn!(event = log_events::SETTINGS, "{problem}");
            }
        }
    }
}

impl Origin {
    async fn new(config: &RosterConfig) -> Result<Self, KeyError> {
        Ok(match config {
            RosterConfig::Google(config) => Self::Google(Box::new(google::Spreadsheet::new(config).await?)),
            RosterConfig::Csv(config) => Self::Csv(csv::CsvFiles::new(config)),
        })
    }

    async fn read(&self, deadline: Instant) -> Result<Read, SourceError> {
        match self {
            Self::Google(spreadsheet) => timeout_at(deadline, spreadsheet.read(deadline)).await.unwrap_or_else(|_| {
                Err(SourceError::new(
                    SourceFailure::Slow,
                    "Google gave neither token nor sheet in time; the last good copy is used if there is one",
                ))
            }),
            Self::Csv(files) => files.read(),
        }
    }
}

impl Memory {
    /// The members tab, if it was ever read.
    fn members(&self) -> Option<&MembersTable> {
        self.copy.as_ref().map(|copy| &copy.tables.members).filter(|members| matches!(members, MembersTable::Table(_)))
    }
}

/// What was read, with the last good members if theirs couldn't be: who people are changes less often than who is on
/// call.
async fn with_members(read: Read, memory: &Memory, ledger: &Ledger, now: DateTime<Utc>) -> Tables {
    let Read { mut tables, complaint } = read;
    let Some(SourceError { remedy, .. }) = complaint else { return tables };
    tracing::error!(event = log_events::MEMBERS_UNREADABLE, "{remedy}");
    if let Some(known) = memory.members() {
        tables.members = known.clone();
    } else if let Some(saved) = ledger.saved_roster(now).await.and_then(|saved| saved::from_json(&saved.tables))
        && matches!(saved.members, MembersTable::Table(_))
    {
        tables.members = saved.members;
    }
    tables
}

/// A cell as Google writes it, in JSON.
fn cell(value: Value) -> Cell {
    match value {
        Value::String(text) if text.is_empty() => Cell::Empty,
        Value::String(text) => Cell::Text(text),
        Value::Number(number) => number.as_f64().map_or(Cell::Empty, Cell::Number),
        Value::Bool(flag) => Cell::Flag(flag),
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Empty,
    }
}

/// Logs the rows to correct, once for every change of the sheet, by number and without names.
fn log_row_problems(problems: &[RowProblem]) {
    const MAX_NAMED: usize = 20;
    for problem in problems.iter().take(MAX_NAMED) {
        tracing::warn!(event = log_events::ROSTER_ROW, row = %problem.row, "{problem}");
    }
    if problems.len() > MAX_NAMED {
        tracing::warn!(event = log_events::ROSTER_ROW, "{} more rows have problems", problems.len() - MAX_NAMED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_any_kind_are_taken_as_they_are() {
        let values: Vec<Value> = serde_json::from_str(r#"["a", "", 46350, 1.5, true, null]"#).unwrap();
        let cells: Vec<_> = values.into_iter().map(cell).collect();
        assert_eq!(
            cells,
            [
                Cell::Text("a".into()),
                Cell::Empty,
                Cell::Number(46350.0),
                Cell::Number(1.5),
                Cell::Flag(true),
                Cell::Empty
            ]
        );
    }
}
