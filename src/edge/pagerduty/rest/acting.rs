//! Acting on one incident: its state, a change of that, a note; and what PagerDuty's refusals mean.
//!
//! Source: <https://developer.pagerduty.com/docs/rest-api-v2/errors/>, and the methods' own pages.

use chrono::{DateTime, Utc};
use http::Method;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::{BODY_LIMIT, authorized};
use crate::config::ActingConfig;
use crate::domain::acting::{ActingFailure, IncidentNow};
use crate::domain::event::{Incident, IncidentId, Link, Status};
use crate::edge::http::{HttpClient, SendError, read_body};

/// The user and the key with which incidents are acted on.
#[derive(Debug)]
pub struct ActingClient {
    http: HttpClient,
    config: ActingConfig,
}

/// PagerDuty didn't do it, or may not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActingError {
    /// What it means for whoever wanted it.
    pub failure: ActingFailure,
    /// The same for the log, with the setting to look at.
    pub detail: String,
}

#[derive(Deserialize)]
struct Wrapped {
    incident: Whole,
}

#[derive(Deserialize)]
struct Whole {
    id: Option<String>,
    incident_number: Option<u64>,
    title: Option<String>,
    status: Option<String>,
    html_url: Option<String>,
    #[serde(default)]
    created_at: Value,
    #[serde(default)]
    service: Value,
    #[serde(default)]
    last_status_change_at: Value,
    #[serde(default)]
    last_status_change_by: Value,
    #[serde(default)]
    reopened_at: Value,
}

#[derive(Deserialize)]
struct NewNote {
    #[serde(default)]
    note: Value,
}

impl ActingClient {
    /// A client that has not called anything yet.
    #[must_use]
    pub fn new(config: ActingConfig, http: HttpClient) -> Self {
        Self { http, config }
    }

    /// The incident as it is now.
    ///
    /// # Errors
    /// If PagerDuty doesn't say by the deadline.
    pub async fn incident(&self, id: &IncidentId, deadline: Instant) -> Result<IncidentNow, ActingError> {
        let body = self.ask(Method::GET, &format!("incidents/{id}"), None, deadline).await?;
        read_incident(&body, false)
    }

    /// Brings the incident into another state, and returns it as it is then.
    ///
    /// # Errors
    /// If PagerDuty doesn't, or doesn't say so by the deadline.
    pub async fn change(&self, id: &IncidentId, status: Status, deadline: Instant) -> Result<IncidentNow, ActingError> {
        let status = match status {
            Status::Triggered => "triggered",
            Status::Acknowledged => "acknowledged",
            Status::Resolved => "resolved",
        };
        let change = json!({"incident": {"type": "incident_reference", "status": status}});
        let body = self.ask(Method::PUT, &format!("incidents/{id}"), Some(&change), deadline).await?;
        read_incident(&body, true)
    }

    /// Writes a note under the incident, and returns the id of the user who is said to have done so.
    ///
    /// # Errors
    /// If PagerDuty doesn't take it, or doesn't say so by the deadline.
    pub async fn write_note(
        &self,
        id: &IncidentId,
        text: &str,
        deadline: Instant,
    ) -> Result<Option<String>, ActingError> {
        let note = json!({"note": {"content": text}});
        let body = self.ask(Method::POST, &format!("incidents/{id}/notes"), Some(&note), deadline).await?;
        let NewNote { note } = serde_json::from_slice(&body).map_err(|_| unreadable(true))?;
        Ok(note["user"]["id"].as_str().map(str::to_owned))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        deadline: Instant,
    ) -> Result<Vec<u8>, ActingError> {
        let is_write = body.is_some();
        let asked = async {
            match self.ask_once(&method, path, body).await {
                // It was closed before the request came, most likely. A change may be done all the same: asked for
                // again, a note would be there twice, and what was resolved meanwhile would be open again.
                Err(Unanswered::Send(SendError::Broken { reused_connection: true })) if !is_write => {
                    self.ask_once(&method, path, body).await
                }
                answer => answer,
            }
        };
        let answer = timeout_at(deadline, asked).await.unwrap_or(Err(Unanswered::Send(SendError::Timeout)));
        let (status, body) = answer.map_err(|unanswered| unanswered.explain(is_write))?;
        if (200..300).contains(&status) { Ok(body) } else { Err(refusal(status, &body, is_write)) }
    }

    async fn ask_once(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<(u16, Vec<u8>), Unanswered> {
        let url = format!("{}/{path}", self.config.base_url);
        let mut request = authorized(self.http.request(method.clone(), &url), self.config.key.expose_secret());
        if let Some(body) = body {
            let json = body.to_string();
            request = request.header("from", &self.config.from).body(json);
        }
        let mut response = self.http.send(request).await.map_err(Unanswered::Send)?;
        let status = response.status().as_u16();
        match read_body(&mut response, BODY_LIMIT).await {
            Ok(body) => Ok((status, body)),
            // What refuses without a reason refuses all the same.
            Err(_) if status >= 300 => Ok((status, Vec::new())),
            Err(_) => Err(Unanswered::Body),
        }
    }
}

/// Why there is no answer to judge.
enum Unanswered {
    Send(SendError),
    Body,
}

impl Unanswered {
    fn explain(self, is_write: bool) -> ActingError {
        let (failure, why) = match self {
            Self::Send(error @ (SendError::Connect | SendError::Invalid)) => (ActingFailure::Down, error.to_string()),
            Self::Send(error) => (unfinished(is_write), error.to_string()),
            Self::Body => (unfinished(is_write), "no whole answer".to_owned()),
        };
        let detail = format!("{why}; if it lasts, check PAGERDUTY_BASE_URL and https://status.pagerduty.com");
        ActingError { failure, detail }
    }
}

/// What was only asked for changes nothing.
fn unfinished(is_write: bool) -> ActingFailure {
    if is_write { ActingFailure::Unknown } else { ActingFailure::Down }
}

fn unreadable(is_write: bool) -> ActingError {
    ActingError { failure: unfinished(is_write), detail: "an answer that is not PagerDuty's".to_owned() }
}

/// By the code in the body, or else by the status: not every gateway's refusal has a body.
fn refusal(status: u16, body: &[u8], is_write: bool) -> ActingError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = body["error"]["code"].as_u64();
    // The only reasons that are looked at; they hold nothing private, and are not logged all the same.
    let mentions_from = body["error"]["errors"].to_string().contains("From");
    let (failure, remedy) = match (status, code) {
        (_, Some(1001 | 1002)) => (ActingFailure::Done, "somebody else was quicker"),
        (_, Some(1008)) => (ActingFailure::User, "PAGERDUTY_FROM is no user's address; users sign in with theirs"),
        (400, _) if mentions_from => (ActingFailure::User, "PagerDuty misses or refuses the address in PAGERDUTY_FROM"),
        (429, _) | (_, Some(2020)) => (ActingFailure::Busy, "PagerDuty takes 960 requests a minute for a key"),
        (401, _) | (_, Some(2006)) => (ActingFailure::Key, "PagerDuty doesn't know PAGERDUTY_ACTION_KEY"),
        (403, _) | (_, Some(2010)) => (
            ActingFailure::Key,
            "PAGERDUTY_ACTION_KEY may not write, or the user of PAGERDUTY_FROM may not act on this incident",
        ),
        (402, _) | (_, Some(2014)) => (ActingFailure::Refused, "the account's plan doesn't have this"),
        (404, _) | (_, Some(2100 | 5001)) => {
            (ActingFailure::Missing, "is PAGERDUTY_ACTION_KEY of the account whose webhooks come?")
        }
        (300..=399, _) => (ActingFailure::Refused, "check PAGERDUTY_BASE_URL"),
        // It may come after the work was done.
        (500.., _) => (unfinished(is_write), "look at https://status.pagerduty.com"),
        _ => (ActingFailure::Refused, "look the code up at https://developer.pagerduty.com/docs/rest-api-v2/errors/"),
    };
    let code = code.map(|code| format!(", code {code}")).unwrap_or_default();
    ActingError { failure, detail: format!("HTTP {status}{code}; {remedy}") }
}

fn read_incident(body: &[u8], is_write: bool) -> Result<IncidentNow, ActingError> {
    let Wrapped { incident } = serde_json::from_slice(body).map_err(|_| unreadable(is_write))?;
    let status = match incident.status.as_deref() {
        Some("triggered") => Status::Triggered,
        Some("acknowledged") => Status::Acknowledged,
        Some("resolved") => Status::Resolved,
        _ => return Err(unreadable(is_write)),
    };
    let time = |value: &Value| value.as_str()?.parse::<DateTime<Utc>>().ok();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let by = &incident.last_status_change_by;
    Ok(IncidentNow {
        status,
        since: time(&incident.last_status_change_at),
        service: text(&incident.service["summary"]),
        by: text(&by["summary"]),
        by_id: text(&by["id"]),
        reopened_at: time(&incident.reopened_at),
        incident: Incident {
            id: incident.id.as_deref().and_then(IncidentId::parse),
            number: incident.incident_number,
            title: incident.title,
            link: incident.html_url.as_deref().and_then(Link::parse),
            created_at: time(&incident.created_at),
            status: None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_meaning_and_the_setting_to_look_at() {
        for (status, body, is_write, failure, setting) in [
            (400, r#"{"error":{"code":1008,"message":"Requester User Not Found"}}"#, true, ActingFailure::User, "FROM"),
            (
                400,
                r#"{"error":{"code":2001,"errors":["You must specify a From header"]}}"#,
                true,
                ActingFailure::User,
                "FROM",
            ),
            (
                400,
                r#"{"error":{"code":2001,"errors":["Content is too long"]}}"#,
                true,
                ActingFailure::Refused,
                "code 2001",
            ),
            (401, "", true, ActingFailure::Key, "PAGERDUTY_ACTION_KEY"),
            (401, r#"{"error":{"code":2006}}"#, false, ActingFailure::Key, "PAGERDUTY_ACTION_KEY"),
            (403, r#"{"error":{"code":2010}}"#, true, ActingFailure::Key, "PAGERDUTY_ACTION_KEY"),
            (403, "<html>", true, ActingFailure::Key, "PAGERDUTY_ACTION_KEY"),
            (402, r#"{"error":{"code":2014}}"#, true, ActingFailure::Refused, "plan"),
            (404, r#"{"error":{"code":2100}}"#, false, ActingFailure::Missing, "account"),
            (404, "", false, ActingFailure::Missing, "account"),
            (429, r#"{"error":{"code":2020}}"#, true, ActingFailure::Busy, "960"),
            (302, "", false, ActingFailure::Refused, "PAGERDUTY_BASE_URL"),
            (500, "", true, ActingFailure::Unknown, "status.pagerduty.com"),
            (500, "", false, ActingFailure::Down, "status.pagerduty.com"),
            (503, "", true, ActingFailure::Unknown, "status.pagerduty.com"),
            (503, "", false, ActingFailure::Down, "status.pagerduty.com"),
            (504, "", true, ActingFailure::Unknown, "status.pagerduty.com"),
            (400, r#"{"error":{"code":1001}}"#, true, ActingFailure::Done, "quicker"),
            (418, "{}", true, ActingFailure::Refused, "HTTP 418"),
        ] {
            let error = refusal(status, body.as_bytes(), is_write);
            assert_eq!(error.failure, failure, "{status} {body}");
            assert!(error.detail.contains(setting), "{status} {body}: {}", error.detail);
        }
    }

    #[test]
    fn an_incident_is_read_as_far_as_it_is_told() {
        let read_after =
            |incident: Value, is_write| read_incident(json!({ "incident": incident }).to_string().as_bytes(), is_write);
        let read = |incident: Value| read_after(incident, false);
        let least = read(json!({"status": "resolved"})).unwrap();
        assert_eq!((least.status, least.since, least.by), (Status::Resolved, None, None));
        let odd_times = json!({"status": "resolved", "created_at": 7, "last_status_change_at": "yesterday"});
        assert_eq!(read(odd_times).unwrap().incident.created_at, None);
        let whole = read(json!({
            "id": "PINC1", "incident_number": 33, "title": "t", "status": "acknowledged",
            "html_url": "https://acme.pagerduty.com/incidents/PINC1", "last_status_change_at": "2026-11-24T02:05:00Z",
            "last_status_change_by": {"id": "PUSER", "type": "user_reference", "summary": "田中"},
        }))
        .unwrap();
        assert_eq!((whole.by.as_deref(), whole.by_id.as_deref()), (Some("田中"), Some("PUSER")));
        assert!(whole.since.is_some() && whole.incident.link.is_some());
        for odd in [json!({"status": "snoozed"}), json!({}), json!(null)] {
            assert_eq!(read_after(odd.clone(), true).unwrap_err().failure, ActingFailure::Unknown);
            assert_eq!(read(odd).unwrap_err().failure, ActingFailure::Down, "a look changes nothing");
        }
    }
}
