//! Secrets from Parameter Store on the wire: read at the start, and again before a webhook is refused.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use oncall::fakes::pagerduty::signature;
use oncall::fakes::server::Fault;
use oncall::fakes::ssm::Ssm;
use oncall::fakes::{NOTICE_TOKEN, SIGNING_SECRET};
use oncall_relay::config::{ReminderConfig, SETTINGS, WebhookConfig};
use oncall_relay::edge::secrets;
use oncall_relay::webhook::WebhookHandler;
use serde_json::Value;

use crate::world::{DAYTIME, Running, World, instant, posted, triggered};

const PATH: &str = "/oncall/relay";
/// In the order of the list of settings, in which they are asked for.
const SECRETS: [&str; 9] = [
    "TYPETALK_ALERT_TOKEN",
    "SLACK_TOKEN",
    "SLACK_SIGNING_SECRETS",
    "GOOGLE_CREDENTIALS",
    "PAGERDUTY_SIGNING_SECRETS",
    "PAGERDUTY_TOKENS",
    "PAGERDUTY_API_KEY",
    "PAGERDUTY_ACTION_KEY",
    "NOTICE_TOKENS",
];

/// A world whose secrets are in the store and not in the environment.
async fn world() -> (World, Ssm) {
    let ssm = Ssm::start(0).await.unwrap();
    let mut world = World::new().await;
    for name in SECRETS {
        if let Some(secret) = world.fakes.settings().get(name) {
            ssm.put(&format!("{PATH}/{name}"), secret);
        }
        world.set(name, "");
    }
    let url = ssm.url();
    for (name, value) in
        [("SECRETS_PATH", PATH), ("AWS_SESSION_TOKEN", "stand-in-session"), ("AWS_ENDPOINT_URL_SSM", url.as_str())]
    {
        world.set(name, value);
    }
    (world, ssm)
}

/// Starts a relay as the function does.
async fn start(world: &World) -> Result<Running<'_>, String> {
    let (config, secrets) =
        secrets::load(world.environment(), WebhookConfig::read).await.map_err(|error| error.to_string())?;
    let relay =
        WebhookHandler::new(config, secrets, instant(DAYTIME).to_utc()).await.map_err(|error| error.to_string())?;
    Ok(world.running(relay))
}

#[tokio::test]
async fn a_relay_whose_secrets_are_in_the_store_works_after_one_request() {
    let (world, ssm) = world().await;
    let relay = start(&world).await.unwrap();
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!(ssm.requests(), 1);
}

/// A policy by name is of no use to a function that asks for more.
#[tokio::test]
async fn each_function_asks_for_its_own_secrets_by_name_and_for_no_others() {
    let (mut world, ssm) = world().await;
    for (name, value) in world.fakes.settings() {
        if SETTINGS.iter().any(|setting| setting.secret && setting.name == name) {
            ssm.put(&format!("{PATH}/{name}"), &value);
            world.set(&name, "");
        }
    }
    let whole = |names: &[&str]| names.iter().map(|name| format!("{PATH}/{name}")).collect::<Vec<_>>();
    let reminders = [
        "TYPETALK_ALERT_TOKEN",
        "TYPETALK_ONCALL_TOKEN",
        "SLACK_TOKEN",
        "GOOGLE_CREDENTIALS",
        "PAGERDUTY_API_KEY",
        "HEARTBEAT_URL",
    ];
    for (names, is_reminder) in [(&SECRETS[..], false), (&reminders, true)] {
        let whole = whole(names);
        ssm.allow(&whole.iter().map(String::as_str).collect::<Vec<_>>());
        if is_reminder {
            secrets::load(world.environment(), ReminderConfig::read).await.unwrap();
        } else {
            start(&world).await.unwrap();
        }
        assert_eq!(ssm.asked().last(), Some(&whole));
    }
    world.set("CHATS", "slack").set("ROSTER_CSV", concat!(env!("CARGO_MANIFEST_DIR"), "/docs/roster-template.csv"));
    ssm.allow(&[]);
    assert!(start(&world).await.is_err());
    let slack_and_files = whole(&[SECRETS[1], SECRETS[2], SECRETS[4], SECRETS[5], SECRETS[6], SECRETS[7], SECRETS[8]]);
    assert_eq!(ssm.asked().last(), Some(&slack_and_files));
}

/// The store itself: as strict as the real one.
#[tokio::test]
async fn one_name_outside_the_policy_makes_the_whole_request_fail_and_says_where_to_look() {
    let (world, ssm) = world().await;
    let all_but_one = SECRETS[1..].iter().map(|name| format!("{PATH}/{name}")).collect::<Vec<_>>();
    ssm.allow(&all_but_one.iter().map(String::as_str).collect::<Vec<_>>());
    let error = start(&world).await.err().unwrap();
    assert!(error.contains("look at the policy of the function's role: it needs ssm:GetParameters on"), "{error}");
    for name in SECRETS {
        assert!(error.contains(&format!("{PATH}/{name}")), "{name} is not named: {error}");
    }
}

#[tokio::test]
async fn what_the_environment_sets_wins() {
    let (mut world, ssm) = world().await;
    ssm.put(&format!("{PATH}/SLACK_TOKEN"), "xoxb-wrong");
    world.set("SLACK_TOKEN", "xoxb-stand-in").set("CHATS", "slack");
    let relay = start(&world).await.unwrap();
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!(relay.channel().len(), 1);
}

#[tokio::test]
async fn a_store_that_cannot_be_read_stops_the_start_and_says_why() {
    let faults = [
        (
            Fault::Answer(400, vec![], r#"{"__type":"AccessDeniedException","message":"no"}"#),
            "AccessDeniedException; look at the policy of the function's role: it needs ssm:GetParameters on each of \
             /oncall/relay/TYPETALK_ALERT_TOKEN, /oncall/relay/SLACK_TOKEN, /oncall/relay/SLACK_SIGNING_SECRETS, \
             /oncall/relay/GOOGLE_CREDENTIALS, /oncall/relay/PAGERDUTY_SIGNING_SECRETS, \
             /oncall/relay/PAGERDUTY_TOKENS, /oncall/relay/PAGERDUTY_API_KEY, /oncall/relay/PAGERDUTY_ACTION_KEY, \
             /oncall/relay/NOTICE_TOKENS, \
             since one that is left out makes the whole request fail, and kms:Decrypt if the key is your own",
        ),
        (Fault::Answer(400, vec![], r#"{"__type":"InvalidKeyId"}"#), "InvalidKeyId"),
        (Fault::status(500), "an answer that is not the store's"),
        (Fault::Answer(200, vec![], "<html>"), "an answer that is not the store's"),
        (Fault::HangUp, "the store can't be reached (AWS_REGION, AWS_ENDPOINT_URL_SSM)"),
        (Fault::Hang, "no answer in time"),
    ];
    join_all(faults.map(async |(fault, why)| {
        let (world, ssm) = world().await;
        ssm.fail_always(Some(fault.clone()));
        let started = Instant::now();
        let error = start(&world).await.err().unwrap();
        assert_eq!(
            error,
            format!("the secrets under SECRETS_PATH (`{PATH}`) can't be read from SSM Parameter Store: {why}"),
            "{fault:?}"
        );
        assert!(started.elapsed() < Duration::from_secs(5), "{fault:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_store_that_stumbles_once_is_asked_again() {
    for fault in [Fault::status(500), Fault::HangUp, Fault::Answer(400, vec![], r#"{"__type":"ThrottlingException"}"#)]
    {
        let (world, ssm) = world().await;
        ssm.fail_once(fault.clone());
        assert!(start(&world).await.is_ok(), "{fault:?}");
        assert_eq!(ssm.requests(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_start_that_is_throttled_waits_a_while_between_its_attempts() {
    let (world, ssm) = world().await;
    for _ in 0..3 {
        ssm.fail_once(Fault::Answer(400, vec![], r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#));
    }
    let started = Instant::now();
    assert!(start(&world).await.is_ok());
    // 100 to 200 ms, then 200 to 400, then 400 to 800.
    let took = started.elapsed();
    assert!(Duration::from_millis(700) < took && took < Duration::from_secs(3), "{took:?}");
    assert_eq!(ssm.requests(), 4);
}

#[tokio::test]
async fn a_path_with_nothing_under_it_is_a_mistake() {
    let (mut world, _ssm) = world().await;
    world.set("SECRETS_PATH", "/oncall/rela");
    let error = start(&world).await.err().unwrap();
    let nothing = "there is no parameter under this path that this function needs; put them there, or correct the path";
    assert!(error.contains(nothing) && error.contains("PAGERDUTY_SIGNING_SECRETS"), "{error}");
    for malformed in ["oncall", "/", "/on call"] {
        world.set("SECRETS_PATH", malformed);
        let error = start(&world).await.err().unwrap();
        assert!(error.contains("SECRETS_PATH can't be used: it must be a path such as `/oncall-relay`"), "{error}");
    }
}

#[tokio::test]
async fn only_a_parameter_directly_under_the_path_counts() {
    let (world, ssm) = world().await;
    ssm.put(&format!("{PATH}/old/SLACK_TOKEN"), "xoxb-old");
    assert!(start(&world).await.is_ok());
    ssm.delete(&format!("{PATH}/SLACK_TOKEN"));
    let error = start(&world).await.err().unwrap();
    assert!(error.contains("\n- SLACK_TOKEN is not set"), "{error}");
}

#[tokio::test]
async fn what_a_failed_script_has_stored_instead_of_a_secret_stops_the_start() {
    let (world, ssm) = world().await;
    for none in ["null", "undefined", "short", "stand-in-signing-secret,null"] {
        ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), none);
        let error = start(&world).await.err().unwrap();
        assert!(error.contains("\n- PAGERDUTY_SIGNING_SECRETS can't be used: an entry is not a secret"), "{error}");
    }
}

#[tokio::test]
async fn a_rotated_secret_is_noticed_within_a_minute() {
    let (world, ssm) = world().await;
    ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), "an-old-secret");
    let relay = start(&world).await.unwrap();
    ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), SIGNING_SECRET);

    let minute_later = "2026-11-24T11:01:00+09:00";
    assert_eq!(relay.signed(minute_later, &triggered("e1")).await.0, 503, "the copy is fresh for a minute");
    assert_eq!(relay.tally().unauthenticated_webhooks, 1);
    let after_that = "2026-11-24T11:01:01+09:00";
    assert_eq!(relay.signed(after_that, &triggered("e1")).await, posted(1));
    assert_eq!(ssm.requests(), 2);
}

#[tokio::test]
async fn a_rotated_token_of_notices_is_noticed_within_a_minute_and_a_revoked_one_within_six() {
    let (world, ssm) = world().await;
    ssm.put(&format!("{PATH}/NOTICE_TOKENS"), "an-old-notice-token");
    let relay = start(&world).await.unwrap();
    let notice = serde_json::json!({"text": "x"});
    ssm.put(&format!("{PATH}/NOTICE_TOKENS"), NOTICE_TOKEN);
    assert_eq!(relay.notice("2026-11-24T11:01:00+09:00", &notice).await.0, 401, "the copy is fresh for a minute");
    assert_eq!(relay.notice("2026-11-24T11:01:01+09:00", &notice).await.0, 200);
    ssm.put(&format!("{PATH}/NOTICE_TOKENS"), "a-new-notice-token");
    assert_eq!(relay.notice("2026-11-24T11:06:01+09:00", &notice).await.0, 200);
    assert_eq!(relay.notice("2026-11-24T11:06:02+09:00", &notice).await.0, 401);
    ssm.fail_always(Some(Fault::status(500)));
    assert_eq!(relay.notice("2026-11-24T11:08:00+09:00", &notice).await.0, 503, "nobody can tell");
    assert_eq!(relay.tally().notices.secrets_stale, 1);
}

#[tokio::test]
async fn forgeries_read_the_store_once_a_minute_at_most() {
    let (world, ssm) = world().await;
    let relay = start(&world).await.unwrap();
    for second in 10..40 {
        let at = format!("2026-11-24T11:02:{second}+09:00");
        assert_eq!(relay.send(&at, &[("x-pagerduty-signature", "v1=00")], b"{}").await.0, 401);
    }
    assert_eq!(ssm.requests(), 2);
}

/// Signed with a secret of somebody else's making, with all of PagerDuty's marks.
async fn signed_with(relay: &Running<'_>, secret: &str, at: &str, event_id: &str) -> (u16, Value) {
    let body = triggered(event_id).to_string();
    let signature = signature(secret, body.as_bytes());
    relay.send(at, &[("x-pagerduty-signature", &signature), ("x-webhook-id", event_id)], body.as_bytes()).await
}

#[tokio::test]
async fn a_revoked_secret_stops_working_within_six_minutes_however_often_it_is_used() {
    let (world, ssm) = world().await;
    ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), &format!("a-leaked-secret,{SIGNING_SECRET}"));
    let relay = start(&world).await.unwrap();
    ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), SIGNING_SECRET);
    for minute in 1..=9 {
        let at = format!("2026-11-24T11:{minute:02}:00+09:00");
        let (status, _) = signed_with(&relay, "a-leaked-secret", &at, &format!("leaked-{minute}")).await;
        assert_eq!(status, if minute <= 5 { 200 } else { 503 }, "{at}");
        let (status, _) = signed_with(&relay, SIGNING_SECRET, &at, &format!("good-{minute}")).await;
        assert_eq!(status, 200, "{at}");
    }
    assert_eq!(relay.topic().len(), 5 + 9);
    assert!(ssm.requests() <= 6, "{}: a forgery has the store read once a minute at most", ssm.requests());
}

#[tokio::test]
async fn a_secret_that_was_deleted_or_overwritten_stops_working_and_what_it_signs_is_kept() {
    for stored in [None, Some("null"), Some("revoked"), Some("null,undefined")] {
        let (world, ssm) = world().await;
        ssm.delete(&format!("{PATH}/PAGERDUTY_TOKENS"));
        let relay = start(&world).await.unwrap();
        match stored {
            Some(stored) => ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), stored),
            None => ssm.delete(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS")),
        }
        assert_eq!(signed_with(&relay, SIGNING_SECRET, "2026-11-24T11:05:01+09:00", "e1").await.0, 503, "{stored:?}");
        assert_eq!(relay.tally().secrets_stale, 1, "{stored:?}");
        for secret in ["null", "undefined", "revoked", ""] {
            let (status, _) = signed_with(&relay, secret, "2026-11-24T11:06:00+09:00", "forged").await;
            assert_eq!(status, 503, "{stored:?}: {secret:?} is let in");
        }
        assert_eq!(relay.topic(), [""; 0]);
        ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), SIGNING_SECRET);
        assert_eq!(signed_with(&relay, SIGNING_SECRET, "2026-11-24T11:06:20+09:00", "e1").await, posted(1));
    }
}

#[tokio::test]
async fn an_entry_that_is_no_secret_doesnt_cost_the_others_their_webhooks() {
    let (world, ssm) = world().await;
    let relay = start(&world).await.unwrap();
    ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), &format!("{SIGNING_SECRET},null"));
    let later = "2026-11-24T11:06:00+09:00";
    assert_eq!(signed_with(&relay, SIGNING_SECRET, later, "e1").await, posted(1));
    assert_eq!(relay.tally().secrets_stale, 1);
    assert_eq!(signed_with(&relay, "null", later, "forged").await.0, 503);
}

#[tokio::test]
async fn many_webhooks_at_once_have_the_store_read_once() {
    for fault in [Fault::Delay(Duration::from_millis(200)), Fault::Hang] {
        let (world, ssm) = world().await;
        let relay = start(&world).await.unwrap();
        ssm.fail_always(Some(fault.clone()));
        let later = "2026-11-24T11:06:00+09:00";
        let send = async |number: usize| match number % 3 {
            0 => signed_with(&relay, "a-wrong-secret", later, &format!("e{number}")).await.0,
            _ => signed_with(&relay, SIGNING_SECRET, later, &format!("e{number}")).await.0,
        };
        let statuses = join_all((0..12).map(send)).await;
        let expected: Vec<_> = (0..12).map(|number| if number % 3 == 0 { 503 } else { 200 }).collect();
        assert_eq!(statuses, expected, "{fault:?}");
        assert!(ssm.requests() <= 1 + 1, "{fault:?}: {}", ssm.requests());
    }
}

#[tokio::test]
async fn a_store_that_doesnt_answer_costs_an_authentic_webhook_half_a_second_and_is_counted() {
    let (world, ssm) = world().await;
    let relay = start(&world).await.unwrap();
    assert_eq!(relay.signed("2026-11-24T11:05:00+09:00", &triggered("e1")).await, posted(1));
    assert_eq!((relay.tally().secrets_stale, ssm.requests()), (0, 1), "the copy is good for five minutes");
    ssm.fail_always(Some(Fault::Hang));
    let started = Instant::now();
    assert_eq!(relay.signed("2026-11-24T11:05:01+09:00", &triggered("e2")).await, posted(1));
    let took = started.elapsed();
    assert!(Duration::from_millis(400) < took && took < Duration::from_millis(1_500), "{took:?}");
    assert_eq!((relay.tally().secrets_stale, ssm.requests()), (1, 2));
    assert_eq!(relay.signed("2026-11-24T11:05:02+09:00", &triggered("e3")).await, posted(1));
    assert_eq!((relay.tally().secrets_stale, ssm.requests()), (1, 2), "the store is left alone for a while");
    ssm.fail_always(None);
    assert_eq!(relay.signed("2026-11-24T11:05:20+09:00", &triggered("e4")).await, posted(1));
    assert_eq!((relay.tally().secrets_stale, ssm.requests()), (0, 3));
}

#[tokio::test]
async fn a_clock_that_is_put_back_makes_no_copy_young() {
    let (world, ssm) = world().await;
    ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), &format!("a-leaked-secret,{SIGNING_SECRET}"));
    let relay = start(&world).await.unwrap();
    ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), SIGNING_SECRET);
    assert_eq!(signed_with(&relay, "a-leaked-secret", "2026-11-24T10:00:00+09:00", "forged").await.0, 503);
}

#[tokio::test]
async fn while_the_store_is_down_a_webhook_that_cannot_be_judged_is_sent_again() {
    let later = "2026-11-24T11:05:00+09:00";
    for fault in [Fault::status(503), Fault::Hang, Fault::HangUp] {
        let (world, ssm) = world().await;
        let relay = start(&world).await.unwrap();
        ssm.fail_always(Some(fault.clone()));
        assert_eq!(relay.send(later, &[("x-pagerduty-signature", "v1=00")], b"{}").await.0, 503, "{fault:?}");
        assert_eq!(relay.signed(later, &triggered("e1")).await, posted(1), "{fault:?}: known secrets still do");
        let asked = ssm.requests();
        assert_eq!(relay.send(later, &[("x-pagerduty-signature", "v1=00")], b"{}").await.0, 503, "{fault:?}");
        assert_eq!(ssm.requests(), asked, "{fault:?}: the store is left alone for a while");
    }
}
