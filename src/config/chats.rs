//! Settings of the chats: where alerts and reminders are posted.

use secrecy::SecretString;

use super::reader::Reader;
use crate::domain::chat::ChatName;

/// What a topic or channel is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Alerts.
    Alerts,
    /// Talk about the on-call duty, and its reminders.
    OnCall,
}

impl Purpose {
    /// The variable of the Typetalk topic.
    #[must_use]
    pub fn typetalk_topic(self) -> &'static str {
        match self {
            Self::Alerts => "TYPETALK_ALERT_TOPIC",
            Self::OnCall => "TYPETALK_ONCALL_TOPIC",
        }
    }

    /// The variable of the Typetalk topic's token.
    #[must_use]
    pub fn typetalk_token(self) -> &'static str {
        match self {
            Self::Alerts => "TYPETALK_ALERT_TOKEN",
            Self::OnCall => "TYPETALK_ONCALL_TOKEN",
        }
    }

    /// The variable of the Slack channel.
    #[must_use]
    pub fn slack_channel(self) -> &'static str {
        match self {
            Self::Alerts => "SLACK_ALERT_CHANNEL",
            Self::OnCall => "SLACK_ONCALL_CHANNEL",
        }
    }
}

/// A chat of `CHATS`.
#[derive(Debug, Clone)]
pub enum ChatConfig {
    /// `typetalk`
    Typetalk(TypetalkConfig),
    /// `slack`
    Slack(SlackConfig),
}

impl ChatConfig {
    /// Which chat it is.
    #[must_use]
    pub fn name(&self) -> ChatName {
        match self {
            Self::Typetalk(_) => ChatName::Typetalk,
            Self::Slack(_) => ChatName::Slack,
        }
    }
}

/// Typetalk's variables.
#[derive(Debug, Clone)]
pub struct TypetalkConfig {
    /// What the topic is for.
    pub purpose: Purpose,
    /// `TYPETALK_BASE_URL`, without a slash at the end.
    pub base_url: String,
    /// `TYPETALK_ALERT_TOPIC` or `TYPETALK_ONCALL_TOPIC`
    pub topic: u64,
    /// `TYPETALK_ALERT_TOKEN` or `TYPETALK_ONCALL_TOKEN`
    pub token: SecretString,
}

/// Slack's variables.
#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// What the channel is for.
    pub purpose: Purpose,
    /// `SLACK_BASE_URL`, without a slash at the end.
    pub base_url: String,
    /// `SLACK_TOKEN`
    pub token: SecretString,
    /// `SLACK_ALERT_CHANNEL` or `SLACK_ONCALL_CHANNEL`
    pub channel: String,
}

pub(super) fn chats(reader: &mut Reader<'_>, purpose: Purpose) -> Option<Vec<ChatConfig>> {
    let remedy = "a list of `typetalk` and `slack`, the primary first, such as `slack` or `typetalk,slack`";
    let names = reader.required("CHATS", remedy)?;
    let mut chats: Vec<Option<ChatConfig>> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for name in names.split(',').map(str::trim) {
        if seen.contains(&name) {
            reader.malformed("CHATS", format!("`{name}` is there twice; name each chat once"));
            continue;
        }
        seen.push(name);
        chats.push(match name {
            "typetalk" => typetalk(reader, purpose).map(ChatConfig::Typetalk),
            "slack" => slack(reader, purpose).map(ChatConfig::Slack),
            other => {
                reader.malformed("CHATS", format!("`{other}` is not a chat; write {remedy}"));
                None
            }
        });
    }
    chats.into_iter().collect()
}

fn typetalk(reader: &mut Reader<'_>, purpose: Purpose) -> Option<TypetalkConfig> {
    let base_url = reader.base_url("TYPETALK_BASE_URL", "https://typetalk.com");
    let variable = purpose.typetalk_topic();
    let topic = reader.required(variable, "the number in the topic's address").and_then(|topic| {
        let number = topic.parse().ok();
        if number.is_none() {
            reader.malformed(variable, "it must be the number in the topic's address");
        }
        number
    });
    let token = reader.secret(purpose.typetalk_token(), "the token of the topic's bot");
    Some(TypetalkConfig { purpose, base_url: base_url?, topic: topic?, token: token? })
}

fn slack(reader: &mut Reader<'_>, purpose: Purpose) -> Option<SlackConfig> {
    let base_url = reader.base_url("SLACK_BASE_URL", "https://slack.com");
    let token = reader.secret("SLACK_TOKEN", "the app's bot token, which begins with `xoxb-`");
    if let Some(false) = reader.begins_with("SLACK_TOKEN", "xoxb-") {
        reader.warn("SLACK_TOKEN doesn't begin with `xoxb-`: is it the app's bot token?");
    }
    let variable = purpose.slack_channel();
    let remedy = "the channel's id (`C…`), at the end of the channel's details";
    let channel = reader.required(variable, remedy).filter(|channel| {
        let id = channel.starts_with(['C', 'G', 'D'])
            && channel.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !id {
            reader.malformed(variable, format!("it must be {remedy}, not its name"));
        }
        id
    });
    Some(SlackConfig { purpose, base_url: base_url?, token: token?, channel: channel? })
}
