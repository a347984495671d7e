//! What the page shows: the latest of everything, as JSON; what is older is left out and counted.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::relay::Invoked;
use super::request::{Chats, Language};
use super::story::StoryIncident;

/// How many posts of each chat, steps and incidents the page has; a browser and its reader need no more.
const KEPT: usize = 100;

/// The rows of a tab, as they were typed.
pub(super) type Rows = Vec<Vec<String>>;

/// A service that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Service {
    Google,
    Typetalk,
    Slack,
    Pagerduty,
    Ledger,
}

impl Service {
    pub(super) const ALL: [Self; 5] = [Self::Google, Self::Typetalk, Self::Slack, Self::Pagerduty, Self::Ledger];
}

/// How a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    #[default]
    Well,
    /// Answers 503.
    Down,
    /// Answers after a second.
    Slow,
    /// Never answers.
    Hangs,
    /// Takes what is sent, and closes the connection without an answer.
    Unknown,
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Chat {
    Slack,
    Typetalk,
}

/// A message as the chat took it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Post {
    pub(super) chat: Chat,
    pub(super) is_alert: bool,
    /// The number of the step that it came of.
    pub(super) step: u64,
    pub(super) text: String,
    /// The message's own id, and the one it is in the thread of; Typetalk's have none.
    pub(super) ts: Option<String>,
    pub(super) thread: Option<String>,
    pub(super) broadcast: bool,
    /// Slack's blocks and attachments, as they are now.
    pub(super) layout: Value,
    /// How often it was changed.
    pub(super) updates: usize,
    /// Only whoever did something sees it.
    pub(super) is_for_one: bool,
    #[serde(skip)]
    pub(super) channel: String,
}

/// Something that was asked for, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Step {
    pub(super) number: u64,
    #[serde(serialize_with = "local")]
    pub(super) at: DateTime<FixedOffset>,
    /// What it was, in the page's words.
    pub(super) what: &'static str,
    pub(super) incident: Option<u64>,
    /// Nothing of these is there as long as the relay works at it.
    pub(super) done: bool,
    pub(super) status: Option<u16>,
    pub(super) body: String,
    pub(super) millis: u64,
    pub(super) log: Vec<String>,
    /// The webhook, to be sent again; the page needs to know only whether there is one.
    #[serde(rename = "can_come_again", serialize_with = "is_some")]
    pub(super) webhook: Option<Value>,
}

#[derive(Debug, Serialize)]
pub(super) struct Scene {
    pub(super) version: u64,
    /// When the next thing happens, as `datetime-local` has it.
    #[serde(serialize_with = "local")]
    pub(super) clock: DateTime<FixedOffset>,
    pub(super) language: Language,
    pub(super) chats: Chats,
    pub(super) roster: Rows,
    pub(super) members: Rows,
    pub(super) faults: BTreeMap<Service, Mode>,
    pub(super) incidents: VecDeque<StoryIncident>,
    pub(super) steps: VecDeque<Step>,
    pub(super) posts: VecDeque<Post>,
    /// Posts that are no longer here.
    pub(super) left_out: u64,
    #[serde(skip)]
    pub(super) next_incident: u64,
    #[serde(skip)]
    pub(super) next_step: u64,
}

fn local<S: serde::Serializer>(at: &DateTime<FixedOffset>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.format("%Y-%m-%dT%H:%M").to_string())
}

#[expect(clippy::ref_option, reason = "Serde's signature")]
fn is_some<S: serde::Serializer>(webhook: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(webhook.is_some())
}

impl Post {
    /// What Slack shows to one person alone.
    pub(super) fn for_one(step: u64, channel: &str, text: String) -> Self {
        Self {
            chat: Chat::Slack,
            is_alert: true,
            step,
            text,
            ts: None,
            thread: None,
            broadcast: false,
            layout: Value::Null,
            updates: 0,
            is_for_one: true,
            channel: channel.to_owned(),
        }
    }
}

impl Step {
    /// One that the relay is about to work at.
    pub(super) fn new(
        number: u64,
        at: DateTime<FixedOffset>,
        what: &'static str,
        incident: Option<u64>,
        webhook: Option<Value>,
    ) -> Self {
        let (status, body, millis, log) = (None, String::new(), 0, Vec::new());
        Self { number, at, what, incident, done: false, status, body, millis, log, webhook }
    }
}

impl Scene {
    pub(super) fn incident(&mut self, number: u64) -> Option<&mut StoryIncident> {
        self.incidents.iter_mut().find(|incident| incident.number == number)
    }

    pub(super) fn step(&mut self, number: u64) -> Option<&mut Step> {
        self.steps.iter_mut().find(|step| step.number == number)
    }

    pub(super) fn begin(&mut self, step: Step) {
        push(&mut self.steps, step, KEPT);
    }

    pub(super) fn end(&mut self, number: u64, Invoked { status, body, log, millis }: Invoked) {
        if let Some(step) = self.step(number) {
            *step = Step { done: true, status, body, log, millis, ..step.clone() };
        }
    }

    pub(super) fn add_incident(&mut self, incident: StoryIncident) {
        push(&mut self.incidents, incident, KEPT);
    }

    pub(super) fn add_post(&mut self, post: Post) {
        self.left_out += push(&mut self.posts, post, 2 * KEPT);
    }
}

/// Adds to a list that keeps only its latest; how many it has let go.
fn push<T>(list: &mut VecDeque<T>, item: T, kept: usize) -> u64 {
    list.push_back(item);
    let mut gone = 0;
    while list.len() > kept {
        list.pop_front();
        gone += 1;
    }
    gone
}
