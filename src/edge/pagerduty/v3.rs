//! Version 3 webhooks: one `event`, whose `data` is an incident or something that refers to one.
//!
//! Field by field after <https://developer.pagerduty.com/docs/webhooks-overview>.

use super::json::{Value, first_text, id, link, list, name, number, one, text, time, written};
use super::v2::{actor, ended, status, urgency};
use super::{Ignored, Item};
use crate::domain::event::{Actor, Event, Incident, IncidentId, Kind};

/// The events that the relay posts, by the names in which a subscription lists them.
pub const EVENTS: [&str; 14] = [
    "incident.triggered",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.resolved",
    "incident.reopened",
    "incident.reassigned",
    "incident.escalated",
    "incident.delegated",
    "incident.annotated",
    "incident.priority_updated",
    "incident.service_updated",
    "incident.status_update_published",
    "incident.responder.added",
    "incident.responder.replied",
];

pub(super) fn item(event: &Value, webhook_id: Option<&str>, index: usize) -> Item {
    let event_type = text(&event["event_type"]);
    if let Some(family) = event_type.as_deref().and_then(not_for_people) {
        return Item::Ignored(Ignored::NotForPeople { family });
    }
    let data = one(&event["data"]);
    // Only incidents come whole; everything else refers to its incident, without number and service.
    let reference = one(&data["incident"]);
    let incident = if reference.is_object() { reference } else { data };
    let is_incident = reference.is_object()
        || match data["type"].as_str() {
            Some(data_type) => data_type == "incident",
            None => event_type.as_deref().is_none_or(|name| name.starts_with("incident.")),
        };
    Item::event(Event {
        id: id(&event["id"]).or_else(|| Some(own_id(webhook_id?, index))),
        occurred_at: time(&event["occurred_at"]),
        incident: Incident {
            id: text(&incident["id"]).as_deref().filter(|_| is_incident).and_then(IncidentId::parse),
            number: number(&incident["number"]).filter(|_| is_incident),
            title: first_text(&[&incident["title"], &incident["summary"]]),
            link: link(&incident["html_url"]),
            created_at: time(&incident["created_at"]).filter(|_| is_incident),
            status: status(&incident["status"]).filter(|_| is_incident),
        },
        service: name(&incident["service"]).or_else(|| name(&data["service"])),
        urgency: urgency(&incident["urgency"]),
        actor: acted(event_type.as_deref(), event),
        kind: kind(event_type, data),
    })
}

/// The id of an event that carries none: events of one delivery must not pass for repetitions of each other.
fn own_id(webhook_id: &str, index: usize) -> String {
    if index == 0 { webhook_id.to_owned() } else { format!("{webhook_id}/{index}") }
}

/// Events that say nothing to the people on call.
fn not_for_people(event_type: &str) -> Option<&'static str> {
    const FAMILIES: [&str; 8] = [
        "service.",
        "incident.workflow.",
        "incident.task.",
        "incident.action_invocation.",
        "incident.custom_field_values.",
        "incident.conference_bridge.",
        "incident.role.",
        "incident.incident_type.",
    ];
    FAMILIES.into_iter().find(|family| event_type.starts_with(family))
}

fn kind(event_type: Option<String>, data: &Value) -> Kind {
    match event_type.as_deref() {
        Some("incident.triggered") => Kind::Triggered,
        Some("incident.acknowledged") => Kind::Acknowledged,
        Some("incident.unacknowledged") => Kind::Unacknowledged,
        Some("incident.resolved") => ended(data),
        Some("incident.reopened") => Kind::Reopened,
        Some("incident.reassigned") => Kind::Reassigned { to: names(&data["assignees"]) },
        Some("incident.escalated") => Kind::Escalated { to: names(&data["assignees"]) },
        Some("incident.delegated") => Kind::Delegated { to: names(&data["escalation_policy"]) },
        Some("incident.annotated") => Kind::Annotated { note: written(data, "content") },
        Some("incident.priority_updated") => Kind::PriorityUpdated { to: name(&data["priority"]) },
        Some("incident.service_updated") => Kind::ServiceUpdated,
        Some("incident.status_update_published") => Kind::StatusUpdated { message: written(data, "message") },
        Some("incident.responder.added") => Kind::ResponderAdded { to: asked(data), message: written(data, "message") },
        Some("incident.responder.replied") => {
            Kind::ResponderReplied { state: text(&data["state"]), message: written(data, "message") }
        }
        Some("pagey.ping") => Kind::Ping,
        _ => Kind::Unknown { event_type },
    }
}

fn names(references: &Value) -> Vec<String> {
    list(references).iter().filter_map(name).collect()
}

fn asked(responder: &Value) -> Vec<String> {
    let people = names(&responder["user"]);
    if people.is_empty() { names(&responder["escalation_policy"]) } else { people }
}

/// The agent; of an answer to a request for help, whoever was asked, if PagerDuty names no agent.
fn acted(event_type: Option<&str>, event: &Value) -> Option<Actor> {
    let replied = event_type == Some("incident.responder.replied");
    actor(&event["agent"]).or_else(|| actor(&event["data"]["user"]).filter(|_| replied))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_that_a_subscription_should_send_are_those_that_have_words_of_their_own() {
        let kinds: Vec<_> = EVENTS.iter().map(|name| kind(Some((*name).to_owned()), &Value::Null)).collect();
        assert!(kinds.iter().all(|kind| !matches!(kind, Kind::Unknown { .. })), "{kinds:?}");
        // A merge is an end; the others come with v2 alone, are asked for by hand, or are not known.
        let others = ["merged", "custom_action", "ping", "unknown", "unreadable"];
        let sent: Vec<_> = kinds.iter().map(Kind::name).chain(others).collect();
        assert!(Kind::names().iter().all(|name| sent.contains(name)), "{sent:?}");
    }
}
