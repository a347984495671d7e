//! Every untrusted text, in every kind of event: it is printed and does nothing.

use chrono::TimeDelta;
use chrono_tz::Asia::Tokyo;

use super::effects::{
    strangers_set_nothing_off, strangers_set_nothing_off_in_a_notice, strangers_set_nothing_off_in_a_reminder,
    strangers_set_nothing_off_in_a_storm, strangers_set_nothing_off_in_a_week,
};
use super::{day, now};
use oncall_relay::domain::alert::Mentions;
use oncall_relay::domain::check::Act;
use oncall_relay::domain::event::{Actor, ActorKind, Event, Incident, IncidentId, Kind, Link, Urgency};
use oncall_relay::domain::notice::{Notice, NoticeStatus};
use oncall_relay::domain::reminder::{OpenIncident, OpenIncidents, Outlook, Reminder, ReminderKind};
use oncall_relay::domain::storm::{PastStorm, Storm};
use oncall_relay::domain::week::{Count, Frequent, Period, Report, Resolution, Week};

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
    strangers_set_nothing_off_in_a_notice(&Notice {
        status: NoticeStatus::ALL[usize::from(*choice) % 4],
        text: said,
        incident: incident.clone(),
        link: incident.link.clone(),
        source: Some(actor.clone()),
        in_doubt: true,
    });
    strangers_set_nothing_off_in_a_week(&week(&incident, &service));
    let list = incident.link.as_ref().and_then(|link| link.sibling("/incidents"));
    strangers_set_nothing_off_in_a_storm(&Storm::over(7, list.clone()));
    let mentions_in_it = mentions.clone();
    strangers_set_nothing_off_in_a_storm(&Storm {
        so_far: 21,
        before: 3,
        mentions: mentions_in_it,
        list,
        in_doubt: true,
        is_over: false,
    });
    let event = Event {
        service: Some(service),
        actor: Some(Actor { id: None, name: Some(actor), kind: ActorKind::Person }),
        incident: incident.clone(),
        ..event(kind)
    };
    strangers_set_nothing_off(&super::alert(event, mentions));
    let names = incident.title.iter().cloned().collect();
    let open = OpenIncident { incident, acknowledged: false, since: Some(now() - TimeDelta::hours(7)) };
    strangers_set_nothing_off_in_a_reminder(&Reminder {
        kind: ReminderKind::Next,
        sheet: Link::parse("https://docs.google.com/spreadsheets/d/1aB/edit"),
        outlook: Outlook { days: vec![today.clone()], is_turned: true },
        acts: vec![Act::SlackPeople(names)],
        day: today,
        manual: None,
        open: OpenIncidents::Known { oldest: vec![open], more: 0, or_more: false, link: None },
        storms: vec![PastStorm { on: now().date_naive(), incidents: 1_000 }],
        in_doubt: false,
        now: now(),
    });
}

/// A week with this incident in it, which was the longest and the most frequent.
fn week(incident: &Incident, service: &str) -> Week {
    let (until, count) = (now().with_timezone(&Tokyo), Count { all: 1, in_hours: 1 });
    let report = Report {
        count,
        open: 1,
        merged: 1,
        or_more: true,
        services: vec![(service.to_owned(), count), (service.repeat(2), count)],
        more_services: 1,
        days: vec![(until.date_naive(), count)],
        resolution: Some(Resolution {
            median: TimeDelta::minutes(23),
            longest: TimeDelta::minutes(190),
            longest_of: incident.clone(),
        }),
        titles: vec![Frequent { times: 2, last: incident.clone() }],
    };
    Week { period: Period { from: until - TimeDelta::weeks(1), until }, report: Some(report), in_doubt: true }
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
