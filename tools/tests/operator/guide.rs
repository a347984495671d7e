//! The guide for setting up is walked through: its commands, in its order, from an empty folder to the first alert.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use oncall::fakes::account::ADMIN_KEY;
use oncall::fakes::google::SPREADSHEET_ID;
use oncall::fakes::{MEMBERS_TAB, ROSTER_TAB};
use oncall::operator::samconfig::{SamConfig, variable};
use oncall_relay::edge::pagerduty::EVENTS;

use crate::moto;
use crate::world::{World, answers_to_secrets, finish};

pub(crate) const GUIDES: [&str; 2] = ["docs/setup.md", "docs/setup.ja.md"];
/// Where what the tool does is done without it.
const APPENDIX: [&str; 2] = ["## By hand", "## 手作業"];

pub(crate) fn file(name: &str) -> String {
    fs::read_to_string(format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A block of code, with the mark that stands before it.
#[derive(Debug, PartialEq)]
pub(crate) struct Block {
    pub(crate) mark: String,
    pub(crate) code: String,
}

pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut before, mut open): (Vec<Block>, String, Option<usize>) = (Vec::new(), String::new(), None);
    for line in text.lines() {
        let bare = line.trim_start();
        match open {
            None if bare.starts_with("```") => {
                open = Some(line.len() - bare.len());
                blocks.push(Block { mark: before.trim().to_owned(), code: String::new() });
            }
            Some(_) if bare == "```" => open = None,
            Some(indent) => {
                let code = &mut blocks.last_mut().unwrap().code;
                code.push_str(line.get(indent..).unwrap_or_default());
                code.push('\n');
            }
            None => {}
        }
        line.clone_into(&mut before);
    }
    blocks
}

#[test]
fn every_block_is_run_or_says_why_not() {
    for guide in GUIDES {
        let blocks = blocks(&file(guide));
        assert!(blocks.len() > 20, "{guide}: {blocks:?}");
        for Block { mark, code } in blocks {
            let reason = mark.strip_prefix("<!-- not run: ").and_then(|rest| rest.strip_suffix(" -->"));
            let is_run = ["<!-- run: walk -->", "<!-- run: shells -->"].contains(&mark.as_str());
            assert!(is_run || reason.is_some_and(|reason| reason.len() > 20), "{guide}: {mark:?} before\n{code}");
        }
    }
}

#[test]
fn the_guide_takes_twenty_actions_of_which_five_copy_something() {
    for (guide, appendix) in GUIDES.into_iter().zip(APPENDIX) {
        let text = file(guide);
        let (steps, _) = text.split_once(&format!("\n{appendix}\n")).unwrap();
        let (_, steps) = steps.split_once("\n## ").unwrap();
        // Later parts have lists of their own, which begin anew.
        let numbered = steps.lines().filter_map(|line| line.split_once(". ")?.0.parse::<usize>().ok());
        let mut actions: Vec<usize> = Vec::new();
        for number in numbered {
            if number != actions.len() + 1 {
                break;
            }
            actions.push(number);
        }
        assert_eq!(actions.len(), 20, "{guide}");
        assert_eq!(steps.matches('📋').count(), 5, "{guide}");
    }
}

#[test]
fn a_subscription_made_by_hand_has_all_events() {
    for guide in GUIDES {
        let text = file(guide);
        let (_, list) = text.split_once("\"events\": [").unwrap();
        let (list, _) = list.split_once(']').unwrap();
        let events: Vec<_> = list.split(',').map(|event| event.trim().trim_matches('"')).collect();
        assert_eq!(events, EVENTS, "{guide}");
    }
}

fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What a person does between the commands: an empty folder with the repository's files, and the tools.
fn prepare(world: &World) {
    fs::create_dir_all(world.folder.join("docs")).unwrap();
    fs::create_dir_all(world.folder.join("bin")).unwrap();
    for name in ["docs/members-template.csv", "samconfig.toml"] {
        fs::write(world.folder.join(name), file(name)).unwrap();
    }
    let tool = env!("CARGO_BIN_EXE_oncall");
    script(
        &world.folder.join("bin/cargo"),
        &format!("#!/bin/sh\n[ \"$1\" = oncall ] && shift && exec '{tool}' \"$@\"\nexit 2\n"),
    );
    script(&world.folder.join("bin/sam"), "#!/bin/sh\necho \"$@\" >> sam.log\n");
}

/// What a person does with a sheet: imports both files.
fn import(world: &World) {
    for (tab, name) in [(ROSTER_TAB, "roster.csv"), (MEMBERS_TAB, "members.csv")] {
        let text = fs::read_to_string(world.folder.join(name)).unwrap();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        world.fakes.google.write(tab, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}

/// What `sam deploy` does with the answers.
async fn deploy(world: &mut World) {
    let config = SamConfig::read(&world.folder.join("samconfig.toml")).unwrap();
    let overrides: Vec<_> = config.overrides().into_iter().map(|(name, value)| (variable(&name), value)).collect();
    // Those that nobody has answered are the template's defaults.
    let nothing = ["SLACK_ALERT_CHANNEL", "SLACK_ONCALL_CHANNEL", "PAGERDUTY_SERVICES", "FALLBACK_MENTIONS"]
        .map(|name| (name, ""));
    let answered = overrides.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    world.deploy(&nothing.into_iter().chain(answered).collect::<Vec<_>>()).await;
}

async fn walk(guide: &str, mut world: World) -> World {
    prepare(&world);
    let sheet = format!("https://docs.google.com/spreadsheets/d/{SPREADSHEET_ID}/edit#gid=0");
    let (token, key_file) = (world.fakes.settings()["SLACK_TOKEN"].clone(), world.key_file());
    let mut secrets = vec!["y"];
    secrets.extend(answers_to_secrets(&[
        ("SLACK_TOKEN", &[&token]),
        ("SLACK_SIGNING_SECRETS", &["a-signing-secret-of-slack"]),
        ("GOOGLE_CREDENTIALS", &[&key_file]),
    ]));
    secrets.extend(["1", "2"]);
    let mut walked = 0;
    for Block { code, .. } in blocks(&file(guide)).into_iter().filter(|block| block.mark == "<!-- run: walk -->") {
        let answers = match code.trim() {
            "cargo oncall init" => &["", "", "", "", &sheet, "", "SRE", "", "sre@example.com", "", "y"][..],
            "cargo oncall secrets" => &secrets,
            "cargo oncall pagerduty register" => &[ADMIN_KEY, "1", "y"],
            "cargo oncall send-test" | "cargo oncall send-test --drill" => &["y"],
            "cargo oncall pagerduty arrange" => &[ADMIN_KEY, "1", "1", "2", "y"],
            _ => &[],
        };
        let mut shell = world.program("bash");
        let path =
            format!("{}:{}", world.folder.join("bin").display(), std::env::var_os("PATH").unwrap().to_string_lossy());
        shell.args(["-e", "-c", &code]).env("PATH", path).env("ONCALL_DRILL_PAUSE", "0");
        let ended = finish(shell, answers).await;
        assert!(ended.ok, "{guide}: {code}{}", ended.said);
        if code.contains("roster.csv") {
            import(&world);
        }
        if code.contains("sam deploy") {
            deploy(&mut world).await;
        }
        if code.contains("register") {
            assert_eq!(world.delivered(1).await, [200], "{}", ended.said);
        }
        walked += 1;
    }
    assert_eq!(walked, 11, "{guide}");
    world
}

fn check(world: &World) {
    let posts = world.fakes.slack.take_posts();
    let alerts: Vec<_> =
        posts.iter().filter(|post| post.channel == "C0ALERTS").map(|post| post.text.as_str()).collect();
    assert_eq!(alerts.len(), 2 + 4, "{posts:?}");
    assert!(alerts[..2].iter().all(|text| text.contains("テスト通知を受け取りました")), "{posts:?}");
    assert!(alerts[2..].iter().all(|text| text.contains("【訓練】")), "{posts:?}");
    assert_eq!(posts.iter().filter(|post| post.channel == "C0ONCALL").count(), 1, "{posts:?}");
    assert!(world.pagerduty.policy_of("PSERVICE").starts_with("PPOLICY"));
    let log = fs::read_to_string(world.folder.join("sam.log")).unwrap();
    assert_eq!(log, "build\ndeploy\ndeploy\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_guides_lead_from_an_empty_folder_to_the_first_alert() {
    for guide in GUIDES {
        let world = walk(guide, World::empty().await).await;
        check(&world);
        for name in ["SLACK_TOKEN", "GOOGLE_CREDENTIALS", "PAGERDUTY_SIGNING_SECRETS"] {
            assert!(world.stored(name).is_some(), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto's server, which .ci/run installs"]
async fn the_guide_leads_there_with_an_aws_that_somebody_else_wrote() {
    let Some(moto_server) = std::env::var_os("MOTO_SERVER") else {
        panic!("MOTO_SERVER must be the path of moto_server")
    };
    let world = walk(GUIDES[0], World::on_moto(&moto_server).await).await;
    check(&world);
    for name in ["SLACK_TOKEN", "GOOGLE_CREDENTIALS", "PAGERDUTY_SIGNING_SECRETS"] {
        assert!(moto::stored(&world.endpoint, name).await.is_some(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prism and PagerDuty's description"]
async fn the_guide_leads_there_held_against_pagerdutys_own_description() {
    let (Some(prism), Some(folder)) = (std::env::var_os("PRISM"), std::env::var_os("API_DESCRIPTIONS")) else {
        panic!("PRISM and API_DESCRIPTIONS must be paths")
    };
    let description = Path::new(&folder).join("pagerduty-rest.openapi.json");
    let world = walk(GUIDES[0], World::behind_prism(&prism, &description).await).await;
    check(&world);
    // And what the guide only mentions.
    let arrange =
        ["pagerduty", "arrange", "--yes", "--dummy", "dummy@example.com", "--then", "PSRE", "--minutes", "15"];
    let changed = world.run(&[&arrange[..], &["--service", "PSERVICE"]].concat(), &[ADMIN_KEY]).await;
    changed.well(&["goes on after 15 minutes"]);
}
