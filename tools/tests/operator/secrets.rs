//! `oncall secrets`: each secret is checked before it is stored, and none is ever shown.

use std::fs;

use oncall::fakes::ROSTER_TAB;
use oncall::fakes::account::{ADMIN_KEY, READ_ONLY_KEY};
use oncall::fakes::server::Fault;

use crate::world::{World, answers_to_secrets};

#[tokio::test(flavor = "multi_thread")]
async fn every_needed_secret_is_asked_for_checked_and_stored() {
    let world = World::deployed().await;
    let settings = world.fakes.settings();
    let (token, file) = (settings["SLACK_TOKEN"].as_str(), world.key_file());
    let answers = answers_to_secrets(&[
        ("SLACK_TOKEN", &["not-a-token", "xoxb-of-another-workspace", token]),
        ("GOOGLE_CREDENTIALS", &["/no/such/file", &file]),
        ("PAGERDUTY_API_KEY", &["", "wrong-key-1", READ_ONLY_KEY]),
    ]);
    let ended = world.run(&["secrets"], &[&["y"], &answers[..]].concat()).await;
    ended.well(&[
        "begins with xoxb-; this is another one",
        "Slack doesn't take it (invalid_auth)",
        "it is the bot oncall-relay of the workspace Acme",
        "can't be read",
        "Google takes it, and oncall-relay@stand-in.iam.gserviceaccount.com can read the sheet 1StandInSpreadsheet",
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
    world.run(&["secrets"], &[&["y"], &answers_to_secrets(&[])[..]].concat()).await.well(&["Enter keeps it"]);
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
async fn what_the_functions_would_refuse_is_not_stored() {
    let world = World::deployed().await;
    world.put_chat_and_sheet();
    for (name, bad, good) in [
        ("HEARTBEAT_URL", "not-an-address", "https://watchdog.example/ping"),
        ("SLACK_SIGNING_SECRETS", "undefined", "a-signing-secret-of-slack"),
    ] {
        let ended = world.run(&["secrets", "--yes", name], &[bad, good]).await;
        assert!(ended.said.contains("✗ It was not stored"), "{name}: {}", ended.said);
        assert_eq!(world.stored(name).as_deref(), Some(good));
    }
    let garbage = world.folder.join("garbage.json");
    let mut key: serde_json::Value = serde_json::from_str(&world.fakes.settings()["GOOGLE_CREDENTIALS"]).unwrap();
    key["private_key"] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".into();
    std::fs::write(&garbage, key.to_string()).unwrap();
    let before = world.stored("GOOGLE_CREDENTIALS");
    let garbage = garbage.to_string_lossy().into_owned();
    let ended = world.run(&["secrets", "--yes", "GOOGLE_CREDENTIALS"], &[&garbage, ""]).await;
    assert!(ended.said.contains("private_key can't be used"), "{}", ended.said);
    assert_eq!(world.stored("GOOGLE_CREDENTIALS"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn googles_key_is_stored_once_it_has_read_the_sheet_and_what_is_wrong_is_said() {
    type Change = fn(&World);
    let address = "add oncall-relay@stand-in.iam.gserviceaccount.com as a viewer";
    let cases: [(Change, &str); 7] = [
        (|world| world.fakes.google.make_private(), address),
        (|world| world.fakes.google.disable_api(true), "the Google Sheets API is not enabled in the project of"),
        (|world| world.fakes.google.make_excel(), "most likely, an Excel file"),
        (|world| world.fakes.google.remove(ROSTER_TAB), "check that the tab `当番表` exists"),
        (
            |world| world.fakes.google.fail_always(Some(Fault::status(503))),
            "it could not be tried: Google's token endpoint",
        ),
        (|world| world.fakes.google.shut_down(), "it could not be tried: Google's token endpoint"),
        (|world| fs::write(world.folder.join("samconfig.toml"), ANOTHER_SHEET).unwrap(), "there is no such sheet"),
    ];
    for (change, said) in cases {
        let world = World::deployed().await;
        let file = world.key_file();
        change(&world);
        let secrets = ["secrets", "--yes", "GOOGLE_CREDENTIALS"];
        // Enter is no; then it is left for later.
        let ended = world.run(&secrets, &[&file, "", "", ""]).await;
        ended.says(&[said, "Store it all the same? [y/N", "✗ It was not stored", "Enter once more leaves it"]);
        assert_eq!(world.stored("GOOGLE_CREDENTIALS"), None, "{said}");
        world.run(&secrets, &[&file, "y"]).await.says(&[said, "✓ GOOGLE_CREDENTIALS is in the store"]);
        assert!(world.stored("GOOGLE_CREDENTIALS").is_some(), "{said}");
    }
}

const ANOTHER_SHEET: &str =
    "[default.deploy.parameters]\nparameter_overrides = \"SpreadsheetId=1AnotherSpreadsheetOfOurs\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_google_refuses_is_not_stored_and_the_sheet_can_be_named() {
    let world = World::deployed().await;
    let mut key: serde_json::Value = serde_json::from_str(&world.fakes.google.credentials()).unwrap();
    key["client_email"] = "deleted@stand-in.iam.gserviceaccount.com".into();
    let refused = world.folder.join("refused.json");
    fs::write(&refused, key.to_string()).unwrap();
    fs::write(world.folder.join("samconfig.toml"), ANOTHER_SHEET).unwrap();
    let (refused, file) = (refused.to_string_lossy().into_owned(), world.key_file());
    let secrets = ["secrets", "--yes", "--sheet"];
    let named =
        [&secrets[..], &["https://docs.google.com/spreadsheets/d/1StandInSpreadsheet/edit", "GOOGLE_CREDENTIALS"]];
    let ended = world.run(&named.concat(), &[&refused, &file]).await;
    ended.says(&["✗ It was not stored: Google refuses a token to deleted@stand-in", "can read the sheet 1StandIn"]);
    assert_eq!(world.stored("GOOGLE_CREDENTIALS"), Some(world.fakes.google.credentials()));
    world.run(&["secrets", "--sheet", "当番表"], &[]).await.badly(&["between /d/ and /edit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_needed_key_can_be_left_for_later_and_the_channels_are_chosen_all_the_same() {
    let mut world = World::empty().await;
    world.deploy(&[("SLACK_ALERT_CHANNEL", ""), ("SLACK_ONCALL_CHANNEL", "")]).await;
    world.put_chat_and_sheet();
    let answers = answers_to_secrets(&[("PAGERDUTY_API_KEY", &["", ""])]);
    let ended = world.run(&["secrets", "--yes"], &[&answers[..], &["1", "2"]].concat()).await;
    ended.badly(&[
        "leaves it for later",
        "samconfig.toml has both channels",
        "still to be put right",
        "PAGERDUTY_API_KEY",
    ]);
    assert_eq!(world.stored("PAGERDUTY_API_KEY"), None);
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

#[tokio::test(flavor = "multi_thread")]
async fn channels_that_are_not_set_are_chosen_from_those_that_the_bot_is_in() {
    let mut world = World::empty().await;
    world.deploy(&[("SLACK_ALERT_CHANNEL", ""), ("SLACK_ONCALL_CHANNEL", ""), ("PAGERDUTY_SERVICES", "")]).await;
    world.put_chat_and_sheet();
    let ended = world.run(&["secrets", "--yes"], &[&answers_to_secrets(&[])[..], &["3", "1", "2"]].concat()).await;
    ended.well(&["1. c0alerts (C0ALERTS)", "a number from 1 to 2", "Next: sam deploy, for the channels"]);
    let file = std::fs::read_to_string(world.folder.join("samconfig.toml")).unwrap();
    assert!(file.contains("SlackAlertChannel=") && file.contains("C0ONCALL"), "{file}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_the_buttons_is_asked_for_only_beside_its_user() {
    let world = World::deployed().await;
    world.put_chat_and_sheet();
    world.aws.put("/oncall-relay/PAGERDUTY_API_KEY", READ_ONLY_KEY);
    let key = ["secrets", "--yes", "PAGERDUTY_ACTION_KEY"];
    let all = world.run(&["secrets", "--yes"], &answers_to_secrets(&[])).await;
    assert!(all.ok && !all.said.contains("PAGERDUTY_ACTION_KEY"), "{}", all.said);
    world.run(&key, &[""]).await.well(&["can't start anew", "PagerDutyFrom into samconfig.toml first"]);
    let parameters = "[default.deploy.parameters]\nparameter_overrides = ['PagerDutyFrom=\"oncall@example.com\"']\n";
    fs::write(world.folder.join("samconfig.toml"), parameters).unwrap();
    let told = world.run(&key, &[ADMIN_KEY]).await;
    told.well(&["✓ PAGERDUTY_ACTION_KEY is in the store", "Next, at once: sam deploy"]);
    assert!(!told.said.contains("samconfig.toml first"), "{}", told.said);
}
