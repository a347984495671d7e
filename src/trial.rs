//! Trials: PagerDuty's rules of delivery, several instances of the function, and faults of every service around them.
//!
//! They count what is lost, doubled or out of order. No Lambda function contains them.

pub mod fleet;

pub mod sender;

pub mod faults;

pub mod reminders;

pub mod storm;

use std::collections::HashMap;
use std::io;

use crate::edge::telemetry;
use crate::stand_ins::dynamodb::DynamoDb;
use crate::stand_ins::{ROSTER_TAB, StandIns};

/// The ledger's table in all trials.
const TABLE: &str = "oncall-relay-ledger";

/// Every service around the functions.
#[derive(Debug)]
pub struct Surroundings {
    /// Google, Typetalk, Slack.
    pub stand_ins: StandIns,
    /// The ledger's table.
    pub dynamodb: DynamoDb,
}

impl Surroundings {
    /// Starts all of them; the roster names people on the real day, because the functions have real clocks.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start() -> io::Result<Self> {
        let stand_ins = StandIns::start().await?;
        let now = telemetry::now().with_timezone(&chrono_tz::Asia::Tokyo).date_naive();
        let days: Vec<_> = now.iter_days().take(2).map(|day| day.to_string()).collect();
        let rows: Vec<_> = days.iter().map(|day| [day.as_str(), "田中、鈴木"]).collect();
        stand_ins.google.write(ROSTER_TAB, &rows.iter().map(<[&str; 2]>::as_slice).collect::<Vec<_>>());
        Ok(Self { stand_ins, dynamodb: DynamoDb::start(0, TABLE).await? })
    }

    /// Settings for the webhook function, which mentions people at any hour.
    #[must_use]
    pub fn settings(&self) -> HashMap<String, String> {
        let mut settings = self.stand_ins.settings();
        let dynamodb = self.dynamodb.url();
        for (variable, value) in [
            ("BUSINESS_DAYS", "Mon-Sun"),
            ("BUSINESS_HOURS", "00:00-24:00"),
            ("HOLIDAYS", "none"),
            ("LEDGER_TABLE", TABLE),
            ("AWS_REGION", "ap-northeast-1"),
            ("AWS_ACCESS_KEY_ID", "AKIASTANDIN"),
            ("AWS_SECRET_ACCESS_KEY", "stand-in"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb),
        ] {
            settings.insert(variable.to_owned(), value.to_owned());
        }
        settings
    }

    /// The texts that any chat got since the last look.
    #[must_use]
    pub fn take_texts(&self) -> Vec<String> {
        let topic = self.stand_ins.typetalk.take_posts().into_iter().map(|post| post.message);
        topic.chain(self.stand_ins.slack.take_posts().into_iter().map(|post| post.text)).collect()
    }

    /// How many requests all services have heard.
    #[must_use]
    pub fn calls(&self) -> usize {
        let StandIns { google, typetalk, slack, .. } = &self.stand_ins;
        google.requests() + typetalk.requests() + slack.requests() + self.dynamodb.requests()
    }
}
