//! The operator's tool: `cargo run -- demo`, `stand-ins`, `faults`.

use std::process::ExitCode;

use clap::Parser;
use oncall_relay::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("oncall: {error}");
            ExitCode::FAILURE
        }
    }
}
