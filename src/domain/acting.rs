//! Acting on an incident from a chat: what can be done, by whom, to an incident in which state.

use chrono::{DateTime, Utc};

use super::event::{Incident, IncidentId};

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

/// The state of an incident, as PagerDuty has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nobody has it.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
}

/// An incident as PagerDuty has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentNow {
    /// Which one.
    pub incident: Incident,
    /// Its state.
    pub status: Status,
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

/// Incidents that were made up to practise on, which PagerDuty has never heard of.
const PRACTICE: &str = "PRACTICE";

/// Whether an incident is one to practise on.
#[must_use]
pub fn is_practice(id: &IncidentId) -> bool {
    id.to_string().starts_with(PRACTICE)
}

/// Why PagerDuty doesn't do what somebody pressed a button for, as far as they need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActingFailure {
    /// It refuses our key, or the key may not write.
    Key,
    /// It doesn't know the user that acts, or the user may not.
    User,
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
