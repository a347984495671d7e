//! `oncall pagerduty`: PagerDuty's side of the relay, with a key that is asked for and kept nowhere.

mod arrange;
mod listing;
mod register;
mod status;

use std::collections::HashMap;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::operator::dialogue::{Outcome, Terminal};
use crate::operator::pagerduty::{PagerDuty, US};
use crate::operator::stack::{Stack, StackArgs};
use crate::operator::subscriptions::{Service, State, Subscription, states};

/// The setting that has the secrets of all subscriptions.
const SIGNING_SECRETS: &str = "PAGERDUTY_SIGNING_SECRETS";
/// What a script stores that failed to get the real one is shorter, or has this name.
const MIN_SECRET: usize = 8;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Have PagerDuty send webhooks to the deployed relay: creates or repairs the subscription of each service.
    #[command(after_help = "Example: oncall pagerduty register --service PABC123")]
    Register(register::RegisterArgs),
    /// Say whether PagerDuty's webhooks reach the relay, and what to do if not. Changes nothing.
    #[command(after_help = "Example: oncall pagerduty status")]
    Status(AccountArgs),
    /// Create the daytime schedule of a dummy user, and the policy that goes on to the SREs after 30 minutes.
    #[command(after_help = "Example: oncall pagerduty arrange --dummy dummy@example.com --then PSRESCH")]
    Arrange(arrange::ArrangeArgs),
}

/// Which stack and which services.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct AccountArgs {
    #[command(flatten)]
    stack: StackArgs,
    /// A service's id, the last part of its page's address; several times for several. Without it, those of the
    /// deployed `PAGERDUTY_SERVICES`.
    #[arg(long = "service")]
    services: Vec<String>,
    /// PagerDuty's API, such as <https://api.eu.pagerduty.com>; without it, the deployed `PAGERDUTY_BASE_URL`.
    #[arg(long)]
    base_url: Option<String>,
}

pub(super) async fn run(command: Command) -> Outcome {
    match command {
        Command::Register(args) => Box::pin(register::run(args)).await,
        Command::Arrange(args) => Box::pin(arrange::run(args)).await,
        Command::Status(args) => Box::pin(status::run(args)).await,
    }
}

/// Everything that there is to know before something is done.
struct Situation {
    /// Where PagerDuty should post to.
    url: String,
    /// That, and the address that AWS gave the relay.
    addresses: Vec<String>,
    /// The usable entries of `PAGERDUTY_SIGNING_SECRETS`.
    secrets: Vec<String>,
    all: Vec<Subscription>,
    states: Vec<(String, State)>,
    extensions: Vec<Extension>,
}

/// A v2 extension that posts to the relay as well.
struct Extension {
    id: String,
    name: String,
    /// All services that it works for, whosoever they are.
    services: Vec<Service>,
}

impl Extension {
    /// The ids of the services which one of these subscriptions works for, and of those whose alerts come by it alone.
    fn twice_and_alone(&self, subscriptions: &[Subscription]) -> (Vec<&str>, Vec<&str>) {
        let ids = self.services.iter().map(|service| service.id.as_str());
        ids.partition(|id| {
            let service = self.services.iter().find(|service| service.id == *id);
            service.is_some_and(|service| subscriptions.iter().any(|one| one.carries(service)))
        })
    }
}

impl AccountArgs {
    fn base_url(&self, settings: &HashMap<String, String>) -> String {
        let deployed = || settings.get("PAGERDUTY_BASE_URL").filter(|url| !url.is_empty()).cloned();
        self.base_url.clone().or_else(deployed).unwrap_or_else(|| US.to_owned())
    }

    /// The services that were asked for, else those that are deployed, else those that are chosen now.
    async fn services(
        &self,
        settings: &HashMap<String, String>,
        account: &PagerDuty,
        terminal: &Terminal,
    ) -> Outcome<Vec<Service>> {
        let deployed = settings.get("PAGERDUTY_SERVICES").map(String::as_str).unwrap_or_default();
        let deployed = deployed.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned);
        let asked = if self.services.is_empty() { deployed.collect() } else { self.services.clone() };
        if !asked.is_empty() {
            let mut services = Vec::new();
            for id in &asked {
                let service = account.get(&format!("/services/{id}")).await;
                let service = service.map_err(|why| format!("the service {id}: {why}"))?;
                terminal.say(format!("Service {id}: {}", service["service"]["name"].as_str().unwrap_or_default()));
                services.extend(Service::read(&service["service"]));
            }
            return Ok(services);
        }
        let listed = account.list("/services", "services", &[]).await?;
        let named: Vec<_> =
            listed.iter().filter_map(|one| Some((one["id"].as_str()?, one["name"].as_str()?))).collect();
        if named.is_empty() {
            return Err("this PagerDuty account has no service yet; make one for the application's alerts first".into());
        }
        terminal.say("Which service's alerts go to the chat?");
        for (index, (id, name)) in named.iter().enumerate() {
            terminal.say(format!("  {}. {name} ({id})", index + 1));
        }
        let ids = terminal.ask("Numbers, such as 1 or 1,3", "", |answer| {
            let chosen = answer.split([',', ' ', '、']).filter(|part| !part.is_empty());
            let id =
                |part: &str| named.get(part.parse::<usize>().ok()?.checked_sub(1)?).map(|(id, _)| (*id).to_owned());
            let ids: Option<Vec<_>> = chosen.map(id).collect();
            ids.filter(|ids| !ids.is_empty()).ok_or_else(|| format!("write numbers from 1 to {}", named.len()))
        })?;
        Ok(listed.iter().filter_map(Service::read).filter(|service| ids.contains(&service.id)).collect())
    }
}

impl Situation {
    async fn of(
        stack: &Stack,
        settings: &HashMap<String, String>,
        services: Vec<Service>,
        account: &PagerDuty,
        terminal: &Terminal,
    ) -> Outcome<Self> {
        let given = stack.output("WebhookUrl")?.to_owned();
        let own = settings.get("WEBHOOK_URL").map(|url| url.trim().to_owned()).filter(|url| !url.is_empty());
        let url = own.unwrap_or_else(|| given.clone());
        let addresses = vec![url.clone(), given];
        let stored = stack.secrets(&[SIGNING_SECRETS], terminal).await?.remove(SIGNING_SECRETS).unwrap_or_default();
        let secrets: Vec<_> =
            stored.split(',').map(|entry| entry.trim().to_owned()).filter(|entry| is_secret(entry)).collect();
        if stored.split(',').any(|entry| !entry.trim().is_empty() && !is_secret(entry.trim())) {
            terminal.say(format!(
                "⚠ {} has an entry that is no secret, such as `null` from a failed command. It is left out from now on.",
                stack.secret_name(SIGNING_SECRETS)
            ));
        }
        let listed = account.list("/webhook_subscriptions", "webhook_subscriptions", &[]).await?;
        let all: Vec<_> = listed.iter().filter_map(Subscription::read).collect();
        let states = states(&all, &url, &services, &secrets);
        let listed = account.list("/extensions", "extensions", &[]).await?;
        let mut extensions = Vec::new();
        for one in listed.iter().filter(|one| is_extension_here(one, &addresses, &services)) {
            extensions.push(extension(one, &services, account).await);
        }
        Ok(Self { url, addresses, secrets, all, states, extensions })
    }
}

fn is_secret(entry: &str) -> bool {
    entry.len() >= MIN_SECRET && !entry.eq_ignore_ascii_case("undefined") && entry.bytes().all(|b| b.is_ascii_graphic())
}

fn services_of(extension: &Value) -> impl Iterator<Item = &str> {
    extension["extension_objects"].as_array().into_iter().flatten().filter_map(|object| object["id"].as_str())
}

/// Whether a v2 extension posts to the relay for one of our services, whomever else it works for.
fn is_extension_here(listed: &Value, addresses: &[String], services: &[Service]) -> bool {
    let to = listed["endpoint_url"].as_str().unwrap_or_default().trim_end_matches('/');
    addresses.iter().any(|url| url.trim_end_matches('/') == to)
        && services_of(listed).any(|id| services.iter().any(|own| own.id == id))
}

async fn extension(listed: &Value, services: &[Service], account: &PagerDuty) -> Extension {
    let text = |field: &str| listed[field].as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for id in services_of(listed) {
        if let Some(own) = services.iter().find(|own| own.id == id) {
            all.push(own.clone());
            continue;
        }
        let seen = account.get(&format!("/services/{id}")).await.ok();
        let seen = seen.and_then(|seen| Service::read(&seen["service"]));
        // If its teams can't be told, no team's subscription counts for it.
        all.push(seen.unwrap_or_else(|| Service { id: id.to_owned(), teams: Vec::new() }));
    }
    Extension { id: text("id"), name: text("name"), services: all }
}
