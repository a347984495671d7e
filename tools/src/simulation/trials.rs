//! Trials beside the matrix: one event twice, a function killed over a post, wrong secrets, threads that end.

use std::error::Error;
use std::time::Duration;

use tokio::time::sleep;

use super::Services;
use super::faults::Outcome;
use super::fleet::{Fleet, Target};
use super::mentions::Mentioned;
use super::sender::{Kind, Sent, Version, Webhook, deliver_all, two_incidents};
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
        let doomed = Fleet::start(make, 1, &settings).await?;
        // The chat has the post, and the function still waits to hear so.
        around.fakes.typetalk.fail_once(Fault::TakeAndHang);
        let posted = async {
            while posts.is_empty() {
                posts.extend(around.take_posts(expected));
                sleep(Duration::from_millis(1)).await;
            }
        };
        kill_when(posted, doomed, &webhooks[0]).await;
    }
    let fleet = Fleet::start(make, 2, &settings).await?;
    let sent = deliver_all(&fleet, &webhooks, async |_| {}).await;
    posts.extend(around.take_posts(expected));
    Ok(Outcome::of_webhooks(&around, sent, &webhooks, &posts))
}

/// Kills the function over a webhook as soon as something has happened.
async fn kill_when(happened: impl Future<Output = ()>, mut doomed: Fleet, webhook: &Webhook) {
    tokio::select! {
        _ = doomed.invoke(&webhook.event) => {}
        () = happened => {}
    }
    doomed.kill();
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
        let doomed = Fleet::start(make, 1, &settings).await?;
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
        kill_when(updating, doomed, &webhooks[1]).await;
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
