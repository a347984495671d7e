//! A storm of webhooks against Slack at its pace: how long the messages wait, what is lost, and how often people are
//! mentioned.

use std::error::Error;
use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;

use super::faults::print_row;
use super::output::Output;
use crate::simulation::fleet::Target;
use crate::simulation::sender::Schedule;
use crate::simulation::storm::{self, Storm, StormReport};

/// What the storm is like.
#[derive(Debug, Args)]
pub(super) struct How {
    /// When PagerDuty sends a webhook again that was not taken: it publishes no schedule.
    #[arg(long, value_enum, default_value = "eager")]
    schedule: Schedule,
    /// How many webhooks come within the minute, two for each incident.
    #[arg(long, default_value = "1000", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    webhooks: u32,
    /// How many webhooks Lambda handles at a time.
    #[arg(long, default_value = "8", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    instances: u32,
    /// Give Slack a backup: Typetalk, which takes whatever comes.
    #[arg(long)]
    backup: bool,
    /// The relay's `STORM_ABOVE`; without it every new incident mentions people.
    #[arg(long)]
    storm_above: Option<NonZeroU32>,
    /// Have the webhooks come, and Slack take messages, so many times faster. The pauses between attempts and the
    /// relay's own limits stay.
    #[arg(long, default_value = "1")]
    times: NonZeroU32,
}

impl How {
    fn storm(&self) -> Storm {
        let faster = |time: Duration| time / self.times.get();
        Storm {
            webhooks: self.webhooks as usize,
            instances: self.instances as usize,
            within: faster(Duration::from_mins(1)),
            slack_pace: faster(Duration::from_secs(1)),
            schedule: self.schedule,
            has_backup: self.backup,
            storm_above: self.storm_above.map(NonZeroU32::get),
        }
    }
}

/// Makes a storm and prints what came of it.
pub(super) async fn run(make: Target, how: &How) -> Result<(), Box<dyn Error>> {
    let mut output = Output::of_long_work();
    let storm = how.storm();
    let Storm { webhooks, instances, within, slack_pace, .. } = storm;
    output.line(&format!(
        "A storm of {webhooks} webhooks in {} s over {instances} instances, Slack at one message in {} s and {}.",
        within.as_secs_f64(),
        slack_pace.as_secs_f64(),
        if storm.has_backup { "Typetalk as its backup" } else { "no backup" }
    ))?;
    if matches!(make, Target::Linked) {
        output.line("The pauses in which everything waits are passed over.")?;
    }
    let report = storm::storm(storm, &make).await.map_err(|error| error.to_string())?;
    let StormReport { outcome, incidents, took, bound, begun, over, reads_in_a_minute, mentions, later_mentions } =
        report;
    let broken = print_row(&mut output, "v3 | Slack | storm | once | cold", webhooks, &outcome)?;
    for (what, waits) in [("beginning", begun), ("end", over)] {
        output.line(&format!(
            "Of {incidents} incidents {} have no message of their {what}. Half of the others have it within {} of the \
             incident, nine in ten within {}, the last within {}.",
            incidents - waits.len(),
            share_of(&waits, 50),
            share_of(&waits, 90),
            share_of(&waits, 100)
        ))?;
    }
    output.line(&format!(
        "The last post came after {}; Slack's pace alone makes {}. The sheet was read {reads_in_a_minute} times in a \
         minute at most, and Google allows 60.",
        words(took),
        words(bound)
    ))?;
    output.line(&format!(
        "{} messages about new incidents mentioned people, the last one after {}; of those about what came after, \
         {later_mentions} did.",
        mentions.len(),
        mentions.last().map_or_else(|| "no time".to_owned(), |at| words(*at))
    ))?;
    if broken > 0 || reads_in_a_minute > 60 { Err("the storm did harm".into()) } else { Ok(()) }
}

/// The time within which this share of the posts came, in percent.
fn share_of(waits: &[Duration], percent: usize) -> String {
    let index = (waits.len() * percent).div_ceil(100).saturating_sub(1);
    words(waits.get(index).copied().unwrap_or_default())
}

fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
