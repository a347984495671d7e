//! Forms as Slack sends them, and as it doesn't.

use secrecy::ExposeSecret;
use serde_json::json;

use super::*;

fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
}

fn of_payload(payload: &Value) -> Requested {
    parse(&form(&[("payload", &payload.to_string())]), Some("http://127.0.0.1:8803"))
}

fn a_press() -> Value {
    json!({
        "type": "block_actions", "team": {"id": "T1", "domain": "acme"}, "api_app_id": "A1", "token": "old",
        "user": {"id": "U0TANAKA1", "username": "tanaka", "team_id": "T1"}, "trigger_id": "1.2.abc",
        "container": {"type": "message_attachment", "message_ts": "1.000001", "channel_id": "C0ALERTS"},
        "channel": {"id": "C0ALERTS", "name": "alerts"},
        "message": {"type": "message", "ts": "1.000001",
            "text": "x &lt;https://evil.example/PINC1&gt; <https://acme.pagerduty.com/incidents/PINC1>"},
        "response_url": "https://hooks.slack.com/actions/T1/2/3",
        "actions": [{"action_id": "acknowledge", "block_id": "b", "type": "button", "value": "PINC1",
            "action_ts": "1548426417.840180"}],
    })
}

#[test]
fn a_press_is_read_with_all_that_its_answer_needs() {
    let Requested::Press(press) = of_payload(&a_press()) else { panic!("no press") };
    assert_eq!((press.action, press.incident.to_string().as_str()), (Action::Acknowledge, "PINC1"));
    assert_eq!(press.presser, Presser { id: "U0TANAKA1".into(), name: "tanaka".into() });
    assert_eq!(press.id, "1548426417.840180 U0TANAKA1");
    assert_eq!(press.message, Thread { channel: "C0ALERTS".into(), ts: "1.000001".into() });
    assert_eq!(press.link.unwrap().to_string(), "https://acme.pagerduty.com/incidents/PINC1");
    assert_eq!(press.reply.as_ref().unwrap().0.expose_secret(), "https://hooks.slack.com/actions/T1/2/3");
    assert!(!format!("{:?}", press.reply).contains("hooks"));
}

#[test]
fn what_may_be_missing_is_made_up_for() {
    let mut payload = a_press();
    payload["user"] = json!({"id": "U0TANAKA1", "username": "", "name": null});
    payload["channel"] = Value::Null;
    payload["message"] = Value::Null;
    payload["response_url"] = json!("http://127.0.0.1:8803/actions/1");
    let Requested::Press(press) = of_payload(&payload) else { panic!("no press") };
    assert_eq!(press.presser.name, "U0TANAKA1");
    assert_eq!((press.message.channel.as_str(), press.link), ("C0ALERTS", None));
}

#[test]
fn nothing_is_done_with_what_is_odd() {
    for (place, value, why) in [
        ("/type", json!("shortcut"), "an interaction that is none of the relay's"),
        ("/actions", json!([]), "not exactly one action"),
        ("/actions/0/action_id", json!("delete"), "an unknown action"),
        ("/actions/0/value", json!("P 1"), "a value that is no incident's id"),
        ("/actions/0/value", json!("PRACTICE1"), "a value that is no incident's id"),
        ("/actions/0/action_ts", Value::Null, "no time of the press"),
        ("/user", Value::Null, "no user"),
        ("/user/id", json!("<!here>"), "no user"),
        ("/response_url", Value::Null, "no response_url of Slack's"),
        ("/response_url", json!("http://hooks.slack.com/actions/1"), "no response_url of Slack's"),
        ("/response_url", json!("https://hooks.slack.com.evil.example/1"), "no response_url of Slack's"),
        ("/response_url", json!("https://hooks.slack.com@evil.example/1"), "no response_url of Slack's"),
        ("/response_url", json!("https://hooks.slack.com:8443/1"), "no response_url of Slack's"),
        ("/response_url", json!("http://127.0.0.1:9999/1"), "no response_url of Slack's"),
        ("/response_url", json!("file:///etc/passwd"), "no response_url of Slack's"),
    ] {
        let mut payload = a_press();
        *payload.pointer_mut(place).unwrap() = value.clone();
        let (found, is_ours) = match of_payload(&payload) {
            Requested::Nothing(found) => (found, false),
            Requested::Unusable(found) => (found, true),
            _ => panic!("{place} {value}"),
        };
        assert_eq!(found, why, "{place} {value}");
        let names_an_incident = !matches!(place, "/type" | "/actions" | "/actions/0/action_id" | "/actions/0/value");
        assert_eq!(is_ours, names_an_incident, "{place} {value}");
    }
    // A form needs no address.
    let mut payload = a_press();
    (payload["response_url"], payload["actions"][0]["action_id"]) = (Value::Null, json!("note"));
    assert!(matches!(of_payload(&payload), Requested::Press(press) if press.reply.is_none()));
    let mut payload = a_press();
    (payload["message"], payload["container"]) = (Value::Null, Value::Null);
    assert!(matches!(of_payload(&payload), Requested::Unusable("no message")));
}

#[test]
fn a_note_is_read_out_of_its_modal() {
    let submitted = |metadata: &str, callback: &str| {
        of_payload(&json!({
            "type": "view_submission", "user": {"id": "U0TANAKA1", "name": "tanaka"}, "response_urls": [],
            "view": {"id": "V1", "callback_id": callback, "private_metadata": metadata,
                "state": {"values": {"note": {"text": {"type": "plain_text_input", "value": " 再起動した\n"}}}}},
        }))
    };
    let link = "https://acme.pagerduty.com/incidents/PINC1";
    let metadata = json!({"incident": "PINC1", "link": link}).to_string();
    let Requested::Note(note) = submitted(&metadata, "note") else { panic!("no note") };
    assert_eq!((note.text.as_str(), note.id.as_str()), ("再起動した", "V1"));
    assert_eq!(note.link.unwrap().to_string(), link);
    for (metadata, callback) in [
        (metadata.as_str(), "other"),
        ("", "note"),
        ("{}", "note"),
        (r#"{"incident":"P 1"}"#, "note"),
        (&"x".repeat(4_000), "note"),
    ] {
        assert!(matches!(submitted(metadata, callback), Requested::Nothing(_)), "{metadata} {callback}");
    }
}

#[test]
fn forms_are_told_apart_by_their_fields() {
    let is = |fields: &[(&str, &str)]| parse(&form(fields), None);
    assert!(matches!(is(&[("command", "/oncall"), ("user_id", "U1")]), Requested::Command));
    assert!(matches!(is(&[("ssl_check", "1"), ("token", "x")]), Requested::SslCheck));
    assert!(matches!(is(&[("payload", "{")]), Requested::Nothing("a payload that is not JSON")));
    assert!(matches!(is(&[("payload", "[]")]), Requested::Nothing(_)));
    assert!(matches!(is(&[]), Requested::Nothing("neither a payload nor a command")));
    assert!(matches!(parse(&vec![b'a'; MAX_BODY + 1], None), Requested::Nothing("a body over 1 MiB")));
    assert!(matches!(parse(b"\xff=%ff&payload=%ff", None), Requested::Nothing(_)));
}
