//! `oncall check --stack`: the deployed function's own check, and who hears its alarms, with the operator's credentials.

use std::fs;

use oncall::fakes::account::{ADMIN_KEY, READ_ONLY_KEY};
use oncall::fakes::server::Fault;
use oncall_relay::domain::check::NAMES;
use oncall_relay::log_events::EVENTS;
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
    world.aws.deny(Some("cloudformation:DescribeStacks"));
    world.run(&["check", "--stack", "oncall-relay"], &[]).await.badly(&["cloudformation:DescribeStacks"]);
}

const CHECK: [&str; 4] = ["check", "--stack", "oncall-relay", "--json"];
const INVOCATIONS: &str = "/2015-03-31/functions/oncall-relay-oncall-reminder/invocations";

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_keep_the_function_from_starting_are_a_finding_beside_all_others() {
    assert!(EVENTS.contains(&"start"), "it is the line by which the function tells");
    let unfinished = World::deployed().await;
    let without_chat = {
        let mut world = World::empty().await;
        world.deploy(&[("CHATS", "")]).await;
        world.put_chat_and_sheet();
        world
    };
    for (world, why) in [
        (&unfinished, &["SECRETS_PATH", "To put them there: cargo oncall secrets"][..]),
        (&without_chat, &["CHATS is not set"]),
    ] {
        for (subscribers, alarms) in
            [(&["arn:aws:sns:ap-northeast-1:123456789012:oncall-relay-alarms:1"][..], "ok"), (&[], "failed")]
        {
            world.aws.subscribe(subscribers);
            let ended = world.run(&CHECK, &[]).await;
            ended.badly(why);
            let found = statuses(&ended);
            assert_eq!((&found["settings"], &found["alarms"]), (&json!("failed"), &json!(alarms)), "{}", ended.said);
            assert!(NAMES.iter().skip(1).all(|name| found[name] == "skipped"), "{}", ended.said);
            assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap()["ok"], false);
            world.run(&CHECK[..3], &[]).await.badly(&[why, &["alarms", "failed, 16 skipped"]].concat());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_gives_no_report_leaves_every_check_skipped_and_its_settings_unblamed() {
    let world = registered().await;
    world.aws.subscribe(&["arn:aws:sns:ap-northeast-1:123456789012:oncall-relay-alarms:1"]);
    let unhandled = || vec![("x-amz-function-error", "Unhandled".to_owned())];
    let timed_out = r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 3bf9f6c3 Error: Task timed out after 30.00 seconds"}"#;
    let ended_early = r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 3bf9f6c3 Error: Runtime exited with error: exit status 1"}"#;
    // A log without the one line, in the way that Lambda encodes it.
    let with_log = || [unhandled(), vec![("x-amz-log-result", "U1RBUlQKRU5ECg==".to_owned())]].concat();
    let refused = || vec![("x-amzn-errortype", "AccessDeniedException".to_owned())];
    for (fault, words) in [
        (Fault::Answer(200, unhandled(), timed_out), &["Task timed out after 30.00 seconds", "sam logs"][..]),
        (Fault::Answer(200, with_log(), ended_early), &["Runtime exited with error", "sam logs"]),
        (Fault::Answer(200, unhandled(), "null"), &["it did not say why", "sam logs"]),
        (Fault::Answer(200, Vec::new(), r#"{"posted":true}"#), &["no checks", "deploy it anew"]),
        (Fault::Answer(403, refused(), r#"{"Message":"no"}"#), &["lambda:InvokeFunction"]),
        (Fault::HangUp, &["AWS can't be reached to invoke"]),
    ] {
        world.aws.fail_at(INVOCATIONS);
        world.aws.fail_always(Some(fault));
        let ended = world.run(&CHECK, &[]).await;
        ended.badly(words);
        let found = statuses(&ended);
        assert!(NAMES.iter().all(|name| found[name] == "skipped"), "{}", ended.said);
        assert_eq!(found["alarms"], "ok", "{}", ended.said);
        assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap()["ok"], false);
        world.run(&CHECK[..3], &[]).await.badly(&["0 failed, 17 skipped; the function could not check"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roster_and_preview_take_settings_and_secrets_of_the_stack_and_show_none() {
    let world = registered().await;
    let webhook = json!({"event": {
        "id": "01E", "event_type": "incident.triggered", "resource_type": "incident",
        "occurred_at": "2026-11-24T02:00:00Z", "data": {
            "id": "PINC33", "type": "incident", "number": 33, "status": "triggered", "title": "slow",
            "html_url": "https://acme.pagerduty.com/incidents/PINC33", "service": {"id": "PSERVICE", "summary": "Backlog"}
        }
    }});
    fs::write(world.folder.join("webhook.json"), webhook.to_string()).unwrap();
    let preview = ["preview", "webhook.json", "--at", "2026-11-24T11:00:00+09:00", "--stack", "oncall-relay"];
    let roster = ["roster", "--stack", "oncall-relay"];
    world.run(&preview, &[]).await.well(&["triggered on slack", "#pd33", "<@U0TANAKA1>"]);
    world.run(&roster, &[]).await.says(&["Read with", "Stack oncall-relay in ap-northeast-1"]);
    for command in [&roster[..], &preview] {
        let ended = world.run(&[command, &["--json"]].concat(), &[]).await;
        assert!(serde_json::from_str::<Value>(&ended.stdout).is_ok(), "{}", ended.said);
        let settings = world.fakes.settings();
        for secret in [&settings["SLACK_TOKEN"], "PRIVATE KEY", READ_ONLY_KEY] {
            assert!(!ended.said.contains(secret), "{secret}: {}", ended.said);
        }
    }
    assert!(world.fakes.slack.take_posts().is_empty());
    for (denied, right) in [
        ("ssm:GetParameters", "ssm:GetParameters (and kms:Decrypt)"),
        ("lambda:GetFunctionConfiguration", "lambda:GetFunctionConfiguration"),
    ] {
        world.aws.deny(Some(denied));
        for command in [&roster[..], &preview] {
            world.run(command, &[]).await.badly(&[right]);
        }
    }
    world.aws.deny(None);
    world.run(&["roster", "--stack", "another"], &[]).await.badly(&["there is no stack `another`"]);
    let unfinished = World::deployed().await;
    unfinished.run(&roster, &[]).await.badly(&["SLACK_TOKEN"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_one_sentence_names_the_profile_and_what_to_do() {
    let world = World::deployed().await;
    fs::create_dir_all(world.folder.join(".aws")).unwrap();
    fs::write(world.folder.join(".aws/config"), "[profile empty]\nregion = ap-northeast-1\n").unwrap();
    let in_the_file = "[default.global.parameters]\nprofile = \"of-the-file\"\n";
    for (profile, file, words) in [
        (None, "", ["for the profile `default`", "aws sso login --profile default", "aws configure --profile default"]),
        (Some("empty"), "", ["for the profile `empty`", "aws sso login --profile empty", "aws configure"]),
        (Some("nosuch"), "", ["there is no AWS profile `nosuch`", "AWS_PROFILE", "aws configure sso --profile nosuch"]),
        (
            Some("empty"),
            in_the_file,
            ["there is no AWS profile `of-the-file`", "samconfig.toml", "aws configure --profile of-the-file"],
        ),
    ] {
        fs::write(world.folder.join("samconfig.toml"), file).unwrap();
        let mut command = world.command(&["check", "--stack", "oncall-relay"]);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        command.envs(profile.map(|name| ("AWS_PROFILE", name)));
        let ended = finish(command, &[]).await;
        ended.badly(&words);
        assert_eq!(ended.said.trim().lines().count(), 1, "{}", ended.said);
        assert!(!ended.said.contains("provider"), "{}", ended.said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_is_quiet_and_the_exit_status_is_that_of_the_work() {
    let world = registered().await;
    world.aws.subscribe(&[]);
    let storm = ["lab", "storm", "--webhooks", "2", "--times", "60"];
    for (arguments, status) in [
        (&["check"][..], 1),
        (&["check", "--json"], 1),
        (&["check", "--stack", "oncall-relay"], 1),
        (&["roster", "new", "--members", "members.csv", "--weeks", "1"], 0),
        (&storm, 0),
    ] {
        fs::write(world.folder.join("members.csv"), "名前,Slack\n田中,U0TANAKA1\n鈴木,U0SUZUKI1\n").unwrap();
        let mut running = world.command(arguments).spawn().unwrap();
        drop(running.stdout.take());
        let ended = running.wait_with_output().await.unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("Broken pipe"), "{arguments:?}: {said}");
        // Whoever has seen enough of what takes minutes hears why it goes on.
        assert_eq!(said.contains("Ctrl-C stops it"), arguments == storm, "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_change_nothing_have_no_yes() {
    let world = World::empty().await;
    for arguments in [&["pagerduty", "status", "--yes"][..], &["slack", "manifest", "--yes"]] {
        world.run(arguments, &[]).await.badly(&["unexpected argument '--yes'"]);
    }
    for arguments in [&["pagerduty", "register", "--yes"][..], &["secrets", "-y"], &["send-test", "--yes"]] {
        world.run(arguments, &[]).await.badly(&["there is no stack"]);
    }
}
