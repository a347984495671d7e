//! Every text that strangers can write, in every kind of event: it is printed and does nothing.

use std::iter::successors;

use chrono::TimeDelta;

use super::effects::{strangers_set_nothing_off, strangers_set_nothing_off_in_a_reminder};
use super::{day, now};
use crate::domain::event::{Event, Incident, IncidentId, Kind, Link, Urgency};
use crate::domain::notice::{Attention, Notice};
use crate::domain::reminder::{OpenIncident, OpenIncidents, Reminder, Shift};

/// Texts with the unit separator (U+001F) between them; the first byte says which kind of event it is, and to whom.
///
/// They are: what is said, the title, the service, who did it, a name in the sheet, an address, an incident's id.
///
/// # Panics
/// If the post notifies, tags, links or formats anything but what is meant.
pub fn texts(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    let mut texts = text.split('\u{1f}').map(str::to_owned).chain(std::iter::repeat_with(String::new));
    let mut next = || texts.next().unwrap_or_default();
    let [said, title, service, actor, name, address, id] = std::array::from_fn(|_| next());

    let kinds: Vec<_> = every_kind(&said).collect();
    let kind = kinds[usize::from(*choice) % kinds.len()].clone();
    let today = day(&[&[&name, "", ""]], &format!("田中、{name}、SRE"));
    let attention = match (&kind, choice % 2 == 0) {
        (Kind::Ping, _) => Attention::Name(today.clone()),
        (_, true) => Attention::Mention(today.clone()),
        (_, false) => Attention::Quiet,
    };
    let incident = Incident {
        id: IncidentId::parse(&id),
        number: (choice % 3 == 0).then_some(33),
        title: Some(title),
        link: address.split('#').next().and_then(Link::parse),
    };
    let event = Event { service: Some(service), actor: Some(actor), incident: incident.clone(), ..event(kind) };
    strangers_set_nothing_off(&Notice { event, attention, delay: None, in_doubt: false });
    let open = OpenIncident { incident, acknowledged: false, since: Some(now() - TimeDelta::hours(7)) };
    strangers_set_nothing_off_in_a_reminder(&Reminder {
        shift: Shift::Today,
        day: today,
        manual: None,
        open: OpenIncidents::Known { oldest: vec![open], more: 0, or_more: false, link: None },
        in_doubt: false,
        now: now(),
    });
}

/// One event of every kind, with this text wherever a stranger may write one. A new kind doesn't
/// compile until it has its place here.
pub fn every_kind(text: &str) -> impl Iterator<Item = Kind> {
    let text = || text.to_owned();
    successors(Some(Kind::Triggered), move |kind| {
        Some(match kind {
            Kind::Triggered => Kind::Acknowledged,
            Kind::Acknowledged => Kind::Unacknowledged,
            Kind::Unacknowledged => Kind::Resolved,
            Kind::Resolved => Kind::Merged { into: other_incident(text()) },
            Kind::Merged { into } if into.number.is_some() => Kind::Merged { into: Incident::default() },
            Kind::Merged { .. } => Kind::Reopened,
            Kind::Reopened => Kind::Reassigned { to: vec![text()] },
            Kind::Reassigned { .. } => Kind::Escalated { to: vec![text(), text()] },
            Kind::Escalated { .. } => Kind::Delegated { to: vec![text()] },
            Kind::Delegated { .. } => Kind::Annotated { note: text() },
            Kind::Annotated { .. } => Kind::PriorityUpdated { to: Some(text()) },
            Kind::PriorityUpdated { to: Some(_) } => Kind::PriorityUpdated { to: None },
            Kind::PriorityUpdated { to: None } => Kind::ServiceUpdated,
            Kind::ServiceUpdated => Kind::StatusUpdated { message: text() },
            Kind::StatusUpdated { .. } => Kind::ResponderAdded { to: vec![text()], message: text() },
            Kind::ResponderAdded { .. } => Kind::ResponderReplied { state: Some(text()), message: text() },
            Kind::ResponderReplied { .. } => Kind::CustomAction { action: Some(text()) },
            Kind::CustomAction { .. } => Kind::Ping,
            Kind::Ping => Kind::Unknown { event_type: Some(text()) },
            Kind::Unknown { event_type: Some(_) } => Kind::Unknown { event_type: None },
            Kind::Unknown { event_type: None } => Kind::Unreadable,
            Kind::Unreadable => return None,
        })
    })
}

fn other_incident(title: String) -> Incident {
    Incident {
        id: IncidentId::parse("Q2INCIDENT"),
        number: Some(34),
        title: Some(title),
        link: Link::parse("https://acme.pagerduty.com/incidents/Q2INCIDENT"),
    }
}

/// An event of which everything is known but who did it.
#[must_use]
pub fn event(kind: Kind) -> Event {
    Event {
        id: Some("01EVENT".to_owned()),
        kind,
        occurred_at: Some(now()),
        incident: Incident {
            id: IncidentId::parse("Q1INCIDENT"),
            number: Some(33),
            title: Some("Disk is full".to_owned()),
            link: Link::parse("https://acme.pagerduty.com/incidents/Q1INCIDENT"),
        },
        service: Some("Backlog".to_owned()),
        urgency: Some(Urgency::High),
        actor: None,
    }
}
