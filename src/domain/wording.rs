//! Every word that people read in a chat, in Japanese and English, one function per thing said.

mod check;
mod interaction;
mod notice;
mod roster;
mod state;
mod storm;
mod week;

pub use interaction::{Confirm, NoteForm};

use chrono::{Datelike, NaiveDate, TimeDelta};

use super::alert::Delay;
use super::chat::ChatName;
use super::chat::FailedChat;
use super::event::{ActorKind, Kind, Urgency};
use super::reminder::ReminderKind;
use super::roster::SourceFailure;

/// The language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// 日本語
    Japanese,
    /// English
    English,
}

impl Language {
    fn say<T>(self, japanese: T, english: T) -> T {
        match self {
            Self::Japanese => japanese,
            Self::English => english,
        }
    }

    /// What happened, in a word or two.
    #[must_use]
    pub fn label(self, kind: &Kind) -> &'static str {
        let (japanese, english) = match kind {
            Kind::Triggered => ("発生", "triggered"),
            Kind::Acknowledged => ("対応開始", "acknowledged"),
            Kind::Unacknowledged => ("対応の取り消し", "unacknowledged"),
            Kind::Resolved => ("解決", "resolved"),
            Kind::Merged { .. } => ("統合", "merged"),
            Kind::Reopened => ("再オープン", "reopened"),
            Kind::Reassigned { .. } => ("担当変更", "reassigned"),
            Kind::Escalated { .. } => ("エスカレーション", "escalated"),
            Kind::Delegated { .. } => ("委譲", "delegated"),
            Kind::Annotated { .. } => ("メモ", "note"),
            Kind::PriorityUpdated { .. } => ("優先度変更", "priority changed"),
            Kind::ServiceUpdated => ("サービス変更", "service changed"),
            Kind::StatusUpdated { .. } => ("状況更新", "status update"),
            Kind::ResponderAdded { .. } => ("応援要請", "help requested"),
            Kind::ResponderReplied { .. } => ("応援要請への返答", "answer to a request for help"),
            Kind::CustomAction { .. } => ("カスタムアクション", "custom action"),
            Kind::Ping => ("テスト", "test"),
            Kind::Unknown { .. } => ("種類の分からない PagerDuty イベント", "PagerDuty event of unknown type"),
            Kind::Unreadable => (
                "PagerDuty から読み取れない通知が届きました。PagerDuty の画面を確認してください",
                "PagerDuty sent something that can't be read. Please look at PagerDuty itself",
            ),
        };
        self.say(japanese, english)
    }

    /// Stands for a title that is missing.
    #[must_use]
    pub fn no_title(self) -> &'static str {
        self.say("(件名なし)", "(no title)")
    }

    /// Labels the service.
    #[must_use]
    pub fn service(self) -> &'static str {
        self.say("サービス", "service")
    }

    /// Labels the urgency.
    #[must_use]
    pub fn urgency(self) -> &'static str {
        self.say("緊急度", "urgency")
    }

    /// An urgency.
    #[must_use]
    pub fn urgency_level(self, urgency: Urgency) -> &'static str {
        match urgency {
            Urgency::High => self.say("高", "high"),
            Urgency::Low => self.say("低", "low"),
        }
    }

    /// Labels the one who did it, by who it was: people act, monitoring finds.
    #[must_use]
    pub fn actor(self, actor: ActorKind, kind: &Kind) -> &'static str {
        match (actor, kind) {
            (ActorKind::Person | ActorKind::Unknown, Kind::Annotated { .. }) => self.say("記入", "by"),
            (ActorKind::Person, _) => self.say("対応者", "by"),
            (ActorKind::Machine, Kind::Triggered | Kind::Reopened) => self.say("検知", "detected by"),
            (ActorKind::Machine, _) => self.say("自動", "automatically by"),
            (ActorKind::Unknown, _) => self.say("操作", "by"),
        }
    }

    /// Labels those to whom it was given.
    #[must_use]
    pub fn to(self, kind: &Kind) -> &'static str {
        match kind {
            Kind::Delegated { .. } => self.say("委譲先", "to"),
            Kind::ResponderAdded { .. } => self.say("要請先", "to"),
            _ => self.say("担当", "to"),
        }
    }

    /// Labels the incident that another one was merged into.
    #[must_use]
    pub fn merged_into(self) -> &'static str {
        self.say("統合先", "into")
    }

    /// Labels the priority.
    #[must_use]
    pub fn priority(self) -> &'static str {
        self.say("優先度", "priority")
    }

    /// A priority that was taken away.
    #[must_use]
    pub fn no_priority(self) -> &'static str {
        self.say("なし", "none")
    }

    /// Labels an answer to a request for help.
    #[must_use]
    pub fn answer(self) -> &'static str {
        self.say("返答", "answer")
    }

    /// Labels a custom action.
    #[must_use]
    pub fn action(self) -> &'static str {
        self.say("アクション", "action")
    }

    /// Stands between the names of a list.
    #[must_use]
    pub fn and(self) -> &'static str {
        self.say("・", ", ")
    }

    /// People for whom there was no room.
    #[must_use]
    pub fn more_people(self, count: usize) -> String {
        self.say(format!("ほか{count}名"), format!("and {count} more"))
    }

    /// An event that is posted late.
    #[must_use]
    pub fn happened(self, delay: &Delay) -> String {
        let (date, time) = (self.date(delay.happened.date_naive()), delay.happened.format("%H:%M"));
        // Months later, a date without its year would be taken for a recent one.
        let year =
            if delay.ago > TimeDelta::days(180) { delay.happened.format("%Y/").to_string() } else { String::new() };
        let date = format!("{year}{date}");
        let age = self.age(delay.ago);
        self.say(
            format!("🕒 {date} {time} の出来事です({age}前)"),
            format!("🕒 This happened on {date} at {time}, {age} ago"),
        )
    }

    /// An earlier attempt may have posted the message.
    #[must_use]
    pub fn in_doubt(self) -> &'static str {
        self.say(
            "🔁 再送の可能性があります(前回の投稿が届いたかどうか確認できませんでした)",
            "🔁 Possible duplicate: an earlier attempt could not be confirmed",
        )
    }

    /// The message is on a backup chat.
    #[must_use]
    pub fn failed_over(self, failed: FailedChat, here: ChatName) -> String {
        let FailedChat { chat, in_doubt } = failed;
        if in_doubt {
            return self.say(
                format!("⚠️ {chat} への投稿を確認できないため、{here} にもお知らせしています"),
                format!("⚠️ Posted here on {here}, too, because {chat} didn't confirm it"),
            );
        }
        self.say(
            format!("⚠️ {chat} に投稿できないため、{here} にお知らせしています"),
            format!("⚠️ Posted here on {here} because {chat} failed"),
        )
    }

    /// The day's row is empty.
    #[must_use]
    pub fn nobody(self, date: NaiveDate) -> String {
        let date = self.date(date);
        self.say(
            format!("ℹ️ {date}の当番は空欄です"),
            format!("ℹ️ Nobody is on call on {date}: the roster's row is empty"),
        )
    }

    /// The day has no row.
    #[must_use]
    pub fn no_row(self, date: NaiveDate) -> String {
        let date = self.date(date);
        self.say(
            format!("⚠️ 当番表に{date}の行がありません。行を追加してください"),
            format!("⚠️ The roster has no row for {date}; please add one"),
        )
    }

    /// The sheet can't be read, and nothing else tells who is on call.
    #[must_use]
    pub fn unknown(self, failure: SourceFailure) -> String {
        let why = self.failure(failure);
        self.say(
            format!("⚠️ 当番表を読めないため、当番が分かりません({why})"),
            format!("⚠️ Who is on call is not known: the roster can't be read ({why})"),
        )
    }

    /// The sheet can't be read; an older copy is used.
    #[must_use]
    pub fn stale(self, age: TimeDelta) -> String {
        let age = self.age(age);
        self.say(
            format!("⚠️ 当番表を読めないため、{age}前に読んだ内容を使っています"),
            format!("⚠️ The roster can't be read; this is how it was {age} ago"),
        )
    }

    fn failure(self, failure: SourceFailure) -> &'static str {
        let (japanese, english) = match failure {
            SourceFailure::Slow => ("時間内に応答がありません", "no answer in time"),
            SourceFailure::Down => ("接続できません", "it can't be reached"),
            SourceFailure::OutOfOrder => ("サーバーエラーが返されました", "server error"),
            SourceFailure::Forbidden => ("閲覧権限がありません", "no permission"),
            SourceFailure::Missing => ("見つかりません", "it isn't there"),
            SourceFailure::BadRange => ("範囲の指定が誤っています", "the range is wrong"),
            SourceFailure::NoSheet => ("Google スプレッドシートではありません", "it is no Google Sheet"),
            SourceFailure::TooLarge => ("表が大きすぎます", "it is too large"),
            SourceFailure::BadKey => {
                ("サービスアカウントの鍵が受け付けられません", "the service account's key was not accepted")
            }
            SourceFailure::TooManyReads => ("読み取り回数の上限に達しました", "rate limited"),
            SourceFailure::Garbled => ("応答の内容が不正です", "invalid response"),
        };
        self.say(japanese, english)
    }

    /// PagerDuty's test event arrived.
    #[must_use]
    pub fn ping_received(self) -> &'static str {
        self.say("✅ PagerDuty からのテスト通知を受け取りました", "✅ PagerDuty's test event has arrived")
    }

    /// Stands before everything about a practice incident.
    #[must_use]
    pub fn practice(self) -> &'static str {
        self.say("【訓練】", "[practice]")
    }

    /// What the operator's test posts where reminders go.
    #[must_use]
    pub fn on_call_test(self) -> &'static str {
        self.say(
            "✅ テスト投稿です。当番のリマインダーはここに届きます",
            "✅ A test: reminders of the on-call duty arrive here",
        )
    }

    /// Introduces the people on call.
    #[must_use]
    pub fn on_call_now(self, date: NaiveDate) -> String {
        let date = self.date(date);
        self.say(format!("{date}の当番:"), format!("On call on {date}:"))
    }

    /// What a reminder says to the people of a day.
    #[must_use]
    pub fn on_duty(self, kind: ReminderKind, date: NaiveDate) -> String {
        let date = self.date(date);
        match kind {
            ReminderKind::Today | ReminderKind::Week => self.say(
                format!("📟 今日 {date} のオンコール当番です。よろしくお願いします"),
                format!("📟 You are on call today, {date}"),
            ),
            ReminderKind::Next => self.say(
                format!("📅 次の営業日 {date} のオンコール当番です。都合が悪くなったら当番表を書き換えてください"),
                format!("📅 You are on call on the next working day, {date}. If you can't be, please edit the roster"),
            ),
        }
    }

    /// Introduces the manual's link.
    #[must_use]
    pub fn manual(self, kind: ReminderKind) -> &'static str {
        match kind {
            ReminderKind::Today | ReminderKind::Week => self.say("📖 オンコールマニュアル:", "📖 On-call manual:"),
            ReminderKind::Next => {
                self.say("📖 事前チェックリストを確認してください:", "📖 Please go through the checklist beforehand:")
            }
        }
    }

    /// Introduces the incidents that are still open.
    #[must_use]
    pub fn open_incidents(self, count: usize, or_more: bool) -> String {
        self.say(
            match (count, or_more) {
                (1, false) => "🌙 未解決のインシデントが 1 件あります".to_owned(),
                (_, false) => format!("🌙 未解決のインシデントが {count} 件あります(古い順)"),
                (_, true) => format!("🌙 未解決のインシデントが {count} 件以上あります(古い順)"),
            },
            match (count, or_more) {
                (1, false) => "🌙 1 incident is still open".to_owned(),
                (_, false) => format!("🌙 {count} incidents are still open, the oldest first"),
                (_, true) => format!("🌙 {count} or more incidents are still open, the oldest first"),
            },
        )
    }

    /// How an incident is still open, and for how long.
    #[must_use]
    pub fn still_open(self, acknowledged: bool, age: Option<TimeDelta>) -> String {
        let state =
            if acknowledged { self.say("対応中", "acknowledged") } else { self.say("発生中", "triggered") };
        match age {
            Some(age) => {
                let age = self.age(age.max(TimeDelta::zero()));
                self.say(format!("({state}、{age})"), format!("({state}, {age})"))
            }
            None => format!("({state})"),
        }
    }

    /// Open incidents that are not listed.
    #[must_use]
    pub fn more_incidents(self, count: usize, or_more: bool) -> String {
        self.say(
            format!("ほか {count} 件{}", if or_more { "以上" } else { "" }),
            format!("and {count}{} more", if or_more { " or" } else { "" }),
        )
    }

    /// There is no open incident.
    #[must_use]
    pub fn no_open_incidents(self) -> &'static str {
        self.say("✅ 未解決のインシデントはありません", "✅ No incident is open")
    }

    /// PagerDuty could not be asked for the open incidents.
    #[must_use]
    pub fn open_incidents_unknown(self) -> &'static str {
        self.say(
            "⚠️ 未解決のインシデントを PagerDuty から取得できませんでした。PagerDuty の画面で確認してください",
            "⚠️ PagerDuty didn't list the open incidents; please look at PagerDuty itself",
        )
    }

    /// A date: `12/1(火)`, `12/1 (Tue)`.
    #[must_use]
    pub fn date(self, date: NaiveDate) -> String {
        let (month, day) = (date.month(), date.day());
        let japanese = ["月", "火", "水", "木", "金", "土", "日"];
        let weekday = japanese[date.weekday().num_days_from_monday() as usize];
        self.say(format!("{month}/{day}({weekday})"), format!("{month}/{day} ({})", date.weekday()))
    }

    /// A length of time in its two largest units: minutes below an hour, hours and minutes below a day, then days and
    /// hours.
    fn age(self, age: TimeDelta) -> String {
        let (minutes, hours, days) = (age.num_minutes(), age.num_hours(), age.num_days());
        if minutes < 1 {
            self.say(format!("{}秒", age.num_seconds()), format!("{} s", age.num_seconds()))
        } else if hours < 1 {
            self.say(format!("{minutes}分"), format!("{minutes} min"))
        } else if days < 1 {
            let minutes = minutes % 60;
            self.say(format!("{hours}時間{minutes}分"), format!("{hours} h {minutes} min"))
        } else {
            let (hours, s) = (hours % 24, if days == 1 { "" } else { "s" });
            self.say(format!("{days}日{hours}時間"), format!("{days} day{s} {hours} h"))
        }
    }
}
