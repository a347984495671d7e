//! What must be remembered between invocations: what was posted, incidents' numbers and threads, the last roster.
//!
//! It is kept in the memory of the process, and in DynamoDB if there is a table. The table failing stops
//! nothing: then only this process remembers, which costs at most a duplicate or a plainer message.

mod memory;
mod page;
mod table;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tokio::time::{Instant, sleep, timeout};

pub use page::{Claim, Grant, Known};

use super::http::HttpClient;
use crate::config::LedgerConfig;
use crate::domain::event::Event;
use crate::domain::reminder::Shift;
use crate::domain::roster::ChatName;
use memory::Memory;
use table::{Table, TableError};

/// How long the table may take for each thing; whoever has more to do than remember can't wait longer.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Asking for the right to post, which happens while the roster is read.
    pub claim: Duration,
    /// Writing down what became of it.
    pub record: Duration,
    /// Finding the last roster, which is needed only if the sheet can't be read.
    pub roster: Duration,
}

impl Patience {
    /// What a webhook's 4 s leave.
    pub const OF_A_WEBHOOK: Self = Self {
        claim: Duration::from_millis(200),
        record: Duration::from_millis(100),
        roster: Duration::from_millis(200),
    };
    /// A reminder has 25 s.
    pub const OF_A_REMINDER: Self =
        Self { claim: Duration::from_secs(2), record: Duration::from_secs(2), roster: Duration::from_secs(2) };
}

/// A table that gave no answer in time is left alone for so long, so that a batch of events doesn't wait for each.
const REST: Duration = Duration::from_secs(1);
/// How long to leave another process alone that is posting the same.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(150);
/// Opening the connection at the start, while nobody waits for an answer yet.
const WARM_UP_WITHIN: Duration = Duration::from_millis(500);

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
#[derive(Debug)]
pub struct Ledger {
    memory: Memory,
    table: Option<Table>,
    patience: Patience,
    resting_until: Mutex<Option<Instant>>,
    failures: AtomicUsize,
}

impl Ledger {
    /// Opens the ledger; nothing is called yet.
    #[must_use]
    pub fn open(config: Option<&LedgerConfig>, patience: Patience, http: &HttpClient) -> Self {
        let table = config.map(|config| Table::new(config, http.clone()));
        Self {
            memory: Memory::default(),
            table,
            patience,
            resting_until: Mutex::default(),
            failures: AtomicUsize::new(0),
        }
    }

    /// Opens the connection to the table, and looks for the last roster on it.
    pub async fn warm_up(&self, now: DateTime<Utc>) {
        let Some(table) = &self.table else { return };
        if let Some(Some(saved)) = self.asked(WARM_UP_WITHIN, Box::pin(table.saved_roster(now))).await {
            self.memory.save_roster(saved);
        }
    }

    /// Asks for the right to post. An event that carries its incident's number teaches it.
    pub async fn claim(&self, matter: &Matter, number: Option<u64>, now: DateTime<Utc>) -> Claim {
        let here = match self.memory.claim(matter, number, now) {
            Claim::Granted(grant) => grant,
            decided => return decided,
        };
        let Some(table) = &self.table else { return Claim::Granted(here) };
        let decided = self.asked(self.patience.claim, Box::pin(table.claim(matter, number, now))).await;
        match decided {
            Some(Claim::Granted(there)) => Claim::Granted(Grant {
                in_doubt: here.in_doubt || there.in_doubt,
                known: there.known.or(here.known),
                ..there
            }),
            Some(Claim::Posted(chat)) => {
                self.memory.record(matter, chat, &here.known, now);
                Claim::Posted(chat)
            }
            Some(Claim::Taken) => {
                self.memory.release(matter, &here, here.in_doubt, now);
                Claim::Taken
            }
            // Nobody can tell whether another process has posted it.
            None => Claim::Granted(Grant { in_doubt: true, ..here }),
        }
    }

    /// The same, again and again while another process has it, as long as there is time.
    pub async fn claim_by(&self, matter: &Matter, number: Option<u64>, now: DateTime<Utc>, deadline: Instant) -> Claim {
        let started = Instant::now();
        loop {
            match self.claim(matter, number, now + started.elapsed()).await {
                Claim::Taken if Instant::now() + ASK_AGAIN_AFTER + self.patience.claim < deadline => {
                    sleep(ASK_AGAIN_AFTER).await;
                }
                claim => return claim,
            }
        }
    }

    /// How often the table could not be used so far.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failures.load(Ordering::Relaxed)
    }

    /// Writes down that a chat has it, and what this attempt has learnt of the incident.
    pub async fn record(&self, matter: &Matter, grant: &Grant, chat: ChatName, known: &Known, now: DateTime<Utc>) {
        self.memory.record(matter, chat, known, now);
        if let Some(table) = &self.table {
            self.asked(self.patience.record, Box::pin(table.record(matter, grant, chat, known, now))).await;
        }
    }

    /// Gives the right back; `in_doubt` if the post may have arrived all the same.
    pub async fn release(&self, matter: &Matter, grant: &Grant, in_doubt: bool, now: DateTime<Utc>) {
        self.memory.release(matter, grant, in_doubt, now);
        if let Some(table) = &self.table {
            self.asked(self.patience.record, Box::pin(table.release(matter, grant, in_doubt, now))).await;
        }
    }

    /// Keeps a roster for times when the sheet can't be read, and says whether it is kept.
    pub async fn save_roster(&self, saved: SavedRoster, now: DateTime<Utc>) -> bool {
        self.memory.save_roster(saved.clone());
        let Some(table) = &self.table else { return true };
        self.asked(self.patience.record, Box::pin(table.save_roster(&saved, now))).await.is_some()
    }

    /// The last roster that anybody kept.
    pub async fn saved_roster(&self, now: DateTime<Utc>) -> Option<SavedRoster> {
        let here = self.memory.saved_roster();
        let Some(table) = self.table.as_ref().filter(|_| here.is_none()) else { return here };
        self.asked(self.patience.roster, Box::pin(table.saved_roster(now))).await.flatten()
    }

    /// What the table says in time. If it doesn't, that is logged here and the process goes on without.
    async fn asked<T>(&self, within: Duration, request: Request<'_, T>) -> Option<T> {
        let started = Instant::now();
        if self.resting_until().is_some_and(|until| started < until) {
            self.failures.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let why = match timeout(within, request).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => {
                *self.resting_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
                "no answer in time".to_owned()
            }
        };
        self.failures.fetch_add(1, Ordering::Relaxed);
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::error!(
            event = "ledger",
            milliseconds,
            "the ledger's table can't be used ({why}); a redelivered event may be posted twice"
        );
        None
    }

    fn resting_until(&self) -> Option<Instant> {
        *self.resting_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Ledger {
    /// The memory of the process alone.
    fn default() -> Self {
        Self::open(None, Patience::OF_A_WEBHOOK, &HttpClient::new())
    }
}

/// The futures of AWS's SDK are tens of kilobytes large, too much to carry around in every caller's.
type Request<'a, T> = Pin<Box<dyn Future<Output = Result<T, TableError>> + Send + 'a>>;
