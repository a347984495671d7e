//! PagerDuty's REST API: the incidents that are still open; acting on one of them; in `reads` what the check looks at.
//!
//! Source: <https://developer.pagerduty.com/api-reference/9d0b4b12e36f9-list-incidents>

mod acting;
mod reads;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout_at;

pub use acting::{ActingClient, ActingError};

use crate::budget::OPEN_INCIDENTS;
use crate::clock::Invocation;
use crate::config::IncidentsConfig;
use crate::domain::check::Unseen;
use crate::domain::event::{Incident, IncidentId, Link};
use crate::domain::reminder::{OpenIncident, OpenIncidents};
use crate::edge::http::{HttpClient, read_body};
use crate::log_events;

/// Incidents on a page; PagerDuty gives no more.
pub(super) const PAGE: usize = 100;
/// `PagerDuty` pages no further than this.
pub(super) const LAST_OFFSET: usize = 10_000;
/// A page of a hundred incidents has some 500 KiB.
const BODY_LIMIT: usize = 8 << 20;

/// The services whose incidents are listed, and the key that may list them.
#[derive(Debug)]
pub struct RestClient {
    http: HttpClient,
    config: IncidentsConfig,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub(super) struct Page<T> {
    pub(super) incidents: Vec<T>,
    #[serde(default)]
    pub(super) more: bool,
}

#[derive(Deserialize)]
pub(super) struct Listed {
    id: Option<String>,
    incident_number: Option<u64>,
    title: Option<String>,
    pub(super) status: Option<String>,
    pub(super) created_at: Option<DateTime<Utc>>,
    html_url: Option<String>,
}

impl RestClient {
    /// A client that has not called anything yet.
    #[must_use]
    pub fn new(config: IncidentsConfig, http: HttpClient) -> Self {
        Self { http, config }
    }

    /// All open incidents, within their share of the time. A failure is logged here and costs only the list.
    pub async fn open_incidents(&self, invocation: Invocation) -> OpenIncidents {
        let deadline = invocation.within(OPEN_INCIDENTS);
        let mut incidents = Vec::new();
        loop {
            let offset = incidents.len();
            let page = timeout_at(deadline, self.page(offset))
                .await
                .unwrap_or_else(|_| Err(Unseen::Unreachable("no answer in time".to_owned())));
            match page {
                Ok(page) => {
                    let more = page.more && !page.incidents.is_empty() && offset + PAGE < LAST_OFFSET;
                    incidents.extend(page.incidents.into_iter().map(Listed::into_open));
                    if !more {
                        return OpenIncidents::listed(incidents, !page.more);
                    }
                }
                Err(why) => {
                    tracing::error!(
                        event = log_events::OPEN_INCIDENTS,
                        "PagerDuty didn't list the open incidents ({why}); \
                         check PAGERDUTY_API_KEY, PAGERDUTY_SERVICES and PAGERDUTY_BASE_URL"
                    );
                    return if offset == 0 { OpenIncidents::Unknown } else { OpenIncidents::listed(incidents, false) };
                }
            }
        }
    }

    async fn page(&self, offset: usize) -> Result<Page<Listed>, Unseen> {
        let (limit, offset) = (PAGE.to_string(), offset.to_string());
        let query = [
            ("statuses[]", "triggered"),
            ("statuses[]", "acknowledged"),
            ("date_range", "all"),
            ("sort_by", "created_at:asc"),
            ("limit", &limit),
            ("offset", &offset),
        ];
        self.list(&query).await
    }

    /// Incidents of the services.
    pub(super) async fn list<T: DeserializeOwned>(&self, query: &[(&str, &str)]) -> Result<Page<T>, Unseen> {
        let services = self.config.services.iter().map(|service| ("service_ids[]", service.as_str()));
        let query: Vec<_> = query.iter().copied().chain(services).collect();
        let body = self.get("/incidents", &query).await?;
        serde_json::from_slice(&body).map_err(|_| Unseen::Garbled)
    }

    /// Reads something.
    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>, Unseen> {
        let url = url::Url::parse_with_params(&format!("{}{path}", self.config.base_url), query)
            .map_err(|_| Unseen::Unreachable("no address".to_owned()))?;
        let request = self.http.get(url.as_str().trim_end_matches('?'));
        let request = authorized(request, self.config.key.expose_secret());
        let mut response = self.http.send(request).await.map_err(|error| Unseen::Unreachable(error.to_string()))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(Unseen::Status(status));
        }
        let body = read_body(&mut response, BODY_LIMIT).await;
        body.map_err(|_| Unseen::Unreachable("no whole answer".to_owned()))
    }
}

/// A request in the API's version, with a key.
/// PagerDuty's description wants the type of a body that isn't there, too.
fn authorized(request: reqwest::RequestBuilder, key: &str) -> reqwest::RequestBuilder {
    request
        .header("accept", "application/vnd.pagerduty+json;version=2")
        .header("content-type", "application/json")
        .header("authorization", format!("Token token={key}"))
}

impl Listed {
    fn into_open(self) -> OpenIncident {
        OpenIncident {
            acknowledged: self.status.as_deref() == Some("acknowledged"),
            since: self.created_at,
            incident: self.into_incident(),
        }
    }

    pub(super) fn into_incident(self) -> Incident {
        Incident {
            id: self.id.as_deref().and_then(IncidentId::parse),
            number: self.incident_number,
            title: self.title,
            link: self.html_url.as_deref().and_then(Link::parse),
            ..Incident::default()
        }
    }
}
