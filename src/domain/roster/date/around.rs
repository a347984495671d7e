//! What may stand around a date: weekdays, holidays and times of day, with or without brackets.

use chrono::Weekday;

use super::{Day, bare};

/// A day with whatever stands around it.
pub(super) fn day(text: &str) -> Option<Day> {
    // What is stripped from the end, then from the beginning; a `日` may be a weekday or belong to the date.
    for (rest, at_end) in stripped(text, strip_end) {
        for (rest, at_start) in stripped(rest, strip_start) {
            let Some(day) = bare(rest) else { continue };
            let mut weekdays = [at_end, at_start, day.weekday].into_iter().flatten();
            let weekday = weekdays.next();
            if weekdays.any(|other| Some(other) != weekday) {
                continue;
            }
            return Some(Day { weekday, ..day });
        }
    }
    None
}

/// What stands around a date; the weekday, if that is part of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around(pub(super) Option<Weekday>);

type Strip = for<'a> fn(&'a str) -> Vec<(&'a str, Option<Weekday>)>;

/// Every rest that is left when more and more is stripped, the longest first.
fn stripped(text: &str, strip: Strip) -> Vec<(&str, Option<Weekday>)> {
    /// More would be no date; and the number of ways must stay small.
    const MAX_WAYS: usize = 16;
    let mut rests = vec![(filler(text), None)];
    let mut next = 0;
    while next < rests.len() && rests.len() < MAX_WAYS {
        let (rest, found) = rests[next];
        for (shorter, weekday) in strip(rest) {
            let agree = found.is_none() || weekday.is_none() || found == weekday;
            let candidate = (filler(shorter), found.or(weekday));
            if agree && !rests.contains(&candidate) {
                rests.push(candidate);
            }
        }
        next += 1;
    }
    rests
}

fn filler(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '、' | '・'))
}

fn strip_end(text: &str) -> Vec<(&str, Option<Weekday>)> {
    /// `wednesday`, `10:00:00.000-17:00:00`
    const MAX_LENGTH: usize = 32;
    let mut rests = Vec::new();
    if let Some(open) = text.strip_suffix(')').and_then(|text| text.rfind('(')) {
        if let Some(Around(weekday)) = note(&text[open + 1..text.len() - 1]) {
            rests.push((&text[..open], weekday));
        }
        return rests;
    }
    for (at, _) in text.char_indices().rev().take(MAX_LENGTH) {
        if at == 0 {
            break;
        }
        if let Some((length, weekday)) = item(&text[at..])
            && length == text.len() - at
            && may_follow(&text[..at], &text[at..])
        {
            rests.push((&text[..at], weekday));
        }
    }
    rests
}

fn strip_start(text: &str) -> Vec<(&str, Option<Weekday>)> {
    if let Some(inner) = text.strip_prefix('(') {
        let parts = inner.split_once(')').and_then(|(inside, rest)| Some((rest, note(inside)?.0)));
        return parts.into_iter().collect();
    }
    let Some((length, weekday)) = item(text) else { return Vec::new() };
    // `午前 11/24` has no hour.
    let half = ["午前", "午後"].into_iter().find_map(|half| text.strip_prefix(half));
    if let Some(rest) = half {
        return [(rest, None), (&text[length..], None)].into();
    }
    let rest = &text[length..];
    let ends_in_latin = text[..length].ends_with(|c: char| c.is_ascii_alphanumeric());
    if ends_in_latin && rest.starts_with(|c: char| c.is_ascii_alphanumeric() || ":/.-".contains(c)) {
        return Vec::new();
    }
    vec![(rest, weekday)]
}

/// Whether what is stripped doesn't tear a number or a word apart.
fn may_follow(before: &str, item: &str) -> bool {
    let (Some(last), Some(first)) = (before.chars().next_back(), item.chars().next()) else { return true };
    if first.is_ascii_digit() {
        !last.is_ascii_alphanumeric() && !":/.-~".contains(last)
    } else if first == 't' && item[1..].starts_with(|c: char| c.is_ascii_digit()) {
        last.is_ascii_digit()
    } else if first.is_ascii_alphabetic() {
        !last.is_ascii_alphabetic()
    } else {
        true
    }
}

/// The inside of brackets. Behind a weekday, and parted from it, anything may stand: `(火・全社休)`.
fn note(text: &str) -> Option<Around> {
    let (weekday, rest) = all_or_part(text)?;
    let parted = rest.starts_with(['・', ',', '/', '、']);
    (rest.is_empty() || (weekday.is_some() && parted)).then_some(Around(weekday))
}

/// Weekday and what else stands around a date, if the text is nothing else.
pub(super) fn all_around(text: &str) -> Option<Around> {
    let text = filler(text);
    if text.is_empty() {
        return Some(Around(None));
    }
    if let Some(inside) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        return note(inside);
    }
    let (weekday, rest) = all_or_part(text)?;
    rest.is_empty().then_some(Around(weekday))
}

/// Items one after the other, and the rest from the first that is none.
fn all_or_part(text: &str) -> Option<(Option<Weekday>, &str)> {
    let mut rest = text.trim();
    let mut found = None;
    let mut any = false;
    loop {
        let next = rest.trim_start_matches(|c: char| c.is_whitespace() || "・,/、.".contains(c));
        let Some((length, weekday)) = item(next) else { break };
        if let (Some(found), Some(weekday)) = (found, weekday)
            && found != weekday
        {
            return None;
        }
        found = found.or(weekday);
        any = true;
        rest = next[length..].trim_start();
    }
    any.then_some((found, rest.trim_end_matches('.')))
}

/// The length of the weekday, holiday or time that a text begins with.
fn item(text: &str) -> Option<(usize, Option<Weekday>)> {
    if let Some(length) = ["祝日", "祝"].into_iter().find_map(|word| text.starts_with(word).then_some(word.len())) {
        return Some((length, None));
    }
    if let Some((length, weekday)) = weekday_at(text) {
        return Some((length, Some(weekday)));
    }
    time(text).map(|length| (length, None))
}

const JAPANESE: [(&str, Weekday); 7] = [
    ("月", Weekday::Mon),
    ("火", Weekday::Tue),
    ("水", Weekday::Wed),
    ("木", Weekday::Thu),
    ("金", Weekday::Fri),
    ("土", Weekday::Sat),
    ("日", Weekday::Sun),
];
const ENGLISH: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

fn weekday_at(text: &str) -> Option<(usize, Weekday)> {
    for (name, weekday) in JAPANESE {
        if let Some(rest) = text.strip_prefix(name) {
            let tail = ["曜日", "曜"].into_iter().find(|tail| rest.starts_with(tail)).map_or(0, str::len);
            return Some((name.len() + tail, weekday));
        }
    }
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let weekday = english_weekday(word)?;
    let dot = usize::from(text[word.len()..].starts_with('.'));
    Some((word.len() + dot, weekday))
}

/// `tue`, `tues`, `tuesday`; in lower case.
pub(super) fn english_weekday(word: &str) -> Option<Weekday> {
    ENGLISH.into_iter().find_map(|(name, weekday)| {
        let short = name.strip_suffix("day").unwrap_or(name);
        let is_meant = word == name || (word.len() >= 3 && short.starts_with(word));
        is_meant.then_some(weekday)
    })
}

/// The weekday that a text is, and nothing else.
pub(in crate::domain::roster) fn weekday(text: &str) -> Option<Weekday> {
    let text = super::fold(text);
    let text = filler(&text);
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    weekday_at(inside).filter(|(length, _)| *length == inside.len()).map(|(_, weekday)| weekday)
}

/// Whether a text is a weekday, several or a range of them: `火`, `Mon-Fri`, `月・水・金`.
pub(in crate::domain::roster) fn is_weekday(text: &str) -> bool {
    /// `Monday, Tuesday, Wednesday and so on`
    const MAX_LENGTH: usize = 80;
    let may_be = |c: char| "月火水木金土日(（[【mtwfsMTWFS".contains(c);
    if text.len() > MAX_LENGTH || !text.starts_with(may_be) {
        return false;
    }
    let text = super::fold(text);
    let mut parts =
        text.split(|c: char| c.is_whitespace() || "-~・,、/&()".contains(c)).filter(|part| !part.is_empty());
    let mut any = false;
    parts.all(|part| {
        any = true;
        weekday_at(part).is_some_and(|(length, _)| length == part.len())
    }) && any
}

/// Whether a text is a time of day or a range of them.
pub(in crate::domain::roster) fn is_time(text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_ascii_digit() || "午aApP(（ ".contains(c)) {
        return false;
    }
    let text = super::fold(text);
    time(filler(&text)) == Some(filler(&text).len())
}

/// The length of the time of day, or the range of them, that a text begins with.
fn time(text: &str) -> Option<usize> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.eat("t");
    scanner.one_time()?;
    let one = scanner.at;
    scanner.blanks();
    if scanner.eat("~") || scanner.eat("-") || scanner.eat("から") {
        scanner.blanks();
        if scanner.one_time().is_some() {
            return Some(scanner.at);
        }
        // `10:00~`
        if text[one..].trim() == "~" {
            return Some(text.len());
        }
    }
    Some(one)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn eat(&mut self, word: &str) -> bool {
        let found = self.text[self.at..].starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn blanks(&mut self) {
        while self.eat(" ") {}
    }

    fn digits(&mut self, most: usize) -> Option<u32> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=most).contains(&length) {
            return None;
        }
        self.at += length;
        rest[..length].parse().ok()
    }

    fn half_of_day(&mut self) -> bool {
        ["午前", "午後", "a.m.", "p.m.", "am", "pm"].into_iter().any(|half| self.eat(half))
    }

    /// `10:00`, `10:00:00.000`, `10時30分`, `10時半`, `午前`, `午後3時`, `3 pm`
    fn one_time(&mut self) -> Option<()> {
        let half = self.half_of_day();
        let after_half = self.at;
        self.blanks();
        if self.clock_time(half).is_some() {
            return Some(());
        }
        self.at = after_half;
        half.then_some(())
    }

    fn clock_time(&mut self, half: bool) -> Option<()> {
        let hour = self.digits(2).filter(|hour| *hour <= 30)?;
        let mut is_midnight = hour == 0;
        if self.eat(":") {
            is_midnight &= self.digits(2).filter(|minute| *minute < 60)? == 0;
            if self.eat(":") {
                is_midnight &= self.digits(2).filter(|second| *second < 61)? == 0;
                if self.eat(".") {
                    is_midnight &= self.digits(9)? == 0;
                }
            }
            // A date with a zone is that date at midnight only; else it may be another one here.
            if is_midnight {
                let _ = ["z", "+00:00", "+09:00"].into_iter().any(|zone| self.eat(zone));
            }
        } else if self.eat("時") {
            if !self.eat("半") && self.digits(2).is_some() && !self.eat("分") {
                return None;
            }
        } else if half {
            return Some(());
        } else {
            self.blanks();
            return self.half_of_day().then_some(());
        }
        let end = self.at;
        self.blanks();
        if !self.half_of_day() {
            self.at = end;
        }
        Some(())
    }
}
