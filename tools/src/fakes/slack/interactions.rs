//! Slack's side of interactions: modals, which a trigger opens once, and addresses at which one person is told something.

use std::collections::{HashMap, HashSet};

use http::StatusCode;
use serde_json::{Value, json};

use super::{error, ok};
use crate::fakes::server::{Received, Reply};

/// How often an address may be used.
const USES: usize = 5;
/// Bytes of a view.
const MAX_VIEW: usize = 250_000;

/// What people see and do besides messages.
#[derive(Debug, Default)]
pub(super) struct Interactions {
    pub(super) told: Vec<String>,
    pub(super) views: Vec<Value>,
    pub(super) are_triggers_expired: bool,
    opened: usize,
    used_triggers: HashSet<String>,
    used_urls: HashMap<String, usize>,
}

impl Interactions {
    /// Opens a modal, which gets an id.
    pub(super) fn open(&mut self, request: &Received) -> Reply {
        let Ok(mut asked) = serde_json::from_slice::<Value>(request.body()) else { return error("invalid_arguments") };
        let trigger = asked["trigger_id"].as_str().unwrap_or_default().to_owned();
        if !trigger.ends_with(".trigger") {
            return error("invalid_trigger_id");
        }
        if self.are_triggers_expired {
            return error("expired_trigger_id");
        }
        let mut view = asked["view"].take();
        if view.to_string().len() > MAX_VIEW {
            return error("view_too_large");
        }
        if !is_sound(&view) {
            return error("invalid_arguments");
        }
        if !self.used_triggers.insert(trigger) {
            return error("exchanged_trigger_id");
        }
        self.opened += 1;
        view["id"] = json!(format!("V{}", self.opened));
        self.views.push(view.clone());
        ok(&json!({"ok": true, "view": view}))
    }

    /// Tells one person something, as often as Slack allows.
    pub(super) fn tell(&mut self, request: &Received) -> Reply {
        if request.headers().contains_key("authorization") {
            // The address is all the proof that is needed; a token would be given away.
            return refuse(StatusCode::BAD_REQUEST, "token_sent");
        }
        let message: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let text = message["text"].as_str().unwrap_or_default();
        let is_for_one = message["response_type"] == "ephemeral" && message["replace_original"] == false;
        if text.is_empty() || !is_for_one {
            return refuse(StatusCode::BAD_REQUEST, "no_text");
        }
        let uses = self.used_urls.entry(request.uri().path().to_owned()).or_default();
        *uses += 1;
        if *uses > USES {
            return refuse(StatusCode::NOT_FOUND, "used_url");
        }
        self.told.push(text.to_owned());
        ok(&json!({"ok": true}))
    }
}

fn refuse(status: StatusCode, code: &str) -> Reply {
    Reply::json(status, &json!({"ok": false, "error": code}))
}

fn is_sound(view: &Value) -> bool {
    let plain = |text: &Value, most: usize| {
        let length = text["text"].as_str().map_or(0, |text| text.encode_utf16().count());
        text["type"] == "plain_text" && (1..=most).contains(&length)
    };
    let metadata = view["private_metadata"].as_str().unwrap_or_default();
    let blocks = view["blocks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_input = |block: &Value| {
        let most = block["element"]["max_length"].as_u64().unwrap_or(1);
        block["type"] == "input" && plain(&block["label"], 2_000) && (1..=3_000).contains(&most)
    };
    view["type"] == "modal"
        && plain(&view["title"], 24)
        && plain(&view["close"], 24)
        // A modal with a field needs a button to send it off.
        && plain(&view["submit"], 24)
        && metadata.encode_utf16().count() <= 3_000
        && (1..=100).contains(&blocks.len())
        && blocks.iter().all(is_input)
}
