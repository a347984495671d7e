//! Words in a cell that are no names: for nobody, for what is not decided yet, and marks.

use super::cells::Value;
use super::spelling::key;

/// What a word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// Nobody; `filler` is a dash or なし, which fill an empty place beside names.
    Nobody { filler: bool },
    /// Somebody, and it isn't known who.
    Undecided,
}

const FILLER: &str = "なし";
const NOBODY: &[&str] = &[
    "無し",
    "無",
    "休",
    "休み",
    "お休み",
    "休日",
    "祝",
    "祝日",
    "定休",
    "有休",
    "有給",
    "年休",
    "代休",
    "欠勤",
    "年末年始",
    "休暇",
    "不在",
    "該当なし",
    "none",
    "nobody",
    "off",
    "holiday",
    "vacation",
    "ooo",
    "pto",
    "sick",
    "away",
    "out",
    "unavailable",
    "on leave",
    "no one",
    "nil",
    "closed",
    "×",
];
const UNDECIDED: &[&str] = &["未定", "調整中", "tbd", "tbd.", "tbc", "tba", "n/a", "n.a.", "who?", "loading..."];
/// Long enough to be recognised within a longer word, and no part of names.
const NOBODY_WITHIN: &[&str] = &[
    "なし",
    "無し",
    "休み",
    "休日",
    "祝日",
    "定休",
    "有休",
    "有給",
    "欠勤",
    "休暇",
    "不在",
    "年末年始",
    "該当なし",
    "×",
];
/// Each word of this list and the next has one of them.
const IN_EACH_WORD_WITHIN: [char; 10] = ['し', '休', '祝', '日', '末', '×', '無', '在', '給', '欠'];
/// What may stand before or behind a name that is known.
const NOBODY_BESIDE: &[&str] = &["休", "無", "祝"];

/// All words, and the dash that is a letter.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    [FILLER, "ー"].into_iter().chain(NOBODY.iter().copied()).chain(UNDECIDED.iter().copied())
}

/// The word that a cleaned text is, as a whole.
pub(super) fn word(clean: &str) -> Option<Word> {
    if is_dash(clean) {
        return Some(Word::Nobody { filler: true });
    }
    // None is longer, and most names of a large team are not looked up in vain.
    if clean.len() > 24 {
        return None;
    }
    let key = key(clean);
    if key == FILLER {
        Some(Word::Nobody { filler: true })
    } else if NOBODY.contains(&key.as_str()) {
        Some(Word::Nobody { filler: false })
    } else if UNDECIDED.contains(&key.as_str()) || (!key.is_empty() && key.chars().all(|c| c == '?')) {
        Some(Word::Undecided)
    } else {
        None
    }
}

/// The long vowel mark is how a Japanese keyboard writes a dash; its neighbours look the same.
fn is_dash(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| matches!(c, '-' | 'ー' | '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '─' | '━' | '﹘'))
}

/// Whether a text that is not a word for nobody has one in it: `田中休み`, `休み:田中`, `休(田中)`.
///
/// Short words are only recognised beside a name that `is_name` knows: 祝 begins surnames.
pub(super) fn has_nobody_within(clean: &str, is_name: impl Fn(&str) -> bool) -> bool {
    if !clean.contains(IN_EACH_WORD_WITHIN) {
        return false;
    }
    if NOBODY_WITHIN.iter().any(|word| clean.starts_with(word) || clean.ends_with(word)) {
        return true;
    }
    NOBODY_BESIDE.iter().any(|word| {
        [clean.strip_prefix(word), clean.strip_suffix(word)]
            .into_iter()
            .flatten()
            .any(|rest| is_name(rest.trim_matches(|c: char| c.is_whitespace() || ":・".contains(c))))
    })
}

/// Whether a note beside a name says that nobody is meant: `(休)`, `(午後は休み)`, `(off)`.
pub(super) fn note_says_nobody(note: &str) -> bool {
    note.contains('休')
        || NOBODY_WITHIN.iter().any(|word| note.contains(word))
        || note
            .split(|c: char| !(c.is_alphanumeric() || "-ー–—―−".contains(c)))
            .any(|part| matches!(word(part), Some(Word::Nobody { .. })))
}

/// What a cell says in a matrix of marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The person who heads the column is meant.
    Set,
    /// The person is not meant; `plain` as an unticked box says it.
    Unset { plain: bool },
}

/// The mark that a cell is, if it is one; a blank cell is none.
pub(super) fn mark(value: &Value) -> Option<Mark> {
    match value {
        Value::Flag(true) => Some(Mark::Set),
        Value::Flag(false) => Some(Mark::Unset { plain: true }),
        #[expect(clippy::float_cmp, reason = "a typed 1 or 0 is exact")]
        Value::Number(number) => match number {
            number if *number == 1.0 => Some(Mark::Set),
            number if *number == 0.0 => Some(Mark::Unset { plain: false }),
            _ => None,
        },
        Value::Text(text) => match &*text.clean {
            "○" | "◯" | "〇" | "◎" | "●" | "⭕" | "✓" | "✔" | "☑" | "レ" | "1" | "TRUE" | "当番" | "担当" => {
                Some(Mark::Set)
            }
            "FALSE" => Some(Mark::Unset { plain: true }),
            "×" | "0" => Some(Mark::Unset { plain: false }),
            _ => None,
        },
        Value::Blank | Value::Hidden => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::cells::Cell;
    use super::super::spelling::clean;
    use super::*;

    #[test]
    fn words_that_are_no_names_are_known_in_any_spelling() {
        for text in [
            "なし",
            "無し",
            "無",
            "休",
            "休み",
            "お休み",
            "休日",
            "祝",
            "祝日",
            "定休",
            "有休",
            "年末年始",
            "該当なし",
            "none",
            "None",
            "NOBODY",
            "off",
            "ＯＦＦ",
            "休暇",
            "不在",
            "Holiday",
            "vacation",
            "OOO",
            "closed",
            "-",
            "－",
            "—",
            "–",
            "―",
            "−",
            "--",
            "ー",
            "ｰ",
            "×",
        ] {
            assert!(matches!(word(&clean(text)), Some(Word::Nobody { .. })), "{text}");
        }
        for text in
            ["未定", "調整中", "TBD", "tbc", "TBA", "N/A", "n/a", "?", "？", "??", "who?", "Loading...", "Loading…"]
        {
            assert_eq!(word(&clean(text)), Some(Word::Undecided), "{text}");
        }
        for text in ["", "田中", "休暇中", "offline", "who", "nonette", "TBDs", "N", "A", "x", "○"] {
            assert_eq!(word(&clean(text)), None, "{text}");
        }
    }

    #[test]
    fn a_word_for_nobody_is_found_beside_a_name() {
        let is_name = |text: &str| text == "田中";
        for text in [
            "田中休み",
            "田中休暇",
            "田中 不在",
            "田中休",
            "休:田中",
            "休み(田中)",
            "田中は有休",
            "田中×",
            "新人お休み",
            "田中 無",
        ] {
            assert!(has_nobody_within(text, is_name), "{text}");
        }
        for text in ["田中", "祝田", "無量井", "休場", "新人", "鈴木休"] {
            assert!(!has_nobody_within(text, is_name), "{text}");
        }
        for note in ["休", "午後休", "火・祝", "off", "PM off", "-", "予備なし", "×"] {
            assert!(note_says_nobody(note), "{note}");
        }
        for note in ["午前", "代", "10:00-17:00", "offline", "無線", "祝田さんの代わり"] {
            assert!(!note_says_nobody(note), "{note}");
        }
    }

    #[test]
    fn marks_are_set_or_not_and_other_text_is_none() {
        let mark = |text: &str| mark(&Value::of(&Cell::Text(text.to_owned())));
        for text in ["○", "◯", "〇", "◎", "●", "⭕", "⭕\u{fe0f}", "✓", "✔", "☑", "レ", "ﾚ", "1", "１", "TRUE", "担当"]
        {
            assert_eq!(mark(text), Some(Mark::Set), "{text}");
        }
        for (text, plain) in [("×", false), ("0", false), ("FALSE", true)] {
            assert_eq!(mark(text), Some(Mark::Unset { plain }), "{text}");
        }
        for text in ["", "x", "△", "-", "田中", "10"] {
            assert_eq!(mark(text), None, "{text}");
        }
    }
}
