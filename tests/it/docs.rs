//! What the documents promise: templates that work, alarms explained, links that lead somewhere, in both languages.

use std::path::Path;

use serde_json::json;

use crate::world::{World, happening, incident, posted};

const GUIDES: [&str; 2] = ["docs/setup.md", "docs/setup.ja.md"];

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
fn the_guides_have_the_same_outline() {
    let [english, japanese] = GUIDES.map(|guide| outline(&file(guide)));
    assert!(english.len() > 10, "{english:?}");
    assert_eq!(english, japanese);
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
    for document in [GUIDES[0], GUIDES[1], "README.md", "README.ja.md", "ARCHITECTURE.md"] {
        let text = file(document);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let broken: Vec<_> = links.filter(|link| !link.starts_with("https://") && is_broken(document, link)).collect();
        assert_eq!(broken, Vec::<&str>::new(), "{document}");
    }
}
