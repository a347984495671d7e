//! The settings on the page on service levels: they can be copied, and their thresholds are what the arithmetic says.

use serde_json::Value;

/// Mackerel's functions that the page uses, <https://mackerel.io/docs/entry/advanced/advanced-graph>.
const FUNCTIONS: [&str; 6] = ["scale", "min", "group", "divide", "movingAverage", "service"];
/// The objective of the examples, in percent.
const OBJECTIVE: f64 = 99.9;

fn settings(page: &str) -> Vec<Value> {
    let page = std::fs::read_to_string(format!("{}/docs/{page}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let blocks = page.split("\n```json\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks.map(|block| serde_json::from_str(block).unwrap()).collect()
}

/// The minutes of an expression's windows, in order.
fn windows(expression: &str) -> Vec<u32> {
    let ends = expression.split("), ").skip(1).filter_map(|rest| rest.split(')').next());
    let minutes = |text: &str| match text.split_at_checked(text.len() - 1)? {
        (number, "h") => Some(number.parse::<u32>().ok()? * 60),
        (number, "m") => number.parse().ok(),
        _ => None,
    };
    ends.filter(|end| !end.is_empty()).filter_map(minutes).collect()
}

#[test]
fn the_monitors_use_functions_that_there_are_and_thresholds_that_their_burn_rates_make() {
    let in_english = settings("service-levels.md");
    assert_eq!(in_english, settings("service-levels.ja.md"));
    let burns: Vec<_> = in_english.iter().filter(|setting| setting["type"] == "expression").collect();
    assert_eq!((in_english.len(), burns.len()), (4, 2));
    for (monitor, (burn_rate, long, budget)) in burns.into_iter().zip([(14.4, 60, 0.02), (6.0, 360, 0.05)]) {
        let expression = monitor["expression"].as_str().unwrap();
        assert_eq!(expression.matches('(').count(), expression.matches(')').count(), "{expression}");
        for before in expression.split('(').rev().skip(1) {
            let name = before.rsplit([' ', ',', ')']).next().unwrap();
            assert!(FUNCTIONS.contains(&name), "{name}: {expression}");
        }
        assert_eq!(windows(expression), [long, long, long / 12, long / 12], "{expression}");
        let threshold = monitor["critical"].as_f64().unwrap();
        assert!((threshold - burn_rate * (100.0 - OBJECTIVE)).abs() < 1e-9, "{monitor}");
        assert!((burn_rate * f64::from(long) / (30.0 * 24.0 * 60.0) - budget).abs() < 1e-9, "{monitor}");
    }
}
