//! Trials: PagerDuty's rules of delivery, several instances of the function, and faults of every service around them.
//!
//! They count what is lost, doubled or out of order, and look at who is mentioned. No Lambda function contains them.

pub mod fleet;

pub mod sender;

pub mod mentions;

pub mod faults;

pub mod reminders;

pub mod presses;

pub mod notices;

pub mod storm;

pub mod trials;

use std::collections::HashMap;
use std::io;

use chrono::NaiveDate;

use self::mentions::{FALLBACK, Mentioned, Posted, TODAY};
use crate::fakes::dynamodb::DynamoDb;
use crate::fakes::{Fakes, ROSTER_TAB};
use oncall_relay::clock;
use oncall_relay::domain::chat::ChatName;

/// The ledger's table in all trials.
const TABLE: &str = "oncall-relay-ledger";

/// Every service around the functions.
#[derive(Debug)]
pub struct Services {
    /// Google, Typetalk, Slack.
    pub fakes: Fakes,
    /// The ledger's table.
    pub dynamodb: DynamoDb,
    today: NaiveDate,
}

impl Services {
    /// Starts all of them; the roster names people on the real day and those after it, because the functions have real clocks.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start() -> io::Result<Self> {
        let fakes = Fakes::start().await?;
        let now = clock::now().with_timezone(&chrono_tz::Asia::Tokyo).date_naive();
        let around = Self { fakes, today: now, dynamodb: DynamoDb::start(0, TABLE).await? };
        around.write_roster(TODAY);
        Ok(around)
    }

    /// Has the sheet name these people today and on the days after it.
    pub fn write_roster(&self, people: &str) {
        let days: Vec<_> = self.today.iter_days().take(4).map(|day| day.to_string()).collect();
        let rows: Vec<_> = days.iter().map(|day| [day.as_str(), people]).collect();
        self.fakes.google.write(ROSTER_TAB, &rows.iter().map(<[&str; 2]>::as_slice).collect::<Vec<_>>());
    }

    /// Settings for the webhook function, which mentions people at any hour.
    #[must_use]
    pub fn settings(&self) -> HashMap<String, String> {
        let mut settings = self.fakes.settings();
        let dynamodb = self.dynamodb.url();
        for (variable, value) in [
            ("BUSINESS_DAYS", "Mon-Sun"),
            ("BUSINESS_HOURS", "00:00-24:00"),
            ("HOLIDAYS", "none"),
            ("FALLBACK_MENTIONS", FALLBACK),
            ("LEDGER_TABLE", TABLE),
            ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb),
        ] {
            settings.insert(variable.to_owned(), value.to_owned());
        }
        settings
    }

    /// The posts that any chat got since the last look, and whom they should mention.
    #[must_use]
    pub fn take_posts(&self, expected: Mentioned) -> Vec<Posted> {
        let topic = self.fakes.typetalk.take_posts().into_iter().map(|post| (post.message, ChatName::Typetalk));
        let channel = self.fakes.slack.take_posts().into_iter().map(|post| (post.text, ChatName::Slack));
        topic.chain(channel).map(|(text, chat)| Posted::new(text, chat, expected)).collect()
    }

    /// How many requests all services have heard.
    #[must_use]
    pub fn calls(&self) -> usize {
        let Fakes { google, typetalk, slack, .. } = &self.fakes;
        google.requests() + typetalk.requests() + slack.requests() + self.dynamodb.requests()
    }
}
