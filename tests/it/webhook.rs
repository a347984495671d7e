//! Webhooks from the wire in to the post on the wire out.

use oncall::fakes::BEARER_TOKEN;
use oncall::fakes::pagerduty::{EventSpec, Incident, v2, v3};
use serde_json::{Value, json};

use crate::world::{DAYTIME, EVENING, World, event_spec, ignored, incident, posted, triggered};

#[tokio::test]
async fn a_triggered_incident_mentions_the_people_on_call_in_daytime() {
    let world = World::new().await;
    let relay = world.relay().await;
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!(
        relay.topic(),
        ["@tanaka @suzuki-k\n\
          🔴 発生 #pd33 応答が遅い\n\
          サービス: Backlog / 緊急度: 高\n\
          https://acme.pagerduty.com/incidents/PINCIDENT1"]
    );
    assert_eq!(relay.channel(), [""; 0]);
}

#[tokio::test]
async fn after_hours_the_same_message_mentions_nobody_and_reads_no_sheet() {
    let world = World::new().await;
    let relay = world.relay().await;
    relay.signed(DAYTIME, &triggered("e1")).await;
    let daytime = relay.topic();
    let reads = world.google.reads();
    let evening = incident().v3(&event_spec("e2", "incident.triggered", EVENING));
    assert_eq!(relay.signed(EVENING, &evening).await, posted(1));
    let (_, without_mentions) = daytime[0].split_once('\n').unwrap();
    assert_eq!(relay.topic(), [without_mentions]);
    assert_eq!(world.google.reads(), reads);
}

#[tokio::test]
async fn every_v2_event_type_is_posted_with_the_incidents_tag() {
    let world = World::new().await;
    let relay = world.relay().await;
    for (event_type, label) in [
        ("incident.trigger", "🔴 発生"),
        ("incident.acknowledge", "🟡 対応開始"),
        ("incident.unacknowledge", "🔴 対応の取り消し"),
        ("incident.resolve", "🟢 解決"),
        ("incident.assign", "🔵 担当変更"),
        ("incident.escalate", "🔵 エスカレーション"),
        ("incident.delegate", "🔵 委譲"),
        ("incident.annotate", "🔵 メモ"),
        ("incident.custom", "🔵 カスタムアクション"),
    ] {
        let message = incident().v2(&event_spec(event_type, event_type, EVENING));
        assert_eq!(relay.with_token(EVENING, &v2(&[message])).await, posted(1), "{event_type}");
        let topic = relay.topic();
        assert!(topic[0].starts_with(&format!("{label} #pd33 応答が遅い\n")), "{event_type}: {topic:?}");
    }
}

#[tokio::test]
async fn every_v3_event_type_is_posted_or_ignored() {
    let world = World::new().await;
    let relay = world.relay().await;
    for event_type in [
        "incident.triggered",
        "incident.acknowledged",
        "incident.unacknowledged",
        "incident.resolved",
        "incident.reopened",
        "incident.reassigned",
        "incident.escalated",
        "incident.delegated",
        "incident.annotated",
        "incident.priority_updated",
        "incident.service_updated",
        "incident.status_update_published",
        "incident.responder.added",
        "incident.responder.replied",
        "incident.title_updated",
        "pagey.ping",
    ] {
        let event = incident().v3(&event_spec(event_type, event_type, EVENING));
        assert_eq!(relay.signed(EVENING, &event).await, posted(1), "{event_type}");
    }
    world.topic();
    for event_type in [
        "service.created",
        "service.custom_field_values.updated",
        "service.deleted",
        "service.updated",
        "incident.conference_bridge.updated",
        "incident.custom_field_values.updated",
        "incident.incident_type.changed",
        "incident.role.assigned",
        "incident.task.completed",
        "incident.task.created",
        "incident.task.updated",
        "incident.action_invocation.created",
        "incident.action_invocation.terminated",
        "incident.action_invocation.updated",
        "incident.workflow.started",
        "incident.workflow.completed",
    ] {
        let event = incident().v3(&event_spec(event_type, event_type, EVENING));
        assert_eq!(relay.signed(EVENING, &event).await, ignored(1), "{event_type}");
    }
    assert_eq!(world.topic(), [""; 0]);
}

#[tokio::test]
async fn an_event_nobody_has_heard_of_is_posted_as_one_plain_line() {
    let world = World::new().await;
    let relay = world.relay().await;
    let event = incident().v3(&event_spec("e1", "incident.teleported", DAYTIME));
    assert_eq!(relay.signed(DAYTIME, &event).await, posted(1));
    assert_eq!(
        relay.topic(),
        ["@tanaka @suzuki-k 🔵 incident.teleported #pd33 応答が遅い https://acme.pagerduty.com/incidents/PINCIDENT1"]
    );
}

#[tokio::test]
async fn a_note_carries_the_number_learnt_from_an_earlier_event_else_the_incidents_id() {
    let world = World::new().await;
    let relay = world.relay().await;
    let note =
        |event_id| incident().v3_note(&event_spec(event_id, "incident.annotated", EVENING), "調査中\n再起動しました");
    relay.signed(EVENING, &note("e1")).await;
    relay.signed(EVENING, &triggered("e2")).await;
    relay.signed(EVENING, &note("e3")).await;
    let topic = relay.topic();
    assert!(topic[0].starts_with("🔵 メモ #pdPINCIDENT1 応答が遅い\n> 調査中\n> 再起動しました\n"), "{topic:?}");
    assert!(topic[2].starts_with("🔵 メモ #pd33 応答が遅い\n"), "{topic:?}");
}

#[tokio::test]
async fn the_test_event_tells_who_is_on_call_by_name_at_any_hour() {
    let world = World::new().await;
    let relay = world.relay().await;
    let ping =
        |event_id| v3(&event_spec(event_id, "pagey.ping", EVENING), &json!({"message": "Hello!", "type": "ping"}));
    assert_eq!(relay.signed(EVENING, &ping("e1")).await, posted(1));
    assert_eq!(relay.topic(), ["✅ PagerDuty からのテスト通知を受け取りました\n11/24(火)の当番: 田中・鈴木"]);

    world.google.make_private();
    let later = "2026-11-24T20:01:00+09:00";
    assert_eq!(relay.signed(later, &ping("e2")).await, posted(1));
    let topic = relay.topic();
    assert!(topic[0].contains("当番表を読めないため"), "{topic:?}");
}

#[tokio::test]
async fn what_is_authentic_and_no_json_is_posted_as_a_line_that_says_so() {
    let world = World::new().await;
    let relay = world.relay().await;
    for (body, webhook) in [(&b"payload=%7B%7D"[..], "form"), (b"{\"event\":", "cut off"), (b"", "empty")] {
        let (authorization, id) = (format!("Bearer {BEARER_TOKEN}"), format!("w-{webhook}"));
        let headers = [("authorization", authorization.as_str()), ("x-webhook-id", id.as_str())];
        assert_eq!(relay.send(DAYTIME, &headers, body).await, posted(1), "{webhook}");
        assert_eq!(
            relay.topic(),
            ["@tanaka @suzuki-k 🔵 PagerDuty から読み取れない通知が届きました。PagerDuty の画面を確認してください"],
            "{webhook}"
        );
        assert_eq!(relay.tally().unreadable, 1, "{webhook}");
    }
}

#[tokio::test]
async fn what_is_json_and_no_webhook_is_ignored() {
    let world = World::new().await;
    let relay = world.relay().await;
    let v1 =
        json!({"messages": [{"id": "1", "type": "incident.trigger", "data": {"incident": {"incident_number": 1}}}]});
    for (body, count) in [
        (json!({}), 1),
        (json!([1, 2]), 1),
        (json!(null), 1),
        (json!({"event": ""}), 1),
        (v1, 1),
        (json!({"messages": [null, [], {}]}), 3),
        (json!({"messages": []}), 0),
    ] {
        assert_eq!(relay.signed(DAYTIME, &body).await, ignored(count), "{body}");
    }
    assert_eq!(relay.topic(), [""; 0]);
}

#[tokio::test]
async fn broken_text_is_mended_and_posted() {
    let world = World::new().await;
    let relay = world.relay().await;
    let surrogate = r#"{"event":{"id":"e1","event_type":"incident.triggered","data":{"type":"incident","id":"P1","number":7,"title":"a\ud83db"}}}"#;
    assert_eq!(relay.signed_bytes(EVENING, surrogate.as_bytes()).await, posted(1));
    let bad_utf8 = [
        br#"{"event":{"id":"e2","event_type":"incident.triggered","data":{"type":"incident","id":"P1","number":7,"title":"a"#.as_slice(),
        b"\xff\xfe",
        br#"b"}}}"#,
    ]
    .concat();
    assert_eq!(relay.signed_bytes(EVENING, &bad_utf8).await, posted(1));
    assert_eq!(relay.topic(), ["🔴 発生 #pd7 a\u{fffd}b", "🔴 発生 #pd7 a\u{fffd}\u{fffd}b"]);
}

/// Replaces every field in turn by every odd value: the event is posted all the same.
#[tokio::test]
async fn no_odd_field_loses_an_event() {
    let world = World::new().await;
    let relay = world.relay().await;
    let odd = [Value::Null, json!(7), json!(-1.5e300), json!(true), json!(""), json!([[]]), json!({"a": {}})];
    let v2_message = v2(&[incident().v2(&event_spec("e", "incident.escalate", EVENING))]);
    let v3_event = incident().v3(&event_spec("e", "incident.escalated", EVENING));
    let mut events = 0;
    for body in [v2_message, v3_event] {
        for pointer in pointers(&body, "") {
            for value in &odd {
                let mut body = body.clone();
                *body.pointer_mut(&pointer).unwrap() = value.clone();
                let survives = match pointer.as_str() {
                    // Without these there is no webhook left to lose an event from.
                    "/event" | "/messages" | "/messages/0" => value.is_object() && pointer == "/event",
                    // A v2 message without its incident is still an event by its type, and the other way round.
                    _ => true,
                };
                let (status, answer) = relay.with_token(EVENING, &fresh(body, &mut events)).await;
                assert_eq!(status, 200, "{pointer} = {value}");
                if survives {
                    assert_eq!(answer, json!({"posted": 1, "ignored": 0}), "{pointer} = {value}");
                }
            }
        }
    }
}

/// The paths of every value in a document.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(elements) => elements.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for (name, child) in children {
        let pointer = format!("{at}/{name}");
        all.push(pointer.clone());
        all.extend(pointers(child, &pointer));
    }
    all
}

/// Gives an event an id of its own where it has one, so that it is no repetition.
fn fresh(mut body: Value, events: &mut u32) -> Value {
    *events += 1;
    for pointer in ["/event/id", "/messages/0/id"] {
        if let Some(id) = body.pointer_mut(pointer).filter(|id| *id == "e" || id.is_number()) {
            *id = json!(format!("fresh-{events}"));
        }
    }
    body
}

#[tokio::test]
async fn the_messages_of_a_batch_are_posted_in_order_and_none_fails_for_another() {
    let world = World::new().await;
    let relay = world.relay().await;
    let message = |number: u64| {
        let incident = Incident { id: "PBATCH", number, title: format!("title {number}"), service: "Backlog" };
        incident.v2(&event_spec(&format!("m{number}"), "incident.trigger", EVENING))
    };
    let batch = v2(&[message(1), json!({}), json!({"odd": true}), message(2), message(3)]);
    assert_eq!(relay.with_token(EVENING, &batch).await, (200, json!({"posted": 4, "ignored": 1})));
    let tags: Vec<_> = relay.topic().iter().map(|text| text.split(' ').nth(2).unwrap_or_default().to_owned()).collect();
    assert_eq!([&tags[0], &tags[2], &tags[3]], ["#pd1", "#pd2", "#pd3"]);
    assert_eq!(relay.tally().unreadable, 1);
}

#[tokio::test]
async fn an_event_that_comes_again_is_not_posted_again() {
    let world = World::new().await;
    let relay = world.relay().await;
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, ignored(1));
    assert_eq!(relay.topic().len(), 1);
}

#[tokio::test]
async fn an_event_that_comes_late_says_when_it_happened_and_mentions_by_the_relays_clock() {
    let world = World::new().await;
    let relay = world.relay().await;
    let night = incident().v3(&event_spec("e1", "incident.triggered", "2026-11-24T03:15:00+09:00"));
    assert_eq!(relay.signed(DAYTIME, &night).await, posted(1));
    let topic = relay.topic();
    assert!(topic[0].starts_with("@tanaka @suzuki-k\n"), "{topic:?}");
    assert!(topic[0].contains("🕒 11/24(火) 03:15 の出来事です(7時間45分前)"), "{topic:?}");
}

#[tokio::test]
async fn who_did_it_and_to_whom_is_said_and_the_assignee_never_stands_for_the_actor() {
    let world = World::new().await;
    let relay = world.relay().await;
    let by = |event_type| EventSpec { agent: Some("佐藤 花子"), ..event_spec(event_type, event_type, EVENING) };
    relay.signed(EVENING, &incident().v3(&by("incident.acknowledged"))).await;
    relay.signed(EVENING, &incident().v3(&event_spec("e2", "incident.acknowledged", EVENING))).await;
    relay.signed(EVENING, &incident().v3(&by("incident.reassigned"))).await;
    relay.signed(EVENING, &incident().v3(&by("incident.delegated"))).await;
    let details: Vec<_> = relay.topic().iter().map(|text| text.lines().nth(1).unwrap().to_owned()).collect();
    assert_eq!(
        details,
        [
            "サービス: Backlog / 緊急度: 高 / 対応者: 佐藤 花子",
            "サービス: Backlog / 緊急度: 高",
            "サービス: Backlog / 緊急度: 高 / 対応者: 佐藤 花子 / 担当: Daytime Dummy",
            "サービス: Backlog / 緊急度: 高 / 対応者: 佐藤 花子 / 委譲先: Developers daytime",
        ]
    );
}
