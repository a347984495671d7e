//! The alarms watch what is emitted, and say it to somebody who can do something about it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{FUNCTIONS, file, resource, resources};

/// The namespace, name and dimensions of every metric that an alarm watches.
fn watched(alarm: &Value) -> Vec<Value> {
    let alone = (alarm["MetricName"].is_string()).then(|| alarm.clone());
    let summed = alarm["Metrics"].as_array().into_iter().flatten().map(|metric| metric["MetricStat"]["Metric"].clone());
    alone.into_iter().chain(summed.filter(Value::is_object)).collect()
}

#[test]
fn an_alarm_watches_a_metric_that_exists_and_tells_somebody() {
    let emitted = file("src/lambda/telemetry.rs");
    let counted: Vec<_> = resources("AWS::Logs::MetricFilter")
        .into_iter()
        .map(|(_, filter)| filter["Properties"]["MetricTransformations"][0]["MetricName"].clone())
        .collect();
    for (name, alarm) in &resources("AWS::CloudWatch::Alarm") {
        let alarm = &alarm["Properties"];
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions], json!([{"Ref": "AlarmTopic"}]), "{name}");
        }
        for metric in watched(alarm).iter().filter(|metric| metric["Namespace"] == "OncallRelay") {
            let known = &metric["MetricName"];
            if !counted.contains(known) {
                assert!(emitted.contains(&known.to_string()), "{name}: nobody emits {known}");
                let function = &metric["Dimensions"][0]["Value"];
                assert!(FUNCTIONS.iter().any(|(_, binary)| function == binary), "{name}: {function}");
            }
        }
    }
}

#[test]
fn what_keeps_people_from_hearing_of_alerts_is_an_alarm() {
    let alarms = resources("AWS::CloudWatch::Alarm");
    let watched: BTreeSet<_> = alarms
        .iter()
        .flat_map(|(_, alarm)| watched(&alarm["Properties"]))
        .map(|metric| {
            let function = metric["Dimensions"][0]["Value"].as_str().unwrap_or_default().to_owned();
            (metric["MetricName"].as_str().unwrap().to_owned(), function)
        })
        .collect();
    let (webhook, reminder) = ("pagerduty2typetalk", "oncall-reminder");
    for (metric, function) in [
        ("5xx", ""),
        ("ApproximateNumberOfMessagesVisible", ""),
        ("WebhookRefused", ""),
        ("UnauthenticatedWebhook", webhook),
        ("Failed", webhook),
        ("GivenUp", webhook),
        ("Unreadable", webhook),
        ("FailedOver", webhook),
        ("SecondsToPost", webhook),
        ("SecretsStale", webhook),
        ("LedgerFailed", webhook),
        ("LedgerFailed", reminder),
        ("RosterStale", webhook),
        ("RosterStale", reminder),
        ("Unmentionable", webhook),
        ("Unmentionable", reminder),
        ("NobodyMentioned", webhook),
        ("NobodyMentioned", reminder),
        ("MembersUnreadable", webhook),
        ("MembersUnreadable", reminder),
        ("RowUnreadable", webhook),
        ("RowUnreadable", reminder),
        ("ReminderSettled", reminder),
    ] {
        let watched = watched.contains(&(metric.to_owned(), function.to_owned()));
        assert!(watched, "nobody watches {metric} of {function:?}");
    }
}

#[test]
fn one_reminder_that_cannot_read_the_sheet_is_enough_for_an_alarm() {
    let alarm = &resource("RosterStale")["Properties"];
    assert_eq!(alarm["Metrics"][0]["Expression"], "SUM([FILL(webhook, 0), 2 * FILL(reminder, 0)])");
    let needed = ["EvaluationPeriods", "DatapointsToAlarm", "Threshold"].map(|name| alarm[name].as_u64().unwrap());
    assert_eq!(needed, [1, 1, 2]);
}

#[test]
fn a_wrong_secret_is_an_alarm_that_names_what_to_compare() {
    let text = resource("WebhookUnauthenticated")["Properties"]["AlarmDescription"].take();
    let text = text["Fn::Sub"].as_str().unwrap();
    for words in ["${SecretsPath}/PAGERDUTY_SIGNING_SECRETS", "${SecretsPath}/PAGERDUTY_TOKENS", "48 hours"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_day_without_every_reminder_is_an_alarm_even_if_nothing_is_heard() {
    let alarm = &resource("NoReminder")["Properties"];
    assert_eq!(
        (&alarm["Statistic"], &alarm["Period"], &alarm["Threshold"]),
        (&json!("Sum"), &json!(86_400), &json!(3))
    );
    assert_eq!(alarm["ComparisonOperator"], "LessThanThreshold");
    assert_eq!(alarm["TreatMissingData"], "breaching");
}

#[test]
fn refusals_of_pagerduty_are_counted_in_the_access_log() {
    let format = resource("Api")["Properties"]["AccessLogSettings"]["Format"].take();
    let line: Map<String, Value> = serde_json::from_str(format.as_str().unwrap()).unwrap();
    // A wildcard of a filter is for strings, so the status must be one.
    for (name, variable) in [("user_agent", "$context.identity.userAgent"), ("status", "$context.status")] {
        assert_eq!(line[name], variable);
    }
    let filter = &resource("WebhookRefusedFilter")["Properties"];
    assert_eq!(filter["LogGroupName"], json!({"Ref": "ApiLog"}));
    let pattern = r#"{ $.user_agent = "PagerDuty-Webhook*" && $.status = "4*" && $.status != "429" }"#;
    assert_eq!(filter["FilterPattern"], pattern);
    let samples: Value = serde_json::from_str(&file("events/v3-trigger.json")).unwrap();
    assert!(samples["headers"]["user-agent"].as_str().unwrap().starts_with("PagerDuty-Webhook"));
}
