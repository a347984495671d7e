//! The pieces of a cell's text: what separates names, what is no part of a name, and notes in brackets.
//!
//! Hard separators always part names, and what stands between two of them is a piece. Soft ones, such as blanks, part
//! names or belong to one; what stands between any two separators is a token.

use std::borrow::Cow;

use super::labels::without_label;

/// A run of text between separators; brackets and Slack's `<…>` are not taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether a hard separator stands before it.
    pub(super) is_parted: bool,
}

/// What stands between names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    /// It always parts names.
    Hard,
    /// It parts names only if both sides are some.
    Soft,
}

/// Parts a text at every separator.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut is_parted = false;
    let mut start = None;
    let is_balanced = is_balanced(text);
    let mut depth = 0_usize;
    for (at, c) in text.char_indices().chain([(text.len(), '\n')]) {
        if is_balanced && at < text.len() {
            depth = depth_after(depth, c);
        }
        let separator = if depth > 0 { None } else { separator(c) };
        match (separator, start) {
            (None, None) => start = Some(at),
            (Some(_), Some(from)) => {
                add(&mut tokens, text, Token { start: from, end: at, is_parted });
                (start, is_parted) = (None, false);
            }
            _ => {}
        }
        is_parted |= separator == Some(Separator::Hard);
    }
    tokens
}

/// A note that stands by itself belongs to what is before it.
fn add(tokens: &mut Vec<Token>, text: &str, token: Token) {
    let own = &text[token.start..token.end];
    let is_note = own.starts_with(is_opening) && without_notes(own).trim().is_empty();
    match tokens.last_mut() {
        Some(last) if is_note && !token.is_parted => last.end = token.end,
        _ => tokens.push(token),
    }
}

fn separator(c: char) -> Option<Separator> {
    match c {
        ',' | '、' | '，' | '/' | '／' | ';' | '；' | '&' | '＆' | '|' | '｜' | '\n' => Some(Separator::Hard),
        '・' | '･' | '+' | '＋' => Some(Separator::Soft),
        c if c.is_whitespace() => Some(Separator::Soft),
        _ => None,
    }
}

pub(super) fn depth_after(depth: usize, c: char) -> usize {
    if is_opening(c) || c == '<' {
        depth + 1
    } else if is_closing(c) || c == '>' {
        depth.saturating_sub(1)
    } else {
        depth
    }
}

/// Whether a note may begin with it.
pub(super) fn is_opening(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '【' | '〔' | '「' | '『' | '〈' | '《')
}

pub(super) fn is_closing(c: char) -> bool {
    matches!(c, ')' | ']' | '}' | '】' | '〕' | '」' | '』' | '〉' | '》')
}

/// Whether every bracket is closed; else none is one.
pub(super) fn is_balanced(text: &str) -> bool {
    let mut depth = 0_usize;
    for c in text.chars() {
        if is_opening(c) || c == '<' {
            depth += 1;
        } else if is_closing(c) || c == '>' {
            let Some(less) = depth.checked_sub(1) else { return false };
            depth = less;
        }
    }
    depth == 0
}

/// A text without its notes in brackets.
pub(super) fn without_notes(text: &str) -> Cow<'_, str> {
    if !text.contains(is_opening) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    each_note(text, |c| plain.push(c), |_| {});
    plain.into()
}

/// What stands in brackets.
pub(super) fn notes(text: &str) -> Vec<&str> {
    let mut notes = Vec::new();
    if !text.contains(is_opening) {
        return notes;
    }
    each_note(text, |_| {}, |note| notes.push(note));
    notes
}

fn each_note<'a>(text: &'a str, mut outside: impl FnMut(char), mut note: impl FnMut(&'a str)) {
    if !is_balanced(text) {
        text.chars().for_each(outside);
        return;
    }
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in text.char_indices() {
        if is_opening(c) {
            depth += 1;
            if depth == 1 {
                start = at + c.len_utf8();
            }
        } else if is_closing(c) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                note(&text[start..at]);
            }
        } else if depth == 0 {
            outside(c);
        }
    }
}

/// The inside of a text that stands in brackets as a whole.
pub(super) fn unwrapped(text: &str) -> &str {
    let mut inner = text;
    while inner.starts_with(is_opening)
        && let [note] = notes(inner)[..]
        && without_notes(inner).trim().is_empty()
    {
        inner = note.trim();
    }
    inner
}

/// The places of arrows that stand outside brackets, with their lengths.
pub(super) fn arrows(text: &str) -> Vec<(usize, usize)> {
    if !has_arrow(text) {
        return Vec::new();
    }
    let is_balanced = is_balanced(text);
    let mut depth = 0_usize;
    let mut arrows = Vec::new();
    for (at, c) in text.char_indices() {
        if let Some(length) = arrow(&text[at..]).filter(|_| depth == 0) {
            arrows.push((at, length));
        }
        // The `>` of an arrow closes nothing.
        if is_balanced && !matches!(c, '<' | '>') {
            depth = depth_after(depth, c);
        }
    }
    arrows
}

/// Whether a note has an arrow in it.
pub(super) fn has_arrow(text: &str) -> bool {
    text.contains(IN_EACH_ARROW) && ARROWS.iter().any(|arrow| text.contains(arrow))
}

const IN_EACH_ARROW: [char; 7] = ['→', '⇒', '➡', '➔', '⟶', '⇨', '>'];
const ARROWS: [&str; 8] = ["→", "⇒", "➡", "➔", "⟶", "⇨", "->", "=>"];

fn arrow(text: &str) -> Option<usize> {
    ARROWS.into_iter().find(|arrow| text.starts_with(arrow)).map(str::len)
}

/// A text in every form in which it may be a name, from what is written to the bare name.
#[derive(Debug)]
pub(super) struct Forms<'a> {
    led: &'a str,
    unmarked: &'a str,
    plain: Cow<'a, str>,
}

impl<'a> Forms<'a> {
    /// Whether there is anything to drop; most names are written as they are.
    pub(super) fn are_needed(text: &str) -> bool {
        let first = text.chars().next().unwrap_or(' ');
        LEADERS.contains(&first)
            || matches!(first, '-' | '–' | '0'..='9')
            || text.contains(':')
            || text.ends_with(['※', '*', ' '])
            || COURTESY.iter().any(|title| text.ends_with(title))
            || text.contains(is_closing)
    }

    pub(super) fn of(text: &'a str) -> Self {
        let led = without_leader(text);
        let unmarked = without_marks(led);
        let plain = |text: &'a str| without_marks(without_leader(text.trim()));
        let plain = match without_notes(unmarked) {
            Cow::Borrowed(text) => plain(text).into(),
            Cow::Owned(text) => without_marks(without_leader(text.trim())).to_owned().into(),
        };
        Self { led, unmarked, plain }
    }

    pub(super) fn all(&self) -> [&str; 5] {
        [self.led, self.unmarked, &self.plain, self.bare(), without_number(self.bare())]
    }

    /// As it is written, but for what stands before it.
    pub(super) fn printed(&self) -> &str {
        self.led
    }

    /// The same without marks behind it.
    pub(super) fn unmarked(&self) -> &str {
        self.unmarked
    }

    pub(super) fn bare(&self) -> &str {
        without_courtesy(&self.plain)
    }
}

const LEADERS: [char; 15] = ['@', '※', '＠', '・', '･', '•', '●', '■', '◆', '◇', '□', '▪', '◦', '‣', '*'];

/// Drops `@`, bullets and `主:` from the beginning.
fn without_leader(text: &str) -> &str {
    let mut rest = text.trim();
    loop {
        let next = rest
            .strip_prefix(LEADERS)
            .or_else(|| rest.strip_prefix("- "))
            .or_else(|| rest.strip_prefix("– "))
            .or_else(|| without_label(rest));
        match next {
            Some(next) => rest = next.trim_start(),
            None => return rest,
        }
    }
}

fn without_marks(text: &str) -> &str {
    text.trim_end_matches(|c: char| matches!(c, '※' | '*') || c.is_whitespace())
}

/// What is left of `1. 田中`, and of `①田中`, which is compared as `1田中`. In a handle a digit may come first.
fn without_number(text: &str) -> &str {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if !(1..=2).contains(&(text.len() - rest.len())) {
        return text;
    }
    let name = rest.strip_prefix(NUMBERED).unwrap_or(rest);
    let is_apart = name.len() < rest.len() && name.starts_with(' ');
    if is_apart || name.starts_with(|c: char| !c.is_ascii() && c.is_alphabetic()) { name.trim_start() } else { text }
}

/// What stands behind a number.
const NUMBERED: [char; 3] = ['.', ')', ':'];

/// What stands between names and is none: `1.`, and words for "and".
pub(super) fn is_between_names(text: &str) -> bool {
    let number = text.strip_suffix(NUMBERED).filter(|number| (1..=2).contains(&number.len()));
    number.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit())) || joins(text)
}

/// Whether a text is a word for "and".
pub(super) fn joins(text: &str) -> bool {
    JOINING.iter().any(|word| text.eq_ignore_ascii_case(word))
}

pub(super) const JOINING: [&str; 2] = ["と", "and"];

pub(super) const COURTESY: [&str; 4] = ["さん", "様", "氏", "くん"];

fn without_courtesy(text: &str) -> &str {
    let shorter = COURTESY.into_iter().find_map(|title| text.strip_suffix(title)).map(str::trim_end);
    shorter.filter(|name| !name.is_empty()).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parted_at_separators_and_not_within_brackets() {
        for (text, expected) in [
            ("田中", "田中"),
            ("田中、鈴木", "田中|鈴木"),
            ("a・b+c d", "a b c d"),
            ("a/b;c&d\ne", "a|b|c|d|e"),
            ("田中 (午前, 代) 鈴木", "田中 (午前, 代) 鈴木"),
            ("<@U0A|x, y> b", "<@U0A|x, y> b"),
            ("田中(午前、鈴木", "田中(午前|鈴木"),
            (", ,a, b ,", "a|b"),
            ("", ""),
        ] {
            let mut shown = String::new();
            for (index, token) in tokens(text).iter().enumerate() {
                let separator = if token.is_parted { "|" } else { " " };
                shown.push_str(if index == 0 { "" } else { separator });
                shown.push_str(&text[token.start..token.end]);
            }
            assert_eq!(shown, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_part_of_a_name_is_dropped() {
        for (text, printed, bare) in [
            ("@田中", "田中", "田中"),
            ("・田中", "田中", "田中"),
            ("- 田中", "田中", "田中"),
            ("-田中", "-田中", "-田中"),
            ("主: 田中", "田中", "田中"),
            ("副:@田中", "田中", "田中"),
            ("Primary 1: 田中", "田中", "田中"),
            ("担当:AM:田中", "田中", "田中"),
            ("休み:田中", "休み:田中", "休み:田中"),
            ("AM10:00 田中", "AM10:00 田中", "AM10:00 田中"),
            ("鈴木 担当:田中", "鈴木 担当:田中", "鈴木 担当:田中"),
            ("主(鈴木):田中", "主(鈴木):田中", "田中"),
            ("田中さん", "田中さん", "田中"),
            ("田中 様", "田中 様", "田中"),
            ("田中※", "田中※", "田中"),
            ("※田中", "田中", "田中"),
            ("田中さん* ※", "田中さん* ※", "田中"),
            ("田中(午前)", "田中(午前)", "田中"),
            ("田中【代】さん", "田中【代】さん", "田中"),
            ("(主)田中(代)*", "(主)田中(代)*", "田中"),
            ("田中(午前", "田中(午前", "田中(午前"),
            ("さん", "さん", "さん"),
            ("@", "", ""),
        ] {
            let forms = Forms::of(text);
            assert_eq!((forms.printed(), forms.bare()), (printed, bare), "{text}");
        }
    }

    #[test]
    fn brackets_arrows_and_wrapping_are_found() {
        assert_eq!(notes("a(b)c[d(e)]"), ["b", "d(e)"]);
        assert_eq!(unwrapped("((田中))"), "田中");
        assert_eq!(unwrapped("(a)(b)"), "(a)(b)");
        assert_eq!(arrows("田中→鈴木"), [(6, 3)]);
        assert_eq!(arrows("a->b => c"), [(1, 2), (5, 2)]);
        assert!(arrows("田中(→鈴木)").is_empty() && has_arrow("→鈴木"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_pieces(text in "\\PC{0,30}|[()<>【】、/ ・a田@→>-]{0,20}") {
            let mut end = 0;
            for token in tokens(&text) {
                proptest::prop_assert!(end <= token.start && token.start < token.end);
                end = token.end;
            }
            Forms::of(&text);
            unwrapped(&text);
            arrows(&text);
        }
    }
}
