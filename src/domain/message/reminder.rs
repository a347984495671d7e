//! The lines of a reminder: whose day it is, the manual, what the roster lacks, what is still open.

use chrono::{DateTime, Utc};

use super::{
    Destination, Language, OnCall, Person, Span, ahead, fallback_people, mention_line, needs_fallback, on_call_people,
    roster, untrusted,
};
use crate::domain::reminder::{OpenIncident, OpenIncidents, Reminder, ReminderKind};

pub(super) fn lines(reminder: &Reminder, destination: Destination, language: Language) -> Vec<Vec<Span>> {
    let mut lines = bare_lines(reminder, destination, language);
    if let Some(sheet) = &reminder.sheet {
        lines.push(vec![Span::Words(language.sheet().to_owned()), Span::Link(sheet.clone())]);
    }
    lines.extend(roster::news(&reminder.day, destination.chat, language));
    if reminder.kind == ReminderKind::Next {
        lines.extend(roster::weekly(&reminder.day, language));
    }
    lines.extend(ahead::outlook(reminder, destination.chat, language));
    lines.extend(ahead::acts(reminder, language));
    lines.extend(reminder.storms.iter().map(|storm| vec![Span::Words(language.past_storm(*storm))]));
    lines.extend(open_incidents(&reminder.open, reminder.now, language));
    if reminder.in_doubt || destination.in_doubt {
        lines.push(vec![Span::Words(language.in_doubt().to_owned())]);
    }
    if let Some(failed) = destination.instead_of {
        lines.push(vec![Span::Words(language.failed_over(failed, destination.chat))]);
    }
    lines
}

pub(super) fn bare_lines(reminder: &Reminder, destination: Destination, language: Language) -> Vec<Vec<Span>> {
    let Reminder { kind, day, manual, .. } = reminder;
    let mut lines = vec![mention_line(people(reminder, destination), destination.chat, language)];
    if matches!(day.on_call, OnCall::People(_)) {
        lines.push(vec![Span::Words(language.on_duty(*kind, day.date))]);
    }
    if let Some(manual) = manual {
        lines.push(vec![Span::Words(language.manual(*kind).to_owned()), Span::Link(manual.clone())]);
    }
    lines
}

/// An empty row is somebody's decision, and nobody is disturbed for it; whatever else is wrong needs somebody.
fn people(reminder: &Reminder, destination: Destination) -> impl Iterator<Item = &Person> {
    let day = &reminder.day;
    let helpless = day.on_call != OnCall::Nobody && needs_fallback(day, destination.chat);
    let fallback = helpless.then(|| fallback_people(day, destination.chat));
    on_call_people(day).iter().chain(fallback.into_iter().flatten())
}

pub(super) fn open_incidents(open: &OpenIncidents, now: DateTime<Utc>, language: Language) -> Vec<Vec<Span>> {
    let words = |words: String| vec![Span::Words(words)];
    match open {
        OpenIncidents::NotRequested => Vec::new(),
        OpenIncidents::Unknown => vec![words(language.open_incidents_unknown().to_owned())],
        OpenIncidents::Known { oldest, .. } if oldest.is_empty() => {
            vec![words(language.no_open_incidents().to_owned())]
        }
        OpenIncidents::Known { oldest, more, or_more, link } => {
            let mut lines = vec![words(language.open_incidents(oldest.len() + more, *or_more))];
            lines.extend(oldest.iter().map(|open| open_incident(open, now, language)));
            if *more > 0 || *or_more {
                let mut line = words(language.more_incidents(*more, *or_more));
                line.extend(link.iter().cloned().map(Span::Link));
                lines.push(line);
            }
            lines
        }
    }
}

/// `#pd33 (発生中、7時間) title link`
fn open_incident(open: &OpenIncident, now: DateTime<Utc>, language: Language) -> Vec<Span> {
    let age = open.since.map(|since| now - since);
    let mut line: Vec<Span> = open.incident.tag().map(Span::Tag).into_iter().collect();
    line.push(Span::Words(language.still_open(open.acknowledged, age)));
    line.push(
        open.incident
            .title
            .as_deref()
            .and_then(untrusted)
            .unwrap_or_else(|| Span::Words(language.no_title().to_owned())),
    );
    line.extend(open.incident.link.iter().cloned().map(Span::Link));
    line
}
