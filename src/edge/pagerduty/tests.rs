//! From PagerDuty's bytes to events: every type of both versions, and what each field becomes.

mod kinds;

use serde_json::{Value, json};

use std::ops::Not;

use super::*;
use crate::domain::event::{Actor, ActorKind, IncidentId, Link, Status, Urgency};

const V2_MESSAGE: &str = include_str!("../../../tests/fixtures/pagerduty/v2_message.json");
const V3_INCIDENT: &str = include_str!("../../../tests/fixtures/pagerduty/v3_incident.json");

fn parsed(fixture: &str) -> Value {
    serde_json::from_str(fixture).unwrap()
}

/// The only event of a delivery.
#[track_caller]
fn event(body: &Value) -> Event {
    match parse(body.to_string().as_bytes(), Some("w-1")).as_slice() {
        [Item::Event(event)] => (**event).clone(),
        other => panic!("not one event: {other:?}"),
    }
}

#[track_caller]
fn ignored(body: &Value) -> Vec<Ignored> {
    let ignored = |item| match item {
        Item::Ignored(ignored) => ignored,
        Item::Event(event) => panic!("not ignored: {event:?}"),
    };
    parse(body.to_string().as_bytes(), Some("w-1")).into_iter().map(ignored).collect()
}

/// The v2 fixture as a message of this type, with these log entries.
fn v2(event_type: &str, log_entries: Value) -> Value {
    let mut message = parsed(V2_MESSAGE);
    message["event"] = json!(event_type);
    message["log_entries"] = log_entries;
    json!({"messages": [message]})
}

/// The v3 fixture as an event of this type.
fn v3(event_type: &str) -> Value {
    let mut body = parsed(V3_INCIDENT);
    body["event"]["event_type"] = json!(event_type);
    body
}

/// A copy of a body with another value at one place.
fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

fn without(body: &Value, parent: &str, field: &str) -> Value {
    let mut body = body.clone();
    body.pointer_mut(parent).and_then(Value::as_object_mut).unwrap().remove(field).unwrap();
    body
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_v2_message_is_read_field_by_field() {
    let body = json!({"messages": [parsed(V2_MESSAGE)]});
    let expected = Event {
        id: Some("8f0e6a52-58c4-4c57-9d0b-6f1f5f6a7c11".to_owned()),
        kind: Kind::Triggered,
        occurred_at: Some("2026-11-24T02:00:05Z".parse().unwrap()),
        incident: Incident {
            id: IncidentId::parse("PDISK01"),
            number: Some(4821),
            title: Some("ディスク使用率 95% (db-3)".to_owned()),
            link: Link::parse("https://kanda.pagerduty.com/incidents/PDISK01"),
            created_at: Some("2026-11-24T01:59:58Z".parse().unwrap()),
            status: Some(Status::Triggered),
        },
        service: Some("Storage".to_owned()),
        urgency: Some(Urgency::Low),
        actor: Some(Actor {
            id: Some("PMACKEREL".to_owned()),
            name: Some("Mackerel".to_owned()),
            kind: ActorKind::Machine,
        }),
    };
    assert_eq!(event(&body), expected);
}

#[test]
fn a_v3_event_is_read_field_by_field() {
    let expected = Event {
        id: Some("01JDISKFULLEVENT0000000001".to_owned()),
        kind: Kind::Triggered,
        occurred_at: Some("2026-11-24T02:00:05.250Z".parse().unwrap()),
        incident: Incident {
            id: IncidentId::parse("QDISK00000LONG"),
            number: Some(4821),
            title: Some("ディスク使用率 95% (db-3)".to_owned()),
            link: Link::parse("https://kanda.pagerduty.com/incidents/QDISK00000LONG"),
            created_at: Some("2026-11-24T01:59:58Z".parse().unwrap()),
            status: Some(Status::Triggered),
        },
        service: Some("Storage".to_owned()),
        urgency: Some(Urgency::High),
        actor: Some(Actor {
            id: Some("PUSERRA".to_owned()),
            name: Some("Rin Abe".to_owned()),
            kind: ActorKind::Person,
        }),
    };
    assert_eq!(event(&parsed(V3_INCIDENT)), expected);
}

#[test]
fn the_assignee_never_stands_for_the_one_who_acted() {
    let v3 = v3("incident.acknowledged");
    assert_eq!(event(&with(&v3, "/event/agent", Value::Null)).actor, None);
    let v2 = v2("incident.acknowledge", json!([{"agent": null, "assignees": [{"summary": "Day Desk"}]}]));
    assert_eq!(event(&v2).actor, None);
}

#[test]
fn a_missing_field_costs_nothing_but_itself() {
    let body = v3("incident.triggered");
    let whole = event(&body);
    for (parent, field, expected) in [
        ("/event", "id", Event { id: Some("w-1".to_owned()), ..whole.clone() }),
        ("/event", "occurred_at", Event { occurred_at: None, ..whole.clone() }),
        ("/event", "agent", Event { actor: None, ..whole.clone() }),
        ("/event", "event_type", Event { kind: Kind::Unknown { event_type: None }, ..whole.clone() }),
        ("/event/data", "type", whole.clone()),
        ("/event/data", "urgency", Event { urgency: None, ..whole.clone() }),
        ("/event/data", "service", Event { service: None, ..whole.clone() }),
        (
            "/event/data",
            "number",
            Event { incident: Incident { number: None, ..whole.incident.clone() }, ..whole.clone() },
        ),
        (
            "/event/data",
            "title",
            Event { incident: Incident { title: None, ..whole.incident.clone() }, ..whole.clone() },
        ),
        ("/event/data", "id", Event { incident: Incident { id: None, ..whole.incident.clone() }, ..whole.clone() }),
        (
            "/event/data",
            "html_url",
            Event { incident: Incident { link: None, ..whole.incident.clone() }, ..whole.clone() },
        ),
    ] {
        assert_eq!(event(&without(&body, parent, field)), expected, "{field}");
    }
}

#[test]
fn odd_fields_are_understood_as_far_as_they_can_be() {
    let body = v3("incident.triggered");
    let data = |field: &str, value: Value| event(&with(&body, &format!("/event/data/{field}"), value));
    assert_eq!(data("number", json!("4821")).incident.number, Some(4821));
    assert_eq!(data("title", json!(404)).incident.title.as_deref(), Some("404"));
    assert_eq!(data("title", json!({"text": "x"})).incident.title, None);
    assert_eq!(data("service", json!("Storage")).service.as_deref(), Some("Storage"));
    assert_eq!(data("service", json!({"name": "Storage", "summary": ""})).service.as_deref(), Some("Storage"));
    assert_eq!(data("urgency", json!("severe")).urgency, None);
    assert_eq!(data("id", json!("no id #1")).incident.id, None);
    assert_eq!(data("html_url", json!("javascript:alert(1)")).incident.link, None);
    let link = data("html_url", json!("https://kanda.pagerduty.com/incidents/X#all")).incident.link;
    assert_eq!(link, Link::parse("https://kanda.pagerduty.com/incidents/X"), "a fragment would be a hashtag");

    let assignees = |value| event(&with(&v3("incident.reassigned"), "/event/data/assignees", value)).kind;
    assert_eq!(assignees(json!({"summary": "Mao Endo"})), Kind::Reassigned { to: names(&["Mao Endo"]) });
    assert_eq!(
        assignees(json!([null, 7, {"summary": null}, "Kei Ito"])),
        Kind::Reassigned { to: names(&["7", "Kei Ito"]) }
    );
    assert_eq!(assignees(Value::Null), Kind::Reassigned { to: vec![] });

    let offset = with(&body, "/event/occurred_at", json!("2026-11-24T11:00:05+09:00"));
    assert_eq!(event(&offset).occurred_at, Some("2026-11-24T02:00:05Z".parse().unwrap()));
}

#[test]
fn a_v2_message_takes_what_it_lacks_from_elsewhere() {
    let body = json!({"messages": [parsed(V2_MESSAGE)]});
    let incident = "/messages/0/incident";
    assert_eq!(event(&without(&body, "/messages/0", "id")).id.as_deref(), Some("w-1/0"));
    let untimed = without(&body, "/messages/0", "created_on");
    assert_eq!(event(&untimed).occurred_at, Some("2026-11-24T01:59:58Z".parse().unwrap()));
    let untitled = without(&body, incident, "title");
    assert_eq!(event(&untitled).incident.title.as_deref(), Some("ディスク使用率 95% (db-3), as described"));
    let undescribed = without(&untitled, incident, "description");
    assert_eq!(event(&undescribed).incident.title.as_deref(), Some("[#4821] ディスク使用率 95% (db-3)"));
    let no_incident = without(&body, "/messages/0", "incident");
    assert_eq!((event(&no_incident).kind, event(&no_incident).incident), (Kind::Triggered, Incident::default()));
    let single = json!({"messages": body["messages"][0]});
    assert_eq!(event(&single), event(&body), "one message that is in no list");
}

#[test]
fn the_messages_of_a_delivery_keep_their_order_and_have_ids_of_their_own() {
    let mut first = parsed(V2_MESSAGE);
    first.as_object_mut().unwrap().remove("id");
    let second = with(&first, "/incident/incident_number", json!(4822));
    let body = json!({"messages": [first, {"odd": 1}, second]}).to_string();
    let items: Vec<_> = parse(body.as_bytes(), Some("w-1"))
        .into_iter()
        .map(|item| match item {
            Item::Event(event) => (event.id, event.incident.number),
            Item::Ignored(_) => (None, None),
        })
        .collect();
    let id = |index| Some(format!("w-1/{index}"));
    assert_eq!(items, [(id(0), Some(4821)), (id(1), None), (id(2), Some(4822))]);
}

#[test]
fn several_v3_events_in_one_delivery_keep_their_order_and_have_ids_of_their_own() {
    let [mut first, mut second] = [parsed(V3_INCIDENT), v3("incident.resolved")].map(|mut body| body["event"].take());
    let ids = |events: &[&Value]| -> Vec<_> {
        let items = parse(json!({ "event": events }).to_string().as_bytes(), Some("w-1")).into_iter();
        items
            .map(|item| match item {
                Item::Event(event) => (event.id, event.kind == Kind::Resolved),
                Item::Ignored(_) => (None, false),
            })
            .collect()
    };
    second["id"] = json!("second");
    let [own, other] = ["01JDISKFULLEVENT0000000001", "second"].map(|id| Some(id.to_owned()));
    assert_eq!(ids(&[&first, &json!(7), &second]), [(own, false), (Some("w-1/1".to_owned()), false), (other, true)]);
    for event in [&mut first, &mut second] {
        event.as_object_mut().unwrap().remove("id");
    }
    let [own, other] = ["w-1", "w-1/1"].map(|id| Some(id.to_owned()));
    assert_eq!(ids(&[&first, &second]), [(own, false), (other, true)]);
}

#[test]
fn a_body_larger_than_any_of_pagerdutys_is_not_parsed() {
    let title = |length: usize| {
        let body = with(&v3("incident.triggered"), "/event/data/title", json!("x"));
        let body = body.to_string();
        let body = body.replacen("\"x\"", &format!("\"{}\"", "x".repeat(length - body.len() + 1)), 1);
        assert_eq!(body.len(), length);
        match &parse(body.as_bytes(), Some("w-1"))[..] {
            [Item::Event(event)] => (event.kind.clone(), event.id.clone()),
            other => panic!("{other:?}"),
        }
    };
    let [own, webhooks] = ["01JDISKFULLEVENT0000000001", "w-1"].map(|id| Some(id.to_owned()));
    assert_eq!(title(1 << 20), (Kind::Triggered, own));
    assert_eq!(title((1 << 20) + 1), (Kind::Unreadable, webhooks));
}

#[test]
fn events_without_end_are_read_so_far_and_the_rest_is_said_to_be_unreadable() {
    let body = json!({"messages": vec![json!({"event": "incident.trigger"}); 1_002]}).to_string();
    let items = parse(body.as_bytes(), Some("w-1"));
    assert_eq!(items.len(), 1_001);
    let [.., Item::Event(last), Item::Event(rest)] = &items[..] else { panic!("{items:?}") };
    assert_eq!((&last.kind, last.id.as_deref()), (&Kind::Triggered, Some("w-1/999")));
    assert_eq!((&rest.kind, rest.id.as_deref()), (&Kind::Unreadable, Some("w-1/1000")));
}

#[test]
fn version_1_and_what_is_no_webhook_are_told_apart() {
    let v1 = json!({"messages": [{"id": "1", "type": "incident.trigger", "created_on": "2026-11-24T02:00:00Z",
        "data": {"incident": {"id": "PDISK01", "incident_number": 4821}}}]});
    assert_eq!(ignored(&v1), [Ignored::Version1]);
    for body in [json!({}), json!([]), json!([1, {}]), json!(null), json!("text"), json!(7), json!({"event": ""})] {
        assert_eq!(ignored(&body), [Ignored::NoWebhook], "{body}");
    }
    assert_eq!(ignored(&json!({"messages": [null, {}, []]})), vec![Ignored::NoWebhook; 3]);
    assert_eq!(ignored(&json!({"messages": []})), []);
}

#[test]
fn a_version_2_message_that_looks_like_version_1_besides_is_read() {
    let mut message = parsed(V2_MESSAGE);
    (message["type"], message["data"]) = (json!("message"), json!({"incident": {}}));
    assert_eq!(event(&json!({ "messages": [message] })), event(&json!({ "messages": [parsed(V2_MESSAGE)] })));
}

#[test]
fn a_webhook_in_wraps_is_read_all_the_same() {
    let (v2, v3) = (json!({ "messages": [parsed(V2_MESSAGE)] }), parsed(V3_INCIDENT));
    let (message, inner) = (&v2["messages"][0], &v3["event"]);
    for (wrapped, whole) in [
        (json!({ "event": [[inner]] }), &v3),
        (json!({ "event": inner.to_string() }), &v3),
        (json!({ "event": [inner.to_string()] }), &v3),
        (json!([v3]), &v3),
        (json!({ "messages": [[message]] }), &v2),
        (json!({ "messages": json!([message]).to_string() }), &v2),
        (json!([7, v2]), &v2),
        (json!({ "event": "incident.trigger", "messages": [message] }), &v2),
    ] {
        assert_eq!(event(&wrapped), event(whole), "{wrapped}");
    }
    let two = json!([v3, v2]).to_string();
    assert_eq!(parse(two.as_bytes(), Some("w-1")).len(), 2);
    let huge = v3.to_string().replacen("\"event\":{", "\"event\":{\"details\":[1e999],", 1);
    assert_eq!(parse(huge.as_bytes(), Some("w-1")), [Item::event(event(&v3))]);
}

#[test]
fn what_stands_where_an_event_should_be_and_is_none_is_said_to_be_unreadable() {
    for (body, id) in [
        (json!({"event": "incident.triggered"}), "w-1/0"),
        (json!({"event": 7}), "w-1/0"),
        (json!({"event": [[[{"event_type": "incident.triggered"}]]]}), "w-1/0"),
        (json!({"messages": [{"type": 1}]}), "w-1/0"),
        (json!({"messages": "incident.trigger"}), "w-1/0"),
    ] {
        let event = event(&body);
        assert_eq!((&event.kind, event.id.as_deref()), (&Kind::Unreadable, Some(id)), "{body}");
    }
    let items = parse(json!({"messages": [1, "two", {"three": 3}]}).to_string().as_bytes(), Some("w-1"));
    let nothing = Item::Ignored(Ignored::NoWebhook);
    assert_eq!(items, [unreadable(Some("w-1/0".to_owned())), nothing.clone(), nothing], "one line for all of them");
}

#[test]
fn a_message_that_lost_its_type_or_its_incident_is_an_event_all_the_same() {
    for message in [
        json!({"event": null, "incident": [{"id": "PDISK01", "incident_number": 4821}]}),
        json!({"incident": {"id": "PDISK01", "incident_number": 4821}}),
        json!({"event": ["incident.trigger"]}),
        json!({"log_entries": []}),
        json!({"created_on": "2026-11-24T02:00:00Z"}),
    ] {
        let event = event(&json!({ "messages": [message] }));
        assert_eq!(event.incident.number, message["incident"].is_null().not().then_some(4821), "{message}");
    }
    let wrapped =
        event(&json!({"event": [{"event_type": "incident.triggered", "data": [{"id": 77, "number": 4821}]}]}));
    assert_eq!((wrapped.kind, wrapped.incident.id), (Kind::Triggered, IncidentId::parse("77")));
}

#[test]
fn what_does_not_look_like_an_id_is_none() {
    for odd in ["", "two words", "line\nbreak", "ID", &"x".repeat(129)] {
        let body = json!({"event": {"id": odd, "event_type": "incident.triggered"}}).to_string();
        let ids = |webhook_id| match &parse(body.as_bytes(), webhook_id)[..] {
            [Item::Event(event)] => event.id.clone(),
            other => panic!("{other:?}"),
        };
        let usable = (odd == "ID").then(|| odd.to_owned());
        assert_eq!(ids(None), usable, "{odd:?}");
        assert_eq!(ids(Some("w-1")), usable.or(Some("w-1".to_owned())), "{odd:?}");
        assert_eq!(ids(Some("w 1")).filter(|id| id == "w 1"), None);
    }
}

#[test]
fn what_is_no_json_is_an_event_that_says_so() {
    for body in [&b""[..], b"payload=%7B%7D", b"{\"event\":{", b"\xff\xfe"] {
        let [Item::Event(event)] = &parse(body, Some("w-1"))[..] else { panic!("{body:?}") };
        assert_eq!((&event.kind, event.id.as_deref()), (&Kind::Unreadable, Some("w-1")), "{body:?}");
    }
}

#[test]
fn broken_text_is_mended() {
    let title = |bytes: &[u8]| {
        let [before, after] = [&br#"{"event":{"event_type":"incident.triggered","data":{"title":""#[..], br#""}}}"#];
        let [Item::Event(event)] = &parse(&[before, bytes, after].concat(), None)[..] else { panic!("{bytes:?}") };
        assert_eq!(event.kind, Kind::Triggered, "{bytes:?}");
        event.incident.title.clone().unwrap()
    };
    assert_eq!(title(br"a\ud83db"), "a\u{fffd}b");
    assert_eq!(title(b"a\xffb"), "a\u{fffd}b");
    assert_eq!(title(br"\ud83d\udd25"), "🔥");
}
