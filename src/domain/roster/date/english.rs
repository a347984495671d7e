//! Dates in English: `Nov 24, 2026`, `24 November`, `24th of Nov 2026`.

use super::around::english_weekday;
use super::{Date, Day, MonthDay, Order, Reading, four_digits};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A day whose month is a word.
pub(super) fn day(text: &str) -> Option<Day> {
    if !text.is_ascii() || !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let (mut month, mut day, mut year, mut weekday) = (None, None, None, None);
    let mut last_was_day = false;
    for token in tokens(text)? {
        let was_day = std::mem::replace(&mut last_was_day, false);
        let is_free = if let Some(found) = number_of_month(token) {
            month.replace(found).is_none()
        } else if let Some(found) = four_digits(token) {
            year.replace(found).is_none()
        } else if let Some(found) = super::small(token) {
            last_was_day = true;
            day.replace(found).is_none()
        } else if let Some(found) = english_weekday(token) {
            weekday.replace(found).is_none()
        } else {
            (was_day && matches!(token, "st" | "nd" | "rd" | "th")) || matches!(token, "of" | "the")
        };
        if !is_free {
            return None;
        }
    }
    let (month, day) = (month?, day?);
    let date = match year {
        Some(_) => super::date(year, month, day)?,
        None => Date::EveryYear(MonthDay::new(month, day)?),
    };
    Some(Day { readings: vec![Reading { order: Order::Plain, date }], weekday, mark: None })
}

/// Runs of letters and of digits; nothing but blanks and the marks of dates may part them.
fn tokens(text: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_alphabetic() {
            rest.bytes().take_while(u8::is_ascii_alphabetic).count()
        } else if first.is_ascii_digit() {
            rest.bytes().take_while(u8::is_ascii_digit).count()
        } else if " ,.-/()".contains(first) {
            rest = &rest[1..];
            continue;
        } else {
            return None;
        };
        tokens.push(&rest[..length]);
        rest = &rest[length..];
    }
    Some(tokens)
}

/// Whether a run of letters may be part of a date or of what stands around it.
pub(super) fn may_be(word: &str) -> bool {
    /// `september`, `wednesday`
    const MAX_LENGTH: usize = 9;
    if word.is_empty() {
        return true;
    }
    let word = word.to_ascii_lowercase();
    word.len() <= MAX_LENGTH
        && (matches!(word.as_str(), "a" | "am" | "m" | "of" | "p" | "pm" | "r" | "t" | "the" | "to" | "z")
            || matches!(word.as_str(), "st" | "nd" | "rd" | "th")
            || number_of_month(&word).is_some()
            || english_weekday(&word).is_some())
}

fn number_of_month(word: &str) -> Option<u32> {
    let is_meant = |name: &&str| word == *name || word == &name[..3] || (*name == "september" && word == "sept");
    (1..).zip(MONTHS).find(|(_, name)| is_meant(name)).map(|(number, _)| number)
}
