//! A press on a button: the incident is looked at first, then changed in PagerDuty, and what doesn't work is told.
//!
//! PagerDuty's webhook about it follows, and posts and shows what has happened: nothing else is said here.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep, timeout_at};

use super::{Reaction, refused, tell};
use crate::budget::{CLAIM_AGAIN, INTERACTION, MIN_TRY, PRESS_LEASE, PRESSED_FOR};
use crate::clock::Invocation;
use crate::config::{ActingConfig, SlackConfig, TeamConfig};
use crate::delivery::{Dispatcher, Update};
use crate::domain::acting::{ActingFailure, Action, IncidentNow, Pressed, Presser};
use crate::domain::calendar::Calendar;
use crate::domain::event::{Incident, IncidentId, Status};
use crate::domain::message::{FirstMessage, Message};
use crate::domain::state::{By, Phase, Standing, State};
use crate::domain::wording::Language;
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
    http: HttpClient,
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
            http: http.clone(),
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
            self.open_note(press, invocation).await
        } else {
            self.change(press, invocation).await
        }
    }

    /// At once: what opens a modal works for three seconds.
    async fn open_note(&self, press: &Press, invocation: Invocation) -> Reaction {
        let number = self.dispatcher.ledger().incident(&press.incident, invocation.now()).await.number;
        let within = left(invocation).saturating_sub(INTERACTION.tell);
        let tag = number.and_then(|number| incident_of(press, Some(number)).tag());
        let opened = self.app.open_note(press, self.language.note_form(), tag.as_ref(), within).await;
        let Err(why) = opened else { return Reaction::Heard };
        tracing::error!(event = log_events::PRESS, action = "note", outcome = "no_modal", "the form for a note: {why}");
        self.tell(press, &self.to_presser(self.language.no_modal(), press, number), invocation).await
    }

    async fn change(&self, press: &Press, invocation: Invocation) -> Reaction {
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
                return Reaction::Heard;
            }
            Turn::Busy => {
                let number = incident.ok().and_then(|incident| incident.incident.number);
                let words = self.to_presser(self.language.press_in_progress(), press, number);
                return self.tell(press, &words, invocation).await;
            }
        };
        let before = match incident {
            Ok(before) => before,
            Err(error) => return self.failed(press, &hold, None, error, invocation).await,
        };
        let number = hold.facts.number.or(before.incident.number);
        if press.action.is_done(before.status) {
            self.end(&press.incident, &hold, &Ending::NothingToDo, invocation).await;
            return self.is_done(press, &before, &hold.facts, invocation).await;
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
                    let words = self.to_presser(self.language.reopened_by_press(), press, number);
                    return self.tell(press, &words, invocation).await;
                }
                Reaction::Heard
            }
            Err(error) if matches!(error.failure, ActingFailure::Unknown | ActingFailure::Done) => {
                self.look_again(press, &hold, pressed, error, invocation).await
            }
            Err(error) => self.failed(press, &hold, Some(pressed), error, invocation).await,
        }
    }

    /// Somebody has done it in PagerDuty since the look; or we have, and the answer that said so was lost.
    async fn look_again(
        &self,
        press: &Press,
        hold: &Hold,
        pressed: Pressed,
        error: ActingError,
        invocation: Invocation,
    ) -> Reaction {
        let number = hold.facts.number;
        if error.failure == ActingFailure::Unknown {
            log(press.action, &error);
            if !invocation.has_more_than(INTERACTION.settle + INTERACTION.tell) {
                self.acted(&press.incident, hold, pressed, invocation).await;
                return self.tell(press, &self.not_done(error.failure, press, number), invocation).await;
            }
        }
        let after = self.client.incident(&press.incident, invocation.deadline() - INTERACTION.tell).await;
        let is_ours = |after: &IncidentNow| {
            let is_done = press.action.is_done(after.status);
            let is_now = is_done && after.since.is_none_or(|since| (since - pressed.at).abs() < PRESS_LEASE);
            is_now && after.by_id.is_some() && after.by_id == pressed.agent
        };
        let is_ours = after.as_ref().is_ok_and(is_ours);
        // Only what that user has done is taken for the press.
        self.acted(&press.incident, hold, pressed, invocation).await;
        match after {
            Ok(_) if is_ours => {
                tracing::info!(event = log_events::PRESS, action = press.action.key(), outcome = "done");
                Reaction::Heard
            }
            Ok(after) if press.action.is_done(after.status) || error.failure == ActingFailure::Done => {
                self.is_done(press, &after, &hold.facts, invocation).await
            }
            // It may still be on its way.
            Ok(_) => self.tell(press, &self.not_done(error.failure, press, number), invocation).await,
            Err(unseen) => {
                log(press.action, &unseen);
                self.tell(press, &self.not_done(error.failure, press, number), invocation).await
            }
        }
    }

    /// Asks at once for all that has to be known. If another press is being carried out, the incident is looked at
    /// again after it: what was seen before may be true no longer.
    async fn look(&self, id: &IncidentId, presser: &Presser, press: &str, invocation: Invocation) -> Look {
        let deadline = invocation.deadline() - INTERACTION.behind_look();
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

    async fn failed(
        &self,
        press: &Press,
        hold: &Hold,
        remembered: Option<Pressed>,
        error: ActingError,
        invocation: Invocation,
    ) -> Reaction {
        log(press.action, &error);
        self.end(&press.incident, hold, &Ending::Failed(remembered), invocation).await;
        self.tell(press, &self.not_done(error.failure, press, hold.facts.number), invocation).await
    }

    /// Tells the presser who was first, and shows it under the message, which was behind.
    async fn is_done(
        &self,
        press: &Press,
        now: &IncidentNow,
        facts: &IncidentFacts,
        invocation: Invocation,
    ) -> Reaction {
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
        let (told, ()) = tokio::join!(self.tell(press, &text, invocation), self.put_right(press, update, invocation));
        told
    }

    /// Shows what the look has found, and what an event has told meanwhile, which is newer.
    async fn put_right(&self, press: &Press, mut update: Update, invocation: Invocation) {
        self.dispatcher.show_one(&update, left(invocation).max(MIN_TRY)).await;
        let known = self.dispatcher.ledger().incident(&press.incident, invocation.now()).await;
        let newer = known.first.filter(|first| first.standing.order() > update.first.standing.order());
        if let Some(first) = newer.filter(|_| known.thread.as_ref() == Some(&update.message)) {
            update.first = first;
            self.dispatcher.show_one(&update, left(invocation)).await;
        }
    }

    fn to_presser(&self, words: &str, press: &Press, number: Option<u64>) -> Message {
        Message::to_presser(words, &incident_of(press, number), self.language)
    }

    fn not_done(&self, failure: ActingFailure, press: &Press, number: Option<u64>) -> Message {
        Message::not_done(failure, &incident_of(press, number), self.language)
    }

    async fn tell(&self, press: &Press, message: &Message, invocation: Invocation) -> Reaction {
        tell(&self.http, press, message, invocation).await
    }

    /// Puts a note under the incident; what doesn't work is shown in the modal, which keeps what was written.
    pub(super) async fn on_note(&self, note: &WrittenNote, invocation: Invocation) -> Reaction {
        let refuse = |words: &str| refused(words, note.link.as_ref(), self.language);
        if note.text.is_empty() {
            return Reaction::Answered(interactivity::modal_error(self.language.empty_note()));
        }
        let deadline = invocation.deadline() - INTERACTION.behind_look();
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
                let is_in_doubt = error.failure == ActingFailure::Unknown;
                let ending = if is_in_doubt { Ending::InDoubt(pressed) } else { Ending::Failed(Some(pressed)) };
                self.end(&note.incident, &hold, &ending, invocation).await;
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
fn incident_of(press: &Press, number: Option<u64>) -> Incident {
    Incident { id: Some(press.incident.clone()), number, link: press.link.clone(), ..Incident::default() }
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
    let apart = |pressed: &&Pressed| now.since.map(|since| (since - pressed.at).abs());
    let person = pressed.iter().filter(is_it).min_by_key(apart).map(|pressed| By::Member(pressed.presser.clone()));
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
    // A merged incident is resolved for PagerDuty, and a state that is known already has its details. What an event
    // has told may be newer than the look.
    let is_behind = known.standing.state.as_ref().is_none_or(|known| {
        let is_another = known.phase.status() != now.status || known.is_inferred;
        is_another && known.order() <= state.order()
    });
    let standing = Standing {
        incident: now.incident.clone(),
        service: known.standing.service.clone().or(now.service.clone()),
        state: if is_behind { Some(state) } else { known.standing.state.clone() },
        ..known.standing.clone()
    };
    known.at(&standing)
}
