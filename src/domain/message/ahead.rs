//! What a reminder says beyond its day: the days ahead in the evening, in the morning what the check found.

use chrono::NaiveDate;

use super::{Language, Span, list};
use crate::domain::chat::ChatName;
use crate::domain::reminder::{Outlook, Reminder, ReminderKind};
use crate::domain::roster::{OnCall, OnCallDay};

/// Lines at most; what doesn't fit is counted.
const MAX_LINES: usize = 5;

/// How the sheet is read if that is not plain, and what is missing in the days ahead.
pub(super) fn outlook(reminder: &Reminder, chat: ChatName, language: Language) -> Vec<Vec<Span>> {
    if reminder.kind != ReminderKind::Next {
        return Vec::new();
    }
    let Outlook { days, is_turned } = &reminder.outlook;
    let mut lines = Vec::new();
    if *is_turned {
        lines.push(words(language.read_as_turned().to_owned()));
    }
    lines.extend(shortened(troubles(days, chat, language), language));
    lines
}

/// What people must act on.
pub(super) fn acts(reminder: &Reminder, language: Language) -> Vec<Vec<Span>> {
    let line = |act| {
        let (before, names, behind) = language.act(act);
        let mut line = words(before);
        line.extend(list(names, language));
        line.extend((!behind.is_empty()).then_some(Span::Words(behind)));
        line
    };
    shortened(reminder.acts.iter().map(line).collect(), language)
}

fn troubles(days: &[OnCallDay], chat: ChatName, language: Language) -> Vec<Vec<Span>> {
    let with = |wanted: &dyn Fn(&OnCall) -> bool| -> Vec<NaiveDate> {
        days.iter().filter(|day| wanted(&day.on_call)).map(|day| day.date).collect()
    };
    let mut lines = Vec::new();
    let without = with(&|on_call| *on_call == OnCall::NoRow);
    lines.extend((!without.is_empty()).then(|| words(language.no_rows_ahead(&without))));
    for day in days {
        if let OnCall::NotUnderstood { row, issue } = &day.on_call {
            lines.push(words(language.not_understood(day.date, *row, issue)));
        }
    }
    let undecided = with(&|on_call| *on_call == OnCall::Undecided);
    lines.extend((!undecided.is_empty()).then(|| words(language.undecided_ahead(&undecided))));
    lines.extend(unmentionable(days, chat, language));
    lines
}

/// Those of the days ahead who can't be mentioned here, each once.
fn unmentionable(days: &[OnCallDay], chat: ChatName, language: Language) -> Option<Vec<Span>> {
    let mut names: Vec<String> = Vec::new();
    for day in days {
        let OnCall::People(people) = &day.on_call else { continue };
        for person in people.iter().filter(|person| person.mention(chat).is_none()) {
            let name = person.name().to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let members = days.first()?.members;
    let mut line = words(language.unmentionable_ahead().to_owned());
    line.extend(list(&names, language));
    line.push(Span::Words(language.unmentionable_remedy(chat, members)));
    (!names.is_empty()).then_some(line)
}

fn shortened(mut lines: Vec<Vec<Span>>, language: Language) -> Vec<Vec<Span>> {
    if lines.len() > MAX_LINES {
        let rest = lines.len() - MAX_LINES;
        lines.truncate(MAX_LINES);
        lines.push(words(language.more_findings(rest)));
    }
    lines
}

fn words(words: String) -> Vec<Span> {
    vec![Span::Words(words)]
}
