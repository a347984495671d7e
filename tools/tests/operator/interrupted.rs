//! Ctrl-C at any moment: what is said on how to go on is true, and the same command run again completes the work.

use std::process::Output;
use std::time::Duration;

use oncall::fakes::account::{ADMIN_KEY, READ_ONLY_KEY};
use oncall::fakes::server::{Fault, Server};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::world::{World, answers_to_secrets};

const PATIENCE: Duration = Duration::from_mins(1);
/// What a shell gives a process that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;
/// More requests than any command makes.
const NEVER: usize = 100_000;

/// Runs a command whose service no longer answers after so many requests, and presses Ctrl-C as soon as one hangs; what
/// it said. None if the command made no more requests, and ended well.
async fn interrupted(
    world: &World,
    service: &Server,
    answered: usize,
    fault: Fault,
    arguments: &[&str],
    answers: &[&str],
) -> Option<String> {
    let heard = service.requests();
    service.fail_after(answered, fault);
    let mut running = world.command(arguments).spawn().unwrap();
    let pid = running.id().unwrap().to_string();
    // It stays open: nobody has closed the terminal.
    let mut input = running.stdin.take().unwrap();
    let lines: String = answers.iter().flat_map(|answer| [*answer, "\n"]).collect();
    let _ = input.write_all(lines.as_bytes()).await;
    let hangs = async {
        while service.requests() <= heard + answered {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = tokio::select! {
        () = hangs => false,
        _ = running.wait() => true,
        () = sleep(PATIENCE) => panic!("neither a request nor an end"),
    };
    if !ended {
        assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    }
    let Output { status, stdout, stderr } = timeout(PATIENCE, running.wait_with_output()).await.unwrap().unwrap();
    service.fail_after(NEVER, Fault::Hang);
    let said = format!("{}{}", String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    // It may have ended by itself in the meantime.
    if ended || status.success() {
        assert!(status.success(), "{said}");
        return None;
    }
    assert_eq!(status.code(), Some(INTERRUPTED), "{said}");
    assert!(said.contains("oncall: stopped. "), "{said}");
    Some(said)
}

/// What it says last: how to go on.
fn how_to_go_on(said: &str) -> &str {
    said.rsplit_once("oncall: stopped. ").unwrap().1.trim()
}

/// What a run of `register` may change.
fn registered(world: &World) -> (Vec<Value>, Option<String>) {
    (world.pagerduty.subscriptions(), world.stored("PAGERDUTY_SIGNING_SECRETS"))
}

/// One subscription, on, which sends everything, and whose secret is the only one of its kind in the store.
fn assert_whole(world: &World, when: &str) {
    let (subscriptions, stored) = registered(world);
    let [one] = subscriptions.as_slice() else { panic!("{when}: {subscriptions:#?}") };
    let secret = world.pagerduty.secret(one["id"].as_str().unwrap()).unwrap();
    assert_eq!(one["active"], true, "{when}");
    let stored = stored.unwrap();
    assert!(stored.split(',').any(|entry| entry == secret), "{when}: {stored} lacks {secret}");
}

const REGISTER: [&str; 3] = ["pagerduty", "register", "--yes"];

/// Where PagerDuty's account may stand before `register`.
#[derive(Debug, Clone, Copy)]
enum Before {
    Nothing,
    /// One that is ours, whose secret the store has lost.
    Lost,
    /// One that PagerDuty has disabled.
    Disabled,
    /// One that is good, to be replaced all the same.
    Rotation,
}

async fn world_before(before: Before) -> World {
    let world = World::deployed().await;
    if !matches!(before, Before::Nothing) {
        world.run(&REGISTER, &[ADMIN_KEY]).await.well(&[]);
        // The function that takes the test event reads its secrets, too.
        world.delivered(1).await;
    }
    match before {
        Before::Nothing | Before::Rotation => {}
        Before::Lost => world.aws.put("/oncall-relay/PAGERDUTY_SIGNING_SECRETS", "another-secret-of-ours"),
        Before::Disabled => {
            let id = world.pagerduty.subscriptions()[0]["id"].as_str().unwrap().to_owned();
            world.pagerduty.spoil(&id, "disabled");
        }
    }
    world
}

/// Presses Ctrl-C at every request of either service, taken or not, and runs the command again each time.
async fn register_survives(before: Before, of: fn(&World) -> &Server, fault: Fault) {
    let rotation = [&REGISTER[..], &["--replace"]].concat();
    let arguments = if matches!(before, Before::Rotation) { &rotation[..] } else { &REGISTER[..] };
    for answered in 0.. {
        let world = world_before(before).await;
        let start = registered(&world);
        let said = interrupted(&world, of(&world), answered, fault.clone(), arguments, &[ADMIN_KEY]).await;
        let is_rotated = || {
            let revoked = start.1.as_ref().filter(|_| matches!(before, Before::Rotation));
            revoked.is_none_or(|secret| !world.stored("PAGERDUTY_SIGNING_SECRETS").unwrap().contains(secret))
        };
        let Some(said) = said else {
            assert!(answered > 1 && is_rotated(), "{before:?}: it asks more than once");
            return assert_whole(&world, "uninterrupted");
        };
        let when = format!("{before:?}, {fault:?} after {answered} requests: {said}");
        let words = how_to_go_on(&said);
        if words == "Nothing was changed." {
            assert_eq!(registered(&world), start, "{when}");
        } else {
            assert!(words.contains("un the command again") || words.contains("register` again"), "{when}");
        }
        let again = world.run(arguments, &[ADMIN_KEY]).await;
        assert!(again.ok, "{when}\nand again: {}", again.said);
        assert_whole(&world, &when);
        assert!(is_rotated(), "{when}");
        let disabled = &world.pagerduty.subscriptions()[0]["delivery_method"]["temporarily_disabled"];
        assert_eq!(disabled, false, "{when}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn register_is_completed_by_the_next_run_wherever_it_was_stopped() {
    for before in [Before::Nothing, Before::Lost, Before::Disabled, Before::Rotation] {
        for fault in [Fault::Hang, Fault::TakeAndHang] {
            register_survives(before, |world| &world.pagerduty, fault.clone()).await;
            register_survives(before, |world| &world.aws, fault).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_whose_replacing_was_stopped_is_asked_about_the_old_one_again() {
    let world = World::deployed().await;
    world.pagerduty.add_subscription(json!({
        "id": "PTHEIRS", "type": "webhook_subscription", "active": true, "description": "Wiki's",
        "delivery_method": {"type": "http_delivery_method", "url": world.address(), "temporarily_disabled": false},
        "filter": {"type": "service_reference", "id": "PSERVICE"}, "events": ["incident.triggered"],
    }));
    let register = ["pagerduty", "register"];
    // Abilities, service, subscriptions, extensions; the new one is made and switched on; the old one is not deleted.
    let said = interrupted(&world, &world.pagerduty, 6, Fault::Hang, &register, &[ADMIN_KEY, "y", "y"]).await.unwrap();
    assert!(how_to_go_on(&said).contains("PTHEIRS may still be there") && said.contains("it asks whether"), "{said}");
    assert_eq!(world.pagerduty.subscriptions().len(), 2);
    world.run(&register, &[ADMIN_KEY, "", "y"]).await.well(&["It doubles the alerts", "It is left alone"]);
    world.run(&register, &[ADMIN_KEY, "y", "y"]).await.well(&["✓ The old subscription PTHEIRS is deleted"]);
    assert_whole(&world, "asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn arrange_is_completed_by_the_next_run_wherever_it_was_stopped() {
    let arrange =
        ["pagerduty", "arrange", "--yes", "--dummy", "dummy@example.com", "--then", "PSRE", "--minutes", "20"];
    for fault in [Fault::Hang, Fault::TakeAndHang] {
        for answered in 0.. {
            let world = World::deployed().await;
            let said = interrupted(&world, &world.pagerduty, answered, fault.clone(), &arrange, &[ADMIN_KEY]).await;
            let when = format!("{fault:?} after {answered} requests: {said:?}");
            let (schedules, policies) = world.pagerduty.arrangement();
            if let Some(said) = &said {
                let nothing = how_to_go_on(said) == "Nothing was changed.";
                assert!(!nothing || (schedules.is_empty() && policies.is_empty()), "{when}");
                assert!(nothing || said.contains("Run the command again: it finds"), "{when}");
                world.run(&arrange, &[ADMIN_KEY]).await.well(&["✓ PSERVICE has the policy"]);
            }
            let (schedules, policies) = world.pagerduty.arrangement();
            assert_eq!((schedules.len(), policies.len()), (1, 1), "{when}");
            assert_eq!(policies[0]["escalation_rules"][0]["escalation_delay_in_minutes"], 20, "{when}");
            assert_eq!(world.pagerduty.policy_of("PSERVICE"), policies[0]["id"], "{when}");
            if said.is_none() {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_are_stored_stay_and_the_next_run_asks_for_the_rest() {
    for fault in [Fault::Hang, Fault::TakeAndHang] {
        for answered in 0.. {
            let world = World::deployed().await;
            let (token, key) = (world.fakes.settings()["SLACK_TOKEN"].clone(), world.key_file());
            let answers = answers_to_secrets(&[
                ("SLACK_TOKEN", &[&token]),
                ("GOOGLE_CREDENTIALS", &[&key]),
                ("PAGERDUTY_API_KEY", &[READ_ONLY_KEY]),
            ]);
            let secrets = ["secrets", "--yes"];
            let said = interrupted(&world, &world.aws, answered, fault.clone(), &secrets, &answers).await;
            let names = ["SLACK_TOKEN", "GOOGLE_CREDENTIALS", "PAGERDUTY_API_KEY"];
            let when = format!("{fault:?} after {answered} requests: {said:?}");
            if let Some(said) = &said {
                let stored: Vec<_> = names.iter().filter(|name| world.stored(name).is_some()).collect();
                let words = how_to_go_on(said);
                assert!(words != "Nothing was changed." || stored.is_empty(), "{when}");
                for name in &names {
                    let (is_stored, is_marked) = (stored.contains(&name), said.contains(&format!("✓ {name} ")));
                    let may_be = words.contains(&format!("{name} may be"));
                    assert!(is_marked == is_stored || may_be, "{when}: {name}");
                }
                // Those with a mark are kept with Enter; for the others there is no other word to give.
                let given = [token.as_str(), &key, READ_ONLY_KEY];
                let marked = |name: &str| said.contains(&format!("✓ {name} "));
                let again = [0, 1, 2].map(|at| [if marked(names[at]) { "" } else { given[at] }]);
                let again = [0, 1, 2].map(|at| (names[at], &again[at][..]));
                let again = answers_to_secrets(&again);
                world.run(&secrets, &again).await.well(&["Next: cargo oncall pagerduty register"]);
            }
            assert!(names.iter().all(|name| world.stored(name).is_some()), "{when}");
            if said.is_none() {
                break;
            }
        }
    }
}
