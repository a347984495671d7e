//! Tolerant JSON: what can be understood is, and no odd field costs the others.

use std::fmt;
use std::ops::Index;

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::domain::event::Link;
use crate::domain::sanitize::shorten;

/// A body that has been parsed. `serde_json`'s own takes a hundred times the size of a body of small objects, each
/// of which is a tree with room for eleven fields; this takes some fifteen times the size at most.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    String(Box<str>),
    Array(Box<[Value]>),
    Object(Box<[(Box<str>, Value)]>),
}

impl Value {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::String(text) => text.is_empty(),
            Self::Array(elements) => elements.is_empty(),
            Self::Object(fields) => fields.is_empty(),
            Self::Bool(_) | Self::Number(_) => false,
        }
    }

    pub(super) fn is_string(&self) -> bool {
        matches!(self, Self::String(_))
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// A field, or null; the last one if several have the name.
impl Index<&str> for Value {
    type Output = Self;

    fn index(&self, name: &str) -> &Self {
        let Self::Object(fields) = self else { return &Self::Null };
        fields.iter().rfind(|(field, _)| **field == *name).map_or(&Self::Null, |(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Builder)
    }
}

struct Builder;

impl<'de> Visitor<'de> for Builder {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Vec::new();
        while let Some(field) = fields.next_entry()? {
            object.push(field);
        }
        Ok(Value::Object(object.into()))
    }
}

/// What the parser follows of lists in lists, with some to spare; webhooks have some ten levels.
const MAX_DEPTH: usize = 100;

/// Parses a body. Bad UTF-8 and lone surrogates become U+FFFD, what is nested too deeply is emptied; `None` only
/// if it is no JSON at all.
pub(super) fn parse(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().or_else(|| {
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}');
        serde_json::from_str(&mend_surrogates(&prune(text))).ok()
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

/// Digits of a number that are read, and of its exponent: no number can be too large then.
const MAX_DIGITS: usize = 100;
const MAX_EXPONENT_DIGITS: usize = 2;

/// Empties lists and objects that are nested too deeply, and cuts numbers that are out of range: a monitor's details
/// must not cost the incident its title.
fn prune(json: &str) -> String {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let (mut digits, mut most_digits) = (0, MAX_DIGITS);
    let is_kept = |c: &char| {
        let outer = depth;
        (digits, most_digits) = match c {
            '0'..='9' => (digits + 1, most_digits),
            'e' | 'E' if digits > 0 => (0, MAX_EXPONENT_DIGITS),
            '+' | '-' => (0, most_digits),
            _ => (0, MAX_DIGITS),
        };
        if digits > most_digits && !in_string {
            return false;
        }
        match c {
            _ if in_string => {
                in_string = escaped || *c != '"';
                escaped = !escaped && *c == '\\';
            }
            '"' => in_string = true,
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        outer.min(depth) < MAX_DEPTH
    };
    json.chars().filter(is_kept).collect()
}

/// The UTF-16 unit of a `\uXXXX` at the beginning of `text`.
fn escaped_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// More characters of a text than any message has room for.
const MAX_CHARACTERS: usize = 10_000;
/// More elements of a list than any message names.
const MAX_ELEMENTS: usize = 1_000;

/// A text field; numbers are taken for text, since ids and titles sometimes are numbers.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(shorten(text, MAX_CHARACTERS)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What somebody wrote, empty if there is nothing; it ends in `…` if PagerDuty says that it has `trimmed` it.
pub(super) fn written(holder: &Value, field: &str) -> String {
    let written = text(&holder[field]).unwrap_or_default();
    let trimmed = match &holder["trimmed"] {
        Value::Bool(trimmed) => *trimmed,
        Value::String(trimmed) => trimmed.eq_ignore_ascii_case("true"),
        _ => false,
    };
    let end = written.trim_end();
    if trimmed && !end.ends_with('…') { format!("{end}…") } else { written }
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

/// A value, or the first of a list where one value should be.
pub(super) fn one(value: &Value) -> &Value {
    match value {
        Value::Array(elements) => elements.first().unwrap_or(&Value::Null),
        single => single,
    }
}

/// An id: what could be anything else is none, so that it can be logged and looked up.
pub(super) fn id(value: &Value) -> Option<String> {
    text(value).filter(|id| is_id(id))
}

/// Whether a text is as short and plain as ids are.
pub(super) fn is_id(text: &str) -> bool {
    const MAX_LENGTH: usize = 128;
    (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// The elements of a list; something that is no list counts as a list of one.
pub(super) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(elements) => &elements[..elements.len().min(MAX_ELEMENTS)],
        Value::Null => &[],
        single => std::slice::from_ref(single),
    }
}

/// The name of a reference, which PagerDuty calls its summary.
pub(super) fn name(reference: &Value) -> Option<String> {
    let reference = one(reference);
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
            assert_eq!(parse(json.as_bytes()).unwrap()["t"].as_str(), Some(title), "{json}");
        }
    }

    #[test]
    fn bad_utf8_is_replaced_and_a_byte_order_mark_skipped() {
        assert_eq!(parse(b"{\"t\":\"a\xff\xfeb\"}").unwrap()["t"].as_str(), Some("a\u{fffd}\u{fffd}b"));
        assert_eq!(number(&parse(b"\xef\xbb\xbf{\"t\":1}").unwrap()["t"]), Some(1));
    }

    #[test]
    fn what_is_nested_too_deeply_is_emptied_and_costs_nothing_else() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let (open, close) = (open.repeat(100_000), close.repeat(100_000));
            let json = format!(r#"{{"deep":{open}"]\\\"}}"{close},"t":"a \"[{{"}}"#);
            assert_eq!(parse(json.as_bytes()).unwrap()["t"].as_str(), Some("a \"[{"), "{}", &open[..6]);
        }
    }

    #[test]
    fn numbers_out_of_range_cost_nothing_else() {
        for huge in ["1e999", "-1E+400", "1.5e400", &"9".repeat(400), &format!("{}e308", "9".repeat(300))] {
            let parsed = parse(format!(r#"{{"details":[{huge},true],"t":"1e999","n":33}}"#).as_bytes()).unwrap();
            assert_eq!((parsed["t"].as_str(), number(&parsed["n"])), (Some("1e999"), Some(33)), "{huge}");
            assert_eq!(number(&parse(huge.as_bytes()).unwrap()), None, "{huge}");
        }
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
        for (json, expected) in [
            ("33", Some(33)),
            (r#""33""#, Some(33)),
            (r##""#33""##, Some(33)),
            ("33.0", Some(33)),
            ("33.5", None),
            ("-1", None),
            ("1e300", None),
            ("[33]", None),
            ("null", None),
        ] {
            assert_eq!(number(&parse(json.as_bytes()).unwrap()), expected, "{json}");
        }
    }
}
