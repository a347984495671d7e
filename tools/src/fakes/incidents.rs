//! PagerDuty's REST API: `GET /incidents` with its pages and filters, and in `reads` what an account is set up like.

pub mod reads;

use std::io;
use std::sync::Mutex;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use self::reads::SetUp;
use super::server::{Fake, Received, Reply, Service, lock};

/// A running API; [`Server`](super::server::Server) says how to make it fail.
pub type RestApi = Fake<Account>;

/// What it keeps.
#[derive(Debug)]
pub struct Account {
    key: String,
    service: String,
    incidents: Mutex<Vec<Value>>,
    set_up: Mutex<SetUp>,
}

impl RestApi {
    /// Starts with an API key and the one service whose incidents it lists; there are none yet.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16, key: &str, service: &str) -> io::Result<Self> {
        // Nothing is amiss: the service has a policy, by which somebody is always on call.
        let set_up = SetUp {
            services: vec![reads::service(service, "PPOLICY")],
            oncalls: vec![reads::oncall("PPOLICY", 2, None, None)],
            ..SetUp::default()
        };
        let account = Account {
            key: key.to_owned(),
            service: service.to_owned(),
            incidents: Mutex::default(),
            set_up: Mutex::new(set_up),
        };
        let api = Self::serve(port, account).await?;
        // Faults are for the list of incidents, unless a test says otherwise.
        api.fail_only("/incidents");
        Ok(api)
    }

    /// Changes how the account is set up.
    pub fn set_up(&self, change: impl FnOnce(&mut SetUp)) {
        change(&mut lock(&self.state.set_up));
    }

    /// Opens an incident: its number, title, status and time of creation (RFC 3339).
    pub fn open(&self, number: u64, title: &str, status: &str, created_at: &str) {
        lock(&self.state.incidents).push(json!({
            "id": format!("PINC{number}"), "type": "incident", "incident_number": number, "title": title,
            "status": status, "created_at": created_at, "urgency": "high",
            "html_url": format!("https://acme.pagerduty.com/incidents/PINC{number}"),
            "service": {"id": self.state.service, "type": "service_reference", "summary": "Backlog"},
        }));
    }
}

impl Service for Account {
    fn answer(&self, request: &Received) -> Reply {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if request.method() != Method::GET {
            return refusal(StatusCode::NOT_FOUND, "Not Found");
        }
        if header("authorization") != format!("Token token={}", self.key) {
            return refusal(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        if header("accept") != "application/vnd.pagerduty+json;version=2" {
            return refusal(StatusCode::NOT_ACCEPTABLE, "Not Acceptable");
        }
        // Nowhere does the description leave it out, and nowhere but here is it wanted.
        if request.uri().path() != "/webhook_subscriptions" && header("content-type") != "application/json" {
            return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type");
        }
        if request.uri().path() != "/incidents" {
            let answer = lock(&self.set_up).answer(request);
            let unknown = || Ok(refusal(StatusCode::NOT_FOUND, "Not Found"));
            return answer.unwrap_or_else(unknown).unwrap_or_else(|why| refusal(StatusCode::BAD_REQUEST, &why));
        }
        self.list(request).unwrap_or_else(|why| refusal(StatusCode::BAD_REQUEST, &why))
    }
}

impl Account {
    fn list(&self, request: &Received) -> Result<Reply, String> {
        let (mut statuses, mut of_service, mut all_time) = (Vec::new(), false, false);
        let (mut limit, mut offset) = (25, 0);
        let number = |text: &str| text.parse::<usize>().map_err(|_| format!("no number: {text}"));
        for (name, value) in url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
            match (name.as_ref(), value.as_ref()) {
                ("statuses[]", status @ ("triggered" | "acknowledged" | "resolved")) => {
                    statuses.push(status.to_owned());
                }
                ("service_ids[]", service) => of_service |= service == self.service,
                ("date_range", "all") => all_time = true,
                ("sort_by", "created_at:asc") => {}
                ("limit", text) => limit = number(text)?.min(100),
                ("offset", text) => offset = number(text)?,
                (name, value) => return Err(format!("unknown parameter {name}={value}")),
            }
        }
        if offset + limit > 10_000 {
            return Err("Offset is too large".to_owned());
        }
        // Without `date_range=all`, PagerDuty lists the last month's only; the stand-in lists none.
        let incidents = lock(&self.incidents);
        let mut found: Vec<_> = incidents
            .iter()
            .filter(|incident| statuses.iter().any(|status| incident["status"] == *status) && of_service && all_time)
            .collect();
        found.sort_by_key(|incident| incident["created_at"].as_str().map(str::to_owned));
        let more = found.len() > offset + limit;
        let page: Vec<_> = found.into_iter().skip(offset).take(limit).collect();
        let body = json!({"incidents": page, "limit": limit, "offset": offset, "total": null, "more": more});
        Ok(Reply::json(StatusCode::OK, &body))
    }
}

fn refusal(status: StatusCode, message: &str) -> Reply {
    Reply::json(status, &json!({"error": {"message": message, "code": 2100}}))
}
