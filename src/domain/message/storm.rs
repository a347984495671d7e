//! The lines about a storm: who should know, how many incidents there are, and where they are listed.

use super::{Card, Colour, Destination, Language, Mentions, Message, Span, Storm, mention_spans, roster};
use crate::domain::chat::ChatName;

pub(super) fn lines(storm: &Storm, destination: Destination, language: Language) -> Vec<Vec<Span>> {
    let mut lines = head(storm, destination.chat, language);
    lines.extend(body(storm, language));
    if storm.in_doubt || destination.in_doubt {
        lines.push(vec![Span::Words(language.in_doubt().to_owned())]);
    }
    if let Mentions::OnCall(today) = &storm.mentions {
        lines.extend(roster::news(today, destination.chat, language));
    }
    if let Some(failed) = destination.instead_of {
        lines.push(vec![Span::Words(language.failed_over(failed, destination.chat))]);
    }
    lines
}

impl Storm {
    /// The message as it is later, on a chat where that can be changed.
    #[must_use]
    pub fn card(&self, chat: ChatName, language: Language) -> Card {
        let [head, body] = [head(self, chat, language), body(self, language)].map(Message::of);
        let colour = if self.is_over { Colour::Green } else { Colour::Red };
        Card { colour, head, body, buttons: Vec::new() }
    }
}

fn head(storm: &Storm, chat: ChatName, language: Language) -> Vec<Vec<Span>> {
    let words = if storm.is_over { language.storm_over(storm.so_far) } else { language.storm(storm.so_far) };
    vec![mention_spans(&storm.mentions, chat, language), vec![Span::Words(words)]]
}

fn body(storm: &Storm, language: Language) -> Vec<Vec<Span>> {
    let meaning = if storm.is_over { language.storm_mentions_again() } else { language.storm_without_mentions() };
    let mut lines = vec![vec![Span::Words(meaning.to_owned())]];
    let list = storm.list.clone().map(Span::Link);
    lines.extend(list.map(|list| vec![Span::Words(language.storm_list().to_owned()), list]));
    lines
}
