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

pub mod incidents;

pub mod people;

pub mod watchdog;

pub mod ssm;

pub mod account;

mod arrangement;

pub mod aws;

pub mod dynamodb;

pub mod dynamodb_local;

pub mod emulator;

use google::Google;
use incidents::{Keys, RestApi};
use slack::Slack;
use typetalk::Typetalk;
use watchdog::Watchdog;

/// The v3 signing secret that the stand-ins' settings hold.
pub const SIGNING_SECRET: &str = "stand-in-signing-secret";
/// The bearer token for v2 that the stand-ins' settings hold.
pub const BEARER_TOKEN: &str = "stand-in-bearer-token";

/// The token for notices that the stand-ins' settings hold.
pub const NOTICE_TOKEN: &str = "stand-in-notice-token";

pub(crate) const ALERT_TOPIC: u64 = 11;
const ALERT_TOKEN: &str = "stand-in-typetalk-token";
pub(crate) const ONCALL_TOPIC: u64 = 12;
const ONCALL_TOKEN: &str = "stand-in-typetalk-oncall-token";
const SLACK_TOKEN: &str = "xoxb-stand-in";
pub(crate) const ALERT_CHANNEL: &str = "C0ALERTS";
pub(crate) const ONCALL_CHANNEL: &str = "C0ONCALL";
/// The signing secret of the Slack app that the stand-ins' settings hold.
pub const SLACK_SIGNING_SECRET: &str = "stand-in-slack-signing-secret";
const API_KEY: &str = "stand-in-api-key";
const ACTION_KEY: &str = "stand-in-action-key";
const ACTING_USER: &str = "oncall@acme.example";
/// The service whose incidents are listed.
pub const SERVICE: &str = "PSERVICE";
/// The tab of `ROSTER_RANGE`'s default.
pub const ROSTER_TAB: &str = "当番表";
/// The tab of the stand-ins' `MEMBERS_RANGE`.
pub const MEMBERS_TAB: &str = "メンバー";

/// All services around a relay.
#[derive(Debug)]
pub struct Fakes {
    /// Google, with one spreadsheet.
    pub google: Google,
    /// Typetalk, with a topic for alerts and one for the on-call duty.
    pub typetalk: Typetalk,
    /// Slack, with a channel for alerts and one for the on-call duty.
    pub slack: Slack,
    /// PagerDuty's REST API, with one service.
    pub incidents: RestApi,
    /// An outside watchdog, which no setting names yet.
    pub watchdog: Watchdog,
}

impl Fakes {
    /// Starts all of them on free ports, with a roster of three days and a members tab.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start() -> io::Result<Self> {
        Self::start_on([0; 4]).await
    }

    /// Starts Google, Typetalk, Slack and PagerDuty's REST API on these ports; see [`Self::start`].
    ///
    /// # Errors
    /// If a port is taken.
    pub async fn start_on(ports: [u16; 4]) -> io::Result<Self> {
        let [google_port, typetalk_port, slack_port, incidents_port] = ports;
        let google = Google::start(google_port).await?;
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
        let [read, write, user] = [API_KEY, ACTION_KEY, ACTING_USER].map(str::to_owned);
        let keys = Keys { read, write, user };
        Ok(Self {
            google,
            typetalk: Typetalk::start(typetalk_port, &[(ALERT_TOPIC, ALERT_TOKEN), (ONCALL_TOPIC, ONCALL_TOKEN)])
                .await?,
            slack: Slack::start(slack_port, SLACK_TOKEN, &[ALERT_CHANNEL, ONCALL_CHANNEL]).await?,
            incidents: RestApi::start(incidents_port, keys, SERVICE).await?,
            watchdog: Watchdog::start(0).await?,
        })
    }

    /// Settings with which both functions use them: Typetalk is the primary, Slack the backup.
    #[must_use]
    pub fn settings(&self) -> HashMap<String, String> {
        [
            ("CHATS", "typetalk,slack".to_owned()),
            ("TYPETALK_ALERT_TOPIC", ALERT_TOPIC.to_string()),
            ("TYPETALK_ALERT_TOKEN", ALERT_TOKEN.to_owned()),
            ("TYPETALK_ONCALL_TOPIC", ONCALL_TOPIC.to_string()),
            ("TYPETALK_ONCALL_TOKEN", ONCALL_TOKEN.to_owned()),
            ("TYPETALK_BASE_URL", self.typetalk.url()),
            ("SLACK_TOKEN", SLACK_TOKEN.to_owned()),
            ("SLACK_ALERT_CHANNEL", ALERT_CHANNEL.to_owned()),
            ("SLACK_ONCALL_CHANNEL", ONCALL_CHANNEL.to_owned()),
            ("SLACK_BASE_URL", self.slack.url()),
            ("SLACK_SIGNING_SECRETS", format!("an-older-slack-secret,{SLACK_SIGNING_SECRET}")),
            ("SPREADSHEET_ID", google::SPREADSHEET_ID.to_owned()),
            ("MEMBERS_RANGE", format!("{MEMBERS_TAB}!A:C")),
            ("GOOGLE_CREDENTIALS", self.google.credentials()),
            ("SHEETS_BASE_URL", self.google.url()),
            ("PAGERDUTY_SIGNING_SECRETS", format!("an-older-secret,{SIGNING_SECRET}")),
            ("PAGERDUTY_TOKENS", BEARER_TOKEN.to_owned()),
            ("NOTICE_TOKENS", NOTICE_TOKEN.to_owned()),
            ("PAGERDUTY_API_KEY", API_KEY.to_owned()),
            ("PAGERDUTY_SERVICES", SERVICE.to_owned()),
            ("PAGERDUTY_BASE_URL", self.incidents.url()),
            ("PAGERDUTY_ACTION_KEY", ACTION_KEY.to_owned()),
            ("PAGERDUTY_FROM", ACTING_USER.to_owned()),
            ("FALLBACK_MENTIONS", "SRE".to_owned()),
            // What Lambda sets by itself.
            ("AWS_REGION", "ap-northeast-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIASTANDIN".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "stand-in".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}
