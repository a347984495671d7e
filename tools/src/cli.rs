//! The operator's tool `oncall`: what it can be asked to do.

use std::error::Error;
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::simulation::fleet::Target;
use crate::simulation::sender::Schedule;

mod demo;
mod fakes;
mod faults;
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
        /// When PagerDuty sends a webhook again that was not taken: it publishes no schedule.
        #[arg(long, value_enum, default_value = "eager")]
        schedule: Schedule,
    },
    /// Keep stand-ins for every service running on fixed ports, and print what is posted.
    #[command(name = "stand-ins")]
    Fakes,
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
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let ended = match self.command {
            // Boxed, because the compiler can't measure futures that are nested as deeply as these.
            Command::Demo { language } => Box::pin(demo::run(language)).await,
            Command::Faults { functions } => Box::pin(faults::run(functions.make())).await,
            Command::Storm { functions, times, schedule } => {
                Box::pin(storm::run(functions.make(), times, schedule)).await
            }
            Command::Fakes => fakes::run().await,
        };
        match ended {
            // Whoever reads the output, such as `head`, has seen enough.
            Err(error) if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) => {
                Ok(())
            }
            ended => ended,
        }
    }
}
