//! The Lambda function behind EventBridge Scheduler that reminds people of their duty.

fn main() -> std::process::ExitCode {
    oncall_relay::lambda::oncall_reminder()
}
