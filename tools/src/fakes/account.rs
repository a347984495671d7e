//! A PagerDuty account as its REST API shows it to an operator: services, webhook subscriptions, extensions, schedules,
//! policies. A subscription's ping really sends a signed event.

use std::io;
use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use oncall_relay::edge::http::HttpClient;
use serde_json::{Value, json};

use super::arrangement;
use super::pagerduty::signature;
use super::server::{Fake, Received, Reply, Service, lock};

/// The key that may do everything.
pub const ADMIN_KEY: &str = "u+stand-in-admin-key";
/// The key that may only read.
pub const READ_ONLY_KEY: &str = "u+stand-in-read-only";

/// A running account; [`Server`](super::server::Server) says how to make it fail.
pub type PagerDutyAccount = Fake<Account>;

/// What it has.
#[derive(Debug, Default)]
pub struct Account {
    pub(super) things: Mutex<Things>,
    delivered: Arc<Mutex<Vec<u16>>>,
}

/// Everything in it, as the API lists it.
#[derive(Debug, Default)]
pub(super) struct Things {
    pub(super) services: Vec<Value>,
    pub(super) users: Vec<Value>,
    pub(super) schedules: Vec<Value>,
    pub(super) policies: Vec<Value>,
    subscriptions: Vec<Value>,
    secrets: Vec<(String, String)>,
    extensions: Vec<Value>,
    made: usize,
}

impl Things {
    pub(super) fn new_id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("P{kind}{}", self.made)
    }
}

impl PagerDutyAccount {
    /// Starts with one service, `PSERVICE`, and two users.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16) -> io::Result<Self> {
        let things = Things {
            services: vec![json!({
                "id": "PSERVICE", "type": "service", "name": "Backlog", "summary": "Backlog",
                "escalation_policy": {"id": "PDEFAULT", "type": "escalation_policy_reference", "summary": "Default"},
            })],
            users: vec![
                json!({"id": "PDUMMY", "type": "user", "name": "Daytime Dummy", "email": "dummy@example.com"}),
                json!({"id": "PSRE", "type": "user", "name": "SRE", "email": "sre@example.com"}),
            ],
            ..Things::default()
        };
        Self::serve(port, Account { things: things.into(), ..Account::default() }).await
    }

    /// Adds a subscription as somebody else would have made it; its secret is known to nobody here.
    pub fn add_subscription(&self, subscription: Value) {
        lock(&self.state.things).subscriptions.push(subscription);
    }

    /// Adds a service of a team.
    pub fn add_service(&self, id: &str, team: &str) {
        lock(&self.state.things).services.push(json!({
            "id": id, "type": "service", "name": id, "summary": id,
            "teams": [{"id": team, "type": "team_reference"}],
            "escalation_policy": {"id": "PDEFAULT", "type": "escalation_policy_reference", "summary": "Default"},
        }));
    }

    /// The ids of all extensions.
    #[must_use]
    pub fn extensions(&self) -> Vec<String> {
        let things = lock(&self.state.things);
        things.extensions.iter().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect()
    }

    /// Adds a v2 extension.
    pub fn add_extension(&self, id: &str, url: &str, services: &[&str]) {
        let reference = |id: &&str| json!({"id": id, "type": "service_reference"});
        let objects: Vec<_> = services.iter().map(reference).collect();
        lock(&self.state.things).extensions.push(json!({
            "id": id, "type": "extension", "name": "chat relay", "endpoint_url": url,
            "extension_objects": objects,
            "extension_schema": {"id": "PJFWPEP", "type": "extension_schema_reference"},
        }));
    }

    /// All subscriptions, without their secrets.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Value> {
        lock(&self.state.things).subscriptions.clone()
    }

    /// All schedules and policies.
    #[must_use]
    pub fn arrangement(&self) -> (Vec<Value>, Vec<Value>) {
        let things = lock(&self.state.things);
        (things.schedules.clone(), things.policies.clone())
    }

    /// Gives a schedule another name.
    pub fn rename_schedule(&self, id: &str, name: &str) {
        lock(&self.state.things)
            .schedules
            .iter_mut()
            .filter(|one| one["id"] == id)
            .for_each(|one| one["name"] = json!(name));
    }

    /// The secret of a subscription, which `PagerDuty` signs with.
    #[must_use]
    pub fn secret(&self, id: &str) -> Option<String> {
        lock(&self.state.things).secrets.iter().find(|(known, _)| known == id).map(|(_, secret)| secret.clone())
    }

    /// The policy of a service, by its id.
    #[must_use]
    pub fn policy_of(&self, service: &str) -> String {
        let things = lock(&self.state.things);
        let service = things.services.iter().find(|one| one["id"] == service);
        service.and_then(|one| one["escalation_policy"]["id"].as_str()).unwrap_or_default().to_owned()
    }

    /// Switches a subscription off, or disables it as after three refusals.
    pub fn spoil(&self, id: &str, field: &str) {
        for subscription in lock(&self.state.things).subscriptions.iter_mut().filter(|one| one["id"] == id) {
            match field {
                "disabled" => subscription["delivery_method"]["temporarily_disabled"] = json!(true),
                "events" => subscription["events"] = json!(["incident.triggered"]),
                _ => subscription["active"] = json!(false),
            }
        }
    }

    /// What the address answered to the test events so far.
    #[must_use]
    pub fn delivered(&self) -> Vec<u16> {
        lock(&self.state.delivered).clone()
    }
}

impl Service for Account {
    fn answer(&self, request: &Received) -> Reply {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let key = header("authorization").strip_prefix("Token token=").unwrap_or_default();
        if ![ADMIN_KEY, READ_ONLY_KEY].contains(&key) {
            return refusal(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        if header("accept") != "application/vnd.pagerduty+json;version=2" {
            return refusal(StatusCode::NOT_ACCEPTABLE, "Not Acceptable");
        }
        if request.method() != Method::GET && key == READ_ONLY_KEY {
            return refusal(StatusCode::FORBIDDEN, "Access Denied");
        }
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        if !request.body().is_empty() && header("content-type") != "application/json" {
            return refusal(StatusCode::BAD_REQUEST, "Invalid Content-Type");
        }
        let path: Vec<_> = request.uri().path().trim_matches('/').split('/').collect();
        let method = request.method().as_str();
        let query = request.uri().query().unwrap_or_default();
        let things = &mut lock(&self.things);
        match (method, path.as_slice()) {
            ("GET", ["abilities"]) => Reply::json(StatusCode::OK, &json!({"abilities": ["teams"]})),
            ("GET", ["services"]) => list("services", &things.services),
            ("GET", ["services", id]) => one("service", &things.services, id),
            ("GET", ["webhook_subscriptions"]) => list("webhook_subscriptions", &things.subscriptions),
            ("POST", ["webhook_subscriptions"]) => create(things, &body),
            ("PUT", ["webhook_subscriptions", id]) => change(things, id, &body),
            ("DELETE", ["webhook_subscriptions", id]) => delete(&mut things.subscriptions, id),
            ("POST", ["webhook_subscriptions", id, "enable"]) => enable(things, id),
            ("POST", ["webhook_subscriptions", id, "ping"]) => self.ping(things, id),
            ("GET", ["extensions"]) => list("extensions", &things.extensions),
            ("DELETE", ["extensions", id]) => delete(&mut things.extensions, id),
            _ => arrangement::answer(things, method, &path, query, body),
        }
    }
}

impl Account {
    fn ping(&self, things: &Things, id: &str) -> Reply {
        let Some(subscription) = things.subscriptions.iter().find(|one| one["id"] == id) else { return not_found() };
        let url = subscription["delivery_method"]["url"].as_str().unwrap_or_default().to_owned();
        let secret = things.secrets.iter().find(|(known, _)| known == id).map(|(_, secret)| secret.clone());
        let body = json!({"event": {
            "id": format!("PING{id}"), "event_type": "pagey.ping", "resource_type": "pagey", "agent": null, "client": null,
            "occurred_at": oncall_relay::clock::now().to_rfc3339(),
            "data": {"message": "Hello from your friend Pagey!", "type": "ping"},
        }})
        .to_string();
        let delivered = Arc::clone(&self.delivered);
        tokio::spawn(async move {
            let http = HttpClient::new();
            let request = http
                .post(&url)
                .header("content-type", "application/json")
                .header("x-webhook-id", "w-ping")
                .header("x-pagerduty-signature", signature(&secret.unwrap_or_default(), body.as_bytes()))
                .body(body);
            if let Ok(response) = http.send(request).await {
                lock(&delivered).push(response.status().as_u16());
            }
        });
        Reply::json(StatusCode::ACCEPTED, &json!({}))
    }
}

fn create(things: &mut Things, body: &Value) -> Reply {
    let mut subscription = body["webhook_subscription"].clone();
    let events = subscription["events"].as_array().cloned().unwrap_or_default();
    let known = ["type", "active", "description", "delivery_method", "filter", "events"];
    let strange =
        subscription.as_object().is_none_or(|fields| fields.keys().any(|name| !known.contains(&name.as_str())));
    let filter = &subscription["filter"];
    let service = filter["id"].as_str().unwrap_or_default();
    let scope = filter["type"] == "service_reference" && things.services.iter().any(|one| one["id"] == service);
    let method = &subscription["delivery_method"];
    let address =
        method["type"] == "http_delivery_method" && method["url"].as_str().is_some_and(|url| url.starts_with("http"));
    let real = |event: &Value| event.as_str().is_some_and(|name| name.starts_with("incident."));
    if strange || !scope || !address || events.is_empty() || !events.iter().all(real) {
        return refusal(StatusCode::BAD_REQUEST, "Invalid Input Provided");
    }
    let id = things.new_id("WEBHOOK");
    let secret = format!("whsec-{id}-0123456789abcdef0123456789abcdef");
    subscription["id"] = json!(id);
    subscription["delivery_method"]["temporarily_disabled"] = json!(false);
    subscription["delivery_method"]["secret"] = Value::Null;
    things.subscriptions.push(subscription.clone());
    things.secrets.push((id, secret.clone()));
    subscription["delivery_method"]["secret"] = json!(secret);
    Reply::json(StatusCode::OK, &json!({ "webhook_subscription": subscription }))
}

fn change(things: &mut Things, id: &str, body: &Value) -> Reply {
    let Some(subscription) = things.subscriptions.iter_mut().find(|one| one["id"] == id) else { return not_found() };
    for (name, value) in body["webhook_subscription"].as_object().into_iter().flatten() {
        if !["description", "events", "filter", "active"].contains(&name.as_str()) {
            return refusal(StatusCode::BAD_REQUEST, "Invalid Input Provided");
        }
        subscription[name] = value.clone();
    }
    Reply::json(StatusCode::OK, &json!({ "webhook_subscription": subscription }))
}

fn enable(things: &mut Things, id: &str) -> Reply {
    let Some(subscription) = things.subscriptions.iter_mut().find(|one| one["id"] == id) else { return not_found() };
    subscription["delivery_method"]["temporarily_disabled"] = json!(false);
    Reply::json(StatusCode::OK, &json!({ "webhook_subscription": subscription }))
}

fn delete(list: &mut Vec<Value>, id: &str) -> Reply {
    let before = list.len();
    list.retain(|one| one["id"] != id);
    if list.len() < before { Reply::empty(StatusCode::NO_CONTENT) } else { not_found() }
}

/// All on one page.
pub(super) fn list(field: &str, all: &[Value]) -> Reply {
    Reply::json(StatusCode::OK, &json!({field: all, "limit": 100, "offset": 0, "more": false, "total": null}))
}

pub(super) fn one(field: &str, all: &[Value], id: &str) -> Reply {
    match all.iter().find(|one| one["id"] == id) {
        Some(found) => Reply::json(StatusCode::OK, &json!({ field: found })),
        None => not_found(),
    }
}

pub(super) fn not_found() -> Reply {
    refusal(StatusCode::NOT_FOUND, "Not Found")
}

pub(super) fn refusal(status: StatusCode, message: &str) -> Reply {
    Reply::json(status, &json!({"error": {"message": message, "code": 2100}}))
}
