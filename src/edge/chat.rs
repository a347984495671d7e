//! The chats that messages are posted to, and what can become of a post.

mod blocks;
mod markup;
mod mrkdwn;
mod slack;
pub mod slack_errors;
pub mod slack_reads;
mod typetalk;

use std::time::Duration;

use serde::Serialize;

use super::http::{HttpClient, SendError, read_body};
use crate::config::ChatConfig;
use crate::domain::chat::ChatName;
use crate::domain::message::{Card, Message};

/// A chat topic or channel to post to.
#[derive(Debug)]
pub enum Chat {
    /// A Typetalk topic.
    Typetalk(typetalk::Typetalk),
    /// A Slack channel.
    Slack(slack::Slack),
}

/// One post.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// What to say, in the chat's markup.
    pub text: &'a str,
    /// The same, as it is laid out; for Slack.
    pub card: Option<&'a Card>,
    /// The thread to say it in; Typetalk keeps hashtags instead.
    pub thread: Option<&'a Thread>,
    /// Whether a message in a thread also goes to the channel.
    pub broadcast: bool,
    /// How long the whole exchange may take.
    pub within: Duration,
}

/// What a message says from now on.
#[derive(Debug, Clone, Copy)]
pub struct Update<'a> {
    /// The message.
    pub message: &'a Thread,
    /// What it says, in the chat's markup.
    pub text: &'a str,
    /// The same, as it is laid out.
    pub card: &'a Card,
    /// How long the whole exchange may take.
    pub within: Duration,
}

/// A thread of an incident on Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The id of the channel: in any other one, a reply is shown to nobody.
    pub channel: String,
    /// The first message's id in it.
    pub ts: String,
}

/// The chat has the post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Where later posts of the same incident can be threaded.
    pub thread: Option<Thread>,
}

/// Why a chat doesn't have a post, or may not have it; and, for the log, what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostError {
    /// What it means for the post.
    pub failure: PostFailure,
    /// A few words on what the chat did; no body, no secret.
    pub detail: String,
    /// What to do about it, with the setting to look at; empty if there is nothing particular.
    pub remedy: String,
}

/// What an error means for the post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostFailure {
    /// It was not sent: the time was up before.
    NotAttempted,
    /// It was not accepted, and may be later.
    Unavailable {
        /// What the chat asked for.
        retry_after: Option<Duration>,
        /// Whether it may have been accepted all the same, as with an error after the work was done.
        in_doubt: bool,
    },
    /// The connection broke after sending.
    Broken {
        /// A connection used before was probably closed already; it is worth another try.
        reused_connection: bool,
    },
    /// It may have been posted.
    Unknown,
    /// The chat refuses this very message.
    MessageRefused,
    /// The chat refuses the thread; the channel may do.
    ThreadRefused,
    /// The chat refuses us, whatever we say.
    Rejected,
}

impl PostFailure {
    /// Whether the chat may have the post all the same.
    #[must_use]
    pub fn is_in_doubt(self) -> bool {
        match self {
            Self::Broken { .. } | Self::Unknown => true,
            Self::Unavailable { in_doubt, .. } => in_doubt,
            Self::NotAttempted | Self::MessageRefused | Self::ThreadRefused | Self::Rejected => false,
        }
    }
}

impl Chat {
    /// The client for a chat's topic or channel.
    #[must_use]
    pub fn new(config: &ChatConfig, http: HttpClient) -> Self {
        match config {
            ChatConfig::Typetalk(config) => Self::Typetalk(typetalk::Typetalk::new(config, http)),
            ChatConfig::Slack(config) => Self::Slack(slack::Slack::new(config, http)),
        }
    }

    /// Which chat it is.
    #[must_use]
    pub fn name(&self) -> ChatName {
        match self {
            Self::Typetalk(_) => ChatName::Typetalk,
            Self::Slack(_) => ChatName::Slack,
        }
    }

    /// Whether a message here begins a thread, and can say another thing later.
    #[must_use]
    pub fn has_threads(&self) -> bool {
        matches!(self, Self::Slack(_))
    }

    /// Whether a reply in this thread can be posted here.
    #[must_use]
    pub fn has(&self, thread: &Thread) -> bool {
        match self {
            Self::Typetalk(_) => false,
            Self::Slack(slack) => slack.has(thread),
        }
    }

    /// Replaces what a message says.
    ///
    /// # Errors
    /// Says what is known of the update's fate.
    pub async fn update(&self, update: Update<'_>) -> Result<(), PostError> {
        match self {
            Self::Typetalk(_) => Err(PostError::not_attempted("messages stay as they are")),
            Self::Slack(slack) => slack.update(update).await,
        }
    }

    /// Opens a connection for a post that is to come.
    pub fn open_ahead(&self) {
        match self {
            Self::Typetalk(typetalk) => typetalk.open_ahead(),
            Self::Slack(slack) => slack.open_ahead(),
        }
    }

    /// A message in the chat's markup.
    #[must_use]
    pub fn render(&self, message: &Message) -> String {
        render(self.name(), message)
    }

    /// Posts once.
    ///
    /// # Errors
    /// Says what is known of the post's fate.
    pub async fn post(&self, post: Post<'_>) -> Result<Posted, PostError> {
        match self {
            Self::Typetalk(typetalk) => typetalk.post(post).await,
            Self::Slack(slack) => slack.post(post).await,
        }
    }
}

/// A message in a chat's markup.
#[must_use]
pub fn render(chat: ChatName, message: &Message) -> String {
    match chat {
        ChatName::Typetalk => typetalk::render(message),
        ChatName::Slack => mrkdwn::render(message),
    }
}

impl PostError {
    fn new(failure: PostFailure, detail: impl Into<String>) -> Self {
        Self { failure, detail: detail.into(), remedy: String::new() }
    }

    /// It was not sent, for a reason of ours.
    pub(crate) fn not_attempted(why: &str) -> Self {
        Self::new(PostFailure::NotAttempted, why)
    }

    /// The chat refuses us, because of this setting.
    fn refused(setting: &str, detail: impl Into<String>) -> Self {
        Self { remedy: format!("check {setting}"), ..Self::new(PostFailure::Rejected, detail) }
    }
}

/// An answer that a chat's own rules have to judge: 2xx, or a 4xx other than 429.
struct Answer {
    status: u16,
    asks_for_authentication: bool,
    body: Vec<u8>,
}

impl Answer {
    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

fn to_json(message: &impl Serialize) -> Result<Vec<u8>, PostError> {
    serde_json::to_vec(message).map_err(|_| PostError::new(PostFailure::MessageRefused, "the message is not JSON"))
}

/// Sends a request and judges what means the same on every chat.
async fn exchange(
    http: &HttpClient,
    request: reqwest::RequestBuilder,
    within: Duration,
    base_url_setting: &'static str,
) -> Result<Answer, PostError> {
    /// An answer to a post has a few kilobytes.
    const BODY_LIMIT: usize = 256 * 1024;
    let mut response = http.send(request.timeout(within)).await.map_err(|error| {
        let failure = match error {
            SendError::Invalid => return PostError::refused(base_url_setting, error.to_string()),
            SendError::Connect => PostFailure::Unavailable { retry_after: None, in_doubt: false },
            SendError::Timeout => PostFailure::Unknown,
            SendError::Broken { reused_connection } => PostFailure::Broken { reused_connection },
        };
        PostError::new(failure, error.to_string())
    })?;
    let status = response.status().as_u16();
    let detail = format!("HTTP {status}");
    match status {
        200..=299 | 400..=428 | 430..=499 => {}
        300..=399 => return Err(PostError::refused(base_url_setting, detail)),
        429 | 500..=599 => {
            // 429 and 503 turn a request away; the others may come after the work was done.
            let in_doubt = !matches!(status, 429 | 503);
            return Err(PostError::new(
                PostFailure::Unavailable { retry_after: retry_after(&response), in_doubt },
                detail,
            ));
        }
        _ => return Err(PostError::new(PostFailure::Unknown, detail)),
    }
    let asks_for_authentication = response.headers().contains_key("www-authenticate");
    let body = match read_body(&mut response, BODY_LIMIT).await {
        Ok(body) => body,
        Err(_) if status < 300 => {
            return Err(PostError::new(PostFailure::Unknown, format!("{detail}, then no whole body")));
        }
        // What refuses us without a reason refuses us all the same.
        Err(_) => Vec::new(),
    };
    Ok(Answer { status, asks_for_authentication, body })
}

/// `Retry-After` in seconds; a date, which no chat sends, counts as too long.
fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let header = response.headers().get("retry-after")?;
    let seconds = header.to_str().ok().and_then(|text| text.trim().parse::<f64>().ok());
    Some(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests;
