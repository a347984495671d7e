//! Slack's `chat.postMessage`: channels, threads, and errors inside HTTP 200; and in `reads` what a bot can look up.
//!
//! What becomes of replies that can't be threaded is as users of the real Slack report it:
//! <https://github.com/slack-go/slack/issues/1571>, <https://github.com/slackapi/python-slack-sdk/issues/840>.

pub mod reads;

use std::collections::HashMap;
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use self::reads::Directory;
use super::server::{Fake, Received, Reply, Service, lock};

/// A message that a channel has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// The channel's id.
    pub channel: String,
    /// The text, in Slack's markup.
    pub text: String,
    /// The thread it is in.
    pub thread: Option<String>,
    /// Whether the channel shows it, too.
    pub broadcast: bool,
    /// Its own id, by which others can be threaded under it.
    pub ts: String,
}

/// A running Slack; [`Server`](super::server::Server) says how to make it fail.
pub type Slack = Fake<Workspace>;

/// What it keeps.
#[derive(Debug)]
pub struct Workspace {
    token: String,
    channels: Vec<String>,
    messages: Mutex<Messages>,
    directory: Mutex<Directory>,
}

#[derive(Debug, Default)]
struct Messages {
    new: Vec<Post>,
    /// Every message that was ever posted, by its channel and its id; and whether it is still there.
    known: HashMap<(String, String), bool>,
    unseen: usize,
    count: usize,
    /// The least time between two messages, and when the last one came.
    pace: Duration,
    last: Option<Instant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    channel: String,
    #[serde(default)]
    text: String,
    unfurl_links: bool,
    unfurl_media: bool,
    thread_ts: Option<String>,
    #[serde(default)]
    reply_broadcast: bool,
}

impl Slack {
    /// Starts with a bot's token and the channels that the bot is in.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16, token: &str, channels: &[&str]) -> io::Result<Self> {
        let directory = Mutex::new(Directory::healthy(channels));
        let channels = channels.iter().map(|channel| (*channel).to_owned()).collect();
        let workspace = Workspace { token: token.to_owned(), channels, messages: Mutex::default(), directory };
        let slack = Self::serve(port, workspace).await?;
        // Faults are for messages, unless a test says otherwise.
        slack.fail_only("/api/chat.");
        Ok(slack)
    }

    /// Changes what the workspace shows to a bot.
    pub fn directory(&self, change: impl FnOnce(&mut Directory)) {
        change(&mut lock(&self.state.directory));
    }

    /// Takes the messages that came since the last call.
    #[must_use]
    pub fn take_posts(&self) -> Vec<Post> {
        std::mem::take(&mut lock(&self.state.messages).new)
    }

    /// Takes no message sooner after another; the real Slack wants about a second per channel.
    pub fn keep_pace(&self, pace: Duration) {
        lock(&self.state.messages).pace = pace;
    }

    /// Deletes every message, so that no thread can be continued.
    pub fn delete_messages(&self) {
        lock(&self.state.messages).known.values_mut().for_each(|is_there| *is_there = false);
    }

    /// How many messages were taken that no channel shows.
    #[must_use]
    pub fn unseen(&self) -> usize {
        lock(&self.state.messages).unseen
    }
}

impl Service for Workspace {
    fn answer(&self, request: &Received) -> Reply {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_authentic = header("authorization") == format!("Bearer {}", self.token);
        if let Some(reply) = lock(&self.directory).answer(request, is_authentic) {
            return reply;
        }
        if request.uri().path() != "/api/chat.postMessage" || request.method() != Method::POST {
            return error("unknown_method");
        }
        if !is_authentic {
            return error("invalid_auth");
        }
        if !header("content-type").starts_with("application/json") {
            return error("invalid_post_type");
        }
        match serde_json::from_slice::<NewMessage>(request.body()) {
            Ok(message) => self.take(message),
            Err(_) => error("invalid_arguments"),
        }
    }
}

impl Workspace {
    fn take(&self, message: NewMessage) -> Reply {
        if !self.channels.contains(&message.channel) {
            return error("channel_not_found");
        }
        if message.text.is_empty() {
            return error("no_text");
        }
        if message.text.chars().count() > 40_000 || message.unfurl_links || message.unfurl_media {
            return error("msg_too_long");
        }
        let mut messages = lock(&self.messages);
        if let Some(wait) = messages.last.and_then(|last| messages.pace.checked_sub(last.elapsed())) {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let headers = vec![("retry-after", seconds.to_string())];
            let body = json!({"ok": false, "error": "ratelimited"}).to_string();
            return Reply { status: StatusCode::TOO_MANY_REQUESTS, headers, body };
        }
        messages.last = Some(Instant::now());
        messages.count += 1;
        let ts = format!("1795485600.{:06}", messages.count);
        let mut told = json!({"type": "message", "text": message.text, "ts": ts});
        let parent = message.thread_ts.map(|thread| (message.channel.clone(), thread));
        let thread = match parent.map(|parent| (messages.known.get(&parent).copied(), parent.1)) {
            // A reply to a message that was deleted is one of the channel.
            None | Some((Some(false), _)) => None,
            Some((is_known, thread)) => {
                told["thread_ts"] = json!(thread);
                if is_known.is_none() {
                    // A reply to what the channel never had is taken, and nobody ever sees it.
                    messages.unseen += 1;
                    return ok(&json!({"ok": true, "channel": message.channel, "ts": ts, "message": told}));
                }
                Some(thread)
            }
        };
        messages.known.insert((message.channel.clone(), ts.clone()), true);
        messages.new.push(Post {
            channel: message.channel.clone(),
            text: message.text,
            thread,
            broadcast: message.reply_broadcast,
            ts: ts.clone(),
        });
        ok(&json!({"ok": true, "channel": message.channel, "ts": ts, "message": told}))
    }
}

fn ok(body: &Value) -> Reply {
    Reply::json(StatusCode::OK, body)
}

/// Slack's refusals are successes of HTTP.
fn error(code: &str) -> Reply {
    ok(&json!({"ok": false, "error": code}))
}
