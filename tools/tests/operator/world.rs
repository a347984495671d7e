//! The services around an operator, a deployed stack among them; and the tool, run as a process.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oncall::fakes::Fakes;
use oncall::fakes::account::PagerDutyAccount;
use oncall::fakes::aws::{ApiGateway, Aws};
use oncall::operator::secrets::guide_of;
use oncall_relay::config::SETTINGS;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::moto;

/// No command may take longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// Everything around an operator.
pub(crate) struct World {
    pub(crate) fakes: Fakes,
    pub(crate) aws: Aws,
    pub(crate) pagerduty: PagerDutyAccount,
    pub(crate) folder: PathBuf,
    api: Option<ApiGateway>,
    /// AWS's address: the fake's, or an independent one's.
    pub(crate) endpoint: String,
    /// PagerDuty's address: the fake's, or that of a proxy which compares both ways with PagerDuty's own description.
    pagerduty_url: String,
    started: Vec<Child>,
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
        let (endpoint, pagerduty_url) = (aws.url(), pagerduty.url());
        Self { fakes, aws, pagerduty, folder, api: None, endpoint, pagerduty_url, started: Vec::new() }
    }

    /// The same with PagerDuty's own description before the fake, which refuses what it doesn't allow, of either side.
    pub(crate) async fn behind_prism(prism: &OsStr, description: &Path) -> Self {
        let mut world = Self::empty().await;
        let port = free_port();
        // Its one rule that loopback can't keep: `url` is a public host's.
        let text = fs::read_to_string(description).unwrap();
        let description = world.folder.join("pagerduty.json");
        fs::write(&description, text.replace("\"format\":\"url\"", "\"format\":\"uri\"")).unwrap();
        let mut proxy = Command::new(prism);
        proxy.arg("proxy").arg(&description).arg(&world.pagerduty_url).args(["--errors", "--port", &port]);
        world.started.push(start(proxy, &port).await);
        world.pagerduty_url = format!("http://127.0.0.1:{port}");
        world
    }

    /// The same with an independent AWS.
    pub(crate) async fn on_moto(moto_server: &OsStr) -> Self {
        let mut world = Self::empty().await;
        let port = free_port();
        let mut moto = Command::new(moto_server);
        moto.args(["--host", "127.0.0.1", "--port", &port]);
        world.started.push(start(moto, &port).await);
        world.endpoint = format!("http://127.0.0.1:{port}");
        world
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
        let url = self.pagerduty_url.clone();
        let own = [
            ("CHATS", "slack"),
            ("SECRETS_PATH", "/oncall-relay"),
            ("PAGERDUTY_BASE_URL", url.as_str()),
            // No buttons, unless a test wants them.
            ("PAGERDUTY_FROM", ""),
        ];
        all.extend(own.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.api = Some(if self.endpoint == self.aws.url() {
            self.aws.deploy(all).await.unwrap()
        } else {
            moto::deploy(&self.endpoint, all).await
        });
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
        let mut command = self.program(env!("CARGO_BIN_EXE_oncall"));
        command.args(arguments);
        command
    }

    /// A process in the folder, with this operator's credentials.
    pub(crate) fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.folder)
            .env_clear()
            .env("HOME", &self.folder)
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("AWS_REGION", "ap-northeast-1")
            .env("AWS_ACCESS_KEY_ID", "AKIAOPERATOR")
            .env("AWS_SECRET_ACCESS_KEY", "operators-own")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", &self.endpoint)
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

/// An answer to each secret that is asked for when Slack is the chat; to others Enter.
pub(crate) fn answers_to_secrets<'a>(known: &[(&str, &[&'a str])]) -> Vec<&'a str> {
    let asked = SETTINGS.iter().filter(|setting| setting.secret && !setting.name.starts_with("TYPETALK"));
    // The fakes' stack has no user that acts, without whom its key would do harm.
    let asked = asked.filter(|setting| setting.name != "PAGERDUTY_ACTION_KEY");
    let asked = asked.filter(|setting| guide_of(setting.name).is_some_and(|guide| guide.by_command.is_none()));
    let answers =
        asked.map(|setting| known.iter().find(|(name, _)| *name == setting.name).map_or(&[""][..], |known| known.1));
    answers.flatten().copied().collect()
}

/// A port that nobody listens on.
fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// A process that listens.
async fn start(mut command: Command, port: &str) -> Child {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    let connected = async {
        while TcpStream::connect(format!("127.0.0.1:{port}")).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, connected).await.unwrap();
    child
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
    let lines = answers.iter().flat_map(|answer| [*answer, "\n"]).collect::<String>();
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

    /// However it ended, it said all of this.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.said.contains(word), "{word:?} is not in\n{}", self.said);
        }
    }
}
