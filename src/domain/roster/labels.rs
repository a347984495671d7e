//! What may stand before a name with a colon, and is no part of it: `主: 田中`, `AM:鈴木`.

use super::titles::Title;

/// What stands before 担当, 当番 and 担当者 in a label, where a name would be somebody's.
const ROLES: &[&str] = &[
    "主",
    "副",
    "正",
    "一次",
    "二次",
    "第一",
    "第二",
    "メイン",
    "サブ",
    "予備",
    "昼",
    "夜",
    "午前",
    "午後",
    "日中",
    "夜間",
];
/// Of these words a label consists.
const ON_CALL: &[&str] = &["on", "call", "oncall", "primary", "secondary", "backup", "engineer"];
/// Who has one half of a day, before their name.
const HALVES: &[&str] = &["午前", "午後", "am", "pm"];

/// What is left behind a label: a title of people, or half of the day.
pub(super) fn without_label(text: &str) -> Option<&str> {
    let (label, name) = text.split_once(':')?;
    // `AM10:00`
    let is_of_a_time = name.starts_with(|c: char| c.is_ascii_digit());
    (!is_of_a_time && is_label(label)).then_some(name)
}

/// Whether a word is one of a role beside a name: `Primary ann`.
pub(super) fn is_word_of_a_role(word: &str) -> bool {
    ON_CALL.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Whether a cleaned text is a half of the day.
pub(super) fn is_half_a_day(text: &str) -> bool {
    HALVES.contains(&Title::from_clean(text).whole())
}

/// Whether a cleaned text is a label. What has brackets may have a name in them.
fn is_label(text: &str) -> bool {
    /// None is longer.
    const MAX_LENGTH: usize = 32;
    if text.len() > MAX_LENGTH || !text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-')) {
        return false;
    }
    let title = Title::from_clean(text);
    let words = title.words();
    title.is_of_people()
        || HALVES.contains(&title.whole())
        || title.role().is_some_and(|role| role.is_empty() || ROLES.contains(&role))
        || (!words.is_empty() && words.iter().all(|word| ON_CALL.contains(&word.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_of_people_and_halves_of_the_day_are_labels() {
        for text in [
            "主",
            "正",
            "主担当",
            "副 担当者",
            "担当1",
            "Primary",
            "On-call",
            "Primary on-call",
            "On-Call Engineer",
            "AM",
            "午後",
            "Who",
        ] {
            assert_eq!(without_label(&format!("{text}: 田中")), Some(" 田中"), "{text}");
        }
        for text in ["", "1", "休み", "代わり", "田中担当", "鈴木 担当", "主(鈴木)", "連絡先", "Notes", "Primary ann"]
        {
            assert_eq!(without_label(&format!("{text}: 田中")), None, "{text}");
        }
        assert_eq!(without_label("AM10:00 田中"), None);
    }
}
