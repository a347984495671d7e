//! Where a table has its header, its dates and its people.

use chrono::Datelike;

use super::cells::{Grid, Value};
use super::columns::{Choice, Column};
use super::date::{self, Date, Written};
use super::people::MemberCells;
use super::titles::Title;

/// How a table is read.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) header: Option<usize>,
    /// The tables side by side; one as a rule.
    pub(super) parts: Vec<Part>,
    /// Entries of `ROSTER_COLUMNS` that the sheet lacks.
    pub(super) missing: Vec<String>,
    /// `ROSTER_COLUMNS` is set, and the sheet has none of them.
    pub(super) lacks_all: bool,
}

/// A column of dates, and the columns that say who is on call.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) dates: usize,
    pub(super) ends: Option<usize>,
    pub(super) columns: Vec<Column>,
    /// Columns that are not read, although nothing says that they are not people.
    pub(super) left_out: Vec<usize>,
}

/// Whether the table has its dates across: the first row's dates are at least three, different, ascending, and more
/// than the first column's.
pub(super) fn is_turned(grid: &Grid) -> bool {
    let first_row: Vec<Written> = grid.row(0).iter().filter_map(date::read).collect();
    if first_row.len() < 3 {
        return false;
    }
    let first_column = (0..grid.height()).filter(|row| date::read(grid.value(*row, 0)).is_some()).count();
    let mut days: Vec<(Option<i32>, u32)> = first_row.iter().filter_map(day_of).collect();
    // A date that is merged over columns is one date.
    days.dedup();
    let ascends = |pair: &[(Option<i32>, u32)]| match (pair[0], pair[1]) {
        ((Some(year), day), (Some(later), after)) => (year, day) < (later, after),
        // Over new year.
        ((_, day), (_, after)) => (1..=YEAR / 2).contains(&((after + YEAR - day) % YEAR)),
    };
    days.len() >= 3 && first_row.len() > first_column && days.windows(2).all(ascends)
}

/// Twelve months of 31 days.
const YEAR: u32 = 372;

/// The year, if one is written, and the place in it.
fn day_of(written: &Written) -> Option<(Option<i32>, u32)> {
    let place = |month: u32, day: u32| (month - 1) * 31 + day;
    Some(match written.start.readings.first()?.date {
        Date::Full(date) => (Some(date.year()), place(date.month(), date.day())),
        Date::EveryYear(date) => (None, place(date.month, date.day)),
    })
}

impl Layout {
    pub(super) fn of(grid: &Grid, wanted: &[String], members: &mut MemberCells<'_>) -> Self {
        let dates = Dates::of(grid);
        let header = dates.header(grid);
        let titles = Titles::of(grid, header);
        let main = Part {
            dates: dates.main,
            ends: titles.ends_of(dates.main, grid),
            columns: Vec::new(),
            left_out: Vec::new(),
        };
        let further = titles.further_dates(&main, &dates.counts, grid);
        let is_of_dates =
            |column: usize| column == main.dates || main.ends == Some(column) || further.contains(&column);
        let choice = Choice::of(grid, &titles, &is_of_dates, wanted, members);

        // A date column beside the first is a table of its own if people stand to its right; else it is no table.
        let is_people =
            |from: usize, until: usize| choice.columns.iter().any(|column| (from..until).contains(&column.index));
        let mut starts: Vec<usize> = further.clone();
        starts.push(main.dates);
        starts.sort_unstable();
        let is_table = |column: &usize| {
            let next = starts.iter().find(|start| *start > column).copied().unwrap_or(grid.width());
            *column == main.dates || is_people(*column, next)
        };
        let (tables, others): (Vec<usize>, Vec<usize>) = starts.iter().partition(|column| is_table(column));
        let mut parts: Vec<Part> = tables
            .into_iter()
            .map(|column| {
                let ends = if column == main.dates { main.ends } else { titles.ends_of(column, grid) };
                Part { dates: column, ends, columns: Vec::new(), left_out: Vec::new() }
            })
            .collect();
        // A column belongs to the table whose dates stand before it; what stands before all dates, to the first.
        let own_part = |parts: &[Part], column: usize| parts.iter().rposition(|part| part.dates < column).unwrap_or(0);
        let is_an_end = |parts: &[Part], column: usize| parts.iter().any(|part| part.ends == Some(column));
        // Without titles a column of dates is one where names are expected.
        let untitled = others.into_iter().filter(|_| header.is_none()).map(Column::names);
        let mut columns: Vec<Column> = choice.columns.iter().copied().chain(untitled).collect();
        columns.sort_unstable_by_key(|column| column.index);
        for column in columns.into_iter().filter(|column| !is_an_end(&parts, column.index)).collect::<Vec<_>>() {
            let part = own_part(&parts, column.index);
            parts[part].columns.push(column);
        }
        for column in choice.left_out {
            let part = own_part(&parts, column);
            parts[part].left_out.push(column);
        }
        let lacks_all = !wanted.is_empty() && choice.missing.len() == wanted.len();
        Self { header, parts, missing: choice.missing, lacks_all }
    }

    /// The first row that may be a day.
    pub(super) fn body(&self) -> usize {
        self.header.map_or(0, |header| header + 1)
    }
}

/// The columns by how many dates they have.
struct Dates {
    counts: Vec<usize>,
    /// The column with most dates.
    main: usize,
    /// The first row with a date in it, or with what should be one.
    first_dated: usize,
}

impl Dates {
    /// Titles stand above this row.
    const MAX_ROWS: usize = 50;

    fn of(grid: &Grid) -> Self {
        let width = grid.width();
        let (mut counts, mut denied) = (vec![0_usize; width], vec![false; width]);
        for row in 0..grid.height() {
            for (column, value) in grid.row(row).iter().enumerate() {
                if date::read(value).is_some() {
                    counts[column] += 1;
                } else if row < Self::MAX_ROWS && counts[column] == 0 && !denied[column] {
                    // Serial numbers are numbers: a ticket's may pass for a date.
                    let title = value.text().map(Title::from_clean);
                    denied[column] = title.is_some_and(|title| title.is_known() && !title.is_of_dates());
                }
            }
        }
        let most = |allowed: &dyn Fn(usize) -> bool| {
            let columns = (0..width).filter(|column| allowed(*column) && counts[*column] > 0);
            columns.rev().max_by_key(|column| counts[*column])
        };
        let Some(main) = most(&|column| !denied[column]).or_else(|| most(&|_| true)) else {
            return Self::without_any(grid, counts);
        };
        let first_dated = (0..grid.height()).find(|row| date::read(grid.value(*row, main)).is_some());
        Self { counts, main, first_dated: first_dated.unwrap_or(0) }
    }

    /// There is no date at all: what a title says, or the first column.
    fn without_any(grid: &Grid, counts: Vec<usize>) -> Self {
        let is_title = |value: &Value| value.text().is_some_and(|text| Title::from_clean(text).is_of_dates());
        let titled = (0..grid.height().min(Self::MAX_ROWS))
            .find_map(|row| grid.row(row).iter().position(is_title).map(|column| (row + 1, column)));
        let (from, main) = titled.unwrap_or((0, 0));
        let first_dated = (from..grid.height()).find(|row| has_digit(grid.value(*row, main))).unwrap_or(from);
        Self { counts, main, first_dated }
    }

    /// The last row above the first dated one with a title that is known; else the last one whose date cell has
    /// no digit.
    fn header(&self, grid: &Grid) -> Option<usize> {
        let is_title = |value: &Value| value.text().is_some_and(|text| Title::from_clean(text).is_known());
        let mut above = (0..self.first_dated).rev();
        above.clone().find(|row| grid.row(*row).iter().any(is_title)).or_else(|| {
            above.find(|row| {
                let is_blank = grid.row(*row).iter().all(Value::is_blank);
                !is_blank && !has_digit(grid.value(*row, self.main))
            })
        })
    }
}

fn has_digit(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::Text(text) => text.clean.chars().any(char::is_numeric),
        Value::Blank | Value::Flag(_) | Value::Hidden => false,
    }
}

/// The header's titles.
#[derive(Debug)]
pub(super) struct Titles {
    header: Option<usize>,
    titles: Vec<Option<Title>>,
}

impl Titles {
    fn of(grid: &Grid, header: Option<usize>) -> Self {
        let title = |column| grid.value(header?, column).text().map(Title::from_clean);
        Self { header, titles: (0..grid.width()).map(title).collect() }
    }

    pub(super) fn header(&self) -> Option<usize> {
        self.header
    }

    pub(super) fn body(&self) -> usize {
        self.header.map_or(0, |header| header + 1)
    }

    pub(super) fn title(&self, column: usize) -> Option<&Title> {
        self.titles.get(column).and_then(Option::as_ref)
    }

    /// The column with the ends of the ranges that begin in a column of dates.
    fn ends_of(&self, dates: usize, grid: &Grid) -> Option<usize> {
        let holds_ends = |column: &usize| {
            let rows = (self.body()..grid.height()).filter(|row| date::read(grid.value(*row, dates)).is_some());
            let cells = rows.map(|row| grid.value(row, *column)).filter(|value| !value.is_blank());
            let (with_date, without) =
                cells.fold(
                    (0, 0),
                    |(yes, no), value| {
                        if date::read(value).is_some() { (yes + 1, no) } else { (yes, no + 1) }
                    },
                );
            with_date > without
        };
        if self.header.is_none() {
            return Some(dates + 1).filter(holds_ends);
        }
        let is_titled = |column: &usize| self.title(*column).is_some_and(Title::is_of_ends);
        let mut columns = (dates + 1..grid.width()).chain((0..dates).rev());
        columns.find(|column| is_titled(column) && holds_ends(column))
    }

    /// Columns of dates beside the main one: without a title, or titled as dates are.
    fn further_dates(&self, main: &Part, counts: &[usize], grid: &Grid) -> Vec<usize> {
        let is_like_the_main = |column: usize| match (self.title(column), self.title(main.dates)) {
            (Some(title), own) => title.is_of_dates() || own.is_some_and(|own| own.whole() == title.whole()),
            (None, _) => true,
        };
        let holds_dates = |column: usize| {
            let cells = (self.body()..grid.height()).filter(|row| !grid.value(*row, column).is_blank()).count();
            counts[column] * 2 > cells
        };
        let columns = (0..grid.width()).filter(|column| *column != main.dates && main.ends != Some(*column));
        columns.filter(|column| counts[*column] > 0 && is_like_the_main(*column) && holds_dates(*column)).collect()
    }
}

#[cfg(test)]
mod tests;
