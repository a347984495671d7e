//! What of PagerDuty's set-up the check reads: key, subscriptions, extensions, services, times on call.
//!
//! Source: <https://developer.pagerduty.com/api-reference/>

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{LAST_OFFSET, PAGE, RestClient};
use crate::domain::check::Unseen;
use crate::domain::check::pagerduty::{Extension, Scope, SeenService, Service, Shift, Subscription};
use crate::edge::beside::{Work, side_by_side};

/// Services that are asked about at once.
const AT_ONCE: usize = 8;
/// Policies in one question, so that its address doesn't grow too long.
const POLICIES: usize = 50;

/// A page of a list: PagerDuty's lists differ in the name of the list only.
#[derive(Deserialize)]
struct Paged {
    #[serde(default)]
    more: bool,
    #[serde(flatten)]
    lists: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct WireSubscription {
    #[serde(default)]
    id: String,
    #[serde(default)]
    active: bool,
    delivery_method: WireDelivery,
    #[serde(default)]
    events: Vec<String>,
    filter: WireFilter,
}

#[derive(Deserialize)]
struct WireDelivery {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    temporarily_disabled: Option<bool>,
}

#[derive(Deserialize)]
struct WireFilter {
    r#type: String,
    id: Option<String>,
}

#[derive(Deserialize)]
struct WireExtension {
    endpoint_url: Option<String>,
    #[serde(default)]
    temporarily_disabled: Option<bool>,
    #[serde(default)]
    extension_objects: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    id: String,
}

#[derive(Deserialize)]
struct ServiceAnswer {
    service: WireService,
}

#[derive(Deserialize)]
struct WireService {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    teams: Option<Vec<Reference>>,
    escalation_policy: WirePolicy,
}

#[derive(Deserialize)]
struct WirePolicy {
    id: String,
    #[serde(default)]
    escalation_rules: Vec<WireRule>,
}

#[derive(Deserialize)]
struct WireRule {
    escalation_delay_in_minutes: Option<u32>,
}

#[derive(Deserialize)]
struct WireShift {
    escalation_policy: Reference,
    start: Option<DateTime<Utc>>,
    end: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Abilities {
    #[serde(rename = "abilities")]
    _abilities: Vec<String>,
}

impl RestClient {
    /// The ids of `PAGERDUTY_SERVICES`.
    #[must_use]
    pub fn services(&self) -> &[String] {
        &self.config.services
    }

    /// Whether the key is accepted.
    ///
    /// # Errors
    /// Says what came instead.
    pub async fn accepts_the_key(&self) -> Result<(), Unseen> {
        let body = self.get("/abilities", &[]).await?;
        parsed::<Abilities>(&body).map(drop)
    }

    /// All webhook subscriptions that the key can see.
    ///
    /// # Errors
    /// Says what came instead.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, Unseen> {
        let found: Vec<WireSubscription> = self.all("/webhook_subscriptions", "webhook_subscriptions", &[]).await?;
        let subscription = |wire: WireSubscription| Subscription {
            id: wire.id,
            url: wire.delivery_method.url.unwrap_or_default(),
            active: wire.active,
            temporarily_disabled: wire.delivery_method.temporarily_disabled.unwrap_or_default(),
            events: wire.events,
            scope: match (wire.filter.r#type.as_str(), wire.filter.id) {
                ("account_reference", _) => Scope::Account,
                ("team_reference", Some(id)) => Scope::Team(id),
                ("service_reference", Some(id)) => Scope::Service(id),
                _ => Scope::Unknown,
            },
        };
        Ok(found.into_iter().map(subscription).collect())
    }

    /// All extensions that the key can see.
    ///
    /// # Errors
    /// Says what came instead.
    pub async fn extensions(&self) -> Result<Vec<Extension>, Unseen> {
        let found: Vec<WireExtension> = self.all("/extensions", "extensions", &[]).await?;
        let extension = |wire: WireExtension| Extension {
            url: wire.endpoint_url.unwrap_or_default(),
            services: wire.extension_objects.into_iter().map(|service| service.id).collect(),
            temporarily_disabled: wire.temporarily_disabled.unwrap_or_default(),
        };
        Ok(found.into_iter().map(extension).collect())
    }

    /// Every service of `PAGERDUTY_SERVICES`, with the first level of its policy.
    pub async fn seen_services(&self) -> Vec<SeenService> {
        let mut services: Vec<Work<'_, SeenService>> = Vec::new();
        for id in self.config.services.clone() {
            services.push(Box::pin(async move {
                let seen = self.service(&id).await;
                (id, seen)
            }));
        }
        let mut seen = side_by_side(AT_ONCE, services.into_iter()).await;
        seen.sort_by(|one, other| one.0.cmp(&other.0));
        seen
    }

    async fn service(&self, id: &str) -> Result<Service, Unseen> {
        let body = self.get(&format!("/services/{id}"), &[("include[]", "escalation_policies")]).await?;
        let ServiceAnswer { service } = parsed(&body)?;
        Ok(Service {
            status: service.status.unwrap_or_default(),
            teams: service.teams.unwrap_or_default().into_iter().map(|team| team.id).collect(),
            first_delay: service
                .escalation_policy
                .escalation_rules
                .first()
                .and_then(|rule| rule.escalation_delay_in_minutes),
            policy: service.escalation_policy.id,
        })
    }

    /// Who is on call by these policies, at any level, without saying who it is.
    ///
    /// # Errors
    /// Says what came instead.
    pub async fn shifts(
        &self,
        policies: &[String],
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<Shift>, Unseen> {
        let (from, until) = (rfc3339(from), rfc3339(until));
        let mut shifts = Vec::new();
        for policies in policies.chunks(POLICIES) {
            let mut query = vec![("since", from.as_str()), ("until", until.as_str())];
            query.extend(policies.iter().map(|policy| ("escalation_policy_ids[]", policy.as_str())));
            let found: Vec<WireShift> = self.all("/oncalls", "oncalls", &query).await?;
            shifts.extend(found.into_iter().map(|wire| Shift {
                policy: wire.escalation_policy.id,
                from: wire.start,
                until: wire.end,
            }));
        }
        Ok(shifts)
    }

    /// All pages of a list.
    async fn all<T: DeserializeOwned>(&self, path: &str, list: &str, query: &[(&str, &str)]) -> Result<Vec<T>, Unseen> {
        let limit = PAGE.to_string();
        let mut found = Vec::new();
        loop {
            let offset = found.len().to_string();
            let paging = [("limit", limit.as_str()), ("offset", offset.as_str())];
            let body = self.get(path, &[query, &paging].concat()).await?;
            let mut page: Paged = parsed(&body)?;
            let items = page.lists.remove(list).ok_or(Unseen::Garbled)?;
            let items: Vec<T> = serde_json::from_value(items).map_err(|_| Unseen::Garbled)?;
            let more = page.more && !items.is_empty() && found.len() + PAGE < LAST_OFFSET;
            found.extend(items);
            if !more {
                return Ok(found);
            }
        }
    }
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unseen> {
    serde_json::from_slice(body).map_err(|_| Unseen::Garbled)
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
