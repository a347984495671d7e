//! An outside watchdog, as healthchecks.io is one: `URL`, and `URL/fail` with what failed.

use std::io;
use std::sync::Mutex;

use http::{Method, StatusCode};

use super::server::{Fake, Received, Reply, Service, lock};

/// The secret part of its address.
const ID: &str = "6c7f9b4e-0000-4000-8000-standinuuid0";

/// A running watchdog; [`Server`](super::server::Server) says how to make it fail.
pub type Watchdog = Fake<Check>;

/// A ping that it heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// Whether it says that something failed.
    pub is_failure: bool,
    /// What came with it.
    pub body: String,
}

/// What it keeps.
#[derive(Debug, Default)]
pub struct Check {
    pings: Mutex<Vec<Ping>>,
}

impl Watchdog {
    /// Starts without having heard anything.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16) -> io::Result<Self> {
        Self::serve(port, Check::default()).await
    }

    /// The address to ping.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}/{ID}", self.url())
    }

    /// Takes the pings that came since the last call.
    #[must_use]
    pub fn take_pings(&self) -> Vec<Ping> {
        std::mem::take(&mut lock(&self.state.pings))
    }
}

impl Service for Check {
    fn answer(&self, request: &Received) -> Reply {
        if !matches!(*request.method(), Method::GET | Method::HEAD | Method::POST) {
            return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let is_failure = match request.uri().path().strip_prefix(&format!("/{ID}")) {
            Some("") => false,
            Some("/fail") => true,
            _ => return Reply::empty(StatusCode::NOT_FOUND),
        };
        let body = String::from_utf8_lossy(request.body()).into_owned();
        lock(&self.pings).push(Ping { is_failure, body });
        Reply { status: StatusCode::OK, headers: Vec::new(), body: "OK".to_owned() }
    }
}
