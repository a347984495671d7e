//! The words of a notice.

use super::Language;
use crate::domain::notice::NoticeStatus;

impl Language {
    /// How far automation has come, in a word.
    #[must_use]
    pub fn notice(self, status: NoticeStatus) -> &'static str {
        match status {
            NoticeStatus::Started => self.say("開始", "started"),
            NoticeStatus::Succeeded => self.say("成功", "succeeded"),
            NoticeStatus::Failed => self.say("失敗", "failed"),
            NoticeStatus::Info => self.say("お知らせ", "notice"),
        }
    }

    /// Labels the sender of a notice.
    #[must_use]
    pub fn source(self) -> &'static str {
        self.say("実行", "from")
    }
}
