//! What must be remembered between invocations: what was posted, incidents' numbers and threads, the last roster.
//!
//! It is kept in the memory of the process, and in DynamoDB if there is a table. This is how a post is made once:
//!
//! 1. Before a post, its [`IdempotencyKey`] is *claimed*. A granted claim is a [`Lease`]: it holds for some seconds,
//!    longer than any attempt takes.
//! 2. *Granted*: nobody else has it. Post, then settle the lease: [`Ledger::mark_posted`], or [`Ledger::release`].
//! 3. *Already posted*: a chat has it, and there is nothing to do. This is known for 72 hours.
//! 4. *In progress*: another process holds the lease. Ask again until it has posted, or until its lease has run out;
//!    if there is no time for that, let the caller come again.
//! 5. A lease that ran out unsettled belongs to an attempt that died, perhaps after its post. The next claim is
//!    granted *in doubt*, and the message says that it may be a duplicate. So it is after a release in doubt.
//! 6. A table that fails stops nothing: the memory of the process decides, and the claim is granted in doubt.

mod memory;
mod press;
mod record;
mod shown;
mod storm;
mod table;
mod watch;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use ring::digest::{SHA256, digest};
use tokio::time::{Instant, sleep, timeout};

pub use press::{Ending, Hold, Turn};
pub use record::{Claim, IncidentFacts, Lease};
pub use storm::{Storms, Told};
pub use watch::Sighting;

use super::http::HttpClient;
use crate::budget::{self, Budget};
use crate::clock::Invocation;
use crate::config::LedgerConfig;
use crate::domain::chat::ChatName;
use crate::domain::event::{Event, Incident, IncidentId};
use crate::domain::reminder::ReminderKind;
use crate::log_events;
use memory::Memory;
use table::{Table, TableError};

/// Names something that is posted once: an event of an incident, or a day's reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The key of the record that holds it.
    record: String,
    /// Its own name in that record.
    entry: String,
    /// How long an attempt may take to post it; an attempt that still holds its claim after this is dead.
    lease_time: TimeDelta,
}

impl IdempotencyKey {
    /// An event. One without an id can't be told from others, and isn't remembered.
    #[must_use]
    pub fn of_event(event: &Event) -> Option<Self> {
        let id = event.id.clone()?;
        let record = event.incident.id.as_ref().map_or_else(|| format!("event#{id}"), incident_record);
        Some(Self { record, entry: id, lease_time: budget::EVENT_LEASE })
    }

    /// A notice with this key, which may be any text.
    #[must_use]
    pub fn of_notice(key: &str) -> Self {
        let hash = digest(&SHA256, key.as_bytes());
        Self {
            record: format!("notice#{}", hex::encode(hash)),
            entry: "notice".to_owned(),
            lease_time: budget::EVENT_LEASE,
        }
    }

    /// The reminder of a kind that is sent on a day.
    #[must_use]
    pub fn of_reminder(kind: ReminderKind, sent_on: NaiveDate) -> Self {
        Self {
            record: format!("reminder#{}#{sent_on}", kind.key()),
            entry: "reminder".to_owned(),
            lease_time: budget::REMINDER_LEASE,
        }
    }
}

/// What the keys of incidents' records begin with.
const INCIDENT: &str = "incident#";

/// The key of an incident's record.
fn incident_record(id: impl fmt::Display) -> String {
    format!("{INCIDENT}{id}")
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.record, self.entry)
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
    budget: Budget,
    patience: Mutex<Patience>,
    failures: AtomicUsize,
    left: Mutex<watch::Left>,
}

/// How long the table is still waited for. One time-out may be a lost packet, and is that event's matter alone; a
/// second one in a row is a table that hangs.
#[derive(Debug, Default)]
struct Patience {
    timeouts_in_a_row: u32,
    cooling_until: Option<Instant>,
}

impl Ledger {
    /// A ledger that has not called anything yet.
    #[must_use]
    pub fn new(config: Option<&LedgerConfig>, budget: Budget, http: &HttpClient) -> Self {
        let table = config.map(|config| Table::new(config, http.clone()));
        Self {
            memory: Memory::default(),
            table,
            budget,
            patience: Mutex::default(),
            failures: AtomicUsize::new(0),
            left: Mutex::default(),
        }
    }

    /// Opens the connection to the table, and looks for the last roster on it.
    pub async fn warm_up(&self, now: DateTime<Utc>) {
        let Some(table) = &self.table else { return };
        if let Some(Some(saved)) = self.asked(budget::WARM_UP, Box::pin(table.saved_roster(now))).await {
            self.memory.save_roster(saved);
        }
    }

    /// Asks for the right to post. An event that carries its incident's number teaches it.
    pub async fn claim(&self, key: &IdempotencyKey, number: Option<u64>, now: DateTime<Utc>) -> Claim {
        let here = match self.memory.claim(key, number, now) {
            Claim::Granted(lease) => lease,
            decided => return decided,
        };
        let Some(table) = &self.table else { return Claim::Granted(here) };
        let decided = self.asked(self.budget.claim, Box::pin(table.claim(key, number, now))).await;
        match decided {
            Some(Claim::Granted(there)) => Claim::Granted(Lease {
                in_doubt: here.in_doubt || there.in_doubt,
                facts: there.facts.or(here.facts),
                ..there
            }),
            Some(Claim::AlreadyPosted(chat, there)) => {
                self.memory.mark_posted(key, chat, &here.facts, now);
                Claim::AlreadyPosted(chat, there.or(here.facts))
            }
            Some(Claim::InProgress) => {
                self.memory.release(key, &here, here.in_doubt, now);
                Claim::InProgress
            }
            // Nobody can tell whether another process has posted it.
            None => Claim::Granted(Lease { in_doubt: true, ..here }),
        }
    }

    /// The same, again and again while another process has it, as long as there is time.
    pub async fn claim_by(&self, key: &IdempotencyKey, number: Option<u64>, invocation: Invocation) -> Claim {
        loop {
            match self.claim(key, number, invocation.now()).await {
                Claim::InProgress if invocation.has_more_than(budget::CLAIM_AGAIN + self.budget.claim) => {
                    sleep(budget::CLAIM_AGAIN).await;
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

    /// What is known of an incident; none of it is news to whoever has just claimed one of its events.
    pub async fn incident(&self, id: &IncidentId, now: DateTime<Utc>) -> IncidentFacts {
        self.facts(&incident_record(id), now).await
    }

    async fn facts(&self, record: &str, now: DateTime<Utc>) -> IncidentFacts {
        let here = self.memory.facts(record, now);
        let Some(table) = &self.table else { return here };
        let there = self.asked(self.budget.claim, Box::pin(table.facts(record, now))).await;
        there.unwrap_or_default().or(here)
    }

    /// Writes down that a chat has it, and what this attempt has learnt of the incident; says whether its state is the
    /// newest that is known. A newer one stays.
    pub async fn mark_posted(
        &self,
        key: &IdempotencyKey,
        lease: &Lease,
        chat: ChatName,
        facts: &IncidentFacts,
        now: DateTime<Utc>,
    ) -> bool {
        let here = self.memory.mark_posted(key, chat, facts, now);
        let Some(table) = &self.table else { return here };
        let settle = self.asked(self.budget.settle, Box::pin(table.mark_posted(key, lease, chat, facts, now)));
        let (there, ()) = tokio::join!(settle, self.teach(table, key, lease, now));
        here && there.unwrap_or(true)
    }

    /// Gives the right back; `in_doubt` if the post may have arrived all the same.
    pub async fn release(&self, key: &IdempotencyKey, lease: &Lease, in_doubt: bool, now: DateTime<Utc>) {
        self.memory.release(key, lease, in_doubt, now);
        if let Some(table) = &self.table {
            let settle = self.asked(self.budget.settle, Box::pin(table.release(key, lease, in_doubt, now)));
            tokio::join!(settle, self.teach(table, key, lease, now));
        }
    }

    /// Lets an incident's number lead to the incident.
    async fn teach(&self, table: &Table, key: &IdempotencyKey, lease: &Lease, now: DateTime<Utc>) {
        if let (Some(number), Some(id)) = (lease.teaches, key.record.strip_prefix(INCIDENT)) {
            self.asked(self.budget.settle, Box::pin(table.save_number(number, id, now))).await;
        }
    }

    /// The same of an incident that is named by its number or its id; a number costs one request more.
    pub async fn incident_named(&self, named: &Incident, now: DateTime<Utc>) -> IncidentFacts {
        let record = match (&named.id, named.number) {
            (Some(id), _) => Some(incident_record(id)),
            (None, Some(number)) => match (self.memory.record_of(number, now), &self.table) {
                (None, Some(table)) => {
                    self.asked(self.budget.claim, Box::pin(table.record_of(number, now))).await.flatten()
                }
                (here, _) => here,
            },
            (None, None) => None,
        };
        match record {
            Some(record) => self.facts(&record, now).await,
            None => IncidentFacts::default(),
        }
    }

    /// Keeps a roster for times when the sheet can't be read, and says whether it is kept.
    pub async fn save_roster(&self, saved: SavedRoster, now: DateTime<Utc>) -> bool {
        self.memory.save_roster(saved.clone());
        let Some(table) = &self.table else { return true };
        self.asked(self.budget.settle, Box::pin(table.save_roster(&saved, now))).await.is_some()
    }

    /// The last roster that anybody kept.
    pub async fn saved_roster(&self, now: DateTime<Utc>) -> Option<SavedRoster> {
        let here = self.memory.saved_roster();
        let Some(table) = &self.table else { return here };
        let there = self.asked(self.budget.saved_roster, Box::pin(table.saved_roster(now))).await.flatten();
        [here, there].into_iter().flatten().max_by_key(|saved| saved.read_at)
    }

    /// What the table says in time. If it doesn't, that is logged here and the process goes on without.
    async fn asked<T>(&self, within: Duration, request: Request<'_, T>) -> Option<T> {
        let started = Instant::now();
        if self.patience().cooling_until.is_some_and(|until| started < until) {
            self.failures.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let answer = timeout(within, request).await;
        self.patience().count(answer.is_ok());
        let why = match answer {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.failures.fetch_add(1, Ordering::Relaxed);
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::error!(
            event = log_events::LEDGER,
            milliseconds,
            "the ledger's table can't be used ({why}); a redelivered event may be posted twice"
        );
        None
    }

    fn patience(&self) -> MutexGuard<'_, Patience> {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Patience {
    fn count(&mut self, has_answered: bool) {
        self.timeouts_in_a_row = if has_answered { 0 } else { self.timeouts_in_a_row + 1 };
        if self.timeouts_in_a_row > 1 {
            self.cooling_until = Some(Instant::now() + budget::LEDGER_COOLDOWN);
        }
    }
}

/// The futures of AWS's SDK are tens of kilobytes large, too much to carry around in every caller's.
type Request<'a, T> = Pin<Box<dyn Future<Output = Result<T, TableError>> + Send + 'a>>;
