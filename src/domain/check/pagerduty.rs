//! What of PagerDuty's set-up keeps alerts from coming: the webhook's subscription, and hours with nobody on call.

use url::Url;

use super::{Act, Finding, Unseen};

mod escalation;

pub use escalation::{Shift, escalation, looks_until, policies};

/// Where the menu is; PagerDuty's own words.
const MENU: &str = "PagerDuty: Integrations > Generic Webhooks (v3)";
/// Without this event nobody is called.
const NEEDED: &str = "incident.triggered";

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

impl Subscription {
    /// Whether it sends anything now.
    fn sends(&self) -> bool {
        self.active && !self.temporarily_disabled
    }
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
        findings.extend(self.missing_events(&subscriptions, &extensions));
        findings.extend(self.doubled(&subscriptions));
        findings.extend(self.extensions_beside(&subscriptions, &extensions));
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
        let by_extension = |id: &String, disabled: bool| {
            extensions.iter().any(|known| known.services.contains(id) && known.temporarily_disabled == disabled)
        };
        let silent: Vec<&SeenService> = self
            .services
            .iter()
            .filter(|service| !covered_by(service, &Subscription::sends) && !by_extension(&service.0, false))
            .collect();
        if silent.is_empty() {
            let sending: Vec<_> = subscriptions.iter().filter(|known| known.sends()).collect();
            let detail = match sending.as_slice() {
                [] => "no v3 subscription sends, but a v2 extension posts to WEBHOOK_URL for each service".to_owned(),
                [one] if subscriptions.len() == 1 => {
                    format!("the subscription {} posts to WEBHOOK_URL and is active", one.id)
                }
                some if some.len() == subscriptions.len() => {
                    format!("{} subscriptions post to WEBHOOK_URL", some.len())
                }
                some => {
                    let ids: Vec<_> = some.iter().map(|known| known.id.as_str()).collect();
                    format!("of {} subscriptions to WEBHOOK_URL, {} send(s)", subscriptions.len(), ids.join(", "))
                }
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
        let by_team = subscriptions.iter().any(|known| known.sends() && matches!(known.scope, Scope::Team(_)));
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

    /// What the subscriptions of a service leave out, however much those of others send.
    fn missing_events(&self, subscriptions: &[&Subscription], extensions: &[&Extension]) -> Option<Finding> {
        let finding = |(missing, ids): (Vec<&str>, Vec<&str>)| {
            let remedy = format!("{MENU}, open the webhook and tick these events");
            let events = missing.join(", ");
            let detail = if ids.len() == self.services.len() {
                format!("the subscription doesn't send {events}")
            } else {
                format!("for {} the subscription doesn't send {events}", ids.join(", "))
            };
            let by_extension = |id: &str| {
                let sends = |known: &&&Extension| !known.temporarily_disabled;
                extensions.iter().filter(sends).any(|known| known.services.iter().any(|own| own == id))
            };
            if missing.contains(&NEEDED) && !ids.iter().all(|id| by_extension(id)) {
                Finding::failed(Self::NAME, detail, remedy).with_act(Act::WebhookEvents)
            } else {
                Finding::warning(Self::NAME, detail, remedy)
            }
        };
        let mut left_out: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
        for service in self.services {
            let sending = sending_to(service, subscriptions);
            let sent = |event: &&str| sending.iter().any(|known| known.events.iter().any(|sent| sent == event));
            let missing: Vec<_> = self.events.iter().copied().filter(|event| !sent(event)).collect();
            if missing.is_empty() || sending.is_empty() {
                continue;
            }
            match left_out.iter_mut().find(|(same, _)| *same == missing) {
                Some((_, ids)) => ids.push(&service.0),
                None => left_out.push((missing, vec![&service.0])),
            }
        }
        left_out.into_iter().map(finding).reduce(Finding::and)
    }

    /// Services for which the same event is sent by several subscriptions.
    fn doubled(&self, subscriptions: &[&Subscription]) -> Option<Finding> {
        let several = |service: &&SeenService| {
            let sending = sending_to(service, subscriptions);
            let sent =
                |event: &str| sending.iter().filter(|known| known.events.iter().any(|sent| sent == event)).count();
            self.events.iter().any(|event| sent(event) > 1)
        };
        let services: Vec<_> = self.services.iter().filter(several).collect();
        let of = |service: &&SeenService| sending_to(service, subscriptions);
        let mut ids: Vec<_> = services.iter().flat_map(of).map(|known| known.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let names: Vec<_> = services.iter().map(|(id, _)| id.as_str()).collect();
        (!services.is_empty()).then(|| {
            Finding::warning(
                Self::NAME,
                format!(
                    "for {} events come twice: the subscriptions {} all send them",
                    names.join(", "),
                    ids.join(", ")
                ),
                format!("{MENU}: keep one that covers every service and sends every event, and delete the others"),
            )
        })
    }

    /// An extension is in the way only where a subscription does its work; elsewhere alerts live on it.
    fn extensions_beside(&self, subscriptions: &[&Subscription], extensions: &[&Extension]) -> Option<Finding> {
        let taken_over = |id: &str| {
            // What teams a service of somebody else belongs to isn't known.
            let unknown = (id.to_owned(), Err(Unseen::Garbled));
            let service = self.services.iter().find(|(own, _)| own == id).unwrap_or(&unknown);
            let sends = |known: &&Subscription| known.events.iter().any(|event| event == NEEDED);
            sending_to(service, subscriptions).into_iter().any(|known| sends(&known))
        };
        let finding = |extension: &&Extension| {
            let ids = extension.services.iter().map(String::as_str);
            let (twice, alone): (Vec<_>, Vec<_>) = ids.partition(|id| taken_over(id));
            let (twice, alone) = (twice.join(", "), alone.join(", "));
            let first = format!(
                "have a v3 subscription send for {alone} first ({MENU} > New Webhook, or switch on the one that is \
                 there), then delete the extension"
            );
            match (twice.is_empty(), alone.is_empty()) {
                (_, true) => Finding::warning(
                    Self::NAME,
                    format!(
                        "a v2 extension of {twice} posts to WEBHOOK_URL beside the v3 subscription: events come twice"
                    ),
                    "delete it (PagerDuty: the service > Integrations > Extensions)",
                ),
                (true, false) => Finding::warning(
                    Self::NAME,
                    format!(
                        "the v2 extension of {alone} still works, but PagerDuty no longer supports them, and it is not \
                         signed"
                    ),
                    first,
                ),
                (false, false) => Finding::warning(
                    Self::NAME,
                    format!(
                        "a v2 extension posts to WEBHOOK_URL for {twice} beside the v3 subscription: events come twice; \
                         for {alone} nothing else does"
                    ),
                    first,
                ),
            }
        };
        extensions.iter().map(finding).reduce(Finding::and)
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

/// The subscriptions that send what happens at a service.
fn sending_to<'a>(service: &SeenService, subscriptions: &[&'a Subscription]) -> Vec<&'a Subscription> {
    subscriptions.iter().copied().filter(|known| known.sends() && covers(known, service)).collect()
}

fn covers(subscription: &Subscription, (id, seen): &SeenService) -> bool {
    match &subscription.scope {
        Scope::Account => true,
        Scope::Service(service) => service == id,
        Scope::Team(team) => seen.as_ref().is_ok_and(|service| service.teams.contains(team)),
        Scope::Unknown => false,
    }
}

#[cfg(test)]
mod tests;
