//! Plants every secret, makes everything fail, and searches all that comes out.

use std::cell::RefCell;
use std::io;

use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::emulator::Emulator;
use oncall::fakes::pagerduty::{http_api_event, signature, v2, v3};
use oncall::fakes::server::{Fault, Server};
use oncall::fakes::ssm::Ssm;
use oncall::fakes::{BEARER_TOKEN, SIGNING_SECRET};
use oncall_relay::config::{ReminderConfig, SETTINGS, WebhookConfig};
use oncall_relay::edge::secrets;
use oncall_relay::lambda::{scheduler, telemetry};
use oncall_relay::reminder::ReminderHandler;
use oncall_relay::webhook::WebhookHandler;
use serde_json::{Value, json};

use crate::emulator::path_in;
use crate::world::{DAYTIME, EVENING, World, event_spec, incident, instant, triggered};

const TABLE: &str = "oncall-relay-ledger";
const AWS_SECRET: &str = "planted-aws-secret-key";
const AWS_SESSION: &str = "planted-aws-session-token";
/// What an attacker guessed; it may be nearly right.
const GUESS: &str = "planted-guess-of-a-token";
/// In PagerDuty's own bodies: the extension's settings with its headers.
const IN_BODY: &str = "planted-in-the-body";

/// A world with a ledger and a secret store, and what must never be seen of it.
struct Planted {
    world: World,
    table: DynamoDb,
    ssm: Ssm,
    secrets: Vec<String>,
}

impl Planted {
    async fn new() -> Self {
        let (mut world, table) = (World::new().await, DynamoDb::start(0, TABLE).await.unwrap());
        let ssm = Ssm::start(0).await.unwrap();
        for name in ["SLACK_TOKEN", "PAGERDUTY_SIGNING_SECRETS", "PAGERDUTY_TOKENS"] {
            ssm.put(&format!("/oncall/{name}"), &world.fakes.settings()[name]);
            world.set(name, "");
        }
        for (name, value) in [
            ("LEDGER_TABLE", TABLE),
            ("SECRETS_PATH", "/oncall"),
            ("AWS_SECRET_ACCESS_KEY", AWS_SECRET),
            ("AWS_SESSION_TOKEN", AWS_SESSION),
            ("AWS_ENDPOINT_URL_DYNAMODB", &table.url()),
            ("AWS_ENDPOINT_URL_SSM", &ssm.url()),
        ] {
            world.set(name, value);
        }
        let watchdog = world.watchdog.address();
        world.set("HEARTBEAT_URL", &watchdog);
        let mut settings = world.fakes.settings();
        settings.insert("HEARTBEAT_URL".to_owned(), watchdog);
        let mut secrets: Vec<_> = [AWS_SECRET, AWS_SESSION, GUESS, IN_BODY, "ya29."].map(str::to_owned).into();
        for setting in SETTINGS.iter().filter(|setting| setting.secret) {
            let value = settings.get(setting.name).unwrap_or_else(|| panic!("{} is not planted", setting.name));
            match serde_json::from_str::<Value>(value) {
                Ok(key) => secrets.extend(key["private_key"].as_str().unwrap().lines().map(str::to_owned)),
                Err(_) => secrets.extend(value.split(',').map(|secret| secret.trim().to_owned())),
            }
        }
        Self { world, table, ssm, secrets }
    }

    fn servers(&self) -> [&Server; 7] {
        let world = &self.world;
        [&world.google, &world.typetalk, &world.slack, &world.incidents, &world.watchdog, &self.table, &self.ssm]
    }

    #[track_caller]
    fn search(&self, place: &str, output: &str) {
        assert!(!output.is_empty(), "{place}: nothing came out");
        for secret in &self.secrets {
            assert!(!output.contains(secret), "{secret} in {place}:\n{output}");
        }
    }
}

/// Titles, notes and names, of which the log must not speak either.
const PRIVATE: [&str; 6] = ["応答が遅い", "調査中です", "Rin Abe", "田中", "鈴木", "tanaka"];

fn deliveries(round: usize) -> Vec<Value> {
    let id = |name: &str| format!("{name}-{round}");
    let mut triggered = triggered(&id("v3"));
    triggered["event"]["agent"] = json!({"summary": "Rin Abe"});
    let note = incident().v3_note(&event_spec(&id("note"), "incident.annotated", DAYTIME), "調査中です");
    let ping = v3(&event_spec(&id("ping"), "pagey.ping", DAYTIME), &json!({"type": "ping"}));
    let mut message = incident().v2(&event_spec(&id("v2"), "incident.resolve", DAYTIME));
    message["webhook"]["config"] = json!({"headers": [{"name": "Authorization", "value": IN_BODY}]});
    message["webhook"]["endpoint_url"] = json!(format!("https://relay.example/{IN_BODY}"));
    let nothing = json!({"secret": IN_BODY});
    vec![triggered, note, ping, v2(&[message]), nothing]
}

fn headers(body: &[u8]) -> [Vec<(&'static str, String)>; 5] {
    [
        vec![("x-pagerduty-signature", signature(SIGNING_SECRET, body)), ("x-webhook-id", "w-1".to_owned())],
        vec![("authorization", format!("Bearer {BEARER_TOKEN}"))],
        vec![("authorization", format!("Bearer {GUESS}"))],
        vec![("authorization", format!("Bearer {GUESS}")), ("x-webhook-id", GUESS.repeat(10))],
        vec![("x-pagerduty-signature", format!("v1={GUESS}")), ("x-webhook-id", "w-é".to_owned())],
    ]
}

/// Ways to fail that quote what they were sent, or at least are quick.
fn faults() -> Vec<Option<Fault>> {
    let quotes = r#"{"ok":false,"error":"xoxb-stand-in","errors":[{"field":"stand-in-typetalk-token"}],"__type":"PlantedException","message":"planted-aws-secret-key planted-aws-session-token","error_description":"ya29.stand-in-1"}"#;
    vec![
        None,
        Some(Fault::Answer(200, vec![], quotes)),
        Some(Fault::Answer(400, vec![("www-authenticate", "Bearer stand-in-typetalk-token".to_owned())], quotes)),
        Some(Fault::Answer(401, vec![], quotes)),
        Some(Fault::Answer(403, vec![], quotes)),
        Some(Fault::Answer(302, vec![("location", format!("http://127.0.0.1:1/{GUESS}"))], quotes)),
        Some(Fault::status(413)),
        Some(Fault::too_many(60)),
        Some(Fault::Answer(200, vec![], "<html>stand-in-bearer-token")),
        Some(Fault::HangUp),
    ]
}

thread_local! {
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what is logged on this thread, on which a test has its whole runtime.
struct OfThisThread;

impl io::Write for OfThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_comes_out_whatever_fails() {
    tracing::subscriber::set_global_default(telemetry::log_to(|| OfThisThread)).unwrap();
    let planted = Planted::new().await;
    let Planted { world, .. } = &planted;
    let now = instant(DAYTIME).to_utc();

    let (config, secrets) = secrets::load(world.environment(), WebhookConfig::read).await.unwrap();
    let (reminder_config, reminder_secrets) = secrets::load(world.environment(), ReminderConfig::read).await.unwrap();
    planted.search("what Debug prints", &format!("{secrets:?} {config:?} {reminder_config:?}"));
    let reminders = ReminderHandler::new(reminder_config).await.unwrap().with_secrets(reminder_secrets);
    let relay = WebhookHandler::new(config, secrets, now).await.unwrap();
    planted.search("what Debug prints", &format!("{relay:?}"));
    let relay = world.running(relay);

    let (mut answers, mut posts) = (Vec::new(), String::new());
    for (round, fault) in faults().into_iter().enumerate() {
        for server in planted.servers() {
            server.fail_only("");
            server.fail_always(fault.clone());
        }
        // The sheet and the secrets are read again after a minute.
        let at = format!("2026-11-24T11:{:02}:00+09:00", 2 * round);
        for delivery in deliveries(round) {
            let body = delivery.to_string();
            for headers in headers(body.as_bytes()) {
                let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                answers.push(format!("{:?}", relay.send(&at, &headers, body.as_bytes()).await));
            }
        }
        let unreadable = format!("{{\"a\":\"{IN_BODY}");
        answers.push(format!("{:?} {:?}", relay.signed_bytes(&at, unreadable.as_bytes()).await, relay.tally()));
        answers.push(format!("{:?}", relay.event(&at, &http_api_event(&format!("/{GUESS}"), &[], b"{}")).await));
        for request in [json!({"reminder": "today", "at": at}), json!({"check": true, "post": true})] {
            let (answer, ..) = scheduler::answer(&reminders, &request, instant(&at).to_utc()).await;
            answers.push(format!("{answer:?}"));
        }
        posts += &[relay.topic(), relay.channel()].concat().join("\n");
        let loaded = secrets::load(world.environment(), WebhookConfig::read).await;
        answers.push(format!("{:?}", loaded.map_err(|error| error.to_string())));
        planted.search("what Debug prints", &format!("{reminders:?}"));
    }
    let log = String::from_utf8(LOG.take()).unwrap();
    planted.search("the log", &log);
    let answers = answers.join("\n");
    planted.search("the answers", &answers);
    planted.search("the posts", &posts);

    for private in PRIVATE {
        assert!(!log.contains(private), "{private} in the log:\n{log}");
    }
    // What was searched is what it seems to be.
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok_and(|line| line["event"].is_string())));
    for event in [
        "delivery",
        "unauthenticated",
        "unauthenticated_webhook",
        "unreadable",
        "roster_unreadable",
        "ignored",
        "not_found",
        "secrets",
    ] {
        assert!(log.contains(&format!(r#""event":"{event}""#)), "no {event} in the log:\n{log}");
    }
    for told in ["200", "401", "503", "404"] {
        assert!(answers.contains(&format!("({told}, ")), "no {told} among the answers:\n{answers}");
    }
    assert!(posts.contains("@tanaka") && posts.contains("調査中です"), "{posts}");
}

#[tokio::test]
#[ignore = "needs AWS's runtime emulator and release binaries"]
async fn no_secret_comes_out_of_the_deployed_functions() {
    for name in ["pagerduty2typetalk", "oncall-reminder"] {
        let planted = Planted::new().await;
        let bootstrap = path_in("BOOTSTRAPS").join(name);
        let function =
            Emulator::start(&path_in("AWS_LAMBDA_RIE"), &bootstrap, planted.world.variables()).await.unwrap();
        let mut answers = Vec::new();
        for (round, fault) in faults().into_iter().enumerate() {
            for server in planted.servers() {
                server.fail_always(fault.clone());
            }
            for delivery in deliveries(round) {
                let body = delivery.to_string();
                for headers in headers(body.as_bytes()) {
                    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    let event = http_api_event("/pagerduty", &headers, body.as_bytes());
                    answers.push(format!("{:?}", function.invoke(&event).await));
                }
            }
            let request = json!({"reminder": "today", "at": EVENING, "dry_run": false});
            answers.push(format!("{:?}", function.invoke(&request).await));
            // Whatever day it is here: only a request for today counts in the metrics.
            answers.push(format!("{:?}", function.invoke(&json!({"reminder": "today"})).await));
        }
        let (log, answers) = (function.log(), answers.join("\n"));
        planted.search("the output of the function", &log);
        planted.search("its answers", &answers);
        // What was searched is what it seems to be.
        let (told, logged) = match name {
            "pagerduty2typetalk" => (["Number(200)", "Number(401)", "Number(503)"], ["delivery", "unauthenticated"]),
            _ => (["\"posted\": Bool(true)", "errorMessage", "a request looks like"], ["delivery", "request"]),
        };
        assert!(told.iter().all(|part| answers.contains(part)), "{answers}");
        assert!(logged.iter().all(|event| log.contains(&format!(r#""event":"{event}""#))), "{log}");
        assert!(log.contains("_aws"), "no metrics in {log}");
    }
}
