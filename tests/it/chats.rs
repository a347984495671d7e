//! Chats that fail, in every way they do: nothing is lost, and the answer comes in time.

use std::time::Duration;

use futures_util::future::join_all;
use oncall::fakes::server::Fault;
use serde_json::{Value, json};

use crate::world::{DAYTIME, EVENING, World, event_spec, ignored, incident, posted, triggered, triggered_at};

fn redirect() -> Fault {
    Fault::Answer(302, vec![("location", "https://nulab.com/blog/".to_owned())], "")
}

pub(crate) fn send_again() -> (u16, Value) {
    (503, json!({"posted": 0, "ignored": 0, "failed": 1}))
}

/// A world with this chat and no backup.
pub(crate) async fn only(chat: &str) -> World {
    let mut world = World::new().await;
    world.set("CHATS", chat);
    world
}

#[tokio::test]
async fn whatever_typetalk_does_slack_takes_over_and_says_why() {
    let cases = [
        (Fault::status(500), 2),
        (Fault::status(503), 2),
        (Fault::too_many(60), 1),
        (Fault::too_many(0), 2),
        (Fault::status(401), 1),
        (Fault::status(403), 1),
        (Fault::status(404), 1),
        (Fault::status(400), 1),
        (Fault::Answer(400, vec![], r#"{"errors":[{"field":"topicId"}]}"#), 1),
        (Fault::Answer(400, vec![("www-authenticate", "Bearer".to_owned())], r#"{"errors":[{"field":"message"}]}"#), 1),
        (redirect(), 1),
        (Fault::status(200), 1),
        (Fault::Answer(200, vec![], "<html>ok</html>"), 1),
        (Fault::Answer(200, vec![], r#"{"post":{}}"#), 1),
        (Fault::HangUp, 1),
        (Fault::Hang, 1),
        (Fault::TakeAndHang, 1),
        (Fault::Drip(Duration::from_millis(50)), 1),
        // This very message, and its barest form.
        (Fault::status(413), 2),
        (Fault::Answer(400, vec![], r#"{"errors":[{"field":"message"}]}"#), 2),
        (Fault::Answer(422, vec![], r#"{"errors":[{"field":"message"}]}"#), 2),
    ];
    // Side by side: some of them wait for the end of their time.
    join_all(cases.into_iter().map(async |(fault, asked)| {
        let world = World::new().await;
        let relay = world.relay().await;
        world.typetalk.fail_always(Some(fault.clone()));
        assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1), "{fault:?}");
        let channel = relay.channel();
        assert_eq!(channel.len(), 1, "{fault:?}");
        assert!(
            channel[0].starts_with("<@U0TANAKA1> <@U0SUZUKI1>\n🔴 発生 #pd33 応答が遅い\n"),
            "{fault:?}: {channel:?}"
        );
        assert!(
            channel[0].contains("⚠️ Typetalk ") && channel[0].ends_with("お知らせしています"),
            "{fault:?}: {channel:?}"
        );
        assert_eq!(world.typetalk.requests(), asked, "{fault:?}");
        assert_eq!(relay.tally().failed_over, 1, "{fault:?}");
    }))
    .await;
}

#[tokio::test]
async fn whatever_slack_does_typetalk_takes_over() {
    let cases = [
        (Fault::status(500), 2),
        (Fault::too_many(60), 1),
        (Fault::status(200), 1),
        (Fault::Answer(200, vec![], "ok"), 1),
        (Fault::Answer(200, vec![], r#"{"ok":"yes"}"#), 1),
        (Fault::Answer(200, vec![], r#"{"ok":false,"error":"ratelimited"}"#), 2),
        (Fault::Answer(200, vec![], r#"{"ok":false,"error":"service_unavailable"}"#), 2),
        (Fault::Answer(200, vec![], r#"{"ok":false,"error":"internal_error"}"#), 1),
        (Fault::Answer(200, vec![], r#"{"ok":false,"error":"invalid_auth"}"#), 1),
        (Fault::Answer(200, vec![], r#"{"ok":false,"error":"channel_not_found"}"#), 1),
        (Fault::Answer(200, vec![], r#"{"ok":false,"error":"never heard of"}"#), 1),
        (Fault::Answer(200, vec![], r#"{"ok":false}"#), 1),
        (Fault::Answer(200, vec![], r#"{"ok":false,"error":"msg_too_long"}"#), 2),
        (Fault::Answer(200, vec![], r#"{"ok":false,"error":"no_text"}"#), 2),
        (redirect(), 1),
        (Fault::HangUp, 1),
        (Fault::TakeAndHangUp, 1),
        (Fault::Hang, 1),
    ];
    // Side by side: some of them wait for the end of their time.
    join_all(cases.into_iter().map(async |(fault, asked)| {
        let mut world = World::new().await;
        world.set("CHATS", "slack,typetalk");
        let relay = world.relay().await;
        world.slack.fail_always(Some(fault.clone()));
        assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1), "{fault:?}");
        let topic = relay.topic();
        assert_eq!(topic.len(), 1, "{fault:?}");
        assert!(topic[0].contains("⚠️ Slack ") && topic[0].ends_with("お知らせしています"), "{fault:?}: {topic:?}");
        assert_eq!(world.slack.requests(), asked, "{fault:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_chat_that_recovers_at_once_is_tried_once_more() {
    for fault in [Fault::status(502), Fault::too_many(0), Fault::status(503)] {
        let world = only("typetalk").await;
        let relay = world.relay().await;
        world.typetalk.fail_once(fault.clone());
        assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1), "{fault:?}");
        assert_eq!(relay.topic().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_short_retry_after_is_waited_for() {
    let world = only("slack").await;
    let relay = world.relay().await;
    world.slack.fail_once(Fault::too_many(1));
    let started = std::time::Instant::now();
    assert_eq!(relay.signed(EVENING, &triggered("e1")).await, posted(1));
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_message_that_no_chat_took_is_sent_again_and_then_posted_once() {
    let world = World::new().await;
    let relay = world.relay().await;
    world.typetalk.fail_always(Some(Fault::status(503)));
    world.slack.fail_always(Some(Fault::status(503)));
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, send_again());
    assert_eq!(relay.tally().failed, 1);
    world.typetalk.fail_always(None);
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!((relay.topic().len(), relay.channel().len()), (1, 0));
}

#[tokio::test]
async fn of_a_batch_only_what_is_missing_is_posted_again() {
    let world = only("typetalk").await;
    let relay = world.relay().await;
    let message = |id: &str| incident().v2(&event_spec(id, "incident.acknowledge", EVENING));
    let batch = oncall::fakes::pagerduty::v2(&[message("m1"), message("m2"), message("m3")]);
    world.typetalk.fail_once(Fault::status(404));
    assert_eq!(relay.with_token(EVENING, &batch).await, (503, json!({"posted": 2, "ignored": 0, "failed": 1})));
    assert_eq!(relay.with_token(EVENING, &batch).await, (200, json!({"posted": 1, "ignored": 2})));
    assert_eq!(relay.topic().len(), 3);
}

#[tokio::test]
async fn a_post_of_unknown_fate_is_not_repeated_on_that_chat() {
    let world = only("slack").await;
    let relay = world.relay().await;
    world.slack.fail_once(Fault::TakeAndHangUp);
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, send_again());
    assert_eq!((world.slack.requests(), relay.channel().len()), (1, 1));
}

#[tokio::test]
async fn a_reset_on_a_connection_used_before_is_repeated_once() {
    for chat in ["slack", "typetalk"] {
        let world = only(chat).await;
        let relay = world.relay().await;
        relay.signed(DAYTIME, &triggered("e1")).await;
        world.slack.fail_once(Fault::HangUp);
        world.typetalk.fail_once(Fault::HangUp);
        assert_eq!(relay.signed(DAYTIME, &triggered("e2")).await, posted(1), "{chat}");
        assert_eq!(relay.topic().len() + relay.channel().len(), 2, "{chat}");
    }
}

#[tokio::test]
async fn a_message_that_every_chat_refuses_is_given_up_loudly_and_not_sent_again() {
    let world = World::new().await;
    let relay = world.relay().await;
    world.typetalk.fail_always(Some(Fault::status(413)));
    world.slack.fail_always(Some(Fault::Answer(200, vec![], r#"{"ok":false,"error":"msg_too_long"}"#)));
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, ignored(1));
    assert_eq!(relay.tally().given_up, 1);

    world.slack.fail_always(Some(Fault::status(500)));
    assert_eq!(relay.signed(DAYTIME, &triggered("e2")).await, send_again(), "one chat may take it yet");
}

#[tokio::test]
async fn a_message_that_is_refused_is_tried_as_the_bare_minimum() {
    let world = World::new().await;
    let relay = world.relay().await;
    world.typetalk.fail_once(Fault::status(413));
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!(
        relay.topic(),
        ["@tanaka @suzuki-k 発生 #pd33 応答が遅い https://acme.pagerduty.com/incidents/PINCIDENT1"]
    );
}

#[tokio::test]
async fn the_answer_comes_in_time_whatever_hangs() {
    let world = World::new().await;
    let relay = world.relay().await;
    for server in [&*world.google, &*world.typetalk, &*world.slack] {
        server.fail_always(Some(Fault::Hang));
    }
    // `Running` holds every answer against the 4 s.
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, send_again());
    let batch = oncall::fakes::pagerduty::v2(
        &["a", "b", "c"].map(|id| incident().v2(&event_spec(id, "incident.trigger", DAYTIME))),
    );
    assert_eq!(relay.with_token(DAYTIME, &batch).await, (503, json!({"posted": 0, "ignored": 0, "failed": 3})));
}

#[tokio::test]
async fn a_hanging_primary_and_a_hanging_sheet_leave_the_backup_its_time() {
    let world = World::new().await;
    let relay = world.relay().await;
    world.google.fail_always(Some(Fault::Hang));
    world.typetalk.fail_always(Some(Fault::Hang));
    world.slack.fail_once(Fault::status(500));
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!(relay.channel().len(), 1);
}

#[tokio::test]
async fn a_chat_whose_port_is_closed_is_an_outage() {
    let world = World::new().await;
    let relay = world.relay().await;
    world.typetalk.shut_down();
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    world.slack.shut_down();
    assert_eq!(relay.signed(DAYTIME, &triggered("e2")).await, send_again());
}

#[tokio::test]
async fn slack_keeps_one_thread_per_incident_and_shows_the_channel_what_matters() {
    let world = only("slack").await;
    let relay = world.relay().await;
    relay.signed(EVENING, &triggered_at("e1", EVENING)).await;
    for event_type in ["incident.acknowledged", "incident.escalated", "incident.resolved", "incident.reopened"] {
        relay.signed(EVENING, &incident().v3(&event_spec(event_type, event_type, EVENING))).await;
    }
    let posts = world.slack.take_posts();
    let first = posts[0].ts.clone();
    let threads: Vec<_> = posts.iter().map(|post| (post.thread.clone(), post.broadcast)).collect();
    let in_thread = Some(first);
    assert_eq!(
        threads,
        [
            (None, false),
            (in_thread.clone(), false),
            (in_thread.clone(), true),
            (in_thread.clone(), false),
            (in_thread, true),
        ]
    );
}

#[tokio::test]
async fn a_thread_that_slack_no_longer_accepts_is_left_for_the_channel_and_begun_anew() {
    let world = only("slack").await;
    let relay = world.relay().await;
    relay.signed(EVENING, &triggered_at("e1", EVENING)).await;
    world.slack.delete_messages();
    for event_id in ["e2", "e3"] {
        assert_eq!(relay.signed(EVENING, &triggered_at(event_id, EVENING)).await, posted(1));
    }
    let posts = world.slack.take_posts();
    assert_eq!((&posts[1].thread, posts[2].thread.as_ref()), (&None, Some(&posts[1].ts)));
}

#[tokio::test]
async fn a_backup_that_refuses_the_message_gets_the_bare_minimum_and_why() {
    let world = World::new().await;
    let relay = world.relay().await;
    world.typetalk.fail_always(Some(Fault::status(503)));
    world.slack.fail_once(Fault::Answer(200, vec![], r#"{"ok":false,"error":"msg_too_long"}"#));
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!(
        relay.channel(),
        ["<@U0TANAKA1> <@U0SUZUKI1> 発生 #pd33 応答が遅い <https://acme.pagerduty.com/incidents/PINCIDENT1>\n\
          ⚠️ Typetalk に投稿できないため、Slack にお知らせしています"]
    );
}

#[tokio::test]
async fn an_id_of_any_type_is_a_post() {
    let world = only("typetalk").await;
    let relay = world.relay().await;
    for (body, expected) in [
        (r#"{"post":{"id":12}}"#, posted(1)),
        (r#"{"post":{"id":"12"}}"#, posted(1)),
        (r#"{"post":{"id":null}}"#, send_again()),
    ] {
        world.typetalk.fail_once(Fault::Answer(200, vec![], body));
        assert_eq!(relay.signed(DAYTIME, &triggered(body)).await, expected, "{body}");
    }
}

#[tokio::test]
async fn a_post_in_doubt_that_comes_again_says_so() {
    let world = only("slack").await;
    let relay = world.relay().await;
    world.slack.fail_once(Fault::TakeAndHangUp);
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, send_again());
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    let channel = relay.channel();
    assert!(!channel[0].contains("再送の可能性"), "{channel:?}");
    assert!(channel[1].contains("🔁 再送の可能性があります"), "{channel:?}");
}

#[tokio::test]
async fn previews_are_off() {
    let world = World::new().await;
    let relay = world.relay().await;
    relay.signed(DAYTIME, &triggered("e1")).await;
    assert!(!world.typetalk.take_posts()[0].show_link_meta);
    // The Slack stand-in refuses whoever asks for previews.
}
