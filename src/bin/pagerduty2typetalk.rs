//! The Lambda function behind API Gateway that takes PagerDuty's webhooks.

fn main() -> std::process::ExitCode {
    oncall_relay::lambda::pagerduty2typetalk()
}
