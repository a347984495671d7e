//! Laws that hold for any input at all, checked with inputs that nobody would think of.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{Datelike, NaiveDate, TimeDelta};
use http::{HeaderMap, HeaderValue};
use oncall::fakes::SIGNING_SECRET;
use oncall::fakes::pagerduty::{Incident, signature};
use oncall::properties::{self, Effects};
use oncall_relay::config::WebhookSecrets;
use oncall_relay::domain::chat::ChatName;
use oncall_relay::domain::event::Kind;
use oncall_relay::domain::message::{Message, Span};
use oncall_relay::domain::roster::{Cell, MembersTable, OnCall, ReadingRules, Roster, Table, Tables};
use oncall_relay::domain::sanitize;
use oncall_relay::edge::chat::render;
use oncall_relay::edge::pagerduty::{Item, Verifier, parse};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::world::{DAYTIME, World, event_spec, incident, posted};

/// What somebody writes who wants to notify, tag, link or confuse.
const NASTY: &str = "(@all|@tanaka| #pd1|<!channel>|<@U0TANAKA1>|<https://x\\.example\\|y>|[@#<>&|`]|\
     [*_~: ]|:fire:|\\n|\u{202e}|\u{2028}|\\PC){0,40}";

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn date() -> impl Strategy<Value = NaiveDate> {
    (0..73_000_i64).prop_map(|days| NaiveDate::from_ymd_opt(1930, 1, 1).unwrap() + TimeDelta::days(days))
}

/// Any cell, and often one that is nearly a date.
fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        Just(Cell::Empty),
        any::<bool>().prop_map(Cell::Flag),
        any::<f64>().prop_map(Cell::Number),
        (-10.0..60_000.0_f64).prop_map(Cell::Number),
        any::<String>().prop_map(Cell::Text),
        "[0-9０-９年月日/／() （）火Tue-]{0,14}".prop_map(Cell::Text),
        NASTY.prop_map(Cell::Text),
    ]
}

fn rows() -> impl Strategy<Value = Vec<Vec<Cell>>> {
    prop::collection::vec(prop::collection::vec(cell(), 0..5), 0..12)
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// Any JSON, with names that webhooks use.
fn value() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 18] = [
        "event",
        "messages",
        "event_type",
        "data",
        "incident",
        "type",
        "id",
        "title",
        "summary",
        "number",
        "html_url",
        "agent",
        "assignees",
        "log_entries",
        "channel",
        "content",
        "service",
        "occurred_at",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        NASTY.prop_map(Value::from),
        prop::sample::select(vec!["incident.triggered", "incident.annotated", "incident.escalate", "pagey.ping"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let field = (prop::sample::select(&NAMES[..]), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            prop::collection::vec(field, 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

fn signed_by(header: &[u8], body: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert("x-pagerduty-signature", HeaderValue::from_bytes(header).unwrap());
    Verifier::new(WebhookSecrets { signing: vec![SIGNING_SECRET.into()], tokens: Vec::new() }).admits(&headers, body)
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_bad_row_never_hides_a_good_one(roster in (rows(), rows()), members in (rows(), rows())) {
        properties::a_bad_row_hides_no_good_one(roster, members);
    }

    #[test]
    fn a_date_is_itself_in_every_form_that_people_write(day in date(), days_to_today in -180..=180_i64) {
        let today = day + TimeDelta::days(days_to_today);
        let weekday = ["月", "火", "水", "木", "金", "土", "日"][day.weekday().num_days_from_monday() as usize];
        for form in ["%Y-%m-%d", "%Y/%m/%d", "%Y/%-m/%-d", "%Y年%-m月%-d日", "%-m/%-d", "%-m月%-d日"] {
            let written = day.format(form).to_string();
            for written in
                [written.clone(), format!("{written}({weekday})"), format!("{written}（{weekday}）"), format!("{written} ({})", day.weekday())]
            {
                let table = Table::new(1, vec![vec![text(&written), text("tanaka")]]);
                let (roster, problems) = Roster::parse(&Tables { roster: table, members: MembersTable::None }, &ReadingRules::default(), today);
                prop_assert!(matches!(roster.on_call(day), OnCall::People(_)), "{} seen on {}", written, today);
                prop_assert!(problems.is_empty(), "{}: {:?}", written, problems);
            }
        }
    }

    #[test]
    fn no_bytes_break_the_reading_of_a_webhook(body in any::<Vec<u8>>()) {
        properties::webhook(&body);
        let items = parse(&body, Some("w-1"));
        if serde_json::from_slice::<Value>(&body).is_err() {
            prop_assert!(matches!(&items[..], [Item::Event(event)] if event.kind == Kind::Unreadable), "{:?}", items);
        }
    }

    #[test]
    fn no_json_breaks_the_reading_and_nothing_in_a_list_is_lost(event in value(), messages in prop::collection::vec(value(), 0..4)) {
        properties::webhook(event.to_string().as_bytes());
        let body = json!({ "messages": messages }).to_string();
        // A list in the list is read like the messages that it holds.
        let held = |message: &Value| message.as_array().map_or(1, |inner| inner.len().max(1));
        prop_assert_eq!(parse(body.as_bytes(), None).len(), messages.iter().map(held).sum::<usize>());
    }

    #[test]
    fn no_notice_breaks_its_reading_or_sets_anything_off(
        text in strangers_text(),
        (source, incident, url) in (NASTY, "[#pdP0-9A-Z@ ]{0,9}", "(https?://)?[a-z.:/?&#@|<>]{0,20}"),
        status in prop::sample::select(vec!["started", "succeeded", "failed", "info", "", "done"]),
        any in value(),
        bytes in any::<Vec<u8>>(),
    ) {
        let body = json!({"text": text, "source": source, "incident": incident, "url": url, "status": status, "key": text});
        properties::notice(body.to_string().as_bytes());
        properties::notice(json!({"text": text, "source": source, "incident": 33, "status": any}).to_string().as_bytes());
        properties::notice(any.to_string().as_bytes());
        properties::notice(&bytes);
    }

    #[test]
    fn a_flipped_bit_of_a_signed_body_or_its_signature_is_refused(
        body in prop::collection::vec(any::<u8>(), 1..200),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let signature = signature(SIGNING_SECRET, &body);
        prop_assert!(signed_by(signature.as_bytes(), &body));
        let mut other_body = body.clone();
        other_body[at.index(body.len())] ^= 1 << bit;
        prop_assert!(!signed_by(signature.as_bytes(), &other_body));

        // A digit of the signature stands for four bits.
        let digit = "v1=".len() + at.index(64);
        let flipped = u32::from_str_radix(&signature[digit..=digit], 16).unwrap() ^ (1 << (bit % 4));
        let other_signature = format!("{}{flipped:x}{}", &signature[..digit], &signature[digit + 1..]);
        prop_assert!(!signed_by(other_signature.as_bytes(), &body));
    }

    #[test]
    fn no_header_is_a_signature_by_accident(
        header in prop_oneof!["(v[0-9]=|[0-9a-fx]{2}|[,= ]){0,40}".prop_map(String::into_bytes), any::<Vec<u8>>()],
        body in any::<Vec<u8>>(),
    ) {
        properties::signature(&[b"x-pagerduty-signature: ", &header[..], b"\n\n", &body].concat());
        if HeaderValue::from_bytes(&header).is_ok() {
            prop_assert!(!signed_by(&header, &body));
        }
    }
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

/// The same law as beside the chats' markup, on the wire: whatever a title or a note says, the post
/// notifies those on call and carries the incident's tag, and nothing else.
#[test]
fn whatever_strangers_write_arrives_and_does_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut world = runtime.block_on(World::new());
    let on_typetalk =
        Effects { mentions: texts(["tanaka", "suzuki-k"]), tags: texts(["pdPNEW"]), ..Effects::default() };
    let on_slack = Effects {
        mentions: texts(["@U0TANAKA1", "@U0SUZUKI1"]),
        links: texts(["https://acme.pagerduty.com/incidents/PINCIDENT1"]),
        ..Effects::default()
    };
    for (chat, meant) in [(ChatName::Typetalk, on_typetalk), (ChatName::Slack, on_slack)] {
        world.set("CHATS", chat.key());
        let relay = runtime.block_on(world.relay());
        let events = AtomicU32::new(0);
        let law = |(title, note): (String, String)| {
            let number = events.fetch_add(1, Ordering::Relaxed);
            let incident = Incident { title, ..incident() };
            let note_of = |id: &str| {
                let mut body = incident.v3_note(&event_spec(id, "incident.annotated", DAYTIME), &note);
                body["event"]["data"]["incident"]["id"] = json!(format!("PNEW{number}"));
                runtime.block_on(relay.signed(DAYTIME, &body))
            };
            let effects = |text: &str| Effects::of(&text.replace(&format!("PNEW{number}"), "PNEW"), chat);
            prop_assert_eq!(note_of(&format!("e{number}")), posted(1));
            let text = [relay.topic(), relay.channel()].concat().concat();
            prop_assert_eq!(&effects(&text), &meant, "{}", text);
            // A reply has no link. The first message, laid out and brought up to date, has what its text has.
            prop_assert_eq!(note_of(&format!("e{number}, again")), posted(1));
            if chat == ChatName::Slack {
                let reply = relay.channel().concat();
                prop_assert_eq!(effects(&reply), Effects { links: Vec::new(), ..meant.clone() }, "{}", reply);
                let first = world.slack.shown().into_iter().rfind(|message| message.thread.is_none());
                let first = first.map(|first| [first.head, first.body].concat().join("\n")).unwrap_or_default();
                prop_assert_eq!(&effects(&first), &meant, "{}", first);
            } else {
                relay.topic();
            }
            Ok(())
        };
        TestRunner::new(cases(40)).run(&(NASTY, NASTY), law).unwrap();
    }
}

/// Text as somebody would write it who wants to notify, tag, link or confuse.
fn strangers_text() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        3 => prop::sample::select(vec![
            "@all", " @here ", "@tanaka", "＠", "#pd1", " #", "<!channel>", "<@U0TANAKA1>", "<!subteam^S0SRETEAM>",
            "<https://x.example|y>", "<#C0ALERTS>", "https://x.example/?a=1&b=2#@all", "&lt;!here&gt;", "&amp;", "<", ">",
            "`", "```", "\n", "\r\n", "\u{2028}", "\u{85}", "\u{b}", "\t", "\u{202e}", "\u{2066}", "\u{200b}", "\u{0}",
            "\u{1b}[31m", "@\u{200b}all", "\u{feff}#\u{202c}pd2", "> quote", "💥", "👨‍👩‍👧", "対応", "…", "、", "x",
            "*", "_", "~", ":", "＊", "＿", "｀", "＞", " ", ".", "/", "*bold*", " _it_", "~st~", ":fire:", ":+1:", "10:30:00",
            "db_master_01", "https://a_b.example/_c_/:d:", "\u{34f}",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    (prop::collection::vec(fragment, 0..24), prop_oneof![8 => Just(1_usize), 1 => 2..60_usize])
        .prop_map(|(fragments, times)| fragments.concat().repeat(times))
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn whatever_strangers_write_sets_nothing_off_and_fits(
        choice in any::<u8>(),
        texts in prop::collection::vec(strangers_text(), 7),
    ) {
        properties::texts(&[&[choice][..], texts.join("\u{1f}").as_bytes()].concat());
    }

    #[test]
    fn what_strangers_write_is_not_formatted_on_slack(
        written in prop_oneof!["([*_~: ]|[a-c]|:fire:|[＊＿｀＞>/\\.]){0,30}", "\\PC{0,60}"],
    ) {
        let lines = vec![vec![Span::Untrusted(sanitize::line(&written))]];
        let printed = render(ChatName::Slack, &Message { lines });
        prop_assert_eq!(Effects::of(&printed, ChatName::Slack), Effects::default());
    }
}
