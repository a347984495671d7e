//! Doubts: raised where an outcome is not known, kept whatever comes after, and of no other event's concern.

use std::time::Duration;

use futures_util::future::join_all;
use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::server::Fault;
use oncall_relay::budget;
use oncall_relay::domain::chat::ChatName;
use oncall_relay::edge::http::HttpClient;
use oncall_relay::edge::ledger::{Claim, IncidentFacts, Ledger};
use serde_json::{Value, json};

use crate::chats::{only, send_again};
use crate::ledger::{TABLE, at, config, event_of, granted, process, world_with_table};
use crate::world::{DAYTIME, EVENING, World, event_spec, ignored, incident, posted, triggered};

/// What a chat does after it has taken a post and answered 500: nothing of it takes the doubt away.
fn second_failures() -> [(&'static str, Option<Fault>); 5] {
    [
        ("503", Some(Fault::status(503))),
        ("429, long", Some(Fault::too_many(120))),
        ("404", Some(Fault::status(404))),
        ("channel_not_found", Some(Fault::Answer(200, vec![], r#"{"ok":false,"error":"channel_not_found"}"#))),
        ("refused connection", None),
    ]
}

/// A relay with these chats, of which the first one takes the post, answers 500, and then fails like this.
async fn taken_and_failed_again(chats: &str, second: Option<Fault>) -> (World, (u16, Value)) {
    let mut world = World::new().await;
    world.set("CHATS", chats);
    let relay = world.relay().await;
    let first = if chats.starts_with("slack") { &*world.slack } else { &*world.typetalk };
    first.fail_once(Fault::TakeAndAnswer(500, ""));
    let closes = second.is_none();
    first.fail_always(second);
    let shut_down = async {
        while closes && first.requests() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if closes {
            // The answer goes out first; the next attempt comes 200 ms later.
            tokio::time::sleep(Duration::from_millis(50)).await;
            first.shut_down();
        }
    };
    let event = triggered("e1");
    let (answer, ()) = tokio::join!(relay.signed(DAYTIME, &event), shut_down);
    first.fail_always(None);
    if closes {
        first.start_again().await.unwrap();
    }
    if answer == send_again() {
        assert_eq!(relay.signed(DAYTIME, &event).await, posted(1));
    }
    drop(relay);
    (world, answer)
}

#[tokio::test]
async fn a_second_failure_does_not_take_back_the_doubt_of_the_first() {
    for chat in ["slack", "typetalk"] {
        join_all(second_failures().map(async |(name, second)| {
            let (world, answer) = taken_and_failed_again(chat, second).await;
            assert_eq!(answer, send_again(), "{chat}: {name}");
            let texts = [world.topic(), world.channel()].concat();
            let marked: Vec<_> = texts.iter().map(|text| text.contains("再送の可能性")).collect();
            assert_eq!(marked, [false, true], "{chat}: {name}");
        }))
        .await;
    }
}

#[tokio::test]
async fn the_backup_says_that_the_first_attempt_may_have_arrived_however_the_second_one_failed() {
    for (chats, says) in [
        ("slack,typetalk", "Slack への投稿を確認できないため"),
        ("typetalk,slack", "Typetalk への投稿を確認できないため"),
    ] {
        join_all(second_failures().map(async |(name, second)| {
            let (world, answer) = taken_and_failed_again(chats, second).await;
            assert_eq!(answer, posted(1), "{chats}: {name}");
            let (first, backup) = if chats.starts_with("slack") {
                (world.channel(), world.topic())
            } else {
                (world.topic(), world.channel())
            };
            assert_eq!((first.len(), backup.len()), (1, 1), "{chats}: {name}");
            assert!(backup[0].contains(says), "{chats}: {name}: {backup:?}");
        }))
        .await;
    }
}

#[tokio::test]
async fn what_is_given_up_after_a_doubt_is_still_in_doubt_when_it_comes_again() {
    let world = only("typetalk").await;
    let relay = world.relay().await;
    world.typetalk.fail_once(Fault::TakeAndAnswer(500, ""));
    world.typetalk.fail_always(Some(Fault::status(413)));
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, ignored(1));
    world.typetalk.fail_always(None);
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert!(relay.topic()[1].contains("再送の可能性"));
}

#[tokio::test]
async fn one_time_out_of_the_table_is_one_events_matter() {
    let table = DynamoDb::start(0, TABLE).await.unwrap();
    let one = Ledger::new(Some(&config(&table.url())), budget::WEBHOOK, &HttpClient::new());
    let other = process(&table.url());
    let post = async |event: &str| {
        let lease = granted(one.claim(&event_of("P1", event), None, at(0)).await);
        one.mark_posted(&event_of("P1", event), &lease, ChatName::Slack, &IncidentFacts::default(), at(0)).await;
        lease.in_doubt
    };
    let is_recorded = async |event: &str| {
        matches!(other.claim(&event_of("P1", event), None, at(1)).await, Claim::AlreadyPosted(ChatName::Slack, _))
    };
    table.fail_once(Fault::Hang);
    assert!(post("claim hangs").await, "nobody can tell whether another process has posted it");
    assert!(is_recorded("claim hangs").await);
    let lease = granted(one.claim(&event_of("P1", "settling hangs"), None, at(0)).await);
    table.fail_once(Fault::Hang);
    let nothing = IncidentFacts::default();
    one.mark_posted(&event_of("P1", "settling hangs"), &lease, ChatName::Slack, &nothing, at(0)).await;
    assert!(!is_recorded("settling hangs").await);
    for next in ["next", "and next"] {
        assert!(!post(next).await, "{next}: an answer in time ends it");
        assert!(is_recorded(next).await, "{next}");
    }
    assert_eq!(one.failures(), 2);
}

#[tokio::test]
async fn a_table_that_times_out_twice_in_a_row_is_left_alone_for_a_while() {
    let table = DynamoDb::start(0, TABLE).await.unwrap();
    let ledger = Ledger::new(Some(&config(&table.url())), budget::WEBHOOK, &HttpClient::new());
    table.fail_always(Some(Fault::Hang));
    for event in ["e1", "e2", "e3", "e4"] {
        assert!(granted(ledger.claim(&event_of("P1", event), None, at(0)).await).in_doubt, "{event}");
    }
    assert_eq!((table.requests(), ledger.failures()), (2, 4));
}

#[tokio::test]
async fn an_event_of_a_batch_that_has_too_little_time_left_is_not_begun() {
    let (mut world, table) = world_with_table().await;
    world.set("CHATS", "typetalk");
    let relay = world.relay().await;
    world.typetalk.fail_once(Fault::Delay(Duration::from_millis(3_450)));
    let message = |id: &str| incident().v2(&event_spec(id, "incident.trigger", EVENING));
    let batch = oncall::fakes::pagerduty::v2(&[message("m1"), message("m2")]);
    let answer = relay.with_token(EVENING, &batch).await;
    assert_eq!(answer, (503, json!({"posted": 1, "ignored": 0, "failed": 1})));
    assert_eq!(table.requests(), 3, "claim, settle and number of the first; the second one isn't even claimed");
    assert_eq!(relay.with_token(EVENING, &batch).await, (200, json!({"posted": 1, "ignored": 1})));
}
