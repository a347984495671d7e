//! Every untrusted text, in every kind of event: it is printed and does nothing.

use chrono::TimeDelta;

use super::effects::{strangers_set_nothing_off, strangers_set_nothing_off_in_a_reminder};
use super::{day, now};
use oncall_relay::domain::alert::Mentions;
use oncall_relay::domain::event::{Actor, ActorKind, Event, Incident, IncidentId, Kind, Link, Urgency};
use oncall_relay::domain::reminder::{OpenIncident, OpenIncidents, Reminder, ReminderKind};

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

    let kinds: Vec<_> = Kind::every(&said).collect();
    let kind = kinds[usize::from(*choice) % kinds.len()].clone();
    let today = day(&[&[&name, "", ""]], &format!("田中、{name}、SRE"));
    let mentions = match (&kind, choice % 2 == 0) {
        (Kind::Ping, _) => Mentions::Names(today.clone()),
        (_, true) => Mentions::OnCall(today.clone()),
        (_, false) => Mentions::Nobody,
    };
    let incident = Incident {
        id: IncidentId::parse(&id),
        number: (choice % 3 == 0).then_some(33),
        title: Some(title),
        link: address.split('#').next().and_then(Link::parse),
        ..Incident::default()
    };
    let event = Event {
        service: Some(service),
        actor: Some(Actor { id: None, name: Some(actor), kind: ActorKind::Person }),
        incident: incident.clone(),
        ..event(kind)
    };
    strangers_set_nothing_off(&super::alert(event, mentions));
    let open = OpenIncident { incident, acknowledged: false, since: Some(now() - TimeDelta::hours(7)) };
    strangers_set_nothing_off_in_a_reminder(&Reminder {
        kind: ReminderKind::Today,
        day: today,
        manual: None,
        open: OpenIncidents::Known { oldest: vec![open], more: 0, or_more: false, link: None },
        in_doubt: false,
        now: now(),
    });
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
            ..Incident::default()
        },
        service: Some("Backlog".to_owned()),
        urgency: Some(Urgency::High),
        actor: None,
    }
}
