//! How an incident stands, by its events: who has it and since when, in whatever order the events come.

use chrono::{DateTime, TimeDelta, Utc};

use super::acting::Presser;
use super::event::{Actor, Event, Incident, Kind, Status, Urgency};
use super::sanitize;

/// Characters of a title that are remembered.
const TITLE: usize = 1_000;
/// What orders two events at the same time; the order of states counts in it.
const INSTANT: TimeDelta = TimeDelta::milliseconds(1);
/// Characters of a name that are remembered.
const NAME: usize = 100;

/// What an incident's events have made of it. Of two at the same instant, the later of these counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nobody has it yet.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// Somebody had it.
    Unacknowledged,
    /// It is over.
    Resolved,
    /// It goes on as another incident.
    Merged,
    /// It was over.
    Reopened,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 6] =
        [Self::Triggered, Self::Acknowledged, Self::Unacknowledged, Self::Resolved, Self::Merged, Self::Reopened];

    /// Whether somebody still has to see to it.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Resolved | Self::Merged)
    }

    /// The same as PagerDuty has it, for which a merged incident is resolved.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Triggered | Self::Unacknowledged | Self::Reopened => Status::Triggered,
            Self::Acknowledged => Status::Acknowledged,
            Self::Resolved | Self::Merged => Status::Resolved,
        }
    }

    fn of(kind: &Kind) -> Option<Self> {
        Some(match kind {
            Kind::Triggered => Self::Triggered,
            Kind::Acknowledged => Self::Acknowledged,
            Kind::Unacknowledged => Self::Unacknowledged,
            Kind::Resolved => Self::Resolved,
            Kind::Merged { .. } => Self::Merged,
            Kind::Reopened => Self::Reopened,
            _ => return None,
        })
    }
}

/// Who made a state what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// By name, as strangers wrote it.
    Name(String),
    /// A member of the chat, who is mentioned where that notifies nobody.
    Member(Presser),
}

/// The state that an incident is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Which.
    pub phase: Phase,
    /// By whom.
    pub by: Option<By>,
    /// Since when, by PagerDuty's clock.
    pub since: DateTime<Utc>,
    /// Whether no event said so, but only the incident as an event of another kind carried it.
    pub is_inferred: bool,
}

impl State {
    /// The state that an event brings about, if it does.
    #[must_use]
    pub fn after(event: &Event, now: DateTime<Utc>) -> Option<Self> {
        // A clock that runs ahead must not hold a state for good.
        let since = event.occurred_at.unwrap_or(now).min(now);
        if let Some(phase) = Phase::of(&event.kind) {
            return Some(Self { phase, by: name(event.actor.as_ref()).map(By::Name), since, is_inferred: false });
        }
        let phase = match event.incident.status? {
            Status::Triggered => Phase::Triggered,
            Status::Acknowledged => Phase::Acknowledged,
            Status::Resolved => Phase::Resolved,
        };
        Some(Self { phase, by: None, since, is_inferred: true })
    }

    /// PagerDuty opens an incident again by an acknowledgement, which has the same time and is what counts.
    fn is_reopening_by(&self, other: &Self) -> bool {
        let is_told = !self.is_inferred && !other.is_inferred;
        let is_pair = (self.phase, other.phase) == (Phase::Reopened, Phase::Acknowledged);
        is_told && is_pair && self.since == other.since
    }

    /// The same; an acknowledgement comes right behind the reopening that it has caused.
    fn behind_reopening(self, known: Option<&Self>) -> Self {
        if known.is_some_and(|known| known.is_reopening_by(&self)) {
            return Self { since: self.since + INSTANT, ..self };
        }
        self
    }

    /// States in the order in which they count: whatever an event said is newer than what was inferred.
    #[must_use]
    pub fn order(&self) -> i64 {
        let since = if self.is_inferred { 0 } else { self.since.timestamp_millis() };
        since.saturating_mul(8).saturating_add(self.phase as i64)
    }
}

/// An incident with its state: what a message about it says, whichever event it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The incident.
    pub incident: Incident,
    /// Its service.
    pub service: Option<String>,
    /// How urgent it is.
    pub urgency: Option<Urgency>,
    /// Who or what found it.
    pub found_by: Option<Actor>,
    /// Its state, if any event has told it.
    pub state: Option<State>,
    /// Where it goes on, once it is merged.
    pub merged_into: Option<Incident>,
}

impl Standing {
    /// How the incident stands after one more event. An older event than that of the known state doesn't change it.
    #[must_use]
    pub fn after(known: Option<&Self>, event: &Event, now: DateTime<Utc>) -> Self {
        let known = known.cloned().unwrap_or_default();
        let told = State::after(event, now).map(|told| told.behind_reopening(known.state.as_ref()));
        let is_news = match (&known.state, &told) {
            (Some(known), Some(told)) if told.is_reopening_by(known) => false,
            (Some(known), Some(told)) => !told.is_inferred && told.order() >= known.order(),
            (_, told) => told.is_some(),
        };
        let is_late = told.is_some() && !is_news;
        // What only refers to its incident may call it by another title.
        let carries_it = event.service.is_some() && !is_late;
        let newest =
            |told: Option<String>, known: Option<String>| if carries_it { told.or(known) } else { known.or(told) };
        let told_incident = &event.incident;
        let began = told.as_ref().filter(|_| event.kind == Kind::Triggered).map(|state| state.since);
        let incident = Incident {
            id: told_incident.id.clone().or(known.incident.id),
            number: told_incident.number.or(known.incident.number),
            title: newest(short(told_incident.title.as_deref(), TITLE), known.incident.title),
            link: told_incident.link.clone().or(known.incident.link),
            created_at: [began, told_incident.created_at, known.incident.created_at].into_iter().flatten().min(),
            status: None,
        };
        let merged_into = match &event.kind {
            Kind::Merged { into } if is_news => {
                Some(Incident { title: short(into.title.as_deref(), NAME), ..into.clone() })
            }
            _ if is_news => None,
            _ => known.merged_into,
        };
        let found_by = event.actor.as_ref().filter(|_| event.kind == Kind::Triggered);
        Self {
            incident,
            service: newest(short(event.service.as_deref(), NAME), known.service),
            urgency: if carries_it { event.urgency.or(known.urgency) } else { known.urgency.or(event.urgency) },
            found_by: found_by
                .map(|actor| Actor { id: None, name: name(Some(actor)), kind: actor.kind })
                .or(known.found_by),
            state: if is_news { told } else { known.state },
            merged_into,
        }
    }

    /// How long it took until it was over.
    #[must_use]
    pub fn took(&self) -> Option<TimeDelta> {
        let state = self.state.as_ref().filter(|state| state.phase == Phase::Resolved && !state.is_inferred)?;
        let took = state.since - self.incident.created_at?;
        (took >= TimeDelta::seconds(1)).then_some(took)
    }

    /// The order of its state; none comes first.
    #[must_use]
    pub fn order(&self) -> i64 {
        self.state.as_ref().map_or(-1, State::order)
    }

    /// Whether its state is the one that this event has brought about.
    #[must_use]
    pub fn is_by(&self, event: &Event) -> bool {
        let state = self.state.as_ref().filter(|state| !state.is_inferred);
        state.is_some_and(|state| {
            Phase::of(&event.kind) == Some(state.phase)
                && event.occurred_at.is_none_or(|at| state.since <= at + INSTANT)
        })
    }
}

fn name(actor: Option<&Actor>) -> Option<String> {
    short(actor?.name.as_deref(), NAME)
}

/// Cleaned, and no longer than what is worth remembering.
fn short(text: Option<&str>, most_chars: usize) -> Option<String> {
    let text = sanitize::line(text?);
    (!text.is_empty()).then(|| sanitize::shorten(&text, most_chars))
}

#[cfg(test)]
mod tests;
