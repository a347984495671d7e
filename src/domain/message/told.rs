//! What the presser of a button alone is told, if it isn't done by their press.

use chrono_tz::Tz;

use super::{Language, Message, Span, untrusted};
use crate::domain::acting::{ActingFailure, IncidentNow};
use crate::domain::event::{Incident, Link};

impl Message {
    /// It is done already: by whom, and when.
    #[must_use]
    pub fn already(now: &IncidentNow, by: Option<&str>, zone: Tz, language: Language) -> Self {
        let mut line: Vec<Span> = now.incident.tag().map(Span::Tag).into_iter().collect();
        line.push(Span::Words(language.already(now.status).to_owned()));
        let since = now.since.map(|since| Span::Words(since.with_timezone(&zone).format("%H:%M").to_string()));
        let by: Vec<_> = by.and_then(untrusted).into_iter().chain(since).collect();
        if !by.is_empty() {
            line.push(Span::Words("·".to_owned()));
            line.extend(by);
        }
        Self::of(vec![line])
    }

    /// It is not done: why, and where it can be done by hand.
    #[must_use]
    pub fn not_done(failure: ActingFailure, incident: &Incident, language: Language) -> Self {
        Self::to_presser(language.not_done(failure), incident, language)
    }

    /// Something else that only the presser needs to know.
    #[must_use]
    pub fn to_presser(words: &str, incident: &Incident, language: Language) -> Self {
        let mut line: Vec<Span> = incident.number.and_then(|_| incident.tag()).map(Span::Tag).into_iter().collect();
        line.push(Span::Words(words.to_owned()));
        let by_hand = |link: &Link| vec![Span::Words(language.by_hand().to_owned()), Span::Link(link.clone())];
        Self::of([vec![line], incident.link.iter().map(by_hand).collect()].concat())
    }
}
