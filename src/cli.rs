//! The operator's tool `oncall`: what it can be asked to do.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

mod demo;
mod faults;
mod stand_ins;

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
        /// AWS's runtime emulator, to try the built function; without it, the same code in this process is tried.
        #[arg(long, env = "AWS_LAMBDA_RIE")]
        rie: Option<PathBuf>,
        /// The folder of the built functions.
        #[arg(long, default_value = "target/release")]
        bootstraps: PathBuf,
        /// Also a storm of 1,000 webhooks at Slack's real pace, which takes a quarter of an hour.
        #[arg(long)]
        storm: bool,
    },
    /// Keep stand-ins for every service running on fixed ports, and print what is posted.
    StandIns,
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
            Command::Faults { rie, bootstraps, storm } => Box::pin(faults::run(rie, bootstraps, storm)).await,
            Command::StandIns => stand_ins::run().await,
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
