//! PagerDuty's webhooks: is a delivery authentic, and which events does it bring.

mod json;
mod v2;
mod v3;
mod verifier;

pub mod rest;

mod week;

pub use v3::EVENTS;
pub use verifier::{Marks, Verifier};

use json::Value;

use crate::domain::event::{Event, Incident, Kind};

/// What one authentic delivery holds, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Something to post.
    Event(Box<Event>),
    /// Something that is not for people.
    Ignored(Ignored),
}

impl Item {
    fn event(event: Event) -> Self {
        Self::Event(Box::new(event))
    }
}

/// Why something is not posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ignored {
    /// An event that says nothing to the people on call, such as `service.updated`.
    NotForPeople {
        /// What its type begins with: anything may follow, and it is untrusted text.
        family: &'static str,
    },
    /// A version 1 webhook.
    Version1,
    /// JSON that is not a webhook.
    NoWebhook,
}

/// More than PagerDuty sends (256 KiB); a larger body must not cost the function its memory, every time it comes again.
const MAX_BODY: usize = 1 << 20;

/// A list is one, and so is a list in it, or JSON that is written as a text.
const MAX_WRAPS: usize = 2;

/// PagerDuty sends one in a delivery. Those beyond are said to be unreadable, all together.
const MAX_EVENTS: usize = 1_000;

/// A delivery's own id, if it looks like one; anybody can send anything under the header's name.
#[must_use]
pub fn webhook_id(headers: &http::HeaderMap) -> Option<&str> {
    headers.get("x-webhook-id")?.to_str().ok().filter(|id| json::is_id(id))
}

/// Reads the events of an authentic delivery. Never fails: what is not JSON, too large, or stands where an event should
/// be and is none, is an event that says so.
///
/// `webhook_id` is the delivery's `X-Webhook-Id`; it identifies what carries no id of its own.
#[must_use]
pub fn parse(body: &[u8], webhook_id: Option<&str>) -> Vec<Item> {
    let webhook_id = webhook_id.filter(|id| json::is_id(id));
    let parsed = if body.len() > MAX_BODY { None } else { json::parse(body) };
    let Some(body) = parsed else { return vec![unreadable(webhook_id.map(str::to_owned))] };
    let mut reader = Reader { webhook_id, items: Vec::new(), has_unreadable: false };
    // Somebody may have put a webhook into a list, or several.
    let webhooks = if let Value::Array(webhooks) = &body { webhooks } else { std::slice::from_ref(&body) };
    let mut is_webhook = false;
    for webhook in webhooks {
        is_webhook |= reader.webhook(webhook);
    }
    if is_webhook { reader.items } else { vec![Item::Ignored(Ignored::NoWebhook)] }
}

struct Reader<'a> {
    webhook_id: Option<&'a str>,
    items: Vec<Item>,
    /// One line says it of all that can't be read: a body of thousands must not flood the chat.
    has_unreadable: bool,
}

impl Reader<'_> {
    /// Reads one webhook, and says whether it was one, of either version.
    fn webhook(&mut self, body: &Value) -> bool {
        match (&body["event"], &body["messages"]) {
            (event, messages) if event.is_object() || !event.is_empty() && messages.is_empty() => {
                self.each(event, v3::item, MAX_WRAPS);
            }
            (_, messages @ Value::Array(_)) => self.each(messages, v2::item, MAX_WRAPS),
            (_, messages) if messages.is_object() || !messages.is_empty() => self.each(messages, v2::item, MAX_WRAPS),
            _ => return false,
        }
        true
    }

    /// Reads an event, or each of a list, out of as many wraps (lists, or JSON written as a text) as may be.
    fn each(&mut self, value: &Value, item: fn(&Value, Option<&str>, usize) -> Item, wraps: usize) {
        let index = self.items.len();
        if index > MAX_EVENTS {
            return;
        }
        let read = match value {
            Value::Array(elements) if wraps > 0 && !(wraps < MAX_WRAPS && elements.is_empty()) => {
                return elements.iter().for_each(|element| self.each(element, item, wraps - 1));
            }
            Value::String(text) if wraps > 0 => match json::parse(text.as_bytes()) {
                Some(parsed @ (Value::Object(_) | Value::Array(_))) => return self.each(&parsed, item, wraps - 1),
                _ => Item::Ignored(Ignored::NoWebhook),
            },
            Value::Object(_) if index < MAX_EVENTS => item(value, self.webhook_id, index),
            _ => Item::Ignored(Ignored::NoWebhook),
        };
        self.items.push(match read {
            Item::Ignored(Ignored::NoWebhook) if !self.has_unreadable && (index == MAX_EVENTS || !value.is_empty()) => {
                self.has_unreadable = true;
                unreadable(self.webhook_id.map(|id| format!("{id}/{index}")))
            }
            read => read,
        });
    }
}

fn unreadable(id: Option<String>) -> Item {
    Item::event(Event {
        id,
        kind: Kind::Unreadable,
        occurred_at: None,
        incident: Incident::default(),
        service: None,
        urgency: None,
        actor: None,
    })
}

#[cfg(test)]
mod tests;
