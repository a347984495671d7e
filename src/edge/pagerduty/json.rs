//! Tolerant JSON: what can be understood is, and no odd field costs the others.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::domain::event::Link;

/// Parses a body. Bad UTF-8 and lone surrogates become U+FFFD; `None` only if it is no JSON at all.
pub(super) fn parse(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().or_else(|| {
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}');
        serde_json::from_str(&mend_surrogates(text)).ok()
    })
}

/// Replaces every `\uD800`-`\uDFFF` escape that is not part of a pair, which JSON allows and Rust's strings don't.
fn mend_surrogates(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(backslash) = rest.find('\\') {
        out.push_str(&rest[..backslash]);
        rest = &rest[backslash..];
        let length = match (escaped_unit(rest), rest.get(6..).and_then(escaped_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            (Some(_), _) => 6,
            // Another escape: the backslash and whatever follows it.
            (None, _) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The UTF-16 unit of a `\uXXXX` at the beginning of `text`.
fn escaped_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// A text field; numbers are taken for text, since ids and titles sometimes are numbers.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The first of several fields that is a text.
pub(super) fn first_text(values: &[&Value]) -> Option<String> {
    values.iter().find_map(|value| text(value))
}

/// A whole number, also if it is written as a text or with a decimal point.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().trim_start_matches('#').parse().ok(),
        _ => None,
    }
}

fn whole(number: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole and in range")]
    (number.fract() == 0.0 && (0.0..EXACT).contains(&number)).then_some(number as u64)
}

/// A time with any offset.
pub(super) fn time(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|time| time.to_utc())
}

/// An address to print; without its fragment, whose `#` would be a hashtag on Typetalk.
pub(super) fn link(value: &Value) -> Option<Link> {
    Link::parse(value.as_str()?.split('#').next()?)
}

/// The elements of a list; something that is no list counts as a list of one.
pub(super) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(elements) => elements,
        Value::Null => &[],
        single => std::slice::from_ref(single),
    }
}

/// The name of a reference, which PagerDuty calls its summary.
pub(super) fn name(reference: &Value) -> Option<String> {
    first_text(&[&reference["summary"], &reference["name"], reference])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_are_kept() {
        for (json, title) in [
            (r#"{"t":"a\ud83db"}"#, "a\u{fffd}b"),
            (r#"{"t":"\udca9\ud83d"}"#, "\u{fffd}\u{fffd}"),
            (r#"{"t":"\ud83d\ud83d\udca9"}"#, "\u{fffd}💩"),
            (r#"{"t":"\\ud83d \u3042"}"#, "\\ud83d あ"),
            (r#"{"t":"\uD83D\uDCA9 \uD83D\n"}"#, "💩 \u{fffd}\n"),
        ] {
            assert_eq!(parse(json.as_bytes()).unwrap()["t"], title, "{json}");
        }
    }

    #[test]
    fn bad_utf8_is_replaced_and_a_byte_order_mark_skipped() {
        assert_eq!(parse(b"{\"t\":\"a\xff\xfeb\"}").unwrap()["t"], "a\u{fffd}\u{fffd}b");
        assert_eq!(parse(b"\xef\xbb\xbf{\"t\":1}").unwrap()["t"], 1);
    }

    #[test]
    fn what_is_no_json_is_none() {
        for body in [&b""[..], b"{", b"payload=1", b"{\"t\":\"\\", b"{\"t\":\"\\u12", b"\\ud800", "\\あ".as_bytes()] {
            assert_eq!(parse(body), None, "{body:?}");
        }
        assert_eq!(parse("[".repeat(100_000).as_bytes()), None);
    }

    #[test]
    fn numbers_are_whole_however_they_are_written() {
        for (value, expected) in [
            (serde_json::json!(33), Some(33)),
            (serde_json::json!("33"), Some(33)),
            (serde_json::json!("#33"), Some(33)),
            (serde_json::json!(33.0), Some(33)),
            (serde_json::json!(33.5), None),
            (serde_json::json!(-1), None),
            (serde_json::json!(1e300), None),
            (serde_json::json!([33]), None),
            (Value::Null, None),
        ] {
            assert_eq!(number(&value), expected, "{value}");
        }
    }
}
