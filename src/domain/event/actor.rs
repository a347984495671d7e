//! Who or what acted on an incident, and how it was then, as an event says it.

/// Who or what did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// PagerDuty's id.
    pub id: Option<String>,
    /// The name, as strangers wrote it.
    pub name: Option<String>,
    /// Of which kind.
    pub kind: ActorKind,
}

/// Whether somebody or something acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// A user of PagerDuty.
    Person,
    /// A service or an integration: monitoring that triggers and resolves by itself.
    Machine,
    /// PagerDuty doesn't say, or says something else.
    Unknown,
}

/// How an incident is, by the event that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nobody has it.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
}
