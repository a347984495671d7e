//! The guide's blocks as people paste them: the same commands with the same arguments in bash, zsh and fish.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::guide::{GUIDES, blocks, file};
use crate::world::World;

/// Each as somebody's terminal has it: interactive where that makes a difference, without their own settings.
const SHELLS: [(&str, &[&str]); 3] =
    [("bash", &["--norc", "-s"]), ("zsh", &["-f", "-i", "-s"]), ("fish", &["--no-config"])];
const PROGRAMS: [&str; 6] = ["aws", "cargo", "cp", "curl", "jq", "sam"];

/// Programs that only write down how they are called.
fn stubs(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for program in PROGRAMS {
        let path = folder.join(program);
        fs::write(&path, "#!/bin/sh\n{ basename \"$0\"; printf '  %s\\n' \"$@\"; } >> \"$CALLS\"\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// How the programs are called when this is pasted; none if there is no such shell here.
fn calls(folder: &Path, shell: (&str, &[&str]), code: &str) -> Option<String> {
    let (name, arguments) = shell;
    let log = folder.join("calls");
    fs::write(&log, "").unwrap();
    let path = format!("{}:{}", folder.join("stubs").display(), std::env::var_os("PATH").unwrap().to_string_lossy());
    let pasted = folder.join("pasted");
    fs::write(&pasted, code).unwrap();
    let ended = Command::new(name)
        .args(arguments)
        .current_dir(folder)
        .env("PATH", path)
        .env("CALLS", &log)
        .env("HOME", folder)
        .stdin(fs::File::open(pasted).unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if ended.is_ok() {
        Some(fs::read_to_string(log).unwrap())
    } else {
        eprintln!("{name} is not installed: not tried");
        None
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_block_calls_the_same_programs_in_every_shell() {
    let world = World::empty().await;
    stubs(&world.folder.join("stubs"));
    for guide in GUIDES {
        for block in blocks(&file(guide)).into_iter().filter(|block| block.mark.starts_with("<!-- run: ")) {
            let expected = calls(&world.folder, SHELLS[0], &block.code).unwrap();
            assert!(!expected.is_empty(), "{guide}: nothing is called by\n{}", block.code);
            for shell in &SHELLS[1..] {
                if let Some(called) = calls(&world.folder, *shell, &block.code) {
                    assert_eq!(called, expected, "{guide}, {}:\n{}", shell.0, block.code);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_some_shells_understand_is_found() {
    let world = World::empty().await;
    stubs(&world.folder.join("stubs"));
    // Comments after a command, a question that swallows the next line, and quotes that fish doesn't have.
    for (shell, code) in [
        (SHELLS[1], "aws put SLACK_TOKEN # with slack\n"),
        (SHELLS[2], "aws put $'SLACK_TOKEN'\n"),
        (SHELLS[2], "put() { aws put \"$1\"; }\nput SLACK_TOKEN\n"),
    ] {
        let expected = calls(&world.folder, SHELLS[0], code).unwrap();
        if let Some(called) = calls(&world.folder, shell, code) {
            assert_ne!(called, expected, "{}: {code}", shell.0);
        }
    }
}
