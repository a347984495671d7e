//! Presses on Slack while a service fails: each is answered in time, and none opens a resolved incident again.

use std::error::Error;
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset, SecondsFormat};

use super::Services;
use super::faults::{self, Lasting, Outcome, Row, Service, begin, end};
use super::fleet::{Fleet, Target};
use super::mentions::{Costs, Everybody, Known};
use super::sender::{Arrived, Sent, Version};
use crate::fakes::pagerduty::{EventSpec, Incident, http_api_event, signature};
use crate::fakes::people::{Button, Person, payload, slack_event};
use crate::fakes::{SIGNING_SECRET, SLACK_SIGNING_SECRET};
use oncall_relay::clock;

const ID: &str = "PPRESSED1";
const ONE: Person = Person { id: "U0TANAKA1", name: "tanaka" };
const OTHER: Person = Person { id: "U0SUZUKI1", name: "suzuki" };
/// Slack shows a warning after this.
const WITHIN: Duration = Duration::from_secs(3);

/// All rows: every fault of every service that a press needs.
#[must_use]
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for service in [Service::PagerDuty, Service::Slack, Service::Sheet, Service::DynamoDb] {
        for (name, failure) in faults::failures(service) {
            // An address with bad TLS is a refused connection for a press.
            if !matches!(failure, faults::Failure::BadTls) {
                let lasting = Lasting::ForGood;
                let (known, costs) = (Known::Nothing, Costs::Nothing);
                rows.push(Row { version: Version::V3, service, name, failure, lasting, known, costs });
            }
        }
    }
    rows
}

/// Two people take an incident on at the same time, while the service fails; somebody resolves it in PagerDuty; the
/// button is pressed once more. `out_of_order` counts how often it was open again.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn run(row: &Row, make: &Target) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
    faults::again_if_slow(|| once(row, make)).await
}

async fn once(row: &Row, make: &Target) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
    let around = Services::start().await?;
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), "slack".to_owned());
    let fleet = Fleet::start(make, 2, &settings).await?;
    let at = clock::now().fixed_offset();
    let now = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    around.fakes.incidents.set_clock(&now);
    around.fakes.incidents.open_as(ID, 33, "応答が遅い", "triggered", &now);
    alert(&fleet, at).await?;
    let shown = around.fakes.slack.shown().into_iter().next().ok_or("the incident isn't shown")?;

    let server = row.service.server(&around);
    begin(row, &around);
    let slack = around.fakes.slack.url();
    let button = Button { action: "acknowledge", value: ID, channel: &shown.channel, ts: &shown.ts, text: &shown.text };
    let press = |by: Person, number| payload(&by.press(&button, number, &slack));
    let (one, other) = (press(ONE, 1), press(OTHER, 2));
    let first = tokio::join!(answer(&fleet, &one), answer(&fleet, &other));
    around.fakes.incidents.set(ID, "resolved", "Somebody", &now);
    let stale = answer(&fleet, &press(ONE, 3)).await;
    end(row, server).await;
    let last = answer(&fleet, &press(OTHER, 4)).await;

    let answers = [first.0, first.1, stale, last];
    let reopened = around.fakes.incidents.take_done().iter().filter(|done| done.what == "reopened").count();
    let is_open = around.fakes.incidents.status(ID) != "resolved";
    let sent = Sent {
        attempts: answers.len(),
        // By 422 Slack warns whoever could not be told that nothing was done.
        undelivered: answers.iter().filter(|(status, _)| !matches!(status, Some(200 | 422))).count(),
        slowest: answers.iter().map(|(_, took)| *took).max().unwrap_or_default(),
        disabled: false,
    };
    let arrived = Arrived { out_of_order: reopened + usize::from(is_open), ..Arrived::default() };
    Ok(Outcome { sent, arrived, mentioned: Everybody::default(), calls: around.calls(), within: WITHIN })
}

async fn alert(fleet: &Fleet, at: DateTime<FixedOffset>) -> Result<(), Box<dyn Error + Send + Sync>> {
    let incident = Incident { id: ID, number: 33, title: "応答が遅い".to_owned(), service: "Backlog" };
    let spec = EventSpec { event_id: "PRESSED".to_owned(), event_type: "incident.triggered", at, agent: None };
    let body = incident.v3(&spec).to_string();
    let signature = signature(SIGNING_SECRET, body.as_bytes());
    let event = http_api_event("/pagerduty", &[("x-pagerduty-signature", &signature)], body.as_bytes());
    match fleet.invoke(&event).await {
        Some(200) => Ok(()),
        status => Err(format!("the alert was answered by {status:?}").into()),
    }
}

/// The status of a press's answer, and how long it took.
async fn answer(fleet: &Fleet, body: &[u8]) -> (Option<u16>, Duration) {
    let event = slack_event(SLACK_SIGNING_SECRET, clock::now().fixed_offset(), body);
    let started = Instant::now();
    (fleet.invoke(&event).await, started.elapsed())
}
