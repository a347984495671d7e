//! How spellings are compared: one word may be typed in many ways.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// The text in NFKC, without invisible characters, with single blanks and line feeds for white space.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if is_plain(text) { text.into() } else { cleaned(text).into() }
}

fn cleaned(text: &str) -> String {
    let visible: Cow<'_, str> = if text.chars().any(is_invisible) {
        text.chars().filter(|c| !is_invisible(*c)).collect::<String>().into()
    } else {
        text.into()
    };
    let visible = if visible.contains(is_circled) { with_plain_numbers(&visible).into() } else { visible };
    let normal = if visible.is_ascii() { visible } else { NFKC.normalize(&visible).into_owned().into() };
    let mut cleaned = String::with_capacity(normal.len());
    let mut gap = None;
    for c in normal.chars() {
        if c.is_whitespace() {
            let is_line_break = matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
            gap = Some(if is_line_break { '\n' } else { gap.unwrap_or(' ') });
        } else {
            cleaned.extend(gap.take().filter(|_| !cleaned.is_empty()));
            // NFKC makes an invisible filler of what was a visible one.
            cleaned.extend(Some(c).filter(|c| !is_invisible(*c)));
        }
    }
    cleaned
}

/// `①田中` has a number before the name; as NFKC has it, `1田中`, it could be a handle.
fn with_plain_numbers(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        plain.push(c);
        if is_circled(c) && rest.peek().is_some_and(|next| next.is_alphabetic() || *next == '@') {
            plain.pop();
            plain.extend([" ", NFKC.normalize(c.encode_utf8(&mut [0; 4])).trim_end_matches('.'), ". "]);
        }
    }
    plain
}

fn is_circled(c: char) -> bool {
    matches!(c, '①'..='⑳' | '⒈'..='⒛')
}

/// Whether a text has nothing but what cleaning leaves as it is; most cells are such.
fn is_plain(text: &str) -> bool {
    let has_gaps = text.starts_with(' ') || text.ends_with(' ') || text.contains("  ");
    let stays = |c| matches!(c, ' '..='~' | '、' | '。' | '々' | 'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー' | '一'..='龥');
    !has_gaps && text.chars().all(stays)
}

/// The compared form of a cleaned text: blanks, case and the kind of apostrophe don't distinguish.
pub(super) fn key(clean: &str) -> String {
    let mut key = String::with_capacity(clean.len());
    for c in clean.chars() {
        add_compared(&mut key, c);
    }
    key
}

/// The first character of the compared form.
pub(super) fn first_of_key(clean: &str) -> Option<char> {
    let first = clean.chars().find(|c| !c.is_whitespace())?;
    if ('\u{3000}'..='\u{9fff}').contains(&first) {
        return Some(first);
    }
    let mut key = String::new();
    add_compared(&mut key, first);
    key.chars().next()
}

fn add_compared(key: &mut String, c: char) {
    match c {
        c if c.is_whitespace() => {}
        '’' | '‘' | 'ʼ' | '′' | '`' | '´' => key.push('\''),
        c if c.is_ascii() => key.push(c.to_ascii_lowercase()),
        // Kana and kanji have no case, and a look into the tables of Unicode takes its time.
        '\u{3000}'..='\u{9fff}' => key.push(c),
        c => key.extend(c.to_lowercase()),
    }
}

fn is_invisible(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' => false,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_word_are_compared_as_one() {
        for (one, other) in [
            ("佐藤花子", "佐藤 花子"),
            ("佐藤花子", " 佐藤　花子 "),
            ("ﾀﾅｶ", "タナカ"),
            ("Ｓｕｚｕｋｉ", "suzuki"),
            ("か\u{3099}", "が"),
            ("田\u{200b}中", "田中"),
            ("田中\u{feff}", "田中"),
            ("葛\u{e0100}西", "葛西"),
            ("O’Brien", "o'brien"),
            ("O＇Brien", "O'Brien"),
            ("㈱", "(株)"),
            ("É", "e\u{301}"),
        ] {
            assert_eq!(key(&clean(one)), key(&clean(other)), "{one} {other}");
        }
        for (one, other) in [("田中", "田仲"), ("斎藤", "斉藤"), ("はら", "ハラ"), ("Muller", "Müller")] {
            assert_ne!(key(&clean(one)), key(&clean(other)), "{one} {other}");
        }
    }

    #[test]
    fn cleaned_text_keeps_its_lines_and_single_blanks() {
        for (text, cleaned) in [
            (" a \t b ", "a b"),
            ("a\r\n\r\n b", "a\nb"),
            ("a\u{2028}b", "a\nb"),
            ("\u{3164}", ""),
            ("\u{200b} ", ""),
            ("Loading…", "Loading..."),
            ("a\u{0}b", "ab"),
            ("①田中②ann", "1. 田中 2. ann"),
            ("⒑ @ann ⒒@ann", "10. @ann 11. @ann"),
            ("田中①", "田中1"),
        ] {
            assert_eq!(clean(text), cleaned, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn cleaning_and_comparing_settle_at_once(text in "\\PC{0,20}|[ａ-ｚｱ-ﾝ’' \u{200b}\u{3099}\u{3164}か]{0,12}|[a-c か一龥ヺ、 \u{3099}]{0,6}") {
            let once = clean(&text);
            proptest::prop_assert_eq!(clean(&once), once.clone());
            proptest::prop_assert_eq!(clean(&text), cleaned(&text));
            proptest::prop_assert_eq!(first_of_key(&once), key(&once).chars().next());
            proptest::prop_assert_eq!(key(&clean(&key(&once))), key(&clean(&key(&clean(&key(&once))))));
        }
    }
}
