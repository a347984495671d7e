//! A notice comes in from automation, and is posted under its incident's tag.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::budget::WEBHOOK;
use crate::clock::Invocation;
use crate::config::NoticeSecrets;
use crate::delivery::{Delivery, Dispatcher, NotPermitted, Permit};
use crate::domain::event::Incident;
use crate::domain::message::Subject;
use crate::domain::notice::{Notice, Pace};
use crate::edge::authenticator::{Authenticator, Verdict};
use crate::edge::ledger::{IdempotencyKey, IncidentFacts};
use crate::edge::notice::{self, NotANotice, Received};
use crate::edge::secrets::Secrets;
use crate::log_events;

/// Everything that lasts from one notice to the next.
#[derive(Debug)]
pub struct NoticeHandler {
    authenticator: Authenticator<NoticeSecrets>,
    dispatcher: Arc<Dispatcher>,
    pace: Mutex<Pace>,
}

/// How a notice ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeAnswer {
    /// A chat has it.
    Posted,
    /// A chat had it before.
    PostedBefore,
    /// It can't be understood.
    Malformed(NotANotice),
    /// Whoever sent it has no token of ours.
    Unauthenticated,
    /// It is larger than any notice need be.
    TooLarge,
    /// There are too many of them.
    TooMany {
        /// In how many seconds there is room again.
        retry_after: u32,
    },
    /// No chat has it: it must come again.
    SendAgain,
}

/// What happened to a notice, for the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Posted now.
    pub posted: u32,
    /// No chat took it.
    pub failed: u32,
    /// Refused, because there were too many.
    pub limited: u32,
    /// Posted on a backup.
    pub failed_over: u32,
    /// Refused, because it had no token of ours.
    pub unauthenticated: u32,
    /// It was judged by old tokens, because they could not be read again.
    pub secrets_stale: u32,
    /// The ledger's table could not be used.
    pub ledger_failed: u32,
}

impl NoticeHandler {
    /// Sets up what the settings describe; nothing is called yet. `source` is where the tokens may be read again.
    #[must_use]
    pub fn new(
        tokens: NoticeSecrets,
        source: Option<Secrets>,
        dispatcher: Arc<Dispatcher>,
        now: DateTime<Utc>,
    ) -> Self {
        Self { authenticator: Authenticator::new(tokens, source, now), dispatcher, pace: Mutex::default() }
    }

    /// Authenticates, reads and posts one notice, within the time that a webhook has.
    pub async fn on_notice(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> (NoticeAnswer, Tally) {
        let invocation = Invocation::begin(now, WEBHOOK.answer);
        let mut tally = Tally::default();
        let verdict = self.authenticator.admits(headers, body, now).await;
        tally.secrets_stale = u32::from(matches!(verdict, Verdict::AdmittedByOldSecrets | Verdict::Unknown));
        let answer = match verdict {
            Verdict::Admitted | Verdict::AdmittedByOldSecrets => {
                let failures = self.dispatcher.ledger().failures();
                let answer = self.read_and_post(body, invocation, &mut tally).await;
                tally.ledger_failed = u32::from(self.dispatcher.ledger().failures() > failures);
                answer
            }
            Verdict::Unknown => NoticeAnswer::SendAgain,
            Verdict::Refused => {
                tracing::warn!(
                    event = log_events::UNAUTHENTICATED,
                    "refused a notice that bears none of NOTICE_TOKENS"
                );
                tally.unauthenticated = 1;
                NoticeAnswer::Unauthenticated
            }
        };
        (answer, tally)
    }

    async fn read_and_post(&self, body: &[u8], invocation: Invocation, tally: &mut Tally) -> NoticeAnswer {
        if body.len() > notice::MAX_BODY {
            tracing::warn!(event = log_events::NOTICE, bytes = body.len(), "refused a notice that is too large");
            return NoticeAnswer::TooLarge;
        }
        let Received { notice, key } = match notice::parse(body) {
            Ok(received) => received,
            Err(why) => {
                tracing::warn!(event = log_events::NOTICE, "refused a notice that can't be understood: {why}");
                return NoticeAnswer::Malformed(why);
            }
        };
        let key = key.map(|key| IdempotencyKey::of_notice(&key));
        let (permit, facts) =
            tokio::join!(self.dispatcher.claim(key, None, invocation), self.facts(&notice.incident, invocation));
        let permit = match permit {
            Ok(permit) => permit,
            Err(NotPermitted::AlreadyPosted(_)) => return NoticeAnswer::PostedBefore,
            Err(NotPermitted::InProgress) => {
                tally.failed = 1;
                return NoticeAnswer::SendAgain;
            }
        };
        let pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner).take(invocation.arrived_at());
        if let Err(retry_after) = pace {
            tracing::warn!(
                event = log_events::NOTICE,
                retry_after,
                "refused a notice: more than {} a minute",
                Pace::MAX
            );
            self.dispatcher.withdraw(permit, invocation.now()).await;
            tally.limited = 1;
            return NoticeAnswer::TooMany { retry_after };
        }
        self.post(notice, permit, facts, invocation, tally).await
    }

    async fn post(
        &self,
        mut notice: Notice,
        permit: Permit,
        facts: IncidentFacts,
        invocation: Invocation,
        tally: &mut Tally,
    ) -> NoticeAnswer {
        notice.incident.number = notice.incident.number.or(facts.number);
        notice.in_doubt = permit.is_in_doubt();
        match self.dispatcher.post(permit.about(facts), Subject::Notice(&notice), invocation).await {
            Delivery::Posted { failed_over, .. } => {
                tally.posted = 1;
                tally.failed_over = u32::from(failed_over);
                NoticeAnswer::Posted
            }
            Delivery::GivenUp { .. } | Delivery::Failed { .. } => {
                tally.failed = 1;
                NoticeAnswer::SendAgain
            }
        }
    }

    async fn facts(&self, incident: &Incident, invocation: Invocation) -> IncidentFacts {
        match incident.tag() {
            Some(_) => self.dispatcher.ledger().incident_named(incident, invocation.arrived_at()).await,
            None => IncidentFacts::default(),
        }
    }
}
