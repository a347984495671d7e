//! The first use case: a webhook comes in, and every event of it is posted.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;
use tokio::time::Instant;

use crate::config::WebhookConfig;
use crate::delivery::{Delivered, deliver};
use crate::domain::calendar::Calendar;
use crate::domain::event::{Event, Kind};
use crate::domain::message::News;
use crate::domain::notice::{Attention, Audience, MentionOn, Notice};
use crate::domain::roster::OnCallToday;
use crate::domain::words::Language;
use crate::edge::chat::Chat;
use crate::edge::gate::{Admission, Gate};
use crate::edge::http::HttpClient;
use crate::edge::ledger::{Claim, Grant, Known, Ledger, Matter, Patience};
use crate::edge::pagerduty::{self, Ignored, Item, Marks};
use crate::edge::roster_source::{KeyError, RosterSource};
use crate::edge::secret_store::Secrets;

/// PagerDuty waits 5 s. Some of it is the network's and API Gateway's; 4 s are ours.
const ANSWER_WITHIN: Duration = Duration::from_millis(3_800);

/// Kept back for writing down what became of a post.
const RECORD_WITHIN: Duration = Patience::OF_A_WEBHOOK.record;

/// Everything that lasts from one webhook to the next.
#[derive(Debug)]
pub struct Relay {
    gate: Gate,
    calendar: Calendar,
    mention_on: MentionOn,
    language: Language,
    fallback_mentions: Vec<String>,
    roster: RosterSource,
    chats: Vec<Chat>,
    ledger: Ledger,
}

/// A delivery as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Webhook<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, byte for byte.
    pub body: &'a [u8],
}

impl Webhook<'_> {
    fn id(&self) -> Option<&str> {
        pagerduty::webhook_id(self.headers)
    }
}

/// How a webhook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Whatever was to post is posted, or can never be.
    Done,
    /// It is not from PagerDuty.
    Unauthenticated,
    /// It is not from PagerDuty as far as our secrets tell, and looks as if it were: they may be wrong.
    UnauthenticatedWebhook,
    /// Something was to post and no chat has it: it must come again.
    SendAgain,
}

/// What happened to the events of one webhook, for the answer and the metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Posted now.
    pub posted: u32,
    /// Nothing to post, or posted before.
    pub ignored: u32,
    /// No chat took it.
    pub failed: u32,
    /// Posted on a backup.
    pub failed_over: u32,
    /// Refused by every chat.
    pub given_up: u32,
    /// Unreadable as JSON.
    pub unreadable: u32,
    /// The whole request was not authentic.
    pub unauthenticated: u32,
    /// It was not authentic, and yet carried PagerDuty's marks: our secrets may be wrong.
    pub unauthenticated_webhooks: u32,
    /// It was judged by old secrets, because they could not be read again.
    pub secrets_stale: u32,
    /// Decided from an old copy of the roster, or from none.
    pub roster_stale: u32,
    /// Events during which the ledger's table could not be used.
    pub ledger_failed: u32,
    /// People on call who could not be mentioned on the chat that has the event, in business hours.
    pub unmentionable: u32,
    /// From event to post, for each that was posted.
    pub seconds_to_post: Vec<f64>,
}

impl Relay {
    /// Opens what the settings describe; nothing is called yet. `secrets` is where secrets may be read again.
    ///
    /// # Errors
    /// If the service account's key can't be used.
    pub async fn open(config: WebhookConfig, secrets: Option<Secrets>, now: DateTime<Utc>) -> Result<Self, KeyError> {
        let WebhookConfig { team, secrets: webhook_secrets, mention_on } = config;
        team.log_warnings();
        let http = HttpClient::new();
        let ledger = Ledger::open(team.ledger.as_ref(), Patience::OF_A_WEBHOOK, &http);
        Ok(Self {
            roster: RosterSource::open(&team).await?,
            chats: team.chats.iter().map(|chat| Chat::new(chat, http.clone())).collect(),
            gate: Gate::new(webhook_secrets, secrets, now),
            calendar: team.calendar,
            mention_on,
            language: team.language,
            fallback_mentions: team.fallback_mentions,
            ledger,
        })
    }

    /// Opens connections ahead of the first webhook, which has little time.
    pub async fn warm_up(&self, now: DateTime<Utc>) {
        self.ledger.warm_up(now).await;
    }

    /// Authenticates, reads and posts one webhook, within the time that PagerDuty gives.
    pub async fn on_webhook(&self, webhook: Webhook<'_>, now: DateTime<Utc>) -> (Answer, Tally) {
        let started = Instant::now();
        let mut tally = Tally::default();
        let admission = self.gate.admits(webhook.headers, webhook.body, now).await;
        tally.secrets_stale = u32::from(matches!(admission, Admission::AdmittedByOldSecrets | Admission::Unknown));
        match admission {
            Admission::Admitted | Admission::AdmittedByOldSecrets => {}
            Admission::Unknown => return (Answer::SendAgain, tally),
            Admission::Refused => return (refuse(webhook, &mut tally), tally),
        }
        let clock = Clock { now, started };
        for item in pagerduty::open(webhook.body, webhook.id()) {
            match item {
                Item::Event(event) if Instant::now() >= clock.deadline() => {
                    tracing::warn!(event = "out_of_time", event_id = event.id, "not tried: the webhook's time is up");
                    tally.failed += 1;
                }
                Item::Event(event) => {
                    let failures = self.ledger.failures();
                    self.relay(*event, clock, &mut tally).await;
                    tally.ledger_failed += u32::from(self.ledger.failures() > failures);
                }
                Item::Ignored(ignored) => {
                    log_ignored(&ignored, webhook.id());
                    tally.ignored += 1;
                }
            }
        }
        (if tally.failed > 0 { Answer::SendAgain } else { Answer::Done }, tally)
    }

    async fn relay(&self, mut event: Event, clock: Clock, tally: &mut Tally) {
        let matter = Matter::of_event(&event);
        let (claim, attention) = tokio::join!(
            self.claim(matter.as_ref(), event.incident.number, clock),
            self.attention(&event, clock, tally)
        );
        let grant = match claim {
            Some(Claim::Posted(chat)) => {
                tracing::info!(event = "duplicate", event_id = event.id, chat = chat.key(), "posted before");
                tally.ignored += 1;
                return;
            }
            Some(Claim::Taken) => {
                tracing::warn!(
                    event = "taken",
                    event_id = event.id,
                    "another instance has been posting it all the time"
                );
                tally.failed += 1;
                return;
            }
            Some(Claim::Granted(grant)) => Some(grant),
            None => None,
        };
        if event.kind == Kind::Unreadable {
            tracing::error!(
                event = "unreadable",
                event_id = event.id,
                "authentic, but no JSON, or over 1 MiB; look at PagerDuty itself"
            );
            tally.unreadable += 1;
        }
        let known = grant.as_ref().map(|grant| grant.known.clone()).unwrap_or_default();
        event.incident.number = event.incident.number.or(known.number);
        let in_doubt = grant.as_ref().is_some_and(|grant| grant.in_doubt);
        let notice = Notice::new(event, attention, in_doubt, &self.calendar, clock.now());
        let deadline = clock.deadline() - RECORD_WITHIN;
        let delivered =
            deliver(&self.chats, News::Alert(&notice), known.thread.as_ref(), self.language, deadline).await;
        let seconds = notice.event.occurred_at.map(|at| (clock.now() - at).as_seconds_f64());
        match &delivered {
            Delivered::Posted { chat, failed_over, .. } => {
                tally.posted += 1;
                tally.failed_over += u32::from(*failed_over);
                tally.unmentionable += notice.unmentionable(*chat);
                tally.seconds_to_post.extend(seconds);
            }
            Delivered::GivenUp => tally.given_up += 1,
            Delivered::Failed { .. } => tally.failed += 1,
        }
        if let (Some(matter), Some(grant)) = (matter, grant) {
            let number = notice.event.incident.number;
            self.settle(&matter, &grant, number, &delivered, clock.now()).await;
            if Instant::now() + RECORD_WITHIN < clock.deadline() {
                self.roster.save(&self.ledger, clock.now()).await;
            }
        }
    }

    async fn claim(&self, matter: Option<&Matter>, number: Option<u64>, clock: Clock) -> Option<Claim> {
        Some(self.ledger.claim_by(matter?, number, clock.now(), clock.deadline()).await)
    }

    async fn settle(
        &self,
        matter: &Matter,
        grant: &Grant,
        number: Option<u64>,
        delivered: &Delivered,
        now: DateTime<Utc>,
    ) {
        match delivered {
            Delivered::Posted { chat, thread, .. } => {
                let known = Known { number, thread: thread.clone() }.or(grant.known.clone());
                self.ledger.record(matter, grant, *chat, &known, now).await;
            }
            Delivered::GivenUp => self.ledger.release(matter, grant, grant.in_doubt, now).await,
            Delivered::Failed { in_doubt } => {
                self.ledger.release(matter, grant, grant.in_doubt || *in_doubt, now).await;
            }
        }
    }

    async fn attention(&self, event: &Event, clock: Clock, tally: &mut Tally) -> Attention {
        let now = clock.now;
        let attend: fn(OnCallToday) -> Attention = match Audience::of(event, &self.mention_on, &self.calendar, now) {
            Audience::Readers => return Attention::Quiet,
            Audience::OnCall => Attention::Mention,
            Audience::Tester => Attention::Name,
        };
        let today = self.calendar.today(now);
        if !self.calendar.knows_year_of(today) {
            tracing::warn!(event = "holidays", "the public holidays of {today}'s year are not known: update the relay");
        }
        let reading = self.roster.reading(&self.ledger, now, today, clock.deadline()).await;
        tally.roster_stale += u32::from(reading.failure.is_some());
        attend(OnCallToday::from_reading(&reading, &self.fallback_mentions, today, now))
    }
}

/// The time of one webhook: what the clock said when it came, and what has passed since.
#[derive(Debug, Clone, Copy)]
struct Clock {
    now: DateTime<Utc>,
    started: Instant,
}

impl Clock {
    fn now(self) -> DateTime<Utc> {
        self.now + self.started.elapsed()
    }

    fn deadline(self) -> Instant {
        self.started + ANSWER_WITHIN
    }
}

/// A secret of ours that is wrong must not cost an alert: what looks like PagerDuty's is asked to come again.
fn refuse(webhook: Webhook<'_>, tally: &mut Tally) -> Answer {
    let Some(Marks { signed, bearer, subscription }) = Marks::of(webhook.headers) else {
        tracing::warn!(
            event = "unauthenticated",
            webhook_id = webhook.id(),
            "refused a request that has neither a signature or token of ours nor PagerDuty's marks; if it is a v2 \
             extension's, that sends no `Authorization: Bearer` header yet"
        );
        tally.unauthenticated = 1;
        return Answer::Unauthenticated;
    };
    tracing::error!(
        event = "unauthenticated_webhook",
        webhook_id = webhook.id(),
        subscription,
        signed,
        bearer,
        "a webhook that may be PagerDuty's fits no secret of ours, so PagerDuty is asked to send it again, for up to \
         48 h: if it is signed, compare PAGERDUTY_SIGNING_SECRETS with the signing secret of the subscription; if it \
         has a bearer token, compare PAGERDUTY_TOKENS with the Authorization header that the extension sends"
    );
    tally.unauthenticated_webhooks = 1;
    Answer::UnauthenticatedWebhook
}

fn log_ignored(ignored: &Ignored, webhook_id: Option<&str>) {
    match ignored {
        Ignored::NotForPeople { family } => {
            tracing::info!(event = "ignored", webhook_id, family, "nothing that people on call need to know");
        }
        Ignored::Version1 => tracing::warn!(
            event = "ignored",
            webhook_id,
            "a version 1 webhook, which is not understood; replace the extension by a v3 webhook subscription"
        ),
        Ignored::NoWebhook => tracing::warn!(
            event = "ignored",
            webhook_id,
            "authentic, but no PagerDuty webhook; point nothing else at this address"
        ),
    }
}
