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
    /// The audience of this kind of event at this instant.
    #[must_use]
    pub fn of(kind: &Kind, calendar: &Calendar, now: DateTime<Utc>) -> Self {
        match kind {
            Kind::Ping => Self::Tester,
            _ if calendar.is_business_time(now) => Self::OnCall,
            _ => Self::Readers,
        }
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
