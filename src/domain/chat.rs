//! The chats that the relay can post to, by name.

use std::fmt;

/// One of the chats that the relay can post to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChatName {
    /// Nulab's Typetalk.
    Typetalk,
    /// Slack.
    Slack,
}

impl ChatName {
    /// The chat that settings and logs call so.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Typetalk, Self::Slack].into_iter().find(|chat| chat.key() == key)
    }

    /// The name in settings and logs.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Typetalk => "typetalk",
            Self::Slack => "slack",
        }
    }
}

impl fmt::Display for ChatName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Typetalk => "Typetalk",
            Self::Slack => "Slack",
        })
    }
}

/// A chat that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedChat {
    /// Which.
    pub chat: ChatName,
    /// Whether it may have the message all the same.
    pub in_doubt: bool,
}
