//! The time of one invocation: what the clock said when it came, how long ago that is, and when its time is up.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// The functions' one clock; everything else gets the time as an argument.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// One invocation, from its arrival to its deadline.
#[derive(Debug, Clone, Copy)]
pub struct Invocation {
    arrived_at: DateTime<Utc>,
    started: Instant,
    deadline: Instant,
}

impl Invocation {
    /// An invocation that arrives now, and has this long.
    #[must_use]
    pub fn begin(arrived_at: DateTime<Utc>, time: Duration) -> Self {
        let started = Instant::now();
        Self { arrived_at, started, deadline: started + time }
    }

    /// What the clock said when it came. Whatever is decided once for the whole invocation is decided by this.
    #[must_use]
    pub fn arrived_at(self) -> DateTime<Utc> {
        self.arrived_at
    }

    /// What the clock says now.
    #[must_use]
    pub fn now(self) -> DateTime<Utc> {
        self.arrived_at + self.started.elapsed()
    }

    /// When the answer must be ready.
    #[must_use]
    pub fn deadline(self) -> Instant {
        self.deadline
    }

    /// When `time` has passed from now, or the deadline if that is earlier.
    #[must_use]
    pub fn within(self, time: Duration) -> Instant {
        self.deadline.min(Instant::now() + time)
    }

    /// Whether there is more time left than this.
    #[must_use]
    pub fn has_more_than(self, time: Duration) -> bool {
        Instant::now() + time < self.deadline
    }
}
