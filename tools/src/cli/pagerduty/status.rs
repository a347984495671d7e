//! `oncall pagerduty status`: whether PagerDuty's webhooks reach the relay. It changes nothing.

use super::{AccountArgs, Situation};
use crate::operator::dialogue::{Outcome, Terminal};
use crate::operator::pagerduty::PagerDuty;
use crate::operator::stack::Stack;
use crate::operator::subscriptions::{State, strangers};

/// The setting that has a key which may read.
const API_KEY: &str = "PAGERDUTY_API_KEY";

pub(super) async fn run(args: AccountArgs) -> Outcome {
    let terminal = Terminal::new(true);
    let stack = Stack::find(&args.stack, &terminal).await?;
    let settings = stack.settings(&terminal).await?;
    let base_url = args.base_url(&settings);
    let account = match stack.secrets(&[API_KEY], &terminal).await?.remove(API_KEY) {
        Some(key) => PagerDuty::with_key(&base_url, &key, &terminal).await?,
        None => PagerDuty::sign_in_to_read(&base_url, &terminal).await?,
    };
    let services = args.services(&settings, &account, &terminal).await?;
    let situation = Situation::of(&stack, &settings, services, &account, &terminal).await?;
    terminal.say(format!("Address: {}", situation.url));
    let mut bad = 0;
    let mut line = |good: bool, words: String| {
        bad += usize::from(!good);
        terminal.say(format!("{} {words}", if good { "✓" } else { "✗" }));
    };
    for (service, state) in &situation.states {
        match state {
            State::Good(one) => {
                line(true, format!("{service}: {} is on, sends all events, and its secret is in the store", one.id));
            }
            State::Missing => line(false, format!("{service}: no subscription posts to the relay")),
            State::Repairable(one, faults) => line(false, format!("{service}: {}: {}", one.id, faults.join("; "))),
            State::Lost(one) => line(false, format!("{service}: the secret of {} is not in the store", one.id)),
            State::Foreign(one) => line(
                !situation.secrets.is_empty() && one.faults().is_empty(),
                format!(
                    "{service}: {} (“{}”) was not made by this tool: {}. Whether its secret is in the store, only a test \
                     event tells",
                    one.id,
                    one.description(),
                    if one.faults().is_empty() { "it is on".to_owned() } else { one.faults().join("; ") }
                ),
            ),
        }
    }
    for one in strangers(&situation.all, &situation.addresses, &situation.states) {
        terminal.say(format!("⚠ {} (“{}”) posts here, too", one.id, one.description()));
    }
    for extension in &situation.extensions {
        let (twice, alone) = extension.twice_and_alone(&situation.all);
        let (twice, alone) = (twice.join(", "), alone.join(", "));
        if !twice.is_empty() {
            line(false, format!("{twice}: the v2 extension {} posts here, too: every alert twice", extension.id));
        }
        if !alone.is_empty() {
            line(false, format!("{alone}: alerts come by the v2 extension {} alone, which isn't signed", extension.id));
        }
    }
    match bad {
        0 => {
            terminal.say("Next: cargo oncall send-test");
            Ok(())
        }
        bad => {
            Err(format!("{bad} thing(s) are not as they should be; `cargo oncall pagerduty register` puts them right")
                .into())
        }
    }
}
