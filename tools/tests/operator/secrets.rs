//! `oncall secrets`: each secret is checked before it is stored, and none is ever shown.

use oncall::fakes::account::READ_ONLY_KEY;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_needed_secret_is_asked_for_checked_and_stored() {
    let world = World::deployed().await;
    let settings = world.fakes.settings();
    let (token, file) = (settings["SLACK_TOKEN"].as_str(), world.key_file());
    let answers = ["y", "not-a-token", "xoxb-of-another-workspace", token, "/no/such/file", &file, "", "wrong-key-1"];
    let answers: Vec<_> = answers.into_iter().chain([READ_ONLY_KEY]).collect();
    let ended = world.run(&["secrets"], &answers).await;
    ended.well(&[
        "begins with xoxb-; this is another one",
        "Slack doesn't take it (invalid_auth)",
        "it is the bot oncall-relay of the workspace Acme",
        "can't be read",
        "share the sheet with ",
        "It is needed; Ctrl-C stops",
        "the key is not valid",
        "Next: cargo oncall pagerduty register",
    ]);
    assert_eq!(world.stored("SLACK_TOKEN").as_deref(), Some(token));
    assert_eq!(world.stored("GOOGLE_CREDENTIALS"), Some(settings["GOOGLE_CREDENTIALS"].clone()));
    for secret in [token, "xoxb-of-another-workspace", "PRIVATE KEY", READ_ONLY_KEY] {
        assert!(!ended.said.contains(secret), "{secret}: {}", ended.said);
    }
    // Again: Enter keeps what is there.
    world.run(&["secrets"], &["y", "", "", "", ""]).await.well(&["Enter keeps it"]);
    assert_eq!(world.stored("SLACK_TOKEN").as_deref(), Some(token));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_can_be_replaced_alone_and_a_wrong_name_is_told() {
    let world = World::deployed().await;
    world.put_chat_and_sheet();
    world.run(&["secrets", "SLACK_TOKN"], &[]).await.badly(&["SLACK_TOKN is not a secret", "settings.md"]);
    let ended = world.run(&["secrets", "--yes", "PAGERDUTY_TOKENS"], &["short", "a-token-of-our-own-1234"]).await;
    ended.badly(&["too short", "✓ PAGERDUTY_TOKENS is in the store", "PAGERDUTY_API_KEY"]);
    assert_eq!(world.stored("PAGERDUTY_TOKENS").as_deref(), Some("a-token-of-our-own-1234"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_in_the_middle_hears_how_to_go_on() {
    let world = World::deployed().await;
    let token = world.fakes.settings()["SLACK_TOKEN"].clone();
    world.run(&["secrets"], &["y", &token]).await.badly(&["there was no answer", "What has a ✓ is stored"]);
    assert_eq!(world.stored("SLACK_TOKEN"), Some(token.clone()));
    world.aws.deny(Some("ssm:PutParameter"));
    world.run(&["secrets"], &["y", &token]).await.badly(&["to write /oncall-relay/SLACK_TOKEN", "ssm:PutParameter"]);
}
