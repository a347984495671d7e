//! The decision: what an event is worth saying, to whom, and what the reader must know besides.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::calendar::Calendar;
use super::event::{Event, Kind};
use super::roster::{ChatName, OnCallToday};

/// Events older than this say when they happened: the relay's clock, not theirs, decides on mentions.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// Whom an event concerns; asked before the roster is read, since most hours need no reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever reads the topic later: nobody is mentioned.
    Readers,
    /// Whoever is on call.
    OnCall,
    /// Whoever is setting the relay up and wants to see it work.
    Tester,
}

impl Audience {
    /// The audience of an event at this instant.
    #[must_use]
    pub fn of(event: &Event, mention_on: &MentionOn, calendar: &Calendar, now: DateTime<Utc>) -> Self {
        match event.kind {
            Kind::Ping => Self::Tester,
            _ if mention_on.includes(event) && calendar.is_business_time(now) => Self::OnCall,
            _ => Self::Readers,
        }
    }
}

/// Which events mention people, in business hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MentionOn {
    /// Every one.
    All,
    /// Those that want somebody to do something.
    Attention,
    /// Those of the kinds with these names.
    Kinds(Vec<String>),
}

/// Something that [`MentionOn`] can't be read from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no kind of event has the name `{}`; write `all` or `attention` alone, or a list of {}",
    names.join("`, `"), Kind::NAMES.join(", ")
)]
pub struct UnknownKinds {
    names: Vec<String>,
}

impl MentionOn {
    /// Reads `all`, `attention` or a list of names of kinds.
    ///
    /// # Errors
    /// The names that no kind has.
    pub fn parse(text: &str) -> Result<Self, UnknownKinds> {
        match text.trim() {
            "all" => return Ok(Self::All),
            "attention" => return Ok(Self::Attention),
            _ => {}
        }
        let names = text.split(',').map(|name| name.trim().to_owned());
        let (known, unknown): (Vec<_>, Vec<_>) = names.partition(|name| Kind::NAMES.contains(&name.as_str()));
        if unknown.is_empty() { Ok(Self::Kinds(known)) } else { Err(UnknownKinds { names: unknown }) }
    }

    /// What is about no incident calls nobody, whatever is set.
    fn includes(&self, event: &Event) -> bool {
        let wanted = match self {
            Self::All => true,
            Self::Attention => event.kind.wants_attention(),
            Self::Kinds(names) => names.iter().any(|name| name == event.kind.name()),
        };
        wanted && event.is_about_an_incident()
    }
}

/// What was found out about the audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attention {
    /// Nobody is mentioned.
    Quiet,
    /// These are mentioned.
    Mention(OnCallToday),
    /// These are named and not mentioned.
    Name(OnCallToday),
}

/// Everything that a message about an event is made from, before a chat is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub event: Event,
    /// Who should know.
    pub attention: Attention,
    /// When it happened, if that is some time ago.
    pub delay: Option<Delay>,
    /// Whether an earlier attempt may have posted it already.
    pub in_doubt: bool,
}

/// How late a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// When the event happened, on the team's clock.
    pub happened: DateTime<Tz>,
    /// How long ago.
    pub ago: TimeDelta,
}

impl Notice {
    /// Brings an event and its audience together.
    #[must_use]
    pub fn new(event: Event, attention: Attention, in_doubt: bool, calendar: &Calendar, now: DateTime<Utc>) -> Self {
        let delay = event
            .occurred_at
            .map(|at| Delay { happened: calendar.local(at), ago: now - at })
            .filter(|delay| delay.ago > LATE);
        Self { event, attention, delay, in_doubt }
    }

    /// How many of those who should be mentioned can't be on this chat.
    #[must_use]
    pub fn unmentionable(&self, chat: ChatName) -> u32 {
        match &self.attention {
            Attention::Mention(today) => today.unmentionable(chat),
            Attention::Quiet | Attention::Name(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::{BusinessDays, BusinessHours, Holidays};
    use crate::domain::event::Incident;
    use crate::domain::samples::{event, every_kind, now};

    fn calendar() -> Calendar {
        let (days, hours) = (BusinessDays::parse("Mon-Fri").unwrap(), BusinessHours::parse("10:00-17:00").unwrap());
        Calendar::new(chrono_tz::Asia::Tokyo, days, hours, Holidays::parse("jp").unwrap())
    }

    fn mentions(event: &Event, mention_on: &str) -> bool {
        Audience::of(event, &MentionOn::parse(mention_on).unwrap(), &calendar(), now()) == Audience::OnCall
    }

    fn kinds_that_mention(mention_on: &str) -> Vec<&'static str> {
        let mut names: Vec<_> = every_kind("incident.teleported")
            .map(event)
            .filter(|event| mentions(event, mention_on))
            .map(|event| event.kind.name())
            .collect();
        names.dedup();
        names
    }

    #[test]
    fn ten_minutes_are_no_delay() {
        for (age, told) in [(0, false), (600, false), (601, true), (-3600, false)] {
            let event = Event { occurred_at: Some(now() - TimeDelta::seconds(age)), ..event(Kind::Triggered) };
            let notice = Notice::new(event, Attention::Quiet, false, &calendar(), now());
            assert_eq!(notice.delay.is_some(), told, "{age} s");
        }
    }

    #[test]
    fn the_names_of_the_kinds_are_those_of_all_kinds() {
        let mut names: Vec<_> = every_kind("").map(|kind| kind.name()).collect();
        names.dedup();
        assert_eq!(names, Kind::NAMES);
    }

    #[test]
    fn all_mention_or_those_that_want_somebody_or_those_that_are_listed() {
        let all: Vec<_> = Kind::NAMES.into_iter().filter(|name| *name != "ping").collect();
        assert_eq!(kinds_that_mention("all"), all);
        assert_eq!(
            kinds_that_mention(" attention "),
            [
                "triggered",
                "unacknowledged",
                "reopened",
                "reassigned",
                "escalated",
                "delegated",
                "responder_added",
                "unknown",
                "unreadable"
            ]
        );
        assert_eq!(kinds_that_mention("unknown, triggered,triggered"), ["triggered", "unknown"]);
        for name in all {
            assert_eq!(kinds_that_mention(name), [name]);
        }
        assert_eq!(kinds_that_mention("ping"), [""; 0]);
    }

    #[test]
    fn after_hours_nobody_is_mentioned_and_a_test_always_finds_its_tester() {
        let evening = now() + TimeDelta::hours(9);
        for mention_on in ["all", "attention", "triggered"] {
            let mention_on = MentionOn::parse(mention_on).unwrap();
            let audience = |kind, at| Audience::of(&event(kind), &mention_on, &calendar(), at);
            assert_eq!(audience(Kind::Triggered, evening), Audience::Readers);
            assert_eq!(audience(Kind::Ping, evening), Audience::Tester);
            assert_eq!(audience(Kind::Ping, now()), Audience::Tester);
        }
    }

    #[test]
    fn an_event_of_unknown_type_mentions_only_if_it_is_about_an_incident() {
        let unknown = |event_type: Option<&str>, incident| Event {
            incident,
            ..event(Kind::Unknown { event_type: event_type.map(str::to_owned) })
        };
        let titled = || Incident { title: Some("Storage team".to_owned()), ..Incident::default() };
        let numbered = || Incident { number: Some(33), ..Incident::default() };
        for (event, about_an_incident) in [
            (unknown(Some("team.renamed"), titled()), false),
            (unknown(None, titled()), false),
            (unknown(Some("team.renamed"), numbered()), true),
            (unknown(None, numbered()), true),
            (unknown(Some("incident.teleported"), titled()), true),
            (unknown(Some("incidents"), titled()), false),
        ] {
            for mention_on in ["all", "attention", "unknown"] {
                assert_eq!(mentions(&event, mention_on), about_an_incident, "{mention_on}: {event:?}");
            }
            assert!(!mentions(&event, "triggered"), "{event:?}");
        }
    }

    #[test]
    fn names_that_no_kind_has_are_told_with_those_that_there_are() {
        for (text, names) in [
            ("triggered, resolve,paged", "`resolve`, `paged`"),
            ("all,triggered", "`all`"),
            ("Triggered", "`Triggered`"),
            ("triggered,,resolved", "``"),
        ] {
            let error = MentionOn::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("name {names};")), "{error}");
            assert!(Kind::NAMES.iter().all(|name| error.contains(name)), "{error}");
        }
    }
}
