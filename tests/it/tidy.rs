//! The rules of the house that a compiler doesn't know; each failure names the file and the rule.

use std::path::{Path, PathBuf};

/// A file of Rust, by its path from the project's root.
pub(crate) struct Source {
    path: String,
    pub(crate) text: String,
}

impl Source {
    /// The lines that are not comments, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn is_within(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }
}

pub(crate) fn sources(folders: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    let mut left: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                sources.push(Source { path, text });
            }
        }
    }
    assert!(!sources.is_empty(), "no files in {folders:?}");
    sources
}

#[track_caller]
fn check(rule: &str, broken: impl IntoIterator<Item = String>) {
    let mut broken: Vec<_> = broken.into_iter().collect();
    broken.sort();
    assert!(broken.is_empty(), "{rule}:\n- {}", broken.join("\n- "));
}

/// Where code uses one of these words, as `path:line: word`.
fn uses(sources: &[Source], words: &[&str]) -> Vec<String> {
    let uses = |source: &Source| {
        let found = source.code().flat_map(|(number, line)| {
            let words = words.iter().filter(move |word| line.contains(**word));
            words.map(move |word| (number, *word))
        });
        found.map(|(number, word)| format!("{}:{number}: {word}", source.path)).collect::<Vec<_>>()
    };
    sources.iter().flat_map(uses).collect()
}

#[test]
fn the_domain_is_pure() {
    let domain: Vec<_> = sources(&["src"]).into_iter().filter(|source| source.is_within(&["src/domain"])).collect();
    assert!(domain.len() > 5, "the domain has moved");
    let impure = [
        "async ",
        ".await",
        "reqwest",
        "tokio",
        "lambda",
        "serde",
        "tracing",
        "std::env",
        "std::fs",
        "std::net",
        "std::time",
        "::now(",
        "crate::edge",
        "crate::config",
        "crate::delivery",
        "crate::relay",
        "crate::reminder",
    ];
    check("the domain takes data and `now`: no I/O, async, clock, environment or wire", uses(&domain, &impure));
}

#[test]
fn wire_types_stay_at_the_edges() {
    let edges = ["src/edge", "src/config", "src/cli", "src/stand_ins"];
    let inner: Vec<_> = sources(&["src"]).into_iter().filter(|source| !source.is_within(&edges)).collect();
    check("only edges, settings and tools know a wire format", uses(&inner, &["Serialize", "Deserialize"]));
}

#[test]
fn the_functions_are_free_of_what_is_for_trying_and_testing() {
    let tools = ["src/cli", "src/stand_ins", "src/trial", "src/laws", "src/bin/oncall.rs", "src/lib.rs"];
    let functions: Vec<_> = sources(&["src"]).into_iter().filter(|source| !source.is_within(&tools)).collect();
    check("only the operator's tool uses the stand-ins", uses(&functions, &["stand_ins", "crate::cli", "::cli::"]));
}

#[test]
fn every_file_opens_with_the_sentence_that_says_what_it_is_for() {
    let speechless = sources(&["src", "tests"]).into_iter().filter_map(|Source { path, text }| {
        let opening = text.lines().map_while(|line| line.strip_prefix("//! ")).collect::<Vec<_>>().join(" ");
        let is_a_sentence = opening.split(' ').count() >= 4 && opening.ends_with(['.', '!', '?']);
        (!is_a_sentence).then(|| format!("{path}: {opening:?}"))
    });
    check("every file opens with `//!` and a sentence", speechless);
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    const MOST_LINES: usize = 400;
    let long = sources(&["src", "tests"]).into_iter().filter_map(|Source { path, text }| {
        let lines = text.lines().count();
        (lines > MOST_LINES).then(|| format!("{path}: {lines} lines"))
    });
    check("no file has more than 400 lines", long);
}

#[test]
fn the_functions_binaries_only_assemble() {
    const FEWER_LINES_THAN: usize = 40;
    let long = sources(&["src/bin"]).into_iter().filter_map(|Source { path, text }| {
        let lines = text.lines().count();
        (lines >= FEWER_LINES_THAN).then(|| format!("{path}: {lines} lines"))
    });
    check("a binary has fewer than 40 lines", long);
}
