//! Makes untrusted text harmless to print: no control or bidi characters, no backticks, no forged lines.
//!
//! What else a product's markup needs (mentions, tags, links) is escaped by that product's chat client.

/// Untrusted text on one line: line breaks and runs of white space become one space.
#[must_use]
pub fn line(untrusted: &str) -> String {
    let mut out = String::with_capacity(untrusted.len());
    for word in untrusted.split(|c: char| c.is_whitespace() || is_line_break(c)) {
        let word: String = word.chars().filter_map(harmless).collect();
        if word.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word);
    }
    out
}

/// Untrusted text that may keep its lines: blank lines go, every line is cleaned like [`line()`].
#[must_use]
pub fn lines(untrusted: &str) -> Vec<String> {
    untrusted.split(is_line_break).map(line).filter(|line| !line.is_empty()).collect()
}

/// At most so many characters, the last of which is `…` if the text had more.
#[must_use]
pub fn shorten(text: &str, most_chars: usize) -> String {
    if text.chars().nth(most_chars).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most_chars.saturating_sub(1)).collect();
    kept + "…"
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The character to print for `c`, if any.
fn harmless(c: char) -> Option<char> {
    match c {
        '`' => Some('\''),
        c if c.is_control() => None,
        // Bidi marks, embeddings, overrides and isolates turn a line around for its reader.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // Invisible characters hide what a word really is, or that there is none. Joiners and variation
        // selectors stay: emoji and names need them.
        | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}'
        | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_words_and_loses_what_could_fool_a_reader() {
        for (untrusted, printed) in [
            ("plain title", "plain title"),
            ("  two\r\n lines\u{2028}and\ttabs ", "two lines and tabs"),
            ("`code` ``` fence", "'code' ''' fence"),
            ("abc\u{202e}cba\u{2066}\u{7}", "abccba"),
            ("zero\u{200b}width\u{feff}", "zerowidth"),
            ("in\u{ad}visi\u{180e}ble \u{3164}\u{ffa0}", "invisible"),
            ("家族 👨‍👩‍👧", "家族 👨‍👩‍👧"),
            ("\u{0}\u{1b}[31m", "[31m"),
            ("\n\n", ""),
        ] {
            assert_eq!(line(untrusted), printed, "{untrusted:?}");
        }
    }

    #[test]
    fn lines_stay_apart_and_blank_ones_go() {
        assert_eq!(lines("one\n\n two\u{b}three\r\n"), ["one", "two", "three"]);
    }
    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        for (text, most_chars, shortened) in
            [("家族写真", 4, "家族写真"), ("家族写真", 3, "家族…"), ("abc", 1, "…"), ("abc", 0, "…"), ("", 0, "")]
        {
            assert_eq!(shorten(text, most_chars), shortened, "{text} in {most_chars}");
        }
    }
}
