//! Whether a webhook is let in: before one is refused, secrets that may have been rotated are read again.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use super::pagerduty::Authenticity;
use super::secret_store::Secrets;
use crate::config::WebhookSecrets;

/// A rotation costs webhooks nothing if it is noticed within this time; forgeries cost no more reads than one in it.
const FRESH_FOR: TimeDelta = TimeDelta::seconds(60);

/// After a failure the store is left alone for so long.
const FAILED_FOR: TimeDelta = TimeDelta::seconds(10);

/// Decides on every request that claims to be a webhook.
#[derive(Debug)]
pub struct Gate {
    copy: Mutex<Copy>,
    secrets: Option<Secrets>,
}

/// The secrets as they were at some time.
#[derive(Debug, Clone)]
struct Copy {
    authenticity: Arc<Authenticity>,
    read_at: DateTime<Utc>,
    /// When reading them again failed last.
    failed_at: Option<DateTime<Utc>>,
}

/// What is to be done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is PagerDuty's.
    Admitted,
    /// It is not.
    Refused,
    /// The secrets that would tell can't be read.
    Unknown,
}

impl Gate {
    /// A gate with these secrets, read now; `source` is where they may be read again.
    #[must_use]
    pub fn new(secrets: WebhookSecrets, source: Option<Secrets>, now: DateTime<Utc>) -> Self {
        let authenticity = Arc::new(Authenticity::new(secrets));
        Self { copy: Mutex::new(Copy { authenticity, read_at: now, failed_at: None }), secrets: source }
    }

    /// Decides before the deadline.
    pub async fn admits(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>, deadline: Instant) -> Admission {
        let Copy { authenticity, read_at, failed_at } = self.copy();
        if authenticity.admits(headers, body) {
            return Admission::Admitted;
        }
        let Some(secrets) = self.secrets.as_ref().filter(|_| now - read_at > FRESH_FOR) else {
            return Admission::Refused;
        };
        // Strangers could otherwise keep a store busy that is in trouble already.
        if failed_at.is_some_and(|failed_at| now - failed_at < FAILED_FOR) {
            return Admission::Unknown;
        }
        let why = match timeout_at(deadline, read_again(secrets)).await {
            Ok(Ok(authenticity)) => {
                let authenticity = Arc::new(authenticity);
                let admitted = authenticity.admits(headers, body);
                *self.copy.lock().unwrap_or_else(PoisonError::into_inner) =
                    Copy { authenticity, read_at: now, failed_at: None };
                return if admitted { Admission::Admitted } else { Admission::Refused };
            }
            Ok(Err(why)) => why,
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::error!(event = "secrets", "the webhook secrets can't be read again: {why}");
        self.copy.lock().unwrap_or_else(PoisonError::into_inner).failed_at = Some(now);
        Admission::Unknown
    }

    fn copy(&self) -> Copy {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn read_again(secrets: &Secrets) -> Result<Authenticity, String> {
    let surroundings = secrets.read().await.map_err(|error| error.to_string())?;
    WebhookSecrets::read(&surroundings).map(Authenticity::new).map_err(|problems| problems.to_string())
}
