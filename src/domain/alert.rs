//! Whether an event mentions people (`MENTION_ON`, hours), and what a message about it is made from.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::acting::Presser;
use super::calendar::Calendar;
use super::chat::ChatName;
use super::event::{Actor, ActorKind, Event, Kind};
use super::roster::OnCallDay;
use super::state::{By, Standing};

/// Events older than this say when they happened: the relay's clock, not theirs, decides on mentions.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// Who is mentioned. The kind of event and the hour decide first, without the people (`Mentions<()>`), since most hours
/// need no reading of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mentions<Day = OnCallDay> {
    /// Nobody.
    Nobody,
    /// Those on call.
    OnCall(Day),
    /// Nobody, but those on call are named to somebody who is setting the relay up.
    Names(Day),
}

impl Mentions<()> {
    /// What an event calls for at this instant.
    #[must_use]
    pub fn of(event: &Event, mention_on: &MentionOn, calendar: &Calendar, now: DateTime<Utc>) -> Self {
        match event.kind {
            Kind::Ping => Self::Names(()),
            _ if mention_on.includes(event) && calendar.is_business_time(now) => Self::OnCall(()),
            _ => Self::Nobody,
        }
    }

    /// The same, with the people of the day.
    #[must_use]
    pub fn with(self, day: OnCallDay) -> Mentions {
        match self {
            Self::Nobody => Mentions::Nobody,
            Self::OnCall(()) => Mentions::OnCall(day),
            Self::Names(()) => Mentions::Names(day),
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
    names.join("`, `"), MentionOn::kinds().join(", ")
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
        let kinds = Self::kinds();
        let (known, unknown): (Vec<_>, Vec<_>) = names.partition(|name| kinds.contains(&name.as_str()));
        if unknown.is_empty() { Ok(Self::Kinds(known)) } else { Err(UnknownKinds { names: unknown }) }
    }

    /// The names of the kinds that can mention people: a test event names them at any hour, and calls nobody.
    fn kinds() -> Vec<&'static str> {
        Kind::names().into_iter().filter(|name| *name != Kind::Ping.name()).collect()
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

/// Everything that a message about an event is made from, before a chat is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What happened.
    pub event: Event,
    /// How its incident stands now.
    pub standing: Standing,
    /// Who should know.
    pub mentions: Mentions,
    /// When it happened, on the team's clock.
    pub at: DateTime<Tz>,
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

impl Alert {
    /// Brings an event, what was known of its incident, and its audience together.
    #[must_use]
    pub fn new(
        event: Event,
        known: Option<&Standing>,
        mentions: Mentions,
        in_doubt: bool,
        calendar: &Calendar,
        now: DateTime<Utc>,
    ) -> Self {
        let standing = Standing::after(known, &event, now);
        let at = calendar.local(event.occurred_at.unwrap_or(now));
        let delay = event
            .occurred_at
            .map(|at| Delay { happened: calendar.local(at), ago: now - at })
            .filter(|delay| delay.ago > LATE);
        Self { event, standing, mentions, at, delay, in_doubt }
    }

    /// The same, with the person who pressed a button in the place of the user as whom that was carried out.
    #[must_use]
    pub fn pressed_by(mut self, presser: Option<&Presser>) -> Self {
        let Some(presser) = presser else { return self };
        let id = self.event.actor.take().and_then(|actor| actor.id);
        if let Kind::Annotated { note } = &mut self.event.kind
            && let Some(text) = note.strip_prefix(&presser.signed(""))
        {
            // Who wrote it is said beside it.
            *note = text.to_owned();
        }
        self.event.actor = Some(Actor { id, name: Some(presser.name.clone()), kind: ActorKind::Person });
        let is_by = self.standing.is_by(&self.event);
        if let Some(state) = self.standing.state.as_mut().filter(|_| is_by) {
            state.by = Some(By::Member(presser.clone()));
        }
        self
    }

    /// How many of those who should be mentioned can't be on this chat.
    #[must_use]
    pub fn unmentionable(&self, chat: ChatName) -> u32 {
        match &self.mentions {
            Mentions::OnCall(today) => today.unmentionable(chat),
            Mentions::Nobody | Mentions::Names(_) => 0,
        }
    }

    /// Whether somebody should be mentioned, and nobody is on this chat.
    #[must_use]
    pub fn mentions_nobody(&self, chat: ChatName) -> bool {
        matches!(&self.mentions, Mentions::OnCall(today) if today.mentions_nobody(chat))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::{BusinessDays, BusinessHours, Holidays};
    use crate::domain::event::Incident;
    use crate::domain::samples::{event, now};

    fn calendar() -> Calendar {
        let (days, hours) = (BusinessDays::parse("Mon-Fri").unwrap(), BusinessHours::parse("10:00-17:00").unwrap());
        Calendar::new(chrono_tz::Asia::Tokyo, days, hours, Holidays::parse("jp").unwrap())
    }

    fn mentions(event: &Event, mention_on: &str) -> bool {
        Mentions::of(event, &MentionOn::parse(mention_on).unwrap(), &calendar(), now()) == Mentions::OnCall(())
    }

    fn kinds_that_mention(mention_on: &str) -> Vec<&'static str> {
        let mut names: Vec<_> = Kind::every("incident.teleported")
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
            let alert = Alert::new(event, None, Mentions::Nobody, false, &calendar(), now());
            assert_eq!(alert.delay.is_some(), told, "{age} s");
        }
    }

    #[test]
    fn all_mention_or_those_that_want_somebody_or_those_that_are_listed() {
        let all: Vec<_> = Kind::names().into_iter().filter(|name| *name != "ping").collect();
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
    }

    #[test]
    fn after_hours_nobody_is_mentioned_and_a_test_always_finds_its_tester() {
        let evening = now() + TimeDelta::hours(9);
        for mention_on in ["all", "attention", "triggered"] {
            let mention_on = MentionOn::parse(mention_on).unwrap();
            let mentions = |kind, at| Mentions::of(&event(kind), &mention_on, &calendar(), at);
            assert_eq!(mentions(Kind::Triggered, evening), Mentions::Nobody);
            assert_eq!(mentions(Kind::Ping, evening), Mentions::Names(()));
            assert_eq!(mentions(Kind::Ping, now()), Mentions::Names(()));
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
    fn names_that_no_kind_has_are_reported_with_those_that_there_are() {
        for (text, names) in [
            ("triggered, resolve,paged", "`resolve`, `paged`"),
            ("all,triggered", "`all`"),
            ("Triggered", "`Triggered`"),
            ("triggered,,resolved", "``"),
            ("triggered,ping", "`ping`"),
        ] {
            let error = MentionOn::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("name {names};")), "{error}");
            assert!(MentionOn::kinds().iter().all(|name| error.contains(name)), "{error}");
            assert!(!error.contains(", ping"), "{error}");
        }
    }
}
