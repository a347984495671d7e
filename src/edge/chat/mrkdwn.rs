//! Slack's `mrkdwn`: a message's spans in its markup, and untrusted text that looks as it was written.
//!
//! Three characters are escaped, <https://docs.slack.dev/messaging/formatting-message-text>. There is no escape for
//! the others, so where a client would format, [`BREAK`] is put in. Which places these are is not documented; the
//! rules here take in what parsers of Slack's own exports do, and what has been seen on its clients:
//!
//! - `*bold*`, `_italic_`, `~strike~` (and `＊`, `＿`, `｀`): a mark where a word begins, with a partner further on in
//!   the line where one ends. In the middle of a word it is none, nor behind a slash, nor in an address.
//! - `:name:` wherever it stands, `arn:aws:…` included.
//! - `>` at the beginning of a line.

use super::markup;
use crate::domain::message::{Message, Span, Table};
use crate::domain::roster::Mention;

/// Put around a mark, it breaks it and isn't seen: U+034F, the combining grapheme joiner.
///
/// Being a combining character it belongs to a word, so no word begins or ends at the mark any more. A zero-width
/// space won't do: for Slack it is one, and makes marks work that didn't.
const BREAK: char = '\u{34f}';

/// Stands for markup of our own, within which nothing is formatted.
const MARKUP: char = '\u{fffc}';

/// The text of a message.
pub(super) fn render(message: &Message) -> String {
    render_within(message, markup::MAX_UNITS)
}

/// The same, shorter.
pub(super) fn render_within(message: &Message, max_units: usize) -> String {
    markup::print(message, max_units, line)
}

/// A character of a line, or markup of our own.
enum Part {
    Ours(char),
    Untrusted(char),
    Markup(String),
}

impl Part {
    fn character(&self) -> char {
        match self {
            Self::Ours(c) | Self::Untrusted(c) => *c,
            Self::Markup(_) => MARKUP,
        }
    }
}

fn line(spans: &[Span]) -> String {
    let mut parts: Vec<Part> = Vec::new();
    for span in spans {
        let printed: Vec<Part> = match span {
            Span::Words(words) => words.chars().map(Part::Ours).collect(),
            // The other chat's handle notifies nobody here.
            Span::Untrusted(text) | Span::Mention(Mention::Typetalk(text)) => {
                text.chars().map(Part::Untrusted).collect()
            }
            Span::Mention(Mention::SlackMember(id)) => vec![Part::Markup(format!("<@{id}>"))],
            Span::Mention(Mention::SlackGroup(id)) => vec![Part::Markup(format!("<!subteam^{id}>"))],
            Span::Tag(tag) => format!("#{tag}").chars().map(Part::Ours).collect(),
            Span::Link(link) => vec![Part::Markup(format!("<{}>", escape(&link.to_string())))],
            Span::Table(table) => vec![Part::Markup(format!("```\n{}\n```", escape(&columns(table))))],
        };
        if !parts.is_empty() && !printed.is_empty() {
            parts.push(Part::Ours(' '));
        }
        parts.extend(printed);
    }
    let text: Vec<char> = parts.iter().map(Part::character).collect();
    let mut printed = String::with_capacity(text.len());
    for (part, breaks) in parts.iter().zip(breaks(&text)) {
        match part {
            Part::Ours(c) => printed.push(*c),
            Part::Untrusted(c) => {
                let around = if breaks { Some(BREAK) } else { None };
                printed.extend(around);
                push_escaped(&mut printed, *c);
                printed.extend(around);
            }
            Part::Markup(markup) => printed.push_str(markup),
        }
    }
    printed
}

/// A table in characters of one width, as far as a client's font has those.
fn columns(table: &Table) -> String {
    let label = |span: &Span| match span {
        Span::Words(text) | Span::Untrusted(text) => text.clone(),
        _ => String::new(),
    };
    let rows = table.rows.iter().map(|(span, numbers)| {
        let numbers = numbers.iter().cloned();
        std::iter::once(label(span)).chain(numbers).collect()
    });
    let rows: Vec<Vec<String>> = std::iter::once(table.head.clone()).chain(rows).collect();
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max();
    let widths: Vec<_> = (0..table.head.len()).map(|column| widest(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, widest))| {
            let gap = " ".repeat(widest - width(cell));
            // What a row is about begins at the left, numbers end at the right.
            if column == 0 { format!("{cell}{gap}") } else { format!("{gap}{cell}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// In characters of a terminal: Chinese, Japanese and Korean ones, and pictures, take the room of two.
fn width(text: &str) -> usize {
    let wide = |c: char| {
        matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff01}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
            | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
    };
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

/// The three characters that Slack's markup is made of.
fn push_escaped(printed: &mut String, c: char) {
    match c {
        '&' => printed.push_str("&amp;"),
        '<' => printed.push_str("&lt;"),
        '>' => printed.push_str("&gt;"),
        c => printed.push(c),
    }
}

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        push_escaped(&mut escaped, c);
        escaped
    })
}

/// For each character of a line, whether formatting would begin with it.
fn breaks(text: &[char]) -> Vec<bool> {
    let addresses = addresses(text);
    let ends = ends(text);
    let mut begins_word = true;
    let begins = text.iter().enumerate().map(|(at, &c)| {
        if let Some(mark) = mark(c) {
            let has_partner = ends[mark].is_some_and(|end| end > at + 1);
            return begins_word && has_partner && text.get(at + 1).is_some_and(|next| !next.is_whitespace());
        }
        begins_word = !(c.is_alphanumeric() || matches!(c, '/' | '\\'));
        match c {
            ':' => emoji_end(text, at).is_some_and(|end| !addresses[end]),
            '>' | '＞' => at == 0,
            _ => false,
        }
    });
    begins.zip(&addresses).map(|(begins, in_address)| begins && !in_address).collect()
}

/// Which mark a character is.
fn mark(c: char) -> Option<usize> {
    match c {
        '*' | '＊' => Some(0),
        '_' | '＿' => Some(1),
        '~' => Some(2),
        '｀' => Some(3),
        _ => None,
    }
}

/// For each mark, the last one of a line with which a word ends.
fn ends(text: &[char]) -> [Option<usize>; 4] {
    let mut last = [None; 4];
    let mut ends_word = true;
    for (at, &c) in text.iter().enumerate().rev() {
        let Some(mark) = mark(c) else {
            ends_word = !c.is_alphanumeric();
            continue;
        };
        let follows_text = at > 0 && !text[at - 1].is_whitespace();
        if ends_word && follows_text && last[mark].is_none() {
            last[mark] = Some(at);
        }
    }
    last
}

/// The place of the other colon, if there is an emoji's name between the one at a place and the next.
fn emoji_end(text: &[char], colon: usize) -> Option<usize> {
    let is_of_name = |c: &&char| c.is_alphanumeric() || matches!(c, '_' | '＿' | '+' | '＋' | '-' | '\'');
    let name: String = text[colon + 1..].iter().take_while(is_of_name).collect();
    let end = colon + 1 + name.chars().count();
    if name.is_empty() || text.get(end) != Some(&':') {
        return None;
    }
    // A time, a port, a line's number, a group of an address: few emoji are called so.
    let is_attached = colon > 0 && (text[colon - 1].is_alphanumeric() || matches!(text[colon - 1], ':' | ']'));
    let is_of_group = |b: u8| b.is_ascii_hexdigit() || matches!(b, b'+' | b'-');
    let is_group = name.bytes().all(is_of_group) && name.bytes().any(|b| b.is_ascii_digit());
    let is_emoji = !(is_attached && is_group) || matches!(name.as_str(), "100" | "1234" | "+1" | "-1");
    is_emoji.then_some(end)
}

/// For each character of a line, whether it is in a web address, which Slack links and doesn't format.
fn addresses(text: &[char]) -> Vec<bool> {
    let begins = |at: usize| {
        let scheme = |scheme: &str| scheme.chars().eq(text[at..].iter().copied().take(scheme.len()));
        scheme("https://") || scheme("http://")
    };
    let mut within = false;
    let is_within = |(at, c): (usize, &char)| {
        within = (within && !c.is_whitespace() && !matches!(c, '<' | '>' | '|' | '"')) || begins(at);
        within
    };
    text.iter().enumerate().map(is_within).collect()
}

#[cfg(test)]
mod tests;
