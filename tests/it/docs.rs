//! What the documents promise: both languages alike, tables complete, links that lead somewhere.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use oncall::simulation::faults;
use oncall_relay::budget::WEBHOOK;
use oncall_relay::config::SETTINGS;
use oncall_relay::domain::check::NAMES;
use oncall_relay::domain::event::Kind;
use oncall_relay::domain::wording::Language;
use oncall_relay::lambda::telemetry::metric_names;
use oncall_relay::log_events::EVENTS;

const README: [&str; 2] = ["README.md", "README.ja.md"];
const SETUP: [&str; 2] = ["docs/setup.md", "docs/setup.ja.md"];
const SETTINGS_PAGE: [&str; 2] = ["docs/settings.md", "docs/settings.ja.md"];
const SHEET: [&str; 2] = ["docs/sheet.md", "docs/sheet.ja.md"];
const MESSAGES: [&str; 2] = ["docs/messages.md", "docs/messages.ja.md"];
const OPERATIONS: [&str; 2] = ["docs/operations.md", "docs/operations.ja.md"];
const SLACK_ACTIONS: [&str; 2] = ["docs/slack-actions.md", "docs/slack-actions.ja.md"];
const NOTICES: [&str; 2] = ["docs/notices.md", "docs/notices.ja.md"];
const PERFORMANCE: [&str; 2] = ["docs/performance.md", "docs/performance.ja.md"];
const SERVICE_LEVELS: [&str; 2] = ["docs/service-levels.md", "docs/service-levels.ja.md"];
const CHECK: [&str; 2] = ["docs/check.md", "docs/check.ja.md"];
const RELIABILITY: [&str; 2] = ["docs/reliability.md", "docs/reliability.ja.md"];

/// The documents that are in English and Japanese.
const PAIRS: [[&str; 2]; 12] = [
    README,
    SETUP,
    SETTINGS_PAGE,
    SHEET,
    MESSAGES,
    SLACK_ACTIONS,
    OPERATIONS,
    CHECK,
    RELIABILITY,
    NOTICES,
    SERVICE_LEVELS,
    PERFORMANCE,
];
/// Those that are in English only.
const ENGLISH: [&str; 6] =
    ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/security.md", "fuzz/README.md"];

fn path(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn file(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn outside_code(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

fn headings(text: &str) -> Vec<&str> {
    outside_code(text).filter(|line| line.starts_with('#')).collect()
}

/// The rows of all tables, as their cells.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let rows = outside_code(text).filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    rows.map(|row| row.split('|').map(str::trim).collect()).collect()
}

/// What stands between backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
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

#[test]
fn documents_in_both_languages_have_the_same_outline() {
    for [english, japanese] in PAIRS {
        let [in_english, in_japanese] = [english, japanese].map(|document| outline(&file(document)));
        assert!(in_english.len() > 4, "{english}: {in_english:?}");
        assert_eq!(in_english, in_japanese, "{japanese}");
    }
}

#[test]
fn documents_in_both_languages_have_the_same_tables() {
    /// Sentences are translated; names, values and statuses are not.
    fn untranslated<'a>(row: &[&'a str]) -> Vec<BTreeSet<&'a str>> {
        row.iter().map(|cell| code(cell).filter(|name| name.is_ascii()).collect()).collect()
    }
    for [english, japanese] in PAIRS {
        let [in_english, in_japanese] = [file(english), file(japanese)];
        let [in_english, in_japanese] = [rows(&in_english), rows(&in_japanese)];
        assert_eq!(in_english.len(), in_japanese.len(), "{japanese}");
        for (in_english, in_japanese) in in_english.iter().zip(&in_japanese) {
            assert_eq!(untranslated(in_english), untranslated(in_japanese), "{japanese}: {in_japanese:?}");
        }
    }
}

#[test]
fn documents_in_both_languages_have_the_same_code() {
    // Comments, titles and placeholders are translated; how things are called is not.
    let called = |document: &str| -> Vec<Vec<String>> {
        let text = file(document);
        let blocks = text.split("```").skip(1).step_by(2);
        let names = blocks.map(|block| {
            let lines = block.lines().map(|line| line.split(" #").next().unwrap_or_default());
            let mut words = lines.flat_map(str::split_whitespace);
            let first = words.next().into_iter();
            first.chain(words.filter(|word| word.starts_with("--"))).map(str::to_owned).collect()
        });
        names.collect()
    };
    for [english, japanese] in PAIRS {
        assert_eq!(called(english), called(japanese), "{japanese}");
    }
}

#[test]
fn every_document_is_among_those_that_are_compared() {
    let in_docs = std::fs::read_dir(path("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let pages = in_docs.map(|name| format!("docs/{}", name.to_string_lossy()));
    let known = [PAIRS.as_flattened(), &ENGLISH].concat();
    let strange: Vec<_> = pages
        .filter(|page| Path::new(page).extension().is_some_and(|end| end == "md") && !known.contains(&page.as_str()))
        .collect();
    assert_eq!(strange, Vec::<String>::new());
}

#[test]
fn every_alarm_is_explained_in_both_languages() {
    let template = file("template.yaml");
    let lines: Vec<_> = template.lines().collect();
    let alarms: Vec<_> = lines
        .windows(2)
        .filter(|pair| pair[1] == "    Type: AWS::CloudWatch::Alarm")
        .map(|pair| pair[0].trim().trim_end_matches(':'))
        .collect();
    assert!(alarms.len() > 10, "{alarms:?}");
    for page in OPERATIONS {
        let listed = first_column(&file(page), ["alarm", "アラーム"]);
        let listed: BTreeSet<_> = listed.iter().map(String::as_str).collect();
        assert_eq!(listed, alarms.iter().copied().collect(), "{page}");
    }
}

#[test]
fn every_link_within_the_project_leads_somewhere() {
    let mut broken = Vec::new();
    for document in [PAIRS.as_flattened(), &ENGLISH].concat() {
        let text = file(document);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let links = links.filter(|link| !link.starts_with("https://") && is_broken(document, link));
        broken.extend(links.map(|link| format!("{document}: {link}")));
    }
    assert_eq!(broken, Vec::<String>::new());
}

/// The first column of the table whose header row begins with one of these, without the backticks.
#[test]
fn every_picture_is_there_in_light_and_dark_and_small() {
    let mut shown = BTreeSet::new();
    for document in PAIRS.as_flattened() {
        let text = file(document);
        let folder = Path::new(document).parent().unwrap();
        let named_in = |attribute: &str| -> BTreeSet<String> {
            let places = text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
            places.map(|place| folder.join(place).to_string_lossy().into_owned()).collect()
        };
        let [light, dark] = [named_in("<img src=\""), named_in("srcset=\"")];
        assert_eq!(
            light.iter().map(|name| name.replace("-light", "-dark")).collect::<BTreeSet<_>>(),
            dark,
            "{document}"
        );
        shown.extend(light.into_iter().chain(dark));
    }
    let there = std::fs::read_dir(path("docs/pictures")).unwrap().map(|entry| entry.unwrap().path());
    let there: BTreeSet<_> =
        there.map(|picture| format!("docs/pictures/{}", picture.file_name().unwrap().display())).collect();
    assert_eq!(shown, there, "pictures that are shown, and those that there are (`just pictures`)");
    for picture in shown {
        assert!(std::fs::metadata(path(&picture)).unwrap().len() < 150_000, "{picture}");
    }
}

fn first_column(text: &str, headers: [&str; 2]) -> Vec<String> {
    let is_header = |line: &&str| headers.iter().any(|header| line.starts_with(&format!("| {header} |")));
    let rows = text.lines().skip_while(|line| !is_header(line)).skip(2);
    let cells = rows.map_while(|row| row.strip_prefix("| ")?.split(" |").next());
    cells.map(|cell| cell.trim_matches('`').to_owned()).collect()
}

#[test]
fn every_setting_is_listed_in_order() {
    let settings: Vec<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    for page in SETTINGS_PAGE {
        assert_eq!(first_column(&file(page), ["variable", "変数"]), settings, "{page}");
    }
}

#[test]
fn the_guide_says_of_every_secret_where_it_is_made() {
    for guide in SETUP {
        let text = file(guide);
        for secret in SETTINGS.iter().filter(|setting| setting.secret) {
            let is_row = |line: &str| line.starts_with("| `") && line.contains(&format!("`{}`", secret.name));
            assert!(text.lines().any(is_row), "{guide}: {}", secret.name);
        }
    }
}

#[test]
fn no_command_of_the_documents_has_a_secret_among_its_arguments() {
    for name in PAIRS.iter().flatten() {
        for line in file(name).lines().filter(|line| line.contains("ssm put-parameter") && line.contains("--value")) {
            assert!(line.contains("--value file://"), "{name}: {line}");
        }
    }
}

#[test]
fn every_event_of_the_log_is_listed_in_order() {
    for page in OPERATIONS {
        assert_eq!(first_column(&file(page), ["`event`"; 2]), EVENTS, "{page}");
    }
}

#[test]
fn every_metric_is_listed_and_no_other() {
    let emitted: BTreeSet<_> = metric_names().map(str::to_owned).collect();
    assert!(emitted.len() > 8, "{emitted:?}");
    for page in OPERATIONS {
        let listed: BTreeSet<_> = first_column(&file(page), ["metric", "メトリクス"]).into_iter().collect();
        assert_eq!(listed, emitted, "{page}");
    }
}

#[test]
fn every_kind_of_event_is_listed_in_its_own_words() {
    let kinds: Vec<_> = Kind::every("").filter(|kind| *kind != Kind::Ping).collect();
    for page in MESSAGES {
        let text = file(page);
        let rows = rows(&text);
        let listed: Vec<_> = rows.iter().filter(|row| row.len() == 4 && row[1].starts_with('`')).collect();
        let mut names: Vec<_> = kinds.iter().map(Kind::name).collect();
        names.dedup();
        assert_eq!(listed.iter().map(|row| code(row[1]).next().unwrap()).collect::<Vec<_>>(), names, "{page}");
        for kind in &kinds {
            let row = listed.iter().find(|row| code(row[1]).next() == Some(kind.name())).unwrap();
            assert_eq!(row[1].ends_with('★'), kind.wants_attention(), "{page}: {row:?}");
            let [japanese, english] = [Language::Japanese, Language::English].map(|language| language.label(kind));
            // What can't be understood has a line of its own instead.
            let has_label = !matches!(kind, Kind::Unknown { .. } | Kind::Unreadable);
            assert_eq!(row[0].ends_with(&format!(" {japanese} / {english}")), has_label, "{page}: {row:?}");
        }
    }
}

#[test]
fn every_check_is_explained_in_both_languages() {
    for page in CHECK {
        let text = file(page);
        let rows = rows(&text);
        let named: BTreeSet<_> = rows.iter().filter(|row| row.len() == 2).flat_map(|row| code(row[0])).collect();
        let missing: Vec<_> = NAMES.iter().filter(|name| !named.contains(**name)).collect();
        assert_eq!(missing, Vec::<&&str>::new(), "{page}");
    }
}

/// The names of all tests, and how often a test is called so.
fn tests() -> HashMap<String, usize> {
    let mut tests = HashMap::new();
    let mut left: Vec<_> = ["src", "tests", "tools"].into_iter().map(|folder| PathBuf::from(path(folder))).collect();
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
fn the_page_on_reliability_has_a_row_for_every_fault_that_is_tried_and_names_no_other() {
    let tried = faults::rows();
    assert!(tried.len() > 500, "{}", tried.len());
    for page in RELIABILITY {
        let text = file(page);
        let rows = rows(&text);
        let rows: Vec<_> = rows.into_iter().filter(|row| row.len() == 5).collect();
        assert!((40..60).contains(&rows.len()), "{page}: {}", rows.len());
        let missing: BTreeSet<_> = tried
            .iter()
            .map(|fault| (fault.service.to_string(), fault.name))
            .filter(|(service, name)| {
                !rows
                    .iter()
                    .any(|row| code(row[0]).any(|known| known == service) && code(row[1]).any(|known| known == *name))
            })
            .collect();
        assert_eq!(missing, BTreeSet::new(), "{page}");
        let is_setting = |name: &str| SETTINGS.iter().any(|setting| setting.name == name);
        let named = rows.iter().flat_map(|row| code(row[1])).filter(|name| !is_setting(name) && *name != "null");
        let unknown: BTreeSet<_> = named.filter(|name| tried.iter().all(|fault| fault.name != *name)).collect();
        assert_eq!(unknown, BTreeSet::new(), "{page}");
    }
}

#[test]
fn the_page_on_reliability_says_how_long_a_hanging_sheet_is_waited_for() {
    let waits = WEBHOOK.roster.saturating_sub(WEBHOOK.saved_roster).as_secs_f64();
    for (page, said) in
        RELIABILITY.into_iter().zip([format!("waits {waits} s at most"), format!("最長 {waits} 秒待つ")])
    {
        assert!(file(page).contains(&said), "{page}: {said}");
    }
}
