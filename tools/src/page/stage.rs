//! The services of one run, and the sheet that they begin with.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use serde_json::{Value, json};

use super::relay::Relay;
use super::request::Language;
use super::scene::{Chat, Mode, Post, Rows, Scene, Service};
use crate::fakes::dynamodb::DynamoDb;
use crate::fakes::server::Fault;
use crate::fakes::{ALERT_CHANNEL, ALERT_TOPIC, Fakes, MEMBERS_TAB, ROSTER_TAB};

pub(super) type Failure = Box<dyn Error + Send + Sync>;

const TABLE: &str = "page-ledger";
/// The token of the page's jobs.
pub(super) const NOTICE_TOKEN: &str = "stand-in-notice-token";

/// How many messages, incidents and items of the table the services remember: far more than the page shows, and no more,
/// however long somebody plays.
const REMEMBERED: usize = 2_000;

/// The services; beginning again takes new ones.
pub(super) struct Stage {
    pub(super) fakes: Fakes,
    table: DynamoDb,
}

impl Stage {
    pub(super) async fn start() -> Result<Self, Failure> {
        let stage = Self { fakes: Fakes::start().await?, table: DynamoDb::start(0, TABLE).await? };
        stage.fakes.slack.keep_at_most(REMEMBERED);
        stage.fakes.incidents.keep_at_most(REMEMBERED);
        stage.table.keep_at_most(REMEMBERED);
        Ok(stage)
    }

    pub(super) async fn deploy(&self, scene: &Scene) -> Result<Relay, Failure> {
        Relay::start(self.settings(scene), scene.clock.to_utc()).await
    }

    pub(super) fn settings(&self, scene: &Scene) -> HashMap<String, String> {
        let mut settings = self.fakes.settings();
        let chats = json!(scene.chats).as_str().unwrap_or_default().to_owned();
        for (name, value) in [
            ("CHATS", chats),
            ("MESSAGE_LANGUAGE", scene.language.code().to_owned()),
            ("LEDGER_TABLE", TABLE.to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.table.url()),
            ("NOTICE_TOKENS", NOTICE_TOKEN.to_owned()),
        ] {
            settings.insert(name.to_owned(), value);
        }
        settings
    }

    pub(super) fn write(&self, scene: &Scene) {
        for (tab, rows) in [(ROSTER_TAB, &scene.roster), (MEMBERS_TAB, &scene.members)] {
            let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
            self.fakes.google.write(tab, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
    }

    pub(super) fn fail(&self, service: Service, mode: Mode) {
        let fault = match mode {
            Mode::Well => None,
            Mode::Down => Some(Fault::status(503)),
            Mode::Slow => Some(Fault::Delay(Duration::from_secs(1))),
            Mode::Hangs => Some(Fault::Hang),
            Mode::Unknown => Some(Fault::TakeAndHangUp),
        };
        match service {
            Service::Google => self.fakes.google.fail_always(fault),
            Service::Typetalk => self.fakes.typetalk.fail_always(fault),
            Service::Slack => self.fakes.slack.fail_always(fault),
            Service::Pagerduty => self.fakes.incidents.fail_always(fault),
            Service::Ledger => self.table.fail_always(fault),
        }
    }

    pub(super) fn take_posts(&self, step: u64) -> Vec<Post> {
        let topic = self.fakes.typetalk.take_posts().into_iter().map(|post| Post {
            chat: Chat::Typetalk,
            is_alert: post.topic == ALERT_TOPIC,
            step,
            text: post.message,
            ts: None,
            thread: None,
            broadcast: false,
            layout: Value::Null,
            updates: 0,
            is_for_one: false,
            channel: String::new(),
        });
        let channel = self.fakes.slack.take_posts().into_iter().map(|post| Post {
            chat: Chat::Slack,
            is_alert: post.channel == ALERT_CHANNEL,
            step,
            text: post.text,
            ts: Some(post.ts),
            thread: post.thread,
            broadcast: post.broadcast,
            layout: Value::Null,
            updates: 0,
            is_for_one: false,
            channel: post.channel,
        });
        topic.chain(channel).collect()
    }

    /// Brings a message up to what Slack shows of it now, if that is another thing than before.
    pub(super) fn update(&self, post: &mut Post) {
        let Some(ts) = &post.ts else { return };
        let slack = &self.fakes.slack;
        let shown = match post.layout {
            Value::Null => slack.message(&post.channel, ts),
            _ => slack.message_changed(&post.channel, ts, post.updates),
        };
        if let Some(shown) = shown {
            (post.text, post.layout, post.updates) = (shown.text, shown.layout, shown.updates);
            (post.thread, post.broadcast) = (shown.thread, shown.broadcast);
        }
    }
}

/// The roster that is there in the beginning; the page's first day is a Tuesday.
pub(super) fn roster(language: Language) -> Rows {
    match language {
        Language::Ja => rows(&[
            &["日付", "担当"],
            &["11/24(火)", "田中、鈴木"],
            &["11/25(水)", "佐藤 花子"],
            &["11/26(木)", "なし"],
            &["11/27(金)", "未定"],
            &["11/30(月)", "鈴木"],
            &["12/1(火)", "佐藤 花子、田中"],
        ]),
        Language::En => rows(&[
            &["Date", "On call"],
            &["24 Nov (Tue)", "Tanaka, Suzuki"],
            &["25 Nov (Wed)", "Hanako Sato"],
            &["26 Nov (Thu)", "none"],
            &["27 Nov (Fri)", "TBD"],
            &["30 Nov (Mon)", "Suzuki"],
            &["1 Dec (Tue)", "Hanako Sato, Tanaka"],
        ]),
    }
}

pub(super) fn members(language: Language) -> Rows {
    let [name, tanaka, suzuki, sato] = match language {
        Language::Ja => ["名前", "田中", "鈴木", "佐藤 花子"],
        Language::En => ["Name", "Tanaka", "Suzuki", "Hanako Sato"],
    };
    rows(&[
        &[name, "Typetalk", "Slack"],
        &[tanaka, "tanaka", "U0TANAKA1"],
        &[suzuki, "suzuki-k", "U0SUZUKI1"],
        &[sato, "sato", "U0SATO001"],
        &["SRE", "sre-team", "S0SRETEAM"],
    ])
}

fn rows(rows: &[&[&str]]) -> Rows {
    rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
}
