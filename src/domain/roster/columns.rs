//! Which columns say who is on call, and how: by names, by names for each weekday, or by marks.

use chrono::Weekday;

use super::cells::{Grid, Value};
use super::date;
use super::layout::Titles;
use super::people::MemberCells;
use super::titles::{Meaning, is_meant};
use super::words::{self, Mark};

/// A column that says who is on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) index: usize,
    pub(super) kind: ColumnKind,
}

impl Column {
    pub(super) fn names(index: usize) -> Self {
        Self { index, kind: ColumnKind::Names }
    }
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnKind {
    /// Names.
    Names,
    /// Names for one day of the row's week.
    NamesOn(Weekday),
    /// Marks for the person who heads the column.
    Marks,
}

/// The columns that are read, and those that are not although they may be meant.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) columns: Vec<Column>,
    pub(super) left_out: Vec<usize>,
    /// Entries of `ROSTER_COLUMNS` that the sheet lacks.
    pub(super) missing: Vec<String>,
}

impl Choice {
    /// Chooses among the columns that have no dates.
    pub(super) fn of(
        grid: &Grid,
        titles: &Titles,
        is_of_dates: &dyn Fn(usize) -> bool,
        wanted: &[String],
        members: &mut MemberCells<'_>,
    ) -> Self {
        let mut others: Vec<usize> = (0..grid.width()).filter(|column| !is_of_dates(*column)).collect();
        if !wanted.is_empty() {
            return Self::wanted(grid, titles, &others, wanted);
        }
        if titles.header().is_none() {
            return Self { columns: others.into_iter().map(Column::names).collect(), ..Self::default() };
        }
        let meanings = meanings(titles, &others);
        let has_people =
            others.iter().any(|column| titles.title(*column).is_some_and(|title| title.meaning() == Meaning::People));
        let mut choice = Self::default();
        let weekdays = if has_people { Vec::new() } else { weekdays(grid, titles, &others) };
        choice.columns.extend(
            weekdays.iter().map(|(index, weekday)| Column { index: *index, kind: ColumnKind::NamesOn(*weekday) }),
        );
        others.retain(|column| !weekdays.iter().any(|(index, _)| index == column));
        let mut are_names = |column: usize| {
            let mut cells = (titles.body()..grid.height()).map(|row| grid.value(row, column));
            let has_name = cells.clone().any(|value| !value.is_blank());
            has_name && cells.all(|value| value.is_blank() || members.has_members_only(value))
        };
        // Names beside columns to tick are no matrix.
        let marked = !has_people
            && are_marks(grid, titles, &others)
            && !others.iter().any(|column| titles.title(*column).is_some() && are_names(*column));
        for column in others {
            let meaning = meanings.iter().find(|(index, _)| *index == column).map(|(_, meaning)| *meaning);
            let mut has_members_only =
                || (titles.body()..grid.height()).any(|row| members.has_members_only(grid.value(row, column)));
            match meaning.unwrap_or(Meaning::Other) {
                Meaning::NoPeople => {}
                Meaning::People => choice.columns.push(Column::names(column)),
                Meaning::Other if marked => choice.columns.push(Column { index: column, kind: ColumnKind::Marks }),
                Meaning::Other if (!has_people && weekdays.is_empty()) || has_members_only() => {
                    choice.columns.push(Column::names(column));
                }
                Meaning::Other => choice.left_out.push(column),
            }
        }
        choice
    }

    /// The columns that `ROSTER_COLUMNS` names, and no others.
    fn wanted(grid: &Grid, titles: &Titles, others: &[usize], wanted: &[String]) -> Self {
        let text = |column: usize| titles.header().and_then(|header| grid.value(header, column).text());
        let is_title = |entry: &str, column: usize| text(column).is_some_and(|title| is_meant(entry, title));
        let chosen: Vec<usize> =
            others.iter().copied().filter(|column| wanted.iter().any(|entry| is_title(entry, *column))).collect();
        let lacks = |entry: &&String| !chosen.iter().any(|column| is_title(entry, *column));
        let missing = wanted.iter().filter(lacks).cloned().collect();
        let is_people = |column: &usize| titles.title(*column).is_some_and(|title| title.meaning() == Meaning::People);
        let kind = if !chosen.iter().any(is_people) && are_marks(grid, titles, &chosen) {
            ColumnKind::Marks
        } else {
            ColumnKind::Names
        };
        let columns = chosen.into_iter().map(|index| Column { index, kind }).collect();
        Self { columns, left_out: Vec::new(), missing }
    }
}

/// What each title says; a column without one counts like the nearest title to its left.
fn meanings(titles: &Titles, columns: &[usize]) -> Vec<(usize, Meaning)> {
    let mut nearest = Meaning::Other;
    let meaning = |column: &usize| {
        if let Some(title) = titles.title(*column) {
            nearest = title.meaning();
        }
        (*column, nearest)
    };
    columns.iter().map(meaning).collect()
}

/// Columns headed by weekdays; a single one is as likely a month's or a day's.
fn weekdays(grid: &Grid, titles: &Titles, columns: &[usize]) -> Vec<(usize, Weekday)> {
    let weekday = |column: &usize| {
        let title = grid.value(titles.header()?, *column).text()?;
        Some((*column, date::weekday(title)?))
    };
    let found: Vec<(usize, Weekday)> = columns.iter().filter_map(weekday).collect();
    let are_several = found.first().is_some_and(|(_, first)| found.iter().any(|(_, other)| other != first));
    if are_several { found } else { Vec::new() }
}

/// Whether more than half of what stands under the titles is marks.
fn are_marks(grid: &Grid, titles: &Titles, columns: &[usize]) -> bool {
    let is_titled = |column: &&usize| titles.title(**column).is_some_and(|title| title.meaning() == Meaning::Other);
    let (mut marks, mut crosses, mut cells) = (0_usize, 0_usize, 0_usize);
    for column in columns.iter().filter(is_titled) {
        for row in titles.body()..grid.height() {
            let value = grid.value(row, *column);
            cells += usize::from(!value.is_blank());
            match words::mark(value) {
                Some(Mark::Set | Mark::Unset { plain: true }) => marks += 1,
                Some(Mark::Unset { plain: false }) => crosses += 1,
                None => {}
            }
        }
    }
    // A cross alone is a word for nobody, too.
    marks > 0 && (marks + crosses) * 2 > cells
}

/// Whether a cell of a column may say that somebody is on call.
pub(super) fn says_something(column: Column, value: &Value) -> bool {
    match column.kind {
        ColumnKind::Names | ColumnKind::NamesOn(_) => value.says_something(),
        ColumnKind::Marks => !value.is_blank() && !matches!(words::mark(value), Some(Mark::Unset { .. })),
    }
}
