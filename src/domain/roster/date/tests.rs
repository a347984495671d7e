//! Every form of a date that people and spreadsheets write, and what is none.

use proptest::prelude::*;

use super::super::cells::Cell;
use super::*;

fn written(text: &str) -> Option<Written> {
    read(&Value::of(&Cell::Text(text.to_owned())))
}

/// A day in a few words: `2026-11-24 Tue`, `--11-24`; several readings with `or`.
fn said(day: &Day) -> String {
    let date = |reading: &Reading| match reading.date {
        Date::Full(date) => date.to_string(),
        Date::EveryYear(MonthDay { month, day }) => format!("--{month:02}-{day:02}"),
    };
    let dates = day.readings.iter().map(date).collect::<Vec<_>>().join(" or ");
    day.weekday.map_or(dates.clone(), |weekday| format!("{dates} {weekday}"))
}

fn read_as(text: &str) -> String {
    match written(text) {
        None => "none".to_owned(),
        Some(Written { start, end: None }) => said(&start),
        Some(Written { start, end: Some(end) }) => format!("{} to {}", said(&start), said(&end)),
    }
}

#[test]
fn every_written_form_of_a_full_date_is_understood() {
    for form in [
        "2026-11-24",
        "2026/11/24",
        "2026.11.24",
        "2026. 11. 24",
        "2026. 11. 24.",
        "2026‐11‐24",
        "2026−11−24",
        "2026–11–24",
        "2026ー11ー24",
        "２０２６／１１／２４",
        "2026 / 11 / 24",
        "2026年11月24日",
        "2026年 11月 24日",
        "２０２６年１１月２４日",
        "令和8年11月24日",
        "令和８年１１月２４日",
        "㋿8年11月24日",
        "R8/11/24",
        "r8.11.24",
        "R8-11-24",
        "R8年11月24日",
        "2026年11/24",
        "20261124",
        "Nov 24, 2026",
        "November 24, 2026",
        "24 Nov 2026",
        "24-Nov-2026",
        "Nov. 24 2026",
        "24th of November, 2026",
        "2026 Nov 24",
        "11/24/2026",
        "24/11/2026",
        "24.11.2026",
        "11-24-2026",
    ] {
        for (around, weekday) in [
            ("{}", ""),
            (" {} ", ""),
            ("{}(火)", " Tue"),
            ("{}（火）", " Tue"),
            ("{} (Tue)", " Tue"),
            ("{}　（火曜日）", " Tue"),
            ("{}【火】", " Tue"),
            ("{} 火曜", " Tue"),
            ("{}(火・祝)", " Tue"),
            ("{}(火祝)", " Tue"),
            ("{}（祝）", ""),
            ("{} 祝日", ""),
            ("{}(火)祝", " Tue"),
            ("{} 10:00", ""),
            ("{} 10:00:00", ""),
            ("{} 10時30分", ""),
            ("{}(火)午前", " Tue"),
            ("{} 午後3時", ""),
            ("{}（火）10:00", " Tue"),
            ("{} 10:00-17:00", ""),
            ("{} 10:00〜17:00", ""),
            ("{} (10:00~)", ""),
            ("Tue {}", " Tue"),
            ("Tue, {}", " Tue"),
            ("(火) {}", " Tue"),
            ("火曜日　{}", " Tue"),
            ("10:00 {}", ""),
            ("午前 {}", ""),
            ("{} 9:00 am", ""),
            ("{}(火・会社の休み)", " Tue"),
        ] {
            let text = around.replace("{}", form);
            assert_eq!(read_as(&text), format!("2026-11-24{weekday}"), "{text}");
        }
    }
    for (text, expected) in [
        ("2026-11-24T00:00:00", "2026-11-24"),
        ("2026-11-24T09:30:00.000", "2026-11-24"),
        ("2026-11-24T00:00:00Z", "2026-11-24"),
        ("2026年11月24日火曜日", "2026-11-24 Tue"),
        ("令和元年5月1日", "2019-05-01"),
        ("2026/1/5", "2026-01-05"),
        ("2026年11月1日日曜日", "2026-11-01 Sun"),
        ("2026年11月1日日", "2026-11-01 Sun"),
        ("2026-11-24\n(火)", "2026-11-24 Tue"),
        ("11/24/26", "2026-11-24"),
    ] {
        assert_eq!(read_as(text), expected, "{text}");
    }
}

#[test]
fn a_date_may_have_no_year() {
    for text in
        ["11/24", "11月24日", "１１／２４", "11 / 24", "11月 24日", "Nov 24", "24 Nov", "24th November", "24-Nov"]
    {
        assert_eq!(read_as(text), "--11-24", "{text}");
        assert_eq!(read_as(&format!("{text}(火)")), "--11-24 Tue", "{text}");
    }
    for text in ["11/24火", "11/24 火", "11/24(火祝)", "火 11/24", "Tue 11/24", "11月24日火曜日", "11/24(火) 10:00"]
    {
        assert_eq!(read_as(text), "--11-24 Tue", "{text}");
    }
    assert_eq!(read_as("11/1日"), "--11-01 Sun");
    assert_eq!(read_as("2/29"), "--02-29");
}

#[test]
fn numbers_whose_order_isnt_plain_are_read_in_every_possible_order() {
    for (text, expected) in [
        ("3/4/2026", "2026-03-04 or 2026-04-03"),
        ("3/4/2026(水)", "2026-03-04 or 2026-04-03 Wed"),
        ("4/4/2026", "2026-04-04"),
        ("26/11/24", "2026-11-24 or 2024-11-26"),
        ("11/12/13", "2011-12-13 or 2013-11-12 or 2013-12-11"),
        ("24/11", "--11-24"),
    ] {
        assert_eq!(read_as(text), expected, "{text}");
    }
    assert_eq!(written("24/11").unwrap().start.readings[0].order, Order::DayFirst);
}

#[test]
fn a_range_has_two_ends() {
    for text in [
        "11/23〜11/27",
        "11/23~11/27",
        "11/23～11/27",
        "11/23-11/27",
        "11/23–11/27",
        "11/23 - 11/27",
        "11/23〜27",
        "11月23日〜11月27日",
        "11月23日から27日まで",
        "11/23 to 11/27",
        "11月23日-27日",
        "Nov 23 - Nov 27",
        "Nov 23-27",
    ] {
        assert_eq!(read_as(text), "--11-23 to --11-27", "{text}");
    }
    for (text, expected) in [
        ("11/23(月)〜11/27(金)", "--11-23 Mon to --11-27 Fri"),
        ("11/23(月)〜27日(金)", "--11-23 Mon to --11-27 Fri"),
        ("2026/11/23〜11/27", "2026-11-23 to --11-27"),
        ("2026-11-23 - 2026-11-27", "2026-11-23 to 2026-11-27"),
        ("2026-11-23-2026-11-27", "2026-11-23 to 2026-11-27"),
        ("2026/11/23~27", "2026-11-23 to 2026-11-27"),
        ("12/28〜1/4", "--12-28 to --01-04"),
        ("11/23 10:00 - 11/24 10:00", "--11-23 to --11-24"),
    ] {
        assert_eq!(read_as(text), expected, "{text}");
    }
}

#[test]
fn serial_numbers_and_eight_digits_are_dates_of_our_time() {
    let number = |number: f64| read(&Value::Number(number)).map_or("none".to_owned(), |written| said(&written.start));
    for (serial, expected) in [
        (46_350.0, "2026-11-24"),
        (46_350.75, "2026-11-24"),
        (36_526.0, "2000-01-01"),
        (73_415.0, "2100-12-31"),
        (20_261_124.0, "2026-11-24"),
        (20_000_101.0, "2000-01-01"),
    ] {
        assert_eq!(number(serial), expected, "{serial}");
    }
    for serial in [
        0.0,
        0.5,
        1.0,
        -5.0,
        36_525.9,
        73_416.0,
        20_261_324.0,
        19_991_231.0,
        21_010_101.0,
        20_261_124.5,
        9_012_345_678.0,
        f64::NAN,
        f64::INFINITY,
    ] {
        assert_eq!(number(serial), "none", "{serial}");
    }
}

#[test]
fn what_is_no_date_is_none() {
    for text in [
        "",
        "担当",
        "日付",
        "2026-13-01",
        "2026-02-30",
        "2/30",
        "13/32",
        "11-24",
        "11.24",
        "2026-11-24(",
        "2026-11-24(x)",
        "99999/1/1",
        "-1/2",
        "11/24 田中",
        "+1/+2",
        "1//2",
        "11月",
        "24日",
        "2026年11月",
        "2026/11",
        "46350",
        "1124",
        "261124",
        "20261324",
        "19991231",
        "11月24",
        "the 24th",
        "Nov 2026",
        "24-Nov-26",
        "Nov 24 25",
        "2026-11-24 11-25",
        "11/24(休)",
        "11/24(火)(水)",
        "火",
        "10:00",
        "午前",
        "11/24 10:99",
        "11/2410:00",
        "2026-11-23T15:00:00Z",
        "R0/1/1",
        "平成30年1月1日",
        "26年11月24日",
        "11/23〜",
        "〜11/27",
        "11/23〜11/24〜11/25",
        "11-23〜11-27",
        "2026/11-24",
        "11/24/2026/5",
        "11/24-10:00",
        "2026-11-23-27",
        "2026年11月第4週",
    ] {
        assert_eq!(read_as(text), "none", "{text}");
    }
}

#[test]
fn weekdays_and_times_alone_are_known() {
    for text in ["火", "火曜", "火曜日", "(火)", "Tue", "tuesday", "Tues.", "Mon-Fri", "月〜金", "月・水・金"]
    {
        assert!(is_weekday(text), "{text}");
    }
    for text in ["", "火鉢", "Tueday", "田中", "月島", "Mona", "-"] {
        assert!(!is_weekday(text), "{text}");
    }
    for text in ["10:00", "10:00-17:00", "10時〜17時", "午前", "AM", "9am", "9am - 5pm", "午後3時", "13:00〜"]
    {
        assert!(is_time(text), "{text}");
    }
    for text in ["", "田中", "am田中", "10", "amy", "時"] {
        assert!(!is_time(text), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_grammar(text in "\\PC{0,40}|[0-9０-９年月日/／.() （）火~Tuen,: 午前時祝令和rR-]{0,24}") {
        if let Some(Written { start, end }) = written(&text) {
            prop_assert!(!start.readings.is_empty() && end.is_none_or(|end| !end.readings.is_empty()));
        }
        is_time(&text);
        is_weekday(&text);
    }

    #[test]
    fn a_full_date_is_itself_in_every_form(days in 0..36_000_u64) {
        let date = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() + Days::new(days);
        for form in ["%Y-%m-%d", "%Y/%-m/%-d", "%Y.%-m.%-d", "%Y年%-m月%-d日", "%Y%m%d", "%b %-d, %Y", "%-d %B %Y", "%Y年%-m月%-d日（%a）"] {
            let text = date.format(form).to_string();
            let expected = if form.contains("%a") { format!("{date} {}", date.format("%a")) } else { date.to_string() };
            prop_assert_eq!(read_as(&text), expected, "{}", text);
        }
    }
}
