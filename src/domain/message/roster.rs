//! What a reader must know about the roster to trust the mentions.

use super::{Language, Span, list, needs_fallback, on_call_people, untrusted};
use crate::domain::chat::ChatName;
use crate::domain::roster::{Gap, Note, OnCall, OnCallDay, Person};

/// Everything but that the sheet is read as weekly, which is said in the evening.
pub(super) fn news(day: &OnCallDay, chat: ChatName, language: Language) -> Vec<Vec<Span>> {
    let mut lines: Vec<Vec<Span>> = said(day, language).into_iter().map(words).collect();
    lines.extend(unmentionable(day, chat, language));
    lines.extend(notes(day, language));
    lines.extend(day.copy_age.map(|age| words(language.stale(age))));
    lines
}

/// That the sheet is read as one row a week, if the day comes from such a row.
pub(super) fn weekly(day: &OnCallDay, language: Language) -> Option<Vec<Span>> {
    day.notes.contains(&Note::ReadAsWeekly).then(|| words(language.read_as_weekly().to_owned()))
}

fn words(words: String) -> Vec<Span> {
    vec![Span::Words(words)]
}

/// Who is on call, if it isn't people.
fn said(day: &OnCallDay, language: Language) -> Option<String> {
    Some(match &day.on_call {
        OnCall::People(_) => return None,
        OnCall::Nobody => language.nobody(day.date),
        OnCall::Undecided => language.undecided(day.date),
        OnCall::NotUnderstood { row, issue } => language.not_understood(day.date, *row, issue),
        OnCall::NoRow => language.no_row(day.date),
        OnCall::Unknown(failure) => language.unknown(*failure),
    })
}

/// Those on call who can't be mentioned here, by name.
fn unmentionable(day: &OnCallDay, chat: ChatName, language: Language) -> Vec<Vec<Span>> {
    let people = on_call_people(day);
    let several = |person: &&Person| person.gap(chat) == Some(Gap::TwoMembers);
    let names = |people: Vec<&Person>, behind: String| {
        let names: Vec<String> = people.iter().map(|person| person.name().to_owned()).collect();
        let mut line = words(language.unmentionable().to_owned());
        line.extend(list(&names, language));
        line.push(Span::Words(behind));
        (!names.is_empty()).then_some(line)
    };
    let mut lines = Vec::new();
    if !people.is_empty() && needs_fallback(day, chat) {
        lines.push(words(language.nobody_mentionable(chat, day.members)));
    } else {
        let unknown = people.iter().filter(|person| person.mention(chat).is_none() && !several(person)).collect();
        lines.extend(names(unknown, language.unmentionable_remedy(chat, day.members)));
    }
    lines.extend(names(people.iter().filter(several).collect(), language.several_members().to_owned()));
    lines
}

fn notes(day: &OnCallDay, language: Language) -> Vec<Vec<Span>> {
    let mut lines = Vec::new();
    let (mut left_out, mut missing) = (Vec::new(), Vec::new());
    let mut has_trouble = false;
    for note in &day.notes {
        match note {
            Note::PartlyUndecided => lines.push(words(language.partly_undecided().to_owned())),
            // One row is enough to make somebody look.
            Note::RowNotUnderstood { .. } if has_trouble => {}
            Note::RowNotUnderstood { row, issue } => {
                has_trouble = true;
                lines.push(words(language.row_not_understood(*row, issue)));
            }
            Note::ColumnLeftOut { title } => left_out.push(title.clone()),
            Note::ColumnMissing { title } => missing.push(title.clone()),
            Note::LooksWeekly => lines.push(words(language.looks_weekly().to_owned())),
            Note::OtherYear { row, date } => lines.push(words(language.other_year(*row, *date))),
            Note::UnreadRows { rows, more } => lines.push(words(language.unread_rows(rows, *more))),
            Note::ReadAsWeekly => {}
        }
    }
    if !left_out.is_empty() {
        let mut line = words(language.columns_left_out().to_owned());
        line.extend(untrusted(&left_out.join(language.and())));
        line.push(Span::Words(language.columns_left_out_remedy().to_owned()));
        lines.push(line);
    }
    if !missing.is_empty() {
        let mut line = words(language.columns_missing().to_owned());
        line.extend(untrusted(&missing.join(language.and())));
        lines.push(line);
    }
    lines
}
