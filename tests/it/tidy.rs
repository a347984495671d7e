//! The rules of the house that a compiler doesn't know; each failure names the file and the rule.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A file of Rust, by its path from the project's root.
pub(crate) struct Source {
    pub(crate) path: String,
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
    ];
    check("the domain takes data and `now`: no I/O, async, clock, environment or wire", uses(&domain, &impure));
}

/// From the bottom to the top; a file may use its own floor and those below it.
const FLOORS: [&[&str]; 8] = [
    &["domain"],
    &["clock", "budget", "log_events"],
    &["config"],
    &["edge"],
    &["delivery"],
    &["webhook", "notice", "interaction", "reminder", "check"],
    &["lambda"],
    &["bin"],
];

/// A module of the second level with all that is below it, such as `edge/ledger`, and the ones that it uses.
fn modules() -> BTreeMap<String, BTreeSet<String>> {
    let mut modules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources(&["src"]) {
        let path: Vec<_> = source.path.trim_start_matches("src/").trim_end_matches(".rs").split('/').collect();
        let uses = modules.entry(two_of(&path)).or_default();
        let code: String = source.code().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
        let (code, _) = code.split_once("#[cfg(test)]").unwrap_or((&code, ""));
        if !source.path.ends_with("tests.rs") && !source.path.ends_with("samples.rs") {
            uses.extend(used(code, &path));
        }
    }
    modules
}

fn two_of(path: &[&str]) -> String {
    path.iter().take(2).copied().collect::<Vec<_>>().join("/")
}

/// The modules that a file names by `crate::…`, `oncall_relay::…` or `super::…`.
fn used(code: &str, path: &[&str]) -> Vec<String> {
    let after = |root: &str| code.split(root).skip(1).map(str::to_owned).collect::<Vec<_>>();
    let words = |rest: &str| -> Vec<String> {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        rest[..end].split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let from_root = ["crate::", "oncall_relay::"].iter().flat_map(|root| after(root));
    let mut used: Vec<_> = from_root.map(|rest| words(&rest)).collect();
    for rest in after("super::") {
        let mut full: Vec<_> = path[..path.len() - 1].iter().map(|word| (*word).to_owned()).collect();
        full.extend(words(&rest));
        used.push(full);
    }
    used.iter().map(|path| two_of(&path.iter().map(String::as_str).collect::<Vec<_>>())).collect()
}

fn floor(module: &str) -> Option<usize> {
    let first = module.split('/').next().unwrap_or_default();
    FLOORS.iter().position(|floor| floor.contains(&first))
}

#[test]
fn dependencies_run_one_way() {
    let mut upwards = Vec::new();
    for (module, uses) in modules() {
        let Some(own) = floor(&module) else {
            assert_eq!(module, "lib", "a module without a floor");
            continue;
        };
        upwards.extend(uses.iter().filter(|used| floor(used) > Some(own)).map(|used| format!("{module} uses {used}")));
    }
    check("bin → lambda → use cases → delivery → edge → config → clock, budget, log_events → domain", upwards);
}

#[test]
fn no_modules_use_each_other_in_a_circle() {
    let all = modules();
    // Modules that use nothing but what has been taken away already are taken away, until none is left.
    let mut left: BTreeMap<_, BTreeSet<_>> = all
        .iter()
        .map(|(module, uses)| {
            let uses = uses.iter().filter(|used| *used != module && all.contains_key(*used)).cloned().collect();
            (module.clone(), uses)
        })
        .collect();
    loop {
        let free: Vec<_> = left.iter().filter(|(_, uses)| uses.is_empty()).map(|(module, _)| module.clone()).collect();
        if free.is_empty() {
            break;
        }
        left.retain(|module, _| !free.contains(module));
        for uses in left.values_mut() {
            uses.retain(|used| !free.contains(used));
        }
    }
    check("no circles", left.iter().map(|(module, uses)| format!("{module} → {uses:?}")));
}

#[test]
fn wire_types_stay_at_the_edges() {
    let edges = ["src/edge", "src/config", "src/lambda"];
    let inner: Vec<_> = sources(&["src"]).into_iter().filter(|source| !source.is_within(&edges)).collect();
    check("only edges and settings know a wire format", uses(&inner, &["Serialize", "Deserialize"]));
}

#[test]
fn every_line_of_the_log_names_its_event_from_the_list() {
    check("names of events stand in src/log_events.rs", uses(&sources(&["src"]), &["event = \""]));
}

#[test]
fn the_functions_are_free_of_the_lab() {
    check("no function uses the tools", uses(&sources(&["src"]), &["use oncall::", " oncall::"]));
}

#[test]
fn every_file_opens_with_the_sentence_that_says_what_it_is_for() {
    let speechless = sources(&["src", "tests", "tools"]).into_iter().filter_map(|Source { path, text }| {
        let opening = text.lines().map_while(|line| line.strip_prefix("//! ")).collect::<Vec<_>>().join(" ");
        let is_a_sentence = opening.split(' ').count() >= 4 && opening.ends_with(['.', '!', '?']);
        (!is_a_sentence).then(|| format!("{path}: {opening:?}"))
    });
    check("every file opens with `//!` and a sentence", speechless);
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    const MAX_LINES: usize = 400;
    let long = sources(&["src", "tests", "tools"]).into_iter().filter_map(|Source { path, text }| {
        let lines = text.lines().count();
        (lines > MAX_LINES).then(|| format!("{path}: {lines} lines"))
    });
    check("no file has more than 400 lines", long);
}

#[test]
fn the_functions_binaries_only_call_the_library() {
    const FEWER_LINES_THAN: usize = 10;
    let long = sources(&["src/bin"]).into_iter().filter_map(|Source { path, text }| {
        let lines = text.lines().count();
        (lines >= FEWER_LINES_THAN).then(|| format!("{path}: {lines} lines"))
    });
    check("a binary has fewer than 10 lines", long);
}
