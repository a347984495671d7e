//! The operator's tool `oncall`: what it can be asked to do.

use std::error::Error;
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::page::Language;
use crate::simulation::fleet::Target;

mod demo;
mod fakes;
mod faults;
mod page;
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
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let ended = match self.command {
            // Boxed, because the compiler can't measure futures that are nested as deeply as these.
            Command::Demo { language, page: true, serving }
            | Command::Lab { command: Lab::Page { language, serving } } => {
                Box::pin(page::run(language, serving.port, !serving.no_browser)).await
            }
            Command::Demo { language, .. } => Box::pin(demo::run(language)).await,
            Command::Faults { functions } => Box::pin(faults::run(functions.make())).await,
            Command::Storm { functions, times } => Box::pin(storm::run(functions.make(), times)).await,
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
