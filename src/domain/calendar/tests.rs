//! Business time, by tables of instants and days.

use super::*;

fn calendar(zone: &str, days: &str, hours: &str, holidays: &str) -> Calendar {
    Calendar::new(
        zone.parse().unwrap(),
        BusinessDays::parse(days).unwrap(),
        BusinessHours::parse(hours).unwrap(),
        Holidays::parse(holidays).unwrap(),
    )
}

fn tokyo(holidays: &str) -> Calendar {
    calendar("Asia/Tokyo", "Mon-Fri", "10:00-17:00", holidays)
}

fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}

fn day(date: &str) -> NaiveDate {
    full_date(date).unwrap()
}

#[test]
fn business_hours_hold_their_first_second_and_not_their_end() {
    let calendar = tokyo("jp");
    for (instant, expected) in [
        ("2026-11-24T09:59:59+09:00", false),
        ("2026-11-24T10:00:00+09:00", true),
        ("2026-11-24T16:59:59.999+09:00", true),
        ("2026-11-24T17:00:00+09:00", false),
        ("2026-11-24T01:00:00Z", true),
        ("2026-11-22T11:00:00+09:00", false),
        ("2026-11-23T11:00:00+09:00", false),
    ] {
        assert_eq!(calendar.is_business_time(at(instant)), expected, "{instant}");
    }
}

#[test]
fn business_time_follows_the_zone_through_daylight_saving() {
    let calendar = calendar("America/New_York", "Mon-Fri", "09:00-17:00", "none");
    for (instant, expected) in [
        ("2026-03-06T14:00:00Z", true),
        ("2026-03-06T13:59:59Z", false),
        ("2026-03-09T13:00:00Z", true),
        ("2026-03-09T21:00:00Z", false),
    ] {
        assert_eq!(calendar.is_business_time(at(instant)), expected, "{instant}");
    }
}

#[test]
fn japanese_holidays_and_the_companys_own_days_are_free() {
    let calendar = tokyo("jp, 12-29..01-03, 2026-10-15, 06-01, +2026-11-23, 2026-08-12..2026-08-14");
    for (date, expected) in [
        ("2026-05-06", false), // Constitution Memorial Day, observed
        ("2026-05-07", true),
        ("2026-09-22", false), // between two holidays
        ("2026-11-03", false),
        ("2026-11-23", true), // extra working day
        ("2026-10-15", false),
        ("2027-10-15", true),
        ("2027-06-01", false),
        ("2026-12-28", true),
        ("2026-12-29", false),
        ("2026-12-31", false),
        ("2027-01-01", false),
        ("2027-01-04", true),
        ("2026-08-13", false),
        ("2026-08-17", true),
    ] {
        assert_eq!(calendar.is_working_day(day(date)), expected, "{date}");
    }
}

#[test]
fn an_extra_working_day_may_be_a_sunday() {
    assert!(tokyo("jp,+2026-11-22").is_working_day(day("2026-11-22")));
}

#[test]
fn days_are_ranges_and_lists() {
    let days =
        |text| (0..7).map(|i| if BusinessDays::parse(text).unwrap().0[i] { 'x' } else { '.' }).collect::<String>();
    assert_eq!(days("Mon-Fri"), "xxxxx..");
    assert_eq!(days("Sun-Thu"), "xxxx..x");
    assert_eq!(days("Mon, Wed ,Fri"), "x.x.x..");
    assert_eq!(days("Mon-Tue,Sat"), "xx...x.");
}

#[test]
fn a_day_has_24_hours() {
    let calendar = calendar("Asia/Tokyo", "Mon-Sun", "00:00-24:00", "none");
    assert!(calendar.is_business_time(at("2026-11-22T23:59:59+09:00")));
}

#[test]
fn what_cannot_be_understood_is_named_with_what_is_expected() {
    for (error, said) in [
        (
            BusinessDays::parse("Mon-Fry").unwrap_err(),
            "`Fry` is not a day of the week such as `Mon` or a range such as `Mon-Fri`",
        ),
        (BusinessHours::parse("10-17").unwrap_err(), "`10` is not a time of day such as `10:00`"),
        (
            BusinessHours::parse("17:00-10:00").unwrap_err(),
            "`17:00-10:00` is not hours that end later on the day than they begin",
        ),
        (BusinessHours::parse("always").unwrap_err(), "`always` is not hours such as `10:00-17:00`"),
    ] {
        assert_eq!(error.to_string(), said);
    }
    for entry in ["uk", "2026-13-01", "02-30", "+12-29", "2026-12-29..01-03", "2026-12-29..2026-12-01", "", "none,jp"] {
        assert!(Holidays::parse(entry).is_err(), "{entry}");
    }
}

#[test]
fn the_years_of_the_holiday_table_are_known() {
    assert!(tokyo("jp").knows_year_of(day("2027-01-01")));
    assert!(!tokyo("jp").knows_year_of(day("2100-01-01")));
    assert!(tokyo("none").knows_year_of(day("2100-01-01")));
}
