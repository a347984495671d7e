//! What people do on Slack: whether a request is Slack's, what it asks for, and the answers that only it takes.
//!
//! Source: <https://docs.slack.dev/interactivity/handling-user-interaction>

mod answer;
mod app;
mod payload;
mod verifier;

pub use answer::{ephemeral, modal_error};
pub use app::{SlackApp, tell};
pub use payload::{Press, Reply, Requested, WrittenNote, parse};
pub use verifier::SlackVerifier;
