//! The fault matrix: every way in which every service fails, once, for a while and for good.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

pub(in crate::simulation) use self::failures::failures;
use self::failures::{MESSAGE_REFUSED, costs};
use super::Services;
use super::fleet::{Fleet, Target};
use super::mentions::{BEFORE, Costs, Everybody, Known, Mentioned, Posted, TODAY};
use super::sender::{Arrived, Kind, Sent, Version, Webhook, compare, deliver_all, says_so, two_incidents};
use crate::fakes::google::{Google, SPREADSHEET_PATH, VALUES_PATH};
use crate::fakes::server::{Fault, Server};

mod failures;
mod sheet;

/// A service that may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The chat Typetalk.
    Typetalk,
    /// The chat Slack.
    Slack,
    /// Google's sheet.
    Sheet,
    /// The sheet's values alone.
    Values,
    /// What says which cells are merged, alone.
    Merges,
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
    /// Something that somebody does to the spreadsheet.
    Edit(fn(&Google)),
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
    /// What is known of the roster before.
    pub known: Known,
    /// What the fault takes away, from the instances that it befalls.
    pub costs: Costs,
}

/// What a row came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// As PagerDuty sees it.
    pub sent: Sent,
    /// As the chats have it.
    pub arrived: Arrived,
    /// Who was mentioned.
    pub mentioned: Everybody,
    /// Requests to all services.
    pub calls: usize,
    /// In which time an answer has to come.
    pub within: Duration,
}

impl Outcome {
    /// What webhooks came to.
    pub(super) fn of_webhooks(around: &Services, sent: Sent, webhooks: &[Webhook], posts: &[Posted]) -> Self {
        Self {
            sent,
            arrived: compare(webhooks, posts),
            mentioned: Everybody::of(posts),
            calls: around.calls(),
            within: Duration::from_secs(4),
        }
    }

    /// Nothing lost, nothing out of order, nothing doubled without saying so, the right people mentioned, every answer
    /// in time.
    #[must_use]
    pub fn is_as_promised(&self) -> bool {
        let Self { sent, arrived, within, .. } = self;
        arrived.lost + arrived.doubled + arrived.out_of_order + arrived.mistaken + sent.undelivered == 0
            && sent.slowest < *within
            && !sent.disabled
    }

    /// Whether something is lost, doubled without a word, out of order, or never delivered.
    #[must_use]
    pub fn does_harm(&self) -> bool {
        let Self { sent, arrived, .. } = self;
        sent.disabled || arrived.lost + arrived.doubled + arrived.out_of_order + sent.undelivered > 0
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
                        let costs = costs(service, name, lasting);
                        let (failure, known) = (failure.clone(), Known::Nothing);
                        rows.push(Row { version, service, name, failure, lasting, known, costs });
                    }
                }
            }
        }
    }
    let is_tried = |row: &Row| rows.iter().any(|tried| row.is(tried));
    let more: Vec<_> = sheet::rows().into_iter().filter(|row| !is_tried(row)).collect();
    rows.extend(more);
    rows
}

/// Errors of the table that are worth another try at once; none of them makes a first post one of doubt.
const PASSING: [&str; 6] = ["reset", "500", "503", "throttled", "accepted, then reset", "accepted, then 500"];

/// Runs one row against two instances. A machine that is busy gives the table less than its 0.2 s, and an answer comes
/// late: what did no harm otherwise is tried again.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn run(row: &Row, make: &Target) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
    again_if_slow(|| once(row, make)).await
}

/// The outcome of a trial, or of the last of three if each is amiss and did no harm.
pub(super) async fn again_if_slow<F>(trial: impl Fn() -> F) -> Result<Outcome, Box<dyn Error + Send + Sync>>
where
    F: Future<Output = Result<Outcome, Box<dyn Error + Send + Sync>>>,
{
    let mut outcome = trial().await?;
    for _ in 0..2 {
        let is_good = outcome.is_as_promised() && outcome.arrived.needless == 0;
        if is_good || outcome.does_harm() {
            break;
        }
        outcome = trial().await?;
    }
    Ok(outcome)
}

async fn once(row: &Row, make: &Target) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
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
    let fleet = start(row.known, &around, make, &settings).await?;
    begin(row, &around);
    let webhooks = two_incidents(row.version);
    let posts = std::cell::RefCell::new(Vec::new());
    let sent = deliver_all(&fleet, &webhooks, async |attempt| {
        posts.borrow_mut().extend(around.take_posts(row.expected(attempt)));
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
    let posts = posts.into_inner();
    let mut outcome = Outcome::of_webhooks(&around, sent, &webhooks, &posts);
    if row.raises_no_doubt() {
        outcome.arrived.needless = posts.iter().filter(|post| says_so(&post.text)).count();
    }
    Ok(outcome)
}

/// Two instances that know of the roster what they should.
async fn start(
    known: Known,
    around: &Services,
    make: &Target,
    settings: &HashMap<String, String>,
) -> Result<Fleet, Box<dyn Error + Send + Sync>> {
    /// What an instance has read is fresh for 15 s.
    const STALE: Duration = Duration::from_secs(16);
    let warm_up = async |fleet: &Fleet, ids: &[&str]| {
        let webhooks: Vec<_> =
            ids.iter().map(|id| Webhook::new(Version::V3, "PBEFORE", 9, Kind::Triggered, id)).collect();
        let sent = deliver_all(fleet, &webhooks, async |_| {}).await;
        let _ = around.take_posts(Mentioned::TODAY);
        if sent.undelivered == 0 { Ok(()) } else { Err("an instance did not start") }
    };
    if matches!(known, Known::NewerInLedger | Known::OldOnly) {
        around.write_roster(BEFORE);
    }
    let fleet = Fleet::start(make, 2, settings).await?;
    if known.is_warm() {
        warm_up(&fleet, &["before1", "before2"]).await?;
        fleet.let_pass(STALE).await;
    }
    around.write_roster(TODAY);
    if matches!(known, Known::InLedger | Known::NewerInLedger) {
        // On a busy machine there may be no time left to save after a post.
        let other = fleet.beside(make, 1, settings).await?;
        for id in (3..20).map(|number| format!("before{number}")) {
            warm_up(&other, &[&id]).await?;
            if around.dynamodb.holds("roster", TODAY) {
                break;
            }
        }
    }
    Ok(fleet)
}

impl Row {
    fn is(&self, other: &Self) -> bool {
        let what = |row: &Self| (row.version, row.service, row.name, row.lasting, row.known);
        what(self) == what(other)
    }

    /// Whether the row is one of the roster's: it differs from others by what was known of the sheet.
    #[must_use]
    pub fn is_about_the_roster(&self) -> bool {
        sheet::rows().iter().any(|row| self.is(row))
    }

    /// Whom the posts of an attempt must mention. The two instances take turns, and what their first reading came to
    /// serves for a whole trial.
    #[must_use]
    pub fn expected(&self, attempt: usize) -> Mentioned {
        let is_spared = self.lasting == Lasting::Once && attempt.is_multiple_of(2);
        if is_spared { Costs::Nothing.with(self.known) } else { self.costs.with(self.known) }
    }

    /// Whether what fails is put right by another try at once, if the machine isn't too busy for the ledger's 0.2 s.
    #[must_use]
    pub fn raises_no_doubt(&self) -> bool {
        self.service == Service::DynamoDb && self.lasting == Lasting::Once && PASSING.contains(&self.name)
    }

    /// The chats: a backup for one that is out of order for good, or that refuses what is said, since a message
    /// that every chat refuses is given up.
    pub(super) fn chats(&self) -> &'static str {
        let needs_backup = self.lasting == Lasting::ForGood || self.name == MESSAGE_REFUSED;
        match (self.service, needs_backup) {
            (Service::Slack, true) => "slack,typetalk",
            (Service::Slack, false) => "slack",
            (Service::Typetalk, true) => "typetalk,slack",
            _ => "typetalk",
        }
    }
}

pub(super) fn begin(row: &Row, around: &Services) {
    let server = row.service.server(around);
    match row.service {
        Service::Token => server.fail_only("/token"),
        Service::Sheet => server.fail_only("/v4/"),
        Service::Values => server.fail_at(VALUES_PATH),
        Service::Merges => server.fail_at(SPREADSHEET_PATH),
        Service::Slack if row.name.starts_with("update, ") => server.fail_at("/api/chat.update"),
        _ => server.fail_only(""),
    }
    match (&row.failure, row.lasting) {
        (Failure::Refused, _) => server.shut_down(),
        (Failure::BadTls, _) => {}
        (Failure::Edit(edit), _) => edit(&around.fakes.google),
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
            Self::Sheet | Self::Values | Self::Merges | Self::Token => &around.fakes.google,
            Self::DynamoDb => &around.dynamodb,
            Self::PagerDuty => &around.fakes.incidents,
        }
    }

    /// The setting with its address.
    fn address(self) -> &'static str {
        match self {
            Self::Typetalk => "TYPETALK_BASE_URL",
            Self::Slack => "SLACK_BASE_URL",
            Self::Sheet | Self::Values | Self::Merges | Self::Token => "SHEETS_BASE_URL",
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
            Self::Values => "values",
            Self::Merges => "merges",
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
