//! What of PagerDuty's REST API only reads an account's set-up: abilities, subscriptions, extensions, services, times
//! on call; in pages, with the parameters that PagerDuty's own description allows.

use http::StatusCode;
use serde_json::{Value, json};

use super::refusal;
use crate::fakes::server::{Received, Reply};

/// The lists of an account, as PagerDuty writes them.
#[derive(Debug, Default)]
pub struct SetUp {
    /// `webhook_subscription` objects.
    pub subscriptions: Vec<Value>,
    /// `extension` objects.
    pub extensions: Vec<Value>,
    /// `service` objects, with their policies whole.
    pub services: Vec<Value>,
    /// `oncall` objects.
    pub oncalls: Vec<Value>,
    /// Paths that the key may not read.
    pub forbidden: Vec<&'static str>,
}

/// A subscription to all that the relay posts, for the whole account.
#[must_use]
pub fn subscription(id: &str, url: &str) -> Value {
    json!({
        "id": id, "type": "webhook_subscription", "active": true, "description": "oncall-relay",
        "delivery_method": {
            "id": "PDELIVERY", "type": "http_delivery_method", "url": url, "secret": null,
            "temporarily_disabled": false, "custom_headers": [{"name": "X-Relay", "value": "-- redacted --"}],
        },
        "events": oncall_relay::edge::pagerduty::EVENTS, "filter": {"type": "account_reference"},
    })
}

/// A v2 extension for some services.
#[must_use]
pub fn extension(id: &str, url: &str, services: &[&str]) -> Value {
    let reference = |service: &&str| json!({"id": service, "type": "service_reference"});
    json!({
        "id": id, "type": "extension", "name": "Generic V2 Webhook", "summary": "Generic V2 Webhook",
        "endpoint_url": url, "temporarily_disabled": false,
        "extension_schema": {"id": "PJFWPEP", "type": "extension_schema_reference"},
        "extension_objects": services.iter().map(reference).collect::<Vec<_>>(),
        "config": {"headers": [{"name": "Authorization", "value": "Bearer planted-in-an-extension"}]},
    })
}

/// A service of a team, whose policy's first level has half an hour.
#[must_use]
pub fn service(id: &str, policy: &str) -> Value {
    json!({
        "id": id, "type": "service", "name": "Backlog", "summary": "Backlog", "status": "active",
        "acknowledgement_timeout": null, "auto_resolve_timeout": null,
        "teams": [{"id": "PTEAM", "type": "team_reference"}],
        "escalation_policy": {
            "id": policy, "type": "escalation_policy", "name": "Relay", "num_loops": 0,
            "escalation_rules": [
                {"id": "PRULE1", "escalation_delay_in_minutes": 30,
                 "targets": [{"id": "PSCHEDULE", "type": "schedule_reference"}]},
                {"id": "PRULE2", "escalation_delay_in_minutes": 30,
                 "targets": [{"id": "PUSER", "type": "user_reference"}]},
            ],
        },
    })
}

/// Somebody's time on call; always, if it has neither beginning nor end.
#[must_use]
pub fn oncall(policy: &str, level: u32, start: Option<&str>, end: Option<&str>) -> Value {
    let schedule = start.map(|_| json!({"id": "PSCHEDULE", "type": "schedule_reference", "summary": "Weekdays"}));
    json!({
        "escalation_policy": {"id": policy, "type": "escalation_policy_reference"}, "escalation_level": level,
        "user": {"id": "PUSER", "type": "user_reference", "summary": "田中 太郎"}, "schedule": schedule,
        "start": start, "end": end,
    })
}

impl SetUp {
    pub(super) fn answer(&self, request: &Received) -> Option<Result<Reply, String>> {
        let path = request.uri().path();
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
        if self.forbidden.iter().any(|forbidden| path.starts_with(forbidden)) {
            return Some(Ok(refusal(StatusCode::FORBIDDEN, 2010, "Access Denied")));
        }
        Some(match path {
            "/abilities" => Ok(ok(&json!({"abilities": ["sso", "teams"]}))),
            "/webhook_subscriptions" => page("webhook_subscriptions", self.subscriptions.iter(), &query, &[]),
            "/extensions" => page("extensions", self.extensions.iter(), &query, &[]),
            "/oncalls" => {
                let wanted: Vec<_> =
                    query.iter().filter(|(name, _)| name == "escalation_policy_ids[]").map(|(_, id)| id).collect();
                let of = |oncall: &&Value| wanted.iter().any(|id| oncall["escalation_policy"]["id"] == **id);
                let parameters = ["escalation_policy_ids[]", "since", "until"];
                page("oncalls", self.oncalls.iter().filter(of), &query, &parameters)
            }
            path => {
                let id = path.strip_prefix("/services/")?;
                let found = self.services.iter().find(|service| service["id"] == id);
                let whole = query.iter().any(|(name, value)| name == "include[]" && value == "escalation_policies");
                Ok(found.map_or_else(
                    || refusal(StatusCode::NOT_FOUND, 2100, "Not Found"),
                    |service| {
                        let mut service = service.clone();
                        if !whole {
                            let id = service["escalation_policy"]["id"].take();
                            service["escalation_policy"] = json!({"id": id, "type": "escalation_policy_reference"});
                        }
                        ok(&json!({"service": service}))
                    },
                ))
            }
        })
    }
}

fn ok(body: &Value) -> Reply {
    Reply::json(StatusCode::OK, body)
}

/// A page of a list. A parameter that nobody knows is refused.
fn page<'a>(
    name: &str,
    items: impl Iterator<Item = &'a Value>,
    query: &[(String, String)],
    parameters: &[&str],
) -> Result<Reply, String> {
    let (mut limit, mut offset) = (25_usize, 0_usize);
    for (name, value) in query {
        let number = || value.parse::<usize>().map_err(|_| format!("no number: {value}"));
        match name.as_str() {
            "limit" => limit = number()?.min(100),
            "offset" => offset = number()?,
            name if parameters.contains(&name) => {}
            name => return Err(format!("unknown parameter {name}={value}")),
        }
    }
    let items: Vec<_> = items.collect();
    let more = items.len() > offset + limit;
    let page: Vec<_> = items.into_iter().skip(offset).take(limit).collect();
    Ok(ok(&json!({name: page, "limit": limit, "offset": offset, "total": null, "more": more})))
}
