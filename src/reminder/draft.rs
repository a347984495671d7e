//! What a reminder is to post, before a chat has it, and what is counted and answered once one has.

use chrono::NaiveDate;

use super::{ReminderOutcome, Tally};
use crate::domain::chat::ChatName;
use crate::domain::message::Subject;
use crate::domain::reminder::Reminder;
use crate::domain::roster::{OnCall, OnCallDay};
use crate::domain::week::Week;
use crate::edge::ledger::Storms;

/// What is to be posted.
pub(super) enum Draft {
    /// To the people of a day; and the storms that it says are over.
    Day(Box<Reminder>, Vec<Storms>),
    /// To everybody, on this day.
    Week(NaiveDate, Box<Week>),
}

impl Draft {
    pub(super) fn subject(&self) -> Subject<'_> {
        match self {
            Self::Day(reminder, _) => Subject::Reminder(reminder),
            Self::Week(_, week) => Subject::Week(week),
        }
    }

    pub(super) fn set_in_doubt(&mut self, in_doubt: bool) {
        match self {
            Self::Day(reminder, _) => reminder.in_doubt = in_doubt,
            Self::Week(_, week) => week.in_doubt = in_doubt,
        }
    }

    /// Counts whom the post on this chat could not mention.
    pub(super) fn count(&self, chat: ChatName, tally: &mut Tally) {
        if let Self::Day(reminder, _) = self {
            tally.unmentionable = reminder.day.unmentionable(chat);
            // Nobody is reminded of a day on which nobody is meant to be on call.
            let is_meant_for_somebody = reminder.day.on_call != OnCall::Nobody;
            tally.nobody_mentioned = u32::from(is_meant_for_somebody && reminder.day.mentions_nobody(chat));
        }
    }

    pub(super) fn reminded(&self, posted: bool, text: String) -> ReminderOutcome {
        match self {
            Self::Day(reminder, _) => reminded(&reminder.day, posted, text),
            Self::Week(date, _) => ReminderOutcome::Reminded { posted, date: *date, on_call: Vec::new(), text },
        }
    }
}

fn reminded(day: &OnCallDay, posted: bool, text: String) -> ReminderOutcome {
    let on_call = match &day.on_call {
        OnCall::People(people) => people.iter().map(|person| person.name().to_owned()).collect(),
        _ => Vec::new(),
    };
    ReminderOutcome::Reminded { posted, date: day.date, on_call, text }
}
