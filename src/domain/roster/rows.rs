//! The rows of a table: whose day each is, and which of them can't be read.

use std::collections::{HashMap, HashSet};

use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};

use super::ReadingRules;
use super::cells::{Grid, Value};
use super::columns::says_something;
use super::date::{self, Written};
use super::duty::Duty;
use super::layout::{Layout, Part};
use super::problem::RowIssue;
use super::titles::Title;
use super::weeks::Weeks;
use super::years::{self, Span, Undecided};

/// A row whose days aren't known.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    pub(super) row: usize,
    pub(super) issue: RowIssue,
    /// Days that it may be about.
    pub(super) about: Vec<(NaiveDate, NaiveDate)>,
}

impl Lost {
    pub(super) fn may_be_about(&self, date: NaiveDate) -> bool {
        self.about.iter().any(|(from, to)| (*from..=*to).contains(&date))
    }
}

/// The rows of one table.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) duties: Vec<Duty>,
    pub(super) lost: Vec<Lost>,
    /// Dates that are used although something about them is wrong.
    pub(super) slips: Vec<(usize, RowIssue)>,
    pub(super) weeks: Weeks,
}

/// A row before the years are known.
struct Dated {
    row: usize,
    written: Written,
    /// The end column's cell can't be read.
    has_bad_end: bool,
    /// Rows without a date that may belong to it.
    below: Vec<usize>,
    /// Rows between this one and the next dated one whose date can't be read.
    unread_after: usize,
}

/// What stands above a row without a date.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Above {
    /// Nothing to which it could belong.
    Nothing,
    /// The last dated row.
    Dated,
}

impl Rows {
    /// The rows of one of the sheet's tables, by its place among them.
    pub(super) fn of(grid: &Grid, layout: &Layout, part: usize, rules: &ReadingRules, today: NaiveDate) -> Self {
        let table = Table { grid, layout, part: &layout.parts[part] };
        let mut rows = Self::default();
        let dated = table.dated(&mut rows.lost);
        let column: Vec<Written> = dated.iter().map(|row| row.written.clone()).collect();
        let spans = years::decide(&column, today);
        rows.weeks = Weeks::of(&spans, table.date_title().as_ref(), layout.header.is_some(), rules, today);
        let weekdays = table.weekdays(&dated, &spans, &rows.weeks);
        for (index, (row, span)) in dated.iter().zip(&spans).enumerate() {
            let span = match span {
                Ok(_) if row.has_bad_end => Err(Undecided { issue: RowIssue::BadEnd, about: about(span) }),
                span => span.clone(),
            };
            match span {
                Ok(span) => {
                    let next = spans[index + 1..].iter().find_map(|next| next.as_ref().ok());
                    let (start, own_end) = (span.start, span.end);
                    let until = own_end.unwrap_or_else(|| rows.weeks.until(start));
                    // A week may have a row for each of its days.
                    let has_days = until > start && weekdays.get(&start).is_some_and(|weekdays| weekdays.len() > 1);
                    let was_forgotten = !has_days && next.is_some_and(|next| forgets_dates(&span, next, row, rules));
                    rows.slips.extend(span.slip.map(|slip| (row.row, slip)));
                    let below = row.below.iter().filter(|_| !was_forgotten);
                    let weekly = own_end.is_none() && until > start;
                    for line in std::iter::once(&row.row).chain(below) {
                        let duty = Duty { row: *line, part, start, until, weekly };
                        let Some(weekday) = table.weekday(*line).filter(|_| has_days) else {
                            rows.duties.push(duty);
                            continue;
                        };
                        let mut days = start.iter_days().take_while(|day| *day <= until);
                        match days.find(|day| day.weekday() == weekday) {
                            Some(day) => rows.duties.push(Duty { start: day, until: day, ..duty }),
                            None => rows.lose(&[*line], &RowIssue::NoDate),
                        }
                    }
                    if was_forgotten {
                        rows.lose(&row.below, &RowIssue::DateForgotten);
                    }
                }
                Err(Undecided { issue, about }) => {
                    if table.says_something(row.row) {
                        rows.lost.push(Lost { row: row.row, issue, about });
                    }
                    rows.lose(&row.below, &RowIssue::NoDate);
                }
            }
        }
        rows.lost.sort_by_key(|lost| lost.row);
        rows
    }

    fn lose(&mut self, rows: &[usize], issue: &RowIssue) {
        self.lost.extend(rows.iter().map(|row| Lost { row: *row, issue: issue.clone(), about: Vec::new() }));
    }
}

fn about(span: &Result<Span, Undecided>) -> Vec<(NaiveDate, NaiveDate)> {
    match span {
        Ok(span) => vec![(span.start, span.start)],
        Err(undecided) => undecided.about.clone(),
    }
}

/// Whether the days that the next date leaves out are exactly as many working days as rows have no date.
fn forgets_dates(span: &Span, next: &Span, row: &Dated, rules: &ReadingRules) -> bool {
    const MAX_GAP: usize = 400;
    if row.below.is_empty() {
        return false;
    }
    let last = span.end.unwrap_or(span.start);
    let (from, to) = if next.start > last { (last, next.start) } else { (next.end.unwrap_or(next.start), span.start) };
    let days = from.iter_days().skip(1).take_while(|day| *day < to).take(MAX_GAP);
    let most = row.below.len() + row.unread_after;
    let left_out = days.filter(|day| rules.calendar.is_working_day(*day)).take(most + 1).count();
    // A row that can't be read may have had one of the days.
    (row.below.len()..=most).contains(&left_out)
}

/// One table of the sheet.
struct Table<'a> {
    grid: &'a Grid,
    layout: &'a Layout,
    part: &'a Part,
}

impl Table<'_> {
    fn date_title(&self) -> Option<Title> {
        let header = self.layout.header?;
        self.grid.value(header, self.part.dates).text().map(Title::from_clean)
    }

    fn value(&self, row: usize, column: usize) -> &Value {
        self.grid.value(row, column)
    }

    fn says_something(&self, row: usize) -> bool {
        self.part.columns.iter().any(|column| says_something(*column, self.value(row, column.index)))
    }

    fn is_blank(&self, row: usize) -> bool {
        if self.layout.parts.len() == 1 {
            return self.grid.row(row).iter().all(Value::is_blank);
        }
        let Part { dates, ends, columns, left_out } = self.part;
        let own = columns.iter().map(|column| column.index).chain(left_out.iter().copied());
        own.chain([*dates]).chain(*ends).all(|column| self.value(row, column).is_blank())
    }

    /// The rows with a date, each with those below it that may be meant by it, too.
    fn dated(&self, lost: &mut Vec<Lost>) -> Vec<Dated> {
        let mut dated: Vec<Dated> = Vec::new();
        let mut above = Above::Nothing;
        for row in self.layout.body()..self.grid.height() {
            let cell = self.value(row, self.part.dates);
            if let Some(mut written) = date::read(cell) {
                let has_bad_end = self.take_end(row, &mut written);
                dated.push(Dated { row, written, has_bad_end, below: Vec::new(), unread_after: 0 });
                above = Above::Dated;
            } else if cell.is_blank() {
                if self.is_blank(row) {
                    above = Above::Nothing;
                } else if self.says_something(row) {
                    match dated.last_mut() {
                        Some(day) if above == Above::Dated => day.below.push(row),
                        _ => lost.push(Lost { row, issue: RowIssue::NoDate, about: Vec::new() }),
                    }
                }
            } else {
                above = Above::Nothing;
                if self.says_something(row) && !self.is_header_again(row) {
                    let issue = match cell {
                        Value::Hidden => RowIssue::MergeOutside,
                        cell if cell.is_formula_error() => RowIssue::FormulaError,
                        _ => RowIssue::NoDate,
                    };
                    lost.push(Lost { row, issue, about: Vec::new() });
                    if let Some(last) = dated.last_mut() {
                        last.unread_after += 1;
                    }
                }
            }
        }
        dated
    }

    /// The weekdays that stand beside each date that is several days', in its row and those below.
    fn weekdays(
        &self,
        dated: &[Dated],
        spans: &[Result<Span, Undecided>],
        weeks: &Weeks,
    ) -> HashMap<NaiveDate, HashSet<Weekday>> {
        let mut weekdays: HashMap<NaiveDate, HashSet<Weekday>> = HashMap::new();
        for (row, span) in dated.iter().zip(spans) {
            if let Ok(span) = span
                && span.end.unwrap_or_else(|| weeks.until(span.start)) > span.start
            {
                let lines = row.below.iter().chain([&row.row]);
                weekdays.entry(span.start).or_default().extend(lines.filter_map(|line| self.weekday(*line)));
            }
        }
        weekdays
    }

    /// The weekday that stands in a row, in a column of its own.
    fn weekday(&self, row: usize) -> Option<Weekday> {
        /// `(Wednesday)`, full width
        const LONGEST_WEEKDAY: usize = 36;
        let is_other = |column: usize| {
            let is_of_people = self.part.columns.iter().any(|own| own.index == column);
            !is_of_people && column != self.part.dates && Some(column) != self.part.ends
        };
        let cells = self.grid.row(row).iter().enumerate().filter(|(column, _)| is_other(*column));
        // Beside another table it may be that one's.
        let cells = cells.filter(|_| self.layout.parts.len() == 1);
        let mut texts = cells.filter_map(|(_, value)| value.text().filter(|text| text.len() <= LONGEST_WEEKDAY));
        texts.find_map(date::weekday)
    }

    /// Adds the end that stands in a column of its own; says whether it can't be read.
    fn take_end(&self, row: usize, written: &mut Written) -> bool {
        let Some(column) = self.part.ends else { return false };
        let cell = self.value(row, column);
        if written.end.is_some() || cell.is_blank() {
            return false;
        }
        match date::read(cell) {
            Some(end) => {
                written.end = Some(end.end.unwrap_or(end.start));
                false
            }
            None => true,
        }
    }

    /// Whether the row repeats the header, or is another one.
    fn is_header_again(&self, row: usize) -> bool {
        let title = |value: &Value| value.text().map(Title::from_clean);
        let header = |column| self.layout.header.map_or(&Value::Blank, |header| self.value(header, column));
        let is_repeated = |column: usize| {
            let value = self.value(row, column);
            value.is_blank() || (value == header(column)) || title(value).is_some_and(|title| title.is_known())
        };
        let dates = self.value(row, self.part.dates);
        let is_of_dates = title(dates).is_some_and(|title| title.is_of_dates()) || dates == header(self.part.dates);
        is_of_dates && self.part.columns.iter().all(|column| is_repeated(column.index))
    }
}

/// A day later.
pub(super) fn after(date: NaiveDate, days: i64) -> NaiveDate {
    date.checked_add_signed(TimeDelta::days(days)).unwrap_or(date)
}
