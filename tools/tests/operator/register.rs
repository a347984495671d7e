//! `oncall pagerduty register` and `status`, from nothing and from every state that an earlier run or a person left.

use std::fs;

use oncall::fakes::account::{ADMIN_KEY, READ_ONLY_KEY};
use oncall::fakes::server::Fault;
use oncall::operator::samconfig::SamConfig;
use serde_json::{Value, json};

use crate::world::{World, finish};

const REGISTER: [&str; 3] = ["pagerduty", "register", "--yes"];
const SECRETS: &str = "PAGERDUTY_SIGNING_SECRETS";

/// A subscription that somebody else made.
fn somebody_elses(id: &str, url: &str, service: &str, description: &str) -> Value {
    json!({
        "id": id, "type": "webhook_subscription", "active": true, "description": description,
        "delivery_method": {"type": "http_delivery_method", "url": url, "secret": null, "temporarily_disabled": false},
        "filter": {"type": "service_reference", "id": service}, "events": ["incident.triggered"],
    })
}

fn ids(world: &World) -> Vec<String> {
    world.pagerduty.subscriptions().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_a_test_event_that_is_posted() {
    let world = World::deployed().await;
    world.put_chat_and_sheet();
    let ended = world.run(&["pagerduty", "register"], &[ADMIN_KEY, "y"]).await;
    ended.well(&["Service PSERVICE: Backlog", "switched off", "is on, and its secret is in the store", "Next: "]);
    let [subscription] = world.pagerduty.subscriptions().try_into().unwrap();
    let secret = world.pagerduty.secret(subscription["id"].as_str().unwrap()).unwrap();
    assert_eq!(world.stored(SECRETS).as_ref(), Some(&secret));
    assert_eq!(
        (&subscription["active"], &subscription["delivery_method"]["url"]),
        (&json!(true), &json!(world.address()))
    );
    assert!(!ended.said.contains(&secret) && !ended.said.contains(ADMIN_KEY), "{}", ended.said);
    assert_eq!(world.delivered(1).await, [200]);
    assert!(world.fakes.slack.take_posts()[0].text.contains("テスト通知を受け取りました"));
    world.run(&["pagerduty", "status"], &[ADMIN_KEY]).await.well(&["✓ PSERVICE", "sends all events"]);
    // Again: nothing is left to do.
    world.run(&REGISTER, &[ADMIN_KEY]).await.well(&["leave the subscription", "it is good"]);
    assert_eq!((world.pagerduty.subscriptions(), world.stored(SECRETS)), (vec![subscription], Some(secret)));
    assert_eq!(world.delivered(2).await, [200, 200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_are_written_where_the_functions_can_start_with_them() {
    let mut world = World::empty().await;
    world.deploy(&[("PAGERDUTY_SERVICES", "")]).await;
    world.put_chat_and_sheet();
    world.pagerduty.add_service("PSECOND", "PTEAM");
    let file = world.folder.join("samconfig.toml");
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../samconfig.toml"), &file).unwrap();
    let before = fs::read_to_string(&file).unwrap();
    let register = |service: &'static str| [&REGISTER[..], &["--service", service]].concat();
    let ended = world.run(&register("PSERVICE"), &[ADMIN_KEY]).await;
    ended.well(&[
        "PagerDutyServices=PSERVICE is not written into samconfig.toml",
        "PAGERDUTY_API_KEY, a read-only key, is in the store, and it is not",
        "cargo oncall secrets PAGERDUTY_API_KEY, then this command again",
        "Next: cargo oncall send-test",
    ]);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    // As it says: the key, this again, and a deployment with which the functions start.
    let ended = world.run(&["secrets", "--yes", "PAGERDUTY_API_KEY"], &[READ_ONLY_KEY]).await;
    ended.well(&["can't start anew", "Next, at once: cargo oncall pagerduty register, then sam deploy"]);
    let asked = ["pagerduty", "register", "--service", "PSERVICE"];
    let written = "write PagerDutyServices=PSERVICE into samconfig.toml";
    world.run(&asked, &[ADMIN_KEY, "n"]).await.badly(&[written, "nothing was changed"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    world.run(&asked, &[ADMIN_KEY, "y"]).await.well(&[written, "Next: sam deploy, for the list of services"]);
    let services = || SamConfig::read(&file).unwrap().override_of("PagerDutyServices").unwrap_or_default();
    assert_eq!(services(), "PSERVICE");
    world.deploy(&[("PAGERDUTY_SERVICES", &services())]).await;
    world.run(&["check", "--stack", "oncall-relay"], &[]).await.says(&["the reminder function has"]);
    // Those that are listed stay; what is listed already is not written again.
    world.run(&register("PSECOND"), &[ADMIN_KEY]).await.well(&["PagerDutyServices=PSERVICE,PSECOND"]);
    assert_eq!(services(), "PSERVICE,PSECOND");
    let ended = world.run(&register("PSERVICE"), &[ADMIN_KEY]).await;
    ended.well(&["Next: cargo oncall send-test"]);
    assert!(!ended.said.contains("write PagerDutyServices"), "{}", ended.said);
    // Another stack's file is not this stack's.
    fs::write(&file, before.replace("\"oncall-relay\"", "\"elsewhere\"")).unwrap();
    let ended = world.run(&[&register("PSECOND")[..], &["--stack", "oncall-relay"]].concat(), &[ADMIN_KEY]).await;
    ended.well(&["is of another stack", "set PagerDutyServices=PSERVICE,PSECOND"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_without_their_key_are_told_before_a_deployment_stands_still() {
    let world = World::deployed().await;
    let ended = world.run(&REGISTER, &[ADMIN_KEY]).await;
    ended.well(&["PagerDutyServices is set, and PAGERDUTY_API_KEY is not in the store", "secrets PAGERDUTY_API_KEY"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_no_has_changed_nothing() {
    let world = World::deployed().await;
    for answers in [&[ADMIN_KEY, "n"][..], &[ADMIN_KEY]] {
        world.run(&["pagerduty", "register"], answers).await.badly(&["This will:", "othing was changed"]);
    }
    assert_eq!((ids(&world), world.stored(SECRETS)), (vec![], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_disabled_or_lacks_events_is_repaired() {
    let world = World::deployed().await;
    world.run(&REGISTER, &[ADMIN_KEY]).await.well(&[]);
    let [good] = world.pagerduty.subscriptions().try_into().unwrap();
    for (spoilt, words) in
        [("active", "switched off"), ("disabled", "disabled it for a day"), ("events", "doesn't send")]
    {
        world.pagerduty.spoil(good["id"].as_str().unwrap(), spoilt);
        world.run(&["pagerduty", "status"], &[ADMIN_KEY]).await.badly(&["✗ PSERVICE", words, "register"]);
        world.run(&REGISTER, &[ADMIN_KEY]).await.well(&[words, "is on, with all events"]);
        let [mut after] = world.pagerduty.subscriptions().try_into().unwrap();
        let mut before = good.clone();
        for one in [&mut after, &mut before] {
            one["events"].as_array_mut().unwrap().sort_by_key(ToString::to_string);
        }
        assert_eq!(after, before, "{spoilt}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_secret_is_lost_is_replaced_and_other_secrets_stay() {
    let world = World::deployed().await;
    world.run(&REGISTER, &[ADMIN_KEY]).await.well(&[]);
    let lost = ids(&world);
    world.aws.put("/oncall-relay/PAGERDUTY_SIGNING_SECRETS", "another-secret-of-ours,null");
    world.run(&["pagerduty", "status"], &[ADMIN_KEY]).await.badly(&["is not in the store", "`null`"]);
    let ended = world.run(&["pagerduty", "register"], &[ADMIN_KEY, "n"]).await;
    ended.badly(&["only replaced", "nothing was changed"]);
    assert_eq!(ids(&world), lost);
    world.run(&REGISTER, &[ADMIN_KEY]).await.well(&["delete the old subscription", "✓ The old subscription"]);
    let [new] = ids(&world).try_into().unwrap();
    assert_ne!(std::slice::from_ref(&new), lost);
    let expected = format!("{},another-secret-of-ours", world.pagerduty.secret(&new).unwrap());
    assert_eq!(world.stored(SECRETS), Some(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_replaces_the_secret_as_well() {
    let world = World::deployed().await;
    world.run(&REGISTER, &[ADMIN_KEY]).await.well(&[]);
    let old = world.stored(SECRETS);
    world.run(&["pagerduty", "register", "--yes", "--replace"], &[ADMIN_KEY]).await.well(&[]);
    let [new] = ids(&world).try_into().unwrap();
    assert_ne!(world.stored(SECRETS), old);
    assert_eq!(world.stored(SECRETS), world.pagerduty.secret(&new));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_leaves_no_subscription_behind() {
    let world = World::deployed().await;
    world.aws.deny(Some("ssm:PutParameter"));
    let ended = world.run(&REGISTER, &[ADMIN_KEY]).await;
    ended.badly(&[
        "AWS does not allow you to write /oncall-relay/PAGERDUTY_SIGNING_SECRETS",
        "ssm:PutParameter",
        "deleted again",
    ]);
    assert_eq!(ids(&world), Vec::<String>::new());
    world.aws.deny(None);
    world.run(&REGISTER, &[ADMIN_KEY]).await.well(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_left_half_done_is_told_and_replaced_by_the_next_one() {
    let world = World::deployed().await;
    // PagerDuty creates it and then fails, so that even the clean-up can't be done.
    let before = 5; // abilities, service, subscriptions, extensions, the creation
    world.pagerduty.fail_after(before, Fault::status(500));
    world.aws.deny(Some("ssm:PutParameter"));
    let ended = world.run(&REGISTER, &[ADMIN_KEY]).await;
    ended.badly(&["switched off and without its secret", "Run `cargo oncall pagerduty register` again"]);
    let half = ids(&world);
    assert_eq!((half.len(), &world.pagerduty.subscriptions()[0]["active"]), (1, &json!(false)));
    world.pagerduty.fail_after(1000, Fault::status(500));
    world.aws.deny(None);
    world.run(&REGISTER, &[ADMIN_KEY]).await.well(&["only replaced"]);
    let [whole] = ids(&world).try_into().unwrap();
    assert_ne!([whole], *half);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_subscription_is_replaced_only_if_a_person_says_so() {
    let world = World::deployed().await;
    world.pagerduty.add_subscription(somebody_elses("PTHEIRS", &world.address(), "PSERVICE", "Wiki's"));
    world.pagerduty.add_subscription(somebody_elses("POTHER", &world.address(), "POTHERSERVICE", "Other team's"));
    world.pagerduty.add_subscription(somebody_elses("PELSEWHERE", "https://elsewhere.example/", "PSERVICE", "x"));
    let ended = world.run(&REGISTER, &[ADMIN_KEY]).await;
    ended.well(&["by somebody else", "It is kept", "--replace", "POTHER (“Other team's”) posts here, too"]);
    assert_eq!(ids(&world), ["PTHEIRS", "POTHER", "PELSEWHERE"]);
    world.run(&["pagerduty", "register"], &[ADMIN_KEY, "y", "y"]).await.well(&["✓ The old subscription PTHEIRS"]);
    assert_eq!(ids(&world).len(), 3);
    assert!(!ids(&world).contains(&"PTHEIRS".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_v2_extension_is_never_left_beside_it_without_a_word() {
    let world = World::deployed().await;
    world.pagerduty.add_extension("PEXT", &world.address(), &["PSERVICE"]);
    world.run(&REGISTER, &[ADMIN_KEY]).await.well(&["v2 extension", "posted twice", "still there", "--delete-v2"]);
    world.run(&["pagerduty", "status"], &[ADMIN_KEY]).await.badly(&["PEXT", "every alert twice"]);
    world.run(&["pagerduty", "register"], &[ADMIN_KEY, "y", "y"]).await.well(&["The v2 extension is deleted"]);
    world.run(&["pagerduty", "status"], &[ADMIN_KEY]).await.well(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_others_live_on_is_deleted_only_if_a_person_says_so() {
    let world = World::deployed().await;
    world.pagerduty.add_service("PLIVES", "PTEAM");
    world.pagerduty.add_extension("PEXT", &world.address(), &["PSERVICE", "PLIVES"]);
    let register = |more: &[&'static str]| [&["pagerduty", "register", "--service", "PSERVICE"], more].concat();
    let ended = world.run(&register(&["--yes", "--delete-v2"]), &[ADMIN_KEY]).await;
    ended.well(&["of PSERVICE, PLIVES", "PLIVES has no v3 subscription", "register --service PLIVES", "still there"]);
    world
        .run(&register(&["--delete-v2"]), &[ADMIN_KEY, "y", ""])
        .await
        .well(&["Delete it all the same", "still there"]);
    assert_eq!(world.pagerduty.extensions(), ["PEXT"]);
    // Once both have a subscription, it is asked about once.
    let both = ["pagerduty", "register", "--service", "PSERVICE", "--service", "PLIVES"];
    let ended = world.run(&both, &[ADMIN_KEY, "y", "y"]).await;
    ended.well(&["every alert of PSERVICE, PLIVES is posted twice", "The v2 extension is deleted"]);
    assert_eq!(world.pagerduty.extensions(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_subscription_is_narrowed_only_if_a_person_says_so() {
    for (filter, scope) in [
        (json!({"type": "account_reference"}), "the whole account"),
        (json!({"type": "team_reference", "id": "PTEAM"}), "every service of the team PTEAM"),
    ] {
        let world = World::deployed().await;
        for id in ["PFIRST", "PSECOND"] {
            world.pagerduty.add_service(id, "PTEAM");
        }
        let mut wide = somebody_elses("PWIDE", &world.address(), "", "Everybody's");
        wide["filter"] = filter;
        world.pagerduty.add_subscription(wide);
        let register = |more: &[&'static str]| {
            [&["pagerduty", "register", "--service", "PFIRST", "--service", "PSECOND"], more].concat()
        };
        let ended = world.run(&register(&["--yes", "--replace"]), &[ADMIN_KEY]).await;
        ended.well(&[&format!("PWIDE covers {scope}"), "only a person can say", "is on, with all events"]);
        assert_eq!(ended.said.matches("✓ The subscription PWIDE").count(), 1, "{}", ended.said);
        // Enter is no.
        world.run(&register(&[]), &[ADMIN_KEY, "", "y"]).await.well(&["It is kept"]);
        assert_eq!(ids(&world), ["PWIDE"], "{scope}");
        let ended = world.run(&register(&[]), &[ADMIN_KEY, "y", "y"]).await;
        ended.well(&[&format!("delete the old subscription PWIDE, which covers {scope}"), "PFIRST, PSECOND only"]);
        assert_eq!((ids(&world).len(), ids(&world).contains(&"PWIDE".to_owned())), (2, false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_that_is_set_comes_before_the_one_that_aws_gave() {
    let mut world = World::empty().await;
    world.deploy(&[("WEBHOOK_URL", "https://relay.example.com/pagerduty")]).await;
    world.pagerduty.add_subscription(somebody_elses("PAWS", &world.address(), "PSERVICE", "By AWS's address"));
    world.run(&REGISTER, &[ADMIN_KEY]).await.well(&["PAWS (“By AWS's address”) posts here, too"]);
    let [_, new] = world.pagerduty.subscriptions().try_into().unwrap();
    assert_eq!(new["delivery_method"]["url"], "https://relay.example.com/pagerduty");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_do_not_do_are_told_with_the_right_to_ask_for() {
    let world = World::deployed().await;
    for (key, words) in [
        ("", "that is no PagerDuty key"),
        ("null", "that is no PagerDuty key"),
        ("wrong-key-of-nobody", "the key is not valid"),
        (READ_ONLY_KEY, "an account's key that isn't read-only"),
    ] {
        let ended = world.run(&REGISTER, &[key]).await;
        ended.badly(&[words]);
        assert!(key.is_empty() || key == "null" || !ended.said.contains(key), "{}", ended.said);
    }
    assert_eq!((ids(&world), world.stored(SECRETS)), (vec![], None));
    // PagerDuty has said that it made nothing, so nothing may be there.
    let refused = world.run(&REGISTER, &[READ_ONLY_KEY]).await;
    assert!(!refused.said.contains("There may be"), "{}", refused.said);
    // To look needs less.
    world
        .run(&["pagerduty", "status"], &[READ_ONLY_KEY])
        .await
        .badly(&["read-only is enough", "no subscription posts"]);
    world
        .run(&["pagerduty", "register", "--yes", "--service", "PNOSUCH"], &[ADMIN_KEY])
        .await
        .badly(&["PNOSUCH", "no such thing"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_aws_refuses_is_told_with_the_right_to_ask_for() {
    let world = World::deployed().await;
    for right in ["cloudformation:DescribeStacks", "lambda:GetFunctionConfiguration", "ssm:GetParameters"] {
        world.aws.deny(Some(right));
        world.run(&REGISTER, &[ADMIN_KEY]).await.badly(&["AWS does not allow you", right, "Nothing was changed"]);
    }
    let undeployed = World::empty().await;
    undeployed
        .run(&REGISTER, &[ADMIN_KEY])
        .await
        .badly(&["there is no stack `oncall-relay` in ap-northeast-1", "sam deploy"]);
    world.aws.deny(None);
    for (variable, value, words) in [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "AWS can't be reached"),
        ("AWS_REGION", "", "no region is set"),
        ("AWS_ACCESS_KEY_ID", "", "no AWS credentials that work"),
    ] {
        let mut command = world.command(&REGISTER);
        command.env(variable, value);
        if value.is_empty() {
            command.env_remove(variable);
        }
        finish(command, &[ADMIN_KEY]).await.badly(&[words]);
    }
    world.pagerduty.shut_down();
    world.run(&REGISTER, &[ADMIN_KEY]).await.badly(&["PagerDuty can't be reached", "check the network"]);
}
