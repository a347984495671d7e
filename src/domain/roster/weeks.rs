//! Tables with one row a week: when they are read so, and when they only look like it.

use chrono::{NaiveDate, TimeDelta, Weekday};

use super::ReadingRules;
use super::rows::after;
use super::titles::Title;
use super::years::{Span, Undecided};

/// How a table's rows are read.
#[derive(Debug, Default)]
pub(super) struct Weeks {
    /// The days on which rows begin, ascending, each once.
    starts: Vec<NaiveDate>,
    /// Which of them hold for a week.
    weekly: Weekly,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Weekly {
    #[default]
    None,
    All,
    /// Those from the first to the last of a run of weeks.
    Run(NaiveDate, NaiveDate),
}

impl Weeks {
    pub(super) fn of(
        spans: &[Result<Span, Undecided>],
        title: Option<&Title>,
        has_header: bool,
        rules: &ReadingRules,
        today: NaiveDate,
    ) -> Self {
        let mut starts: Vec<NaiveDate> = spans.iter().flatten().map(|span| span.start).collect();
        starts.sort_unstable();
        starts.dedup();
        let weekly = if has_header {
            let says_so = title.is_some_and(|title| title.says_week() && !title.says_day());
            if says_so && are_far_apart(&starts, today) { Weekly::All } else { Weekly::None }
        } else {
            run_around(&starts, today, rules.calendar.first_business_day())
        };
        Self { starts, weekly }
    }

    /// The last day for which a row holds that gives no end of its own.
    pub(super) fn until(&self, start: NaiveDate) -> NaiveDate {
        let is_weekly = match self.weekly {
            Weekly::None => false,
            Weekly::All => true,
            Weekly::Run(first, last) => (first..=last).contains(&start),
        };
        if !is_weekly {
            return start;
        }
        let end = after(start, 6);
        let next = self.starts.get(self.starts.partition_point(|other| *other <= start));
        next.map_or(end, |next| end.min(after(*next, -1)))
    }

    /// Whether a day without a row lies in the week of one, were the rows read as weeks.
    pub(super) fn look_weekly_around(&self, date: NaiveDate) -> bool {
        let index = self.starts.partition_point(|start| *start < date);
        let Some(last) = index.checked_sub(1) else { return false };
        let (first, end) = self.run(last);
        self.weekly == Weekly::None && end - first >= 2 && after(self.starts[last], 6) >= date
    }

    /// The first and the last of the dates, exactly seven days apart, to which one belongs.
    fn run(&self, index: usize) -> (usize, usize) {
        run(&self.starts, index)
    }
}

fn run(starts: &[NaiveDate], index: usize) -> (usize, usize) {
    let is_a_week = |one: usize, other: usize| starts[other] - starts[one] == TimeDelta::days(7);
    let (mut first, mut last) = (index, index);
    while first > 0 && is_a_week(first - 1, first) {
        first -= 1;
    }
    while last + 1 < starts.len() && is_a_week(last, last + 1) {
        last += 1;
    }
    (first, last)
}

/// Whether no two different dates around today are nearer than five days.
fn are_far_apart(starts: &[NaiveDate], today: NaiveDate) -> bool {
    let around = after(today, -56)..=after(today, 56);
    let near = starts.windows(2).filter(|pair| around.contains(&pair[0]) && around.contains(&pair[1]));
    near.into_iter().all(|pair| pair[1] - pair[0] >= TimeDelta::days(5))
}

/// The run of at least three weeks to which the dates before and after today belong.
fn run_around(starts: &[NaiveDate], today: NaiveDate, first_day: Weekday) -> Weekly {
    use chrono::Datelike;
    let next = starts.partition_point(|start| *start <= today);
    let Some(before) = next.checked_sub(1).filter(|_| next < starts.len()) else { return Weekly::None };
    let (first, last) = run(starts, before);
    let is_run = last >= next && last - first >= 2 && starts[before].weekday() == first_day;
    if is_run { Weekly::Run(starts[first], starts[last]) } else { Weekly::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn until(title: Option<&str>, dates: &[&str], date: &str) -> (String, bool) {
        let spans: Vec<_> = dates.iter().map(|date| Ok(Span { start: day(date), end: None, slip: None })).collect();
        let title = title.map(Title::of);
        let rules = ReadingRules::default();
        let weeks = Weeks::of(&spans, title.as_ref(), title.is_some(), &rules, day("2026-11-24"));
        (weeks.until(day(date)).to_string(), weeks.look_weekly_around(day("2026-11-24")))
    }

    #[test]
    fn under_a_title_of_weeks_a_row_holds_until_the_next_and_seven_days_at_most() {
        let weeks = &["2026-11-09", "2026-11-16", "2026-11-23", "2026-11-28", "2026-12-14"];
        for (date, end) in [
            ("2026-11-16", "2026-11-22"),
            ("2026-11-23", "2026-11-27"),
            ("2026-11-28", "2026-12-04"),
            ("2026-12-14", "2026-12-20"),
        ] {
            for title in ["週", "Week of", "期間", "対象週"] {
                assert_eq!(until(Some(title), weeks, date), (end.to_owned(), false), "{title} {date}");
            }
        }
        // Two dates near today that are nearer than five days; then two that are far from it.
        assert_eq!(until(Some("週"), &["2026-11-23", "2026-11-26"], "2026-11-23").0, "2026-11-23");
        assert_eq!(until(Some("週"), &["2026-11-23", "2026-11-24"], "2026-11-23").0, "2026-11-23");
        assert_eq!(until(Some("週"), &["2026-07-01", "2026-07-02", "2026-11-23"], "2026-11-23").0, "2026-11-29");
    }

    #[test]
    fn without_a_header_rows_hold_for_a_week_if_they_plainly_are_one() {
        let three = &["2026-11-16", "2026-11-23", "2026-11-30"];
        assert_eq!(until(None, three, "2026-11-23"), ("2026-11-29".to_owned(), false));
        assert_eq!(until(None, three, "2026-11-30"), ("2026-12-06".to_owned(), false));
        for dates in [
            // Two only; not on Mondays; today is after the last; a day between.
            &["2026-11-23", "2026-11-30"][..],
            &["2026-11-17", "2026-11-24", "2026-12-01"],
            &["2026-11-09", "2026-11-16", "2026-11-23"],
            &["2026-11-16", "2026-11-23", "2026-11-25", "2026-11-30"],
            &["2026-11-30", "2026-12-07", "2026-12-14"],
        ] {
            assert_eq!(until(None, dates, dates[0]).0, dates[0], "{dates:?}");
        }
        assert_eq!(until(None, &["2026-11-09", "2026-11-16", "2026-11-23"], "2026-11-23").0, "2026-11-23");
    }

    #[test]
    fn under_a_title_of_days_rows_never_hold_for_a_week_and_may_look_like_it() {
        let weeks = &["2026-11-09", "2026-11-16", "2026-11-23", "2026-11-30"];
        for title in ["日付", "Date", "開始"] {
            assert_eq!(until(Some(title), weeks, "2026-11-23"), ("2026-11-23".to_owned(), true), "{title}");
        }
        assert!(!until(Some("日付"), &["2026-11-23", "2026-11-30"], "2026-11-23").1);
        assert!(!until(Some("日付"), &["2026-11-03", "2026-11-10", "2026-11-17"], "2026-11-17").1);
        assert!(until(Some("日付"), &["2026-11-05", "2026-11-12", "2026-11-19"], "2026-11-19").1);
    }

    #[test]
    fn the_first_business_day_is_that_of_the_setting() {
        let spans =
            ["2026-11-15", "2026-11-22", "2026-11-29"].map(|date| Ok(Span { start: day(date), end: None, slip: None }));
        let mut rules = ReadingRules::default();
        let weeks = Weeks::of(&spans, None, false, &rules, day("2026-11-24"));
        assert_eq!(weeks.until(day("2026-11-22")), day("2026-11-22"));
        rules.calendar = crate::domain::calendar::Calendar::new(
            chrono_tz::Asia::Tokyo,
            crate::domain::calendar::BusinessDays::parse("Sun-Thu").unwrap(),
            crate::domain::calendar::BusinessHours::parse("10:00-17:00").unwrap(),
            crate::domain::calendar::Holidays::default(),
        );
        let weeks = Weeks::of(&spans, None, false, &rules, day("2026-11-24"));
        assert_eq!(weeks.until(day("2026-11-22")), day("2026-11-28"));
    }
}
