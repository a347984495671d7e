//! `oncall pagerduty register`: creates or repairs the subscriptions, and brings their secrets into the store.

use clap::Args;
use http::Method;

use super::listing::Listing;
use super::{AccountArgs, Extension, SIGNING_SECRETS, Situation};
use crate::operator::dialogue::{Outcome, Terminal};
use crate::operator::pagerduty::PagerDuty;
use crate::operator::stack::Stack;
use crate::operator::subscriptions::{State, Subscription, is_named_like_ours, new, strangers};

/// SSM's limit of a standard parameter.
const MAX_PARAMETER: usize = 4096;

#[derive(Debug, Args)]
pub(in crate::cli) struct RegisterArgs {
    #[command(flatten)]
    account: AccountArgs,
    /// Don't ask whether to go on.
    #[arg(long, short)]
    yes: bool,
    /// Replace the subscriptions that are there by new ones with new secrets, without asking; one that covers more than
    /// a service is replaced only after asking.
    #[arg(long)]
    replace: bool,
    /// Delete v2 extensions that post to the relay as well, without asking, if every service of theirs has a
    /// subscription.
    #[arg(long)]
    delete_v2: bool,
}

/// What is done for a service.
enum Work {
    Create { service: String },
    Replace { services: Vec<String>, old: Subscription },
    Repair { subscription: Subscription },
    Nothing { subscription: Subscription },
}

pub(super) async fn run(args: RegisterArgs) -> Outcome {
    let terminal = Terminal::new(args.yes);
    let done = register(&args, &terminal).await;
    done.map_err(|error| format!("{error}\n{}", terminal.how_to_go_on()).into())
}

async fn register(args: &RegisterArgs, terminal: &Terminal) -> Outcome {
    let stack = Stack::find(&args.account.stack, terminal).await?;
    let settings = stack.settings(terminal).await?;
    let account = PagerDuty::sign_in(&args.account.base_url(&settings), terminal).await?;
    let services = args.account.services(&settings, &account, terminal).await?;
    let ids: Vec<_> = services.iter().map(|service| service.id.clone()).collect();
    let situation = Situation::of(&stack, &settings, services, &account, terminal).await?;
    let left_over = left_over(&situation, terminal)?;
    let work = work(args, &situation, terminal)?;
    let listing = Listing::of(&args.account, &ids, &settings, &stack, terminal).await?;
    let mut steps: Vec<_> = work.iter().flat_map(|work| in_words(work, &stack)).collect();
    steps.extend(left_over.iter().map(|one| format!("delete the subscription {}, which doubles it", one.id)));
    steps.push("have PagerDuty send a test event, which appears in the alert channel".to_owned());
    steps.extend(listing.as_ref().map(Listing::in_words));
    terminal.plan(&steps)?;
    terminal.if_stopped(GO_ON);
    let mut secrets = situation.secrets;
    let mut ready = Vec::new();
    for work in work {
        ready.push(match work {
            Work::Create { service } => {
                vec![create(&situation.url, &service, &mut secrets, &stack, &account, terminal).await?]
            }
            Work::Replace { services, old } => {
                let mut ids = Vec::new();
                for service in services {
                    ids.push(create(&situation.url, &service, &mut secrets, &stack, &account, terminal).await?);
                }
                terminal.if_stopped(&still_there(&old));
                delete(&old, &mut secrets, &stack, &account, terminal).await?;
                ids
            }
            Work::Repair { subscription } => vec![repair(&subscription, &account, terminal).await?],
            Work::Nothing { subscription } => vec![subscription.id],
        });
    }
    for old in &left_over {
        terminal.if_stopped(&still_there(old));
        delete(old, &mut secrets, &stack, &account, terminal).await?;
    }
    let ready: Vec<_> = ready.into_iter().flatten().collect();
    for id in &ready {
        account.call(Method::POST, &format!("/webhook_subscriptions/{id}/ping"), None).await?;
    }
    terminal.say("✓ PagerDuty sends a test event now. Within a minute the alert channel says that it has arrived.");
    if !situation.extensions.is_empty() {
        let listed = account.list("/webhook_subscriptions", "webhook_subscriptions", &[]).await?;
        let now: Vec<_> = listed.iter().filter_map(Subscription::read).collect();
        let here = |one: &Subscription| situation.addresses.iter().any(|url| one.is_for(url));
        let here: Vec<_> = now.into_iter().filter(here).collect();
        for extension in &situation.extensions {
            end_extension(args, extension, &here, &account, terminal).await?;
        }
    }
    match listing {
        Some(listing) => {
            listing.write(terminal)?;
            terminal.say("Next: sam deploy, for the list of services; then cargo oncall send-test");
        }
        None => terminal.say("Next: cargo oncall send-test"),
    }
    Ok(())
}

/// What is true once a step is done.
const GO_ON: &str = "What is done is whole. Run the command again: it goes on with the rest.";

/// What is true between the new subscription and the end of the old one.
fn still_there(old: &Subscription) -> String {
    let Subscription { id, .. } = old;
    let next = match old.wide_scope() {
        Some(_) => "Delete it in PagerDuty, and run the command again for the rest.",
        None if old.is_ours() => "Run the command again: it deletes it.",
        None => "Run the command again: it asks whether to delete it.",
    };
    format!("The subscription {id} may still be there, so that alerts come twice. {next}")
}

/// Subscriptions that double those of the services: what an earlier run of ours left, or a person gives up now.
fn left_over(situation: &Situation, terminal: &Terminal) -> Outcome<Vec<Subscription>> {
    let mut left_over = Vec::new();
    for stranger in strangers(&situation.all, &situation.addresses, &situation.states) {
        let Subscription { id, .. } = stranger;
        let doubles = stranger.doubles(&situation.states);
        if doubles && stranger.is_ours() {
            terminal.say(format!("⚠ The subscription {id} posts here, too: an earlier run has left it."));
            left_over.push(stranger.clone());
            continue;
        }
        terminal.say(format!("⚠ The subscription {id} (“{}”) posts here, too.", stranger.description()));
        let question = "It doubles the alerts of a service of yours. Delete it?";
        if doubles && !terminal.is_unattended() && terminal.agrees(question, false)? {
            left_over.push(stranger.clone());
        } else {
            terminal.say("  It is left alone. If it isn't wanted, delete it in PagerDuty.");
        }
    }
    Ok(left_over)
}

/// Has a v2 extension deleted, if nobody's alerts come by it alone or somebody says so all the same.
async fn end_extension(
    args: &RegisterArgs,
    extension: &Extension,
    here: &[Subscription],
    account: &PagerDuty,
    terminal: &Terminal,
) -> Outcome {
    let (twice, alone) = extension.twice_and_alone(here);
    terminal.say(format!(
        "⚠ There is a v2 extension, too: {} (“{}”), of {}.",
        extension.id,
        extension.name,
        extension.services.iter().map(|service| service.id.as_str()).collect::<Vec<_>>().join(", ")
    ));
    if !twice.is_empty() {
        terminal.say(format!("  As long as it is there, every alert of {} is posted twice.", twice.join(", ")));
    }
    let may_go = if alone.is_empty() {
        let asks = || terminal.agrees("Has the test event arrived, and may the v2 extension be deleted?", false);
        args.delete_v2 || (!terminal.is_unattended() && asks()?)
    } else {
        terminal.say(format!(
            "  {} has no v3 subscription: without the extension, its alerts no longer come. To give it one: cargo oncall \
             pagerduty register {}",
            alone.join(", "),
            alone.iter().map(|id| format!("--service {id}")).collect::<Vec<_>>().join(" ")
        ));
        let question = format!("Delete it all the same, so that nothing comes from {}?", alone.join(", "));
        !terminal.is_unattended() && terminal.agrees(&question, false)?
    };
    if may_go {
        account.delete(&format!("/extensions/{}", extension.id)).await?;
        terminal.say("✓ The v2 extension is deleted.");
    } else if alone.is_empty() {
        terminal.say("  It is still there. Run this again with --delete-v2 when the test event has arrived.");
    } else {
        terminal.say("  It is still there.");
    }
    Ok(())
}

/// What has to be done, after the questions that only a person can answer; each subscription comes once.
fn work(args: &RegisterArgs, situation: &Situation, terminal: &Terminal) -> Outcome<Vec<Work>> {
    let mut work = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (service, state) in &situation.states {
        let old = match state {
            State::Missing => {
                work.push(Work::Create { service: service.clone() });
                continue;
            }
            State::Good(old) | State::Repairable(old, _) | State::Lost(old) | State::Foreign(old) => old,
        };
        if seen.contains(&old.id.as_str()) {
            continue;
        }
        seen.push(&old.id);
        let same = |state: &State| match state {
            State::Missing => false,
            State::Good(one) | State::Repairable(one, _) | State::Lost(one) | State::Foreign(one) => one.id == old.id,
        };
        let services = situation.states.iter().filter(|(_, state)| same(state)).map(|(id, _)| id.clone()).collect();
        work.push(work_on(args, services, state, old, situation, terminal)?);
    }
    Ok(work)
}

/// What is done about a subscription that is there.
fn work_on(
    args: &RegisterArgs,
    services: Vec<String>,
    state: &State,
    old: &Subscription,
    situation: &Situation,
    terminal: &Terminal,
) -> Outcome<Work> {
    let old = old.clone();
    Ok(match state {
        State::Good(_) | State::Repairable(..) | State::Foreign(_)
            if args.replace && may_narrow(&old, &services, terminal)? =>
        {
            Work::Replace { services, old }
        }
        State::Repairable(_, faults) => {
            terminal.say(format!("⚠ The subscription {}: {}.", old.id, faults.join("; ")));
            Work::Repair { subscription: old }
        }
        State::Lost(_) => {
            terminal.say(format!(
                "⚠ The secret of the subscription {} is not in the store, and PagerDuty shows it only once. It can't be \
                 repaired, only replaced.",
                old.id
            ));
            if !may_narrow(&old, &services, terminal)? {
                let why = format!("the subscription {} can't work as it is, and may not be replaced", old.id);
                return Err(why.into());
            }
            Work::Replace { services, old }
        }
        State::Foreign(_) if !args.replace => {
            let by = if is_named_like_ours(&old) { "by hand" } else { "by somebody else" };
            terminal.say(format!(
                "⚠ The subscription {} (“{}”) was made {by}. Nothing tells whether its secret is in the store.",
                old.id,
                old.description()
            ));
            let sure = situation.secrets.is_empty();
            if sure {
                terminal.say("  The store has no signing secret at all, so it can't work as it is.");
            }
            let replaces = if terminal.is_unattended() {
                false
            } else if old.wide_scope().is_some() {
                may_narrow(&old, &services, terminal)?
            } else {
                terminal.agrees("Replace it by a new one, whose secret goes into the store?", sure)?
            };
            if replaces {
                Work::Replace { services, old }
            } else {
                terminal.say("  It is kept. If its test event doesn't arrive, run this again with --replace.");
                Work::Repair { subscription: old }
            }
        }
        State::Foreign(_) => Work::Repair { subscription: old },
        State::Good(_) | State::Missing => Work::Nothing { subscription: old },
    })
}

/// Whether a subscription may be replaced by those of single services; if it covers more, only a person can say so.
fn may_narrow(old: &Subscription, services: &[String], terminal: &Terminal) -> Outcome<bool> {
    let Some(scope) = old.wide_scope() else { return Ok(true) };
    let services = services.join(", ");
    terminal.say(format!(
        "⚠ The subscription {} covers {scope}. New ones would cover {services} only: alerts of other services would no \
         longer come.",
        old.id
    ));
    if terminal.is_unattended() {
        terminal.say("  It is kept: only a person can say that it may go. Run this again without --yes.");
        return Ok(false);
    }
    terminal.agrees(&format!("Replace {scope} by {services} only?"), false)
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
        Work::Replace { services, old } => {
            let mut steps: Vec<_> = services.iter().flat_map(|service| create(service)).collect();
            let scope = old.wide_scope().map(|scope| format!(", which covers {scope}")).unwrap_or_default();
            steps.push(format!("delete the old subscription {}{scope}", old.id));
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
    let created = account.call(Method::POST, "/webhook_subscriptions", Some(new(url, service))).await;
    if created.as_ref().is_err_and(|why| why.contains(" was refused (4")) {
        terminal.if_stopped(GO_ON);
    }
    let created = created?;
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
    terminal.if_stopped(GO_ON);
    Ok(id)
}

async fn delete(
    old: &Subscription,
    secrets: &mut Vec<String>,
    stack: &Stack,
    account: &PagerDuty,
    terminal: &Terminal,
) -> Outcome {
    let before = secrets.len();
    secrets.retain(|secret| !old.has(secret));
    // Before its subscription: were it the other way round, a run that ends in between would leave the secret for good.
    if secrets.len() < before {
        store(secrets, stack, terminal).await?;
    }
    account.delete(&format!("/webhook_subscriptions/{}", old.id)).await?;
    terminal.if_stopped(GO_ON);
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
