//! `oncall init`: asks what the template can't know, checks each answer, and writes `samconfig.toml`.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use clap::Args;
use oncall_relay::config::SETTINGS;
use oncall_relay::domain::calendar::Holidays;
use url::Url;

use crate::operator::dialogue::{Outcome, Terminal};
use crate::operator::pagerduty::{EU, US};
use crate::operator::samconfig::{SamConfig, variable};
use crate::operator::stack::{Stack, problems};

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The file to write.
    #[arg(long, default_value = "samconfig.toml")]
    config_file: PathBuf,
    /// Don't ask whether to write it.
    #[arg(long, short)]
    yes: bool,
}

type Check = fn(&str) -> Result<String, String>;

/// A question: the template's parameter, what is asked, the default if nothing is set yet, and the check.
type Question = (&'static str, &'static str, &'static str, Check);

const CHATS: Question = ("Chats", "Chats, the primary first: slack, typetalk, or both with a comma", "slack", chats);
const SLACK: [Question; 2] = [
    ("SlackAlertChannel", "Slack channel for alerts: its address or id; none to choose it later", "none", channel),
    ("SlackOncallChannel", "Slack channel for reminders; none to choose it later", "none", channel),
];
const TYPETALK: [Question; 2] = [
    ("TypetalkAlertTopic", "Typetalk topic for alerts: the number in its address", "", number),
    ("TypetalkOncallTopic", "Typetalk topic for reminders: the number in its address", "", number),
];
const REST: [Question; 6] = [
    ("SpreadsheetId", "The spreadsheet's address, as the browser shows it", "", spreadsheet),
    (
        "MembersRange",
        "Tab that says who is whom in the chat; none if the roster has the chat's own ids",
        "メンバー",
        members,
    ),
    ("FallbackMentions", "Whom to mention if the roster can't say: names of the members tab, or none", "none", text),
    (
        "PagerDutyServices",
        "Address of the page of each PagerDuty service whose alerts go to the chat; none for later",
        "none",
        services,
    ),
    ("AlarmEmail", "E-mail address for the relay's own failures, or none", "none", email),
    ("Holidays", "Days off besides weekends: jp for Japan's, days, ranges; or none", "jp,12-29..01-03", holidays),
];

pub(super) fn run(args: &InitArgs) -> Outcome {
    let terminal = Terminal::new(args.yes);
    init(args, &terminal).map_err(|error| format!("{error}\n{}", terminal.how_to_go_on()).into())
}

fn init(args: &InitArgs, terminal: &Terminal) -> Outcome {
    let mut file = SamConfig::read(&args.config_file)?;
    let before: HashMap<_, _> = file.overrides().into_iter().collect();
    terminal.say(format!(
        "Answers for {}: Enter takes what is in brackets. No secret is asked for here.\n",
        args.config_file.display()
    ));
    let region = terminal.ask("AWS region", file.region().as_deref().unwrap_or("ap-northeast-1"), region)?;
    let mut answers: Vec<(&str, String)> = Vec::new();
    let mut ask = |(parameter, question, default, check): Question| -> Outcome<String> {
        let known = before.get(parameter).cloned().filter(|value| !value.is_empty());
        // What was answered with none before is still none.
        let known = known
            .or_else(|| (!before.is_empty() && default != "slack" && !default.is_empty()).then(|| "none".to_owned()));
        let answer = terminal.ask(question, known.as_deref().unwrap_or(default), |answer| match answer {
            "none" if parameter != "Holidays" => Ok(String::new()),
            answer => check(answer),
        })?;
        answers.push((parameter, answer.clone()));
        Ok(answer)
    };
    let chats = ask(CHATS)?;
    if chats.contains("slack") {
        SLACK.into_iter().try_for_each(|question| ask(question).map(drop))?;
    }
    if chats.contains("typetalk") {
        TYPETALK.into_iter().try_for_each(|question| ask(question).map(drop))?;
    }
    REST.into_iter().try_for_each(|question| ask(question).map(drop))?;
    if let Some(place) = answers.iter().position(|(parameter, _)| *parameter == "PagerDutyServices") {
        let (region, ids) = region_of(&answers[place].1);
        let ids = ids.to_owned();
        answers[place].1 = ids;
        // Ids alone don't tell where the account is.
        let known = before.get("PagerDutyBaseUrl").cloned();
        let pasted = region.filter(|region| *region == EU || known.is_some()).map(str::to_owned);
        answers.extend(pasted.or(known).map(|url| ("PagerDutyBaseUrl", url)));
    }
    complain(&answers)?;
    file.set_place(&file.stack_name(), &region);
    file.set(&answers);
    terminal.plan(&[format!("write these answers into {}, and leave the rest of it", args.config_file.display())])?;
    file.write()?;
    terminal.say(format!("✓ {} has the answers.\nNext: sam build && sam deploy", args.config_file.display()));
    Ok(())
}

/// What the functions would complain of, apart from the secrets, which are asked for later.
fn complain(answers: &[(&str, String)]) -> Outcome {
    let settings: HashMap<_, _> =
        answers.iter().map(|(parameter, answer)| (variable(parameter), answer.clone())).collect();
    let secret = |name: &str| SETTINGS.iter().any(|setting| setting.secret && setting.name == name);
    let found = problems(&Stack::environment(&settings, &BTreeMap::new()));
    let wrong: Vec<_> = found
        .iter()
        .filter(|problem| {
            !problem.variable.ends_with("_CHANNEL")
                && !secret(problem.variable)
                && !problem.to_string().contains("PAGERDUTY_API_KEY")
        })
        .map(|problem| format!("- {problem}"))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("the answers don't fit together:\n{}", wrong.join("\n")).into()) }
}

/// Before the ids of services whose pages say that the account is in the EU.
const IN_EU: &str = "eu:";
/// The same of the US.
const IN_US: &str = "us:";

/// Where the account is, as far as the pages told, and the ids.
fn region_of(services: &str) -> (Option<&'static str>, &str) {
    match (services.strip_prefix(IN_EU), services.strip_prefix(IN_US)) {
        (Some(ids), _) => (Some(EU), ids),
        (None, Some(ids)) => (Some(US), ids),
        (None, None) => (None, services),
    }
}

fn region(answer: &str) -> Result<String, String> {
    let parts: Vec<_> = answer.split('-').collect();
    let good = parts.len() >= 3 && answer.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if good { Ok(answer.to_owned()) } else { Err("it is a region's code, such as ap-northeast-1 for Tokyo".to_owned()) }
}

fn chats(answer: &str) -> Result<String, String> {
    let answer = answer.replace([' ', '、'], "").to_lowercase();
    let known = ["slack", "typetalk", "slack,typetalk", "typetalk,slack"].contains(&answer.as_str());
    if known { Ok(answer) } else { Err("write slack, typetalk, slack,typetalk or typetalk,slack".to_owned()) }
}

fn channel(answer: &str) -> Result<String, String> {
    // The channel's address ends in its id, too.
    let id = answer.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let good =
        id.len() >= 8 && id.starts_with(['C', 'G']) && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if good { Ok(id.to_owned()) } else { Err("it is an id such as C0123456789, not the channel's name".to_owned()) }
}

fn number(answer: &str) -> Result<String, String> {
    let id = answer.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let good = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    if good { Ok(id.to_owned()) } else { Err("it is a number, at the end of the topic's address".to_owned()) }
}

pub(super) fn spreadsheet(answer: &str) -> Result<String, String> {
    let id =
        answer.split_once("/d/").map_or(answer, |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let good = id.len() > 15 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if good {
        Ok(id.to_owned())
    } else {
        Err("it is https://docs.google.com/spreadsheets/d/…/edit, or the part between /d/ and /edit".to_owned())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside checks that can fail")]
fn members(answer: &str) -> Result<String, String> {
    if answer.contains('!') { Ok(answer.to_owned()) } else { Ok(format!("{answer}!A:D")) }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside checks that can fail")]
fn text(answer: &str) -> Result<String, String> {
    Ok(answer.to_owned())
}

fn email(answer: &str) -> Result<String, String> {
    let good = answer.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if good && !answer.contains(char::is_whitespace) {
        Ok(answer.to_owned())
    } else {
        Err("it is an e-mail address".to_owned())
    }
}

fn holidays(answer: &str) -> Result<String, String> {
    Holidays::parse(answer).map(|_| answer.to_owned()).map_err(|error| error.to_string())
}

/// Ids, from the services' pages or as such; the pages also tell where the account is.
fn services(answer: &str) -> Result<String, String> {
    let mut place = "";
    let mut ids = Vec::new();
    for part in answer.split([',', ' ', '、']).filter(|part| !part.is_empty()) {
        let url = Url::parse(part).ok();
        match url.as_ref().and_then(Url::host_str) {
            Some(host) if host.ends_with(".eu.pagerduty.com") => place = IN_EU,
            Some(host) if host.ends_with(".pagerduty.com") => place = IN_US,
            _ => {}
        }
        let id = match &url {
            Some(url) => url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned(),
            None => part.to_owned(),
        };
        if id.len() < 5
            || !id.starts_with('P') && !id.starts_with('Q')
            || !id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        {
            return Err(format!("`{part}` is no service's page; it is https://….pagerduty.com/service-directory/P…"));
        }
        ids.push(id);
    }
    Ok(format!("{place}{}", ids.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_becomes_what_the_template_wants() {
        for (check, answer, expected) in [
            (chats as Check, "Slack, Typetalk", Some("slack,typetalk")),
            (chats, "teams", None),
            (channel, "https://acme.slack.com/archives/C0123456789", Some("C0123456789")),
            (channel, "#alerts", None),
            (number, "https://typetalk.com/topics/123/", Some("123")),
            (
                spreadsheet,
                "https://docs.google.com/spreadsheets/d/1AbC_dEf-1234567890abcdefg/edit?gid=0#gid=0",
                Some("1AbC_dEf-1234567890abcdefg"),
            ),
            (spreadsheet, "当番表", None),
            (members, "メンバー", Some("メンバー!A:D")),
            (members, "people!A:C", Some("people!A:C")),
            (services, "https://acme.pagerduty.com/service-directory/PABC123", Some("us:PABC123")),
            (services, "PABC123, PDEF456", Some("PABC123,PDEF456")),
            (services, "https://acme.eu.pagerduty.com/services/PABC123", Some("eu:PABC123")),
            (services, "Backlog", None),
            (email, "sre@example.com", Some("sre@example.com")),
            (email, "sre", None),
            (holidays, "jp,13-45", None),
            (region, "Tokyo", None),
            (region, "ap-northeast-1", Some("ap-northeast-1")),
        ] {
            assert_eq!(check(answer).ok().as_deref(), expected, "{answer}");
        }
    }

    #[test]
    fn every_question_is_about_a_setting() {
        for (parameter, ..) in [CHATS].iter().chain(&SLACK).chain(&TYPETALK).chain(&REST) {
            // The one that is a matter of AWS's alone.
            let known = SETTINGS.iter().any(|setting| setting.name == variable(parameter));
            assert_eq!(known, *parameter != "AlarmEmail", "{parameter}");
        }
    }
}
