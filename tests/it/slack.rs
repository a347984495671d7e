//! What Slack really answers: errors of every kind, and threads that can't be continued.

use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::server::Fault;
use oncall_relay::edge::chat::slack_errors::{Meaning, lookup};
use serde_json::{Value, json};

use crate::world::{EVENING, World, event_spec, incident, posted, triggered_at};

fn refused(code: &str) -> Fault {
    let body = json!({"ok": false, "error": code}).to_string();
    Fault::Answer(200, vec![], body.leak())
}

fn send_again() -> (u16, Value) {
    (503, json!({"posted": 0, "ignored": 0, "failed": 1}))
}

async fn only_slack() -> World {
    let mut world = World::new().await;
    world.set("CHATS", "slack");
    world
}

/// The texts of the channel that say they may be repetitions.
fn in_doubt(texts: &[String]) -> Vec<bool> {
    texts.iter().map(|text| text.contains("再送の可能性")).collect()
}

#[tokio::test]
async fn an_error_in_the_middle_of_it_is_not_repeated_and_leaves_a_doubt() {
    for code in ["internal_error", "fatal_error"] {
        let world = only_slack().await;
        let relay = world.relay().await;
        world.slack.fail_once(Fault::TakeAndAnswer(200, json!({"ok": false, "error": code}).to_string().leak()));
        assert_eq!(relay.signed(EVENING, &triggered_at("e1", EVENING)).await, send_again(), "{code}");
        assert_eq!(world.slack.requests(), 1, "{code}");
        assert_eq!(relay.signed(EVENING, &triggered_at("e1", EVENING)).await, posted(1), "{code}");
        assert_eq!(in_doubt(&relay.channel()), [false, true], "{code}");
    }
}

#[tokio::test]
async fn the_backup_says_that_slack_may_have_it_too() {
    let mut world = World::new().await;
    world.set("CHATS", "slack,typetalk");
    let relay = world.relay().await;
    world.slack.fail_always(Some(refused("internal_error")));
    assert_eq!(relay.signed(EVENING, &triggered_at("e1", EVENING)).await, posted(1));
    let topic = relay.topic();
    assert!(topic[0].ends_with("⚠️ Slack への投稿を確認できないため、Typetalk にもお知らせしています"), "{topic:?}");
    assert_eq!(world.slack.requests(), 1);
}

#[tokio::test]
async fn an_outage_that_slack_names_is_tried_once_more() {
    for code in ["service_unavailable", "request_timeout", "team_added_to_org"] {
        let world = only_slack().await;
        let relay = world.relay().await;
        world.slack.fail_once(refused(code));
        assert_eq!(relay.signed(EVENING, &triggered_at("e1", EVENING)).await, posted(1), "{code}");
        assert_eq!(in_doubt(&relay.channel()), [false], "{code}");
        world.slack.fail_always(Some(refused(code)));
        assert_eq!(relay.signed(EVENING, &triggered_at("e2", EVENING)).await, send_again(), "{code}");
        assert_eq!(world.slack.requests(), 4, "{code}");
    }
}

#[test]
fn verdicts_are_as_slack_describes_the_errors() {
    for (code, verdict, named) in [
        ("internal_error", Meaning::Unknown, "slack-status.com"),
        ("fatal_error", Meaning::Unknown, "slack-status.com"),
        ("service_unavailable", Meaning::Outage, "slack-status.com"),
        ("rate_limited", Meaning::TooSoon, "one message per second"),
        ("msg_too_long", Meaning::Message, "too long"),
        ("invalid_blocks_format", Meaning::Message, "lay the message out"),
        ("restricted_action_non_threadable_channel", Meaning::Thread, "{channel}"),
        ("channel_not_found", Meaning::Us, "{channel}"),
        ("not_in_channel", Meaning::Us, "invite the bot"),
        ("is_archived", Meaning::Us, "archived"),
        ("ekm_access_denied", Meaning::Us, "admins"),
        ("message_limit_exceeded", Meaning::Us, "plan"),
        ("missing_scope", Meaning::Us, "chat:write"),
        ("token_revoked", Meaning::Us, "SLACK_TOKEN"),
        ("invalid_charset", Meaning::Us, "SLACK_BASE_URL"),
        ("draft_not_found", Meaning::Us, "SLACK_BASE_URL"),
    ] {
        let (found, remedy) = lookup(code).unwrap();
        assert_eq!(found, verdict, "{code}");
        assert!(remedy.contains(named), "{code}: {remedy}");
    }
    assert_eq!(lookup("never_heard_of"), None);
}

/// Where each message is, by its place among the others: the one that it replies to, if it does.
fn threads(world: &World) -> Vec<Option<usize>> {
    let posts = world.slack.take_posts();
    let place = |ts: &String| posts.iter().position(|post| post.ts == *ts).unwrap();
    posts.iter().map(|post| post.thread.as_ref().map(place)).collect()
}

pub(crate) fn events() -> impl Iterator<Item = Value> {
    ["incident.acknowledged", "incident.annotated", "incident.resolved"]
        .into_iter()
        .map(|event_type| incident().v3(&event_spec(event_type, event_type, EVENING)))
}

#[tokio::test]
async fn after_its_first_message_is_deleted_an_incident_has_one_new_thread() {
    let world = only_slack().await;
    let relay = world.relay().await;
    relay.signed(EVENING, &triggered_at("e1", EVENING)).await;
    world.slack.delete_messages();
    for event in events() {
        assert_eq!(relay.signed(EVENING, &event).await, posted(1));
    }
    assert_eq!(threads(&world), [None, None, Some(1), Some(1)]);
}

#[tokio::test]
async fn a_thread_that_slack_refuses_is_left_for_the_channel_and_begun_anew() {
    for code in ["cannot_reply_to_message", "restricted_action_thread_locked", "thread_not_found"] {
        let world = only_slack().await;
        let relay = world.relay().await;
        relay.signed(EVENING, &triggered_at("e1", EVENING)).await;
        world.slack.fail_once(refused(code));
        for event in events() {
            assert_eq!(relay.signed(EVENING, &event).await, posted(1), "{code}");
        }
        assert_eq!(threads(&world), [None, None, Some(1), Some(1)], "{code}");
    }
}

#[tokio::test]
async fn an_answer_that_says_nothing_of_threads_changes_none() {
    let world = only_slack().await;
    let relay = world.relay().await;
    relay.signed(EVENING, &triggered_at("e1", EVENING)).await;
    world.slack.fail_once(Fault::Answer(200, vec![], r#"{"ok":true,"channel":"C0ALERTS","ts":"1.2"}"#));
    for event in events() {
        assert_eq!(relay.signed(EVENING, &event).await, posted(1));
    }
    assert_eq!(threads(&world), [None, Some(0), Some(0)]);
}

#[tokio::test]
async fn an_incident_begins_anew_in_another_channel_where_everybody_sees_it() {
    let table = DynamoDb::start(0, "ledger").await.unwrap();
    let mut world = only_slack().await;
    world.remember_in(&table.url(), "ledger");
    world.relay().await.signed(EVENING, &triggered_at("e1", EVENING)).await;
    world.set("SLACK_ALERT_CHANNEL", "C0ONCALL");
    for event in events() {
        assert_eq!(world.relay().await.signed(EVENING, &event).await, posted(1));
    }
    assert_eq!(world.slack.unseen(), 0);
    assert_eq!(threads(&world), [None, None, Some(1), Some(1)]);
}
