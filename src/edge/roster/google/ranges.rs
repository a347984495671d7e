//! Where in the sheet a range stands, and which of its cells are merged.

use std::collections::HashMap;

use google_sheets4::api::{GridRange, ValueRange};
use serde::Deserialize;

use super::super::cell;
use crate::domain::roster::{Cell, Merge, Table};

/// No roster is wider.
const MAX_WIDTH: usize = 1_000;

/// The merged cells of each tab, by its title.
pub(super) type Merges = HashMap<String, Vec<Merge>>;

/// What of a spreadsheet the relay reads, beside the values.
#[derive(Deserialize)]
struct Spreadsheet {
    sheets: Option<Vec<Tab>>,
}

/// One of its tabs.
#[derive(Deserialize)]
struct Tab {
    properties: Option<Properties>,
    merges: Option<Vec<GridRange>>,
}

/// What a tab is called.
#[derive(Deserialize)]
struct Properties {
    title: Option<String>,
}

/// These fields are asked for.
pub(super) const FIELDS: &str = "sheets(properties.title,merges)";

/// What is merged; `None` is an answer without tabs, which no spreadsheet gives.
pub(super) fn merges(answer: &[u8]) -> Option<Merges> {
    let spreadsheet: Spreadsheet = serde_json::from_slice(answer).ok()?;
    let tabs = spreadsheet.sheets.filter(|tabs| !tabs.is_empty())?.into_iter();
    let merges = tabs.filter_map(|tab| {
        let merges = tab.merges.unwrap_or_default().iter().map(merge).collect();
        Some((tab.properties?.title?, merges))
    });
    Some(merges.collect())
}

/// Google counts from 0 and leaves out what has no end.
fn merge(range: &GridRange) -> Merge {
    let part = |start: Option<i32>, end: Option<i32>| {
        let number = |index: i32| usize::try_from(index).unwrap_or(0);
        let start = start.map_or(0, number);
        (start.saturating_add(1), end.map_or(usize::MAX, |end| number(end).saturating_sub(start)))
    };
    let (row, rows) = part(range.start_row_index, range.end_row_index);
    let (column, columns) = part(range.start_column_index, range.end_column_index);
    Merge { row, column, rows, columns }
}

pub(super) fn table(range: ValueRange, merges: &Merges) -> Table {
    let place = range.range.unwrap_or_default();
    let (first_row, first_column) = first_cell(&place);
    let rows = range.values.unwrap_or_default().into_iter();
    let mut rows: Vec<Vec<Cell>> = rows.map(|row| row.into_iter().map(cell).collect()).collect();
    let merges = merges.get(&tab_of(&place)).cloned().unwrap_or_default();
    // Google leaves out what is empty at the end, also where it belongs to a merged cell.
    if let Some(row) = rows.first_mut() {
        let width = merges.iter().map(|merge| merge.column.saturating_add(merge.columns)).max().unwrap_or(0);
        let width = width.min(last_column(&place).saturating_add(1)).saturating_sub(first_column);
        row.resize(row.len().max(width.min(MAX_WIDTH)), Cell::Empty);
    }
    Table { first_row, first_column, merges, rows }
}

/// The last column of a range, if it has one.
fn last_column(range: &str) -> usize {
    range.rsplit_once(':').map_or(0, |(_, last)| first_cell(last).1)
}

/// The first cell of `'当番表'!B3:Z1000` is in row 3 and column 2.
fn first_cell(range: &str) -> (usize, usize) {
    let cells = range.rsplit_once('!').map_or(range, |(_, cells)| cells);
    let first = cells.split(':').next().unwrap_or_default().replace('$', "");
    let digits = first.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let letters = &first[..first.len() - digits.len()];
    let column = letters.bytes().try_fold(0_usize, |column, letter| {
        column.checked_mul(26)?.checked_add(usize::from(letter.to_ascii_uppercase() - b'A') + 1)
    });
    (digits.parse().unwrap_or(1), column.unwrap_or(1).max(1))
}

/// The title of a range's tab; quotes around it and doubled ones in it are how ranges are written.
pub(super) fn tab_of(range: &str) -> String {
    let tab = range.rsplit_once('!').map_or(range, |(tab, _)| tab);
    let quoted = tab.strip_prefix('\'').and_then(|tab| tab.strip_suffix('\''));
    quoted.map_or_else(|| tab.to_owned(), |tab| tab.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_knows_where_in_the_sheet_it_stands() {
        for (range, tab, cell) in [
            ("'当番表'!A1:Z1000", "当番表", (1, 1)),
            ("Roster!B3:C", "Roster", (3, 2)),
            ("'a!b'!$AA$17:AC20", "a!b", (17, 27)),
            ("'O''Brien''s'!C2", "O'Brien's", (2, 3)),
            ("Roster!A:C", "Roster", (1, 1)),
            ("Roster!D:D", "Roster", (1, 4)),
            ("Roster!3:5", "Roster", (3, 1)),
            ("", "", (1, 1)),
        ] {
            assert_eq!((tab_of(range).as_str(), first_cell(range)), (tab, cell), "{range}");
        }
    }

    #[test]
    fn a_merge_is_counted_from_1_and_may_have_no_end() {
        let range = |rows: [Option<i32>; 2], columns: [Option<i32>; 2]| GridRange {
            start_row_index: rows[0],
            end_row_index: rows[1],
            start_column_index: columns[0],
            end_column_index: columns[1],
            sheet_id: None,
        };
        for (given, [row, column, rows, columns]) in [
            (range([Some(1), Some(6)], [Some(1), Some(2)]), [2, 2, 5, 1]),
            (range([None, Some(2)], [Some(0), None]), [1, 1, 2, usize::MAX]),
            (range([Some(5), Some(2)], [Some(-1), Some(i32::MAX)]), [6, 1, 0, i32::MAX as usize]),
        ] {
            assert_eq!(merge(&given), Merge { row, column, rows, columns }, "{given:?}");
        }
    }
}
