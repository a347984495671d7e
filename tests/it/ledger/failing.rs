//! A ledger whose table fails: what is known still, and what is in doubt.

use super::*;

#[tokio::test]
async fn a_table_that_fails_leaves_the_memory_of_the_process() {
    for fault in [
        Fault::status(500),
        Fault::Answer(400, vec![], r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#),
        Fault::Answer(400, vec![], r#"{"__type":"com.amazon.coral.service#AccessDeniedException"}"#),
        Fault::Answer(400, vec![], r#"{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException"}"#),
        Fault::Answer(200, vec![], "<html>"),
        Fault::HangUp,
        Fault::Hang,
    ] {
        let table = DynamoDb::start(0, TABLE).await.unwrap();
        table.fail_always(Some(fault.clone()));
        let ledger = Ledger::new(Some(&config(&table.url())), budget::WEBHOOK, &HttpClient::new());
        let (key, started) = (event_of("P1", "e1"), std::time::Instant::now());
        let lease = granted(ledger.claim(&key, Some(7), at(0)).await);
        assert!(lease.in_doubt, "{fault:?}: nobody can tell whether another process has posted it");
        ledger.mark_posted(&key, &lease, ChatName::Slack, &facts(7, "ts-1"), at(0)).await;
        assert!(started.elapsed().as_millis() < 400, "{fault:?}: its share of the time is bounded");
        assert_eq!(already(&ledger.claim(&key, None, at(1)).await), ChatName::Slack, "{fault:?}");
        assert_eq!(
            granted(ledger.claim(&event_of("P1", "e2"), None, at(1)).await).facts,
            facts(7, "ts-1"),
            "{fault:?}"
        );
        assert_eq!(table.items(), 0, "{fault:?}");
    }
}

/// Errors of a table that mostly pass at once, before the work is done or after it.
fn passing() -> [Fault; 6] {
    let throttled = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#;
    [
        Fault::status(500),
        Fault::status(503),
        Fault::Answer(400, vec![], throttled),
        Fault::HangUp,
        Fault::TakeAndAnswer(500, ""),
        Fault::TakeAndHangUp,
    ]
}

#[tokio::test]
async fn a_passing_error_of_the_table_raises_no_doubt_and_loses_no_record() {
    for fault in passing() {
        let table = DynamoDb::start(0, TABLE).await.unwrap();
        let (one, other) = (process(&table.url()), process(&table.url()));
        let key = event_of("P1", "e1");
        table.fail_once(fault.clone());
        let lease = granted(one.claim(&key, Some(7), at(0)).await);
        assert!(!lease.in_doubt, "{fault:?}");
        assert_eq!(other.claim(&key, None, at(0)).await, Claim::InProgress, "{fault:?}: it is claimed");
        table.fail_once(fault.clone());
        one.mark_posted(&key, &lease, ChatName::Slack, &facts(7, "ts-1"), at(1)).await;
        assert_eq!(already(&other.claim(&key, None, at(1)).await), ChatName::Slack, "{fault:?}");
        assert_eq!((one.failures(), other.failures()), (0, 0), "{fault:?}");
    }
}

#[tokio::test]
async fn a_doubt_outlasts_a_passing_error_of_the_table() {
    for fault in passing() {
        let table = DynamoDb::start(0, TABLE).await.unwrap();
        let (one, other) = (process(&table.url()), process(&table.url()));
        let key = event_of("P1", "e1");
        let lease = granted(one.claim(&key, None, at(0)).await);
        one.release(&key, &lease, true, at(1)).await;
        table.fail_once(fault.clone());
        assert!(granted(other.claim(&key, None, at(2)).await).in_doubt, "{fault:?}");
    }
}

#[tokio::test]
async fn a_thread_that_was_remembered_without_its_channel_is_not_continued() {
    let table = DynamoDb::start(0, TABLE).await.unwrap();
    let ledger = process(&table.url());
    let lease = granted(ledger.claim(&event_of("P1", "e1"), Some(33), at(0)).await);
    ledger.mark_posted(&event_of("P1", "e1"), &lease, ChatName::Slack, &facts(33, "ts-1"), at(0)).await;
    table.edit("incident#P1", "thread", &serde_json::json!({"S": "ts-1"}));
    let lease = granted(process(&table.url()).claim(&event_of("P1", "e2"), None, at(1)).await);
    assert_eq!(lease.facts, IncidentFacts { number: Some(33), ..IncidentFacts::default() });
}

#[tokio::test]
async fn what_others_have_learnt_outlives_a_claim_that_the_table_did_not_answer() {
    let table = DynamoDb::start(0, TABLE).await.unwrap();
    let (one, other) = (process(&table.url()), process(&table.url()));
    let lease = granted(one.claim(&event_of("P1", "e1"), Some(33), at(0)).await);
    one.mark_posted(&event_of("P1", "e1"), &lease, ChatName::Slack, &facts(33, "ts-1"), at(0)).await;
    // As often as the table is asked for one thing.
    for _ in 0..3 {
        table.fail_once(Fault::status(500));
    }
    let blind = granted(other.claim(&event_of("P1", "e2"), None, at(1)).await);
    assert_eq!(blind.facts, IncidentFacts::default());
    other.mark_posted(&event_of("P1", "e2"), &blind, ChatName::Slack, &IncidentFacts::default(), at(1)).await;
    assert_eq!(granted(one.claim(&event_of("P1", "e3"), None, at(2)).await).facts, facts(33, "ts-1"));
}

#[tokio::test]
async fn a_claim_that_is_known_to_be_contested_is_never_granted_without_a_doubt() {
    let table = DynamoDb::start(0, TABLE).await.unwrap();
    let (one, other) = (process(&table.url()), process(&table.url()));
    granted(one.claim(&event_of("P1", "e1"), None, at(0)).await);
    // The conditional write is answered, the look at what stands there isn't.
    table.fail_after(1, Fault::status(500));
    assert!(granted(other.claim(&event_of("P1", "e1"), None, at(1)).await).in_doubt);
}
