//! AWS's side of both use cases: the functions from start to end, what API Gateway and Scheduler hand in, and the answers,
//! metrics and logs they take.

pub mod api_gateway;

pub mod scheduler;

pub mod telemetry;

use std::process::ExitCode;

use lambda_http::lambda_runtime;
use lambda_http::{Error, LambdaEvent, Request, service_fn};
use serde_json::Value;

use crate::clock;
use crate::config::{Environment, ReminderConfig, WebhookConfig};
use crate::edge::secrets;
use crate::reminder::ReminderHandler;
use crate::webhook::WebhookHandler;

// Here and not in the binaries: an async function is compiled into every crate that awaits it, and would be in a
// function twice.

/// The Lambda function that takes PagerDuty's webhooks, until Lambda ends it.
#[must_use]
pub fn pagerduty2typetalk() -> ExitCode {
    run(serve_webhooks())
}

async fn serve_webhooks() -> Result<(), Error> {
    let (config, secrets) = secrets::load(Environment::of_process(), WebhookConfig::read).await?;
    let relay = &WebhookHandler::new(config, secrets, clock::now()).await?;
    relay.warm_up(clock::now()).await;
    let ended = lambda_http::run(service_fn(async |request: Request| {
        let now = clock::now();
        let (response, tally) = api_gateway::answer(relay, request, now).await;
        telemetry::emit_webhook(&tally, now);
        Ok::<_, Error>(response)
    }))
    .await;
    telemetry::log_stop(&ended);
    Ok(())
}

/// The Lambda function that reminds people of their duty, until Lambda ends it.
#[must_use]
pub fn oncall_reminder() -> ExitCode {
    run(serve_reminders())
}

#[tokio::main(flavor = "current_thread")]
async fn run(function: impl Future<Output = Result<(), Error>>) -> ExitCode {
    telemetry::start_logging();
    telemetry::exit_code(function.await)
}

async fn serve_reminders() -> Result<(), Error> {
    let (config, secrets) = secrets::load(Environment::of_process(), ReminderConfig::read).await?;
    let reminders = &ReminderHandler::new(config).await?.with_secrets(secrets);
    let ended = lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let now = clock::now();
        let (answer, settled, tally) = scheduler::answer(reminders, &event.payload, now).await;
        telemetry::emit_reminder(settled, &tally, now);
        answer
    }))
    .await;
    telemetry::log_stop(&ended);
    Ok(())
}
