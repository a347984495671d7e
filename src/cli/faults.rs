//! The fault matrix as a table, in the form of `docs/reliability.md`.

use std::error::Error;

use futures_util::stream::{self, StreamExt};

use crate::trial::faults::{self, Outcome, Row};
use crate::trial::fleet::Make;
use crate::trial::sender::Version;
use crate::trial::storm;

/// Rows at the same time: most of them wait.
const AT_ONCE: usize = 8;

/// Runs all trials and prints what came of them.
pub(super) async fn run(make: Make) -> Result<(), Box<dyn Error>> {
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
        let wrong = storm::wrong_secrets_put_right(version, &make).await.map_err(|error| error.to_string())?;
        broken += print_row(&format!("{version} | function | wrong secrets, then the right ones | a while"), 4, &wrong);
    }
    if broken > 0 {
        return Err(format!("{broken} rows are not as promised").into());
    }
    println!("\nEvery row is as promised: 0 lost, 0 out of order, doubled only in doubt, every answer under 4 s.");
    Ok(())
}

/// Prints a row and returns 1 if it is not as promised.
pub(super) fn print_row(what: &str, sent: usize, outcome: &Outcome) -> usize {
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
