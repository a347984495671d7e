//! Acting on an incident from Slack: each press has its effect once, and everybody is told the truth about it.

mod odd;
mod turns;
mod writes;

use std::time::Duration;

use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::incidents::{ACTING_NAME, ACTING_USER, Done};
use oncall::fakes::people::{Button, Person, payload};
use oncall::fakes::server::Fault;
use oncall::fakes::slack::Shown;
use serde_json::{Value, json};

use crate::world::{DAYTIME, Running, World, event_spec, incident, posted};

pub(crate) const TANAKA: Person = Person { id: "U0TANAKA1", name: "t.tanaka" };
const GUEST: Person = Person { id: "U0GUEST01", name: "guest" };
const ID: &str = "PINCIDENT1";
const PAGE: &str = "<https://acme.pagerduty.com/incidents/PINCIDENT1>";
const FIVE_PAST: &str = "2026-11-24T11:05:00+09:00";

/// A world with an open incident that Slack shows.
pub(crate) async fn world() -> World {
    let mut world = World::new().await;
    world.set("CHATS", "slack");
    world.incidents.open_as(ID, 33, "応答が遅い", "triggered", "2026-11-24T02:00:00Z");
    world
}

pub(crate) async fn alerted(relay: &Running<'_>) {
    assert_eq!(relay.signed(DAYTIME, &told("e1", "incident.triggered", DAYTIME, None)).await, posted(1));
}

/// A webhook about the incident, by a user with this id and name.
fn told(event_id: &str, event_type: &'static str, at: &str, by: Option<(&str, &'static str)>) -> Value {
    let mut spec = event_spec(event_id, event_type, at);
    spec.agent = by.map(|(_, name)| name);
    let mut event = incident().v3(&spec);
    if let Some((id, _)) = by {
        event["event"]["agent"]["id"] = json!(id);
    }
    event
}

fn first(world: &World) -> Shown {
    world.slack.shown().into_iter().find(|message| message.thread.is_none()).unwrap()
}

pub(crate) fn press(world: &World, by: Person, action: &str, number: u64) -> Vec<u8> {
    let Shown { channel, ts, text, .. } = first(world);
    let button = Button { action, value: ID, channel: &channel, ts: &ts, text: &text };
    payload(&by.press(&button, number, &world.slack.url()))
}

fn heard() -> (u16, Value) {
    (200, Value::Null)
}

fn done(what: &'static str) -> Done {
    Done { incident: ID.to_owned(), what, note: String::new() }
}

fn buttons(of: &[&str]) -> Vec<String> {
    of.iter().map(|action| format!("{action} {ID}")).collect()
}

#[tokio::test]
async fn whoever_presses_is_named_in_the_reply_and_mentioned_only_where_it_notifies_nobody() {
    let world = world().await;
    let relay = world.relay().await;
    alerted(&relay).await;
    assert_eq!(first(&world).buttons, buttons(&["acknowledge", "resolve", "note"]));
    assert_eq!(relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "acknowledge", 1)).await, heard());
    assert_eq!(world.incidents.take_done(), [done("acknowledged")]);
    assert_eq!(world.slack.take_told(), [""; 0], "what works is told by the message itself");
    let event = told("e2", "incident.acknowledged", FIVE_PAST, Some((ACTING_USER, ACTING_NAME)));
    assert_eq!(relay.signed(FIVE_PAST, &event).await, posted(1));
    let channel = relay.channel();
    // The members tab's name, not the one on Slack.
    assert!(channel[1].contains("田中") && !channel[1].contains("t.tanaka"), "{channel:?}");
    let reply = channel[1].lines().last().unwrap();
    assert!(!channel[1].contains(ACTING_NAME) && !reply.contains("<@U0TANAKA1> 11:05"), "{channel:?}");
    let shown = first(&world);
    assert!(shown.head.iter().any(|line| line.contains("🟡") && line.contains("<@U0TANAKA1> 11:05")), "{shown:?}");
    assert_eq!(shown.buttons, buttons(&["resolve", "note"]));
    // It is over, by somebody who isn't a member of the team.
    let later = "2026-11-24T11:40:00+09:00";
    assert_eq!(relay.on_slack(later, &press(&world, GUEST, "resolve", 2)).await, heard());
    assert_eq!(world.incidents.take_done(), [done("resolved")]);
    let event = told("e3", "incident.resolved", later, Some((ACTING_USER, ACTING_NAME)));
    assert_eq!(relay.signed(later, &event).await, posted(1));
    assert!(relay.channel()[0].contains("guest"));
    let shown = first(&world);
    assert!(shown.head.iter().any(|line| line.contains("🟢") && line.contains("<@U0GUEST01>")), "{shown:?}");
    assert_eq!(shown.buttons, [""; 0]);
}

#[tokio::test]
async fn somebodys_own_click_in_pagerduty_keeps_their_name() {
    let world = world().await;
    let relay = world.relay().await;
    alerted(&relay).await;
    relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "acknowledge", 1)).await;
    for (index, (event_type, at, by, is_tanaka)) in [
        ("incident.acknowledged", FIVE_PAST, ("PSEAT", "鈴木 一郎"), false),
        ("incident.resolved", FIVE_PAST, (ACTING_USER, ACTING_NAME), false),
        ("incident.acknowledged", "2026-11-24T11:11:00+09:00", (ACTING_USER, ACTING_NAME), false),
        ("incident.acknowledged", "2026-11-24T11:06:00+09:00", (ACTING_USER, ACTING_NAME), true),
    ]
    .into_iter()
    .enumerate()
    {
        let _ = relay.channel();
        let event = told(&format!("x{index}"), event_type, at, Some(by));
        assert_eq!(relay.signed(at, &event).await, posted(1));
        let text = relay.channel().remove(0);
        assert_eq!((text.contains("田中"), text.contains(by.1)), (is_tanaka, !is_tanaka), "{event_type} {at}: {text}");
    }
}

#[tokio::test]
async fn a_stale_button_never_opens_a_resolved_incident_again() {
    let world = world().await;
    let relay = world.relay().await;
    alerted(&relay).await;
    world.incidents.set(ID, "resolved", "鈴木 一郎", "2026-11-24T02:03:00Z");
    for (number, action) in [(1, "acknowledge"), (2, "resolve")] {
        assert_eq!(relay.on_slack(FIVE_PAST, &press(&world, TANAKA, action, number)).await, heard());
        assert_eq!(world.slack.take_told(), ["#pd33 ℹ️ すでに解決済みです · 鈴木 一郎 11:03"], "{action}");
    }
    assert_eq!(world.incidents.take_done(), []);
    let shown = first(&world);
    assert!(shown.head.iter().any(|line| line.contains("🟢") && line.contains("鈴木 一郎 11:03")), "{shown:?}");
    assert_eq!((shown.buttons, relay.channel().len()), (vec![], 1), "it is put right, and nothing is posted");
}

#[tokio::test]
async fn what_an_event_has_told_is_newer_than_an_old_look() {
    let world = world().await;
    let relay = world.relay().await;
    alerted(&relay).await;
    let later = "2026-11-24T11:40:00+09:00";
    let event = told("e2", "incident.resolved", later, Some(("PSEAT", "鈴木 一郎")));
    assert_eq!(relay.signed(later, &event).await, posted(1));
    world.incidents.set(ID, "acknowledged", "佐藤 花子", "2026-11-24T02:05:00Z");
    assert_eq!(relay.on_slack(later, &press(&world, TANAKA, "acknowledge", 1)).await, heard());
    let shown = first(&world);
    assert!(shown.head.iter().any(|line| line.contains("🟢")), "{shown:?}");
    assert_eq!(shown.buttons, [""; 0]);
}

#[tokio::test]
async fn a_press_that_fails_takes_no_name_from_one_that_worked() {
    let world = world().await;
    let relay = world.relay().await;
    alerted(&relay).await;
    relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "acknowledge", 1)).await;
    // Nobody has it any more, and the next one's press is refused.
    world.incidents.set(ID, "triggered", "Backlog", "2026-11-24T02:06:00Z");
    world.incidents.fail_always(Some(Fault::status(404)));
    relay.on_slack("2026-11-24T11:06:00+09:00", &press(&world, GUEST, "acknowledge", 2)).await;
    world.incidents.fail_always(None);
    let event = told("e2", "incident.acknowledged", FIVE_PAST, Some((ACTING_USER, ACTING_NAME)));
    assert_eq!(relay.signed(FIVE_PAST, &event).await, posted(1));
    assert!(relay.channel()[1].contains("田中"));
}

#[tokio::test]
async fn a_second_press_is_told_who_was_first() {
    let world = world().await;
    let relay = world.relay().await;
    alerted(&relay).await;
    relay.on_slack("2026-11-24T11:04:30+09:00", &press(&world, TANAKA, "acknowledge", 1)).await;
    let second = press(&world, GUEST, "acknowledge", 2);
    assert_eq!(relay.on_slack(FIVE_PAST, &second).await, heard());
    assert_eq!(world.incidents.take_done(), [done("acknowledged")]);
    assert_eq!(world.slack.take_told(), ["#pd33 ℹ️ すでに対応中です · 田中 11:05"]);
}

#[tokio::test]
async fn of_two_people_at_the_same_second_one_has_the_effect_and_both_are_told_the_truth() {
    let mut world = world().await;
    let table = DynamoDb::start(0, "ledger").await.unwrap();
    world.remember_in(&table.url(), "ledger");
    let (one, other) = (world.relay().await, world.relay().await);
    alerted(&one).await;
    // Long enough for both to look before either acts.
    world.incidents.fail_once(Fault::Delay(Duration::from_millis(100)));
    world.incidents.fail_once(Fault::Delay(Duration::from_millis(100)));
    let (first, second) = (press(&world, TANAKA, "acknowledge", 1), press(&world, GUEST, "acknowledge", 2));
    let answers = tokio::join!(one.on_slack(FIVE_PAST, &first), other.on_slack(FIVE_PAST, &second));
    assert_eq!(answers, (heard(), heard()));
    assert_eq!(world.incidents.take_done(), [done("acknowledged")]);
    let told = world.slack.take_told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("#pd33 ℹ️ すでに対応中です · "), "{told:?}");
    // One resolves while the other takes it on: whichever is first, it is not open again.
    world.incidents.set(ID, "triggered", "Backlog", "2026-11-24T02:06:00Z");
    let (first, second) = (press(&world, TANAKA, "acknowledge", 3), press(&world, GUEST, "resolve", 4));
    tokio::join!(one.on_slack(FIVE_PAST, &first), other.on_slack(FIVE_PAST, &second));
    assert_eq!(world.incidents.status(ID), "resolved");
    assert!(!world.incidents.take_done().contains(&done("reopened")));
}

#[tokio::test]
async fn the_same_request_once_more_has_no_effect() {
    let mut world = world().await;
    let table = DynamoDb::start(0, "ledger").await.unwrap();
    world.remember_in(&table.url(), "ledger");
    let (one, other) = (world.relay().await, world.relay().await);
    alerted(&one).await;
    let body = press(&world, TANAKA, "acknowledge", 1);
    one.on_slack(FIVE_PAST, &body).await;
    world.incidents.set(ID, "triggered", "Backlog", "2026-11-24T02:06:00Z");
    for relay in [&one, &other] {
        assert_eq!(relay.on_slack(FIVE_PAST, &body).await, heard());
    }
    assert_eq!(world.incidents.take_done(), [done("acknowledged")]);
    assert_eq!(world.slack.take_told(), [""; 0]);
}

#[tokio::test]
async fn a_webhook_that_overtakes_the_answer_names_the_person_too() {
    // Long enough after the press before that one look is enough.
    let at = "2026-11-24T11:20:00+09:00";
    for (lost, is_told) in [(Fault::TakeAndHang, true), (Fault::TakeAndHangUp, false)] {
        let world = world().await;
        let relay = world.relay().await;
        alerted(&relay).await;
        // The user as whom presses are carried out is known by now.
        relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "acknowledge", 1)).await;
        let _ = (relay.channel(), world.slack.take_told(), world.incidents.take_done());
        world.incidents.set_clock("2026-11-24T02:20:00Z");
        world.incidents.fail_once(Fault::Delay(Duration::ZERO));
        world.incidents.fail_once(lost.clone());
        assert_eq!(relay.on_slack(at, &press(&world, TANAKA, "resolve", 2)).await, heard());
        let told_presser = world.slack.take_told();
        if is_told {
            assert!(told_presser[0].contains("実行されたかどうか分かりません"), "{told_presser:?}");
        } else {
            assert_eq!(told_presser, [""; 0], "it was seen to be done");
        }
        assert_eq!(world.incidents.take_done(), [done("resolved")], "{lost:?}");
        let event = told("e9", "incident.resolved", at, Some((ACTING_USER, ACTING_NAME)));
        assert_eq!(relay.signed(at, &event).await, posted(1));
        assert!(relay.channel()[0].contains("田中"), "{lost:?}");
    }
}

#[tokio::test]
async fn each_refusal_is_told_to_the_presser_alone_with_the_way_to_do_it_by_hand() {
    for (setting, value, fault, words) in [
        ("PAGERDUTY_FROM", "nobody@acme.example", None, "PAGERDUTY_FROM"),
        ("PAGERDUTY_ACTION_KEY", "stand-in-api-key", None, "PAGERDUTY_ACTION_KEY"),
        ("PAGERDUTY_ACTION_KEY", "another-key-of-theirs", None, "PAGERDUTY_ACTION_KEY"),
        ("", "", Some(Fault::status(500)), "PagerDuty に接続できず、実行していません"),
        ("", "", Some(Fault::too_many(1)), "混み合っています"),
        ("", "", Some(Fault::status(404)), "インシデントが見つかりません"),
        ("", "", Some(Fault::Hang), "PagerDuty に接続できず、実行していません"),
        ("", "", Some(Fault::Drip(Duration::from_millis(100))), "PagerDuty に接続できず、実行していません"),
    ] {
        let mut world = world().await;
        if !setting.is_empty() {
            world.set(setting, value);
        }
        let relay = world.relay().await;
        alerted(&relay).await;
        let is_failing = fault.is_some();
        world.incidents.fail_always(fault);
        let body = press(&world, TANAKA, "acknowledge", 1);
        assert_eq!(relay.on_slack(FIVE_PAST, &body).await, heard(), "{words}");
        let told = world.slack.take_told();
        assert!(told.len() == 1 && told[0].contains(words), "{words}: {told:?}");
        assert!(told[0].ends_with(&format!("PagerDuty で操作する: {PAGE}")), "{told:?}");
        assert!(told[0].starts_with("#pd33 "), "{told:?}");
        assert_eq!((world.incidents.take_done(), relay.channel().len()), (vec![], 1), "{words}");
        // Once it is right again, the next press works.
        if is_failing {
            world.incidents.fail_always(None);
            relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "acknowledge", 2)).await;
            assert_eq!(world.incidents.take_done(), [done("acknowledged")], "{words}");
        }
    }
}

#[tokio::test]
async fn a_note_is_written_in_a_form_and_signed_with_its_writers_name() {
    let world = world().await;
    let relay = world.relay().await;
    alerted(&relay).await;
    assert_eq!(relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "note", 1)).await, heard());
    let view = world.slack.take_views().remove(0);
    assert_eq!(view["title"]["text"], "メモ #pd33");
    let empty = payload(&TANAKA.submit(&view, "  "));
    let answer = relay.on_slack(FIVE_PAST, &empty).await.1;
    assert_eq!(answer["errors"]["note"], "メモの内容を書いてください");
    let body = payload(&TANAKA.submit(&view, "再起動した"));
    // What doesn't work is said in the form, which can be sent again.
    world.incidents.fail_once(Fault::status(503));
    let (status, answer) = relay.on_slack(FIVE_PAST, &body).await;
    assert_eq!((status, answer["response_action"].as_str()), (200, Some("errors")));
    let error = answer["errors"]["note"].as_str().unwrap();
    assert!(
        error.contains("実行されたかどうか分かりません")
            && error.ends_with("https://acme.pagerduty.com/incidents/PINCIDENT1")
    );
    for _ in 0..2 {
        assert_eq!(relay.on_slack(FIVE_PAST, &body).await, heard());
    }
    let note = "田中: 再起動した".to_owned();
    assert_eq!(world.incidents.take_done(), [Done { note: note.clone(), ..done("annotated") }], "once");
    let spec = event_spec("e4", "incident.annotated", FIVE_PAST);
    let mut event = incident().v3_note(&spec, &note);
    event["event"]["agent"] = json!({"id": ACTING_USER, "type": "user_reference", "summary": ACTING_NAME});
    assert_eq!(relay.signed(FIVE_PAST, &event).await, posted(1));
    let reply = relay.channel().remove(1);
    assert!(reply.contains("再起動した") && !reply.contains(ACTING_NAME), "{reply}");
    assert_eq!(reply.matches("田中").count(), 1, "{reply}");
}

#[tokio::test]
async fn a_form_that_cannot_be_opened_any_more_is_said_to_the_presser() {
    let world = world().await;
    let relay = world.relay().await;
    alerted(&relay).await;
    relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "note", 1)).await;
    // The same trigger again, and then one that is too old.
    relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "note", 1)).await;
    world.slack.expire_triggers();
    relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "note", 2)).await;
    assert_eq!(world.slack.take_views().len(), 1);
    let told = world.slack.take_told();
    assert!(told.len() == 2 && told.iter().all(|text| text.contains("入力画面を開けませんでした")), "{told:?}");
}

#[tokio::test]
async fn whatever_hangs_a_press_is_answered_in_time() {
    for hangs in ["slack", "pagerduty", "sheet", "ledger", "all"] {
        let mut world = world().await;
        let table = DynamoDb::start(0, "ledger").await.unwrap();
        world.remember_in(&table.url(), "ledger");
        let relay = world.relay().await;
        alerted(&relay).await;
        let bodies = [press(&world, TANAKA, "acknowledge", 1), press(&world, TANAKA, "note", 2)];
        let hang = |name: &str| (hangs == name || hangs == "all").then_some(Fault::Hang);
        world.slack.fail_always(hang("slack"));
        world.incidents.fail_always(hang("pagerduty"));
        world.google.fail_always(hang("sheet"));
        table.fail_always(hang("ledger"));
        for body in bodies {
            assert_eq!(relay.on_slack("2026-11-24T11:10:00+09:00", &body).await, heard(), "{hangs}");
        }
        let done_all_the_same = matches!(hangs, "slack" | "sheet" | "ledger");
        let expected = if done_all_the_same { vec![done("acknowledged")] } else { vec![] };
        assert_eq!(world.incidents.take_done(), expected, "{hangs}");
    }
}
