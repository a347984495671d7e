//! What of Slack only reads, with the scopes that each method wants and the headers that name them.
//!
//! These are `auth.test`, `conversations.info`, `users.info`, `users.list` and `usergroups.list`. JSON is refused where
//! Slack refuses it.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fakes::server::{Received, Reply};

/// What the workspace shows to a bot.
#[derive(Debug)]
pub struct Directory {
    /// The scopes that the token was granted.
    pub scopes: Vec<&'static str>,
    /// `channel` objects, by id.
    pub channels: BTreeMap<String, Value>,
    /// People, by id, and whether they are deactivated.
    pub users: BTreeMap<String, bool>,
    /// Groups, by id, and whether they are disabled; none if the plan has no groups.
    pub groups: Option<BTreeMap<String, bool>>,
}

impl Directory {
    /// A workspace in which all is well: the bot is in these channels, and these people and groups are active.
    pub(super) fn healthy(channels: &[&str]) -> Self {
        let active = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), false)).collect();
        Self {
            scopes: vec!["chat:write", "channels:read", "groups:read", "users:read", "usergroups:read"],
            channels: channels.iter().map(|id| ((*id).to_owned(), channel(id))).collect(),
            users: active(&["U0TANAKA1", "U0SUZUKI1", "U0SATO001"]),
            groups: Some(active(&["S0SRETEAM"])),
        }
    }

    /// The answer, if the method is one of these.
    pub(super) fn answer(&self, request: &Received, is_authentic: bool) -> Option<Reply> {
        let method = request.uri().path().strip_prefix("/api/")?;
        let scopes: &[&str] = match method {
            "auth.test" => &[],
            "users.conversations" => &["channels:read", "groups:read"],
            "conversations.info" => &["channels:read", "groups:read", "im:read", "mpim:read"],
            "users.info" | "users.list" => &["users:read"],
            "usergroups.list" => &["usergroups:read"],
            _ => return None,
        };
        if !is_authentic {
            return Some(reply(&json!({"ok": false, "error": "invalid_auth"}), &[]));
        }
        let granted = self.scopes.join(",");
        let headers = [("x-oauth-scopes", granted.as_str()), ("x-accepted-oauth-scopes", &scopes.join(","))];
        let is_granted = scopes.is_empty() || scopes.iter().any(|scope| self.scopes.contains(scope));
        if !is_granted {
            let needed = scopes.join(",");
            let body = json!({"ok": false, "error": "missing_scope", "needed": needed, "provided": granted});
            return Some(reply(&body, &headers));
        }
        Some(reply(&self.body(method, request), &headers))
    }

    fn body(&self, method: &str, request: &Received) -> Value {
        let content_type = request.headers().get("content-type").and_then(|value| value.to_str().ok());
        let is_json = content_type.is_some_and(|kind| kind.starts_with("application/json"));
        // Only `auth.test` takes JSON; the others take a form or a query, and find nothing elsewhere.
        let form = if is_json { &b""[..] } else { request.body().as_ref() };
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let arguments: BTreeMap<_, _> =
            url::form_urlencoded::parse(query).chain(url::form_urlencoded::parse(form)).collect();
        let argument = |name: &str| arguments.get(name).map(AsRef::as_ref);
        let error = |code: &str| json!({"ok": false, "error": code});
        match method {
            "auth.test" if request.method() == Method::POST => json!({
                "ok": true, "url": "https://acme.slack.com/", "team": "Acme", "team_id": "T0ACME", "user": "oncall-relay",
                "user_id": "U0RELAY", "bot_id": "B0RELAY", "is_enterprise_install": false,
            }),
            "users.conversations" => {
                let wanted = |channel: &&Value| argument("types").is_some() && channel["is_member"] != false;
                json!({"ok": true, "channels": self.channels.values().filter(wanted).collect::<Vec<_>>()})
            }
            "conversations.info" => match argument("channel").map(|id| self.channels.get(id)) {
                None => error("invalid_arguments"),
                Some(None) => error("channel_not_found"),
                // A private channel is shown to whom may see private ones.
                Some(Some(channel)) if channel["is_private"] == true && !self.scopes.contains(&"groups:read") => {
                    error("channel_not_found")
                }
                Some(Some(channel)) => json!({"ok": true, "channel": channel}),
            },
            "users.info" => match argument("user").map(|id| (id, self.users.get(id))) {
                None => error("invalid_arguments"),
                Some((_, None)) => error("user_not_found"),
                Some((id, Some(deleted))) => json!({"ok": true, "user": user(id, *deleted)}),
            },
            "users.list" => {
                let number = |name| argument(name).filter(|text| !text.is_empty()).map(str::parse::<usize>);
                let (Some(Ok(limit @ 1..=1000)), Ok(start)) = (number("limit"), number("cursor").unwrap_or(Ok(0)))
                else {
                    return error("limit_required");
                };
                let page: Vec<_> =
                    self.users.iter().skip(start).take(limit).map(|(id, deleted)| user(id, *deleted)).collect();
                let next = start + limit;
                let cursor = if next < self.users.len() { next.to_string() } else { String::new() };
                json!({"ok": true, "members": page, "response_metadata": {"next_cursor": cursor}})
            }
            "usergroups.list" => {
                let Some(groups) = &self.groups else { return error("plan_upgrade_required") };
                let with_disabled = argument("include_disabled") == Some("true");
                let shown = groups.iter().filter(|(_, disabled)| with_disabled || !**disabled);
                let group = |(id, disabled): (&String, &bool)| json!({"id": id, "handle": "sre", "date_delete": if *disabled { 1_795_485_600 } else { 0 }});
                json!({"ok": true, "usergroups": shown.map(group).collect::<Vec<_>>()})
            }
            _ => error("invalid_arguments"),
        }
    }
}

/// A public channel that the bot is in.
#[must_use]
pub fn channel(id: &str) -> Value {
    json!({
        "id": id, "name": id.to_lowercase(), "is_channel": true, "is_private": false, "is_member": true,
        "is_archived": false, "is_frozen": false, "is_ext_shared": false,
    })
}

fn user(id: &str, deleted: bool) -> Value {
    json!({"id": id, "team_id": "T0ACME", "name": id.to_lowercase(), "deleted": deleted, "is_bot": false,
           "profile": {"real_name": "Taro Tanaka", "display_name": ""}})
}

fn reply(body: &Value, headers: &[(&'static str, &str)]) -> Reply {
    let mut reply = Reply::json(StatusCode::OK, body);
    reply.headers.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
    reply
}
