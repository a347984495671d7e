//! The operator's tool `oncall`: what it can be asked to do.

use std::error::Error;

use clap::{Parser, Subcommand, ValueEnum};

mod demo;

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
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Language {
    /// 日本語
    Ja,
    /// English
    En,
}

impl Cli {
    /// Does what was asked for.
    ///
    /// # Errors
    /// In words for whoever asked.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        match self.command {
            Command::Demo { language } => {
                let language = match language {
                    Language::Ja => "ja",
                    Language::En => "en",
                };
                demo::run(language).await
            }
        }
    }
}
