//! Google's stumbles: what passes is tried again, and otherwise the newest good copy serves, whoever read it.

use std::time::Duration;

use futures_util::future::join_all;
use oncall::fakes::google::SPREADSHEET_PATH;
use oncall::fakes::server::Fault;
use oncall::fakes::{MEMBERS_TAB, ROSTER_TAB};

use crate::ledger::world_with_table;
use crate::world::{DAYTIME, World, posted, triggered, triggered_at};

const SHEET: &str = "/v4/spreadsheets/";
const TOKEN: &str = "/token";

#[tokio::test]
async fn one_failure_that_passes_costs_nobody_a_mention() {
    let faults = || {
        [
            Fault::status(500),
            Fault::status(503),
            Fault::too_many(1),
            Fault::HangUp,
            Fault::Hang,
            Fault::Delay(Duration::from_millis(1_100)),
            Fault::Drip(Duration::from_millis(300)),
        ]
    };
    let of_oauth = [
        Fault::Answer(400, vec![], r#"{"error":"temporarily_unavailable"}"#),
        Fault::Answer(503, vec![], r#"{"error":"internal_failure"}"#),
    ];
    let cases = [TOKEN, SHEET].into_iter().flat_map(|path| faults().map(|fault| (path, fault)));
    let cases = cases.chain(of_oauth.map(|fault| (TOKEN, fault)));
    // Side by side: some of them wait for the second try.
    join_all(cases.map(async |(path, fault)| {
        let world = World::new().await;
        let relay = world.relay().await;
        world.google.fail_only(path);
        world.google.fail_once(fault.clone());
        let at = "2026-11-24T11:00:00+09:00";
        assert_eq!(relay.signed(at, &triggered("e1")).await, posted(1), "{path} {fault:?}");
        let topic = relay.topic();
        assert!(topic[0].starts_with("@tanaka @suzuki-k\n") && !topic[0].contains('⚠'), "{path} {fault:?}: {topic:?}");
        assert_eq!(relay.tally().roster_stale, 0, "{path} {fault:?}");
    }))
    .await;
}

#[tokio::test]
async fn what_will_not_pass_is_not_asked_again() {
    let world = World::new().await;
    let relay = world.relay().await;
    world.google.make_private();
    relay.signed("2026-11-24T11:00:00+09:00", &triggered("e1")).await;
    assert_eq!(world.google.reads(), 2, "values and merges, once each");
}

#[tokio::test]
async fn a_sheet_without_its_merges_is_not_read() {
    for fault in [Fault::status(403), Fault::Answer(200, vec![], "{}")] {
        let world = World::new().await;
        let relay = world.relay().await;
        relay.signed("2026-11-24T11:00:00+09:00", &triggered("e1")).await;
        world.google.write(ROSTER_TAB, &[&["2026-11-24", "佐藤 花子"]]);
        world.google.fail_at(SPREADSHEET_PATH);
        world.google.fail_once(fault.clone());
        for (at, first, told) in [("11:01", "@tanaka @suzuki-k\n", 1), ("11:02", "@sato\n", 0)] {
            let at = format!("2026-11-24T{at}:00+09:00");
            relay.signed(&at, &triggered_at(&at, &at)).await;
            let topic = relay.topic();
            let post = topic.last().unwrap();
            assert!(post.starts_with(first), "{fault:?} {at}: {post}");
            assert_eq!(post.matches("当番表を読めないため").count(), told, "{fault:?} {at}: {post}");
        }
    }
}

#[tokio::test]
async fn a_roster_without_its_members_is_saved_by_nobody() {
    let (world, _table) = world_with_table().await;
    world.google.remove(MEMBERS_TAB);
    world.relay().await.signed(DAYTIME, &triggered("e1")).await;
    world.google.shut_down();
    let at = "2026-11-24T11:30:00+09:00";
    world.relay().await.signed(at, &triggered_at("e2", at)).await;
    let topic = world.topic();
    assert!(topic[1].contains("当番表を読めないため、当番が分かりません"), "{topic:?}");
}

#[tokio::test]
async fn an_event_counts_members_and_rows_that_are_unreadable_and_that_it_mentions_nobody() {
    let mut world = World::new().await;
    world.set("FALLBACK_MENTIONS", "");
    let relay = world.relay().await;
    let mut counts = Vec::new();
    for (hour, rows) in [("11", "田中"), ("12", "田中、休み"), ("13", "なし"), ("14", "渡辺"), ("18", "渡辺")]
    {
        world.google.write(ROSTER_TAB, &[&["日付", "担当"], &["2026-11-24", rows]]);
        let at = format!("2026-11-24T{hour}:00:00+09:00");
        assert_eq!(relay.signed(&at, &triggered_at(hour, &at)).await, posted(1), "{hour}");
        let tally = relay.tally();
        counts.push((tally.members_unreadable, tally.row_unreadable, tally.nobody_mentioned));
    }
    assert_eq!(counts, [(0, 0, 0), (0, 1, 1), (0, 0, 1), (0, 0, 1), (0, 0, 0)]);
    world.google.remove(MEMBERS_TAB);
    let at = "2026-11-24T15:00:00+09:00";
    relay.signed(at, &triggered_at("15", at)).await;
    assert_eq!((relay.tally().members_unreadable, relay.tally().nobody_mentioned), (1, 1));
}

#[tokio::test]
async fn an_old_copy_in_the_process_gives_way_to_a_newer_one_in_the_ledger() {
    let (world, _table) = world_with_table().await;
    let old = world.relay().await;
    old.signed(DAYTIME, &triggered("e1")).await;
    world.google.write(ROSTER_TAB, &[&["日付", "担当"], &["2026-11-24", "佐藤 花子"]]);
    let at = "2026-11-24T11:30:00+09:00";
    world.relay().await.signed(at, &triggered_at("e2", at)).await;
    world.google.shut_down();
    let at = "2026-11-24T11:35:00+09:00";
    old.signed(at, &triggered_at("e3", at)).await;
    let topic = world.topic();
    assert!(topic[2].starts_with("@sato\n"), "{topic:?}");
    assert!(topic[2].ends_with("⚠️ 当番表を読めないため、5分前に読んだ内容を使っています"), "{topic:?}");
}

#[tokio::test]
async fn members_that_disappear_are_those_of_the_ledger_which_keeps_them_and_how_the_sheet_was_merged() {
    let (world, _table) = world_with_table().await;
    world.google.write(ROSTER_TAB, &[&["日付", "担当"], &["2026-11-23", "田中"], &["2026-11-24", ""]]);
    world.google.merge(ROSTER_TAB, [1, 1, 2, 1]);
    world.relay().await.signed(DAYTIME, &triggered("e1")).await;
    world.google.remove(MEMBERS_TAB);
    for (minute, event_id) in [("20", "e2"), ("40", "e3")] {
        let at = format!("2026-11-24T11:{minute}:00+09:00");
        world.relay().await.signed(&at, &triggered_at(event_id, &at)).await;
    }
    world.google.shut_down();
    let at = "2026-11-24T11:45:00+09:00";
    world.relay().await.signed(at, &triggered_at("e4", at)).await;
    let topic = world.topic();
    assert_eq!(topic.len(), 4);
    assert!(topic.iter().all(|text| text.starts_with("@tanaka\n")), "{topic:?}");
    assert!(topic[3].ends_with("5分前に読んだ内容を使っています"), "{topic:?}");
}
