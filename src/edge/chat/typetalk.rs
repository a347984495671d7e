//! Typetalk: its markup, and `POST /api/v1/topics/{id}` with a bot's token.
//!
//! Typetalk closed in December 2025; this stays faithful to its documentation at
//! <https://developer.nulab.com/docs/typetalk/api/1/post-message>.

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, HttpClient, Post, PostError, PostFailure, Posted, exchange, markup, to_json};
use crate::config::{Purpose, TypetalkConfig};
use crate::domain::message::{Message, Span, Table};
use crate::domain::roster::Mention;

/// A topic and the bot that posts to it.
#[derive(Debug)]
pub struct Typetalk {
    http: HttpClient,
    url: String,
    config: TypetalkConfig,
}

#[derive(Serialize)]
struct NewPost<'a> {
    message: &'a str,
    #[serde(rename = "showLinkMeta")]
    show_link_meta: bool,
}

#[derive(Deserialize)]
struct Created {
    post: CreatedPost,
}

#[derive(Deserialize)]
struct CreatedPost {
    id: Value,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<FieldError>,
}

#[derive(Deserialize)]
struct FieldError {
    #[serde(default)]
    field: Option<String>,
}

impl Typetalk {
    pub(super) fn new(config: &TypetalkConfig, http: HttpClient) -> Self {
        let url = format!("{}/api/v1/topics/{}", config.base_url, config.topic);
        Self { http, url, config: config.clone() }
    }

    pub(super) fn open_ahead(&self) {
        self.http.open_ahead(&self.config.base_url);
    }

    pub(super) async fn post(&self, post: Post<'_>) -> Result<Posted, PostError> {
        let body = to_json(&NewPost { message: post.text, show_link_meta: false })?;
        let request = self
            .http
            .post(&self.url)
            .header("x-typetalk-token", self.config.token.expose_secret())
            .header("content-type", "application/json")
            .body(body);
        let answer = exchange(&self.http, request, post.within, "TYPETALK_BASE_URL").await?;
        if !answer.is_success() {
            return Err(refusal(&answer, self.config.purpose));
        }
        match serde_json::from_slice::<Created>(&answer.body) {
            Ok(Created { post: CreatedPost { id: Value::Number(_) | Value::String(_) } }) => {
                Ok(Posted { thread: None })
            }
            _ => Err(PostError::new(PostFailure::Unknown, format!("HTTP {} without a post's id", answer.status))),
        }
    }
}

/// Many of Typetalk's refusals have an empty body; only one that names the message is about the message.
fn refusal(answer: &Answer, purpose: Purpose) -> PostError {
    let names_the_message = || {
        serde_json::from_slice::<Refusal>(&answer.body)
            .is_ok_and(|refusal| refusal.errors.iter().any(|error| error.field.as_deref() == Some("message")))
    };
    let detail = format!("HTTP {}", answer.status);
    match answer.status {
        413 => PostError::new(PostFailure::MessageRefused, detail),
        400 | 422 if !answer.asks_for_authentication && names_the_message() => {
            PostError::new(PostFailure::MessageRefused, detail)
        }
        401 | 403 => PostError::refused(purpose.typetalk_token(), detail),
        _ if answer.asks_for_authentication => PostError::refused(purpose.typetalk_token(), detail),
        _ => PostError::refused(purpose.typetalk_topic(), detail),
    }
}

/// The text of a message: `@id` notifies and `#tag` tags, so in untrusted text both become full-width.
pub(super) fn render(message: &Message) -> String {
    let untrusted = |text: &str| text.replace('@', "＠").replace('#', "＃");
    let print = |span: &Span| match span {
        Span::Table(table) => rows(table, untrusted),
        Span::Words(words) => words.clone(),
        Span::Untrusted(text) => untrusted(text),
        Span::Mention(Mention::Typetalk(id)) => format!("@{id}"),
        // The other chat's handle notifies nobody here.
        Span::Mention(Mention::SlackMember(id) | Mention::SlackGroup(id)) => untrusted(id),
        Span::Tag(tag) => format!("#{tag}"),
        Span::Link(link) => link.to_string(),
    };
    markup::print(message, markup::MAX_UNITS, |spans| {
        let printed = spans.iter().map(print).filter(|printed| !printed.is_empty());
        printed.collect::<Vec<_>>().join(" ")
    })
}

/// A table's rows, a line each: `Backlog: 件数 8 / 時間内 3 / 時間外 5`.
fn rows(table: &Table, untrusted: impl Fn(&str) -> String) -> String {
    let rows = table.rows.iter().map(|(span, numbers)| {
        let about = match span {
            Span::Untrusted(text) => untrusted(text),
            Span::Words(words) => words.clone(),
            _ => String::new(),
        };
        let numbers = table.head.iter().skip(1).zip(numbers).map(|(head, number)| format!("{head} {number}"));
        let numbers = numbers.collect::<Vec<_>>().join(" / ");
        if numbers.is_empty() { about } else { format!("{about}: {numbers}") }
    });
    rows.collect::<Vec<_>>().join("\n")
}
