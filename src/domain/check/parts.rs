//! The relay's own parts: settings, secrets, the ledger and what the functions leave in it, holidays, the watchdog.

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use super::Finding;
use crate::domain::calendar::Calendar;

/// What the functions leave in the ledger for the check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    /// The names of the webhook function's settings.
    pub settings: Vec<String>,
    /// About when the last authentic webhook came.
    pub webhook_at: Option<DateTime<Utc>>,
    /// About when somebody last pressed a button in Slack.
    pub click_at: Option<DateTime<Utc>>,
    /// When the watchdog was last pinged, and what it answered.
    pub heartbeat: Option<(DateTime<Utc>, String)>,
}

/// An answer of the watchdog that says that it has heard us.
pub const HEARD: &str = "HTTP 200";

/// The settings of the function that checks, which were good enough to start with, and what the webhook function left of
/// its own; `alerts` are problems of those that only alerts need.
#[must_use]
pub fn settings(
    count: usize,
    warnings: &[String],
    alerts: Option<&str>,
    webhook: &Result<Option<Watch>, String>,
    now: DateTime<Utc>,
) -> Finding {
    const NAME: &str = "settings";
    let own = format!("the reminder function has {count} settings, all of which can be used");
    let theirs = match webhook {
        Err(why) => format!("those of the webhook function can't be told: the ledger can't be read ({why})"),
        Ok(Some(Watch { settings, webhook_at, click_at, .. })) if !settings.is_empty() => {
            let ago = webhook_at.max(click_at).map(|at| format!(", as of {} ago", age(now - at))).unwrap_or_default();
            format!("the webhook function started with {} settings{ago}", settings.len())
        }
        Ok(_) => "those of the webhook function can't be told: it has left none in the ledger yet".to_owned(),
    };
    let mut finding = Finding::ok(NAME, format!("{own}\n{theirs}"));
    if !warnings.is_empty() {
        let remedy = "change the settings that are named (docs/settings.md)";
        finding = finding.and(Finding::warning(NAME, warnings.join("\n"), remedy));
    }
    if let Some(problems) = alerts {
        finding = finding.and(Finding::warning(
            NAME,
            format!("where alerts are posted is not known here: {problems}"),
            "set the same variables for both functions, as the template does",
        ));
    }
    finding
}

/// The secrets' store.
#[must_use]
pub fn secrets(seen: Option<Result<usize, String>>) -> Finding {
    const NAME: &str = "secrets";
    match seen {
        None => Finding::skipped(NAME, "SECRETS_PATH is not set: secrets come from the environment", ""),
        Some(Ok(count)) => Finding::ok(NAME, format!("the store has all {count} secrets that this function needs")),
        Some(Err(why)) => {
            Finding::failed(NAME, why, "put the parameters under SECRETS_PATH right (docs/settings.md#secrets)")
        }
    }
}

/// The ledger's table.
#[must_use]
pub fn ledger(seen: Result<bool, String>) -> Finding {
    const NAME: &str = "ledger";
    match seen {
        Ok(true) => Finding::ok(NAME, "the table of LEDGER_TABLE was written and read"),
        Ok(false) => Finding::warning(
            NAME,
            "LEDGER_TABLE is not set: each process remembers for itself, so events may be posted twice, and notes may \
             miss their hashtag",
            "make a table and set LEDGER_TABLE, as the template does",
        ),
        Err(why) => Finding::failed(
            NAME,
            format!("the table can't be used: {why}"),
            "see LEDGER_TABLE and the policy of \
             the function's role",
        ),
    }
}

/// What the webhook function left in the ledger, beside the settings of the function that checks.
#[must_use]
pub fn webhook(watch: &Result<Option<Watch>, String>, own: &[&str], shared: &[&str], now: DateTime<Utc>) -> Finding {
    const NAME: &str = "webhook";
    let Some((watch, at)) = watch_with(watch, |watch| watch.webhook_at) else {
        return nothing_left(NAME, watch, "no authentic webhook was seen within 30 days");
    };
    let has = |name: &str| watch.settings.iter().any(|known| known == name);
    let differ: Vec<_> = shared.iter().copied().filter(|name| has(name) != own.contains(name)).collect();
    let detail = format!(
        "the last authentic webhook came {} ago; the webhook function has {}",
        age(now - at),
        watch.settings.join(", ")
    );
    if differ.is_empty() {
        return Finding::ok(NAME, detail);
    }
    Finding::warning(
        NAME,
        format!("{detail}\nonly one of the two functions has {}", differ.join(", ")),
        "set these for both functions, as the template does; after a change of settings the next webhook tells",
    )
}

/// Whether buttons in Slack work, as far as the webhook function knows.
#[must_use]
pub fn acting(watch: &Result<Option<Watch>, String>, now: DateTime<Utc>) -> Finding {
    const NAME: &str = "slack.acting";
    let Some((watch, _)) = watch_with(watch, |watch| watch.webhook_at.or(watch.click_at)) else {
        return nothing_left(NAME, watch, "the webhook function has not said yet whether acting from Slack is on");
    };
    let has = |name: &str| watch.settings.iter().any(|known| known == name);
    if !has("SLACK_SIGNING_SECRETS") {
        return Finding::skipped(NAME, "off: the webhook function has no SLACK_SIGNING_SECRETS", "");
    }
    if let Some(at) = watch.click_at {
        return Finding::ok(NAME, format!("the last click or command came {} ago", age(now - at)));
    }
    let buttons = ["PAGERDUTY_ACTION_KEY", "PAGERDUTY_FROM"].iter().all(|name| has(name));
    Finding::warning(
        NAME,
        if buttons { "no click or command has ever arrived" } else { "no command has ever arrived; buttons are off" },
        "type /oncall in Slack, or press a button; if nothing happens, compare the app's Request URLs (Interactivity & \
         Shortcuts, Slash Commands) with WEBHOOK_URL, whose last part is `slack` there",
    )
}

fn watch_with(
    watch: &Result<Option<Watch>, String>,
    time: impl Fn(&Watch) -> Option<DateTime<Utc>>,
) -> Option<(&Watch, DateTime<Utc>)> {
    let watch = watch.as_ref().ok()?.as_ref()?;
    time(watch).map(|at| (watch, at))
}

fn nothing_left(name: &'static str, watch: &Result<Option<Watch>, String>, nothing: &str) -> Finding {
    match watch {
        Err(why) => Finding::skipped(name, format!("the ledger can't be read: {why}"), "see the check `ledger`"),
        Ok(_) => Finding::skipped(
            name,
            nothing,
            "send a test event (PagerDuty: Integrations > Generic Webhooks (v3) > the webhook > Send Test Event)",
        ),
    }
}

/// Without a table the functions can't leave anything for each other.
#[must_use]
pub fn no_table(name: &'static str) -> Finding {
    Finding::skipped(name, "without LEDGER_TABLE the webhook function can't say what it saw", "set LEDGER_TABLE")
}

/// Whether the public holidays ahead are known.
#[must_use]
pub fn holidays(calendar: &Calendar, now: DateTime<Utc>) -> Finding {
    const NAME: &str = "holidays";
    const AHEAD: TimeDelta = TimeDelta::days(90);
    let today = calendar.today(now);
    let Some(last) = calendar.last_known_year() else {
        return Finding::ok(NAME, "HOLIDAYS uses no public holidays");
    };
    let detail = format!("Japan's holidays are known until the end of {last}");
    if (today + AHEAD).year() <= last && calendar.knows_year_of(today) {
        return Finding::ok(NAME, detail);
    }
    Finding::warning(NAME, detail, "update the relay, or list the days off in HOLIDAYS")
}

/// What the watchdog answered last. A check doesn't ping it.
#[must_use]
pub fn heartbeat(is_set: bool, watch: &Result<Option<Watch>, String>, now: DateTime<Utc>) -> Finding {
    const NAME: &str = "heartbeat";
    /// There are two pings a day; this is a day, and the time that a late reminder takes.
    const REGULAR: TimeDelta = TimeDelta::hours(26);
    if !is_set {
        return Finding::skipped(
            NAME,
            "HEARTBEAT_URL is not set: nobody outside notices if the reminders stop",
            "set HEARTBEAT_URL to the address of a watchdog such as healthchecks.io (docs/operations.md#watchdog)",
        );
    }
    let last = match watch {
        Err(why) => {
            return Finding::skipped(NAME, format!("the ledger can't be read: {why}"), "see the check `ledger`");
        }
        Ok(watch) => watch.as_ref().and_then(|watch| watch.heartbeat.as_ref()),
    };
    let Some((at, answer)) = last else {
        return Finding::skipped(NAME, "the watchdog was not pinged yet", "the next reminder pings it");
    };
    let ago = age(now - *at);
    if answer != HEARD {
        return Finding::failed(
            NAME,
            format!("{ago} ago the watchdog answered: {answer}"),
            "compare HEARTBEAT_URL with the address that the watchdog shows",
        );
    }
    if now - *at > REGULAR {
        let remedy = "are the schedules enabled (EventBridge Scheduler)? The reminder function's log says more";
        return Finding::warning(NAME, format!("the last ping was {ago} ago"), remedy);
    }
    Finding::ok(NAME, format!("the watchdog heard the ping {ago} ago"))
}

/// A length of time in its largest unit.
fn age(age: TimeDelta) -> String {
    let age = age.max(TimeDelta::zero());
    let (days, hours, minutes) = (age.num_days(), age.num_hours(), age.num_minutes());
    let (count, unit) = if days > 0 {
        (days, "day")
    } else if hours > 0 {
        (hours, "hour")
    } else {
        (minutes, "minute")
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-24T02:00:00Z".parse().unwrap()
    }

    #[expect(clippy::unnecessary_wraps, reason = "as the ledger has it")]
    fn watch(settings: &[&str], webhook: Option<i64>, click: Option<i64>) -> Result<Option<Watch>, String> {
        let ago = |hours: i64| now() - TimeDelta::hours(hours);
        Ok(Some(Watch {
            settings: settings.iter().map(|name| (*name).to_owned()).collect(),
            webhook_at: webhook.map(ago),
            click_at: click.map(ago),
            heartbeat: None,
        }))
    }

    #[test]
    fn what_the_webhook_function_left_is_compared_with_our_own_settings() {
        let own = ["CHATS", "MEMBERS_RANGE", "MANUAL_URL"];
        let shared = ["CHATS", "MEMBERS_RANGE", "ROSTER_CSV"];
        for (watch, status, said) in [
            (watch(&["CHATS", "MEMBERS_RANGE", "PAGERDUTY_TOKENS"], Some(3), None), Status::Ok, "3 hours ago"),
            (watch(&["CHATS"], Some(50), None), Status::Warning, "only one of the two functions has MEMBERS_RANGE"),
            (watch(&["CHATS", "MEMBERS_RANGE"], None, None), Status::Skipped, "no authentic webhook"),
            (Ok(None), Status::Skipped, "no authentic webhook"),
            (Err("AccessDeniedException".to_owned()), Status::Skipped, "AccessDeniedException"),
        ] {
            let finding = webhook(&watch, &own, &shared, now());
            assert_eq!(finding.status, status, "{finding:?}");
            assert!(finding.detail.contains(said), "{finding:?}");
        }
    }

    #[test]
    fn acting_is_proved_by_a_click_alone() {
        let on = ["SLACK_SIGNING_SECRETS", "PAGERDUTY_ACTION_KEY", "PAGERDUTY_FROM"];
        for (watch, status, said) in [
            (watch(&[], Some(1), None), Status::Skipped, "off"),
            (watch(&on, Some(1), None), Status::Warning, "no click or command has ever arrived"),
            (watch(&on[..1], Some(1), None), Status::Warning, "buttons are off"),
            (watch(&on, Some(1), Some(2)), Status::Ok, "2 hours ago"),
            (Ok(None), Status::Skipped, "not said yet"),
        ] {
            let finding = acting(&watch, now());
            assert_eq!(finding.status, status, "{finding:?}");
            assert!(finding.detail.contains(said), "{finding:?}");
        }
    }

    #[test]
    fn the_watchdogs_last_answer_is_told_with_its_age() {
        let pinged = |hours: i64, answer: &str| {
            let heartbeat = Some((now() - TimeDelta::hours(hours), answer.to_owned()));
            Ok(Some(Watch { heartbeat, ..Watch::default() }))
        };
        for (is_set, watch, status, said) in [
            (false, pinged(1, HEARD), Status::Skipped, "HEARTBEAT_URL is not set"),
            (true, Ok(None), Status::Skipped, "not pinged yet"),
            (true, pinged(1, HEARD), Status::Ok, "1 hour ago"),
            (true, pinged(49, HEARD), Status::Warning, "2 days ago"),
            (true, pinged(1, "HTTP 404"), Status::Failed, "HTTP 404"),
            (true, Err("no answer".to_owned()), Status::Skipped, "no answer"),
        ] {
            let finding = heartbeat(is_set, &watch, now());
            assert_eq!(finding.status, status, "{finding:?}");
            assert!(finding.detail.contains(said), "{finding:?}");
        }
    }

    #[test]
    fn holidays_beyond_the_table_are_a_warning_before_they_come() {
        let calendar = Calendar::default();
        for (at, status) in [
            ("2026-11-24T02:00:00Z", Status::Ok),
            ("2099-11-24T02:00:00Z", Status::Warning),
            ("2100-01-04T02:00:00Z", Status::Warning),
        ] {
            assert_eq!(holidays(&calendar, at.parse().unwrap()).status, status, "{at}");
        }
    }

    #[test]
    fn secrets_and_ledger_say_what_was_seen() {
        assert_eq!(secrets(None).status, Status::Skipped);
        assert_eq!(secrets(Some(Ok(5))).status, Status::Ok);
        assert_eq!(secrets(Some(Err("AccessDenied".to_owned()))).status, Status::Failed);
        assert_eq!(ledger(Ok(true)).status, Status::Ok);
        assert_eq!(ledger(Ok(false)).status, Status::Warning);
        assert_eq!(ledger(Err("no such table".to_owned())).status, Status::Failed);
    }

    #[test]
    fn settings_say_of_which_function_they_speak_and_what_the_other_one_started_with() {
        let warned = ["FALLBACK_MENTIONS is not set".to_owned()];
        let started = watch(&["CHATS", "MENTION_ON"], Some(3), Some(2));
        let denied = Err("AccessDeniedException".to_owned());
        for (warnings, alerts, webhook, status, said) in [
            (&[][..], None, &started, Status::Ok, "the webhook function started with 2 settings, as of 2 hours ago"),
            (&[], None, &watch(&[], None, None), Status::Ok, "it has left none in the ledger yet"),
            (&[], None, &Ok(None), Status::Ok, "those of the webhook function can't be told"),
            (&[], None, &denied, Status::Ok, "the ledger can't be read (AccessDeniedException)"),
            (&warned, None, &started, Status::Warning, "FALLBACK_MENTIONS is not set"),
            (&[], Some("SLACK_ALERT_CHANNEL is not set"), &started, Status::Warning, "SLACK_ALERT_CHANNEL is not set"),
        ] {
            let finding = settings(20, warnings, alerts, webhook, now());
            assert_eq!(finding.status, status, "{finding:?}");
            assert!(finding.detail.contains(said), "{finding:?}");
            assert!(finding.detail.contains("the reminder function has 20 settings"), "{finding:?}");
        }
    }
}
