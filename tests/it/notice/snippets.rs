//! What the page on notices has to paste is run by real shells against the real handler.

use std::path::PathBuf;
use std::process::{Output, Stdio};

use oncall::fakes::NOTICE_TOKEN;
use oncall::fakes::pagerduty::http_api_event;
use oncall_relay::lambda::api_gateway;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use super::on;
use crate::world::{DAYTIME, Running, instant};

/// The code blocks of the page that are of this language.
fn blocks(language: &str) -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/notices.md");
    let page = std::fs::read_to_string(page).unwrap();
    let fence = format!("\n```{language}\n");
    let blocks = page.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks.map(str::to_owned).collect()
}

/// The library of shell functions.
fn library() -> String {
    blocks("sh").into_iter().find(|block| block.contains("oncall_json() {")).unwrap()
}

/// A folder for one test with the library in it; it goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("notices-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("oncall-notice.sh"), library()).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a script in a shell, with the handler behind `ONCALL_NOTICE_URL`; none if the machine has no such shell.
async fn run(relay: &Running<'_>, shell: &str, script: &str, variables: &[(&str, &str)]) -> Option<Output> {
    let folder = Folder::new(&format!("{shell}-{}", script.len()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notice", listener.local_addr().unwrap());
    let child = Command::new(shell)
        .args(["-c", script])
        .current_dir(&folder.0)
        .env("ONCALL_NOTICE_URL", url)
        .env("ONCALL_NOTICE_TOKEN", NOTICE_TOKEN)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let serve = async {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            answer(relay, stream).await;
        }
    };
    tokio::select! {
        output = child => output.ok(),
        () = serve => None,
    }
}

/// Hands one HTTP request to the handler, as API Gateway would.
async fn answer(relay: &Running<'_>, stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let headers: Vec<_> = head[1..].iter().map(|line| line.split_once(": ").unwrap()).collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    assert!(head[0].starts_with("POST /notice HTTP/1.1"), "{head:?}");
    let event = http_api_event("/notice", &headers, &body);
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let (response, _) = api_gateway::answer(relay.handler(), request, instant(DAYTIME).to_utc()).await;
    let status = response.status();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// Those that this machine has, of which there must be two.
async fn each_shell(relay: &Running<'_>, shells: &[&str], script: &str, check: impl Fn(&str, Output, Vec<String>)) {
    for shell in shells {
        let variables = [("ONCALL_SOURCE", "runbook"), ("ONCALL_URL", "https://ci.example.com/7")];
        match run(relay, shell, script, &variables).await {
            Some(output) => check(shell, output, relay.topic()),
            None => assert!(!matches!(*shell, "sh" | "bash"), "no {shell}"),
        }
    }
}

const LAST_LINE: &str = "\n実行: runbook / https://ci.example.com/7";

#[tokio::test]
async fn the_shell_functions_say_that_a_command_has_started_and_how_it_ended() {
    let world = on("typetalk").await;
    let relay = world.relay().await;
    let usage = blocks("sh").into_iter().find(|block| block.contains("oncall_run 'app-01")).unwrap();
    let script = format!("{usage}\noncall_run 'failing' sh -c 'exit 3'; echo \"then $?\"");
    each_shell(&relay, &["sh", "bash", "zsh"], &script, |shell, output, posts| {
        assert_eq!(String::from_utf8_lossy(&output.stdout), "then 3\n", "{shell}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell}");
        let expected = [
            "▶️ 開始 #pd33 app-01 を再起動します",
            "✅ 成功 #pd33 app-01 を再起動します",
            "ℹ️ お知らせ #pd33 ロードバランサに戻しました",
            "▶️ 開始 #pd33 failing",
            "❌ 失敗 #pd33 failing (exit status 3)",
        ];
        assert_eq!(posts, expected.map(|line| format!("{line}{LAST_LINE}")), "{shell}");
    })
    .await;
}

#[tokio::test]
async fn any_text_arrives_as_it_was_written() {
    let world = on("typetalk").await;
    let relay = world.relay().await;
    let script = r#". ./oncall-notice.sh
text=$(printf 'a "quoted" \\ back\\\\slash\ttab $HOME %%s {}\nsecond line\n\n- 日本語 💥')
oncall_notice info "$text""#;
    each_shell(&relay, &["sh", "bash", "zsh"], script, |shell, output, posts| {
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell}");
        let text = r#"a "quoted" \ back\\slash tab $HOME %s {}"#;
        let expected = format!("ℹ️ お知らせ {text}\n> second line\n> - 日本語 💥{LAST_LINE}");
        assert_eq!(posts, [expected], "{shell}");
    })
    .await;
}

#[tokio::test]
async fn a_notice_that_is_refused_or_not_set_up_breaks_no_job() {
    let world = on("typetalk").await;
    let relay = world.relay().await;
    let script = ". ./oncall-notice.sh; set -e; oncall_notice wrong x; unset ONCALL_NOTICE_TOKEN; \
                  oncall_notice info x; oncall_run x true; echo done";
    each_shell(&relay, &["sh", "bash", "zsh"], script, |shell, output, posts| {
        assert_eq!(String::from_utf8_lossy(&output.stdout), "done\n", "{shell}");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("400") && errors.ends_with("The notice was not posted: wrong\n"), "{shell}: {errors}");
        assert_eq!(posts, [""; 0], "{shell}");
    })
    .await;
}

#[tokio::test]
async fn fish_lets_sh_do_it() {
    let world = on("typetalk").await;
    let relay = world.relay().await;
    let script = format!("{}\noncall_notice failed 'it \"failed\"'", blocks("fish").concat());
    each_shell(&relay, &["fish"], &script, |shell, output, posts| {
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell}");
        assert_eq!(posts, [format!("❌ 失敗 it \"failed\"{LAST_LINE}")]);
    })
    .await;
}

/// What stands between two marks of a block, without its indentation.
fn part<'a>(block: &'a str, begin: &str, end: &str) -> &'a str {
    block.split(begin).nth(1).unwrap().split(end).next().unwrap()
}

#[tokio::test]
async fn the_commands_of_jenkins_and_of_github_actions_post() {
    let world = on("typetalk").await;
    let relay = world.relay().await;
    let jenkins = blocks("groovy").concat();
    let script = part(&jenkins, "script: '''", "'''");
    let notice = r#"{"status":"started","text":"\u518d\u8d77\u52d5","incident":"","url":null,"key":"k"}"#;
    let output = run(&relay, "sh", script, &[("ONCALL_NOTICE", notice)]).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(relay.topic(), ["▶️ 開始 再起動"]);

    let actions = blocks("yaml").concat();
    let script = actions.split("run: |\n").nth(1).unwrap();
    for (result, line) in [("success", "✅ 成功"), ("failure", "❌ 失敗"), ("cancelled", "ℹ️ お知らせ")] {
        let variables =
            [("INCIDENT", "33"), ("RESULT", result), ("RUN_URL", "https://ci.example.com/7"), ("KEY", result)];
        let output = run(&relay, "bash", script, &variables).await.unwrap();
        if String::from_utf8_lossy(&output.stderr).contains("jq: ") {
            println!("skipped: this machine has no jq");
            return;
        }
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let expected =
            format!("{line} #pd33 app-01 を再起動 ({result})\n実行: GitHub Actions / https://ci.example.com/7");
        assert_eq!(relay.topic(), [expected]);
    }
}

/// Whoever can list the machine's processes must not see the token.
#[test]
fn no_command_has_the_token_among_its_arguments() {
    let commands = [library(), blocks("groovy").concat(), blocks("yaml").concat()];
    for command in &commands {
        let curl = command.split("curl ").nth(1).unwrap();
        assert!(curl.contains("--header @-") && !curl.contains("ONCALL_NOTICE_TOKEN"), "{curl}");
    }
}
