//! What a chat makes of a printed message: who is notified, what is tagged and linked, and that it fits.

use chrono::TimeDelta;

use super::render;
use crate::domain::alert::{Alert, Mentions};
use crate::domain::chat::ChatName;
use crate::domain::chat::FailedChat;
use crate::domain::event::{ActorKind, Kind, Link};
use crate::domain::message::{Destination, FirstMessage, Message};
use crate::domain::roster::{MembersTable, OnCallDay, ReadingRules, RosterState, Snapshot, Tables};
use crate::domain::samples::{actor, alert, event, late_by, now, table, today};
use crate::domain::wording::Language;

const CHATS: [ChatName; 2] = [ChatName::Typetalk, ChatName::Slack];

/// Both messages about a alert in both languages, as a chat that is a backup gets them.
fn printed(alert: &Alert, chat: ChatName) -> Vec<String> {
    let failed = CHATS.into_iter().find(|other| *other != chat);
    let instead_of = failed.map(|chat| FailedChat { chat, in_doubt: false });
    let destination = Destination { chat, instead_of, in_doubt: false };
    let in_language = |language| {
        let card = FirstMessage::begin(alert, destination, language).card(language, chrono_tz::Asia::Tokyo);
        [Message::about(alert, destination, language), Message::bare(alert, destination, language), card.text()]
            .map(|message| render(chat, &message))
    };
    [in_language(Language::Japanese), in_language(Language::English)].concat()
}

#[test]
fn an_alert_looks_alike_on_both_chats_in_both_languages() {
    let mut event = event(Kind::Annotated { note: "see <#ops> @rin & `df -h`\nthen call".to_owned() });
    event.actor = Some(actor(ActorKind::Person, "Rin <Abe>"));
    let alert = Alert { delay: Some(late_by(TimeDelta::minutes(20))), ..alert(event, "田中、SRE、渡辺") };
    let print = |chat, language| {
        render(chat, &Message::about(&alert, Destination { chat, instead_of: None, in_doubt: false }, language))
    };
    assert_eq!(
        print(ChatName::Typetalk, Language::Japanese),
        "@tanaka @sre-team 渡辺\n\
         🔵 メモ #pd33 Disk is full\n\
         サービス: Backlog / 緊急度: 高 / 記入: Rin <Abe>\n\
         > see <＃ops> ＠rin & 'df -h'\n\
         > then call\n\
         https://acme.pagerduty.com/incidents/Q1INCIDENT\n\
         🕒 11/24(火) 10:40 の出来事です(20分前)\n\
         ⚠️ メンションできない当番: 渡辺 (メンバー表の Typetalk の ID を確認してください)"
    );
    assert_eq!(
        print(ChatName::Slack, Language::Japanese),
        "<@U0TANAKA1> <!subteam^S0SRETEAM> 渡辺\n\
         🔵 メモ #pd33 Disk is full\n\
         サービス: Backlog / 緊急度: 高 / 記入: Rin &lt;Abe&gt;\n\
         > see &lt;#ops&gt; @rin &amp; 'df -h'\n\
         > then call\n\
         <https://acme.pagerduty.com/incidents/Q1INCIDENT>\n\
         🕒 11/24(火) 10:40 の出来事です(20分前)\n\
         ⚠️ メンションできない当番: 渡辺 (メンバー表の Slack の ID を確認してください)"
    );
    assert_eq!(
        print(ChatName::Typetalk, Language::English),
        "@tanaka @sre-team 渡辺\n\
         🔵 note #pd33 Disk is full\n\
         service: Backlog / urgency: high / by: Rin <Abe>\n\
         > see <＃ops> ＠rin & 'df -h'\n\
         > then call\n\
         https://acme.pagerduty.com/incidents/Q1INCIDENT\n\
         🕒 This happened on 11/24 (Tue) at 10:40, 20 min ago\n\
         ⚠️ On call and not mentioned: 渡辺 (please check their ids for Typetalk in the members tab)"
    );
    assert_eq!(
        print(ChatName::Slack, Language::English),
        "<@U0TANAKA1> <!subteam^S0SRETEAM> 渡辺\n\
         🔵 note #pd33 Disk is full\n\
         service: Backlog / urgency: high / by: Rin &lt;Abe&gt;\n\
         > see &lt;#ops&gt; @rin &amp; 'df -h'\n\
         > then call\n\
         <https://acme.pagerduty.com/incidents/Q1INCIDENT>\n\
         🕒 This happened on 11/24 (Tue) at 10:40, 20 min ago\n\
         ⚠️ On call and not mentioned: 渡辺 (please check their ids for Slack in the members tab)"
    );
}

#[test]
fn mentions_and_tags_have_white_space_on_both_sides() {
    for kind in Kind::every("text") {
        for text in printed(&alert(event(kind.clone()), "田中、鈴木"), ChatName::Typetalk) {
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
    event.actor = Some(actor(ActorKind::Person, &long("\u{10ffff}")));
    let alert = Alert {
        mentions: Mentions::OnCall(today),
        delay: Some(late_by(TimeDelta::days(9))),
        in_doubt: true,
        ..alert(event, "")
    };
    for chat in CHATS {
        for text in printed(&alert, chat) {
            let units = text.encode_utf16().count();
            assert!(units < 4_000, "{units}");
            let mention = if chat == ChatName::Slack { "<!subteam^" } else { "@" };
            assert_eq!(text.matches(mention).count(), 30, "{text}");
            assert!(text.contains(" #pd33 "), "{text}");
            let printed_link = if chat == ChatName::Slack { link.replace('&', "&amp;") } else { link.clone() };
            assert!(text.contains(&printed_link), "{text}");
            assert!(text.contains('…'), "{text}");
        }
    }
}

fn crowded_day(members: &[Vec<&str>], cell: &str) -> OnCallDay {
    let members: Vec<&[&str]> = members.iter().map(Vec::as_slice).collect();
    let tables =
        Tables { roster: table(1, &[&["2026-11-24", cell]]), members: MembersTable::Table(table(1, &members)) };
    let (snapshot, _) = Snapshot::new(tables, &ReadingRules::default(), today(), now());
    OnCallDay::from_reading(&RosterState { snapshot: Some(snapshot), ..RosterState::default() }, &[], today(), now())
}
