//! What a stranger may try: forgeries, floods, injected lines and addresses, redirects, replays.

mod quiet;

mod memory;

use oncall::fakes::ROSTER_TAB;
use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::pagerduty::{Incident, signature};
use oncall::fakes::server::Fault;
use oncall::fakes::ssm::Ssm;
use oncall::fakes::{BEARER_TOKEN, SIGNING_SECRET, typetalk::Typetalk};
use oncall::properties::Effects;
use oncall_relay::budget;
use oncall_relay::config::WebhookConfig;
use oncall_relay::domain::chat::ChatName;
use oncall_relay::domain::event::{Event, Incident as IncidentOfEvent, IncidentId, Kind};
use oncall_relay::edge::http::HttpClient;
use oncall_relay::edge::ledger::{IdempotencyKey, Ledger};
use oncall_relay::edge::secrets;
use serde_json::{Value, json};

use crate::ledger;
use crate::world::{DAYTIME, EVENING, World, event_spec, ignored, incident, instant, posted, triggered};

/// Lambda hands over no more.
const MAX_BODY: usize = 6 << 20;
/// Of these the relay parses what is no larger.
const MAX_PARSED: usize = 1 << 20;

fn unauthenticated() -> (u16, Value) {
    (401, json!({"error": "unauthenticated"}))
}

#[tokio::test]
async fn a_replay_is_ignored_for_72_hours_and_after_that_says_when_it_happened() {
    let world = World::new().await;
    let relay = world.relay().await;
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!(relay.signed("2026-11-27T10:59:00+09:00", &triggered("e1")).await, ignored(1));
    relay.topic();
    assert_eq!(relay.signed("2026-11-27T11:01:00+09:00", &triggered("e1")).await, posted(1));
    let topic = relay.topic();
    assert!(topic[0].contains("🕒 11/24(火) 11:00 の出来事です"), "{topic:?}");
}

/// `Running` holds every answer against the 4 s.
#[tokio::test]
async fn the_largest_body_is_answered_in_time_whatever_is_in_it() {
    let world = World::new().await;
    let relay = world.relay().await;
    let filled = |size: usize, before: &str, filling: &str, after: &str| {
        let room = size - before.len() - after.len();
        format!("{before}{}{after}", filling.repeat(room / filling.len()))
    };
    let title = r#"{"event":{"id":"e1","event_type":"incident.triggered","data":{"id":"P1","title":""#;
    let people = r#"{"event":{"id":"e3","event_type":"incident.reassigned","data":{"id":"P1","assignees":["x""#;
    for size in [MAX_PARSED, MAX_BODY] {
        for (index, body) in [
            filled(size, title, r"\ud83d", r#""}}}"#),
            filled(size, people, r#","<a>""#, "]}}}"),
            filled(size, "", r#"{"a":"#, ""),
            filled(size, r#"{"messages":["#, r#"{"a":1},"#, "{}]}"),
        ]
        .iter()
        .enumerate()
        {
            let (signature, id) = (signature(SIGNING_SECRET, body.as_bytes()), format!("w-{size}-{index}"));
            let headers = [("x-pagerduty-signature", signature.as_str()), ("x-webhook-id", &id)];
            let (status, _) = relay.send(DAYTIME, &headers, body.as_bytes()).await;
            assert_eq!(status, 200, "{}", &body[..20]);
            let is_unreadable = size > MAX_PARSED || index >= 2;
            let posts = relay.topic();
            assert_eq!(posts.len(), 1, "{}", &body[..20]);
            assert_eq!(relay.tally().unreadable, u32::from(is_unreadable), "{}", &body[..20]);
            assert!(posts.iter().all(|text| text.encode_utf16().count() < 4_000));
        }
    }
}

#[tokio::test]
async fn a_body_nested_too_deeply_keeps_its_title_and_one_that_never_ends_is_said_to_be_unreadable() {
    let world = World::new().await;
    let relay = world.relay().await;
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let body = triggered("e1").to_string().replacen("\"client\":null", &format!("\"client\":{deep}"), 1);
    assert_eq!(relay.signed_bytes(EVENING, body.as_bytes()).await, posted(1));
    assert_eq!(relay.signed_bytes(EVENING, "[".repeat(100_000).as_bytes()).await, posted(1));
    let topic = relay.topic();
    assert!(topic[0].starts_with("🔴 発生 #pd33 応答が遅い\n"), "{topic:?}");
    assert!(topic[1].contains("読み取れない通知"), "{topic:?}");
}

/// One signature costs a hash of the body; a thousand must not cost a thousand.
#[tokio::test]
async fn any_number_of_forged_signatures_of_a_large_body_is_refused_in_time() {
    let world = World::new().await;
    let relay = world.relay().await;
    let body = vec![b' '; MAX_BODY];
    for forged in ["v1=00,".repeat(1_700), format!("v1={},", "0".repeat(64)).repeat(150)] {
        let answer = relay.send(DAYTIME, &[("x-pagerduty-signature", &forged)], &body).await;
        assert_eq!(answer, unauthenticated());
    }
}

#[tokio::test]
async fn headers_of_any_length_are_refused_in_time() {
    let world = World::new().await;
    let relay = world.relay().await;
    let long = "x".repeat(MAX_BODY / 2);
    for (header, value) in [
        ("authorization", format!("Bearer {long}")),
        ("x-pagerduty-signature", format!("v1={}", "0".repeat(long.len()))),
        ("x-webhook-id", long),
    ] {
        assert_eq!(relay.send(DAYTIME, &[(header, &value)], b"{}").await, unauthenticated(), "{header}");
    }
}

#[tokio::test]
async fn the_content_type_neither_admits_nor_refuses() {
    let world = World::new().await;
    let relay = world.relay().await;
    for (index, content_type) in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""].into_iter().enumerate()
    {
        let body = triggered(&format!("e{index}")).to_string();
        assert_eq!(relay.send(DAYTIME, &[("content-type", content_type)], body.as_bytes()).await, unauthenticated());
        let signature = signature(SIGNING_SECRET, body.as_bytes());
        let headers = [("x-pagerduty-signature", signature.as_str()), ("content-type", content_type)];
        assert_eq!(relay.send(DAYTIME, &headers, body.as_bytes()).await, posted(1), "{content_type}");
    }
}

#[tokio::test]
async fn line_breaks_in_titles_and_names_forge_neither_headers_nor_lines() {
    let world = World::new().await;
    let relay = world.relay().await;
    for (index, line_break) in ["\r\n", "\n", "\r", "\u{85}", "\u{2028}", "\u{b}", "\0"].into_iter().enumerate() {
        let title = format!("ok{line_break}X-Typetalk-Token: x{line_break}{line_break}🟢 解決 #pd33");
        let mut event =
            Incident { title, ..incident() }.v3(&event_spec(&format!("e{index}"), "incident.triggered", EVENING));
        event["event"]["agent"] = json!({"summary": format!("Rin{line_break}@all")});
        assert_eq!(relay.signed(EVENING, &event).await, posted(1));
        let topic = relay.topic();
        assert_eq!(topic[0].lines().count(), 3, "{topic:?}");
        assert!(topic[0].starts_with("🔴 発生 #pd33 ok"), "{topic:?}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_not_linked_and_one_that_is_holds_no_markup() {
    let mut world = World::new().await;
    let long = format!("https://acme.pagerduty.com/{}", "x".repeat(3_000));
    for chat in [ChatName::Typetalk, ChatName::Slack] {
        world.set("CHATS", chat.key());
        let relay = world.relay().await;
        for (index, (address, printed)) in [
            ("javascript:alert(1)", None),
            ("data:text/html,<b>", None),
            ("https://user:pass@acme.pagerduty.com/", None),
            ("https://acme.pagerduty.com\\@evil.example/", Some("https://acme.pagerduty.com/%40evil.example/")),
            ("//evil.example/x", None),
            ("https://", None),
            (long.as_str(), None),
            ("https://x.example/a|Click here", Some("https://x.example/a%7CClick%20here")),
            ("https://x.example/\r\n> <!channel>", Some("https://x.example/%3E%20%3C!channel%3E")),
            ("https://x.example/?q=<@U0EVIL001>&r=`x`", Some("https://x.example/?q=%3C%40U0EVIL001%3E&r=%60x%60")),
            ("https://x.example/@all#pd1", Some("https://x.example/%40all")),
        ]
        .into_iter()
        .enumerate()
        {
            let mut event = incident().v3(&event_spec(&format!("{chat}{index}"), "incident.triggered", EVENING));
            event["event"]["data"]["html_url"] = json!(address);
            // A reply in the thread has no link.
            event["event"]["data"]["id"] = json!(format!("P{index}"));
            assert_eq!(relay.signed(EVENING, &event).await, posted(1), "{address}");
            let text = [relay.topic(), relay.channel()].concat().concat();
            let effects = Effects::of(&text, chat);
            assert_eq!(effects.mentions, [""; 0], "{address}: {text}");
            match chat {
                ChatName::Typetalk => {
                    assert_eq!(effects.tags, ["pd33"], "{address}: {text}");
                    assert_eq!(text.lines().nth(2), printed, "{address}: {text}");
                }
                ChatName::Slack => assert_eq!(effects.links, Vec::from_iter(printed), "{address}: {text}"),
            }
        }
    }
}

#[tokio::test]
async fn formulas_in_cells_are_names_at_most_and_failed_ones_cost_nobody_the_mention() {
    let world = World::new().await;
    for (index, (cells, first_line)) in [
        (["#REF!", "田中"], "@tanaka"),
        (["田中", "#N/A"], "@tanaka"),
        (["#NAME?", ""], "@sre-team"),
        (["=cmd|' /C calc'!A0", "田中"], "=cmd ' C calc'!A0 @tanaka"),
        (["+@SUM(1+1)*cmd", "田中"], "+＠SUM(1+1)*cmd @tanaka"),
        (["<!channel>", "田中"], "<!channel> @tanaka"),
        (["@all", "田中"], "all @tanaka"),
        (["#pd1", "田中"], "＃pd1 @tanaka"),
    ]
    .into_iter()
    .enumerate()
    {
        world.google.write(ROSTER_TAB, &[&["2026-11-24", cells[0], cells[1]]]);
        let relay = world.relay().await;
        assert_eq!(relay.signed(DAYTIME, &triggered(&format!("e{index}"))).await, posted(1));
        let text = &relay.topic()[0];
        assert_eq!(text.lines().next(), Some(first_line), "{cells:?}: {text}");
    }
}

/// What carries a token or a key of ours stays where it was sent.
#[tokio::test]
async fn no_client_follows_a_redirect() {
    let elsewhere = Typetalk::start(0, &[]).await.unwrap();
    for status in [301, 302, 303, 307, 308] {
        let redirect = Some(Fault::Answer(status, vec![("location", format!("{}/caught", elsewhere.url()))], ""));
        let mut world = World::new().await;
        let ssm = Ssm::start(0).await.unwrap();
        let table = DynamoDb::start(0, "table").await.unwrap();
        ssm.fail_always(redirect.clone());
        table.fail_always(redirect.clone());

        // Google's token endpoint, then the sheet with a token in hand; both chats.
        let relay = world.relay().await;
        world.google.fail_always(redirect.clone());
        assert_eq!(relay.signed(DAYTIME, &triggered("token")).await, posted(1));
        world.google.fail_always(None);
        relay.signed("2026-11-24T11:01:00+09:00", &triggered("warm")).await;
        world.google.fail_always(redirect.clone());
        relay.signed("2026-11-24T11:02:00+09:00", &triggered("sheet")).await;
        world.typetalk.fail_always(redirect.clone());
        world.slack.fail_always(redirect.clone());
        assert_eq!(relay.signed(DAYTIME, &triggered("chats")).await.0, 503);

        // PagerDuty's REST API, for the reminder's list.
        world.incidents.fail_always(redirect.clone());
        let request = json!({"reminder": "today", "at": DAYTIME});
        let reminders = world.reminders().await;
        let (answer, ..) =
            oncall_relay::lambda::scheduler::answer(&reminders, &request, instant(DAYTIME).to_utc()).await;
        assert!(answer.is_err());

        // AWS.
        let matter = IdempotencyKey::of_event(&Event {
            id: Some("e1".to_owned()),
            kind: Kind::Triggered,
            occurred_at: None,
            incident: IncidentOfEvent { id: IncidentId::parse("P1"), ..IncidentOfEvent::default() },
            service: None,
            urgency: None,
            actor: None,
        });
        let ledger = Ledger::new(Some(&ledger::config(&table.url())), budget::WEBHOOK, &HttpClient::new());
        ledger.claim(&matter.unwrap(), None, instant(DAYTIME).to_utc()).await;
        for (name, value) in [("SLACK_TOKEN", ""), ("SECRETS_PATH", "/oncall"), ("AWS_ENDPOINT_URL_SSM", &ssm.url())] {
            world.set(name, value);
        }
        assert!(secrets::load(world.environment(), WebhookConfig::read).await.is_err());

        assert!(world.incidents.requests() > 0 && table.requests() > 0 && ssm.requests() > 0);
        assert_eq!(elsewhere.connections(), 0, "{status}");
    }
}

#[tokio::test]
async fn a_batch_of_any_length_is_answered_in_time_whatever_hangs() {
    for (chats_hang, table_hangs) in [(true, false), (true, true), (false, true)] {
        let table = DynamoDb::start(0, "ledger").await.unwrap();
        let mut world = World::new().await;
        world.remember_in(&table.url(), "ledger");
        let relay = world.relay().await;
        world.typetalk.fail_always(chats_hang.then_some(Fault::Hang));
        world.slack.fail_always(chats_hang.then_some(Fault::Hang));
        table.fail_always(table_hangs.then_some(Fault::Hang));
        let messages: Vec<_> = (0..300).map(|n| json!({"id": format!("m{n}"), "event": "incident.trigger"})).collect();
        let body = json!({ "messages": messages }).to_string();
        // `Running` holds every answer against the 4 s.
        let (status, _) =
            relay.send(EVENING, &[("authorization", &format!("Bearer {BEARER_TOKEN}"))], body.as_bytes()).await;
        if chats_hang {
            assert_eq!(status, 503, "what is left comes again");
        }
    }
}

/// Two providers are two sets of mistakes, and twice the code that a key passes through.
#[test]
fn there_is_one_tls_provider() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    let packages = |name: &str| lock.lines().filter(|line| *line == format!("name = \"{name}\"")).count();
    for one in ["rustls", "ring"] {
        assert_eq!(packages(one), 1, "{one}");
    }
    for other in
        ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls", "boring", "mbedtls", "rustls-rustcrypto"]
    {
        assert_eq!(packages(other), 0, "{other}");
    }
}
