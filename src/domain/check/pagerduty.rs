//! What of PagerDuty's set-up keeps alerts from coming: the webhook's subscription, and hours with nobody on call.

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::{Act, Finding, Unseen};
use crate::domain::calendar::Calendar;

/// How far ahead somebody must be on call.
const AHEAD: TimeDelta = TimeDelta::days(7);
/// Where the menu is; PagerDuty's own words.
const MENU: &str = "PagerDuty: Integrations > Generic Webhooks (v3)";

/// A v3 webhook subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// PagerDuty's id.
    pub id: String,
    /// Where it posts to.
    pub url: String,
    /// Whether it is switched on.
    pub active: bool,
    /// Whether PagerDuty has stopped it for a while, because it was refused too often.
    pub temporarily_disabled: bool,
    /// The events that it sends.
    pub events: Vec<String>,
    /// What it covers.
    pub scope: Scope,
}

/// What a subscription covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The whole account.
    Account,
    /// The services of a team.
    Team(String),
    /// A service.
    Service(String),
    /// Something that we don't know.
    Unknown,
}

/// A v2 extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Where it posts to.
    pub url: String,
    /// The services that it covers.
    pub services: Vec<String>,
    /// Whether PagerDuty has stopped it for a while.
    pub temporarily_disabled: bool,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `active`, `warning`, `critical`, `maintenance` or `disabled`.
    pub status: String,
    /// The ids of its teams.
    pub teams: Vec<String>,
    /// The id of its escalation policy.
    pub policy: String,
    /// Minutes until the policy's first level is passed over.
    pub first_delay: Option<u32>,
}

/// A service by its id, as far as it could be seen.
pub type SeenService = (String, Result<Service, Unseen>);

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

/// Whether the key is accepted.
#[must_use]
pub fn key(seen: Result<(), Unseen>) -> Finding {
    const NAME: &str = "pagerduty.key";
    match seen {
        Ok(()) => Finding::ok(NAME, "PagerDuty accepts PAGERDUTY_API_KEY"),
        Err(unseen @ Unseen::Status(401)) => Finding::failed(
            NAME,
            format!("PagerDuty refuses PAGERDUTY_API_KEY ({unseen})"),
            "make a read-only key (PagerDuty: Integrations > API Access Keys) and put it into PAGERDUTY_API_KEY; for \
             an account in the EU set PAGERDUTY_BASE_URL to https://api.eu.pagerduty.com",
        )
        .with_act(Act::PagerDutyKey),
        Err(Unseen::Status(402 | 403)) => Finding::skipped(
            NAME,
            "PagerDuty knows the key and doesn't let it list the account's abilities (HTTP 403)",
            "the other checks of PagerDuty say what it can't read",
        ),
        Err(unseen) => Finding::unanswered(NAME, "PagerDuty's REST API", &unseen, "check PAGERDUTY_BASE_URL"),
    }
}

/// What is looked at for the webhook.
#[derive(Debug)]
pub struct Webhook<'a> {
    /// `WEBHOOK_URL`
    pub url: &'a Url,
    /// The services that it should cover.
    pub services: &'a [SeenService],
    /// All subscriptions that the key can see.
    pub subscriptions: Result<Vec<Subscription>, Unseen>,
    /// All extensions that the key can see.
    pub extensions: Result<Vec<Extension>, Unseen>,
    /// The events that the relay posts.
    pub events: &'a [&'a str],
}

impl Webhook<'_> {
    const NAME: &'static str = "pagerduty.webhook";

    /// Whether PagerDuty sends what the relay posts, for each service.
    #[must_use]
    pub fn judge(self) -> Finding {
        let subscriptions = match &self.subscriptions {
            Ok(subscriptions) => subscriptions.iter().filter(|known| self.is_ours(&known.url)).collect::<Vec<_>>(),
            Err(Unseen::Status(status @ (402 | 403))) => {
                let unseen = Unseen::NotAllowed(format!("the right to read webhook subscriptions (HTTP {status})"));
                return Finding::unanswered(Self::NAME, "PagerDuty's webhook subscriptions", &unseen, "");
            }
            Err(unseen) => {
                let remedy = "check PAGERDUTY_API_KEY and PAGERDUTY_BASE_URL";
                return Finding::unanswered(Self::NAME, "PagerDuty's webhook subscriptions", unseen, remedy);
            }
        };
        let (extensions, unseen_extensions) = match &self.extensions {
            Ok(extensions) => (extensions.iter().filter(|known| self.is_ours(&known.url)).collect::<Vec<_>>(), None),
            Err(unseen) => (Vec::new(), Some(unseen)),
        };
        let mut findings = vec![self.coverage(&subscriptions, &extensions)];
        findings.extend(self.missing_events(&subscriptions));
        findings.extend(extensions_beside(&subscriptions, &extensions));
        findings.extend(unseen_extensions.map(|unseen| {
            let detail = format!("whether a v2 extension posts here, too, can't be told: {unseen}");
            Finding::skipped(Self::NAME, detail, "look at each service: Integrations > Extensions")
        }));
        findings.into_iter().reduce(Finding::and).unwrap_or_else(|| Finding::ok(Self::NAME, ""))
    }

    fn coverage(&self, subscriptions: &[&Subscription], extensions: &[&Extension]) -> Finding {
        let covered_by = |service: &SeenService, sends: &dyn Fn(&Subscription) -> bool| {
            subscriptions.iter().any(|known| sends(known) && covers(known, service))
        };
        let sends = |known: &Subscription| known.active && !known.temporarily_disabled;
        let by_extension = |id: &String, disabled: bool| {
            extensions.iter().any(|known| known.services.contains(id) && known.temporarily_disabled == disabled)
        };
        let silent: Vec<&SeenService> = self
            .services
            .iter()
            .filter(|service| !covered_by(service, &sends) && !by_extension(&service.0, false))
            .collect();
        if silent.is_empty() {
            let detail = match subscriptions {
                [] => "no v3 subscription, but a v2 extension posts to WEBHOOK_URL for each service".to_owned(),
                [one] => format!("the subscription {} posts to WEBHOOK_URL and is active", one.id),
                several => format!("{} subscriptions post to WEBHOOK_URL", several.len()),
            };
            return Finding::ok(Self::NAME, detail);
        }
        let ids = || silent.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
        let disabled = silent
            .iter()
            .any(|service| covered_by(service, &|known| known.temporarily_disabled) || by_extension(&service.0, true));
        if disabled {
            return Finding::failed(
                Self::NAME,
                format!("PagerDuty has disabled the webhook for {}, after it was refused too often", ids().join(", ")),
                format!(
                    "{MENU}, open the webhook and choose Enable; then find out from the API's log why it was refused"
                ),
            )
            .with_act(Act::WebhookDisabled);
        }
        if silent.iter().any(|service| covered_by(service, &|known| !known.active)) {
            let detail = format!("the subscription for {} is switched off", ids().join(", "));
            let remedy = format!("{MENU}, open the webhook and switch it on");
            return Finding::failed(Self::NAME, detail, remedy).with_act(Act::WebhookInactive);
        }
        // Whether a team's subscription covers a service is only known once the service's teams are.
        let by_team = subscriptions.iter().any(|known| sends(known) && matches!(known.scope, Scope::Team(_)));
        if by_team && silent.iter().all(|(_, seen)| seen.is_err()) {
            let detail = format!("whether a team's subscription covers {} can't be told", ids().join(", "));
            return Finding::skipped(Self::NAME, detail, "pagerduty.escalation says why the services can't be read");
        }
        let elsewhere = match subscriptions {
            [] => "no subscription that the key can see posts to WEBHOOK_URL".to_owned(),
            some => format!("{} subscription(s) post to WEBHOOK_URL, but cover other services", some.len()),
        };
        Finding::failed(
            Self::NAME,
            format!("no webhook for {}: {elsewhere}", ids().join(", ")),
            format!(
                "{MENU} > New Webhook with the address of WEBHOOK_URL, and its secret into PAGERDUTY_SIGNING_SECRETS; if \
                 PagerDuty posts to another address of yours, set WEBHOOK_URL to that"
            ),
        )
        .with_act(Act::WebhookMissing(ids()))
    }

    fn missing_events(&self, subscriptions: &[&Subscription]) -> Option<Finding> {
        let sent = |event: &&str| {
            subscriptions.iter().filter(|known| known.active).any(|known| known.events.iter().any(|sent| sent == event))
        };
        let missing: Vec<_> = self.events.iter().copied().filter(|event| !sent(event)).collect();
        if missing.is_empty() || !subscriptions.iter().any(|known| known.active) {
            return None;
        }
        let detail = format!("the subscription doesn't send {}", missing.join(", "));
        let remedy = format!("{MENU}, open the webhook and tick these events");
        Some(if missing.contains(&"incident.triggered") {
            Finding::failed(Self::NAME, detail, remedy).with_act(Act::WebhookEvents)
        } else {
            Finding::warning(Self::NAME, detail, remedy)
        })
    }

    /// Whether an address leads to where `WEBHOOK_URL` does; what is before or behind its path doesn't count.
    fn is_ours(&self, url: &str) -> bool {
        let parts = |url: &Url| -> Vec<String> {
            let path = url.path().split('/').filter(|part| !part.is_empty()).map(str::to_owned);
            let host = url.host_str().unwrap_or_default().to_owned();
            [host, url.port_or_known_default().unwrap_or_default().to_string()].into_iter().chain(path).collect()
        };
        Url::parse(url).is_ok_and(|url| parts(&url) == parts(self.url))
    }
}

fn extensions_beside(subscriptions: &[&Subscription], extensions: &[&Extension]) -> Option<Finding> {
    const NAME: &str = Webhook::NAME;
    if extensions.is_empty() {
        return None;
    }
    Some(if subscriptions.is_empty() {
        Finding::warning(
            NAME,
            "v2 extensions still work, but PagerDuty no longer supports them, and they are not signed",
            format!("make a v3 subscription ({MENU} > New Webhook), then delete the extension"),
        )
    } else {
        let services: Vec<_> = extensions.iter().flat_map(|known| known.services.iter().cloned()).collect();
        Finding::warning(
            NAME,
            format!("a v2 extension of {} posts to WEBHOOK_URL beside the v3 subscription: events come twice", {
                services.join(", ")
            }),
            "delete it (PagerDuty: the service > Integrations > Extensions)",
        )
    })
}

fn covers(subscription: &Subscription, (id, seen): &SeenService) -> bool {
    match &subscription.scope {
        Scope::Account => true,
        Scope::Service(service) => service == id,
        Scope::Team(team) => seen.as_ref().is_ok_and(|service| service.teams.contains(team)),
        Scope::Unknown => false,
    }
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

#[cfg(test)]
mod tests;
