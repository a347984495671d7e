//! Trials beside the matrix: one event twice, a function killed over a post, wrong secrets, a storm of webhooks.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::{sleep, sleep_until};

use super::Services;
use super::faults::Outcome;
use super::fleet::{Fleet, Target};
use super::mentions::{Mentioned, Posted};
use super::sender::{Kind, Schedule, Sent, Version, Webhook, deliver_all, two_incidents};
use crate::fakes::server::Fault;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Two instances get the same webhook at the same time.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn one_event_twice(version: Version, make: &Target) -> Result<Outcome> {
    at_once(Webhook::new(version, "PTWICE", 1, Kind::Triggered, "w1"), Mentioned::TODAY, make).await
}

pub(super) async fn at_once(webhook: Webhook, expected: Mentioned, make: &Target) -> Result<Outcome> {
    let around = Services::start().await?;
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), "typetalk".to_owned());
    let fleet = Fleet::start(make, 2, &settings).await?;
    // Slow enough that both are at it.
    around.fakes.typetalk.fail_once(Fault::Delay(Duration::from_millis(700)));
    let webhooks = [webhook];
    let nothing = async |_| {};
    let deliver = || Box::pin(deliver_all(&fleet, &webhooks, nothing));
    let (one, other) = tokio::join!(deliver(), deliver());
    Ok(Outcome::of_webhooks(&around, one.and(other), &webhooks, &around.take_posts(expected)))
}

/// The function is killed when the chat has the post and the ledger doesn't know it yet; PagerDuty delivers again.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn killed_between_post_and_record(version: Version, make: &Target) -> Result<Outcome> {
    killed_over(Webhook::new(version, "PKILLED", 1, Kind::Triggered, "w1"), Mentioned::TODAY, make).await
}

pub(super) async fn killed_over(webhook: Webhook, expected: Mentioned, make: &Target) -> Result<Outcome> {
    let around = Services::start().await?;
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), "typetalk".to_owned());
    let webhooks = [webhook];
    let mut posts = Vec::new();
    {
        let mut doomed = Fleet::start(make, 1, &settings).await?;
        // The chat has the post, and the function still waits to hear so.
        around.fakes.typetalk.fail_once(Fault::TakeAndHang);
        let posted = async {
            while posts.is_empty() {
                posts.extend(around.take_posts(expected));
                sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            _ = doomed.invoke(&webhooks[0].event) => {}
            () = posted => {}
        }
        doomed.kill();
    }
    let fleet = Fleet::start(make, 2, &settings).await?;
    let sent = deliver_all(&fleet, &webhooks, async |_| {}).await;
    posts.extend(around.take_posts(expected));
    Ok(Outcome::of_webhooks(&around, sent, &webhooks, &posts))
}

/// The function is killed when Slack has a reply, and the incident's first message doesn't show the state yet.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn killed_between_reply_and_update(version: Version, make: &Target) -> Result<Outcome> {
    let around = Services::start().await?;
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), "slack".to_owned());
    let webhooks = [("w1", Kind::Triggered), ("w2", Kind::Acknowledged)]
        .map(|(id, kind)| Webhook::new(version, "PUPDATE", 1, kind, id));
    let mut sent = Sent::default();
    {
        let mut doomed = Fleet::start(make, 1, &settings).await?;
        sent = sent.and(deliver_all(&doomed, &webhooks[..1], async |_| {}).await);
        let asked = || around.fakes.slack.requests_to("/api/chat.update");
        let slack = &around.fakes.slack;
        slack.fail_only("/api/chat.update");
        slack.fail_once(Fault::Hang);
        let updating = async {
            while asked() == 0 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            _ = doomed.invoke(&webhooks[1].event) => {}
            () = updating => {}
        }
        doomed.kill();
    }
    let fleet = Fleet::start(make, 2, &settings).await?;
    sent = sent.and(deliver_all(&fleet, &webhooks[1..], async |_| {}).await);
    let mut outcome = Outcome::of_webhooks(&around, sent, &webhooks, &around.take_posts(Mentioned::TODAY));
    outcome.arrived.mistaken += not_shown(&around, "🟡");
    Ok(outcome)
}

/// Titles that are too long, full of markup, or written from right to left.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn odd_titles(version: Version, make: &Target) -> Result<Outcome> {
    let around = Services::start().await?;
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), "slack".to_owned());
    let fleet = Fleet::start(make, 2, &settings).await?;
    let titles = ["長い".repeat(5_000), "&<>*_~`@all <!channel> ".repeat(400), "שרת \u{202e}נפל".to_owned()];
    let incidents = ["PLONG", "PMARKUP", "PRIGHT"];
    let mut webhooks = Vec::new();
    for ((number, incident), title) in (1..).zip(incidents).zip(&titles) {
        for kind in [Kind::Triggered, Kind::Resolved] {
            let id = format!("{incident}{kind:?}");
            webhooks.push(Webhook::titled(version, incident, number, kind, &id, title));
        }
    }
    let sent = deliver_all(&fleet, &webhooks, async |_| {}).await;
    let mut outcome = Outcome::of_webhooks(&around, sent, &webhooks, &around.take_posts(Mentioned::TODAY));
    outcome.arrived.mistaken += not_shown(&around, "🟢");
    Ok(outcome)
}

/// How many first messages on Slack have another headline than one that begins so.
fn not_shown(around: &Services, headline: &str) -> usize {
    let firsts = around.fakes.slack.shown().into_iter().filter(|message| message.thread.is_none());
    firsts.filter(|first| !first.head.last().is_some_and(|line| line.starts_with(headline))).count()
}

/// The ledger's table is down, the chat takes a post and doesn't answer, and another instance gets the redelivery.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn in_doubt_without_a_table(version: Version, make: &Target) -> Result<Outcome> {
    let around = Services::start().await?;
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), "typetalk".to_owned());
    around.dynamodb.shut_down();
    around.fakes.typetalk.fail_once(Fault::TakeAndHang);
    let fleet = Fleet::start(make, 2, &settings).await?;
    let webhooks = [Webhook::new(version, "PDOUBT", 1, Kind::Triggered, "w1")];
    let sent = deliver_all(&fleet, &webhooks, async |_| {}).await;
    Ok(Outcome::of_webhooks(&around, sent, &webhooks, &around.take_posts(Mentioned::TODAY)))
}

/// How an incident's thread on Slack ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadEnds {
    /// Somebody deletes its first message.
    Deleted,
    /// `SLACK_ALERT_CHANNEL` is set to another channel.
    OtherChannel,
}

/// An incident's thread can't be continued after its first event.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn thread_ends(version: Version, make: &Target, how: ThreadEnds) -> Result<Outcome> {
    let around = Services::start().await?;
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), "slack".to_owned());
    let webhooks = [("w1", Kind::Triggered), ("w2", Kind::Acknowledged), ("w3", Kind::Resolved)]
        .map(|(id, kind)| Webhook::new(version, "PTHREAD", 1, kind, id));
    let before = Fleet::start(make, 2, &settings).await?;
    let sent = deliver_all(&before, &webhooks[..1], async |_| {}).await;
    match how {
        ThreadEnds::Deleted => around.fakes.slack.delete_messages(),
        ThreadEnds::OtherChannel => {
            let other = settings["SLACK_ONCALL_CHANNEL"].clone();
            settings.insert("SLACK_ALERT_CHANNEL".to_owned(), other);
        }
    }
    let after = Fleet::start(make, 2, &settings).await?;
    let sent = sent.and(deliver_all(&after, &webhooks[1..], async |_| {}).await);
    Ok(Outcome::of_webhooks(&around, sent, &webhooks, &around.take_posts(Mentioned::TODAY)))
}

/// The function has wrong secrets, until somebody sees the alarm and puts them right; PagerDuty keeps what it sends.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn wrong_secrets_put_right(version: Version, make: &Target) -> Result<Outcome> {
    /// More than the drops that disable a subscription.
    const NOTICED_AFTER: usize = 6;
    let around = Services::start().await?;
    let mut right = around.settings();
    right.insert("CHATS".to_owned(), "typetalk".to_owned());
    let mut wrong = right.clone();
    for variable in ["PAGERDUTY_SIGNING_SECRETS", "PAGERDUTY_TOKENS"] {
        wrong.insert(variable.to_owned(), "of-another-subscription".to_owned());
    }
    let fleet = Fleet::start(make, 2, &wrong).await?;
    let webhooks = two_incidents(version);
    let mut deployed = Ok(());
    let sent = deliver_all(&fleet, &webhooks, async |attempt| {
        if attempt == NOTICED_AFTER {
            deployed = fleet.deploy(make, &right).await;
        }
    })
    .await;
    deployed?;
    Ok(Outcome::of_webhooks(&around, sent, &webhooks, &around.take_posts(Mentioned::TODAY)))
}

/// How a storm is made.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// Webhooks, two for each incident.
    pub webhooks: usize,
    /// Instances of the function.
    pub instances: usize,
    /// In which time they come.
    pub within: Duration,
    /// The least time between two messages that Slack takes.
    pub slack_pace: Duration,
    /// When a webhook that was not taken comes again.
    pub schedule: Schedule,
}

/// What a storm came to.
#[derive(Debug, Clone)]
pub struct StormReport {
    /// As in the fault matrix.
    pub outcome: Outcome,
    /// From the first webhook to the last post.
    pub took: Duration,
    /// What Slack's pace alone makes of it.
    pub bound: Duration,
    /// For each webhook that was posted, how long after its incident began; the shortest first.
    pub waits: Vec<Duration>,
    /// The most reads of the sheet in any one minute.
    pub reads_in_a_minute: usize,
}

/// Webhooks by the hundred, against Slack at its pace and no backup, with PagerDuty's timeouts.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn storm(storm: Storm, make: &Target) -> Result<StormReport> {
    let around = Arc::new(Services::start().await?);
    around.fakes.slack.keep_pace(storm.slack_pace);
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), "slack".to_owned());
    let fleet = Arc::new(Fleet::start(make, storm.instances, &settings).await?);
    let pairs: Vec<_> = (0..storm.webhooks / 2).map(pair).collect();
    let started = Instant::now();
    let every = storm.within / u32::try_from(pairs.len()).unwrap_or(u32::MAX);
    let total = Arc::new(Mutex::new(Sent::default()));
    let mut incidents = tokio::task::JoinSet::new();
    for (index, pair) in pairs.iter().cloned().enumerate() {
        let (fleet, total) = (Arc::clone(&fleet), Arc::clone(&total));
        let due = tokio::time::Instant::from_std(started) + every * u32::try_from(index).unwrap_or(u32::MAX);
        incidents.spawn(async move {
            sleep_until(due).await;
            let sent = patiently(&fleet, &pair, storm.schedule).await;
            let mut total = total.lock().await;
            total.attempts += sent.attempts;
            total.undelivered += sent.undelivered;
            total.slowest = total.slowest.max(sent.slowest);
        });
    }
    let mut posts: Vec<(Duration, Posted)> = Vec::new();
    let mut reads = vec![(Instant::now(), 0)];
    while !incidents.is_empty() {
        let _ = tokio::time::timeout(Duration::from_millis(50), incidents.join_next()).await;
        let after = started.elapsed();
        posts.extend(around.take_posts(Mentioned::TODAY).into_iter().map(|post| (after, post)));
        reads.push((Instant::now(), around.fakes.google.reads()));
    }
    posts.extend(around.take_posts(Mentioned::TODAY).into_iter().map(|post| (started.elapsed(), post)));
    let begun = |index: usize| every * u32::try_from(index).unwrap_or(u32::MAX);
    let mut waits: Vec<_> = pairs
        .iter()
        .enumerate()
        .flat_map(|(index, pair)| pair.iter().map(move |webhook| (begun(index), webhook)))
        .filter_map(|(begun, webhook)| {
            let (at, _) = posts.iter().find(|(_, post)| post.text.contains(&webhook.mark))?;
            Some(at.saturating_sub(begun))
        })
        .collect();
    waits.sort_unstable();
    let took = posts.last().map_or(Duration::ZERO, |(at, _)| *at);
    let posts: Vec<_> = posts.into_iter().map(|(_, post)| post).collect();
    let webhooks: Vec<_> = pairs.into_iter().flatten().collect();
    let sent = *total.lock().await;
    Ok(StormReport {
        outcome: Outcome::of_webhooks(&around, sent, &webhooks, &posts),
        took,
        waits,
        bound: storm.slack_pace * u32::try_from(storm.webhooks).unwrap_or(u32::MAX),
        reads_in_a_minute: most_in_a_minute(&reads),
    })
}

fn pair(index: usize) -> Vec<Webhook> {
    // Incidents need names that live as long as the trial.
    let incident: &'static str = format!("PSTORM{index}").leak();
    let number = index as u64;
    vec![
        Webhook::new(Version::V3, incident, number, Kind::Triggered, &format!("w{index}a")),
        Webhook::new(Version::V3, incident, number, Kind::Resolved, &format!("w{index}b")),
    ]
}

/// Delivers one incident's webhooks in order, with a pause after each attempt that failed.
async fn patiently(fleet: &Fleet, webhooks: &[Webhook], schedule: Schedule) -> Sent {
    let mut sent = Sent::default();
    for webhook in webhooks {
        let first = Instant::now();
        for attempt in 1.. {
            let started = Instant::now();
            let status = fleet.invoke(&webhook.event).await;
            sent.slowest = sent.slowest.max(started.elapsed());
            sent.attempts += 1;
            match status {
                Some(200..=299) => break,
                Some(400..=428 | 430..=499) => {
                    sent.undelivered += 1;
                    break;
                }
                _ => {
                    if let Some(pause) = schedule.pause(attempt, first.elapsed()) {
                        sleep(pause).await;
                    } else {
                        sent.undelivered += 1;
                        break;
                    }
                }
            }
        }
    }
    sent
}

fn most_in_a_minute(reads: &[(Instant, usize)]) -> usize {
    let within = |(at, count): &(Instant, usize)| {
        let before = reads.iter().rev().find(|(earlier, _)| *earlier + Duration::from_mins(1) <= *at);
        count - before.map_or(0, |(_, before)| *before)
    };
    reads.iter().map(within).max().unwrap_or_default()
}
