//! The operator's tool: `cargo oncall check`, `cargo demo` (with `--page` in a browser), `cargo oncall lab stand-ins`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use oncall::cli::{Cli, Ended};

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Badly) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "oncall: {error}");
            ExitCode::FAILURE
        }
    }
}
