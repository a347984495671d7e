//! What the functions cost beside one that does nothing: cold start, warm invocation, memory.
//!
//! `AWS_LAMBDA_RIE` names AWS's runtime emulator. All figures come from the same run,
//! turn by turn, because a machine's mood changes from minute to minute.

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use chrono::DateTime;
use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::emulator::Emulator;
use oncall::fakes::pagerduty::{EventSpec, Incident, http_api_event, signature};
use oncall::fakes::ssm::Ssm;
use oncall::fakes::{Fakes, SIGNING_SECRET};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const COLD_STARTS: usize = 15;
const WARM_INVOCATIONS: usize = 300;

#[tokio::main]
async fn main() -> Result<()> {
    // `cargo test --all-targets` runs benchmarks, too; they measure only when `cargo bench` asks for it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let rie = PathBuf::from(std::env::var_os("AWS_LAMBDA_RIE").ok_or("AWS_LAMBDA_RIE must name the runtime emulator")?);
    let empty = empty_function()?;
    let (webhook, reminder) =
        (Path::new(env!("CARGO_BIN_EXE_pagerduty2typetalk")), Path::new(env!("CARGO_BIN_EXE_oncall-reminder")));
    let fakes = Fakes::start().await?;
    let settings = fakes.settings();
    let (ssm, dynamodb) = (Ssm::start(0).await?, DynamoDb::start(0, "ledger").await?);
    ssm.put("/oncall/SLACK_TOKEN", &settings["SLACK_TOKEN"]);
    let with_secrets =
        on_aws(&settings, &[("SECRETS_PATH", "/oncall"), ("AWS_ENDPOINT_URL_SSM", &ssm.url()), ("SLACK_TOKEN", "")]);
    let with_ledger = on_aws(&settings, &[("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url())]);

    let mut functions = [
        ("empty", &*empty, &settings, Vec::new()),
        ("pagerduty2typetalk", webhook, &settings, Vec::new()),
        ("pagerduty2typetalk with the ledger", webhook, &with_ledger, Vec::new()),
        ("oncall-reminder", reminder, &settings, Vec::new()),
        ("oncall-reminder with secrets from SSM", reminder, &with_secrets, Vec::new()),
    ];
    for _ in 0..COLD_STARTS {
        for (_, function, settings, starts) in &mut functions {
            starts.push(cold_start(&rie, function, settings).await?);
        }
    }
    println!("cold start, median of {COLD_STARTS}");
    let yardstick = median(&mut functions[0].3);
    for (name, _, _, starts) in &mut functions {
        let start = median(starts);
        println!("  {name}: {start:.2} ms, {:.2} times the empty function's", start / yardstick);
    }

    let empty = Emulator::start(&rie, &empty, &settings).await?;
    let webhook = Emulator::start(&rie, webhook, &settings).await?;
    let (mut empty_times, mut webhook_times) = (Vec::new(), Vec::new());
    for number in 0..WARM_INVOCATIONS {
        let event = alert(number)?;
        empty_times.push(milliseconds(&empty, &event).await?);
        webhook_times.push(milliseconds(&webhook, &event).await?);
    }
    let posts = fakes.typetalk.take_posts().len();
    if posts != WARM_INVOCATIONS {
        return Err(format!("{posts} posts for {WARM_INVOCATIONS} webhooks: {}", webhook.log()).into());
    }
    let (empty_time, webhook_time) = (median(&mut empty_times), median(&mut webhook_times));
    println!("warm invocation, median of {WARM_INVOCATIONS}, one post each: empty {empty_time:.2} ms");
    println!("  pagerduty2typetalk {webhook_time:.2} ms, {:.2} ms more", webhook_time - empty_time);
    for (name, function) in [("empty", &empty), ("pagerduty2typetalk", &webhook)] {
        let kib = function.peak_resident_kib().ok_or("the function's memory can't be read")?;
        println!("resident memory at most, {name}: {:.1} MiB", f64::from(u32::try_from(kib)?) / 1024.0);
    }
    Ok(())
}

/// Builds the function that does nothing, with the profile of the others.
fn empty_function() -> Result<PathBuf> {
    let built = Command::new(env!("CARGO")).args(["build", "--release", "--example", "empty_function"]).status()?;
    if !built.success() {
        return Err("examples/empty_function.rs can't be built".into());
    }
    let webhook = Path::new(env!("CARGO_BIN_EXE_pagerduty2typetalk"));
    Ok(webhook.with_file_name("examples").join("empty_function"))
}

/// Settings with these besides.
fn on_aws(settings: &HashMap<String, String>, more: &[(&str, &str)]) -> HashMap<String, String> {
    let added = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    settings.clone().into_iter().chain(added).collect()
}

async fn cold_start(rie: &Path, function: &Path, settings: &HashMap<String, String>) -> Result<f64> {
    let function = Emulator::start(rie, function, settings).await?;
    function.invoke(&http_api_event("/", &[], b"")).await?;
    function.init_milliseconds().ok_or_else(|| format!("no INIT REPORT in: {}", function.log()).into())
}

async fn milliseconds(function: &Emulator, event: &Value) -> Result<f64> {
    let started = Instant::now();
    let answer = function.invoke(event).await?;
    let took = started.elapsed().as_secs_f64() * 1000.0;
    if answer["statusCode"] == json!(200) { Ok(took) } else { Err(format!("the function answered {answer}").into()) }
}

fn alert(number: usize) -> Result<Value> {
    let at = DateTime::parse_from_rfc3339("2026-11-24T11:00:00+09:00")?;
    let event_spec = EventSpec { event_id: format!("e{number}"), event_type: "incident.triggered", at, agent: None };
    let incident = Incident { id: "PBENCH", number: 1, title: "応答が遅い".to_owned(), service: "Backlog" };
    let body = incident.v3(&event_spec).to_string();
    let signature = signature(SIGNING_SECRET, body.as_bytes());
    Ok(http_api_event("/pagerduty", &[("x-pagerduty-signature", &signature)], body.as_bytes()))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
