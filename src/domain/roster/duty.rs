//! A row that says who is on call, and its cells: read when one of its days is asked for.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate, Weekday};

use super::cells::{Grid, Value};
use super::columns::{Column, ColumnKind};
use super::layout::{Layout, Part};
use super::members::Members;
use super::naming::Naming;
use super::no_name::is_no_name;
use super::people::Reader;
use super::person::Gap;
use super::problem::RowIssue;
use super::words::{self, Mark, Word};

/// A row that says who is on call on some days.
#[derive(Debug, Clone)]
pub(super) struct Duty {
    /// Its place in the grid.
    pub(super) row: usize,
    /// Its table's place among those of the sheet.
    pub(super) part: usize,
    pub(super) start: NaiveDate,
    pub(super) until: NaiveDate,
    /// Whether it holds that long only because the table has a row a week.
    pub(super) weekly: bool,
}

/// Reads what the cells of rows say about people.
pub(super) struct RowReader<'a> {
    grid: &'a Grid,
    layout: &'a Layout,
    reader: Reader<'a>,
}

impl<'a> RowReader<'a> {
    pub(super) fn new(grid: &'a Grid, layout: &'a Layout, members: &'a Members) -> Self {
        Self { grid, layout, reader: Reader::new(members) }
    }

    /// What a row says for one of its days.
    pub(super) fn on(&mut self, duty: &Duty, date: NaiveDate) -> Naming {
        let mut naming = Naming::default();
        for cell in self.cells(duty, Some(date.weekday())) {
            naming.add(&cell);
        }
        // On a calendar's page the columns of the other weekdays hold dates: that says nothing of this day.
        if naming == Naming::default() && !self.has_column_for(duty, date.weekday()) {
            let is_no_name = |cell: &Arc<Naming>| cell.trouble == Some(RowIssue::NotAName);
            naming.trouble = self.cells(duty, None).into_iter().find(is_no_name).and_then(|cell| cell.trouble.clone());
        }
        naming
    }

    fn has_column_for(&self, duty: &Duty, day: Weekday) -> bool {
        let is_for = |column: &Column| !matches!(column.kind, ColumnKind::NamesOn(weekday) if weekday != day);
        self.part(duty).columns.iter().any(is_for)
    }

    /// Everything that is wrong with the cells of a row, each kind once.
    pub(super) fn issues(&mut self, duty: &Duty) -> Vec<RowIssue> {
        let mut issues: Vec<RowIssue> = Vec::new();
        for cell in self.cells(duty, None) {
            let gaps = cell.people.iter().filter_map(|person| match person.unknown() {
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

    /// Columns that are not read and hold more than a date, a number or a word for nobody.
    pub(super) fn left_out(&self, duty: &Duty) -> impl Iterator<Item = usize> {
        let holds_text = |column: &usize| {
            let value = self.grid.value(duty.row, *column);
            value.text().is_some_and(|text| {
                let says_nobody = matches!(words::word(text), Some(Word::Nobody { .. }));
                value.says_something() && !says_nobody && !value.is_formula_error() && !is_no_name(text)
            })
        };
        self.part(duty).left_out.iter().copied().filter(holds_text)
    }

    fn part(&self, duty: &Duty) -> &'a Part {
        &self.layout.parts[duty.part]
    }

    /// What each cell says, of one weekday if the row has a column for each.
    fn cells(&mut self, duty: &Duty, on: Option<Weekday>) -> Vec<Arc<Naming>> {
        let trouble = |issue| vec![Arc::new(Naming::trouble(issue))];
        if self.layout.lacks_all {
            return trouble(RowIssue::NoColumns);
        }
        // Every title says that its column has no people, and yet something is written there.
        if self.layout.parts.iter().all(|part| part.columns.is_empty()) && self.has_more_than_dates(duty) {
            return trouble(RowIssue::NoPeople);
        }
        let (grid, part) = (self.grid, self.part(duty));
        let cells = part.columns.iter().map(|column| (column, grid.value(duty.row, column.index)));
        cells
            .filter(|(_, value)| !value.is_blank())
            .filter_map(|(column, value)| self.cell(*column, value, on))
            .collect()
    }

    fn cell(&mut self, column: Column, value: &Value, on: Option<Weekday>) -> Option<Arc<Naming>> {
        match column.kind {
            ColumnKind::Names => Some(self.reader.cell(value)),
            ColumnKind::NamesOn(weekday) => on.is_none_or(|on| on == weekday).then(|| self.reader.cell(value)),
            ColumnKind::Marks => match words::mark(value) {
                Some(Mark::Unset { .. }) => None,
                Some(Mark::Set) => Some(self.heading(column)),
                None => Some(Arc::new(Naming::trouble(RowIssue::NotAMark))),
            },
        }
    }

    /// The person who heads a column of marks.
    fn heading(&mut self, column: Column) -> Arc<Naming> {
        let title = self.layout.header.map(|header| self.grid.value(header, column.index));
        let naming = title.map(|title| self.reader.cell(title)).filter(|naming| !naming.people.is_empty());
        naming.unwrap_or_else(|| Arc::new(Naming::trouble(RowIssue::NotAMark)))
    }

    fn has_more_than_dates(&self, duty: &Duty) -> bool {
        let part = self.part(duty);
        let is_of_dates = |column: usize| column == part.dates || Some(column) == part.ends;
        let mut others = self.grid.row(duty.row).iter().enumerate().filter(|(column, _)| !is_of_dates(*column));
        others.any(|(_, value)| value.says_something())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Line, MembersTable, OnCall, ReadingRules, Roster, RowIssue, Tables};
    use crate::domain::samples::{MEMBERS, table, today};

    #[test]
    fn a_page_of_a_calendar_is_not_understood() {
        let rows: &[&[&str]] =
            &[&["火", "水", "木"], &["11/24", "11/25", "11/26"], &["田中", "鈴木", "SRE"], &["12/1", "12/2", "12/3"]];
        let tables = Tables { roster: table(1, rows), members: MembersTable::Table(table(1, MEMBERS)) };
        let (roster, _) = Roster::parse(&tables, &ReadingRules::default(), today());
        let expected = OnCall::NotUnderstood { row: Line::Row(2), issue: RowIssue::NotAName };
        assert_eq!(roster.on_call(today()), expected);
    }

    #[test]
    fn problems_of_people_are_reported_for_the_days_around_today_and_those_of_dates_for_all() {
        let rows: &[&[&str]] = &[
            &["2025-11-24", "新人"],
            &["2026-11-16", "新人"],
            &["2026-11-17", "新人"],
            &["2027-01-23", "新人"],
            &["2027-01-24", "新人"],
            &["2027-02-31", "新人"],
        ];
        let tables = Tables { roster: table(1, rows), members: MembersTable::Table(table(1, MEMBERS)) };
        let (roster, problems) = Roster::parse(&tables, &ReadingRules::default(), today());
        let rows: Vec<Line> = problems.iter().map(|problem| problem.row).collect();
        assert_eq!(rows, [3, 4, 6].map(Line::Row));
        let OnCall::People(people) = roster.on_call("2025-11-24".parse().unwrap()) else { panic!("nobody") };
        assert_eq!(people[0].name(), "新人", "whoever asks for another day gets it");
    }
}
