//! Slack's channel as the list of incidents: the first message shows the state, and nothing is stranded.

use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::pagerduty::EventSpec;
use oncall::fakes::server::Fault;
use oncall::fakes::slack::Shown;
use serde_json::Value;

use crate::world::{EVENING, World, event_spec, ignored, incident, posted};

const RED: &str = "#d0021b";
const YELLOW: &str = "#f5c400";
const GREEN: &str = "#2eb886";

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
    assert_eq!(table.requests(), 6 + 2, "two for each event, and two for the roster, which is kept every ten minutes");
    assert_eq!(world.slack.requests(), 5, "a post for each event, and an update for each later one");
}
