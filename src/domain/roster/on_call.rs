//! The answer for one day, and the readings of the sheet that it comes from.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::cells::Line;
use super::members::{Members, MembersTable};
use super::person::Person;
use super::problem::{RowIssue, RowProblem};
use super::{ReadingRules, Roster, Tables, people};
use crate::domain::chat::ChatName;

/// Who is on call on one day. All but the first are news for the reader, not errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnCall {
    /// These people.
    People(Vec<Person>),
    /// The day's row says that nobody is.
    Nobody,
    /// The day's row says that it isn't decided yet.
    Undecided,
    /// The day's row is there, and can't be read.
    NotUnderstood {
        /// Where it is.
        row: Line,
        /// Why.
        issue: RowIssue,
    },
    /// The sheet has no row for the day.
    NoRow,
    /// The sheet can't be read, and no good copy has the day's row.
    Unknown(SourceFailure),
}

/// What a reader must know about a day besides who is on call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Somebody besides those named is on call, and it isn't decided who.
    PartlyUndecided,
    /// A further row of the day can't be read.
    RowNotUnderstood {
        /// Where it is.
        row: Line,
        /// Why.
        issue: RowIssue,
    },
    /// A column that isn't read holds text on this day.
    ColumnLeftOut {
        /// Its title; a letter if it has none.
        title: String,
    },
    /// `ROSTER_COLUMNS` names a column that the sheet lacks.
    ColumnMissing {
        /// The entry.
        title: String,
    },
    /// The day has no row of its own: the sheet is read as one row a week.
    ReadAsWeekly,
    /// There is no row; the rows look like one for each week.
    LooksWeekly,
    /// There is no row for the day; this one has the same day of another year.
    OtherYear {
        /// Where it is.
        row: Line,
        /// Its date.
        date: NaiveDate,
    },
    /// There is no row; these stand where it should, and can't be read.
    UnreadRows {
        /// The first of them.
        rows: Vec<Line>,
        /// How many more there are.
        more: usize,
    },
}

/// What is known of the team's members when a message is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembersTab {
    /// None is set: names are handles.
    NotSet,
    /// It can't be read.
    Unreadable,
    /// It was read.
    Read,
}

/// What the roster says for a day, from how old a copy, and whom to mention if it can't say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCallDay {
    /// The day.
    pub date: NaiveDate,
    /// Who is on call.
    pub on_call: OnCall,
    /// What else there is to say about it.
    pub notes: Vec<Note>,
    /// Whether a members tab says who people are.
    pub members: MembersTab,
    /// Age of the copy that says so, if the sheet can't be read now.
    pub copy_age: Option<TimeDelta>,
    /// The people to mention if nobody else can be.
    pub fallback: Vec<Person>,
}

impl OnCallDay {
    /// Reads the answer for `date` out of the state of the roster; `fallback` is written as in the sheet.
    #[must_use]
    pub fn from_reading(state: &RosterState, fallback: &[String], date: NaiveDate, now: DateTime<Utc>) -> Self {
        let people_of =
            |members: &Members| fallback.iter().flat_map(|entry| people::of_fallback_entry(members, entry)).collect();
        let Some(snapshot) = &state.snapshot else {
            return Self {
                date,
                on_call: OnCall::Unknown(state.failure.unwrap_or(SourceFailure::Down)),
                notes: Vec::new(),
                members: MembersTab::NotSet,
                copy_age: None,
                fallback: people_of(&Members::NamesAreHandles),
            };
        };
        let roster = &snapshot.roster;
        let (on_call, notes) = roster.day(date);
        let (on_call, notes, copy_age) = match (on_call, state.failure) {
            (on_call, None) => (on_call, notes, None),
            // Today's row may have been added since.
            (OnCall::NoRow, Some(failure)) => (OnCall::Unknown(failure), Vec::new(), None),
            (on_call, Some(_)) => (on_call, notes, Some((now - snapshot.read_at).max(TimeDelta::zero()))),
        };
        let members = match snapshot.tables.members {
            MembersTable::None => MembersTab::NotSet,
            MembersTable::Unreadable => MembersTab::Unreadable,
            MembersTable::Table(_) => MembersTab::Read,
        };
        Self { date, on_call, notes, members, copy_age, fallback: people_of(&roster.members) }
    }

    /// Whether a row of the day can't be read.
    #[must_use]
    pub fn has_unread_row(&self) -> bool {
        matches!(self.on_call, OnCall::NotUnderstood { .. })
            || self.notes.iter().any(|note| matches!(note, Note::RowNotUnderstood { .. }))
    }

    /// Whether neither anybody on call nor anybody of the fallback can be mentioned on this chat.
    #[must_use]
    pub fn mentions_nobody(&self, chat: ChatName) -> bool {
        let on_call = if let OnCall::People(people) = &self.on_call { people.as_slice() } else { &[] };
        on_call.iter().chain(&self.fallback).all(|person| person.mention(chat).is_none())
    }

    /// How many of the people on call can't be mentioned on this chat.
    #[must_use]
    pub fn unmentionable(&self, chat: ChatName) -> u32 {
        let OnCall::People(people) = &self.on_call else { return 0 };
        let count = people.iter().filter(|person| person.mention(chat).is_none()).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// The best that can be had of the roster now.
#[derive(Debug, Clone, Default)]
pub struct RosterState {
    /// The newest good copy.
    pub snapshot: Option<Snapshot>,
    /// Why that copy is not of now, if it isn't.
    pub failure: Option<SourceFailure>,
    /// Whether the members tab could not be read; an earlier one may serve.
    pub lacks_members: bool,
}

/// A good copy of the roster, parsed once, and the time it was read.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What was read.
    pub tables: Arc<Tables>,
    /// The same, parsed.
    pub roster: Arc<Roster>,
    /// The rows that could not be used, or not fully.
    pub problems: Arc<Vec<RowProblem>>,
    /// When it was read.
    pub read_at: DateTime<Utc>,
}

impl Snapshot {
    /// Parses what was read. The problems name rows and no people: they are for the log.
    #[must_use]
    pub fn new(
        tables: Tables,
        rules: &ReadingRules,
        today: NaiveDate,
        read_at: DateTime<Utc>,
    ) -> (Self, Vec<RowProblem>) {
        let (roster, problems) = Roster::parse(&tables, rules, today);
        let kept = Arc::new(problems.clone());
        (Self { tables: Arc::new(tables), roster: Arc::new(roster), problems: kept, read_at }, problems)
    }

    /// The same on another day: dates without a year and rows of weeks are read as seen from today.
    #[must_use]
    pub fn seen_on(self, today: NaiveDate, rules: &ReadingRules) -> Self {
        if self.roster.seen_on() == today {
            return self;
        }
        let (roster, problems) = Roster::parse(&self.tables, rules, today);
        Self { roster: Arc::new(roster), problems: Arc::new(problems), ..self }
    }
}

/// Why the roster's source could not be read, as far as the reader of a message needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFailure {
    /// It didn't answer in time.
    Slow,
    /// It can't be reached.
    Down,
    /// It answers that it is out of order.
    OutOfOrder,
    /// We may not read it.
    Forbidden,
    /// It isn't there.
    Missing,
    /// The range is none of the sheet's.
    BadRange,
    /// It is a document of another kind.
    NoSheet,
    /// It holds more than is read.
    TooLarge,
    /// Our key was not accepted.
    BadKey,
    /// Too many reads.
    TooManyReads,
    /// The answer makes no sense.
    Garbled,
}
