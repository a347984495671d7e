//! What a function's process shows and asks: logs as JSON lines, metrics in CloudWatch's embedded format.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::scheduler::CountsAsDone;
use crate::log_events;
use crate::reminder;
use crate::webhook::Tally;

/// The CloudWatch namespace of all metrics.
pub const NAMESPACE: &str = "OncallRelay";

/// Starts logging to the standard output.
pub fn start_logging() {
    // Somebody else's subscriber, as in a test, is as good.
    let _ = log_to(std::io::stdout).try_init();
}

/// Ours from `INFO`; of the libraries only warnings, since they may quote what we keep quiet.
pub fn log_to<W>(writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let ours = Targets::new().with_target("oncall_relay", LevelFilter::INFO).with_default(LevelFilter::WARN);
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(false).with_writer(writer);
    tracing_subscriber::registry().with(ours).with(lines)
}

/// The end of a function's process: a failed start is logged once, as a line like any other.
#[must_use]
pub fn exit_code(result: Result<(), lambda_http::Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = log_events::START, "{error}");
            ExitCode::FAILURE
        }
    }
}

/// The end of a function that had started: Lambda, or `sam local`, has taken the runtime away, which is no failure.
pub fn log_stop(result: &Result<(), lambda_http::Error>) {
    if let Err(error) = result {
        tracing::info!(event = log_events::STOPPED, "the runtime has ended: {error}");
    }
}

/// Emits what happened to a webhook, as far as it is not zero.
pub fn emit_webhook(tally: &Tally, now: DateTime<Utc>) {
    emit("pagerduty2typetalk", &of_webhook(tally), now);
}

/// Emits what happened to a reminder. That none is settled is an alarm, so one that isn't is not counted.
pub fn emit_reminder(settled: CountsAsDone, tally: &reminder::Tally, now: DateTime<Utc>) {
    emit("oncall-reminder", &of_reminder(settled, tally), now);
}

fn emit(function: &str, metrics: &[Metric], now: DateTime<Utc>) {
    if let Some(line) = embedded_metrics(function, metrics, now) {
        println!("{line}");
    }
}

struct Metric {
    name: &'static str,
    unit: &'static str,
    /// A number, or several.
    value: Value,
}

type Counts<T> = [(&'static str, fn(&T) -> u32)];

const OF_WEBHOOKS: &Counts<Tally> = &[
    ("Posted", |tally| tally.posted),
    ("Ignored", |tally| tally.ignored),
    ("Failed", |tally| tally.failed),
    ("FailedOver", |tally| tally.failed_over + tally.notices.failed_over),
    ("GivenUp", |tally| tally.given_up),
    ("Unreadable", |tally| tally.unreadable),
    ("Unauthenticated", |tally| tally.unauthenticated + tally.notices.unauthenticated),
    ("UnauthenticatedWebhook", |tally| tally.unauthenticated_webhooks),
    ("SecretsStale", |tally| tally.secrets_stale + tally.notices.secrets_stale),
    ("RosterStale", |tally| tally.roster_stale),
    ("MembersUnreadable", |tally| tally.members_unreadable),
    ("RowUnreadable", |tally| tally.row_unreadable),
    ("LedgerFailed", |tally| tally.ledger_failed + tally.notices.ledger_failed),
    ("Unmentionable", |tally| tally.unmentionable),
    ("NobodyMentioned", |tally| tally.nobody_mentioned),
    ("NoticesPosted", |tally| tally.notices.posted),
    ("NoticesFailed", |tally| tally.notices.failed),
    ("NoticesLimited", |tally| tally.notices.limited),
];

const OF_REMINDERS: &Counts<reminder::Tally> = &[
    ("GivenUp", |tally| tally.given_up),
    ("RosterStale", |tally| tally.roster_stale),
    ("MembersUnreadable", |tally| tally.members_unreadable),
    ("RowUnreadable", |tally| tally.row_unreadable),
    ("LedgerFailed", |tally| tally.ledger_failed),
    ("Unmentionable", |tally| tally.unmentionable),
    ("NobodyMentioned", |tally| tally.nobody_mentioned),
];

const REMINDER_SETTLED: &str = "ReminderSettled";
const SECONDS_TO_POST: &str = "SecondsToPost";

/// The names of all metrics; some are of both functions.
pub fn metric_names() -> impl Iterator<Item = &'static str> {
    let webhooks = OF_WEBHOOKS.iter().map(|(name, _)| *name);
    let reminders = OF_REMINDERS.iter().map(|(name, _)| *name);
    webhooks.chain(reminders).chain([REMINDER_SETTLED, SECONDS_TO_POST])
}

fn of_webhook(tally: &Tally) -> Vec<Metric> {
    metrics(counted(OF_WEBHOOKS, tally), &tally.seconds_to_post)
}

fn of_reminder(settled: CountsAsDone, tally: &reminder::Tally) -> Vec<Metric> {
    let settled = (REMINDER_SETTLED, u32::from(settled == CountsAsDone::Yes));
    metrics([settled].into_iter().chain(counted(OF_REMINDERS, tally)), tally.seconds_to_post.as_slice())
}

fn counted<T>(counts: &Counts<T>, tally: &T) -> impl Iterator<Item = (&'static str, u32)> {
    counts.iter().map(move |(name, count)| (*name, count(tally)))
}

fn metrics(counts: impl Iterator<Item = (&'static str, u32)>, seconds_to_post: &[f64]) -> Vec<Metric> {
    let counted = counts.filter(|(_, count)| *count > 0);
    let mut metrics: Vec<_> =
        counted.map(|(name, count)| Metric { name, unit: "Count", value: json!(count) }).collect();
    if !seconds_to_post.is_empty() {
        metrics.push(Metric { name: SECONDS_TO_POST, unit: "Seconds", value: json!(seconds_to_post) });
    }
    metrics
}

/// One line after
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
fn embedded_metrics(function: &str, metrics: &[Metric], now: DateTime<Utc>) -> Option<Value> {
    if metrics.is_empty() {
        return None;
    }
    let named: Vec<_> = metrics.iter().map(|Metric { name, unit, .. }| json!({"Name": name, "Unit": unit})).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now.timestamp_millis(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": named}],
        },
        "Function": function,
    });
    for Metric { name, value, .. } in metrics {
        line[*name] = value.clone();
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_name_what_happened_and_nothing_else() {
        let now = DateTime::from_timestamp_millis(1_795_485_600_000).unwrap();
        let tally = Tally { posted: 2, failed_over: 1, seconds_to_post: vec![1.5, 2.0], ..Tally::default() };
        assert_eq!(
            embedded_metrics("pagerduty2typetalk", &of_webhook(&tally), now),
            Some(json!({
                "_aws": {
                    "Timestamp": 1_795_485_600_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "OncallRelay",
                        "Dimensions": [["Function"]],
                        "Metrics": [
                            {"Name": "Posted", "Unit": "Count"},
                            {"Name": "FailedOver", "Unit": "Count"},
                            {"Name": "SecondsToPost", "Unit": "Seconds"},
                        ],
                    }],
                },
                "Function": "pagerduty2typetalk",
                "Posted": 2,
                "FailedOver": 1,
                "SecondsToPost": [1.5, 2.0],
            }))
        );
        assert_eq!(embedded_metrics("pagerduty2typetalk", &of_webhook(&Tally::default()), now), None);
    }

    #[test]
    fn a_reminder_that_is_not_settled_still_tells_what_failed() {
        let tally = reminder::Tally {
            roster_stale: 1,
            ledger_failed: 1,
            unmentionable: 2,
            seconds_to_post: Some(1.5),
            ..reminder::Tally::default()
        };
        let names = |settled| of_reminder(settled, &tally).iter().map(|metric| metric.name).collect::<Vec<_>>();
        let failed = ["RosterStale", "LedgerFailed", "Unmentionable", "SecondsToPost"];
        assert_eq!(names(CountsAsDone::No), failed);
        assert_eq!(names(CountsAsDone::Yes), [&["ReminderSettled"][..], &failed].concat());
    }
}
