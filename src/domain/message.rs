//! Messages as spans: who is mentioned, what is said, what is untrusted text. No product's markup.

mod ahead;
mod first;
mod inquiry;
mod notice;
mod people;
mod reminder;
mod reply;
mod roster;
mod storm;
mod table;
mod told;
mod week;

pub use first::{Button, Card, Colour, FirstMessage};
pub use inquiry::Inquiry;
pub use table::Table;

use people::{fallback_people, mention_line, mention_spans, needs_fallback, on_call_people};

use super::alert::{Alert, Mentions};
use super::chat::{ChatName, FailedChat};
use super::event::{Actor, Event, Incident, Kind, Link, Tag, Urgency};
use super::notice::Notice;
use super::reminder::Reminder;
use super::roster::{Mention, OnCall, OnCallDay, Person};
use super::sanitize;
use super::storm::Storm;
use super::week::Week;
use super::wording::Language;

/// A part of a message. Only `Mention`, `Tag` and `Link` may become such in a chat; `Untrusted` never does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Our own words.
    Words(String),
    /// Text from outside, cleaned; it may be shortened.
    Untrusted(String),
    /// A person to notify.
    Mention(Mention),
    /// The incident's hashtag.
    Tag(Tag),
    /// An address.
    Link(Link),
    /// A table, which has its line for itself.
    Table(Table),
}

/// Lines of spans; the spans of a line are printed one after the other with a space between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The lines.
    pub lines: Vec<Vec<Span>>,
}

/// Which chat a message is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// The chat.
    pub chat: ChatName,
    /// The chat that should have had it.
    pub instead_of: Option<FailedChat>,
    /// Whether this chat may have the message already, from a try just before; a subject's own doubt is from an earlier
    /// invocation.
    pub in_doubt: bool,
}

/// What a message can be about.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// An event of an incident.
    Alert(&'a Alert),
    /// Somebody's day on call.
    Reminder(&'a Reminder),
    /// What automation does about an incident.
    Notice(&'a Notice),
    /// What happened in a week.
    Week(&'a Week),
    /// That there are too many incidents to mention people for each.
    Storm(&'a Storm),
}

impl Subject<'_> {
    /// The number of the incident that it is about.
    #[must_use]
    pub fn incident_number(self) -> Option<u64> {
        match self {
            Self::Alert(alert) => alert.event.incident.number,
            Self::Reminder(_) | Self::Week(_) | Self::Storm(_) => None,
            Self::Notice(notice) => notice.incident.number,
        }
    }

    /// Whether a reader of the channel must see it, even where it belongs to a thread.
    #[must_use]
    pub fn is_broadcast(self) -> bool {
        match self {
            Self::Alert(alert) => alert.event.kind.is_broadcast(),
            Self::Reminder(_) | Self::Week(_) | Self::Storm(_) => true,
            Self::Notice(_) => false,
        }
    }
}

/// Nobody has more people on call; for more, the message says how many are left out.
const MAX_PEOPLE: usize = 30;
/// Lines of a note that keep their own line.
const MAX_QUOTED_LINES: usize = 20;
/// Characters of a title in the bare minimum.
const SHORT_TITLE: usize = 100;

impl Message {
    /// The whole message.
    #[must_use]
    pub fn whole(subject: Subject<'_>, destination: Destination, language: Language) -> Self {
        match subject {
            Subject::Alert(alert) => Self::about(alert, destination, language),
            Subject::Reminder(reminder) => Self::of(reminder::lines(reminder, destination, language)),
            Subject::Notice(notice) => Self::of(notice::lines(notice, destination, language)),
            Subject::Week(week) => Self::of(week::lines(week, destination, language)),
            Subject::Storm(storm) => Self::of(storm::lines(storm, destination, language)),
        }
    }

    /// The least that is worth posting, for a chat that refused the whole message.
    #[must_use]
    pub fn minimum(subject: Subject<'_>, destination: Destination, language: Language) -> Self {
        match subject {
            Subject::Alert(alert) => Self::bare(alert, destination, language),
            Subject::Reminder(reminder) => Self::of(reminder::bare_lines(reminder, destination, language)),
            Subject::Notice(notice) => Self::of(notice::bare_lines(notice, destination, language)),
            Subject::Week(week) => Self::of(week::bare_lines(week, destination, language)),
            Subject::Storm(storm) => Self::of(storm::lines(storm, destination, language)),
        }
    }

    /// The answer to somebody who asks who is on call.
    #[must_use]
    pub fn answer(inquiry: &Inquiry, chat: ChatName, language: Language) -> Self {
        Self::of(inquiry::lines(inquiry, chat, language))
    }

    /// The whole message about an event.
    pub(crate) fn about(alert: &Alert, destination: Destination, language: Language) -> Self {
        let Alert { event, mentions, .. } = alert;
        let people = mention_spans(mentions, destination.chat, language);
        let mut lines = match &event.kind {
            Kind::Ping => ping(mentions, destination.chat, language),
            Kind::Unknown { .. } | Kind::Unreadable => {
                vec![[people, plain_line(event, language)].concat()]
            }
            _ => {
                let mut lines = vec![people, headline(event, language), details(event, language)];
                lines.push(first::in_words(alert, language));
                lines.extend(reply::told(event, language));
                lines.push(event.incident.link.iter().cloned().map(Span::Link).collect());
                lines
            }
        };
        lines.extend(news(alert, destination, language));
        Self::of(lines)
    }

    /// The least that is worth posting about an event.
    pub(crate) fn bare(alert: &Alert, destination: Destination, language: Language) -> Self {
        let mut line = mention_spans(&alert.mentions, destination.chat, language);
        line.extend(practice(&alert.event.incident, language));
        line.push(Span::Words(language.label(&alert.event.kind).to_owned()));
        line.extend(alert.event.incident.tag().map(Span::Tag));
        line.extend(title(&alert.event).map(|title| match title {
            Span::Untrusted(text) => Span::Untrusted(sanitize::shorten(&text, SHORT_TITLE)),
            other => other,
        }));
        line.extend(alert.event.incident.link.iter().cloned().map(Span::Link));
        let mut lines = vec![line];
        if let Some(failed) = destination.instead_of {
            lines.push(vec![Span::Words(language.failed_over(failed, destination.chat))]);
        }
        Self::of(lines)
    }

    fn of(lines: Vec<Vec<Span>>) -> Self {
        Self { lines: lines.into_iter().filter(|line| !line.is_empty()).collect() }
    }
}

/// `🔴 発生 #pd33 title`
fn headline(event: &Event, language: Language) -> Vec<Span> {
    let mut line = practice(&event.incident, language);
    line.push(Span::Words(format!("{} {}", status_icon(&event.kind), language.label(&event.kind))));
    line.extend(event.incident.tag().map(Span::Tag));
    line.push(title(event).unwrap_or_else(|| Span::Words(language.no_title().to_owned())));
    line
}

/// `🔵 メモ`, or what PagerDuty calls an event that nobody has heard of.
fn occasion(event: &Event, language: Language) -> Vec<Span> {
    let icon = status_icon(&event.kind);
    match &event.kind {
        Kind::Unknown { event_type: Some(event_type) } => {
            vec![Span::Words(icon.to_owned()), Span::Untrusted(sanitize::line(event_type))]
        }
        kind => vec![Span::Words(format!("{icon} {}", language.label(kind)))],
    }
}

/// What else a reader must know: how late it is, whether it may be here twice, what the roster can't say.
fn news(alert: &Alert, destination: Destination, language: Language) -> Vec<Vec<Span>> {
    let mut lines = Vec::new();
    if let Some(delay) = &alert.delay {
        lines.push(vec![Span::Words(language.happened(delay))]);
    }
    if alert.in_doubt || destination.in_doubt {
        lines.push(vec![Span::Words(language.in_doubt().to_owned())]);
    }
    if let Mentions::OnCall(today) = &alert.mentions {
        lines.extend(roster::news(today, destination.chat, language));
    }
    if let Some(failed) = destination.instead_of {
        lines.push(vec![Span::Words(language.failed_over(failed, destination.chat))]);
    }
    lines
}

/// The mark of what is only played.
fn practice(incident: &Incident, language: Language) -> Vec<Span> {
    incident.is_practice().then(|| Span::Words(language.practice().to_owned())).into_iter().collect()
}

/// Colours of PagerDuty's own states; blue for everything that leaves the incident in its state.
fn status_icon(kind: &Kind) -> &'static str {
    match kind {
        Kind::Triggered | Kind::Unacknowledged | Kind::Reopened => "🔴",
        Kind::Acknowledged => "🟡",
        Kind::Resolved => "🟢",
        // Over, and not for a good reason: the other incident goes on.
        Kind::Merged { .. } => "🔀",
        _ => "🔵",
    }
}

/// What is known of an event that has no words of its own, on one line.
fn plain_line(event: &Event, language: Language) -> Vec<Span> {
    let mut line = practice(&event.incident, language);
    line.extend(occasion(event, language));
    line.extend(event.incident.tag().map(Span::Tag));
    line.extend(title(event));
    line.extend(event.incident.link.iter().cloned().map(Span::Link));
    line
}

fn title(event: &Event) -> Option<Span> {
    event.incident.title.as_deref().and_then(untrusted)
}

fn untrusted(text: &str) -> Option<Span> {
    let text = sanitize::line(text);
    (!text.is_empty()).then_some(Span::Untrusted(text))
}

/// `サービス: … / 緊急度: 高 / 対応者: … / 担当: …`
fn details(event: &Event, language: Language) -> Vec<Span> {
    let mut parts = service_and_urgency(event.service.as_deref(), event.urgency, language);
    parts.extend(actor(event.actor.as_ref(), event.service.as_deref(), &event.kind, language));
    parts.extend(object(event, language));
    join(parts, "/")
}

/// `サービス: …`, `緊急度: 高`
fn service_and_urgency(service: Option<&str>, urgency: Option<Urgency>, language: Language) -> Vec<Vec<Span>> {
    let service = part(language.service(), one(service));
    let level = |urgency| vec![Span::Words(language.urgency_level(urgency).to_owned())];
    let urgency = urgency.and_then(|urgency| part(language.urgency(), level(urgency)));
    [service, urgency].into_iter().flatten().collect()
}

/// `検知: …`
fn actor(actor: Option<&Actor>, service: Option<&str>, kind: &Kind, language: Language) -> Option<Vec<Span>> {
    // A service that acts on its own incident tells nothing that isn't on the line already.
    let actor = actor.filter(|actor| actor.name.as_deref() != service)?;
    part(language.actor(actor.kind, kind), one(actor.name.as_deref()))
}

/// `担当: …`, `優先度: P1`
fn object(event: &Event, language: Language) -> Option<Vec<Span>> {
    match &event.kind {
        Kind::Reassigned { to } | Kind::Escalated { to } | Kind::Delegated { to } | Kind::ResponderAdded { to, .. } => {
            part(language.to(&event.kind), list(to, language))
        }
        Kind::PriorityUpdated { to: Some(to) } => part(language.priority(), one(Some(to))),
        Kind::PriorityUpdated { to: None } => {
            part(language.priority(), vec![Span::Words(language.no_priority().to_owned())])
        }
        Kind::ResponderReplied { state, .. } => part(language.answer(), one(state.as_deref())),
        Kind::CustomAction { action } => part(language.action(), one(action.as_deref())),
        _ => None,
    }
}

fn one(name: Option<&str>) -> Vec<Span> {
    name.and_then(untrusted).into_iter().collect()
}

/// A label and what belongs to it, if there is anything.
fn part(label: &str, mut names: Vec<Span>) -> Option<Vec<Span>> {
    if names.is_empty() {
        return None;
    }
    names.insert(0, Span::Words(format!("{label}:")));
    Some(names)
}

/// `統合先: #pd34 title link`, with whatever is known of the other incident.
fn merged_into(into: &Incident, language: Language) -> Vec<Span> {
    // Its other messages carry its number, most likely; a tag made from its id would lead nowhere.
    let mut other: Vec<Span> = into.number.and_then(|_| into.tag()).map(Span::Tag).into_iter().collect();
    other.extend(into.title.as_deref().and_then(untrusted));
    other.extend(into.link.iter().cloned().map(Span::Link));
    if other.is_empty() {
        other.extend(into.id.as_ref().map(|id| Span::Untrusted(id.to_string())));
    }
    if !other.is_empty() {
        other.insert(0, Span::Words(format!("{}:", language.merged_into())));
    }
    other
}

fn list(names: &[String], language: Language) -> Vec<Span> {
    let names: Vec<_> = names.iter().map(|name| sanitize::line(name)).filter(|name| !name.is_empty()).collect();
    let (listed, left_out) = names.split_at(names.len().min(MAX_PEOPLE));
    let mut spans: Vec<_> = untrusted(&listed.join(language.and())).into_iter().collect();
    if !left_out.is_empty() {
        spans.push(Span::Words(language.more_people(left_out.len())));
    }
    spans
}

fn join(parts: Vec<Vec<Span>>, separator: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    for part in parts {
        if !spans.is_empty() {
            spans.push(Span::Words(separator.to_owned()));
        }
        spans.extend(part);
    }
    spans
}

/// What somebody wrote, line by line behind `>`.
fn quotes(event: &Event) -> Vec<Vec<Span>> {
    let written = match &event.kind {
        Kind::Annotated { note } => note,
        Kind::StatusUpdated { message }
        | Kind::ResponderAdded { message, .. }
        | Kind::ResponderReplied { message, .. } => message,
        _ => return Vec::new(),
    };
    quoted(sanitize::lines(written))
}

fn quoted(mut lines: Vec<String>) -> Vec<Vec<Span>> {
    if lines.len() > MAX_QUOTED_LINES {
        let rest = lines.split_off(MAX_QUOTED_LINES - 1).join(" ");
        lines.push(rest);
    }
    lines.into_iter().map(|line| vec![Span::Words(">".to_owned()), Span::Untrusted(line)]).collect()
}

/// The answer to PagerDuty's test event: it arrived, and this is how the roster stands.
fn ping(mentions: &Mentions, chat: ChatName, language: Language) -> Vec<Vec<Span>> {
    let mut lines = vec![vec![Span::Words(language.ping_received().to_owned())]];
    if let Mentions::Names(today) = mentions {
        if let OnCall::People(people) = &today.on_call {
            let names: Vec<_> = people.iter().map(|person| person.name().to_owned()).collect();
            let mut line = vec![Span::Words(language.on_call_now(today.date))];
            line.extend(list(&names, language));
            lines.push(line);
        }
        lines.extend(roster::news(today, chat, language));
    }
    lines
}

#[cfg(test)]
mod tests;
