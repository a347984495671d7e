//! `oncall pagerduty register`: creates or repairs the subscriptions, and brings their secrets into the store.

use clap::Args;
use http::Method;

use super::{AccountArgs, SIGNING_SECRETS, Situation};
use crate::operator::pagerduty::PagerDuty;
use crate::operator::stack::Stack;
use crate::operator::subscriptions::{State, Subscription, is_named_like_ours, new, strangers};
use crate::operator::terminal::{Outcome, Terminal};

/// SSM's limit of a standard parameter.
const MAX_PARAMETER: usize = 4096;

#[derive(Debug, Args)]
pub(in crate::cli) struct RegisterArgs {
    #[command(flatten)]
    account: AccountArgs,
    /// Replace the subscriptions that are there by new ones with new secrets, without asking.
    #[arg(long)]
    replace: bool,
    /// Delete v2 extensions that post to the relay as well, without asking.
    #[arg(long)]
    delete_v2: bool,
}

/// What is done for a service.
enum Work {
    Create { service: String },
    Replace { service: String, old: Subscription },
    Repair { subscription: Subscription },
    Nothing { subscription: Subscription },
}

pub(super) async fn run(args: RegisterArgs) -> Outcome {
    let terminal = Terminal::new(args.account.stack.yes);
    let done = register(&args, &terminal).await;
    done.map_err(|error| format!("{error}\n{}", terminal.how_to_go_on()).into())
}

async fn register(args: &RegisterArgs, terminal: &Terminal) -> Outcome {
    let stack = Stack::find(&args.account.stack, terminal).await?;
    let settings = stack.settings(terminal).await?;
    let account = PagerDuty::sign_in(&args.account.base_url(&settings), terminal).await?;
    let services = args.account.services(&settings, &account, terminal).await?;
    let situation = Situation::of(&stack, services, &account, terminal).await?;
    for stranger in strangers(&situation.all, &situation.url, &situation.states) {
        terminal.say(format!(
            "⚠ The subscription {} (“{}”) posts here, too. It is left alone. If it isn't wanted, delete it in PagerDuty.",
            stranger.id,
            stranger.description()
        ));
    }
    let work = work(args, &situation, terminal)?;
    let mut steps: Vec<_> = work.iter().flat_map(|work| in_words(work, &stack)).collect();
    steps.push("have PagerDuty send a test event, which appears in the alert channel".to_owned());
    terminal.plan(&steps)?;
    let mut secrets = situation.secrets;
    let mut ready = Vec::new();
    for work in work {
        ready.push(match work {
            Work::Create { service } => {
                create(&situation.url, &service, &mut secrets, &stack, &account, terminal).await?
            }
            Work::Replace { service, old } => {
                let id = create(&situation.url, &service, &mut secrets, &stack, &account, terminal).await?;
                delete(&old, &mut secrets, &stack, &account, terminal).await?;
                id
            }
            Work::Repair { subscription } => repair(&subscription, &account, terminal).await?,
            Work::Nothing { subscription } => subscription.id,
        });
    }
    for id in &ready {
        account.call(Method::POST, &format!("/webhook_subscriptions/{id}/ping"), None).await?;
    }
    terminal.say("✓ PagerDuty sends a test event now. Within a minute the alert channel says that it has arrived.");
    for extension in &situation.extensions {
        terminal.say(format!(
            "⚠ The service {} has a v2 extension, too: {} (“{}”). As long as it is there, every alert is posted twice.",
            extension.service, extension.id, extension.name
        ));
        let asks = || terminal.agrees("Has the test event arrived, and may the v2 extension be deleted?", false);
        if args.delete_v2 || (!terminal.is_unattended() && asks()?) {
            account.call(Method::DELETE, &format!("/extensions/{}", extension.id), None).await?;
            terminal.say("✓ The v2 extension is deleted.");
        } else {
            terminal.say("  It is still there. Run this again with --delete-v2 when the test event has arrived.");
        }
    }
    terminal.say("Next: cargo oncall send-test");
    Ok(())
}

/// What has to be done, after the questions that only a person can answer.
fn work(args: &RegisterArgs, situation: &Situation, terminal: &Terminal) -> Outcome<Vec<Work>> {
    let mut work = Vec::new();
    for (service, state) in &situation.states {
        let service = service.clone();
        work.push(match state.clone() {
            State::Missing => Work::Create { service },
            State::Good(old) | State::Repairable(old, _) | State::Foreign(old) if args.replace => {
                Work::Replace { service, old }
            }
            State::Good(subscription) => Work::Nothing { subscription },
            State::Repairable(subscription, faults) => {
                terminal.say(format!("⚠ The subscription {}: {}.", subscription.id, faults.join("; ")));
                Work::Repair { subscription }
            }
            State::Lost(old) => {
                terminal.say(format!(
                    "⚠ The secret of the subscription {} is not in the store, and PagerDuty shows it only once. It can't \
                     be repaired, only replaced.",
                    old.id
                ));
                Work::Replace { service, old }
            }
            State::Foreign(subscription) => {
                let by = if is_named_like_ours(&subscription) { "by hand" } else { "by somebody else" };
                terminal.say(format!(
                    "⚠ The subscription {} (“{}”) was made {by}. Nothing tells whether its secret is in the store.",
                    subscription.id,
                    subscription.description()
                ));
                let sure = situation.secrets.is_empty();
                if sure {
                    terminal.say("  The store has no signing secret at all, so it can't work as it is.");
                }
                let asks = || terminal.agrees("Replace it by a new one, whose secret goes into the store?", sure);
                if !terminal.is_unattended() && asks()? {
                    Work::Replace { service, old: subscription }
                } else {
                    terminal.say("  It is kept. If its test event doesn't arrive, run this again with --replace.");
                    Work::Repair { subscription }
                }
            }
        });
    }
    Ok(work)
}

fn in_words(work: &Work, stack: &Stack) -> Vec<String> {
    let store = stack.secret_name(SIGNING_SECRETS);
    let create = |service: &str| {
        vec![
            format!("create a webhook subscription for the service {service}, switched off"),
            format!("put its signing secret into {store}, beside those that are there; then switch it on"),
        ]
    };
    match work {
        Work::Create { service } => create(service),
        Work::Replace { service, old } => {
            let mut steps = create(service);
            steps.push(format!("delete the old subscription {}", old.id));
            steps
        }
        Work::Repair { subscription } => {
            vec![format!("switch the subscription {} on, with all events that the relay posts", subscription.id)]
        }
        Work::Nothing { subscription } => {
            vec![format!("leave the subscription {} as it is: it is good", subscription.id)]
        }
    }
}

async fn create(
    url: &str,
    service: &str,
    secrets: &mut Vec<String>,
    stack: &Stack,
    account: &PagerDuty,
    terminal: &Terminal,
) -> Outcome<String> {
    terminal.if_stopped(
        "There may be a new subscription, switched off and without its secret in the store. Run `cargo oncall pagerduty \
         register` again: it replaces it.",
    );
    let created = account.call(Method::POST, "/webhook_subscriptions", Some(new(url, service))).await?;
    let created = &created["webhook_subscription"];
    let id = created["id"].as_str().ok_or("PagerDuty's answer has no id")?.to_owned();
    let stored = match created["delivery_method"]["secret"].as_str().filter(|secret| super::is_secret(secret)) {
        Some(secret) => {
            secrets.insert(0, secret.to_owned());
            store(secrets, stack, terminal).await
        }
        None => Err("PagerDuty's answer has no secret".into()),
    };
    if let Err(error) = stored {
        let path = format!("/webhook_subscriptions/{id}");
        if account.call(Method::DELETE, &path, None).await.is_ok() {
            terminal.if_stopped(
                "The subscription that was begun is deleted again. Put that right and run the command again.",
            );
        }
        return Err(error);
    }
    let repaired = Subscription::read(created)
        .ok_or("PagerDuty's answer has no id")?
        .repaired(secrets.first().map(String::as_str));
    account.call(Method::PUT, &format!("/webhook_subscriptions/{id}"), Some(repaired)).await?;
    terminal.say(format!("✓ The subscription {id} is on, and its secret is in the store."));
    terminal.if_stopped("What is done is whole. Run the command again: it goes on with the rest.");
    Ok(id)
}

async fn delete(
    old: &Subscription,
    secrets: &mut Vec<String>,
    stack: &Stack,
    account: &PagerDuty,
    terminal: &Terminal,
) -> Outcome {
    account.call(Method::DELETE, &format!("/webhook_subscriptions/{}", old.id), None).await?;
    let before = secrets.len();
    secrets.retain(|secret| !old.has(secret));
    if secrets.len() < before {
        store(secrets, stack, terminal).await?;
    }
    terminal.say(format!("✓ The old subscription {} is deleted.", old.id));
    Ok(())
}

async fn store(secrets: &[String], stack: &Stack, terminal: &Terminal) -> Outcome {
    let value = secrets.join(",");
    if value.len() > MAX_PARAMETER {
        let name = stack.secret_name(SIGNING_SECRETS);
        return Err(format!("{name} would be too long; take old secrets out of it first").into());
    }
    stack.put_secret(SIGNING_SECRETS, &value, terminal).await
}

async fn repair(subscription: &Subscription, account: &PagerDuty, terminal: &Terminal) -> Outcome<String> {
    let id = &subscription.id;
    let path = format!("/webhook_subscriptions/{id}");
    account.call(Method::PUT, &path, Some(subscription.repaired(None))).await?;
    if subscription.is_disabled() {
        account.call(Method::POST, &format!("{path}/enable"), None).await?;
    }
    terminal.say(format!("✓ The subscription {id} is on, with all events."));
    Ok(id.clone())
}
