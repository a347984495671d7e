//! What a chat makes of a printed message: who is notified, what is tagged and linked, and that it fits.

use std::sync::Arc;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::render;
use crate::domain::event::{Event, Kind, Link};
use crate::domain::message::{Destination, FailedChat, Message};
use crate::domain::notice::{Attention, Notice};
use crate::domain::roster::{ChatName, Copy, MembersTable, OnCallToday, Reading, Tables};
use crate::domain::samples::{event, every_kind, late_by, notice, now, on_call, table, today};
use crate::domain::words::Language;
use crate::laws::{Effects, strangers_set_nothing_off};

const CHATS: [ChatName; 2] = [ChatName::Typetalk, ChatName::Slack];

/// Both messages about a notice in both languages, as a chat that is a backup gets them.
fn printed(notice: &Notice, chat: ChatName) -> Vec<String> {
    let failed = CHATS.into_iter().find(|other| *other != chat);
    let instead_of = failed.map(|chat| FailedChat { chat, in_doubt: false });
    let destination = Destination { chat, instead_of, again: false };
    let in_language = |language| {
        [Message::about(notice, destination, language), Message::bare(notice, destination, language)]
            .map(|message| render(chat, &message))
    };
    [in_language(Language::Japanese), in_language(Language::English)].concat()
}

#[test]
fn an_alert_looks_alike_on_both_chats_in_both_languages() {
    let mut event = event(Kind::Annotated { note: "see <#ops> @rin & `df -h`\nthen call".to_owned() });
    event.actor = Some("Rin <Abe>".to_owned());
    let notice = Notice { delay: Some(late_by(TimeDelta::minutes(20))), ..notice(event, "田中、SRE、渡辺") };
    let print = |chat, language| {
        render(chat, &Message::about(&notice, Destination { chat, instead_of: None, again: false }, language))
    };
    assert_eq!(
        print(ChatName::Typetalk, Language::Japanese),
        "@tanaka @sre-team 渡辺\n\
         🔵 メモ #pd33 Disk is full\n\
         サービス: Backlog / 緊急度: 高 / 記入: Rin <Abe>\n\
         > see <＃ops> ＠rin & 'df -h'\n\
         > then call\n\
         https://acme.pagerduty.com/incidents/Q1INCIDENT\n\
         🕒 11/24(火) 10:40 の出来事です(20分前)"
    );
    assert_eq!(
        print(ChatName::Slack, Language::Japanese),
        "<@U0TANAKA1> <!subteam^S0SRETEAM> 渡辺\n\
         🔵 メモ #pd33 Disk is full\n\
         サービス: Backlog / 緊急度: 高 / 記入: Rin &lt;Abe&gt;\n\
         > see &lt;#ops&gt; @rin &amp; 'df -h'\n\
         > then call\n\
         <https://acme.pagerduty.com/incidents/Q1INCIDENT>\n\
         🕒 11/24(火) 10:40 の出来事です(20分前)"
    );
    assert_eq!(
        print(ChatName::Typetalk, Language::English),
        "@tanaka @sre-team 渡辺\n\
         🔵 note #pd33 Disk is full\n\
         service: Backlog / urgency: high / by: Rin <Abe>\n\
         > see <＃ops> ＠rin & 'df -h'\n\
         > then call\n\
         https://acme.pagerduty.com/incidents/Q1INCIDENT\n\
         🕒 This happened on 11/24 (Tue) at 10:40, 20 min ago"
    );
    assert_eq!(
        print(ChatName::Slack, Language::English),
        "<@U0TANAKA1> <!subteam^S0SRETEAM> 渡辺\n\
         🔵 note #pd33 Disk is full\n\
         service: Backlog / urgency: high / by: Rin &lt;Abe&gt;\n\
         > see &lt;#ops&gt; @rin &amp; 'df -h'\n\
         > then call\n\
         <https://acme.pagerduty.com/incidents/Q1INCIDENT>\n\
         🕒 This happened on 11/24 (Tue) at 10:40, 20 min ago"
    );
}

#[test]
fn mentions_and_tags_have_white_space_on_both_sides() {
    for kind in every_kind("text") {
        for text in printed(&notice(event(kind.clone()), "田中、鈴木"), ChatName::Typetalk) {
            for (at, _) in text.match_indices(['@', '#']) {
                assert!(text[..at].chars().next_back().is_none_or(char::is_whitespace), "{kind:?}: {text}");
                let end = text[at..].find(char::is_whitespace).expect("a word follows");
                assert!(["@tanaka", "@suzuki-k", "#pd33", "#pd34"].contains(&&text[at..at + end]), "{kind:?}: {text}");
            }
        }
    }
}

/// The longest of everything that is never shortened.
#[test]
fn what_must_not_be_shortened_fits_beside_any_amount_of_text() {
    let mut members = vec![vec!["name".to_owned(), "typetalk".to_owned(), "slack".to_owned()]];
    members.extend((0..30).map(|n| vec![format!("m{n}"), format!("{n:x>40}"), format!("S{n:X>39}")]));
    let members: Vec<Vec<&str>> = members.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let everybody = (0..30).map(|n| format!("m{n}")).collect::<Vec<_>>().join(",");
    let today = crowded_day(&members, &everybody);

    let link = format!("https://acme.pagerduty.com/?{}", "&".repeat(194));
    let long = |c: &str| c.repeat(30_000);
    let mut event =
        event(Kind::ResponderAdded { to: vec![long("&"); 50], message: vec![long("🔥<"); 30].join("\n") });
    event.incident.title = Some(long("@"));
    event.incident.link = Some(Link::parse(&link).expect("it is just short enough"));
    event.service = Some(long("サ"));
    event.actor = Some(long("\u{10ffff}"));
    let notice = Notice {
        event,
        attention: Attention::Mention(today),
        delay: Some(late_by(TimeDelta::days(9))),
        in_doubt: true,
    };
    for chat in CHATS {
        for text in printed(&notice, chat) {
            let units = text.encode_utf16().count();
            assert!(units < 4_000, "{units}");
            assert_eq!(Effects::of(&text, chat).mentions.len(), 30, "{text}");
            assert!(text.contains(" #pd33 "), "{text}");
            let printed_link = if chat == ChatName::Slack { link.replace('&', "&amp;") } else { link.clone() };
            assert!(text.contains(&printed_link), "{text}");
            assert!(text.contains('…'), "{text}");
        }
    }
}

fn crowded_day(members: &[Vec<&str>], cell: &str) -> OnCallToday {
    let members: Vec<&[&str]> = members.iter().map(Vec::as_slice).collect();
    let tables =
        Tables { roster: table(1, &[&["2026-11-24", cell]]), members: MembersTable::Table(table(1, &members)) };
    let copy = Copy { tables: Arc::new(tables), read_at: now() };
    OnCallToday::from_reading(&Reading { copy: Some(copy), failure: None }, &[], today(), now())
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

/// A notice of any kind in which strangers wrote every text that strangers can write.
fn strangers_notice() -> impl Strategy<Value = Notice> {
    let texts = prop::array::uniform5(strangers_text());
    (0..every_kind("").count(), texts, any::<bool>()).prop_map(
        |(index, [said, title, service, actor, name], daytime)| {
            let kind = every_kind(&said).nth(index).expect("it was counted");
            let mut event = Event { service: Some(service), actor: Some(actor), ..event(kind) };
            event.incident.title = Some(title);
            let today = on_call(&format!("田中、{name}、SRE"));
            let attention = match (&event.kind, daytime) {
                (Kind::Ping, _) => Attention::Name(today),
                (_, true) => Attention::Mention(today),
                (_, false) => Attention::Quiet,
            };
            Notice { event, attention, delay: None, in_doubt: false }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_strangers_write_sets_nothing_off_and_fits(notice in strangers_notice()) {
        strangers_set_nothing_off(&notice);
    }
}
