//! `oncall pagerduty arrange`, `init`, `slack manifest` and `roster new`.

use std::fs;

use oncall::fakes::account::ADMIN_KEY;

use crate::world::World;

const ARRANGE: [&str; 5] = ["pagerduty", "arrange", "--yes", "--dummy", "dummy@example.com"];

#[tokio::test(flavor = "multi_thread")]
async fn schedule_and_policy_are_made_once_and_the_service_has_them() {
    let world = World::deployed().await;
    let arguments = [&ARRANGE[..], &["--then", "PSRE"]].concat();
    for _ in 0..2 {
        world.run(&arguments, &[ADMIN_KEY]).await.well(&["✓ PSERVICE has the policy PPOLICY2"]);
    }
    let (schedules, policies) = world.pagerduty.arrangement();
    assert_eq!((schedules.len(), policies.len()), (1, 1));
    assert_eq!(policies[0]["escalation_rules"][0]["escalation_delay_in_minutes"], 30);
    assert_eq!(policies[0]["escalation_rules"][0]["targets"][0]["id"], schedules[0]["id"]);
    assert_eq!(world.pagerduty.policy_of("PSERVICE"), "PPOLICY2");
    let other = [&ARRANGE[..], &["--then", "PDUMMY"]].concat();
    world.run(&other, &[ADMIN_KEY]).await.badly(&["the dummy can't be who is called next"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn minutes_that_differ_from_those_of_the_policy_are_announced_and_put_right() {
    let world = World::deployed().await;
    let arrange = |more: &[&'static str]| [&ARRANGE[..], &["--then", "PSRE"], more].concat();
    world.run(&arrange(&["--minutes", "45"]), &[ADMIN_KEY]).await.well(&["after 45 minutes SRE"]);
    let policy = || world.pagerduty.arrangement().1.remove(0);
    let before = policy();
    assert_eq!(before["escalation_rules"][0]["escalation_delay_in_minutes"], 45);
    // Whoever says nothing about it changes nothing.
    world.run(&arrange(&[]), &[ADMIN_KEY]).await.well(&["as it is: it is there (PPOLICY2), and goes on after 45"]);
    world.run(&arrange(&["--minutes", "45"]), &[ADMIN_KEY]).await.well(&["use the policy"]);
    assert_eq!(policy(), before);
    let asked: Vec<_> = arrange(&["--minutes", "15"]).into_iter().filter(|word| *word != "--yes").collect();
    let announced =
        "change the policy “oncall-relay, daytime” (PPOLICY2): it goes on after 45 minutes now, and after 15";
    world.run(&asked, &[ADMIN_KEY, "n"]).await.badly(&[announced, "nothing was changed"]);
    assert_eq!(policy(), before);
    world.run(&asked, &[ADMIN_KEY, "y"]).await.well(&[announced, "✓ The policy PPOLICY2 goes on after 15 minutes"]);
    let mut after = before;
    after["escalation_rules"][0]["escalation_delay_in_minutes"] = 15.into();
    assert_eq!(policy(), after, "all else is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_of_the_name_that_goes_elsewhere_is_left_alone() {
    let world = World::deployed().await;
    let arguments = [&ARRANGE[..], &["--then", "PSRE"]].concat();
    world.run(&arguments, &[ADMIN_KEY]).await.well(&[]);
    let schedule = world.pagerduty.arrangement().0[0]["id"].as_str().unwrap().to_owned();
    world.pagerduty.rename_schedule(&schedule, "Somebody's daytime");
    let before = world.pagerduty.arrangement();
    let ended = world.run(&arguments, &[ADMIN_KEY]).await;
    ended.badly(&["(PPOLICY2) goes elsewhere; rename it or delete it", "Nothing was changed"]);
    assert_eq!(world.pagerduty.arrangement(), before, "and no schedule is made for nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_leaves_an_hour_with_nobody_is_refused() {
    let world = World::deployed().await;
    world.run(&[&ARRANGE[..], &["--then", "PSRE"]].concat(), &[ADMIN_KEY]).await.well(&[]);
    let daytime = world.pagerduty.arrangement().0[0]["id"].as_str().unwrap().to_owned();
    world.pagerduty.rename_schedule(&daytime, "Somebody's daytime");
    let ended = world.run(&[&ARRANGE[..], &["--then", &daytime]].concat(), &[ADMIN_KEY]).await;
    ended.badly(&["Somebody's daytime has nobody on call at", "make no incident", "Nothing was changed"]);
}

const ANSWERS: [&str; 10] = [
    "",
    "",
    "C0ALERTS01",
    "https://acme.slack.com/archives/C0ONCALL01",
    "https://docs.google.com/spreadsheets/d/1AbC_dEf-1234567890abcdefg/edit",
    "",
    "SRE",
    "https://acme.eu.pagerduty.com/service-directory/PABC123",
    "sre@example.com",
    "",
];

#[tokio::test(flavor = "multi_thread")]
async fn init_asks_ten_questions_and_leaves_the_rest_of_the_file() {
    let world = World::empty().await;
    let file = world.folder.join("samconfig.toml");
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../samconfig.toml"), &file).unwrap();
    let before = fs::read_to_string(&file).unwrap();
    world.run(&["init"], &[&ANSWERS[..], &["n"]].concat()).await.badly(&["nothing was changed"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    world.run(&["init"], &[&ANSWERS[..], &["y"]].concat()).await.well(&["Next: sam build && sam deploy"]);
    let after = fs::read_to_string(&file).unwrap();
    for line in before.lines().filter(|line| !line.is_empty()) {
        assert!(after.contains(line), "{line} is not in\n{after}");
    }
    for answer in [
        r#""MembersRange=\"メンバー!A:D\"""#,
        r#""SlackOncallChannel=\"C0ONCALL01\"""#,
        r#""PagerDutyServices=\"PABC123\"""#,
        r#""PagerDutyBaseUrl=\"https://api.eu.pagerduty.com\"""#,
        r#""Holidays=\"jp,12-29..01-03\"""#,
    ] {
        let toml = answer.replacen('"', "'", 1);
        let toml = format!("{}'", &toml[..toml.len() - 1]).replace("\\\"", "\"");
        assert!(after.contains(answer) || after.contains(&toml), "{answer} is not in\n{after}");
    }
    // Again: Enter keeps every answer.
    world.run(&["init", "--yes"], &[""; 10]).await.well(&[]);
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
    // The page of a service elsewhere says that the account is no longer in the EU.
    let mut moved = [""; 10];
    moved[7] = "https://acme.pagerduty.com/service-directory/PABC123";
    world.run(&["init", "--yes"], &moved).await.well(&[]);
    let after = fs::read_to_string(&file).unwrap();
    assert!(after.contains("https://api.pagerduty.com") && !after.contains("api.eu."), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn init_says_what_is_wrong_with_an_answer_and_asks_again() {
    let world = World::empty().await;
    let answers = ["tokyo", "", "", "#alerts", "C0ALERTS01", "C0ONCALL01", "当番表", ANSWERS[4]];
    let ended = world.run(&["init"], &answers).await;
    ended.badly(&["a region's code", "not the channel's name", "between /d/ and /edit", "there was no answer"]);
    assert!(!world.folder.join("samconfig.toml").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_that_creates_the_app_has_the_deployed_address() {
    let world = World::deployed().await;
    let ended = world.run(&["slack", "manifest"], &[]).await;
    ended.well(&["https://api.slack.com/apps?new_app=1&manifest_yaml=", "Next: cargo oncall secrets"]);
    let yaml = world.run(&["slack", "manifest", "--yaml"], &[]).await;
    yaml.well(&[&world.address().replace("/pagerduty", "/slack")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_roster_has_a_row_for_today_and_everybody_in_it() {
    let world = World::empty().await;
    let members = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/members-template.csv");
    let ended = world
        .run(
            &[
                "roster",
                "new",
                "--members",
                members,
                "--weeks",
                "8",
                "--holidays",
                "none",
                "--business-days",
                "Mon-Sun",
            ],
            &[],
        )
        .await;
    ended.well(&["田中: 4 of 8 weeks", "Left out: SRE"]);
    let today = oncall_relay::clock::now().with_timezone(&chrono_tz::Asia::Tokyo).date_naive().to_string();
    assert_eq!(ended.stdout.lines().next(), Some("日付,担当,副担当"));
    assert!(ended.stdout.lines().nth(1).unwrap().starts_with(&today), "{}", ended.stdout);
    world.run(&["roster", "new"], &[]).await.badly(&["members.csv can't be read", "--members"]);
    for weeks in ["0", "5000"] {
        world.run(&["roster", "new", "--weeks", weeks], &[]).await.badly(&["a number from 1 to 104"]);
    }
}
