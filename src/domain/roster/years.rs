//! The days that dates of a column stand for: the order of their numbers, and the years that nobody wrote.

mod run;

use chrono::{Datelike, NaiveDate, TimeDelta};

use super::date::{Date, Day, MonthDay, Order, Written};
use super::problem::RowIssue;

/// The longest range that is read.
const MAX_RANGE: TimeDelta = TimeDelta::days(31);

/// The days of a row, and a contradiction in it that costs nobody the day.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    pub(super) start: NaiveDate,
    /// The row's own end, if it gives one.
    pub(super) end: Option<NaiveDate>,
    pub(super) slip: Option<RowIssue>,
}

/// Why the days of a row aren't known, and on which days it may be the row of the day.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Undecided {
    pub(super) issue: RowIssue,
    pub(super) about: Vec<(NaiveDate, NaiveDate)>,
}

impl From<RowIssue> for Undecided {
    fn from(issue: RowIssue) -> Self {
        Self { issue, about: Vec::new() }
    }
}

/// Decides the days of a column's dates, in the order of the rows.
pub(super) fn decide(column: &[Written], today: NaiveDate) -> Vec<Result<Span, Undecided>> {
    let orders = Orders::of(column);
    let dates: Vec<Option<Date>> = column.iter().map(|written| orders.settle(&written.start)).collect();
    let rows: Vec<Row> = column.iter().zip(&dates).map(|(written, date)| Row::of(written, *date, today)).collect();
    let years = Years::decide(&rows, today);
    let spans = column.iter().zip(rows).zip(years);
    spans
        .map(|((written, row), year)| {
            span(written, &row, year, &orders).map_err(|undecided| match undecided.about[..] {
                [] => Undecided { about: possible(&written.start, today), ..undecided },
                _ => undecided,
            })
        })
        .collect()
}

/// The days that somebody may have meant.
fn possible(written: &Day, today: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
    let days = written.readings.iter().flat_map(|reading| match reading.date {
        Date::Full(date) => vec![date],
        Date::EveryYear(date) => years(today).filter_map(|year| date.of(year)).collect(),
    });
    days.map(|day| (day, day)).collect()
}

fn span(written: &Written, row: &Row, year: Year, orders: &Orders) -> Result<Span, Undecided> {
    let start = match (row, year) {
        (Row::Unsettled, _) => return Err(RowIssue::OrderUnclear.into()),
        (Row::Fixed(date), _) => *date,
        (Row::Floating { date, .. }, Year::Known(year)) => date.of(year).ok_or(RowIssue::NoYear)?,
        (Row::Floating { .. }, Year::None) => return Err(RowIssue::NoYear.into()),
    };
    let mut slip = slip(start, &written.start);
    let Some(written_end) = &written.end else { return Ok(Span { start, end: None, slip }) };
    let end = match orders.settle(written_end).ok_or(RowIssue::OrderUnclear)? {
        Date::Full(end) => end,
        Date::EveryYear(date) => {
            let of = |year: i32| date.of(year).filter(|end| *end >= start);
            of(start.year()).or_else(|| of(start.year() + 1)).ok_or(RowIssue::BadRange)?
        }
    };
    if end < start || end - start >= MAX_RANGE {
        return Err(Undecided { issue: RowIssue::BadRange, about: vec![(start, end.max(start))] });
    }
    slip = slip.or_else(|| self::slip(end, written_end));
    Ok(Span { start, end: Some(end), slip })
}

fn slip(date: NaiveDate, written: &Day) -> Option<RowIssue> {
    let weekday = written.weekday?;
    (weekday != date.weekday()).then_some(RowIssue::OtherWeekday { date })
}

/// The orders of numbers that rows of the column prove.
struct Orders {
    proven: Vec<(Order, Option<char>)>,
}

impl Orders {
    fn of(column: &[Written]) -> Self {
        let mut proven = Vec::new();
        for day in column.iter().flat_map(|written| std::iter::once(&written.start).chain(&written.end)) {
            if let Some(order) = Self::proof(day)
                && !proven.contains(&(order, day.mark))
            {
                proven.push((order, day.mark));
            }
        }
        Self { proven }
    }

    /// The one order in which a day can be read, if its numbers or its weekday leave no other.
    fn proof(day: &Day) -> Option<Order> {
        match by_weekday(day) {
            Some((order, _)) if day.readings.len() > 1 => Some(order),
            _ => match day.readings[..] {
                [reading] => match (reading.order, reading.date) {
                    // `3/4` is read with the month first because most people write it so; it proves nothing.
                    (Order::Plain, _) => None,
                    (Order::MonthFirst, Date::EveryYear(date)) if date.day <= 12 => None,
                    (order, _) => Some(order),
                },
                _ => None,
            },
        }
    }

    fn proves(&self, order: Order, day: &Day) -> bool {
        self.proven.contains(&(order, day.mark))
    }

    fn settle(&self, day: &Day) -> Option<Date> {
        if let [reading] = day.readings[..] {
            let Date::EveryYear(date) = reading.date else { return Some(reading.date) };
            let day_first = self.proves(Order::DayFirst, day) && !self.proves(Order::MonthFirst, day);
            return match reading.order {
                Order::DayFirst => None,
                Order::MonthFirst if date.day <= 12 && date.day != date.month && day_first => None,
                _ => Some(reading.date),
            };
        }
        if let Some((_, date)) = by_weekday(day) {
            return Some(date);
        }
        let mut left = day.readings.iter().filter(|reading| self.proves(reading.order, day));
        let date = left.next()?.date;
        left.all(|other| other.date == date).then_some(date)
    }
}

/// The only reading that has the written weekday.
fn by_weekday(day: &Day) -> Option<(Order, Date)> {
    let weekday = day.weekday?;
    let mut left =
        day.readings.iter().filter(|reading| matches!(reading.date, Date::Full(date) if date.weekday() == weekday));
    let reading = left.next()?;
    left.all(|other| other.date == reading.date).then_some((reading.order, reading.date))
}

/// A row as far as it is known by itself.
#[derive(Debug, Clone, PartialEq)]
enum Row {
    Unsettled,
    Fixed(NaiveDate),
    /// No year is written; `by_weekday` is the one that its weekday means.
    Floating {
        date: MonthDay,
        has_weekday: bool,
        by_weekday: Option<NaiveDate>,
    },
}

impl Row {
    fn of(written: &Written, start: Option<Date>, today: NaiveDate) -> Self {
        let date = match start {
            None => return Self::Unsettled,
            Some(Date::Full(date)) => return Self::Fixed(date),
            Some(Date::EveryYear(date)) => date,
        };
        let end = written.end.as_ref().and_then(|end| match end.readings[..] {
            [reading] => Some((reading.date, end.weekday)),
            _ => None,
        });
        let end_fits = |start: NaiveDate| match end {
            Some((Date::Full(end), _)) => end >= start && end - start < MAX_RANGE,
            Some((Date::EveryYear(end), Some(weekday))) => {
                let year = start.year() + i32::from(end < date);
                end.of(year).is_none_or(|end| end.weekday() == weekday)
            }
            _ => true,
        };
        let start_fits = |start: NaiveDate| written.start.weekday.is_none_or(|weekday| start.weekday() == weekday);
        let has_weekday = written.start.weekday.is_some()
            || end.is_some_and(|(end, weekday)| weekday.is_some() || matches!(end, Date::Full(_)));
        let by_weekday = years(today)
            .filter_map(|year| date.of(year))
            .find(|start| has_weekday && start_fits(*start) && end_fits(*start))
            // A slip in the end's weekday leaves the start's.
            .or_else(|| {
                let by_start = || years(today).filter_map(|year| date.of(year)).find(|start| start_fits(*start));
                written.start.weekday.and_then(|_| by_start())
            });
        Self::Floating { date, has_weekday, by_weekday }
    }

    fn known(&self) -> Option<NaiveDate> {
        match self {
            Self::Unsettled => None,
            Self::Fixed(date) => Some(*date),
            Self::Floating { by_weekday, .. } => *by_weekday,
        }
    }

    fn month_day(&self) -> Option<MonthDay> {
        match self {
            Self::Unsettled => None,
            Self::Fixed(date) => Some(MonthDay { month: date.month(), day: date.day() }),
            Self::Floating { date, .. } => Some(*date),
        }
    }
}

/// A date without a year is one of last, this or next year; the latest first.
fn years(today: NaiveDate) -> impl Iterator<Item = i32> {
    [today.year() + 1, today.year(), today.year() - 1].into_iter()
}

/// The year of a row without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Year {
    Known(i32),
    None,
}

struct Years;

impl Years {
    fn decide(rows: &[Row], today: NaiveDate) -> Vec<Year> {
        let neighbours = Neighbours::of(rows);
        let mut decided: Vec<Option<Year>> = rows
            .iter()
            .enumerate()
            .map(|(index, row)| match row {
                Row::Unsettled => Some(Year::None),
                Row::Fixed(date) => Some(Year::Known(date.year())),
                Row::Floating { date, has_weekday, by_weekday } => {
                    if let Some(year) = neighbours.agree_on(index, *date, rows) {
                        let is_near = years(today).any(|near| near == year);
                        return Some(if is_near { Year::Known(year) } else { Year::None });
                    }
                    match by_weekday {
                        Some(date) => Some(Year::Known(date.year())),
                        None if *has_weekday => Some(Year::None),
                        None => None,
                    }
                }
            })
            .collect();
        run::decide(rows, &mut decided, today);
        decided.into_iter().map(|year| year.unwrap_or(Year::None)).collect()
    }
}

/// For each row, where the next rows with other dates than its own are.
struct Neighbours {
    before: Vec<Option<usize>>,
    after: Vec<Option<usize>>,
}

impl Neighbours {
    fn of(rows: &[Row]) -> Self {
        let dates: Vec<Option<MonthDay>> = rows.iter().map(Row::month_day).collect();
        let same = |one: usize, other: usize| dates[one] == dates[other];
        let mut before: Vec<Option<usize>> = vec![None; rows.len()];
        let mut after = before.clone();
        for index in 1..rows.len() {
            before[index] = if same(index, index - 1) { before[index - 1] } else { Some(index - 1) };
        }
        for index in (0..rows.len().saturating_sub(1)).rev() {
            after[index] = if same(index, index + 1) { after[index + 1] } else { Some(index + 1) };
        }
        Self { before, after }
    }

    /// The year in which both rows next to it lie, within two weeks of it.
    fn agree_on(&self, index: usize, date: MonthDay, rows: &[Row]) -> Option<i32> {
        let other = |at: usize| rows[at].month_day() != Some(date);
        let (one, two) = match (self.before[index], self.after[index]) {
            (Some(before), Some(after)) => (before, after),
            // The two nearest at the table's end.
            (None, Some(next)) => (
                next,
                std::iter::successors(Some(next + 1), |at| Some(at + 1))
                    .take(2)
                    .find(|at| *at < rows.len() && other(*at))?,
            ),
            (Some(last), None) => {
                (last, [last.checked_sub(1), last.checked_sub(2)].into_iter().flatten().find(|at| other(*at))?)
            }
            (None, None) => return None,
        };
        let (one, two) = (rows[one].known()?, rows[two].known()?);
        let own = date.of(one.year())?;
        let is_near = |other: NaiveDate| (other - own).abs() <= TimeDelta::weeks(2);
        (one.year() == two.year() && is_near(one) && is_near(two)).then(|| one.year())
    }
}

#[cfg(test)]
mod tests;
