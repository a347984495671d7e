//! The Lambda function behind EventBridge Scheduler that reminds people of their duty.

use std::process::ExitCode;

use lambda_http::lambda_runtime;
use lambda_http::{Error, LambdaEvent, service_fn};
use oncall_relay::clock;
use oncall_relay::config::{Environment, ReminderConfig};
use oncall_relay::edge::secrets;
use oncall_relay::lambda::{scheduler, telemetry};
use oncall_relay::reminder::ReminderHandler;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::start_logging();
    telemetry::exit_code(serve().await)
}

async fn serve() -> Result<(), Error> {
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
