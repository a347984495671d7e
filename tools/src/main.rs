//! The operator's tool: `cargo demo` (with `--page` in a browser), `cargo oncall stand-ins`, `cargo oncall faults`.

use std::process::ExitCode;

use clap::Parser;
use oncall::cli::Cli;

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
