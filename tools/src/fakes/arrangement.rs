//! The part of PagerDuty's account that says who is on call: users, schedules, escalation policies, and services' policies.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use http::StatusCode;
use serde_json::{Value, json};

use super::account::{Things, list, not_found, one, refusal};
use super::server::Reply;

pub(super) fn answer(things: &mut Things, method: &str, path: &[&str], query: &str, mut body: Value) -> Reply {
    match (method, path) {
        ("GET", ["users"]) => list("users", &things.users),
        ("GET", ["users", id]) => one("user", &things.users, id),
        ("GET", ["schedules"]) => list("schedules", &things.schedules),
        ("GET", ["escalation_policies"]) => list("escalation_policies", &things.policies),
        ("GET", ["escalation_policies", id]) => one("escalation_policy", &things.policies, id),
        ("GET", ["oncalls"]) => on_calls(things, query),
        ("POST", ["schedules"]) => {
            let mut schedule = body["schedule"].take();
            let layers = schedule["schedule_layers"].as_array().cloned().unwrap_or_default();
            let whole = |layer: &Value| {
                ["start", "rotation_virtual_start"]
                    .iter()
                    .all(|name| layer[*name].as_str().is_some_and(|at| at.parse::<DateTime<Utc>>().is_ok()))
                    && layer["rotation_turn_length_seconds"].is_u64()
                    && layer["users"].as_array().is_some_and(|users| !users.is_empty())
            };
            if schedule["type"] != "schedule"
                || !schedule["time_zone"].is_string()
                || layers.is_empty()
                || !layers.iter().all(whole)
            {
                return refusal(StatusCode::BAD_REQUEST, "Invalid Input Provided");
            }
            schedule["id"] = json!(things.new_id("SCHEDULE"));
            things.schedules.push(schedule.clone());
            Reply::json(StatusCode::CREATED, &json!({ "schedule": schedule }))
        }
        ("POST", ["escalation_policies"]) => {
            let mut policy = body["escalation_policy"].take();
            if !is_policy(&policy) {
                return refusal(StatusCode::BAD_REQUEST, "Invalid Input Provided");
            }
            policy["id"] = json!(things.new_id("POLICY"));
            things.policies.push(policy.clone());
            Reply::json(StatusCode::CREATED, &json!({ "escalation_policy": policy }))
        }
        ("PUT", ["escalation_policies", id]) => {
            let mut policy = body["escalation_policy"].take();
            let Some(known) = things.policies.iter_mut().find(|one| one["id"] == **id) else { return not_found() };
            if !is_policy(&policy) {
                return refusal(StatusCode::BAD_REQUEST, "Invalid Input Provided");
            }
            policy["id"] = json!(id);
            known.clone_from(&policy);
            Reply::json(StatusCode::OK, &json!({ "escalation_policy": policy }))
        }
        ("DELETE", ["escalation_policies", id]) => {
            things.policies.retain(|policy| policy["id"] != **id);
            Reply::empty(StatusCode::NO_CONTENT)
        }
        ("PUT", ["services", id]) => {
            let policy = body["service"]["escalation_policy"].take();
            let Some(service) = things.services.iter_mut().find(|one| one["id"] == **id) else { return not_found() };
            service["escalation_policy"] = policy;
            Reply::json(StatusCode::OK, &json!({ "service": service }))
        }
        _ => not_found(),
    }
}

/// Whether a policy is whole, as it must be for a change, too: what a change leaves out is gone.
fn is_policy(policy: &Value) -> bool {
    let rules = policy["escalation_rules"].as_array().cloned().unwrap_or_default();
    let is_target = |target: &Value| {
        target["id"].is_string() && ["user_reference", "schedule_reference"].iter().any(|kind| target["type"] == **kind)
    };
    let is_whole = |rule: &Value| {
        rule["escalation_delay_in_minutes"].as_u64().is_some_and(|minutes| minutes > 0)
            && rule["targets"].as_array().is_some_and(|targets| !targets.is_empty() && targets.iter().all(is_target))
    };
    policy["type"] == "escalation_policy"
        && policy["name"].is_string()
        && !rules.is_empty()
        && rules.iter().all(is_whole)
}

/// Who is on call within a time, of the schedules that are asked for: each day's restricted hours, or always.
fn on_calls(things: &Things, query: &str) -> Reply {
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let values = |name: &str| {
        pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let at = |name: &str| values(name).first().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    let (Some(since), Some(until)) = (at("since"), at("until")) else {
        return refusal(StatusCode::BAD_REQUEST, "since and until are expected");
    };
    let mut found = Vec::new();
    for schedule in things.schedules.iter().filter(|one| values("schedule_ids[]").iter().any(|id| one["id"] == **id)) {
        for layer in schedule["schedule_layers"].as_array().into_iter().flatten() {
            let restrictions = layer["restrictions"].as_array().cloned().unwrap_or_default();
            if restrictions.is_empty() {
                found.push(on_call(schedule, layer, since, until));
            }
            for restriction in restrictions {
                let zone: chrono_tz::Tz =
                    schedule["time_zone"].as_str().and_then(|zone| zone.parse().ok()).unwrap_or(chrono_tz::UTC);
                let days =
                    since.with_timezone(&zone).date_naive().iter_days().take_while(|day| *day <= until.date_naive());
                let daily = restriction["type"] == "daily_restriction";
                for day in
                    days.filter(|day| daily || restriction["start_day_of_week"] == day.weekday().number_from_monday())
                {
                    let time = restriction["start_time_of_day"]
                        .as_str()
                        .and_then(|time| time.parse().ok())
                        .unwrap_or_default();
                    if let Some(start) = day.and_time(time).and_local_timezone(zone).single() {
                        let seconds = restriction["duration_seconds"].as_i64().unwrap_or_default();
                        found.push(on_call(
                            schedule,
                            layer,
                            start.to_utc(),
                            start.to_utc() + TimeDelta::seconds(seconds),
                        ));
                    }
                }
            }
        }
    }
    list("oncalls", &found)
}

fn on_call(schedule: &Value, layer: &Value, start: DateTime<Utc>, end: DateTime<Utc>) -> Value {
    json!({
        "user": layer["users"][0]["user"], "schedule": {"id": schedule["id"], "type": "schedule_reference"},
        "escalation_level": 1, "start": start.to_rfc3339(), "end": end.to_rfc3339(),
    })
}
