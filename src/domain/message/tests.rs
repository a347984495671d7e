//! What messages say, in both languages, before a chat prints it.

mod practice;

use chrono::TimeDelta;

use super::*;
use crate::domain::event::{ActorKind, Incident, IncidentId};
use crate::domain::roster::SourceFailure;
use crate::domain::samples::{actor, alert, event, late_by, marked, on_call, on_call_from};

const ON_TYPETALK: Destination = Destination { chat: ChatName::Typetalk, instead_of: None, in_doubt: false };
const ON_SLACK: Destination = Destination { chat: ChatName::Slack, instead_of: None, in_doubt: false };

fn about(alert: &Alert, destination: Destination, language: Language) -> String {
    marked(&Message::about(alert, destination, language))
}

#[track_caller]
fn check(alert: &Alert, destination: Destination, japanese: &str, english: &str) {
    assert_eq!(about(alert, destination, Language::Japanese), japanese);
    assert_eq!(about(alert, destination, Language::English), english);
}

/// Checks the lines that a message has beneath those of a plain alert.
#[track_caller]
fn check_news(alert: &Alert, destination: Destination, japanese: &str, english: &str) {
    for (language, expected) in [(Language::Japanese, japanese), (Language::English, english)] {
        let text = about(alert, destination, language);
        let (_, subject) = text.split_once("/Q1INCIDENT>").unwrap();
        assert_eq!(subject.trim_start(), expected);
    }
}

#[test]
fn an_alert_says_what_happened_to_what_and_how_urgent_it_is() {
    check(
        &alert(event(Kind::Triggered), "田中、佐藤 花子"),
        ON_TYPETALK,
        "@tanaka @sato\n\
         🔴 発生 #pd33 «Disk is full»\n\
         サービス: «Backlog» / 緊急度: 高\n\
         <https://acme.pagerduty.com/incidents/Q1INCIDENT>",
        "@tanaka @sato\n\
         🔴 triggered #pd33 «Disk is full»\n\
         service: «Backlog» / urgency: high\n\
         <https://acme.pagerduty.com/incidents/Q1INCIDENT>",
    );
}

#[test]
fn every_kind_of_event_has_words_of_its_own_in_both_languages() {
    let expected = [
        ("🔴 発生 #pd33", "🔴 triggered #pd33"),
        ("🟡 対応開始 #pd33", "🟡 acknowledged #pd33"),
        ("🔴 対応の取り消し #pd33", "🔴 unacknowledged #pd33"),
        ("🟢 解決 #pd33", "🟢 resolved #pd33"),
        ("🔀 統合 #pd33", "🔀 merged #pd33"),
        ("🔀 統合 #pd33", "🔀 merged #pd33"),
        ("🔴 再オープン #pd33", "🔴 reopened #pd33"),
        ("🔵 担当変更 #pd33", "🔵 reassigned #pd33"),
        ("🔵 エスカレーション #pd33", "🔵 escalated #pd33"),
        ("🔵 委譲 #pd33", "🔵 delegated #pd33"),
        ("🔵 メモ #pd33", "🔵 note #pd33"),
        ("🔵 優先度変更 #pd33", "🔵 priority changed #pd33"),
        ("🔵 優先度変更 #pd33", "🔵 priority changed #pd33"),
        ("🔵 サービス変更 #pd33", "🔵 service changed #pd33"),
        ("🔵 状況更新 #pd33", "🔵 status update #pd33"),
        ("🔵 応援要請 #pd33", "🔵 help requested #pd33"),
        ("🔵 応援要請への返答 #pd33", "🔵 answer to a request for help #pd33"),
        ("🔵 カスタムアクション #pd33", "🔵 custom action #pd33"),
        ("✅ PagerDuty からのテスト通知を受け取りました", "✅ PagerDuty's test event has arrived"),
        ("🔵 «incident.teleported» #pd33", "🔵 «incident.teleported» #pd33"),
        ("🔵 種類の分からない PagerDuty イベント #pd33", "🔵 PagerDuty event of unknown type #pd33"),
        (
            "🔵 PagerDuty から読み取れない通知が届きました。PagerDuty の画面を確認してください #pd33",
            "🔵 PagerDuty sent something that can't be read. Please look at PagerDuty itself #pd33",
        ),
    ];
    let said = |kind: &Kind, language| {
        let text = about(&alert(event(kind.clone()), ""), ON_SLACK, language);
        let first_line = text.lines().next().unwrap();
        first_line.split(" «Disk is full»").next().unwrap().to_owned()
    };
    let actual: Vec<_> = Kind::every("incident.teleported")
        .map(|kind| (said(&kind, Language::Japanese), said(&kind, Language::English)))
        .collect();
    assert_eq!(actual, expected.map(|(japanese, english)| (japanese.to_owned(), english.to_owned())));
}

#[test]
fn a_merged_incident_says_into_which_as_far_as_that_is_known() {
    let link = || Link::parse("https://acme.pagerduty.com/incidents/Q2");
    let (id, title) = (|| IncidentId::parse("Q2"), || Some("Disks".to_owned()));
    let nothing = Incident::default;
    for (into, said) in [
        (Incident { id: id(), number: Some(34), title: title(), link: link(), ..nothing() }, "#pd34 «Disks» <{link}>"),
        (Incident { id: id(), title: title(), link: link(), ..nothing() }, "«Disks» <{link}>"),
        (Incident { number: Some(34), ..nothing() }, "#pd34"),
        (Incident { id: id(), ..nothing() }, "«Q2»"),
        (Incident { title: Some("\n".to_owned()), ..nothing() }, ""),
        (nothing(), ""),
    ] {
        let said = said.replace("{link}", "https://acme.pagerduty.com/incidents/Q2");
        for (language, label) in [(Language::Japanese, "統合先: "), (Language::English, "into: ")] {
            let text = about(&alert(event(Kind::Merged { into: into.clone() }), ""), ON_SLACK, language);
            let lines: Vec<_> = text.lines().skip(2).collect();
            let expected = if said.is_empty() { String::new() } else { format!("{label}{said}") };
            assert_eq!(lines[..lines.len() - 1].join("|"), expected);
        }
    }
}

#[test]
fn who_did_it_to_whom_and_in_which_words_is_said_where_the_event_says_so() {
    let details = |kind, language| {
        let event =
            Event { actor: Some(actor(ActorKind::Person, "Rin Abe")), service: None, urgency: None, ..event(kind) };
        let text = about(&alert(event, ""), ON_SLACK, language);
        let lines: Vec<_> = text.lines().skip(1).filter(|line| !line.starts_with('<')).collect();
        lines.join(" | ")
    };
    let names = || vec!["Aoi Mori".to_owned(), "Kei Ito".to_owned()];
    for (kind, japanese, english) in [
        (Kind::Triggered, "対応者: «Rin Abe»", "by: «Rin Abe»"),
        (
            Kind::Reassigned { to: names() },
            "対応者: «Rin Abe» / 担当: «Aoi Mori・Kei Ito»",
            "by: «Rin Abe» / to: «Aoi Mori, Kei Ito»",
        ),
        (Kind::Escalated { to: vec![] }, "対応者: «Rin Abe»", "by: «Rin Abe»"),
        (
            Kind::Delegated { to: vec!["Nights".to_owned()] },
            "対応者: «Rin Abe» / 委譲先: «Nights»",
            "by: «Rin Abe» / to: «Nights»",
        ),
        (
            Kind::PriorityUpdated { to: Some("P1".to_owned()) },
            "対応者: «Rin Abe» / 優先度: «P1»",
            "by: «Rin Abe» / priority: «P1»",
        ),
        (Kind::PriorityUpdated { to: None }, "対応者: «Rin Abe» / 優先度: なし", "by: «Rin Abe» / priority: none"),
        (
            Kind::ResponderAdded { to: names(), message: "please\nhelp".to_owned() },
            "対応者: «Rin Abe» / 要請先: «Aoi Mori・Kei Ito» | > «please» | > «help»",
            "by: «Rin Abe» / to: «Aoi Mori, Kei Ito» | > «please» | > «help»",
        ),
        (
            Kind::ResponderReplied { state: Some("declined".to_owned()), message: "asleep".to_owned() },
            "対応者: «Rin Abe» / 返答: «declined» | > «asleep»",
            "by: «Rin Abe» / answer: «declined» | > «asleep»",
        ),
        (
            Kind::CustomAction { action: Some("Restart".to_owned()) },
            "対応者: «Rin Abe» / アクション: «Restart»",
            "by: «Rin Abe» / action: «Restart»",
        ),
        (
            Kind::StatusUpdated { message: "fixed".to_owned() },
            "対応者: «Rin Abe» | > «fixed»",
            "by: «Rin Abe» | > «fixed»",
        ),
    ] {
        assert_eq!(details(kind.clone(), Language::Japanese), japanese, "{kind:?}");
        assert_eq!(details(kind.clone(), Language::English), english, "{kind:?}");
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    let bare = Event {
        incident: Incident::default(),
        service: None,
        urgency: None,
        occurred_at: None,
        ..event(Kind::Acknowledged)
    };
    check(&alert(bare, ""), ON_SLACK, "🟡 対応開始 (件名なし)", "🟡 acknowledged (no title)");

    let by_its_own_service = Event { actor: Some(actor(ActorKind::Machine, "Backlog")), ..event(Kind::Unacknowledged) };
    let text = about(&alert(by_its_own_service, ""), ON_SLACK, Language::English);
    assert_eq!(text.lines().nth(1), Some("service: «Backlog» / urgency: high"));
}

#[test]
fn people_who_cant_be_mentioned_on_the_chat_are_named() {
    let alert = alert(event(Kind::Triggered), "田中、高橋、新人");
    let first_line = |destination| about(&alert, destination, Language::English).lines().next().unwrap().to_owned();
    assert_eq!(first_line(ON_TYPETALK), "@tanaka «高橋» «新人»");
    assert_eq!(first_line(ON_SLACK), "@U0TANAKA1 @U0TAKAHA1 «新人»");
}

#[test]
fn if_nobody_can_be_mentioned_here_those_of_last_resort_are() {
    let alert = alert(event(Kind::Triggered), "高橋");
    let text = about(&alert, ON_TYPETALK, Language::English);
    assert!(text.starts_with("«高橋» @sre-team\n"), "{text}");
    check_news(
        &alert,
        ON_TYPETALK,
        "⚠️ 当番を Typetalk でメンションできません。メンバー表の ID を確認してください",
        "⚠️ Nobody on call can be mentioned on Typetalk; please check the ids in the members tab",
    );
    assert!(about(&alert, ON_SLACK, Language::English).starts_with("@U0TAKAHA1\n"));
    check_news(&alert, ON_SLACK, "", "");
}

#[test]
fn what_the_roster_cant_say_is_said_and_those_of_last_resort_are_mentioned() {
    let (long_ago, slow) = (TimeDelta::minutes(95), Some(SourceFailure::Slow));
    for (rows, failure, mentions, japanese, english) in [
        (
            &["2026-11-24", "なし"],
            None,
            "@sre-team",
            "ℹ️ 11/24(火)の当番は空欄です",
            "ℹ️ Nobody is on call on 11/24 (Tue): the roster's row is empty",
        ),
        (
            &["2026-11-25", "田中"],
            None,
            "@sre-team",
            "⚠️ 当番表に11/24(火)の行がありません。行を追加してください",
            "⚠️ The roster has no row for 11/24 (Tue); please add one",
        ),
        (
            &["2026-11-25", "田中"],
            slow,
            "@sre-team",
            "⚠️ 当番表を読めないため、当番が分かりません(時間内に応答がありません)",
            "⚠️ Who is on call is not known: the roster can't be read (no answer in time)",
        ),
        (
            &["2026-11-24", "田中"],
            slow,
            "@tanaka",
            "⚠️ 当番表を読めないため、1時間35分前に読んだ内容を使っています",
            "⚠️ The roster can't be read; this is how it was 1 h 35 min ago",
        ),
        (
            &["2026-11-24", "なし"],
            slow,
            "@sre-team",
            "ℹ️ 11/24(火)の当番は空欄です\n⚠️ 当番表を読めないため、1時間35分前に読んだ内容を使っています",
            "ℹ️ Nobody is on call on 11/24 (Tue): the roster's row is empty\n\
             ⚠️ The roster can't be read; this is how it was 1 h 35 min ago",
        ),
    ] {
        let day = Mentions::OnCall(on_call_from(&[rows], long_ago, failure));
        let alert = Alert { mentions: day, ..alert(event(Kind::Triggered), "") };
        check_news(&alert, ON_TYPETALK, japanese, english);
        assert_eq!(about(&alert, ON_TYPETALK, Language::English).lines().next(), Some(mentions), "{rows:?}");
    }
}

#[test]
fn every_reason_why_the_roster_cant_be_read_has_words_in_both_languages() {
    use SourceFailure::{BadKey, BadRange, Down, Forbidden, Garbled, Missing, NoSheet, Slow, TooLarge, TooManyReads};
    let reasons = [Slow, Down, Forbidden, Missing, BadRange, NoSheet, TooLarge, BadKey, TooManyReads, Garbled];
    for language in [Language::Japanese, Language::English] {
        let mut said: Vec<_> = reasons.iter().map(|reason| language.unknown(*reason)).collect();
        said.sort();
        said.dedup();
        assert_eq!(said.len(), reasons.len(), "{said:#?}");
    }
    let english = |text: &str| text.chars().all(|c| c.is_ascii() || "⚠\u{fe0f}".contains(c));
    assert!(reasons.iter().all(|reason| english(&Language::English.unknown(*reason))));
}

#[test]
fn a_late_message_says_when_it_happened_and_how_long_ago() {
    for (minutes, japanese, english) in [
        (11, "🕒 11/24(火) 10:49 の出来事です(11分前)", "🕒 This happened on 11/24 (Tue) at 10:49, 11 min ago"),
        (
            95,
            "🕒 11/24(火) 09:25 の出来事です(1時間35分前)",
            "🕒 This happened on 11/24 (Tue) at 09:25, 1 h 35 min ago",
        ),
        (
            47 * 60,
            "🕒 11/22(日) 12:00 の出来事です(1日23時間前)",
            "🕒 This happened on 11/22 (Sun) at 12:00, 1 day 23 h ago",
        ),
        (
            50 * 60,
            "🕒 11/22(日) 09:00 の出来事です(2日2時間前)",
            "🕒 This happened on 11/22 (Sun) at 09:00, 2 days 2 h ago",
        ),
    ] {
        let delay = late_by(TimeDelta::minutes(minutes));
        let alert = Alert { delay: Some(delay), ..alert(event(Kind::Triggered), "") };
        check_news(&alert, ON_SLACK, japanese, english);
    }
}

#[test]
fn a_message_on_a_backup_says_why_it_is_there() {
    let alert = alert(event(Kind::Triggered), "田中");
    check_news(
        &alert,
        Destination {
            chat: ChatName::Slack,
            instead_of: Some(FailedChat { chat: ChatName::Typetalk, in_doubt: false }),
            in_doubt: false,
        },
        "⚠️ Typetalk に投稿できないため、Slack にお知らせしています",
        "⚠️ Posted here on Slack because Typetalk failed",
    );
    check_news(
        &alert,
        Destination {
            chat: ChatName::Typetalk,
            instead_of: Some(FailedChat { chat: ChatName::Slack, in_doubt: true }),
            in_doubt: false,
        },
        "⚠️ Slack への投稿を確認できないため、Typetalk にもお知らせしています",
        "⚠️ Posted here on Typetalk, too, because Slack didn't confirm it",
    );
}

#[test]
fn the_test_event_names_who_is_on_call_and_mentions_nobody() {
    for (cell, japanese, english) in [
        ("田中、佐藤 花子", "11/24(火)の当番: «田中・佐藤 花子»", "On call on 11/24 (Tue): «田中, 佐藤 花子»"),
        ("なし", "ℹ️ 11/24(火)の当番は空欄です", "ℹ️ Nobody is on call on 11/24 (Tue): the roster's row is empty"),
    ] {
        let alert = Alert { mentions: Mentions::Names(on_call(cell)), ..alert(event(Kind::Ping), "") };
        let japanese = format!("✅ PagerDuty からのテスト通知を受け取りました\n{japanese}");
        check(&alert, ON_SLACK, &japanese, &format!("✅ PagerDuty's test event has arrived\n{english}"));
    }
    let stale = on_call_from(&[&["2026-11-24", "田中"]], TimeDelta::minutes(3), Some(SourceFailure::Down));
    let alert = Alert { mentions: Mentions::Names(stale), ..alert(event(Kind::Ping), "") };
    let text = about(&alert, ON_SLACK, Language::English);
    assert_eq!(text.lines().last(), Some("⚠️ The roster can't be read; this is how it was 3 min ago"));
}

#[test]
fn an_event_that_has_no_words_is_one_line_with_all_that_is_known() {
    let unknown = Kind::Unknown { event_type: Some("incident.teleported".to_owned()) };
    check(
        &alert(event(unknown), "田中"),
        ON_TYPETALK,
        "@tanaka 🔵 «incident.teleported» #pd33 «Disk is full» <https://acme.pagerduty.com/incidents/Q1INCIDENT>",
        "@tanaka 🔵 «incident.teleported» #pd33 «Disk is full» <https://acme.pagerduty.com/incidents/Q1INCIDENT>",
    );
}

#[test]
fn the_bare_minimum_is_mentions_tag_short_title_and_link() {
    let mut event = event(Kind::Annotated { note: "a long story".repeat(100) });
    event.incident.title = Some("x".repeat(500));
    let bare = |language| marked(&Message::bare(&alert(event.clone(), "田中"), ON_SLACK, language));
    let rest = format!("#pd33 «{}…» <https://acme.pagerduty.com/incidents/Q1INCIDENT>", "x".repeat(99));
    assert_eq!(bare(Language::Japanese), format!("@U0TANAKA1 メモ {rest}"));
    assert_eq!(bare(Language::English), format!("@U0TANAKA1 note {rest}"));
}

#[test]
fn a_crowded_day_keeps_its_mentions_and_counts_who_is_left_out() {
    let mut names: Vec<_> = (0..29).map(|n| format!("stranger{n}")).collect();
    names.extend(["田中", "鈴木", "SRE"].map(str::to_owned));
    let alert = alert(event(Kind::Triggered), &names.join("、"));
    for (language, more) in [(Language::Japanese, "ほか2名"), (Language::English, "and 2 more")] {
        let text = about(&alert, ON_TYPETALK, language);
        let first_line = text.lines().next().unwrap();
        assert!(first_line.starts_with("@tanaka @suzuki-k @sre-team «stranger0»"), "{first_line}");
        assert!(first_line.ends_with(&format!("«stranger26» {more}")), "{first_line}");
    }
}

#[test]
fn a_note_keeps_its_lines_and_a_long_one_loses_none_of_its_words() {
    let written = (1..=50).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n\n");
    let text = about(&alert(event(Kind::Annotated { note: written }), ""), ON_SLACK, Language::English);
    let quoted: Vec<_> = text.lines().filter(|line| line.starts_with("> ")).collect();
    assert_eq!(quoted.len(), MAX_QUOTED_LINES);
    assert_eq!(quoted[..2], ["> «line 1»", "> «line 2»"]);
    assert!(quoted[19].starts_with("> «line 20 line 21 ") && quoted[19].ends_with(" line 50»"), "{}", quoted[19]);
}

#[test]
fn strangers_text_is_cleaned_and_stays_on_its_line() {
    let mut event = event(Kind::Reassigned { to: vec!["A\nB".to_owned(), " \u{202e} ".to_owned()] });
    event.incident.title = Some("first\r\nsecond `code` \u{202e}txet".to_owned());
    event.service = Some("\u{0}".to_owned());
    event.actor = Some(actor(ActorKind::Person, "Rin\u{2028}Abe"));
    let text = about(&alert(event, ""), ON_SLACK, Language::English);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "🔵 reassigned #pd33 «first second 'code' txet»");
    assert_eq!(lines[1], "urgency: high / by: «Rin Abe» / to: «A B»");
}
