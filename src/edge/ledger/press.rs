//! Presses on an incident: one after the other, each once, and remembered until PagerDuty has told of them.
//!
//! PagerDuty changes an incident whatever state it is in by then, and one that is acknowledged after it was resolved is
//! open again. So whoever wants to change it takes its *turn* first, and nobody else's press is carried out meanwhile.

use chrono::{DateTime, Utc};

use super::{IncidentFacts, Ledger, incident_record};
use crate::domain::acting::Pressed;
use crate::domain::event::IncidentId;

/// The answer to a press that wants to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, for as long as its press")]
pub enum Turn {
    /// Go ahead.
    Taken(Hold),
    /// It was carried out before; somebody has sent the same request again.
    Replayed,
    /// Another press on the incident is being carried out.
    Busy,
}

/// The right to change an incident, for some seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// What is known of the incident.
    pub facts: IncidentFacts,
    /// When the right ends; tells this turn from a later one.
    pub(super) until: DateTime<Utc>,
    /// What tells the press from others.
    pub(super) press: String,
    /// What of earlier presses in the table is of no use any more, by the names of the attributes.
    pub(super) old: Vec<String>,
}

/// What became of a press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It was carried out, or may have been.
    Acted(Pressed),
    /// It may have been carried out, and the same may be sent again by whoever looked and found that it wasn't.
    InDoubt(Pressed),
    /// There was nothing to do.
    NothingToDo,
    /// It was not carried out, and may be tried again; what was remembered of it, if it came to that.
    Failed(Option<Pressed>),
}

impl Ledger {
    /// Asks for the right to carry out a press.
    pub async fn take_turn(&self, incident: &IncidentId, press: &str, now: DateTime<Utc>) -> Turn {
        let record = incident_record(incident);
        let here = match self.memory.take_turn(&record, press, now) {
            Turn::Taken(hold) => hold,
            decided => return decided,
        };
        let Some(table) = &self.table else { return Turn::Taken(here) };
        match self.asked(self.budget.claim, Box::pin(table.take_turn(&record, press, now))).await {
            Some(Turn::Taken(there)) => Turn::Taken(Hold { facts: there.facts.or(here.facts), ..there }),
            Some(Turn::Replayed) => {
                self.memory.end_turn(&record, &here, &Ending::NothingToDo, now);
                Turn::Replayed
            }
            Some(Turn::Busy) => {
                self.memory.forget_turn(&record, &here, now);
                Turn::Busy
            }
            // What PagerDuty says of the incident decides then; two presses at once may both be carried out.
            None => Turn::Taken(here),
        }
    }

    /// Remembers who presses, before PagerDuty can tell of it.
    pub async fn remember_press(&self, incident: &IncidentId, pressed: &Pressed, now: DateTime<Utc>) {
        let record = incident_record(incident);
        self.memory.remember_press(&record, pressed, now);
        if let Some(table) = &self.table {
            self.asked(self.budget.claim, Box::pin(table.remember_press(&record, pressed, now))).await;
        }
    }

    /// Gives the turn to others, and writes down what became of the press.
    pub async fn end_turn(&self, incident: &IncidentId, hold: &Hold, ending: &Ending, now: DateTime<Utc>) {
        let record = incident_record(incident);
        self.memory.end_turn(&record, hold, ending, now);
        if let Some(table) = &self.table {
            self.asked(self.budget.settle, Box::pin(table.end_turn(&record, hold, ending))).await;
        }
    }

    /// The user of PagerDuty's as whom presses were carried out the last time.
    pub async fn acting_user(&self, now: DateTime<Utc>) -> Option<String> {
        let here = self.memory.acting_user();
        let (None, Some(table)) = (&here, &self.table) else { return here };
        let there = self.asked(self.budget.claim, Box::pin(table.acting_user(now))).await.flatten();
        if let Some(user) = &there {
            self.memory.keep_acting_user(user);
        }
        there
    }

    /// Keeps that user for later presses, of other processes, too.
    pub async fn keep_acting_user(&self, user: &str, now: DateTime<Utc>) {
        let is_news = self.memory.keep_acting_user(user);
        if let Some(table) = self.table.as_ref().filter(|_| is_news) {
            self.asked(self.budget.settle, Box::pin(table.keep_acting_user(user, now))).await;
        }
    }
}
