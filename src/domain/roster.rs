//! Who is on call: a table as people write it, and the answer for each day.
//!
//! Cells are cleaned and merges resolved (`cells`); then the table is turned if its dates stand across, and its
//! header, dates and people are found (`layout`, `columns`, `titles`); then each row gets its days (`date`, `years`,
//! `weeks`, `rows`). Its cells are read as people only when one of its days is asked for (`duty`, `people`, `pieces`,
//! `words`, `members`), and for the problems of the days around today. Every step is a pure function. What can't be
//! read is a problem of its row and hides no other row.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

mod cells;
mod columns;
mod date;
mod duty;
mod fallback;
mod labels;
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
use cells::Grid;
use duty::{Duty, RowReader};
use layout::Layout;
use members::Members;
use naming::Naming;
use people::MemberCells;
use rows::{Lost, Rows, after};
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

/// A parsed roster: which rows hold on which day. Who is on call is read in their cells when a day is asked for.
#[derive(Debug)]
pub struct Roster {
    grid: Grid,
    layout: Layout,
    members: Members,
    duties: Vec<Duty>,
    by_start: BTreeMap<NaiveDate, Vec<usize>>,
    lost: Vec<Lost>,
    weeks: Vec<Weeks>,
    today: NaiveDate,
}

impl Roster {
    /// No row holds for more days.
    const MAX_LENGTH: i64 = 31;
    /// As many rows as a message names.
    const NAMED_ROWS: usize = 5;
    /// The days from today of which problems in people's cells are reported. Last week's may still be mended for the
    /// record; whoever plans looks no further ahead than two months, and a reminder no further than two weeks.
    const PROBLEMS_FROM: i64 = -7;
    const PROBLEMS_UNTIL: i64 = 60;

    /// Parses both tables as seen on `today`. Bad rows are reported by number and hide no good ones: all whose dates
    /// are wrong, and of those around today whatever is wrong with their people.
    #[must_use]
    pub fn parse(tables: &Tables, rules: &ReadingRules, today: NaiveDate) -> (Self, Vec<RowProblem>) {
        let (members, mut problems) = Members::parse(&tables.members);
        let grid = Grid::of(&tables.roster);
        let grid = if layout::is_turned(&grid) { grid.turn() } else { grid };
        let layout = Layout::of(&grid, &rules.columns, &mut MemberCells::new(&members));
        let mut found: Vec<(usize, RowIssue)> = Vec::new();
        let (mut duties, mut lost, mut weeks) = (Vec::new(), Vec::new(), Vec::new());
        for part in 0..layout.parts.len() {
            let rows = Rows::of(&grid, &layout, part, rules, today);
            found.extend(rows.slips);
            found.extend(rows.lost.iter().map(|lost| (lost.row, lost.issue.clone())));
            duties.extend(rows.duties);
            lost.extend(rows.lost);
            weeks.push(rows.weeks);
        }
        let mut by_start: BTreeMap<NaiveDate, Vec<usize>> = BTreeMap::new();
        for (index, duty) in duties.iter().enumerate() {
            by_start.entry(duty.start).or_default().push(index);
        }
        let mut cells = RowReader::new(&grid, &layout, &members);
        let (from, until) = (after(today, Self::PROBLEMS_FROM), after(today, Self::PROBLEMS_UNTIL));
        for duty in duties.iter().filter(|duty| duty.start <= until && from <= duty.until) {
            found.extend(cells.issues(duty).into_iter().map(|issue| (duty.row, issue)));
        }
        found.sort_by_key(|(row, _)| *row);
        problems.extend(found.into_iter().map(|(row, issue)| RowProblem {
            tab: Tab::Roster,
            row: grid.line(row),
            issue,
        }));
        (Self { grid, layout, members, duties, by_start, lost, weeks, today }, problems)
    }

    /// The name of the member who has this id on a chat.
    #[must_use]
    pub fn member_called(&self, id: &str) -> Option<&str> {
        self.members.with_id(id).map(Person::name)
    }

    /// The day on which dates without a year and rows of weeks were decided.
    #[must_use]
    pub fn seen_on(&self) -> NaiveDate {
        self.today
    }

    /// Everybody of the members tab.
    #[must_use]
    pub fn everybody(&self) -> &[Person] {
        self.members.directory().map_or(&[], members::Directory::people)
    }

    /// How the sheet was read.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let Layout { header, parts, .. } = &self.layout;
        let line = |column: &usize| self.grid.line_of_column(*column);
        Shape {
            is_turned: self.grid.is_turned(),
            header: header.map(|row| self.grid.line(row)),
            dates: parts.iter().map(|part| line(&part.dates)).collect(),
            people: parts.iter().flat_map(|part| &part.columns).map(|column| line(&column.index)).collect(),
            left_out: parts.iter().flat_map(|part| &part.left_out).map(line).collect(),
            is_weekly: self.duties.iter().any(|duty| duty.weekly),
        }
    }

    /// Who is on call that day; several rows of one day add up, and nobody is named twice.
    #[must_use]
    pub fn on_call(&self, date: NaiveDate) -> OnCall {
        self.day(date).0
    }

    /// Who is on call that day, and what else there is to say about it.
    #[must_use]
    pub fn day(&self, date: NaiveDate) -> (OnCall, Vec<Note>) {
        let rows: Vec<&Duty> = self.rows_of(date).collect();
        let mut cells = RowReader::new(&self.grid, &self.layout, &self.members);
        let mut naming = Naming::default();
        let mut troubles: Vec<(Line, RowIssue)> = Vec::new();
        for duty in &rows {
            let row = cells.on(duty, date);
            match row.issue() {
                Some(issue) => troubles.push((self.grid.line(duty.row), issue)),
                None => naming.add(&row),
            }
        }
        let mut notes = self.notes_on(&rows, &cells);
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
        } else if let Some(lost) = self.lost.iter().find(|lost| lost.may_be_about(date)) {
            OnCall::NotUnderstood { row: self.grid.line(lost.row), issue: lost.issue.clone() }
        } else {
            notes.extend(self.hints(date));
            OnCall::NoRow
        };
        notes.extend(self.layout.missing.iter().map(|title| Note::ColumnMissing { title: title.clone() }));
        (on_call, notes)
    }

    /// The rows that hold on a day, in the order of the sheet.
    fn rows_of(&self, date: NaiveDate) -> impl Iterator<Item = &Duty> {
        let starts = self.by_start.range(after(date, 1 - Self::MAX_LENGTH)..=date);
        let mut rows: Vec<usize> = starts.flat_map(|(_, rows)| rows.iter().copied()).collect();
        rows.sort_unstable();
        rows.into_iter().map(|row| &self.duties[row]).filter(move |duty| date <= duty.until)
    }

    fn notes_on(&self, rows: &[&Duty], cells: &RowReader<'_>) -> Vec<Note> {
        let mut notes = Vec::new();
        if rows.iter().any(|duty| duty.weekly) {
            notes.push(Note::ReadAsWeekly);
        }
        for column in rows.iter().flat_map(|duty| cells.left_out(duty)) {
            let note = Note::ColumnLeftOut { title: self.title(column) };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    /// A column's title; a letter if it has none.
    fn title(&self, column: usize) -> String {
        let title = self.layout.header.and_then(|header| self.grid.value(header, column).text());
        title.map_or_else(|| self.grid.line_of_column(column).to_string(), |title| title.replace('\n', " "))
    }

    /// What may help whoever looks for the row of a day that has none.
    fn hints(&self, date: NaiveDate) -> Vec<Note> {
        let mut hints = Vec::new();
        let is_that_day = |other: NaiveDate| (other.month(), other.day()) == (date.month(), date.day());
        let other_years = self.by_start.iter().filter(|(start, _)| is_that_day(**start));
        let nearest = other_years.min_by_key(|(start, _)| (**start - date).abs());
        hints.extend(nearest.and_then(|(start, rows)| {
            let duty = self.duties.get(*rows.first()?)?;
            Some(Note::OtherYear { row: self.grid.line(duty.row), date: *start })
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
            let places = rows.iter().map(|row| self.duties[*row].row);
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
        let lost = self.lost.iter().map(|lost| lost.row).filter(|row| between.contains(row));
        lost.map(|row| self.grid.line(row)).collect()
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
