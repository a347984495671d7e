//! The fault matrix as a table, in the form of `docs/reliability.md`.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use crate::trial::faults::{self, Outcome, Row};
use crate::trial::fleet::Make;
use crate::trial::sender::Version;
use crate::trial::storm::{self, Storm, Weathered};

/// Rows at the same time: most of them wait.
const AT_ONCE: usize = 8;

/// The storm of the promise: as many as fit into a minute, at Slack's real pace.
const STORM: Storm =
    Storm { webhooks: 1_000, instances: 8, within: Duration::from_mins(1), slack_pace: Duration::from_secs(1) };

/// Runs all trials, with the built function if an emulator is named, and prints what came of them.
pub(super) async fn run(rie: Option<PathBuf>, bootstraps: PathBuf, with_storm: bool) -> Result<(), Box<dyn Error>> {
    let make = match rie {
        Some(rie) => Make::Built { rie, bootstrap: bootstraps.join("pagerduty2typetalk") },
        None => Make::Linked,
    };
    println!(
        "| webhooks | service | failure | lasting | sent | lost | doubled | in doubt | out of order | attempts | slowest | calls |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let mut broken = 0;
    let outcomes = stream::iter(faults::rows())
        .map(|row| {
            let make = make.clone();
            async move { (faults::run(&row, &make).await, row) }
        })
        .buffered(AT_ONCE);
    let mut outcomes = std::pin::pin!(outcomes);
    while let Some((outcome, row)) = outcomes.next().await {
        let outcome = outcome.map_err(|error| error.to_string())?;
        let Row { version, culprit, name, lasting, .. } = row;
        broken += print_row(&format!("{version} | {culprit} | {name} | {lasting}"), 4, &outcome);
    }
    for version in [Version::V2, Version::V3] {
        let twice = storm::one_event_twice(version, &make).await.map_err(|error| error.to_string())?;
        broken += print_row(&format!("{version} | function | one event on two instances | at once"), 1, &twice);
        let doubt = storm::in_doubt_without_a_table(version, &make).await.map_err(|error| error.to_string())?;
        broken += print_row(&format!("{version} | function | accepted, answered too late, no table | once"), 1, &doubt);
        let killed = storm::killed_between_post_and_record(version, &make).await.map_err(|error| error.to_string())?;
        broken += print_row(&format!("{version} | function | killed between post and record | once"), 1, &killed);
    }
    if with_storm {
        broken += print_storm(&storm::storm(STORM, &make).await.map_err(|error| error.to_string())?);
    }
    if broken > 0 {
        return Err(format!("{broken} rows are not as promised").into());
    }
    println!("\nEvery row is as promised: 0 lost, 0 out of order, doubled only in doubt, every answer under 4 s.");
    Ok(())
}

/// Prints a row and returns 1 if it is not as promised.
fn print_row(what: &str, sent: usize, outcome: &Outcome) -> usize {
    let Outcome { sent: delivery, arrived, calls } = outcome;
    let bad = if outcome.is_as_promised() { "" } else { " ✗" };
    println!(
        "| {what} | {sent} | {} | {} | {} | {} | {} | {:.2} s | {calls} |{bad}",
        arrived.lost,
        arrived.doubled,
        arrived.repeated_in_doubt,
        arrived.out_of_order,
        delivery.attempts,
        delivery.slowest.as_secs_f64(),
    );
    usize::from(!outcome.is_as_promised())
}

fn print_storm(weathered: &Weathered) -> usize {
    let Weathered { outcome, took, bound, reads_in_a_minute } = weathered;
    let Storm { webhooks, instances, within, slack_pace } = STORM;
    println!(
        "\nA storm of {webhooks} webhooks in {} s over {instances} instances, Slack at one message in {} s and no backup:",
        within.as_secs(),
        slack_pace.as_secs_f64()
    );
    print_row("v3 | Slack | storm | a minute", webhooks, outcome);
    println!(
        "The last post came after {:.0} s; Slack's pace alone makes {:.0} s. The sheet was read {reads_in_a_minute} \
         times a minute at most; Google allows 60.",
        took.as_secs_f64(),
        bound.as_secs_f64()
    );
    usize::from(!outcome.is_as_promised() || *reads_in_a_minute > 60)
}
