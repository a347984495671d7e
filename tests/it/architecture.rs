//! ARCHITECTURE.md tells the truth: its files exist and none is missing, its names are in the code, its times are the budget's.

use std::path::Path;

use oncall_relay::budget;

use crate::tidy::sources;

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap()
}

/// Everything between backticks, code blocks left out.
fn quoted(text: &str) -> Vec<&str> {
    text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_table_has_every_file_and_no_other() {
    let page = page();
    let (_, table) = page.split_once("| file | what it is for |").unwrap();
    let table: String = table.lines().skip(1).take_while(|line| !line.starts_with('`')).collect::<Vec<_>>().join("\n");
    let named: Vec<_> = quoted(&table).into_iter().filter(|name| name.contains(".rs")).collect();
    let files: Vec<String> = sources(&["src"]).into_iter().map(|source| source.path).collect();
    for name in &named {
        assert!(files.iter().any(|file| file.ends_with(&format!("/{name}"))), "{name} is not in src");
    }
    let is_bare = |file: &&String| {
        let only_declares = [
            "src/lib.rs",
            "src/domain.rs",
            "src/edge.rs",
            "src/lambda.rs",
            "src/domain/samples.rs",
            "src/domain/roster/properties.rs",
        ];
        !only_declares.contains(&file.as_str()) && !file.contains("tests")
    };
    let missing: Vec<_> = files
        .iter()
        .filter(is_bare)
        .filter(|file| !named.iter().any(|name| file.ends_with(&format!("/{name}"))))
        .collect();
    assert_eq!(missing, Vec::<&String>::new());
}

#[test]
fn its_names_are_in_the_code() {
    let page = page();
    let code: String = sources(&["src", "tools"]).into_iter().map(|source| source.text).collect();
    let is_a_name = |name: &&str| name.contains("::") && name.chars().all(|c| c.is_alphanumeric() || "_:".contains(c));
    let names: Vec<_> = quoted(&page).into_iter().filter(is_a_name).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let last = name.rsplit("::").next().unwrap();
        let is_defined = ["fn ", "struct ", "enum "].iter().any(|word| code.contains(&format!("{word}{last}")))
            || code.contains(&format!("    {last}"));
        assert!(is_defined, "{name}");
    }
}

#[test]
fn its_times_are_those_of_the_budget() {
    let page = page();
    let milliseconds = [
        ("arrival: ", budget::WEBHOOK.answer),
        ("The roster takes at most ", budget::WEBHOOK.roster),
        ("the ledger ", budget::WEBHOOK.claim),
        ("before and ", budget::WEBHOOK.settle),
        ("what is left less ", budget::PER_BACKUP),
        ("waits at most ", budget::WAIT_TO_ADMIT),
        ("`Attempts::run` waits ", budget::PAUSE),
    ];
    let said: String = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for (before, time) in milliseconds {
        let expected = format!("{before}{} ms", time.as_millis());
        assert!(said.contains(&expected), "{expected}");
    }
    for (before, time) in
        [("A reminder has ", budget::REMINDER.answer), ("connections idle for ", budget::IDLE_CONNECTION)]
    {
        let expected = format!("{before}{} s", time.as_secs());
        assert!(said.contains(&expected), "{expected}");
    }
    let seconds = format!("older than {} s", budget::SECRETS_REFUSE_FOR.num_seconds());
    let minutes = format!("older than {} minutes", budget::SECRETS_ADMIT_FOR.num_minutes());
    let fresh = format!("unless it did within {} s", budget::ROSTER_FRESH.num_seconds());
    for expected in [seconds, minutes, fresh] {
        assert!(said.contains(&expected), "{expected}");
    }
}
