//! What happened, in our own words, whichever webhook version said it.

mod actor;
mod link;

use std::fmt;
use std::iter::successors;

use chrono::{DateTime, Utc};

pub use actor::{Actor, ActorKind, Status};
pub use link::Link;

/// One thing that PagerDuty says has happened. Whatever is missing is `None`; nothing is guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// v2 message id or v3 event id: the same on every delivery of this event.
    pub id: Option<String>,
    /// What happened.
    pub kind: Kind,
    /// When it happened, by PagerDuty's clock.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The incident that it happened to.
    pub incident: Incident,
    /// Name of the service that the incident belongs to.
    pub service: Option<String>,
    /// How urgent the incident is.
    pub urgency: Option<Urgency>,
    /// Who or what did it; never the assignee in the place of the one who acted.
    pub actor: Option<Actor>,
}

impl Event {
    /// Whether it is about an incident: it names one, or its type says so.
    #[must_use]
    pub fn is_about_an_incident(&self) -> bool {
        match &self.kind {
            Kind::Unknown { event_type } => {
                self.incident.tag().is_some() || event_type.as_deref().is_some_and(|name| name.starts_with("incident."))
            }
            Kind::Ping => false,
            _ => true,
        }
    }
}

/// The kinds of events that have words of their own, with what only they carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A new incident.
    Triggered,
    /// Somebody took it on.
    Acknowledged,
    /// The acknowledgement ran out.
    Unacknowledged,
    /// It is over.
    Resolved,
    /// It is over because it was merged: what it was about goes on as another incident.
    Merged {
        /// The other one, as far as it is named.
        into: Incident,
    },
    /// A resolved incident was reopened.
    Reopened,
    /// Given to other people.
    Reassigned {
        /// The new assignees.
        to: Vec<String>,
    },
    /// Gone up in its escalation policy.
    Escalated {
        /// The new assignees.
        to: Vec<String>,
    },
    /// Given to another escalation policy.
    Delegated {
        /// The new policy.
        to: Vec<String>,
    },
    /// Somebody wrote a note.
    Annotated {
        /// The note's text.
        note: String,
    },
    /// The priority was set or taken away.
    PriorityUpdated {
        /// The new priority, or none.
        to: Option<String>,
    },
    /// The incident moved to another service.
    ServiceUpdated,
    /// A status update for stakeholders was published.
    StatusUpdated {
        /// The update's text.
        message: String,
    },
    /// Somebody was asked to help.
    ResponderAdded {
        /// Who was asked.
        to: Vec<String>,
        /// What the update says.
        message: String,
    },
    /// Somebody who was asked to help answered.
    ResponderReplied {
        /// `accepted`, `declined`, …
        state: Option<String>,
        /// What they said.
        message: String,
    },
    /// Somebody pressed a custom action's button (v2 only).
    CustomAction {
        /// The action's name.
        action: Option<String>,
    },
    /// PagerDuty's own test event.
    Ping,
    /// An event that nobody has heard of.
    Unknown {
        /// Its type as PagerDuty wrote it.
        event_type: Option<String>,
    },
    /// An authentic delivery that is no JSON.
    Unreadable,
}

impl Kind {
    /// The name for logs and settings.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Unacknowledged => "unacknowledged",
            Self::Resolved => "resolved",
            Self::Merged { .. } => "merged",
            Self::Reopened => "reopened",
            Self::Reassigned { .. } => "reassigned",
            Self::Escalated { .. } => "escalated",
            Self::Delegated { .. } => "delegated",
            Self::Annotated { .. } => "annotated",
            Self::PriorityUpdated { .. } => "priority_updated",
            Self::ServiceUpdated => "service_updated",
            Self::StatusUpdated { .. } => "status_updated",
            Self::ResponderAdded { .. } => "responder_added",
            Self::ResponderReplied { .. } => "responder_replied",
            Self::CustomAction { .. } => "custom_action",
            Self::Ping => "ping",
            Self::Unknown { .. } => "unknown",
            Self::Unreadable => "unreadable",
        }
    }

    /// The names of all kinds.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let mut names: Vec<_> = Self::every("").map(|kind| kind.name()).collect();
        names.dedup();
        names
    }

    /// One event of every kind, with this text wherever one may be written. A new kind doesn't compile until it has
    /// its place here.
    pub fn every(text: &str) -> impl Iterator<Item = Self> {
        let text = || text.to_owned();
        successors(Some(Self::Triggered), move |kind| {
            Some(match kind {
                Self::Triggered => Self::Acknowledged,
                Self::Acknowledged => Self::Unacknowledged,
                Self::Unacknowledged => Self::Resolved,
                Self::Resolved => {
                    Self::Merged { into: Incident { number: Some(34), title: Some(text()), ..Incident::default() } }
                }
                Self::Merged { into } if into.number.is_some() => Self::Merged { into: Incident::default() },
                Self::Merged { .. } => Self::Reopened,
                Self::Reopened => Self::Reassigned { to: vec![text()] },
                Self::Reassigned { .. } => Self::Escalated { to: vec![text(), text()] },
                Self::Escalated { .. } => Self::Delegated { to: vec![text()] },
                Self::Delegated { .. } => Self::Annotated { note: text() },
                Self::Annotated { .. } => Self::PriorityUpdated { to: Some(text()) },
                Self::PriorityUpdated { to: Some(_) } => Self::PriorityUpdated { to: None },
                Self::PriorityUpdated { to: None } => Self::ServiceUpdated,
                Self::ServiceUpdated => Self::StatusUpdated { message: text() },
                Self::StatusUpdated { .. } => Self::ResponderAdded { to: vec![text()], message: text() },
                Self::ResponderAdded { .. } => Self::ResponderReplied { state: Some(text()), message: text() },
                Self::ResponderReplied { .. } => Self::CustomAction { action: Some(text()) },
                Self::CustomAction { .. } => Self::Ping,
                Self::Ping => Self::Unknown { event_type: Some(text()) },
                Self::Unknown { event_type: Some(_) } => Self::Unknown { event_type: None },
                Self::Unknown { event_type: None } => Self::Unreadable,
                Self::Unreadable => return None,
            })
        })
    }

    /// Whether somebody must do something about it, as far as its kind tells. In doubt, yes: what can't be read may
    /// be an alert, and PagerDuty won't send it in other words.
    #[must_use]
    pub fn wants_attention(&self) -> bool {
        match self {
            Self::Triggered
            | Self::Unacknowledged
            | Self::Reopened
            | Self::Reassigned { .. }
            | Self::Escalated { .. }
            | Self::Delegated { .. }
            | Self::ResponderAdded { .. }
            | Self::Unknown { .. }
            | Self::Unreadable => true,
            Self::Acknowledged
            | Self::Resolved
            | Self::Merged { .. }
            | Self::Annotated { .. }
            | Self::PriorityUpdated { .. }
            | Self::ServiceUpdated
            | Self::StatusUpdated { .. }
            | Self::ResponderReplied { .. }
            | Self::CustomAction { .. }
            | Self::Ping => false,
        }
    }

    /// Whether a reader of the channel must see it, even where the incident has a thread of its own.
    #[must_use]
    pub fn is_broadcast(&self) -> bool {
        matches!(self, Self::Triggered | Self::Unacknowledged | Self::Reopened | Self::Escalated { .. })
    }
}

/// The incident as far as an event names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Incident {
    /// PagerDuty's id; every event of an incident carries it.
    pub id: Option<IncidentId>,
    /// The number that people say; v3 notes, responders and status updates don't carry it.
    pub number: Option<u64>,
    /// Its title.
    pub title: Option<String>,
    /// Its page.
    pub link: Option<Link>,
    /// When it began; only events that carry the whole incident say so, and how it is.
    pub created_at: Option<DateTime<Utc>>,
    /// How it was at the event.
    pub status: Option<Status>,
}

impl Incident {
    /// Whether it is only played: nothing but its id tells.
    #[must_use]
    pub fn is_practice(&self) -> bool {
        self.id.as_ref().is_some_and(IncidentId::is_practice)
    }

    /// The hashtag of all messages of this incident: by number, else by id.
    #[must_use]
    pub fn tag(&self) -> Option<Tag> {
        match (self.number, &self.id) {
            (Some(number), _) => Some(Tag(format!("pd{number}"))),
            (None, Some(id)) => Some(Tag(format!("pd{id}"))),
            (None, None) => None,
        }
    }
}

/// How the ids of practice incidents begin, and no others: of some 10¹² ids PagerDuty gives, not one by chance.
pub const PRACTICE: &str = "PRACTICE";

/// A PagerDuty incident id: ASCII letters and digits, so that it can stand in a hashtag.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IncidentId(String);

impl IncidentId {
    /// Whether its incident is only played: PagerDuty has never heard of it.
    #[must_use]
    pub fn is_practice(&self) -> bool {
        self.0.starts_with(PRACTICE)
    }

    /// Real ones have 7 to 14 characters.
    const MAX_LENGTH: usize = 64;

    /// The id, unless it is something that no incident id looks like.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let plausible = !id.is_empty() && id.len() <= Self::MAX_LENGTH && id.bytes().all(|b| b.is_ascii_alphanumeric());
        plausible.then(|| Self(id.to_owned()))
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A hashtag without its `#`: ASCII letters and digits, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// A tag that was one of ours before.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let rest = tag.strip_prefix("pd")?;
        (rest.parse::<u64>().is_ok() || IncidentId::parse(rest).is_some()).then(|| Self(tag.to_owned()))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How urgent PagerDuty holds an incident to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Wakes people.
    High,
    /// Doesn't.
    Low,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_the_number_else_the_id() {
        let id = IncidentId::parse("PGR0VU2");
        let tag = |number, id| Incident { id, number, ..Incident::default() }.tag().map(|tag| tag.to_string());
        assert_eq!(tag(Some(33), id.clone()).as_deref(), Some("pd33"));
        assert_eq!(tag(None, id).as_deref(), Some("pdPGR0VU2"));
        assert_eq!(tag(None, None), None);
    }

    #[test]
    fn a_practice_incident_is_known_by_its_id_alone() {
        let practice = |id: Option<&str>| {
            let title = Some("PRACTICE".to_owned());
            Incident { id: id.and_then(IncidentId::parse), title, ..Incident::default() }.is_practice()
        };
        assert!(practice(Some("PRACTICE")) && practice(Some("PRACTICE6925A3F0")));
        assert!(
            !practice(Some("PGR0VU2"))
                && !practice(Some("XPRACTICE1"))
                && !practice(Some("Practice1"))
                && !practice(None)
        );
    }

    #[test]
    fn an_id_that_could_not_stand_in_a_tag_is_no_id() {
        for id in ["", "P 1", "P#1", "ＰＤ", &"P".repeat(65)] {
            assert_eq!(IncidentId::parse(id), None, "{id:?}");
        }
    }
}
