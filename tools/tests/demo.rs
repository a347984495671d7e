//! The demo prints what the documents quote of it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on should stop")]

use std::collections::BTreeSet;
use std::process::Command;

/// Each with the command that it quotes, and the language of what that prints.
const READMES: [(&str, &str, &str); 2] =
    [("README.md", "$ cargo demo --language en", "en"), ("README.ja.md", "$ cargo demo --language ja", "ja")];

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"))).expect(name)
}

/// The code block that begins with this line, without it.
fn block<'a>(text: &'a str, first_line: &str) -> Vec<&'a str> {
    let mut lines = text.lines().skip_while(|line| *line != first_line).skip(1).peekable();
    assert!(lines.peek().is_some(), "there is no {first_line:?}");
    lines.take_while(|line| *line != "```").collect()
}

/// What an excerpt has and the output, there, has not; `…` stands for lines left out, and only it does.
fn misquoted<'a>(excerpt: &[&'a str], output: &str) -> Option<Vec<&'a str>> {
    let mut left: Vec<&str> = output.lines().collect();
    let passages: Vec<_> = excerpt.split(|line| *line == "…").collect();
    for (index, passage) in passages.iter().enumerate() {
        let begin = match index {
            0 => left.starts_with(passage).then_some(0),
            _ if index + 1 == passages.len() => left.ends_with(passage).then(|| left.len() - passage.len()),
            _ => left.windows(passage.len().max(1)).position(|lines| lines == *passage),
        };
        let Some(begin) = begin else { return Some(passage.to_vec()) };
        left = left.split_off(begin + passage.len());
    }
    (!left.is_empty()).then(|| excerpt.to_vec())
}

fn demo(language: &str) -> String {
    let demo = Command::new(env!("CARGO_BIN_EXE_oncall")).args(["demo", "--language", language]).output().unwrap();
    assert!(demo.status.success(), "{demo:?}");
    String::from_utf8(demo.stdout).unwrap()
}

#[test]
fn the_demo_prints_what_each_readme_quotes_in_its_language() {
    for (readme, command, language) in READMES {
        let (text, output) = (file(readme), demo(language));
        let excerpt = block(&text, command);
        assert!(excerpt.len() > 15, "{readme}: {excerpt:?}");
        assert_eq!(misquoted(&excerpt, &output), None, "{readme}");
    }
}

/// The code blocks that are an alert or the answer to the test event.
fn messages(text: &str) -> Vec<Vec<&str>> {
    let blocks = text.split("```").skip(1).step_by(2).map(|block| block.trim_start_matches('\n'));
    let messages = blocks.filter(|block| block.contains("#pd33 ") || block.starts_with('✅'));
    messages.map(|block| block.lines().collect()).collect()
}

#[test]
fn the_messages_that_the_documents_show_are_the_demos() {
    for (language, documents) in
        [("en", ["README.md", "docs/messages.md"]), ("ja", ["README.ja.md", "docs/messages.ja.md"])]
    {
        let output = demo(language);
        let posted: Vec<_> = output.lines().map(|line| line.strip_prefix("  │ ").unwrap_or_default()).collect();
        for (document, count) in documents.into_iter().zip([1, 4]) {
            let text = file(document);
            let messages = messages(&text);
            assert_eq!(messages.len(), count, "{document}: {messages:?}");
            for message in messages {
                assert!(posted.windows(message.len()).any(|lines| lines == message), "{document}: {message:#?}");
            }
        }
    }
}

#[test]
fn the_weeks_numbers_are_those_of_the_incidents_that_the_story_has_told() {
    for (language, all, in_hours, open) in [
        ("en", "This week: {} incidents", "{} in business hours", "{} still open"),
        ("ja", "今週のインシデント: {}件", "営業時間内 {}件", "未解決 {}件"),
    ] {
        let output = demo(language);
        let (story, week) = output.split_once("\nFriday, 17:00").unwrap();
        let told = |icon: char| {
            let lines = story.lines().filter(|line| line.contains(icon));
            let tags = lines.filter_map(|line| line.split(' ').find(|word| word.starts_with("#pd")));
            tags.collect::<BTreeSet<_>>()
        };
        let (begun, ended) = (told('🔴'), told('🟢'));
        assert_eq!(begun.len(), 10, "{begun:?}");
        // At 20:00 and at 17:30.
        let out_of_hours = ["#pd34", "#pd41"].into_iter().filter(|tag| begun.contains(tag)).count();
        let counts = [begun.len(), begun.len() - out_of_hours, begun.difference(&ended).count()];
        for (words, count) in [all, in_hours, open].into_iter().zip(counts) {
            let words = words.replace("{}", &count.to_string());
            assert!(week.contains(&words), "{words}: {week}");
        }
    }
}

#[test]
fn a_quotation_is_held_to_every_line() {
    let output = "a\nb\n\nc\nd\ne";
    for (excerpt, misquotation) in [
        (&["a", "b", "", "c", "d", "e"][..], None),
        (&["a", "…", "c", "…", "e"], None),
        (&["a", "b", "…"], None),
        (&["b", "…", "e"], Some(&["b"][..])),
        (&["a", "c", "…", "e"], Some(&["a", "c"])),
        (&["a", "b"], Some(&["a", "b"])),
        (&["a", "…", "d", "…", "c", "…", "e"], Some(&["c"])),
        (&["a", "…", "d"], Some(&["d"])),
        (&["a", "…", "x", "…"], Some(&["x"])),
    ] {
        assert_eq!(misquoted(excerpt, output).as_deref(), misquotation, "{excerpt:?}");
    }
}
