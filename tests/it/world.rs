//! The world around a relay: stand-ins, settings, a sender, and a clock that only tests move.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset};
use oncall_relay::config::{Config, Surroundings};
use oncall_relay::edge::gateway;
use oncall_relay::relay::Relay;
use oncall_relay::stand_ins::google::{Google, SPREADSHEET_ID};
use oncall_relay::stand_ins::pagerduty::{self, Happening, Incident};
use oncall_relay::stand_ins::slack::Slack;
use oncall_relay::stand_ins::typetalk::Typetalk;
use serde_json::{Value, json};

pub(crate) const SIGNING_SECRET: &str = "signing-secret-of-the-test";
pub(crate) const TOKEN: &str = "bearer-token-of-the-test";
/// A Tuesday after a holiday, within business hours.
pub(crate) const DAYTIME: &str = "2026-11-24T11:00:00+09:00";
/// The same day, after them.
pub(crate) const EVENING: &str = "2026-11-24T20:00:00+09:00";

/// Two chats, a sheet with people for a few days, and settings that fit together.
pub(crate) struct World {
    pub(crate) google: Google,
    pub(crate) typetalk: Typetalk,
    pub(crate) slack: Slack,
    variables: HashMap<&'static str, String>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let google = Google::start(0).await.unwrap();
        let typetalk = Typetalk::start(0, &[(11, "typetalk-token")]).await.unwrap();
        let slack = Slack::start(0, "xoxb-token", &["C0ALERTS"]).await.unwrap();
        google.write(
            "当番表",
            &[
                &["日付", "担当"],
                &["2026-11-24", "田中、suzuki"],
                &["2026-11-25", "佐藤 花子"],
                &["2026-11-26", "なし"],
            ],
        );
        google.write(
            "メンバー",
            &[
                &["名前", "Typetalk", "Slack"],
                &["田中", "tanaka", "U0TANAKA1"],
                &["suzuki", "suzuki-k", "U0SUZUKI1"],
                &["佐藤 花子", "sato", "U0SATO001"],
                &["SRE", "sre-team", "S0SRETEAM"],
            ],
        );
        let variables = HashMap::from([
            ("CHATS", "typetalk,slack".to_owned()),
            ("TYPETALK_ALERT_TOPIC", "11".to_owned()),
            ("TYPETALK_ALERT_TOKEN", "typetalk-token".to_owned()),
            ("TYPETALK_BASE_URL", typetalk.url()),
            ("SLACK_TOKEN", "xoxb-token".to_owned()),
            ("SLACK_ALERT_CHANNEL", "C0ALERTS".to_owned()),
            ("SLACK_BASE_URL", slack.url()),
            ("SPREADSHEET_ID", SPREADSHEET_ID.to_owned()),
            ("MEMBERS_RANGE", "メンバー!A:C".to_owned()),
            ("GOOGLE_CREDENTIALS", google.credentials()),
            ("SHEETS_BASE_URL", google.url()),
            ("PAGERDUTY_SIGNING_SECRETS", format!("an-older-secret,{SIGNING_SECRET}")),
            ("PAGERDUTY_TOKENS", TOKEN.to_owned()),
            ("FALLBACK_MENTIONS", "SRE".to_owned()),
        ]);
        Self { google, typetalk, slack, variables }
    }

    pub(crate) fn set(&mut self, variable: &'static str, value: &str) -> &mut Self {
        self.variables.insert(variable, value.to_owned());
        self
    }

    pub(crate) async fn relay(&self) -> Running<'_> {
        let surroundings = Surroundings {
            variable: &|name| self.variables.get(name).cloned(),
            file: &|path| std::fs::read_to_string(path),
        };
        let config = Config::for_webhook(&surroundings).unwrap();
        Running { world: self, relay: Relay::open(config).await.unwrap() }
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
    pub(crate) world: &'a World,
    relay: Relay,
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
        self.send(at, &[("Authorization", &format!("Bearer {TOKEN}"))], body.to_string().as_bytes()).await
    }

    pub(crate) async fn send(&self, at: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Value) {
        self.event(at, &pagerduty::http_api_event("/pagerduty", headers, body)).await
    }

    /// Hands over an event of API Gateway. Every answer must come within 4 s of wall time.
    pub(crate) async fn event(&self, at: &str, event: &Value) -> (u16, Value) {
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let now = instant(at).to_utc();
        let started = Instant::now();
        let response = gateway::answer(&self.relay, request, now).await;
        assert!(started.elapsed() < Duration::from_secs(4), "the answer took {:?}", started.elapsed());
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
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

pub(crate) fn incident() -> Incident {
    Incident { id: "PINCIDENT1", number: 33, title: "応答が遅い".to_owned(), service: "Backlog" }
}

pub(crate) fn happening(event_id: &str, event_type: &'static str, at: &str) -> Happening {
    Happening { event_id: event_id.to_owned(), event_type, at: instant(at), agent: None }
}

/// A trigger in daytime, the plainest of all alerts.
pub(crate) fn triggered(event_id: &str) -> Value {
    incident().v3(&happening(event_id, "incident.triggered", DAYTIME))
}

pub(crate) fn posted(count: u32) -> (u16, Value) {
    (200, json!({"posted": count, "ignored": 0}))
}

pub(crate) fn ignored(count: u32) -> (u16, Value) {
    (200, json!({"posted": 0, "ignored": count}))
}
