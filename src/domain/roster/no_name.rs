//! What stands where a name is expected and is plainly none.

use super::date;

/// A date, time, weekday, number, phone or address.
pub(super) fn is_no_name(text: &str) -> bool {
    /// Nobody has a longer name, and none of these is longer.
    const MAX_LENGTH: usize = 200;
    if text.len() > MAX_LENGTH {
        return false;
    }
    is_number(text)
        || text.contains("://")
        || text.starts_with("www.")
        || date::is_weekday(text)
        || date::is_time(text)
        || date::from_text(text).is_some()
}

/// Digits, what stands between them in dates, times and phones, and what is counted.
fn is_number(text: &str) -> bool {
    const COUNTED: &str = "時分秒年月日週回件名人半午前後";
    if !text.chars().any(|c| c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric())) {
        return false;
    }
    let lower = text.to_lowercase();
    let labels = ["tel", "phone", "fax", "ext", "電話", "携帯", "内線"];
    let rest = labels.into_iter().find_map(|label| lower.strip_prefix(label)).unwrap_or(&lower);
    let rest = ["st", "nd", "rd", "th"].into_iter().find_map(|end| rest.strip_suffix(end)).unwrap_or(rest);
    rest.chars().all(|c| {
        c.is_numeric() || c.is_whitespace() || COUNTED.contains(c) || "+-‐‑‒–—―−()[].,:;/#%~〜'\"→".contains(c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_numbers_phones_and_addresses_are_no_names() {
        for text in [
            "2026-11-24",
            "11/24(火)",
            "11-24",
            "10:00",
            "10:00-17:00",
            "9am",
            "午前",
            "火",
            "Tue",
            "Mon-Fri",
            "12345",
            "1,234",
            "3rd",
            "24th",
            "2026年",
            "3名",
            "090-0000-0000",
            "(03) 1234-5678",
            "+81 90 0000 0000",
            "tel:03-1234",
            "内線 1234",
            "#12",
            "https://example.com",
            "www.example.com",
        ] {
            assert!(is_no_name(text), "{text}");
        }
        for text in
            ["", "@", "、", "田中", "yamada", "a1", "h1", "x-men", "SRE2", "24時間係", "月島", "Sunny", "am-tanaka"]
        {
            assert!(!is_no_name(text), "{text}");
        }
    }
}
