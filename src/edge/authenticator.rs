//! Whether a request is let in: secrets that may have been rotated or revoked are read again first.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::time::{Instant, timeout_at};

use super::secrets::Secrets;
use crate::budget::{SECRETS_ADMIT_FOR, SECRETS_COOLDOWN, SECRETS_REFUSE_FOR, WAIT_TO_ADMIT, WAIT_TO_REFUSE};
use crate::config::{Environment, Problems};
use crate::log_events;

/// Secrets of one kind, of which any one proves a request authentic.
pub trait Verify: Sized {
    /// The settings that they are in, for the log.
    const SETTINGS: &'static str;

    /// Whether they prove it, by the raw bytes of the body, in constant time.
    fn admits(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> bool;

    /// Reads them again: what can be used of them, and what is wrong with the rest.
    fn read_again(environment: &Environment) -> (Self, Option<Problems>);
}

/// Decides on every request that claims to be from somebody who shares secrets with us.
#[derive(Debug)]
pub struct Authenticator<V> {
    cached: Mutex<CachedSecrets<V>>,
    source: Option<Secrets>,
    /// Held while the secrets are read again; whoever else needs them waits for the same reading.
    reading: tokio::sync::Mutex<()>,
}

/// The secrets as they were at some time.
#[derive(Debug)]
struct CachedSecrets<V> {
    verifier: Arc<V>,
    read_at: DateTime<Utc>,
    /// When reading them again failed last.
    failed_at: Option<DateTime<Utc>>,
}

impl<V> Clone for CachedSecrets<V> {
    fn clone(&self) -> Self {
        Self { verifier: Arc::clone(&self.verifier), ..*self }
    }
}

/// What is to be done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is authentic.
    Admitted,
    /// It is authentic by secrets that are old and can't be read again.
    AdmittedByOldSecrets,
    /// It is not.
    Refused,
    /// The secrets that would tell can't be read.
    Unknown,
}

impl<V: Verify> Authenticator<V> {
    /// An authenticator with these secrets, read now; `source` is where they may be read again.
    #[must_use]
    pub fn new(verifier: V, source: Option<Secrets>, now: DateTime<Utc>) -> Self {
        let cached = CachedSecrets { verifier: Arc::new(verifier), read_at: now, failed_at: None };
        Self { cached: Mutex::new(cached), source, reading: tokio::sync::Mutex::default() }
    }

    /// Decides on a request.
    pub async fn admits(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Verdict {
        let judge = |otherwise| {
            let admitted = self.cached().verifier.admits(headers, body, now);
            if admitted { Verdict::Admitted } else { otherwise }
        };
        let first = judge(Verdict::Refused);
        let (lasts, within) = match first {
            Verdict::Admitted => (SECRETS_ADMIT_FOR, WAIT_TO_ADMIT),
            _ => (SECRETS_REFUSE_FOR, WAIT_TO_REFUSE),
        };
        let Some(source) = self.source.as_ref().filter(|_| is_over(self.cached().read_at, lasts, now)) else {
            return first;
        };
        if self.renewed(source, lasts, now, Instant::now() + within).await {
            return judge(Verdict::Refused);
        }
        match judge(Verdict::Unknown) {
            Verdict::Admitted => Verdict::AdmittedByOldSecrets,
            other => other,
        }
    }

    /// Whether there is a copy now that is not too old; it is read before the deadline, by one of all who need it.
    async fn renewed(&self, source: &Secrets, lasts: TimeDelta, now: DateTime<Utc>, deadline: Instant) -> bool {
        let Ok(_reading) = timeout_at(deadline, self.reading.lock()).await else { return false };
        let CachedSecrets { read_at, failed_at, .. } = self.cached();
        if !is_over(read_at, lasts, now) {
            return true;
        }
        // Forged requests could otherwise keep a store busy that is in trouble already.
        if failed_at.is_some_and(|failed_at| !is_over(failed_at, SECRETS_COOLDOWN, now)) {
            return false;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let why = match timeout_at(deadline, source.read(V::read_again, left)).await {
            Ok(Ok((verifier, problems))) => {
                // What is no longer in the store must not work, whatever else is wrong there.
                let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
                cached.verifier = Arc::new(verifier);
                match problems {
                    None => {
                        (cached.read_at, cached.failed_at) = (now, None);
                        return true;
                    }
                    Some(problems) => format!("those that can be used are; {problems}"),
                }
            }
            Ok(Err(error)) => format!("those of {read_at} are used; {error}"),
            Err(_) => format!("those of {read_at} are used; no answer in time"),
        };
        tracing::error!(
            event = log_events::SECRETS,
            "{} can't be read again, and nothing is refused for good that fits none: {why}",
            V::SETTINGS
        );
        self.cached.lock().unwrap_or_else(PoisonError::into_inner).failed_at = Some(now);
        false
    }

    fn cached(&self) -> CachedSecrets<V> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether a request carries one of these as its bearer token; in constant time.
#[must_use]
pub fn bears_one_of(headers: &HeaderMap, tokens: &[SecretString]) -> bool {
    header_values(headers, "authorization")
        .filter_map(bearer)
        .any(|given| tokens.iter().any(|token| token.expose_secret().as_bytes().ct_eq(given.as_bytes()).into()))
}

/// The values of a header, as far as they are text.
pub(super) fn header_values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

/// The token in an `Authorization` header's value.
pub(super) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether a time is over that began then; a clock that was put back doesn't make it longer.
fn is_over(began: DateTime<Utc>, lasts: TimeDelta, now: DateTime<Utc>) -> bool {
    (now - began).abs() > lasts
}
