//! `oncall secrets`: asks for each secret that the deployed settings need, checks it, and puts it into the store.

use std::collections::BTreeMap;

use clap::Args;

use crate::operator::secrets::guide_of;
use crate::operator::stack::{Stack, StackArgs, problems, usable_secrets};
use crate::operator::terminal::{Outcome, Terminal};

#[derive(Debug, Args)]
pub(super) struct SecretsArgs {
    #[command(flatten)]
    stack: StackArgs,
    /// Ask only for these, such as SLACK_TOKEN: to replace them, or for those that nobody needs.
    names: Vec<String>,
}

pub(super) async fn run(args: SecretsArgs) -> Outcome {
    let terminal = Terminal::new(args.stack.yes);
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
        usable.iter().filter_map(|name| guide_of(name)).filter(|guide| guide.by_command.is_none()).collect()
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
        loop {
            let value = guide.ask(terminal)?;
            if value.is_empty() {
                if is_there || !is_needed {
                    break;
                }
                terminal.say("  It is needed; Ctrl-C stops, and the next run asks again.");
                continue;
            }
            match guide.check(&value, &settings, terminal).await {
                Ok(words) => {
                    stack.put_secret(guide.name, &value, terminal).await?;
                    terminal.say(format!("✓ {} is in the store: {words}.", guide.name));
                    terminal
                        .if_stopped("What has a ✓ is stored. Run the command again for the rest; Enter keeps those.");
                    stored.insert(guide.name.to_owned(), value);
                    break;
                }
                Err(why) => terminal.say(format!("✗ It was not stored: {why}.")),
            }
        }
    }
    let left = problems(&Stack::environment(&settings, &stored));
    let awaited =
        |variable: &str| variable.starts_with("PAGERDUTY_SIGNING") || variable.starts_with("PAGERDUTY_TOKENS");
    let (awaited, wrong): (Vec<_>, Vec<_>) = left.into_iter().partition(|problem| awaited(problem.variable));
    if !wrong.is_empty() {
        let words: Vec<_> = wrong.iter().map(|problem| format!("- {problem}")).collect();
        return Err(format!("these settings are still to be put right:\n{}", words.join("\n")).into());
    }
    terminal.say(if awaited.is_empty() {
        "\nNext: cargo oncall send-test"
    } else {
        "\nNext: cargo oncall pagerduty register"
    });
    Ok(())
}
