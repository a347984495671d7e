//! The operator's tool `oncall`: what it can be asked to do.

#![warn(clippy::print_stdout, reason = "it panics when nobody reads any more; `Output` does not")]

use std::error::Error;
use std::io;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::page::Language;
use crate::simulation::fleet::Target;

mod check;
mod demo;
mod faults;
mod init;
mod output;
mod page;
mod pagerduty;
mod preview;
mod roster;
mod roster_new;
mod secrets;
mod send_test;
mod slack;
mod stand_ins;
mod storm;

/// Tools around oncall-relay.
#[derive(Debug, Parser)]
#[command(name = "oncall", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask what the template can't know, check each answer, and write samconfig.toml.
    #[command(after_help = "Example: oncall init")]
    Init(init::InitArgs),
    /// Ask for each secret that the deployed settings need, check it, and put it into SSM Parameter Store.
    #[command(after_help = "Example: oncall secrets\n         oncall secrets SLACK_TOKEN   (to replace it)")]
    Secrets(secrets::SecretsArgs),
    /// Slack's side: the app.
    #[command(subcommand, after_help = "Example: oncall slack manifest")]
    Slack(slack::Command),
    /// Send a test event to the deployed relay and a line to the on-call channel; or play a practice incident.
    #[command(
        name = "send-test",
        after_help = "Example: oncall send-test\n         oncall send-test --drill --pause 60"
    )]
    SendTest(send_test::SendTestArgs),
    /// PagerDuty's side: subscriptions of webhooks, and who is on call there.
    #[command(subcommand, after_help = "Example: oncall pagerduty status")]
    Pagerduty(pagerduty::Command),
    /// Check whether the relay can do its job: every service, from here or as the deployed function.
    Check(check::Arguments),
    /// Show the next four weeks as the relay reads the sheet, and what in it can't be read.
    #[command(args_conflicts_with_subcommands = true)]
    Roster {
        #[command(flatten)]
        reading: roster::Arguments,
        #[command(subcommand)]
        new: Option<RosterCommand>,
    },
    /// Show what a webhook in a file would be posted as, on each chat.
    Preview(preview::Arguments),
    /// Tell a story of alerts in the terminal: the real relay, with stand-ins for every service.
    #[command(after_help = "Examples:\n  oncall demo --language en\n  oncall demo --page")]
    Demo {
        /// The language of the posted messages.
        #[arg(long, value_enum, default_value = "ja")]
        language: Language,
        /// Open a page in the browser instead, to play with the relay; the same as `lab page`.
        #[arg(long)]
        page: bool,
        #[command(flatten)]
        serving: Serving,
    },
    /// Where the relay is tried without any account.
    #[command(subcommand, after_help = "Example: oncall lab page")]
    Lab(Lab),
}

/// What the lab can do.
#[derive(Debug, Subcommand)]
enum Lab {
    /// Open a page in the browser to play with: edit the sheet, press events, break services, see both chats.
    #[command(after_help = "Example: oncall lab page --language en --port 8900")]
    Page {
        /// The language of the page and of the posted messages.
        #[arg(long, value_enum, default_value = "ja")]
        language: Language,
        #[command(flatten)]
        serving: Serving,
    },
    /// Print what is lost, doubled or out of order when services fail in every way they can.
    #[command(
        after_help = "Examples:\n  oncall lab faults                            the code in this process\n  oncall lab faults --rie aws-lambda-rie       \
                            the built function"
    )]
    Faults {
        #[command(flatten)]
        functions: Functions,
    },
    /// Send 1,000 webhooks within a minute, against Slack at its pace; that takes some twenty minutes.
    #[command(
        after_help = "Examples:\n  oncall lab storm\n  oncall lab storm --schedule five-in-twenty-minutes --backup\n  \
                      oncall lab storm --storm-above 20"
    )]
    Storm {
        #[command(flatten)]
        functions: Functions,
        #[command(flatten)]
        how: storm::How,
    },
    /// Keep stand-ins for every service running on fixed ports, and print what is posted.
    #[command(name = "stand-ins", after_help = "Example: oncall lab stand-ins")]
    StandIns,
}

/// Where the page is.
#[derive(Debug, Args)]
struct Serving {
    /// The port of 127.0.0.1 that the page is on; 0 is any free one.
    #[arg(long, default_value = "8800")]
    port: u16,
    /// Print the page's address, and open no browser.
    #[arg(long)]
    no_browser: bool,
}

#[derive(Debug, Subcommand)]
enum RosterCommand {
    /// Print a roster to paste: pairs for a week each, everybody equally often.
    #[command(after_help = "Example: oncall roster new --members members.csv --weeks 12 > roster.csv")]
    New(roster_new::NewArgs),
}

/// How a command ended that could do what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All is well.
    Well,
    /// Something is wrong that the command was to look for.
    Badly,
}

/// What is tried.
#[derive(Debug, Args)]
struct Functions {
    /// AWS's runtime emulator, to try the built function; without it, the same code in this process is tried.
    #[arg(long, env = "AWS_LAMBDA_RIE")]
    rie: Option<PathBuf>,
    /// The folder of the built functions.
    #[arg(long, default_value = "target/release")]
    bootstraps: PathBuf,
}

impl Functions {
    fn make(self) -> Target {
        match self.rie {
            Some(rie) => Target::Built { rie, bootstrap: self.bootstraps.join("pagerduty2typetalk") },
            None => Target::Linked,
        }
    }
}

impl Cli {
    /// Does what was asked for.
    ///
    /// # Errors
    /// In words for whoever asked.
    pub async fn run(self) -> Result<Ended, Box<dyn Error>> {
        let ended = match self.command {
            Command::Init(args) => init::run(&args).map(|()| Ended::Well),
            Command::Roster { new: Some(RosterCommand::New(args)), .. } => roster_new::run(&args).map(|()| Ended::Well),
            Command::Secrets(args) => Box::pin(secrets::run(args)).await.map(|()| Ended::Well),
            Command::Slack(command) => Box::pin(slack::run(command)).await.map(|()| Ended::Well),
            Command::SendTest(args) => Box::pin(send_test::run(args)).await.map(|()| Ended::Well),
            Command::Pagerduty(command) => Box::pin(pagerduty::run(command)).await.map(|()| Ended::Well),
            // Boxed, because the compiler can't measure futures that are nested as deeply as these.
            Command::Check(arguments) => Box::pin(check::run(arguments)).await,
            Command::Roster { reading, new: None } => Box::pin(roster::run(reading)).await,
            Command::Preview(arguments) => Box::pin(preview::run(arguments)).await,
            Command::Demo { language, page: true, serving } | Command::Lab(Lab::Page { language, serving }) => {
                Box::pin(page::run(language, serving.port, !serving.no_browser)).await.map(|()| Ended::Well)
            }
            Command::Demo { language, .. } => Box::pin(demo::run(language)).await.map(|()| Ended::Well),
            Command::Lab(Lab::Faults { functions }) => {
                Box::pin(faults::run(functions.make())).await.map(|()| Ended::Well)
            }
            Command::Lab(Lab::Storm { functions, how }) => {
                Box::pin(storm::run(functions.make(), &how)).await.map(|()| Ended::Well)
            }
            Command::Lab(Lab::StandIns) => stand_ins::run().await.map(|()| Ended::Well),
        };
        match ended {
            // Whoever reads a story or waits for posts, such as `head`, has seen enough. What has a verdict prints with
            // `Output`, and gives it all the same.
            Err(error) if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) => {
                Ok(Ended::Well)
            }
            ended => ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use super::*;

    /// Every command and group of commands, with its whole name.
    fn all(command: &Command, of: &str) -> Vec<(String, Command)> {
        let below = |below: &Command| {
            let name = format!("{of} {}", below.get_name());
            let mut found = all(below, &name);
            found.push((name, below.clone()));
            found
        };
        command.get_subcommands().flat_map(below).collect()
    }

    #[test]
    fn every_command_has_an_example_in_its_help_that_it_understands() {
        let commands = all(&Cli::command(), "oncall");
        assert!(commands.iter().any(|(name, _)| name == "oncall lab stand-ins"), "{commands:?}");
        for (name, command) in commands {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Example") && help.contains(&name), "{name}: {help:?}");
            for line in help.lines().filter_map(|line| Some(&line[line.find("oncall ")?..])) {
                // What follows is the shell's, or words.
                let ends = ["  ", " | ", " > "].into_iter().filter_map(|end| line.find(end));
                let example = &line[..ends.min().unwrap_or(line.len())];
                let understood = Cli::try_parse_from(example.split_whitespace());
                assert!(understood.is_ok(), "{name}: {example:?}: {}", understood.unwrap_err());
            }
        }
    }
}
