//! Business time: which days are working days, and which hours of them count.

use std::collections::HashSet;
use std::fmt;
use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use jpholiday::jpholiday::JPHoliday;

/// A team's working days and hours in its own time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: Tz,
    days: BusinessDays,
    hours: BusinessHours,
    holidays: Holidays,
}

impl Calendar {
    /// Puts the four settings together.
    #[must_use]
    pub fn new(zone: Tz, days: BusinessDays, hours: BusinessHours, holidays: Holidays) -> Self {
        Self { zone, days, hours, holidays }
    }

    /// The instant on the team's clock.
    #[must_use]
    pub fn local(&self, now: DateTime<Utc>) -> DateTime<Tz> {
        now.with_timezone(&self.zone)
    }

    /// The date on the team's clock.
    #[must_use]
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        self.local(now).date_naive()
    }

    /// Whether people are to be mentioned at this instant.
    #[must_use]
    pub fn is_business_time(&self, now: DateTime<Utc>) -> bool {
        let local = self.local(now);
        self.is_working_day(local.date_naive()) && self.hours.contains(local.time())
    }

    /// Whether the team works on this day.
    #[must_use]
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        self.holidays.is_extra_working_day(date)
            || (self.days.contains(date.weekday()) && !self.holidays.is_day_off(date))
    }

    /// The day with which the setting of business days begins.
    #[must_use]
    pub fn first_business_day(&self) -> Weekday {
        self.days.1
    }

    /// The first later day on which the team works; none if a year has no such day.
    #[must_use]
    pub fn next_working_day(&self, date: NaiveDate) -> Option<NaiveDate> {
        date.iter_days().skip(1).take(366).find(|later| self.is_working_day(*later))
    }

    /// The last earlier day on which the team works; none if a month has no such day.
    #[must_use]
    pub fn previous_working_day(&self, date: NaiveDate) -> Option<NaiveDate> {
        std::iter::successors(date.pred_opt(), NaiveDate::pred_opt).take(31).find(|day| self.is_working_day(*day))
    }

    /// The first day of the week that a day belongs to: a week begins as the setting of business days does.
    #[must_use]
    pub fn week_of(&self, date: NaiveDate) -> NaiveDate {
        date.week(self.first_business_day()).first_day()
    }

    /// The last year whose public holidays are known, if they are used.
    #[must_use]
    pub fn last_known_year(&self) -> Option<i32> {
        self.holidays.japanese.then_some(*Holidays::KNOWN_YEARS.end())
    }

    /// Whether the public holidays of the year are known, or needn't be.
    #[must_use]
    pub fn knows_year_of(&self, date: NaiveDate) -> bool {
        !self.holidays.japanese || Holidays::KNOWN_YEARS.contains(&date.year())
    }
}

impl Default for Calendar {
    /// The settings' defaults: Tokyo, Monday to Friday, 10:00 to 17:00, Japan's holidays.
    fn default() -> Self {
        let days = BusinessDays([true, true, true, true, true, false, false], Weekday::Mon);
        let hours = BusinessHours { from_second: 10 * 60 * 60, until_second: 17 * 60 * 60 };
        Self::new(chrono_tz::Asia::Tokyo, days, hours, Holidays { japanese: true, ..Holidays::default() })
    }
}

/// Why a calendar setting can't be understood: the part in question, and what it should look like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{part}` is not {expected}")]
pub struct CalendarError {
    part: String,
    expected: &'static str,
}

impl CalendarError {
    fn new(part: &str, expected: &'static str) -> Self {
        Self { part: part.to_owned(), expected }
    }
}

/// Days of the week on which the team works, and with which of them the setting begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusinessDays([bool; 7], Weekday);

impl BusinessDays {
    /// Parses `Mon-Fri`, `Sun-Thu`, `Mon,Wed,Fri` and mixtures of them.
    ///
    /// # Errors
    /// Names the part that is no day of the week.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let day = |name: &str| {
            name.trim().parse::<Weekday>().map_err(|_| {
                CalendarError::new(name.trim(), "a day of the week such as `Mon` or a range such as `Mon-Fri`")
            })
        };
        let (mut days, mut first) = ([false; 7], None);
        for part in text.split(',') {
            let (from, until) = part.split_once('-').unwrap_or((part, part));
            let (mut current, last) = (day(from)?, day(until)?);
            first = first.or(Some(current));
            days[index(current)] = true;
            while current != last {
                current = current.succ();
                days[index(current)] = true;
            }
        }
        Ok(Self(days, first.unwrap_or(Weekday::Mon)))
    }

    fn contains(self, day: Weekday) -> bool {
        self.0[index(day)]
    }
}

fn index(day: Weekday) -> usize {
    day.num_days_from_monday() as usize
}

/// Hours of a working day, half-open: `10:00-17:00` holds 10:00:00 and doesn't hold 17:00:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusinessHours {
    from_second: u32,
    until_second: u32,
}

impl BusinessHours {
    /// Parses `10:00-17:00`; `24:00` is the end of the day.
    ///
    /// # Errors
    /// Names the part that is no time of day, or says that the hours end before they begin.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let expected = "hours such as `10:00-17:00`";
        let (from, until) = text.split_once('-').ok_or_else(|| CalendarError::new(text, expected))?;
        let (from_second, until_second) = (second_of_day(from)?, second_of_day(until)?);
        if from_second >= until_second {
            return Err(CalendarError::new(text, "hours that end later on the day than they begin"));
        }
        Ok(Self { from_second, until_second })
    }

    fn contains(self, time: NaiveTime) -> bool {
        (self.from_second..self.until_second).contains(&time.num_seconds_from_midnight())
    }
}

fn second_of_day(text: &str) -> Result<u32, CalendarError> {
    let text = text.trim();
    if text == "24:00" {
        return Ok(24 * 60 * 60);
    }
    NaiveTime::parse_from_str(text, "%H:%M")
        .map(|time| time.num_seconds_from_midnight())
        .map_err(|_| CalendarError::new(text, "a time of day such as `10:00`"))
}

/// Days off and extra working days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holidays {
    japanese: bool,
    off: Vec<RangeInclusive<NaiveDate>>,
    off_every_year: Vec<RangeInclusive<MonthDay>>,
    extra_working: HashSet<NaiveDate>,
}

impl Holidays {
    /// The years for which the holiday library follows the law as it is; the equinoxes are computed until 2099.
    const KNOWN_YEARS: RangeInclusive<i32> = 2022..=2099;

    /// Parses a list of `jp`, `2026-12-29`, `12-29`, `12-29..01-03`, `+2026-11-23`; or `none`.
    ///
    /// # Errors
    /// Names the entry that is none of these.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let mut holidays = Self::default();
        if text.trim() == "none" {
            return Ok(holidays);
        }
        for entry in text.split(',').map(str::trim) {
            holidays.add(entry).ok_or_else(|| {
                CalendarError::new(
                    entry,
                    "one of `jp`, a day off (`2026-12-29`, or every year `12-29`), a range of them \
                     (`12-29..01-03`), an extra working day (`+2026-11-23`), or `none` alone",
                )
            })?;
        }
        Ok(holidays)
    }

    fn add(&mut self, entry: &str) -> Option<()> {
        if entry == "jp" {
            self.japanese = true;
        } else if let Some(extra) = entry.strip_prefix('+') {
            self.extra_working.insert(full_date(extra)?);
        } else {
            let (from, until) = entry.split_once("..").unwrap_or((entry, entry));
            let (from, until) = (from.trim(), until.trim());
            match (full_date(from), full_date(until)) {
                (Some(from), Some(until)) if from <= until => self.off.push(from..=until),
                (None, None) => {
                    let (from, until) = (MonthDay::parse(from)?, MonthDay::parse(until)?);
                    if from <= until {
                        self.off_every_year.push(from..=until);
                    } else {
                        // Over new year.
                        self.off_every_year.push(from..=MonthDay::LAST);
                        self.off_every_year.push(MonthDay::FIRST..=until);
                    }
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn is_extra_working_day(&self, date: NaiveDate) -> bool {
        self.extra_working.contains(&date)
    }

    fn is_day_off(&self, date: NaiveDate) -> bool {
        self.off.iter().any(|range| range.contains(&date))
            || self.off_every_year.iter().any(|range| range.contains(&MonthDay::of(date)))
            || (self.japanese && JPHoliday::new().is_holiday(&date))
    }
}

fn full_date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// A day of every year.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct MonthDay {
    month: u32,
    day: u32,
}

impl MonthDay {
    const FIRST: Self = Self { month: 1, day: 1 };
    const LAST: Self = Self { month: 12, day: 31 };
    const A_LEAP_YEAR: i32 = 2024;

    fn parse(text: &str) -> Option<Self> {
        full_date(&format!("{}-{text}", Self::A_LEAP_YEAR)).map(Self::of)
    }

    fn of(date: NaiveDate) -> Self {
        Self { month: date.month(), day: date.day() }
    }
}

impl fmt::Debug for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

#[cfg(test)]
mod tests;
