//! Presses that meet: several people at one incident, or one press that Slack delivers twice.

use super::*;
use crate::state::overtaken::updates_asked;

const INCIDENT: &str = "/incidents/PINCIDENT1";

async fn with_table() -> (World, DynamoDb) {
    let mut world = world().await;
    let table = DynamoDb::start(0, "ledger").await.unwrap();
    world.remember_in(&table.url(), "ledger");
    (world, table)
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Until PagerDuty has been asked so often about the incident.
async fn asked(world: &World, count: usize) {
    while world.incidents.requests_to(INCIDENT) < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_press_that_comes_while_another_one_is_carried_out_waits_and_is_told_who_was_first() {
    for same_process in [true, false] {
        let (world, _table) = with_table().await;
        let (one, other) = (world.relay().await, world.relay().await);
        alerted(&one).await;
        world.incidents.fail_once(Fault::Delay(Duration::ZERO));
        world.incidents.fail_once(Fault::Delay(Duration::from_millis(500)));
        let (first, second) = (press(&world, TANAKA, "acknowledge", 1), press(&world, GUEST, "acknowledge", 2));
        let meanwhile = async {
            asked(&world, 2).await;
            if same_process { &one } else { &other }.on_slack(FIVE_PAST, &second).await
        };
        assert_eq!(tokio::join!(one.on_slack(FIVE_PAST, &first), meanwhile), (heard(), heard()));
        assert_eq!(world.incidents.take_done(), [done("acknowledged")], "{same_process}");
        assert_eq!(world.slack.take_told(), ["#pd33 ℹ️ すでに対応中です · 田中 11:05"], "{same_process}");
    }
}

#[tokio::test]
async fn a_press_that_can_wait_no_longer_for_another_one_is_told_so_and_changes_nothing() {
    let (world, _table) = with_table().await;
    let other = world.relay().await;
    {
        let doomed = world.relay().await;
        alerted(&doomed).await;
        world.incidents.fail_once(Fault::Delay(Duration::ZERO));
        world.incidents.fail_once(Fault::Hang);
        let body = press(&world, TANAKA, "acknowledge", 1);
        tokio::select! {
            _ = doomed.on_slack(FIVE_PAST, &body) => panic!("it hangs"),
            () = asked(&world, 2) => {}
        }
    }
    for (number, action) in [(2, "acknowledge"), (3, "resolve")] {
        assert_eq!(other.on_slack(FIVE_PAST, &press(&world, GUEST, action, number)).await, heard());
        let told = world.slack.take_told();
        assert!(told.len() == 1 && told[0].starts_with("#pd33 ⚠️ 別の操作を処理しています"), "{told:?}");
        assert!(told[0].ends_with(PAGE), "{told:?}");
    }
    assert_eq!(world.incidents.take_done(), []);
    // Whoever died holds nobody up for longer than a few seconds, and the press that was told so works then.
    let later = "2026-11-24T11:05:06+09:00";
    assert_eq!(other.on_slack(later, &press(&world, GUEST, "acknowledge", 2)).await, heard());
    assert_eq!((world.incidents.take_done(), world.slack.take_told()), (vec![done("acknowledged")], vec![]));
}

#[tokio::test]
async fn a_second_person_who_presses_just_after_the_first_is_told_what_is_so() {
    for (first, second, effects, told) in [
        ("acknowledge", "acknowledge", &["acknowledged"][..], &["#pd33 ℹ️ すでに対応中です · 田中 11:05"][..]),
        ("acknowledge", "resolve", &["acknowledged", "resolved"], &[]),
        ("resolve", "acknowledge", &["resolved"], &["#pd33 ℹ️ すでに解決済みです · 田中 11:05"]),
        ("resolve", "resolve", &["resolved"], &["#pd33 ℹ️ すでに解決済みです · 田中 11:05"]),
    ] {
        for same_process in [true, false] {
            let (world, _table) = with_table().await;
            let (one, other) = (world.relay().await, world.relay().await);
            alerted(&one).await;
            // Both see the same buttons.
            let (first_press, second_press) = (press(&world, TANAKA, first, 1), press(&world, GUEST, second, 2));
            assert_eq!(one.on_slack(FIVE_PAST, &first_press).await, heard());
            let next = if same_process { &one } else { &other };
            assert_eq!(next.on_slack("2026-11-24T11:05:01+09:00", &second_press).await, heard());
            let happened: Vec<_> = world.incidents.take_done().iter().map(|done| done.what).collect();
            assert_eq!((happened.as_slice(), world.slack.take_told()), (effects, owned(told)), "{first} {second}");
        }
    }
}

#[tokio::test]
async fn a_press_that_slack_delivers_twice_at_once_is_carried_out_once_and_nobody_is_told_otherwise() {
    for action in ["acknowledge", "resolve"] {
        for same_process in [true, false] {
            let (world, _table) = with_table().await;
            let (one, other) = (world.relay().await, world.relay().await);
            alerted(&one).await;
            let body = press(&world, TANAKA, action, 1);
            let second = if same_process { &one } else { &other };
            let answers = tokio::join!(one.on_slack(FIVE_PAST, &body), second.on_slack(FIVE_PAST, &body));
            assert_eq!(answers, (heard(), heard()));
            assert_eq!(world.incidents.take_done().len(), 1, "{action}");
            assert_eq!(world.slack.take_told(), [""; 0], "{action}");
        }
    }
}

#[tokio::test]
async fn a_note_that_slack_delivers_twice_at_once_is_written_once() {
    let (world, _table) = with_table().await;
    let (one, other) = (world.relay().await, world.relay().await);
    alerted(&one).await;
    one.on_slack(FIVE_PAST, &press(&world, TANAKA, "note", 1)).await;
    let view = world.slack.take_views().remove(0);
    let body = payload(&TANAKA.submit(&view, "再起動した"));
    for second in [&one, &other] {
        let answers = tokio::join!(one.on_slack(FIVE_PAST, &body), second.on_slack(FIVE_PAST, &body));
        assert_eq!(answers, (heard(), heard()));
    }
    assert_eq!(world.incidents.take_done(), [Done { note: "田中: 再起動した".to_owned(), ..done("annotated") }]);
}

#[tokio::test]
async fn what_a_look_has_found_is_not_left_over_a_newer_state_that_came_meanwhile() {
    let (world, _table) = with_table().await;
    let (one, other) = (world.relay().await, world.relay().await);
    alerted(&one).await;
    world.incidents.set(ID, "resolved", "鈴木 一郎", "2026-11-24T02:03:00Z");
    world.slack.fail_at("/api/chat.update");
    world.slack.fail_once(Fault::Delay(Duration::from_millis(500)));
    let stale = press(&world, TANAKA, "acknowledge", 1);
    let reopened = told("e2", "incident.reopened", "2026-11-24T11:04:00+09:00", Some(("PSEAT", "鈴木 一郎")));
    let meanwhile = async {
        updates_asked(&world, 1).await;
        other.signed(FIVE_PAST, &reopened).await
    };
    assert_eq!(tokio::join!(one.on_slack(FIVE_PAST, &stale), meanwhile), (heard(), posted(1)));
    let shown = first(&world);
    assert!(shown.head.iter().any(|line| line.contains("🔴 再オープン")), "{shown:?}");
    assert_eq!((shown.buttons, world.incidents.take_done()), (buttons(&["acknowledge", "resolve", "note"]), vec![]));
}
