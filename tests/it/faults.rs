//! A part of the fault matrix, with the same code linked into this process; `oncall lab faults` is the whole of it.

use std::time::Duration;

use futures_util::future::join_all;
use oncall::simulation::faults::{self, Lasting, Row, Service};
use oncall::simulation::fleet::Target;
use oncall::simulation::mentions::{Costs, Known, Mentioned, Posted};
use oncall::simulation::sender::{Kind, Schedule, Version, Webhook, compare};
use oncall::simulation::storm::{Storm, storm};
use oncall::simulation::trials::{
    ThreadEnds, in_doubt_without_a_table, killed_between_post_and_record, killed_between_reply_and_update, odd_titles,
    one_event_twice, thread_ends, wrong_secrets_put_right,
};
use oncall::simulation::{notices, presses, reminders};
use oncall_relay::domain::chat::ChatName;

const FAILURES: [&str; 7] =
    ["refused connection", "hang", "500", "429, long", "400 of us", "accepted, then reset", "accepted, then 500"];

/// Tries rows, so many at a time: most of them wait.
async fn all_are_as_promised(rows: &[Row], at_a_time: usize) {
    for some in rows.chunks(at_a_time) {
        join_all(some.iter().map(async |row| {
            let outcome = faults::run(row, &Target::Linked).await.unwrap();
            assert!(outcome.is_as_promised(), "{row:?}: {outcome:?}");
        }))
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_out_of_order_whichever_service_fails() {
    let rows: Vec<_> = faults::rows()
        .into_iter()
        .filter(|row| row.version == Version::V3 && row.lasting != Lasting::AWhile && FAILURES.contains(&row.name))
        .collect();
    assert_eq!(rows.len(), 5 * 2 * FAILURES.len());
    all_are_as_promised(&rows, 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_people_are_mentioned_whatever_google_stumbles_over_and_whatever_was_known_before() {
    let rows: Vec<_> = faults::rows().into_iter().filter(Row::is_about_the_roster).collect();
    assert!((80..130).contains(&rows.len()), "{}", rows.len());
    all_are_as_promised(&rows, 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_slack_and_the_table_answer_loses_nothing_either() {
    let particular = ["internal_error", "accepted, then internal_error", "service_unavailable", "throttled", "reset"];
    let rows: Vec<_> = faults::rows()
        .into_iter()
        .filter(|row| matches!(row.service, Service::Slack | Service::DynamoDb))
        .filter(|row| row.version == Version::V2 && row.lasting != Lasting::AWhile && particular.contains(&row.name))
        .collect();
    assert_eq!(rows.len(), 2 * (3 + 1 + 2));
    all_are_as_promised(&rows, rows.len()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_failure_hides_no_doubt_of_the_first() {
    let rows: Vec<_> =
        faults::rows().into_iter().filter(|row| row.version == Version::V3 && row.name.contains("500, then")).collect();
    assert_eq!(rows.len(), 2 * 3 * 3);
    all_are_as_promised(&rows, 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_press_opens_an_incident_again_or_is_answered_too_late_whatever_fails() {
    let names = ["refused connection", "hang", "slow drip", "500", "429, long", "403", "accepted, answered too late"];
    let rows: Vec<_> = presses::rows().into_iter().filter(|row| names.contains(&row.name)).collect();
    assert_eq!(rows.len(), 4 * names.len());
    for some in rows.chunks(14) {
        join_all(some.iter().map(async |row| {
            let outcome = Box::pin(presses::run(row, &Target::Linked)).await.unwrap();
            assert!(outcome.is_as_promised(), "{row:?}: {outcome:?}");
        }))
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_notice_is_lost_doubled_or_mentions_anybody_whichever_service_fails() {
    let names = ["refused connection", "hang", "503", "400 of the message", "accepted, then reset", "garbage"];
    let more = ["accepted, then 500, then 503", "accepted, then internal_error", "throttled"];
    let all = notices::rows();
    assert!((50..58).contains(&all.len()), "with those beside, sixty at most: {}", all.len());
    let rows: Vec<_> = all.iter().filter(|row| names.contains(&row.name) || more.contains(&row.name)).collect();
    assert_eq!(rows.len(), 2 * names.len() + (names.len() - 1) + more.len());
    for some in rows.chunks(8) {
        join_all(some.iter().map(async |row| {
            let outcome = notices::run(row, &Target::Linked).await.unwrap();
            assert!(outcome.is_as_promised(), "{row:?}: {outcome:?}");
        }))
        .await;
    }
}

#[tokio::test]
async fn one_notice_from_two_runners_is_posted_once_and_one_whose_process_died_says_so() {
    let (twice, killed) =
        tokio::join!(notices::two_runners(&Target::Linked), notices::killed_between_post_and_record(&Target::Linked),);
    let (twice, killed) = (twice.unwrap(), killed.unwrap());
    assert!(twice.is_as_promised(), "{twice:?}");
    assert_eq!((twice.arrived.repeated_in_doubt, twice.sent.attempts), (0, 2), "{twice:?}");
    assert!(killed.is_as_promised(), "{killed:?}");
    assert_eq!(killed.arrived.repeated_in_doubt, 1, "{killed:?}");
}

#[tokio::test]
async fn a_job_in_a_loop_keeps_no_alert_waiting() {
    let outcome = notices::too_many(&Target::Linked).await.unwrap();
    assert!(outcome.is_as_promised(), "{outcome:?}");
    assert_eq!(outcome.sent.attempts, 25 + 4, "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_that_fails_costs_no_post_and_no_attempt() {
    let rows: Vec<_> = faults::rows()
        .into_iter()
        .filter(|row| row.version == Version::V3 && row.lasting == Lasting::ForGood && row.name.starts_with("update, "))
        .collect();
    assert_eq!(rows.len(), 7);
    join_all(rows.iter().map(async |row| {
        let outcome = faults::run(row, &Target::Linked).await.unwrap();
        assert!(outcome.is_as_promised(), "{row:?}: {outcome:?}");
        assert_eq!((outcome.sent.attempts, outcome.arrived.repeated_in_doubt), (4, 0), "{row:?}: {outcome:?}");
    }))
    .await;
}

#[tokio::test]
async fn an_incident_whose_thread_has_ended_is_seen_to_its_end() {
    for how in [ThreadEnds::Deleted, ThreadEnds::OtherChannel] {
        let outcome = thread_ends(Version::V3, &Target::Linked, how).await.unwrap();
        assert!(outcome.is_as_promised(), "{how:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn reminders_in_trouble_are_posted_once() {
    for outcome in
        [Box::pin(reminders::two_at_once(&Target::Linked)).await, reminders::requested_early(&Target::Linked).await]
    {
        let outcome = outcome.unwrap();
        assert!(outcome.is_as_promised(), "{outcome:?}");
    }
}

#[tokio::test]
async fn one_event_on_two_instances_is_posted_once() {
    for version in [Version::V2, Version::V3] {
        let outcome = one_event_twice(version, &Target::Linked).await.unwrap();
        assert!(outcome.is_as_promised(), "{outcome:?}");
        assert_eq!((outcome.arrived.repeated_in_doubt, outcome.sent.attempts), (0, 2), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_attempt_that_died_over_its_post_is_repeated_and_says_so() {
    let outcome = killed_between_post_and_record(Version::V3, &Target::Linked).await.unwrap();
    assert!(outcome.is_as_promised(), "{outcome:?}");
    assert_eq!(outcome.arrived.repeated_in_doubt, 1, "{outcome:?}");
    assert!(outcome.sent.attempts > 1, "the dead one's claim keeps others away for 5 s: {outcome:?}");
}

#[tokio::test]
async fn a_first_message_that_a_dying_process_left_behind_is_put_right_by_the_next_delivery() {
    let outcome = killed_between_reply_and_update(Version::V3, &Target::Linked).await.unwrap();
    assert!(outcome.is_as_promised(), "{outcome:?}");
}

#[tokio::test]
async fn no_title_costs_a_message_or_its_state() {
    for version in [Version::V2, Version::V3] {
        let outcome = odd_titles(version, &Target::Linked).await.unwrap();
        assert!(outcome.is_as_promised(), "{outcome:?}");
    }
}

#[tokio::test]
async fn without_a_table_a_repetition_still_says_so() {
    let outcome = in_doubt_without_a_table(Version::V3, &Target::Linked).await.unwrap();
    assert!(outcome.is_as_promised(), "{outcome:?}");
    assert_eq!(outcome.arrived.repeated_in_doubt, 1, "{outcome:?}");
}

#[tokio::test]
async fn what_comes_while_our_secrets_are_wrong_is_posted_once_they_are_right() {
    for version in [Version::V2, Version::V3] {
        let outcome = wrong_secrets_put_right(version, &Target::Linked).await.unwrap();
        assert!(outcome.is_as_promised(), "{outcome:?}");
        assert_eq!((outcome.arrived.repeated_in_doubt, outcome.sent.attempts), (0, 6 + 4), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_storm_passes_at_slacks_pace() {
    let small = Storm {
        webhooks: 40,
        instances: 4,
        within: Duration::from_secs(1),
        slack_pace: Duration::from_millis(25),
        schedule: Schedule::Eager,
        has_backup: false,
        storm_above: None,
    };
    let weathered = storm(small, &Target::Linked).await.unwrap();
    assert!(weathered.outcome.is_as_promised(), "{weathered:?}");
    assert!(weathered.reads_in_a_minute <= 60, "{weathered:?}");
}

/// The counting itself: a check that can't fail would prove nothing.
#[test]
fn losses_doubles_doubts_and_disorder_are_noticed() {
    let webhooks = [Kind::Triggered, Kind::Resolved]
        .map(|kind| Webhook::new(Version::V3, "P1", 1, kind, if kind == Kind::Triggered { "w1" } else { "w2" }));
    let counted = |texts: &[&str]| {
        let post = |text: &&str| Posted::new((*text).to_owned(), ChatName::Typetalk, Mentioned::TODAY);
        let arrived = compare(&webhooks, &texts.iter().map(post).collect::<Vec<_>>());
        (arrived.lost, arrived.doubled, arrived.repeated_in_doubt, arrived.out_of_order)
    };
    assert_eq!(counted(&["[w1]", "[w2]"]), (0, 0, 0, 0));
    assert_eq!(counted(&["[w1]"]).0, 1);
    assert_eq!(counted(&["[w1]", "[w1]", "[w2]"]), (0, 1, 0, 0));
    assert_eq!(counted(&["[w1]", "[w1] 再送の可能性", "[w2]"]), (0, 0, 1, 0));
    assert_eq!(counted(&["[w2]", "[w1]"]), (0, 0, 0, 1));
}

#[test]
fn a_wrong_mention_a_missing_one_and_an_untold_doubt_are_noticed() {
    let mistaken =
        |text: &str, expected| compare(&[], &[Posted::new(text.to_owned(), ChatName::Typetalk, expected)]).mistaken;
    let old_copy = Costs::Reading.with(Known::InProcess);
    for (text, expected, count) in [
        ("@tanaka @suzuki-k", Mentioned::TODAY, 0),
        ("@tanaka", Mentioned::TODAY, 1),
        ("@sato", Mentioned::TODAY, 1),
        ("nobody", Mentioned::TODAY, 1),
        ("@tanaka @suzuki-k", old_copy, 1),
        ("@tanaka @suzuki-k\n当番表を読めないため、5分前に読んだ内容を使っています", old_copy, 0),
        ("@tanaka @suzuki-k\n当番表を読めないため、5分前に読んだ内容を使っています", Mentioned::TODAY, 1),
        // A notice.
        ("▶️ 開始 #pd1 [n1]", Mentioned::NOBODY, 0),
        ("▶️ 開始 #pd1 [n1] @all", Mentioned::NOBODY, 1),
        ("@tanaka @suzuki-k\n▶️ 開始 #pd1 [n1]", Mentioned::NOBODY, 1),
    ] {
        assert_eq!(mistaken(text, expected), count, "{text} {expected:?}");
    }
}
