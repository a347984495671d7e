//! The calls that an interaction needs and a post doesn't: a modal is opened, and one person is told something.
//!
//! Sources: <https://docs.slack.dev/reference/methods/views.open>,
//! <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::answer::{NOTE, ephemeral};
use super::payload::{Press, Reply};
use crate::config::SlackConfig;
use crate::domain::acting::Action;
use crate::domain::event::Tag;
use crate::domain::wording::NoteForm;
use crate::edge::chat::slack_errors;
use crate::edge::http::{HttpClient, read_body};

/// Slack's answers to these have some kilobytes, with the whole view.
const BODY_LIMIT: usize = 512 * 1024;
/// Characters of a note; Slack allows no field more.
const NOTE_LENGTH: usize = 3_000;
/// Characters of a modal's title.
const TITLE_LENGTH: usize = 24;

/// The team's app on Slack.
#[derive(Debug)]
pub struct SlackApp {
    http: HttpClient,
    base_url: String,
    token: SecretString,
}

impl SlackApp {
    /// An app that has not called anything yet.
    #[must_use]
    pub fn new(config: &SlackConfig, http: HttpClient) -> Self {
        Self { http, base_url: config.base_url.clone(), token: config.token.clone() }
    }

    /// Opens the modal in which a note is written. What the press was about goes with it, and comes back with the note.
    ///
    /// # Errors
    /// What Slack said, for the log.
    pub async fn open_note(
        &self,
        press: &Press,
        words: NoteForm,
        tag: Option<&Tag>,
        within: Duration,
    ) -> Result<(), String> {
        let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
        let metadata = json!({
            "incident": press.incident.to_string(),
            "link": press.link.as_ref().map(ToString::to_string),
        });
        let input = json!({
            "type": "plain_text_input", "action_id": NOTE.1, "multiline": true, "max_length": NOTE_LENGTH,
        });
        let view = json!({
            "type": "modal", "callback_id": Action::Note.key(), "private_metadata": metadata.to_string(),
            "title": plain(&title(words.title, tag)), "submit": plain(words.submit), "close": plain(words.close),
            "blocks": [{"type": "input", "block_id": NOTE.0, "label": plain(words.label), "element": input}],
        });
        let body = json!({"trigger_id": press.trigger, "view": view}).to_string();
        let request = self
            .http
            .post(&format!("{}/api/views.open", self.base_url))
            .bearer_auth(self.token.expose_secret())
            .header("content-type", "application/json; charset=utf-8")
            .body(body);
        let answer = send(&self.http, request, within).await?;
        match serde_json::from_slice::<Value>(&answer) {
            Ok(answer) if answer["ok"] == true => Ok(()),
            Ok(answer) => Err(slack_errors::explain(answer["error"].as_str().unwrap_or_default())),
            Err(_) => Err("an answer that is not Slack's; check SLACK_BASE_URL".to_owned()),
        }
    }
}

/// What a modal is about, as long as Slack takes it.
fn title(words: &str, tag: Option<&Tag>) -> String {
    let with_tag = tag.map(|tag| format!("{words} #{tag}")).filter(|title| title.chars().count() <= TITLE_LENGTH);
    with_tag.unwrap_or_else(|| words.to_owned())
}

/// Tells the presser alone. The address is a secret and isn't logged.
///
/// # Errors
/// What Slack said, for the log.
pub async fn tell(http: &HttpClient, reply: &Reply, text: &str, within: Duration) -> Result<(), String> {
    let request = http
        .post(reply.0.expose_secret())
        .header("content-type", "application/json; charset=utf-8")
        .body(ephemeral(text));
    send(http, request, within).await.map(|_| ())
}

async fn send(http: &HttpClient, request: reqwest::RequestBuilder, within: Duration) -> Result<Vec<u8>, String> {
    let mut response = http.send(request.timeout(within)).await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = read_body(&mut response, BODY_LIMIT).await.unwrap_or_default();
    if (200..300).contains(&status) { Ok(body) } else { Err(format!("HTTP {status}")) }
}
