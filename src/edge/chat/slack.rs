//! Slack: `chat.postMessage` with a bot's token, <https://docs.slack.dev/reference/methods/chat.postmessage>.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Fate, HttpClient, Post, PostError, Posted, exchange};
use crate::config::{Purpose, SlackConfig};

/// A channel and the bot that posts to it.
#[derive(Debug)]
pub struct Slack {
    http: HttpClient,
    url: String,
    token: SecretString,
    channel: String,
    purpose: Purpose,
}

#[derive(Serialize)]
struct NewMessage<'a> {
    channel: &'a str,
    text: &'a str,
    unfurl_links: bool,
    unfurl_media: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reply_broadcast: bool,
}

#[derive(Deserialize)]
struct Outcome {
    ok: bool,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    ts: Value,
}

impl Slack {
    pub(super) fn new(config: &SlackConfig, http: HttpClient) -> Self {
        Self {
            http,
            url: format!("{}/api/chat.postMessage", config.base_url),
            token: config.token.clone(),
            channel: config.channel.clone(),
            purpose: config.purpose,
        }
    }

    pub(super) async fn post(&self, post: Post<'_>) -> Result<Posted, PostError> {
        let body = serde_json::to_vec(&NewMessage {
            channel: &self.channel,
            text: post.text,
            unfurl_links: false,
            unfurl_media: false,
            thread_ts: post.thread,
            reply_broadcast: post.broadcast && post.thread.is_some(),
        })
        .map_err(|_| PostError::new(Fate::MessageRefused, "the message is no JSON"))?;
        let request = self
            .http
            .post(&self.url)
            .bearer_auth(self.token.expose_secret())
            .header("content-type", "application/json; charset=utf-8")
            .body(body);
        let answer = exchange(&self.http, request, post.within, "SLACK_BASE_URL").await?;
        let status = answer.status;
        match serde_json::from_slice::<Outcome>(&answer.body) {
            Ok(Outcome { ok: true, ts, .. }) if answer.is_success() => {
                Ok(Posted { thread: post.thread.map(str::to_owned).or_else(|| ts.as_str().map(str::to_owned)) })
            }
            Ok(Outcome { ok: false, error, .. }) => {
                let code = error.as_str().unwrap_or("no error code");
                Err(refusal(code, post.thread.is_some(), self.purpose))
            }
            _ if answer.is_success() => Err(PostError::new(Fate::Unknown, format!("HTTP {status} without `ok`"))),
            _ => Err(PostError::new(Fate::WeAreRefused { setting: "SLACK_TOKEN" }, format!("HTTP {status}"))),
        }
    }
}

/// Codes after <https://docs.slack.dev/reference/methods/chat.postmessage#errors>.
fn refusal(code: &str, in_thread: bool, purpose: Purpose) -> PostError {
    let fate = match code {
        // Slack asks for at least a second between posts to a channel.
        "ratelimited" | "rate_limited" => {
            Fate::Unavailable { retry_after: Some(Duration::from_secs(1)), in_doubt: false }
        }
        "msg_too_long" | "msg_blocks_too_long" | "invalid_blocks" | "no_text" => Fate::MessageRefused,
        "thread_not_found"
        | "message_not_found"
        | "cannot_reply_to_message"
        | "restricted_action_thread_locked"
        | "invalid_thread_ts"
            if in_thread =>
        {
            Fate::ThreadRefused
        }
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_non_threadable_channel"
        | "channel_is_limited_access"
        | "restricted_action_thread_only_channel" => Fate::WeAreRefused { setting: purpose.slack_channel() },
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
            Fate::WeAreRefused { setting: "Slack's own status page" }
        }
        _ => Fate::WeAreRefused { setting: "SLACK_TOKEN" },
    };
    // A code is a word; anything else in its place is not for the log.
    let is_code = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    PostError::new(fate, if is_code { code } else { "an error code that is none" })
}
