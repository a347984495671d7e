//! The cells of a table: as a sheet gives them, and as the laws of reading see them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::spelling::clean;

/// One cell of a table as the sheet holds it.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A number; in the date column, Google's serial number of a day.
    Number(f64),
    /// Text, and what a cell shows whose formula failed (`#REF!`) or isn't worked out yet (`Loading...`).
    Text(String),
    /// A tick box.
    Flag(bool),
}

/// Cells that are one: only the first of them holds a value. All four count as the sheet does, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The first row, in the sheet and not in the range that is read.
    pub row: usize,
    /// The first column; A is 1.
    pub column: usize,
    /// How many rows.
    pub rows: usize,
    /// How many columns.
    pub columns: usize,
}

/// Rows of cells, and where in the sheet they stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The sheet's number of the first row, from 1.
    pub first_row: usize,
    /// The sheet's number of the first column; A is 1.
    pub first_column: usize,
    /// The sheet's merged cells.
    pub merges: Vec<Merge>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Rows that begin in column A, none of them merged.
    #[must_use]
    pub fn new(first_row: usize, rows: Vec<Vec<Cell>>) -> Self {
        Self { first_row, first_column: 1, merges: Vec::new(), rows }
    }
}

/// A row of the sheet, or a column where the table has its dates across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// The row of this number.
    Row(usize),
    /// The column of this number; A is 1.
    Column(usize),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(number) => write!(f, "row {number}"),
            Self::Column(number) => write!(f, "column {}", letters(*number)),
        }
    }
}

/// The name of a column: 1 is A, 27 is AA.
#[must_use]
pub fn letters(mut column: usize) -> String {
    let mut letters = Vec::new();
    while column > 0 {
        column -= 1;
        letters.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[column % 26]));
        column /= 26;
    }
    letters.into_iter().rev().collect()
}

/// A cell's value once merges are resolved and text is cleaned.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Blank,
    Number(f64),
    Text(Text),
    Flag(bool),
    /// Part of a merged cell whose value lies outside the range.
    Hidden,
}

/// A cell's text: cleaned, and as somebody spelt it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub(super) spelt: Arc<str>,
    pub(super) clean: Arc<str>,
}

impl Value {
    const BLANK: Self = Self::Blank;

    pub(super) fn of(cell: &Cell) -> Self {
        match cell {
            Cell::Empty => Self::Blank,
            Cell::Number(number) => Self::Number(*number),
            Cell::Flag(flag) => Self::Flag(*flag),
            Cell::Text(text) => {
                let cleaned = clean(text);
                if cleaned.is_empty() {
                    return Self::Blank;
                }
                let clean: Arc<str> = cleaned.into();
                let spelt = if *clean == *text.trim() { clean.clone() } else { text.trim().into() };
                Self::Text(Text { spelt, clean })
            }
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(&text.clean) } else { None }
    }

    pub(super) fn is_blank(&self) -> bool {
        matches!(self, Self::Blank)
    }

    /// Whether it may say something about people. A tick box doesn't, however a file writes it.
    pub(super) fn says_something(&self) -> bool {
        match self {
            Self::Blank | Self::Flag(_) => false,
            Self::Text(text) => !["TRUE", "FALSE"].iter().any(|flag| text.clean.eq_ignore_ascii_case(flag)),
            Self::Number(_) | Self::Hidden => true,
        }
    }

    /// What a cell shows whose formula failed, such as `#REF!` or `#N/A`.
    pub(super) fn is_formula_error(&self) -> bool {
        let Some(text) = self.text() else { return false };
        text.starts_with('#') && (text.ends_with('!') || text.ends_with('?') || text == "#N/A")
    }
}

/// A table without the blank rows and columns before it, every merged cell's value in all of its places.
#[derive(Debug)]
pub(super) struct Grid {
    rows: Vec<Vec<Value>>,
    first_row: usize,
    first_column: usize,
    turned: bool,
}

impl Grid {
    /// Merged cells don't overlap in a sheet; whatever claims to be more than this is not one.
    const MAX_MERGED: usize = 1_000_000;

    pub(super) fn of(table: &Table) -> Self {
        // Most cells of a roster say what others say.
        let mut read: HashMap<&str, Value> = HashMap::new();
        let mut rows: Vec<Vec<Value>> = Vec::with_capacity(table.rows.len());
        for row in &table.rows {
            let values = row.iter().map(|cell| match cell {
                Cell::Text(text) => read.entry(text.as_str()).or_insert_with(|| Value::of(cell)).clone(),
                cell => Value::of(cell),
            });
            rows.push(values.collect());
        }
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut left = Self::MAX_MERGED;
        for merge in &table.merges {
            resolve(*merge, (table.first_row, table.first_column), &mut rows, width, &mut left);
        }
        let top = rows.iter().take_while(|row| row.iter().all(Value::is_blank)).count();
        rows.drain(..top);
        while rows.last().is_some_and(|row| row.iter().all(Value::is_blank)) {
            rows.pop();
        }
        for row in &mut rows {
            while row.last().is_some_and(Value::is_blank) {
                row.pop();
            }
        }
        let margin = rows.iter().filter_map(|row| row.iter().position(|value| !value.is_blank())).min().unwrap_or(0);
        for row in &mut rows {
            row.drain(..margin.min(row.len()));
        }
        Self {
            rows,
            first_row: table.first_row.saturating_add(top),
            first_column: table.first_column.saturating_add(margin),
            turned: false,
        }
    }

    /// The same with rows for columns.
    pub(super) fn turn(&self) -> Self {
        let mut rows: Vec<Vec<Value>> = vec![Vec::new(); self.width()];
        for (index, row) in self.rows.iter().enumerate() {
            for (value, column) in row.iter().zip(&mut rows) {
                if !value.is_blank() {
                    column.resize(index, Value::Blank);
                    column.push(value.clone());
                }
            }
        }
        Self { rows, first_row: self.first_row, first_column: self.first_column, turned: !self.turned }
    }

    pub(super) fn is_turned(&self) -> bool {
        self.turned
    }

    pub(super) fn height(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn width(&self) -> usize {
        self.rows.iter().map(Vec::len).max().unwrap_or(0)
    }

    pub(super) fn row(&self, row: usize) -> &[Value] {
        self.rows.get(row).map_or(&[], Vec::as_slice)
    }

    pub(super) fn value(&self, row: usize, column: usize) -> &Value {
        self.row(row).get(column).unwrap_or(&Value::BLANK)
    }

    /// Where the sheet has this row.
    pub(super) fn line(&self, row: usize) -> Line {
        if self.turned {
            Line::Column(self.first_column.saturating_add(row))
        } else {
            Line::Row(self.first_row.saturating_add(row))
        }
    }

    /// Where the sheet has this column.
    pub(super) fn line_of_column(&self, column: usize) -> Line {
        if self.turned {
            Line::Row(self.first_row.saturating_add(column))
        } else {
            Line::Column(self.first_column.saturating_add(column))
        }
    }
}

fn resolve(merge: Merge, origin: (usize, usize), rows: &mut [Vec<Value>], width: usize, left: &mut usize) {
    let (top, beginning) = (merge.row.checked_sub(origin.0), merge.column.checked_sub(origin.1));
    let value = match (top, beginning) {
        (Some(top), Some(beginning)) => match rows.get(top) {
            Some(row) => row.get(beginning).cloned().unwrap_or(Value::Blank),
            None => return,
        },
        _ => Value::Hidden,
    };
    let part = |first: usize, count: usize, origin: usize, most: usize| {
        let end = first.saturating_add(count).saturating_sub(origin).min(most);
        first.saturating_sub(origin).min(end)..end
    };
    let columns = part(merge.column, merge.columns, origin.1, width);
    let lines = part(merge.row, merge.rows, origin.0, rows.len());
    for row in &mut rows[lines] {
        if *left < columns.len() {
            return;
        }
        *left -= columns.len();
        if row.len() < columns.end && !value.is_blank() {
            row.resize(columns.end, Value::Blank);
        }
        for place in row.iter_mut().take(columns.end).skip(columns.start) {
            *place = value.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(grid: &Grid) -> Vec<String> {
        let show = |value: &Value| match value {
            Value::Blank => ".".to_owned(),
            Value::Hidden => "?".to_owned(),
            value => value.text().unwrap_or("#").to_owned(),
        };
        (0..grid.height()).map(|row| grid.row(row).iter().map(show).collect::<Vec<_>>().join(" ")).collect()
    }

    fn table(first_row: usize, first_column: usize, merges: &[[usize; 4]], rows: &[&[&str]]) -> Table {
        let cell = |text: &&str| if text.is_empty() { Cell::Empty } else { Cell::Text((*text).to_owned()) };
        let merge = |[row, column, rows, columns]: &[usize; 4]| Merge {
            row: *row,
            column: *column,
            rows: *rows,
            columns: *columns,
        };
        Table {
            first_row,
            first_column,
            merges: merges.iter().map(merge).collect(),
            rows: rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
        }
    }

    #[test]
    fn a_merged_cell_has_its_value_in_all_of_its_places() {
        for (merge, expected) in [
            ([1, 1, 2, 1], ["a b", "a", "c d"]),
            ([1, 2, 3, 1], ["a b", ". b", "c b"]),
            ([1, 1, 9, 9], ["a a", "a a", "a a"]),
            ([2, 2, 2, 1], ["a b", "", "c"]),
            ([3, 1, 1, 5], ["a b", "", "c c"]),
            // Elsewhere in the sheet.
            ([9, 1, 2, 2], ["a b", "", "c d"]),
            ([usize::MAX, usize::MAX, usize::MAX, usize::MAX], ["a b", "", "c d"]),
        ] {
            let table = table(1, 1, &[merge], &[&["a", "b"], &[""], &["c", "d"]]);
            assert_eq!(shown(&Grid::of(&table)), expected, "{merge:?}");
        }
    }

    #[test]
    fn merges_are_counted_in_the_sheet_and_one_that_begins_outside_the_range_is_not_understood() {
        let rows: &[&[&str]] = &[&["a", "b"], &["", "d"]];
        for (merge, expected) in [
            ([5, 3, 2, 1], ["a b", "a d"]),
            ([4, 3, 3, 1], ["? b", "? d"]),
            ([5, 2, 1, 2], ["? b", ". d"]),
            ([1, 1, 2, 1], ["a b", ". d"]),
        ] {
            assert_eq!(shown(&Grid::of(&table(5, 3, &[merge], rows))), expected, "{merge:?}");
        }
    }

    #[test]
    fn blank_rows_and_columns_before_a_table_are_no_part_of_it() {
        let grid = Grid::of(&table(3, 2, &[], &[&[], &["", " "], &["", "", "a"], &["", "b"], &["", "\u{200b}"]]));
        assert_eq!(shown(&grid), [". a", "b"]);
        assert_eq!((grid.line(1), grid.line_of_column(1)), (Line::Row(6), Line::Column(4)));
        let turned = grid.turn();
        assert_eq!(shown(&turned), [". b", "a"]);
        assert_eq!((turned.line(1), turned.line_of_column(1)), (Line::Column(4), Line::Row(6)));
        assert_eq!(turned.line(1).to_string(), "column D");
    }

    #[test]
    fn columns_have_letters_as_in_a_sheet() {
        for (column, name) in [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA")] {
            assert_eq!(letters(column), name);
        }
    }
}
