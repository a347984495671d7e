//! Whether the relay can do its job: what each check found, by its name, and what to do about it.
//!
//! Every judgement is a pure function from what was seen to a finding. Details and remedies are for operators, in
//! English; what people must act on at once is an [`Act`], which the chat gets in its own language.

pub mod pagerduty;
pub mod parts;
pub mod roster;
pub mod slack;

use std::collections::HashMap;

use chrono::NaiveDateTime;

/// The names of all checks, in the order in which they are reported.
pub const NAMES: [&str; 17] = [
    "settings",
    "secrets",
    "ledger",
    "sheet",
    "members",
    "roster",
    "slack.alert",
    "slack.oncall",
    "typetalk.alert",
    "typetalk.oncall",
    "webhook",
    "slack.acting",
    "pagerduty.key",
    "pagerduty.webhook",
    "pagerduty.escalation",
    "holidays",
    "heartbeat",
];

/// Why a check was never begun.
const NO_TIME: &str = "the time was up before it could begin";

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Seen to be right.
    Ok,
    /// It can't be told, or is not in use; the detail says which.
    Skipped,
    /// It works, and something should be looked at.
    Warning,
    /// Part of the job can't be done.
    Failed,
}

impl Status {
    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its name, out of [`NAMES`].
    pub name: &'static str,
    /// How it ended.
    pub status: Status,
    /// What was seen.
    pub detail: String,
    /// What to do, with the setting, menu or command; empty if there is nothing to do. It never names a person.
    pub remedy: String,
    /// What people of the on-call topic must act on.
    pub act: Option<Act>,
}

impl Finding {
    fn new(name: &'static str, status: Status, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, status, detail: detail.into(), remedy: remedy.into(), act: None }
    }

    /// It was seen to be right.
    pub fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Status::Ok, detail, "")
    }

    /// It can't be told, or there is nothing to look at.
    pub fn skipped(name: &'static str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(name, Status::Skipped, why, remedy)
    }

    /// It should be looked at.
    pub fn warning(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(name, Status::Warning, detail, remedy)
    }

    /// Part of the job can't be done. If nothing more particular is said, people are asked to look at the check.
    pub fn failed(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { act: Some(Act::Look(name)), ..Self::new(name, Status::Failed, detail, remedy) }
    }

    /// The same, with what people must act on.
    #[must_use]
    pub fn with_act(self, act: Act) -> Self {
        Self { act: Some(act), ..self }
    }

    /// The worse of two findings of one check, with the details of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (worse, better) = if other.status > self.status { (other, self) } else { (self, other) };
        let join = |first: &str, second: &str, with: &str| match (first.is_empty(), second.is_empty()) {
            (_, true) => first.to_owned(),
            (true, _) => second.to_owned(),
            _ => format!("{first}{with}{second}"),
        };
        Self {
            detail: join(&worse.detail, &better.detail, "\n"),
            remedy: join(&worse.remedy, &better.remedy, "; "),
            act: worse.act.or(better.act),
            ..worse
        }
    }

    /// A service was asked and gave no answer that says more.
    #[must_use]
    pub fn unanswered(name: &'static str, service: &str, unseen: &Unseen, remedy: &str) -> Self {
        let detail = format!("{service}: {unseen}");
        match unseen {
            Unseen::NotAllowed(right) => Self::skipped(name, detail, format!("to have it checked, grant {right}")),
            Unseen::Refused { remedy, .. } if !remedy.is_empty() => Self::failed(name, detail, remedy.clone()),
            _ => Self::failed(name, detail, remedy),
        }
    }

    /// The time was up before the check could begin, which says nothing against anything.
    #[must_use]
    pub fn unbegun(name: &'static str) -> Self {
        Self::skipped(name, NO_TIME, "ask again for the check alone (docs/check.md)")
    }

    /// Whether it is [`Self::unbegun`].
    #[must_use]
    pub fn is_unbegun(&self) -> bool {
        self.status == Status::Skipped && self.detail == NO_TIME
    }

    /// The check took longer than it may.
    #[must_use]
    pub fn slow(name: &'static str, seconds: u64) -> Self {
        Self::failed(
            name,
            format!("no answer within {seconds} s"),
            "run the check again; if it lasts, look at the \
             status page of the service, and whether the function can reach it",
        )
    }
}

/// Why something could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// No answer, in a few words.
    #[error("{0}")]
    Unreachable(String),
    /// A bare status of HTTP.
    #[error("HTTP {0}")]
    Status(u16),
    /// An answer that makes no sense.
    #[error("an answer that is not the service's")]
    Garbled,
    /// A refusal in the service's own words, and what to do about it.
    #[error("{code}")]
    Refused {
        /// The service's code.
        code: String,
        /// What to do.
        remedy: String,
    },
    /// We lack this right to look.
    #[error("can't be told without {0}")]
    NotAllowed(String),
}

/// What people must act on, the most urgent first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// PagerDuty has disabled the webhook, because it was refused too often.
    WebhookDisabled,
    /// Somebody has switched the webhook off.
    WebhookInactive,
    /// No webhook covers these services.
    WebhookMissing(Vec<String>),
    /// The webhook leaves new incidents out.
    WebhookEvents,
    /// Nobody is on call at any level of a service's policy, from this time on by the team's clock.
    NobodyOnCall(NaiveDateTime),
    /// These services are not there.
    ServicesGone(Vec<String>),
    /// These services are disabled.
    ServicesDisabled(Vec<String>),
    /// PagerDuty refuses the API key.
    PagerDutyKey,
    /// Slack refuses the token.
    SlackToken,
    /// The bot can't post to the channel of this setting.
    SlackPlace(&'static str),
    /// Slack doesn't know these members' ids, or has deactivated them.
    SlackPeople(Vec<String>),
    /// Something else; the check of this name says what.
    Look(&'static str),
}

/// The findings of all checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One for each of [`NAMES`], in their order.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The findings in the order of their names. A name that has none was never looked at.
    #[must_use]
    pub fn new(found: Vec<Finding>) -> Self {
        let mut found: HashMap<_, _> = found.into_iter().map(|finding| (finding.name, finding)).collect();
        let findings = NAMES.map(|name| found.remove(name).unwrap_or_else(|| Finding::unbegun(name)));
        Self { findings: findings.into() }
    }

    /// The report of settings with which nothing else can be looked at.
    #[must_use]
    pub fn of_bad_settings(problems: &str) -> Self {
        let settings = Finding::failed(
            "settings",
            problems,
            "put the settings right (docs/settings.md has all of them), then check again",
        );
        let others = NAMES.iter().skip(1);
        let others = others.map(|name| Finding::skipped(name, "the settings must be put right first", ""));
        Self { findings: [settings].into_iter().chain(others).collect() }
    }

    /// Whether no check failed.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.failed().next().is_none()
    }

    /// The names of the checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &'static str> {
        self.findings.iter().filter(|finding| finding.status == Status::Failed).map(|finding| finding.name)
    }
}

/// What of these findings people must act on, the most urgent first, each once. What a reminder says anyway about the
/// sheet is left out.
#[must_use]
pub fn acts<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Act> {
    let told_anyway = ["sheet", "members", "roster"];
    let findings = findings.into_iter().filter(|finding| !told_anyway.contains(&finding.name));
    let mut acts: Vec<Act> = findings.filter_map(|finding| finding.act.clone()).collect();
    acts.sort();
    acts.dedup();
    acts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_every_name_once_in_order_and_is_ok_unless_something_failed() {
        let report = Report::new(vec![
            Finding::skipped("heartbeat", "off", ""),
            Finding::warning("ledger", "none", "set it"),
            Finding::ok("settings", "3"),
        ]);
        assert_eq!(report.findings.iter().map(|f| f.name).collect::<Vec<_>>(), NAMES);
        let begun: Vec<_> = report.findings.iter().filter(|finding| !finding.is_unbegun()).map(|f| f.name).collect();
        assert_eq!(begun, ["settings", "ledger", "heartbeat"]);
        assert!(report.findings.iter().all(|finding| finding.is_unbegun() || finding.detail != NO_TIME));
        assert!(report.is_ok());
        let report = Report::new(vec![Finding::failed("sheet", "403", "share it"), Finding::ok("settings", "3")]);
        assert!(!report.is_ok());
        assert_eq!(report.failed().collect::<Vec<_>>(), ["sheet"]);
    }

    #[test]
    fn bad_settings_leave_every_other_check_skipped() {
        let report = Report::of_bad_settings("CHATS is not set");
        assert_eq!(report.findings.iter().map(|finding| finding.name).collect::<Vec<_>>(), NAMES);
        assert_eq!(report.findings.iter().filter(|finding| finding.status == Status::Skipped).count(), NAMES.len() - 1);
        assert!(!report.is_ok());
    }

    #[test]
    fn the_most_urgent_comes_first_and_nothing_twice_and_the_sheet_is_told_elsewhere() {
        let found = [
            Finding::failed("ledger", "", ""),
            Finding::failed("sheet", "", ""),
            Finding::warning("slack.alert", "", "").with_act(Act::SlackPeople(vec!["田中".to_owned()])),
            Finding::warning("slack.oncall", "", "").with_act(Act::SlackPeople(vec!["田中".to_owned()])),
            Finding::failed("pagerduty.webhook", "", "").with_act(Act::WebhookDisabled),
            Finding::warning("holidays", "", ""),
        ];
        assert_eq!(
            acts(&found),
            [Act::WebhookDisabled, Act::SlackPeople(vec!["田中".to_owned()]), Act::Look("ledger")]
        );
    }

    #[test]
    fn two_findings_of_one_check_are_the_worse_with_both_details() {
        let both = Finding::ok("slack.alert", "token fine").and(Finding::failed("slack.alert", "archived", "restore"));
        assert_eq!((both.status, both.detail.as_str()), (Status::Failed, "archived\ntoken fine"));
        assert_eq!(both.remedy, "restore");
    }
}
