//! What people do on Slack: a press goes to the relay signed, and PagerDuty tells the relay of what it changed.

use serde_json::{Value, json};

use super::World;
use crate::fakes::incidents::{ACTING_NAME, ACTING_USER, Done};
use crate::fakes::people::{Button, Person, payload, slack_event};
use crate::fakes::{ALERT_CHANNEL, SLACK_SIGNING_SECRET};
use crate::page::relay::{Invoked, Relay};
use crate::page::request::{By, Refusal};
use crate::page::scene::Post;
use crate::page::story::{Happening, Told, Version};

/// A person whose id and name are put in afterwards.
const SOMEBODY: Person = Person { id: "U0SOMEBODY", name: "somebody" };

impl World {
    /// Somebody presses a button under a message; the modal that opens, if one does.
    pub(super) async fn press(&self, by: By, ts: &str, action: &str, value: &str) -> Result<Value, Refusal> {
        let relay = self.relay.lock().await;
        let found = self.change(|scene| scene.posts.iter().find(|post| post.ts.as_deref() == Some(ts)).cloned());
        let Post { channel, text, .. } = found.ok_or(Refusal::Gone)?;
        let button = Button { action, value, channel: &channel, ts, text: &text };
        let pressed = by.does(SOMEBODY.press(&button, self.next().0, &self.stage().fakes.slack.url()));
        let number = value.strip_prefix("PINC").and_then(|number| number.parse().ok());
        self.interact(&relay, "press", number, &payload(&pressed)).await;
        let view = self.stage().fakes.slack.take_views().pop();
        Ok(view.map_or_else(|| json!({}), |view| json!({ "view": view })))
    }

    /// Somebody sends a modal off; what is wrong with it, if something is.
    pub(super) async fn submit(&self, by: By, view: &Value, text: &str) -> Result<Value, Refusal> {
        let relay = self.relay.lock().await;
        let body = payload(&by.does(SOMEBODY.submit(view, text)));
        let answer = self.interact(&relay, "submit", None, &body).await;
        Ok(json!({"errors": answer["errors"]}))
    }

    /// Somebody types `/oncall`.
    pub(super) async fn ask(&self) {
        let relay = self.relay.lock().await;
        let body = SOMEBODY.ask("/oncall", &self.stage().fakes.slack.url());
        self.interact(&relay, "ask", None, &body).await;
    }

    /// Hands a request of Slack's to the relay, then tells it of everything that this changed in PagerDuty.
    async fn interact(&self, relay: &Relay, what: &'static str, incident: Option<u64>, body: &[u8]) -> Value {
        let (number, at) = self.begin_step(what, incident, None);
        let invoked = relay.webhook(&slack_event(SLACK_SIGNING_SECRET, at, body), at.to_utc()).await;
        let invoked = invoked.unwrap_or_else(|failure| Invoked::failed(failure.as_ref()));
        let answer: Value = serde_json::from_str(&invoked.body).unwrap_or_default();
        self.end_step(number, invoked);
        let stage = self.stage();
        let answered = answer["text"].as_str().map(str::to_owned);
        for text in stage.fakes.slack.take_told().into_iter().chain(answered) {
            self.change(|scene| scene.add_post(Post::for_one(number, ALERT_CHANNEL, text)));
        }
        for done in stage.fakes.incidents.take_done() {
            self.follow(relay, &done).await;
        }
        answer
    }

    /// PagerDuty's webhook about what the relay did there.
    async fn follow(&self, relay: &Relay, done: &Done) {
        let happening = match done.what {
            "acknowledged" => Happening::Acknowledge,
            "resolved" => Happening::Resolve,
            "reopened" => Happening::Reopen,
            _ => Happening::Note,
        };
        let found = self.change(|scene| {
            let incident = scene.incidents.iter_mut().find(|incident| incident.id() == done.incident)?;
            incident.status = incident.after(happening).unwrap_or(incident.status);
            Some((incident.clone(), scene.language))
        });
        let Some((incident, language)) = found else { return };
        let (number, at) = self.next();
        let told = Told {
            event_id: format!("EVENT{number}"),
            at,
            happening,
            version: Version::V3,
            text: &done.note,
            into: None,
            language,
        };
        let mut webhook = incident.webhook(&told);
        webhook["event"]["agent"] = json!({"id": ACTING_USER, "type": "user_reference", "summary": ACTING_NAME});
        self.send(relay, happening.name(), Some(incident.number), webhook).await;
    }
}

impl By {
    /// Puts the person into a payload.
    fn does(&self, mut payload: Value) -> Value {
        payload["user"]["id"] = json!(self.id);
        for name in ["username", "name"] {
            if payload["user"][name].is_string() {
                payload["user"][name] = json!(self.name);
            }
        }
        payload
    }
}
