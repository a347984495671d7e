//! Slack's `chat.postMessage` and `chat.update`: channels, threads, layouts, and errors inside HTTP 200; and in `reads`
//! what a bot can look up.
//!
//! What becomes of replies that can't be threaded is as users of the real Slack report it:
//! <https://github.com/slack-go/slack/issues/1571>, <https://github.com/slackapi/python-slack-sdk/issues/840>.

mod changes;
mod interactions;
mod layout;
pub mod reads;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use self::reads::Directory;
use super::server::{Fake, Received, Reply, Service, lock};
use interactions::Interactions;
use layout::{Attachment, Block};

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

/// What a message shows now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The channel's id.
    pub channel: String,
    /// Its id.
    pub ts: String,
    /// The thread it is in.
    pub thread: Option<String>,
    /// Whether the channel shows it, too.
    pub broadcast: bool,
    /// The text of notifications, and of what has no layout.
    pub text: String,
    /// The colour of the bar, if it has one.
    pub colour: Option<String>,
    /// The blocks above the bar.
    pub head: Vec<String>,
    /// Those beside it.
    pub body: Vec<String>,
    /// Blocks and attachments as they came.
    pub layout: Value,
    /// What its buttons do.
    pub buttons: Vec<String>,
    /// How often it was changed.
    pub updates: usize,
    /// Whether it is still there.
    is_there: bool,
    /// Whether the bot wrote it.
    is_ours: bool,
}

/// A running Slack; [`Server`](super::server::Server) says how to make it fail.
pub type Slack = Fake<Workspace>;

/// What it keeps.
#[derive(Debug)]
pub struct Workspace {
    token: String,
    channels: Vec<String>,
    messages: Mutex<Messages>,
    interactions: Mutex<Interactions>,
    directory: Mutex<Directory>,
}

#[derive(Debug, Default)]
struct Messages {
    new: Vec<Post>,
    /// Every message that was ever posted, by its channel and its id.
    known: BTreeMap<(String, String), Shown>,
    updates: usize,
    /// What was asked, by method, with the names of its arguments.
    asked: BTreeSet<(String, String)>,
    /// How many updates are still taken, if there is a limit.
    updates_left: Option<usize>,
    edit_window_closed: bool,
    unseen: usize,
    count: usize,
    /// How many are remembered, if there is a limit.
    kept: Option<usize>,
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
    #[serde(default)]
    blocks: Vec<Block>,
    #[serde(default)]
    attachments: Vec<Attachment>,
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
        let workspace = Workspace {
            token: token.to_owned(),
            channels,
            messages: Mutex::default(),
            interactions: Mutex::default(),
            directory,
        };
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
        lock(&self.state.messages).known.values_mut().for_each(|message| message.is_there = false);
    }

    /// Every message that is there, as it is shown now, in the order in which they were posted.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        lock(&self.state.messages).known.values().filter(|message| message.is_there).cloned().collect()
    }

    /// The methods that were called, each with the names of the arguments that it has ever been given.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<(String, String)> {
        lock(&self.state.messages).asked.clone()
    }

    /// What a message shows now, if it is there.
    #[must_use]
    pub fn message(&self, channel: &str, ts: &str) -> Option<Shown> {
        let key = (channel.to_owned(), ts.to_owned());
        lock(&self.state.messages).known.get(&key).filter(|message| message.is_there).cloned()
    }

    /// The same, if it has been changed another number of times than this.
    #[must_use]
    pub fn message_changed(&self, channel: &str, ts: &str, updates: usize) -> Option<Shown> {
        let messages = lock(&self.state.messages);
        let message = messages.known.get(&(channel.to_owned(), ts.to_owned()))?;
        (message.is_there && message.updates != updates).then(|| message.clone())
    }

    /// Remembers no more messages than this, so that they can come without end; the oldest replies are forgotten first,
    /// for whatever a message in the channel is about may go on.
    pub fn keep_at_most(&self, messages: usize) {
        lock(&self.state.messages).kept = Some(messages);
    }

    /// How many messages are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        lock(&self.state.messages).known.len()
    }

    /// How many updates were taken.
    #[must_use]
    pub fn updates(&self) -> usize {
        lock(&self.state.messages).updates
    }

    /// Takes so many more updates; the real Slack takes some 50 a minute.
    pub fn limit_updates(&self, updates: usize) {
        lock(&self.state.messages).updates_left = Some(updates);
    }

    /// Lets nobody edit what was posted, as a workspace may be set to after some time.
    pub fn close_edit_window(&self) {
        lock(&self.state.messages).edit_window_closed = true;
    }

    /// Takes every message away from the bot, as if another app had posted them.
    pub fn disown_messages(&self) {
        lock(&self.state.messages).known.values_mut().for_each(|message| message.is_ours = false);
    }

    /// Takes what single people were told since the last call.
    #[must_use]
    pub fn take_told(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.state.interactions).told)
    }

    /// Takes the modals that were opened since the last call.
    #[must_use]
    pub fn take_views(&self) -> Vec<Value> {
        std::mem::take(&mut lock(&self.state.interactions).views)
    }

    /// Lets every trigger come too late, as after three seconds.
    pub fn expire_triggers(&self) {
        lock(&self.state.interactions).are_triggers_expired = true;
    }

    /// How many messages were taken that no channel shows.
    #[must_use]
    pub fn unseen(&self) -> usize {
        lock(&self.state.messages).unseen
    }
}

impl Service for Workspace {
    fn answer(&self, request: &Received) -> Reply {
        if request.method() == Method::POST && request.uri().path().starts_with("/actions/") {
            return lock(&self.interactions).tell(request);
        }
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_authentic = header("authorization") == format!("Bearer {}", self.token);
        if let Some(reply) = lock(&self.directory).answer(request, is_authentic) {
            return reply;
        }
        let method = request.uri().path().strip_prefix("/api/").unwrap_or_default();
        if !["chat.postMessage", "chat.update", "views.open"].contains(&method) || request.method() != Method::POST {
            return error("unknown_method");
        }
        if !is_authentic {
            return error("invalid_auth");
        }
        if !header("content-type").starts_with("application/json") {
            return error("invalid_post_type");
        }
        let body = request.body();
        if let Ok(Value::Object(arguments)) = serde_json::from_slice(body) {
            let names = arguments.into_iter().map(|(name, _)| (method.to_owned(), name));
            lock(&self.messages).asked.extend(names);
        }
        let answer = match method {
            "views.open" => Ok(lock(&self.interactions).open(request)),
            "chat.update" => serde_json::from_slice(body).map(|message| self.change(&message, layout_of(body))),
            _ => serde_json::from_slice(body).map(|message| self.take(message, layout_of(body))),
        };
        answer.unwrap_or_else(|_| error("invalid_arguments"))
    }
}

impl Workspace {
    fn take(&self, message: NewMessage, layout: Value) -> Reply {
        if !self.channels.contains(&message.channel) {
            return error("channel_not_found");
        }
        if message.text.is_empty() {
            return error("no_text");
        }
        if message.text.chars().count() > 40_000 || message.unfurl_links || message.unfurl_media {
            return error("msg_too_long");
        }
        if let Some(code) = layout::refusal(&message.blocks, &message.attachments) {
            return error(code);
        }
        let mut messages = lock(&self.messages);
        if let Some(wait) = messages.last.and_then(|last| messages.pace.checked_sub(last.elapsed())) {
            return rate_limited(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        }
        messages.last = Some(Instant::now());
        messages.count += 1;
        let ts = format!("1795485600.{:06}", messages.count);
        let mut told = json!({"type": "message", "text": message.text, "ts": ts});
        let parent = message.thread_ts.map(|thread| (message.channel.clone(), thread));
        let is_there = |parent: &(String, String)| messages.known.get(parent).map(|message| message.is_there);
        let thread = match parent.map(|parent| (is_there(&parent), parent.1)) {
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
        let shown = Shown {
            channel: message.channel.clone(),
            ts: ts.clone(),
            thread: thread.clone(),
            broadcast: message.reply_broadcast && thread.is_some(),
            text: message.text.clone(),
            colour: message.attachments.first().map(|attachment| attachment.color.clone()),
            head: texts(&message.blocks),
            body: message.attachments.iter().flat_map(|attachment| texts(&attachment.blocks)).collect(),
            layout,
            buttons: buttons(&message.attachments),
            updates: 0,
            is_there: true,
            is_ours: true,
        };
        messages.known.insert((message.channel.clone(), ts.clone()), shown);
        messages.forget_the_oldest();
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

impl Messages {
    fn forget_the_oldest(&mut self) {
        if self.kept.is_none_or(|kept| self.known.len() <= kept) {
            return;
        }
        let oldest = self.known.iter().min_by_key(|((_, ts), message)| (message.thread.is_none(), ts.as_str()));
        if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
            self.known.remove(&oldest);
        }
    }
}

fn layout_of(body: &[u8]) -> Value {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    json!({"blocks": body["blocks"], "attachments": body["attachments"]})
}

fn buttons(attachments: &[Attachment]) -> Vec<String> {
    attachments.iter().flat_map(|attachment| attachment.blocks.iter().flat_map(Block::buttons)).collect()
}

fn texts(blocks: &[Block]) -> Vec<String> {
    blocks.iter().filter_map(Block::text).collect()
}

fn rate_limited(seconds: u64) -> Reply {
    let headers = vec![("retry-after", seconds.to_string())];
    let body = json!({"ok": false, "error": "ratelimited"}).to_string();
    Reply { status: StatusCode::TOO_MANY_REQUESTS, headers, body }
}

fn ok(body: &Value) -> Reply {
    Reply::json(StatusCode::OK, body)
}

/// Slack's refusals are successes of HTTP.
fn error(code: &str) -> Reply {
    ok(&json!({"ok": false, "error": code}))
}
