//! Every event type of both versions, and what becomes of it.

use serde_json::json;

use super::*;

const V3_NOTE: &str = include_str!("../../../../tests/fixtures/pagerduty/v3_note.json");
const V3_RESPONDER: &str = include_str!("../../../../tests/fixtures/pagerduty/v3_responder.json");
const V3_STATUS_UPDATE: &str = include_str!("../../../../tests/fixtures/pagerduty/v3_status_update.json");

#[test]
fn every_v2_type_has_its_kind() {
    let agent = json!({"type": "user_reference", "summary": "Rin Abe"});
    let plain = json!([{"agent": agent, "channel": {"type": "website"}}]);
    let to = |type_: &str, name: &str| json!({"agent": agent, "channel": {"type": "auto"}, "assignees": [{"type": type_, "summary": name}]});
    let user = "user_reference";
    for (event_type, log_entries, kind) in [
        ("incident.trigger", plain.clone(), Kind::Triggered),
        ("incident.acknowledge", plain.clone(), Kind::Acknowledged),
        ("incident.unacknowledge", plain.clone(), Kind::Unacknowledged),
        ("incident.resolve", plain.clone(), Kind::Resolved),
        ("incident.assign", json!([to(user, "Mao Endo")]), Kind::Reassigned { to: names(&["Mao Endo"]) }),
        // The incident's assignments are the new ones.
        ("incident.assign", plain.clone(), Kind::Reassigned { to: names(&["Day Desk"]) }),
        (
            "incident.escalate",
            json!([to(user, "Mao Endo"), to(user, "Kei Ito")]),
            Kind::Escalated { to: names(&["Mao Endo", "Kei Ito"]) },
        ),
        (
            "incident.delegate",
            json!([to("escalation_policy_reference", "Nights")]),
            Kind::Delegated { to: names(&["Nights"]) },
        ),
        ("incident.delegate", plain.clone(), Kind::Delegated { to: names(&["Weekdays"]) }),
        (
            "incident.annotate",
            json!([{"agent": agent, "channel": {"type": "note", "content": "調査中\n2行目", "summary": "調査中"}}]),
            Kind::Annotated { note: "調査中\n2行目".to_owned() },
        ),
        (
            "incident.annotate",
            json!([{"agent": agent, "channel": {"type": "note", "summary": "調査中"}}]),
            Kind::Annotated { note: "調査中".to_owned() },
        ),
        (
            "incident.custom",
            json!([{"agent": agent, "channel": {"type": "custom_web_trigger", "summary": "Restart"}}]),
            Kind::CustomAction { action: Some("Restart".to_owned()) },
        ),
        ("incident.custom", plain.clone(), Kind::CustomAction { action: None }),
        ("incident.teleport", plain.clone(), Kind::Unknown { event_type: Some("incident.teleport".to_owned()) }),
    ] {
        let event = event(&v2(event_type, log_entries));
        assert_eq!(event.kind, kind, "{event_type}");
        assert_eq!(event.actor.and_then(|actor| actor.name).as_deref(), Some("Rin Abe"), "{event_type}");
        assert_eq!(event.incident.number, Some(4821), "{event_type}");
    }
}

#[test]
fn every_v3_type_about_a_whole_incident_has_its_kind() {
    let desks = || names(&["Day Desk", "Night Desk"]);
    for (event_type, kind) in [
        ("incident.triggered", Kind::Triggered),
        ("incident.acknowledged", Kind::Acknowledged),
        ("incident.unacknowledged", Kind::Unacknowledged),
        ("incident.resolved", Kind::Resolved),
        ("incident.reopened", Kind::Reopened),
        ("incident.reassigned", Kind::Reassigned { to: desks() }),
        ("incident.escalated", Kind::Escalated { to: desks() }),
        ("incident.delegated", Kind::Delegated { to: names(&["Weekdays"]) }),
        ("incident.priority_updated", Kind::PriorityUpdated { to: Some("P2".to_owned()) }),
        ("incident.service_updated", Kind::ServiceUpdated),
        ("incident.title_updated", Kind::Unknown { event_type: Some("incident.title_updated".to_owned()) }),
    ] {
        let event = event(&v3(event_type));
        assert_eq!(event.kind, kind);
        assert_eq!((event.incident.number, event.service.as_deref()), (Some(4821), Some("Storage")), "{event_type}");
    }
    let no_priority = with(&v3("incident.priority_updated"), "/event/data/priority", Value::Null);
    assert_eq!(event(&no_priority).kind, Kind::PriorityUpdated { to: None });
}

#[test]
fn notes_responders_and_status_updates_know_their_incident_by_reference_only() {
    for (body, kind, title) in [
        (
            V3_NOTE,
            Kind::Annotated { note: "古いログを消しました。\n様子を見ます。".to_owned() },
            Some("ディスク使用率 95% (db-3)"),
        ),
        (
            V3_RESPONDER,
            Kind::ResponderAdded {
                to: names(&["Mao Endo"]), message: "ログの消し方を教えてください".to_owned()
            },
            None,
        ),
        (
            V3_STATUS_UPDATE,
            Kind::StatusUpdated { message: "ディスクを増やしています".to_owned() },
            Some("ディスク使用率 95% (db-3)"),
        ),
    ] {
        let event = event(&parsed(body));
        let expected = Incident {
            id: IncidentId::parse("QDISK00000LONG"),
            number: None,
            title: title.map(str::to_owned),
            link: Link::parse("https://kanda.pagerduty.com/incidents/QDISK00000LONG"),
            ..Incident::default()
        };
        assert_eq!(event.kind, kind);
        assert_eq!(event.incident, expected, "{kind:?}");
        assert_eq!(
            (event.service, event.urgency, event.actor.and_then(|actor| actor.name).as_deref()),
            (None, None, Some("Rin Abe")),
            "{kind:?}"
        );
    }
}

#[test]
fn a_policy_can_be_asked_for_help_and_whoever_was_asked_answers() {
    let added = parsed(V3_RESPONDER);
    let policy = with(&added, "/event/data/escalation_policy", json!({"summary": "Nights"}));
    let policy = with(&policy, "/event/data/user", Value::Null);
    let message = "ログの消し方を教えてください".to_owned();
    assert_eq!(event(&policy).kind, Kind::ResponderAdded { to: names(&["Nights"]), message: message.clone() });

    let replied = with(&added, "/event/event_type", json!("incident.responder.replied"));
    let replied = with(&replied, "/event/data/state", json!("accepted"));
    let kind = Kind::ResponderReplied { state: Some("accepted".to_owned()), message };
    assert_eq!(event(&replied).kind, kind);
    assert_eq!(event(&replied).actor.and_then(|actor| actor.name).as_deref(), Some("Rin Abe"));
    let by_nobody = with(&replied, "/event/agent", Value::Null);
    assert_eq!(
        event(&by_nobody).actor.and_then(|actor| actor.name).as_deref(),
        Some("Mao Endo"),
        "only the one who was asked can answer"
    );
    let added_by_nobody = with(&added, "/event/agent", Value::Null);
    assert_eq!(event(&added_by_nobody).actor, None);
}

#[test]
fn pageys_ping_is_an_event_of_no_incident() {
    let ping = json!({"event": {
        "id": "01JPING", "event_type": "pagey.ping", "resource_type": "pagey",
        "occurred_at": "2026-11-24T02:00:00.000Z", "agent": {"id": "PUSERRA", "type": "user_reference"},
        "client": null, "data": {"message": "Hello!", "type": "ping"},
    }});
    let event = event(&ping);
    assert_eq!((event.kind, event.incident), (Kind::Ping, Incident::default()));
}

#[test]
fn types_that_say_nothing_to_people_are_ignored() {
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
        let [Ignored::NotForPeople { family }] = ignored(&v3(event_type))[..] else {
            panic!("{event_type}: {:?}", ignored(&v3(event_type)));
        };
        assert!(event_type.starts_with(family), "{event_type} is none of {family}");
    }
    // What only begins like a family is none of it.
    assert_eq!(event(&v3("services.exploded")).kind, Kind::Unknown { event_type: Some("services.exploded".into()) });
}

#[test]
fn what_nobody_has_heard_of_names_an_incident_only_if_it_has_one() {
    let mut body = v3("team.renamed");
    body["event"]["data"] = json!({
        "id": "PTEAM01", "type": "team", "summary": "Storage team", "number": 7,
        "html_url": "https://kanda.pagerduty.com/teams/PTEAM01",
    });
    let about_a_team = event(&body);
    assert_eq!(about_a_team.incident.tag(), None);
    assert_eq!(about_a_team.incident.title.as_deref(), Some("Storage team"));
    assert_eq!(about_a_team.incident.link, Link::parse("https://kanda.pagerduty.com/teams/PTEAM01"));

    body["event"]["data"]["incident"] = json!({"id": "QDISK00000LONG", "summary": "disk"});
    assert_eq!(event(&body).incident.tag().unwrap().to_string(), "pdQDISK00000LONG");
}

#[test]
fn an_incident_that_was_merged_is_not_resolved() {
    let nothing = Incident::default;
    let named = Incident {
        id: IncidentId::parse("QOTHER"),
        number: None,
        title: Some("[#34] Disk".to_owned()),
        link: Link::parse("https://kanda.pagerduty.com/incidents/QOTHER"),
        ..Incident::default()
    };
    let reference = json!({
        "id": "QOTHER", "type": "incident_reference", "summary": "[#34] Disk",
        "html_url": "https://kanda.pagerduty.com/incidents/QOTHER",
    });
    let numbered = json!({"id": "QOTHER", "number": 34, "title": "Disk", "summary": "[#34] Disk"});
    let merge = |other: &Value| json!({"type": "merge_resolve_reason", "incident": other});
    let other = |id| Incident { id: IncidentId::parse(id), ..nothing() };
    for (reason, into) in [
        (merge(&reference), Some(named.clone())),
        (json!([merge(&reference)]), Some(named.clone())),
        (merge(&json!([reference])), Some(named.clone())),
        (json!({"incident": reference}), Some(named.clone())),
        (json!({"type": null, "incident": reference}), Some(named)),
        (merge(&numbered), Some(Incident { number: Some(34), title: Some("Disk".to_owned()), ..other("QOTHER") })),
        (merge(&json!({"incident_number": "34"})), Some(Incident { number: Some(34), ..nothing() })),
        (merge(&json!("QOTHER")), Some(other("QOTHER"))),
        (merge(&json!({"id": 7, "summary": [], "html_url": {}})), Some(other("7"))),
        (merge(&Value::Null), Some(nothing())),
        (json!({"type": "merge_resolve_reason"}), Some(nothing())),
        (json!("merged"), Some(nothing())),
        (json!(" Merged "), Some(nothing())),
        (json!("merge_resolve_reason"), Some(nothing())),
        (json!("Test alert, please disregard"), None),
        (json!("merged the fix, all is well"), None),
        (json!({"type": "auto_resolve_reason", "incident": reference}), None),
        (json!({}), None),
        (json!([]), None),
        (json!(true), None),
        (json!(1), None),
        (Value::Null, None),
    ] {
        let kind = into.map_or(Kind::Resolved, |into| Kind::Merged { into });
        let mut body = v3("incident.resolved");
        body["event"]["data"]["resolve_reason"] = reason.clone();
        assert_eq!(event(&body).kind, kind, "v3: {reason}");
        let mut body = v2("incident.resolve", json!([]));
        body["messages"][0]["incident"]["resolve_reason"] = reason.clone();
        assert_eq!(event(&body).kind, kind, "v2: {reason}");
        body["messages"][0]["event"] = json!("incident.acknowledge");
        assert_eq!(event(&body).kind, Kind::Acknowledged, "{reason}");
    }
}

#[test]
fn a_text_that_pagerduty_has_cut_ends_in_an_ellipsis() {
    for (trimmed, written, read) in [
        (json!(true), "調査中", "調査中…"),
        (json!("true"), "調査中", "調査中…"),
        (json!(true), "two\nlines \n", "two\nlines…"),
        (json!(true), "cut by hand…", "cut by hand…"),
        (json!(true), "", "…"),
        (json!(false), "調査中", "調査中"),
        (json!("false"), "調査中", "調査中"),
        (json!({}), "調査中", "調査中"),
        (Value::Null, "調査中", "調査中"),
    ] {
        for (fixture, field) in [(V3_NOTE, "content"), (V3_STATUS_UPDATE, "message"), (V3_RESPONDER, "message")] {
            let mut body = parsed(fixture);
            body["event"]["data"]["trimmed"] = trimmed.clone();
            body["event"]["data"][field] = json!(written);
            let (Kind::Annotated { note: said }
            | Kind::StatusUpdated { message: said }
            | Kind::ResponderAdded { message: said, .. }) = event(&body).kind
            else {
                panic!("{body}")
            };
            assert_eq!(said, read, "{trimmed} {field}");
        }
    }
}
