//! Both functions in this process, as the page runs them: what each invocation answered, and what it logged.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::time::Instant;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::fakes::server::lock;
use oncall_relay::config::{Environment, ReminderConfig, WebhookConfig};
use oncall_relay::lambda::{api_gateway, scheduler, telemetry};
use oncall_relay::reminder::ReminderHandler;
use oncall_relay::webhook::WebhookHandler;

/// What an invocation came to.
#[derive(Debug)]
pub(super) struct Invoked {
    /// The status that the caller got; a schedule gets none.
    pub(super) status: Option<u16>,
    /// The answer, or the invocation's error.
    pub(super) body: String,
    pub(super) log: Vec<String>,
    pub(super) millis: u64,
}

impl Invoked {
    /// One that the function never saw.
    pub(super) fn failed(error: &dyn Error) -> Self {
        Self { status: None, body: error.to_string(), log: Vec::new(), millis: 0 }
    }
}

/// The two functions with one set of settings, as one deployment has them.
pub(super) struct Relay {
    webhooks: WebhookHandler,
    reminders: ReminderHandler,
    log: Log,
    dispatch: Dispatch,
}

impl Relay {
    pub(super) async fn start(
        settings: HashMap<String, String>,
        now: DateTime<Utc>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let no_files = |_: &std::path::Path| Err(io::Error::from(io::ErrorKind::NotFound));
        let environment = Environment::new(move |name| settings.get(name).cloned(), no_files);
        let log = Log::default();
        let writer = log.clone();
        let webhooks = WebhookHandler::new(WebhookConfig::read(&environment)?, None, now).await?;
        webhooks.warm_up(now).await;
        Ok(Self {
            webhooks,
            reminders: ReminderHandler::new(ReminderConfig::read(&environment)?).await?,
            dispatch: Dispatch::new(telemetry::log_to(move || writer.clone())),
            log,
        })
    }

    /// Hands an event of API Gateway to the webhook function.
    pub(super) async fn webhook(
        &self,
        event: &Value,
        now: DateTime<Utc>,
    ) -> Result<Invoked, Box<dyn Error + Send + Sync>> {
        let request = lambda_http::request::from_str(&event.to_string())?;
        let started = Instant::now();
        let answer = api_gateway::answer(&self.webhooks, request, now);
        let (response, _) = Box::pin(answer.with_subscriber(self.dispatch.clone())).await;
        let body = String::from_utf8_lossy(response.body()).into_owned();
        Ok(self.invoked(Some(response.status().as_u16()), body, started))
    }

    /// Hands an event of the schedule to the reminder function.
    pub(super) async fn remind(&self, event: &Value, now: DateTime<Utc>) -> Invoked {
        let started = Instant::now();
        let answer = scheduler::answer(&self.reminders, event, now);
        let (answer, _, _) = Box::pin(answer.with_subscriber(self.dispatch.clone())).await;
        let body = answer.map_or_else(|error| error.to_string(), |answer| answer.to_string());
        self.invoked(None, body, started)
    }

    fn invoked(&self, status: Option<u16>, body: String, started: Instant) -> Invoked {
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Invoked { status, body, log: self.log.take(), millis }
    }
}

/// The lines that were logged since they were last taken.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *lock(&self.0));
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
