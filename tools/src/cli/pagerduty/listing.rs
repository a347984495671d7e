//! The ids of the services in `samconfig.toml`, for the list of open incidents, the week and the check: written only where
//! the functions start with them.

use std::collections::HashMap;

use super::AccountArgs;
use crate::operator::dialogue::{Outcome, Terminal};
use crate::operator::samconfig::SamConfig;
use crate::operator::stack::Stack;

const PARAMETER: &str = "PagerDutyServices";
/// Without this secret, services among the settings keep the functions from starting.
const KEY: &str = "PAGERDUTY_API_KEY";

/// What is to be written.
pub(super) struct Listing {
    file: SamConfig,
    name: String,
    ids: String,
}

impl Listing {
    /// Nothing, if the services are among the settings, or may not be.
    pub(super) async fn of(
        args: &AccountArgs,
        chosen: &[String],
        settings: &HashMap<String, String>,
        stack: &Stack,
        terminal: &Terminal,
    ) -> Outcome<Option<Self>> {
        let name = args.stack.config_file.display().to_string();
        let mut file = SamConfig::read(&args.stack.config_file)?;
        let deployed = |name: &str| settings.get(name).cloned().unwrap_or_default();
        let is_of_stack = file.is_of(args.stack.stack.as_deref());
        let next = |parameter: &str, setting: &str| {
            file.override_of(parameter).filter(|_| is_of_stack).unwrap_or_else(|| deployed(setting))
        };
        let before = next(PARAMETER, "PAGERDUTY_SERVICES");
        let mut ids: Vec<_> = before.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
        let known = ids.len();
        ids.extend(chosen.iter().map(String::as_str).filter(|id| !before.split(',').any(|one| one.trim() == *id)));
        let url = args.base_url.clone().filter(|url| *url != next("PagerDutyBaseUrl", "PAGERDUTY_BASE_URL"));
        let has_key = !deployed(KEY).is_empty() || stack.secrets(&[KEY], terminal).await?.contains_key(KEY);
        if !has_key && known > 0 {
            terminal.say(format!(
                "⚠ {PARAMETER} is set, and {KEY} is not in the store: the functions start only with both. Make a read-only \
                 key, and store it: cargo oncall secrets {KEY}"
            ));
        }
        if ids.len() == known && url.is_none() {
            return Ok(None);
        }
        let ids = ids.join(",");
        if !has_key {
            if known == 0 {
                terminal.say(format!(
                    "⚠ {PARAMETER}={ids} is not written into {name}: with it, the functions start only if {KEY}, a \
                     read-only key, is in the store, and it is not. Alerts come all the same. For the list of open \
                     incidents, the week and the whole check: cargo oncall secrets {KEY}, then this command again, and \
                     sam deploy."
                ));
            }
            return Ok(None);
        }
        if !is_of_stack {
            terminal.say(format!(
                "⚠ {name} is of another stack, and is left alone. Where {} is deployed from, set {PARAMETER}={ids}.",
                stack.name
            ));
            return Ok(None);
        }
        file.set(&[(PARAMETER, ids.clone())]);
        if let Some(url) = url {
            file.set(&[("PagerDutyBaseUrl", url)]);
        }
        Ok(Some(Self { file, name, ids }))
    }

    /// The step.
    pub(super) fn in_words(&self) -> String {
        format!("write {PARAMETER}={} into {}, for the next `sam deploy`", self.ids, self.name)
    }

    /// Takes the step.
    pub(super) fn write(&self, terminal: &Terminal) -> Outcome {
        self.file.write()?;
        terminal.say(format!("✓ {} has the services.", self.name));
        Ok(())
    }
}
