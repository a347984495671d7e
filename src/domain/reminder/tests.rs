//! Which day a reminder speaks of, and what it says on both sides of weekends, holidays and gaps.

use super::*;
use crate::domain::calendar::{BusinessDays, BusinessHours, Holidays};
use crate::domain::chat::ChatName;
use crate::domain::event::IncidentId;
use crate::domain::message::{Destination, Message, Span, Subject};
use crate::domain::roster::SourceFailure;
use crate::domain::samples::{self, now};
use crate::domain::wording::Language;

fn day(date: &str) -> NaiveDate {
    date.parse().unwrap()
}

fn calendar(zone: &str, holidays: &str) -> Calendar {
    Calendar::new(
        zone.parse().unwrap(),
        BusinessDays::parse("Mon-Fri").unwrap(),
        BusinessHours::parse("10:00-17:00").unwrap(),
        Holidays::parse(holidays).unwrap(),
    )
}

fn tokyo() -> Calendar {
    calendar("Asia/Tokyo", "jp,12-29..01-03")
}

#[track_caller]
fn check_due(today: &str, kind: ReminderKind, expected: Option<&str>) {
    assert_eq!(due(kind, day(today), &tokyo()), expected.map(day), "{today} {kind:?}");
}

#[test]
fn every_weekday_is_reminded_of_itself_and_of_the_next() {
    for (today, next) in [
        ("2026-06-01", "2026-06-02"),
        ("2026-06-02", "2026-06-03"),
        ("2026-06-03", "2026-06-04"),
        ("2026-06-04", "2026-06-05"),
        ("2026-06-05", "2026-06-08"), // Friday names Monday
    ] {
        check_due(today, ReminderKind::Today, Some(today));
        check_due(today, ReminderKind::Next, Some(next));
    }
    for weekend in ["2026-06-06", "2026-06-07"] {
        check_due(weekend, ReminderKind::Today, None);
        check_due(weekend, ReminderKind::Next, None);
    }
}

#[test]
fn the_day_before_a_run_of_holidays_names_the_day_after_it() {
    for (last, free, next) in [
        // 2026
        ("2025-12-26", "2025-12-29", "2026-01-05"), // 26 December is a Friday; 28 a Sunday
        ("2026-01-09", "2026-01-12", "2026-01-13"), // Coming of Age Day
        ("2026-02-10", "2026-02-11", "2026-02-12"), // National Foundation Day
        ("2026-02-20", "2026-02-23", "2026-02-24"), // Emperor's Birthday
        ("2026-03-19", "2026-03-20", "2026-03-23"), // Vernal Equinox Day
        ("2026-04-28", "2026-04-29", "2026-04-30"), // Showa Day
        ("2026-05-01", "2026-05-06", "2026-05-07"), // Golden Week: 3 May is a Sunday, so 6 May is free, too
        ("2026-07-17", "2026-07-20", "2026-07-21"), // Marine Day
        ("2026-08-10", "2026-08-11", "2026-08-12"), // Mountain Day
        ("2026-09-18", "2026-09-22", "2026-09-24"), // Silver Week: 22 September lies between two holidays
        ("2026-10-09", "2026-10-12", "2026-10-13"), // Sports Day
        ("2026-11-02", "2026-11-03", "2026-11-04"), // Culture Day
        ("2026-11-20", "2026-11-23", "2026-11-24"), // Labour Thanksgiving Day
        ("2026-12-28", "2026-12-31", "2027-01-04"), // the company's new year
        // 2027
        ("2027-01-08", "2027-01-11", "2027-01-12"),
        ("2027-02-10", "2027-02-11", "2027-02-12"),
        ("2027-02-22", "2027-02-23", "2027-02-24"),
        ("2027-03-19", "2027-03-22", "2027-03-23"), // 21 March is a Sunday
        ("2027-04-28", "2027-04-29", "2027-04-30"),
        ("2027-04-30", "2027-05-05", "2027-05-06"),
        ("2027-07-16", "2027-07-19", "2027-07-20"),
        ("2027-08-10", "2027-08-11", "2027-08-12"),
        ("2027-09-17", "2027-09-20", "2027-09-21"),
        ("2027-09-22", "2027-09-23", "2027-09-24"),
        ("2027-10-08", "2027-10-11", "2027-10-12"),
        ("2027-11-02", "2027-11-03", "2027-11-04"),
        ("2027-11-22", "2027-11-23", "2027-11-24"),
        ("2027-12-28", "2027-12-30", "2028-01-04"),
    ] {
        check_due(last, ReminderKind::Today, Some(last));
        check_due(last, ReminderKind::Next, Some(next));
        check_due(free, ReminderKind::Today, None);
        check_due(free, ReminderKind::Next, None);
    }
}

#[test]
fn a_team_that_never_works_is_never_reminded() {
    let off = calendar("Asia/Tokyo", "01-01..12-31");
    assert_eq!(due(ReminderKind::Next, day("2026-06-01"), &off), None);
    // One working day in the past of a year full of days off: there is no next.
    let once = calendar("Asia/Tokyo", "01-01..12-31,+2026-06-01");
    assert_eq!(due(ReminderKind::Today, day("2026-06-01"), &once), Some(day("2026-06-01")));
    assert_eq!(due(ReminderKind::Next, day("2026-06-01"), &once), None);
}

#[test]
fn the_day_is_that_of_the_teams_zone_through_daylight_saving() {
    let new_york = calendar("America/New_York", "none");
    for (instant, today) in [
        ("2026-03-08T04:59:59Z", "2026-03-07"), // UTC-5
        ("2026-03-08T05:00:00Z", "2026-03-08"),
        ("2026-03-09T03:59:59Z", "2026-03-08"), // UTC-4
        ("2026-03-09T04:00:00Z", "2026-03-09"),
        ("2026-11-02T04:59:59Z", "2026-11-01"), // UTC-5 again
    ] {
        assert_eq!(new_york.today(instant.parse().unwrap()), day(today), "{instant}");
    }
    // Both Sundays of the change name Monday on Friday.
    for (friday, monday) in [("2026-03-06", "2026-03-09"), ("2026-10-30", "2026-11-02")] {
        assert_eq!(due(ReminderKind::Next, day(friday), &new_york), Some(day(monday)));
    }
}

/// Who `next` names on Tuesday, 24 November, if the sheet has these rows.
fn named(rows: &[&[&str]]) -> (NaiveDate, OnCall) {
    let day = on_call(ReminderKind::Next, day("2026-11-25"), &tokyo(), &samples::reading(rows), &[], now());
    (day.date, day.on_call)
}

#[test]
fn next_passes_over_empty_rows_and_stops_at_a_missing_one() {
    let (date, people) = named(&[&["2026-11-25", "なし"], &["2026-11-26", ""], &["2026-11-27", "田中"]]);
    assert_eq!(date, day("2026-11-27"));
    assert!(matches!(people, OnCall::People(people) if people.len() == 1));

    let weekend = named(&[&["2026-11-25", ""], &["2026-11-26", ""], &["2026-11-27", ""], &["2026-11-28", "田中"]]);
    assert_eq!(weekend, (day("2026-11-30"), OnCall::NoRow), "Saturday's people are not on call on a working day");

    assert_eq!(named(&[&["2026-11-24", "田中"]]), (day("2026-11-25"), OnCall::NoRow));
}

#[test]
fn next_looks_two_weeks_ahead_and_no_further() {
    let rows: Vec<Vec<String>> = (25..=30)
        .map(|day| vec![format!("2026-11-{day}"), "なし".to_owned()])
        .chain((1..=9).map(|day| vec![format!("2026-12-0{day}"), "なし".to_owned()]))
        .chain([vec!["2026-12-10".to_owned(), "田中".to_owned()]])
        .collect();
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    assert_eq!(named(&rows), (day("2026-11-25"), OnCall::Nobody));
}

/// Messages as text: `@m` a mention, `#t` a tag, `«f»` a stranger's words, `<l>` a link.
fn said(kind: ReminderKind, rows: Option<&[&[&str]]>, open: OpenIncidents, language: Language) -> Vec<String> {
    let first = if kind == ReminderKind::Today { day("2026-11-24") } else { day("2026-11-25") };
    let reading = rows
        .map_or(RosterState { failure: Some(SourceFailure::Forbidden), ..RosterState::default() }, samples::reading);
    let fallback = ["SRE".to_owned()];
    let day = on_call(kind, first, &tokyo(), &reading, &fallback, now());
    let manual = Link::parse("https://wiki.example.com/oncall");
    let reminder = Reminder {
        kind,
        now: now(),
        day,
        manual,
        open,
        in_doubt: false,
        sheet: None,
        storms: Vec::new(),
        outlook: Outlook::default(),
        acts: Vec::new(),
    };
    let destination = Destination { chat: ChatName::Typetalk, instead_of: None, in_doubt: false };
    lines(&Message::whole(Subject::Reminder(&reminder), destination, language))
}

fn lines(message: &Message) -> Vec<String> {
    samples::marked(message).lines().map(str::to_owned).collect()
}

#[test]
fn the_people_of_today_are_told_so() {
    let rows: &[&[&str]] = &[&["2026-11-24", "田中、鈴木"]];
    assert_eq!(
        said(ReminderKind::Today, Some(rows), OpenIncidents::NotRequested, Language::Japanese),
        [
            "@tanaka @suzuki-k",
            "📟 今日 11/24(火) のオンコール当番です。よろしくお願いします",
            "📖 オンコールマニュアル: <https://wiki.example.com/oncall>",
        ]
    );
    assert_eq!(
        said(ReminderKind::Today, Some(rows), OpenIncidents::NotRequested, Language::English),
        [
            "@tanaka @suzuki-k",
            "📟 You are on call today, 11/24 (Tue)",
            "📖 On-call manual: <https://wiki.example.com/oncall>",
        ]
    );
}

#[test]
fn the_people_of_the_next_working_day_are_sent_to_the_checklist() {
    let rows: &[&[&str]] = &[&["2026-11-25", "佐藤 花子"]];
    assert_eq!(
        said(ReminderKind::Next, Some(rows), OpenIncidents::NotRequested, Language::Japanese),
        [
            "@sato",
            "📅 次の営業日 11/25(水) のオンコール当番です。都合が悪くなったら当番表を書き換えてください",
            "📖 事前チェックリストを確認してください: <https://wiki.example.com/oncall>",
        ]
    );
    assert_eq!(
        said(ReminderKind::Next, Some(rows), OpenIncidents::NotRequested, Language::English)[1..],
        [
            "📅 You are on call on the next working day, 11/25 (Wed). If you can't be, please edit the roster",
            "📖 Please go through the checklist beforehand: <https://wiki.example.com/oncall>",
        ]
    );
}

#[test]
fn an_empty_row_disturbs_nobody_and_anything_else_that_is_wrong_does() {
    let none = OpenIncidents::NotRequested;
    let empty: &[&[&str]] = &[&["2026-11-24", "なし"]];
    let said_of = |rows| said(ReminderKind::Today, rows, none.clone(), Language::Japanese);
    assert_eq!(said_of(Some(empty))[1..], ["ℹ️ 11/24(火)の当番は空欄です"]);
    assert!(said_of(Some(empty))[0].starts_with("📖"));

    let no_row = said_of(Some(&[&["2026-11-23", "田中"]]));
    assert_eq!(
        (no_row[0].as_str(), no_row[2].as_str()),
        ("@sre-team", "⚠️ 当番表に11/24(火)の行がありません。行を追加してください")
    );
    let unmentionable = said_of(Some(&[&["2026-11-24", "高橋"]]));
    assert_eq!(unmentionable[0], "«高橋» @sre-team");
    let unreadable = said_of(None);
    assert_eq!(
        (unreadable[0].as_str(), unreadable[2].as_str()),
        ("@SRE", "⚠️ 当番表を読めないため、当番が分かりません(閲覧権限がありません)")
    );
}

fn open_incident(number: u64, hours: i64, acknowledged: bool) -> OpenIncident {
    OpenIncident {
        incident: Incident {
            id: IncidentId::parse(&format!("PINC{number}")),
            number: Some(number),
            title: Some(format!("@all title {number}")),
            link: Link::parse(&format!("https://acme.pagerduty.com/incidents/PINC{number}")),
            ..Incident::default()
        },
        acknowledged,
        since: Some(now() - TimeDelta::hours(hours)),
    }
}

#[test]
fn what_is_still_open_is_listed_with_age_the_oldest_first() {
    let open = OpenIncidents::listed(vec![open_incident(7, 3, false), open_incident(5, 50, true)], true);
    let rows: &[&[&str]] = &[&["2026-11-24", "田中"]];
    assert_eq!(
        said(ReminderKind::Today, Some(rows), open.clone(), Language::Japanese)[3..],
        [
            "🌙 未解決のインシデントが 2 件あります(古い順)",
            "#pd5 (対応中、2日2時間) «@all title 5» <https://acme.pagerduty.com/incidents/PINC5>",
            "#pd7 (発生中、3時間0分) «@all title 7» <https://acme.pagerduty.com/incidents/PINC7>",
        ]
    );
    assert_eq!(
        said(ReminderKind::Today, Some(rows), open, Language::English)[3..5],
        [
            "🌙 2 incidents are still open, the oldest first",
            "#pd5 (acknowledged, 2 days 2 h) «@all title 5» <https://acme.pagerduty.com/incidents/PINC5>",
        ]
    );
}

#[test]
fn ten_are_listed_and_the_rest_counted_with_one_link() {
    let incidents = |count| (1..=count).map(|number| open_incident(number, 1, false)).collect::<Vec<_>>();
    let rows: &[&[&str]] = &[&["2026-11-24", "田中"]];
    let lines = said(ReminderKind::Today, Some(rows), OpenIncidents::listed(incidents(12), true), Language::Japanese);
    assert_eq!(lines.len(), 3 + 1 + 10 + 1);
    assert_eq!(lines[3], "🌙 未解決のインシデントが 12 件あります(古い順)");
    assert_eq!(lines[14], "ほか 2 件 <https://acme.pagerduty.com/incidents>");

    let cut_off =
        said(ReminderKind::Today, Some(rows), OpenIncidents::listed(incidents(100), false), Language::English);
    assert_eq!(cut_off[3], "🌙 100 or more incidents are still open, the oldest first");
    assert_eq!(cut_off[14], "and 90 or more <https://acme.pagerduty.com/incidents>");
}

#[test]
fn nothing_open_and_nothing_known_are_told_apart() {
    let rows: &[&[&str]] = &[&["2026-11-24", "田中"]];
    let last = |open| said(ReminderKind::Today, Some(rows), open, Language::Japanese).pop().unwrap();
    assert_eq!(last(OpenIncidents::listed(Vec::new(), true)), "✅ 未解決のインシデントはありません");
    assert!(last(OpenIncidents::Unknown).starts_with("⚠️ 未解決のインシデントを PagerDuty から取得できませんでした"));
    assert!(last(OpenIncidents::NotRequested).starts_with("📖"));
}

#[test]
fn the_bare_minimum_mentions_names_the_day_and_links_the_manual() {
    let day = on_call(
        ReminderKind::Today,
        day("2026-11-24"),
        &tokyo(),
        &samples::reading(&[&["2026-11-24", "田中"]]),
        &[],
        now(),
    );
    let open = OpenIncidents::listed(vec![open_incident(7, 3, false)], true);
    let reminder = Reminder {
        kind: ReminderKind::Today,
        now: now(),
        day,
        manual: None,
        open,
        in_doubt: false,
        sheet: None,
        storms: Vec::new(),
        outlook: Outlook::default(),
        acts: Vec::new(),
    };
    let destination = Destination { chat: ChatName::Slack, instead_of: None, in_doubt: false };
    let message = Message::minimum(Subject::Reminder(&reminder), destination, Language::English);
    assert_eq!(lines(&message), ["@U0TANAKA1", "📟 You are on call today, 11/24 (Tue)"]);
    assert!(!message.lines.iter().flatten().any(|span| matches!(span, Span::Untrusted(_))));
}
