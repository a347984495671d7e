//! A roster as JSON, for the ledger: cells as Google writes them, so that it can be read by eye.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::roster::{Cell, MembersTable, Merge, Table, Tables};

/// The ledger's items hold 400 KiB; a larger roster is not kept.
const MAX_ITEM: usize = 350 * 1024;

#[derive(Serialize, Deserialize)]
struct SavedTables {
    roster: SavedTable,
    members: SavedMembers,
}

#[derive(Serialize, Deserialize)]
struct SavedTable {
    first_row: usize,
    #[serde(default = "one")]
    first_column: usize,
    /// As row, column, rows, columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    merges: Vec<[usize; 4]>,
    rows: Vec<Vec<Value>>,
}

fn one() -> usize {
    1
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedMembers {
    None,
    Unreadable,
    Table(SavedTable),
}

pub(super) fn to_json(tables: &Tables) -> Option<String> {
    let members = match &tables.members {
        MembersTable::None => SavedMembers::None,
        MembersTable::Unreadable => SavedMembers::Unreadable,
        MembersTable::Table(table) => SavedMembers::Table(saved(table)),
    };
    let json = serde_json::to_string(&SavedTables { roster: saved(&tables.roster), members }).ok()?;
    (json.len() <= MAX_ITEM).then_some(json)
}

pub(super) fn from_json(json: &str) -> Option<Tables> {
    let tables: SavedTables = serde_json::from_str(json).ok()?;
    let members = match tables.members {
        SavedMembers::None => MembersTable::None,
        SavedMembers::Unreadable => MembersTable::Unreadable,
        SavedMembers::Table(table) => MembersTable::Table(restored(table)),
    };
    Some(Tables { roster: restored(tables.roster), members })
}

fn saved(table: &Table) -> SavedTable {
    let value = |cell: &Cell| match cell {
        Cell::Empty => Value::Null,
        Cell::Number(number) => (*number).into(),
        Cell::Text(text) => text.as_str().into(),
        Cell::Flag(flag) => (*flag).into(),
    };
    SavedTable {
        first_row: table.first_row,
        first_column: table.first_column,
        merges: table.merges.iter().map(|merge| [merge.row, merge.column, merge.rows, merge.columns]).collect(),
        rows: table.rows.iter().map(|row| row.iter().map(value).collect()).collect(),
    }
}

fn restored(table: SavedTable) -> Table {
    let rows = table.rows.into_iter().map(|row| row.into_iter().map(super::cell).collect());
    let merges = table.merges.into_iter().map(|[row, column, rows, columns]| Merge { row, column, rows, columns });
    Table {
        first_row: table.first_row,
        first_column: table.first_column,
        merges: merges.collect(),
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples;

    #[test]
    fn a_roster_survives_being_saved() {
        let rows =
            vec![vec![Cell::Number(46350.0), Cell::Text("田中".into()), Cell::Empty, Cell::Flag(true)], Vec::new()];
        let merges = vec![Merge { row: 3, column: 2, rows: 2, columns: usize::MAX }];
        let roster = Table { first_row: 3, first_column: 2, merges, rows };
        for members in
            [MembersTable::None, MembersTable::Unreadable, MembersTable::Table(samples::table(1, samples::MEMBERS))]
        {
            let tables = Tables { roster: roster.clone(), members };
            assert_eq!(from_json(&to_json(&tables).unwrap()), Some(tables));
        }
    }

    #[test]
    fn what_is_too_large_for_the_ledger_is_not_saved() {
        let rows = vec![vec![Cell::Text("田".repeat(MAX_ITEM))]];
        let tables = Tables { roster: Table::new(1, rows), members: MembersTable::None };
        assert_eq!(to_json(&tables), None);
    }

    #[test]
    fn one_that_was_saved_before_merges_were_read_is_still_good() {
        let json = r#"{"roster":{"first_row":2,"rows":[[1,"a"]]},"members":"none"}"#;
        let roster = Table::new(2, vec![vec![Cell::Number(1.0), Cell::Text("a".into())]]);
        assert_eq!(from_json(json), Some(Tables { roster, members: MembersTable::None }));
    }

    #[test]
    fn what_was_never_a_roster_is_none() {
        for json in ["", "{}", "[]", r#"{"roster":{"first_row":1,"rows":[[1]]}}"#] {
            assert_eq!(from_json(json), None, "{json}");
        }
    }
}
