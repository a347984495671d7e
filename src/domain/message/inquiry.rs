//! The answer to somebody who asks who is on call: people by name, what the roster lacks, what is open.

use chrono::{DateTime, Utc};

use super::{Language, OnCall, Span, list, on_call_people, reminder, roster};
use crate::domain::chat::ChatName;
use crate::domain::reminder::OpenIncidents;
use crate::domain::roster::OnCallDay;

/// Everything that the answer is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// When it was asked.
    pub now: DateTime<Utc>,
    /// The day it is.
    pub today: OnCallDay,
    /// Whether that is a working day; on others a row that is missing is nobody's slip.
    pub is_working_day: bool,
    /// The next working day, if there is one in sight.
    pub next: Option<OnCallDay>,
    /// What is open.
    pub open: OpenIncidents,
}

pub(super) fn lines(inquiry: &Inquiry, chat: ChatName, language: Language) -> Vec<Vec<Span>> {
    let words = |words: &str| vec![Span::Words(words.to_owned())];
    let Inquiry { now, today, is_working_day, next, open } = inquiry;
    let mut lines = if !is_working_day && today.on_call == OnCall::NoRow {
        vec![words(&language.day_off(today.date))]
    } else {
        day(today, chat, language)
    };
    // A sheet that can't be read is said once.
    let next = next.iter().flat_map(|next| day(next, chat, language));
    let next: Vec<_> = next.filter(|line| !lines.contains(line)).collect();
    lines.extend(next);
    match open {
        OpenIncidents::NotRequested => lines.push(words(language.open_incidents_need_a_key())),
        open => lines.extend(reminder::open_incidents(open, *now, language)),
    }
    lines
}

/// Nobody is mentioned: whoever asks wants to know, not to wake anybody.
fn day(day: &OnCallDay, chat: ChatName, language: Language) -> Vec<Vec<Span>> {
    let names: Vec<_> = on_call_people(day).iter().map(|person| person.name().to_owned()).collect();
    let mut lines = Vec::new();
    if !names.is_empty() {
        let mut line = vec![Span::Words(language.on_call_now(day.date))];
        line.extend(list(&names, language));
        lines.push(line);
    }
    lines.extend(roster::news(day, chat, language));
    lines
}
