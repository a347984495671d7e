//! The first message of an incident on a chat with threads: its state, in a headline and a colour.

use chrono_tz::Tz;

use super::reply::by_whom_and_when;
use super::{
    Alert, Destination, Language, Message, Span, actor, join, mention_spans, merged_into, news, object, occasion,
    practice, quotes, service_and_urgency, untrusted,
};
use crate::domain::acting::{Action, Presser};
use crate::domain::event::{IncidentId, Kind};
use crate::domain::roster::Mention;
use crate::domain::sanitize;
use crate::domain::state::{By, Phase, Standing, State};
use crate::domain::wording::Confirm;

/// Characters of what the event that began the message says.
const TOLD: usize = 2_000;
/// Characters of names of people who can't be mentioned, and in what else is told.
const CALLED: usize = 1_000;
/// Lines of what an event says.
const TOLD_LINES: usize = 40;

/// What an incident's first message is made from, now and at each later state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstMessage {
    /// How the incident stands.
    pub standing: Standing,
    /// Whom it has called.
    pub called: Vec<Span>,
    /// What else it has said when it was posted; later states don't unsay it.
    pub told: Vec<Vec<Span>>,
    /// What else a reader had to know then.
    pub news: Vec<Vec<Span>>,
}

/// The colour of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Nobody has it.
    Red,
    /// Somebody has it.
    Yellow,
    /// It is over.
    Green,
    /// It goes on as another incident.
    Grey,
    /// Its state isn't known yet.
    Blue,
}

/// A button under a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it does.
    pub action: Action,
    /// To which incident.
    pub incident: IncidentId,
    /// What it says.
    pub label: &'static str,
    /// What it asks first.
    pub confirm: Option<Confirm>,
}

/// A message with a colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The state's.
    pub colour: Colour,
    /// Who is called, and the headline.
    pub head: Message,
    /// The rest.
    pub body: Message,
    /// What can be done about it.
    pub buttons: Vec<Button>,
}

impl Card {
    /// The same as plain lines.
    #[must_use]
    pub fn text(&self) -> Message {
        Message { lines: [&self.head.lines[..], &self.body.lines].concat() }
    }
}

impl FirstMessage {
    /// The one that an event begins: it also says what the event says.
    #[must_use]
    pub fn begin(alert: &Alert, destination: Destination, language: Language) -> Self {
        let event = &alert.event;
        let mut told = Vec::new();
        if !alert.standing.is_by(event) {
            told.push([occasion(event, language), by_whom_and_when(alert, language)].concat());
            told.extend(object(event, language));
            told.extend(quotes(event));
        }
        Self {
            standing: alert.standing.clone(),
            called: bounded(vec![mention_spans(&alert.mentions, destination.chat, language)], CALLED).concat(),
            told: bounded(told, TOLD),
            news: bounded(news(alert, destination, language), CALLED),
        }
    }

    /// The same message at a later state.
    #[must_use]
    pub fn at(&self, standing: &Standing) -> Self {
        Self { standing: standing.clone(), ..self.clone() }
    }

    /// What can be done to the incident as it stands: nothing once it is over, and nobody takes on what somebody has.
    #[must_use]
    pub fn buttons(&self, language: Language) -> Vec<Button> {
        let Standing { incident, state, .. } = &self.standing;
        let Some(incident) = incident.id.as_ref().filter(|id| !id.is_practice()) else { return Vec::new() };
        let phase = state.as_ref().map_or(Phase::Triggered, |state| state.phase);
        let actions = Action::ALL.into_iter().filter(|action| match action {
            Action::Note => phase.is_open(),
            action => !action.is_done(phase.status()),
        });
        let button = |action| Button {
            action,
            incident: incident.clone(),
            label: language.button(action),
            confirm: (action == Action::Resolve).then(|| language.confirm_resolve()),
        };
        actions.map(button).collect()
    }

    /// How it looks when it is posted, on the clock of a time zone.
    #[must_use]
    pub fn card(&self, language: Language, zone: Tz) -> Card {
        self.laid_out(language, zone, |member| untrusted(&member.name))
    }

    /// How it looks when it is changed, which notifies nobody who is mentioned.
    #[must_use]
    pub fn changed_card(&self, language: Language, zone: Tz) -> Card {
        self.laid_out(language, zone, |member| Some(Span::Mention(Mention::SlackMember(member.id.clone()))))
    }

    fn laid_out(&self, language: Language, zone: Tz, member: impl Fn(&Presser) -> Option<Span>) -> Card {
        let Standing { incident, service, urgency, found_by, state, merged_into: into } = &self.standing;
        let mut headline = practice(incident, language);
        headline.push(match state {
            Some(state) => Span::Words(format!("{} {}", icon(state.phase), language.phase(state.phase))),
            None => Span::Words("🔵".to_owned()),
        });
        headline.extend(incident.tag().map(Span::Tag));
        headline.push(
            incident
                .title
                .as_deref()
                .and_then(untrusted)
                .unwrap_or_else(|| Span::Words(language.no_title().to_owned())),
        );
        if let Some(state) = state.as_ref().filter(|state| state.phase != Phase::Triggered && !state.is_inferred) {
            headline.push(Span::Words("·".to_owned()));
            headline.extend(state.by.as_ref().and_then(|by| by_whom(by, member)));
            headline.push(Span::Words(since(&self.standing, state, language, zone)));
            headline.extend(self.standing.took().map(|took| Span::Words(language.took(took))));
        }
        let mut details = service_and_urgency(service.as_deref(), *urgency, language);
        details.extend(actor(found_by.as_ref(), service.as_deref(), &Kind::Triggered, language));
        let mut body = vec![join(details, "/")];
        body.extend(into.as_ref().map(|into| merged_into(into, language)));
        body.extend(self.told.iter().cloned());
        body.push(incident.link.iter().cloned().map(Span::Link).collect());
        body.extend(self.news.iter().cloned());
        Card {
            colour: state.as_ref().map_or(Colour::Blue, |state| colour(state.phase)),
            head: Message::of(vec![self.called.clone(), headline]),
            body: Message::of(body),
            buttons: Vec::new(),
        }
    }
}

/// `状態: 対応中(11:05から)`, for a chat whose messages stay as they are; an event that says no more of it itself is left alone.
pub(super) fn in_words(alert: &Alert, language: Language) -> Vec<Span> {
    let Some(state) = alert.standing.state.as_ref().filter(|state| !state.is_inferred) else { return Vec::new() };
    let is_its_own = alert.standing.is_by(&alert.event);
    let adds = match state.phase {
        Phase::Acknowledged => alert.event.occurred_at.is_some(),
        Phase::Resolved => alert.standing.took().is_some(),
        Phase::Triggered | Phase::Unacknowledged | Phase::Reopened | Phase::Merged => false,
    };
    if is_its_own && !adds {
        return Vec::new();
    }
    let since = since(&alert.standing, state, language, alert.at.timezone());
    let mut line = vec![Span::Words(format!("{}:", language.state()))];
    line.push(Span::Words(language.standing(state.phase, &since, alert.standing.took())));
    if !is_its_own {
        line.extend(state.by.as_ref().and_then(|by| by_whom(by, |member| untrusted(&member.name))));
    }
    line
}

/// The time of a state, with its day if that isn't the one on which the incident began.
fn since(standing: &Standing, state: &State, language: Language, zone: Tz) -> String {
    let local = state.since.with_timezone(&zone);
    let time = local.format("%H:%M");
    let began = standing.incident.created_at.map(|at| at.with_timezone(&zone).date_naive());
    match began {
        Some(day) if day != local.date_naive() => format!("{} {time}", language.date(local.date_naive())),
        _ => time.to_string(),
    }
}

fn by_whom(by: &By, member: impl Fn(&Presser) -> Option<Span>) -> Option<Span> {
    match by {
        By::Name(name) => untrusted(name),
        By::Member(presser) => member(presser),
    }
}

fn icon(phase: Phase) -> &'static str {
    match phase {
        Phase::Merged => "🔀",
        phase => match colour(phase) {
            Colour::Yellow => "🟡",
            Colour::Green => "🟢",
            _ => "🔴",
        },
    }
}

fn colour(phase: Phase) -> Colour {
    match phase {
        Phase::Triggered | Phase::Unacknowledged | Phase::Reopened => Colour::Red,
        Phase::Acknowledged => Colour::Yellow,
        Phase::Resolved => Colour::Green,
        Phase::Merged => Colour::Grey,
    }
}

/// As much as is remembered of it: an incident's item in the ledger must stay small.
fn bounded(lines: Vec<Vec<Span>>, most_chars: usize) -> Vec<Vec<Span>> {
    let mut left = most_chars;
    let mut bound = |span: Span| match span {
        Span::Untrusted(text) => {
            let text = sanitize::shorten(&text, left.max(1));
            left = left.saturating_sub(text.chars().count());
            Span::Untrusted(text)
        }
        span => span,
    };
    lines.into_iter().take(TOLD_LINES).map(|line| line.into_iter().map(&mut bound).collect()).collect()
}
