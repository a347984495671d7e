//! Slack: `chat.postMessage` and `chat.update` with a bot's token, <https://docs.slack.dev/reference/methods>.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::blocks::{self, Attachment, Block};
use super::{HttpClient, Post, PostError, PostFailure, Posted, Thread, Update, exchange, slack_errors, to_json};
use crate::config::SlackConfig;

/// A channel and the bot that posts to it.
#[derive(Debug)]
pub struct Slack {
    http: HttpClient,
    config: SlackConfig,
}

#[derive(Serialize)]
struct NewMessage<'a> {
    channel: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocks: Vec<Block>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<[Attachment; 1]>,
    unfurl_links: bool,
    unfurl_media: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reply_broadcast: bool,
}

/// What `text`, `blocks` and `attachments` leave out is taken away from the message.
#[derive(Serialize)]
struct ChangedMessage<'a> {
    channel: &'a str,
    ts: &'a str,
    text: &'a str,
    blocks: Vec<Block>,
    attachments: [Attachment; 1],
    /// Else Slack would read it as a person's client does, and link what looks like a name.
    parse: &'static str,
}

#[derive(Deserialize)]
struct Outcome {
    ok: bool,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    ts: Value,
    #[serde(default)]
    message: Value,
}

impl Slack {
    pub(super) fn new(config: &SlackConfig, http: HttpClient) -> Self {
        Self { http, config: config.clone() }
    }

    /// Whether a reply in this thread can be posted here.
    pub(super) fn has(&self, thread: &Thread) -> bool {
        thread.channel == self.config.channel
    }

    pub(super) fn open_ahead(&self) {
        self.http.open_ahead(&self.config.base_url);
    }

    pub(super) async fn post(&self, post: Post<'_>) -> Result<Posted, PostError> {
        let thread_ts = post.thread.filter(|thread| self.has(thread)).map(|thread| thread.ts.as_str());
        let body = to_json(&NewMessage {
            channel: &self.config.channel,
            text: post.text,
            blocks: post.card.map(blocks::head).unwrap_or_default(),
            attachments: post.card.map(blocks::attachments),
            unfurl_links: false,
            unfurl_media: false,
            thread_ts,
            reply_broadcast: post.broadcast && thread_ts.is_some(),
        })?;
        let Outcome { ts, message, .. } = self.call("chat.postMessage", body, thread_ts.is_some(), post.within).await?;
        let ts = thread_of(&message, &ts, thread_ts).map(str::to_owned);
        Ok(Posted { thread: ts.map(|ts| Thread { channel: self.config.channel.clone(), ts }) })
    }

    /// Replaces what a message of ours says.
    pub(super) async fn update(&self, update: Update<'_>) -> Result<(), PostError> {
        let body = to_json(&ChangedMessage {
            channel: &update.message.channel,
            ts: &update.message.ts,
            text: update.text,
            blocks: blocks::head(update.card),
            attachments: blocks::attachments(update.card),
            parse: "none",
        })?;
        self.call("chat.update", body, true, update.within).await.map(|_| ())
    }

    async fn call(&self, method: &str, body: Vec<u8>, in_thread: bool, within: Duration) -> Result<Outcome, PostError> {
        let request = self
            .http
            .post(&format!("{}/api/{method}", self.config.base_url))
            .bearer_auth(self.config.token.expose_secret())
            .header("content-type", "application/json; charset=utf-8")
            .body(body);
        let answer = exchange(&self.http, request, within, "SLACK_BASE_URL").await?;
        let status = answer.status;
        match serde_json::from_slice::<Outcome>(&answer.body) {
            Ok(outcome) if outcome.ok && answer.is_success() => Ok(outcome),
            Ok(Outcome { ok: false, error, .. }) => {
                let code = error.as_str().unwrap_or("no error code");
                Err(slack_errors::refusal(code, in_thread, self.config.purpose))
            }
            _ if answer.is_success() => {
                Err(PostError::new(PostFailure::Unknown, format!("HTTP {status} without `ok`")))
            }
            _ => {
                let setting = if matches!(status, 401 | 403) { "SLACK_TOKEN" } else { "SLACK_BASE_URL" };
                Err(PostError::refused(setting, format!("HTTP {status}")))
            }
        }
    }
}

/// The thread that a message is in, or begins. If the first message of `asked` was deleted, Slack puts a reply into
/// the channel, and the only sign of that is that the answer's `message` has no `thread_ts`.
fn thread_of<'a>(message: &'a Value, ts: &'a Value, asked: Option<&'a str>) -> Option<&'a str> {
    let told = message["thread_ts"].as_str();
    told.or(asked.filter(|_| !message.is_object())).or(ts.as_str())
}
