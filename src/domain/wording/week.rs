//! The words of a week's message.

use chrono::TimeDelta;

use super::Language;
use crate::domain::week::{Period, Report};

impl Language {
    /// How many incidents a week had.
    #[must_use]
    pub fn week(self, period: &Period, report: &Report) -> String {
        let (count, period) = (report.count.all, self.period(period));
        let more = if report.or_more { self.say("以上", " or more") } else { "" };
        let s = if count == 1 && !report.or_more { "" } else { "s" };
        self.say(
            format!("📊 今週のインシデント: {count}件{more}({period})"),
            format!("📊 This week: {count}{more} incident{s} ({period})"),
        )
    }

    /// A week without any.
    #[must_use]
    pub fn quiet_week(self, period: &Period) -> String {
        let period = self.period(period);
        self.say(
            format!("📊 今週のインシデントはありませんでした({period})"),
            format!("📊 No incident this week ({period})"),
        )
    }

    /// PagerDuty could not be asked for the week's incidents.
    #[must_use]
    pub fn week_unknown(self, period: &Period) -> String {
        let period = self.period(period);
        self.say(
            format!(
                "⚠️ 今週のインシデントを PagerDuty から取得できませんでした。PagerDuty の画面で確認してください({period})"
            ),
            format!("⚠️ PagerDuty didn't list this week's incidents; please look at PagerDuty itself ({period})"),
        )
    }

    /// PagerDuty doesn't list all of them.
    #[must_use]
    pub fn week_has_more(self) -> &'static str {
        self.say(
            "⚠️ PagerDuty が一覧にするのは古い順に 10,000 件までです。以下の数字はその範囲のものです",
            "⚠️ PagerDuty lists no more than 10,000, the oldest first; the numbers are of those",
        )
    }

    /// When they came, and how they stand.
    #[must_use]
    pub fn week_details(self, report: &Report) -> String {
        let (inside, outside) = (report.count.in_hours, report.count.out_of_hours());
        let mut parts = vec![
            self.say(format!("営業時間内 {inside}件"), format!("{inside} in business hours")),
            self.say(format!("時間外 {outside}件"), format!("{outside} outside")),
        ];
        if report.open > 0 {
            parts.push(self.say(format!("未解決 {}件", report.open), format!("{} still open", report.open)));
        }
        if report.merged > 0 {
            parts.push(self.say(format!("統合 {}件", report.merged), format!("{} merged", report.merged)));
        }
        parts.join(self.say("・", ", "))
    }

    /// Heads a column of days.
    #[must_use]
    pub fn day(self) -> &'static str {
        self.say("日", "day")
    }

    /// Head the columns of numbers: all, in business hours, outside.
    #[must_use]
    pub fn counts(self) -> [&'static str; 3] {
        self.say(["件数", "時間内", "時間外"], ["incidents", "in hours", "outside"])
    }

    /// Services that have no row of their own.
    #[must_use]
    pub fn more_services(self, count: usize) -> String {
        self.say(format!("ほか{count}サービス"), format!("and {count} more"))
    }

    /// How long incidents took.
    #[must_use]
    pub fn time_to_resolve(self, median: TimeDelta, longest: TimeDelta) -> String {
        let (median, longest) = (self.age(median), self.age(longest));
        self.say(
            format!("⏱️ 解決まで: 中央値 {median}、最長 {longest}:"),
            format!("⏱️ Time to resolve: median {median}, longest {longest}:"),
        )
    }

    /// Introduces the titles that came most often.
    #[must_use]
    pub fn frequent_titles(self) -> &'static str {
        self.say("📌 多かった件名(リンクは最後のもの):", "📌 Most frequent titles, with the last incident of each:")
    }

    /// How often a title came.
    #[must_use]
    pub fn times(self, times: usize) -> String {
        self.say(format!("{times}件"), format!("{times} ×"))
    }

    fn period(self, period: &Period) -> String {
        let [from, until] =
            [period.from, period.until].map(|at| format!("{} {}", self.date(at.date_naive()), at.format("%H:%M")));
        self.say(format!("{from}〜{until}"), format!("{from} to {until}"))
    }
}
