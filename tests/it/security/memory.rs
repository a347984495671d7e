//! What a large body costs in memory, measured in a process of its own.

use std::process::Command;

use oncall_relay::edge::pagerduty::{Item, parse};

/// The size of the body, for the process that is measured.
const SIZE: &str = "LARGE_BODY_OF_SMALL_OBJECTS";
/// The least that Lambda gives a function is 128 MiB; the relay itself takes some twenty of it.
const MAX_KIB: u64 = 48 * 1024;

/// Memory of this process that was resident at most so far.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

/// Does nothing unless it is the process that is measured.
#[test]
#[expect(clippy::disallowed_methods, reason = "said by the test below, and no setting")]
fn one_large_body() {
    let Some(size) = std::env::var(SIZE).ok().and_then(|size| size.parse::<usize>().ok()) else { return };
    for filling in [r#"{"a":1},"#, "{},", r#"{"":{}},"#, "[[]],", r#"{"a":"b","c":"d"},"#, "1,"] {
        let (before, after) = (r#"{"event":{"id":"e1","event_type":"incident.triggered","x":["#, "0]}}");
        let filled = filling.repeat((size - before.len() - after.len()) / filling.len());
        let body = format!("{before}{filled}{after}");
        let at_first = peak_kib();
        assert!(matches!(&parse(body.as_bytes(), None)[..], [Item::Event(_)]));
        println!("{filling} of {size} bytes takes {} KiB", peak_kib() - at_first);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_large_body_of_small_objects_takes_no_more_memory_than_a_small_function_has() {
    for size in [1 << 20, 4 << 20] {
        let mut measured = Command::new(std::env::current_exe().unwrap());
        measured.args(["--exact", "security::memory::one_large_body", "--nocapture"]).env(SIZE, size.to_string());
        let output = String::from_utf8(measured.output().unwrap().stdout).unwrap();
        let taken: Vec<u64> =
            output.lines().filter_map(|line| line.strip_suffix(" KiB")?.rsplit(' ').next()?.parse().ok()).collect();
        // The peak stays with the process: what each body adds, all of them together.
        assert!(taken.len() == 6 && taken.iter().sum::<u64>() < MAX_KIB, "{output}");
    }
}
