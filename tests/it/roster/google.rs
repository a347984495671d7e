//! The sheet as Google serves it: where a range stands, what is merged, what is too large, and what is refused.

use std::sync::{Arc, Mutex};

use oncall::fakes::google::ACCOUNT;
use oncall::fakes::{Fakes, MEMBERS_TAB, ROSTER_TAB};
use oncall_relay::lambda::telemetry;

use super::{Lines, first_and_last_line};
use crate::world::{DAYTIME, World, posted, triggered, triggered_at};

/// The week of the holiday, one row a day; the names are given.
fn days<'a>(names: &'a [&'a str]) -> Vec<[&'a str; 2]> {
    let dates = ["2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"];
    dates.into_iter().zip(names).map(|(date, name)| [date, *name]).collect()
}

#[tokio::test]
async fn a_name_that_is_merged_over_the_week_is_mentioned_on_each_of_its_days() {
    let world = World::new().await;
    let days = days(&["田中", "", "", "佐藤 花子"]);
    let mut rows: Vec<&[&str]> = vec![&["日付", "担当"]];
    rows.extend(days.iter().map(<[_; 2]>::as_slice));
    world.google.write(ROSTER_TAB, &rows);
    world.google.merge(ROSTER_TAB, [1, 1, 3, 1]);
    // Another tab's are its own.
    world.google.merge(MEMBERS_TAB, [9, 1, 3, 1]);
    let relay = world.relay().await;
    for (day, mention) in [("24", "@tanaka"), ("25", "@tanaka"), ("26", "@tanaka"), ("27", "@sato")] {
        let at = format!("2026-11-{day}T11:00:00+09:00");
        assert_eq!(relay.signed(&at, &triggered_at(day, &at)).await, posted(1));
        let topic = relay.topic();
        assert!(topic[0].starts_with(&format!("{mention}\n")) && !topic[0].contains('⚠'), "{day}: {topic:?}");
    }
}

#[tokio::test]
async fn merges_and_row_numbers_are_the_sheets_where_a_range_begins_elsewhere() {
    let mut world = World::new().await;
    world.set("ROSTER_RANGE", "今年's!C3:D");
    let tab = "今年's";
    world.google.write(
        tab,
        &[
            &["", "", "", ""],
            &["", "", "ignored", ""],
            &["", "", "日付", "担当"],
            &["", "", "2026-11-24", "田中"],
            &["", "", "2026-11-25", ""],
            &["", "", "2026-11-26", "#REF!"],
        ],
    );
    world.google.merge(tab, [3, 3, 2, 1]);
    let on = |day: &str| format!("2026-11-{day}T11:00:00+09:00");
    let (first, _) = first_and_last_line(&world, "e1", &on("24")).await;
    assert_eq!(first, "@tanaka");
    let (first, _) = first_and_last_line(&world, "e2", &on("25")).await;
    assert_eq!(first, "@tanaka");
    let (_, last) = first_and_last_line(&world, "e3", &on("26")).await;
    assert!(last.contains("6行目"), "{last}");
}

#[tokio::test]
async fn a_merge_that_begins_outside_the_range_is_not_understood() {
    let mut world = World::new().await;
    world.set("ROSTER_RANGE", &format!("{ROSTER_TAB}!A3:B"));
    world.google.write(ROSTER_TAB, &[&["日付", "担当"], &["2026-11-24", "田中"], &["2026-11-25", ""]]);
    world.google.merge(ROSTER_TAB, [1, 1, 2, 1]);
    let at = "2026-11-25T11:00:00+09:00";
    let (first, last) = first_and_last_line(&world, "e1", at).await;
    assert_eq!(first, "@sre-team");
    assert!(last.contains("3行目"), "{last}");
}

/// What the relay's message ends with, and what its log says, if the sheet is like this.
async fn message_and_log(prepare: impl FnOnce(&Fakes), settings: &[(&str, &str)]) -> (String, String) {
    let mut world = World::new().await;
    prepare(&world.fakes);
    for (variable, value) in settings {
        world.set(variable, value);
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    let _logging = tracing::subscriber::set_default(telemetry::log_to(move || Lines(Arc::clone(&writer))));
    let relay = world.relay().await;
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    (relay.topic().pop().unwrap(), log)
}

#[tokio::test]
async fn what_google_refuses_is_explained_by_googles_own_words() {
    type Case = (fn(&Fakes), &'static [(&'static str, &'static str)], &'static str, &'static [&'static str]);
    let cases: [Case; 5] = [
        (|fakes| fakes.google.make_private(), &[], "閲覧権限がありません", &[ACCOUNT, "viewer", "Share"]),
        (|fakes| fakes.google.make_excel(), &[], "Google スプレッドシートではありません", &["Save as Google Sheets"]),
        (|_| {}, &[("SPREADSHEET_ID", "another")], "見つかりません", &["SPREADSHEET_ID", "/d/"]),
        (|_| {}, &[("ROSTER_RANGE", "当番!A:Z")], "範囲の指定が誤っています", &["ROSTER_RANGE", "`当番`"]),
        (|_| {}, &[("ROSTER_RANGE", "当番表!1A:")], "範囲の指定が誤っています", &["ROSTER_RANGE"]),
    ];
    for (prepare, settings, said, logged) in cases {
        let (message, log) = message_and_log(prepare, settings).await;
        assert!(message.ends_with(&format!("⚠️ 当番表を読めないため、当番が分かりません({said})")), "{message}");
        assert!(log.contains("roster_unreadable") && logged.iter().all(|part| log.contains(part)), "{said}: {log}");
    }
    let (message, log) = message_and_log(|_| {}, &[("MEMBERS_RANGE", "めんばー!A:C")]).await;
    assert!(message.starts_with("田中 鈴木 ") && !message.contains("当番表を読めない"), "{message}");
    assert!(log.contains("members_unreadable") && log.contains("MEMBERS_RANGE") && log.contains("`めんばー`"), "{log}");
}

#[tokio::test]
async fn a_sheet_that_is_too_large_names_the_range_to_narrow() {
    let text = "備".repeat(30_000);
    let broad: Vec<[&str; 3]> = (0..25).map(|_| ["2026-11-20", "田中", text.as_str()]).collect();
    let broad: Vec<&[&str]> = broad.iter().map(<[_; 3]>::as_slice).collect();
    let rows = |count: usize| vec![["2026-11-24", "田中"].as_slice(); count];
    let (above, enough) = (rows(5_001), rows(5_000));
    for (roster, members, too_large) in [
        (Some(&above), None, "ROSTER_RANGE"),
        (Some(&broad), None, "ROSTER_RANGE"),
        (None, Some(&above), "MEMBERS_RANGE"),
        (None, Some(&broad), "MEMBERS_RANGE"),
        (Some(&enough), None, ""),
    ] {
        let (shown, log) = message_and_log(
            |fakes| {
                for (tab, rows) in [(ROSTER_TAB, roster), (MEMBERS_TAB, members)] {
                    if let Some(rows) = rows {
                        fakes.google.write(tab, rows);
                    }
                }
            },
            &[],
        )
        .await;
        match too_large {
            "ROSTER_RANGE" => {
                assert!(shown.ends_with("(表が大きすぎます)"), "{shown}");
                assert!(log.contains("roster_unreadable") && log.contains("narrow ROSTER_RANGE"), "{log}");
            }
            "MEMBERS_RANGE" => {
                assert!(shown.starts_with("田中 鈴木 "), "{shown}");
                assert!(log.contains("members_unreadable") && log.contains("narrow MEMBERS_RANGE"), "{log}");
            }
            _ => assert!(shown.starts_with("@tanaka\n") && !log.contains("unreadable"), "{shown} {log}"),
        }
    }
}
