//! What a week comes to, by tables of incidents and of days.

use super::*;
use crate::domain::calendar::{BusinessDays, BusinessHours, Holidays};
use crate::domain::event::IncidentId;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn calendar(days: &str, holidays: &str) -> Calendar {
    let hours = BusinessHours::parse("10:00-17:00").unwrap();
    let (days, holidays) = (BusinessDays::parse(days).unwrap(), Holidays::parse(holidays).unwrap());
    Calendar::new(chrono_tz::Asia::Tokyo, days, hours, holidays)
}

#[test]
fn a_week_ends_on_its_last_working_day_and_begins_when_the_one_before_ended() {
    for (days, holidays, day, due, from) in [
        // An ordinary Friday, and the days before it.
        ("Mon-Fri", "jp", "2026-11-27", true, "2026-11-20T17:00:00+09:00"),
        ("Mon-Fri", "jp", "2026-11-26", false, "2026-11-20T17:00:00+09:00"),
        ("Mon-Fri", "jp", "2026-11-28", false, "2026-11-20T17:00:00+09:00"),
        // Friday is a holiday: Thursday is the last day, and the next week begins there.
        ("Mon-Fri", "2026-11-27", "2026-11-26", true, "2026-11-20T17:00:00+09:00"),
        ("Mon-Fri", "2026-11-27", "2026-12-04", true, "2026-11-26T17:00:00+09:00"),
        // A Saturday to work on.
        ("Mon-Fri", "+2026-11-28", "2026-11-27", false, "2026-11-20T17:00:00+09:00"),
        ("Mon-Fri", "+2026-11-28", "2026-11-28", true, "2026-11-20T17:00:00+09:00"),
        ("Mon-Fri", "+2026-11-28", "2026-12-04", true, "2026-11-28T17:00:00+09:00"),
        // A week off: nothing that happened in it is lost.
        ("Mon-Fri", "12-28..01-03", "2027-01-08", true, "2026-12-25T17:00:00+09:00"),
        // More than a month off.
        ("Mon-Fri", "2026-10-01..2026-11-22", "2026-11-27", true, "2026-11-20T17:00:00+09:00"),
        ("Mon-Fri", "2026-10-27..2026-11-22", "2026-11-27", true, "2026-10-27T17:00:00+09:00"),
        // A week begins as the setting does.
        ("Sun-Thu", "none", "2026-11-26", true, "2026-11-19T17:00:00+09:00"),
        ("Sun-Thu", "none", "2026-11-22", false, "2026-11-19T17:00:00+09:00"),
        ("Mon", "none", "2026-11-23", true, "2026-11-16T17:00:00+09:00"),
        ("Mon-Sun", "none", "2026-11-29", true, "2026-11-22T17:00:00+09:00"),
    ] {
        let calendar = calendar(days, holidays);
        let now = at(&format!("{day}T17:00:00+09:00"));
        assert_eq!(is_due(calendar.today(now), &calendar), due, "{days} {holidays} {day}");
        let period = Period::until(now, &calendar);
        assert_eq!((period.from.to_utc(), period.until.to_utc()), (at(from), now), "{days} {holidays} {day}");
    }
}

/// 2026-11-20 17:00 to 2026-11-27 17:00; Monday 11-23 is a holiday.
fn report(incidents: Vec<PastIncident>) -> Report {
    let calendar = calendar("Mon-Fri", "jp");
    let period = Period::until(at("2026-11-27T17:00:00+09:00"), &calendar);
    Report::of(PastIncidents::Listed { incidents, complete: true }, &period, &calendar).unwrap()
}

fn incident(id: &str, number: u64, title: &str) -> Incident {
    Incident {
        id: IncidentId::parse(id),
        number: Some(number),
        title: (!title.is_empty()).then(|| title.to_owned()),
        ..Incident::default()
    }
}

/// Number, title, when it began in Japan, and how it stands.
fn past(number: u64, title: &str, began: &str, end: End) -> PastIncident {
    PastIncident {
        incident: incident(&format!("PINC{number}"), number, title),
        service: ServiceName { id: "PSERVICE".to_owned(), name: "Backlog".to_owned() },
        began: (!began.is_empty()).then(|| at(&format!("2026-11-{began}:00+09:00"))),
        end,
    }
}

fn resolved(at_: &str) -> End {
    End::Resolved(Some(at(&format!("2026-11-{at_}:00+09:00"))))
}

fn count(all: usize, in_hours: usize) -> Count {
    Count { all, in_hours }
}

#[test]
fn nothing_happened() {
    let report = report(Vec::new());
    assert_eq!((report.count, report.resolution, report.titles), (count(0, 0), None, vec![]));
}

#[test]
fn an_incident_belongs_to_the_week_in_which_it_began_and_to_the_hours() {
    let none = End::Open;
    for (began, expected) in [
        ("20T16:59", None),
        ("20T17:00", Some((20, 0))),
        ("22T11:00", Some((22, 0))),
        ("23T11:00", Some((23, 0))),
        ("24T09:59", Some((24, 0))),
        ("24T10:00", Some((24, 1))),
        ("27T16:59", Some((27, 1))),
        ("27T17:00", None),
    ] {
        let report = report(vec![past(1, "x", began, none)]);
        let days: Vec<_> = expected
            .map(|(day, in_hours)| (NaiveDate::from_ymd_opt(2026, 11, day).unwrap(), count(1, in_hours)))
            .into_iter()
            .collect();
        assert_eq!(report.days, days, "{began}");
        assert_eq!(report.count.all, days.len(), "{began}");
    }
    let unknown = report(vec![past(1, "x", "", none)]);
    assert_eq!((unknown.count, unknown.days), (count(1, 0), vec![]), "nobody knows when");
}

#[test]
fn practice_is_no_incident() {
    let mut practice = past(1, "x", "24T11:00", resolved("24T11:30"));
    practice.incident.id = IncidentId::parse("PRACTICE01");
    let report = report(vec![practice, past(2, "y", "24T11:00", End::Open)]);
    assert_eq!((report.count.all, report.resolution, report.titles.len()), (1, None, 1));
}

#[test]
fn what_is_open_merged_or_ended_before_it_began_has_no_time_to_resolve() {
    let report = report(vec![
        past(1, "a", "24T11:00", End::Open),
        past(2, "b", "24T11:00", End::Merged),
        past(3, "c", "24T11:00", resolved("24T10:00")),
        past(4, "d", "24T11:00", End::Resolved(None)),
        past(5, "e", "", resolved("24T10:00")),
    ]);
    assert_eq!((report.count.all, report.open, report.merged, report.resolution), (5, 1, 1, None));
}

#[test]
fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
    let minutes = TimeDelta::minutes;
    for (ends, median, longest, number) in [
        (&["24T11:10"][..], minutes(10), minutes(10), 0),
        (&["24T11:40", "24T11:10"], minutes(25), minutes(40), 0),
        (&["24T11:10", "26T11:00", "24T11:20"], minutes(20), minutes(48 * 60), 1),
        (&["24T11:00", "24T11:00", "24T11:01", "24T12:00"], TimeDelta::seconds(30), minutes(60), 3),
    ] {
        let incidents = (0..).zip(ends).map(|(number, end)| past(number, "x", "24T11:00", resolved(end)));
        let resolution = report(incidents.collect()).resolution.unwrap();
        assert_eq!((resolution.median, resolution.longest), (median, longest), "{ends:?}");
        assert_eq!(resolution.longest_of.number, Some(number), "{ends:?}");
    }
}

#[test]
fn the_titles_that_came_most_often_come_first_and_of_equals_the_newest() {
    let titles = ["a", "b", "b", "c", " b\u{200b} ", "d", "a", "e", "f", "g", "", "\n"];
    let incidents = (1..).zip(titles).map(|(number, title)| past(number, title, "24T11:00", End::Open));
    let listed: Vec<_> = report(incidents.collect())
        .titles
        .into_iter()
        .map(|frequent| (frequent.times, frequent.last.number.unwrap()))
        .collect();
    assert_eq!(listed, [(3, 5), (2, 7), (1, 10), (1, 9), (1, 8)]);
}

#[test]
fn a_service_that_was_renamed_is_one_service_by_its_last_name() {
    let of = |number, began, id: &str, name: &str| PastIncident {
        service: ServiceName { id: id.to_owned(), name: name.to_owned() },
        ..past(number, "x", began, End::Open)
    };
    let report = report(vec![
        of(3, "26T11:00", "PB", "検索"),
        of(2, "25T20:00", "PA", "Backlog App"),
        of(1, "24T11:00", "PA", "Backlog"),
        of(4, "26T12:00", "PA", ""),
        of(5, "26T12:00", "", ""),
    ]);
    let named = |name: &str, count| (name.to_owned(), count);
    assert_eq!(
        report.services,
        [named("Backlog App", count(3, 2)), named("", count(1, 1)), named("検索", count(1, 1))]
    );
}

#[test]
fn of_many_services_the_busiest_are_listed() {
    let of = |number: u64| PastIncident {
        service: ServiceName { id: format!("P{}", number % 12), name: format!("s{}", number % 12) },
        ..past(number, "x", "24T11:00", End::Open)
    };
    let report = report((0..25).map(of).collect());
    assert_eq!((report.services.len(), report.more_services), (10, 2));
    assert_eq!(report.services[0], ("s0".to_owned(), count(3, 3)));
}

#[test]
fn what_pagerduty_does_not_say_is_no_number() {
    let calendar = calendar("Mon-Fri", "jp");
    let period = Period::until(at("2026-11-27T17:00:00+09:00"), &calendar);
    assert_eq!(Report::of(PastIncidents::Unknown, &period, &calendar), None);
    let more = PastIncidents::Listed { incidents: Vec::new(), complete: false };
    assert!(Report::of(more, &period, &calendar).unwrap().or_more);
}

#[test]
fn every_moment_is_in_exactly_one_week_whenever_the_schedule_comes() {
    for (days, holidays) in [("Mon-Fri", "jp"), ("Mon-Fri", "+2026-11-28"), ("Sun-Thu", "none"), ("Mon", "none")] {
        let calendar = calendar(days, holidays);
        for hour in [9, 16, 17, 18] {
            let days = (0..90).map(|day| NaiveDate::from_ymd_opt(2026, 9, 1).unwrap() + TimeDelta::days(day));
            // Some minutes late, each time others.
            let minutes = (0..).map(|n| n * 17 % 60);
            let ends = days.filter(|day| is_due(*day, &calendar)).zip(minutes).map(|(day, minute)| {
                let at = day.and_hms_milli_opt(hour, minute, minute / 2, 7).unwrap();
                Period::until(at.and_local_timezone(chrono_tz::Asia::Tokyo).unwrap().to_utc(), &calendar)
            });
            let weeks: Vec<_> = ends.collect();
            assert!(weeks.len() > 10);
            for pair in weeks.windows(2) {
                assert_eq!(pair[0].until, pair[1].from, "{holidays} {hour}");
            }
        }
    }
}
