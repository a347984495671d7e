//! An incident's first message as the ledger keeps it: a short JSON, whose every text has a bound.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::acting::Presser;
use crate::domain::event::{Actor, ActorKind, Incident, IncidentId, Link, Tag, Urgency};
use crate::domain::message::{FirstMessage, Span};
use crate::domain::roster::Mention;
use crate::domain::state::{By, Phase, Standing, State};

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    incident: StoredIncident,
    service: Option<String>,
    urgency: Option<StoredUrgency>,
    found_by: Option<(StoredActor, Option<String>)>,
    state: Option<StoredState>,
    merged_into: Option<StoredIncident>,
    #[serde(default)]
    called: Vec<StoredSpan>,
    #[serde(default)]
    told: Vec<Vec<StoredSpan>>,
    #[serde(default)]
    news: Vec<Vec<StoredSpan>>,
}

#[derive(Serialize, Deserialize)]
struct StoredIncident {
    id: Option<String>,
    number: Option<u64>,
    title: Option<String>,
    link: Option<String>,
    began: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredUrgency {
    High,
    Low,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredActor {
    Person,
    Machine,
    Unknown,
}

#[derive(Serialize, Deserialize)]
struct StoredState {
    phase: usize,
    by: Option<StoredSpan>,
    /// The id and the name of whoever pressed a button.
    #[serde(default)]
    member: Option<(String, String)>,
    since: DateTime<Utc>,
    inferred: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredSpan {
    Words(String),
    Untrusted(String),
    Typetalk(String),
    Member(String),
    Group(String),
    Tag(String),
    Link(String),
}

/// The text to keep.
pub(super) fn to_json(first: &FirstMessage) -> Option<String> {
    let Standing { incident, service, urgency, found_by, state, merged_into } = &first.standing;
    serde_json::to_string(&Stored {
        incident: StoredIncident::from(incident),
        service: service.clone(),
        urgency: urgency.map(|urgency| match urgency {
            Urgency::High => StoredUrgency::High,
            Urgency::Low => StoredUrgency::Low,
        }),
        found_by: found_by.as_ref().map(|actor| (StoredActor::from(actor.kind), actor.name.clone())),
        state: state.as_ref().map(StoredState::from),
        merged_into: merged_into.as_ref().map(StoredIncident::from),
        called: spans(&first.called),
        told: lines(&first.told),
        news: lines(&first.news),
    })
    .ok()
}

/// What was kept, unless it is something that no version of the relay has kept.
pub(super) fn from_json(text: &str) -> Option<FirstMessage> {
    let stored: Stored = serde_json::from_str(text).ok()?;
    let standing = Standing {
        incident: stored.incident.read(),
        service: stored.service,
        urgency: stored.urgency.map(|urgency| match urgency {
            StoredUrgency::High => Urgency::High,
            StoredUrgency::Low => Urgency::Low,
        }),
        found_by: stored.found_by.map(|(kind, name)| Actor { id: None, name, kind: kind.read() }),
        state: stored.state.and_then(StoredState::read),
        merged_into: stored.merged_into.map(StoredIncident::read),
    };
    let line = |spans: Vec<StoredSpan>| spans.into_iter().filter_map(StoredSpan::read).collect();
    let lines = |lines: Vec<Vec<StoredSpan>>| lines.into_iter().map(line).collect();
    Some(FirstMessage { standing, called: line(stored.called), told: lines(stored.told), news: lines(stored.news) })
}

fn lines(lines: &[Vec<Span>]) -> Vec<Vec<StoredSpan>> {
    lines.iter().map(|line| spans(line)).collect()
}

fn spans(spans: &[Span]) -> Vec<StoredSpan> {
    spans.iter().map(StoredSpan::from).collect()
}

impl From<&Incident> for StoredIncident {
    fn from(incident: &Incident) -> Self {
        Self {
            id: incident.id.as_ref().map(ToString::to_string),
            number: incident.number,
            title: incident.title.clone(),
            link: incident.link.as_ref().map(ToString::to_string),
            began: incident.created_at,
        }
    }
}

impl StoredIncident {
    fn read(self) -> Incident {
        Incident {
            id: self.id.as_deref().and_then(IncidentId::parse),
            number: self.number,
            title: self.title,
            link: self.link.as_deref().and_then(Link::parse),
            created_at: self.began,
            status: None,
        }
    }
}

impl From<ActorKind> for StoredActor {
    fn from(kind: ActorKind) -> Self {
        match kind {
            ActorKind::Person => Self::Person,
            ActorKind::Machine => Self::Machine,
            ActorKind::Unknown => Self::Unknown,
        }
    }
}

impl StoredActor {
    fn read(self) -> ActorKind {
        match self {
            Self::Person => ActorKind::Person,
            Self::Machine => ActorKind::Machine,
            Self::Unknown => ActorKind::Unknown,
        }
    }
}

impl From<&State> for StoredState {
    fn from(state: &State) -> Self {
        let (by, member) = match &state.by {
            Some(By::Name(name)) => (Some(StoredSpan::Untrusted(name.clone())), None),
            Some(By::Member(Presser { id, name })) => (None, Some((id.clone(), name.clone()))),
            None => (None, None),
        };
        Self { phase: state.phase as usize, by, member, since: state.since, inferred: state.is_inferred }
    }
}

impl StoredState {
    fn read(self) -> Option<State> {
        let named = self.by.and_then(StoredSpan::read).and_then(|span| match span {
            Span::Untrusted(name) => Some(By::Name(name)),
            _ => None,
        });
        let by = self.member.map(|(id, name)| By::Member(Presser { id, name })).or(named);
        let phase = *Phase::ALL.get(self.phase)?;
        Some(State { phase, by, since: self.since, is_inferred: self.inferred })
    }
}

impl From<&Span> for StoredSpan {
    fn from(span: &Span) -> Self {
        match span {
            Span::Words(words) => Self::Words(words.clone()),
            Span::Untrusted(text) => Self::Untrusted(text.clone()),
            Span::Mention(Mention::Typetalk(id)) => Self::Typetalk(id.clone()),
            Span::Mention(Mention::SlackMember(id)) => Self::Member(id.clone()),
            Span::Mention(Mention::SlackGroup(id)) => Self::Group(id.clone()),
            Span::Tag(tag) => Self::Tag(tag.to_string()),
            Span::Link(link) => Self::Link(link.to_string()),
            // No message about an incident has one.
            Span::Table(_) => Self::Words(String::new()),
        }
    }
}

impl StoredSpan {
    fn read(self) -> Option<Span> {
        Some(match self {
            Self::Words(words) => Span::Words(words),
            Self::Untrusted(text) => Span::Untrusted(text),
            Self::Typetalk(id) => Span::Mention(Mention::Typetalk(id)),
            Self::Member(id) => Span::Mention(Mention::SlackMember(id)),
            Self::Group(id) => Span::Mention(Mention::SlackGroup(id)),
            Self::Tag(tag) => Span::Tag(Tag::parse(&tag)?),
            Self::Link(link) => Span::Link(Link::parse(&link)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::chat::ChatName;
    use crate::domain::event::{Event, Kind};
    use crate::domain::message::Destination;
    use crate::domain::samples::{actor, alert, event, now};
    use crate::domain::wording::Language;

    fn begun(event: Event, cell: &str) -> FirstMessage {
        let destination = Destination { chat: ChatName::Slack, instead_of: None, in_doubt: true };
        FirstMessage::begin(&alert(event, cell), destination, Language::Japanese)
    }

    #[test]
    fn what_is_kept_comes_back() {
        for kind in Kind::every("a text") {
            let by = Some(actor(ActorKind::Machine, "Mackerel"));
            let mut first = begun(Event { actor: by, ..event(kind.clone()) }, "田中、SRE、渡辺");
            if let Some(state) = &mut first.standing.state {
                state.by = Some(By::Member(Presser::new("U0TANAKA1", "田中")));
            }
            first.standing.incident.created_at = Some(now());
            assert_eq!(from_json(&to_json(&first).unwrap()), Some(first), "{kind:?}");
        }
    }

    #[test]
    fn whatever_strangers_write_the_item_stays_small() {
        for kind in Kind::every(&"💥\"\\\n".repeat(5_000)) {
            let long = || Some("\u{10ffff}\\".repeat(20_000));
            let mut event = event(kind.clone());
            (event.incident.title, event.service) = (long(), long());
            event.actor = Some(Actor { id: None, name: long(), kind: ActorKind::Person });
            let kept = to_json(&begun(event, &"x".repeat(3_000))).unwrap();
            assert!(kept.len() <= 24 * 1024, "{kind:?}: {}", kept.len());
        }
    }

    #[test]
    fn what_no_version_has_kept_is_nothing() {
        for text in ["", "{}x", "[]", "{\"called\":7}", "{\"state\":{\"phase\":99}}"] {
            assert_eq!(from_json(text), None, "{text}");
        }
        let unknown = r#"{"state":{"phase":99,"by":null,"since":"2026-11-24T02:00:00Z","inferred":false}}"#;
        assert_eq!(from_json(unknown).map(|first| first.standing.state), Some(None));
    }
}
