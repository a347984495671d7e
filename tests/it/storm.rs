//! Storms of incidents: people are mentioned up to a limit, once for the storm, and again when it is over.

mod law;

use std::time::Duration;

use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::pagerduty::Incident;
use oncall::fakes::server::Fault;
use oncall_relay::domain::chat::ChatName;
use oncall_relay::domain::storm::{Counts, Course};
use oncall_relay::edge::ledger::{IdempotencyKey, Ledger, Told};
use oncall_relay::lambda::scheduler;
use serde_json::{Value, json};

use crate::ledger::{TABLE, at, facts, granted};
use crate::world::{DAYTIME, EVENING, Running, World, event_spec, instant, posted};

/// A time so many seconds after the first.
fn after(second: i64) -> String {
    (instant(DAYTIME) + chrono::TimeDelta::seconds(second)).to_rfc3339()
}

fn new_incident(number: u64, at: &str) -> Value {
    of_incident(number, &format!("PSTORM{number}"), at)
}

fn of_incident(number: u64, id: &str, at: &str) -> Value {
    let incident = Incident { id, number, title: format!("title {number}"), service: "Backlog" };
    incident.v3(&event_spec(&format!("e{id}"), "incident.triggered", at))
}

async fn comes(relay: &Running<'_>, number: u64, second: i64) {
    let at = after(second);
    assert_eq!(relay.signed(&at, &new_incident(number, &at)).await, posted(1), "{number}");
}

/// A storm at a limit of two, of which people are told once.
async fn five_come(relay: &Running<'_>) {
    for number in 1..=5 {
        comes(relay, number, 0).await;
    }
    assert_eq!(mentioned(&relay.channel()), 3 + 1);
}

fn mentioned(texts: &[String]) -> usize {
    texts.iter().filter(|text| text.contains("<@U0TANAKA1>")).count()
}

async fn world(limit: &str) -> World {
    let mut world = World::new().await;
    world.set("CHATS", "slack").set("STORM_ABOVE", limit);
    world
}

/// The same, whose instances share a table if there is one.
async fn world_with(limit: &str, table: Option<&DynamoDb>) -> World {
    let mut world = world(limit).await;
    if let Some(table) = table {
        world.remember_in(&table.url(), TABLE);
    }
    world
}

#[tokio::test]
async fn a_thousand_incidents_in_a_minute_mention_people_up_to_the_limit_and_once_for_the_storm() {
    let world = world("20").await;
    let relay = world.relay().await;
    for number in 0..1000 {
        comes(&relay, number, i64::try_from(number * 59 / 1000).unwrap()).await;
    }
    let texts = relay.channel();
    assert_eq!(texts.len(), 1000 + 1, "each has its own message");
    assert!(texts[..=21].iter().all(|text| text.contains("<@U0TANAKA1>")), "until people are told");
    assert_eq!(mentioned(&texts), 21 + 1);
    assert!(texts[21].contains("🌪️ インシデントが多発しています(これまでに 21 件)"), "{}", texts[21]);
    assert!(texts[21].ends_with("一覧: <https://acme.pagerduty.com/incidents>"), "{}", texts[21]);
    let shown = world.slack.shown();
    let storm = shown.iter().find(|message| message.text.contains("🌪️")).unwrap();
    let so_far: u32 = storm.text.split(['に', '件']).nth(1).unwrap().trim().parse().unwrap();
    assert!((700..=1000).contains(&so_far) && storm.text.contains("<@U0TANAKA1>"), "{}", storm.text);
}

/// A part of the one suite of the ledger.
pub(crate) async fn new_incidents_are_counted_and_a_storm_is_told_once(a: &Ledger, b: &Ledger) {
    let within = Duration::from_secs(20);
    let counted = async |ledger: &Ledger, is_new, second| ledger.storms(is_new, within, at(second)).await.unwrap();
    for n in 0..3 {
        counted(if n % 2 == 0 { a } else { b }, true, n * 10).await;
    }
    let seen = counted(b, false, 25).await;
    assert_eq!(
        (seen.counts.in_minute(Counts::piece(at(25))), seen.today, seen.over, seen.told.clone()),
        (3, 3, 0, None)
    );
    assert_eq!(seen.course(2, at(25)), Course::Begins);

    let key = IdempotencyKey::of_storm(at(25), seen.over);
    let lease = granted(a.claim(&key, None, at(25)).await);
    assert_eq!(counted(b, false, 26).await.told, None, "it is not told before a chat has it");
    a.mark_posted(&key, &lease, ChatName::Slack, &facts(1, "storm-1"), at(26)).await;
    let told = counted(b, true, 27).await;
    assert_eq!(told.course(2, at(27)), Course::GoesOn);
    let message = facts(1, "storm-1").thread;
    assert_eq!(told.told, Some(Told { before: 1, message }));

    let over = counted(b, true, 27 + 400).await;
    assert_eq!((over.course(2, at(427)), over.today), (Course::Over, 5));
    b.end_storm(&over, at(427)).await;
    a.end_storm(&over, at(427)).await;
    let next = counted(a, false, 428).await;
    assert_eq!((next.over, next.course(2, at(428))), (1, Course::Usual));
    assert_eq!(next.told, None);
    assert_eq!(counted(a, true, 24 * 60 * 60).await.today, 1, "every day begins anew");
}

#[tokio::test]
async fn two_processes_agree_through_the_table_and_without_it_each_counts_for_itself() {
    for (has_table, mentions) in [(true, 3 + 1), (false, 2 * (3 + 1))] {
        let dynamodb = DynamoDb::start(0, TABLE).await.unwrap();
        let world = world_with("2", has_table.then_some(&dynamodb)).await;
        let relays = [world.relay().await, world.relay().await];
        for number in 0..20 {
            comes(&relays[usize::try_from(number % 2).unwrap()], number, 5).await;
        }
        assert_eq!(mentioned(&world.channel()), mentions, "{has_table}");
    }
}

#[tokio::test]
async fn after_five_minutes_below_the_limit_people_are_mentioned_again() {
    let dynamodb = DynamoDb::start(0, TABLE).await.unwrap();
    for has_table in [false, true] {
        let world = world_with("2", has_table.then_some(&dynamodb)).await;
        let relay = world.relay().await;
        let mut number = 0;
        for (second, mentions) in
            [(0, 1), (1, 1), (2, 2), (3, 0), (250, 0), (349, 0), (400, 1), (401, 1), (402, 2), (403, 0)]
        {
            number += 1;
            comes(&relay, number, second).await;
            assert_eq!(mentioned(&relay.channel()), mentions, "{second}");
        }
    }
}

/// What the message about the storm shows now.
fn shown(world: &World) -> String {
    let shown = world.slack.shown();
    shown.iter().find(|message| message.text.contains(['🌪', '🌤'])).unwrap().text.clone()
}

const OVER: &str = "🌤️ インシデントの多発は収まりました(全 5 件)\n\
                    これからの新しいインシデントは、通常どおりメンション付きで投稿します";

#[tokio::test]
async fn the_first_event_after_it_ends_a_storm_and_its_message_shows_how_many_there_were() {
    let list = "\n一覧: <https://acme.pagerduty.com/incidents>";
    for (has_table, event, mentions) in
        [(true, "incident.triggered", 1), (false, "incident.acknowledged", 1), (false, "incident.annotated", 1)]
    {
        let dynamodb = DynamoDb::start(0, TABLE).await.unwrap();
        let world = world_with("2", has_table.then_some(&dynamodb)).await;
        let relay = world.relay().await;
        five_come(&relay).await;
        for (second, is_over) in [(250, false), (420, true), (430, true)] {
            let number = if event == "incident.triggered" { 100 + u64::try_from(second).unwrap() } else { 1 };
            if number > 5 && second == 250 {
                continue;
            }
            let id = format!("PSTORM{number}");
            let incident = Incident { id: &id, number, title: "title".to_owned(), service: "Backlog" };
            let body = incident.v3(&event_spec(&format!("{event}{second}"), event, &after(second)));
            assert_eq!(relay.signed(&after(second), &body).await, posted(1));
            assert_eq!(mentioned(&relay.channel()), mentions, "{event} {second}");
            assert_eq!(shown(&world) == format!("{OVER}{list}"), is_over, "{event} {second}: {}", shown(&world));
        }
        for number in [1001, 1002] {
            comes(&relay, number, 440).await;
        }
        assert_eq!(mentioned(&relay.channel()), 2, "{event}: as usual");
    }
}

#[tokio::test]
async fn an_incident_that_ends_a_storm_and_is_one_too_many_begins_the_next() {
    let dynamodb = DynamoDb::start(0, TABLE).await.unwrap();
    for has_table in [false, true] {
        let world = world_with("1", has_table.then_some(&dynamodb)).await;
        let relay = world.relay().await;
        // The last minute with two is over at 60, and five minutes of calm at 360.
        for (number, second, mentions) in [(1, 2, 1), (2, 8, 2), (3, 358, 0), (4, 360, 2), (5, 362, 0)] {
            comes(&relay, number, second).await;
            assert_eq!(mentioned(&relay.channel()), mentions, "{has_table} {second}");
        }
        let told = world.slack.shown();
        let told: Vec<_> = told.iter().map(|message| &message.text).filter(|text| text.contains('🌪')).collect();
        assert!(matches!(told[..], [text] if text.contains("(これまでに 2 件)")), "{has_table} {told:?}");
    }
}

/// The lines about storms in a reminder.
async fn reminded(world: &World, kind: &str, at: &str) -> Vec<String> {
    let request = json!({"reminder": kind, "at": at});
    let (answer, _, _) = scheduler::answer(&world.reminders().await, &request, instant(at).to_utc()).await;
    let text = answer.unwrap()["text"].as_str().unwrap().to_owned();
    text.lines().filter(|line| line.contains('🌤')).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_storm_that_no_event_ends_is_ended_by_the_next_reminder_which_says_so_once() {
    let line = "🌤️ 11/24(火)のインシデントの多発は収まりました(全 5 件)";
    let (evening, morning) = ("2026-11-24T17:00:00+09:00", "2026-11-25T10:00:00+09:00");
    for (begins, in_the_evening, in_the_morning) in
        [("2026-11-24T16:30:00+09:00", vec![line], vec![]), ("2026-11-24T16:58:00+09:00", vec![], vec![line])]
    {
        let dynamodb = DynamoDb::start(0, TABLE).await.unwrap();
        let world = world_with("2", Some(&dynamodb)).await;
        let relay = world.relay().await;
        for number in 1..=5 {
            assert_eq!(relay.signed(begins, &new_incident(number, begins)).await, posted(1));
        }
        assert_eq!(reminded(&world, "next", evening).await, in_the_evening, "{begins}");
        assert_eq!(shown(&world) == OVER, !in_the_evening.is_empty(), "{}", shown(&world));
        assert_eq!(reminded(&world, "today", morning).await, in_the_morning, "{begins}");
        assert_eq!(shown(&world), OVER);
        assert_eq!(reminded(&world, "next", "2026-11-25T17:00:00+09:00").await, [""; 0], "it is said once");
        assert_eq!(relay.signed(morning, &new_incident(9, morning)).await, posted(1));
    }
}

#[tokio::test]
async fn a_reminder_looks_for_storms_only_if_they_are_told_of_and_back_to_the_last_working_day() {
    let requests = async |limit: &str, at: &str| {
        let dynamodb = DynamoDb::start(0, TABLE).await.unwrap();
        let world = world_with(limit, Some(&dynamodb)).await;
        reminded(&world, "next", at).await;
        dynamodb.requests()
    };
    let without = requests("", "2026-11-26T17:00:00+09:00").await;
    for (at, days) in [("2026-11-26T17:00:00+09:00", 3), ("2026-11-24T17:00:00+09:00", 6)] {
        assert_eq!(requests("20", at).await, without + days, "{at}");
    }
}

#[tokio::test]
async fn a_storm_is_not_over_as_long_as_its_incidents_come_again() {
    let dynamodb = DynamoDb::start(0, TABLE).await.unwrap();
    for has_table in [false, true] {
        let world = world_with("2", has_table.then_some(&dynamodb)).await;
        let relay = world.relay().await;
        five_come(&relay).await;
        let waits = new_incident(6, &after(10));
        world.slack.fail_always(Some(Fault::status(403)));
        for second in (10..500).step_by(15) {
            assert_eq!(relay.signed(&after(second), &waits).await.0, 503, "{second}");
        }
        world.slack.fail_always(None);
        assert_eq!(relay.signed(&after(500), &waits).await, posted(1));
        assert_eq!(mentioned(&relay.channel()), 0, "{has_table}");
        comes(&relay, 7, 900).await;
        assert_eq!(mentioned(&relay.channel()), 1, "{has_table}");
        assert!(shown(&world).contains("(全 6 件)"), "{}", shown(&world));
    }
}

#[tokio::test]
async fn in_doubt_people_are_mentioned() {
    // The chat doesn't take the message about the storm.
    let world = world("1").await;
    let relay = world.relay().await;
    comes(&relay, 1, 0).await;
    world.slack.fail_after(1, Fault::status(403));
    comes(&relay, 2, 1).await;
    world.slack.fail_after(1000, Fault::status(403));
    comes(&relay, 3, 2).await;
    comes(&relay, 4, 3).await;
    let texts = relay.channel();
    assert_eq!((texts.len(), mentioned(&texts)), (5, 4), "the third was told again");

    // The table can't count.
    let dynamodb = DynamoDb::start(0, TABLE).await.unwrap();
    let world = world_with("1", Some(&dynamodb)).await;
    let relay = world.relay().await;
    dynamodb.fail_always(Some(Fault::status(400)));
    for number in 1..5 {
        comes(&relay, number, 0).await;
    }
    assert_eq!(mentioned(&relay.channel()), 4);
}

#[tokio::test]
async fn repeated_deliveries_practice_and_other_hours_are_not_counted() {
    let world = world("2").await;
    let relay = world.relay().await;
    world.slack.fail_always(Some(Fault::status(403)));
    for _ in 0..5 {
        let answer = relay.signed(DAYTIME, &new_incident(1, DAYTIME)).await;
        assert_eq!(answer, (503, json!({"posted": 0, "ignored": 0, "failed": 1})));
    }
    world.slack.fail_always(None);
    comes(&relay, 1, 0).await;
    for number in 10..15 {
        let id = format!("PRACTICE{number}");
        assert_eq!(relay.signed(DAYTIME, &of_incident(number, &id, DAYTIME)).await, posted(1));
        assert_eq!(relay.signed(EVENING, &new_incident(100 + number, EVENING)).await, posted(1));
    }
    comes(&relay, 2, 1).await;
    assert!(!relay.channel().iter().any(|text| text.contains("🌪️")));
}

#[tokio::test]
async fn the_count_is_one_more_request_for_a_new_incident_and_only_if_it_is_set() {
    let requests = async |limit: &str, at: &str| {
        let dynamodb = DynamoDb::start(0, TABLE).await.unwrap();
        let world = world_with(limit, Some(&dynamodb)).await;
        let relay = world.relay().await;
        comes(&relay, 1, 0).await;
        let before = dynamodb.requests();
        assert_eq!(relay.signed(at, &new_incident(2, at)).await, posted(1));
        dynamodb.requests() - before
    };
    let without = requests("", DAYTIME).await;
    assert_eq!(requests("20", DAYTIME).await, without + 1);
    assert_eq!(requests("20", EVENING).await, requests("", EVENING).await);
}
