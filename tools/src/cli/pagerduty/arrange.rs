//! `oncall pagerduty arrange`: the daytime schedule of a dummy user, and a policy that goes on to the SREs after a while.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeDelta, Utc};
use clap::Args;
use http::Method;
use oncall_relay::clock;
use oncall_relay::domain::calendar::{BusinessDays, BusinessHours, Calendar, Holidays};
use serde_json::{Value, json};

use super::AccountArgs;
use crate::operator::dialogue::{Outcome, Terminal};
use crate::operator::pagerduty::PagerDuty;
use crate::operator::stack::Stack;

/// How schedule and policy are called, by which they are found again.
const NAME: &str = "oncall-relay, daytime";
/// How long the developers have if nobody says otherwise.
const MINUTES: u32 = 30;
/// How far ahead it is looked for hours with nobody.
const AHEAD: TimeDelta = TimeDelta::days(7);

#[derive(Debug, Args)]
pub(in crate::cli) struct ArrangeArgs {
    #[command(flatten)]
    account: AccountArgs,
    /// Don't ask whether to go on.
    #[arg(long, short)]
    yes: bool,
    /// The dummy user, by id or e-mail address: nobody's, without contact methods.
    #[arg(long)]
    dummy: Option<String>,
    /// Who is called next: the id of a schedule that has somebody around the clock, or of a user.
    #[arg(long)]
    then: Option<String>,
    /// How long the developers have; 30 for a new policy, and without it one that is there keeps what it has.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1440))]
    minutes: Option<u32>,
}

/// Somebody, or a schedule: what a level of a policy can be.
struct Target {
    id: String,
    kind: &'static str,
    name: String,
}

pub(super) async fn run(args: ArrangeArgs) -> Outcome {
    let terminal = Terminal::new(args.yes);
    arrange(&args, &terminal).await.map_err(|error| format!("{error}\n{}", terminal.how_to_go_on()).into())
}

async fn arrange(args: &ArrangeArgs, terminal: &Terminal) -> Outcome {
    let stack = Stack::find(&args.account.stack, terminal).await?;
    let settings = stack.settings(terminal).await?;
    let account = PagerDuty::sign_in(&args.account.base_url(&settings), terminal).await?;
    let services = args.account.services(&settings, &account, terminal).await?;
    let services: Vec<_> = services.into_iter().map(|service| service.id).collect();
    let users = targets(&account.list("/users", "users", &[]).await?, "user");
    let schedules = targets(&account.list("/schedules", "schedules", &[]).await?, "schedule");
    let dummy = choose(args.dummy.as_deref(), &users.iter().collect::<Vec<_>>(), "Which user is the dummy?", terminal)?;
    let others: Vec<_> = schedules.iter().filter(|one| one.name != NAME).chain(&users).collect();
    let then = choose(args.then.as_deref(), &others, "Who is called after that, around the clock?", terminal)?;
    if then.id == dummy.id {
        return Err("the dummy can't be who is called next: nobody would be; choose the SREs' schedule".into());
    }
    let now = clock::now();
    refuse_gaps(then, &account, now).await?;
    let policies =
        targets(&account.list("/escalation_policies", "escalation_policies", &[]).await?, "escalation_policy");
    let (schedule, policy) =
        (schedules.iter().find(|one| one.name == NAME), policies.iter().find(|one| one.name == NAME));
    let whose = restrictions(&settings)?;
    let found = match policy {
        Some(policy) => Some(Policy::read(&account, policy, schedule, then).await?),
        None => None,
    };
    let change = found.as_ref().and_then(|found| found.with_minutes(args.minutes?));
    let minutes = args.minutes.unwrap_or(MINUTES);
    terminal.plan(&[
        match schedule {
            Some(found) => format!("use the schedule “{NAME}” as it is: it is there ({})", found.id),
            None => format!("create the schedule “{NAME}” with {} alone, in business hours", dummy.name),
        },
        match (&found, &change) {
            (None, _) => {
                format!("create the policy “{NAME}”: that schedule, and after {minutes} minutes {}", then.name)
            }
            (Some(Policy { id, minutes, .. }), None) => {
                format!("use the policy “{NAME}” as it is: it is there ({id}), and goes on after {minutes} minutes")
            }
            (Some(Policy { id, minutes: before, .. }), Some(_)) => format!(
                "change the policy “{NAME}” ({id}): it goes on after {before} minutes now, and after {minutes} from \
                 then on"
            ),
        },
        format!("give this policy to {}", services.join(", ")),
    ])?;
    terminal
        .if_stopped("What is done is whole. Run the command again: it finds schedule and policy by name and goes on.");
    let schedule = match schedule {
        Some(schedule) => schedule.id.clone(),
        None => created(&account, "/schedules", "schedule", new_schedule(dummy, &settings, &whose, now)).await?,
    };
    let policy = match found {
        Some(found) => found.id,
        None => {
            created(&account, "/escalation_policies", "escalation_policy", new_policy(&schedule, then, minutes)).await?
        }
    };
    if let Some(change) = change {
        account.call(Method::PUT, &format!("/escalation_policies/{policy}"), Some(change)).await?;
        terminal.say(format!("✓ The policy {policy} goes on after {minutes} minutes."));
    }
    for service in &services {
        let change = json!({"service": {"type": "service", "escalation_policy": {"id": policy, "type": "escalation_policy_reference"}}});
        account.call(Method::PUT, &format!("/services/{service}"), Some(change)).await?;
        terminal.say(format!("✓ {service} has the policy {policy}."));
    }
    terminal.say("Next: look at “Who is on call” in PagerDuty, on a weekday and on a Sunday night");
    Ok(())
}

fn targets(listed: &[Value], kind: &'static str) -> Vec<Target> {
    let target = |one: &Value| {
        let name = one["name"].as_str().or(one["summary"].as_str()).unwrap_or_default();
        let name = one["email"].as_str().map_or_else(|| name.to_owned(), |email| format!("{name} <{email}>"));
        Some(Target { id: one["id"].as_str()?.to_owned(), kind, name })
    };
    listed.iter().filter_map(target).collect()
}

/// The one that was asked for, else one that is chosen now.
fn choose<'a>(asked: Option<&str>, among: &[&'a Target], question: &str, terminal: &Terminal) -> Outcome<&'a Target> {
    let by_words = |words: &str| {
        let mut fits = among.iter().filter(|one| one.id == words || one.name.contains(&format!("<{words}>")));
        fits.next().copied().ok_or_else(|| format!("this account has no {words} to choose"))
    };
    if let Some(words) = asked {
        return Ok(by_words(words)?);
    }
    terminal.say(question);
    for (index, one) in among.iter().enumerate() {
        terminal.say(format!("  {}. {} {} ({})", index + 1, one.kind, one.name, one.id));
    }
    terminal.ask("Number", "", |answer| {
        let chosen = answer.parse::<usize>().ok().and_then(|number| among.get(number.checked_sub(1)?).copied());
        chosen.ok_or_else(|| format!("write a number from 1 to {}", among.len()))
    })
}

/// A schedule that leaves an hour with nobody loses alerts: PagerDuty then makes no incident.
async fn refuse_gaps(then: &Target, account: &PagerDuty, now: DateTime<Utc>) -> Outcome {
    if then.kind == "user" {
        return Ok(());
    }
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (since, until) = (text(now), text(now + AHEAD));
    let query = [("schedule_ids[]", then.id.as_str()), ("since", &since), ("until", &until)];
    let on_call = account.list("/oncalls", "oncalls", &query).await?;
    let end = |value: &Value, open: DateTime<Utc>| value.as_str().map_or(Some(open), |text| text.parse().ok());
    let shifts = on_call.iter().filter(|one| one["user"].is_object());
    let shifts = shifts.filter_map(|one| Some((end(&one["start"], now)?, end(&one["end"], now + AHEAD)?))).collect();
    match first_gap(shifts, now, now + AHEAD) {
        None => Ok(()),
        Some(at) => Err(format!(
            "{} has nobody on call at {}: PagerDuty would make no incident then, and send no webhook. Choose a schedule \
             without restrictions, or a user; or fill that schedule first",
            then.name,
            text(at)
        )
        .into()),
    }
}

/// The first instant with nobody.
fn first_gap(
    mut shifts: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    shifts.sort_unstable();
    let mut covered = from;
    for (start, end) in shifts {
        if start > covered {
            break;
        }
        covered = covered.max(end);
    }
    (covered < until).then_some(covered)
}

/// A policy of the name that is there.
struct Policy {
    id: String,
    /// How long its first level has.
    minutes: u64,
    whole: Value,
}

impl Policy {
    /// Reads it. One that goes elsewhere is somebody's own.
    async fn read(account: &PagerDuty, policy: &Target, schedule: Option<&Target>, then: &Target) -> Outcome<Self> {
        let whole = account.get(&format!("/escalation_policies/{}", policy.id)).await?["escalation_policy"].take();
        let rules = whole["escalation_rules"].as_array().map(Vec::as_slice).unwrap_or_default();
        let goes = |rule: &Value, to: &Target| {
            rule["targets"].as_array().into_iter().flatten().any(|target| target["id"] == *to.id)
        };
        let begins = schedule.is_some_and(|schedule| rules.first().is_some_and(|rule| goes(rule, schedule)));
        if rules.len() < 2 || !begins || !rules.iter().any(|rule| goes(rule, then)) {
            let id = &policy.id;
            return Err(format!(
                "the policy “{NAME}” ({id}) goes elsewhere; rename it or delete it in PagerDuty, and run this again"
            )
            .into());
        }
        let minutes = rules[0]["escalation_delay_in_minutes"].as_u64().unwrap_or_default();
        Ok(Self { id: policy.id.clone(), minutes, whole })
    }

    /// The request that gives its first level this long, and leaves all else; none if it has that already.
    fn with_minutes(&self, minutes: u32) -> Option<Value> {
        if self.minutes == u64::from(minutes) {
            return None;
        }
        let reference = |one: &Value| {
            let kind = one["type"].as_str().unwrap_or_default().trim_end_matches("_reference");
            json!({"id": one["id"], "type": format!("{kind}_reference")})
        };
        let references = |all: &Value| -> Value { all.as_array().into_iter().flatten().map(reference).collect() };
        let mut policy = json!({"type": "escalation_policy"});
        for field in ["name", "description", "num_loops", "on_call_handoff_notifications"] {
            if !self.whole[field].is_null() {
                policy[field] = self.whole[field].clone();
            }
        }
        if self.whole["teams"].is_array() {
            policy["teams"] = references(&self.whole["teams"]);
        }
        let rule = |rule: &Value| {
            let mut kept = json!({
                "escalation_delay_in_minutes": rule["escalation_delay_in_minutes"], "targets": references(&rule["targets"]),
            });
            if !rule["escalation_rule_assignment_strategy"].is_null() {
                kept["escalation_rule_assignment_strategy"] = rule["escalation_rule_assignment_strategy"].clone();
            }
            kept
        };
        policy["escalation_rules"] =
            self.whole["escalation_rules"].as_array().into_iter().flatten().map(rule).collect();
        policy["escalation_rules"][0]["escalation_delay_in_minutes"] = json!(minutes);
        Some(json!({ "escalation_policy": policy }))
    }
}

async fn created(account: &PagerDuty, path: &str, field: &str, body: Value) -> Outcome<String> {
    let answer = account.call(Method::POST, path, Some(body)).await?;
    Ok(answer[field]["id"].as_str().ok_or("PagerDuty's answer has no id")?.to_owned())
}

/// Business hours as PagerDuty has them: a restriction for each day of the week.
fn restrictions(settings: &HashMap<String, String>) -> Outcome<Vec<Value>> {
    let setting = |name: &str, default: &str| {
        settings.get(name).filter(|set| !set.is_empty()).cloned().unwrap_or_else(|| default.to_owned())
    };
    let (days, hours) = (setting("BUSINESS_DAYS", "Mon-Fri"), setting("BUSINESS_HOURS", "10:00-17:00"));
    let calendar = Calendar::new(
        chrono_tz::UTC,
        BusinessDays::parse(&days)?,
        BusinessHours::parse(&hours)?,
        Holidays::parse("none")?,
    );
    let monday = NaiveDate::from_isoywd_opt(2026, 1, chrono::Weekday::Mon).ok_or("no such week")?;
    let mut restrictions = Vec::new();
    for day in monday.iter_days().take(7).filter(|day| calendar.is_working_day(*day)) {
        let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc();
        let minutes: Vec<_> =
            (0..24 * 60).filter(|minute| calendar.is_business_time(midnight + TimeDelta::minutes(*minute))).collect();
        let first = minutes.first().copied().unwrap_or_default();
        restrictions.push(json!({
            "type": "weekly_restriction", "start_day_of_week": day.weekday().number_from_monday(),
            "start_time_of_day": format!("{:02}:{:02}:00", first / 60, first % 60), "duration_seconds": minutes.len() * 60,
        }));
    }
    Ok(restrictions)
}

fn new_schedule(
    dummy: &Target,
    settings: &HashMap<String, String>,
    restrictions: &[Value],
    now: DateTime<Utc>,
) -> Value {
    let zone = settings.get("TIME_ZONE").filter(|zone| !zone.is_empty()).map_or("Asia/Tokyo", String::as_str);
    let start = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({"schedule": {"type": "schedule", "name": NAME, "time_zone": zone, "schedule_layers": [{
        "name": "Dummy", "start": start, "rotation_virtual_start": start, "rotation_turn_length_seconds": 86_400,
        "users": [{"user": {"id": dummy.id, "type": "user_reference"}}], "restrictions": restrictions,
    }]}})
}

fn new_policy(schedule: &str, then: &Target, minutes: u32) -> Value {
    json!({"escalation_policy": {"type": "escalation_policy", "name": NAME, "num_loops": 2, "escalation_rules": [
        {"escalation_delay_in_minutes": minutes, "targets": [{"id": schedule, "type": "schedule_reference"}]},
        {"escalation_delay_in_minutes": 30, "targets": [{"id": then.id, "type": format!("{}_reference", then.kind)}]},
    ]}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    #[test]
    fn the_first_hour_with_nobody_is_found_whatever_the_order_and_the_overlaps() {
        for (shifts, gap) in [
            (vec![(0, 24)], None),
            (vec![(12, 24), (-5, 13)], None),
            (vec![(0, 10), (10, 24)], None),
            (vec![(0, 20), (5, 7), (20, 30)], None),
            (vec![], Some(0)),
            (vec![(1, 24)], Some(0)),
            (vec![(0, 10), (11, 24)], Some(10)),
            (vec![(0, 23)], Some(23)),
        ] {
            let shifts_at = shifts.iter().map(|(start, end)| (at(*start), at(*end))).collect();
            assert_eq!(first_gap(shifts_at, at(0), at(24)), gap.map(at), "{shifts:?}");
        }
    }

    #[test]
    fn business_hours_become_a_restriction_for_each_day() {
        let settings = |days: &str, hours: &str| {
            [("BUSINESS_DAYS".to_owned(), days.to_owned()), ("BUSINESS_HOURS".to_owned(), hours.to_owned())].into()
        };
        let found = restrictions(&settings("", "")).unwrap();
        assert_eq!(found.len(), 5);
        assert_eq!((&found[0]["start_day_of_week"], &found[4]["start_day_of_week"]), (&json!(1), &json!(5)));
        assert_eq!(
            (&found[0]["start_time_of_day"], &found[0]["duration_seconds"]),
            (&json!("10:00:00"), &json!(25_200))
        );
        let found = restrictions(&settings("Sun", "09:30-24:00")).unwrap();
        assert_eq!(found[0]["start_day_of_week"], 7);
        assert_eq!(
            (&found[0]["start_time_of_day"], &found[0]["duration_seconds"]),
            (&json!("09:30:00"), &json!(52_200))
        );
    }
}
