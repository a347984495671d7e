//! EventBridge Scheduler's side: what a schedule asks for, and the answer to it.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use lambda_http::lambda_runtime::Diagnostic;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::budget::REMINDER;
use crate::clock::Invocation;
use crate::domain::check::{Finding, Report};
use crate::domain::reminder::ReminderKind;
use crate::log_events;
use crate::reminder::{NotPosted, ReminderHandler, ReminderOutcome, ReminderRequest, Tally};

/// What was settled, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountsAsDone {
    /// Posted, or a day on which nothing was to be posted.
    Yes,
    /// Tried out, or failed.
    No,
}

/// A request that can't be understood. It is reported as the invocation's error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; a request looks like {EXAMPLE}")]
pub struct RequestError {
    what: String,
}

const EXAMPLE: &str = r#"{"reminder":"today", "next" or "week","at":"2026-11-24T10:00:00+09:00" (optional),"dry_run":true or false (optional)} or {"check":true,"post":true or false (optional)}"#;

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Reminded { posted: bool, date: NaiveDate, on_call: Vec<String>, text: String },
    NotReminded { posted: bool, reason: String },
    Checked { ok: bool, checks: Vec<Checked> },
}

#[derive(Serialize)]
struct Checked {
    name: &'static str,
    status: &'static str,
    detail: String,
    remedy: String,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    Reminder(ReminderRequest),
    Check { post: bool },
}

/// Carries out the request of one invocation, and says what happened for the metrics.
///
/// The answer is an error if the request can't be understood, or no chat took the reminder: the invocation has failed,
/// and Lambda repeats it.
pub async fn answer(
    reminders: &ReminderHandler,
    event: &Value,
    now: DateTime<Utc>,
) -> (Result<Value, InvocationError>, CountsAsDone, Tally) {
    let request = match request(event) {
        Ok(request) => request,
        Err(error) => {
            tracing::error!(event = log_events::REQUEST, "{error}");
            return (Err(error.into()), CountsAsDone::No, Tally::default());
        }
    };
    let request = match request {
        Request::Reminder(request) => request,
        Request::Check { post } => {
            let report = reminders.check(post, Invocation::begin(now, REMINDER.answer)).await;
            return (Ok(report_of(report)), CountsAsDone::No, Tally::default());
        }
    };
    let (outcome, tally) = reminders.remind(request, now).await;
    match outcome {
        Ok(outcome) => {
            let settles = request.is_current(now) && settles(&outcome, request);
            let settled = if settles { CountsAsDone::Yes } else { CountsAsDone::No };
            (Ok(reported(outcome)), settled, tally)
        }
        Err(error) => (Err(error.into()), CountsAsDone::No, tally),
    }
}

/// What was settled before was counted then, and counting it twice would hide that another reminder is missing. Nobody
/// can tell whether an invocation died between its post and its metric: the alarm is false then, which is the lesser
/// evil.
fn settles(outcome: &ReminderOutcome, request: ReminderRequest) -> bool {
    match outcome {
        ReminderOutcome::Reminded { posted, .. } => *posted,
        ReminderOutcome::DayOff { .. } | ReminderOutcome::WithinWeek { .. } | ReminderOutcome::NoApiKey => {
            !request.dry_run
        }
        // What is given up was posted nowhere: the alarm of a missing reminder says so, too.
        ReminderOutcome::RemindedBefore(_) | ReminderOutcome::Early { .. } | ReminderOutcome::GivenUp => false,
    }
}

/// A report as the check answers it.
#[must_use]
pub fn report_of(report: Report) -> Value {
    let ok = report.is_ok();
    let checked =
        |Finding { name, status, detail, remedy, .. }| Checked { name, status: status.name(), detail, remedy };
    json!(Answer::Checked { ok, checks: report.findings.into_iter().map(checked).collect() })
}

fn reported(outcome: ReminderOutcome) -> Value {
    let reason = match outcome {
        ReminderOutcome::RemindedBefore(before) => return reported(*before),
        ReminderOutcome::Reminded { posted, date, on_call, text } => {
            return json!(Answer::Reminded { posted, date, on_call, text });
        }
        ReminderOutcome::DayOff { date } => {
            let reason = format!("{date} is not a working day (BUSINESS_DAYS, HOLIDAYS)");
            tracing::info!(event = log_events::DAY_OFF, "{reason}");
            reason
        }
        ReminderOutcome::WithinWeek { date } => {
            let reason = format!("{date} is not the last working day of its week (BUSINESS_DAYS, HOLIDAYS)");
            tracing::info!(event = log_events::DAY_OFF, "{reason}");
            reason
        }
        ReminderOutcome::NoApiKey => {
            let reason =
                "PAGERDUTY_API_KEY and PAGERDUTY_SERVICES are not set, so nothing tells of the week".to_owned();
            tracing::info!(event = log_events::DAY_OFF, "{reason}");
            reason
        }
        ReminderOutcome::Early { at } => {
            let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            let reason = format!(
                "{at} is more than an hour ahead, and posted now, it would not be posted then; \
                 leave `at` out, or try it out with `dry_run`"
            );
            tracing::warn!(event = log_events::EARLY, "{reason}");
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
    /// The request can't be understood.
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

/// What a schedule sends. It is configuration, so nothing odd is guessed at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    reminder: Which,
    #[serde(default, deserialize_with = "rfc3339")]
    at: Option<DateTime<Utc>>,
    dry_run: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Which {
    Today,
    Next,
    Week,
}

/// The other thing that can be asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckEvent {
    check: bool,
    post: Option<bool>,
}

/// Stricter than a time's own form, which does without the `T`.
fn rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let time = DateTime::parse_from_rfc3339(&text);
    time.map(|time| Some(time.to_utc())).map_err(|_| D::Error::custom(format!("the time {text:?} is not RFC 3339")))
}

fn request(event: &Value) -> Result<Request, RequestError> {
    // A list of the fields' values would do for Serde.
    if !event.is_object() {
        return Err(RequestError { what: "the event is not an object".to_owned() });
    }
    let what = |error: serde_json::Error| RequestError { what: error.to_string() };
    if event.get("check").is_some() {
        let CheckEvent { check, post } = CheckEvent::deserialize(event).map_err(what)?;
        if !check {
            return Err(RequestError { what: "`check` is false, and nothing else is asked for".to_owned() });
        }
        return Ok(Request::Check { post: post.unwrap_or_default() });
    }
    let Event { reminder, at, dry_run } = Event::deserialize(event).map_err(what)?;
    let kind = match reminder {
        Which::Today => ReminderKind::Today,
        Which::Next => ReminderKind::Next,
        Which::Week => ReminderKind::Week,
    };
    Ok(Request::Reminder(ReminderRequest { kind, at, dry_run: dry_run.unwrap_or_default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_reminder_with_an_optional_time_and_dry_run() {
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
            (json!({"reminder": "week"}), ReminderKind::Week, None, false),
            (json!({"reminder": "today", "at": null, "dry_run": null}), ReminderKind::Today, None, false),
        ] {
            let asked = ReminderRequest { kind, at: time, dry_run };
            assert_eq!(request(&event), Ok(Request::Reminder(asked)), "{event}");
        }
        for (event, post) in [
            (json!({"check": true}), false),
            (json!({"check": true, "post": null}), false),
            (json!({"check": true, "post": true}), true),
        ] {
            assert_eq!(request(&event), Ok(Request::Check { post }), "{event}");
        }
    }

    #[test]
    fn what_is_no_request_is_reported_with_what_one_looks_like() {
        for (event, what) in [
            (json!(null), "the event is not an object"),
            (json!(["today", null, null]), "the event is not an object"),
            (json!({}), "missing field `reminder`"),
            (json!({"reminder": 1}), "invalid type: integer `1`, expected string or map"),
            (json!({"reminder": "tomorrow"}), "unknown variant `tomorrow`, expected one of `today`, `next`, `week`"),
            (json!({"reminder": "today", "at": "10:00"}), "the time \"10:00\" is not RFC 3339"),
            (json!({"reminder": "today", "at": "2026-11-24"}), "the time \"2026-11-24\" is not RFC 3339"),
            (json!({"reminder": "today", "at": 5}), "invalid type: integer `5`, expected a string"),
            (json!({"check": false}), "`check` is false, and nothing else is asked for"),
            (json!({"check": "yes"}), "invalid type: string \"yes\", expected a boolean"),
            (json!({"check": true, "at": EXAMPLE}), "unknown field `at`, expected `check` or `post`"),
            (json!({"check": true, "reminder": "today"}), "unknown field `reminder`, expected `check` or `post`"),
            (json!({"reminder": "today", "dry_run": "yes"}), "invalid type: string \"yes\", expected a boolean"),
            (
                json!({"reminder": "today", "dryRun": true}),
                "unknown field `dryRun`, expected one of `reminder`, `at`, `dry_run`",
            ),
        ] {
            let error = request(&event).unwrap_err().to_string();
            assert_eq!(error, format!("{what}; a request looks like {EXAMPLE}"), "{event}");
        }
    }
}
