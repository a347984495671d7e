//! The bodies of answers that Slack shows to one person.

use serde_json::json;

/// The block of the modal in which a note is written, and the element in it.
pub(super) const NOTE: (&str, &str) = ("note", "text");

/// A message that only whoever asked can see.
#[must_use]
pub fn ephemeral(text: &str) -> String {
    json!({"response_type": "ephemeral", "replace_original": false, "text": text}).to_string()
}

/// What is wrong with a note; the modal stays open, with what was written.
#[must_use]
pub fn modal_error(text: &str) -> String {
    json!({"response_action": "errors", "errors": {NOTE.0: text}}).to_string()
}
