//! People on Slack: what they press, write and ask, as Slack hands it on, signed.

use chrono::{DateTime, FixedOffset};
use ring::hmac;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::pagerduty::http_api_event;

/// Somebody on Slack.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// The member's id.
    pub id: &'static str,
    /// What Slack calls them.
    pub name: &'static str,
}

/// A button under a message.
#[derive(Debug, Clone)]
pub struct Button<'a> {
    /// `acknowledge`, `resolve` or `note`.
    pub action: &'a str,
    /// What it stands for.
    pub value: &'a str,
    /// The message's channel.
    pub channel: &'a str,
    /// The message's id.
    pub ts: &'a str,
    /// The message's text.
    pub text: &'a str,
}

impl Person {
    /// The payload of a press; `press` is its number, which makes its time, its trigger and where it can be answered.
    #[must_use]
    pub fn press(&self, button: &Button<'_>, press: u64, slack: &str) -> Value {
        json!({
            "type": "block_actions", "team": {"id": "T0ACME", "domain": "acme"}, "api_app_id": "A0RELAY",
            "token": "an-old-token", "user": {"id": self.id, "username": self.name, "team_id": "T0ACME"},
            "trigger_id": format!("{press}.trigger"),
            "container": {"type": "message_attachment", "message_ts": button.ts, "attachment_id": 1,
                "channel_id": button.channel, "is_ephemeral": false},
            "channel": {"id": button.channel, "name": "alerts"},
            "message": {"type": "message", "bot_id": "B0RELAY", "ts": button.ts, "text": button.text},
            "state": {"values": {}}, "response_url": format!("{slack}/actions/T0ACME/{press}"),
            "actions": [{"action_id": button.action, "block_id": "b", "type": "button", "value": button.value,
                "text": {"type": "plain_text", "text": button.action}, "action_ts": format!("1795485900.{press:06}")}],
        })
    }

    /// The payload of a modal that is sent off, with a text in its one field.
    #[must_use]
    pub fn submit(&self, view: &Value, text: &str) -> Value {
        let mut view = view.clone();
        let input = json!({"type": "plain_text_input", "value": text});
        view["state"] = json!({"values": {"note": {"text": input}}});
        json!({
            "type": "view_submission", "team": {"id": "T0ACME"}, "user": {"id": self.id, "name": self.name},
            "api_app_id": "A0RELAY", "token": "an-old-token", "trigger_id": "0.submitted", "view": view,
            "response_urls": [],
        })
    }

    /// The fields of a command.
    #[must_use]
    pub fn ask(&self, command: &str, slack: &str) -> Vec<u8> {
        let response_url = format!("{slack}/commands/T0ACME/1");
        form(&[
            ("token", "an-old-token"),
            ("team_id", "T0ACME"),
            ("channel_id", "C0ALERTS"),
            ("user_id", self.id),
            ("user_name", self.name),
            ("command", command),
            ("text", ""),
            ("response_url", &response_url),
            ("trigger_id", "1.command"),
        ])
    }
}

/// The body of an interaction.
#[must_use]
pub fn payload(payload: &Value) -> Vec<u8> {
    form(&[("payload", &payload.to_string())])
}

/// A body of fields.
#[must_use]
pub fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
}

/// Slack's signature of a body.
#[must_use]
pub fn signature(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let signed = [b"v0:", timestamp.as_bytes(), b":", body].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), &signed);
    format!("v0={}", hex::encode(tag))
}

/// A request of Slack's as API Gateway hands it to a function.
#[must_use]
pub fn slack_event(secret: &str, at: DateTime<FixedOffset>, body: &[u8]) -> Value {
    let timestamp = at.timestamp().to_string();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-slack-request-timestamp", timestamp.as_str()),
        ("x-slack-signature", &signature(secret, &timestamp, body)),
    ];
    http_api_event("/slack", &headers, body)
}
