//! The stand-ins on fixed ports, to run the functions against by hand; what is posted is printed.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use tokio::time::sleep;

use crate::edge::telemetry;
use crate::stand_ins::{ROSTER_TAB, StandIns};

/// Google, Typetalk, Slack, PagerDuty's REST API; `events/env.json` points there.
const PORTS: [u16; 4] = [8801, 8802, 8803, 8804];

/// The days that the reminders in `events/` speak of.
const DAYS_OF_THE_SAMPLES: [&str; 2] = ["2026-11-24", "2026-11-25"];

/// How often new posts are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Serves until it is stopped.
pub(super) async fn run() -> Result<(), Box<dyn Error>> {
    let stand_ins = StandIns::start_on(PORTS).await.map_err(|error| {
        format!("the stand-ins need the ports 8801 to 8804 of 127.0.0.1 ({error}); stop what listens there")
    })?;
    write_this_weeks_roster(&stand_ins);
    stand_ins.incidents.open(31, "バックアップが終わっていません", "triggered", "2026-11-23T20:15:00Z");
    println!("Stand-ins for Google (8801), Typetalk (8802), Slack (8803) and PagerDuty's API (8804) on 127.0.0.1.");
    println!(
        "Their roster names 田中 and 鈴木 on each of the next days. What is posted appears here; Ctrl-C stops them."
    );
    loop {
        for post in stand_ins.typetalk.take_posts() {
            print_post(&format!("Typetalk, topic {}", post.topic), &post.message)?;
        }
        for post in stand_ins.slack.take_posts() {
            print_post(&format!("Slack, channel {}", post.channel), &post.text)?;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// The functions have real clocks, so the roster has the real days.
fn write_this_weeks_roster(stand_ins: &StandIns) {
    let today = telemetry::now().with_timezone(&chrono_tz::Asia::Tokyo).date_naive();
    let real = today.iter_days().take(14).map(|day| day.to_string());
    let days: Vec<_> = real.chain(DAYS_OF_THE_SAMPLES.map(str::to_owned)).collect();
    let rows: Vec<_> = days.iter().map(|day| [day.as_str(), "田中、鈴木"]).collect();
    stand_ins.google.write(ROSTER_TAB, &rows.iter().map(<[&str; 2]>::as_slice).collect::<Vec<_>>());
}

fn print_post(place: &str, text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "\n{place}")?;
    text.lines().try_for_each(|line| writeln!(out, "│ {line}"))?;
    out.flush()
}
