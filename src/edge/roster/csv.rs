//! The roster from CSV files with the sheet's columns: for trying things out and for tests.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{MAX_ROWS, MAX_SOURCE, MembersTable, Read, SourceError, SourceFailure, Tables};
use crate::config::CsvConfig;
use crate::domain::roster::{Cell, Table};

/// The two files.
#[derive(Debug)]
pub(super) struct CsvFiles {
    roster: PathBuf,
    members: Option<PathBuf>,
}

impl CsvFiles {
    pub(super) fn new(config: &CsvConfig) -> Self {
        Self { roster: config.roster.clone(), members: config.members.clone() }
    }

    pub(super) fn read(&self) -> Result<Read, SourceError> {
        let roster = table(&self.roster, "ROSTER_CSV")?;
        let (members, complaint) = match &self.members {
            None => (MembersTable::None, None),
            Some(path) => match table(path, "MEMBERS_CSV") {
                Ok(table) => (MembersTable::Table(table), None),
                Err(error) => (MembersTable::Unreadable, Some(error)),
            },
        };
        Ok(Read { tables: Tables { roster, members }, complaint })
    }
}

fn table(path: &Path, setting: &str) -> Result<Table, SourceError> {
    let unreadable = |why: String| {
        SourceError::new(SourceFailure::Missing, format!("the file of {setting} can't be read ({why}); check the path"))
    };
    let too_large = |what: String| {
        SourceError::new(SourceFailure::TooLarge, format!("the file of {setting} has {what}; leave out what is old"))
    };
    let bytes = beginning(path).map_err(|error| unreadable(error.kind().to_string()))?;
    if bytes.len() > MAX_SOURCE {
        return Err(too_large("more than 2 MiB".to_owned()));
    }
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').trim_end_matches('\n').as_bytes().chain(&b"\n"[..]));
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut line = reader.position().line();
    while reader.read_record(&mut record).map_err(|_| {
        SourceError::new(SourceFailure::Garbled, format!("the file of {setting} is no CSV; export it again"))
    })? {
        // The reader skips blank lines; row numbers must not. Lines within a cell are no rows.
        let own: usize = 1 + record.iter().map(|cell| cell.matches('\n').count()).sum::<usize>();
        let before = std::mem::replace(&mut line, reader.position().line());
        let blank = usize::try_from(line - before).unwrap_or(usize::MAX).saturating_sub(own);
        if rows.len().saturating_add(blank) >= MAX_ROWS {
            return Err(too_large(format!("more than {MAX_ROWS} rows")));
        }
        rows.resize(rows.len() + blank, Vec::new());
        rows.push(record.iter().map(cell).collect());
    }
    Ok(Table::new(1, rows))
}

/// A file, or as much of it as tells that it is too large.
fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SOURCE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn cell(text: &str) -> Cell {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What reading a file with this content comes to.
    fn read(name: &str, content: &str) -> Result<usize, SourceFailure> {
        let path = std::env::temp_dir().join(format!("oncall-relay-{}-{name}.csv", std::process::id()));
        std::fs::write(&path, content).unwrap();
        let read = table(&path, "ROSTER_CSV").map(|table| table.rows.len());
        std::fs::remove_file(&path).unwrap();
        read.map_err(|error| error.failure)
    }

    #[test]
    fn a_file_is_read_up_to_its_limits_and_no_further() {
        let rows = |count: usize| "2026-11-24,田中\n".repeat(count);
        let bytes = |count: usize| format!("a,{}", "b".repeat(count - 2));
        assert_eq!(read("rows", &rows(MAX_ROWS)), Ok(MAX_ROWS));
        assert_eq!(read("more-rows", &rows(MAX_ROWS + 1)), Err(SourceFailure::TooLarge));
        // A blank line is a row of the sheet, too.
        assert_eq!(read("blank", &format!("{}a", "\n".repeat(MAX_ROWS))), Err(SourceFailure::TooLarge));
        assert_eq!(read("within", "a,b\r\n\r\n\"c\nd\",e\r\nf\r\n\r\n\r\ng"), Ok(7));
        assert_eq!(read("bytes", &bytes(MAX_SOURCE)), Ok(1));
        assert_eq!(read("more-bytes", &bytes(MAX_SOURCE + 1)), Err(SourceFailure::TooLarge));
    }
}
