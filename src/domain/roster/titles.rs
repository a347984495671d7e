//! What a title says about its column: people, or plainly none, or neither.

use super::spelling::clean;

/// What a title says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Never people.
    NoPeople,
    /// People.
    People,
    /// Neither is plain.
    Other,
}

const NO_PEOPLE: &[&str] = &[
    "曜日",
    "曜",
    "週",
    "備考",
    "メモ",
    "コメント",
    "予定",
    "連絡",
    "電話",
    "メール",
    "時間",
    "開始",
    "終了",
    "チケット",
    "状態",
    "url",
    "day",
    "weekday",
    "week",
    "notes",
    "note",
    "comment",
    "comments",
    "remarks",
    "phone",
    "tel",
    "mail",
    "email",
    "time",
    "hours",
    "start",
    "end",
    "ticket",
    "link",
    "status",
    "no",
];
/// Who is away, or has to do with the sheet, or had or will have the duty: people, but nobody to call.
const NOT_ON_CALL: &[&str] = &[
    "休",
    "元担当",
    "旧担当",
    "前担当",
    "次担当",
    "前回担当",
    "次回担当",
    "前任",
    "前任者",
    "変更前",
    "off",
    "out",
    "away",
    "sick",
    "pto",
    "ooo",
    "leave",
    "vacation",
    "absent",
    "absence",
    "unavailable",
    "outofoffice",
    "approver",
    "author",
    "editor",
    "reviewer",
    "createdby",
    "updatedby",
    "editedby",
    "approvedby",
    "reviewedby",
    "previous",
];
/// With these a title of the same kind begins or ends.
const AWAY: &[&str] = &["休み", "休暇", "有休", "有給", "年休", "代休", "振休", "公休", "欠勤", "欠席", "不在", "出張"];
/// With these it ends.
const NOT_ON_CALL_AT_THE_END: &[&str] =
    &["承認者", "作成者", "更新者", "記入者", "入力者", "確認者", "編集者", "登録者", "不在者", "欠席者", "休暇者"];
const PEOPLE: &[&str] =
    &["名前", "氏名", "主", "副", "正", "主担", "副担", "サブ", "予備", "who", "name", "person", "assignee"];
const PEOPLE_AT_THE_END: &[&str] = &["担当", "当番", "担当者"];
const PEOPLE_AT_EITHER_END: &[&[&str]] = &[&["on", "call"], &["oncall"], &["primary"], &["secondary"], &["backup"]];
const DATES: &[&str] = &["日付", "月日", "日", "date", "週", "week", "期間", "開始", "start", "開始日", "startdate"];
const ENDS: &[&str] = &["終了", "まで", "end", "to", "終了日", "enddate"];

/// A title's words, by which it is compared: without case, digits, punctuation and bracketed notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title {
    words: Vec<String>,
    whole: String,
}

impl Title {
    pub(super) fn of(text: &str) -> Self {
        Self::from_clean(&clean(text))
    }

    pub(super) fn from_clean(text: &str) -> Self {
        Self::compared(text, |c| c.is_alphabetic() || is_a_mark_of_a_letter(c))
    }

    /// The same, but digits count: `担当1` is not `担当2`.
    fn with_digits(text: &str) -> Self {
        Self::compared(&clean(text), |c| c.is_alphanumeric() || is_a_mark_of_a_letter(c))
    }

    fn compared(text: &str, counts: impl Fn(char) -> bool) -> Self {
        let mut plain = String::with_capacity(text.len());
        let mut depth = 0_usize;
        for c in text.chars() {
            match c {
                '(' | '[' | '{' | '【' | '〔' | '「' | '『' | '〈' | '《' | '<' => depth += 1,
                ')' | ']' | '}' | '】' | '〕' | '」' | '』' | '〉' | '》' | '>' => {
                    depth = depth.saturating_sub(1);
                }
                _ if depth > 0 => {}
                '-' | '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => plain.push(' '),
                c if c.is_whitespace() => plain.push(' '),
                c if counts(c) => plain.extend(c.to_lowercase()),
                _ => {}
            }
        }
        let words: Vec<String> = plain.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let whole = words.concat();
        Self { words, whole }
    }

    /// Whether it is one of people, as a whole.
    pub(super) fn is_of_people(&self) -> bool {
        PEOPLE.contains(&self.whole.as_str())
    }

    /// What stands before 担当, 当番 or 担当者 at its end.
    pub(super) fn role(&self) -> Option<&str> {
        PEOPLE_AT_THE_END.iter().find_map(|end| self.whole.strip_suffix(end))
    }

    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    pub(super) fn whole(&self) -> &str {
        &self.whole
    }

    pub(super) fn meaning(&self) -> Meaning {
        let whole = self.whole.as_str();
        let at_either_end = |words: &&[&str]| {
            let (own, count) = (&self.words, words.len());
            own.len() >= count
                && (own.iter().zip(*words).all(|(own, word)| own == word)
                    || own[own.len() - count..].iter().zip(*words).all(|(own, word)| own == word))
        };
        if self.is_or_ends_in(NO_PEOPLE) || NOT_ON_CALL.contains(&whole) {
            Meaning::NoPeople
        } else if PEOPLE.contains(&whole)
            || PEOPLE_AT_THE_END.iter().any(|end| whole.ends_with(end))
            || PEOPLE_AT_EITHER_END.iter().any(at_either_end)
        {
            Meaning::People
        } else if self.is_of_others() {
            Meaning::NoPeople
        } else {
            Meaning::Other
        }
    }

    /// Whether its people are away, or have to do with the sheet only.
    fn is_of_others(&self) -> bool {
        self.is_or_ends_in(NOT_ON_CALL)
            || self.words.first().is_some_and(|first| matches!(first.as_str(), "off" | "out" | "pto" | "ooo"))
            || AWAY.iter().any(|word| self.whole.starts_with(word) || self.whole.ends_with(word))
            || NOT_ON_CALL_AT_THE_END.iter().any(|word| self.whole.ends_with(word))
    }

    pub(super) fn is_of_dates(&self) -> bool {
        DATES.contains(&self.whole.as_str())
    }

    pub(super) fn is_of_ends(&self) -> bool {
        ENDS.contains(&self.whole.as_str())
    }

    fn is_or_ends_in(&self, titles: &[&str]) -> bool {
        let last = self.words.last().map_or("", String::as_str);
        titles.contains(&self.whole.as_str()) || titles.contains(&last)
    }

    /// Whether a row that holds it is a header. A day may be off, too.
    pub(super) fn is_known(&self) -> bool {
        let says_what_stands_below = self.meaning() != Meaning::Other && !self.is_of_others();
        self.is_of_dates() || self.is_of_ends() || says_what_stands_below
    }

    /// Whether the dates under it are plainly those of single days.
    pub(super) fn says_day(&self) -> bool {
        matches!(self.whole.as_str(), "日付" | "date")
    }

    /// Whether a date under it may stand for a week.
    pub(super) fn says_week(&self) -> bool {
        self.whole.contains('週')
            || self.whole.contains("期間")
            || self.words.iter().any(|word| matches!(word.as_str(), "week" | "weeks" | "weekly"))
    }
}

/// The long vowel mark and voicing marks are part of a Japanese word, and no letters.
fn is_a_mark_of_a_letter(c: char) -> bool {
    matches!(c, 'ー' | '々' | '\u{300}'..='\u{36f}')
}

/// Whether an entry of `ROSTER_COLUMNS` means the column with this title.
pub(super) fn is_meant(entry: &str, title: &str) -> bool {
    let (entry, title) = (Title::with_digits(entry), Title::with_digits(title));
    !entry.whole.is_empty() && entry.whole == title.whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_mean_people_or_never_people_or_neither() {
        use Meaning::{NoPeople, Other, People};
        for (title, meaning) in [
            ("担当", People),
            ("担当者", People),
            ("本日の当番", People),
            ("オンコール担当", People),
            ("担当2", People),
            ("担当①", People),
            ("担 当", People),
            ("担当（敬称略）", People),
            ("On call", People),
            ("on-call", People),
            ("ON-CALL ENGINEER", People),
            ("Today's on-call", People),
            ("Oncall 1", People),
            ("Primary", People),
            ("Primary contact", People),
            ("Tokyo backup", People),
            ("主", People),
            ("名前:", People),
            ("Name", People),
            ("Ｎａｍｅ", People),
            ("備考", NoPeople),
            ("備 考", NoPeople),
            ("担当 備考", NoPeople),
            ("On-call notes", NoPeople),
            ("Primary's phone", NoPeople),
            ("Backup phone (mobile)", NoPeople),
            ("E-mail", NoPeople),
            ("No.", NoPeople),
            ("№", NoPeople),
            ("ＴＥＬ", NoPeople),
            ("曜日", NoPeople),
            ("Start", NoPeople),
            ("休み", NoPeople),
            ("本日の 不在者", NoPeople),
            ("On leave", NoPeople),
            ("Time off", NoPeople),
            ("承認者", NoPeople),
            ("お休み", NoPeople),
            ("有給", NoPeople),
            ("休み/不在", NoPeople),
            ("不在メンバー", NoPeople),
            ("最終更新者", NoPeople),
            ("PTO", NoPeople),
            ("Out of office", NoPeople),
            ("Updated by", NoPeople),
            ("前回担当", NoPeople),
            ("元担当", NoPeople),
            ("前半担当", People),
            ("休日担当", People),
            ("Backup editor", People),
            ("Reviewer", NoPeople),
            ("Outage", Other),
            ("一休", Other),
            ("休日", Other),
            ("Holidays", Other),
            ("休憩担当", People),
            ("主任", Other),
            ("担当メモ", Other),
            ("名前2人目", Other),
            ("チーム", Other),
            ("a", Other),
            ("Calling", Other),
            ("Primarily", Other),
            ("daytime", Other),
            ("#", Other),
            ("2", Other),
        ] {
            assert_eq!(Title::of(title).meaning(), meaning, "{title}");
        }
    }

    #[test]
    fn titles_of_dates_and_weeks_are_known() {
        for title in ["日付", "Date", "日 付", "週", "Week", "期間", "開始", "Start date", "月日(曜日)"] {
            assert!(Title::of(title).is_of_dates(), "{title}");
        }
        for title in ["終了", "まで", "End", "to", "終了日"] {
            assert!(Title::of(title).is_of_ends(), "{title}");
        }
        for title in ["週", "対象週", "Week of", "期間", "週(月曜から)", "Calendar week"] {
            assert!(Title::of(title).says_week(), "{title}");
        }
        for title in ["日付", "date", "Weekday", "日付(週)", "開始", "Weekend"] {
            assert!(!Title::of(title).says_week(), "{title}");
        }
    }

    #[test]
    fn an_entry_of_roster_columns_means_one_title_with_its_digits() {
        for (entry, title) in
            [("担当1", "担当１"), ("On call", "on-call"), ("担当", "担当（主）"), (" 一次 対応 ", "一次対応")]
        {
            assert!(is_meant(entry, title), "{entry} {title}");
        }
        for (entry, title) in [("担当3", "担当1"), ("担当", "担当1"), ("", ""), ("#", "*")] {
            assert!(!is_meant(entry, title), "{entry} {title}");
        }
    }
}
