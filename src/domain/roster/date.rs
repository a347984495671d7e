//! The date cell of a roster row, in every form that people and spreadsheets write.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::{Cell, RowIssue};

/// Reads a date cell. `Ok(None)` is an empty cell; a year-less date means the one nearest to `today`.
pub(super) fn parse(cell: &Cell, today: NaiveDate) -> Result<Option<NaiveDate>, RowIssue> {
    match cell {
        Cell::Empty => Ok(None),
        Cell::Flag => Err(RowIssue::NoDate),
        Cell::Number(serial) => from_serial(*serial).map(Some).ok_or(RowIssue::NoDate),
        Cell::Text(text) => {
            let text = half_width(text);
            if text.is_empty() {
                return Ok(None);
            }
            let (text, weekday) = split_weekday(&text)?;
            let date = from_text(text, today).ok_or(RowIssue::NoDate)?;
            match weekday {
                Some(weekday) if weekday != date.weekday() => Err(RowIssue::OtherWeekday { date }),
                _ => Ok(Some(date)),
            }
        }
    }
}

/// Google's serial numbers count days since 30 December 1899; a fraction is the time of day.
///
/// Source: <https://developers.google.com/workspace/sheets/api/reference/rest/v4/DateTimeRenderOption>
fn from_serial(serial: f64) -> Option<NaiveDate> {
    const LAST: f64 = 2_958_465.0; // 9999-12-31
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30)?;
    if !(1.0..LAST + 1.0).contains(&serial) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded above")]
    epoch.checked_add_days(Days::new(serial.trunc() as u64))
}

/// Full-width digits and punctuation as an input method writes them, in ASCII; white space trimmed.
fn half_width(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        c => c,
    };
    text.chars().map(narrow).collect::<String>().trim().to_owned()
}

/// Takes `(火)`, `(火・祝)`, `(Tue)`, `火曜日` or a time of day off the end.
fn split_weekday(text: &str) -> Result<(&str, Option<Weekday>), RowIssue> {
    if let Some((date, rest)) = text.split_once('(') {
        let name = rest.strip_suffix(')').ok_or(RowIssue::NoDate)?;
        let name = name.split(['・', ',', '/']).next().unwrap_or(name).trim();
        return Ok((date.trim_end(), Some(weekday(name).ok_or(RowIssue::NoDate)?)));
    }
    match text.rsplit_once(' ') {
        Some((date, rest)) if rest.contains(':') => Ok((date.trim_end(), None)),
        Some((date, rest)) => Ok((date.trim_end(), Some(weekday(rest).ok_or(RowIssue::NoDate)?))),
        None => Ok((text, None)),
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    match name.strip_suffix("曜日").or(name.strip_suffix("曜")).unwrap_or(name) {
        "月" => Some(Weekday::Mon),
        "火" => Some(Weekday::Tue),
        "水" => Some(Weekday::Wed),
        "木" => Some(Weekday::Thu),
        "金" => Some(Weekday::Fri),
        "土" => Some(Weekday::Sat),
        "日" => Some(Weekday::Sun),
        english => english.parse().ok(),
    }
}

fn from_text(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    let parts: Vec<&str> = if text.contains('月') {
        let (year, month_day) = match text.split_once('年') {
            Some((year, month_day)) => (Some(year), month_day),
            None => (None, text),
        };
        let (month, day) = month_day.strip_suffix('日')?.split_once('月')?;
        year.into_iter().chain([month, day]).collect()
    } else {
        text.split(['/', '-', '.'].into_iter().find(|mark| text.contains(*mark)).unwrap_or('/')).collect()
    };
    match parts.as_slice() {
        [year, month, day] if year.trim().len() == 4 => {
            NaiveDate::from_ymd_opt(digits(year)?.try_into().ok()?, digits(month)?, digits(day)?)
        }
        // `11-24` and `11.24` are not among the forms: they are as likely a range or a number.
        [month, day] if text.contains(['/', '月']) => nearest(digits(month)?, digits(day)?, today),
        _ => None,
    }
}

fn digits(text: &str) -> Option<u32> {
    let text = text.trim();
    let short = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if short { text.parse().ok() } else { None }
}

/// The year in which that day lies nearest to today; half a year away either side, the coming one.
fn nearest(month: u32, day: u32, today: NaiveDate) -> Option<NaiveDate> {
    // 29 February may be up to eight years away (around 1900, 2100).
    (today.year() - 8..=today.year() + 8)
        .rev()
        .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
        .min_by_key(|date| (*date - today).num_days().abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(cell: &Cell, expected: &str) {
        assert_eq!(parse(cell, day("2026-11-24")), Ok(Some(day(expected))), "{cell:?}");
    }

    #[test]
    fn every_written_form_is_understood() {
        for form in ["2026-11-24", "2026/11/24", "2026年11月24日", "11/24", "11月24日", "２０２６／１１／２４"]
        {
            for weekday in ["", "(火)", "（火）", "(Tue)", " (火)", "　（火曜日）", " (tue)"] {
                check(&Cell::Text(format!(" {form}{weekday} ")), "2026-11-24");
            }
        }
        for other in
            ["11/24(火・祝)", "11/24 火曜日", "2026-11-24 00:00", "2026/11/24 0:00:00", "2026.11.24", "2026.11.24(火)"]
        {
            check(&Cell::Text(other.into()), "2026-11-24");
        }
        check(&Cell::Text("2026/1/5".into()), "2026-01-05");
        check(&Cell::Text("2026年1月5日".into()), "2026-01-05");
        check(&Cell::Text("1月5日(火)".into()), "2027-01-05");
    }

    #[test]
    fn serial_numbers_are_days_since_the_end_of_1899() {
        check(&Cell::Number(46350.0), "2026-11-24");
        check(&Cell::Number(46350.75), "2026-11-24");
        check(&Cell::Number(1.0), "1899-12-31");
    }

    #[test]
    fn a_date_without_a_year_is_the_nearest_one() {
        for (today, form, expected) in [
            ("2026-12-28", "1/4", "2027-01-04"),
            ("2027-01-04", "12/28", "2026-12-28"),
            ("2026-11-24", "6/1", "2026-06-01"),
            ("2026-11-24", "5/25", "2027-05-25"),
            ("2026-11-24", "5/26", "2026-05-26"),
            ("2026-11-24", "2/29", "2028-02-29"),
        ] {
            let date = parse(&Cell::Text(form.into()), day(today));
            assert_eq!(date, Ok(Some(day(expected))), "{form} seen on {today}");
        }
    }

    #[test]
    fn what_is_no_date_says_so() {
        for text in [
            "担当",
            "2026-13-01",
            "2/30",
            "11/24/2026",
            "11-24",
            "2026-11-24(",
            "2026-11-24(x)",
            "99999/1/1",
            "-1/2",
            "11.24",
            "11/24 田中",
            "+1/+2",
            "1//2",
            "日付",
        ] {
            assert_eq!(parse(&Cell::Text(text.into()), day("2026-11-24")), Err(RowIssue::NoDate), "{text}");
        }
        for number in [0.0, -5.0, 20_261_124.0, f64::NAN, f64::INFINITY] {
            assert_eq!(parse(&Cell::Number(number), day("2026-11-24")), Err(RowIssue::NoDate), "{number}");
        }
    }

    #[test]
    fn a_weekday_that_contradicts_its_date_is_pointed_out() {
        let date = day("2026-11-24");
        assert_eq!(parse(&Cell::Text("11/24(水)".into()), date), Err(RowIssue::OtherWeekday { date }));
    }

    #[test]
    fn an_empty_cell_is_no_date_and_no_mistake() {
        assert_eq!(parse(&Cell::Empty, day("2026-11-24")), Ok(None));
        assert_eq!(parse(&Cell::Text("　 ".into()), day("2026-11-24")), Ok(None));
    }
}
