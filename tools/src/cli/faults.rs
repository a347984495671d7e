//! The fault matrix as a table.

use std::error::Error;
use std::io;

use futures_util::stream::{self, StreamExt};

use super::output::Output;
use crate::simulation::faults::{self, Outcome, Row};
use crate::simulation::fleet::Target;
use crate::simulation::sender::Version;
use crate::simulation::trials::{self, ThreadEnds};
use crate::simulation::{notices, presses, reminders};

/// Rows at the same time: most of them wait.
const AT_ONCE: usize = 8;

/// Runs all trials and prints what came of them.
pub(super) async fn run(make: Target) -> Result<(), Box<dyn Error>> {
    let mut output = Output::of_long_work();
    output.line(
        "| webhooks | service | failure | lasting | known of the sheet | sent | lost | doubled | in doubt | out of order | mentioned | wrongly | attempts | slowest | calls |",
    )?;
    output.line("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")?;
    let (alone, together): (Vec<_>, Vec<_>) = faults::rows().into_iter().partition(Row::raises_no_doubt);
    let mut broken = 0;
    for (rows, at_once) in [(alone, 1), (together, AT_ONCE)] {
        let named = |Row { version, service, name, lasting, known, .. }: &Row| {
            format!("{version} | {service} | {name} | {lasting} | {known}")
        };
        broken += print_rows(&mut output, rows, at_once, &make, faults::run, named).await?;
    }
    let said = |error: Box<dyn Error + Send + Sync>| error.to_string();
    for version in [Version::V2, Version::V3] {
        for (what, sent, outcome) in [
            ("one event on two instances | at once", 1, trials::one_event_twice(version, &make).await),
            ("accepted, answered too late, no table | once", 1, trials::in_doubt_without_a_table(version, &make).await),
            ("killed between post and record | once", 1, trials::killed_between_post_and_record(version, &make).await),
            (
                "killed between reply and update | once",
                2,
                trials::killed_between_reply_and_update(version, &make).await,
            ),
            ("odd titles | for good", 6, trials::odd_titles(version, &make).await),
            ("wrong secrets, then the right ones | a while", 4, trials::wrong_secrets_put_right(version, &make).await),
            ("thread deleted | for good", 3, trials::thread_ends(version, &make, ThreadEnds::Deleted).await),
            ("other channel | for good", 3, trials::thread_ends(version, &make, ThreadEnds::OtherChannel).await),
        ] {
            broken += print_row(
                &mut output,
                &format!("{version} | function | {what} | cold"),
                sent,
                &outcome.map_err(said)?,
            )?;
        }
    }
    for (what, outcome) in [
        ("two invocations | at once", Box::pin(reminders::two_at_once(&make)).await),
        ("first invocation dies | once", reminders::first_dies(&make).await),
        ("requested for tomorrow, too | once", reminders::requested_early(&make).await),
    ] {
        broken += print_row(&mut output, &format!("reminder | function | {what} | cold"), 1, &outcome.map_err(said)?)?;
    }
    let on_a_cold_function = |kind: &str, Row { service, name, lasting, .. }: &Row| {
        format!("{kind} | {service} | {name} | {lasting} | cold")
    };
    let named = |row: &Row| on_a_cold_function("press", row);
    broken += print_rows(&mut output, presses::rows(), AT_ONCE, &make, presses::run, named).await?;
    let named = |row: &Row| on_a_cold_function("notice", row);
    broken += print_rows(&mut output, notices::rows(), AT_ONCE, &make, notices::run, named).await?;
    for (what, sent, outcome) in [
        ("one key from two runners | at once", 1, notices::two_runners(&make).await),
        ("killed between post and record | once", 1, notices::killed_between_post_and_record(&make).await),
        ("too many in a minute | for good", 25 + 4, notices::too_many(&make).await),
    ] {
        broken += print_row(&mut output, &format!("notice | function | {what} | cold"), sent, &outcome.map_err(said)?)?;
    }
    if broken > 0 {
        return Err(format!("{broken} rows are not as promised").into());
    }
    output.line(
        "\nEvery row is as promised: 0 lost, 0 out of order, doubled only in doubt, the right people mentioned, \
         every answer in time.",
    )?;
    Ok(())
}

/// Runs rows, so many at the same time, prints each, and returns how many are not as promised.
async fn print_rows(
    output: &mut Output,
    rows: Vec<Row>,
    at_once: usize,
    make: &Target,
    run: impl AsyncFn(&Row, &Target) -> Result<Outcome, Box<dyn Error + Send + Sync>>,
    named: impl Fn(&Row) -> String,
) -> Result<usize, Box<dyn Error>> {
    let run = &run;
    let outcomes = stream::iter(rows).map(|row| async move { (Box::pin(run(&row, make)).await, row) });
    let mut outcomes = std::pin::pin!(outcomes.buffered(at_once));
    let mut broken = 0;
    while let Some((outcome, row)) = outcomes.next().await {
        let outcome = outcome.map_err(|error| error.to_string())?;
        broken += print_row(output, &named(&row), 4, &outcome)?;
    }
    Ok(broken)
}

/// Prints a row and returns 1 if it is not as promised.
pub(super) fn print_row(output: &mut Output, what: &str, sent: usize, outcome: &Outcome) -> io::Result<usize> {
    let Outcome { sent: delivery, arrived, mentioned, calls, .. } = outcome;
    let is_good = outcome.is_as_promised() && arrived.needless == 0;
    let bad = if is_good { "" } else { " ✗" };
    output.line(&format!(
        "| {what} | {sent} | {} | {} | {} | {} | {mentioned} | {} | {} | {:.2} s | {calls} |{bad}",
        arrived.lost,
        arrived.doubled,
        arrived.repeated_in_doubt,
        arrived.out_of_order,
        arrived.mistaken,
        delivery.attempts,
        delivery.slowest.as_secs_f64(),
    ))?;
    Ok(usize::from(!is_good))
}
