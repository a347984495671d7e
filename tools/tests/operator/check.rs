//! `oncall check --stack`: the deployed function's own check, and who hears its alarms, with the operator's credentials.

use std::fs;

use oncall::fakes::account::{ADMIN_KEY, READ_ONLY_KEY};
use serde_json::{Value, json};

use crate::world::{Ended, World, finish};

async fn registered() -> World {
    let world = World::deployed().await;
    world.put_chat_and_sheet();
    world.aws.put("/oncall-relay/PAGERDUTY_API_KEY", READ_ONLY_KEY);
    world.run(&["pagerduty", "register", "--yes"], &[ADMIN_KEY]).await.well(&[]);
    assert_eq!(world.delivered(1).await, [200]);
    let _ = world.fakes.slack.take_posts();
    world
}

/// The answer's checks, by their names, out of what a script would read.
fn statuses(ended: &Ended) -> Value {
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    let of = |check: &Value| Some((check["name"].as_str()?.to_owned(), check["status"].clone()));
    Value::Object(answer["checks"].as_array().unwrap().iter().filter_map(of).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployed_function_is_asked_and_who_hears_its_alarms_is_added() {
    let world = registered().await;
    let confirmed = "arn:aws:sns:ap-northeast-1:123456789012:oncall-relay-alarms:1";
    for (subscriptions, denied, status) in [
        (&[confirmed][..], None, "ok"),
        (&[confirmed, "PendingConfirmation"], None, "warning"),
        (&["PendingConfirmation"], None, "failed"),
        (&[], None, "failed"),
        (&[confirmed], Some("sns:ListSubscriptionsByTopic"), "skipped"),
    ] {
        world.aws.subscribe(subscriptions);
        world.aws.deny(denied);
        let ended = world.run(&["check", "--stack", "oncall-relay", "--json"], &[]).await;
        let found = statuses(&ended);
        assert_eq!((&found["alarms"], &found["sheet"]), (&json!(status), &json!("ok")), "{}", ended.said);
        assert!(status != "failed" || !ended.ok, "{}", ended.said);
    }
    assert!(world.fakes.slack.take_posts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_region_are_those_of_samconfig_as_for_every_other_command() {
    let world = registered().await;
    world.aws.subscribe(&["arn:aws:sns:ap-northeast-1:123456789012:oncall-relay-alarms:1"]);
    fs::create_dir_all(world.folder.join(".aws")).unwrap();
    let keys = "[operators]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = of-the-profile\n";
    fs::write(world.folder.join(".aws/credentials"), keys).unwrap();
    let place = "[default.global.parameters]\nregion = \"ap-northeast-1\"\nprofile = \"operators\"\n";
    fs::write(world.folder.join("samconfig.toml"), place).unwrap();
    let mut command = world.command(&["check", "--stack", "oncall-relay"]);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env_remove("AWS_REGION");
    let ended = finish(command, &[]).await;
    assert!(ended.said.contains("1 confirmed subscriber"), "{}", ended.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_the_check_from_beginning_is_told() {
    let world = registered().await;
    world.run(&["check", "--stack", "another"], &[]).await.badly(&["there is no stack `another` in ap-northeast-1"]);
    world.aws.deny(Some("cloudformation:DescribeStacks"));
    world.run(&["check", "--stack", "oncall-relay"], &[]).await.badly(&["cloudformation:DescribeStacks"]);
}
