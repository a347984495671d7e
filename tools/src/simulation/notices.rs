//! Notices while a service fails: a job sends each again, by its key, until it is taken.

use std::error::Error;
use std::time::Instant;

use serde_json::json;

use super::Services;
use super::faults::{self, Failure, Lasting, Outcome, Row, Service, begin, end};
use super::fleet::{Fleet, Target};
use super::mentions::{Costs, Known, Mentioned, Posted};
use super::sender::{Kind, Sent, Version, Webhook, deliver_all, two_incidents};
use super::trials::{at_once, killed_over};
use crate::fakes::NOTICE_TOKEN;
use crate::fakes::pagerduty::http_api_event;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The faults of the table that befall a notice differently.
const OF_TABLE: [&str; 11] = [
    "refused connection",
    "reset",
    "hang",
    "slow drip",
    "500",
    "503",
    "throttled",
    "403",
    "garbage",
    "accepted, then reset",
    "accepted, answered too late",
];
/// Notices that a job in a loop sends, and how many of them are posted.
const MANY: usize = 25;
const TAKEN: usize = 20;

/// All rows: the faults of the services that a notice needs. Slack has a backup, and Typetalk has none.
#[must_use]
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (service, lasting) in
        [(Service::Typetalk, Lasting::Once), (Service::Slack, Lasting::ForGood), (Service::DynamoDb, Lasting::ForGood)]
    {
        for (name, failure) in faults::failures(service) {
            let is_tried = match service {
                // What a chat says after its doubt is tried on the other one.
                Service::Typetalk => !matches!(failure, Failure::Then(..)),
                Service::DynamoDb => OF_TABLE.contains(&name),
                // A notice is never brought up to date.
                _ => !name.starts_with("update, "),
            };
            // An address with bad TLS is a refused connection for a notice.
            if is_tried && !matches!(failure, Failure::BadTls) {
                let (known, costs) = (Known::Nothing, Costs::Nothing);
                rows.push(Row { version: Version::V3, service, name, failure, lasting, known, costs });
            }
        }
    }
    rows
}

/// Two notices about an incident that is open, and then its next event, while the service fails.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn run(row: &Row, make: &Target) -> Result<Outcome> {
    faults::again_if_slow(|| once(row, make)).await
}

async fn once(row: &Row, make: &Target) -> Result<Outcome> {
    let around = Services::start().await?;
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), row.chats().to_owned());
    let fleet = Fleet::start(make, 2, &settings).await?;
    let sent_all = [
        Webhook::new(Version::V3, "PFIRST", 1, Kind::Triggered, "w1"),
        notice("n1"),
        notice("n2"),
        Webhook::new(Version::V3, "PFIRST", 1, Kind::Acknowledged, "w2"),
    ];
    let (before, during) = sent_all.split_at(1);
    let mut sent = deliver_all(&fleet, before, async |_| {}).await;
    begin(row, &around);
    let server = row.service.server(&around);
    let posts = std::cell::RefCell::new(take_posts(&around));
    let later = deliver_all(&fleet, during, async |attempt| {
        posts.borrow_mut().extend(take_posts(&around));
        if row.lasting == Lasting::Once && attempt == 1 {
            end(row, server).await;
        }
    })
    .await;
    sent = sent.and(later);
    Ok(Outcome::of_webhooks(&around, sent, &sent_all, &posts.into_inner()))
}

/// Two runners send the same notice at the same time.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn two_runners(make: &Target) -> Result<Outcome> {
    at_once(notice("n1"), Mentioned::NOBODY, make).await
}

/// The function is killed when the chat has the notice and the ledger doesn't know it yet; the job sends it again.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn killed_between_post_and_record(make: &Target) -> Result<Outcome> {
    killed_over(notice("n1"), Mentioned::NOBODY, make).await
}

/// A job in a loop sends more notices than there may be in a minute, and alerts come meanwhile. `mistaken` counts also
/// what was posted although it was refused, and alerts that had to wait.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn too_many(make: &Target) -> Result<Outcome> {
    let around = Services::start().await?;
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), "typetalk".to_owned());
    let fleet = Fleet::start(make, 1, &settings).await?;
    let (mut taken, mut refused, mut sent) = (Vec::new(), Vec::new(), Sent::default());
    for number in 0..MANY {
        let notice = notice(&format!("n{number}"));
        let started = Instant::now();
        let status = fleet.invoke(&notice.event).await;
        sent.attempts += 1;
        sent.slowest = sent.slowest.max(started.elapsed());
        match status {
            Some(200) => taken.push(notice),
            Some(429) => refused.push(notice),
            _ => sent.undelivered += 1,
        }
    }
    let is_limited = taken.len() == TAKEN;
    let alerts = two_incidents(Version::V3);
    let of_alerts = deliver_all(&fleet, &alerts, async |_| {}).await;
    let posts = take_posts(&around);
    let is_posted = |notice: &&Webhook| posts.iter().any(|post| post.text.contains(&notice.mark));
    let wrongly = refused.iter().filter(is_posted).count();
    let waited = of_alerts.attempts - alerts.len();
    taken.extend(alerts);
    let mut outcome = Outcome::of_webhooks(&around, sent.and(of_alerts), &taken, &posts);
    outcome.arrived.mistaken += wrongly + waited + usize::from(!is_limited);
    Ok(outcome)
}

/// A notice about the first incident; `id` tells it from all others.
fn notice(id: &str) -> Webhook {
    let mark = format!("[{id}]");
    let body = json!({
        "text": format!("{mark} app-01 を再起動します <!channel> @all"), "status": "started", "incident": 1,
        "source": "Jenkins", "key": id,
    });
    let bearer = format!("Bearer {NOTICE_TOKEN}");
    let event = http_api_event("/notice", &[("authorization", &bearer)], body.to_string().as_bytes());
    Webhook { incident: "PFIRST", mark, event }
}

/// What the chats got since the last look: a notice mentions nobody, and all else the people of the day.
fn take_posts(around: &Services) -> Vec<Posted> {
    let expected = |post: Posted| {
        let is_notice = post.text.contains("app-01 を再起動します");
        Posted { expected: if is_notice { Mentioned::NOBODY } else { post.expected }, ..post }
    };
    around.take_posts(Mentioned::TODAY).into_iter().map(expected).collect()
}
