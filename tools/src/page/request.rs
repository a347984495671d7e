//! What the page can ask for, and why something can't be done.

use std::error::Error;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::scene::{Mode, Rows, Service};
use super::story::{Happening, Version};

/// The language of the page and of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// 日本語
    Ja,
    /// English
    En,
}

impl Language {
    /// As `MESSAGE_LANGUAGE` has it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }
}

/// What `CHATS` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Chats {
    #[serde(rename = "typetalk,slack")]
    TypetalkFirst,
    #[serde(rename = "slack,typetalk")]
    SlackFirst,
    #[serde(rename = "slack")]
    Slack,
}

/// What the page can ask for.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    /// A new incident.
    Trigger { title: String, version: Version },
    /// Something happens to an incident, by its number.
    Happen { what: Happening, incident: u64, text: String, into: Option<u64>, version: Version },
    /// PagerDuty's test event.
    Ping {},
    /// PagerDuty sends a step's webhook again.
    Again { step: u64 },
    /// Somebody presses a button under a message of Slack's.
    Press { by: By, ts: String, action: String, value: String },
    /// Somebody sends a modal of Slack's off.
    Submit { by: By, view: Value, text: String },
    /// Somebody types `/oncall` on Slack.
    Ask {},
    /// A job tells what it does about an incident.
    Notice { incident: Option<u64>, text: String, status: String },
    /// It is 10:00 (`today`), 17:00 (`next`) or the end of the week (`week`).
    Remind { reminder: Reminder },
    /// The clock is set.
    Clock { at: String },
    /// A tab is written.
    Write { tab: Tab, rows: Rows },
    /// A service fails, or is put right.
    Fault { service: Service, mode: Mode },
    /// The relay is deployed with other settings.
    Settings { language: Language, chats: Chats },
    /// Everything is as in the beginning.
    Reset {},
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reminder {
    Today,
    Next,
    Week,
}

/// Somebody on Slack.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct By {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tab {
    Roster,
    Members,
}

/// Why something can't be done; the page has the words.
#[derive(Debug, Serialize)]
#[serde(tag = "error", content = "detail", rename_all = "snake_case")]
pub(super) enum Refusal {
    /// PagerDuty has no such event for an incident in that state.
    NotInThisState,
    /// The step or the incident is no longer kept.
    Gone,
    NoTime,
    SheetTooLarge,
    /// The relay doesn't start, or can't be asked.
    Relay(String),
}

impl From<Box<dyn Error + Send + Sync>> for Refusal {
    fn from(failure: Box<dyn Error + Send + Sync>) -> Self {
        Self::Relay(failure.to_string())
    }
}
