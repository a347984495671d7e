//! A storm of webhooks against Slack at its pace, and how long the last of them waits.

use std::error::Error;
use std::num::NonZeroU32;
use std::time::Duration;

use super::faults::print_row;
use crate::simulation::fleet::Target;
use crate::simulation::sender::Schedule;
use crate::simulation::storm::{self, Storm, StormReport};

/// As many as come at the worst of times, at Slack's real pace.
const STORM: Storm = Storm {
    webhooks: 1_000,
    instances: 8,
    within: Duration::from_mins(1),
    slack_pace: Duration::from_secs(1),
    schedule: Schedule::Eager,
};

/// Makes a storm, so many times faster than the real one, and prints what came of it.
pub(super) async fn run(make: Target, times: NonZeroU32, schedule: Schedule) -> Result<(), Box<dyn Error>> {
    let faster =
        Storm { within: STORM.within / times.get(), slack_pace: STORM.slack_pace / times.get(), schedule, ..STORM };
    let Storm { webhooks, instances, within, slack_pace, .. } = faster;
    println!(
        "A storm of {webhooks} webhooks in {} s over {instances} instances, Slack at one message in {} s and no backup.",
        within.as_secs_f64(),
        slack_pace.as_secs_f64()
    );
    let StormReport { outcome, took, bound, waits, reads_in_a_minute } =
        storm::storm(faster, &make).await.map_err(|error| error.to_string())?;
    let broken = print_row("v3 | Slack | storm | once | cold", webhooks, &outcome);
    println!(
        "Half of the messages came within {} of their incident, nine in ten within {}, the last within {}.",
        share_of(&waits, 50),
        share_of(&waits, 90),
        share_of(&waits, 100)
    );
    println!(
        "The last post came after {:.0} s; Slack's pace alone makes {:.0} s. The sheet was read {reads_in_a_minute} \
         times in a minute at most, and Google allows 60.",
        took.as_secs_f64(),
        bound.as_secs_f64()
    );
    if broken > 0 || reads_in_a_minute > 60 { Err("the storm did harm".into()) } else { Ok(()) }
}

/// The time within which this share of the posts came, in percent.
fn share_of(waits: &[Duration], percent: usize) -> String {
    let index = (waits.len() * percent).div_ceil(100).saturating_sub(1);
    let seconds = waits.get(index).map_or(0, Duration::as_secs);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
