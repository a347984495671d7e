//! The operator's tool `oncall`: what it can be asked to do.

use std::error::Error;
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::simulation::fleet::Target;

mod check;
mod demo;
mod fakes;
mod faults;
mod preview;
mod roster;
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
    /// Check whether the relay can do its job: every service, from here or as the deployed function.
    Check(check::Arguments),
    /// Show the next four weeks as the relay reads the sheet, and what in it can't be read.
    Roster(roster::Arguments),
    /// Show what a webhook in a file would be posted as, on each chat.
    Preview(preview::Arguments),
    /// Tell a story of alerts in the terminal: the real relay, with stand-ins for every service.
    Demo {
        /// The language of the posted messages.
        #[arg(long, value_enum, default_value = "ja")]
        language: Language,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Language {
    /// 日本語
    Ja,
    /// English
    En,
}

impl Language {
    /// As `MESSAGE_LANGUAGE` has it.
    fn code(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
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
            // Boxed, because the compiler can't measure futures that are nested as deeply as these.
            Command::Check(arguments) => Box::pin(check::run(arguments)).await,
            Command::Roster(arguments) => Box::pin(roster::run(arguments)).await,
            Command::Preview(arguments) => Box::pin(preview::run(arguments)).await,
            Command::Demo { language } => Box::pin(demo::run(language)).await.map(|()| Ended::Well),
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
