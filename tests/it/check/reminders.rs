//! What reminders say of the check and of the days ahead, and what the watchdog hears.

use std::time::{Duration, Instant};

use oncall::fakes::ROSTER_TAB;
use oncall::fakes::server::Fault;
use oncall_relay::lambda::scheduler;
use serde_json::{Value, json};

use super::{EVENING, MORNING, check, healthy, of};
use crate::world::{World, instant, posted, triggered_at};

async fn remind(world: &World, at: &str, reminder: &str) -> (Value, String) {
    let reminders = world.reminders().await;
    let event = json!({"reminder": reminder, "at": at});
    let (answer, _, _) = scheduler::answer(&reminders, &event, instant(at).to_utc()).await;
    (answer.unwrap(), world.topic().concat())
}

#[tokio::test]
async fn in_the_morning_the_check_speaks_up_about_what_people_must_act_on() {
    let (world, _table) = healthy().await;
    let (_, text) = remind(&world, MORNING, "today").await;
    assert!(!text.contains('⚠') && !text.contains('🚨'), "{text}");

    let (world, _table) = healthy().await;
    world.incidents.set_up(|account| {
        account.subscriptions[0]["delivery_method"]["temporarily_disabled"] = json!(true);
        account.oncalls.clear();
    });
    world.slack.directory(|directory| directory.users.retain(|id, _| id != "U0SATO001"));
    let (_, text) = remind(&world, MORNING, "today").await;
    let lines: Vec<_> = text.lines().skip(3).collect();
    assert!(lines[0].contains("PagerDuty が Webhook を無効にした") && lines[0].contains("Enable"), "{text}");
    assert!(lines[1].contains("11/24(火) 10:00 から") && lines[1].contains("当番がいません"), "{text}");
    assert!(lines[2].contains("Slack の ID が無効です: 佐藤 花子"), "{text}");
    let pings = world.watchdog.take_pings();
    assert_eq!(pings.len(), 1);
    assert_eq!(pings[0].body, "pagerduty.webhook\npagerduty.escalation");
    assert!(pings[0].is_failure);
}

#[tokio::test]
async fn a_slow_check_keeps_no_reminder_waiting_and_its_finding_reaches_the_watchdog() {
    let (world, _table) = healthy().await;
    world.incidents.fail_only("/webhook_subscriptions");
    world.incidents.fail_always(Some(Fault::Hang));
    let reminders = world.reminders().await;
    let event = json!({"reminder": "today", "at": MORNING});
    let started = Instant::now();
    let reminded = scheduler::answer(&reminders, &event, instant(MORNING).to_utc());
    let is_posted = async {
        while world.typetalk.requests() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        started.elapsed()
    };
    let ((answer, _, _), posted_after) = tokio::join!(reminded, is_posted);
    assert_eq!(answer.unwrap()["posted"], true);
    assert!(posted_after < Duration::from_secs(4), "posted after {posted_after:?}");
    let pings = world.watchdog.take_pings();
    assert_eq!((pings.len(), pings[0].body.as_str()), (1, "pagerduty.webhook"));
}

#[tokio::test]
async fn a_slow_post_makes_no_check_fail() {
    let (world, _table) = healthy().await;
    // Not done when the post begins, and with more to ask after the first answer.
    world.incidents.fail_only("/services");
    world.incidents.fail_always(Some(Fault::Delay(Duration::from_millis(2_500))));
    world.typetalk.fail_once(Fault::Delay(Duration::from_secs(6)));
    let (answer, _) = remind(&world, MORNING, "today").await;
    assert_eq!(answer["posted"], true);
    let pings = world.watchdog.take_pings();
    assert_eq!(pings.iter().map(|ping| ping.body.as_str()).collect::<Vec<_>>(), [""], "{pings:?}");
}

#[tokio::test]
async fn the_watchdog_is_pinged_after_what_is_settled_and_never_in_the_way() {
    let (world, _table) = healthy().await;
    for (at, reminder, pings) in [
        (MORNING, "today", 1),
        (EVENING, "next", 1),
        // A day off is settled; so is what was posted before.
        ("2026-11-23T10:00:00+09:00", "today", 1),
        (MORNING, "today", 1),
    ] {
        remind(&world, at, reminder).await;
        let heard = world.watchdog.take_pings();
        assert_eq!(heard.iter().filter(|ping| !ping.is_failure).count(), pings, "{at} {reminder}: {heard:?}");
    }
    let reminders = world.reminders().await;
    let dry_run = json!({"reminder": "today", "at": "2026-11-25T10:00:00+09:00", "dry_run": true});
    scheduler::answer(&reminders, &dry_run, instant("2026-11-25T10:00:00+09:00").to_utc()).await.0.unwrap();
    world.typetalk.fail_always(Some(Fault::status(503)));
    world.slack.fail_always(Some(Fault::status(503)));
    let event = json!({"reminder": "today", "at": "2026-11-26T10:00:00+09:00"});
    scheduler::answer(&reminders, &event, instant("2026-11-26T10:00:00+09:00").to_utc()).await.0.unwrap_err();
    assert_eq!(world.watchdog.take_pings(), [], "neither a dry run nor a failure is settled");

    let answer = check(&world).await;
    assert_eq!(of(&answer, "heartbeat")["status"], "ok", "{answer:#}");
    world.typetalk.fail_always(None);
    world.watchdog.fail_always(Some(Fault::status(404)));
    let (answer, _) = remind(&world, "2026-11-27T10:00:00+09:00", "today").await;
    assert_eq!(answer["posted"], true, "a watchdog that is gone is nobody's problem but the check's");
    let answer = check(&world).await;
    assert_eq!(of(&answer, "heartbeat")["status"], "failed", "{answer:#}");
    assert!(of(&answer, "heartbeat")["detail"].as_str().unwrap().contains("HTTP 404"), "{answer:#}");
    assert!(!answer.to_string().contains(&world.watchdog.address()));
}

#[tokio::test]
async fn a_sighting_is_left_once_in_ten_minutes_and_only_for_what_is_authentic() {
    let (world, table) = healthy().await;
    let relay = world.relay().await;
    let seen = async |at: &str| {
        let before = table.requests();
        assert_eq!(relay.signed(at, &triggered_at(at, at)).await, posted(1));
        table.requests() - before
    };
    let first = seen("2026-11-24T20:00:00+09:00").await;
    let second = seen("2026-11-24T20:05:00+09:00").await;
    let third = seen("2026-11-24T20:11:00+09:00").await;
    // The first one also leaves what leads from the number to the incident.
    assert_eq!((first - second, third - second), (2, 1), "{first} {second} {third}");
    let before = table.requests();
    relay.send("2026-11-24T21:00:00+09:00", &[], b"{}").await;
    assert_eq!(table.requests(), before);
}

#[tokio::test]
async fn in_the_evening_the_days_ahead_are_looked_at() {
    let (world, _table) = healthy().await;
    let (_, text) = remind(&world, EVENING, "next").await;
    assert!(text.contains("https://docs.google.com/spreadsheets/d/1StandInSpreadsheet/edit"), "{text}");
    assert!(!text.contains('⚠'), "{text}");

    let (world, _table) = healthy().await;
    world.google.write(
        ROSTER_TAB,
        &[&["2026-11-25", "田中"], &["2026-11-26", "未定"], &["2026-11-27", "渡辺"], &["2026-12-01", "13:00"]],
    );
    let (_, text) = remind(&world, EVENING, "next").await;
    let ahead: Vec<_> = text.lines().filter(|line| line.starts_with('⚠')).collect();
    assert_eq!(ahead.len(), 4, "{text}");
    assert!(ahead[0].contains("11/30(月)の行がありません"), "{text}");
    assert!(ahead[1].contains("12/1(火)の当番を読み取れません"), "{text}");
    assert!(ahead[2].contains("11/26(木)の当番は未定"), "{text}");
    assert!(ahead[3].contains("渡辺"), "{text}");
}
