//! Presses at odd moments, and where something is missing: nobody is left to believe what is not so.

use super::*;

#[tokio::test]
async fn killed_between_change_and_answer_the_next_event_puts_the_message_right() {
    let mut world = world().await;
    let table = DynamoDb::start(0, "ledger").await.unwrap();
    world.remember_in(&table.url(), "ledger");
    let relay = world.relay().await;
    alerted(&relay).await;
    let body = press(&world, TANAKA, "acknowledge", 1);
    world.incidents.fail_once(Fault::Delay(Duration::ZERO));
    world.incidents.fail_once(Fault::TakeAndHang);
    let killed = tokio::time::timeout(Duration::from_millis(700), relay.on_slack(FIVE_PAST, &body)).await;
    assert!(killed.is_err());
    assert_eq!(world.incidents.take_done(), [done("acknowledged")]);
    // Another process: it knows what the ledger has.
    let next = world.relay().await;
    let event = told("e2", "incident.acknowledged", FIVE_PAST, Some((ACTING_USER, ACTING_NAME)));
    assert_eq!(next.signed(FIVE_PAST, &event).await, posted(1));
    assert_eq!(first(&world).buttons, buttons(&["resolve", "note"]));
    // The turn of whoever died ends.
    let later = "2026-11-24T11:05:06+09:00";
    assert_eq!(next.on_slack(later, &press(&world, GUEST, "resolve", 2)).await, heard());
    assert_eq!(world.incidents.take_done(), [done("resolved")]);
}

#[tokio::test]
async fn what_was_resolved_between_look_and_press_is_said_to_be_open_again() {
    let world = world().await;
    let relay = world.relay().await;
    alerted(&relay).await;
    let open = json!({"incident": {"id": ID, "incident_number": 33, "status": "triggered"}}).to_string();
    world.incidents.fail_once(Fault::Answer(200, vec![], open.leak()));
    world.incidents.set(ID, "resolved", "鈴木 一郎", "2026-11-24T02:05:00Z");
    assert_eq!(relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "acknowledge", 1)).await, heard());
    let told = world.slack.take_told();
    assert!(told.len() == 1 && told[0].contains("再オープンになりました"), "{told:?}");
}

#[tokio::test]
async fn there_are_no_buttons_without_all_that_a_press_needs() {
    for missing in [&["SLACK_SIGNING_SECRETS"][..], &["PAGERDUTY_ACTION_KEY", "PAGERDUTY_FROM"]] {
        let mut world = world().await;
        for setting in missing {
            world.set(setting, "");
        }
        let relay = world.relay().await;
        alerted(&relay).await;
        let shown = first(&world);
        assert_eq!(shown.buttons, [""; 0], "{missing:?}");
        assert!(shown.body.iter().any(|line| line.contains(PAGE)), "a link is text: {shown:?}");
        let answer = relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "resolve", 1)).await;
        assert_eq!(answer.0, if missing.len() == 1 { 404 } else { 200 }, "{missing:?}");
        let told = world.slack.take_told();
        if missing.len() > 1 {
            assert!(told.len() == 1 && told[0].starts_with("#pd33 ⚠️ Slack からの操作は無効"), "{told:?}");
            assert!(told[0].ends_with(PAGE), "{told:?}");
            // Nobody can be told: Slack itself shows that something is wrong.
            world.slack.fail_only("/actions");
            world.slack.fail_always(Some(Fault::status(500)));
            assert_eq!(relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "resolve", 2)).await.0, 422);
        }
        assert_eq!(world.incidents.take_done(), []);
    }
}

#[tokio::test]
async fn without_a_sheet_the_presser_is_called_as_on_slack() {
    let world = world().await;
    let relay = world.relay().await;
    world.google.fail_always(Some(Fault::status(500)));
    alerted(&relay).await;
    relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "acknowledge", 1)).await;
    let event = told("e2", "incident.acknowledged", FIVE_PAST, Some((ACTING_USER, ACTING_NAME)));
    assert_eq!(relay.signed(FIVE_PAST, &event).await, posted(1));
    assert!(relay.channel()[1].contains("t.tanaka"));
}
