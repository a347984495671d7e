//! The ledger by one suite, in memory, in the stand-in's table and in Amazon's own DynamoDB Local.

mod failing;
mod presses;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use oncall::fakes::ROSTER_TAB;
use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::dynamodb_local::DynamoDbLocal;
use oncall::fakes::server::Fault;
use oncall_relay::budget::{self, Budget};
use oncall_relay::config::{AwsConfig, LedgerConfig};
use oncall_relay::domain::chat::ChatName;
use oncall_relay::domain::event::{Event, Incident, IncidentId, Kind};
use oncall_relay::domain::reminder::ReminderKind;
use oncall_relay::edge::chat::Thread;
use oncall_relay::edge::http::HttpClient;
use oncall_relay::edge::ledger::{Claim, IdempotencyKey, IncidentFacts, Lease, Ledger, SavedRoster};
use oncall_relay::lambda::scheduler::{self, CountsAsDone};

use crate::emulator::path_in;
use crate::world::{DAYTIME, EVENING, World, event_spec, ignored, incident, instant, posted, triggered, triggered_at};

pub(crate) const TABLE: &str = "oncall-relay-ledger";

pub(crate) fn config(url: &str) -> LedgerConfig {
    LedgerConfig {
        table: TABLE.to_owned(),
        aws: AwsConfig {
            region: "ap-northeast-1".to_owned(),
            access_key_id: "AKIASTANDIN".to_owned(),
            secret_access_key: "stand-in".into(),
            session_token: None,
            ssm_endpoint: None,
            dynamodb_endpoint: Some(url.to_owned()),
        },
    }
}

/// More time than a busy machine needs: what is tested here are answers, not limits.
fn unhurried() -> Budget {
    let time = Duration::from_secs(20);
    Budget { claim: time, settle: time, saved_roster: time, ..budget::REMINDER }
}

/// The ledger of a new process.
pub(crate) fn process(url: &str) -> Ledger {
    Ledger::new(Some(&config(url)), unhurried(), &HttpClient::new())
}

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    instant("2026-11-24T11:00:00+09:00").to_utc() + TimeDelta::seconds(seconds)
}

const DAY: i64 = 24 * 60 * 60;

pub(crate) fn event_of(incident: &str, event: &str) -> IdempotencyKey {
    let incident = Incident { id: IncidentId::parse(incident), ..Incident::default() };
    IdempotencyKey::of_event(&Event {
        id: Some(event.to_owned()),
        kind: Kind::Triggered,
        occurred_at: None,
        incident,
        service: None,
        urgency: None,
        actor: None,
    })
    .unwrap()
}

#[track_caller]
pub(crate) fn granted(claim: Claim) -> Lease {
    match claim {
        Claim::Granted(lease) => lease,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn already(claim: &Claim) -> ChatName {
    let Claim::AlreadyPosted(chat, _) = claim else { panic!("{claim:?}") };
    *chat
}

pub(crate) fn facts(number: u64, ts: &str) -> IncidentFacts {
    let thread = Thread { channel: "C0ALERTS".to_owned(), ts: ts.to_owned() };
    IncidentFacts { number: Some(number), thread: Some(thread), ..IncidentFacts::default() }
}

/// Everything that a ledger owes. `a` and `b` are two processes, or one.
async fn suite(a: &Ledger, b: &Ledger) {
    what_is_posted_is_posted_for_three_days(a, b).await;
    a_live_claim_keeps_others_away_and_a_dead_one_raises_a_doubt(a, b).await;
    a_claim_that_is_released_is_free(a, b).await;
    a_late_release_takes_nothing_from_whoever_came_after(a, b).await;
    a_number_and_a_thread_last_from_the_last_event(a, b).await;
    what_belongs_to_no_incident_has_a_page_of_its_own(a, b).await;
    a_reminder_is_a_matter_of_kind_and_day(a, b).await;
    the_last_roster_is_kept(a, b).await;
    crate::storm::new_incidents_are_counted_and_a_storm_is_told_once(a, b).await;
}

async fn what_is_posted_is_posted_for_three_days(a: &Ledger, b: &Ledger) {
    let key = event_of("POSTED", "e1");
    let lease = granted(a.claim(&key, None, at(0)).await);
    a.mark_posted(&key, &lease, ChatName::Slack, &IncidentFacts::default(), at(1)).await;
    assert_eq!(already(&b.claim(&key, None, at(2)).await), ChatName::Slack);
    assert_eq!(already(&b.claim(&key, None, at(3 * DAY)).await), ChatName::Slack);
    let later = granted(b.claim(&key, None, at(3 * DAY + 2)).await);
    assert!(!later.in_doubt, "forgotten is not in doubt");
    granted(a.claim(&event_of("POSTED", "e2"), None, at(2)).await);
}

async fn a_live_claim_keeps_others_away_and_a_dead_one_raises_a_doubt(a: &Ledger, b: &Ledger) {
    let key = event_of("CLAIMED", "e1");
    assert!(!granted(a.claim(&key, None, at(0)).await).in_doubt);
    assert_eq!(b.claim(&key, None, at(1)).await, Claim::InProgress);
    assert_eq!(b.claim(&key, None, at(4)).await, Claim::InProgress);
    assert!(granted(b.claim(&key, None, at(5)).await).in_doubt);
    assert_eq!(a.claim(&key, None, at(6)).await, Claim::InProgress);
}

async fn a_claim_that_is_released_is_free(a: &Ledger, b: &Ledger) {
    for in_doubt in [false, true] {
        let key = event_of("RELEASED", &format!("e{in_doubt}"));
        let lease = granted(a.claim(&key, None, at(0)).await);
        a.release(&key, &lease, in_doubt, at(1)).await;
        assert_eq!(granted(b.claim(&key, None, at(1)).await).in_doubt, in_doubt);
    }
}

async fn a_late_release_takes_nothing_from_whoever_came_after(a: &Ledger, b: &Ledger) {
    let key = event_of("LATE", "e1");
    let dead = granted(a.claim(&key, None, at(0)).await);
    let alive = granted(b.claim(&key, None, at(6)).await);
    a.release(&key, &dead, false, at(7)).await;
    assert_eq!(a.claim(&key, None, at(7)).await, Claim::InProgress);
    b.mark_posted(&key, &alive, ChatName::Typetalk, &alive.facts, at(8)).await;
    b.release(&key, &alive, false, at(8)).await;
    assert_eq!(already(&a.claim(&key, None, at(9)).await), ChatName::Typetalk);
}

async fn a_number_and_a_thread_last_from_the_last_event(a: &Ledger, b: &Ledger) {
    let knows = async |ledger: &Ledger, event: &str, now| {
        granted(ledger.claim(&event_of("KNOWN", event), None, now).await).facts
    };
    let first = granted(a.claim(&event_of("KNOWN", "e1"), Some(33), at(0)).await);
    a.mark_posted(&event_of("KNOWN", "e1"), &first, ChatName::Slack, &facts(33, "ts-1"), at(0)).await;
    assert_eq!(knows(b, "e2", at(29 * DAY)).await, facts(33, "ts-1"));
    assert_eq!(knows(a, "e3", at(58 * DAY)).await, facts(33, "ts-1"));
    let leftover = granted(b.claim(&event_of("KNOWN", "e4"), None, at(89 * DAY)).await);
    assert_eq!(leftover.facts, IncidentFacts::default());
    b.mark_posted(&event_of("KNOWN", "e4"), &leftover, ChatName::Slack, &IncidentFacts::default(), at(89 * DAY)).await;
    assert_eq!(
        knows(a, "e5", at(90 * DAY)).await,
        IncidentFacts::default(),
        "nothing is left of a page that had expired"
    );

    granted(a.claim(&event_of("LEARNT", "e1"), Some(34), at(0)).await);
    let learnt = granted(b.claim(&event_of("LEARNT", "e2"), None, at(1)).await).facts;
    assert_eq!(learnt.number, Some(34), "a number is learnt before anything is posted");
}

async fn what_belongs_to_no_incident_has_a_page_of_its_own(a: &Ledger, b: &Ledger) {
    let ping = event_of("", "ping-1");
    let lease = granted(a.claim(&ping, None, at(0)).await);
    a.mark_posted(&ping, &lease, ChatName::Slack, &IncidentFacts::default(), at(0)).await;
    assert_eq!(already(&b.claim(&ping, None, at(1)).await), ChatName::Slack);
    granted(b.claim(&event_of("", "ping-2"), None, at(1)).await);
}

async fn a_reminder_is_a_matter_of_kind_and_day(a: &Ledger, b: &Ledger) {
    let reminder = |kind, day: &str| IdempotencyKey::of_reminder(kind, day.parse().unwrap());
    let today = reminder(ReminderKind::Today, "2026-11-24");
    let lease = granted(a.claim(&today, None, at(0)).await);
    a.mark_posted(&today, &lease, ChatName::Typetalk, &IncidentFacts::default(), at(1)).await;
    assert_eq!(already(&b.claim(&today, None, at(2)).await), ChatName::Typetalk);
    granted(b.claim(&reminder(ReminderKind::Next, "2026-11-24"), None, at(2)).await);
    granted(b.claim(&reminder(ReminderKind::Today, "2026-11-25"), None, at(2)).await);
}

async fn the_last_roster_is_kept(a: &Ledger, b: &Ledger) {
    assert_eq!(b.saved_roster(at(0)).await, None);
    let saved = |tables: &str, read_at| SavedRoster { tables: tables.to_owned(), read_at };
    a.save_roster(saved("first", at(0)), at(0)).await;
    a.save_roster(saved("second", at(60)), at(60)).await;
    assert_eq!(b.saved_roster(at(100)).await, Some(saved("second", at(60))));
}

#[tokio::test]
async fn the_ledger_in_memory_keeps_its_word() {
    let ledger = Ledger::new(None, budget::WEBHOOK, &HttpClient::new());
    suite(&ledger, &ledger).await;
}

#[tokio::test]
async fn the_ledger_in_a_table_keeps_its_word_between_processes() {
    let table = DynamoDb::start(0, TABLE).await.unwrap();
    suite(&process(&table.url()), &process(&table.url())).await;
}

#[tokio::test]
#[ignore = "needs DynamoDB Local"]
async fn the_ledger_in_amazons_own_dynamodb_keeps_its_word_between_processes() {
    let local = DynamoDbLocal::start(&path_in("DYNAMODB_LOCAL"), TABLE).await.unwrap();
    suite(&process(local.url()), &process(local.url())).await;
}

/// A world whose functions share a table.
pub(crate) async fn world_with_table() -> (World, DynamoDb) {
    let table = DynamoDb::start(0, TABLE).await.unwrap();
    let mut world = World::new().await;
    world.remember_in(&table.url(), TABLE);
    (world, table)
}

#[tokio::test]
async fn an_event_costs_two_requests_and_the_first_one_more_and_one_that_was_posted_elsewhere_is_not_posted_again() {
    let (world, table) = world_with_table().await;
    let (one, other) = (world.relay().await, world.relay().await);
    // Once in ten minutes a process leaves, after its post, what it has seen; once for an incident, its number.
    assert_eq!(one.signed(EVENING, &triggered("e0")).await, posted(1));
    assert_eq!((table.requests(), world.topic().len()), (4, 1));
    assert_eq!(one.signed(EVENING, &triggered("e1")).await, posted(1));
    assert_eq!(table.requests(), 6);
    assert_eq!(other.signed(EVENING, &triggered("e1")).await, ignored(1));
    assert_eq!(world.topic().len(), 1);
}

#[tokio::test]
async fn an_event_counts_that_the_ledger_failed_and_who_could_not_be_mentioned() {
    let (mut world, table) = world_with_table().await;
    world.set("CHATS", "slack");
    world.google.write(ROSTER_TAB, &[&["2026-11-24", "田中、渡辺、山本"]]);
    let relay = world.relay().await;
    let counts = async |at: &str, id: &str| {
        assert_eq!(relay.signed(at, &triggered_at(id, at)).await, posted(1));
        (relay.tally().ledger_failed, relay.tally().unmentionable)
    };
    assert_eq!(counts(DAYTIME, "e1").await, (0, 2));
    assert_eq!(counts(EVENING, "e2").await, (0, 0), "nobody is mentioned in the evening");
    table.shut_down();
    assert_eq!(counts(EVENING, "e3").await, (1, 0), "once, however often it failed for the event");
}

#[tokio::test]
async fn a_number_and_a_thread_are_known_to_the_next_process() {
    let (mut world, _table) = world_with_table().await;
    world.set("CHATS", "slack");
    let note = incident().v3_note(&event_spec("e2", "incident.annotated", EVENING), "調査中");
    world.relay().await.signed(EVENING, &triggered("e1")).await;
    world.relay().await.signed(EVENING, &note).await;
    let posts = world.slack.take_posts();
    assert!(posts[1].text.starts_with("🔵 メモ #pd33 "), "{posts:?}");
    assert_eq!(posts[1].thread.as_ref(), Some(&posts[0].ts));
}

#[tokio::test]
async fn a_cold_start_during_an_outage_of_google_mentions_by_the_last_roster_and_says_how_old_it_is() {
    let (world, table) = world_with_table().await;
    world.relay().await.signed(DAYTIME, &triggered("e1")).await;
    world.google.shut_down();
    let later = "2026-11-24T13:00:00+09:00";
    world.relay().await.signed(later, &triggered_at("e2", later)).await;
    let topic = world.topic();
    assert!(topic[1].starts_with("@tanaka @suzuki-k\n"), "{topic:?}");
    assert!(topic[1].ends_with("⚠️ 当番表を読めないため、2時間0分前に読んだ内容を使っています"), "{topic:?}");
    assert_eq!(table.items(), 4, "the incident, its number, the roster, and what was seen for the check");
}

#[tokio::test]
async fn a_reminder_is_posted_once_a_day_whichever_process_is_asked() {
    let (world, _table) = world_with_table().await;
    let request = serde_json::json!({"reminder": "today", "at": DAYTIME});
    let mut settled = Vec::new();
    for _ in 0..2 {
        let reminders = world.reminders().await;
        let (answer, was_settled, _) = scheduler::answer(&reminders, &request, at(0)).await;
        assert_eq!(answer.unwrap()["posted"], true);
        settled.push(was_settled);
    }
    assert_eq!(world.topic().len(), 1);
    assert_eq!(settled, [CountsAsDone::Yes, CountsAsDone::No], "counted once");
}

#[tokio::test]
async fn a_reminder_that_failed_in_doubt_says_so_when_it_comes_again() {
    let (mut world, _table) = world_with_table().await;
    world.set("CHATS", "slack");
    let request = serde_json::json!({"reminder": "today", "at": DAYTIME});
    world.slack.fail_once(Fault::TakeAndHangUp);
    assert!(scheduler::answer(&world.reminders().await, &request, at(0)).await.0.is_err());
    assert!(scheduler::answer(&world.reminders().await, &request, at(60)).await.0.is_ok());
    let channel = world.channel();
    assert_eq!(channel.iter().map(|text| text.contains("再送の可能性")).collect::<Vec<_>>(), [false, true]);
}
