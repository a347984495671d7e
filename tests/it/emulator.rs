//! The built function under AWS's own runtime emulator: what is deployed, invoked as Lambda would.
//!
//! Needs the emulator's path in `AWS_LAMBDA_RIE` and the folder of the release binaries in
//! `BOOTSTRAPS`, so these tests run when they are asked for: `cargo test -- --ignored`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;

use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::dynamodb_local::DynamoDbLocal;
use oncall::fakes::emulator::Emulator;
use oncall::fakes::pagerduty::{http_api_event, signature, v2};
use oncall::fakes::people::{Button, Person, payload, slack_event};
use oncall::fakes::ssm::Ssm;
use oncall::fakes::{BEARER_TOKEN, Fakes, ROSTER_TAB, SIGNING_SECRET, SLACK_SIGNING_SECRET};
use oncall_relay::clock;
use oncall_relay::config::SETTINGS;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::world::{EVENING, event_spec, incident};

pub(crate) fn path_in(variable: &str) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "tells where the installed parts are")]
    let path = std::env::var(variable);
    PathBuf::from(path.unwrap_or_else(|_| panic!("{variable} must say where to look")))
}

pub(crate) async fn function(name: &str, settings: &HashMap<String, String>) -> Emulator {
    let bootstrap = path_in("BOOTSTRAPS").join(name);
    Emulator::start(&path_in("AWS_LAMBDA_RIE"), &bootstrap, settings).await.unwrap()
}

/// The settings of the stand-ins, with a calendar that is business time whenever the test runs.
fn always_open(fakes: &Fakes) -> HashMap<String, String> {
    let mut settings = fakes.settings();
    for (variable, value) in [("BUSINESS_DAYS", "Mon-Sun"), ("BUSINESS_HOURS", "00:00-24:00"), ("HOLIDAYS", "none")] {
        settings.insert(variable.to_owned(), value.to_owned());
    }
    settings
}

fn delivery(header: (&str, &str), body: &Value) -> Value {
    http_api_event("/pagerduty", &[header], body.to_string().as_bytes())
}

fn signed(body: &Value) -> Value {
    delivery(("x-pagerduty-signature", &signature(SIGNING_SECRET, body.to_string().as_bytes())), body)
}

fn with_token(body: &Value) -> Value {
    delivery(("authorization", &format!("Bearer {BEARER_TOKEN}")), body)
}

fn answer(response: &Value) -> (u64, Value) {
    let body = response["body"].as_str().unwrap_or_else(|| panic!("no body in {response}"));
    (response["statusCode"].as_u64().unwrap(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
#[ignore = "needs AWS's runtime emulator and release binaries"]
async fn the_deployed_webhook_function_posts_a_signed_v3_and_a_bearer_v2_event() {
    let fakes = Fakes::start().await.unwrap();
    // The function has a real clock: whichever day it is has no row.
    fakes.google.write(ROSTER_TAB, &[&["日付", "担当"]]);
    let function = function("pagerduty2typetalk", &always_open(&fakes)).await;

    let v3_event = incident().v3(&event_spec("e1", "incident.triggered", EVENING));
    assert_eq!(answer(&function.invoke(&signed(&v3_event)).await.unwrap()), (200, json!({"posted": 1, "ignored": 0})));
    let v2_event = v2(&[incident().v2(&event_spec("e2", "incident.resolve", EVENING))]);
    let response = function.invoke(&with_token(&v2_event)).await.unwrap();
    assert_eq!(answer(&response), (200, json!({"posted": 1, "ignored": 0})));

    let posts: Vec<_> = fakes.typetalk.take_posts().into_iter().map(|post| post.message).collect();
    assert_eq!(posts.len(), 2, "{posts:?}");
    assert!(posts[0].contains("🔴 発生 #pd33 応答が遅い\n"), "{posts:?}");
    assert!(posts[1].contains("🟢 解決 #pd33 応答が遅い\n"), "{posts:?}");
    assert!(posts[0].starts_with("@sre-team\n") && posts[0].contains("行がありません"), "{posts:?}");

    let log = function.log();
    assert!(log.contains(r#""event":"delivery""#) && log.contains(r#""outcome":"posted""#), "{log}");
    assert!(log.contains(r#""Posted":1"#) && log.contains("_aws"), "{log}");
}

#[tokio::test]
#[ignore = "needs AWS's runtime emulator and release binaries"]
async fn the_deployed_webhook_function_refuses_forgeries() {
    let fakes = Fakes::start().await.unwrap();
    let function = function("pagerduty2typetalk", &fakes.settings()).await;
    let event = incident().v3(&event_spec("e1", "incident.triggered", EVENING));
    let forged = delivery(("x-pagerduty-signature", &signature("guessed", event.to_string().as_bytes())), &event);
    assert_eq!(answer(&function.invoke(&forged).await.unwrap()), (401, json!({"error": "unauthenticated"})));
    assert!(fakes.typetalk.take_posts().is_empty());
}

#[tokio::test]
#[ignore = "needs AWS's runtime emulator and release binaries"]
async fn a_function_without_settings_fails_to_start_and_says_all_that_is_missing() {
    let function = function("pagerduty2typetalk", &HashMap::new()).await;
    function.invoke(&json!({})).await.unwrap_err();
    let log = function.log();
    for variable in ["CHATS", "SPREADSHEET_ID", "GOOGLE_CREDENTIALS", "PAGERDUTY_SIGNING_SECRETS"] {
        assert!(log.contains(&format!("{variable} is not set")), "{variable}: {log}");
    }
}

#[tokio::test]
#[ignore = "needs AWS's runtime emulator, release binaries and DynamoDB Local"]
async fn the_deployed_webhook_function_keeps_its_ledger_in_dynamodb() {
    let fakes = Fakes::start().await.unwrap();
    let local = DynamoDbLocal::start(&path_in("DYNAMODB_LOCAL"), "ledger").await.unwrap();
    let mut settings = always_open(&fakes);
    for (variable, value) in [("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL_DYNAMODB", local.url())] {
        settings.insert(variable.to_owned(), value.to_owned());
    }
    let event = signed(&incident().v3(&event_spec("e1", "incident.triggered", EVENING)));
    for (posted, ignored) in [(1, 0), (0, 1)] {
        // A new process each time: only the table remembers.
        let function = function("pagerduty2typetalk", &settings).await;
        let expected = (200, json!({"posted": posted, "ignored": ignored}));
        assert_eq!(answer(&function.invoke(&event).await.unwrap()), expected, "{}", function.log());
        assert!(!function.log().contains("the ledger's table can't be used"), "{}", function.log());
    }
    assert_eq!(fakes.typetalk.take_posts().len(), 1);
}

#[tokio::test]
#[ignore = "needs AWS's runtime emulator and release binaries"]
async fn the_deployed_functions_take_their_secrets_from_parameter_store() {
    let fakes = Fakes::start().await.unwrap();
    let ssm = Ssm::start(0).await.unwrap();
    let mut settings = always_open(&fakes);
    for setting in SETTINGS.iter().filter(|setting| setting.secret) {
        if let Some(secret) = settings.remove(setting.name) {
            ssm.put(&format!("/oncall/{}", setting.name), &secret);
        }
    }
    for (variable, value) in [("SECRETS_PATH", "/oncall"), ("AWS_ENDPOINT_URL_SSM", &ssm.url())] {
        settings.insert(variable.to_owned(), value.to_owned());
    }
    let webhooks = function("pagerduty2typetalk", &settings).await;
    let event = signed(&incident().v3(&event_spec("e1", "incident.triggered", EVENING)));
    assert_eq!(answer(&webhooks.invoke(&event).await.unwrap()).0, 200, "{}", webhooks.log());
    let reminders = function("oncall-reminder", &settings).await;
    // Whatever day it is here: a request for a day long past would not count as the schedule's.
    let request = json!({"reminder": "today"});
    assert_eq!(reminders.invoke(&request).await.unwrap()["posted"], true, "{}", reminders.log());
    assert!(reminders.log().contains(r#""ReminderSettled":1"#), "{}", reminders.log());
    assert_eq!(ssm.requests(), 3, "each function at its start, and the check beside the reminder");
}

#[tokio::test]
#[ignore = "needs AWS's runtime emulator and release binaries"]
async fn the_deployed_webhook_function_carries_out_a_press_at_a_cold_start() {
    let fakes = Fakes::start().await.unwrap();
    let (ssm, table) = (Ssm::start(0).await.unwrap(), DynamoDb::start(0, "ledger").await.unwrap());
    let mut settings = always_open(&fakes);
    for name in ["SLACK_TOKEN", "SLACK_SIGNING_SECRETS", "PAGERDUTY_ACTION_KEY"] {
        ssm.put(&format!("/oncall/{name}"), &settings.remove(name).unwrap());
    }
    for (variable, value) in [
        ("CHATS", "slack"),
        ("SECRETS_PATH", "/oncall"),
        ("AWS_ENDPOINT_URL_SSM", &ssm.url()),
        ("LEDGER_TABLE", "ledger"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &table.url()),
    ] {
        settings.insert(variable.to_owned(), value.to_owned());
    }
    fakes.incidents.open_as("PPRESSED", 1, "応答が遅い", "triggered", EVENING);
    let text = "🔴 発生 #pd1 応答が遅い";
    let button =
        Button { action: "acknowledge", value: "PPRESSED", channel: "C0ALERTS", ts: "1795485600.000100", text };
    let presser = Person { id: "U0TANAKA1", name: "tanaka" };
    let body = payload(&presser.press(&button, 1, &fakes.slack.url()));
    // The function has a real clock.
    let event = slack_event(SLACK_SIGNING_SECRET, clock::now().fixed_offset(), &body);
    let function = function("pagerduty2typetalk", &settings).await;
    let response = function.invoke(&event).await.unwrap();
    assert_eq!(response["statusCode"], 200, "{}", function.log());
    let done: Vec<_> = fakes.incidents.take_done().iter().map(|done| done.what).collect();
    assert_eq!((done, fakes.slack.take_told()), (vec!["acknowledged"], vec![]), "{}", function.log());
    assert!(table.holds("incident#PPRESSED", "田中"), "{}", function.log());
}

#[tokio::test]
#[ignore = "needs AWS's runtime emulator and release binaries"]
async fn an_order_that_no_schedule_gives_is_an_error_of_the_invocation() {
    let fakes = Fakes::start().await.unwrap();
    let reminders = function("oncall-reminder", &fakes.settings()).await;
    let answer = reminders.invoke(&json!({"reminder": "tomorrow"})).await.unwrap();
    assert_eq!(answer["errorType"], "RequestError");
    assert!(answer["errorMessage"].as_str().unwrap().contains(r#""reminder":"today", "next" or "week""#), "{answer}");
}

#[tokio::test]
async fn a_function_whose_runtime_is_taken_away_has_not_failed() {
    for (function, binary) in [
        ("pagerduty2typetalk", env!("CARGO_BIN_EXE_pagerduty2typetalk")),
        ("oncall-reminder", env!("CARGO_BIN_EXE_oncall-reminder")),
    ] {
        let fakes = Fakes::start().await.unwrap();
        let runtime = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = fakes.settings();
        let address = runtime.local_addr().unwrap().to_string();
        let process = tokio::task::spawn_blocking(move || {
            let of_lambda = [
                ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "function"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ];
            Command::new(binary).env_clear().envs(settings).envs(of_lambda).output().unwrap()
        });
        // It has started when it asks for its first invocation; instead of one, the connection is closed.
        let (asked, _) = runtime.accept().await.unwrap();
        asked.readable().await.unwrap();
        drop((asked, runtime));
        let output = process.await.unwrap();
        let log = String::from_utf8_lossy(&output.stdout);
        assert!(log.contains(r#""level":"INFO""#) && log.contains(r#""event":"stopped""#), "{function}: {log}");
        assert!(!log.contains("ERROR") && output.status.success(), "{function}: {output:?}");
    }
}
