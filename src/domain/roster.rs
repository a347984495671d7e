//! Who is on call: a table as people write it, and the answer for each day.
//!
//! Cells are cleaned and merges resolved (`cells`); then the table is turned if its dates stand across, and its
//! header, dates and people are found (`layout`, `columns`, `titles`); then each row gets its days (`date`, `years`,
//! `weeks`, `rows`); then its cells are read as people (`people`, `pieces`, `words`, `members`). Every step is a pure
//! function. What can't be read is a problem of its row and hides no other row.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

mod cells;
mod columns;
mod date;
mod fallback;
mod layout;
mod members;
mod naming;
mod no_name;
mod on_call;
mod people;
mod person;
mod pieces;
mod problem;
mod rows;
mod spelling;
mod titles;
mod weeks;
mod words;
mod years;

pub use cells::{Cell, Line, Merge, Table, letters};
pub use fallback::FallbackProblem;
pub use members::MembersTable;
pub use on_call::{MembersTab, Note, OnCall, OnCallDay, RosterState, Snapshot, SourceFailure};
pub use person::{Gap, Mention, Person};
pub use problem::{RowIssue, RowProblem, Tab};

use super::calendar::Calendar;
use super::chat::ChatName;
use cells::Grid;
use layout::Layout;
use members::Members;
use naming::Naming;
use people::Reader;
use rows::{Duty, Rows, after};
use weeks::Weeks;

/// One reading of the roster's source.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    /// Who is on call when.
    pub roster: Table,
    /// Who they are on each chat.
    pub members: MembersTable,
}

/// Settings that decide how a sheet is read.
#[derive(Debug, Clone, Default)]
pub struct ReadingRules {
    /// `ROSTER_COLUMNS`: titles of the columns that name people.
    pub columns: Vec<String>,
    /// Working days, by which forgotten dates and rows of weeks are known.
    pub calendar: Calendar,
}

/// How a sheet was read, for whoever wants to check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Whether the dates stand across.
    pub is_turned: bool,
    /// The row of titles.
    pub header: Option<Line>,
    /// The columns of dates.
    pub dates: Vec<Line>,
    /// The columns that say who is on call.
    pub people: Vec<Line>,
    /// Columns that are not read, although nothing says that they are not people.
    pub left_out: Vec<Line>,
    /// Whether a row without an end holds for a week, now.
    pub is_weekly: bool,
}

/// A parsed roster: who is on call on each day that has a row.
#[derive(Debug, Clone)]
pub struct Roster {
    duties: Vec<(Line, Duty)>,
    by_start: BTreeMap<NaiveDate, Vec<usize>>,
    lost: Vec<(Line, rows::Lost)>,
    weeks: Vec<std::sync::Arc<Weeks>>,
    /// The titles of columns that are left out, by column.
    titles: BTreeMap<usize, String>,
    missing: Vec<String>,
    shape: Shape,
    today: NaiveDate,
    members: Members,
}

impl Roster {
    /// No row holds for more days.
    const MAX_LENGTH: i64 = 31;
    /// As many rows as a message names.
    const NAMED_ROWS: usize = 5;

    /// Parses both tables as seen on `today`. Bad rows are reported by number and hide no good ones.
    #[must_use]
    pub fn parse(tables: &Tables, rules: &ReadingRules, today: NaiveDate) -> (Self, Vec<RowProblem>) {
        let (members, mut problems) = Members::parse(&tables.members);
        let mut reader = Reader::new(&members);
        let grid = Grid::of(&tables.roster);
        let grid = if layout::is_turned(&grid) { grid.turn() } else { grid };
        let layout = Layout::of(&grid, &rules.columns, &mut reader);
        let mut roster = Self::empty(&grid, &layout, today);
        let mut found: Vec<(usize, RowIssue)> = Vec::new();
        for part in &layout.parts {
            let rows = Rows::of(&grid, &layout, part, rules, today, &mut reader);
            found.extend(rows.slips);
            found.extend(rows.lost.iter().map(|lost| (lost.row, lost.issue.clone())));
            for duty in rows.duties {
                found.extend(issues(&duty).into_iter().map(|issue| (duty.row, issue)));
                roster.shape.is_weekly |= duty.weekly;
                roster.by_start.entry(duty.start).or_default().push(roster.duties.len());
                roster.duties.push((grid.line(duty.row), duty));
            }
            roster.lost.extend(rows.lost.into_iter().map(|lost| (grid.line(lost.row), lost)));
            roster.weeks.push(rows.weeks.into());
        }
        found.sort_by_key(|(row, _)| *row);
        problems.extend(found.into_iter().map(|(row, issue)| RowProblem {
            tab: Tab::Roster,
            row: grid.line(row),
            issue,
        }));
        roster.members = members;
        (roster, problems)
    }

    /// The name of the member who has this id on a chat.
    #[must_use]
    pub fn member_called(&self, id: &str) -> Option<&str> {
        self.members.with_id(id).map(Person::name)
    }

    fn empty(grid: &Grid, layout: &Layout, today: NaiveDate) -> Self {
        let lines =
            |columns: &mut dyn Iterator<Item = usize>| columns.map(|column| grid.line_of_column(column)).collect();
        let title = |column: usize| {
            let title = layout.header.and_then(|header| grid.value(header, column).text());
            title.map_or_else(|| grid.line_of_column(column).to_string(), |title| title.replace('\n', " "))
        };
        let parts = &layout.parts;
        let left_out = || parts.iter().flat_map(|part| part.left_out.iter().copied());
        Self {
            duties: Vec::new(),
            by_start: BTreeMap::new(),
            lost: Vec::new(),
            weeks: Vec::new(),
            titles: left_out().map(|column| (column, title(column))).collect(),
            missing: layout.missing.clone(),
            shape: Shape {
                is_turned: grid.is_turned(),
                header: layout.header.map(|row| grid.line(row)),
                dates: lines(&mut parts.iter().map(|part| part.dates)),
                people: lines(&mut parts.iter().flat_map(|part| part.columns.iter().map(|column| column.index))),
                left_out: lines(&mut left_out()),
                is_weekly: false,
            },
            today,
            members: Members::NamesAreHandles,
        }
    }

    /// The day on which dates without a year and rows of weeks were decided.
    #[must_use]
    pub fn seen_on(&self) -> NaiveDate {
        self.today
    }

    /// How the sheet was read.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Who is on call that day; several rows of one day add up, and nobody is named twice.
    #[must_use]
    pub fn on_call(&self, date: NaiveDate) -> OnCall {
        self.day(date).0
    }

    /// Who is on call that day, and what else there is to say about it.
    #[must_use]
    pub fn day(&self, date: NaiveDate) -> (OnCall, Vec<Note>) {
        let rows: Vec<&(Line, Duty)> = self.rows_of(date).collect();
        let mut naming = Naming::default();
        let mut troubles: Vec<(Line, RowIssue)> = Vec::new();
        for (line, duty) in &rows {
            let row = of_the_day(duty, date);
            match trouble(&row) {
                Some(issue) => troubles.push((*line, issue)),
                None => naming.add(&row),
            }
        }
        let mut notes = self.notes_on(&rows);
        let on_call = if !naming.people.is_empty() {
            notes.extend(naming.undecided.then_some(Note::PartlyUndecided));
            notes.extend(troubles.into_iter().map(|(row, issue)| Note::RowNotUnderstood { row, issue }));
            OnCall::People(naming.people)
        } else if let Some((row, issue)) = troubles.into_iter().next() {
            OnCall::NotUnderstood { row, issue }
        } else if naming.undecided {
            OnCall::Undecided
        } else if !rows.is_empty() {
            OnCall::Nobody
        } else if let Some((row, lost)) = self.lost.iter().find(|(_, lost)| lost.may_be_about(date)) {
            OnCall::NotUnderstood { row: *row, issue: lost.issue.clone() }
        } else {
            notes.extend(self.hints(date));
            OnCall::NoRow
        };
        notes.extend(self.missing.iter().map(|title| Note::ColumnMissing { title: title.clone() }));
        (on_call, notes)
    }

    /// The rows that hold on a day, in the order of the sheet.
    fn rows_of(&self, date: NaiveDate) -> impl Iterator<Item = &(Line, Duty)> {
        let starts = self.by_start.range(after(date, 1 - Self::MAX_LENGTH)..=date);
        let mut rows: Vec<usize> = starts.flat_map(|(_, rows)| rows.iter().copied()).collect();
        rows.sort_unstable();
        rows.into_iter().map(|row| &self.duties[row]).filter(move |(_, duty)| date <= duty.until)
    }

    fn notes_on(&self, rows: &[&(Line, Duty)]) -> Vec<Note> {
        let mut notes = Vec::new();
        if rows.iter().any(|(_, duty)| duty.weekly) {
            notes.push(Note::ReadAsWeekly);
        }
        for title in rows.iter().flat_map(|(_, duty)| &duty.left_out).filter_map(|column| self.titles.get(column)) {
            let note = Note::ColumnLeftOut { title: title.clone() };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    /// What may help whoever looks for the row of a day that has none.
    fn hints(&self, date: NaiveDate) -> Vec<Note> {
        let mut hints = Vec::new();
        let is_that_day = |other: NaiveDate| (other.month(), other.day()) == (date.month(), date.day());
        let other_years = self.by_start.iter().filter(|(start, _)| is_that_day(**start));
        let nearest = other_years.min_by_key(|(start, _)| (**start - date).abs());
        hints.extend(nearest.and_then(|(start, rows)| {
            let (row, _) = self.duties.get(*rows.first()?)?;
            Some(Note::OtherYear { row: *row, date: *start })
        }));
        if self.weeks.iter().any(|weeks| weeks.look_weekly_around(date)) {
            hints.push(Note::LooksWeekly);
        }
        let unread = self.unread_around(date);
        if !unread.is_empty() {
            let more = unread.len().saturating_sub(Self::NAMED_ROWS);
            hints.push(Note::UnreadRows { rows: unread.into_iter().take(Self::NAMED_ROWS).collect(), more });
        }
        hints
    }

    /// The rows that can't be read between those of the days before and after.
    fn unread_around(&self, date: NaiveDate) -> Vec<Line> {
        let place = |rows: &Vec<usize>| {
            let places = rows.iter().map(|row| self.duties[*row].1.row);
            (places.clone().min().unwrap_or(0), places.max().unwrap_or(usize::MAX))
        };
        let before = self.by_start.range(..date).next_back().map(|(_, rows)| place(rows));
        let later = self.by_start.range(date..).next().map(|(_, rows)| place(rows));
        let between = match (before, later) {
            (Some((first, last)), Some((next_first, next_last))) => {
                if last <= next_first {
                    last..next_first
                } else {
                    next_last..first.max(next_last)
                }
            }
            (Some((_, last)), None) => last..usize::MAX,
            (None, Some((first, _))) => 0..first,
            (None, None) => 0..usize::MAX,
        };
        self.lost.iter().filter(|(_, lost)| between.contains(&lost.row)).map(|(line, _)| *line).collect()
    }
}

/// What the cells of a row say for one of its days.
fn of_the_day(duty: &Duty, date: NaiveDate) -> Naming {
    let mut naming = Naming::default();
    for (weekday, cell) in &duty.cells {
        if weekday.is_none_or(|weekday| weekday == date.weekday()) {
            naming.add(cell);
        }
    }
    naming
}

/// Why a row is not understood, if it isn't.
fn trouble(row: &Naming) -> Option<RowIssue> {
    row.trouble.clone().or_else(|| row.no_name.clone().filter(|_| row.people.is_empty()))
}

/// Everything that is wrong with the cells of a row, each kind once.
fn issues(duty: &Duty) -> Vec<RowIssue> {
    let mut issues: Vec<RowIssue> = Vec::new();
    for (_, cell) in &duty.cells {
        let gaps = cell.people.iter().filter_map(|person| match person.gap(ChatName::Typetalk) {
            Some(Gap::NotAMember) if !person.can_be_mentioned() => Some(RowIssue::NotAMember),
            Some(Gap::TwoMembers) => Some(RowIssue::TwoMembers),
            _ => None,
        });
        let matters = |issue: &&RowIssue| **issue == RowIssue::FormulaError || cell.people.is_empty();
        let no_name = cell.no_name.as_ref().filter(matters).cloned();
        for issue in cell.trouble.iter().cloned().chain(no_name).chain(gaps) {
            if !issues.contains(&issue) {
                issues.push(issue);
            }
        }
    }
    issues
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
