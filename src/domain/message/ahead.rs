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

#[cfg(test)]
mod tests {
    use chrono::NaiveDateTime;

    use super::*;
    use crate::domain::check::Act;
    use crate::domain::event::Link;
    use crate::domain::message::{Destination, Message, Subject};
    use crate::domain::reminder::OpenIncidents;
    use crate::domain::samples::{now, on_call, reading};

    const JAPANESE: Language = Language::Japanese;

    fn reminder(kind: ReminderKind, outlook: Outlook, acts: Vec<Act>) -> Reminder {
        Reminder {
            kind,
            now: now(),
            day: on_call("田中"),
            manual: None,
            open: OpenIncidents::NotRequested,
            storms: Vec::new(),
            in_doubt: false,
            sheet: Link::parse("https://docs.google.com/spreadsheets/d/1aB/edit"),
            outlook,
            acts,
        }
    }

    /// The lines after who is on call.
    fn said(reminder: &Reminder, language: Language) -> Vec<String> {
        let destination = Destination { chat: ChatName::Slack, instead_of: None, in_doubt: false };
        let message = Message::whole(Subject::Reminder(reminder), destination, language);
        let text = |span: &Span| match span {
            Span::Words(text) | Span::Untrusted(text) => text.clone(),
            Span::Link(link) => link.to_string(),
            Span::Mention(_) | Span::Tag(_) | Span::Table(_) => String::new(),
        };
        let line = |line: &Vec<Span>| line.iter().map(text).collect::<Vec<_>>().join(" ");
        message.lines.iter().skip(2).map(line).collect()
    }

    fn every_act() -> Vec<Act> {
        let names = || vec!["P1SVC".to_owned(), "P2SVC".to_owned()];
        vec![
            Act::WebhookDisabled,
            Act::WebhookInactive,
            Act::WebhookMissing(names()),
            Act::WebhookEvents,
            Act::NobodyOnCall("2026-11-26T21:00:00".parse::<NaiveDateTime>().unwrap()),
            Act::ServicesGone(names()),
            Act::ServicesDisabled(names()),
            Act::PagerDutyKey,
            Act::SlackToken,
            Act::SlackPlace("SLACK_ALERT_CHANNEL"),
            Act::SlackPeople(names()),
            Act::Look("ledger"),
        ]
    }

    #[test]
    fn everything_that_people_must_act_on_has_words_of_its_own_in_both_languages() {
        for language in [Language::Japanese, Language::English] {
            let mut lines = Vec::new();
            for act in every_act() {
                let said = said(&reminder(ReminderKind::Today, Outlook::default(), vec![act.clone()]), language);
                assert_eq!(said.len(), 2, "the sheet's link and a line: {said:?}");
                assert!(said[1].starts_with(['🚨', '⚠']), "{said:?}");
                let has_names = matches!(
                    act,
                    Act::WebhookMissing(_) | Act::ServicesGone(_) | Act::ServicesDisabled(_) | Act::SlackPeople(_)
                );
                assert_eq!(said[1].contains("P1SVC"), has_names, "{said:?}");
                lines.push(said[1].clone());
            }
            lines.sort();
            lines.dedup();
            assert_eq!(lines.len(), every_act().len());
        }
        let at = |language| said(&reminder(ReminderKind::Today, Outlook::default(), every_act()), language)[5].clone();
        assert!(at(Language::Japanese).contains("11/26(木) 21:00"), "{}", at(Language::Japanese));
        assert!(at(Language::English).contains("11/26 (Thu) 21:00"), "{}", at(Language::English));
    }

    #[test]
    fn of_more_than_five_the_rest_is_counted() {
        let said = said(&reminder(ReminderKind::Today, Outlook::default(), every_act()), JAPANESE);
        assert_eq!(said.len(), 1 + MAX_LINES + 1, "{said:?}");
        assert!(said.last().unwrap().starts_with("ほか 7 件"), "{said:?}");
    }

    #[test]
    fn the_days_ahead_are_told_in_the_evening_by_what_is_wrong_with_them() {
        let calendar = crate::domain::calendar::Calendar::default();
        let today = "2026-11-24".parse().unwrap();
        let ahead = |rows: &[&[&str]]| {
            let outlook = Outlook::of(today, "2026-11-25".parse().unwrap(), &calendar, &reading(rows), &[], now());
            said(&reminder(ReminderKind::Next, outlook, Vec::new()), JAPANESE).split_off(1)
        };
        let full: &[&[&str]] =
            &[&["2026-11-26", "田中"], &["2026-11-27", "なし"], &["2026-11-30", "鈴木"], &["2026-12-01", "SRE"]];
        assert_eq!(ahead(full), [""; 0], "the day that the reminder speaks of is not looked at again");
        assert_eq!(
            ahead(&[&["2026-11-26", "未定"], &["2026-11-30", "未定"], &["2026-12-01", "渡辺、田中"]]),
            [
                "⚠️ 当番表に11/27(金)の行がありません。行を追加してください",
                "⚠️ 11/26(木)・11/30(月)の当番は未定です。決まったら当番表に書いてください",
                "⚠️ この先の当番でメンションできない人: 渡辺 (メンバー表の Slack の ID を確認してください)",
            ]
        );
        let turned = ahead(&[
            &["日付", "2026-11-25", "2026-11-26", "2026-11-27", "2026-11-30", "2026-12-01"],
            &["担当", "田中", "田中", "田中", "田中", "田中"],
        ]);
        assert_eq!(turned, ["ℹ️ 当番表を、日付が横に並ぶ表として読んでいます"]);
    }
}
