//! PagerDuty's webhook subscriptions for the relay: what is there, and what has to be done about it.
//!
//! `PagerDuty` shows a subscription's secret once, when it is created. So that a later run can tell whether the secret
//! in the store is this subscription's, its description carries a fingerprint of it.

use oncall_relay::edge::pagerduty::EVENTS;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

/// How the description of one of ours begins.
const OURS: &str = "oncall-relay";
const FINGERPRINT: &str = "oncall-relay, secret ";
const UNFINISHED: &str = "oncall-relay, being set up";

/// A service, with the teams that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `PagerDuty`'s id.
    pub id: String,
    /// The ids of its teams.
    pub teams: Vec<String>,
}

impl Service {
    /// Reads one out of `PagerDuty`'s answer.
    #[must_use]
    pub fn read(listed: &Value) -> Option<Self> {
        let teams = listed["teams"].as_array().into_iter().flatten();
        let teams = teams.filter_map(|team| team["id"].as_str().map(str::to_owned)).collect();
        Some(Self { id: listed["id"].as_str()?.to_owned(), teams })
    }
}

/// A webhook subscription, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `PagerDuty`'s id.
    pub id: String,
    url: String,
    description: String,
    active: bool,
    disabled: bool,
    events: Vec<String>,
    /// Its kind and id: a service, a team, or the whole account.
    filter: (String, String),
}

/// What is true of a service's subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Missing,
    /// It does what it should.
    Good(Subscription),
    /// Its secret is known, but it is off or lacks events.
    Repairable(Subscription, Vec<String>),
    /// One of ours whose secret is not in the store: it can't be verified, ever.
    Lost(Subscription),
    /// Made by somebody else or by hand: nothing tells whether the store has its secret.
    Foreign(Subscription),
}

impl Subscription {
    /// Reads one out of `PagerDuty`'s list.
    #[must_use]
    pub fn read(listed: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let method = &listed["delivery_method"];
        Some(Self {
            id: listed["id"].as_str()?.to_owned(),
            url: text(&method["url"]),
            description: text(&listed["description"]),
            active: listed["active"].as_bool().unwrap_or(true),
            disabled: method["temporarily_disabled"].as_bool().unwrap_or(false),
            events: listed["events"].as_array().into_iter().flatten().map(text).collect(),
            filter: (text(&listed["filter"]["type"]), text(&listed["filter"]["id"])),
        })
    }

    /// Whether it posts to this address; a slash at the end makes no difference to the relay.
    #[must_use]
    pub fn is_for(&self, url: &str) -> bool {
        self.url.trim_end_matches('/').eq_ignore_ascii_case(url.trim_end_matches('/'))
    }

    /// Whether `PagerDuty` has stopped it for a day.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// Its own words about itself.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Whether it was made by an earlier run, which may have ended in the middle.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.description.starts_with(FINGERPRINT) || self.description == UNFINISHED
    }

    fn covers(&self, service: &Service) -> bool {
        let (kind, id) = &self.filter;
        match kind.as_str() {
            "account_reference" => true,
            "team_reference" => service.teams.contains(id),
            "service_reference" => *id == service.id,
            _ => false,
        }
    }

    /// Whether new incidents of a service come through it now.
    #[must_use]
    pub fn carries(&self, service: &Service) -> bool {
        let triggered = self.events.iter().any(|event| event == EVENTS[0]);
        self.active && !self.disabled && triggered && self.covers(service)
    }

    /// Whether it works for one of these services and for nothing else.
    #[must_use]
    pub fn doubles(&self, services: &[(String, State)]) -> bool {
        let (kind, id) = &self.filter;
        kind == "service_reference" && services.iter().any(|(service, _)| service == id)
    }

    /// What it covers, if that is more than one service.
    #[must_use]
    pub fn wide_scope(&self) -> Option<String> {
        match self.filter.0.as_str() {
            "account_reference" => Some("the whole account".to_owned()),
            "team_reference" => Some(format!("every service of the team {}", self.filter.1)),
            _ => None,
        }
    }

    /// Whether this is its secret, as far as its description tells.
    #[must_use]
    pub fn has(&self, secret: &str) -> bool {
        self.description.strip_prefix(FINGERPRINT).is_some_and(|known| fingerprint(secret) == known)
    }

    fn knows(&self, secrets: &[String]) -> bool {
        secrets.iter().any(|secret| self.has(secret))
    }

    /// What keeps it from doing its job, in words.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.active {
            faults.push("it is switched off".to_owned());
        }
        if self.disabled {
            faults.push("PagerDuty has disabled it for a day, after refusals in a row".to_owned());
        }
        let missing = self.missing_events();
        if !missing.is_empty() {
            faults.push(format!("it doesn't send {}", missing.join(", ")));
        }
        faults
    }

    fn missing_events(&self) -> Vec<&'static str> {
        EVENTS.into_iter().filter(|event| !self.events.iter().any(|sent| sent == event)).collect()
    }

    /// The request that switches it on with all events, and marks whose secret the store has.
    #[must_use]
    pub fn repaired(&self, secret: Option<&str>) -> Value {
        let mut events = self.events.clone();
        events.extend(self.missing_events().into_iter().map(str::to_owned));
        let mut change = json!({"active": true, "events": events});
        if let Some(secret) = secret {
            change["description"] = json!(format!("{FINGERPRINT}{}", fingerprint(secret)));
        }
        json!({ "webhook_subscription": change })
    }
}

/// What is true of the subscription of each service at this address.
#[must_use]
pub fn states(all: &[Subscription], url: &str, services: &[Service], secrets: &[String]) -> Vec<(String, State)> {
    let state = |service: &Service| {
        let here: Vec<_> = all.iter().filter(|one| one.is_for(url) && one.covers(service)).cloned().collect();
        // The one whose secret is known; else ours; else whatever there is.
        let best = here.iter().find(|one| one.knows(secrets)).or_else(|| here.iter().find(|one| one.is_ours()));
        match best.or(here.first()).cloned() {
            None => State::Missing,
            Some(one) if one.knows(secrets) => match one.faults() {
                faults if faults.is_empty() => State::Good(one),
                faults => State::Repairable(one, faults),
            },
            Some(one) if one.is_ours() => State::Lost(one),
            Some(one) => State::Foreign(one),
        }
    };
    services.iter().map(|service| (service.id.clone(), state(service))).collect()
}

/// The rest at the addresses of the relay: what belongs to no service of ours, or doubles what one has already.
#[must_use]
pub fn strangers<'a>(
    all: &'a [Subscription],
    addresses: &[String],
    states: &[(String, State)],
) -> Vec<&'a Subscription> {
    let known = |one: &Subscription| {
        states.iter().any(|(_, state)| match state {
            State::Good(known) | State::Repairable(known, _) | State::Lost(known) | State::Foreign(known) => {
                known == one
            }
            State::Missing => false,
        })
    };
    all.iter().filter(|one| addresses.iter().any(|url| one.is_for(url)) && !known(one)).collect()
}

/// The request that creates one, which sends nothing until its secret is in the store.
#[must_use]
pub fn new(url: &str, service: &str) -> Value {
    json!({"webhook_subscription": {
        "type": "webhook_subscription",
        "active": false,
        "description": UNFINISHED,
        "delivery_method": {"type": "http_delivery_method", "url": url},
        "filter": {"type": "service_reference", "id": service},
        "events": EVENTS,
    }})
}

/// Enough of a hash to know a secret again, and far too little to guess it by.
fn fingerprint(secret: &str) -> String {
    hex::encode(&digest(&SHA256, secret.as_bytes()).as_ref()[..4])
}

/// The names under which earlier guides had people create them by hand.
#[must_use]
pub fn is_named_like_ours(one: &Subscription) -> bool {
    one.description.starts_with(OURS)
}
