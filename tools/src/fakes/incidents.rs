//! PagerDuty's REST API as far as `GET /incidents` goes, with its pages and filters.

use std::io;
use std::sync::Mutex;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::server::{Fake, Received, Reply, Service, lock};

/// A running API; [`Server`](super::server::Server) says how to make it fail.
pub type RestApi = Fake<Account>;

/// What it keeps.
#[derive(Debug)]
pub struct Account {
    key: String,
    service: String,
    incidents: Mutex<Vec<Value>>,
}

impl RestApi {
    /// Starts with an API key and the one service whose incidents it lists; there are none yet.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16, key: &str, service: &str) -> io::Result<Self> {
        let account = Account { key: key.to_owned(), service: service.to_owned(), incidents: Mutex::default() };
        Self::serve(port, account).await
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

    /// Changes an incident's status.
    pub fn set_status(&self, number: u64, status: &str) {
        let mut incidents = lock(&self.state.incidents);
        if let Some(incident) = incidents.iter_mut().find(|incident| incident["incident_number"] == number) {
            incident["status"] = json!(status);
        }
    }
}

impl Service for Account {
    fn answer(&self, request: &Received) -> Reply {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if request.method() != Method::GET || request.uri().path() != "/incidents" {
            return refusal(StatusCode::NOT_FOUND, "Not Found");
        }
        if header("authorization") != format!("Token token={}", self.key) {
            return refusal(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        if header("accept") != "application/vnd.pagerduty+json;version=2" {
            return refusal(StatusCode::NOT_ACCEPTABLE, "Not Acceptable");
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
