//! Notices from automation: who may post them, what becomes of each, and where they stand in a chat.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use oncall::fakes::server::Fault;
use oncall::fakes::{BEARER_TOKEN, NOTICE_TOKEN, SIGNING_SECRET};
use oncall::properties::Effects;
use oncall_relay::domain::chat::ChatName;
use serde_json::{Value, json};

use crate::ledger::world_with_table;
use crate::world::{DAYTIME, EVENING, Running, World, event_spec, incident, instant, posted, triggered};

mod snippets;

fn was_posted(posted: bool) -> (u16, Value) {
    (200, json!({ "posted": posted }))
}

async fn on(chats: &str) -> World {
    let mut world = World::new().await;
    world.set("CHATS", chats);
    world
}

fn refused(relay: &Running<'_>, answer: &(u16, Value), status: u16) -> String {
    assert_eq!(answer.0, status, "{answer:?}");
    assert!([relay.topic(), relay.channel()].concat().is_empty());
    answer.1["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_notice_stands_under_the_tag_and_in_the_thread_of_its_incident_and_mentions_nobody() {
    let world = on("slack").await;
    let relay = world.relay().await;
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    let first = world.slack.take_posts().remove(0);
    for (incident, status, expected) in [
        (json!(33), "started", "▶️ 開始 #pd33 app-01 を再起動します"),
        (json!("33"), "succeeded", "✅ 成功 #pd33 app-01 を再起動します"),
        (json!("#pd33"), "failed", "❌ 失敗 #pd33 app-01 を再起動します"),
        (json!("PINCIDENT1"), "info", "ℹ️ お知らせ #pd33 app-01 を再起動します"),
    ] {
        let body = json!({"text": "app-01 を再起動します", "status": status, "incident": incident});
        assert_eq!(relay.notice(DAYTIME, &body).await, was_posted(true));
        let post = world.slack.take_posts().remove(0);
        assert_eq!((post.text.as_str(), post.thread, post.broadcast), (expected, Some(first.ts.clone()), false));
    }
    // What comes next is still in the incident's thread, and not in a notice's.
    let note = incident().v3_note(&event_spec("e2", "incident.annotated", DAYTIME), "調査中");
    assert_eq!(relay.signed(DAYTIME, &note).await, posted(1));
    assert_eq!(world.slack.take_posts()[0].thread, Some(first.ts));
}

#[tokio::test]
async fn everything_that_a_notice_may_say_is_said() {
    let world = on("typetalk").await;
    let relay = world.relay().await;
    let body = json!({"text": "ヒープダンプを取得しました\n\n/var/tmp/app-01.hprof (2.1 GB)", "status": "succeeded",
        "incident": 33, "url": "https://ci.example.com/job/heapdump/7/", "source": "Jenkins", "key": "heapdump-7"});
    assert_eq!(relay.notice(EVENING, &body).await, was_posted(true));
    assert_eq!(
        relay.topic(),
        ["✅ 成功 #pd33 ヒープダンプを取得しました\n> /var/tmp/app-01.hprof (2.1 GB)\n\
          実行: Jenkins / https://ci.example.com/job/heapdump/7/"]
    );
    assert_eq!(relay.notice(EVENING, &json!({"text": "設定を更新しました"})).await, was_posted(true));
    assert_eq!(relay.topic(), ["ℹ️ お知らせ 設定を更新しました"], "it needs no incident");
    let tally = relay.tally();
    assert_eq!((tally.posted, tally.notices.posted), (0, 1), "a notice is no alert");
}

#[tokio::test]
async fn an_incident_that_nobody_knows_has_its_tag_and_no_thread() {
    let world = on("slack").await;
    let relay = world.relay().await;
    for (incident, tag) in [(json!(404), "#pd404"), (json!("PUNKNOWN"), "#pdPUNKNOWN")] {
        let body = json!({"text": "x", "incident": incident});
        assert_eq!(relay.notice(DAYTIME, &body).await, was_posted(true));
        let post = world.slack.take_posts().remove(0);
        assert_eq!((post.text, post.thread), (format!("ℹ️ お知らせ {tag} x"), None));
    }
}

#[tokio::test]
async fn a_number_leads_to_the_thread_in_another_process_and_costs_one_request_once() {
    let (mut world, table) = world_with_table().await;
    world.set("CHATS", "slack");
    let (one, other) = (world.relay().await, world.relay().await);
    assert_eq!(one.signed(EVENING, &triggered("e1")).await, posted(1));
    assert_eq!(table.requests(), 3, "claim, settle, and what leads from the number to the incident");
    assert_eq!(one.signed(EVENING, &triggered("e2")).await, posted(1));
    assert_eq!(table.requests(), 5);
    let first = world.slack.take_posts().remove(0).ts;
    assert_eq!(other.notice(EVENING, &json!({"text": "x", "incident": 33, "key": "k"})).await, was_posted(true));
    assert_eq!(table.requests(), 9, "claim and settle, the number and the incident");
    assert_eq!(world.slack.take_posts()[0].thread, Some(first));
}

#[tokio::test]
async fn a_number_that_was_taught_by_a_webhook_that_no_chat_took_leads_to_the_incident_all_the_same() {
    let (mut world, _table) = world_with_table().await;
    world.set("CHATS", "slack");
    let (one, other) = (world.relay().await, world.relay().await);
    world.slack.fail_always(Some(Fault::status(503)));
    assert_eq!(one.signed(DAYTIME, &triggered("e1")).await.0, 503);
    world.slack.fail_always(None);
    assert_eq!(one.signed(DAYTIME, &triggered("e1")).await, posted(1));
    let first = world.slack.take_posts().remove(0).ts;
    assert_eq!(other.notice(DAYTIME, &json!({"text": "x", "incident": 33})).await, was_posted(true));
    assert_eq!(world.slack.take_posts()[0].thread, Some(first));
}

#[tokio::test]
async fn a_table_that_fails_costs_the_thread_and_not_the_notice() {
    let (mut world, table) = world_with_table().await;
    world.set("CHATS", "slack");
    let (one, other) = (world.relay().await, world.relay().await);
    assert_eq!(one.signed(DAYTIME, &triggered("e1")).await, posted(1));
    let _ = world.slack.take_posts();
    for fault in [Fault::Hang, Fault::status(500)] {
        table.fail_always(Some(fault));
        assert_eq!(other.notice(DAYTIME, &json!({"text": "x", "incident": 33, "key": "k1"})).await.0, 200);
        assert_eq!(other.tally().notices.ledger_failed, 1);
    }
    let posts = world.slack.take_posts();
    assert_eq!(posts.len(), 1, "the process itself knows the key: {posts:?}");
    assert!(posts[0].text.starts_with("ℹ️ お知らせ #pd33 x\n🔁"), "{posts:?}");
}

#[tokio::test]
async fn what_has_no_token_of_ours_is_refused_and_says_nothing() {
    let mut world = on("typetalk").await;
    let relay = world.relay().await;
    let body = json!({"text": "x"}).to_string();
    let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
    let signature = oncall::fakes::pagerduty::signature(SIGNING_SECRET, body.as_bytes());
    let marks = [bearer(BEARER_TOKEN), vec![("x-webhook-id", "w-1".to_owned())]].concat();
    for headers in [
        vec![],
        bearer(""),
        bearer(BEARER_TOKEN),
        bearer(&format!("{NOTICE_TOKEN}x")),
        vec![("authorization", NOTICE_TOKEN.to_owned())],
        vec![("x-pagerduty-signature", signature)],
        marks,
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = relay.post(DAYTIME, "/notice", &headers, body.as_bytes()).await;
        assert_eq!(refused(&relay, &answer, 401), "unauthenticated", "{headers:?}");
        assert_eq!(relay.tally().notices.unauthenticated, 1);
    }
    // And the other way round: a runner can post no webhook.
    let headers = [("authorization", format!("Bearer {NOTICE_TOKEN}"))];
    let answer = relay.send(DAYTIME, &[("authorization", &headers[0].1)], triggered("e1").to_string().as_bytes()).await;
    assert_eq!(refused(&relay, &answer, 401), "unauthenticated");

    world.set("NOTICE_TOKENS", "");
    let relay = world.relay().await;
    let answer = relay.notice(DAYTIME, &json!({"text": "x"})).await;
    assert_eq!(refused(&relay, &answer, 404), "not found");
}

#[tokio::test]
async fn what_is_no_notice_is_refused_with_what_is_wrong() {
    let world = on("typetalk").await;
    let relay = world.relay().await;
    let answer = relay.notice(DAYTIME, &json!({"status": "done"})).await;
    assert_eq!(refused(&relay, &answer, 400), "`text` is missing: what the people of the alert topic are to know");
    let answer = relay.notice(DAYTIME, &json!({"text": "x", "status": "done"})).await;
    assert_eq!(refused(&relay, &answer, 400), "`status` must be one of `started`, `succeeded`, `failed`, `info`");
    let bytes = |length: usize| {
        let frame = json!({"text": ""}).to_string().len();
        json!({"text": "a".repeat(length - frame)}).to_string()
    };
    let answer = relay.notice_bytes(DAYTIME, bytes((64 << 10) + 1).as_bytes()).await;
    assert_eq!(refused(&relay, &answer, 413), "a notice has 64 KiB at most");
    assert_eq!(relay.notice_bytes(DAYTIME, bytes(64 << 10).as_bytes()).await, was_posted(true));
    let text = relay.topic().remove(0);
    assert!(text.encode_utf16().count() < 4_000 && text.ends_with('…'), "{}", text.len());
}

#[tokio::test]
async fn a_key_is_posted_once_in_72_hours_whatever_it_says() {
    let (world, _table) = world_with_table().await;
    let relay = world.relay().await;
    let body = |text: &str| json!({"text": text, "key": "build 7 <!channel> 🔑"});
    assert_eq!(relay.notice(DAYTIME, &body("one")).await, was_posted(true));
    let other = world.relay().await;
    let at = |hours| (instant(DAYTIME) + TimeDelta::hours(hours)).to_rfc3339();
    for hours in [0, 1, 71] {
        assert_eq!(other.notice(&at(hours), &body("two")).await, was_posted(false), "{hours}");
    }
    assert_eq!(other.notice(&at(73), &body("three")).await, was_posted(true));
    assert_eq!(other.notice(&at(73), &json!({"text": "four"})).await, was_posted(true));
    assert_eq!(other.notice(&at(73), &json!({"text": "four", "key": ""})).await, was_posted(true), "no key at all");
    assert_eq!(world.topic().len(), 4);
}

#[tokio::test]
async fn of_two_runners_with_one_key_at_the_same_time_one_posts() {
    let (world, _table) = world_with_table().await;
    let relays = [world.relay().await, world.relay().await];
    world.typetalk.fail_once(Fault::Delay(Duration::from_millis(500)));
    let body = json!({"text": "x", "key": "k"});
    let answers = join_all(relays.iter().map(|relay| relay.notice(DAYTIME, &body))).await;
    let mut posted: Vec<_> = answers.iter().map(|(status, body)| (*status, body["posted"] == true)).collect();
    posted.sort_unstable();
    assert_eq!(posted, [(200, false), (200, true)]);
    assert_eq!(world.topic().len(), 1);
}

#[tokio::test]
async fn above_twenty_a_minute_a_notice_waits_unless_it_is_posted_already() {
    let (world, _table) = world_with_table().await;
    let relay = world.relay().await;
    let keyed = |n: i32| json!({"text": "x", "key": format!("k{n}")});
    for n in 0..20 {
        assert_eq!(relay.notice(DAYTIME, &keyed(n)).await, was_posted(true), "{n}");
    }
    assert_eq!(relay.topic().len(), 20);
    for body in [keyed(20), json!({"text": "x"})] {
        let answer = relay.notice(DAYTIME, &body).await;
        assert_eq!(refused(&relay, &answer, 429), "too many notices within a minute");
        assert_eq!(relay.header("retry-after").as_deref(), Some("60"));
        assert_eq!(relay.tally().notices.limited, 1);
    }
    assert_eq!(relay.notice(DAYTIME, &keyed(0)).await, was_posted(false), "what is posted is posted");
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1), "alerts don't wait for notices");
    let later = (instant(DAYTIME) + TimeDelta::seconds(61)).to_rfc3339();
    assert_eq!(relay.notice(&later, &keyed(20)).await, was_posted(true), "its key was not used up");
    assert!(!relay.topic().last().unwrap().contains("🔁"), "nor left in doubt");
}

#[tokio::test]
async fn a_notice_goes_to_the_backup_and_comes_again_if_no_chat_took_it() {
    let world = on("typetalk,slack").await;
    let relay = world.relay().await;
    let body = json!({"text": "x", "incident": 33, "key": "k"});
    world.typetalk.fail_always(Some(Fault::status(503)));
    world.slack.fail_always(Some(Fault::status(503)));
    let answer = relay.notice(DAYTIME, &body).await;
    assert_eq!(refused(&relay, &answer, 503), "not posted; please send it again");
    assert_eq!(relay.tally().notices.failed, 1);
    world.slack.fail_always(None);
    assert_eq!(relay.notice(DAYTIME, &body).await, was_posted(true));
    assert_eq!(relay.channel(), ["ℹ️ お知らせ #pd33 x\n⚠️ Typetalk に投稿できないため、Slack にお知らせしています"]);
    assert_eq!(relay.tally().notices.failed_over, 1);
    assert_eq!(relay.notice(DAYTIME, &body).await, was_posted(false));
}

#[tokio::test]
async fn whatever_automation_writes_mentions_tags_and_links_nothing() {
    for chat in [ChatName::Typetalk, ChatName::Slack] {
        let world = on(chat.key()).await;
        let relay = world.relay().await;
        let nasty = "@all <!channel> <@U0TANAKA1> #pd1 <https://x.example|y> *b* :fire: ```\n> q\n@here";
        let body = json!({"text": nasty, "source": nasty, "incident": 33});
        assert_eq!(relay.notice(DAYTIME, &body).await, was_posted(true));
        let text = [relay.topic(), relay.channel()].concat().concat();
        let tags = if chat == ChatName::Typetalk { vec!["pd33".to_owned()] } else { Vec::new() };
        assert_eq!(Effects::of(&text, chat), Effects { tags, ..Effects::default() }, "{text}");
    }
}

#[tokio::test]
async fn only_post_will_do() {
    let world = on("typetalk").await;
    let relay = world.relay().await;
    let headers = [("authorization", format!("Bearer {NOTICE_TOKEN}"))];
    let mut event = oncall::fakes::pagerduty::http_api_event("/notice", &[("authorization", &headers[0].1)], b"");
    event["requestContext"]["http"]["method"] = json!("GET");
    assert_eq!(relay.event(DAYTIME, &event).await.0, 405);
    assert_eq!(relay.header("allow").as_deref(), Some("POST"));
}
