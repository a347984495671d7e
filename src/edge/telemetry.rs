//! Logs as JSON lines, and metrics in CloudWatch's embedded metric format, both on standard output.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::relay::Tally;

/// The CloudWatch namespace of all metrics.
pub const NAMESPACE: &str = "OncallRelay";

/// Starts logging: ours from `INFO`; of the libraries only warnings, since they may quote what we keep quiet.
pub fn start_logging() {
    let ours = Targets::new().with_target("oncall_relay", LevelFilter::INFO).with_default(LevelFilter::WARN);
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(false);
    // Somebody else's subscriber, as in a test, is as good.
    let _ = tracing_subscriber::registry().with(ours).with(lines).try_init();
}

/// The end of a function's process: a failed start is told once, as a line like any other.
#[must_use]
pub fn exit_code(result: Result<(), lambda_http::Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "start", "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Emits what is not zero.
pub fn emit(function: &str, tally: &Tally, now: DateTime<Utc>) {
    if let Some(line) = embedded_metrics(function, tally, now) {
        println!("{line}");
    }
}

/// One line after
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
fn embedded_metrics(function: &str, tally: &Tally, now: DateTime<Utc>) -> Option<Value> {
    let counts = [
        ("Posted", tally.posted),
        ("Ignored", tally.ignored),
        ("Failed", tally.failed),
        ("FailedOver", tally.failed_over),
        ("GivenUp", tally.given_up),
        ("Unreadable", tally.unreadable),
        ("Unauthenticated", tally.unauthenticated),
        ("RosterStale", tally.roster_stale),
    ];
    let mut line = json!({ "Function": function });
    let mut metrics = Vec::new();
    for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        metrics.push(json!({"Name": name, "Unit": "Count"}));
        line[name] = count.into();
    }
    if !tally.seconds_to_post.is_empty() {
        metrics.push(json!({"Name": "SecondsToPost", "Unit": "Seconds"}));
        line["SecondsToPost"] = json!(tally.seconds_to_post);
    }
    if metrics.is_empty() {
        return None;
    }
    line["_aws"] = json!({
        "Timestamp": now.timestamp_millis(),
        "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": metrics}],
    });
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
            embedded_metrics("pagerduty2typetalk", &tally, now),
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
        assert_eq!(embedded_metrics("pagerduty2typetalk", &Tally::default(), now), None);
    }
}
