//! A card as Slack lays it out: mentions and headline as blocks, the rest under a coloured bar.
//!
//! Only an attachment has a colour, and blocks may sit in it. Without blocks of its own beside it a message would show
//! its text twice, and mentions count only in blocks: <https://docs.slack.dev/reference/block-kit/blocks>.

use serde::Serialize;

use super::mrkdwn;
use crate::domain::acting::Action;
use crate::domain::message::{Button, Card, Colour, Message};

/// UTF-16 units of a section's text.
const SECTION_UNITS: usize = 3_000;

/// A block of a message. A `block_id` is left to Slack, which makes a new one for each version of a message.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block {
    /// A paragraph.
    Section {
        /// What it says.
        text: Text,
    },
    /// Buttons in a row.
    Actions {
        /// The buttons.
        elements: Vec<Element>,
    },
}

/// A button. Its id says what it does, its value to which incident.
#[derive(Debug, Serialize)]
pub(super) struct Element {
    r#type: &'static str,
    action_id: &'static str,
    value: String,
    text: Plain,
    #[serde(skip_serializing_if = "Option::is_none")]
    style: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm: Option<Dialog>,
}

/// What a button asks first.
#[derive(Debug, Serialize)]
struct Dialog {
    title: Plain,
    text: Plain,
    confirm: Plain,
    deny: Plain,
}

/// Text without markup.
#[derive(Debug, Serialize)]
struct Plain {
    r#type: &'static str,
    text: &'static str,
    emoji: bool,
}

impl Plain {
    fn new(text: &'static str) -> Self {
        Self { r#type: "plain_text", text, emoji: false }
    }
}

/// Text in Slack's markup.
#[derive(Debug, Serialize)]
pub(super) struct Text {
    r#type: &'static str,
    #[serde(rename = "text")]
    printed: String,
    /// Else Slack would make links of what looks like a channel or an address.
    verbatim: bool,
}

/// What stands under a coloured bar.
#[derive(Debug, Serialize)]
pub(super) struct Attachment {
    color: &'static str,
    blocks: Vec<Block>,
}

/// The blocks of a card's head, a section for each line.
pub(super) fn head(card: &Card) -> Vec<Block> {
    card.head.lines.iter().filter_map(|line| section(&Message { lines: vec![line.clone()] })).collect()
}

/// The rest of a card under its colour; buttons belong at the end of these blocks.
pub(super) fn attachments(card: &Card) -> [Attachment; 1] {
    // A colour needs something beside it.
    let mut blocks: Vec<_> = section(&card.body).or_else(|| section(&card.head)).into_iter().collect();
    // Slack refuses a row without buttons.
    if !card.buttons.is_empty() {
        blocks.push(Block::Actions { elements: card.buttons.iter().map(element).collect() });
    }
    [Attachment { color: color(card.colour), blocks }]
}

/// A section, unless there is nothing to say: Slack refuses an empty one.
fn section(message: &Message) -> Option<Block> {
    let printed = mrkdwn::render_within(message, SECTION_UNITS);
    (!printed.trim().is_empty()).then_some(Block::Section { text: Text { r#type: "mrkdwn", printed, verbatim: true } })
}

fn element(button: &Button) -> Element {
    Element {
        r#type: "button",
        action_id: button.action.key(),
        value: button.incident.to_string(),
        text: Plain::new(button.label),
        // One button at most should stand out.
        style: (button.action == Action::Acknowledge).then_some("primary"),
        confirm: button.confirm.map(|confirm| Dialog {
            title: Plain::new(confirm.title),
            text: Plain::new(confirm.text),
            confirm: Plain::new(confirm.yes),
            deny: Plain::new(confirm.no),
        }),
    }
}

fn color(colour: Colour) -> &'static str {
    match colour {
        Colour::Red => "#d0021b",
        Colour::Yellow => "#f5c400",
        Colour::Green => "#2eb886",
        Colour::Grey => "#9b9b9b",
        Colour::Blue => "#3b78c4",
    }
}
