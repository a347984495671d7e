//! What can be wrong with a row of the roster or of the members tab, and what to do about it.

use std::fmt;

use chrono::NaiveDate;

use super::cells::Line;
use crate::domain::chat::ChatName;

/// A row that could not be used, or not fully. It names no people: it goes to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// In which tab.
    pub tab: Tab,
    /// Where in the sheet.
    pub row: Line,
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
    /// The date cell is not a date.
    NoDate,
    /// The date's numbers can be read in several orders.
    OrderUnclear,
    /// No year is written, and neither last, this nor next year fits the weekday or the rows around.
    NoYear,
    /// A range ends before it begins, or is longer than 31 days.
    BadRange,
    /// The end of the range is not a date.
    BadEnd,
    /// The date is missing, and the days left out between the dates around say that it was forgotten.
    DateForgotten,
    /// The written weekday is not that of the date.
    OtherWeekday {
        /// The date, which is believed.
        date: NaiveDate,
    },
    /// A cell's formula failed.
    FormulaError,
    /// A cell belongs to a merged cell that begins outside the range.
    MergeOutside,
    /// A date, time, weekday, number or phone stands where a name is expected.
    NotAName,
    /// A cell has a name and a word for nobody.
    NameAndNobody,
    /// A cell has an arrow beside further names, or in brackets.
    Arrow,
    /// A cell has another member's name in brackets.
    NameInBrackets,
    /// A cell has a note instead of a name.
    NoteOnly,
    /// A cell among marks is not a mark.
    NotAMark,
    /// None of the columns that `ROSTER_COLUMNS` names is there.
    NoColumns,
    /// No column is one of people.
    NoPeople,
    /// A name is not in the members tab.
    NotAMember,
    /// A name fits two members with different ids.
    TwoMembers,
    /// A row of the members tab has handles and no name.
    NoName,
    /// A row of the members tab names somebody who has a row already.
    Twice,
    /// The members tab has no header row with a name column.
    NoHeader,
    /// A handle has characters that no handle has.
    BadHandle(ChatName),
}

impl RowIssue {
    /// What to do about it, in the log's words.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NoDate => "the first cell is no date; write one like 2026-11-24, 2026/11/24 or 11/24(火)".to_owned(),
            Self::OrderUnclear => {
                "the date can be read in several ways; write it like 2026-11-24, or add the weekday".to_owned()
            }
            Self::NoYear => "the date has no year, and its weekday fits neither last, this nor next year; \
                             correct the weekday or write the year"
                .to_owned(),
            Self::BadRange => {
                "the range ends before it begins or is longer than 31 days; correct it or split it".to_owned()
            }
            Self::BadEnd => "the end of the range is no date; write one like 2026-11-27".to_owned(),
            Self::DateForgotten => {
                "the date is missing, and as many days are left out as rows have none; write the dates".to_owned()
            }
            Self::OtherWeekday { date } => {
                format!("the weekday is not that of {date}; the row is used for {date}, please correct it")
            }
            Self::FormulaError => "a cell shows a formula error; mend the formula or write the name".to_owned(),
            Self::MergeOutside => {
                "a merged cell begins outside ROSTER_RANGE; begin the range there or take the merge apart".to_owned()
            }
            Self::NotAName => {
                "a date, time, weekday, number or phone stands where a name is expected; give its column \
                               a title that says what it is, or name the people's columns in ROSTER_COLUMNS"
                    .to_owned()
            }
            Self::NameAndNobody => "a cell has a name and a word for nobody; write only who is on call".to_owned(),
            Self::Arrow => "a cell has an arrow beside further names; write only who is on call".to_owned(),
            Self::NameInBrackets => "a cell has another name in brackets; write only who is on call".to_owned(),
            Self::NoteOnly => "a cell has a note and no name; move it to a column for notes".to_owned(),
            Self::NotAMark => "a cell among marks is no mark; write ○ or leave it empty".to_owned(),
            Self::NoColumns => {
                "the sheet has none of the columns that ROSTER_COLUMNS names; correct one of the two".to_owned()
            }
            Self::NoPeople => {
                "no column's title says that it has people; name the people's columns in ROSTER_COLUMNS".to_owned()
            }
            Self::NotAMember => "a name is not in the members tab and can't be mentioned; add it there".to_owned(),
            Self::TwoMembers => {
                "a name fits two members with different ids, and neither is mentioned; write it as the tab does"
                    .to_owned()
            }
            Self::NoName => "there is no name; write it as the roster does".to_owned(),
            Self::Twice => {
                "the name has a row already; where the two differ nobody is mentioned; remove one".to_owned()
            }
            Self::NoHeader => "the first row must be a header with a column `name` (or `名前`), and `typetalk` and/or \
                               `slack`"
                .to_owned(),
            Self::BadHandle(ChatName::Typetalk) => {
                "the Typetalk id has characters that no id has; use letters, digits and _ . + -".to_owned()
            }
            Self::BadHandle(ChatName::Slack) => {
                "the Slack id is none; copy the member ID (U… or W…) from the person's \
                                                 profile, or a user group's (S…)"
                    .to_owned()
            }
        }
    }
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tab = match self.tab {
            Tab::Roster => "roster",
            Tab::Members => "members tab",
        };
        write!(f, "{tab}, {}: {}", self.row, self.issue.remedy())
    }
}
