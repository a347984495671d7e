//! Slack's channel as the list of incidents: the first message shows the state, and nothing is stranded.

pub(crate) mod overtaken;

use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::pagerduty::EventSpec;
use oncall::fakes::server::Fault;
use oncall::fakes::slack::Shown;
use oncall_relay::domain::chat::ChatName;
use oncall_relay::domain::event::IncidentId;
use oncall_relay::domain::message::FirstMessage;
use oncall_relay::domain::state::{Phase, Standing, State};
use oncall_relay::edge::chat::Thread;
use oncall_relay::edge::ledger::IncidentFacts;
use serde_json::Value;

use crate::ledger::{TABLE, already, at, event_of, granted, process};
use crate::world::{EVENING, World, event_spec, ignored, incident, posted};

const RED: &str = "#d0021b";
const YELLOW: &str = "#f5c400";
const GREEN: &str = "#2eb886";
const GREY: &str = "#9b9b9b";

/// A moment of the day.
fn on(time: &str) -> String {
    format!("2026-11-24T{time}:00+09:00")
}

/// An event at a time of the day, by somebody.
fn event(event_type: &'static str, time: &str) -> Value {
    let id = format!("{event_type}-{time}");
    incident().v3(&EventSpec { agent: Some("佐藤 花子"), ..event_spec(&id, event_type, &on(time)) })
}

/// A world with only Slack, whose functions share a table.
async fn world() -> (World, DynamoDb) {
    let table = DynamoDb::start(0, "ledger").await.unwrap();
    let mut world = World::new().await;
    world.set("CHATS", "slack").remember_in(&table.url(), "ledger");
    (world, table)
}

/// The first messages as they are shown now: colour and headline.
fn list(world: &World) -> Vec<(String, String)> {
    let firsts = world.slack.shown().into_iter().filter(|message| message.thread.is_none());
    firsts
        .map(|message| (message.colour.unwrap_or_default(), message.head.last().cloned().unwrap_or_default()))
        .collect()
}

fn row(colour: &str, headline: &str) -> (String, String) {
    (colour.to_owned(), headline.to_owned())
}

fn only_message(world: &World) -> Shown {
    let shown: Vec<_> = world.slack.shown().into_iter().filter(|message| message.thread.is_none()).collect();
    assert_eq!(shown.len(), 1, "{shown:#?}");
    shown[0].clone()
}

#[tokio::test]
async fn the_first_message_goes_from_red_to_green_and_the_thread_has_short_replies() {
    let (world, table) = world().await;
    let relay = world.relay().await;
    assert_eq!(relay.signed(&on("11:00"), &event("incident.triggered", "11:00")).await, posted(1));
    assert_eq!(list(&world), [row(RED, "🔴 発生 #pd33 応答が遅い")]);
    let first = only_message(&world);
    assert_eq!(first.head[0], "<@U0TANAKA1> <@U0SUZUKI1>");
    assert_eq!(
        first.body,
        ["サービス: Backlog / 緊急度: 高 / 対応者: 佐藤 花子\n<https://acme.pagerduty.com/incidents/PINCIDENT1>"]
    );
    assert_eq!(first.text, [first.head.join("\n"), first.body.join("\n")].join("\n"));

    assert_eq!(relay.signed(&on("11:05"), &event("incident.acknowledged", "11:05")).await, posted(1));
    assert_eq!(list(&world), [row(YELLOW, "🟡 対応中 #pd33 応答が遅い · 佐藤 花子 11:05")]);
    assert_eq!(relay.signed(&on("11:40"), &event("incident.resolved", "11:40")).await, posted(1));
    assert_eq!(list(&world), [row(GREEN, "🟢 解決 #pd33 応答が遅い · 佐藤 花子 11:40 (40分)")]);
    let last = only_message(&world);
    assert_eq!((last.head[0].as_str(), &last.body, last.updates), ("<@U0TANAKA1> <@U0SUZUKI1>", &first.body, 2));

    assert_eq!(
        world.channel()[1..],
        [
            "<@U0TANAKA1> <@U0SUZUKI1>\n🟡 対応開始 #pd33 · 佐藤 花子 11:05",
            "<@U0TANAKA1> <@U0SUZUKI1>\n🟢 解決 #pd33 · 佐藤 花子 11:40 (40分)",
        ]
    );
    assert_eq!(
        table.requests(),
        6 + 1 + 2 + 2,
        "two for each event, one for the number, two for the roster, two sightings"
    );
    assert_eq!(world.slack.requests(), 5, "a post for each event, and an update for each later one");
}

#[tokio::test]
async fn an_event_that_comes_late_changes_no_newer_state_and_is_told_all_the_same() {
    let (world, _table) = world().await;
    for (event_type, time) in
        [("incident.triggered", "11:00"), ("incident.resolved", "11:40"), ("incident.acknowledged", "11:05")]
    {
        assert_eq!(world.relay().await.signed(&on("11:41"), &event(event_type, time)).await, posted(1));
    }
    assert_eq!(list(&world), [row(GREEN, "🟢 解決 #pd33 応答が遅い · 佐藤 花子 11:40 (40分)")]);
    assert!(world.channel()[2].contains("🟡 対応開始 #pd33 · 佐藤 花子 11:05"));
}

#[tokio::test]
async fn every_state_has_its_colour() {
    let (world, _table) = world().await;
    let relay = world.relay().await;
    let mut merged = event("incident.resolved", "11:03");
    merged["event"]["data"]["resolve_reason"] =
        serde_json::json!({"type": "merge_resolve_reason", "incident": {"id": "Q2", "number": 34, "summary": "Disks"}});
    for (event, colour, headline) in [
        (event("incident.triggered", "11:00"), RED, "🔴 発生 #pd33 応答が遅い"),
        (event("incident.acknowledged", "11:01"), YELLOW, "🟡 対応中 #pd33 応答が遅い · 佐藤 花子 11:01"),
        (event("incident.unacknowledged", "11:02"), RED, "🔴 対応の取り消し #pd33 応答が遅い · 佐藤 花子 11:02"),
        (merged, GREY, "🔀 統合 #pd33 応答が遅い · 佐藤 花子 11:03"),
        (event("incident.reopened", "11:04"), RED, "🔴 再オープン #pd33 応答が遅い · 佐藤 花子 11:04"),
    ] {
        assert_eq!(relay.signed(&on("11:05"), &event).await, posted(1));
        assert_eq!(list(&world), [row(colour, headline)]);
        let says_where = only_message(&world).body.concat().contains("統合先: #pd34 Disks");
        assert_eq!(says_where, colour == GREY, "{headline}");
    }
}

#[tokio::test]
async fn slack_as_a_backup_does_not_stay_red_after_typetalk_is_back() {
    let (mut world, _table) = world().await;
    world.set("CHATS", "typetalk,slack");
    world.typetalk.fail_always(Some(Fault::status(503)));
    assert_eq!(world.relay().await.signed(&on("11:00"), &event("incident.triggered", "11:00")).await, posted(1));
    world.typetalk.fail_always(None);
    for (event_type, time) in [("incident.acknowledged", "11:05"), ("incident.resolved", "11:40")] {
        assert_eq!(world.relay().await.signed(&on(time), &event(event_type, time)).await, posted(1));
    }
    assert_eq!(list(&world), [row(GREEN, "🟢 解決 #pd33 応答が遅い · 佐藤 花子 11:40 (40分)")]);
    assert!(only_message(&world).text.ends_with("⚠️ Typetalk に投稿できないため、Slack にお知らせしています"));
    let topic = world.topic();
    assert!(topic[0].contains("\n状態: 対応中(11:05から)\n"), "{topic:?}");
    assert!(topic[1].contains("\n状態: 解決(11:40、40分)\n"), "{topic:?}");
}

#[tokio::test]
async fn typetalk_says_the_state_that_slack_shows() {
    let (mut world, _table) = world().await;
    world.set("CHATS", "typetalk");
    for (event_type, time) in [("incident.triggered", "11:00"), ("incident.acknowledged", "11:05")] {
        world.relay().await.signed(&on(time), &event(event_type, time)).await;
    }
    let note = incident().v3_note(&event_spec("note", "incident.annotated", &on("11:10")), "調査中");
    world.relay().await.signed(&on("11:10"), &note).await;
    let topic = world.topic();
    assert!(!topic[0].contains("状態"), "{topic:?}");
    assert!(topic[2].contains("\n状態: 対応中(11:05から) 佐藤 花子\n> 調査中\n"), "{topic:?}");
}

#[tokio::test]
async fn a_reply_that_was_not_threaded_becomes_a_whole_first_message_at_once() {
    let (world, _table) = world().await;
    let relay = world.relay().await;
    relay.signed(&on("11:00"), &event("incident.triggered", "11:00")).await;
    world.slack.delete_messages();
    assert_eq!(relay.signed(&on("11:05"), &event("incident.acknowledged", "11:05")).await, posted(1));
    let first = only_message(&world);
    assert_eq!(list(&world), [row(YELLOW, "🟡 対応中 #pd33 応答が遅い · 佐藤 花子 11:05")]);
    assert!(first.body.concat().contains("サービス: Backlog"), "{first:?}");
    relay.signed(&on("11:40"), &event("incident.resolved", "11:40")).await;
    assert_eq!(list(&world), [row(GREEN, "🟢 解決 #pd33 応答が遅い · 佐藤 花子 11:40 (40分)")]);
}

#[tokio::test]
async fn a_thread_that_slack_refuses_is_begun_anew_with_a_whole_message() {
    let (world, _table) = world().await;
    let relay = world.relay().await;
    relay.signed(&on("11:00"), &event("incident.triggered", "11:00")).await;
    world.slack.fail_once(Fault::Answer(200, vec![], r#"{"ok":false,"error":"restricted_action_thread_locked"}"#));
    assert_eq!(relay.signed(&on("11:05"), &event("incident.acknowledged", "11:05")).await, posted(1));
    assert_eq!(list(&world)[1], row(YELLOW, "🟡 対応中 #pd33 応答が遅い · 佐藤 花子 11:05"));
    relay.signed(&on("11:40"), &event("incident.resolved", "11:40")).await;
    assert_eq!(list(&world)[1], row(GREEN, "🟢 解決 #pd33 応答が遅い · 佐藤 花子 11:40 (40分)"));
}

#[tokio::test]
async fn an_incident_whose_beginning_was_not_seen_gets_a_whole_message_that_keeps_what_it_told() {
    let (world, _table) = world().await;
    let relay = world.relay().await;
    let mut note = incident().v3_note(&event_spec("note", "incident.annotated", &on("11:10")), "調査中");
    note["event"]["agent"] = serde_json::json!({"id": "P1", "type": "user_reference", "summary": "佐藤 花子"});
    assert_eq!(relay.signed(&on("11:10"), &note).await, posted(1));
    assert_eq!(list(&world), [row("#3b78c4", "🔵 #pdPINCIDENT1 応答が遅い")]);
    relay.signed(&on("11:40"), &event("incident.resolved", "11:40")).await;
    assert_eq!(list(&world), [row(GREEN, "🟢 解決 #pd33 応答が遅い · 佐藤 花子 11:40")]);
    let body = only_message(&world).body.concat();
    assert!(
        body.starts_with("サービス: Backlog / 緊急度: 高\n🔵 メモ · 佐藤 花子 11:10\n> 調査中\n<https://"),
        "{body}"
    );
}

#[tokio::test]
async fn in_another_channel_an_incident_is_shown_anew_and_the_old_message_is_put_right_at_last() {
    let (mut world, _table) = world().await;
    world.relay().await.signed(&on("11:00"), &event("incident.triggered", "11:00")).await;
    world.set("SLACK_ALERT_CHANNEL", "C0ONCALL");
    world.relay().await.signed(&on("11:05"), &event("incident.acknowledged", "11:05")).await;
    let acknowledged = || row(YELLOW, "🟡 対応中 #pd33 応答が遅い · 佐藤 花子 11:05");
    assert_eq!(list(&world), [acknowledged(), acknowledged()]);
    world.relay().await.signed(&on("11:40"), &event("incident.resolved", "11:40")).await;
    let shown: Vec<_> = world.slack.shown().into_iter().filter(|message| message.thread.is_none()).collect();
    assert_eq!((shown[1].channel.as_str(), shown[1].colour.as_deref()), ("C0ONCALL", Some(GREEN)));
}

#[tokio::test]
async fn an_update_that_fails_costs_nothing_and_the_next_event_puts_the_message_right() {
    let refused = |code: &str| Fault::Answer(200, vec![], format!(r#"{{"ok":false,"error":"{code}"}}"#).leak());
    for fault in [
        refused("edit_window_closed"),
        refused("update_failed"),
        refused("ratelimited"),
        refused("is_inactive"),
        refused("never_heard_of"),
        Fault::too_many(30),
        Fault::status(500),
        Fault::HangUp,
        Fault::Hang,
        Fault::TakeAndHang,
    ] {
        let (world, _table) = world().await;
        world.relay().await.signed(&on("11:00"), &event("incident.triggered", "11:00")).await;
        world.slack.fail_only("/api/chat.update");
        world.slack.fail_always(Some(fault.clone()));
        assert_eq!(
            world.relay().await.signed(&on("11:05"), &event("incident.acknowledged", "11:05")).await,
            posted(1),
            "{fault:?}"
        );
        world.slack.fail_always(None);
        // Another process: nothing but the ledger knows what is behind.
        let note = incident().v3_note(&event_spec("note", "incident.annotated", &on("11:10")), "調査中");
        assert_eq!(world.relay().await.signed(&on("11:10"), &note).await, posted(1), "{fault:?}");
        assert_eq!(list(&world), [row(YELLOW, "🟡 対応中 #pd33 応答が遅い · 佐藤 花子 11:05")], "{fault:?}");
        assert_eq!(world.channel().len(), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn a_last_state_that_slack_does_not_take_is_tried_once_more_and_then_by_other_incidents_webhooks() {
    for (faults, tried) in [(1, true), (2, false)] {
        let (world, _table) = world().await;
        let relay = world.relay().await;
        relay.signed(&on("11:00"), &event("incident.triggered", "11:00")).await;
        world.slack.fail_only("/api/chat.update");
        for _ in 0..faults {
            world.slack.fail_once(Fault::status(503));
        }
        assert_eq!(relay.signed(&on("11:40"), &event("incident.resolved", "11:40")).await, posted(1));
        let is_green = |world: &World| list(world)[0].0 == GREEN;
        assert_eq!(is_green(&world), tried);
        let other = oncall::fakes::pagerduty::Incident { id: "PINCIDENT2", number: 34, ..incident() };
        let begun = other.v3(&event_spec("o1", "incident.triggered", &on("11:50")));
        assert_eq!(relay.signed(&on("11:50"), &begun).await, posted(1));
        assert!(is_green(&world));
        let updates = world.slack.updates();
        let more = other.v3(&event_spec("o2", "incident.escalated", &on("11:51")));
        assert_eq!(relay.signed(&on("11:51"), &more).await, posted(1));
        assert!(world.slack.updates() <= updates + 1, "it is done");
    }
}

#[tokio::test]
async fn what_slack_refuses_of_a_messages_kind_is_left_alone() {
    for refuse in [
        |world: &World| world.slack.close_edit_window(),
        |world: &World| world.slack.disown_messages(),
        |world: &World| world.slack.limit_updates(0),
    ] {
        let (world, _table) = world().await;
        let relay = world.relay().await;
        relay.signed(&on("11:00"), &event("incident.triggered", "11:00")).await;
        refuse(&world);
        assert_eq!(relay.signed(&on("11:05"), &event("incident.acknowledged", "11:05")).await, posted(1));
        assert_eq!(list(&world), [row(RED, "🔴 発生 #pd33 応答が遅い")]);
        assert_eq!((world.slack.updates(), world.channel().len()), (0, 2));
    }
}

#[tokio::test]
async fn an_update_that_hangs_takes_no_time_from_the_posts_of_a_batch() {
    let (world, _table) = world().await;
    let relay = world.relay().await;
    relay.signed(&on("11:00"), &event("incident.triggered", "11:00")).await;
    world.slack.fail_only("/api/chat.update");
    world.slack.fail_always(Some(Fault::Hang));
    let message = |event_type, time| incident().v2(&event_spec(event_type, event_type, &on(time)));
    let batch = oncall::fakes::pagerduty::v2(&[
        message("incident.acknowledge", "11:05"),
        message("incident.annotate", "11:06"),
        message("incident.resolve", "11:40"),
    ]);
    let asked = world.slack.requests();
    assert_eq!(relay.with_token(&on("11:40"), &batch).await, posted(3));
    assert_eq!(world.slack.requests() - asked, 3 + 1, "three posts, and one update to the newest state");
}

#[tokio::test]
async fn an_event_that_comes_again_is_not_posted_and_puts_the_message_right() {
    let (world, _table) = world().await;
    world.relay().await.signed(&on("11:00"), &event("incident.triggered", "11:00")).await;
    world.slack.fail_only("/api/chat.update");
    world.slack.fail_once(Fault::status(500));
    let acknowledged = event("incident.acknowledged", "11:05");
    assert_eq!(world.relay().await.signed(&on("11:05"), &acknowledged).await, posted(1));
    assert_eq!(list(&world), [row(RED, "🔴 発生 #pd33 応答が遅い")]);
    assert_eq!(world.relay().await.signed(&on("11:06"), &acknowledged).await, ignored(1));
    assert_eq!(list(&world), [row(YELLOW, "🟡 対応中 #pd33 応答が遅い · 佐藤 花子 11:05")]);
    assert_eq!(world.channel().len(), 2);
}

#[tokio::test]
async fn a_process_that_is_late_writes_no_older_state_over_a_newer_one() {
    let table = DynamoDb::start(0, TABLE).await.unwrap();
    let known = |phase, seconds| {
        let state = State { phase, by: None, since: at(seconds), is_inferred: false };
        let standing = Standing { state: Some(state), ..Standing::default() };
        IncidentFacts { first: Some(FirstMessage::default().at(&standing)), ..IncidentFacts::default() }
    };
    let key = |event: &str| event_of("P1", event);
    let (slow, quick) = (process(&table.url()), process(&table.url()));
    let (first, second) =
        (granted(slow.claim(&key("e1"), None, at(0)).await), granted(quick.claim(&key("e2"), None, at(0)).await));
    let (acknowledged, resolved) = (known(Phase::Acknowledged, 1), known(Phase::Resolved, 2));
    let first_thread = Some(Thread { channel: "C0ALERTS".to_owned(), ts: "1.000".to_owned() });
    let resolved = IncidentFacts { thread: first_thread, ..resolved };
    assert!(quick.mark_posted(&key("e2"), &second, ChatName::Slack, &resolved, at(3)).await);
    let thread = |ts: &str| Some(Thread { channel: "C0ALERTS".to_owned(), ts: ts.to_owned() });
    let acknowledged = IncidentFacts { thread: thread("2.000"), ..acknowledged };
    assert!(!slow.mark_posted(&key("e1"), &first, ChatName::Slack, &acknowledged, at(4)).await);
    let id = IncidentId::parse("P1").unwrap();
    assert_eq!(process(&table.url()).incident(&id, at(5)).await, resolved);
    assert_eq!(
        already(&process(&table.url()).claim(&key("e1"), None, at(5)).await),
        ChatName::Slack,
        "a post is a post"
    );
    assert_eq!(slow.failures() + quick.failures(), 0);
}

#[tokio::test]
async fn titles_of_any_length_and_script_are_shown_in_every_state() {
    for title in
        ["長い".repeat(5_000), "&<>*_~`@all <!channel>".repeat(500), "שרת \u{202e}נפל".to_owned(), "x".to_owned()]
    {
        let (world, _table) = world().await;
        let relay = world.relay().await;
        for (event_type, time) in
            [("incident.triggered", "11:00"), ("incident.acknowledged", "11:05"), ("incident.resolved", "11:40")]
        {
            let mut event = event(event_type, time);
            event["event"]["data"]["title"] = Value::from(title.clone());
            assert_eq!(relay.signed(EVENING, &event).await, posted(1), "{event_type}");
        }
        let first = only_message(&world);
        assert_eq!((first.updates, first.colour.as_deref()), (2, Some(GREEN)), "{first:?}");
        // What a notification shows and a screen reader says first; nobody is mentioned in the evening.
        assert!(first.text.starts_with("🟢 解決 #pd33 "), "{}", first.text);
        let headline = first.head.last().unwrap();
        assert!(headline.starts_with("🟢 解決 #pd33 ") && headline.ends_with("· 佐藤 花子 11:40 (40分)"), "{headline}");
    }
}
