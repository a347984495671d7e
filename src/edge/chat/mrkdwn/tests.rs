//! Untrusted text looks on Slack as it was written, and what has to be copied is left alone.

use proptest::prelude::*;

use super::*;
use crate::domain::event::Link;
use crate::domain::sanitize;

fn print(spans: Vec<Span>) -> String {
    render(&Message { lines: vec![spans] })
}

fn untrusted(text: &str) -> String {
    print(vec![Span::Untrusted(text.to_owned())])
}

/// A text with `|` where something invisible is.
fn seen(printed: &str) -> String {
    printed.replace(BREAK, "|")
}

#[test]
fn a_mark_that_would_format_is_broken() {
    for (written, printed) in [
        ("*bold*", "|*|bold*"),
        ("is _it_, ~st~.", "is |_|it_, |~|st~."),
        ("(*a b*)", "(|*|a b*)"),
        ("**bold**", "|*||*|bold**"),
        ("*_both_*", "|*||_|both_*"),
        ("＊太字＊ と ＿斜体＿", "|＊|太字＊ と |＿|斜体＿"),
        ("｀code｀", "|｀|code｀"),
        ("__init__.py", "|_||_|init__.py"),
        (":fire: and:fire:too", "|:|fire: and|:|fire:too"),
        ("arn:aws:iam::1:role", "arn|:|aws|:|iam::1:role"),
        (":+1::100:", "|:|+1:|:|100:"),
        ("> quoted", "|&gt;| quoted"),
        ("a > b", "a &gt; b"),
    ] {
        assert_eq!(seen(&untrusted(written)), printed, "{written}");
    }
}

#[test]
fn what_is_copied_is_left_alone() {
    for written in [
        "db_master_01.example.com:5432",
        "*.example.com and *.example.org",
        "/usr/lib/python3/__pycache__/_x_/a.pyc",
        "~/.ssh/id_rsa and ~/.config",
        "C:\\\\_a_\\\\b",
        "__libc_start_main",
        "*/5 * * * *",
        "5 * 3 * 2 = 30",
        "10:30:00",
        "2026-11-24T10:30:00+09:00",
        "main.c:12:5: error",
        "2001:db8:85a3::8a2e:370:7334",
        "00:1a:2b:3c:4d:5e",
        "url:https://a.example/_b_/~c~/:d:?e=*f*",
        "snake_case *",
    ] {
        assert_eq!(untrusted(written), written);
    }
}

#[test]
fn the_partner_may_be_in_a_text_beside_it() {
    let spans = vec![
        Span::Words("サービス:".to_owned()),
        Span::Untrusted("*front".to_owned()),
        Span::Link(Link::parse("https://a.example/_b_").unwrap()),
        Span::Words("/".to_owned()),
        Span::Untrusted("back*".to_owned()),
    ];
    assert_eq!(seen(&print(spans)), "サービス: |*|front <https://a.example/_b_> / back*");
    let line = |text: &str| vec![Span::Untrusted(text.to_owned())];
    assert_eq!(render(&Message { lines: vec![line("*front"), line("back*")] }), "*front\nback*");
}

/// Words as they stand in a monitor's messages, to be copied into a terminal.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]{1,5}([._-][a-z0-9]{1,5}){0,4}(:[0-9]{2,5})?",
        "(~|\\.{1,2})?(/\\.?[A-Za-z0-9]{1,5}([._-][A-Za-z0-9]{1,5}){0,3}){1,5}/?",
        "https?://[a-z0-9.-]{1,12}(:[0-9]{2,5})?(/[A-Za-z0-9._~*:@-]{0,9}){0,4}(\\?[a-z_*]{1,5}=[a-z_~:]{0,5})?",
        "_{0,2}[A-Za-z]([A-Za-z0-9_]{0,12}[A-Za-z0-9])?",
        "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?",
        "2026-11-[0-2][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](Z|\\+09:00)",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hosts_paths_addresses_identifiers_and_times_can_be_copied(words in prop::collection::vec(word(), 1..8)) {
        // An address may hide the end of a pair that begins before it: it stands alone.
        let (addresses, words): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word.contains("://"));
        for line in addresses.into_iter().chain([words.join(" "), words.join(", ")]) {
            prop_assert_eq!(untrusted(&line), line);
        }
    }

    #[test]
    fn a_text_looks_as_it_was_written_and_is_not_formatted(
        written in prop_oneof!["([*_~: ]|[a-c]|:fire:|[＊＿｀＞>/\\.]){0,30}", "\\PC{0,60}"],
    ) {
        let written = sanitize::line(&written);
        let printed = untrusted(&written);
        prop_assert_eq!(printed.replace(BREAK, ""), escape(&written));
    }
}
