//! Secrets from Parameter Store on the wire: read at the start, and again before a webhook is refused.

use std::time::{Duration, Instant};

use oncall_relay::config::WebhookConfig;
use oncall_relay::edge::secret_store;
use oncall_relay::relay::Relay;
use oncall_relay::stand_ins::SIGNING_SECRET;
use oncall_relay::stand_ins::server::Fault;
use oncall_relay::stand_ins::ssm::Ssm;

use crate::world::{DAYTIME, Running, World, instant, posted, triggered};

const PATH: &str = "/oncall/relay";
const SECRETS: [&str; 5] =
    ["TYPETALK_ALERT_TOKEN", "SLACK_TOKEN", "GOOGLE_CREDENTIALS", "PAGERDUTY_SIGNING_SECRETS", "PAGERDUTY_TOKENS"];

/// A world whose secrets are in the store and not in the environment.
async fn world() -> (World, Ssm) {
    let ssm = Ssm::start(0).await.unwrap();
    let mut world = World::new().await;
    for name in SECRETS {
        ssm.put(&format!("{PATH}/{name}"), &world.stand_ins.settings()[name]);
        world.set(name, "");
    }
    let url = ssm.url();
    for (name, value) in [
        ("SECRETS_PATH", PATH),
        ("AWS_REGION", "ap-northeast-1"),
        ("AWS_ACCESS_KEY_ID", "AKIASTANDIN"),
        ("AWS_SECRET_ACCESS_KEY", "stand-in"),
        ("AWS_SESSION_TOKEN", "stand-in-session"),
        ("AWS_ENDPOINT_URL_SSM", url.as_str()),
    ] {
        world.set(name, value);
    }
    (world, ssm)
}

/// Starts a relay as the function does.
async fn start(world: &World) -> Result<Running<'_>, String> {
    let (settings, secrets) = secret_store::load(world.surroundings()).await.map_err(|error| error.to_string())?;
    let config = WebhookConfig::read(&settings).map_err(|problems| problems.to_string())?;
    let relay = Relay::open(config, secrets, instant(DAYTIME).to_utc()).await.map_err(|error| error.to_string())?;
    Ok(world.running(relay))
}

#[tokio::test]
async fn a_relay_whose_secrets_are_in_the_store_works_after_one_request() {
    let (world, ssm) = world().await;
    let relay = start(&world).await.unwrap();
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!(ssm.requests(), 1);
}

#[tokio::test]
async fn all_pages_are_read() {
    let (world, ssm) = world().await;
    for number in 0..25 {
        ssm.put(&format!("{PATH}/A_PARAMETER_{number}"), "x");
    }
    start(&world).await.unwrap();
    assert_eq!(ssm.requests(), 3);
}

#[tokio::test]
async fn what_the_environment_sets_wins() {
    let (mut world, ssm) = world().await;
    ssm.put(&format!("{PATH}/SLACK_TOKEN"), "xoxb-wrong");
    ssm.put(&format!("{PATH}/CHATS"), "typetalk");
    world.set("SLACK_TOKEN", "xoxb-stand-in").set("CHATS", "slack");
    let relay = start(&world).await.unwrap();
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!(relay.channel().len(), 1);
}

#[tokio::test]
async fn a_store_that_cannot_be_read_stops_the_start_and_says_why() {
    for (fault, why) in [
        (
            Fault::Answer(400, vec![], r#"{"__type":"AccessDeniedException","message":"no"}"#),
            "AccessDeniedException; the function's role needs ssm:GetParametersByPath on the path",
        ),
        (Fault::Answer(400, vec![], r#"{"__type":"InvalidKeyId"}"#), "InvalidKeyId"),
        (Fault::status(500), "an answer that is not the store's"),
        (Fault::Answer(200, vec![], "<html>"), "an answer that is not the store's"),
        (Fault::HangUp, "the store can't be reached (AWS_REGION, AWS_ENDPOINT_URL_SSM)"),
        (Fault::Hang, "no answer in time"),
    ] {
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
    }
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
async fn a_path_with_nothing_under_it_is_a_mistake() {
    let (mut world, _ssm) = world().await;
    world.set("SECRETS_PATH", "/oncall/rela");
    let error = start(&world).await.err().unwrap();
    assert!(error.ends_with("there is no parameter under this path; put them there, or correct the path"), "{error}");
    for malformed in ["oncall", "/", "/on call"] {
        world.set("SECRETS_PATH", malformed);
        let error = start(&world).await.err().unwrap();
        assert!(error.contains("SECRETS_PATH can't be used: it must be a path such as `/oncall-relay`"), "{error}");
    }
}

#[tokio::test]
async fn two_parameters_of_one_name_are_a_mistake() {
    let (world, ssm) = world().await;
    ssm.put(&format!("{PATH}/old/SLACK_TOKEN"), "xoxb-old");
    let error = start(&world).await.err().unwrap();
    assert!(error.ends_with("two parameters are called SLACK_TOKEN; remove one of them"), "{error}");
}

#[tokio::test]
async fn a_rotated_secret_is_noticed_within_a_minute() {
    let (world, ssm) = world().await;
    ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), "an-old-secret");
    let relay = start(&world).await.unwrap();
    ssm.put(&format!("{PATH}/PAGERDUTY_SIGNING_SECRETS"), SIGNING_SECRET);

    let minute_later = "2026-11-24T11:01:00+09:00";
    assert_eq!(relay.signed(minute_later, &triggered("e1")).await.0, 401, "the copy is fresh for a minute");
    assert_eq!(relay.tally().unauthenticated_webhooks, 1);
    let after_that = "2026-11-24T11:01:01+09:00";
    assert_eq!(relay.signed(after_that, &triggered("e1")).await, posted(1));
    assert_eq!(ssm.requests(), 2);
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
