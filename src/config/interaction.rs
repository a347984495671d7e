//! Settings of what people do on Slack: whether its requests are taken, and whether incidents can be acted on.

use secrecy::SecretString;

use super::chats::ChatConfig;
use super::reader::{Environment, Problems, Reader};
use super::{IncidentsConfig, incidents};

/// What the requests of the team's Slack app need.
#[derive(Debug, Clone)]
pub struct InteractionConfig {
    /// Which requests are Slack's.
    pub secrets: SlackSecrets,
    /// From `PAGERDUTY_API_KEY` and `PAGERDUTY_SERVICES`: whose open incidents can be listed.
    pub incidents: Option<IncidentsConfig>,
    /// From `PAGERDUTY_ACTION_KEY` and `PAGERDUTY_FROM`, without which there are no buttons.
    pub acting: Option<ActingConfig>,
    /// The names of the settings that the function has, for the check.
    pub settings: Vec<&'static str>,
}

/// The secrets of which any one proves a request to be Slack's.
#[derive(Debug, Clone)]
pub struct SlackSecrets {
    /// From `SLACK_SIGNING_SECRETS`.
    pub signing: Vec<SecretString>,
}

/// PagerDuty's REST API for changing incidents.
#[derive(Debug, Clone)]
pub struct ActingConfig {
    /// `PAGERDUTY_BASE_URL`, without a slash at the end.
    pub base_url: String,
    /// `PAGERDUTY_ACTION_KEY`
    pub key: SecretString,
    /// `PAGERDUTY_FROM`
    pub from: String,
}

impl SlackSecrets {
    /// Reads them again, after they may have been changed: what can be used of them, and what is wrong with the rest.
    /// None are left if somebody has taken them away.
    #[must_use]
    pub fn read_again(environment: &Environment) -> (Self, Option<Problems>) {
        let mut reader = Reader::new(environment);
        let signing = reader.secrets("SLACK_SIGNING_SECRETS");
        (Self { signing }, reader.finish(Some(())).err())
    }
}

/// None if Slack's requests are not taken. What belongs to them is read all the same: a secret of it may be looked for.
pub(super) fn interaction(reader: &mut Reader<'_>, chats: Option<&[ChatConfig]>) -> Option<InteractionConfig> {
    let acting = acting(reader);
    if !reader.is_set("SLACK_SIGNING_SECRETS") {
        // Without them the key to list incidents is the reminder's alone, and so are its problems.
        reader.is_set("PAGERDUTY_API_KEY");
        if acting.is_some() {
            reader.warn(
                "PAGERDUTY_ACTION_KEY is set, and SLACK_SIGNING_SECRETS is not: there are no buttons; give it the \
                 signing secret of the Slack app",
            );
        }
        return None;
    }
    let has_slack = chats.is_none_or(|chats| chats.iter().any(|chat| matches!(chat, ChatConfig::Slack(_))));
    if acting.is_some() && !has_slack {
        reader.warn("PAGERDUTY_ACTION_KEY is set, and CHATS has no `slack`: there are no messages for its buttons");
    }
    let signing = reader.secrets("SLACK_SIGNING_SECRETS");
    Some(InteractionConfig {
        secrets: SlackSecrets { signing },
        incidents: incidents(reader),
        acting,
        settings: Vec::new(),
    })
}

fn acting(reader: &mut Reader<'_>) -> Option<ActingConfig> {
    let is_set = (reader.is_set("PAGERDUTY_ACTION_KEY"), reader.is_set("PAGERDUTY_FROM"));
    match is_set {
        (false, false) => None,
        (true, false) => {
            let from = "the e-mail address of the PagerDuty user that acts";
            reader.half_set("PAGERDUTY_ACTION_KEY", "PAGERDUTY_FROM", from);
            None
        }
        (false, true) => {
            reader.half_set("PAGERDUTY_FROM", "PAGERDUTY_ACTION_KEY", "a REST API key that may write");
            None
        }
        (true, true) => {
            let base_url = reader.base_url("PAGERDUTY_BASE_URL", "https://api.pagerduty.com");
            let key = reader.secret("PAGERDUTY_ACTION_KEY", "a REST API key that may write");
            let from = reader.parsed("PAGERDUTY_FROM", "", |from| {
                let parts = from.split_once('@').filter(|(name, domain)| !name.is_empty() && domain.contains('.'));
                let is_one = parts.is_some() && from.bytes().all(|b| b.is_ascii_graphic());
                if is_one { Ok(from.to_owned()) } else { Err("it must be an e-mail address of PagerDuty's".to_owned()) }
            });
            Some(ActingConfig { base_url: base_url?, key: key?, from: from? })
        }
    }
}
