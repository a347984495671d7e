//! What the documents promise: output as printed, tables complete, templates that work, links that lead somewhere.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use oncall_relay::config::SETTINGS;
use oncall_relay::trial::faults;
use serde_json::json;

use crate::world::{World, happening, incident, posted};

const GUIDES: [&str; 2] = ["docs/setup.md", "docs/setup.ja.md"];
const READMES: [&str; 2] = ["README.md", "README.ja.md"];

fn path(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn file(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The lines that are headings, code left out.
fn headings(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let outside_code = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    });
    outside_code.filter(|line| line.starts_with('#')).collect()
}

/// The levels of a document's headings, such as 1, 2, 2, 3.
fn outline(text: &str) -> Vec<usize> {
    headings(text).into_iter().map(|line| line.bytes().take_while(|b| *b == b'#').count()).collect()
}

/// A heading's anchor, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Where a link leads within the project: a file beside the document, and an anchor in it.
fn is_broken(document: &str, link: &str) -> bool {
    let (target, fragment) = link.split_once('#').unwrap_or((link, ""));
    let folder = Path::new(document).parent().unwrap();
    let target = if target.is_empty() { path(document) } else { path(&folder.join(target).to_string_lossy()) };
    let Ok(text) = std::fs::read_to_string(target) else { return true };
    !fragment.is_empty() && headings(&text).into_iter().all(|heading| anchor(heading) != fragment)
}

#[tokio::test]
async fn the_templates_of_the_sheet_name_people_who_can_be_mentioned() {
    let mut world = World::new().await;
    world.set("ROSTER_CSV", &path("docs/roster-template.csv"));
    world.set("MEMBERS_CSV", &path("docs/members-template.csv"));
    let relay = world.relay().await;
    for (day, mentions) in
        [("2026-12-01", "@tanaka @suzuki-k"), ("2026-12-03", "@tanaka @sato"), ("2026-12-10", "@sato @takahashi")]
    {
        let at = format!("{day}T11:00:00+09:00");
        let event = incident().v3(&happening(day, "incident.triggered", &at));
        assert_eq!(relay.signed(&at, &json!(event)).await, posted(1), "{day}");
        let posts = relay.topic();
        assert_eq!(posts[0].lines().next(), Some(mentions), "{day}");
        assert!(!posts[0].contains('⚠'), "{day}: {posts:?}");
    }
}

#[test]
fn documents_in_both_languages_have_the_same_outline() {
    for [english, japanese] in [GUIDES, READMES] {
        let [in_english, in_japanese] = [english, japanese].map(|document| outline(&file(document)));
        assert!(in_english.len() > 10, "{english}: {in_english:?}");
        assert_eq!(in_english, in_japanese, "{japanese}");
    }
}

#[test]
fn the_guides_have_the_same_commands() {
    let commands = |guide: &str| {
        let text = file(guide);
        let blocks = text.split("```").skip(1).step_by(2);
        // Comments, titles and placeholders are translated; how things are called is not.
        let words = |block: &str| -> Vec<String> {
            let lines = block.lines().map(|line| line.split(" #").next().unwrap_or_default());
            lines.flat_map(str::split_whitespace).filter(|word| word.is_ascii()).map(str::to_owned).collect()
        };
        blocks.map(words).collect::<Vec<_>>()
    };
    let [english, japanese] = GUIDES.map(commands);
    assert_eq!(english.len(), japanese.len());
    for (english, japanese) in english.iter().zip(&japanese) {
        assert_eq!(english.first(), japanese.first());
        let flags = |block: &[String]| block.iter().filter(|word| word.starts_with("--")).cloned().collect::<Vec<_>>();
        assert_eq!(flags(english), flags(japanese));
    }
}

#[test]
fn every_alarm_is_explained_in_both_guides() {
    let template = file("template.yaml");
    let lines: Vec<_> = template.lines().collect();
    let alarms: Vec<_> = lines
        .windows(2)
        .filter(|pair| pair[1] == "    Type: AWS::CloudWatch::Alarm")
        .map(|pair| pair[0].trim().trim_end_matches(':'))
        .collect();
    assert!(alarms.len() > 10, "{alarms:?}");
    for guide in GUIDES {
        let text = file(guide);
        let silent: Vec<_> = alarms.iter().filter(|alarm| !text.contains(&format!("`{alarm}`"))).collect();
        assert_eq!(silent, Vec::<&&str>::new(), "{guide}");
    }
}

#[test]
fn every_link_within_the_project_leads_somewhere() {
    for document in [&GUIDES[..], &READMES[..], &["ARCHITECTURE.md", "docs/security.md"]].concat() {
        let text = file(document);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let broken: Vec<_> = links.filter(|link| !link.starts_with("https://") && is_broken(document, link)).collect();
        assert_eq!(broken, Vec::<&str>::new(), "{document}");
    }
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

#[test]
fn the_demo_prints_what_both_readmes_quote() {
    let demo = Command::new(env!("CARGO_BIN_EXE_oncall")).arg("demo").output().unwrap();
    assert!(demo.status.success(), "{demo:?}");
    let output = String::from_utf8(demo.stdout).unwrap();
    for readme in READMES {
        let text = file(readme);
        let excerpt = block(&text, "$ cargo run -- demo");
        assert!(excerpt.len() > 20, "{readme}: {excerpt:?}");
        assert_eq!(misquoted(&excerpt, &output), None, "{readme}");
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

/// The first column of the table whose header row begins with one of these, without the backticks.
fn first_column(text: &str, headers: [&str; 2]) -> Vec<String> {
    let is_header = |line: &&str| headers.iter().any(|header| line.starts_with(&format!("| {header} |")));
    let rows = text.lines().skip_while(|line| !is_header(line)).skip(2);
    let cells = rows.map_while(|row| row.strip_prefix("| ")?.split(" |").next());
    cells.map(|cell| cell.trim_matches('`').to_owned()).collect()
}

/// Every name in `text` that stands between one of these and a quotation mark.
fn names(text: &str, before: &[&str]) -> Vec<String> {
    let found = before.iter().flat_map(|before| text.split(before).skip(1));
    found.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn both_readmes_list_every_setting_in_order() {
    let settings: Vec<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    for readme in READMES {
        assert_eq!(first_column(&file(readme), ["variable", "変数"]), settings, "{readme}");
    }
}

#[test]
fn both_readmes_list_every_event_of_the_log_and_no_other() {
    let sources = crate::tidy::sources(&["src"]);
    let logged: BTreeSet<_> = sources.iter().flat_map(|source| names(&source.text, &["event = \""])).collect();
    assert!(logged.len() > 15, "{logged:?}");
    for readme in READMES {
        let listed: BTreeSet<_> = first_column(&file(readme), ["`event`"; 2]).into_iter().collect();
        assert_eq!(listed, logged, "{readme}");
    }
}

#[test]
fn both_readmes_list_every_metric_and_no_other() {
    let telemetry = file("src/edge/telemetry.rs");
    let (functions, _) = telemetry.split_once("#[cfg(test)]").unwrap();
    let emitted: BTreeSet<_> = names(functions, &["        (\"", "Metric { name: \""]).into_iter().collect();
    assert!(emitted.len() > 8, "{emitted:?}");
    for readme in READMES {
        let listed: BTreeSet<_> = first_column(&file(readme), ["metric", "メトリクス"]).into_iter().collect();
        assert_eq!(listed, emitted, "{readme}");
    }
}

/// The names of all tests, and how often a test is called so.
fn tests() -> HashMap<String, usize> {
    let mut tests = HashMap::new();
    let mut left = vec![PathBuf::from(path("src")), PathBuf::from(path("tests"))];
    while let Some(place) = left.pop() {
        if place.is_dir() {
            left.extend(std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(place).unwrap_or_default();
        for item in text.split("#[test]").chain(text.split("#[tokio::test]")).skip(1) {
            let mut lines = item.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("#["));
            let function = lines.next().map(|line| line.strip_prefix("async ").unwrap_or(line));
            if let Some((name, _)) = function.and_then(|line| line.strip_prefix("fn ")?.split_once('(')) {
                *tests.entry(name.to_owned()).or_default() += 1;
            }
        }
    }
    tests
}

#[test]
fn every_test_that_the_page_on_security_names_exists() {
    let tests = tests();
    let text = file("docs/security.md");
    let is_a_sentence = |name: &&str| {
        name.matches('_').count() >= 2
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let named: Vec<_> = text.split('`').skip(1).step_by(2).filter(is_a_sentence).collect();
    assert!(named.len() > 30, "{named:?}");
    let unknown: Vec<_> = named.into_iter().filter(|name| !tests.contains_key(*name)).collect();
    assert_eq!(unknown, Vec::<&str>::new());
}

#[test]
fn the_page_on_reliability_has_every_row_and_all_are_as_promised() {
    let page = file("docs/reliability.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| v2 | ") || line.starts_with("| v3 | "))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    for row in &rows {
        let [lost, doubled, out_of_order] = [row[5], row[6], row[8]];
        assert_eq!((lost, doubled, out_of_order), ("0", "0", "0"), "{row:?}");
        assert!(row[10].strip_suffix(" s").unwrap().parse::<f64>().unwrap() < 4.0, "{row:?}");
    }
    let missing: Vec<_> = faults::rows()
        .into_iter()
        .map(|row| [row.version.to_string(), row.culprit.to_string(), row.name.to_owned(), row.lasting.to_string()])
        .filter(|wanted| !rows.iter().any(|row| row[..4] == wanted[..]))
        .collect();
    assert_eq!(missing, Vec::<[String; 4]>::new());
    assert!(page.contains("A storm of 1000 webhooks"), "the storm is missing");
}
