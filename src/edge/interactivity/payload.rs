//! What a request of Slack's asks for: forms whose fields are read one by one, since most of them may be missing.

use secrecy::SecretString;
use serde_json::Value;
use url::{Url, form_urlencoded};

use Odd::{Foreign, Incomplete};

use super::answer::NOTE;
use crate::domain::acting::{Action, Presser};
use crate::domain::event::{IncidentId, Link};
use crate::edge::chat::Thread;

/// Slack's requests have some kilobytes.
const MAX_BODY: usize = 1 << 20;
/// Slack's bound for what a modal carries along.
const MAX_METADATA: usize = 3_000;
/// Where Slack takes answers to a press.
const HOOKS: &str = "https://hooks.slack.com";

/// What somebody wants.
#[derive(Debug)]
pub enum Requested {
    /// Slack wants to know whether the address has a certificate.
    SslCheck,
    /// Somebody has typed our command.
    Command,
    /// Somebody has pressed a button.
    Press(Box<Press>),
    /// Somebody has written a note.
    Note(Box<WrittenNote>),
    /// A press or a note of ours that lacks what it needs, and whoever sent it can't be told; why, in the log's words.
    Unusable(&'static str),
    /// Nothing that can be done; why, in the log's words.
    Nothing(&'static str),
}

/// A button that somebody pressed.
#[derive(Debug)]
pub struct Press {
    /// Which one.
    pub action: Action,
    /// On which incident.
    pub incident: IncidentId,
    /// By whom.
    pub presser: Presser,
    /// What tells this press from others.
    pub id: String,
    /// With what a modal can be opened, once and for three seconds.
    pub trigger: String,
    /// Where the presser alone can be told something; only a note does without.
    pub reply: Option<Reply>,
    /// The incident's page, as the message with the button has it.
    pub link: Option<Link>,
    /// That message.
    pub message: Thread,
}

/// Where the presser alone can be told something. It is a secret: whoever has it can write into the channel.
#[derive(Debug, Clone)]
pub struct Reply(pub SecretString);

/// A note that somebody wrote into a modal.
#[derive(Debug)]
pub struct WrittenNote {
    /// About which incident.
    pub incident: IncidentId,
    /// By whom.
    pub presser: Presser,
    /// What tells this note from others.
    pub id: String,
    /// What they wrote.
    pub text: String,
    /// The incident's page.
    pub link: Option<Link>,
}

/// Why something is no press or note that can be carried out.
enum Odd {
    /// It is none of ours.
    Foreign(&'static str),
    /// It is ours, and lacks something.
    Incomplete(&'static str),
}

/// Reads an authentic request. `base_url` is where Slack is besides its own address.
#[must_use]
pub fn parse(body: &[u8], base_url: Option<&str>) -> Requested {
    if body.len() > MAX_BODY {
        return Requested::Nothing("a body over 1 MiB");
    }
    let fields: Vec<_> = form_urlencoded::parse(body).collect();
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_ref());
    match (field("payload"), field("command"), field("ssl_check")) {
        (Some(payload), ..) => match serde_json::from_str::<Value>(payload) {
            Ok(payload) => interaction(&payload, base_url),
            Err(_) => Requested::Nothing("a payload that is not JSON"),
        },
        (None, Some(_), _) => Requested::Command,
        (None, None, Some("1")) => Requested::SslCheck,
        _ => Requested::Nothing("neither a payload nor a command"),
    }
}

fn interaction(payload: &Value, base_url: Option<&str>) -> Requested {
    let read = match payload["type"].as_str() {
        Some("block_actions") => press(payload, base_url).map(|press| Requested::Press(Box::new(press))),
        Some("view_submission") => written_note(payload).map(|note| Requested::Note(Box::new(note))),
        _ => Err(Foreign("an interaction that is none of the relay's")),
    };
    read.unwrap_or_else(|odd| match odd {
        Foreign(why) => Requested::Nothing(why),
        Incomplete(why) => Requested::Unusable(why),
    })
}

fn press(payload: &Value, base_url: Option<&str>) -> Result<Press, Odd> {
    let [button] = payload["actions"].as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err(Foreign("not exactly one action"));
    };
    let action = button["action_id"].as_str().and_then(Action::from_key).ok_or(Foreign("an unknown action"))?;
    let incident =
        button["value"].as_str().and_then(real_incident).ok_or(Foreign("a value that is no incident's id"))?;
    let presser = presser(&payload["user"])?;
    let pressed_at = text(&button["action_ts"]).ok_or(Incomplete("no time of the press"))?;
    let container = &payload["container"];
    let channel =
        text(&payload["channel"]["id"]).or_else(|| text(&container["channel_id"])).ok_or(Incomplete("no channel"))?;
    let message = &payload["message"];
    let ts = text(&message["ts"]).or_else(|| text(&container["message_ts"])).ok_or(Incomplete("no message"))?;
    let reply = payload["response_url"].as_str().filter(|url| is_slacks(url, base_url)).map(|url| Reply(url.into()));
    if reply.is_none() && action != Action::Note {
        return Err(Incomplete("no response_url of Slack's"));
    }
    let link = message["text"].as_str().and_then(|text| link_of(text, &incident));
    Ok(Press {
        action,
        id: format!("{pressed_at} {}", presser.id),
        incident,
        presser,
        trigger: text(&payload["trigger_id"]).unwrap_or_default(),
        reply,
        link,
        message: Thread { channel, ts },
    })
}

fn written_note(payload: &Value) -> Result<WrittenNote, Odd> {
    let view = &payload["view"];
    if view["callback_id"] != Action::Note.key() {
        return Err(Foreign("a modal that is none of the relay's"));
    }
    let metadata = view["private_metadata"].as_str().filter(|metadata| metadata.len() <= MAX_METADATA);
    let metadata: Value =
        metadata.and_then(|text| serde_json::from_str(text).ok()).ok_or(Foreign("no metadata of ours"))?;
    let incident =
        metadata["incident"].as_str().and_then(real_incident).ok_or(Foreign("metadata without an incident's id"))?;
    let written = view["state"]["values"][NOTE.0][NOTE.1]["value"].as_str().unwrap_or_default();
    Ok(WrittenNote {
        incident,
        presser: presser(&payload["user"])?,
        id: text(&view["id"]).ok_or(Incomplete("a modal without an id"))?,
        text: written.trim().to_owned(),
        link: metadata["link"].as_str().and_then(Link::parse),
    })
}

/// Names may be empty, and then the id is all that there is.
fn presser(user: &Value) -> Result<Presser, Odd> {
    let is_id = |id: &String| id.len() <= 40 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let id = text(&user["id"]).filter(is_id).ok_or(Incomplete("no user"))?;
    let name = ["username", "name"].into_iter().find_map(|name| text(&user[name])).unwrap_or_default();
    Ok(Presser::new(&id, &name))
}

fn real_incident(id: &str) -> Option<IncidentId> {
    IncidentId::parse(id).filter(|id| !id.is_practice())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Only Slack may be told anything: by its origin, so that no look-alike will do.
fn is_slacks(address: &str, base_url: Option<&str>) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let is_bare = url.username().is_empty() && url.password().is_none();
    is_bare
        && [Some(HOOKS), base_url].into_iter().flatten().any(|known| {
            Url::parse(known).is_ok_and(|known| known.origin().is_tuple() && known.origin() == url.origin())
        })
}

/// The incident's page, which our message has as markup of its own; strangers' text has none.
fn link_of(text: &str, incident: &IncidentId) -> Option<Link> {
    let addresses = text.split('<').skip(1).filter_map(|rest| rest.split(['>', '|']).next());
    let page = format!("/{incident}");
    addresses.filter(|address| address.ends_with(&page)).find_map(|address| Link::parse(&address.replace("&amp;", "&")))
}

#[cfg(test)]
mod tests;
