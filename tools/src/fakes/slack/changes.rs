//! Slack's `chat.update`: what may be changed, and how often.

use serde::Deserialize;
use serde_json::{Value, json};

use super::layout::{self, Attachment, Block};
use super::{Reply, Shown, Workspace, buttons, error, lock, ok, rate_limited, texts};

/// What is left out of `blocks` and `attachments` is taken away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedMessage {
    channel: String,
    ts: String,
    text: String,
    blocks: Vec<Block>,
    attachments: Vec<Attachment>,
    parse: String,
}

impl Workspace {
    pub(super) fn change(&self, message: &ChangedMessage, layout: Value) -> Reply {
        if !self.channels.contains(&message.channel) {
            return error("channel_not_found");
        }
        if message.text.is_empty() {
            return error("no_text");
        }
        if message.text.encode_utf16().count() > 4_000 {
            return error("msg_too_long");
        }
        if message.parse != "none" {
            // Real Slack takes it, and links what looks like a name in it.
            return error("invalid_arguments");
        }
        if let Some(code) = layout::refusal(&message.blocks, &message.attachments) {
            return error(code);
        }
        let mut messages = lock(&self.messages);
        if messages.updates_left == Some(0) {
            return rate_limited(30);
        }
        let is_closed = messages.edit_window_closed;
        let key = (message.channel.clone(), message.ts.clone());
        let code = match messages.known.get(&key) {
            None | Some(Shown { is_there: false, .. }) => Some("message_not_found"),
            Some(Shown { is_ours: false, .. }) => Some("cant_update_message"),
            Some(_) if is_closed => Some("edit_window_closed"),
            Some(_) => None,
        };
        if let Some(code) = code {
            return error(code);
        }
        messages.updates += 1;
        messages.updates_left = messages.updates_left.map(|left| left - 1);
        if let Some(shown) = messages.known.get_mut(&key) {
            shown.head = texts(&message.blocks);
            shown.body = message.attachments.iter().flat_map(|attachment| texts(&attachment.blocks)).collect();
            shown.colour = message.attachments.first().map(|attachment| attachment.color.clone());
            shown.text.clone_from(&message.text);
            shown.layout = layout;
            shown.buttons = buttons(&message.attachments);
            shown.updates += 1;
        }
        let told = json!({"type": "message", "text": message.text});
        ok(&json!({"ok": true, "channel": message.channel, "ts": message.ts, "text": message.text, "message": told}))
    }
}
