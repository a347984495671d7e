//! A press on a button: the incident is looked at first, then changed in PagerDuty, and what doesn't work is told.
//!
//! PagerDuty's webhook about it follows, and posts and shows what has happened: nothing else is said here.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep, timeout_at};

use super::Reaction;
use crate::budget::{CLAIM_AGAIN, INTERACTION, MIN_TRY, PRESS_LEASE, PRESSED_FOR};
use crate::clock::Invocation;
use crate::config::{ActingConfig, SlackConfig, TeamConfig};
use crate::delivery::{Dispatcher, Update};
use crate::domain::acting::{ActingFailure, Action, IncidentNow, Pressed, Presser};
use crate::domain::calendar::Calendar;
use crate::domain::chat::ChatName;
use crate::domain::event::{Incident, IncidentId, Status};
use crate::domain::message::{FirstMessage, Message};
use crate::domain::state::{By, Phase, Standing, State};
use crate::domain::wording::Language;
use crate::edge::chat;
use crate::edge::http::HttpClient;
use crate::edge::interactivity::{self, Press, SlackApp, WrittenNote};
use crate::edge::ledger::{Ending, Hold, IncidentFacts, Turn};
use crate::edge::pagerduty::rest::{ActingClient, ActingError};
use crate::edge::roster::RosterSource;
use crate::log_events;

/// What carries presses out.
#[derive(Debug)]
pub(super) struct Acting {
    app: SlackApp,
    client: ActingClient,
    calendar: Calendar,
    language: Language,
    roster: Arc<RosterSource>,
    dispatcher: Arc<Dispatcher>,
}

/// What a look before the change has found.
struct Look {
    incident: Result<IncidentNow, ActingError>,
    turn: Turn,
    presser: Presser,
    agent: Option<String>,
}

impl Acting {
    pub(super) fn new(
        config: ActingConfig,
        slack: &SlackConfig,
        team: &TeamConfig,
        roster: Arc<RosterSource>,
        dispatcher: Arc<Dispatcher>,
        http: &HttpClient,
    ) -> Self {
        Self {
            app: SlackApp::new(slack, http.clone()),
            client: ActingClient::new(config, http.clone()),
            calendar: team.calendar.clone(),
            language: team.language,
            roster,
            dispatcher,
        }
    }

    /// Carries a press out.
    pub(super) async fn on_press(&self, press: &Press, invocation: Invocation) -> Reaction {
        if press.action == Action::Note {
            self.open_note(press, invocation).await;
        } else {
            self.change(press, invocation).await;
        }
        Reaction::Heard
    }

    /// At once: what opens a modal works for three seconds.
    async fn open_note(&self, press: &Press, invocation: Invocation) {
        let within = left(invocation).saturating_sub(INTERACTION.tell);
        let Err(why) = self.app.open_note(press, self.language.note_form(), within).await else { return };
        tracing::error!(event = log_events::PRESS, action = "note", outcome = "no_modal", "the form for a note: {why}");
        self.tell(press, &self.to_presser(self.language.no_modal(), press), invocation).await;
    }

    async fn change(&self, press: &Press, invocation: Invocation) {
        let Look { incident, turn, presser, agent } =
            self.look(&press.incident, &press.presser, &press.id, invocation).await;
        let hold = match turn {
            Turn::Taken(hold) => hold,
            Turn::Replayed => {
                tracing::warn!(
                    event = log_events::PRESS,
                    outcome = "replayed",
                    "the same press once more; nothing is done"
                );
                return;
            }
            Turn::Busy => {
                self.tell(press, &self.to_presser(self.language.press_in_progress(), press), invocation).await;
                return;
            }
        };
        let before = match incident {
            Ok(before) => before,
            Err(error) => return self.failed(press, &hold, error, invocation).await,
        };
        if press.action.is_done(before.status) {
            self.end(&press.incident, &hold, &Ending::NothingToDo, invocation).await;
            self.is_done(press, &before, &hold.facts, invocation).await;
            return;
        }
        let mut pressed = Pressed { action: press.action, presser, at: invocation.now(), agent };
        self.dispatcher.ledger().remember_press(&press.incident, &pressed, invocation.now()).await;
        let status = if press.action == Action::Resolve { Status::Resolved } else { Status::Acknowledged };
        let deadline = invocation.deadline() - INTERACTION.settle - INTERACTION.tell;
        match self.client.change(&press.incident, status, deadline).await {
            Ok(after) => {
                tracing::info!(event = log_events::PRESS, action = press.action.key(), outcome = "done");
                pressed.agent = after.by_id.clone().or(pressed.agent);
                self.acted(&press.incident, &hold, pressed, invocation).await;
                if after.reopened_at != before.reopened_at {
                    tracing::warn!(
                        event = log_events::PRESS,
                        outcome = "reopened",
                        "it was resolved between a look and a press"
                    );
                    let words = self.to_presser(self.language.reopened_by_press(), press);
                    self.tell(press, &words, invocation).await;
                }
            }
            Err(error) if error.failure == ActingFailure::Unknown => {
                log(press.action, &error);
                self.acted(&press.incident, &hold, pressed, invocation).await;
                self.tell(press, &self.not_done(error.failure, press), invocation).await;
            }
            Err(error) if error.failure == ActingFailure::Done => {
                self.done_meanwhile(press, &hold, pressed, invocation).await;
            }
            Err(error) => self.failed(press, &hold, error, invocation).await,
        }
    }

    /// Somebody has done it in PagerDuty since the look; or we have, and the answer that said so was lost.
    async fn done_meanwhile(&self, press: &Press, hold: &Hold, pressed: Pressed, invocation: Invocation) {
        let after = self.client.incident(&press.incident, invocation.deadline() - INTERACTION.tell).await;
        let is_ours = |after: &IncidentNow| {
            let is_now = after.since.is_none_or(|since| (since - pressed.at).abs() < PRESS_LEASE);
            is_now && after.by_id.is_some() && after.by_id == pressed.agent
        };
        let is_ours = after.as_ref().is_ok_and(is_ours);
        // Only what that user has done is taken for the press.
        self.acted(&press.incident, hold, pressed, invocation).await;
        match after {
            Ok(_) if is_ours => {
                tracing::info!(event = log_events::PRESS, action = press.action.key(), outcome = "done");
            }
            Ok(after) => self.is_done(press, &after, &hold.facts, invocation).await,
            Err(error) => {
                log(press.action, &error);
                self.tell(press, &self.not_done(ActingFailure::Done, press), invocation).await;
            }
        }
    }

    /// Asks at once for all that has to be known. If another press is being carried out, the incident is looked at
    /// again after it: what was seen before may be true no longer.
    async fn look(&self, id: &IncidentId, presser: &Presser, press: &str, invocation: Invocation) -> Look {
        let deadline = invocation.within(INTERACTION.look);
        let ledger = self.dispatcher.ledger();
        let (mut incident, mut turn, presser, agent) = tokio::join!(
            self.client.incident(id, deadline),
            ledger.take_turn(id, press, invocation.now()),
            self.called(presser, invocation, deadline),
            ledger.acting_user(invocation.now()),
        );
        let behind = INTERACTION.act + INTERACTION.settle + INTERACTION.tell;
        let mut is_old = was_just_pressed(&turn, invocation.now());
        while turn == Turn::Busy && invocation.has_more_than(behind + CLAIM_AGAIN) {
            sleep(CLAIM_AGAIN).await;
            turn = ledger.take_turn(id, press, invocation.now()).await;
            is_old = true;
        }
        if is_old && matches!(turn, Turn::Taken(_)) {
            incident = self.client.incident(id, invocation.deadline() - behind).await;
        }
        Look { incident, turn, presser, agent }
    }

    /// The presser by the name that the team knows them by, if the members tab is at hand.
    async fn called(&self, presser: &Presser, invocation: Invocation, deadline: Instant) -> Presser {
        let today = self.calendar.today(invocation.arrived_at());
        let reading = self.roster.reading(self.dispatcher.ledger(), today, invocation);
        let snapshot = timeout_at(deadline, reading).await.ok().and_then(|state| state.snapshot);
        let member = snapshot.as_ref().and_then(|snapshot| snapshot.roster.member_called(&presser.id));
        member.map_or_else(|| presser.clone(), |name| Presser::new(&presser.id, name))
    }

    async fn acted(&self, id: &IncidentId, hold: &Hold, pressed: Pressed, invocation: Invocation) {
        let agent = pressed.agent.clone();
        let keep = async {
            if let Some(agent) = &agent {
                self.dispatcher.ledger().keep_acting_user(agent, invocation.now()).await;
            }
        };
        let ending = Ending::Acted(pressed);
        tokio::join!(self.end(id, hold, &ending, invocation), keep);
    }

    async fn end(&self, id: &IncidentId, hold: &Hold, ending: &Ending, invocation: Invocation) {
        self.dispatcher.ledger().end_turn(id, hold, ending, invocation.now()).await;
    }

    async fn failed(&self, press: &Press, hold: &Hold, error: ActingError, invocation: Invocation) {
        log(press.action, &error);
        self.end(&press.incident, hold, &Ending::Failed(press.action), invocation).await;
        self.tell(press, &self.not_done(error.failure, press), invocation).await;
    }

    /// Tells the presser who was first, and shows it under the message, which was behind.
    async fn is_done(&self, press: &Press, now: &IncidentNow, facts: &IncidentFacts, invocation: Invocation) {
        tracing::info!(event = log_events::PRESS, action = press.action.key(), outcome = "done_before");
        let by = who_was_first(now, &facts.pressed);
        let name = by.as_ref().map(|by| match by {
            By::Name(name) => name.as_str(),
            By::Member(presser) => presser.name.as_str(),
        });
        let zone = self.calendar.local(invocation.now()).timezone();
        let text = Message::already(now, name, zone, self.language);
        let first = first_message(now, by.clone(), facts, invocation.now());
        let update = Update { message: press.message.clone(), first };
        tokio::join!(
            self.tell(press, &text, invocation),
            self.dispatcher.show_one(&update, left(invocation).max(MIN_TRY)),
        );
    }

    fn to_presser(&self, words: &str, press: &Press) -> Message {
        Message::to_presser(words, &incident_of(press), self.language)
    }

    fn not_done(&self, failure: ActingFailure, press: &Press) -> Message {
        Message::not_done(failure, &incident_of(press), self.language)
    }

    async fn tell(&self, press: &Press, message: &Message, invocation: Invocation) {
        let text = chat::render(ChatName::Slack, message);
        if let Err(why) = self.app.tell(&press.reply, &text, left(invocation)).await {
            tracing::warn!(
                event = log_events::PRESS,
                outcome = "not_told",
                "whoever pressed could not be told how it ended: {why}"
            );
        }
    }

    /// Puts a note under the incident; what doesn't work is shown in the modal, which keeps what was written.
    pub(super) async fn on_note(&self, note: &WrittenNote, invocation: Invocation) -> Reaction {
        let refuse = |words: &str| {
            let link = note.link.as_ref().map(|link| format!(" {} {link}", self.language.by_hand()));
            Reaction::Answered(interactivity::modal_error(&format!("{words}{}", link.unwrap_or_default())))
        };
        if note.text.is_empty() {
            return Reaction::Answered(interactivity::modal_error(self.language.empty_note()));
        }
        let deadline = invocation.within(INTERACTION.look);
        let ledger = self.dispatcher.ledger();
        let (mut turn, writer, agent) = tokio::join!(
            ledger.take_turn(&note.incident, &note.id, invocation.now()),
            self.called(&note.presser, invocation, deadline),
            ledger.acting_user(invocation.now()),
        );
        let behind = INTERACTION.act + INTERACTION.settle;
        while turn == Turn::Busy && invocation.has_more_than(behind + CLAIM_AGAIN) {
            sleep(CLAIM_AGAIN).await;
            turn = ledger.take_turn(&note.incident, &note.id, invocation.now()).await;
        }
        let hold = match turn {
            Turn::Taken(hold) => hold,
            Turn::Replayed => return Reaction::Heard,
            Turn::Busy => return refuse(self.language.press_in_progress()),
        };
        let text = writer.signed(&note.text);
        let mut pressed = Pressed { action: Action::Note, presser: writer, at: invocation.now(), agent };
        ledger.remember_press(&note.incident, &pressed, invocation.now()).await;
        let deadline = invocation.deadline() - INTERACTION.settle;
        match self.client.write_note(&note.incident, &text, deadline).await {
            Ok(agent) => {
                tracing::info!(event = log_events::PRESS, action = "note", outcome = "done");
                pressed.agent = agent.or(pressed.agent);
                self.acted(&note.incident, &hold, pressed, invocation).await;
                Reaction::Heard
            }
            Err(error) => {
                log(Action::Note, &error);
                // Whoever looks and finds nothing sends the same form again.
                self.end(&note.incident, &hold, &Ending::Failed(Action::Note), invocation).await;
                refuse(self.language.not_done(error.failure))
            }
        }
    }
}

fn left(invocation: Invocation) -> Duration {
    invocation.deadline().saturating_duration_since(Instant::now())
}

fn log(action: Action, error: &ActingError) {
    tracing::error!(
        event = log_events::PRESS,
        action = action.key(),
        outcome = "failed",
        "PagerDuty: {}",
        error.detail
    );
}

/// What the message says of its incident.
fn incident_of(press: &Press) -> Incident {
    Incident { id: Some(press.incident.clone()), link: press.link.clone(), ..Incident::default() }
}

/// Whether a press was carried out so shortly before that this one's look may have come before it.
fn was_just_pressed(turn: &Turn, now: DateTime<Utc>) -> bool {
    let Turn::Taken(hold) = turn else { return false };
    hold.facts.pressed.iter().any(|pressed| (now - pressed.at).abs() < PRESS_LEASE)
}

/// The person who pressed, if what PagerDuty tells is their press; else whom PagerDuty names.
fn who_was_first(now: &IncidentNow, pressed: &[Pressed]) -> Option<By> {
    let action = if now.status == Status::Resolved { Action::Resolve } else { Action::Acknowledge };
    let is_it = |pressed: &&Pressed| {
        let is_same_time = now.since.is_none_or(|since| (since - pressed.at).abs() < PRESSED_FOR);
        pressed.action == action && pressed.agent.is_some() && pressed.agent == now.by_id && is_same_time
    };
    let person = pressed.iter().find(is_it).map(|pressed| By::Member(pressed.presser.clone()));
    person.or_else(|| now.by.clone().map(By::Name))
}

/// The incident's first message as it should be; if the ledger has lost it, without whom it once called.
fn first_message(now: &IncidentNow, by: Option<By>, facts: &IncidentFacts, at: DateTime<Utc>) -> FirstMessage {
    let known = facts.first.clone().unwrap_or_default();
    let phase = match now.status {
        Status::Triggered => Phase::Triggered,
        Status::Acknowledged => Phase::Acknowledged,
        Status::Resolved => Phase::Resolved,
    };
    let state = State { phase, by, since: now.since.unwrap_or(at), is_inferred: false };
    // A merged incident is resolved for PagerDuty, and a state that is known already has its details.
    let is_behind =
        known.standing.state.as_ref().is_none_or(|known| {
            known.phase.status() != now.status || (known.is_inferred && known.order() < state.order())
        });
    let standing = Standing {
        incident: now.incident.clone(),
        service: known.standing.service.clone().or(now.service.clone()),
        state: if is_behind { Some(state) } else { known.standing.state.clone() },
        ..known.standing.clone()
    };
    known.at(&standing)
}
