//! A table in a message: numbers in rows.

use super::Span;

/// Numbers in rows: a chat prints them in columns, or a line a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What stands over the columns.
    pub head: Vec<String>,
    /// For each row, what it is about, and its numbers.
    pub rows: Vec<(Span, Vec<String>)>,
}

impl Table {
    /// The same, with other words for what its rows are about.
    #[must_use]
    pub fn with_rows(&self, row: impl Fn(&Span) -> Span) -> Self {
        let rows = self.rows.iter().map(|(span, numbers)| (row(span), numbers.clone()));
        Self { head: self.head.clone(), rows: rows.collect() }
    }
}
