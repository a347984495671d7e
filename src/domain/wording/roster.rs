//! What people read about the sheet: what of it can't be read, and what to do about it.

use chrono::{Datelike, NaiveDate};

use super::Language;
use crate::domain::chat::ChatName;
use crate::domain::roster::{Line, MembersTab, RowIssue, letters};

impl Language {
    /// Nobody of those on call has a handle on this chat.
    #[must_use]
    pub fn nobody_mentionable(self, chat: ChatName, members: MembersTab) -> String {
        match members {
            MembersTab::NotSet => self.say(
                format!("⚠️ メンバー表(MEMBERS_RANGE)が設定されていないため、当番を {chat} でメンションできません"),
                format!("⚠️ Nobody on call can be mentioned on {chat}: no members tab is set (MEMBERS_RANGE)"),
            ),
            MembersTab::Unreadable | MembersTab::Read => self.say(
                format!("⚠️ 当番を {chat} でメンションできません。メンバー表の ID を確認してください"),
                format!("⚠️ Nobody on call can be mentioned on {chat}; please check the ids in the members tab"),
            ),
        }
    }

    /// Stands before the names of those on call who can't be mentioned.
    #[must_use]
    pub fn unmentionable(self) -> &'static str {
        self.say("⚠️ メンションできない当番:", "⚠️ On call and not mentioned:")
    }

    /// Stands behind those names.
    #[must_use]
    pub fn unmentionable_remedy(self, chat: ChatName, members: MembersTab) -> String {
        match members {
            MembersTab::NotSet => self.say(
                format!("({chat} の ID ではありません。メンバー表を使うには MEMBERS_RANGE を設定してください)"),
                format!("(not an id on {chat}; set MEMBERS_RANGE to use a members tab)"),
            ),
            MembersTab::Unreadable => {
                self.say("(メンバー表を読めません)".to_owned(), "(the members tab can't be read)".to_owned())
            }
            MembersTab::Read => self.say(
                format!("(メンバー表の {chat} の ID を確認してください)"),
                format!("(please check their ids for {chat} in the members tab)"),
            ),
        }
    }

    /// Stands behind the names that fit several members.
    #[must_use]
    pub fn several_members(self) -> &'static str {
        self.say(
            "(同じ名前のメンバーが複数いるため、どの ID もメンションしていません)",
            "(several members are called so; none of them is mentioned)",
        )
    }

    /// It isn't decided who is on call.
    #[must_use]
    pub fn undecided(self, date: NaiveDate) -> String {
        let date = self.date(date);
        self.say(
            format!("⚠️ {date}の当番は未定です。決まったら当番表に書いてください"),
            format!("⚠️ Who is on call on {date} is undecided; please write it into the roster"),
        )
    }

    /// The day's row can't be read.
    #[must_use]
    pub fn not_understood(self, date: NaiveDate, row: Line, issue: &RowIssue) -> String {
        let (date, row, issue) = (self.date(date), self.line(row), self.issue(issue));
        self.say(
            format!("⚠️ {date}の当番を読み取れません(当番表の{row}: {issue})"),
            format!("⚠️ Who is on call on {date} can't be read ({row} of the roster: {issue})"),
        )
    }

    /// Part of a day is undecided.
    #[must_use]
    pub fn partly_undecided(self) -> &'static str {
        self.say("⚠️ 当番の一部は未定です", "⚠️ Somebody else is on call, and undecided")
    }

    /// A further row of the day can't be read.
    #[must_use]
    pub fn row_not_understood(self, row: Line, issue: &RowIssue) -> String {
        let (row, issue) = (self.line(row), self.issue(issue));
        self.say(
            format!("⚠️ 同じ日の{row}を読み取れません({issue})"),
            format!("⚠️ {row} of the roster is about the same day, and can't be read ({issue})"),
        )
    }

    /// Stands before the titles of columns that are not read.
    #[must_use]
    pub fn columns_left_out(self) -> &'static str {
        self.say("ℹ️ 当番として読んでいない列:", "ℹ️ Columns not read as people:")
    }

    /// Stands behind those titles.
    #[must_use]
    pub fn columns_left_out_remedy(self) -> &'static str {
        self.say("(当番の列なら ROSTER_COLUMNS に書いてください)", "(if they are, name them in ROSTER_COLUMNS)")
    }

    /// Stands before entries of `ROSTER_COLUMNS` that the sheet lacks.
    #[must_use]
    pub fn columns_missing(self) -> &'static str {
        self.say(
            "⚠️ ROSTER_COLUMNS の列が当番表にありません:",
            "⚠️ ROSTER_COLUMNS names columns that the roster lacks:",
        )
    }

    /// A row is read as a week.
    #[must_use]
    pub fn read_as_weekly(self) -> &'static str {
        self.say("ℹ️ 当番表の1行を1週間として読んでいます", "ℹ️ Each row of the roster is read as a week")
    }

    /// Rows look like weeks and are not read so.
    #[must_use]
    pub fn looks_weekly(self) -> &'static str {
        self.say(
            "ℹ️ 1行が1週間の表のように見えます。そうなら、日付の列の見出しを「週」にしてください",
            "ℹ️ The rows look weekly; if they are, head their dates `week`",
        )
    }

    /// A row has the day of another year.
    #[must_use]
    pub fn other_year(self, row: Line, date: NaiveDate) -> String {
        let (row, year, date) = (self.line(row), date.year(), self.date(date));
        self.say(format!("ℹ️ {row}は{year}年の{date}です"), format!("ℹ️ {row} is {date} of {year}"))
    }

    /// Rows stand where a day should be and can't be read.
    #[must_use]
    pub fn unread_rows(self, rows: &[Line], more: usize) -> String {
        let mut named = rows.iter().map(|row| self.line(*row)).collect::<Vec<_>>().join(self.and());
        if more > 0 {
            named.push_str(&self.say(format!(" ほか{more}件"), format!(" and {more} more")));
        }
        self.say(
            format!("⚠️ 当番表の{named}を読み取れません。日付を確認してください"),
            format!("⚠️ {named} of the roster can't be read; please check the dates"),
        )
    }

    /// A row or a column of the sheet: `3行目`, `D列`.
    fn line(self, line: Line) -> String {
        match line {
            Line::Row(number) => self.say(format!("{number}行目"), format!("row {number}")),
            Line::Column(number) => self.say(format!("{}列", letters(number)), format!("column {}", letters(number))),
        }
    }

    fn issue(self, issue: &RowIssue) -> &'static str {
        let (japanese, english) = match issue {
            RowIssue::NoDate => ("日付ではありません", "not a date"),
            RowIssue::OrderUnclear => ("日付の年月日の順が分かりません", "the order of the date's numbers is unclear"),
            RowIssue::NoYear => ("日付の年が分かりません", "the date's year is unclear"),
            RowIssue::BadRange => ("期間が逆か、31日を超えています", "the range is reversed or longer than 31 days"),
            RowIssue::BadEnd => ("終了日が日付ではありません", "the end is not a date"),
            RowIssue::DateForgotten => ("日付が抜けています", "the date is missing"),
            RowIssue::OtherWeekday { .. } => ("日付と曜日が合いません", "date and weekday disagree"),
            RowIssue::FormulaError => ("数式がエラーです", "a formula failed"),
            RowIssue::MergeOutside => {
                ("結合セルが範囲の外から始まっています", "a merged cell begins outside the range")
            }
            RowIssue::NotAName => ("名前ではない値があります", "a value is not a name"),
            RowIssue::NameAndNobody => ("名前と休みの両方が書かれています", "a name and a word for nobody"),
            RowIssue::Arrow => ("矢印の意味が分かりません", "an arrow's meaning is unclear"),
            RowIssue::NameInBrackets => ("括弧の中にも名前があります", "another name in brackets"),
            RowIssue::NoteOnly => ("名前ではなくメモのようです", "a note instead of a name"),
            RowIssue::NotAMark => ("印ではない値があります", "a value is not a mark"),
            RowIssue::NoColumns => ("ROSTER_COLUMNS の列がありません", "the columns of ROSTER_COLUMNS are missing"),
            RowIssue::NoPeople => ("当番の列が分かりません", "no column is one of people"),
            RowIssue::NotAMember | RowIssue::TwoMembers => ("メンバーが分かりません", "the member is unclear"),
            RowIssue::NoName | RowIssue::Twice | RowIssue::NoHeader | RowIssue::BadHandle(_) => {
                ("メンバー表に誤りがあります", "the members tab is wrong")
            }
        };
        self.say(japanese, english)
    }
}
