//! A storm of webhooks against Slack at its pace: what is late, what is lost, and whom it disturbs.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::Services;
use super::faults::Outcome;
use super::fleet::{Fleet, Target};
use super::mentions::{Mentioned, Posted, Whom};
use super::sender::{Kind, Schedule, Sent, Version, Webhook};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

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
    /// Whether Typetalk, which takes whatever comes, is Slack's backup.
    pub has_backup: bool,
    /// `STORM_ABOVE`.
    pub storm_above: Option<u32>,
}

/// What a storm came to. Times are from the first webhook.
#[derive(Debug, Clone)]
pub struct StormReport {
    /// As in the fault matrix.
    pub outcome: Outcome,
    /// How many incidents there were.
    pub incidents: usize,
    /// When the last post came.
    pub took: Duration,
    /// What Slack's pace alone makes of it.
    pub bound: Duration,
    /// For each incident whose beginning was posted, how long after it; the shortest first.
    pub begun: Vec<Duration>,
    /// The same of those whose end was posted.
    pub over: Vec<Duration>,
    /// The most reads of the sheet in any one minute.
    pub reads_in_a_minute: usize,
    /// When posts about new incidents or the storm itself mentioned somebody, the earliest first.
    pub mentions: Vec<Duration>,
    /// How many posts about what came after mentioned somebody.
    pub later_mentions: usize,
}

/// The time of a storm. While everybody waits it is passed over, if the functions can be told so.
struct Timeline {
    started: Instant,
    passed_over: watch::Sender<Duration>,
    waiting: Mutex<BTreeSet<(Duration, usize)>>,
}

impl Timeline {
    /// So long before the next webhook it is real again.
    const AHEAD: Duration = Duration::from_secs(2);

    fn now(&self) -> Duration {
        self.started.elapsed() + *self.passed_over.borrow()
    }

    async fn until(&self, due: Duration, incident: usize) {
        let mut passed_over = self.passed_over.subscribe();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert((due, incident));
        while let Some(left) = due.checked_sub(self.now()).filter(|left| !left.is_zero()) {
            let _ = timeout(left, passed_over.changed()).await;
        }
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&(due, incident));
    }

    /// Passes over what lies before the next webhook, if all of them wait for their next attempt.
    fn pass_over(&self, incidents: usize, fleet: &Fleet) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = waiting.first().and_then(|(due, _)| due.checked_sub(self.now() + Self::AHEAD));
        if let Some(idle) = idle.filter(|idle| waiting.len() == incidents && fleet.let_pass_at_once(*idle)) {
            self.passed_over.send_modify(|passed_over| *passed_over += idle);
        }
    }
}

/// Webhooks by the hundred, against Slack at its pace, with PagerDuty's timeouts.
///
/// # Errors
/// If the services or the instances can't be started.
pub async fn storm(storm: Storm, make: &Target) -> Result<StormReport> {
    let around = Services::start().await?;
    around.fakes.slack.keep_pace(storm.slack_pace);
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), if storm.has_backup { "slack,typetalk" } else { "slack" }.to_owned());
    if let Some(limit) = storm.storm_above {
        settings.insert("STORM_ABOVE".to_owned(), limit.to_string());
    }
    let fleet = Arc::new(Fleet::start(make, storm.instances, &settings).await?);
    let pairs: Vec<_> = (0..storm.incidents()).map(pair).collect();
    let (started, passed_over) = (Instant::now(), watch::Sender::default());
    let timeline = Arc::new(Timeline { started, passed_over, waiting: Mutex::default() });
    let mut incidents = JoinSet::new();
    for (index, pair) in pairs.iter().cloned().enumerate() {
        let (fleet, timeline, due) = (Arc::clone(&fleet), Arc::clone(&timeline), storm.begins(index));
        incidents.spawn(async move {
            timeline.until(due, index).await;
            patiently(&fleet, &pair, storm.schedule, &timeline, index).await
        });
    }
    let mut sent = Sent::default();
    let mut posts: Vec<(Duration, Posted)> = Vec::new();
    let mut reads = vec![(Duration::ZERO, 0)];
    while !incidents.is_empty() {
        while let Some(Ok(of_one)) = incidents.try_join_next() {
            sent = sent.and(of_one);
        }
        sleep(Duration::from_millis(20)).await;
        let now = timeline.now();
        posts.extend(around.take_posts(Mentioned::TODAY).into_iter().map(|post| (now, post)));
        reads.push((now, around.fakes.google.reads()));
        timeline.pass_over(incidents.len(), &fleet);
    }
    Ok(StormReport::of(storm, &around, sent, &pairs, posts, &reads))
}

impl Storm {
    fn incidents(&self) -> usize {
        self.webhooks / 2
    }

    fn begins(&self, incident: usize) -> Duration {
        let every = self.within / u32::try_from(self.incidents()).unwrap_or(u32::MAX);
        every * u32::try_from(incident).unwrap_or(u32::MAX)
    }
}

impl StormReport {
    fn of(
        storm: Storm,
        around: &Services,
        sent: Sent,
        pairs: &[[Webhook; 2]],
        mut posts: Vec<(Duration, Posted)>,
        reads: &[(Duration, usize)],
    ) -> Self {
        let marks = |which: usize| pairs.iter().map(|pair| pair[which].mark.as_str()).collect::<Vec<_>>();
        let (beginnings, ends) = (marks(0), marks(1));
        let is_of = |post: &Posted, marks: &[&str]| marks.iter().any(|mark| post.text.contains(mark));
        let (mut mentions, mut later_mentions) = (Vec::new(), 0);
        for (at, post) in &mut posts {
            let is_quiet = post.mentioned.whom == Whom::Nobody;
            if is_of(post, &ends) {
                later_mentions += usize::from(!is_quiet);
            } else if !is_quiet {
                mentions.push(*at);
            } else if storm.storm_above.is_some() && is_of(post, &beginnings) {
                post.expected = post.mentioned;
            }
        }
        let wait = |incident: usize, mark: &str| {
            let (at, _) = posts.iter().find(|(_, post)| post.text.contains(mark))?;
            Some(at.saturating_sub(storm.begins(incident)))
        };
        let waits_of = |marks: &[&str]| {
            let mut waits: Vec<_> = marks.iter().enumerate().filter_map(|(at, mark)| wait(at, mark)).collect();
            waits.sort_unstable();
            waits
        };
        let (begun, over) = (waits_of(&beginnings), waits_of(&ends));
        let took = posts.last().map_or(Duration::ZERO, |(at, _)| *at);
        let posts: Vec<_> = posts.into_iter().map(|(_, post)| post).collect();
        Self {
            outcome: Outcome::of_webhooks(around, sent, &pairs.concat(), &posts),
            incidents: pairs.len(),
            took,
            bound: storm.slack_pace * u32::try_from(storm.webhooks).unwrap_or(u32::MAX),
            begun,
            over,
            reads_in_a_minute: most_in_a_minute(reads),
            mentions,
            later_mentions,
        }
    }
}

fn pair(index: usize) -> [Webhook; 2] {
    // Incidents need names that live as long as the trial.
    let incident: &'static str = format!("PSTORM{index}").leak();
    let number = index as u64;
    [(Kind::Triggered, 'a'), (Kind::Resolved, 'b')]
        .map(|(kind, which)| Webhook::new(Version::V3, incident, number, kind, &format!("w{index}{which}")))
}

/// Delivers one incident's webhooks in order, with a pause after each attempt that failed.
async fn patiently(
    fleet: &Fleet,
    webhooks: &[Webhook],
    schedule: Schedule,
    timeline: &Timeline,
    incident: usize,
) -> Sent {
    let mut sent = Sent::default();
    for webhook in webhooks {
        let first = timeline.now();
        for attempt in 1.. {
            let started = Instant::now();
            let status = fleet.invoke(&webhook.event).await;
            sent.slowest = sent.slowest.max(started.elapsed());
            sent.attempts += 1;
            let pause = match status {
                Some(200..=299) => break,
                Some(400..=428 | 430..=499) => None,
                _ => schedule.pause(attempt, timeline.now().saturating_sub(first)),
            };
            let Some(pause) = pause else {
                sent.undelivered += 1;
                break;
            };
            timeline.until(timeline.now() + pause, incident).await;
        }
    }
    sent
}

fn most_in_a_minute(reads: &[(Duration, usize)]) -> usize {
    let within = |(at, count): &(Duration, usize)| {
        let before = reads.iter().rev().find(|(earlier, _)| *earlier + Duration::from_mins(1) <= *at);
        count - before.map_or(0, |(_, before)| *before)
    };
    reads.iter().map(within).max().unwrap_or_default()
}
