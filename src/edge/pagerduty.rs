//! PagerDuty's webhooks: is a delivery authentic, and which events does it bring.

mod json;
mod v2;
mod v3;
mod verifier;

pub mod authenticator;

pub mod rest;

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
        /// What its type begins with: a stranger could write anything after it.
        family: &'static str,
    },
    /// A version 1 webhook.
    Version1,
    /// JSON that is no webhook.
    NoWebhook,
}

/// More than PagerDuty sends (256 KiB); a larger body must not cost the function its memory, every time it comes again.
const LARGEST_BODY: usize = 1 << 20;

/// PagerDuty sends one in a delivery. Those beyond are said to be unreadable, all together.
const MAX_EVENTS: usize = 1_000;

/// A delivery's own id, if it looks like one; anybody can send anything under the header's name.
#[must_use]
pub fn webhook_id(headers: &http::HeaderMap) -> Option<&str> {
    headers.get("x-webhook-id")?.to_str().ok().filter(|id| json::is_id(id))
}

/// Reads the events of an authentic delivery. Never fails: what is no JSON, or too large, is an event that says so.
///
/// `webhook_id` is the delivery's `X-Webhook-Id`; it identifies what carries no id of its own.
#[must_use]
pub fn parse(body: &[u8], webhook_id: Option<&str>) -> Vec<Item> {
    let webhook_id = webhook_id.filter(|id| json::is_id(id));
    let parsed = if body.len() > LARGEST_BODY { None } else { json::parse(body) };
    let Some(body) = parsed else { return vec![unreadable(webhook_id.map(str::to_owned))] };
    let each = |elements: &[Value], item: fn(&Value, Option<&str>, usize) -> Item| {
        let read = elements.iter().take(MAX_EVENTS).enumerate();
        let mut items: Vec<_> = read.map(|(index, element)| item(element, webhook_id, index)).collect();
        if elements.len() > MAX_EVENTS {
            items.push(unreadable(webhook_id.map(|id| format!("{id}/{MAX_EVENTS}"))));
        }
        items
    };
    match (&body["event"], &body["messages"]) {
        (event @ Value::Object(_), _) => vec![v3::item(event, webhook_id, 0)],
        (Value::Array(events), _) if events.iter().any(Value::is_object) => each(events, v3::item),
        (_, Value::Array(messages)) => each(messages, v2::item),
        (_, message @ Value::Object(_)) => vec![v2::item(message, webhook_id, 0)],
        _ => vec![Item::Ignored(Ignored::NoWebhook)],
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
