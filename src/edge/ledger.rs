//! What must be remembered between invocations: what was posted, incidents' numbers and threads, the last roster.
//!
//! It is kept in the memory of the process, and in DynamoDB if there is a table. The table failing stops
//! nothing: then only this process remembers, which costs at most a duplicate or a plainer message.

mod memory;
mod page;
mod table;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tokio::time::{Instant, timeout};

pub use page::{Claim, Grant, Known};

use super::http::HttpClient;
use crate::config::LedgerConfig;
use crate::domain::event::Event;
use crate::domain::reminder::Shift;
use crate::domain::roster::ChatName;
use memory::Memory;
use table::{Table, TableError};

/// Asking for the right to post may take so long; it happens while the roster is read.
const CLAIM_WITHIN: Duration = Duration::from_millis(200);
/// Writing down what became of it may take so long.
const RECORD_WITHIN: Duration = Duration::from_millis(100);
/// Finding the last roster may take so long; it is needed only if the sheet can't be read.
const ROSTER_WITHIN: Duration = Duration::from_millis(200);

/// Something that is posted once: an event of an incident, or a day's reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// Of the page that holds it.
    key: String,
    /// Its own id on that page.
    event: String,
    /// How long an attempt may take to post it; whoever still holds a claim after this is dead.
    claim_lives: TimeDelta,
}

impl Matter {
    /// An event; one without an id can't be told from others, and isn't remembered.
    #[must_use]
    pub fn of_event(event: &Event) -> Option<Self> {
        let id = event.id.clone()?;
        let key = event.incident.id.as_ref().map_or_else(|| format!("event#{id}"), |id| format!("incident#{id}"));
        Some(Self { key, event: id, claim_lives: TimeDelta::seconds(5) })
    }

    /// The reminder of a kind that is sent on a day.
    #[must_use]
    pub fn of_reminder(shift: Shift, sent_on: NaiveDate) -> Self {
        Self {
            key: format!("reminder#{}#{sent_on}", shift.key()),
            event: "reminder".to_owned(),
            claim_lives: TimeDelta::seconds(30),
        }
    }
}

/// A roster as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRoster {
    /// The tables as JSON.
    pub tables: String,
    /// When they were read.
    pub read_at: DateTime<Utc>,
}

/// The memory of the process and, if there is one, the table.
#[derive(Debug, Default)]
pub struct Ledger {
    memory: Memory,
    table: Option<Table>,
}

impl Ledger {
    /// Opens the ledger; nothing is called yet.
    #[must_use]
    pub fn open(config: Option<&LedgerConfig>, http: &HttpClient) -> Self {
        Self { memory: Memory::default(), table: config.map(|config| Table::new(config, http.clone())) }
    }

    /// Asks for the right to post. An event that carries its incident's number teaches it.
    pub async fn claim(&self, matter: &Matter, number: Option<u64>, now: DateTime<Utc>) -> Claim {
        let here = match self.memory.claim(matter, number, now) {
            Claim::Granted(grant) => grant,
            decided => return decided,
        };
        let Some(table) = &self.table else { return Claim::Granted(here) };
        match asked(CLAIM_WITHIN, Box::pin(table.claim(matter, number, now))).await {
            Some(Claim::Granted(there)) => Claim::Granted(Grant {
                in_doubt: here.in_doubt || there.in_doubt,
                known: there.known.or(here.known),
                until: there.until,
            }),
            Some(Claim::Posted(chat)) => {
                self.memory.record(matter, chat, &here.known, now);
                Claim::Posted(chat)
            }
            Some(Claim::Taken) => {
                self.memory.release(matter, &here, here.in_doubt, now);
                Claim::Taken
            }
            None => Claim::Granted(here),
        }
    }

    /// Writes down that a chat has it, and what is known of the incident.
    pub async fn record(&self, matter: &Matter, chat: ChatName, known: &Known, now: DateTime<Utc>) {
        self.memory.record(matter, chat, known, now);
        if let Some(table) = &self.table {
            asked(RECORD_WITHIN, Box::pin(table.record(matter, chat, known, now))).await;
        }
    }

    /// Gives the right back; `in_doubt` if the post may have arrived all the same.
    pub async fn release(&self, matter: &Matter, grant: &Grant, in_doubt: bool, now: DateTime<Utc>) {
        self.memory.release(matter, grant, in_doubt, now);
        if let Some(table) = &self.table {
            asked(RECORD_WITHIN, Box::pin(table.release(matter, grant, in_doubt, now))).await;
        }
    }

    /// Keeps a roster for times when the sheet can't be read.
    pub async fn save_roster(&self, saved: SavedRoster, now: DateTime<Utc>) {
        if let Some(table) = &self.table {
            asked(RECORD_WITHIN, Box::pin(table.save_roster(&saved, now))).await;
        }
        self.memory.save_roster(saved);
    }

    /// The last roster that anybody kept.
    pub async fn saved_roster(&self, now: DateTime<Utc>) -> Option<SavedRoster> {
        let here = self.memory.saved_roster();
        let Some(table) = self.table.as_ref().filter(|_| here.is_none()) else { return here };
        asked(ROSTER_WITHIN, Box::pin(table.saved_roster(now))).await.flatten()
    }
}

/// The futures of AWS's SDK are tens of kilobytes large, too much to carry around in every caller's.
type Request<'a, T> = Pin<Box<dyn Future<Output = Result<T, TableError>> + Send + 'a>>;

/// What the table says in time. If it doesn't, that is logged here and the process goes on without.
async fn asked<T>(within: Duration, request: Request<'_, T>) -> Option<T> {
    let started = Instant::now();
    let why = match timeout(within, request).await {
        Ok(Ok(answer)) => return Some(answer),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::error!(
        event = "ledger",
        milliseconds,
        "the ledger's table can't be used ({why}); a redelivered event may be posted twice"
    );
    None
}
