//! Whatever hangs, and however little time there is: every check is reported once, and none that saw nothing is ok.

use std::time::Duration;

use oncall::fakes::server::{Fault, Server};
use oncall_relay::clock::Invocation;
use oncall_relay::domain::check::{NAMES, Status};
use serde_json::json;

use super::{MORNING, ask, healthy, statuses};
use crate::world::{World, instant};

type Service = fn(&World) -> &Server;

const SERVICES: [(Service, &[&str]); 5] = [
    (|world| &world.google, &["sheet", "members", "roster"]),
    (|world| &world.slack, &["slack.alert", "slack.oncall"]),
    (|world| &world.typetalk, &["typetalk.alert", "typetalk.oncall"]),
    (|world| &world.incidents, &["pagerduty.key", "pagerduty.webhook", "pagerduty.escalation"]),
    (|world| &world.watchdog, &[]),
];
const OF_THE_TABLE: [&str; 4] = ["ledger", "webhook", "slack.acting", "heartbeat"];

/// Has the services whose numbers are in `hanging` hang, the last of which is the table.
async fn every_name_is_there_once(hanging: &[usize], post: bool) {
    let (world, table) = healthy().await;
    let mut blind = Vec::new();
    for number in hanging {
        let (server, checks) = match SERVICES.get(*number) {
            Some((service, checks)) => (service(&world), *checks),
            None => (&*table, &OF_THE_TABLE[..]),
        };
        server.fail_only("");
        server.fail_always(Some(Fault::Hang));
        blind.extend(checks);
    }
    let answer = ask(&world, &json!({"check": true, "post": post})).await;
    let found = statuses(&answer);
    assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), NAMES, "{hanging:?}");
    for (name, status) in &found {
        let saw_nothing = blind.contains(&name.as_str());
        assert!(!saw_nothing || status != "ok", "{hanging:?}: {name} is {status}: {answer:#}");
    }
}

#[tokio::test]
async fn whatever_hangs_every_name_is_reported_once_and_what_saw_nothing_is_not_ok() {
    let table = SERVICES.len();
    let all: Vec<_> = (0..=table).collect();
    let alone = |post| all.iter().map(move |number| ([*number], post));
    let trials = alone(false).chain(alone(true));
    let trials = trials.map(|(hanging, post)| async move { every_name_is_there_once(&hanging, post).await });
    let together = [false, true].map(|post| every_name_is_there_once(&all, post));
    futures_util::future::join(futures_util::future::join_all(trials), futures_util::future::join_all(together)).await;
}

#[tokio::test]
async fn a_check_that_the_time_never_let_begin_is_skipped_with_the_reason_and_asks_nobody() {
    let (world, table) = healthy().await;
    let reminders = world.reminders().await;
    let before = table.requests();
    let report = reminders.check(true, Invocation::begin(instant(MORNING).to_utc(), Duration::ZERO)).await;
    assert_eq!(report.findings.iter().map(|finding| finding.name).collect::<Vec<_>>(), NAMES);
    for finding in &report.findings {
        assert_eq!(finding.status, Status::Skipped, "{finding:?}");
        assert!(finding.detail.contains("time was up") && finding.remedy.contains("ask again"), "{finding:?}");
    }
    assert!(report.is_ok(), "what was never looked at has not failed");
    let asked: Vec<_> = SERVICES.iter().map(|(service, _)| service(&world).requests()).collect();
    assert_eq!((asked, table.requests()), (vec![0; SERVICES.len()], before));
    assert!(world.topic().is_empty() && world.channel().is_empty());
}
