//! Rosters, events and notices from which tests make their own.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::alert::{Alert, Delay, Mentions};
use super::event::{Actor, ActorKind, Event, Incident, IncidentId, Kind, Link, Urgency};
use super::message::{Message, Span};
use super::roster::{
    Cell, MembersTable, Mention, OnCallDay, ReadingRules, RosterState, Snapshot, SourceFailure, Table, Tables,
};
use super::state::Standing;

/// Everybody can be mentioned on both chats, but for 高橋, who is on Slack only, and 渡辺, who is on neither.
pub(crate) const MEMBERS: &[&[&str]] = &[
    &["名前", "Typetalk", "Slack"],
    &["田中", "tanaka", "U0TANAKA1"],
    &["鈴木", "suzuki-k", "U0SUZUKI1"],
    &["佐藤 花子", "sato", "W0SATO001"],
    &["高橋", "", "U0TAKAHA1"],
    &["渡辺", "-", "なし"],
    &["SRE", "sre-team", "S0SRETEAM"],
];

/// A table as text; an empty text is an empty cell.
pub(crate) fn table(first_row: usize, rows: &[&[&str]]) -> Table {
    let cell = |text: &&str| if text.is_empty() { Cell::Empty } else { Cell::Text((*text).to_owned()) };
    Table::new(first_row, rows.iter().map(|row| row.iter().map(cell).collect()).collect())
}

/// A Tuesday.
pub(crate) fn today() -> NaiveDate {
    "2026-11-24".parse().unwrap()
}

/// That day at 11:00 in Japan.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-24T02:00:00Z".parse().unwrap()
}

/// A fresh reading of a roster with these rows.
pub(crate) fn reading(rows: &[&[&str]]) -> RosterState {
    reading_of_age(rows, TimeDelta::zero(), None)
}

fn reading_of_age(rows: &[&[&str]], age: TimeDelta, failure: Option<SourceFailure>) -> RosterState {
    let tables = Tables { roster: table(1, rows), members: MembersTable::Table(table(1, MEMBERS)) };
    let (snapshot, _) = Snapshot::new(tables, &ReadingRules::default(), today(), now() - age);
    RosterState { snapshot: Some(snapshot), failure, lacks_members: false }
}

/// What a roster says today whose rows are these, read `age` ago; SRE are mentioned at last.
pub(crate) fn on_call_from(rows: &[&[&str]], age: TimeDelta, failure: Option<SourceFailure>) -> OnCallDay {
    OnCallDay::from_reading(&reading_of_age(rows, age, failure), &["SRE".to_owned()], today(), now())
}

/// What the roster says today if today's cell holds this.
pub(crate) fn on_call(cell: &str) -> OnCallDay {
    on_call_from(&[&["2026-11-24", cell]], TimeDelta::zero(), None)
}

/// A alert to the people of a cell; with an empty one, to nobody.
pub(crate) fn alert(event: Event, cell: &str) -> Alert {
    let mentions = if cell.is_empty() { Mentions::Nobody } else { Mentions::OnCall(on_call(cell)) };
    let at = now().with_timezone(&chrono_tz::Asia::Tokyo);
    Alert { standing: Standing::after(None, &event, now()), event, mentions, at, delay: None, in_doubt: false }
}

/// As late as that, on Tokyo's clock.
pub(crate) fn late_by(ago: TimeDelta) -> Delay {
    Delay { happened: (now() - ago).with_timezone(&chrono_tz::Asia::Tokyo), ago }
}

/// The spans with marks of their own: `@mention`, `#tag`, `<link>`, `«untrusted»`.
pub(crate) fn marked(message: &Message) -> String {
    let mark = |span: &Span| match span {
        Span::Words(words) => words.clone(),
        Span::Untrusted(text) => format!("«{text}»"),
        Span::Mention(Mention::Typetalk(id) | Mention::SlackMember(id) | Mention::SlackGroup(id)) => format!("@{id}"),
        Span::Tag(tag) => format!("#{tag}"),
        Span::Link(link) => format!("<{link}>"),
        Span::Table(table) => format!("{table:?}"),
    };
    let line = |line: &Vec<Span>| line.iter().map(mark).collect::<Vec<_>>().join(" ");
    message.lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Somebody or something of this name.
pub(crate) fn actor(kind: ActorKind, name: &str) -> Actor {
    Actor { id: None, name: Some(name.to_owned()), kind }
}

/// An event of which everything is known but who did it.
pub(crate) fn event(kind: Kind) -> Event {
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
