//! The grammar of dates: what a cell may say that is one day, or a range of days.

mod around;
mod english;

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::cells::Value;

pub(super) use around::{is_time, is_weekday, weekday};

/// What a date cell says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    pub(super) start: Day,
    pub(super) end: Option<Day>,
}

/// One day, in every way in which it can be read; never in none.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Day {
    pub(super) readings: Vec<Reading>,
    pub(super) weekday: Option<Weekday>,
    /// What parts its numbers: only rows of one form settle each other's order.
    pub(super) mark: Option<char>,
}

/// One way to read a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    pub(super) order: Order,
    pub(super) date: Date,
}

/// The order of a day's numbers, where it isn't plain without knowing the other rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// No other order is possible in this form.
    Plain,
    YearFirst,
    MonthFirst,
    DayFirst,
}

/// A day of one year, or of a year that isn't written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Date {
    Full(NaiveDate),
    EveryYear(MonthDay),
}

/// A day of every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct MonthDay {
    pub(super) month: u32,
    pub(super) day: u32,
}

impl MonthDay {
    pub(super) const LEAP: i32 = 2024;

    fn new(month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(Self::LEAP, month, day).map(|_| Self { month, day })
    }

    pub(super) fn of(self, year: i32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(year, self.month, self.day)
    }
}

/// Reads a cell as a date; `None` is a cell that says no date.
pub(super) fn read(value: &Value) -> Option<Written> {
    match value {
        Value::Number(number) => Some(Written { start: Day::plain(from_number(*number)?), end: None }),
        Value::Text(text) => from_text(&text.clean),
        Value::Blank | Value::Flag(_) | Value::Hidden => None,
    }
}

/// Reads a cleaned text as a date.
pub(super) fn from_text(clean: &str) -> Option<Written> {
    /// Nobody needs more for a date, and what comes from outside must not cost more than a date does.
    const MAX_LENGTH: usize = 120;
    let has_digit = clean.bytes().any(|byte| byte.is_ascii_digit());
    if clean.len() > MAX_LENGTH || !has_digit || !may_be(clean) {
        return None;
    }
    let text = fold(clean);
    match around::day(&text) {
        Some(start) => Some(Written { start, end: None }),
        None => range(&text),
    }
}

/// Whether a text has nothing outside brackets that no date has: by this most names are known to be none.
fn may_be(clean: &str) -> bool {
    let mut depth = 0_usize;
    for c in clean.chars() {
        match c {
            '(' | '[' | '【' | '〔' | '「' | '〈' | '<' | '『' | '《' | '{' => depth += 1,
            ')' | ']' | '】' | '〕' | '」' | '〉' | '>' | '』' | '》' | '}' => depth = depth.saturating_sub(1),
            c if depth > 0 || c.is_whitespace() => {}
            c if c.is_ascii_alphabetic() => {}
            c if c.is_alphabetic() && !"年月日令和元火水木金土曜祝時分半午前後まで から ー".contains(c) =>
            {
                return false;
            }
            _ => {}
        }
    }
    clean.split(|c: char| !c.is_ascii_alphabetic()).all(english::may_be)
}

/// The years of serial numbers and of eight digits in a row.
fn is_of_our_time(date: NaiveDate) -> bool {
    (2000..=2100).contains(&date.year())
}

/// Google's serial numbers count days since 30 December 1899; a fraction is the time of day.
///
/// Source: <https://developers.google.com/workspace/sheets/api/reference/rest/v4/DateTimeRenderOption>
fn from_number(number: f64) -> Option<NaiveDate> {
    if !(0.0..100_000_000.0).contains(&number) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded above")]
    let whole = number.trunc() as u32;
    if whole >= 10_000_000 {
        return if number.fract() == 0.0 { from_eight_digits(whole) } else { None };
    }
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30)?;
    epoch.checked_add_days(Days::new(whole.into())).filter(|date| is_of_our_time(*date))
}

fn from_eight_digits(digits: u32) -> Option<NaiveDate> {
    let year = i32::try_from(digits / 10_000).ok()?;
    NaiveDate::from_ymd_opt(year, digits / 100 % 100, digits % 100).filter(|date| is_of_our_time(*date))
}

/// One kind of dash, of brackets and of case.
fn fold(clean: &str) -> String {
    let fold = |c: char| match c {
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '─' | '━' | 'ー' | '﹘' => '-',
        '〜' | '∼' | '～' | '〰' => '~',
        '【' | '〔' | '[' | '「' | '〈' | '<' | '『' | '《' | '{' => '(',
        '】' | '〕' | ']' | '」' | '〉' | '>' | '』' | '》' | '}' => ')',
        '⁄' | '∕' => '/',
        '\n' => ' ',
        c => c.to_ascii_lowercase(),
    };
    clean.chars().map(fold).collect()
}

/// `11/23~11/27`, `11月23日から27日まで`; a text that can be parted in two ways is none.
fn range(text: &str) -> Option<Written> {
    let text = text.trim().strip_suffix("まで").unwrap_or(text);
    let mut found: Option<Written> = None;
    for mark in ["~", "-", "から", " to ", ".."] {
        for (at, _) in text.match_indices(mark) {
            let Some(start) = around::day(&text[..at]) else { continue };
            let rest = &text[at + mark.len()..];
            // `24-Nov-26` is as likely a day of a year.
            let is_plain = mark != "-" || !text[..at].contains('-');
            let end = around::day(rest).or_else(|| day_alone(rest, &start).filter(|_| is_plain));
            let Some(end) = end else { continue };
            let written = Written { start, end: Some(end) };
            if found.as_ref().is_some_and(|found| *found != written) {
                return None;
            }
            found = Some(written);
        }
    }
    found
}

/// The end of `11/23~27`.
fn day_alone(text: &str, start: &Day) -> Option<Day> {
    let text = text.trim();
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let day = small(&text[..text.len() - digits.len()])?;
    let rest = digits.strip_prefix('日').unwrap_or(digits);
    let around::Around(weekday) = around::all_around(rest)?;
    let [Reading { order, date }] = start.readings[..] else { return None };
    let date = match date {
        Date::Full(date) => Date::Full(date.with_day(day)?),
        Date::EveryYear(start) => Date::EveryYear(MonthDay::new(start.month, day)?),
    };
    Some(Day { readings: vec![Reading { order, date }], weekday, mark: start.mark })
}

impl Day {
    fn plain(date: NaiveDate) -> Self {
        Self::one(Order::Plain, Date::Full(date))
    }

    fn one(order: Order, date: Date) -> Self {
        Self { readings: vec![Reading { order, date }], weekday: None, mark: None }
    }
}

/// A text that is a date and nothing else.
fn bare(text: &str) -> Option<Day> {
    let text = text.trim();
    compact(text).or_else(|| japanese(text)).or_else(|| in_numbers(text)).or_else(|| english::day(text))
}

/// `20261124`
fn compact(text: &str) -> Option<Day> {
    let is_compact = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    Some(Day::plain(from_eight_digits(if is_compact { text.parse().ok()? } else { return None })?))
}

/// `2026年11月24日`, `令和8年11月24日`, `11月24日`; after a year also `11/24`.
fn japanese(text: &str) -> Option<Day> {
    let (year, rest) = match text.split_once('年') {
        Some((year, rest)) => (Some(era(year).or_else(|| four_digits(year))?), rest.trim()),
        None => (None, text),
    };
    let (month, day) = match rest.split_once('月') {
        Some((month, day)) => (month, day.strip_suffix('日')?),
        None if year.is_some() => rest.split_once(['/', '-', '.'])?,
        None => return None,
    };
    Some(Day::one(Order::Plain, date(year, small(month)?, small(day)?)?))
}

/// `2026-11-24`, `2026/11/24`, `2026. 11. 24.`, `R8/11/24`, `11/24/2026`, `26/11/24`, `11/24`.
fn in_numbers(text: &str) -> Option<Day> {
    let mark = text.chars().find(|c| matches!(c, '/' | '-' | '.'))?;
    let text = if mark == '.' { text.strip_suffix('.').unwrap_or(text) } else { text };
    let mut parts = text.split(mark);
    let day = match (parts.next()?, parts.next()?, parts.next(), parts.next()) {
        (first, second, Some(third), None) => three_numbers(first, second, third),
        // `11-24` and `11.24` are as likely a range or a number.
        (month, day, None, None) if mark == '/' => two_numbers(small(month)?, small(day)?),
        _ => None,
    };
    day.map(|day| Day { mark: Some(mark), ..day })
}

fn two_numbers(first: u32, second: u32) -> Option<Day> {
    MonthDay::new(first, second)
        .map(|date| Day::one(Order::MonthFirst, Date::EveryYear(date)))
        .or_else(|| MonthDay::new(second, first).map(|date| Day::one(Order::DayFirst, Date::EveryYear(date))))
}

fn three_numbers(first: &str, second: &str, third: &str) -> Option<Day> {
    let middle = small(second)?;
    if let Some(year) = era(first) {
        return Some(Day::one(Order::Plain, date(Some(year), middle, small(third)?)?));
    }
    if let Some(year) = four_digits(first) {
        return Some(Day::one(Order::YearFirst, date(Some(year), middle, small(third)?)?));
    }
    let readings: Vec<Reading> = if let Some(year) = four_digits(third) {
        let first = small(first)?;
        [(Order::MonthFirst, first, middle), (Order::DayFirst, middle, first)]
            .into_iter()
            .filter_map(|(order, month, day)| Some(Reading { order, date: date(Some(year), month, day)? }))
            .collect()
    } else {
        let (first, last) = (small(first)?, small(third)?);
        let year = |digits: u32| i32::try_from(2000 + digits).ok();
        [
            (Order::YearFirst, first, middle, last),
            (Order::MonthFirst, last, first, middle),
            (Order::DayFirst, last, middle, first),
        ]
        .into_iter()
        .filter_map(|(order, y, month, day)| Some(Reading { order, date: date(Some(year(y)?), month, day)? }))
        .collect()
    };
    match readings[..] {
        [] => None,
        // `4/4/2026`
        [one, other] if one.date == other.date => Some(Day::one(Order::Plain, one.date)),
        _ => Some(Day { readings, weekday: None, mark: None }),
    }
}

fn date(year: Option<i32>, month: u32, day: u32) -> Option<Date> {
    match year {
        Some(year) => NaiveDate::from_ymd_opt(year, month, day).map(Date::Full),
        None => MonthDay::new(month, day).map(Date::EveryYear),
    }
}

/// 令和 began in 2019.
fn era(text: &str) -> Option<i32> {
    let text = text.trim();
    let year = text.strip_prefix("令和").or_else(|| text.strip_prefix('r')).map(str::trim)?;
    let year = if year == "元" { 1 } else { i32::try_from(small(year)?).ok()? };
    (year > 0).then_some(2018 + year)
}

fn four_digits(text: &str) -> Option<i32> {
    let text = text.trim();
    let year = (text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())??;
    (year >= 1000).then_some(year)
}

/// One or two digits.
fn small(text: &str) -> Option<u32> {
    let text = text.trim();
    let is_small = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_small { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
