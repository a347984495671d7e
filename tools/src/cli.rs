//! The operator's tool `oncall`: what it can be asked to do.

use std::error::Error;
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::page::Language;
use crate::simulation::fleet::Target;

mod check;
mod demo;
mod fakes;
mod faults;
mod init;
mod page;
mod pagerduty;
mod preview;
mod roster;
mod roster_new;
mod secrets;
mod send_test;
mod slack;
mod stack;
mod storm;
mod terminal;

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
    #[command(subcommand)]
    Slack(slack::Command),
    /// Send a test event to the deployed relay and a line to the on-call channel; or play a practice incident.
    #[command(
        name = "send-test",
        after_help = "Example: oncall send-test\n         oncall send-test --drill --pause 60"
    )]
    SendTest(send_test::SendTestArgs),
    /// PagerDuty's side: subscriptions of webhooks, and who is on call there.
    #[command(subcommand)]
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
    Lab {
        #[command(subcommand)]
        command: Lab,
    },
    /// Print what is lost, doubled or out of order when services fail in every way they can.
    Faults {
        #[command(flatten)]
        functions: Functions,
    },
    /// Send 1,000 webhooks within a minute, against Slack at its pace; that takes some twenty minutes.
    Storm {
        #[command(flatten)]
        functions: Functions,
        /// Run everything this many times faster.
        #[arg(long, default_value = "1")]
        times: NonZeroU32,
    },
    /// Keep stand-ins for every service running on fixed ports, and print what is posted.
    #[command(name = "stand-ins")]
    Fakes,
}

#[derive(Debug, Subcommand)]
enum Lab {
    /// Open a page in the browser to play with: edit the sheet, press events, break services, see both chats.
    Page {
        /// The language of the page and of the posted messages.
        #[arg(long, value_enum, default_value = "ja")]
        language: Language,
        #[command(flatten)]
        serving: Serving,
    },
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
            Command::Demo { language, page: true, serving }
            | Command::Lab { command: Lab::Page { language, serving } } => {
                Box::pin(page::run(language, serving.port, !serving.no_browser)).await.map(|()| Ended::Well)
            }
            Command::Demo { language, .. } => Box::pin(demo::run(language)).await.map(|()| Ended::Well),
            Command::Faults { functions } => Box::pin(faults::run(functions.make())).await.map(|()| Ended::Well),
            Command::Storm { functions, times } => {
                Box::pin(storm::run(functions.make(), times)).await.map(|()| Ended::Well)
            }
            Command::Fakes => fakes::run().await.map(|()| Ended::Well),
        };
        match ended {
            // Whoever reads the output, such as `head`, has seen enough.
            Err(error) if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) => {
                Ok(Ended::Well)
            }
            ended => ended,
        }
    }
}
