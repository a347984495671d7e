//! PagerDuty's REST API: lists of incidents with their pages and filters; one incident, its changes and its notes; and in
//! `reads` what an account is set up like.
//!
//! It refuses what the real one refuses, and opens a resolved incident again that is acknowledged.

pub mod reads;

use std::io;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use self::reads::SetUp;
use super::server::{Fake, Received, Reply, Service, lock};

/// A running API; [`Server`](super::server::Server) says how to make it fail.
pub type RestApi = Fake<Account>;

/// The id of the user who acts with the stand-ins' settings.
pub const ACTING_USER: &str = "PACTING";
/// What that user is called.
pub const ACTING_NAME: &str = "Daytime Dummy";

/// What it keeps.
#[derive(Debug)]
pub struct Account {
    keys: Keys,
    service: String,
    incidents: Mutex<Vec<Value>>,
    /// How many of them there may be, if there is a limit.
    kept: Mutex<Option<usize>>,
    done: Mutex<Vec<Done>>,
    clock: Mutex<String>,
    set_up: Mutex<SetUp>,
}

/// Who may do what.
#[derive(Debug, Clone)]
pub struct Keys {
    /// A key that may only read.
    pub read: String,
    /// A key that may write, too.
    pub write: String,
    /// The address of the one user there is.
    pub user: String,
}

/// Something that was done to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The incident's id.
    pub incident: String,
    /// `acknowledged`, `resolved`, `reopened` or `annotated`.
    pub what: &'static str,
    /// A note's text.
    pub note: String,
}

impl RestApi {
    /// Starts with its keys and the one service whose incidents it has; there are none yet.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16, keys: Keys, service: &str) -> io::Result<Self> {
        // Nothing is amiss: the service has a policy, by which somebody is always on call.
        let set_up = SetUp {
            services: vec![reads::service(service, "PPOLICY")],
            oncalls: vec![reads::oncall("PPOLICY", 2, None, None)],
            ..SetUp::default()
        };
        let account = Account {
            keys,
            service: service.to_owned(),
            incidents: Mutex::default(),
            kept: Mutex::default(),
            done: Mutex::default(),
            clock: Mutex::new("2026-11-24T02:05:00Z".to_owned()),
            set_up: Mutex::new(set_up),
        };
        let api = Self::serve(port, account).await?;
        // Faults are for incidents, unless a test says otherwise.
        api.fail_only("/incidents");
        Ok(api)
    }

    /// Changes how the account is set up.
    pub fn set_up(&self, change: impl FnOnce(&mut SetUp)) {
        change(&mut lock(&self.state.set_up));
    }

    /// Sets the time (RFC 3339) at which things are done from now on.
    pub fn set_clock(&self, now: &str) {
        now.clone_into(&mut lock(&self.state.clock));
    }

    /// Opens an incident: its number, title, status and time of creation (RFC 3339).
    pub fn open(&self, number: u64, title: &str, status: &str, created_at: &str) {
        self.add(number, title, status, created_at, &json!({}));
    }

    /// The same with an id of one's own choice.
    pub fn open_as(&self, id: &str, number: u64, title: &str, status: &str, created_at: &str) {
        self.add_as(id, number, title, status, created_at, &json!({}));
    }

    /// An incident that is over: its number, title, when it began and when it was resolved (RFC 3339).
    pub fn resolved(&self, number: u64, title: &str, created_at: &str, resolved_at: &str) {
        self.add(number, title, "resolved", created_at, &json!({ "resolved_at": resolved_at }));
    }

    /// An incident with other fields than usual.
    pub fn add(&self, number: u64, title: &str, status: &str, created_at: &str, fields: &Value) {
        self.add_as(&format!("PINC{number}"), number, title, status, created_at, fields);
    }

    fn add_as(&self, id: &str, number: u64, title: &str, status: &str, created_at: &str, fields: &Value) {
        let mut incident = json!({
            "id": id, "type": "incident", "incident_number": number, "title": title,
            "status": status, "created_at": created_at, "urgency": "high",
            "html_url": format!("https://acme.pagerduty.com/incidents/{id}"),
            "service": {"id": self.state.service, "type": "service_reference", "summary": "Backlog"},
            "last_status_change_at": created_at,
            "last_status_change_by": {"id": self.state.service, "type": "service_reference", "summary": "Backlog"},
        });
        for (name, value) in fields.as_object().into_iter().flatten() {
            incident[name] = value.clone();
        }
        let mut incidents = lock(&self.state.incidents);
        incidents.push(incident);
        if lock(&self.state.kept).is_some_and(|kept| incidents.len() > kept) {
            incidents.remove(0);
        }
    }

    /// Keeps no more incidents than this, so that new ones can come without end; the first are the first to go.
    pub fn keep_at_most(&self, incidents: usize) {
        *lock(&self.state.kept) = Some(incidents);
    }

    /// Changes an incident's status in PagerDuty itself, by somebody with a seat there.
    pub fn set(&self, id: &str, status: &str, by: &str, at: &str) {
        let mut incidents = lock(&self.state.incidents);
        if let Some(incident) = incidents.iter_mut().find(|incident| incident["id"] == id) {
            incident["status"] = json!(status);
            if status == "resolved" {
                incident["resolved_at"] = json!(at);
            }
            incident["last_status_change_at"] = json!(at);
            incident["last_status_change_by"] = json!({"id": "PSEAT", "type": "user_reference", "summary": by});
        }
    }

    /// An incident's status.
    #[must_use]
    pub fn status(&self, id: &str) -> String {
        let incidents = lock(&self.state.incidents);
        let incident = incidents.iter().find(|incident| incident["id"] == id);
        incident.and_then(|incident| incident["status"].as_str()).unwrap_or_default().to_owned()
    }

    /// Takes what was done through the API since the last call.
    #[must_use]
    pub fn take_done(&self) -> Vec<Done> {
        std::mem::take(&mut lock(&self.state.done))
    }
}

/// A refusal: status, PagerDuty's code, its reasons.
struct Refused(StatusCode, u64, &'static str);

const NOT_FOUND: Refused = Refused(StatusCode::NOT_FOUND, 2100, "Not Found");

impl Service for Account {
    fn answer(&self, request: &Received) -> Reply {
        self.take(request).unwrap_or_else(|Refused(status, code, why)| refusal(status, code, why))
    }
}

impl Account {
    fn take(&self, request: &Received) -> Result<Reply, Refused> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let path: Vec<_> = request.uri().path().split('/').skip(1).collect();
        let is_read = request.method() == Method::GET;
        match header("authorization").strip_prefix("Token token=") {
            Some(key) if key == self.keys.write => {}
            Some(key) if key == self.keys.read && is_read => {}
            Some(key) if key == self.keys.read => return Err(Refused(StatusCode::FORBIDDEN, 2010, "Access Denied")),
            _ => return Err(Refused(StatusCode::UNAUTHORIZED, 2006, "Unauthorized")),
        }
        if header("accept") != "application/vnd.pagerduty+json;version=2" {
            return Err(Refused(StatusCode::NOT_ACCEPTABLE, 2002, "Not Acceptable"));
        }
        // Nowhere does the description leave it out, and nowhere but here is it wanted.
        if request.uri().path() != "/webhook_subscriptions" && header("content-type") != "application/json" {
            return Err(Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, 2003, "Unsupported Media Type"));
        }
        if !is_read {
            self.check_writer(header("from"))?;
        }
        let invalid = Refused(StatusCode::BAD_REQUEST, 2001, "Invalid Input Provided");
        let body = || serde_json::from_slice::<Value>(request.body()).ok();
        match (request.method(), &path[..]) {
            (&Method::GET, ["incidents"]) => Ok(self.list(request).unwrap_or_else(|_| refuse(invalid))),
            (&Method::GET, ["incidents", id]) => self.change(id, |_| Ok(())),
            (&Method::PUT, ["incidents", id]) => {
                let change = body().ok_or(invalid)?;
                self.put(id, &change["incident"])
            }
            (&Method::POST, ["incidents", id, "notes"]) => {
                let note = body().and_then(|body| body["note"]["content"].as_str().map(str::to_owned));
                self.annotate(id, note.filter(|note| !note.is_empty()).ok_or(invalid)?)
            }
            (&Method::GET, _) => match lock(&self.set_up).answer(request) {
                Some(answer) => Ok(answer.unwrap_or_else(|_| refuse(invalid))),
                None => Err(NOT_FOUND),
            },
            _ => Err(NOT_FOUND),
        }
    }

    fn check_writer(&self, from: &str) -> Result<(), Refused> {
        let missing = "You must specify a user's email address in the \"From\" header to call this API";
        match from {
            "" => Err(Refused(StatusCode::BAD_REQUEST, 2001, missing)),
            from if from != self.keys.user => Err(Refused(StatusCode::BAD_REQUEST, 1008, "Requester User Not Found")),
            _ => Ok(()),
        }
    }

    fn put(&self, id: &str, change: &Value) -> Result<Reply, Refused> {
        let invalid = Refused(StatusCode::BAD_REQUEST, 2001, "Invalid Input Provided");
        if !matches!(change["type"].as_str(), Some("incident" | "incident_reference")) {
            return Err(invalid);
        }
        let wanted = change["status"].as_str().unwrap_or_default().to_owned();
        self.change(id, |incident| {
            let was_resolved = incident["status"] == "resolved";
            let what = match (wanted.as_str(), was_resolved) {
                ("resolved", true) => {
                    return Err(Refused(StatusCode::BAD_REQUEST, 1001, "Incident Already Resolved"));
                }
                ("resolved", false) => "resolved",
                // Since September 2025 it is open again then.
                ("acknowledged", true) => "reopened",
                ("acknowledged", false) => "acknowledged",
                _ => return Err(invalid),
            };
            incident["status"] = json!(wanted);
            if was_resolved {
                incident["reopened_at"] = json!(*lock(&self.clock));
            }
            incident["last_status_change_at"] = json!(*lock(&self.clock));
            incident["last_status_change_by"] = Self::user();
            lock(&self.done).push(Done { incident: id.to_owned(), what, note: String::new() });
            Ok(())
        })
    }

    fn annotate(&self, id: &str, note: String) -> Result<Reply, Refused> {
        self.change(id, |_| Ok(()))?;
        let body = json!({"note": {"id": "PNOTE", "user": Self::user(), "content": note}});
        lock(&self.done).push(Done { incident: id.to_owned(), what: "annotated", note });
        Ok(Reply::json(StatusCode::OK, &body))
    }

    fn user() -> Value {
        json!({"id": ACTING_USER, "type": "user_reference", "summary": ACTING_NAME})
    }

    /// Changes an incident, and shows it as it is then.
    fn change(&self, id: &str, change: impl FnOnce(&mut Value) -> Result<(), Refused>) -> Result<Reply, Refused> {
        let mut incidents = lock(&self.incidents);
        let incident = incidents.iter_mut().find(|incident| incident["id"] == id).ok_or(NOT_FOUND)?;
        change(incident)?;
        Ok(Reply::json(StatusCode::OK, &json!({ "incident": incident })))
    }

    fn list(&self, request: &Received) -> Result<Reply, String> {
        let (mut statuses, mut of_service, mut all_time) = (Vec::new(), false, false);
        let (mut since, mut until) = (None, None);
        let (mut limit, mut offset) = (25, 0);
        let time = |text: &str| text.parse::<DateTime<Utc>>().map_err(|_| format!("no time: {text}"));
        let number = |text: &str| text.parse::<usize>().map_err(|_| format!("no number: {text}"));
        for (name, value) in url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
            match (name.as_ref(), value.as_ref()) {
                ("statuses[]", status @ ("triggered" | "acknowledged" | "resolved")) => {
                    statuses.push(status.to_owned());
                }
                ("service_ids[]", service) => of_service |= service == self.service,
                ("date_range", "all") => all_time = true,
                ("since", text) => since = Some(time(text)?),
                ("until", text) => until = Some(time(text)?),
                ("sort_by", "created_at:asc") | ("time_zone", "UTC") => {}
                ("limit", text) => limit = number(text)?.min(100),
                ("offset", text) => offset = number(text)?,
                (name, value) => return Err(format!("unknown parameter {name}={value}")),
            }
        }
        if offset + limit > 10_000 {
            return Err("Offset is too large".to_owned());
        }
        if since.zip(until).is_some_and(|(since, until)| until - since > TimeDelta::days(184)) {
            return Err("The date range may not be longer than 6 months".to_owned());
        }
        // Without `date_range=all` and a range, PagerDuty lists the last month's only; the stand-in lists none.
        let is_in_range = |incident: &Value| {
            let created_at = incident["created_at"].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
            let range = since.zip(until).zip(created_at);
            all_time || range.is_some_and(|((since, until), at)| (since..=until).contains(&at))
        };
        let incidents = lock(&self.incidents);
        let mut found: Vec<_> = incidents
            .iter()
            .filter(|incident| statuses.iter().any(|status| incident["status"] == *status))
            .filter(|incident| of_service && is_in_range(incident))
            .collect();
        found.sort_by_key(|incident| incident["created_at"].as_str().map(str::to_owned));
        let more = found.len() > offset + limit;
        let page: Vec<_> = found.into_iter().skip(offset).take(limit).collect();
        let body = json!({"incidents": page, "limit": limit, "offset": offset, "total": null, "more": more});
        Ok(Reply::json(StatusCode::OK, &body))
    }
}

fn refuse(Refused(status, code, why): Refused) -> Reply {
    refusal(status, code, why)
}

fn refusal(status: StatusCode, code: u64, why: &str) -> Reply {
    Reply::json(status, &json!({"error": {"message": why, "code": code, "errors": [why]}}))
}
