//! PagerDuty's rules of delivery: 2xx within 5 s or again, in order per incident, dropped on any other 4xx.
//!
//! Source: <https://developer.pagerduty.com/docs/webhooks/webhooks-behavior>. The pauses between attempts are not
//! waited for: an hour of them passes in no time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::timeout;

use super::fleet::Fleet;
use super::mentions::Posted;
use crate::fakes::pagerduty::{EventSpec, Incident, http_api_event, signature, v2};
use crate::fakes::{BEARER_TOKEN, SIGNING_SECRET};

/// What PagerDuty waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Attempts in an hour, by pauses that grow to some minutes.
const ATTEMPTS: usize = 20;
/// Drops in a row after which PagerDuty switches the subscription off.
const DROPS_TO_DISABLE: usize = 3;

/// When a webhook that was not taken comes again. PagerDuty keeps one for 48 hours and publishes no schedule, so a storm
/// is tried under several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Schedule {
    /// After half a second, then after twice the time, up to 10 s: for a try that is over soon.
    Eager,
    /// Every five minutes.
    EveryFiveMinutes,
    /// After 10 s, then after twice the time, up to ten minutes.
    DoublingToTenMinutes,
    /// After 10 s, then after twice the time, up to an hour.
    DoublingToAnHour,
    /// Five attempts in 20 minutes, and no more: PagerDuty's rule until November 2024.
    FiveInTwentyMinutes,
}

impl Schedule {
    /// What PagerDuty keeps a webhook for.
    const KEPT_FOR: Duration = Duration::from_hours(48);

    /// The pause after this many attempts, the first of which was so long ago; none if there is no further one.
    #[must_use]
    pub fn pause(self, attempts: u32, since_the_first: Duration) -> Option<Duration> {
        let doubling = |first: Duration, longest: Duration| {
            first.saturating_mul(1 << (attempts.saturating_sub(1)).min(20)).min(longest)
        };
        let pause = match self {
            Self::Eager => doubling(Duration::from_millis(500), Duration::from_secs(10)),
            Self::EveryFiveMinutes => Duration::from_mins(5),
            Self::DoublingToTenMinutes => doubling(Duration::from_secs(10), Duration::from_mins(10)),
            Self::DoublingToAnHour => doubling(Duration::from_secs(10), Duration::from_hours(1)),
            Self::FiveInTwentyMinutes if attempts < 5 => Duration::from_mins(5),
            Self::FiveInTwentyMinutes => return None,
        };
        (since_the_first + pause <= Self::KEPT_FOR).then_some(pause)
    }
}

/// The version of the webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Unsigned, with a bearer token.
    V2,
    /// Signed.
    V3,
}

/// One webhook that is to arrive.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The incident it belongs to; those of one incident are delivered in order.
    pub incident: &'static str,
    /// Words that its post, and no other, contains.
    pub mark: String,
    /// The event that API Gateway makes of it.
    pub event: Value,
}

/// What became of all webhooks, as PagerDuty sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Attempts made.
    pub attempts: usize,
    /// Webhooks that were dropped, or never answered with 2xx.
    pub undelivered: usize,
    /// The longest wait for an answer.
    pub slowest: Duration,
    /// Whether the subscription was switched off.
    pub disabled: bool,
}

impl Sent {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            attempts: self.attempts + other.attempts,
            undelivered: self.undelivered + other.undelivered,
            slowest: self.slowest.max(other.slowest),
            disabled: self.disabled || other.disabled,
        }
    }
}

impl Webhook {
    /// An event of an incident; `id` tells it from all others.
    #[must_use]
    pub fn new(version: Version, incident: &'static str, number: u64, kind: Kind, id: &str) -> Self {
        Self::titled(version, incident, number, kind, id, "応答が遅い")
    }

    /// The same with a title of one's own choice, behind the words that only its post contains.
    #[must_use]
    pub fn titled(version: Version, incident: &'static str, number: u64, kind: Kind, id: &str, title: &str) -> Self {
        let mark = format!("[{id}]");
        let at = oncall_relay::clock::now().fixed_offset();
        // A short reply has no title; it says who acted. What begins an incident has one.
        let agent = (kind != Kind::Triggered).then(|| &*mark.clone().leak());
        let event_spec = EventSpec { event_id: id.to_owned(), event_type: kind.event_type(version), at, agent };
        let incident_of = Incident { id: incident, number, title: format!("{mark} {title}"), service: "Backlog" };
        let (body, header) = match version {
            Version::V2 => {
                let body = v2(&[incident_of.v2(&event_spec)]).to_string();
                (body, ("authorization", format!("Bearer {BEARER_TOKEN}")))
            }
            Version::V3 => {
                let body = incident_of.v3(&event_spec).to_string();
                let signature = signature(SIGNING_SECRET, body.as_bytes());
                (body, ("x-pagerduty-signature", signature))
            }
        };
        let headers = [(header.0, header.1.as_str()), ("x-webhook-id", id)];
        Self { incident, mark, event: http_api_event("/pagerduty", &headers, body.as_bytes()) }
    }
}

/// What happens to an incident in a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It begins.
    Triggered,
    /// Somebody takes it on.
    Acknowledged,
    /// It ends.
    Resolved,
}

impl Kind {
    fn event_type(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Triggered, Version::V2) => "incident.trigger",
            (Self::Triggered, Version::V3) => "incident.triggered",
            (Self::Acknowledged, Version::V2) => "incident.acknowledge",
            (Self::Acknowledged, Version::V3) => "incident.acknowledged",
            (Self::Resolved, Version::V2) => "incident.resolve",
            (Self::Resolved, Version::V3) => "incident.resolved",
        }
    }
}

/// Delivers webhooks one after the other by PagerDuty's rules, and calls `after` with the number of each attempt.
pub async fn deliver_all(fleet: &Fleet, webhooks: &[Webhook], mut after: impl AsyncFnMut(usize)) -> Sent {
    let (mut sent, mut drops) = (Sent::default(), 0);
    let mut queue: VecDeque<(&Webhook, usize)> = webhooks.iter().map(|webhook| (webhook, 0)).collect();
    while let Some((webhook, tried)) = queue.pop_front() {
        if drops == DROPS_TO_DISABLE {
            sent.disabled = true;
            sent.undelivered += 1 + queue.len();
            break;
        }
        let started = Instant::now();
        let status = timeout(PATIENCE, fleet.invoke(&webhook.event)).await.ok().flatten();
        sent.slowest = sent.slowest.max(started.elapsed());
        sent.attempts += 1;
        after(sent.attempts).await;
        match status {
            Some(200..=299) => drops = 0,
            Some(400..=428 | 430..=499) => {
                drops += 1;
                sent.undelivered += 1;
            }
            _ if tried + 1 == ATTEMPTS => sent.undelivered += 1,
            // Later webhooks of the same incident wait behind it; others don't.
            _ => {
                let (mut same, mut others) = (VecDeque::from([(webhook, tried + 1)]), VecDeque::new());
                for waiting in queue.drain(..) {
                    let behind = waiting.0.incident == webhook.incident;
                    if behind { same.push_back(waiting) } else { others.push_back(waiting) }
                }
                queue = others;
                queue.extend(same);
            }
        }
    }
    sent
}

/// What the chats have of the webhooks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Webhooks of which no chat has a post.
    pub lost: usize,
    /// Posts too many that don't say that they may be repetitions.
    pub doubled: usize,
    /// Posts too many that say so, because the first one's fate could not be known.
    pub repeated_in_doubt: usize,
    /// Posts that say that they may be repetitions, although nothing went wrong that could not be put right at once.
    pub needless: usize,
    /// Posts that came before one of an earlier webhook of their incident.
    pub out_of_order: usize,
    /// Posts that mention others than they should, or don't say what they should about the roster.
    pub mistaken: usize,
}

/// Whether a text says that it may be a repetition.
pub(super) fn says_so(text: &str) -> bool {
    text.contains("再送の可能性") || text.contains("確認できないため")
}

/// Compares the posts, in the order in which they were made, with what was sent.
#[must_use]
pub fn compare(webhooks: &[Webhook], posts: &[Posted]) -> Arrived {
    let mistaken = posts.iter().filter(|post| post.mentioned != post.expected).count();
    let mut arrived = Arrived { mistaken, ..Arrived::default() };
    let texts: Vec<&str> = posts.iter().map(|post| post.text.as_str()).collect();
    for webhook in webhooks {
        let posts: Vec<_> = texts.iter().filter(|text| text.contains(&webhook.mark)).collect();
        arrived.lost += usize::from(posts.is_empty());
        let too_many = posts.len().saturating_sub(1);
        let honest = posts.iter().filter(|text| says_so(text)).count().min(too_many);
        arrived.repeated_in_doubt += honest;
        arrived.doubled += too_many - honest;
    }
    let firsts: Vec<_> = webhooks
        .iter()
        .map(|webhook| (webhook.incident, texts.iter().position(|text| text.contains(&webhook.mark))))
        .collect();
    for (index, (incident, first)) in firsts.iter().enumerate() {
        let earlier = firsts[..index].iter().filter(|(other, _)| other == incident);
        arrived.out_of_order += usize::from(earlier.into_iter().any(|(_, before)| before > first));
    }
    arrived
}

/// A short life of one incident, with another in its midst.
#[must_use]
pub fn two_incidents(version: Version) -> Vec<Webhook> {
    vec![
        Webhook::new(version, "PFIRST", 1, Kind::Triggered, "w1"),
        Webhook::new(version, "PFIRST", 1, Kind::Acknowledged, "w2"),
        Webhook::new(version, "PSECOND", 2, Kind::Triggered, "w3"),
        Webhook::new(version, "PFIRST", 1, Kind::Resolved, "w4"),
    ]
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::V2 => "v2",
            Self::V3 => "v3",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_says_when_a_webhook_comes_again_and_when_no_more() {
        let seconds = |schedule: Schedule| {
            let (mut attempts, mut passed, mut at) = (1, Duration::ZERO, vec![0]);
            while let Some(pause) = schedule.pause(attempts, passed) {
                attempts += 1;
                passed += pause;
                at.push(passed.as_secs());
            }
            at
        };
        assert_eq!(seconds(Schedule::FiveInTwentyMinutes), [0, 300, 600, 900, 1200]);
        assert_eq!(seconds(Schedule::DoublingToTenMinutes)[..9], [0, 10, 30, 70, 150, 310, 630, 1230, 1830]);
        assert_eq!(seconds(Schedule::DoublingToAnHour)[8..12], [2550, 5110, 8710, 12310]);
        for schedule in [Schedule::EveryFiveMinutes, Schedule::DoublingToTenMinutes, Schedule::DoublingToAnHour] {
            let last = *seconds(schedule).last().unwrap();
            assert!((47 * 3600..=48 * 3600).contains(&last), "{schedule:?}: {last}");
        }
    }
}
