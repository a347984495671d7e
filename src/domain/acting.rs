//! Acting on an incident from a chat: what can be done, by whom, to an incident in which state.

use chrono::{DateTime, TimeDelta, Utc};

use super::event::{Event, Incident, Kind, Status};
use super::sanitize;

/// PagerDuty tells of what was done through its API within this time, or so late that nobody asks any more.
const TOLD_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// Our clock and PagerDuty's differ by less than this.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(30);

/// What somebody can do to an incident by pressing a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Take it on.
    Acknowledge,
    /// Say that it is over.
    Resolve,
    /// Write something down.
    Note,
}

impl Action {
    /// All of them, in the order of their buttons.
    pub const ALL: [Self; 3] = [Self::Acknowledge, Self::Resolve, Self::Note];

    /// The name in buttons, records and logs.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::Note => "note",
        }
    }

    /// The action of this name.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.key() == key)
    }

    /// Whether PagerDuty has done it already, if the incident is in this state. A note can always be written.
    #[must_use]
    pub fn is_done(self, status: Status) -> bool {
        match self {
            // A resolved incident that is acknowledged would be open again.
            Self::Acknowledge => matches!(status, Status::Acknowledged | Status::Resolved),
            Self::Resolve => status == Status::Resolved,
            Self::Note => false,
        }
    }
}

/// An incident as PagerDuty has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentNow {
    /// Which one.
    pub incident: Incident,
    /// Its state.
    pub status: Status,
    /// Its service.
    pub service: Option<String>,
    /// Who brought it into that state, and when.
    pub since: Option<DateTime<Utc>>,
    /// The same as a name.
    pub by: Option<String>,
    /// The same as an id.
    pub by_id: Option<String>,
    /// When it was opened again after it had been resolved.
    pub reopened_at: Option<DateTime<Utc>>,
}

/// A member of the chat who presses a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presser {
    /// The member's id.
    pub id: String,
    /// What they are called.
    pub name: String,
}

/// Characters of a name; the ledger keeps it.
const NAME: usize = 100;

impl Presser {
    /// Somebody by what they are called, or by their id if that is nothing.
    #[must_use]
    pub fn new(id: &str, name: &str) -> Self {
        let name = sanitize::shorten(&sanitize::line(name), NAME);
        Self { id: id.to_owned(), name: if name.is_empty() { id.to_owned() } else { name } }
    }

    /// A note of theirs, as PagerDuty gets it: there, everything is done by one user.
    #[must_use]
    pub fn signed(&self, note: &str) -> String {
        format!("{}: {note}", self.name)
    }
}

/// A press that PagerDuty has not told of yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pressed {
    /// What was done.
    pub action: Action,
    /// By whom.
    pub presser: Presser,
    /// When.
    pub at: DateTime<Utc>,
    /// As which user of PagerDuty's, if that is known.
    pub agent: Option<String>,
}

impl Pressed {
    /// Of these, the one that this event tells of: the nearest in time, since several may fit.
    #[must_use]
    pub fn told_by<'a>(pressed: &'a [Self], event: &Event, now: DateTime<Utc>) -> Option<&'a Self> {
        let at = event.occurred_at.unwrap_or(now);
        let told = pressed.iter().filter(|pressed| pressed.is_told_by(event, now));
        told.min_by_key(|pressed| (at - pressed.at).abs())
    }

    /// Whether this event is what PagerDuty tells of it. What the same user does in PagerDuty itself is not.
    #[must_use]
    pub fn is_told_by(&self, event: &Event, now: DateTime<Utc>) -> bool {
        let is_same = match (&event.kind, self.action) {
            (Kind::Acknowledged, Action::Acknowledge) | (Kind::Resolved, Action::Resolve) => true,
            (Kind::Annotated { note }, Action::Note) => note.starts_with(&self.presser.signed("")),
            _ => false,
        };
        let agent = event.actor.as_ref().and_then(|actor| actor.id.as_deref());
        let later = event.occurred_at.unwrap_or(now) - self.at;
        is_same && agent.is_some() && agent == self.agent.as_deref() && (-CLOCKS_DIFFER..=TOLD_WITHIN).contains(&later)
    }
}

/// Why PagerDuty doesn't do what somebody pressed a button for, as far as they need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActingFailure {
    /// It refuses our key, or the key may not write.
    Key,
    /// It doesn't know the user that acts, or the user may not.
    User,
    /// It has done it already.
    Done,
    /// It has no such incident.
    Missing,
    /// It gets too many requests.
    Busy,
    /// It can't be reached, or is out of order; nothing was done.
    Down,
    /// It didn't answer: it may have done it or not.
    Unknown,
    /// It refuses for a reason of its own.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Actor, ActorKind};
    use crate::domain::samples::{event, now};

    #[test]
    fn a_press_is_told_by_the_same_action_of_the_same_user_within_five_minutes() {
        let presser = Presser { id: "U0TANAKA1".into(), name: "田中".into() };
        let press = |action| Pressed { action, presser: presser.clone(), at: now(), agent: Some("PACTING".into()) };
        let told = |pressed: &Pressed, kind: Kind, agent: Option<&str>, seconds: i64| {
            let actor = Actor { id: agent.map(str::to_owned), name: None, kind: ActorKind::Person };
            let occurred_at = Some(now() + TimeDelta::seconds(seconds));
            pressed.is_told_by(&Event { actor: Some(actor), occurred_at, ..event(kind) }, now())
        };
        let (acknowledged, note) = (press(Action::Acknowledge), press(Action::Note));
        let written = |note: &str| Kind::Annotated { note: note.to_owned() };
        for (pressed, kind, agent, seconds, expected) in [
            (&acknowledged, Kind::Acknowledged, Some("PACTING"), 1, true),
            (&acknowledged, Kind::Acknowledged, Some("PACTING"), -20, true),
            (&acknowledged, Kind::Acknowledged, Some("PACTING"), 300, true),
            (&acknowledged, Kind::Acknowledged, Some("PACTING"), 301, false),
            (&acknowledged, Kind::Acknowledged, Some("PACTING"), -60, false),
            (&acknowledged, Kind::Acknowledged, Some("PSEAT"), 1, false),
            (&acknowledged, Kind::Acknowledged, None, 1, false),
            (&acknowledged, Kind::Resolved, Some("PACTING"), 1, false),
            (&acknowledged, Kind::Reopened, Some("PACTING"), 1, false),
            (&note, written("田中: 再起動した"), Some("PACTING"), 1, true),
            (&note, written("鈴木: 再起動した"), Some("PACTING"), 1, false),
        ] {
            assert_eq!(told(pressed, kind.clone(), agent, seconds), expected, "{kind:?} {agent:?} {seconds}");
        }
        let unknown = Pressed { agent: None, ..acknowledged };
        assert!(!told(&unknown, Kind::Acknowledged, None, 1) && !told(&unknown, Kind::Acknowledged, Some("P"), 1));
    }

    #[test]
    fn nothing_is_done_to_an_incident_that_would_undo_what_others_did() {
        for (action, triggered, acknowledged, resolved) in [
            (Action::Acknowledge, false, true, true),
            (Action::Resolve, false, false, true),
            (Action::Note, false, false, false),
        ] {
            let done = [Status::Triggered, Status::Acknowledged, Status::Resolved].map(|status| action.is_done(status));
            assert_eq!(done, [triggered, acknowledged, resolved], "{action:?}");
            assert_eq!(Action::from_key(action.key()), Some(action));
        }
        assert_eq!(Action::from_key("Acknowledge"), None);
    }
}
