//! The operator's tool `oncall`: what it can be asked to do.

use std::error::Error;

use clap::{Parser, Subcommand, ValueEnum};

mod demo;
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
        match self.command {
            // Boxed, because the compiler can't measure futures that are nested as deeply as these.
            Command::Demo { language } => Box::pin(demo::run(language)).await,
            Command::StandIns => stand_ins::run().await,
        }
    }
}
