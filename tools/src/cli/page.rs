//! The page to play with: where it is, and the browser that shows it.

use std::error::Error;
use std::future::pending;
use std::io;
use std::process::Stdio;

use tokio::process::Command;

use super::output::Output;
use crate::page::{Language, Page};

/// Serves until it is stopped.
pub(super) async fn run(language: Language, port: u16, with_browser: bool) -> Result<(), Box<dyn Error>> {
    let page = Page::start(port, language).await.map_err(|error| at(port, error))?;
    let mut output = Output::new();
    output.line(&format!("The relay, with stand-ins for every service, is at {} (Ctrl-C stops it).", page.url()))?;
    if with_browser && !opens(&page.url()).await {
        output.line("No browser could be opened from here: open that address yourself.")?;
    }
    pending().await
}

fn at(port: u16, error: Box<dyn Error + Send + Sync>) -> Box<dyn Error> {
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::AddrInUse) => format!(
            "port {port} of 127.0.0.1 is taken, perhaps by a page that is still open: stop that, or take any free port \
             with --port 0"
        )
        .into(),
        Some(io::ErrorKind::PermissionDenied) => {
            format!("port {port} is not for everybody: take one above 1023, or any free one with --port 0").into()
        }
        _ => error,
    }
}

/// Whether the system has opened it, in whatever its user likes.
async fn opens(url: &str) -> bool {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut open = Command::new(opener);
    open.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    open.status().await.is_ok_and(|status| status.success())
}
