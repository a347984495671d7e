//! `oncall send-test`: through the deployed address, as PagerDuty would; and a whole practice incident.

use oncall::fakes::account::ADMIN_KEY;

use crate::world::World;

async fn registered() -> World {
    let world = World::deployed().await;
    world.put_chat_and_sheet();
    world.run(&["pagerduty", "register", "--yes"], &[ADMIN_KEY]).await.well(&[]);
    assert_eq!(world.delivered(1).await, [200]);
    let _ = world.fakes.slack.take_posts();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn both_channels_get_a_line() {
    let mut world = registered().await;
    world.deploy(&[("PAGERDUTY_SERVICES", "")]).await;
    world.run(&["send-test", "--yes"], &[]).await.well(&[
        "✓ The alert channel has",
        "✓ The on-call channel of",
        "Next: ",
    ]);
    let posts = world.fakes.slack.take_posts();
    let [alert, on_call] = posts.as_slice() else { panic!("{posts:?}") };
    assert!(alert.channel == "C0ALERTS" && alert.text.contains("テスト通知を受け取りました"), "{alert:?}");
    assert!(on_call.channel == "C0ONCALL" && on_call.text.contains("リマインダーはここに届きます"), "{on_call:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_is_a_whole_incident_that_says_so_in_every_message() {
    let world = registered().await;
    world.run(&["send-test", "--drill", "--pause", "0"], &["y"]).await.well(&[
        "practice incident PRACTICE",
        "✓ resolved",
        "Next: cargo oncall check --stack oncall-relay",
    ]);
    let posts = world.fakes.slack.take_posts();
    assert_eq!(posts.len(), 4, "{posts:?}");
    // Without a ledger each of them is an incident's first message, with its state.
    for (post, word) in posts.iter().zip(["発生", "対応中", "メモ", "解決"]) {
        let line = post.text.lines().find(|line| line.contains("#pdPRACTICE")).unwrap();
        assert!(line.starts_with("【訓練】") && post.text.contains(word), "{post:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_arrive_is_told_with_its_reason() {
    let world = World::deployed().await;
    world.run(&["send-test", "--yes"], &[]).await.badly(&["neither PAGERDUTY_SIGNING_SECRETS", "register"]);
    let mut world = registered().await;
    world.deploy(&[("PAGERDUTY_SERVICES", ""), ("SLACK_ONCALL_CHANNEL", "C0ELSEWHERE")]).await;
    world.run(&["send-test", "--yes"], &[]).await.badly(&["✓ The alert channel has", "Slack did not take the line"]);
    world.aws.put("/oncall-relay/SLACK_TOKEN", "xoxb-revoked-token");
    world.run(&["send-test", "--yes"], &[]).await.badly(&["answered 503", "no chat took it"]);
}
