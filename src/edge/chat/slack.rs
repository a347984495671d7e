//! Slack: `chat.postMessage` with a bot's token, <https://docs.slack.dev/reference/methods/chat.postmessage>.

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{HttpClient, Post, PostError, PostFailure, Posted, Thread, exchange, slack_errors, to_json};
use crate::config::SlackConfig;

/// A channel and the bot that posts to it.
#[derive(Debug)]
pub struct Slack {
    http: HttpClient,
    url: String,
    config: SlackConfig,
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
    #[serde(default)]
    message: Value,
}

impl Slack {
    pub(super) fn new(config: &SlackConfig, http: HttpClient) -> Self {
        Self { http, url: format!("{}/api/chat.postMessage", config.base_url), config: config.clone() }
    }

    pub(super) async fn post(&self, post: Post<'_>) -> Result<Posted, PostError> {
        let thread_ts =
            post.thread.filter(|thread| thread.channel == self.config.channel).map(|thread| thread.ts.as_str());
        let body = to_json(&NewMessage {
            channel: &self.config.channel,
            text: post.text,
            unfurl_links: false,
            unfurl_media: false,
            thread_ts,
            reply_broadcast: post.broadcast && thread_ts.is_some(),
        })?;
        let request = self
            .http
            .post(&self.url)
            .bearer_auth(self.config.token.expose_secret())
            .header("content-type", "application/json; charset=utf-8")
            .body(body);
        let answer = exchange(&self.http, request, post.within, "SLACK_BASE_URL").await?;
        let status = answer.status;
        match serde_json::from_slice::<Outcome>(&answer.body) {
            Ok(Outcome { ok: true, ts, message, .. }) if answer.is_success() => {
                let ts = thread_of(&message, &ts, thread_ts).map(str::to_owned);
                Ok(Posted { thread: ts.map(|ts| Thread { channel: self.config.channel.clone(), ts }) })
            }
            Ok(Outcome { ok: false, error, .. }) => {
                let code = error.as_str().unwrap_or("no error code");
                Err(slack_errors::refusal(code, thread_ts.is_some(), self.config.purpose))
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
