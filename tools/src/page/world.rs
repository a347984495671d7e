//! The page's world: the relay with its fakes around it, and a clock that a step moves on by a minute.

mod acting;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime, NaiveTime, TimeDelta, Weekday};
use serde_json::{Value, json};
use tokio::sync::{Mutex as Turn, watch};

use super::relay::{Invoked, Relay};
use super::request::{Chats, Language, Refusal, Reminder, Request, Tab};
use super::scene::{Mode, Scene, Service, Step};
use super::stage::{Failure, NOTICE_TOKEN, Stage, members, roster};
use super::story::{Happening, Status, StoryIncident, Told, Version, agent, ping};
use crate::fakes::pagerduty::{http_api_event, signature};
use crate::fakes::server::lock;
use crate::fakes::{BEARER_TOKEN, SIGNING_SECRET};

const BEGINNING: &str = "2026-11-24T11:00:00+09:00";
const FIRST_INCIDENT: u64 = 33;
const STEP: TimeDelta = TimeDelta::minutes(1);
/// The largest sheet that the page takes; the relay takes more.
const MAX_ROWS: usize = 500;
const MAX_COLUMNS: usize = 20;

pub(super) struct World {
    stage: Mutex<Arc<Stage>>,
    scene: Mutex<Scene>,
    /// One invocation at a time, so that each post has its step.
    relay: Turn<Relay>,
    changes: watch::Sender<u64>,
}

impl World {
    pub(super) async fn begin(language: Language) -> Result<Self, Failure> {
        let stage = Stage::start().await?;
        let scene = beginning(language, Chats::TypetalkFirst)?;
        stage.write(&scene);
        let relay = stage.deploy(&scene).await?;
        Ok(Self {
            stage: Mutex::new(Arc::new(stage)),
            scene: Mutex::new(scene),
            relay: Turn::new(relay),
            changes: watch::Sender::new(1),
        })
    }

    /// What the page shows, as JSON.
    pub(super) fn scene(&self) -> String {
        serde_json::to_string(&*lock(&self.scene)).unwrap_or_default()
    }

    /// Ends once the scene's version is another than this.
    pub(super) async fn change_after(&self, version: u64) {
        // The sender is ours, so that it can't be gone.
        let _ = self.changes.subscribe().wait_for(|now| *now != version).await;
    }

    fn change<T>(&self, change: impl FnOnce(&mut Scene) -> T) -> T {
        let mut scene = lock(&self.scene);
        let result = change(&mut scene);
        scene.version += 1;
        self.changes.send_replace(scene.version);
        result
    }

    fn stage(&self) -> Arc<Stage> {
        Arc::clone(&lock(&self.stage))
    }

    /// Does what the page asks for; what takes time waits for its turn.
    pub(super) async fn carry_out(&self, request: Request) -> Result<Value, Refusal> {
        match request {
            Request::Clock { at } => {
                let at = clock(&at).ok_or(Refusal::NoTime)?;
                self.change(|scene| scene.clock = at);
            }
            Request::Write { rows, .. } if rows.len() > MAX_ROWS || rows.iter().any(|row| row.len() > MAX_COLUMNS) => {
                return Err(Refusal::SheetTooLarge);
            }
            Request::Write { tab, rows } => {
                let stage = self.stage();
                self.change(|scene| {
                    match tab {
                        Tab::Roster => scene.roster = rows,
                        Tab::Members => scene.members = rows,
                    }
                    stage.write(scene);
                });
            }
            Request::Fault { service, mode } => {
                self.stage().fail(service, mode);
                self.change(|scene| scene.faults.insert(service, mode));
            }
            Request::Settings { language, chats } => self.deploy(language, chats).await?,
            Request::Reset {} => self.begin_again().await?,
            Request::Trigger { title, version } => self.trigger(title, version).await,
            Request::Happen { what, incident, text, into, version } => {
                self.happen(what, (incident, into), &text, version).await?;
            }
            Request::Press { by, ts, action, value } => return self.press(by, &ts, &action, &value).await,
            Request::Submit { by, view, text } => return self.submit(by, &view, &text).await,
            Request::Ask {} => self.ask().await,
            Request::Ping {} => {
                let relay = self.relay.lock().await;
                let (number, at) = self.next();
                self.send(&relay, "ping", None, ping(format!("EVENT{number}"), at)).await;
            }
            Request::Again { step } => {
                let relay = self.relay.lock().await;
                let found = self.change(|scene| {
                    let step = scene.step(step)?;
                    Some((step.incident, step.webhook.clone()?))
                });
                let (incident, webhook) = found.ok_or(Refusal::Gone)?;
                self.send(&relay, "again", incident, webhook).await;
            }
            Request::Notice { incident, text, status } => self.notify(incident, &text, &status).await,
            Request::Remind { reminder } => self.remind(reminder).await,
        }
        Ok(json!({}))
    }

    async fn deploy(&self, language: Language, chats: Chats) -> Result<(), Refusal> {
        let mut relay = self.relay.lock().await;
        let stage = self.stage();
        let settings = self.change(|scene| {
            // Nobody has touched the sheet: then it may as well be in the new language.
            if (&scene.roster, &scene.members) == (&roster(scene.language), &members(scene.language)) {
                (scene.roster, scene.members) = (roster(language), members(language));
                stage.write(scene);
            }
            (scene.language, scene.chats) = (language, chats);
            stage.settings(scene)
        });
        *relay = Relay::start(settings, self.now().to_utc()).await?;
        Ok(())
    }

    async fn begin_again(&self) -> Result<(), Refusal> {
        let mut relay = self.relay.lock().await;
        let stage = Stage::start().await?;
        let (language, chats) = self.change(|scene| (scene.language, scene.chats));
        let new = beginning(language, chats)?;
        stage.write(&new);
        *relay = stage.deploy(&new).await?;
        *lock(&self.stage) = Arc::new(stage);
        self.change(|scene| *scene = Scene { version: scene.version, ..new });
        Ok(())
    }

    async fn trigger(&self, title: String, version: Version) {
        let relay = self.relay.lock().await;
        let incident = self.change(|scene| {
            let number = scene.next_incident;
            scene.next_incident += 1;
            let incident = StoryIncident { number, title, status: Status::Triggered };
            scene.add_incident(incident.clone());
            incident
        });
        let at = self.now().to_rfc3339();
        self.stage().fakes.incidents.open(incident.number, &incident.title, "triggered", &at);
        self.tell(&relay, &incident, Happening::Trigger, "", None, version).await;
    }

    async fn happen(
        &self,
        what: Happening,
        (number, into): (u64, Option<u64>),
        text: &str,
        version: Version,
    ) -> Result<(), Refusal> {
        let relay = self.relay.lock().await;
        let (incident, other) = self.change(|scene| {
            let other = match (what, into) {
                (Happening::Merge, Some(into)) if into != number => {
                    Some(scene.incident(into).ok_or(Refusal::Gone)?.clone())
                }
                (Happening::Merge, _) => return Err(Refusal::NotInThisState),
                _ => None,
            };
            let incident = scene.incident(number).ok_or(Refusal::Gone)?;
            incident.status = incident.after(what).ok_or(Refusal::NotInThisState)?;
            Ok((incident.clone(), other))
        })?;
        let status = match incident.status {
            Status::Triggered => "triggered",
            Status::Acknowledged => "acknowledged",
            Status::Resolved | Status::Merged => "resolved",
        };
        let now = self.now().to_rfc3339();
        self.stage().fakes.incidents.set(&incident.id(), status, agent(self.language()), &now);
        self.tell(&relay, &incident, what, text, other.as_ref(), version).await;
        Ok(())
    }

    async fn tell(
        &self,
        relay: &Relay,
        incident: &StoryIncident,
        happening: Happening,
        text: &str,
        into: Option<&StoryIncident>,
        version: Version,
    ) {
        let (number, at) = self.next();
        let language = self.language();
        let told = Told { event_id: format!("EVENT{number}"), at, happening, version, text, into, language };
        self.send(relay, happening.name(), Some(incident.number), incident.webhook(&told)).await;
    }

    /// Sends a webhook as PagerDuty would, with the proof of its version.
    async fn send(&self, relay: &Relay, what: &'static str, incident: Option<u64>, webhook: Value) {
        let body = webhook.to_string();
        let (name, proof) = match webhook["event"] {
            Value::Null => ("authorization", format!("Bearer {BEARER_TOKEN}")),
            _ => ("x-pagerduty-signature", signature(SIGNING_SECRET, body.as_bytes())),
        };
        let request = http_api_event("/pagerduty", &[(name, &proof)], body.as_bytes());
        let (number, at) = self.begin_step(what, incident, Some(webhook));
        let invoked = relay.webhook(&request, at.to_utc()).await;
        self.end_step(number, invoked.unwrap_or_else(|failure| Invoked::failed(failure.as_ref())));
    }

    /// Sends a notice as a job would.
    async fn notify(&self, incident: Option<u64>, text: &str, status: &str) {
        let relay = self.relay.lock().await;
        let (number, at) = self.begin_step("notice", incident, None);
        let notice = json!({"text": text, "status": status, "incident": incident, "source": "Jenkins",
            "url": "https://ci.example.com/job/restart/7/", "key": format!("job-{number}")});
        let bearer = format!("Bearer {NOTICE_TOKEN}");
        let request = http_api_event("/notice", &[("authorization", &bearer)], notice.to_string().as_bytes());
        let invoked = relay.webhook(&request, at.to_utc()).await;
        self.end_step(number, invoked.unwrap_or_else(|failure| Invoked::failed(failure.as_ref())));
    }

    /// Moves the clock to the next time that the reminder is due, and gives it.
    async fn remind(&self, reminder: Reminder) {
        let relay = self.relay.lock().await;
        let (hour, day, what) = match reminder {
            Reminder::Today => (10, None, "remind_today"),
            Reminder::Next => (17, None, "remind_next"),
            Reminder::Week => (17, Some(Weekday::Fri), "remind_week"),
        };
        self.change(|scene| scene.clock = next_hour(scene.clock, hour, day));
        let (number, at) = self.begin_step(what, None, None);
        let invoked = relay.remind(&json!({ "reminder": reminder }), at.to_utc()).await;
        self.end_step(number, invoked);
    }

    fn now(&self) -> DateTime<FixedOffset> {
        lock(&self.scene).clock
    }

    fn language(&self) -> Language {
        lock(&self.scene).language
    }

    /// The number of the step to come, and its time.
    fn next(&self) -> (u64, DateTime<FixedOffset>) {
        let scene = lock(&self.scene);
        (scene.next_step, scene.clock)
    }

    fn begin_step(
        &self,
        what: &'static str,
        incident: Option<u64>,
        webhook: Option<Value>,
    ) -> (u64, DateTime<FixedOffset>) {
        self.change(|scene| {
            let (number, at) = (scene.next_step, scene.clock);
            scene.next_step += 1;
            scene.clock += STEP;
            scene.begin(Step::new(number, at, what, incident, webhook));
            (number, at)
        })
    }

    fn end_step(&self, number: u64, invoked: Invoked) {
        let stage = self.stage();
        self.change(|scene| {
            scene.end(number, invoked);
            stage.take_posts(number).into_iter().for_each(|post| scene.add_post(post));
            scene.posts.iter_mut().for_each(|post| stage.update(post));
        });
    }
}

/// The scene before anything has happened.
fn beginning(language: Language, chats: Chats) -> Result<Scene, Failure> {
    Ok(Scene {
        version: 1,
        clock: BEGINNING.parse()?,
        language,
        chats,
        roster: roster(language),
        members: members(language),
        faults: Service::ALL.map(|service| (service, Mode::Well)).into(),
        incidents: VecDeque::new(),
        steps: VecDeque::new(),
        posts: VecDeque::new(),
        left_out: 0,
        next_incident: FIRST_INCIDENT,
        next_step: 1,
    })
}

/// A time as `datetime-local` has it, in the business time zone; one that a sheet can speak of.
fn clock(at: &str) -> Option<DateTime<FixedOffset>> {
    let at = NaiveDateTime::parse_from_str(at, "%Y-%m-%dT%H:%M").ok()?;
    let zone = FixedOffset::east_opt(9 * 3600)?;
    (2000..2100).contains(&at.year()).then(|| at.and_local_timezone(zone).single())?
}

/// The next time that it is this hour, on any day or on this day of the week; or now.
fn next_hour(now: DateTime<FixedOffset>, hour: u32, day: Option<Weekday>) -> DateTime<FixedOffset> {
    let Some(time) = NaiveTime::from_hms_opt(hour, 0, 0) else { return now };
    let today = now.with_time(time).single().unwrap_or(now);
    let days = (0..8).map(|days| today + TimeDelta::days(days));
    days.into_iter().find(|at| *at >= now && day.is_none_or(|day| at.weekday() == day)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_takes_what_a_browser_sends_of_this_century() {
        for (typed, clock_says) in [
            ("2026-11-24T11:00", Some("2026-11-24T11:00:00+09:00")),
            ("2000-01-01T00:00", Some("2000-01-01T00:00:00+09:00")),
            ("2100-01-01T00:00", None),
            ("0001-01-01T00:00", None),
            ("275760-09-13T00:00", None),
            ("2026-11-24", None),
            ("<script>", None),
            ("", None),
        ] {
            assert_eq!(clock(typed).map(|at| at.to_rfc3339()).as_deref(), clock_says, "{typed:?}");
        }
    }

    #[test]
    fn a_reminder_is_due_at_its_next_hour() {
        for (now, hour, due) in [
            ("2026-11-24T09:59:00+09:00", 10, "2026-11-24T10:00:00+09:00"),
            ("2026-11-24T10:00:00+09:00", 10, "2026-11-24T10:00:00+09:00"),
            ("2026-11-24T10:01:00+09:00", 10, "2026-11-25T10:00:00+09:00"),
            ("2026-11-24T10:01:00+09:00", 17, "2026-11-24T17:00:00+09:00"),
            ("2026-12-31T17:01:00+09:00", 17, "2027-01-01T17:00:00+09:00"),
        ] {
            assert_eq!(next_hour(now.parse().unwrap(), hour, None).to_rfc3339(), due, "{now}");
        }
        for (now, due) in [
            ("2026-11-24T17:00:00+09:00", "2026-11-27T17:00:00+09:00"),
            ("2026-11-27T17:00:00+09:00", "2026-11-27T17:00:00+09:00"),
            ("2026-11-27T17:01:00+09:00", "2026-12-04T17:00:00+09:00"),
        ] {
            assert_eq!(next_hour(now.parse().unwrap(), 17, Some(Weekday::Fri)).to_rfc3339(), due, "{now}");
        }
    }
}
