//! What Slack refuses of blocks and attachments: unknown fields, empty or overlong text objects, too many of them.
//!
//! Limits: `@slack/types`, and <https://docs.slack.dev/reference/block-kit/blocks>.

use serde::Deserialize;

/// Blocks in a message.
const MAX_BLOCKS: usize = 50;
/// Attachments in a message.
const MAX_ATTACHMENTS: usize = 100;

/// A block that we know.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Block {
    /// A paragraph.
    Section {
        /// What it says.
        text: Text,
        block_id: Option<String>,
    },
    /// Buttons in a row.
    Actions {
        /// The buttons.
        elements: Vec<Button>,
        block_id: Option<String>,
    },
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Button {
    r#type: String,
    action_id: String,
    value: String,
    text: Plain,
    style: Option<String>,
    confirm: Option<Dialog>,
}

/// What a button asks first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialog {
    title: Plain,
    text: Plain,
    confirm: Plain,
    deny: Plain,
}

/// A text object without markup.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    r#type: String,
    text: String,
    #[serde(default)]
    emoji: bool,
}

impl Plain {
    fn is_sound(&self, most: usize) -> bool {
        self.r#type == "plain_text" && !self.emoji && (1..=most).contains(&units(&self.text))
    }
}

impl Button {
    fn is_sound(&self) -> bool {
        let is_dialog = |Dialog { title, text, confirm, deny }: &Dialog| {
            title.is_sound(100) && text.is_sound(300) && confirm.is_sound(30) && deny.is_sound(30)
        };
        self.r#type == "button"
            && (1..=255).contains(&self.action_id.len())
            && self.value.len() <= 2_000
            && self.text.is_sound(75)
            && self.style.as_deref().is_none_or(|style| matches!(style, "primary" | "danger"))
            && self.confirm.as_ref().is_none_or(is_dialog)
    }
}

/// A text object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    r#type: String,
    #[serde(rename = "text")]
    pub(super) printed: String,
    #[serde(default)]
    verbatim: bool,
}

/// An attachment with blocks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attachment {
    pub(super) color: String,
    #[serde(default)]
    pub(super) blocks: Vec<Block>,
    fallback: Option<String>,
}

impl Block {
    /// What it says; buttons say nothing.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Section { text, .. } => Some(text.printed.clone()),
            Self::Actions { .. } => None,
        }
    }

    /// What its buttons do, and to what.
    pub(super) fn buttons(&self) -> Vec<String> {
        match self {
            Self::Section { .. } => Vec::new(),
            Self::Actions { elements, .. } => {
                elements.iter().map(|button| format!("{} {}", button.action_id, button.value)).collect()
            }
        }
    }

    fn is_sound(&self) -> bool {
        let is_id = |id: &Option<String>| id.as_ref().is_none_or(|id| (1..=255).contains(&units(id)));
        match self {
            Self::Section { text, block_id } => {
                // What is not verbatim would be searched for channels and addresses: strangers write here.
                let is_known = (text.r#type == "mrkdwn" && text.verbatim) || text.r#type == "plain_text";
                is_known && (1..=3_000).contains(&units(&text.printed)) && is_id(block_id)
            }
            Self::Actions { elements, block_id } => {
                let has_one = |id: &str| elements.iter().filter(|button| button.action_id == id).count() == 1;
                (1..=25).contains(&elements.len())
                    && is_id(block_id)
                    && elements.iter().all(|button| button.is_sound() && has_one(&button.action_id))
            }
        }
    }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Why Slack would refuse them.
pub(super) fn refusal(blocks: &[Block], attachments: &[Attachment]) -> Option<&'static str> {
    let is_colour = |colour: &str| {
        let digits = colour.strip_prefix('#').filter(|digits| digits.len() == 6);
        digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            || ["good", "warning", "danger"].contains(&colour)
    };
    if attachments.len() > MAX_ATTACHMENTS {
        return Some("too_many_attachments");
    }
    let within = attachments.iter().map(|attachment| attachment.blocks.as_slice());
    let all: Vec<_> = std::iter::once(blocks).chain(within).collect();
    if all.iter().map(|blocks| blocks.len()).sum::<usize>() > MAX_BLOCKS || all.concat().iter().any(|b| !b.is_sound()) {
        return Some("invalid_blocks");
    }
    let is_empty = |attachment: &Attachment| attachment.blocks.is_empty() || !is_colour(&attachment.color);
    // A message that has attachments and no blocks would show its text above them, and its text is the whole.
    (attachments.iter().any(is_empty) || (blocks.is_empty() && !attachments.is_empty()))
        .then_some("invalid_attachments")
}
