//! Whether the relay can do its job: all checks side by side, each within its own time.

mod chats;

use std::sync::{Arc, OnceLock};

use secrecy::SecretString;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::budget::{CHECK, CHECK_LATE_PART, CHECK_PART};
use crate::clock::Invocation;
use crate::config::{ChatConfig, Problems, Purpose, ReminderConfig, SETTINGS, TeamConfig};
use crate::domain::calendar::Calendar;
use crate::domain::chat::ChatName;
use crate::domain::check::parts::{self, Watch};
use crate::domain::check::slack::{People, Token};
use crate::domain::check::{Finding, Status, Unseen, pagerduty, roster};
use crate::domain::wording::Language;
use crate::edge::beside::{Beside, Work};
use crate::edge::heartbeat::Heartbeat;
use crate::edge::http::HttpClient;
use crate::edge::ledger::Ledger;
use crate::edge::pagerduty::{EVENTS, rest::RestClient};
use crate::edge::roster::{Diagnosis, RosterSource};
use crate::edge::secrets::Secrets;
use crate::log_events;

/// Checks under way.
pub type Checks<'a> = Beside<'a, Finding>;

/// What the checks look at besides what reminders use.
#[derive(Debug)]
pub struct Checker {
    /// One of its own, made when it is needed: a chat's connection that the check has used would not be a new one to
    /// the post.
    http: OnceLock<HttpClient>,
    calendar: Calendar,
    fallback: Vec<String>,
    language: Language,
    warnings: Vec<String>,
    settings: Vec<&'static str>,
    chats: Vec<ChatConfig>,
    alert_chats: Result<Vec<ChatConfig>, Problems>,
    webhook_url: Option<Url>,
    heartbeat: Option<SecretString>,
    secrets: Option<Secrets>,
}

/// What reminders use, and the check looks at.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The sheet.
    pub roster: &'a RosterSource,
    /// The table.
    pub ledger: &'a Ledger,
    /// PagerDuty's REST API, if it is set up.
    pub rest: Option<&'a RestClient>,
    /// Whether to post a line wherever the relay posts.
    pub post: bool,
    /// The invocation.
    pub invocation: Invocation,
}

/// One run of all checks: what several of them need is asked for once.
struct Run<'a> {
    around: Around<'a>,
    deadline: Instant,
    /// When a part of a check is given up, so that the rest of it can still be told.
    part: Instant,
    /// The same for a part that begins when another one ends.
    late_part: Instant,
    services: OnceCell<Vec<pagerduty::SeenService>>,
    token: OnceCell<Result<Token, Unseen>>,
    people: OnceCell<Option<People>>,
    watch: OnceCell<Result<Option<Watch>, String>>,
}

impl Run<'_> {
    async fn diagnosis(&self) -> Diagnosis {
        let Around { roster, ledger, invocation, .. } = self.around;
        roster.diagnosis(ledger, invocation).await
    }

    async fn services(&self, rest: &RestClient) -> &[pagerduty::SeenService] {
        self.services
            .get_or_init(|| async {
                timeout_at(self.part, rest.seen_services()).await.unwrap_or_else(|_| {
                    let slow = || Err(Unseen::Unreachable("no answer in time".to_owned()));
                    rest.services().iter().map(|id| (id.clone(), slow())).collect()
                })
            })
            .await
    }

    async fn watch(&self) -> &Result<Option<Watch>, String> {
        let Around { ledger, invocation, .. } = self.around;
        self.watch
            .get_or_init(|| async {
                let watch = timeout_at(self.part, ledger.watch(invocation.arrived_at())).await;
                watch.unwrap_or_else(|_| Err("no answer in time".to_owned()))
            })
            .await
    }
}

impl Checker {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(config: &ReminderConfig) -> Self {
        let ReminderConfig { team, check, .. } = config;
        let TeamConfig { chats, calendar, fallback_mentions, language, warnings, .. } = team;
        Self {
            http: OnceLock::new(),
            calendar: calendar.clone(),
            fallback: fallback_mentions.clone(),
            language: *language,
            warnings: warnings.clone(),
            settings: check.settings.clone(),
            chats: chats.clone(),
            alert_chats: check.alert_chats.clone(),
            webhook_url: check.webhook_url.clone(),
            heartbeat: check.heartbeat.clone(),
            secrets: None,
        }
    }

    /// Where secrets can be read again.
    #[must_use]
    pub fn with_secrets(self, secrets: Option<Secrets>) -> Self {
        Self { secrets, ..self }
    }

    /// The outside watchdog, if there is one.
    #[must_use]
    pub fn heartbeat(&self) -> Option<Heartbeat> {
        self.heartbeat.clone().map(|url| Heartbeat::new(url, self.http()))
    }

    fn http(&self) -> HttpClient {
        self.http.get_or_init(HttpClient::new).clone()
    }

    /// All checks; they begin when they are waited for.
    #[must_use]
    pub fn begin<'a>(&'a self, around: Around<'a>) -> Checks<'a> {
        let run = Arc::new(Run {
            around,
            deadline: around.invocation.within(CHECK),
            part: around.invocation.within(CHECK_PART),
            late_part: around.invocation.within(CHECK_LATE_PART),
            services: OnceCell::new(),
            token: OnceCell::new(),
            people: OnceCell::new(),
            watch: OnceCell::new(),
        });
        let limited = |name: &'static str, check: Work<'a, Finding>| -> Work<'a, Finding> {
            let deadline = run.deadline;
            Box::pin(async move {
                // Others may have kept the task busy until now.
                if Instant::now() >= deadline {
                    return Finding::unbegun(name);
                }
                timeout_at(deadline, check).await.unwrap_or_else(|_| Finding::slow(name, CHECK.as_secs()))
            })
        };
        let run = || Arc::clone(&run);
        let mut all = vec![
            limited("settings", Box::pin(self.settings_check(run()))),
            limited("secrets", Box::pin(self.secrets_check())),
            limited("ledger", {
                let Around { ledger, invocation, .. } = around;
                Box::pin(async move { parts::ledger(ledger.probe(invocation.arrived_at()).await) })
            }),
            limited("sheet", Box::pin(self.sheet(run()))),
            limited("members", Box::pin(self.members(run()))),
            limited("roster", Box::pin(self.roster(run()))),
            limited("webhook", Box::pin(self.webhook(run()))),
            limited("slack.acting", Box::pin(acting(run()))),
            limited("pagerduty.key", Box::pin(key(run()))),
            limited("pagerduty.webhook", Box::pin(self.subscription(run()))),
            limited("pagerduty.escalation", Box::pin(escalation(run(), &self.calendar))),
            limited("holidays", {
                let holidays = parts::holidays(&self.calendar, around.invocation.arrived_at());
                Box::pin(std::future::ready(holidays))
            }),
            limited("heartbeat", Box::pin(self.heartbeat_check(run()))),
        ];
        for (name, chat, purpose) in [
            ("slack.alert", ChatName::Slack, Purpose::Alerts),
            ("slack.oncall", ChatName::Slack, Purpose::OnCall),
            ("typetalk.alert", ChatName::Typetalk, Purpose::Alerts),
            ("typetalk.oncall", ChatName::Typetalk, Purpose::OnCall),
        ] {
            all.push(limited(name, Box::pin(self.place(run(), name, chat, purpose))));
        }
        Beside::new(all)
    }

    async fn settings_check(&self, run: Arc<Run<'_>>) -> Finding {
        let alerts = self.alert_chats.as_ref().err().map(ToString::to_string);
        let no_table = Err("LEDGER_TABLE is not set".to_owned());
        let webhook = if run.around.ledger.has_table() { run.watch().await } else { &no_table };
        let now = run.around.invocation.arrived_at();
        parts::settings(self.settings.len(), &self.warnings, alerts.as_deref(), webhook, now)
    }

    async fn secrets_check(&self) -> Finding {
        let Some(secrets) = &self.secrets else { return parts::secrets(None) };
        parts::secrets(Some(match secrets.read(ReminderConfig::read, CHECK_PART).await {
            Ok(Ok(config)) => {
                let is_secret = |name: &&&str| SETTINGS.iter().any(|known| known.secret && known.name == **name);
                Ok(config.check.settings.iter().filter(is_secret).count())
            }
            Ok(Err(problems)) => Err(problems.to_string()),
            Err(error) => Err(error.to_string()),
        }))
    }

    async fn sheet(&self, run: Arc<Run<'_>>) -> Finding {
        let Diagnosis { state, remedy, .. } = run.diagnosis().await;
        roster::sheet(&state, remedy.as_deref(), run.around.invocation.arrived_at())
    }

    async fn members(&self, run: Arc<Run<'_>>) -> Finding {
        let Diagnosis { state, complaint, .. } = run.diagnosis().await;
        let problems = state.snapshot.as_ref().map(|snapshot| Arc::clone(&snapshot.problems)).unwrap_or_default();
        roster::members(&state, complaint.as_deref(), &problems, &self.chat_names())
    }

    async fn roster(&self, run: Arc<Run<'_>>) -> Finding {
        let Diagnosis { state, .. } = run.diagnosis().await;
        let problems = state.snapshot.as_ref().map(|snapshot| Arc::clone(&snapshot.problems)).unwrap_or_default();
        let now = run.around.invocation.arrived_at();
        roster::roster(&state, &problems, &self.fallback, &self.chat_names(), &self.calendar, now)
    }

    fn chat_names(&self) -> Vec<ChatName> {
        self.chats.iter().map(ChatConfig::name).collect()
    }

    async fn webhook(&self, run: Arc<Run<'_>>) -> Finding {
        if !run.around.ledger.has_table() {
            return parts::no_table("webhook");
        }
        let shared: Vec<_> = SETTINGS.iter().filter(|s| s.webhook && s.reminder).map(|s| s.name).collect();
        parts::webhook(run.watch().await, &self.settings, &shared, run.around.invocation.arrived_at())
    }

    async fn subscription(&self, run: Arc<Run<'_>>) -> Finding {
        const NAME: &str = "pagerduty.webhook";
        let Some(rest) = run.around.rest else { return no_key(NAME) };
        let Some(url) = &self.webhook_url else {
            return Finding::skipped(
                NAME,
                "WEBHOOK_URL is not set, so the subscription can't be found",
                "set WEBHOOK_URL to the address that PagerDuty posts to, as the template does",
            );
        };
        let extensions = async {
            let slow = |_| Err(Unseen::Unreachable("no answer in time".to_owned()));
            timeout_at(run.part, rest.extensions()).await.unwrap_or_else(slow)
        };
        let (subscriptions, extensions, services) = tokio::join!(rest.subscriptions(), extensions, run.services(rest));
        pagerduty::Webhook { url, services, subscriptions, extensions, events: &EVENTS }.judge()
    }

    async fn heartbeat_check(&self, run: Arc<Run<'_>>) -> Finding {
        let now = run.around.invocation.arrived_at();
        if self.heartbeat.is_none() {
            return parts::heartbeat(false, &Ok(None), now);
        }
        parts::heartbeat(true, run.watch().await, now)
    }
}

/// Writes down what was found, without what it says about people.
pub fn log(findings: &[Finding]) {
    for finding @ Finding { name, status, detail, remedy, .. } in findings {
        match status {
            Status::Skipped if finding.is_unbegun() => {
                tracing::info!(event = log_events::CHECK, check = name, status = status.name(), "{detail}");
            }
            Status::Ok | Status::Skipped => {}
            Status::Warning => {
                tracing::warn!(event = log_events::CHECK, check = name, status = status.name(), "{remedy}");
            }
            Status::Failed => {
                tracing::error!(event = log_events::CHECK, check = name, status = status.name(), "{remedy}");
            }
        }
    }
}

fn no_key(name: &'static str) -> Finding {
    Finding::skipped(
        name,
        "PAGERDUTY_API_KEY and PAGERDUTY_SERVICES are not set",
        "give them a read-only key and the ids of the services, to have PagerDuty's set-up checked",
    )
}

async fn acting(run: Arc<Run<'_>>) -> Finding {
    if !run.around.ledger.has_table() {
        return parts::no_table("slack.acting");
    }
    parts::acting(run.watch().await, run.around.invocation.arrived_at())
}

async fn key(run: Arc<Run<'_>>) -> Finding {
    let Some(rest) = run.around.rest else { return no_key("pagerduty.key") };
    pagerduty::key(rest.accepts_the_key().await)
}

async fn escalation(run: Arc<Run<'_>>, calendar: &Calendar) -> Finding {
    const NAME: &str = "pagerduty.escalation";
    let Some(rest) = run.around.rest else { return no_key(NAME) };
    let now = run.around.invocation.arrived_at();
    let services = run.services(rest).await;
    let policies: Vec<_> = pagerduty::policies(services).into_iter().map(|(policy, _)| policy).collect();
    let shifts = if policies.is_empty() {
        Ok(Vec::new())
    } else {
        let slow = |_| Err(Unseen::Unreachable("no answer in time".to_owned()));
        let asked = rest.shifts(&policies, now, pagerduty::looks_until(now));
        timeout_at(run.late_part, asked).await.unwrap_or_else(slow)
    };
    pagerduty::escalation(services, shifts.as_deref(), calendar, now)
}
