//! The stand-ins on fixed ports, to run the functions against by hand; what is posted is printed.

use std::error::Error;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::fakes::incidents::reads;
use crate::fakes::{Fakes, ROSTER_TAB};
use oncall_relay::clock;

/// Google, Typetalk, Slack, PagerDuty's REST API; `events/env.json` points there.
const PORTS: [u16; 4] = [8801, 8802, 8803, 8804];

/// The days that the reminders in `events/` speak of.
const DAYS_OF_THE_SAMPLES: [&str; 2] = ["2026-11-24", "2026-11-25"];

/// Where `PagerDuty` is said to post to, as `events/env.json` has it: the check looks for its subscription.
const WEBHOOK_URL: &str = "https://relay.example/pagerduty";

/// How often new posts are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Serves until it is stopped.
pub(super) async fn run() -> Result<(), Box<dyn Error>> {
    let fakes = Fakes::start_on(PORTS).await.map_err(|error| {
        format!("the stand-ins need the ports 8801 to 8804 of 127.0.0.1 ({error}); stop what listens there")
    })?;
    write_this_weeks_roster(&fakes);
    fakes.incidents.set_up(|account| account.subscriptions = vec![reads::subscription("PRELAY", WEBHOOK_URL)]);
    fakes.incidents.open(31, "バックアップが終わっていません", "triggered", "2026-11-23T20:15:00Z");
    let containers = pass_on_from_containers().await?;
    let mut out = io::stdout();
    writeln!(
        out,
        "Stand-ins for Google (8801), Typetalk (8802), Slack (8803) and PagerDuty's API (8804) on 127.0.0.1."
    )?;
    match containers {
        Some(gateway) => writeln!(out, "Docker's containers reach them at host.docker.internal ({gateway}).")?,
        None => writeln!(
            out,
            "Docker Desktop's containers reach them at host.docker.internal; Docker Engine is to be started before them."
        )?,
    }
    writeln!(
        out,
        "Their roster names 田中 and 鈴木 on each of the next days. What is posted appears here; Ctrl-C stops them."
    )?;
    loop {
        for post in fakes.typetalk.take_posts() {
            print_post(&format!("Typetalk, topic {}", post.topic), &post.message)?;
        }
        for post in fakes.slack.take_posts() {
            print_post(&format!("Slack, channel {}", post.channel), &post.text)?;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Lets containers reach the stand-ins, whose ports are loopback's. Docker Desktop does so itself; with Docker Engine,
/// `host.docker.internal` is the gateway of the bridge, an address of this machine that only containers use.
async fn pass_on_from_containers() -> Result<Option<Ipv4Addr>, Box<dyn Error>> {
    let Some(gateway) = gateway_of_the_bridge() else { return Ok(None) };
    for port in PORTS {
        match TcpListener::bind((gateway, port)).await {
            Ok(listener) => drop(tokio::spawn(pass_on(listener, port))),
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => return Ok(None),
            Err(error) => return Err(format!("the port {port} of {gateway}, for containers: {error}").into()),
        }
    }
    Ok(Some(gateway))
}

/// The address at which Docker's containers find their host, if Docker is running.
fn gateway_of_the_bridge() -> Option<Ipv4Addr> {
    let networks = "{{range .IPAM.Config}}{{println .Subnet .Gateway}}{{end}}";
    let answer = Command::new("docker").args(["network", "inspect", "bridge", "--format", networks]).output().ok()?;
    String::from_utf8_lossy(&answer.stdout).lines().find_map(gateway_of)
}

/// The gateway of a line with a subnet and its gateway, which Docker may leave out: then it is the first address.
fn gateway_of(network: &str) -> Option<Ipv4Addr> {
    let mut words = network.split_whitespace();
    let (subnet, gateway) = (words.next()?, words.next());
    let subnet: Ipv4Addr = subnet.split('/').next()?.parse().ok()?;
    gateway.and_then(|gateway| gateway.parse().ok()).or_else(|| Some(Ipv4Addr::from(u32::from(subnet).checked_add(1)?)))
}

/// Passes every connection on to the same port of loopback.
async fn pass_on(listener: TcpListener, port: u16) {
    while let Ok((mut from, _)) = listener.accept().await {
        tokio::spawn(async move {
            // A connection that ends badly is for the two ends to tell.
            if let Ok(mut to) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                let _ = copy_bidirectional(&mut from, &mut to).await;
            }
        });
    }
}

/// The functions have real clocks, so the roster has the real days.
fn write_this_weeks_roster(fakes: &Fakes) {
    let today = clock::now().with_timezone(&chrono_tz::Asia::Tokyo).date_naive();
    let real = today.iter_days().take(28).map(|day| day.to_string());
    let days: Vec<_> = real.chain(DAYS_OF_THE_SAMPLES.map(str::to_owned)).collect();
    let rows: Vec<_> = days.iter().map(|day| [day.as_str(), "田中、鈴木"]).collect();
    fakes.google.write(ROSTER_TAB, &rows.iter().map(<[&str; 2]>::as_slice).collect::<Vec<_>>());
}

fn print_post(place: &str, text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "\n{place}")?;
    text.lines().try_for_each(|line| writeln!(out, "│ {line}"))?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_what_docker_says_or_else_the_first_address() {
        for (network, gateway) in [
            ("172.17.0.0/16 172.17.0.1", Some("172.17.0.1")),
            ("192.168.215.0/24 192.168.215.254", Some("192.168.215.254")),
            ("172.17.0.0/16 ", Some("172.17.0.1")),
            ("172.17.0.0/16", Some("172.17.0.1")),
            ("fd00::/80 fd00::1", None),
            ("", None),
        ] {
            assert_eq!(gateway_of(network).map(|gateway| gateway.to_string()).as_deref(), gateway, "{network:?}");
        }
    }
}
