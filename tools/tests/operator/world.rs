//! The services around an operator, a deployed stack among them; and the tool, run as a process.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oncall::fakes::Fakes;
use oncall::fakes::account::PagerDutyAccount;
use oncall::fakes::aws::{ApiGateway, Aws};
use oncall_relay::config::SETTINGS;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

/// No command may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything around an operator.
pub(crate) struct World {
    pub(crate) fakes: Fakes,
    pub(crate) aws: Aws,
    pub(crate) pagerduty: PagerDutyAccount,
    pub(crate) folder: PathBuf,
    api: Option<ApiGateway>,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) ok: bool,
    /// Both streams.
    pub(crate) said: String,
    pub(crate) stdout: String,
}

impl World {
    /// Services, accounts, an empty folder; and no stack.
    pub(crate) async fn empty() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("oncall-operator-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (fakes, aws) = (Fakes::start().await.unwrap(), Aws::start(0).await.unwrap());
        let pagerduty = PagerDutyAccount::start(0).await.unwrap();
        Self { fakes, aws, pagerduty, folder, api: None }
    }

    /// With the stack deployed, and nothing in the store.
    pub(crate) async fn deployed() -> Self {
        let mut world = Self::empty().await;
        world.deploy(&[]).await;
        world
    }

    /// Deploys the stack with the fakes' settings and these.
    pub(crate) async fn deploy(&mut self, settings: &[(&str, &str)]) {
        let mut all: HashMap<_, _> = self.fakes.settings();
        all.retain(|name, _| !SETTINGS.iter().any(|setting| setting.secret && setting.name == name));
        let url = self.pagerduty.url();
        let own = [("CHATS", "slack"), ("SECRETS_PATH", "/oncall-relay"), ("PAGERDUTY_BASE_URL", url.as_str())];
        all.extend(own.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.api = Some(self.aws.deploy(all).await.unwrap());
    }

    /// The address of the deployed relay.
    pub(crate) fn address(&self) -> String {
        format!("{}/pagerduty", self.api.as_ref().unwrap().url())
    }

    /// Puts what the functions need besides PagerDuty's secrets into the store.
    pub(crate) fn put_chat_and_sheet(&self) {
        for name in ["SLACK_TOKEN", "GOOGLE_CREDENTIALS"] {
            self.aws.put(&format!("/oncall-relay/{name}"), &self.fakes.settings()[name]);
        }
    }

    pub(crate) fn stored(&self, name: &str) -> Option<String> {
        self.aws.parameter(&format!("/oncall-relay/{name}"))
    }

    /// The key file of the service account.
    pub(crate) fn key_file(&self) -> String {
        let path = self.folder.join("key.json");
        fs::write(&path, self.fakes.google.credentials()).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// A process of the tool in the folder, with this operator's credentials.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oncall"));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("HOME", &self.folder)
            .env("PATH", std::env::var("PATH").unwrap())
            .env("AWS_REGION", "ap-northeast-1")
            .env("AWS_ACCESS_KEY_ID", "AKIAOPERATOR")
            .env("AWS_SECRET_ACCESS_KEY", "operators-own")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", self.aws.url())
            .env("AWS_MAX_ATTEMPTS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command with these answers, one a line.
    pub(crate) async fn run(&self, arguments: &[&str], answers: &[&str]) -> Ended {
        finish(self.command(arguments), answers).await
    }

    /// What PagerDuty's test events were answered, once there are so many.
    pub(crate) async fn delivered(&self, count: usize) -> Vec<u16> {
        for _ in 0..200 {
            if self.pagerduty.delivered().len() >= count {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        self.pagerduty.delivered()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Gives the answers and waits for the end.
pub(crate) async fn finish(mut command: Command, answers: &[&str]) -> Ended {
    let mut running = command.spawn().unwrap();
    let mut input = running.stdin.take().unwrap();
    let lines: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
    // A command that needs no answer may have ended.
    let _ = input.write_all(lines.as_bytes()).await;
    drop(input);
    let Output { status, stdout, stderr } = timeout(PATIENCE, running.wait_with_output()).await.unwrap().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    Ended { ok: status.success(), said: format!("{stdout}{stderr}"), stdout }
}

impl Ended {
    /// It ended well, and said all of this.
    #[track_caller]
    pub(crate) fn well(&self, words: &[&str]) {
        assert!(self.ok, "{}", self.said);
        self.says(words);
    }

    /// It ended badly, and said all of this.
    #[track_caller]
    pub(crate) fn badly(&self, words: &[&str]) {
        assert!(!self.ok, "{}", self.said);
        self.says(words);
    }

    #[track_caller]
    fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.said.contains(word), "{word:?} is not in\n{}", self.said);
        }
    }
}
