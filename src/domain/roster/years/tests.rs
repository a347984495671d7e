//! The years that nobody wrote, and the orders of numbers.

use proptest::prelude::*;

use super::super::date;
use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The days of a column as seen on a day: `2026-11-24`, `2026-11-23..2026-11-27`, `?NoYear`; `!` behind a slip.
fn decided(today: &str, column: &[&str]) -> Vec<String> {
    let column: Vec<Written> = column.iter().map(|text| date::from_text(text).unwrap()).collect();
    let show = |span: Result<Span, Undecided>| match span {
        Ok(Span { start, end, slip }) => {
            let end = end.map(|end| format!("..{end}")).unwrap_or_default();
            format!("{start}{end}{}", if slip.is_some() { "!" } else { "" })
        }
        Err(undecided) => format!("?{:?}", undecided.issue),
    };
    decide(&column, day(today)).into_iter().map(show).collect()
}

#[track_caller]
fn check(today: &str, column: &[(&str, &str)]) {
    let (written, expected): (Vec<&str>, Vec<&str>) = column.iter().copied().unzip();
    assert_eq!(decided(today, &written), expected, "seen on {today}");
}

#[test]
fn a_written_year_is_believed_and_a_contradicting_weekday_is_a_slip() {
    check(
        "2026-11-24",
        &[
            ("2026-11-24", "2026-11-24"),
            ("2026-11-24(火)", "2026-11-24"),
            ("2026-11-25(火)", "2026-11-25!"),
            ("1999-01-04", "1999-01-04"),
        ],
    );
}

#[test]
fn a_weekday_means_its_year_among_last_this_and_next() {
    check("2027-11-24", &[("11/24(火)", "2026-11-24"), ("11/24(水)", "2027-11-24"), ("11/24(金)", "2028-11-24")]);
    check("2026-11-24", &[("6/1(月)", "2026-06-01")]);
    check("2027-11-24", &[("6/1(月)", "2026-06-01")]);
    check("2026-11-24", &[("11/24(木)", "?NoYear")]);
    check("2026-11-24", &[("2/29", "?NoYear")]);
    check("2027-11-24", &[("2/29", "2028-02-29")]);
}

#[test]
fn rows_around_decide_before_the_weekday_does() {
    // The weekday alone would mean 2027.
    check("2026-11-24", &[("11/23(月)", "2026-11-23"), ("11/24(水)", "2026-11-24!"), ("11/25(水)", "2026-11-25")]);
    check("2026-11-24", &[("11/24(水)", "2026-11-24!"), ("11/25(水)", "2026-11-25"), ("11/26(木)", "2026-11-26")]);
    check("2026-11-24", &[("11/25(水)", "2026-11-25"), ("11/26(木)", "2026-11-26"), ("11/27(土)", "2026-11-27!")]);
    check("2026-11-24", &[("2026/11/23", "2026-11-23"), ("11/24(木)", "2026-11-24!"), ("2026/11/25", "2026-11-25")]);
    // Rows of the same date are not next to each other: those before and after them are.
    check(
        "2026-11-24",
        &[
            ("11/23(月)", "2026-11-23"),
            ("11/24(水)", "2026-11-24!"),
            ("11/24(火)", "2026-11-24"),
            ("11/25(水)", "2026-11-25"),
        ],
    );
    // They must lie in one year, and within two weeks.
    check("2026-11-24", &[("11/9(月)", "2026-11-09"), ("11/24(水)", "2027-11-24"), ("11/25(水)", "2026-11-25")]);
    check("2026-11-24", &[("11/23(月)", "2027-11-23!"), ("11/24(水)", "2027-11-24"), ("11/25(木)", "2027-11-25")]);
    // A year that is not one of the three is none.
    check("2026-11-24", &[("2023/11/22", "2023-11-22"), ("11/24", "?NoYear"), ("2023/11/27", "2023-11-27")]);
    check("2026-11-24", &[("2023/11/22", "2023-11-22"), ("11/24(火)", "?NoYear"), ("2023/11/27", "2023-11-27")]);
}

#[test]
fn a_column_without_years_runs_in_one_direction_and_lies_near_today() {
    check("2026-12-28", &[("12/28", "2026-12-28"), ("1/4", "2027-01-04"), ("1/5", "2027-01-05")]);
    check("2027-01-04", &[("12/28", "2026-12-28"), ("1/4", "2027-01-04"), ("1/5", "2027-01-05")]);
    check("2027-01-04", &[("1/5", "2027-01-05"), ("1/4", "2027-01-04"), ("12/28", "2026-12-28")]);
    check(
        "2026-11-24",
        &[("4/1", "2026-04-01"), ("9/30", "2026-09-30"), ("12/1", "2026-12-01"), ("3/31", "2027-03-31")],
    );
    check(
        "2027-02-01",
        &[("4/1", "2026-04-01"), ("9/30", "2026-09-30"), ("12/1", "2026-12-01"), ("3/31", "2027-03-31")],
    );
    check("2026-11-24", &[("2026/12/28", "2026-12-28"), ("12/29", "2026-12-29"), ("1/4", "2027-01-04")]);
    check("2026-11-24", &[("12/29", "2025-12-29"), ("1/4", "2026-01-04"), ("2026/1/5", "2026-01-05")]);
    for (today, date) in [("2026-11-24", "2026-06-01"), ("2026-11-24", "2027-05-25"), ("2026-11-24", "2026-05-26")] {
        let written = day(date).format("%-m/%-d").to_string();
        check(today, &[(&written, date)]);
    }
}

#[test]
fn a_step_back_through_the_same_dates_begins_another_year() {
    check(
        "2026-11-24",
        &[("11/24", "2025-11-24"), ("12/1", "2025-12-01"), ("11/24", "2026-11-24"), ("12/1", "2026-12-01")],
    );
    // The Mondays of two years lie by turns.
    check(
        "2026-12-24",
        &[
            ("11/2", "2026-11-02"),
            ("11/9", "2026-11-09"),
            ("11/16", "2026-11-16"),
            ("11/23", "2026-11-23"),
            ("11/1", "2027-11-01"),
            ("11/8", "2027-11-08"),
            ("11/15", "2027-11-15"),
            ("11/22", "2027-11-22"),
        ],
    );
    // The newest on top.
    check(
        "2026-11-24",
        &[("12/1", "2026-12-01"), ("11/24", "2026-11-24"), ("12/1", "2025-12-01"), ("11/24", "2025-11-24")],
    );
    // More years than can be meant.
    let four: Vec<&str> = ["11/24", "12/1"].repeat(4);
    assert_eq!(decided("2026-11-24", &four), ["?NoYear"; 8]);
}

#[test]
fn rows_that_were_put_in_late_stay_in_their_year() {
    for column in [
        &["11/23", "11/25", "11/24", "11/26"][..],
        &["11/25", "11/24"],
        &["11/23", "11/24", "11/25", "11/26", "11/24"],
        &["11/26", "11/23", "11/24", "11/25", "11/27"],
        &["11/30", "12/1", "12/2", "11/23", "11/24", "11/25", "12/3"],
    ] {
        assert!(decided("2026-11-24", column).iter().all(|day| day.starts_with("2026")), "{column:?}");
    }
}

#[test]
fn the_order_of_numbers_is_settled_by_another_row_or_a_weekday() {
    check("2026-03-04", &[("3/4/2026", "?OrderUnclear")]);
    check("2026-03-04", &[("3/4/2026(水)", "2026-03-04"), ("3/5/2026", "2026-03-05")]);
    check("2026-03-04", &[("3/4/2026(金)", "2026-04-03"), ("3/4/2026(日)", "2026-04-03!")]);
    check("2026-03-04", &[("4/3/2026(水)", "2026-03-04"), ("5/3/2026", "2026-03-05")]);
    check("2026-03-04", &[("3/4/2026", "2026-03-04"), ("3/13/2026", "2026-03-13")]);
    check("2026-03-04", &[("4/3/2026", "2026-03-04"), ("13/3/2026", "2026-03-13")]);
    check("2026-03-04", &[("4/3/2026", "?OrderUnclear"), ("13/3/2026", "2026-03-13"), ("3/14/2026", "2026-03-14")]);
    check("2026-11-24", &[("26/11/24", "?OrderUnclear")]);
    check("2026-11-24", &[("26/11/24", "2026-11-24"), ("2026/11/25", "2026-11-25")]);
    // Whoever writes the day first means that in `3/4`, too.
    check("2026-03-04", &[("24/11", "?OrderUnclear"), ("3/4", "?OrderUnclear"), ("4/4", "2026-04-04")]);
    check("2026-03-04", &[("24/11", "?OrderUnclear"), ("3/4", "2026-03-04"), ("3/13", "2026-03-13")]);
}

#[test]
fn a_range_is_31_days_at_most_and_ends_after_it_begins() {
    check(
        "2026-11-24",
        &[
            ("11/23〜11/27", "2026-11-23..2026-11-27"),
            ("12/28〜1/4", "2026-12-28..2027-01-04"),
            ("2026/11/1〜2026/12/1", "2026-11-01..2026-12-01"),
            ("2026/11/1〜2026/12/2", "?BadRange"),
            ("2026/11/27〜2026/11/23", "?BadRange"),
            ("11/23(月)〜11/27(金)", "2026-11-23..2026-11-27"),
            ("11/23(月)〜11/27(木)", "2026-11-23..2026-11-27!"),
        ],
    );
    check("2026-11-24", &[("11/23〜11/27(土)", "2027-11-23..2027-11-27")]);
    check("2026-11-24", &[("12/28(月)〜1/1(金)", "2026-12-28..2027-01-01")]);
    check("2026-12-30", &[("12/28〜2026/12/31", "2026-12-28..2026-12-31")]);
}

#[test]
fn a_hundred_thousand_rows_are_decided_in_no_time() {
    let dates =
        ["11/24", "11/25", "12/1(火)", "1/4", "2026/3/4", "3/4/2026"].map(|text| date::from_text(text).unwrap());
    for order in [&[0, 1][..], &[0], &[1, 0, 3], &[0, 1, 2, 3, 4, 5]] {
        let column: Vec<Written> = (0..100_000).map(|row| dates[order[row % order.len()]].clone()).collect();
        assert_eq!(decide(&column, day("2026-11-24")).len(), column.len());
    }
}

proptest! {
    #[test]
    fn days_in_a_row_without_years_keep_theirs(first in 0..700_i64, length in 1..200_i64, seen in 0..200_i64, down: bool) {
        let dates: Vec<NaiveDate> = (0..length).map(|days| day("2025-06-01") + TimeDelta::days(first + days)).collect();
        let today = dates[usize::try_from(seen % length).unwrap()];
        let mut written: Vec<Written> =
            dates.iter().filter_map(|date| date::from_text(&date.format("%-m/%-d").to_string())).collect();
        let mut expected = dates;
        if down {
            written.reverse();
            expected.reverse();
        }
        let decided: Vec<_> = decide(&written, today).into_iter().map(|span| span.unwrap().start).collect();
        prop_assert_eq!(decided, expected, "seen on {}", today);
    }

    #[test]
    fn no_column_breaks_the_deciding(rows in prop::collection::vec("([0-9]{1,4}/)?[0-9]{1,2}/[0-9]{1,2}(\\([月火水木金土日]\\))?(〜[0-9]{1,2}/[0-9]{1,2})?", 0..30)) {
        let column: Vec<Written> = rows.iter().filter_map(|text| date::from_text(text)).collect();
        let decided = decide(&column, day("2026-11-24"));
        prop_assert_eq!(decided.len(), column.len());
        for span in decided.into_iter().flatten() {
            prop_assert!(span.end.is_none_or(|end| (TimeDelta::zero()..MAX_RANGE).contains(&(end - span.start))));
        }
    }
}
