//! Version 2 webhooks: `messages[]`, each with the incident and the log entries of one event.
//!
//! Field by field after <https://developer.pagerduty.com/docs/v2-overview> and captured deliveries.

use super::json::{Value, first_text, id, link, list, name, number, one, text, time};
use super::{Ignored, Item};
use crate::domain::event::{Actor, ActorKind, Event, Incident, IncidentId, Kind, Status, Urgency};

pub(super) fn item(message: &Value, webhook_id: Option<&str>, index: usize) -> Item {
    let incident = one(&message["incident"]);
    let log_entries = list(&message["log_entries"]);
    let event_type = text(one(&message["event"]));
    if message["event"].is_null() && message["type"].is_string() && message["data"].is_object() {
        return Item::Ignored(Ignored::Version1);
    }
    if ["event", "incident", "log_entries", "created_on"].iter().all(|field| message[field].is_null()) {
        return Item::Ignored(Ignored::NoWebhook);
    }
    Item::event(Event {
        id: id(&message["id"]).or_else(|| Some(format!("{}/{index}", webhook_id?))),
        kind: kind(event_type, incident, log_entries),
        occurred_at: time(&message["created_on"])
            .or_else(|| log_entries.iter().find_map(|entry| time(&entry["created_at"]))),
        incident: Incident {
            id: text(&incident["id"]).as_deref().and_then(IncidentId::parse),
            number: number(&incident["incident_number"]),
            title: first_text(&[&incident["title"], &incident["description"], &incident["summary"]]),
            link: link(&incident["html_url"]),
            created_at: time(&incident["created_at"]),
            status: status(&incident["status"]),
        },
        service: name(&incident["service"]),
        urgency: urgency(&incident["urgency"]),
        actor: log_entries.iter().find_map(|entry| actor(&entry["agent"])),
    })
}

fn kind(event_type: Option<String>, incident: &Value, log_entries: &[Value]) -> Kind {
    match event_type.as_deref() {
        Some("incident.trigger") => Kind::Triggered,
        Some("incident.acknowledge") => Kind::Acknowledged,
        Some("incident.unacknowledge") => Kind::Unacknowledged,
        Some("incident.resolve") => ended(incident),
        Some("incident.assign") => Kind::Reassigned { to: assignees(incident, log_entries) },
        Some("incident.escalate") => Kind::Escalated { to: assignees(incident, log_entries) },
        Some("incident.delegate") => Kind::Delegated { to: delegates(incident, log_entries) },
        Some("incident.annotate") => {
            Kind::Annotated { note: from_channel(log_entries, &["content", "summary"]).unwrap_or_default() }
        }
        Some("incident.custom") => Kind::CustomAction { action: from_channel(log_entries, &["summary", "name"]) },
        _ => Kind::Unknown { event_type },
    }
}

/// Resolved, or merged into another incident.
///
/// v2 knows the word `merged`, and free text in its place; v3 an object that names the other incident.
pub(super) fn ended(incident: &Value) -> Kind {
    const MERGED: [&str; 3] = ["merged", "merge", "merge_resolve_reason"];
    let reason = one(&incident["resolve_reason"]);
    let other = one(&reason["incident"]);
    let said = reason.as_str().or_else(|| one(&reason["type"]).as_str());
    let merged = match said {
        Some(word) => MERGED.iter().any(|merged| word.trim().eq_ignore_ascii_case(merged)),
        // PagerDuty has no other reason that is an object.
        None => other.is_object(),
    };
    if !merged {
        return Kind::Resolved;
    }
    let into = Incident {
        id: first_text(&[&other["id"], other]).as_deref().and_then(IncidentId::parse),
        number: number(&other["number"]).or_else(|| number(&other["incident_number"])),
        title: first_text(&[&other["title"], &other["summary"]]),
        link: link(&other["html_url"]),
        ..Incident::default()
    };
    Kind::Merged { into }
}

/// To whom, by the log; several targets come as several log entries.
fn targets(log_entries: &[Value]) -> Vec<String> {
    log_entries.iter().flat_map(|entry| list(&entry["assignees"])).filter_map(name).collect()
}

fn assignees(incident: &Value, log_entries: &[Value]) -> Vec<String> {
    let targets = targets(log_entries);
    if !targets.is_empty() {
        return targets;
    }
    list(&incident["assignments"]).iter().filter_map(|assignment| name(&assignment["assignee"])).collect()
}

fn delegates(incident: &Value, log_entries: &[Value]) -> Vec<String> {
    let targets = targets(log_entries);
    if targets.is_empty() { name(&incident["escalation_policy"]).into_iter().collect() } else { targets }
}

fn from_channel(log_entries: &[Value], fields: &[&str]) -> Option<String> {
    log_entries.iter().find_map(|entry| fields.iter().find_map(|field| text(&entry["channel"][*field])))
}

/// Who or what acted; both versions write it alike.
pub(super) fn actor(agent: &Value) -> Option<Actor> {
    let agent = one(agent);
    let kind = match agent["type"].as_str() {
        Some(user) if user.starts_with("user") => ActorKind::Person,
        Some(other) if ["service", "integration"].iter().any(|machine| other.contains(machine)) => ActorKind::Machine,
        _ => ActorKind::Unknown,
    };
    let actor = Actor { id: id(&agent["id"]), name: name(agent), kind };
    (actor.id.is_some() || actor.name.is_some()).then_some(actor)
}

/// `triggered`, `acknowledged` or `resolved`; both versions write it alike.
pub(super) fn status(value: &Value) -> Option<Status> {
    match value.as_str()? {
        "triggered" => Some(Status::Triggered),
        "acknowledged" => Some(Status::Acknowledged),
        "resolved" => Some(Status::Resolved),
        _ => None,
    }
}

/// `high` or `low`; both versions write it alike.
pub(super) fn urgency(value: &Value) -> Option<Urgency> {
    match value.as_str()? {
        "high" => Some(Urgency::High),
        "low" => Some(Urgency::Low),
        _ => None,
    }
}
