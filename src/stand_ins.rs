//! Stand-ins for Google, Typetalk, Slack and PagerDuty on loopback, for the demo and the tests.
//!
//! They speak the real services' wire, refuse what the real ones would refuse, and fail as they are
//! told to. No Lambda function uses them, and the linker leaves them out there.

use std::collections::HashMap;
use std::io;

pub mod pagerduty;

pub mod server;

pub mod google;

pub mod typetalk;

pub mod slack;

pub mod emulator;

use google::Google;
use slack::Slack;
use typetalk::Typetalk;

/// The v3 signing secret that the stand-ins' settings hold.
pub const SIGNING_SECRET: &str = "stand-in-signing-secret";
/// The bearer token for v2 that the stand-ins' settings hold.
pub const BEARER_TOKEN: &str = "stand-in-bearer-token";

const ALERT_TOPIC: u64 = 11;
const ALERT_TOKEN: &str = "stand-in-typetalk-token";
const SLACK_TOKEN: &str = "xoxb-stand-in";
const ALERT_CHANNEL: &str = "C0ALERTS";
/// The tab of `ROSTER_RANGE`'s default.
pub const ROSTER_TAB: &str = "当番表";
/// The tab of the stand-ins' `MEMBERS_RANGE`.
pub const MEMBERS_TAB: &str = "メンバー";

/// All services around a relay.
#[derive(Debug)]
pub struct StandIns {
    /// Google, with one spreadsheet.
    pub google: Google,
    /// Typetalk, with an alert topic.
    pub typetalk: Typetalk,
    /// Slack, with an alert channel.
    pub slack: Slack,
}

impl StandIns {
    /// Starts all of them, with a roster of three days and a members tab.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start() -> io::Result<Self> {
        let google = Google::start(0).await?;
        google.write(
            ROSTER_TAB,
            &[&["日付", "担当"], &["2026-11-24", "田中、鈴木"], &["2026-11-25", "佐藤 花子"], &["2026-11-26", "なし"]],
        );
        google.write(
            MEMBERS_TAB,
            &[
                &["名前", "Typetalk", "Slack"],
                &["田中", "tanaka", "U0TANAKA1"],
                &["鈴木", "suzuki-k", "U0SUZUKI1"],
                &["佐藤 花子", "sato", "U0SATO001"],
                &["SRE", "sre-team", "S0SRETEAM"],
            ],
        );
        Ok(Self {
            google,
            typetalk: Typetalk::start(0, &[(ALERT_TOPIC, ALERT_TOKEN)]).await?,
            slack: Slack::start(0, SLACK_TOKEN, &[ALERT_CHANNEL]).await?,
        })
    }

    /// Settings with which a relay uses them: Typetalk is the primary, Slack the backup.
    #[must_use]
    pub fn settings(&self) -> HashMap<String, String> {
        [
            ("CHATS", "typetalk,slack".to_owned()),
            ("TYPETALK_ALERT_TOPIC", ALERT_TOPIC.to_string()),
            ("TYPETALK_ALERT_TOKEN", ALERT_TOKEN.to_owned()),
            ("TYPETALK_BASE_URL", self.typetalk.url()),
            ("SLACK_TOKEN", SLACK_TOKEN.to_owned()),
            ("SLACK_ALERT_CHANNEL", ALERT_CHANNEL.to_owned()),
            ("SLACK_BASE_URL", self.slack.url()),
            ("SPREADSHEET_ID", google::SPREADSHEET_ID.to_owned()),
            ("MEMBERS_RANGE", format!("{MEMBERS_TAB}!A:C")),
            ("GOOGLE_CREDENTIALS", self.google.credentials()),
            ("SHEETS_BASE_URL", self.google.url()),
            ("PAGERDUTY_SIGNING_SECRETS", format!("an-older-secret,{SIGNING_SECRET}")),
            ("PAGERDUTY_TOKENS", BEARER_TOKEN.to_owned()),
            ("FALLBACK_MENTIONS", "SRE".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}
