//! PagerDuty as a sender: webhook bodies of both versions, signed, in API Gateway's envelope.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, FixedOffset};
use ring::hmac;
use serde_json::{Value, json};

/// An incident of which events can be made.
#[derive(Debug, Clone)]
pub struct Incident<'a> {
    /// PagerDuty's id.
    pub id: &'a str,
    /// The number that people say.
    pub number: u64,
    /// The title, as it was written.
    pub title: String,
    /// The service's name.
    pub service: &'a str,
}

/// What happens to an incident, when, and by whom.
#[derive(Debug, Clone)]
pub struct EventSpec<'a> {
    /// The event's own id.
    pub event_id: String,
    /// Its type, in the words of its version.
    pub event_type: &'a str,
    /// When.
    pub at: DateTime<FixedOffset>,
    /// Who did it.
    pub agent: Option<&'a str>,
}

impl Incident<'_> {
    /// A v3 event whose data is the incident.
    #[must_use]
    pub fn v3(&self, event_spec: &EventSpec) -> Value {
        let data = json!({
            "id": self.id, "type": "incident", "self": format!("https://api.pagerduty.com/incidents/{}", self.id),
            "html_url": self.url(), "number": self.number, "status": "triggered", "incident_key": null,
            "created_at": event_spec.at.to_rfc3339(), "title": self.title,
            "service": {"id": "PSERVICE", "summary": self.service, "type": "service_reference"},
            "assignees": [{"id": "PDUMMY", "summary": "Daytime Dummy", "type": "user_reference"}],
            "escalation_policy": {"id": "PPOLICY", "summary": "Developers daytime", "type": "escalation_policy_reference"},
            "teams": [], "priority": null, "urgency": "high", "conference_bridge": null, "resolve_reason": null,
        });
        v3(event_spec, &data)
    }

    /// A v3 note: of its incident it knows neither number nor service.
    #[must_use]
    pub fn v3_note(&self, event_spec: &EventSpec, content: &str) -> Value {
        let reference =
            json!({"id": self.id, "type": "incident_reference", "html_url": self.url(), "summary": self.title});
        v3(
            event_spec,
            &json!({"type": "incident_note", "id": "PNOTE", "incident": reference, "content": content, "trimmed": false}),
        )
    }

    /// A v2 message; [`v2`] puts several into one delivery.
    #[must_use]
    pub fn v2(&self, event_spec: &EventSpec) -> Value {
        let agent = event_spec.agent.map(|name| json!({"id": "PUSER", "type": "user_reference", "summary": name}));
        json!({
            "id": event_spec.event_id, "event": event_spec.event_type, "created_on": event_spec.at.to_rfc3339(),
            "log_entries": [{"type": "log_entry", "agent": agent, "channel": {"type": "website"}, "assignees": []}],
            "webhook": {"endpoint_url": "https://relay.example/pagerduty", "config": {}},
            "incident": {
                "id": self.id, "incident_number": self.number, "title": self.title, "description": self.title,
                "summary": format!("[#{}] {}", self.number, self.title), "html_url": self.url(), "urgency": "high",
                "service": {"id": "PSERVICE", "name": self.service, "summary": self.service},
                "assignments": [{"assignee": {"id": "PDUMMY", "summary": "Daytime Dummy"}}],
            },
        })
    }

    fn url(&self) -> String {
        format!("https://acme.pagerduty.com/incidents/{}", self.id)
    }
}

/// A v3 delivery with any data.
#[must_use]
pub fn v3(event_spec: &EventSpec, data: &Value) -> Value {
    let agent = event_spec.agent.map(|name| json!({"id": "PUSER", "type": "user_reference", "summary": name}));
    json!({"event": {
        "id": event_spec.event_id, "event_type": event_spec.event_type, "resource_type": "incident",
        "occurred_at": event_spec.at.to_rfc3339(), "agent": agent, "client": null, "data": data,
    }})
}

/// A v2 delivery.
#[must_use]
pub fn v2(messages: &[Value]) -> Value {
    json!({ "messages": messages })
}

/// PagerDuty's signature of a body.
#[must_use]
pub fn signature(secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    format!("v1={}", hex::encode(tag))
}

/// A delivery as API Gateway's HTTP API hands it to a function (payload 2.0).
#[must_use]
pub fn http_api_event(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
    let headers: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| ((*name).to_lowercase(), json!(value))).collect();
    let text = std::str::from_utf8(body).ok();
    // What has no route of its own comes by the one for everything else.
    let route = match path {
        "/pagerduty" => "POST /pagerduty",
        "/slack" => "POST /slack",
        _ => "$default",
    };
    json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": {
            "accountId": "123456789012", "apiId": "api", "domainName": "api.execute-api.ap-northeast-1.amazonaws.com",
            "domainPrefix": "api", "requestId": "request", "routeKey": route, "stage": "$default",
            "time": "24/Nov/2026:02:00:00 +0000", "timeEpoch": 1_795_485_600_000_i64,
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "PagerDuty-Webhook/V3.0"},
        },
        "body": text.map_or_else(|| STANDARD.encode(body), str::to_owned),
        "isBase64Encoded": text.is_none(),
    })
}
