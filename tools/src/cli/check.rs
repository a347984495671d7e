//! `oncall check`: whether the relay can do its job, from here or, with a stack, from where it runs.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use oncall_relay::budget::REMINDER;
use oncall_relay::clock::{self, Invocation};
use oncall_relay::config::{Environment, Purpose, ReminderConfig};
use oncall_relay::domain::check::{Finding, NAMES, Report};
use oncall_relay::domain::wording::Language;
use oncall_relay::edge::secrets;
use oncall_relay::lambda::scheduler;
use oncall_relay::reminder::ReminderHandler;
use serde_json::{Value, json};

use super::Ended;
use super::output::{Output, Paint, padded};
use crate::operator::dialogue::{Outcome, Terminal};
use crate::operator::stack::{NoAnswer, Stack, StackArgs};

/// What `oncall check` can be told.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oncall check                         with this shell's settings, from this machine
  oncall check --stack oncall-relay    the deployed function: its settings, its rights, its network
  oncall check --post                  also posts one marked line wherever the relay posts, after asking
  oncall check --json | jq '.checks[] | select(.status == \"failed\")'")]
pub(super) struct Arguments {
    /// The name of a deployed stack.
    #[arg(long)]
    stack: Option<String>,
    /// SAM's file, which says the stack's region, and the profile of your AWS credentials.
    #[arg(long, default_value = "samconfig.toml")]
    config_file: PathBuf,
    /// Also post one marked line in both places of every chat, after saying where and asking.
    #[arg(long)]
    post: bool,
    /// Don't ask before posting.
    #[arg(long, short)]
    yes: bool,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Checks, prints, and says whether something failed.
pub(super) async fn run(arguments: Arguments) -> Result<Ended, Box<dyn Error>> {
    let terminal = Terminal::new(arguments.yes).aside();
    let answer = if arguments.stack.is_some() {
        deployed(&arguments, &terminal).await?
    } else {
        let environment = Environment::of_process();
        ask_to_post(&arguments, &environment, &terminal)?;
        here(arguments.post, environment, clock::now()).await
    };
    let mut output = Output::new();
    if arguments.json {
        output.line(&serde_json::to_string_pretty(&answer)?)?;
    } else {
        print(&mut output, &answer)?;
    }
    Ok(if answer["ok"] == true { Ended::Well } else { Ended::Badly })
}

/// The deployed function's check; and who hears its alarms, which an operator may ask.
async fn deployed(arguments: &Arguments, terminal: &Terminal) -> Result<Value, Box<dyn Error>> {
    let config_file = arguments.config_file.clone();
    let stack = Stack::find(&StackArgs { stack: arguments.stack.clone(), config_file }, terminal).await?;
    if arguments.post {
        let environment = Stack::environment(&stack.settings(terminal).await?, &BTreeMap::new());
        ask_to_post(arguments, &environment, terminal)?;
    }
    let asked = json!({"check": true, "post": arguments.post});
    let (answer, alarms) = tokio::join!(stack.invoke_reminder(&asked, terminal), stack.alarms(terminal));
    let mut answer = answer.unwrap_or_else(unanswered);
    if !answer["checks"].is_array() {
        let why = "the function's answer has no checks".to_owned();
        answer = unanswered(NoAnswer::Failed { why, remedy: "deploy it anew: sam build, then sam deploy" });
    }
    answer["ok"] = json!(answer["ok"] == true && alarms["status"] != "failed");
    answer["checks"].as_array_mut().ok_or("the answer has no checks")?.push(alarms);
    Ok(answer)
}

/// The report of a function that gave none. Only what it said itself is a finding about its settings.
fn unanswered(no_answer: NoAnswer) -> Value {
    match no_answer {
        NoAnswer::NotStarted(why) => {
            let next = if why.contains("SECRETS_PATH") { "\nTo put them there: cargo oncall secrets" } else { "" };
            scheduler::report_of(Report::of_bad_settings(&format!("{why}{next}")))
        }
        NoAnswer::Failed { why, remedy } => {
            // What to do is said once.
            let remedies = [remedy].into_iter().chain(std::iter::repeat(""));
            let findings = NAMES.iter().zip(remedies).map(|(name, remedy)| Finding::skipped(name, &why, remedy));
            let mut report = scheduler::report_of(Report { findings: findings.collect() });
            report["ok"] = json!(false);
            report
        }
    }
}

/// Says what will be posted and where, and asks.
fn ask_to_post(arguments: &Arguments, environment: &Environment, terminal: &Terminal) -> Outcome {
    let lines = if arguments.post { lines(environment) } else { Vec::new() };
    if lines.is_empty() { Ok(()) } else { terminal.plan_in_person(&lines) }
}

/// The lines that these settings would have the check post. Settings that lead nowhere are for the check to tell.
fn lines(environment: &Environment) -> Vec<String> {
    let is_english = environment.variable("MESSAGE_LANGUAGE").is_some_and(|language| language == "en");
    let language = if is_english { Language::English } else { Language::Japanese };
    let chats = environment.variable("CHATS").unwrap_or_default();
    let mut lines = Vec::new();
    for chat in chats.split(',').map(str::trim) {
        for (place, purpose) in [("alert", Purpose::Alerts), ("oncall", Purpose::OnCall)] {
            let (kind, setting) = match chat {
                "slack" => ("Slack channel", purpose.slack_channel()),
                "typetalk" => ("Typetalk topic", purpose.typetalk_topic()),
                _ => continue,
            };
            if let Some(id) = environment.variable(setting) {
                let line = language.check_post(&format!("{chat}.{place}"));
                lines.push(format!("post “{line}” to the {kind} {id} ({setting})"));
            }
        }
    }
    lines
}

/// The same check as the function's, in this process. Bad settings are a finding, too.
async fn here(post: bool, environment: Environment, now: DateTime<Utc>) -> Value {
    let checked = async {
        let (config, secrets) = secrets::load(environment, ReminderConfig::read).await?;
        let reminders = ReminderHandler::new(config).await?.with_secrets(secrets);
        Ok::<_, lambda_http::Error>(Box::pin(reminders.check(post, Invocation::begin(now, REMINDER.answer))).await)
    };
    let report = checked.await.unwrap_or_else(|problem| Report::of_bad_settings(&problem.to_string()));
    scheduler::report_of(report)
}

fn print(output: &mut Output, answer: &Value) -> Result<(), Box<dyn Error>> {
    let checks = answer["checks"].as_array().ok_or("the answer has no checks")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let width = checks.iter().map(|check| text(&check["name"]).len()).max().unwrap_or_default();
    let indent = " ".repeat(2 + 9 + width);
    for check in checks {
        let (name, status) = (text(&check["name"]), text(&check["status"]));
        let paint = match status.as_str() {
            "ok" => Paint::Good,
            "failed" => Paint::Bad,
            "warning" => Paint::Doubtful,
            _ => Paint::Quiet,
        };
        let detail = text(&check["detail"]);
        let mut lines = detail.lines();
        let first = lines.next().unwrap_or_default();
        let status = output.paint(paint, &padded(&status, 7));
        output.line(&format!("{status}  {}  {first}", padded(&name, width)))?;
        for line in lines {
            output.line(&format!("{indent}{line}"))?;
        }
        let remedy = text(&check["remedy"]);
        if !remedy.is_empty() {
            output.line(&format!("{indent}{}", output.paint(Paint::Strong, &format!("→ {remedy}"))))?;
        }
    }
    let count = |status: &str| checks.iter().filter(|check| check["status"] == status).count();
    output.line(&format!(
        "\n{} ok, {} warnings, {} failed, {} skipped{}",
        count("ok"),
        count("warning"),
        count("failed"),
        count("skipped"),
        match (count("failed"), &answer["ok"]) {
            (0, Value::Bool(true)) => "",
            (0, _) => "; the function could not check: put that right, then check again",
            _ => "; put right what failed, then check again",
        }
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use oncall_relay::domain::check::NAMES;

    use super::*;
    use crate::fakes::Fakes;

    fn environment(change: impl FnOnce(&mut std::collections::HashMap<String, String>), fakes: &Fakes) -> Environment {
        let mut settings = fakes.settings();
        change(&mut settings);
        Environment::new(move |name| settings.get(name).cloned(), |path| std::fs::read_to_string(path))
    }

    #[tokio::test]
    async fn every_check_is_reported_here_as_by_the_function_and_bad_settings_are_one_of_them() {
        let fakes = Fakes::start().await.unwrap();
        let now = "2026-11-24T01:00:00Z".parse().unwrap();
        let names = |answer: &Value| -> Vec<String> {
            answer["checks"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect()
        };
        let answer = here(false, environment(|_| {}, &fakes), now).await;
        assert_eq!(names(&answer), NAMES);
        assert_eq!(answer["ok"], true, "{answer}");
        let answer = here(false, environment(|settings| drop(settings.remove("CHATS")), &fakes), now).await;
        assert_eq!((names(&answer), &answer["ok"]), (NAMES.map(str::to_owned).into(), &Value::Bool(false)));
        assert!(answer["checks"][0]["detail"].as_str().unwrap().contains("CHATS is not set"), "{answer}");
    }
}
