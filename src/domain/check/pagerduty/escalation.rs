//! Hours with nobody on call, and services that make no incidents.

use chrono::{DateTime, TimeDelta, Utc};

use super::{SeenService, Service};
use crate::domain::calendar::Calendar;
use crate::domain::check::{Act, Finding, Unseen};

/// How far ahead somebody must be on call.
const AHEAD: TimeDelta = TimeDelta::days(7);

/// Somebody's time on call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// The id of the policy.
    pub policy: String,
    /// From when; none for always.
    pub from: Option<DateTime<Utc>>,
    /// Until when; none for ever.
    pub until: Option<DateTime<Utc>>,
}

/// Whether somebody is on call at every hour, for each service, so that incidents are made at all.
#[must_use]
pub fn escalation(
    services: &[SeenService],
    shifts: Result<&[Shift], &Unseen>,
    calendar: &Calendar,
    now: DateTime<Utc>,
) -> Finding {
    const NAME: &str = "pagerduty.escalation";
    let with = |wanted: &dyn Fn(&Result<Service, Unseen>) -> bool| -> Vec<String> {
        services.iter().filter(|(_, seen)| wanted(seen)).map(|(id, _)| id.clone()).collect()
    };
    let mut findings = Vec::new();
    let gone = with(&|seen| matches!(seen, Err(Unseen::Status(404))));
    if !gone.is_empty() {
        let detail = format!("PagerDuty has no service {}", gone.join(", "));
        let remedy = "correct PAGERDUTY_SERVICES: the ids (`P…`) in the services' addresses";
        findings.push(Finding::failed(NAME, detail, remedy).with_act(Act::ServicesGone(gone)));
    }
    let disabled = with(&|seen| seen.as_ref().is_ok_and(|service| service.status == "disabled"));
    if !disabled.is_empty() {
        let detail = format!("{} is disabled: no incident is made there", disabled.join(", "));
        let remedy = "enable it (PagerDuty: the service > Settings), or take it out of PAGERDUTY_SERVICES";
        findings.push(Finding::failed(NAME, detail, remedy).with_act(Act::ServicesDisabled(disabled)));
    }
    let resting = with(&|seen| seen.as_ref().is_ok_and(|service| service.status == "maintenance"));
    if !resting.is_empty() {
        let detail = format!("{} is under maintenance: no incident is made there now", resting.join(", "));
        findings.push(Finding::warning(NAME, detail, "end the maintenance window when the work is done"));
    }
    let unseen = services.iter().filter_map(|(id, seen)| Some((id, seen.as_ref().err()?)));
    for (id, unseen) in unseen.filter(|(_, unseen)| **unseen != Unseen::Status(404)) {
        let right = match unseen {
            Unseen::Status(status @ (402 | 403)) => {
                &Unseen::NotAllowed(format!("the right to read services (HTTP {status})"))
            }
            unseen => unseen,
        };
        findings.push(Finding::unanswered(NAME, id, right, "check PAGERDUTY_API_KEY and PAGERDUTY_BASE_URL"));
    }
    let policies = policies(services);
    match shifts {
        Err(Unseen::Status(status @ (402 | 403))) => {
            let unseen = Unseen::NotAllowed(format!("the right to read who is on call (HTTP {status})"));
            findings.push(Finding::unanswered(NAME, "PagerDuty's on-call times", &unseen, ""));
        }
        Err(unseen) => {
            let remedy = "check PAGERDUTY_API_KEY and PAGERDUTY_BASE_URL";
            findings.push(Finding::unanswered(NAME, "PagerDuty's on-call times", unseen, remedy));
        }
        Ok(shifts) => findings
            .extend(policies.iter().map(|(policy, delay)| covered(policy, *delay, gap(policy, shifts, now), calendar))),
    }
    findings.into_iter().reduce(Finding::and).unwrap_or_else(|| Finding::skipped(NAME, "there is no service", ""))
}

/// The ids of the services' policies, with the minutes of their first level.
#[must_use]
pub fn policies(services: &[SeenService]) -> Vec<(String, Option<u32>)> {
    let seen = services.iter().filter_map(|(_, seen)| seen.as_ref().ok());
    let mut policies: Vec<_> = seen.map(|service| (service.policy.clone(), service.first_delay)).collect();
    policies.sort();
    policies.dedup_by(|later, earlier| later.0 == earlier.0);
    policies
}

/// Until when the times on call are asked for.
#[must_use]
pub fn looks_until(now: DateTime<Utc>) -> DateTime<Utc> {
    now + AHEAD
}

fn covered(
    policy: &str,
    delay: Option<u32>,
    gap: Option<(DateTime<Utc>, DateTime<Utc>)>,
    calendar: &Calendar,
) -> Finding {
    const NAME: &str = "pagerduty.escalation";
    let first = delay.map_or_else(String::new, |minutes| format!("; the first level has {minutes} min"));
    let Some((from, until)) = gap else {
        return Finding::ok(NAME, format!("policy {policy}: somebody is on call at every hour of seven days{first}"));
    };
    let time = |at: DateTime<Utc>| calendar.local(at).format("%Y-%m-%d %H:%M").to_string();
    Finding::failed(
        NAME,
        format!("policy {policy}: nobody is on call from {} to {}{first}", time(from), time(until)),
        "while nobody is on call, PagerDuty makes no incident and sends no webhook: end the policy with a level that \
         is always on call (PagerDuty: People > Escalation Policies)",
    )
    .with_act(Act::NobodyOnCall(calendar.local(from).naive_local()))
}

/// The first time ahead at which nobody is on call; gaps below a minute are how schedules meet.
fn gap(policy: &str, shifts: &[Shift], now: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let end = looks_until(now);
    let mut times: Vec<_> = shifts
        .iter()
        .filter(|shift| shift.policy == policy)
        .map(|shift| (shift.from.unwrap_or(now).max(now), shift.until.unwrap_or(end).min(end)))
        .filter(|(from, until)| from < until)
        .collect();
    times.sort_unstable();
    let mut covered_until = now;
    for (from, until) in times {
        if from - covered_until >= TimeDelta::minutes(1) {
            return Some((covered_until, from));
        }
        covered_until = covered_until.max(until);
    }
    (end - covered_until >= TimeDelta::minutes(1)).then_some((covered_until, end))
}
