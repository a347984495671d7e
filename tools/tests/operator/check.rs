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
    // The only one who has confirmed is on the third page.
    let many = [&["PendingConfirmation"; 230][..], &[confirmed]].concat();
    for (subscriptions, denied, status) in [
        (&[confirmed][..], None, "ok"),
        (&many, None, "warning"),
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
async fn nothing_is_posted_before_somebody_has_read_where_and_agreed() {
    let world = registered().await;
    world.aws.subscribe(&["arn:aws:sns:ap-northeast-1:123456789012:oncall-relay-alarms:1"]);
    let post = ["check", "--stack", "oncall-relay", "--post"];
    // A pipe is nobody, whatever comes out of it.
    world.run(&post, &["y"]).await.badly(&["nobody is there to ask", "--yes", "(SLACK_ALERT_CHANNEL)"]);
    assert!(world.fakes.slack.take_posts().is_empty());
    let said = ["will:", "oncall-relay はここに投稿できます(slack.alert)", "to the Slack channel C0ALERTS", "C0ONCALL"];
    at_a_terminal(&world, &post, "n").await.badly(&[&said[..], &["you said no"]].concat());
    assert!(world.fakes.slack.take_posts().is_empty());
    at_a_terminal(&world, &post, "y").await.says(&said);
    assert_eq!(world.fakes.slack.take_posts().len(), 2);
    // What a script reads is the answer alone.
    let ended = world.run(&[&post[..], &["--yes", "--json"]].concat(), &[]).await;
    assert_eq!(statuses(&ended)["slack.oncall"], "ok", "{}", ended.said);
    assert_eq!(world.fakes.slack.take_posts().len(), 2);
}

/// Runs a command with a person at its terminal, who gives this answer.
async fn at_a_terminal(world: &World, arguments: &[&str], answer: &str) -> Ended {
    let mut words = vec![env!("CARGO_BIN_EXE_oncall")];
    words.extend(arguments);
    let mut script = world.program("script");
    script.args(["--quiet", "--return", "--echo", "never", "--log-out", "/dev/null", "--command", &words.join(" ")]);
    finish(script, &[answer]).await
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
    let unfinished = World::deployed().await;
    let check = ["check", "--stack", "oncall-relay"];
    unfinished.run(&check, &[]).await.badly(&["SECRETS_PATH", "To put them there: cargo oncall secrets"]);
    world.aws.deny(Some("cloudformation:DescribeStacks"));
    world.run(&["check", "--stack", "oncall-relay"], &[]).await.badly(&["cloudformation:DescribeStacks"]);
}
