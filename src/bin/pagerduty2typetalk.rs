//! The Lambda function behind API Gateway that takes PagerDuty's webhooks.

use std::process::ExitCode;

use lambda_http::{Error, Request, service_fn};
use oncall_relay::config::{Surroundings, WebhookConfig};
use oncall_relay::edge::{gateway, secret_store, telemetry};
use oncall_relay::relay::Relay;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::start_logging();
    telemetry::exit_code(serve().await)
}

async fn serve() -> Result<(), Error> {
    let (config, secrets) = secret_store::load(Surroundings::of_process(), WebhookConfig::read).await?;
    let relay = &Relay::open(config, secrets, telemetry::now()).await?;
    relay.warm_up(telemetry::now()).await;
    let ended = lambda_http::run(service_fn(async |request: Request| {
        let now = telemetry::now();
        let (response, tally) = gateway::answer(relay, request, now).await;
        telemetry::emit_webhook(&tally, now);
        Ok::<_, Error>(response)
    }))
    .await;
    telemetry::log_stop(&ended);
    Ok(())
}
