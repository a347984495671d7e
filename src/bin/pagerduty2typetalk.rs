//! The Lambda function behind API Gateway that takes PagerDuty's webhooks.

use std::process::ExitCode;

use lambda_http::{Error, Request, service_fn};
use oncall_relay::clock;
use oncall_relay::config::{Environment, WebhookConfig};
use oncall_relay::edge::secrets;
use oncall_relay::lambda::{api_gateway, telemetry};
use oncall_relay::webhook::WebhookHandler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::start_logging();
    telemetry::exit_code(serve().await)
}

async fn serve() -> Result<(), Error> {
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
