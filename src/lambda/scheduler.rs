//! EventBridge Scheduler's side: the orders that a schedule gives, and the answer to each.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use lambda_http::lambda_runtime::Diagnostic;
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::reminder::ReminderKind;
use crate::reminder::{NotPosted, ReminderHandler, ReminderOutcome, ReminderRequest, Tally};

/// What was settled, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountsAsDone {
    /// Posted, or a day on which nothing was to be posted.
    Yes,
    /// Tried out, or failed.
    No,
}

/// An order that can't be understood. It is told as the invocation's error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; an order looks like {EXAMPLE}")]
pub struct RequestError {
    what: String,
}

const EXAMPLE: &str =
    r#"{"reminder":"today" or "next","at":"2026-11-24T10:00:00+09:00" (optional),"dry_run":true or false (optional)}"#;

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Reminded { posted: bool, date: NaiveDate, on_call: Vec<String>, text: String },
    NotReminded { posted: bool, reason: String },
}

/// Carries out the order of one invocation, and says what happened for the metrics.
///
/// The answer is an error if the order can't be understood, or no chat took the reminder: the invocation has failed,
/// and Lambda repeats it.
pub async fn answer(
    reminders: &ReminderHandler,
    event: &Value,
    now: DateTime<Utc>,
) -> (Result<Value, InvocationError>, CountsAsDone, Tally) {
    let order = match order(event) {
        Ok(order) => order,
        Err(error) => {
            tracing::error!(event = "order", "{error}");
            return (Err(error.into()), CountsAsDone::No, Tally::default());
        }
    };
    let (outcome, tally) = reminders.remind(order, now).await;
    match outcome {
        Ok(outcome) => {
            let settles = order.is_current(now) && settles(&outcome, order);
            let settled = if settles { CountsAsDone::Yes } else { CountsAsDone::No };
            (Ok(told(outcome)), settled, tally)
        }
        Err(error) => (Err(error.into()), CountsAsDone::No, tally),
    }
}

/// What was settled before was counted then: counting it twice would hide that another reminder is missing.
fn settles(outcome: &ReminderOutcome, order: ReminderRequest) -> bool {
    match outcome {
        ReminderOutcome::Reminded { posted, .. } => *posted,
        ReminderOutcome::DayOff { .. } => !order.dry_run,
        // What is given up was posted nowhere: the alarm of a missing reminder says so, too.
        ReminderOutcome::RemindedBefore(_) | ReminderOutcome::Early { .. } | ReminderOutcome::GivenUp => false,
    }
}

fn told(outcome: ReminderOutcome) -> Value {
    let reason = match outcome {
        ReminderOutcome::RemindedBefore(before) => return told(*before),
        ReminderOutcome::Reminded { posted, date, on_call, text } => {
            return json!(Answer::Reminded { posted, date, on_call, text });
        }
        ReminderOutcome::DayOff { date } => {
            let reason = format!("{date} is no working day (BUSINESS_DAYS, HOLIDAYS)");
            tracing::info!(event = "day_off", "{reason}");
            reason
        }
        ReminderOutcome::Early { at } => {
            let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            let reason = format!(
                "{at} is more than an hour ahead, and posted now, it would not be posted then; \
                 leave `at` out, or try it out with `dry_run`"
            );
            tracing::warn!(event = "early", "{reason}");
            reason
        }
        ReminderOutcome::GivenUp => {
            "every chat refuses what the reminder says; the log's delivery lines say why".to_owned()
        }
    };
    json!(Answer::NotReminded { posted: false, reason })
}

/// Why an invocation has failed, as Lambda shows it.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
    /// The order can't be understood.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// No chat took the reminder.
    #[error(transparent)]
    NotPosted(#[from] NotPosted),
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        let error_type = match error {
            InvocationError::Request(_) => "RequestError",
            InvocationError::NotPosted(_) => "NotPosted",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

/// Reads an order. What a schedule sends is configuration, so nothing odd is guessed at.
fn order(event: &Value) -> Result<ReminderRequest, RequestError> {
    let wrong = |what: &str| RequestError { what: what.to_owned() };
    let Value::Object(fields) = event else { return Err(wrong("the event is no object")) };
    if let Some(unknown) = fields.keys().find(|name| !["reminder", "at", "dry_run"].contains(&name.as_str())) {
        return Err(wrong(&format!("the event has an unknown field {}", json!(unknown))));
    }
    let kind = match event["reminder"].as_str() {
        Some("today") => ReminderKind::Today,
        Some("next") => ReminderKind::Next,
        Some(other) => return Err(wrong(&format!("the reminder {} is neither of the two", json!(other)))),
        None => return Err(wrong("the event has no `reminder`")),
    };
    let at = match &event["at"] {
        Value::Null => None,
        at => Some(
            at.as_str()
                .and_then(|at| DateTime::parse_from_rfc3339(at).ok())
                .ok_or_else(|| wrong(&format!("the time {at} is not RFC 3339")))?
                .to_utc(),
        ),
    };
    let dry_run = match &event["dry_run"] {
        Value::Null => false,
        dry_run => dry_run.as_bool().ok_or_else(|| wrong("`dry_run` is neither true nor false"))?,
    };
    Ok(ReminderRequest { kind, at, dry_run })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_reminder_with_an_optional_time_and_dry_run() {
        let at = |at: &str| Some(at.parse::<DateTime<Utc>>().unwrap());
        for (event, kind, time, dry_run) in [
            (json!({"reminder": "today"}), ReminderKind::Today, None, false),
            (json!({"reminder": "next", "dry_run": true}), ReminderKind::Next, None, true),
            (
                json!({"reminder": "next", "at": "2026-11-24T17:00:00+09:00", "dry_run": false}),
                ReminderKind::Next,
                at("2026-11-24T08:00:00Z"),
                false,
            ),
            (json!({"reminder": "today", "at": null, "dry_run": null}), ReminderKind::Today, None, false),
        ] {
            assert_eq!(order(&event), Ok(ReminderRequest { kind, at: time, dry_run }), "{event}");
        }
    }

    #[test]
    fn what_is_no_order_is_told_with_what_one_looks_like() {
        for (event, what) in [
            (json!(null), "the event is no object"),
            (json!({}), "the event has no `reminder`"),
            (json!({"reminder": 1}), "the event has no `reminder`"),
            (json!({"reminder": "tomorrow"}), "the reminder \"tomorrow\" is neither of the two"),
            (json!({"reminder": "today", "at": "10:00"}), "the time \"10:00\" is not RFC 3339"),
            (json!({"reminder": "today", "at": 5}), "the time 5 is not RFC 3339"),
            (json!({"reminder": "today", "dry_run": "yes"}), "`dry_run` is neither true nor false"),
            (json!({"reminder": "today", "dryRun": true}), "the event has an unknown field \"dryRun\""),
        ] {
            let error = order(&event).unwrap_err().to_string();
            assert_eq!(error, format!("{what}; an order looks like {EXAMPLE}"), "{event}");
        }
    }
}
