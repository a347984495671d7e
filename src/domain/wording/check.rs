//! What people read of the check: what they must act on, the days ahead, and the line that only tries a chat out.

use chrono::NaiveDate;

use super::Language;
use crate::domain::check::Act;

impl Language {
    /// Introduces the sheet's link.
    #[must_use]
    pub fn sheet(self) -> &'static str {
        self.say("📋 当番表:", "📋 Roster:")
    }

    /// The sheet is read with its dates across.
    #[must_use]
    pub fn read_as_turned(self) -> &'static str {
        self.say("ℹ️ 当番表を、日付が横に並ぶ表として読んでいます", "ℹ️ The roster is read with its dates across")
    }

    /// Days ahead have no row.
    #[must_use]
    pub fn no_rows_ahead(self, dates: &[NaiveDate]) -> String {
        let dates = self.dates(dates);
        self.say(
            format!("⚠️ 当番表に{dates}の行がありません。行を追加してください"),
            format!("⚠️ The roster has no row for {dates}; please add them"),
        )
    }

    /// Days ahead are undecided.
    #[must_use]
    pub fn undecided_ahead(self, dates: &[NaiveDate]) -> String {
        let dates = self.dates(dates);
        self.say(
            format!("⚠️ {dates}の当番は未定です。決まったら当番表に書いてください"),
            format!("⚠️ Who is on call on {dates} is undecided; please write it into the roster"),
        )
    }

    /// Stands before the names of those of the days ahead who can't be mentioned.
    #[must_use]
    pub fn unmentionable_ahead(self) -> &'static str {
        self.say("⚠️ この先の当番でメンションできない人:", "⚠️ On call in the next days and not to be mentioned:")
    }

    /// Lines for which there was no room.
    #[must_use]
    pub fn more_findings(self, count: usize) -> String {
        self.say(
            format!("ほか {count} 件(oncall check で確認できます)"),
            format!("and {count} more (oncall check shows them)"),
        )
    }

    /// The line that only tries a chat out.
    #[must_use]
    pub fn check_post(self, place: &str) -> String {
        self.say(
            format!("✅ 点検: oncall-relay はここに投稿できます({place})。対応は不要です"),
            format!("✅ Check: oncall-relay can post here ({place}). Nothing to do"),
        )
    }

    /// What people must act on, and how: the words before the names of whom or what it is about, and those behind.
    #[must_use]
    pub fn act(self, act: &Act) -> (String, &[String], String) {
        let text = |text: String| (text, &[][..], String::new());
        let about = |before: &str, names, behind: String| (before.to_owned(), Vec::as_slice(names), behind);
        let menu = "PagerDuty: Integrations > Generic Webhooks (v3)";
        match act {
            Act::WebhookDisabled => text(self.say(
                format!("🚨 PagerDuty が Webhook を無効にしたため、アラートが届きません。{menu} で Webhook を開き、Enable を押してください"),
                format!("🚨 No alert arrives: PagerDuty has disabled the webhook. {menu}: open the webhook and choose Enable"),
            )),
            Act::WebhookInactive => text(self.say(
                format!("🚨 PagerDuty の Webhook がオフのため、アラートが届きません。{menu} でオンにしてください"),
                format!("🚨 No alert arrives: PagerDuty's webhook is switched off. Switch it on in {menu}"),
            )),
            Act::WebhookMissing(services) => about(
                self.say(
                    "🚨 PagerDuty に Webhook がないため、次のサービスのアラートが届きません:",
                    "🚨 No alert arrives from these services, for which PagerDuty has no webhook:",
                ),
                services,
                self.say(format!("({menu} で追加してください)"), format!("(add one in {menu})")),
            ),
            Act::WebhookEvents => text(self.say(
                format!("🚨 PagerDuty の Webhook に incident.triggered が含まれていません。{menu} で追加してください"),
                format!("🚨 PagerDuty's webhook leaves out incident.triggered; add it in {menu}"),
            )),
            Act::NobodyOnCall(from) => {
                let from = format!("{} {}", self.date(from.date()), from.format("%H:%M"));
                text(self.say(
                    format!("🚨 {from} から PagerDuty のエスカレーションポリシーに当番がいません。その間インシデントは作られません"),
                    format!("🚨 From {from} on, nobody is on call by PagerDuty's escalation policy: no incident is made then"),
                ))
            }
            Act::ServicesGone(services) => about(
                self.say("⚠️ PagerDuty に次のサービスがありません:", "⚠️ PagerDuty has no such services:"),
                services,
                self.say("(PAGERDUTY_SERVICES を確認してください)", "(please check PAGERDUTY_SERVICES)").to_owned(),
            ),
            Act::ServicesDisabled(services) => about(
                self.say(
                    "🚨 PagerDuty で次のサービスが無効のため、インシデントが作られません:",
                    "🚨 No incident is made on these services, which are disabled in PagerDuty:",
                ),
                services,
                String::new(),
            ),
            Act::PagerDutyKey => text(self.say(
                "⚠️ PagerDuty が API キーを受け付けません。PAGERDUTY_API_KEY を確認してください".to_owned(),
                "⚠️ PagerDuty refuses the API key; please check PAGERDUTY_API_KEY".to_owned(),
            )),
            Act::SlackToken => text(self.say(
                "⚠️ Slack がトークンを受け付けないか、chat:write の権限がありません。SLACK_TOKEN を確認してください".to_owned(),
                "⚠️ Slack refuses the token, or it lacks chat:write; please check SLACK_TOKEN".to_owned(),
            )),
            Act::SlackPlace(setting) => text(self.say(
                format!("⚠️ Slack のチャンネル({setting})に投稿できません。ボットを招待するか、設定を確認してください"),
                format!("⚠️ The bot can't post to the Slack channel of {setting}; invite it, or check the setting"),
            )),
            Act::SlackPeople(names) => about(
                self.say(
                    "⚠️ メンバー表の Slack の ID が無効です:",
                    "⚠️ Slack has no active account for these of the members tab:",
                ),
                names,
                self.say("(メンバー表を直してください)", "(please correct the members tab)").to_owned(),
            ),
            Act::Look(name) => text(self.say(
                format!("⚠️ 点検 {name} で問題が見つかりました。oncall check で確認してください"),
                format!("⚠️ The check {name} failed; oncall check says what to do"),
            )),
        }
    }

    pub(super) fn dates(self, dates: &[NaiveDate]) -> String {
        dates.iter().map(|date| self.date(*date)).collect::<Vec<_>>().join(self.and())
    }
}
