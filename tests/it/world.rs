//! The world around a relay: stand-ins, settings, a sender, and a clock that only tests move.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset};
use http::HeaderMap;
use oncall::fakes::pagerduty::{self, EventSpec, Incident};
use oncall::fakes::people::slack_event;
use oncall::fakes::{BEARER_TOKEN, Fakes, NOTICE_TOKEN, SIGNING_SECRET, SLACK_SIGNING_SECRET};
use oncall_relay::config::{Environment, ReminderConfig, WebhookConfig};
use oncall_relay::lambda::api_gateway;
use oncall_relay::reminder::ReminderHandler;
use oncall_relay::webhook::{Tally, WebhookHandler};
use serde_json::{Value, json};

/// A Tuesday after a holiday, within business hours.
pub(crate) const DAYTIME: &str = "2026-11-24T11:00:00+09:00";
/// The same day, after them.
pub(crate) const EVENING: &str = "2026-11-24T20:00:00+09:00";

/// The stand-ins and the settings that tests change.
pub(crate) struct World {
    pub(crate) fakes: Fakes,
    settings: HashMap<String, String>,
}

impl Deref for World {
    type Target = Fakes;

    fn deref(&self) -> &Fakes {
        &self.fakes
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let fakes = Fakes::start().await.unwrap();
        let settings = fakes.settings();
        Self { fakes, settings }
    }

    pub(crate) fn set(&mut self, variable: &str, value: &str) -> &mut Self {
        self.settings.insert(variable.to_owned(), value.to_owned());
        self
    }

    pub(crate) async fn relay(&self) -> Running<'_> {
        let config = WebhookConfig::read(&self.environment()).unwrap();
        let relay = WebhookHandler::new(config, None, instant(DAYTIME).to_utc()).await.unwrap();
        self.running(relay)
    }

    pub(crate) fn running(&self, relay: WebhookHandler) -> Running<'_> {
        Running { world: self, relay, last_tally: Mutex::default(), last_headers: Mutex::default() }
    }

    pub(crate) async fn reminders(&self) -> ReminderHandler {
        ReminderHandler::new(ReminderConfig::read(&self.environment()).unwrap()).await.unwrap()
    }

    /// Keeps the ledger in a table of DynamoDB.
    pub(crate) fn remember_in(&mut self, dynamodb: &str, table: &str) {
        self.set("LEDGER_TABLE", table).set("AWS_ENDPOINT_URL_DYNAMODB", dynamodb);
    }

    /// The settings as a function's process has them.
    pub(crate) fn environment(&self) -> Environment {
        let settings = self.settings.clone();
        Environment::new(move |name| settings.get(name).cloned(), |path| std::fs::read_to_string(path))
    }

    /// The same settings as variables.
    pub(crate) fn variables(&self) -> &HashMap<String, String> {
        &self.settings
    }

    /// The texts that the Typetalk topic got since the last look.
    pub(crate) fn topic(&self) -> Vec<String> {
        self.typetalk.take_posts().into_iter().map(|post| post.message).collect()
    }

    /// The texts that the Slack channel got since the last look.
    pub(crate) fn channel(&self) -> Vec<String> {
        self.slack.take_posts().into_iter().map(|post| post.text).collect()
    }
}

/// A relay at work in a world.
pub(crate) struct Running<'a> {
    world: &'a World,
    relay: WebhookHandler,
    last_tally: Mutex<Tally>,
    last_headers: Mutex<HeaderMap>,
}

impl Running<'_> {
    /// Sends a signed v3 delivery and returns status and body of the answer.
    pub(crate) async fn signed(&self, at: &str, body: &Value) -> (u16, Value) {
        self.signed_bytes(at, body.to_string().as_bytes()).await
    }

    pub(crate) async fn signed_bytes(&self, at: &str, body: &[u8]) -> (u16, Value) {
        let signature = pagerduty::signature(SIGNING_SECRET, body);
        self.send(at, &[("x-pagerduty-signature", &signature), ("x-webhook-id", "w-1")], body).await
    }

    /// Sends a v2 delivery with the token that its extension is configured with.
    pub(crate) async fn with_token(&self, at: &str, body: &Value) -> (u16, Value) {
        self.send(at, &[("Authorization", &format!("Bearer {BEARER_TOKEN}"))], body.to_string().as_bytes()).await
    }

    pub(crate) async fn send(&self, at: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Value) {
        self.post(at, "/pagerduty", headers, body).await
    }

    /// Sends a notice with the token that automation has.
    pub(crate) async fn notice(&self, at: &str, body: &Value) -> (u16, Value) {
        self.notice_bytes(at, body.to_string().as_bytes()).await
    }

    pub(crate) async fn notice_bytes(&self, at: &str, body: &[u8]) -> (u16, Value) {
        self.post(at, "/notice", &[("authorization", &format!("Bearer {NOTICE_TOKEN}"))], body).await
    }

    pub(crate) async fn post(&self, at: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Value) {
        self.event(at, &pagerduty::http_api_event(path, headers, body)).await
    }

    /// A header of the last answer.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.last_headers.lock().unwrap().get(name)?.to_str().ok().map(str::to_owned)
    }

    /// Sends what somebody does on Slack, signed. Every answer must come within 3 s of wall time.
    pub(crate) async fn on_slack(&self, at: &str, body: &[u8]) -> (u16, Value) {
        let started = Instant::now();
        let answer = self.event(at, &slack_event(SLACK_SIGNING_SECRET, instant(at), body)).await;
        assert!(started.elapsed() < Duration::from_secs(3), "the answer took {:?}", started.elapsed());
        answer
    }

    /// Hands over an event of API Gateway. Every answer must come within 4 s of wall time.
    pub(crate) async fn event(&self, at: &str, event: &Value) -> (u16, Value) {
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let now = instant(at).to_utc();
        let started = Instant::now();
        let (response, tally) = api_gateway::answer(&self.relay, request, now).await;
        *self.last_tally.lock().unwrap() = tally;
        self.last_headers.lock().unwrap().clone_from(response.headers());
        assert!(started.elapsed() < Duration::from_secs(4), "the answer took {:?}", started.elapsed());
        let body: &[u8] = response.body();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap() };
        (response.status().as_u16(), body)
    }

    /// The handler itself, for those who stand in for API Gateway.
    pub(crate) fn handler(&self) -> &WebhookHandler {
        &self.relay
    }

    /// What was counted for the last request.
    pub(crate) fn tally(&self) -> Tally {
        self.last_tally.lock().unwrap().clone()
    }

    pub(crate) fn topic(&self) -> Vec<String> {
        self.world.topic()
    }

    pub(crate) fn channel(&self) -> Vec<String> {
        self.world.channel()
    }
}

pub(crate) fn instant(at: &str) -> DateTime<FixedOffset> {
    at.parse().unwrap()
}

pub(crate) fn incident() -> Incident<'static> {
    Incident { id: "PINCIDENT1", number: 33, title: "応答が遅い".to_owned(), service: "Backlog" }
}

pub(crate) fn event_spec(event_id: &str, event_type: &'static str, at: &str) -> EventSpec<'static> {
    EventSpec { event_id: event_id.to_owned(), event_type, at: instant(at), agent: None }
}

/// A trigger in daytime, the plainest of all alerts.
pub(crate) fn triggered(event_id: &str) -> Value {
    triggered_at(event_id, DAYTIME)
}

pub(crate) fn triggered_at(event_id: &str, at: &str) -> Value {
    incident().v3(&event_spec(event_id, "incident.triggered", at))
}

pub(crate) fn posted(count: u32) -> (u16, Value) {
    (200, json!({"posted": count, "ignored": 0}))
}

pub(crate) fn ignored(count: u32) -> (u16, Value) {
    (200, json!({"posted": 0, "ignored": count}))
}
