//! `oncall secrets`: asks for each secret that the deployed settings need, checks it, and puts it into the store.

use std::collections::{BTreeMap, HashMap};

use clap::Args;
use oncall_relay::config::Problem;

use super::init::spreadsheet;
use crate::operator::dialogue::{Outcome, Terminal};
use crate::operator::samconfig::{SamConfig, variable};
use crate::operator::secrets::{Objection, bot_channels, guide_of};
use crate::operator::stack::{Stack, StackArgs, problems, usable_secrets};

/// The key of the buttons, with which the function starts only if it also has `PAGERDUTY_FROM`.
const ACTION_KEY: &str = "PAGERDUTY_ACTION_KEY";

#[derive(Debug, Args)]
pub(super) struct SecretsArgs {
    #[command(flatten)]
    stack: StackArgs,
    /// Don't ask whether to go on.
    #[arg(long, short)]
    yes: bool,
    /// The spreadsheet to try Google's key with: its address or id. Without it, samconfig.toml's, or the deployed one.
    #[arg(long, value_parser = spreadsheet)]
    sheet: Option<String>,
    /// Ask only for these, such as `SLACK_TOKEN`: to replace them, or for those that nobody needs.
    names: Vec<String>,
}

pub(super) async fn run(args: SecretsArgs) -> Outcome {
    let terminal = Terminal::new(args.yes);
    secrets(&args, &terminal).await.map_err(|error| format!("{error}\n{}", terminal.how_to_go_on()).into())
}

async fn secrets(args: &SecretsArgs, terminal: &Terminal) -> Outcome {
    for name in &args.names {
        guide_of(name).ok_or_else(|| format!("{name} is not a secret of the relay's; docs/settings.md lists them"))?;
    }
    let stack = Stack::find(&args.stack, terminal).await?;
    let settings = stack.settings(terminal).await?;
    let usable = usable_secrets(&Stack::environment(&settings, &BTreeMap::new()));
    let mut stored = stack.secrets(&usable, terminal).await?;
    // Without any secret, those that the settings can't do without are among the problems.
    let needed = problems(&Stack::environment(&settings, &BTreeMap::new()));
    let needed: Vec<_> = needed.iter().map(ToString::to_string).collect();
    let asked: Vec<_> = if args.names.is_empty() {
        let asked = usable.iter().filter_map(|name| guide_of(name)).filter(|guide| guide.by_command.is_none());
        let may_act = acts(args, &settings)? || stored.contains_key(ACTION_KEY);
        asked.filter(|guide| guide.name != ACTION_KEY || may_act).collect()
    } else {
        args.names.iter().filter_map(|name| guide_of(name)).collect()
    };
    if asked.is_empty() {
        terminal.say("These settings need no secret that is asked for here.");
    }
    let steps: Vec<_> = asked
        .iter()
        .map(|guide| {
            let there = if stored.contains_key(guide.name) { " (it is there; Enter keeps it)" } else { "" };
            format!("ask for {}, check it, and put it into {}{there}", guide.name, stack.secret_name(guide.name))
        })
        .collect();
    let with_sheet = with_sheet(args, &settings)?;
    terminal.plan(&steps)?;
    for guide in asked {
        let (is_there, is_needed) =
            (stored.contains_key(guide.name), needed.iter().any(|problem| problem.contains(guide.name)));
        let enter = match (is_there, is_needed) {
            (true, _) => "It is in the store already; Enter keeps it.",
            (false, true) => "It is needed.",
            (false, false) => "Enter leaves it out.",
        };
        terminal.say(format!("\n{}: {}. {enter}", guide.name, guide.words));
        if guide.name == ACTION_KEY && !acts(args, &settings)? {
            terminal.say(format!(
                "⚠ With this key alone, the webhook function can't start anew. Write the parameter PagerDutyFrom into {} \
                 first (docs/slack-actions.md says whose address it is); Enter leaves the key for then.",
                args.stack.config_file.display()
            ));
        }
        let mut is_left = false;
        loop {
            let value = guide.ask(terminal)?;
            if value.is_empty() {
                if is_there || !is_needed || is_left {
                    break;
                }
                is_left = true;
                terminal.say(
                    "  It is needed; Ctrl-C stops, and the next run asks again. Enter once more leaves it for later.",
                );
                continue;
            }
            let checked = guide.check(&value, &with_sheet, terminal).await;
            let checked = match (checked, refused(guide.name, &value, &settings, &stored)) {
                (Ok(_) | Err(Objection::Untold(_)), Some(why)) => Err(Objection::Refused(why)),
                (checked, _) => checked,
            };
            let words = match checked {
                Ok(words) => words,
                Err(Objection::Refused(why)) => {
                    terminal.say(format!("✗ It was not stored: {why}."));
                    continue;
                }
                Err(Objection::Untold(why)) => {
                    terminal.say(format!("⚠ {why}."));
                    if !terminal.agrees("Store it all the same?", false)? {
                        terminal.say("✗ It was not stored.");
                        continue;
                    }
                    "it has to prove itself; oncall check says whether it does".to_owned()
                }
            };
            terminal.if_stopped(&format!(
                "What has a ✓ is stored, and {} may be. Run the command again for the rest; Enter keeps those.",
                guide.name
            ));
            stack.put_secret(guide.name, &value, terminal).await?;
            terminal.say(format!("✓ {} is in the store: {words}.", guide.name));
            terminal.if_stopped("What has a ✓ is stored. Run the command again for the rest; Enter keeps those.");
            stored.insert(guide.name.to_owned(), value);
            break;
        }
    }
    let chosen = channels(args, &settings, &stored, terminal).await?;
    next(args, &settings, &stored, chosen, terminal)
}

/// Whether `PAGERDUTY_FROM` is deployed, or will be.
fn acts(args: &SecretsArgs, settings: &HashMap<String, String>) -> Outcome<bool> {
    let file = SamConfig::read(&args.stack.config_file)?;
    let next = file.override_of("PagerDutyFrom").filter(|_| file.is_of(args.stack.stack.as_deref()));
    let from = next.or_else(|| settings.get("PAGERDUTY_FROM").cloned());
    Ok(from.is_some_and(|from| !from.is_empty()))
}

/// Says what comes next, or what is still wrong; `chosen` if the channels are in samconfig.toml now.
fn next(
    args: &SecretsArgs,
    settings: &HashMap<String, String>,
    stored: &BTreeMap<String, String>,
    chosen: bool,
    terminal: &Terminal,
) -> Outcome {
    let left = problems(&Stack::environment(settings, stored));
    let awaited = ["PAGERDUTY_SIGNING_SECRETS", "PAGERDUTY_TOKENS"];
    let left = left.into_iter().filter(|problem| !(chosen && problem.variable.ends_with("_CHANNEL")));
    let (awaited, wrong): (Vec<_>, Vec<_>) = left.partition(|problem| awaited.contains(&problem.variable));
    // The other half of it is what `register` writes, or has written.
    let is_half = |problem: &Problem| {
        problem.variable == "PAGERDUTY_API_KEY" && !problem.is_malformed() && stored.contains_key(problem.variable)
    };
    if wrong.len() == 1 && is_half(&wrong[0]) {
        let listed = SamConfig::read(&args.stack.config_file)?.override_of("PagerDutyServices");
        terminal.say(format!("\n⚠ {}. Until then the functions can't start anew.", wrong[0]));
        terminal.say(match (listed.is_some_and(|ids| !ids.is_empty()), awaited.is_empty()) {
            (true, true) => "Next, at once: sam deploy",
            (true, false) => "Next, at once: sam deploy, then cargo oncall pagerduty register",
            (false, _) => "Next, at once: cargo oncall pagerduty register, then sam deploy",
        });
        return Ok(());
    }
    let waits = |problem: &Problem| {
        problem.variable == ACTION_KEY && !problem.is_malformed() && stored.contains_key(problem.variable)
    };
    if wrong.len() == 1 && waits(&wrong[0]) && acts(args, settings)? {
        terminal.say(format!("\n⚠ {}. Until then the webhook function can't start anew.", wrong[0]));
        terminal.say("Next, at once: sam deploy");
        return Ok(());
    }
    if !wrong.is_empty() {
        let words: Vec<_> = wrong.iter().map(|problem| format!("- {problem}")).collect();
        return Err(format!("these settings are still to be put right:\n{}", words.join("\n")).into());
    }
    terminal.say(match (chosen, awaited.is_empty()) {
        (true, _) => "\nNext: sam deploy, for the channels; then cargo oncall pagerduty register",
        (false, false) => "\nNext: cargo oncall pagerduty register",
        (false, true) => "\nNext: cargo oncall send-test",
    });
    Ok(())
}

/// The settings with the sheet that will be read: the one that is named, else that of the next deployment.
fn with_sheet(args: &SecretsArgs, settings: &HashMap<String, String>) -> Outcome<HashMap<String, String>> {
    let mut settings = settings.clone();
    let file = SamConfig::read(&args.stack.config_file)?;
    let given = ["SpreadsheetId", "RosterRange", "MembersRange"].map(|name| (name, file.override_of(name)));
    let given = given.into_iter().filter(|_| file.is_of(args.stack.stack.as_deref()));
    settings.extend(given.filter_map(|(name, value)| Some((variable(name), value?))));
    settings.extend(args.sheet.clone().map(|id| ("SPREADSHEET_ID".to_owned(), id)));
    Ok(settings)
}

/// What the functions would say against a secret itself, whatever else they still lack.
fn refused(
    name: &str,
    value: &str,
    settings: &HashMap<String, String>,
    stored: &BTreeMap<String, String>,
) -> Option<String> {
    let of = |secrets: &BTreeMap<String, String>| problems(&Stack::environment(settings, secrets));
    let mut without = stored.clone();
    without.remove(name);
    let mut with = without.clone();
    with.insert(name.to_owned(), value.to_owned());
    let before = of(&without);
    let of_value = |problem: &Problem| problem.is_malformed() && problem.variable == name;
    of(&with).into_iter().find(|problem| of_value(problem) && !before.contains(problem)).map(|why| why.to_string())
}

/// Has Slack's channels chosen, if they are not among the settings yet; whether they were.
async fn channels(
    args: &SecretsArgs,
    settings: &HashMap<String, String>,
    stored: &BTreeMap<String, String>,
    terminal: &Terminal,
) -> Outcome<bool> {
    let setting = |name: &str| settings.get(name).map(String::as_str).unwrap_or_default();
    let parameters = [("SlackAlertChannel", "SLACK_ALERT_CHANNEL"), ("SlackOncallChannel", "SLACK_ONCALL_CHANNEL")];
    let missing = setting("CHATS").contains("slack") && parameters.iter().any(|(_, name)| setting(name).is_empty());
    let Some(token) = stored.get("SLACK_TOKEN").filter(|_| missing) else { return Ok(false) };
    let base_url =
        settings.get("SLACK_BASE_URL").filter(|url| !url.is_empty()).map_or("https://slack.com", String::as_str);
    let mut known = bot_channels(token, base_url, terminal).await?;
    while known.is_empty() {
        terminal.say("\nThe bot is in no channel yet. Write /invite @oncall-relay in both of them, in Slack.");
        if !terminal.agrees("Done?", true)? {
            return Ok(false);
        }
        known = bot_channels(token, base_url, terminal).await?;
    }
    terminal.say("\nThe bot is in these channels:");
    for (index, (id, name)) in known.iter().enumerate() {
        terminal.say(format!("  {}. {name} ({id})", index + 1));
    }
    let ask = |question| {
        terminal.ask(question, "", |answer| {
            let chosen = answer.parse::<usize>().ok().and_then(|number| known.get(number.checked_sub(1)?));
            chosen.map(|(id, _)| id.clone()).ok_or_else(|| format!("write a number from 1 to {}", known.len()))
        })
    };
    let answers = [ask("Which one is for alerts?")?, ask("Which one is for reminders of the on-call duty?")?];
    let mut file = SamConfig::read(&args.stack.config_file)?;
    file.set(&[(parameters[0].0, answers[0].clone()), (parameters[1].0, answers[1].clone())]);
    file.write()?;
    terminal.if_stopped("What has a ✓ is stored. Run the command again for the rest; Enter keeps those.");
    terminal.say(format!("✓ {} has both channels.", args.stack.config_file.display()));
    Ok(true)
}
