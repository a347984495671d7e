//! The incidents of the page's story: what PagerDuty knows of each, and the webhooks that it sends about them.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::Language;
use crate::fakes::pagerduty::{EventSpec, Incident, v2, v3};

const SERVICE: &str = "Backlog";

/// An incident, as PagerDuty has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct StoryIncident {
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Triggered,
    Acknowledged,
    Resolved,
    Merged,
}

/// What happens to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Happening {
    Trigger,
    Acknowledge,
    Note,
    Escalate,
    Resolve,
    Reopen,
    Merge,
}

/// One event of an incident, as PagerDuty tells it.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) event_id: String,
    pub(super) at: DateTime<FixedOffset>,
    pub(super) happening: Happening,
    pub(super) version: Version,
    /// The note's.
    pub(super) text: &'a str,
    /// What it was merged into.
    pub(super) into: Option<&'a StoryIncident>,
    pub(super) language: Language,
}

/// Which version of webhooks PagerDuty sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Version {
    #[default]
    V3,
    V2,
}

impl StoryIncident {
    pub(super) fn id(&self) -> String {
        format!("PINC{}", self.number)
    }

    /// Its status once this has happened; none if PagerDuty has no such thing for it now.
    pub(super) fn after(&self, happening: Happening) -> Option<Status> {
        let is_open = matches!(self.status, Status::Triggered | Status::Acknowledged);
        match happening {
            Happening::Note => Some(self.status),
            Happening::Trigger | Happening::Escalate if is_open => Some(Status::Triggered),
            Happening::Acknowledge if is_open => Some(Status::Acknowledged),
            Happening::Resolve if is_open => Some(Status::Resolved),
            Happening::Merge if is_open => Some(Status::Merged),
            Happening::Reopen if self.status == Status::Resolved => Some(Status::Triggered),
            _ => None,
        }
    }

    /// The body of the webhook about it.
    pub(super) fn webhook(&self, told: &Told<'_>) -> Value {
        let Told { at, happening, version, .. } = *told;
        let id = self.id();
        let incident = Incident { id: &id, number: self.number, title: self.title.clone(), service: SERVICE };
        let agent = (happening != Happening::Trigger).then_some(agent(told.language));
        let spec = EventSpec { event_id: told.event_id.clone(), event_type: happening.event_type(version), at, agent };
        match version {
            Version::V3 if happening == Happening::Note => incident.v3_note(&spec, told.text),
            Version::V3 => {
                let mut event = incident.v3(&spec);
                self.change(&mut event["event"]["data"], told);
                event
            }
            Version::V2 => {
                let mut message = incident.v2(&spec);
                self.change(&mut message["incident"], told);
                if happening == Happening::Note {
                    message["log_entries"][0]["channel"] = json!({"type": "note", "summary": told.text});
                }
                if happening == Happening::Escalate {
                    message["log_entries"][0]["assignees"] = json!([next_level(told.language)]);
                }
                v2(&[message])
            }
        }
    }

    fn change(&self, data: &mut Value, told: &Told<'_>) {
        data["status"] = match self.status {
            // To PagerDuty a merged incident is a resolved one with a reason.
            Status::Merged => json!(Status::Resolved),
            status => json!(status),
        };
        if told.happening == Happening::Escalate {
            data["assignees"] = json!([next_level(told.language)]);
        }
        if let Some(into) = told.into {
            let reference = json!({
                "id": into.id(), "type": "incident_reference", "summary": into.title, "number": into.number,
                "html_url": format!("https://acme.pagerduty.com/incidents/{}", into.id()),
            });
            data["resolve_reason"] = json!({"type": "merge_resolve_reason", "incident": reference});
        }
    }
}

/// Whoever acts in PagerDuty.
pub(super) fn agent(language: Language) -> &'static str {
    match language {
        Language::Ja => "田中 太郎",
        Language::En => "Taro Tanaka",
    }
}

fn next_level(language: Language) -> Value {
    let name = match language {
        Language::Ja => "佐藤 花子",
        Language::En => "Hanako Sato",
    };
    json!({"id": "PNEXT", "summary": name, "type": "user_reference"})
}

/// The body of PagerDuty's test event.
pub(super) fn ping(event_id: String, at: DateTime<FixedOffset>) -> Value {
    let spec = EventSpec { event_id, event_type: "pagey.ping", at, agent: None };
    v3(&spec, &json!({"type": "ping", "message": "Hello from your friend Pagey!"}))
}

impl Happening {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Acknowledge => "acknowledge",
            Self::Note => "note",
            Self::Escalate => "escalate",
            Self::Resolve => "resolve",
            Self::Reopen => "reopen",
            Self::Merge => "merge",
        }
    }

    fn event_type(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Trigger, Version::V3) => "incident.triggered",
            // Version 2 has no event for what is open again: PagerDuty sends a trigger.
            (Self::Trigger | Self::Reopen, Version::V2) => "incident.trigger",
            (Self::Acknowledge, Version::V3) => "incident.acknowledged",
            (Self::Acknowledge, Version::V2) => "incident.acknowledge",
            (Self::Note, Version::V3) => "incident.annotated",
            (Self::Note, Version::V2) => "incident.annotate",
            (Self::Escalate, Version::V3) => "incident.escalated",
            (Self::Escalate, Version::V2) => "incident.escalate",
            (Self::Resolve | Self::Merge, Version::V3) => "incident.resolved",
            (Self::Resolve | Self::Merge, Version::V2) => "incident.resolve",
            (Self::Reopen, Version::V3) => "incident.reopened",
        }
    }
}
