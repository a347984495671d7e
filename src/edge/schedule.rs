//! EventBridge Scheduler's side: the orders that a schedule gives, and the answer to each.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use lambda_http::lambda_runtime::Diagnostic;
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::reminder::Shift;
use crate::reminder::{NotPosted, Order, Outcome, Reminders, Tally};

/// What was settled, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Posted, or a day on which nothing was to be posted.
    Yes,
    /// Tried out, or failed.
    No,
}

/// An order that can't be understood. It is told as the invocation's error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; an order looks like {EXAMPLE}")]
pub struct OrderError {
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
    reminders: &Reminders,
    event: &Value,
    now: DateTime<Utc>,
) -> (Result<Value, InvocationError>, Settled, Tally) {
    let order = match order(event) {
        Ok(order) => order,
        Err(error) => {
            tracing::error!(event = "order", "{error}");
            return (Err(error.into()), Settled::No, Tally::default());
        }
    };
    let (outcome, tally) = reminders.remind(order, now).await;
    match outcome {
        Ok(outcome) => {
            let settles = order.is_current(now) && settles(&outcome, order);
            let settled = if settles { Settled::Yes } else { Settled::No };
            (Ok(told(outcome)), settled, tally)
        }
        Err(error) => (Err(error.into()), Settled::No, tally),
    }
}

/// What was settled before was counted then: counting it twice would hide that another reminder is missing.
fn settles(outcome: &Outcome, order: Order) -> bool {
    match outcome {
        Outcome::Reminded { posted, .. } => *posted,
        Outcome::DayOff { .. } => !order.dry_run,
        // What is given up was posted nowhere: the alarm of a missing reminder says so, too.
        Outcome::RemindedBefore(_) | Outcome::Early { .. } | Outcome::GivenUp => false,
    }
}

fn told(outcome: Outcome) -> Value {
    let reason = match outcome {
        Outcome::RemindedBefore(before) => return told(*before),
        Outcome::Reminded { posted, date, on_call, text } => {
            return json!(Answer::Reminded { posted, date, on_call, text });
        }
        Outcome::DayOff { date } => {
            let reason = format!("{date} is no working day (BUSINESS_DAYS, HOLIDAYS)");
            tracing::info!(event = "day_off", "{reason}");
            reason
        }
        Outcome::Early { at } => {
            let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            let reason = format!(
                "{at} is more than an hour ahead, and posted now, it would not be posted then; \
                 leave `at` out, or try it out with `dry_run`"
            );
            tracing::warn!(event = "early", "{reason}");
            reason
        }
        Outcome::GivenUp => "every chat refuses what the reminder says; the log's delivery lines say why".to_owned(),
    };
    json!(Answer::NotReminded { posted: false, reason })
}

/// Why an invocation has failed, as Lambda shows it.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
    /// The order can't be understood.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// No chat took the reminder.
    #[error(transparent)]
    NotPosted(#[from] NotPosted),
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        let error_type = match error {
            InvocationError::Order(_) => "OrderError",
            InvocationError::NotPosted(_) => "NotPosted",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

/// Reads an order. What a schedule sends is configuration, so nothing odd is guessed at.
fn order(event: &Value) -> Result<Order, OrderError> {
    let wrong = |what: &str| OrderError { what: what.to_owned() };
    let Value::Object(fields) = event else { return Err(wrong("the event is no object")) };
    if let Some(unknown) = fields.keys().find(|name| !["reminder", "at", "dry_run"].contains(&name.as_str())) {
        return Err(wrong(&format!("the event has an unknown field {}", json!(unknown))));
    }
    let shift = match event["reminder"].as_str() {
        Some("today") => Shift::Today,
        Some("next") => Shift::Next,
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
    Ok(Order { shift, at, dry_run })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_reminder_with_an_optional_time_and_dry_run() {
        let at = |at: &str| Some(at.parse::<DateTime<Utc>>().unwrap());
        for (event, shift, time, dry_run) in [
            (json!({"reminder": "today"}), Shift::Today, None, false),
            (json!({"reminder": "next", "dry_run": true}), Shift::Next, None, true),
            (
                json!({"reminder": "next", "at": "2026-11-24T17:00:00+09:00", "dry_run": false}),
                Shift::Next,
                at("2026-11-24T08:00:00Z"),
                false,
            ),
            (json!({"reminder": "today", "at": null, "dry_run": null}), Shift::Today, None, false),
        ] {
            assert_eq!(order(&event), Ok(Order { shift, at: time, dry_run }), "{event}");
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
