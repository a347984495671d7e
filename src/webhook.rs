//! A webhook comes in, and every event of it is posted.

mod storm;

use std::pin::pin;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use http::HeaderMap;
use tokio::time::Instant;

use crate::budget::{MIN_EVENT, WEBHOOK};
use crate::clock::Invocation;
use crate::config::WebhookConfig;
use crate::delivery::{Delivery, Dispatcher, NotPermitted, Permit, Updates};
use crate::domain::acting::Pressed;
use crate::domain::alert::{Alert, MentionOn, Mentions};
use crate::domain::calendar::Calendar;
use crate::domain::event::{Event, Kind};
use crate::domain::message::Subject;
use crate::domain::roster::OnCallDay;
use crate::edge::authenticator::{Authenticator, Verdict};
use crate::edge::beside::while_waiting;
use crate::edge::http::HttpClient;
use crate::edge::ledger::{IdempotencyKey, Sighting, Storms};
use crate::edge::pagerduty::{self, Ignored, Item, Marks, Verifier};
use crate::edge::roster::{KeyError, RosterSource};
use crate::edge::secrets::Secrets;
use crate::interaction::InteractionHandler;
use crate::log_events;
use crate::notice::{self, NoticeHandler};
use storm::StormNews;

/// Everything that lasts from one webhook to the next, and from one request of Slack's, which shares most of it.
#[derive(Debug)]
pub struct WebhookHandler {
    authenticator: Authenticator<Verifier>,
    calendar: Calendar,
    mention_on: MentionOn,
    storm_above: Option<u32>,
    storm: Mutex<storm::Watch>,
    fallback_mentions: Vec<String>,
    roster: Arc<RosterSource>,
    dispatcher: Arc<Dispatcher>,
    notices: Option<NoticeHandler>,
    interactions: Option<InteractionHandler>,
    settings: Vec<&'static str>,
}

/// One HTTP request, as it came in.
#[derive(Debug, Clone, Copy)]
pub struct WebhookRequest<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, byte for byte.
    pub body: &'a [u8],
}

impl WebhookRequest<'_> {
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
    /// Not known to be posted: no chat took it, another instance is posting it, or there was no time left.
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
    /// The members tab could not be read.
    pub members_unreadable: u32,
    /// A row of the day could not be read.
    pub row_unreadable: u32,
    /// Events during which the ledger's table could not be used.
    pub ledger_failed: u32,
    /// People on call who could not be mentioned on the chat that has the event, in business hours.
    pub unmentionable: u32,
    /// Events that should mention somebody and mention nobody on the chat that has them.
    pub nobody_mentioned: u32,
    /// From event to post, for each that was posted.
    pub seconds_to_post: Vec<f64>,
    /// What happened to a notice.
    pub notices: notice::Tally,
}

impl WebhookHandler {
    /// Sets up what the settings describe; nothing is called yet. `secrets` is where secrets may be read again.
    ///
    /// # Errors
    /// If the service account's key can't be used.
    pub async fn new(config: WebhookConfig, secrets: Option<Secrets>, now: DateTime<Utc>) -> Result<Self, KeyError> {
        let WebhookConfig { team, secrets: webhook_secrets, mention_on, storm_above, notices, interaction, settings } =
            config;
        team.log_warnings();
        let http = HttpClient::new();
        let roster = Arc::new(RosterSource::new(&team, WEBHOOK).await?);
        let has_buttons = interaction.as_ref().is_some_and(|interaction| interaction.acting.is_some());
        let dispatcher = Arc::new(Dispatcher::new(&team, WEBHOOK, &http).with_buttons(has_buttons));
        let notices = notices.map(|tokens| NoticeHandler::new(tokens, secrets.clone(), Arc::clone(&dispatcher), now));
        let interactions = interaction.map(|config| {
            let (roster, dispatcher) = (Arc::clone(&roster), Arc::clone(&dispatcher));
            InteractionHandler::new(config, &team, roster, dispatcher, &http, secrets.clone(), now)
        });
        Ok(Self {
            authenticator: Authenticator::new(Verifier::new(webhook_secrets), secrets, now),
            roster,
            dispatcher,
            notices,
            interactions,
            calendar: team.calendar,
            mention_on,
            storm_above,
            storm: Mutex::default(),
            fallback_mentions: team.fallback_mentions,
            settings,
        })
    }

    /// What answers Slack's requests, if they are taken.
    #[must_use]
    pub fn interactions(&self) -> Option<&InteractionHandler> {
        self.interactions.as_ref()
    }

    /// Opens connections ahead of the first webhook, which has little time.
    pub async fn warm_up(&self, now: DateTime<Utc>) {
        self.dispatcher.ledger().warm_up(now).await;
    }

    /// What takes notices, with the same chats and ledger, if they are on.
    #[must_use]
    pub fn notices(&self) -> Option<&NoticeHandler> {
        self.notices.as_ref()
    }

    /// Authenticates, reads and posts one webhook, within the time that PagerDuty gives.
    pub async fn on_webhook(&self, webhook: WebhookRequest<'_>, now: DateTime<Utc>) -> (Answer, Tally) {
        let invocation = Invocation::begin(now, WEBHOOK.answer);
        let mut tally = Tally::default();
        let verdict = self.authenticator.admits(webhook.headers, webhook.body, now).await;
        tally.secrets_stale = u32::from(matches!(verdict, Verdict::AdmittedByOldSecrets | Verdict::Unknown));
        match verdict {
            Verdict::Admitted | Verdict::AdmittedByOldSecrets => {}
            Verdict::Unknown => return (Answer::SendAgain, tally),
            Verdict::Refused => return (refuse(webhook, &mut tally), tally),
        }
        let mut updates = Updates::default();
        let mut news = None;
        for item in pagerduty::parse(webhook.body, webhook.id()) {
            match item {
                Item::Event(event) if !invocation.has_more_than(MIN_EVENT) => {
                    tracing::warn!(
                        event = log_events::OUT_OF_TIME,
                        event_id = event.id,
                        "not tried: the webhook's time is up"
                    );
                    tally.failed += 1;
                }
                Item::Event(event) => {
                    let failures = self.dispatcher.ledger().failures();
                    self.relay(*event, invocation, &mut tally, &mut updates, &mut news).await;
                    tally.ledger_failed += u32::from(self.dispatcher.ledger().failures() > failures);
                }
                Item::Ignored(ignored) => {
                    log_ignored(&ignored, webhook.id());
                    tally.ignored += 1;
                }
            }
        }
        if let Some(news) = news {
            self.tell(news, invocation).await;
        }
        self.dispatcher.show(updates, invocation).await;
        // After everything else, since nobody waits for it but the check.
        if invocation.has_more_than(MIN_EVENT) {
            self.dispatcher.ledger().sight(Sighting::Webhook, &self.settings, invocation.arrived_at()).await;
        }
        (if tally.failed > 0 { Answer::SendAgain } else { Answer::Done }, tally)
    }

    async fn relay(
        &self,
        mut event: Event,
        invocation: Invocation,
        tally: &mut Tally,
        updates: &mut Updates,
        news: &mut Option<StormNews>,
    ) {
        let key = IdempotencyKey::of_event(&event);
        let (permit, storms, mentions) = match self.permit_and_mentions(key, &event, invocation, tally).await {
            Ok(all) => all,
            Err(NotPermitted::AlreadyPosted(update)) => {
                updates.add(update);
                tally.ignored += 1;
                return;
            }
            Err(NotPermitted::InProgress) => {
                tally.failed += 1;
                return;
            }
        };
        let (mentions, told) = self.in_a_storm(storms, mentions, &event, invocation);
        if event.kind == Kind::Unreadable {
            tracing::error!(
                event = log_events::UNREADABLE,
                event_id = event.id,
                "authentic, but not JSON, over 1 MiB, or nothing that is known; look at PagerDuty itself"
            );
            tally.unreadable += 1;
        }
        let facts = permit.facts();
        event.incident.number = event.incident.number.or(facts.number);
        let known = facts.first.as_ref().map(|first| &first.standing);
        let presser = Pressed::told_by(&facts.pressed, &event, invocation.now());
        let alert = Alert::new(event, known, mentions, permit.is_in_doubt(), &self.calendar, invocation.now());
        let alert = alert.pressed_by(presser.map(|pressed| &pressed.presser));
        let delivery = self.dispatcher.post(permit, Subject::Alert(&alert), invocation).await;
        tally.count(&delivery, &alert, invocation.now());
        if let Delivery::Posted { update, .. } = delivery {
            updates.add(update);
            *news = told.or(news.take());
        }
        if invocation.has_more_than(WEBHOOK.settle) {
            self.roster.save(self.dispatcher.ledger(), invocation.now()).await;
        }
    }

    /// Both at once. What may not be posted waits for no sheet, and what may has its connection while the sheet is read.
    async fn permit_and_mentions(
        &self,
        key: Option<IdempotencyKey>,
        event: &Event,
        invocation: Invocation,
        tally: &mut Tally,
    ) -> Result<(Permit, Option<Storms>, Mentions), NotPermitted> {
        let mut claim = pin!(self.claim(key, event, invocation));
        let mut mentions = pin!(self.mentions(event, invocation, tally));
        tokio::select! {
            biased;
            permit = &mut claim => {
                let (permit, storms) = permit?;
                Ok((permit, storms, while_waiting(mentions, || self.dispatcher.open_ahead()).await))
            }
            mentions = &mut mentions => claim.await.map(|(permit, storms)| (permit, storms, mentions)),
        }
    }

    /// The right to post, and for a new incident how many others there are; both in the time of the one.
    async fn claim(
        &self,
        key: Option<IdempotencyKey>,
        event: &Event,
        invocation: Invocation,
    ) -> Result<(Permit, Option<Storms>), NotPermitted> {
        let until = invocation.within(WEBHOOK.claim);
        let permit = self.dispatcher.claim(key, event.incident.number, invocation).await?;
        let mentions = Mentions::of(event, &self.mention_on, &self.calendar, invocation.arrived_at());
        let may_be_part = event.kind == Kind::Triggered && !event.incident.is_practice();
        if self.storm_above.is_none() || mentions != Mentions::OnCall(()) || !may_be_part {
            return Ok((permit, None));
        }
        let left = until.saturating_duration_since(Instant::now());
        let storms = self.dispatcher.ledger().storms(permit.is_first(), left, invocation.now()).await;
        Ok((permit, storms))
    }

    async fn mentions(&self, event: &Event, invocation: Invocation, tally: &mut Tally) -> Mentions {
        let now = invocation.arrived_at();
        let mentions = Mentions::of(event, &self.mention_on, &self.calendar, now);
        if mentions == Mentions::Nobody {
            return Mentions::Nobody;
        }
        let today = self.calendar.today(now);
        if !self.calendar.knows_year_of(today) {
            tracing::warn!(
                event = log_events::HOLIDAYS,
                "the public holidays of {today}'s year are not known: update the relay"
            );
        }
        let roster = self.roster.reading(self.dispatcher.ledger(), today, invocation).await;
        tally.roster_stale += u32::from(roster.failure.is_some());
        tally.members_unreadable += u32::from(roster.lacks_members);
        let day = OnCallDay::from_reading(&roster, &self.fallback_mentions, today, now);
        tally.row_unreadable += u32::from(day.has_unread_row());
        mentions.with(day)
    }
}

impl From<notice::Tally> for Tally {
    fn from(notices: notice::Tally) -> Self {
        Self { notices, ..Self::default() }
    }
}

impl Tally {
    fn count(&mut self, delivery: &Delivery, alert: &Alert, now: DateTime<Utc>) {
        match delivery {
            Delivery::Posted { chat, failed_over, .. } => {
                self.posted += 1;
                self.failed_over += u32::from(*failed_over);
                self.unmentionable += alert.unmentionable(*chat);
                self.nobody_mentioned += u32::from(alert.mentions_nobody(*chat));
                self.seconds_to_post.extend(alert.event.occurred_at.map(|at| (now - at).as_seconds_f64()));
            }
            Delivery::GivenUp { .. } => self.given_up += 1,
            Delivery::Failed { .. } => self.failed += 1,
        }
    }
}

/// A secret of ours that is wrong must not cost an alert: what looks like PagerDuty's is asked to come again.
fn refuse(webhook: WebhookRequest<'_>, tally: &mut Tally) -> Answer {
    let Some(Marks { signed, bearer, subscription }) = Marks::of(webhook.headers) else {
        tracing::warn!(
            event = log_events::UNAUTHENTICATED,
            webhook_id = webhook.id(),
            "refused a request that has neither a signature or token of ours nor PagerDuty's marks; if it is a v2 \
             extension's, that sends no `Authorization: Bearer` header yet"
        );
        tally.unauthenticated = 1;
        return Answer::Unauthenticated;
    };
    tracing::error!(
        event = log_events::UNAUTHENTICATED_WEBHOOK,
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
            tracing::info!(event = log_events::IGNORED, webhook_id, family, "nothing that people on call need to know");
        }
        Ignored::Version1 => tracing::warn!(
            event = log_events::IGNORED,
            webhook_id,
            "a version 1 webhook, which is not understood; replace the extension by a v3 webhook subscription"
        ),
        Ignored::NoWebhook => tracing::warn!(
            event = log_events::IGNORED,
            webhook_id,
            "authentic, but no PagerDuty webhook; point nothing else at this address"
        ),
    }
}
