//! The words of interactions: buttons, what they ask, and what only whoever pressed or asked is told.

use chrono::NaiveDate;

use super::Language;
use crate::domain::acting::{ActingFailure, Action};
use crate::domain::event::Status;

impl Language {
    /// A day on which nobody has to be on call.
    #[must_use]
    pub fn day_off(self, date: NaiveDate) -> String {
        let date = self.date(date);
        self.say(
            format!("ℹ️ {date}は営業日ではなく、当番表に行がありません"),
            format!("ℹ️ {date} is no working day, and the roster has no row for it"),
        )
    }

    /// The open incidents can't be listed.
    #[must_use]
    pub fn open_incidents_need_a_key(self) -> &'static str {
        self.say(
            "ℹ️ 未解決のインシデントを表示するには、PAGERDUTY_API_KEY と PAGERDUTY_SERVICES の設定が必要です",
            "ℹ️ To list the open incidents, PAGERDUTY_API_KEY and PAGERDUTY_SERVICES must be set",
        )
    }

    /// What a button says.
    #[must_use]
    pub fn button(self, action: Action) -> &'static str {
        match action {
            Action::Acknowledge => self.say("対応する", "Acknowledge"),
            Action::Resolve => self.say("解決にする", "Resolve"),
            Action::Note => self.say("メモを書く", "Write a note"),
        }
    }

    /// What is asked before an incident is resolved.
    #[must_use]
    pub fn confirm_resolve(self) -> Confirm {
        self.say(
            Confirm {
                title: "解決にしますか?",
                text: "PagerDuty のインシデントを解決済みにします。取り消しはできません。",
                yes: "解決にする",
                no: "やめる",
            },
            Confirm {
                title: "Resolve it?",
                text: "The incident will be resolved in PagerDuty. This can't be undone.",
                yes: "Resolve",
                no: "Cancel",
            },
        )
    }

    /// The modal in which a note is written.
    #[must_use]
    pub fn note_form(self) -> NoteForm {
        self.say(
            NoteForm {
                title: "メモ",
                label: "メモの内容(PagerDuty に、あなたの名前を付けて残します)",
                submit: "送信",
                close: "やめる",
            },
            NoteForm {
                title: "Note",
                label: "Your note; PagerDuty keeps it with your name",
                submit: "Send",
                close: "Cancel",
            },
        )
    }

    /// A note with nothing in it.
    #[must_use]
    pub fn empty_note(self) -> &'static str {
        self.say("メモの内容を書いてください", "Please write something")
    }

    /// Somebody pressed a button for what is done already; before the name of who did it.
    #[must_use]
    pub fn already(self, status: Status) -> &'static str {
        match status {
            Status::Resolved => self.say("ℹ️ すでに解決済みです", "ℹ️ It is resolved already"),
            Status::Acknowledged => self.say("ℹ️ すでに対応中です", "ℹ️ Somebody has it already"),
            Status::Triggered => self.say("ℹ️ まだ誰も対応していません", "ℹ️ Nobody has it yet"),
        }
    }

    /// An acknowledgement met an incident that had been resolved a moment before.
    #[must_use]
    pub fn reopened_by_press(self) -> &'static str {
        self.say(
            "⚠️ ボタンを押す直前に解決済みになっていたため、再オープンになりました。必要がなければ解決にしてください",
            "⚠️ It had been resolved a moment before, and is open again now; please resolve it if it is over",
        )
    }

    /// Other presses on the incident take too long.
    #[must_use]
    pub fn press_in_progress(self) -> &'static str {
        self.say(
            "⚠️ 別の操作を処理しています。結果を確認してから、もう一度お試しください",
            "⚠️ Another press is being carried out; please see how that ends, and try again",
        )
    }

    /// The message is from a time when its buttons did something.
    #[must_use]
    pub fn acting_is_off(self) -> &'static str {
        self.say(
            "⚠️ Slack からの操作は無効になっているため、実行していません",
            "⚠️ Acting from Slack is switched off; nothing was done",
        )
    }

    /// What was pressed for is not done, and why.
    #[must_use]
    pub fn not_done(self, failure: ActingFailure) -> &'static str {
        match failure {
            ActingFailure::Key => self.say(
                "⚠️ PagerDuty に拒否されました(設定 PAGERDUTY_ACTION_KEY を確認してください)",
                "⚠️ PagerDuty refused it (the setting PAGERDUTY_ACTION_KEY needs a look)",
            ),
            ActingFailure::User => self.say(
                "⚠️ PagerDuty に拒否されました(設定 PAGERDUTY_FROM のユーザーを確認してください)",
                "⚠️ PagerDuty refused it (the user of the setting PAGERDUTY_FROM needs a look)",
            ),
            ActingFailure::Done => self.say("ℹ️ すでに処理されています", "ℹ️ It is done already"),
            ActingFailure::Missing => {
                self.say("⚠️ PagerDuty にこのインシデントが見つかりません", "⚠️ PagerDuty has no such incident")
            }
            ActingFailure::Busy => self.say(
                "⚠️ PagerDuty が混み合っています。少し待って、もう一度お試しください",
                "⚠️ PagerDuty gets too many requests; please try again in a moment",
            ),
            ActingFailure::Down => self
                .say("⚠️ PagerDuty に接続できず、実行していません", "⚠️ PagerDuty can't be reached; nothing was done"),
            ActingFailure::Unknown => self.say(
                "⚠️ PagerDuty の応答がなく、実行されたかどうか分かりません。もう一度試す前に確認してください",
                "⚠️ PagerDuty didn't answer, and it may be done or not; please look before you try again",
            ),
            ActingFailure::Refused => self.say("⚠️ PagerDuty に拒否されました", "⚠️ PagerDuty refused it"),
        }
    }

    /// Introduces the incident's page, where it can be done by hand.
    #[must_use]
    pub fn by_hand(self) -> &'static str {
        self.say("PagerDuty で操作する:", "By hand in PagerDuty:")
    }

    /// The modal for a note can't be opened.
    #[must_use]
    pub fn no_modal(self) -> &'static str {
        self.say(
            "⚠️ 入力画面を開けませんでした。もう一度お試しください",
            "⚠️ The form could not be opened; please try again",
        )
    }
}

/// What a button asks before it does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirm {
    /// The question.
    pub title: &'static str,
    /// What it means.
    pub text: &'static str,
    /// Do it.
    pub yes: &'static str,
    /// Don't.
    pub no: &'static str,
}

/// The words of the modal for a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoteForm {
    /// Its title, 24 characters at most.
    pub title: &'static str,
    /// What to write.
    pub label: &'static str,
    /// Send it.
    pub submit: &'static str,
    /// Don't.
    pub close: &'static str,
}
