//! The Lambda function behind API Gateway that takes PagerDuty's webhooks.

use std::process::ExitCode;

use lambda_http::{Error, Request, service_fn};
use oncall_relay::config::{Config, Surroundings};
use oncall_relay::edge::{gateway, telemetry};
use oncall_relay::relay::Relay;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::start_logging();
    telemetry::exit_code(serve().await)
}

async fn serve() -> Result<(), Error> {
    let config = Config::for_webhook(&Surroundings::of_process())?;
    let relay = &Relay::open(config).await?;
    lambda_http::run(service_fn(async |request: Request| {
        #[expect(clippy::disallowed_methods, reason = "the one clock of this function")]
        let now = chrono::Utc::now();
        let (response, tally) = gateway::answer(relay, request, now).await;
        telemetry::emit("pagerduty2typetalk", &tally, now);
        Ok::<_, Error>(response)
    }))
    .await
}
