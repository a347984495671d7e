//! Whom posts mention in a trial, and whom they should.

use std::collections::BTreeSet;
use std::fmt;

use crate::properties::Effects;
use oncall_relay::domain::chat::ChatName;

/// The day's people, as the sheet has them.
pub const TODAY: &str = "田中、鈴木";
/// Those whom the sheet had for the same day before somebody edited it.
pub const BEFORE: &str = "佐藤 花子";
/// `FALLBACK_MENTIONS` in all trials: by handle, for no members tab may be there.
pub(super) const FALLBACK: &str = "sre-team,S0SRETEAM";

/// The people whom a post mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// The day's people, all of them and nobody else.
    Today,
    /// Those of an old copy of the sheet.
    Before,
    /// Those of `FALLBACK_MENTIONS`.
    Fallback,
    /// Nobody.
    Nobody,
    /// Anybody else.
    Others,
}

/// Whom a post mentions, and whether it says that the roster was not read as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mentioned {
    /// Who is mentioned.
    pub whom: Whom,
    /// Whether a line says that the sheet can't be read, or that people can't be mentioned.
    pub in_doubt: bool,
}

impl Mentioned {
    /// The day's people, as if nothing were wrong.
    pub const TODAY: Self = Self { whom: Whom::Today, in_doubt: false };
    /// Nobody, on purpose.
    pub const NOBODY: Self = Self { whom: Whom::Nobody, in_doubt: false };

    /// What a text does in a chat.
    #[must_use]
    pub fn of(text: &str, chat: ChatName) -> Self {
        let ids: Vec<&str> = match chat {
            ChatName::Typetalk => vec!["tanaka", "suzuki-k", "sato", "sre-team"],
            ChatName::Slack => vec!["@U0TANAKA1", "@U0SUZUKI1", "@U0SATO001", "!subteam^S0SRETEAM"],
        };
        let mut mentions = Effects::of(text, chat).mentions;
        mentions.sort_by_key(|mention| ids.iter().position(|id| id == mention));
        let whom = match mentions.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => Whom::Nobody,
            [one, other] if one == ids[0] && other == ids[1] => Whom::Today,
            [one] if one == ids[2] => Whom::Before,
            [one] if one == ids[3] => Whom::Fallback,
            _ => Whom::Others,
        };
        let in_doubt = ["当番表を読めない", "メンションできません"].iter().any(|words| text.contains(words));
        Self { whom, in_doubt }
    }
}

/// A post, whom it mentions, and whom it should mention.
#[derive(Debug, Clone)]
pub struct Posted {
    /// The text.
    pub text: String,
    /// Whom it mentions.
    pub mentioned: Mentioned,
    /// Whom it should mention.
    pub expected: Mentioned,
}

impl Posted {
    /// A post on a chat.
    #[must_use]
    pub fn new(text: String, chat: ChatName, expected: Mentioned) -> Self {
        Self { mentioned: Mentioned::of(&text, chat), text, expected }
    }
}

/// Everybody whom some posts mention, for a column of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Everybody(BTreeSet<Mentioned>);

impl Everybody {
    /// Those of some posts.
    #[must_use]
    pub fn of(posts: &[Posted]) -> Self {
        Self(posts.iter().map(|post| post.mentioned).collect())
    }
}

impl fmt::Display for Everybody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.0.iter().map(|Mentioned { whom, in_doubt }| {
            let whom = match whom {
                Whom::Today => "the day's",
                Whom::Before => "an old copy's",
                Whom::Fallback => "the fallback",
                Whom::Nobody => "nobody",
                Whom::Others => "others",
            };
            format!("{whom}{}", if *in_doubt { " ⚠" } else { "" })
        });
        f.write_str(&said.collect::<Vec<_>>().join(", "))
    }
}

/// What a trial knows of the roster before a fault begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing: every instance starts cold.
    Nothing,
    /// Every instance has read the sheet.
    InProcess,
    /// Every instance starts cold; another one has saved the roster in the ledger.
    InLedger,
    /// Every instance has read the sheet before an edit; another one has saved what it is now.
    NewerInLedger,
    /// Every instance, and the ledger, have what the sheet was before an edit.
    OldOnly,
}

impl Known {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Nothing, Self::InProcess, Self::InLedger, Self::NewerInLedger, Self::OldOnly];

    /// Whether the instances have run before the fault.
    #[must_use]
    pub fn is_warm(self) -> bool {
        matches!(self, Self::InProcess | Self::NewerInLedger | Self::OldOnly)
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "cold",
            Self::InProcess => "copy in the process",
            Self::InLedger => "cold, copy in the ledger",
            Self::NewerInLedger => "old copy in the process, newer one in the ledger",
            Self::OldOnly => "old copies only",
        })
    }
}

/// What a fault takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Costs {
    /// Nothing: another try at once does it, or nobody asks what fails.
    Nothing,
    /// The reading of the sheet.
    Reading,
    /// The members tab alone.
    Members,
}

impl Costs {
    /// Whom a post must mention: what can't be read now is as it was read last, by whoever read it last.
    #[must_use]
    pub fn with(self, known: Known) -> Mentioned {
        let in_doubt = |whom| Mentioned { whom, in_doubt: true };
        match (self, known) {
            (Self::Reading | Self::Members, Known::Nothing) => in_doubt(Whom::Fallback),
            // Ids change less often than duties: those of an earlier copy are used without a word.
            (Self::Nothing | Self::Members, _) => Mentioned::TODAY,
            (Self::Reading, Known::OldOnly) => in_doubt(Whom::Before),
            (Self::Reading, _) => in_doubt(Whom::Today),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_mentions_whom_its_chat_would_notify() {
        let at = |text: &str, chat| Mentioned::of(text, chat);
        for (on_typetalk, on_slack, whom) in [
            ("@tanaka @suzuki-k\nx", "<@U0TANAKA1> <@U0SUZUKI1>\nx", Whom::Today),
            ("@suzuki-k @tanaka\nx", "<@U0SUZUKI1> <@U0TANAKA1>\nx", Whom::Today),
            ("@sato\nx", "<@U0SATO001>\nx", Whom::Before),
            ("@sre-team\nx", "<!subteam^S0SRETEAM>\nx", Whom::Fallback),
            ("田中\nx", "田中\nx", Whom::Nobody),
            ("@tanaka\nx", "<@U0TANAKA1>\nx", Whom::Others),
            ("@tanaka @tanaka\nx", "<@U0TANAKA1> <@U0TANAKA1>\nx", Whom::Others),
            ("@tanaka @suzuki-k @sre-team", "<@U0TANAKA1> <@U0SUZUKI1> <!channel>", Whom::Others),
        ] {
            let expected = Mentioned { whom, in_doubt: false };
            assert_eq!(at(on_typetalk, ChatName::Typetalk), expected, "{on_typetalk}");
            assert_eq!(at(on_slack, ChatName::Slack), expected, "{on_slack}");
        }
        assert!(at("@sre-team\n⚠️ 当番表を読めないため、当番が分かりません", ChatName::Typetalk).in_doubt);
    }
}
