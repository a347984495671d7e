//! `oncall roster`: the next four weeks as the relay reads them, and what in the sheet can't be read.

use std::error::Error;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use clap::Args;
use oncall_relay::budget::REMINDER;
use oncall_relay::clock::{self, Invocation};
use oncall_relay::config::{ChatConfig, ReminderConfig};
use oncall_relay::domain::chat::ChatName;
use oncall_relay::domain::check::roster::{read_as, said};
use oncall_relay::domain::roster::{OnCall, OnCallDay};
use oncall_relay::edge::http::HttpClient;
use oncall_relay::edge::ledger::Ledger;
use oncall_relay::edge::roster::RosterSource;
use serde_json::{Value, json};

use super::Ended;
use super::output::{Output, Paint};
use crate::operator::stack::SettingsOf;

const DAYS: usize = 28;

/// What `oncall roster` can be told.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oncall roster                        with this shell's settings: SPREADSHEET_ID and so on
  ROSTER_CSV=roster.csv oncall roster  a file instead of the sheet; CHATS and the chat's settings as well
  oncall roster --stack oncall-relay   with the settings of the deployed stack, and its secrets
  oncall roster --json | jq '.days[] | select(.trouble)'")]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: SettingsOf,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// Reads, prints, and says whether a working day or a row is in trouble.
pub(super) async fn run(arguments: Arguments) -> Result<Ended, Box<dyn Error>> {
    let config = arguments.settings.read(ReminderConfig::read).await?;
    let reading = read(&config, clock::now()).await?;
    let mut output = Output::new();
    if arguments.json {
        output.line(&serde_json::to_string_pretty(&reading)?)?;
    } else {
        print(&mut output, &reading)?;
    }
    Ok(if reading["ok"] == true { Ended::Well } else { Ended::Badly })
}

async fn read(config: &ReminderConfig, now: DateTime<Utc>) -> Result<Value, Box<dyn Error>> {
    let team = &config.team;
    let source = RosterSource::new(team, REMINDER).await?;
    let ledger = Ledger::new(team.ledger.as_ref(), REMINDER, &HttpClient::new());
    let diagnosis = source.diagnosis(&ledger, Invocation::begin(now, REMINDER.answer)).await;
    let state = diagnosis.state;
    if let Some(failure) = state.failure {
        let why = diagnosis.remedy.unwrap_or_else(|| format!("{failure:?}"));
        return Err(format!("the sheet can't be read: {why}").into());
    }
    let snapshot = state.snapshot.as_ref().ok_or("the sheet has not been read")?;
    let chats: Vec<_> = team.chats.iter().map(ChatConfig::name).collect();
    let today = team.calendar.today(now);
    let day = |date: NaiveDate| {
        let day = OnCallDay::from_reading(&state, &team.fallback_mentions, date, now);
        let works = team.calendar.is_working_day(date);
        json!({
            "date": date, "weekday": date.weekday().to_string(), "working": works,
            "said": said(&day, &chats), "trouble": works && is_in_trouble(&day, &chats),
        })
    };
    let says_nobody = |date: &NaiveDate| {
        let day = OnCallDay::from_reading(&state, &team.fallback_mentions, *date, now);
        team.calendar.is_working_day(*date) && matches!(day.on_call, OnCall::Nobody)
    };
    let nobody = today.iter_days().take(DAYS).filter(says_nobody).count();
    let days: Vec<_> = today.iter_days().take(DAYS).map(day).collect();
    let problems: Vec<_> = snapshot.problems.iter().map(ToString::to_string).collect();
    let ok = problems.is_empty() && diagnosis.complaint.is_none() && days.iter().all(|day| day["trouble"] == false);
    let members = diagnosis.complaint;
    Ok(json!({
        "ok": ok, "read_as": read_as(&snapshot.roster.shape()), "members": members, "days": days, "nobody": nobody,
        "problems": problems,
    }))
}

/// Whether alerts of that day would mention too few.
fn is_in_trouble(day: &OnCallDay, chats: &[ChatName]) -> bool {
    match day.on_call {
        OnCall::People(_) => chats.iter().any(|chat| day.unmentionable(*chat) > 0),
        OnCall::Nobody => false,
        OnCall::Undecided | OnCall::NotUnderstood { .. } | OnCall::NoRow | OnCall::Unknown(_) => true,
    }
}

fn print(output: &mut Output, reading: &Value) -> Result<(), Box<dyn Error>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    output.line(&format!("Read with {}", text(&reading["read_as"])))?;
    if let Some(complaint) = reading["members"].as_str() {
        output.line(&output.paint(Paint::Bad, &format!("The members tab can't be read: {complaint}")))?;
    }
    for day in reading["days"].as_array().into_iter().flatten() {
        let (date, weekday, said) = (text(&day["date"]), text(&day["weekday"]), text(&day["said"]));
        if weekday == "Mon" {
            output.line("")?;
        }
        let line = if day["working"] == true {
            let paint = if day["trouble"] == true { Paint::Bad } else { Paint::Good };
            let mark = if day["trouble"] == true { "!" } else { " " };
            format!("{date} {weekday} {mark} {}", output.paint(paint, &said))
        } else {
            // Nobody is mentioned then, whatever the row says.
            let said = if said == "no row" { "day off".to_owned() } else { format!("day off ({said})") };
            output.paint(Paint::Quiet, &format!("{date} {weekday}   {said}"))
        };
        output.line(&line)?;
    }
    let problems: Vec<_> = reading["problems"].as_array().into_iter().flatten().map(text).collect();
    if !problems.is_empty() {
        output.line("\nRows to mend:")?;
        for problem in &problems {
            output.line(&format!("  {}", output.paint(Paint::Doubtful, problem)))?;
        }
    }
    let next = if reading["ok"] == true && reading["nobody"] == 0 {
        "Every working day has people who can be mentioned."
    } else if reading["ok"] == true {
        "Nothing has to be mended. But there are working days whose rows say that nobody is on call: is that meant?"
    } else {
        "Mend what is marked in the sheet (docs/sheet.md says how it is read), then look again."
    };
    output.line(&format!("\n{next}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use oncall_relay::config::Environment;

    use super::*;
    use crate::fakes::{Fakes, ROSTER_TAB};

    async fn reading(fakes: &Fakes) -> Result<Value, Box<dyn Error>> {
        let settings = fakes.settings();
        let environment =
            Environment::new(move |name| settings.get(name).cloned(), |path| std::fs::read_to_string(path));
        read(&ReminderConfig::read(&environment)?, "2026-11-24T01:00:00Z".parse()?).await
    }

    #[tokio::test]
    async fn four_weeks_are_told_with_gaps_days_off_and_rows_to_mend() {
        let fakes = Fakes::start().await.unwrap();
        fakes.google.write(
            ROSTER_TAB,
            &[&["日付", "担当"], &["2026-11-24", "田中"], &["2026-11-25", "渡辺"], &["someday", "鈴木"]],
        );
        let reading = reading(&fakes).await.unwrap();
        let days = reading["days"].as_array().unwrap();
        assert_eq!(days.len(), 28);
        let told: Vec<_> = days.iter().map(|day| (day["said"].as_str().unwrap(), day["trouble"] == true)).collect();
        assert_eq!(told[0], ("田中", false));
        assert_eq!(told[1], ("渡辺 (no id on Typetalk, no id on Slack)", true));
        assert!(told[2].0.starts_with("no row") && told[2].1, "{told:?}");
        assert!(!told[4].1, "a Saturday needs nobody: {told:?}");
        let problems = reading["problems"].to_string();
        assert!(problems.contains("row 4") && !problems.contains("鈴木"), "{problems}");
        assert_eq!(reading["ok"], false);
    }

    #[tokio::test]
    async fn working_days_whose_rows_say_nobody_are_counted() {
        let fakes = Fakes::start().await.unwrap();
        fakes.google.write(
            ROSTER_TAB,
            &[&["日付", "担当"], &["2026-11-24", "なし"], &["2026-11-25", "田中"], &["2026-11-28", "なし"]],
        );
        let reading = reading(&fakes).await.unwrap();
        assert_eq!((&reading["nobody"], &reading["days"][0]["trouble"]), (&json!(1), &json!(false)));
    }

    #[tokio::test]
    async fn a_sheet_that_cannot_be_read_says_what_to_do() {
        let fakes = Fakes::start().await.unwrap();
        fakes.google.make_private();
        let why = reading(&fakes).await.unwrap_err().to_string();
        assert!(why.contains("choose Share, and add oncall-relay@"), "{why}");
    }
}
