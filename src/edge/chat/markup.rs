//! Prints a message in a chat's markup, and shortens its untrusted text until it fits.

use crate::domain::message::{Message, Span};
use crate::domain::sanitize;

/// Both chats take 4,000 UTF-16 units; a message stays below.
pub(super) const MAX_UNITS: usize = 3_999;
/// Characters of what a table's row is about.
const MAX_CELL: usize = 24;

/// Prints a message within so many UTF-16 units; `line` prints the spans of a line.
///
/// Only untrusted text is shortened, the longest first, with `…`.
pub(super) fn print(message: &Message, max_units: usize, line: impl Fn(&[Span]) -> String) -> String {
    let print_with = |most_chars: usize| {
        let shorten = |span: &Span| match span {
            Span::Untrusted(text) => Span::Untrusted(sanitize::shorten(text, most_chars)),
            Span::Table(table) => Span::Table(table.with_rows(|span| match span {
                Span::Untrusted(text) => Span::Untrusted(sanitize::shorten(text, most_chars.min(MAX_CELL))),
                span => span.clone(),
            })),
            span => span.clone(),
        };
        let lines = message.lines.iter().map(|spans| line(&spans.iter().map(shorten).collect::<Vec<_>>()));
        lines.collect::<Vec<_>>().join("\n")
    };
    // No text has room for more, and one may have ten thousand characters.
    let whole = print_with(max_units);
    if units(&whole) <= max_units {
        return whole;
    }
    // The longest length for the untrusted texts at which the whole fits.
    let (mut fits, mut too_long) = (0, max_units);
    while too_long - fits > 1 {
        let middle = usize::midpoint(fits, too_long);
        if units(&print_with(middle)) <= max_units {
            fits = middle;
        } else {
            too_long = middle;
        }
    }
    print_with(fits)
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(spans: Vec<Span>) -> String {
        let span = |span: &Span| match span {
            Span::Words(words) => words.clone(),
            Span::Untrusted(text) => text.replace('&', "&amp;"),
            other => panic!("unexpected {other:?}"),
        };
        print(&Message { lines: vec![spans] }, MAX_UNITS, |spans| spans.iter().map(span).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_message_that_fits_is_left_as_it_is() {
        assert_eq!(printed(vec![Span::Words("a".into()), Span::Untrusted("b & c".into())]), "a b &amp; c");
    }

    #[test]
    fn the_longest_foreign_text_is_shortened_first_and_counted_after_escaping() {
        let text = printed(vec![
            Span::Untrusted("short".into()),
            Span::Untrusted("&".repeat(5_000)),
            Span::Words("w".repeat(1_000)),
        ]);
        assert!(text.starts_with("short &amp;&amp;"), "{text}");
        assert!(text.ends_with(&format!("&amp;… {}", "w".repeat(1_000))), "{text}");
        assert!((3_990..=3_999).contains(&units(&text)), "{}", units(&text));
    }

    #[test]
    fn characters_outside_the_basic_plane_count_twice_and_are_never_cut_in_half() {
        let text = printed(vec![Span::Untrusted("💥".repeat(3_000))]);
        assert_eq!(units(&text), 3_999);
        assert!(text.ends_with("💥…"));
    }
}
