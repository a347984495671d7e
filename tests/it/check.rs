//! The check from its request to its answer, with every service refused, slow, garbled and without rights.

mod reminders;
mod time;

use std::time::{Duration, Instant};

use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::incidents::reads;
use oncall::fakes::server::{Fault, Server};
use oncall::fakes::{MEMBERS_TAB, ROSTER_TAB, SERVICE};
use oncall_relay::domain::check::NAMES;
use oncall_relay::lambda::scheduler::{self, CountsAsDone};
use serde_json::{Value, json};

use crate::interaction::SATO;
use crate::ledger::world_with_table;
use crate::world::{World, instant, posted, triggered_at};

const WEBHOOK: &str = "https://relay.example.com/pagerduty";
const MORNING: &str = "2026-11-24T10:00:00+09:00";
const EVENING: &str = "2026-11-24T17:00:00+09:00";

/// A world in which all is well and everything can be told.
async fn healthy() -> (World, DynamoDb) {
    let (mut world, table) = world_with_table().await;
    let watchdog = world.watchdog.address();
    world.set("WEBHOOK_URL", WEBHOOK).set("HEARTBEAT_URL", &watchdog);
    world.incidents.set_up(|account| account.subscriptions.push(reads::subscription("PSUB", WEBHOOK)));
    write_weeks(&world, "田中");
    (world, table)
}

/// A sheet with somebody for every day of four weeks.
fn write_weeks(world: &World, who: &str) {
    let first = instant(MORNING).date_naive();
    let days: Vec<_> = first.iter_days().take(28).map(|day| day.to_string()).collect();
    let rows: Vec<_> = days.iter().map(|day| [day.as_str(), who]).collect();
    world.google.write(ROSTER_TAB, &rows.iter().map(<[&str; 2]>::as_slice).collect::<Vec<_>>());
}

async fn ask(world: &World, request: &Value) -> Value {
    let reminders = world.reminders().await;
    let (answer, settled, _) = scheduler::answer(&reminders, request, instant(MORNING).to_utc()).await;
    assert_eq!(settled, CountsAsDone::No, "a check is no reminder");
    answer.unwrap()
}

async fn check(world: &World) -> Value {
    ask(world, &json!({"check": true})).await
}

fn of<'a>(answer: &'a Value, name: &str) -> &'a Value {
    answer["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

fn statuses(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let checks = answer["checks"].as_array().unwrap();
    checks.iter().map(|check| (text(&check["name"]), text(&check["status"]))).collect()
}

#[tokio::test]
async fn a_healthy_relay_is_ok_and_nothing_is_posted_or_pinged() {
    let (world, _table) = healthy().await;
    let relay = world.relay().await;
    assert_eq!(relay.signed(MORNING, &triggered_at("E1", MORNING)).await, posted(1));
    assert_eq!(relay.on_slack(MORNING, &SATO.ask("/oncall", "https://hooks.slack.com")).await.0, 200);
    world.topic();
    let answer = check(&world).await;
    let expected = NAMES.map(|name| {
        let status = match name {
            "secrets" | "typetalk.alert" | "typetalk.oncall" | "heartbeat" => "skipped",
            _ => "ok",
        };
        (name.to_owned(), status.to_owned())
    });
    assert_eq!(statuses(&answer), expected, "{answer:#}");
    assert_eq!(answer["ok"], true);
    assert!(of(&answer, "webhook")["detail"].as_str().unwrap().contains("PAGERDUTY_SIGNING_SECRETS"), "{answer:#}");
    assert!(!answer.to_string().contains("stand-in-signing-secret"));
    assert!(of(&answer, "roster")["detail"].as_str().unwrap().starts_with("2026-11-24 (Tue): 田中"), "{answer:#}");
    assert!(world.topic().is_empty() && world.channel().is_empty() && world.watchdog.take_pings().is_empty());
}

#[tokio::test]
async fn asked_to_post_it_posts_one_marked_line_in_both_places_of_every_chat() {
    let (world, _table) = healthy().await;
    let answer = ask(&world, &json!({"check": true, "post": true})).await;
    for name in ["slack.alert", "slack.oncall", "typetalk.alert", "typetalk.oncall"] {
        assert_eq!(of(&answer, name)["status"], "ok", "{answer:#}");
    }
    let mut topics: Vec<_> = world.typetalk.take_posts().into_iter().map(|post| (post.topic, post.message)).collect();
    topics.sort();
    assert_eq!(topics.iter().map(|(topic, _)| *topic).collect::<Vec<_>>(), [11, 12]);
    assert!(topics.iter().all(|(_, text)| text.starts_with("✅ 点検: ")), "{topics:?}");
    let mut channels: Vec<_> = world.slack.take_posts().into_iter().map(|post| post.channel).collect();
    channels.sort();
    assert_eq!(channels, ["C0ALERTS", "C0ONCALL"]);
}

/// A world with a fault in one service, and the names of the checks that differ from a healthy world's.
async fn with_fault(service: fn(&World) -> &Server, path: &'static str, fault: Fault) -> (Vec<String>, Value) {
    let (world, _table) = healthy().await;
    let well = check(&world).await;
    service(&world).fail_only(path);
    service(&world).fail_always(Some(fault));
    let answer = check(&world).await;
    let differ = statuses(&well).into_iter().zip(statuses(&answer)).filter(|(well, now)| well != now);
    let names = differ.map(|((name, _), _)| name).collect();
    (names, answer)
}

const SHEET: &[&str] = &["sheet", "members", "roster"];
const SLACK: &[&str] = &["slack.alert", "slack.oncall"];

/// A service, a path of it, and the checks that need it.
type Case = (fn(&World) -> &Server, &'static str, &'static [&'static str]);

const CASES: [Case; 10] = [
    (|world| &world.google, "/v4", SHEET),
    (|world| &world.incidents, "/webhook_subscriptions", &["pagerduty.webhook"]),
    (|world| &world.slack, "/api/conversations.info", SLACK),
    (|world| &world.incidents, "/oncalls", &["pagerduty.escalation"]),
    (|world| &world.google, "/token", SHEET),
    (|world| &world.slack, "/api/auth.test", SLACK),
    (|world| &world.slack, "/api/users.info", SLACK),
    (|world| &world.slack, "/api/usergroups.list", SLACK),
    (|world| &world.incidents, "/abilities", &["pagerduty.key"]),
    (|world| &world.incidents, "/services", &["pagerduty.escalation"]),
];

async fn is_told_alone((service, path, expected): Case, fault: Fault) {
    let (names, answer) = Box::pin(with_fault(service, path, fault.clone())).await;
    assert_eq!(names, expected, "{path} {fault:?}: {answer:#}");
    for check in &names {
        assert_ne!(of(&answer, check)["remedy"], "", "{path} {fault:?}: {answer:#}");
    }
}

#[tokio::test]
async fn a_fault_is_told_by_its_own_check_and_hides_no_other() {
    for case in CASES {
        for fault in [Fault::status(401), Fault::status(503), Fault::Answer(200, vec![], "<html>"), Fault::HangUp] {
            is_told_alone(case, fault).await;
        }
    }
}

#[tokio::test]
async fn a_service_that_hangs_is_told_by_its_own_check_and_hides_no_other() {
    let [sheet, webhook, slack, escalation, ..] = CASES.map(|case| is_told_alone(case, Fault::Hang));
    tokio::join!(sheet, webhook, slack, escalation);
}

#[tokio::test]
async fn a_table_that_fails_is_told_and_leaves_what_it_holds_untold() {
    let (world, table) = healthy().await;
    table.fail_always(Some(Fault::Answer(
        400,
        vec![],
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException","message":"no"}"#,
    )));
    let answer = check(&world).await;
    assert_eq!(of(&answer, "ledger")["status"], "failed", "{answer:#}");
    assert!(of(&answer, "ledger")["detail"].as_str().unwrap().contains("GetItem, PutItem and UpdateItem"));
    for name in ["webhook", "slack.acting", "heartbeat"] {
        assert_eq!(of(&answer, name)["status"], "skipped", "{answer:#}");
    }
    assert_eq!(of(&answer, "sheet")["status"], "ok", "{answer:#}");
}

#[tokio::test]
async fn rights_that_are_missing_are_skipped_and_never_ok() {
    let (world, _table) = healthy().await;
    world.incidents.set_up(|account| account.forbidden = vec!["/webhook_subscriptions", "/oncalls", "/abilities"]);
    world.slack.directory(|directory| directory.scopes = vec!["chat:write"]);
    let answer = check(&world).await;
    for (name, said) in [
        ("pagerduty.key", "HTTP 403"),
        ("pagerduty.webhook", "the right to read webhook subscriptions"),
        ("pagerduty.escalation", "the right to read who is on call"),
        ("slack.alert", "channels:read"),
        ("slack.oncall", "users:read"),
    ] {
        let found = of(&answer, name);
        assert_eq!(found["status"], "skipped", "{answer:#}");
        assert!(found["detail"].as_str().unwrap().contains(said), "{name}: {answer:#}");
    }
    assert_eq!(answer["ok"], true, "what can't be told is no failure");
}

#[tokio::test]
async fn what_is_wrong_on_the_other_side_is_found() {
    type Change = fn(&World);
    let cases: [(&str, &str, &str, Change); 12] = [
        ("pagerduty.webhook", "failed", "PagerDuty has disabled", |world| {
            world.incidents.set_up(|a| a.subscriptions[0]["delivery_method"]["temporarily_disabled"] = json!(true));
        }),
        ("pagerduty.webhook", "failed", "no subscription", |world| {
            world.incidents.set_up(|a| a.subscriptions = vec![reads::subscription("P", "https://b.example/pagerduty")]);
        }),
        ("pagerduty.webhook", "failed", "cover other services", |world| {
            let other = json!({"type": "service_reference", "id": "POTHER"});
            world.incidents.set_up(|a| a.subscriptions[0]["filter"] = other);
        }),
        ("pagerduty.webhook", "warning", "come twice", |world| {
            world.incidents.set_up(|a| a.extensions.push(reads::extension("PEXT", WEBHOOK, &[SERVICE])));
        }),
        ("pagerduty.escalation", "failed", "nobody is on call", |world| {
            world.incidents.set_up(|a| a.oncalls.clear());
        }),
        ("pagerduty.escalation", "failed", "no service", |world| {
            world.incidents.set_up(|a| a.services.clear());
        }),
        ("slack.alert", "failed", "archived", |world| {
            world.slack.directory(|d| d.channels.get_mut("C0ALERTS").unwrap()["is_archived"] = json!(true));
        }),
        ("slack.oncall", "failed", "not in the channel", |world| {
            world.slack.directory(|d| d.channels.get_mut("C0ONCALL").unwrap()["is_member"] = json!(false));
        }),
        ("slack.alert", "failed", "chat:write", |world| {
            world.slack.directory(|d| d.scopes.retain(|scope| *scope != "chat:write"));
        }),
        ("slack.alert", "warning", "鈴木 (U0SUZUKI1)", |world| {
            world.slack.directory(|d| d.users.extend([("U0SUZUKI1".to_owned(), true)]));
        }),
        ("members", "failed", "can't be read", |world| world.google.remove(MEMBERS_TAB)),
        ("roster", "failed", "no row; row 1 is 2025-11-24", |world| {
            world.google.write(ROSTER_TAB, &[&["2025-11-24", "田中"], &["2025-11-25", "田中"]]);
        }),
    ];
    for (name, status, said, change) in cases {
        let (world, _table) = healthy().await;
        change(&world);
        let answer = check(&world).await;
        let found = of(&answer, name);
        assert_eq!(found["status"], status, "{said}: {found:#}");
        assert!(found["detail"].as_str().unwrap().contains(said), "{said}: {found:#}");
        assert_ne!(found["remedy"], "", "{found:#}");
        assert!(!answer.to_string().contains("planted-in-an-extension"));
    }
}

#[tokio::test]
async fn more_than_a_hundred_of_anything_are_looked_through() {
    let (world, _table) = healthy().await;
    world.incidents.set_up(|account| {
        let others = (0..230).map(|n| reads::subscription(&format!("P{n}"), "https://elsewhere.example/hook"));
        account.subscriptions = others.chain([reads::subscription("PSUB", WEBHOOK)]).collect();
        // Hours of one level after another, the last of which is on the third page.
        let hour = |n: i64| instant(MORNING).to_utc() + chrono::TimeDelta::hours(n);
        account.oncalls = (0..240)
            .map(|n| reads::oncall("PPOLICY", 1, Some(&hour(n).to_rfc3339()), Some(&hour(n + 1).to_rfc3339())))
            .collect();
    });
    let names: Vec<_> = (0..250).map(|n| (format!("人{n}"), format!("U0PERSON{n:03}"))).collect();
    let rows: Vec<_> = names.iter().map(|(name, id)| [name.as_str(), "", id.as_str()]).collect();
    let rows: Vec<&[&str]> =
        [&["名前", "Typetalk", "Slack"][..]].into_iter().chain(rows.iter().map(<[&str; 3]>::as_slice)).collect();
    world.google.write(MEMBERS_TAB, &rows);
    world.slack.directory(|directory| {
        directory.users = names.iter().map(|(_, id)| (id.clone(), false)).collect();
        directory.users.insert("U0PERSON249".to_owned(), true);
    });
    let answer = check(&world).await;
    assert_eq!(of(&answer, "pagerduty.webhook")["status"], "ok", "{answer:#}");
    assert_eq!(of(&answer, "pagerduty.escalation")["status"], "ok", "{answer:#}");
    let slack = of(&answer, "slack.alert")["detail"].as_str().unwrap();
    assert!(slack.contains("deactivated: 人249 (U0PERSON249)"), "{slack}");
}

#[tokio::test]
async fn services_a_third_of_a_second_away_are_checked_within_six_seconds() {
    let (world, table) = healthy().await;
    let servers: [&Server; 5] = [&world.google, &world.slack, &world.incidents, &world.watchdog, &table];
    for server in servers {
        server.fail_only("");
        server.fail_always(Some(Fault::Delay(Duration::from_millis(300))));
    }
    let started = Instant::now();
    let answer = check(&world).await;
    let took = started.elapsed();
    println!("{took:?}");
    assert_eq!(answer["ok"], true, "{answer:#}");
    assert!(took < Duration::from_secs(6), "{took:?}");
}
