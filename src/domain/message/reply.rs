//! A short reply in the thread of an incident, whose first message says the rest.

use super::{
    Alert, Destination, Event, Kind, Language, Message, Span, mention_spans, merged_into, news, object, occasion,
    practice, quotes, untrusted,
};

impl Message {
    /// A short reply in the thread of an incident, whose first message says the rest. What the channel shows, too,
    /// stands alone there and keeps the title.
    #[must_use]
    pub fn reply(alert: &Alert, destination: Destination, language: Language) -> Self {
        let event = &alert.event;
        let mut lines = vec![mention_spans(&alert.mentions, destination.chat, language)];
        let mut line = practice(&event.incident, language);
        line.extend(occasion(event, language));
        line.extend(event.incident.tag().map(Span::Tag));
        if event.kind.is_broadcast() {
            line.extend(alert.standing.incident.title.as_deref().and_then(untrusted));
        }
        line.extend(by_whom_and_when(alert, language));
        lines.push(line);
        lines.extend(object(event, language));
        lines.extend(told(event, language));
        lines.extend(news(alert, destination, language));
        Self::of(lines)
    }
}

/// `· 田中 11:40 (40分)`
pub(super) fn by_whom_and_when(alert: &Alert, language: Language) -> Vec<Span> {
    let mut line = vec![Span::Words("·".to_owned())];
    line.extend(alert.event.actor.as_ref().and_then(|actor| actor.name.as_deref()).and_then(untrusted));
    line.push(Span::Words(alert.at.format("%H:%M").to_string()));
    if alert.standing.is_by(&alert.event) {
        line.extend(alert.standing.took().map(|took| Span::Words(language.took(took))));
    }
    line
}

/// What an event says that the first message of its incident doesn't: where it was merged into, what somebody wrote.
pub(super) fn told(event: &Event, language: Language) -> Vec<Vec<Span>> {
    let mut lines = Vec::new();
    if let Kind::Merged { into } = &event.kind {
        lines.push(merged_into(into, language));
    }
    lines.extend(quotes(event));
    lines
}
