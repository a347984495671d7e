//! A roster as JSON, for the ledger: cells as Google writes them, so that it can be read by eye.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::roster::{Cell, MembersTable, Table, Tables};

/// The ledger's items hold 400 KiB; a larger roster is not kept.
const MAX_BYTES: usize = 350 * 1024;

#[derive(Serialize, Deserialize)]
struct SavedTables {
    roster: SavedTable,
    members: SavedMembers,
}

#[derive(Serialize, Deserialize)]
struct SavedTable {
    first_row: usize,
    rows: Vec<Vec<Value>>,
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
    (json.len() <= MAX_BYTES).then_some(json)
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
        Cell::Flag => true.into(),
    };
    SavedTable {
        first_row: table.first_row,
        rows: table.rows.iter().map(|row| row.iter().map(value).collect()).collect(),
    }
}

fn restored(table: SavedTable) -> Table {
    let rows = table.rows.into_iter().map(|row| row.into_iter().map(super::google::cell).collect());
    Table { first_row: table.first_row, rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples;

    #[test]
    fn a_roster_survives_being_saved() {
        let rows = vec![vec![Cell::Number(46350.0), Cell::Text("田中".into()), Cell::Empty, Cell::Flag], Vec::new()];
        let roster = Table { first_row: 3, rows };
        for members in
            [MembersTable::None, MembersTable::Unreadable, MembersTable::Table(samples::table(1, samples::MEMBERS))]
        {
            let tables = Tables { roster: roster.clone(), members };
            assert_eq!(from_json(&to_json(&tables).unwrap()), Some(tables));
        }
    }

    #[test]
    fn what_is_too_large_for_the_ledger_is_not_saved() {
        let rows = vec![vec![Cell::Text("田".repeat(MAX_BYTES))]];
        let tables = Tables { roster: Table { first_row: 1, rows }, members: MembersTable::None };
        assert_eq!(to_json(&tables), None);
    }

    #[test]
    fn what_was_never_a_roster_is_none() {
        for json in ["", "{}", "[]", r#"{"roster":{"first_row":1,"rows":[[1]]}}"#] {
            assert_eq!(from_json(json), None, "{json}");
        }
    }
}
