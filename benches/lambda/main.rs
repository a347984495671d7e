//! What the functions cost, beside one that does nothing and one in Python: cold start, cold path, warm invocation, memory.
//!
//! `AWS_LAMBDA_RIE` names AWS's runtime emulator, `BOOTSTRAPS` the folder of the built functions, `BEFORE` that of earlier
//! ones to compare with, and `PYTHON` an interpreter with the package `cryptography`. All figures come from the same
//! run, turn by turn, because a machine's speed changes from minute to minute. A figure is held against its bound with
//! much room; only if it is beyond that in three runs of three the benchmark fails.

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::DateTime;
use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::emulator::Emulator;
use oncall::fakes::pagerduty::{EventSpec, Incident, http_api_event, signature};
use oncall::fakes::ssm::Ssm;
use oncall::fakes::{Fakes, SIGNING_SECRET};
use serde_json::{Value, json};

mod bounds;
mod cold_path;

use bounds::{Figure, Figures};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const COLD_STARTS: usize = 15;
const WARM_INVOCATIONS: u32 = 300;
const RUNS: usize = 3;

/// The functions that are measured.
struct Functions {
    rie: PathBuf,
    empty: PathBuf,
    webhook: PathBuf,
    reminder: PathBuf,
    before: Option<PathBuf>,
    python: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    // `cargo test --all-targets` runs benchmarks, too; they measure only when they are asked to, as `cargo bench` does.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let bootstraps = variable("BOOTSTRAPS").ok_or("BOOTSTRAPS must name the folder of the built functions")?;
    let functions = Functions {
        rie: variable("AWS_LAMBDA_RIE").ok_or("AWS_LAMBDA_RIE must name the runtime emulator")?,
        empty: empty_function()?,
        webhook: bootstraps.join("pagerduty2typetalk"),
        reminder: bootstraps.join("oncall-reminder"),
        before: variable("BEFORE"),
        python: cold_path::python_function()?,
    };
    for run in 1..=RUNS {
        println!("run {run} of {RUNS} at most");
        let mut figures = Figures::default();
        starts(&functions, &mut figures).await?;
        cold_path::measure(&functions, &mut figures).await?;
        warm(&functions, &mut figures).await?;
        let beyond = figures.beyond();
        if beyond.is_empty() {
            return Ok(());
        }
        println!("beyond its bound: {}", beyond.join("; "));
    }
    Err("a figure was beyond its bound in every run".into())
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

/// How long the functions take to start, their secrets and connections included.
async fn starts(functions: &Functions, figures: &mut Figures) -> Result<()> {
    let fakes = Fakes::start().await?;
    let settings = fakes.settings();
    let (ssm, dynamodb) = (Ssm::start(0).await?, DynamoDb::start(0, "ledger").await?);
    ssm.put("/oncall/SLACK_TOKEN", &settings["SLACK_TOKEN"]);
    let with_secrets =
        on_aws(&settings, &[("SECRETS_PATH", "/oncall"), ("AWS_ENDPOINT_URL_SSM", &ssm.url()), ("SLACK_TOKEN", "")]);
    let with_ledger = on_aws(&settings, &[("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url())]);
    let before = |name: &str| functions.before.as_ref().map(|folder| folder.join(name));

    let mut starts = vec![
        ("empty".to_owned(), None, functions.empty.clone(), &settings, Vec::new()),
        start("pagerduty2typetalk", Some(Figure::Webhook), &functions.webhook, &settings),
        start("pagerduty2typetalk with the ledger", Some(Figure::WebhookWithLedger), &functions.webhook, &with_ledger),
        start("oncall-reminder", Some(Figure::Reminder), &functions.reminder, &settings),
        start("oncall-reminder with secrets", Some(Figure::ReminderWithSecrets), &functions.reminder, &with_secrets),
    ];
    for (name, settings) in [("pagerduty2typetalk", &settings), ("oncall-reminder", &settings)] {
        starts.extend(before(name).map(|function| start(&format!("{name} before"), None, &function, settings)));
    }
    for _ in 0..COLD_STARTS {
        for (_, _, function, settings, times) in &mut starts {
            times.push(cold_start(&functions.rie, function, settings).await?);
        }
    }
    println!("cold start, median of {COLD_STARTS}");
    let yardstick = median(&mut starts[0].4);
    for (name, figure, _, _, times) in &mut starts {
        let time = median(times);
        let ratio = time / yardstick;
        println!("  {name}: {time:.2} ms, {ratio:.2} times the empty function's");
        figures.add(*figure, ratio);
    }
    Ok(())
}

type Start<'a> = (String, Option<Figure>, PathBuf, &'a HashMap<String, String>, Vec<f64>);

fn start<'a>(name: &str, figure: Option<Figure>, function: &Path, settings: &'a HashMap<String, String>) -> Start<'a> {
    (name.to_owned(), figure, function.to_owned(), settings, Vec::new())
}

/// How long an alert takes once the function runs, and the memory that it needs.
async fn warm(functions: &Functions, figures: &mut Figures) -> Result<()> {
    let (fakes, dynamodb) = (Fakes::start().await?, DynamoDb::start(0, "ledger").await?);
    let settings = on_aws(&fakes.settings(), &[("CHATS", "slack")]);
    // The table answers at once: what the ledger costs here is our own part of it.
    let with_ledger = on_aws(&settings, &[("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url())]);
    let before = functions.before.as_ref().map(|folder| folder.join("pagerduty2typetalk"));
    let named = [
        ("empty", None, Some(functions.empty.clone()), &settings),
        ("before", None, before, &settings),
        ("Python", None, functions.python.clone(), &settings),
        ("pagerduty2typetalk", Some(Figure::Warm), Some(functions.webhook.clone()), &settings),
        ("pagerduty2typetalk with the ledger", None, Some(functions.webhook.clone()), &with_ledger),
    ];
    let mut running = Vec::new();
    for (name, figure, function, settings) in named {
        let Some(function) = function else { continue };
        let function = Emulator::start(&functions.rie, &function, settings).await?;
        invoke(&function, &alert()?).await?;
        let used = processor_time(&function)?;
        running.push((name, figure, function, Vec::new(), used));
    }
    let _ = fakes.slack.take_posts();
    for _ in 0..WARM_INVOCATIONS {
        for (_, _, function, times, _) in &mut running {
            let event = alert()?;
            let started = Instant::now();
            invoke(function, &event).await?;
            times.push(milliseconds(started));
        }
    }
    let expected = usize::try_from(WARM_INVOCATIONS)? * (running.len() - 1);
    let posts = fakes.slack.take_posts().len();
    if posts != expected {
        return Err(format!("{posts} posts for {expected} webhooks").into());
    }
    let mut yardstick = None;
    println!("warm invocation, median of {WARM_INVOCATIONS}, one post each");
    for (name, figure, function, times, used) in &mut running {
        let time = median(times);
        let used = processor_time(function)?.saturating_sub(*used);
        let processor = used.as_secs_f64() * 1000.0 / f64::from(WARM_INVOCATIONS);
        let least = *yardstick.get_or_insert(processor);
        let ratio = processor / least;
        let kib = function.peak_resident_kib().ok_or("the function's memory can't be read")?;
        let mib = f64::from(u32::try_from(kib)?) / 1024.0;
        println!(
            "  {name}: {time:.2} ms; processor {processor:.2} ms, {ratio:.2} times the empty function's; resident memory \
             at most {mib:.1} MiB"
        );
        figures.add(*figure, ratio);
        figures.add(figure.map(|_| Figure::Memory), mib);
    }
    Ok(())
}

fn processor_time(function: &Emulator) -> Result<Duration> {
    function.processor_time().ok_or_else(|| "the function's processor time can't be read".into())
}

/// Builds the function that does nothing, with the profile of the others.
fn empty_function() -> Result<PathBuf> {
    let built = Command::new(env!("CARGO")).args(["build", "--release", "--package", "empty-function"]).status()?;
    if !built.success() {
        return Err("benches/empty_function can't be built".into());
    }
    Ok(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("release").join("empty-function"))
}

/// Settings with these besides.
fn on_aws(settings: &HashMap<String, String>, more: &[(&str, &str)]) -> HashMap<String, String> {
    let added = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    settings.clone().into_iter().chain(added).collect()
}

async fn cold_start(rie: &Path, function: &Path, settings: &HashMap<String, String>) -> Result<f64> {
    let function = Emulator::start(rie, function, settings).await?;
    function.invoke(&http_api_event("/", &[], b"")).await?;
    // The report may come a moment after the answer.
    for _ in 0..100 {
        if let Some(milliseconds) = function.init_milliseconds() {
            return Ok(milliseconds);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(format!("no INIT REPORT in: {}", function.log()).into())
}

async fn invoke(function: &Emulator, event: &Value) -> Result<()> {
    let answer = function.invoke(event).await?;
    let is_good = answer["statusCode"] == json!(200);
    if is_good { Ok(()) } else { Err(format!("the function answered {answer}: {}", function.log()).into()) }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// A webhook about an incident of its own: what follows in one would change the first message, too.
fn alert() -> Result<Value> {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let at = DateTime::parse_from_rfc3339("2026-11-24T11:00:00+09:00")?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let (id, title) = (format!("PBENCH{number}").leak(), "応答が遅い".to_owned());
    let incident = Incident { id, number, title, service: "Backlog" };
    let event_id = format!("01BENCH{number}");
    let event_spec = EventSpec { event_id, event_type: "incident.triggered", at, agent: None };
    let body = incident.v3(&event_spec).to_string();
    let signature = signature(SIGNING_SECRET, body.as_bytes());
    Ok(http_api_event("/pagerduty", &[("x-pagerduty-signature", &signature)], body.as_bytes()))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
