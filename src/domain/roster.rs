//! Who is on call: a table of dates and names, and the answer for one day.

use std::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::chat::ChatName;

mod date;
mod member;

pub use member::{FallbackProblem, Mention, Person};

use member::Members;

/// One cell of a table as the sheet holds it.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A number; in the date column, Google's serial number of a day.
    Number(f64),
    /// Text.
    Text(String),
    /// A tick box: nobody's name.
    Flag,
}

/// Rows of cells, and the number that the sheet gives the first of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The sheet's number of the first row, from 1.
    pub first_row: usize,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

/// What is known of the members of the team.
#[derive(Debug, Clone, PartialEq)]
pub enum MembersTable {
    /// No such tab is configured: a name is a handle.
    None,
    /// The tab.
    Table(Table),
    /// It is configured and could not be read: nobody can be mapped.
    Unreadable,
}

/// One reading of the roster's source.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    /// Column 1 dates, further columns people.
    pub roster: Table,
    /// Who they are on each chat.
    pub members: MembersTable,
}

/// The best that can be had of the roster now.
#[derive(Debug, Clone, PartialEq)]
pub struct RosterState {
    /// The newest good copy.
    pub copy: Option<Snapshot>,
    /// Why that copy is not of now, if it isn't.
    pub failure: Option<SourceFailure>,
}

/// A good copy and the time it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// What was read.
    pub tables: std::sync::Arc<Tables>,
    /// When.
    pub read_at: DateTime<Utc>,
}

/// Why the roster's source could not be read, as far as the reader of a message needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFailure {
    /// It didn't answer in time.
    Slow,
    /// It can't be reached.
    Down,
    /// It answers with a server error.
    OutOfOrder,
    /// We may not read it.
    Forbidden,
    /// It isn't there.
    Missing,
    /// The range is none of the sheet's.
    BadRange,
    /// Our key was not accepted.
    BadKey,
    /// Too many reads.
    TooManyReads,
    /// The answer is not what the source answers.
    Garbled,
}

/// Who is on call on one day. The last three are subject for the reader, not errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnCall {
    /// These people.
    People(Vec<Person>),
    /// The day's row is there, and empty.
    Nobody,
    /// The sheet has no row for the day.
    NoRow,
    /// The sheet can't be read, and no good copy has the day's row.
    Unknown(SourceFailure),
}

/// What the roster says for a day, from how old a copy, and whom to mention if it can't say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCallDay {
    /// The day.
    pub date: NaiveDate,
    /// Who is on call.
    pub on_call: OnCall,
    /// Age of the copy that says so, if the sheet can't be read now.
    pub copy_age: Option<TimeDelta>,
    /// People of last resort.
    pub fallback: Vec<Person>,
}

impl OnCallDay {
    /// Reads the answer for `date` out of a reading; `fallback` is written as in the sheet.
    #[must_use]
    pub fn from_reading(reading: &RosterState, fallback: &[String], date: NaiveDate, now: DateTime<Utc>) -> Self {
        let Some(copy) = &reading.copy else {
            let members = Members::none();
            return Self {
                date,
                on_call: OnCall::Unknown(reading.failure.unwrap_or(SourceFailure::Down)),
                copy_age: None,
                fallback: fallback.iter().flat_map(|cell| members.fallback_people(cell)).collect(),
            };
        };
        let (roster, _) = Roster::parse(&copy.tables, date);
        let (on_call, copy_age) = match (roster.on_call(date), reading.failure) {
            (on_call, None) => (on_call, None),
            (OnCall::NoRow, Some(failure)) => (OnCall::Unknown(failure), None),
            (on_call, Some(_)) => (on_call, Some((now - copy.read_at).max(TimeDelta::zero()))),
        };
        let fallback = fallback.iter().flat_map(|cell| roster.members.fallback_people(cell)).collect();
        Self { date, on_call, copy_age, fallback }
    }

    /// How many of the people on call can't be mentioned on this chat.
    #[must_use]
    pub fn unmentionable(&self, chat: ChatName) -> u32 {
        let OnCall::People(people) = &self.on_call else { return 0 };
        let count = people.iter().filter(|person| person.mention(chat).is_none()).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// A parsed roster: who is on call on each day that has a row.
#[derive(Debug, Clone)]
pub struct Roster {
    days: Vec<(NaiveDate, Vec<Person>)>,
    members: Members,
}

impl Roster {
    /// Parses both tables. Bad rows are told by number and hide no good ones.
    #[must_use]
    pub fn parse(tables: &Tables, today: NaiveDate) -> (Self, Vec<RowProblem>) {
        let (members, mut problems) = Members::parse(&tables.members);
        let mut days = Vec::new();
        for (index, row) in tables.roster.rows.iter().enumerate() {
            let mut problem = |issue| {
                problems.push(RowProblem { tab: Tab::Roster, row: tables.roster.first_row + index, issue });
            };
            let (date_cell, name_cells) = row.split_first().map_or((&Cell::Empty, &[][..]), |split| split);
            let date = match date::parse(date_cell, today) {
                Ok(Some(date)) => date,
                // Somebody's slip in the weekday must not cost the day its people.
                Err(RowIssue::OtherWeekday { date }) => {
                    problem(RowIssue::OtherWeekday { date });
                    date
                }
                Ok(None) if name_cells.iter().all(is_blank) => continue,
                Ok(None) | Err(_) if index == 0 && !has_digits(date_cell) => continue, // the header
                Ok(None) => {
                    problem(RowIssue::NoDate);
                    continue;
                }
                Err(issue) => {
                    problem(issue);
                    continue;
                }
            };
            let mut people = Vec::new();
            for cell in name_cells {
                match cell {
                    Cell::Text(text) if is_formula_error(text) => problem(RowIssue::FormulaError),
                    // A name of digits only comes as a number.
                    Cell::Text(_) | Cell::Number(_) => {
                        let (named, unknown) = members.people(&member::text_of(Some(cell)));
                        people.extend(named);
                        if unknown {
                            problem(RowIssue::NotAMember);
                        }
                    }
                    Cell::Empty | Cell::Flag => {}
                }
            }
            days.push((date, people));
        }
        (Self { days, members }, problems)
    }

    /// Who is on call that day; several rows of one day add up, and nobody is named twice.
    #[must_use]
    pub fn on_call(&self, date: NaiveDate) -> OnCall {
        let rows: Vec<_> = self.days.iter().filter(|(day, _)| *day == date).collect();
        if rows.is_empty() {
            return OnCall::NoRow;
        }
        let mut people: Vec<Person> = Vec::new();
        for person in rows.into_iter().flat_map(|(_, people)| people) {
            if !people.iter().any(|known| known.name() == person.name()) {
                people.push(person.clone());
            }
        }
        if people.is_empty() { OnCall::Nobody } else { OnCall::People(people) }
    }
}

/// A header has none; a date that can't be read has some, and must not pass for a header.
fn has_digits(cell: &Cell) -> bool {
    match cell {
        Cell::Number(_) => true,
        Cell::Text(text) => text.chars().any(char::is_numeric),
        Cell::Empty | Cell::Flag => false,
    }
}

fn is_blank(cell: &Cell) -> bool {
    match cell {
        Cell::Empty | Cell::Flag => true,
        Cell::Text(text) => text.trim().is_empty(),
        Cell::Number(_) => false,
    }
}

/// What a cell shows whose formula failed, such as `#REF!` or `#N/A`.
fn is_formula_error(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('#') && (text.ends_with('!') || text.ends_with('?') || text == "#N/A")
}

/// A row that could not be used, or not fully. It names no people: it goes to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// In which tab.
    pub tab: Tab,
    /// The sheet's row number.
    pub row: usize,
    /// What is wrong.
    pub issue: RowIssue,
}

/// One of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Dates and people.
    Roster,
    /// People and their handles.
    Members,
}

/// What can be wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowIssue {
    /// The first cell is no date.
    NoDate,
    /// The written weekday is not that of the date.
    OtherWeekday {
        /// The date, which is believed.
        date: NaiveDate,
    },
    /// A cell's formula failed.
    FormulaError,
    /// A name is not in the members tab.
    NotAMember,
    /// A row of the members tab has handles and no name.
    NoName,
    /// A row of the members tab names somebody who has a row already.
    Twice,
    /// The members tab has no header row with a name column.
    NoHeader,
    /// A handle has characters that no handle has.
    BadHandle(ChatName),
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tab = match self.tab {
            Tab::Roster => "roster",
            Tab::Members => "members tab",
        };
        write!(f, "{tab}, row {}: ", self.row)?;
        match &self.issue {
            RowIssue::NoDate => {
                write!(f, "the first cell is no date; write one like 2026-11-24, 2026/11/24 or 11/24(火)")
            }
            RowIssue::OtherWeekday { date } => {
                write!(f, "the weekday is not that of {date}; the row is used for {date}, please correct it")
            }
            RowIssue::FormulaError => write!(f, "a cell shows a formula error; mend the formula or write the name"),
            RowIssue::NotAMember => write!(f, "a name is not in the members tab and can't be mentioned; add it there"),
            RowIssue::NoName => write!(f, "there is no name; write it as the roster does"),
            RowIssue::Twice => {
                write!(f, "the name has a row already; both are used, the first where they differ; remove one")
            }
            RowIssue::NoHeader => write!(
                f,
                "the first row must be a header with a column `name` (or `名前`), and `typetalk` and/or `slack`"
            ),
            RowIssue::BadHandle(ChatName::Typetalk) => {
                write!(f, "the Typetalk id has characters that no id has; use letters, digits and _ . + -")
            }
            RowIssue::BadHandle(ChatName::Slack) => write!(
                f,
                "the Slack id is none; copy the member ID (U… or W…) from the person's profile, or a user group's (S…)"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
