//! What people do on Slack: who is let in, what `/oncall` says, and that an answer comes whatever hangs.

use std::path::Path;

use oncall::fakes::SLACK_SIGNING_SECRET;
use oncall::fakes::pagerduty::http_api_event;
use oncall::fakes::people::{Person, form, payload, signature, slack_event};
use oncall::fakes::server::Fault;
use serde_json::{Value, json};

use crate::world::{DAYTIME, EVENING, Running, World, instant};

/// The vendor's description is beside the project where it is, and is no part of it.
#[test]
fn what_is_sent_to_pagerduty_is_as_its_description_wants_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vendor/pagerduty-rest.openapi.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: PagerDuty's description is not beside the project");
        return;
    };
    let api: Value = serde_json::from_str(&text).unwrap();
    let (put, post) = (&api["paths"]["/incidents/{id}"]["put"], &api["paths"]["/incidents/{id}/notes"]["post"]);
    let schema =
        |operation: &Value| operation["requestBody"]["content"]["application/json"]["schema"]["properties"].clone();
    let incident = &schema(put)["incident"]["properties"];
    let has = |list: &Value, entry: &str| list.as_array().unwrap().contains(&json!(entry));
    assert!(has(&incident["type"]["enum"], "incident_reference"));
    assert!(["acknowledged", "resolved"].iter().all(|status| has(&incident["status"]["enum"], status)));
    assert!(has(&schema(post)["note"]["required"], "content"));
    for write in [put, post] {
        let from = json!({"$ref": "#/components/parameters/from_header"});
        assert!(write["parameters"].as_array().unwrap().contains(&from), "who acts");
    }
    assert_eq!(api["components"]["parameters"]["from_header"]["required"], true);
    assert!(api["paths"]["/incidents/{id}"]["get"].is_object());
}

const SATO: Person = Person { id: "U0SATO001", name: "sato" };

async fn asked(relay: &Running<'_>, at: &str) -> String {
    let (status, answer) = relay.on_slack(at, &SATO.ask("/oncall", "https://hooks.slack.com")).await;
    assert_eq!((status, answer["response_type"].as_str()), (200, Some("ephemeral")), "{answer}");
    answer["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_asks_is_told_alone_who_is_on_call_and_what_is_open() {
    let world = World::new().await;
    world.incidents.open(33, "応答が <遅い>", "acknowledged", "2026-11-24T01:00:00Z");
    world.incidents.open(32, "済んだ", "resolved", "2026-11-24T00:00:00Z");
    let relay = world.relay().await;
    let text = asked(&relay, DAYTIME).await;
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "11/24(火)の当番: 田中・鈴木",
            "11/25(水)の当番: 佐藤 花子",
            "🌙 未解決のインシデントが 1 件あります",
            "#pd33 (対応中、1時間0分) 応答が &lt;遅い&gt; <https://acme.pagerduty.com/incidents/PINC33>",
        ]
    );
    assert_eq!((relay.channel(), relay.topic()), (vec![], vec![]), "nobody else is told");
}

#[tokio::test]
async fn doubts_are_said_and_nobody_is_guessed() {
    let world = World::new().await;
    let relay = world.relay().await;
    // A Thursday whose row says nobody, and then no rows at all.
    let text = asked(&relay, "2026-11-26T20:00:00+09:00").await;
    assert!(text.contains("ℹ️ 11/26(木)の当番は空欄です"), "{text}");
    assert!(text.contains("⚠️ 当番表に11/27(金)の行がありません"), "{text}");
    assert!(text.contains("✅ 未解決のインシデントはありません"), "{text}");
    let saturday = asked(&relay, "2026-11-28T11:00:00+09:00").await;
    assert!(saturday.starts_with("ℹ️ 11/28(土)は営業日ではなく、"), "{saturday}");
    world.google.fail_only("/v4/");
    world.google.fail_always(Some(Fault::status(403)));
    world.incidents.fail_always(Some(Fault::status(500)));
    let other = world.relay().await;
    let text = asked(&other, DAYTIME).await;
    assert!(text.contains("⚠️ 当番表を読めないため、当番が分かりません(閲覧権限がありません)"), "{text}");
    assert!(text.contains("PagerDuty から取得できませんでした"), "{text}");
}

#[tokio::test]
async fn without_acting_and_without_a_key_it_works_and_says_what_is_missing() {
    let mut world = World::new().await;
    for name in ["PAGERDUTY_ACTION_KEY", "PAGERDUTY_FROM", "PAGERDUTY_API_KEY", "PAGERDUTY_SERVICES"] {
        world.set(name, "");
    }
    world.set("MESSAGE_LANGUAGE", "en");
    let relay = world.relay().await;
    let text = asked(&relay, DAYTIME).await;
    assert!(text.starts_with("On call on 11/24 (Tue): 田中, 鈴木\n"), "{text}");
    assert!(text.ends_with("PAGERDUTY_API_KEY and PAGERDUTY_SERVICES must be set"), "{text}");
}

#[tokio::test]
async fn an_answer_comes_in_time_whatever_hangs() {
    let world = World::new().await;
    let relay = world.relay().await;
    world.google.fail_always(Some(Fault::Hang));
    world.incidents.fail_always(Some(Fault::Hang));
    let text = asked(&relay, DAYTIME).await;
    assert!(text.contains("時間内に応答がありません") && text.contains("取得できませんでした"), "{text}");
    world.incidents.fail_always(Some(Fault::Drip(std::time::Duration::from_millis(200))));
    assert!(asked(&relay, EVENING).await.contains("取得できませんでした"));
}

#[tokio::test]
async fn forged_and_old_requests_are_refused() {
    let world = World::new().await;
    let relay = world.relay().await;
    let body = SATO.ask("/oncall", "https://hooks.slack.com");
    let at = instant(DAYTIME);
    let unauthenticated = (401, json!({"error": "unauthenticated"}));
    let mut changed = slack_event(SLACK_SIGNING_SECRET, at, &body);
    changed["body"] = json!(changed["body"].as_str().unwrap().replace("sato", "tanaka"));
    for (name, event) in [
        ("another secret", slack_event("not-the-secret", at, &body)),
        ("another body", changed),
        ("too old", slack_event(SLACK_SIGNING_SECRET, at - chrono::TimeDelta::seconds(301), &body)),
        ("from the future", slack_event(SLACK_SIGNING_SECRET, at + chrono::TimeDelta::seconds(301), &body)),
        ("unsigned", http_api_event("/slack", &[], &body)),
        (
            "with PagerDuty's marks",
            http_api_event("/slack", &[("x-webhook-id", "w"), ("authorization", "Bearer x")], &body),
        ),
    ] {
        assert_eq!(relay.event(DAYTIME, &event).await, unauthenticated, "{name}");
        assert_eq!(relay.tally().unauthenticated, 1, "{name}");
    }
    assert_eq!(world.google.requests() + world.incidents.requests(), 0);
    let older = slack_event("an-older-slack-secret", at, &body);
    assert_eq!(relay.event(DAYTIME, &older).await.0, 200, "a rotation has two secrets");
}

#[tokio::test]
async fn a_body_in_base64_is_what_was_signed() {
    use base64::Engine as _;
    let world = World::new().await;
    let relay = world.relay().await;
    let mut event =
        slack_event(SLACK_SIGNING_SECRET, instant(DAYTIME), &SATO.ask("/oncall", "https://hooks.slack.com"));
    event["body"] = json!(base64::engine::general_purpose::STANDARD.encode(event["body"].as_str().unwrap()));
    event["isBase64Encoded"] = json!(true);
    assert_eq!(relay.event(DAYTIME, &event).await.0, 200);
}

#[tokio::test]
async fn what_slack_only_wants_to_know_or_nobody_understands_is_answered_and_does_nothing() {
    let world = World::new().await;
    let relay = world.relay().await;
    for body in [
        form(&[("ssl_check", "1"), ("token", "x")]),
        payload(&json!({"type": "shortcut"})),
        payload(&json!([])),
        form(&[("payload", "{")]),
        b"\xff\xfe".to_vec(),
        Vec::new(),
    ] {
        assert_eq!(relay.on_slack(DAYTIME, &body).await, (200, Value::Null));
    }
    assert_eq!(world.google.requests() + world.incidents.requests() + world.slack.requests(), 0);
}

#[tokio::test]
async fn without_slacks_secrets_there_is_no_such_address() {
    let mut world = World::new().await;
    world.set("SLACK_SIGNING_SECRETS", "");
    let relay = world.relay().await;
    let body = SATO.ask("/oncall", "https://hooks.slack.com");
    assert_eq!(relay.on_slack(DAYTIME, &body).await, (404, json!({"error": "not found"})));
}

#[tokio::test]
async fn its_path_is_found_as_that_of_webhooks_and_takes_posts_only() {
    let world = World::new().await;
    let relay = world.relay().await;
    let body = form(&[("ssl_check", "1")]);
    let timestamp = instant(DAYTIME).timestamp().to_string();
    let signed = signature(SLACK_SIGNING_SECRET, &timestamp, &body);
    let headers = [("x-slack-signature", signed.as_str()), ("x-slack-request-timestamp", &timestamp)];
    for path in ["/slack", "/slack/", "//slack", "/prod/hooks/slack"] {
        let event = http_api_event(path, &headers, &body);
        assert_eq!(relay.event(DAYTIME, &event).await, (200, Value::Null), "{path}");
    }
    let mut event = http_api_event("/slack", &headers, &body);
    event["requestContext"]["http"]["method"] = json!("GET");
    assert_eq!(relay.event(DAYTIME, &event).await.0, 405);
}
