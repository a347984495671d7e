//! The words for the state that an incident is in.

use chrono::TimeDelta;

use super::Language;
use crate::domain::event::Kind;
use crate::domain::state::Phase;

impl Language {
    /// The state of an incident, in a word or two.
    #[must_use]
    pub fn phase(self, phase: Phase) -> &'static str {
        match phase {
            Phase::Triggered => self.label(&Kind::Triggered),
            Phase::Acknowledged => self.say("対応中", "acknowledged"),
            Phase::Unacknowledged => self.label(&Kind::Unacknowledged),
            Phase::Resolved => self.label(&Kind::Resolved),
            Phase::Merged => self.say("統合", "merged"),
            Phase::Reopened => self.label(&Kind::Reopened),
        }
    }

    /// Labels the state of an incident where it is said in words.
    #[must_use]
    pub fn state(self) -> &'static str {
        self.say("状態", "state")
    }

    /// The state of an incident in words: since when, and after how long it was over.
    #[must_use]
    pub fn standing(self, phase: Phase, since: &str, took: Option<TimeDelta>) -> String {
        let word = self.phase(phase);
        match (phase, took) {
            (_, Some(took)) => {
                let took = self.age(took);
                self.say(format!("{word}({since}、{took})"), format!("{word} at {since} after {took}"))
            }
            (Phase::Resolved | Phase::Merged, None) => {
                self.say(format!("{word}({since})"), format!("{word} at {since}"))
            }
            _ => self.say(format!("{word}({since}から)"), format!("{word} since {since}")),
        }
    }

    /// How long it took.
    #[must_use]
    pub fn took(self, took: TimeDelta) -> String {
        format!("({})", self.age(took))
    }
}
