//! Sheets as people write them, and whom an alert or a reminder mentions because of them.
//!
//! A case has the sheet's cells (`D:` before what is a date for Google), its merged cells as
//! `[row, column, rows, columns]` from 0, what is done and when, whom it mentions, and what is said or never said.

use std::collections::BTreeSet;

use chrono::{DateTime, FixedOffset, NaiveDate};
use oncall::properties::event;
use oncall_relay::domain::alert::{Alert, Mentions};
use oncall_relay::domain::calendar::Calendar;
use oncall_relay::domain::chat::ChatName;
use oncall_relay::domain::event::Kind;
use oncall_relay::domain::message::{Destination, Message, Subject};
use oncall_relay::domain::reminder::{self, OpenIncidents, Outlook, Reminder, ReminderKind};
use oncall_relay::domain::roster::{
    Cell, MembersTable, Mention, Merge, OnCall, OnCallDay, ReadingRules, Roster, RosterState, Snapshot, Table, Tables,
};
use oncall_relay::domain::wording::Language;
use oncall_relay::edge::chat::render;
use regex_lite::Regex;
use serde_json::Value;

const FALLBACK: &str = "sre-duty";

fn cell(value: &Value) -> Cell {
    match value {
        Value::String(text) if text.is_empty() => Cell::Empty,
        Value::String(text) => match text.strip_prefix("D:") {
            Some(date) => Cell::Number(serial(date.parse().unwrap())),
            None => Cell::Text(text.clone()),
        },
        Value::Number(number) => Cell::Number(number.as_f64().unwrap()),
        Value::Bool(flag) => Cell::Flag(*flag),
        _ => Cell::Empty,
    }
}

fn serial(date: NaiveDate) -> f64 {
    let days = date - NaiveDate::from_ymd_opt(1899, 12, 30).unwrap();
    f64::from(i32::try_from(days.num_days()).unwrap())
}

fn rows(value: &Value) -> Vec<Vec<Cell>> {
    value.as_array().unwrap().iter().map(|row| row.as_array().unwrap().iter().map(cell).collect()).collect()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The tables of a case, with its range beginning where `origin` says (`[row, column]` from 0).
fn tables(case: &Value) -> Tables {
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let merge = |merge: &Value| {
        let [row, column, rows, columns] = [0, 1, 2, 3].map(|index| number(&merge[index]));
        Merge { row: row + 1, column: column + 1, rows, columns }
    };
    let origin = |index: usize| case["origin"].get(index).map_or(1, |origin| number(origin) + 1);
    Tables {
        roster: Table {
            first_row: origin(0),
            first_column: origin(1),
            merges: case["merges"].as_array().into_iter().flatten().map(merge).collect(),
            rows: rows(&case["sheet"]),
        },
        members: match &case["members"] {
            Value::Null => MembersTable::None,
            members => MembersTable::Table(Table::new(1, rows(members))),
        },
    }
}

/// What the primary chat shows.
fn shown(case: &Value, chat: ChatName, language: Language) -> String {
    let at: DateTime<FixedOffset> = case["at"].as_str().unwrap().parse().unwrap();
    let now = at.to_utc();
    let rules = ReadingRules { columns: texts(&case["columns"]), calendar: Calendar::default() };
    let today = rules.calendar.today(now);
    let (snapshot, _) = Snapshot::new(tables(case), &rules, today, now);
    let state = RosterState { snapshot: Some(snapshot), ..RosterState::default() };
    let fallback = [FALLBACK.to_owned()];
    let destination = Destination { chat, instead_of: None, in_doubt: false };
    let remind = |kind| {
        let first = reminder::due(kind, today, &rules.calendar).unwrap();
        let day = reminder::on_call(kind, first, &rules.calendar, &state, &fallback, now);
        let reminder = Reminder {
            kind,
            now,
            day,
            manual: None,
            open: OpenIncidents::NotRequested,
            in_doubt: false,
            sheet: None,
            storms: Vec::new(),
            outlook: Outlook::default(),
            acts: Vec::new(),
        };
        render(chat, &Message::whole(Subject::Reminder(&reminder), destination, language))
    };
    match case["do"].as_str().unwrap() {
        "next" => remind(ReminderKind::Next),
        "today" => remind(ReminderKind::Today),
        "alert" => {
            let day = OnCallDay::from_reading(&state, &fallback, today, now);
            let mentions = Mentions::OnCall(day);
            let notice = Alert::new(event(Kind::Triggered), None, mentions, false, &rules.calendar, now);
            render(chat, &Message::whole(Subject::Alert(&notice), destination, language))
        }
        other => panic!("{other}"),
    }
}

fn mentioned(text: &str, chat: ChatName) -> BTreeSet<String> {
    let pattern = match chat {
        ChatName::Typetalk => r"(?:^|\s)@(\S+)",
        ChatName::Slack => "(<@[^>]*>|<!subteam[^>]*>)",
    };
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// What is wrong with a case, in words.
fn failures(case: &Value) -> Vec<String> {
    let chat = if case["chat"] == "slack" { ChatName::Slack } else { ChatName::Typetalk };
    let text = shown(case, chat, Language::Japanese);
    let mut failures = Vec::new();
    let mut fails = |what: String| failures.push(format!("{}: {what}\n{text}", case["name"].as_str().unwrap()));
    let expected: BTreeSet<String> = texts(&case["mentions"]).into_iter().collect();
    if mentioned(&text, chat) != expected {
        fails(format!("mentions {:?} instead of {expected:?}", mentioned(&text, chat)));
    }
    for never in texts(&case["never_said"]).into_iter().filter(|never| text.contains(never.as_str())) {
        fails(format!("says {never:?}"));
    }
    for said in texts(&case["said"]).into_iter().filter(|said| !Regex::new(said).unwrap().is_match(&text)) {
        fails(format!("doesn't say {said:?}"));
    }
    let english = shown(case, chat, Language::English);
    if mentioned(&english, chat) != expected {
        fails(format!("mentions others in English: {english}"));
    }
    failures
}

#[track_caller]
fn check(cases: &str, at_least: usize) {
    let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
    let failures: Vec<String> = cases.iter().flat_map(failures).collect();
    assert!(failures.is_empty(), "{} of {}:\n\n{}", failures.len(), cases.len(), failures.join("\n\n"));
    assert!(cases.len() >= at_least, "only {} cases", cases.len());
    let names: BTreeSet<&str> = cases.iter().map(|case| case["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
}

#[test]
fn sheets_found_in_the_wild_are_read_as_their_writers_mean_them() {
    check(include_str!("../fixtures/roster/cases.json"), 36);
}

#[test]
fn every_law_of_reading_has_sheets_that_it_reads_and_sheets_that_it_doubts() {
    check(include_str!("../fixtures/roster/own.json"), 100);
}

/// Sheets that were read rightly before the laws were: whoever writes tidily must not notice them.
#[test]
fn tidy_sheets_are_read_as_they_always_were() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../fixtures/roster/tidy.json")).unwrap();
    assert!(cases.len() >= 30, "only {} sheets", cases.len());
    let mut failures = Vec::new();
    for case in &cases {
        let today = case["today"].as_str().unwrap().parse().unwrap();
        let (roster, _) = Roster::parse(&tables(case), &ReadingRules::default(), today);
        for (date, expected) in case["days"].as_object().unwrap() {
            let read = answer(&roster.on_call(date.parse().unwrap()));
            if read != *expected {
                failures.push(format!("{}, {date}: {read} instead of {expected}", case["name"]));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Everybody by their mention, or else by name.
fn answer(on_call: &OnCall) -> Value {
    let mention = |mention: &Mention| match mention {
        Mention::Typetalk(id) => format!("@{id}"),
        Mention::SlackMember(id) | Mention::SlackGroup(id) => format!("<{id}>"),
    };
    match on_call {
        OnCall::People(people) => people
            .iter()
            .map(|person| {
                let handle = person.mention(ChatName::Typetalk).or(person.mention(ChatName::Slack));
                handle.map_or(person.name().to_owned(), mention)
            })
            .collect::<Vec<_>>()
            .into(),
        OnCall::Nobody => "nobody".into(),
        OnCall::NoRow => "no row".into(),
        other => format!("{other:?}").into(),
    }
}
