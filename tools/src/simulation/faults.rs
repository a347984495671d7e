//! The fault matrix: every way in which every service fails, once, for a while and for good.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::Services;
use super::fleet::{Fleet, Target};
use super::sender::{Arrived, Sent, Version, compare, deliver_all, says_so, two_incidents};
use crate::fakes::server::{Fault, Server};

/// A service that may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The chat Typetalk.
    Typetalk,
    /// The chat Slack.
    Slack,
    /// Google's sheet.
    Sheet,
    /// Google's token endpoint.
    Token,
    /// The ledger's table.
    DynamoDb,
    /// PagerDuty's REST API, which only presses need.
    PagerDuty,
}

/// How long it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// For one request.
    Once,
    /// For two attempts of PagerDuty's.
    AWhile,
    /// For good; a chat has a backup then.
    ForGood,
}

/// A way to fail.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The port is closed.
    Refused,
    /// TLS is asked of a port that has none.
    BadTls,
    /// Everything that a server can do.
    Answer(Fault),
    /// That, and for the next attempts something else.
    Then(Fault, Fault),
}

/// One row of the matrix.
#[derive(Debug, Clone)]
pub struct Row {
    /// The version of the webhooks.
    pub version: Version,
    /// Who fails.
    pub service: Service,
    /// The failure in words.
    pub name: &'static str,
    /// How.
    pub failure: Failure,
    /// How long.
    pub lasting: Lasting,
}

/// What a row came to.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// As PagerDuty sees it.
    pub sent: Sent,
    /// As the chats have it.
    pub arrived: Arrived,
    /// Requests to all services.
    pub calls: usize,
    /// In which time an answer has to come.
    pub within: Duration,
}

impl Outcome {
    /// What webhooks came to.
    pub(super) fn of_webhooks(around: &Services, sent: Sent, arrived: Arrived) -> Self {
        Self { sent, arrived, calls: around.calls(), within: Duration::from_secs(4) }
    }

    /// Nothing lost, nothing out of order, nothing doubled without saying so, every answer in time.
    #[must_use]
    pub fn is_as_promised(&self) -> bool {
        let Self { sent, arrived, within, .. } = self;
        arrived.lost + arrived.doubled + arrived.out_of_order + sent.undelivered == 0
            && sent.slowest < *within
            && !sent.disabled
    }
}

/// All rows.
#[must_use]
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for version in [Version::V2, Version::V3] {
        for service in [Service::Typetalk, Service::Slack, Service::Sheet, Service::Token, Service::DynamoDb] {
            for (name, failure) in failures(service) {
                for lasting in [Lasting::Once, Lasting::AWhile, Lasting::ForGood] {
                    // An address is wrong for good or not at all.
                    if !matches!(failure, Failure::BadTls) || lasting == Lasting::ForGood {
                        rows.push(Row { version, service, name, failure: failure.clone(), lasting });
                    }
                }
            }
        }
    }
    rows
}

const MESSAGE_REFUSED: &str = "400 of the message";
const INTERNAL_ERROR: &str = r#"{"ok":false,"error":"internal_error"}"#;
const THROTTLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#;
/// Errors of the table that are worth another try at once; none of them makes a first post one of doubt.
const PASSING: [&str; 6] = ["reset", "500", "503", "throttled", "accepted, then reset", "accepted, then 500"];

pub(super) fn failures(service: Service) -> Vec<(&'static str, Failure)> {
    let message_refused = match service {
        Service::Slack => Fault::Answer(200, vec![], r#"{"ok":false,"error":"msg_too_long"}"#),
        _ => Fault::Answer(400, vec![], r#"{"errors":[{"field":"message","name":"error.maxLength"}]}"#),
    };
    let redirect = Fault::Answer(302, vec![("location", "https://example.com/".to_owned())], "");
    let mut failures = vec![("refused connection", Failure::Refused), ("bad TLS", Failure::BadTls)];
    let answers = [
        ("reset", Fault::HangUp),
        ("hang", Fault::Hang),
        ("slow drip", Fault::Drip(Duration::from_millis(150))),
        ("500", Fault::status(500)),
        ("503", Fault::status(503)),
        ("429, short", Fault::too_many(1)),
        ("429, long", Fault::too_many(120)),
        ("401", Fault::status(401)),
        ("403", Fault::status(403)),
        ("404", Fault::status(404)),
        ("400 of us", Fault::status(400)),
        (MESSAGE_REFUSED, message_refused),
        ("garbage", Fault::Answer(200, vec![], "<html>so long")),
        ("empty body", Fault::status(200)),
        ("redirect", redirect),
        ("ok:false", Fault::Answer(200, vec![], r#"{"ok":false,"error":"invalid_auth"}"#)),
        ("accepted, answered too late", Fault::TakeAndHang),
        ("accepted, then reset", Fault::TakeAndHangUp),
        ("accepted, then 500", Fault::TakeAndAnswer(500, "")),
    ];
    let particular = match service {
        Service::Slack => vec![
            ("internal_error", Fault::Answer(200, vec![], INTERNAL_ERROR)),
            ("accepted, then internal_error", Fault::TakeAndAnswer(200, INTERNAL_ERROR)),
            ("service_unavailable", Fault::Answer(200, vec![], r#"{"ok":false,"error":"service_unavailable"}"#)),
        ],
        Service::DynamoDb => vec![("throttled", Fault::Answer(400, vec![], THROTTLED))],
        Service::Typetalk | Service::Sheet | Service::Token | Service::PagerDuty => vec![],
    };
    if service == Service::Slack {
        failures.extend(of_updates());
    }
    failures.extend(answers.into_iter().chain(particular).map(|(name, fault)| (name, Failure::Answer(fault))));
    if matches!(service, Service::Typetalk | Service::Slack) {
        let channel_not_found = Fault::Answer(200, vec![], r#"{"ok":false,"error":"channel_not_found"}"#);
        let seconds = [
            ("accepted, then 500, then 503", Fault::status(503)),
            ("accepted, then 500, then 429, long", Fault::too_many(120)),
            ("accepted, then 500, then channel_not_found", channel_not_found),
        ];
        let first = Fault::TakeAndAnswer(500, "");
        failures.extend(seconds.map(|(name, second)| (name, Failure::Then(first.clone(), second))));
    }
    failures
}

/// How the first message of an incident can't be brought up to date; posts are taken as ever.
fn of_updates() -> impl Iterator<Item = (&'static str, Failure)> {
    let refused = |body| Fault::Answer(200, vec![], body);
    [
        ("update, 500", Fault::status(500)),
        ("update, 429, long", Fault::too_many(120)),
        ("update, hang", Fault::Hang),
        ("update, slow drip", Fault::Drip(Duration::from_millis(150))),
        ("update, accepted, then reset", Fault::TakeAndHangUp),
        ("update, message_not_found", refused(r#"{"ok":false,"error":"message_not_found"}"#)),
        ("update, edit_window_closed", refused(r#"{"ok":false,"error":"edit_window_closed"}"#)),
    ]
    .into_iter()
    .map(|(name, fault)| (name, Failure::Answer(fault)))
}

/// Runs one row against two instances.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn run(row: &Row, make: &Target) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
    let around = Services::start().await?;
    let mut settings = around.settings();
    let server = row.service.server(&around);
    settings.insert("CHATS".to_owned(), row.chats().to_owned());
    if matches!(row.failure, Failure::BadTls) {
        let tls = server.url().replace("http://", "https://");
        match row.service {
            // The token endpoint's address is part of the service account's key.
            Service::Token => {
                let key = settings["GOOGLE_CREDENTIALS"].replace("http://", "https://");
                settings.insert("GOOGLE_CREDENTIALS".to_owned(), key);
            }
            other => {
                settings.insert(other.address().to_owned(), tls);
            }
        }
    }
    let fleet = Fleet::start(make, 2, &settings).await?;
    begin(row, server);
    let webhooks = two_incidents(row.version);
    let texts = std::cell::RefCell::new(Vec::new());
    let sent = deliver_all(&fleet, &webhooks, async |attempt| {
        texts.borrow_mut().extend(around.take_texts());
        let over = match row.lasting {
            Lasting::Once => attempt == 1,
            Lasting::AWhile => attempt == 2,
            Lasting::ForGood => false,
        };
        if over {
            end(row, server).await;
        }
    })
    .await;
    let texts = texts.into_inner();
    let mut arrived = compare(&webhooks, &texts);
    if row.raises_no_doubt() {
        arrived.needless = texts.iter().filter(|text| says_so(text)).count();
    }
    Ok(Outcome::of_webhooks(&around, sent, arrived))
}

impl Row {
    /// Whether what fails is put right by another try at once, if the machine isn't too busy for the ledger's 0.2 s.
    #[must_use]
    pub fn raises_no_doubt(&self) -> bool {
        self.service == Service::DynamoDb && self.lasting == Lasting::Once && PASSING.contains(&self.name)
    }

    /// The chats: a backup for one that is out of order for good, or that refuses what is said, since a message
    /// that every chat refuses is given up.
    fn chats(&self) -> &'static str {
        let needs_backup = self.lasting == Lasting::ForGood || self.name == MESSAGE_REFUSED;
        match (self.service, needs_backup) {
            (Service::Slack, true) => "slack,typetalk",
            (Service::Slack, false) => "slack",
            (Service::Typetalk, true) => "typetalk,slack",
            _ => "typetalk",
        }
    }
}

pub(super) fn begin(row: &Row, server: &Server) {
    server.fail_only(match row.service {
        Service::Token => "/token",
        Service::Sheet => "/v4/",
        Service::Slack if row.name.starts_with("update, ") => "/api/chat.update",
        _ => "",
    });
    match (&row.failure, row.lasting) {
        (Failure::Refused, _) => server.shut_down(),
        (Failure::BadTls, _) => {}
        (Failure::Answer(fault), Lasting::Once) => server.fail_once(fault.clone()),
        (Failure::Answer(fault), _) => server.fail_always(Some(fault.clone())),
        (Failure::Then(first, second), lasting) => {
            server.fail_once(first.clone());
            if lasting == Lasting::Once {
                server.fail_once(second.clone());
            } else {
                server.fail_always(Some(second.clone()));
            }
        }
    }
}

pub(super) async fn end(row: &Row, server: &Server) {
    match row.failure {
        Failure::Refused => {
            // A port that somebody else has taken shows as a row that is not as promised.
            let _ = server.start_again().await;
        }
        _ => server.fail_always(None),
    }
}

impl Service {
    pub(super) fn server(self, around: &Services) -> &Server {
        match self {
            Self::Typetalk => &around.fakes.typetalk,
            Self::Slack => &around.fakes.slack,
            Self::Sheet | Self::Token => &around.fakes.google,
            Self::DynamoDb => &around.dynamodb,
            Self::PagerDuty => &around.fakes.incidents,
        }
    }

    /// The setting with its address.
    fn address(self) -> &'static str {
        match self {
            Self::Typetalk => "TYPETALK_BASE_URL",
            Self::Slack => "SLACK_BASE_URL",
            Self::Sheet | Self::Token => "SHEETS_BASE_URL",
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::PagerDuty => "PAGERDUTY_BASE_URL",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Typetalk => "Typetalk",
            Self::Slack => "Slack",
            Self::Sheet => "sheet",
            Self::Token => "token",
            Self::DynamoDb => "DynamoDB",
            Self::PagerDuty => "PagerDuty API",
        })
    }
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Once => "once",
            Self::AWhile => "a while",
            Self::ForGood => "for good",
        })
    }
}
