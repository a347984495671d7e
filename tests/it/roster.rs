//! The roster on the wire: when the sheet is read, and what is said when it can't be.

mod google;
mod stumbles;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::server::{Distance, Fault};
use oncall::fakes::{MEMBERS_TAB, ROSTER_TAB};
use oncall_relay::lambda::telemetry;
use serde_json::json;
use tokio::time::sleep;

use crate::ledger::TABLE;
use crate::world::{DAYTIME, EVENING, World, event_spec, ignored, incident, posted, triggered, triggered_at};

/// The first line, which mentions, and the last, which has the news about the roster.
async fn first_and_last_line(world: &World, event_id: &str, at: &str) -> (String, String) {
    let relay = world.relay().await;
    assert_eq!(relay.signed(at, &triggered_at(event_id, at)).await, posted(1));
    let text = relay.topic().pop().unwrap();
    (text.lines().next().unwrap().to_owned(), text.lines().last().unwrap().to_owned())
}

#[tokio::test]
async fn an_edit_of_the_sheet_is_seen_within_15_seconds_and_the_sheet_is_read_no_oftener() {
    let world = World::new().await;
    let relay = world.relay().await;
    let mut first_lines = Vec::new();
    for (second, event_id) in [("00", "e1"), ("05", "e2"), ("14", "e3"), ("15", "e4"), ("29", "e5")] {
        let at = format!("2026-11-24T11:00:{second}+09:00");
        relay.signed(&at, &triggered(event_id)).await;
        first_lines.push(relay.topic()[0].lines().next().unwrap().to_owned());
        world.google.write(ROSTER_TAB, &[&["2026-11-24", "佐藤 花子"]]);
    }
    assert_eq!(first_lines, ["@tanaka @suzuki-k", "@tanaka @suzuki-k", "@tanaka @suzuki-k", "@sato", "@sato"]);
    assert_eq!(world.google.reads(), 2 * 2, "values and merges");
}

#[tokio::test]
async fn the_token_is_asked_for_once_and_connections_are_kept() {
    let world = World::new().await;
    let relay = world.relay().await;
    for minute in 0..5 {
        let at = format!("2026-11-24T11:0{minute}:00+09:00");
        relay.signed(&at, &triggered(&format!("e{minute}"))).await;
    }
    assert_eq!(world.google.requests(), 1 + 2 * 5, "one token, five readings of values and merges");
    // The library that gets tokens has a connection, and the one that reads has two, side by side.
    assert_eq!((world.google.connections(), world.typetalk.connections()), (3, 1));
}

#[tokio::test]
async fn connections_are_opened_while_the_token_is_waited_for() {
    let away = |works| Distance { round_trip: Duration::from_millis(20), works };
    for ledger in [false, true] {
        let mut world = World::new().await;
        let dynamodb = DynamoDb::start(0, TABLE).await.unwrap();
        if ledger {
            world.remember_in(&dynamodb.url(), TABLE);
        }
        // The token alone takes longer than a new connection and its first answer.
        world.google.move_away(away(|path| Duration::from_millis(if path == "/token" { 400 } else { 0 })));
        world.typetalk.move_away(away(|_| Duration::ZERO));
        let relay = world.relay().await;
        let alert = triggered("e1");
        let at_the_token = async {
            while world.google.requests() < 1 {
                sleep(Duration::from_millis(5)).await;
            }
            sleep(Duration::from_millis(200)).await;
            assert_eq!(world.google.requests(), 1, "the token is still waited for");
            (world.google.connections(), world.typetalk.connections(), world.slack.connections())
        };
        let (answer, opened) = tokio::join!(relay.signed(DAYTIME, &alert), at_the_token);
        assert_eq!(answer, posted(1));
        assert_eq!(opened, (3, 1, 0), "the sheet's two, the primary chat's, and no backup's");
        assert_eq!((world.google.connections(), world.typetalk.connections()), (3, 1), "these are the ones in use");
        assert_eq!(world.typetalk.requests(), 1);

        assert_eq!(relay.signed(DAYTIME, &alert).await, ignored(1));
        assert_eq!((world.google.requests(), world.typetalk.requests()), (3, 1), "what is posted needs nothing");
    }
}

#[tokio::test]
async fn nothing_is_opened_for_what_is_not_posted_or_waits_for_nothing() {
    let world = World::new().await;
    let relay = world.relay().await;
    let ignored_family = incident().v3(&event_spec("e1", "service.updated", DAYTIME));
    assert_eq!(relay.signed(DAYTIME, &ignored_family).await, ignored(1));
    assert_eq!((world.google.connections(), world.typetalk.connections()), (0, 0));
    assert_eq!(relay.signed(EVENING, &triggered_at("e2", EVENING)).await, posted(1));
    assert_eq!((world.google.connections(), world.typetalk.connections()), (0, 1), "the post's own");
}

#[tokio::test]
async fn a_connection_opened_ahead_that_breaks_at_the_post_leaves_a_doubt_like_a_new_one() {
    let world = World::new().await;
    world.google.move_away(Distance { round_trip: Duration::from_millis(20), works: |_| Duration::from_millis(50) });
    let relay = world.relay().await;
    world.typetalk.fail_once(Fault::TakeAndHangUp);
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!((world.typetalk.requests(), relay.topic().len(), relay.channel().len()), (1, 1, 1));
}

#[tokio::test]
async fn a_token_that_google_revoked_is_replaced() {
    let world = World::new().await;
    let relay = world.relay().await;
    relay.signed("2026-11-24T11:00:00+09:00", &triggered("e1")).await;
    world.google.revoke_tokens();
    relay.signed("2026-11-24T11:01:00+09:00", &triggered("e2")).await;
    let topic = relay.topic();
    assert!(topic[1].starts_with("@tanaka @suzuki-k\n") && !topic[1].contains('⚠'), "{topic:?}");
}

#[tokio::test]
async fn a_day_without_people_is_news_and_mentions_those_of_last_resort() {
    let world = World::new().await;
    let nobody = first_and_last_line(&world, "e1", "2026-11-26T11:00:00+09:00").await;
    assert_eq!(nobody, ("@sre-team".to_owned(), "ℹ️ 11/26(木)の当番は空欄です".to_owned()));
    let no_row = first_and_last_line(&world, "e2", "2026-11-27T11:00:00+09:00").await;
    assert_eq!(
        no_row,
        ("@sre-team".to_owned(), "⚠️ 当番表に11/27(金)の行がありません。行を追加してください".to_owned())
    );
}

#[tokio::test]
async fn whatever_is_wrong_with_the_sheet_the_alert_is_posted_and_says_so() {
    let cases = [
        (Fault::status(403), "閲覧権限がありません"),
        (Fault::status(404), "見つかりません"),
        (Fault::status(400), "範囲の指定が誤っています"),
        (Fault::status(429), "読み取り回数の上限に達しました"),
        (Fault::status(500), "サーバーエラーが返されました"),
        (Fault::Answer(200, vec![], "<html>"), "応答の内容が不正です"),
        (Fault::Answer(200, vec![], ""), "応答の内容が不正です"),
        (Fault::Answer(302, vec![("location", "http://127.0.0.1:1/".to_owned())], ""), "応答の内容が不正です"),
        (Fault::HangUp, "接続できません"),
        (Fault::Hang, "時間内に応答がありません"),
        (Fault::Drip(Duration::from_millis(100)), "時間内に応答がありません"),
    ];
    // Side by side: some of them wait for the end of their time.
    join_all(cases.into_iter().map(async |(fault, why)| {
        let mut world = World::new().await;
        // Without the members tab, those of last resort are given by handle.
        world.set("FALLBACK_MENTIONS", "sre-team");
        let relay = world.relay().await;
        // The token first, so that the fault hits the sheet.
        relay.signed("2026-11-24T10:00:00+09:00", &triggered("warm")).await;
        relay.topic();
        world.google.fail_always(Some(fault.clone()));
        let at = "2026-11-27T11:00:00+09:00";
        assert_eq!(relay.signed(at, &triggered_at("e1", at)).await, posted(1), "{fault:?}");
        let topic = relay.topic();
        assert!(topic[0].starts_with("@sre-team\n"), "{fault:?}: {topic:?}");
        assert!(
            topic[0].ends_with(&format!("⚠️ 当番表を読めないため、当番が分かりません({why})")),
            "{fault:?}: {topic:?}"
        );
        assert_eq!(relay.tally().roster_stale, 1, "{fault:?}");
    }))
    .await;
}

#[tokio::test]
async fn people_of_last_resort_whom_the_members_tab_doesnt_know_are_told_at_the_first_reading_and_not_named() {
    let mut world = World::new().await;
    world.set("FALLBACK_MENTIONS", "SRE,部長");
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    let _logging = tracing::subscriber::set_default(telemetry::log_to(move || Lines(Arc::clone(&writer))));
    let relay = world.relay().await;
    let told = || String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert!(!told().contains("FALLBACK_MENTIONS"), "{}", told());
    for minute in ["00", "01", "02"] {
        relay.signed(&format!("2026-11-24T11:{minute}:00+09:00"), &triggered(minute)).await;
    }
    let warning = "entry 2 of FALLBACK_MENTIONS can be mentioned on no chat";
    assert_eq!(told().matches(warning).count(), 1, "{}", told());
    assert!(!told().contains("部長"), "{}", told());
}

struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_token_is_no_sheet() {
    let cases = [
        (Fault::Answer(400, vec![], r#"{"error":"invalid_grant"}"#), "サービスアカウントの鍵が受け付けられません"),
        (Fault::Answer(400, vec![], r#"{"error":"temporarily_unavailable"}"#), "接続できません"),
        (Fault::Answer(500, vec![], r#"{"error":"internal_failure"}"#), "接続できません"),
        (Fault::Answer(500, vec![], "<html>"), "接続できません"),
        (Fault::status(503), "接続できません"),
        (Fault::HangUp, "接続できません"),
        (Fault::Hang, "時間内に応答がありません"),
    ];
    // Side by side: some of them wait for the end of their time.
    join_all(cases.into_iter().map(async |(fault, why)| {
        let world = World::new().await;
        world.google.fail_always(Some(fault.clone()));
        let (first, last) = first_and_last_line(&world, "e1", DAYTIME).await;
        assert!(last.contains(why), "{fault:?}: {last}");
        assert_eq!(first, "@SRE", "without the tab a name is taken for a handle");
    }))
    .await;
}

#[tokio::test]
async fn the_last_good_copy_serves_while_google_is_down_and_says_how_old_it_is() {
    let world = World::new().await;
    let relay = world.relay().await;
    relay.signed(DAYTIME, &triggered("e1")).await;
    world.google.shut_down();
    relay.signed("2026-11-24T11:35:10+09:00", &triggered_at("e2", "2026-11-24T11:35:00+09:00")).await;
    let topic = relay.topic();
    assert!(topic[1].starts_with("@tanaka @suzuki-k\n"), "{topic:?}");
    assert!(topic[1].ends_with("⚠️ 当番表を読めないため、35分前に読んだ内容を使っています"), "{topic:?}");
}

#[tokio::test]
async fn a_sheet_that_is_down_is_asked_no_oftener_than_one_that_is_up() {
    let world = World::new().await;
    let relay = world.relay().await;
    world.google.fail_always(Some(Fault::status(503)));
    for second in 10..15 {
        let at = format!("2026-11-24T11:00:{second}+09:00");
        relay.signed(&at, &triggered(&format!("e{second}"))).await;
    }
    // A service that answers 503 to the token request was asked twice, once for all five.
    assert_eq!(world.google.requests(), 2);
}

#[tokio::test]
async fn a_bad_members_range_costs_the_mentions_and_not_the_roster() {
    let mut world = World::new().await;
    world.set("MEMBERS_RANGE", "めんばー!A:C").set("FALLBACK_MENTIONS", "sre-team");
    let (first, last) = first_and_last_line(&world, "e1", DAYTIME).await;
    assert_eq!(first, "田中 鈴木 @sre-team");
    assert!(last.starts_with("⚠️ 当番を Typetalk でメンションできません"), "{last}");
    assert_eq!(world.google.reads(), 3, "merges beside both ranges, then the roster's alone");
}

#[tokio::test]
async fn a_members_tab_that_disappears_leaves_what_was_known_of_people() {
    let world = World::new().await;
    let relay = world.relay().await;
    relay.signed("2026-11-24T11:00:00+09:00", &triggered("e1")).await;
    world.google.remove(MEMBERS_TAB);
    relay.signed("2026-11-24T11:01:00+09:00", &triggered("e2")).await;
    assert!(relay.topic()[1].starts_with("@tanaka @suzuki-k\n"));
}

#[tokio::test]
async fn somebody_who_is_not_in_the_members_tab_is_printed_by_name() {
    let world = World::new().await;
    world.google.write(ROSTER_TAB, &[&["2026-11-24", "田中、新人 さん", "@鈴木"]]);
    let (first, _) = first_and_last_line(&world, "e1", DAYTIME).await;
    assert_eq!(first, "@tanaka 新人 さん @suzuki-k");
}

#[tokio::test]
async fn without_a_members_tab_names_are_handles() {
    let mut world = World::new().await;
    world.set("CHATS", "typetalk").set("MEMBERS_RANGE", "");
    world.google.write(ROSTER_TAB, &[&["2026-11-24", "tanaka;suzuki-k 佐藤"]]);
    let (first, _) = first_and_last_line(&world, "e1", DAYTIME).await;
    assert_eq!(first, "@tanaka suzuki-k 佐藤");
}

#[tokio::test]
async fn csv_files_do_for_a_sheet() {
    let folder = std::env::temp_dir().join(format!("oncall-relay-csv-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (roster, members) = (folder.join("roster.csv"), folder.join("members.csv"));
    std::fs::write(&roster, "\u{feff}date,who\n\n11/24(火),\"田中, 佐藤 花子\"\n").unwrap();
    std::fs::write(&members, "name,typetalk,slack\n田中,tanaka,\n佐藤 花子,sato,U0SATO001\n").unwrap();
    let mut world = World::new().await;
    world.set("SPREADSHEET_ID", "").set("GOOGLE_CREDENTIALS", "").set("MEMBERS_RANGE", "");
    world.set("ROSTER_CSV", roster.to_str().unwrap()).set("MEMBERS_CSV", members.to_str().unwrap());
    let (first, _) = first_and_last_line(&world, "e1", DAYTIME).await;
    assert_eq!(first, "@tanaka @sato");
    assert_eq!(world.google.requests(), 0);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn what_mentions_nobody_reads_no_sheet() {
    let mut world = World::new().await;
    world.set("MENTION_ON", "attention");
    let relay = world.relay().await;
    let merged = |id| {
        let mut event = incident().v3(&event_spec(id, "incident.resolved", DAYTIME));
        event["event"]["data"]["resolve_reason"] =
            json!({"type": "merge_resolve_reason", "incident": {"id": "PINCIDENT2", "number": 34}});
        event
    };
    let of_a_team = json!({"event": {
        "id": "e3", "event_type": "team.renamed", "occurred_at": DAYTIME, "data": {"id": "PTEAM", "type": "team"},
    }});
    let resolved = incident().v3(&event_spec("e1", "incident.resolved", DAYTIME));
    for (event, first_line) in [
        (resolved, "🟢 解決 #pd33 応答が遅い"),
        (merged("e2"), "🔀 統合 #pd33 応答が遅い"),
        (of_a_team, "🔵 team.renamed"),
    ] {
        assert_eq!(relay.signed(DAYTIME, &event).await, posted(1));
        assert_eq!(relay.topic()[0].lines().next(), Some(first_line));
    }
    assert_eq!(world.google.reads(), 0);
    assert_eq!(relay.signed(DAYTIME, &triggered("e4")).await, posted(1));
    assert!(relay.topic()[0].starts_with("@tanaka @suzuki-k\n🔴 発生 "));
    assert_eq!(world.google.reads(), 2);
}

#[tokio::test]
async fn the_templates_of_the_sheet_name_people_who_can_be_mentioned() {
    let template = |name: &str| format!("{}/docs/{name}-template.csv", env!("CARGO_MANIFEST_DIR"));
    let cases: [(&str, &[(&str, &str)]); 2] = [
        (
            "roster",
            &[("2026-12-01", "@tanaka @suzuki-k"), ("2026-12-03", "@tanaka @sato"), ("2026-12-10", "@sato @takahashi")],
        ),
        (
            "roster-weekly",
            &[
                ("2026-11-30", "@tanaka @suzuki-k"),
                ("2026-12-04", "@tanaka @suzuki-k"),
                ("2026-12-07", "@sato @takahashi"),
                ("2026-12-11", "@sato @takahashi"),
                ("2026-12-16", "@tanaka @sato"),
                ("2026-12-18", "@tanaka @sato"),
            ],
        ),
    ];
    for (roster, days) in cases {
        let mut world = World::new().await;
        world.set("ROSTER_CSV", &template(roster));
        world.set("MEMBERS_CSV", &template("members"));
        let relay = world.relay().await;
        for (day, mentions) in days {
            let at = format!("{day}T11:00:00+09:00");
            let event = incident().v3(&event_spec(day, "incident.triggered", &at));
            assert_eq!(relay.signed(&at, &json!(event)).await, posted(1), "{day}");
            let posts = relay.topic();
            assert_eq!(posts[0].lines().next(), Some(*mentions), "{day}");
            assert!(!posts[0].contains('⚠'), "{day}: {posts:?}");
        }
    }
}
