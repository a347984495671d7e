//! The samples in `events/` are what the real senders send, and `events/env.json` fits the stand-ins.

use std::collections::BTreeMap;

use oncall::fakes::Fakes;
use oncall_relay::lambda::scheduler::{self, CountsAsDone};
use serde_json::{Value, json};

use crate::emulator::function;
use crate::world::{World, instant, posted};

fn sample(name: &str) -> Value {
    let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The variables of `env.json`, with the addresses of running stand-ins in place of the fixed ones.
fn settings_at(fakes: &Fakes) -> BTreeMap<String, String> {
    let addresses = [
        ("http://host.docker.internal:8801", fakes.google.url()),
        ("http://host.docker.internal:8802", fakes.typetalk.url()),
        ("http://host.docker.internal:8803", fakes.slack.url()),
        ("http://host.docker.internal:8804", fakes.incidents.url()),
    ];
    let settings: BTreeMap<String, String> = serde_json::from_value(sample("env")["Parameters"].take()).unwrap();
    let moved = |value: String| addresses.iter().fold(value, |value, (fixed, running)| value.replace(fixed, running));
    settings.into_iter().map(|(variable, value)| (variable, moved(value))).collect()
}

async fn world() -> World {
    let mut world = World::new().await;
    for (variable, value) in settings_at(&world.fakes) {
        world.set(&variable, &value);
    }
    world
}

#[tokio::test]
async fn env_json_holds_the_settings_of_the_stand_ins() {
    let fakes = Fakes::start().await.unwrap();
    let settings = settings_at(&fakes);
    // Lambda and `sam local` set AWS's own.
    for (variable, expected) in fakes.settings().into_iter().filter(|(variable, _)| !variable.starts_with("AWS_")) {
        let value = settings.get(&variable).unwrap_or_else(|| panic!("{variable} is missing"));
        // The key of the service account may be written in another order.
        match (serde_json::from_str::<Value>(value), serde_json::from_str::<Value>(&expected)) {
            (Ok(value), Ok(expected)) => assert_eq!(value, expected, "{variable}"),
            _ => assert_eq!(*value, expected, "{variable}"),
        }
    }
}

#[test]
fn env_json_keeps_a_function_on_this_machine_away_from_aws() {
    for variable in ["SECRETS_PATH", "LEDGER_TABLE"] {
        assert_eq!(sample("env")["Parameters"][variable], "", "{variable}");
    }
}

#[tokio::test]
async fn every_sample_of_a_webhook_is_authentic_and_posted() {
    let world = world().await;
    let relay = world.relay().await;
    for (name, at, first_words) in [
        ("v2-trigger", "2026-11-24T11:14:07+09:00", "🔴 発生 #pd2451 決済 API のエラー率が 5% を超えています"),
        ("v2-resolve", "2026-11-24T11:41:32+09:00", "🟢 解決 #pd2451 決済 API のエラー率が 5% を超えています"),
        ("v3-trigger", "2026-11-24T13:05:12+09:00", "🔴 発生 #pd2452 検索の応答が 3 秒より遅くなっています"),
        ("v3-note", "2026-11-24T13:21:49+09:00", "🔵 メモ #pd2452 検索の応答が 3 秒より遅くなっています"),
    ] {
        assert_eq!(relay.event(at, &sample(name)).await, posted(1), "{name}");
        let posts = relay.topic();
        let [post] = posts.as_slice() else { panic!("{name}: {posts:?}") };
        let mut lines = post.lines();
        assert_eq!((lines.next(), lines.next()), (Some("@tanaka @suzuki-k"), Some(first_words)), "{name}");
    }
    assert_eq!(relay.event("2026-11-24T14:00:01+09:00", &sample("ping")).await, posted(1));
    assert_eq!(relay.topic().len(), 1, "the test event is posted");
    assert_eq!(relay.channel(), Vec::<String>::new(), "nothing fails over");
}

#[tokio::test]
async fn a_sample_that_was_tampered_with_is_refused() {
    let world = world().await;
    let relay = world.relay().await;
    for (name, header) in [
        ("v2-trigger", "authorization"),
        ("v2-resolve", "authorization"),
        ("v3-trigger", "x-pagerduty-signature"),
        ("v3-note", "x-pagerduty-signature"),
        ("ping", "x-pagerduty-signature"),
    ] {
        let mut event = sample(name);
        let secret = event["headers"][header].as_str().unwrap_or_else(|| panic!("{name} has no {header}"));
        event["headers"][header] = json!(format!("{secret}0"));
        let (status, _) = relay.event("2026-11-24T14:00:00+09:00", &event).await;
        assert_eq!(status, 503, "{name}");
    }
    assert_eq!(relay.topic(), Vec::<String>::new());
}

#[tokio::test]
async fn every_sample_of_a_schedule_is_posted_even_if_it_comes_the_day_after() {
    let world = world().await;
    let reminders = world.reminders().await;
    for (name, date) in [("reminder-today", "2026-11-24"), ("reminder-next", "2026-11-25")] {
        let now = instant("2026-11-25T12:00:00+09:00").to_utc();
        let (answer, settled, _) = scheduler::answer(&reminders, &sample(name), now).await;
        let answer = answer.unwrap();
        assert_eq!((&answer["posted"], &answer["date"]), (&json!(true), &json!(date)), "{name}");
        assert_eq!(settled, CountsAsDone::Yes, "{name}");
        assert_eq!(world.topic(), [answer["text"].as_str().unwrap()], "{name}");
    }
}

#[tokio::test]
#[ignore = "needs AWS's runtime emulator and release binaries"]
async fn every_sample_runs_on_the_deployed_functions() {
    let fakes = Fakes::start().await.unwrap();
    let settings = settings_at(&fakes).into_iter().collect();
    let webhooks = function("pagerduty2typetalk", &settings).await;
    for name in ["v2-trigger", "v2-resolve", "v3-trigger", "v3-note", "ping"] {
        let answer = webhooks.invoke(&sample(name)).await.unwrap();
        assert_eq!(
            (&answer["statusCode"], &answer["body"]),
            (&json!(200), &json!(r#"{"posted":1,"ignored":0}"#)),
            "{name}"
        );
    }
    let reminders = function("oncall-reminder", &settings).await;
    for name in ["reminder-today", "reminder-next"] {
        assert_eq!(reminders.invoke(&sample(name)).await.unwrap()["posted"], true, "{name}: {}", reminders.log());
    }
    assert_eq!(fakes.typetalk.take_posts().len(), 7);
}
