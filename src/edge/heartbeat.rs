//! The outside watchdog, which misses the relay if it isn't pinged: healthchecks.io's `URL` and `URL/fail`.
//!
//! Source: <https://healthchecks.io/docs/http_api/>. The address is a secret: who has it can make all look well.

use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use url::Url;

use super::http::{HttpClient, SendError};
use crate::budget::HEARTBEAT;
use crate::domain::check::parts::HEARD;
use crate::log_events;

/// A watchdog.
#[derive(Debug)]
pub struct Heartbeat {
    http: HttpClient,
    url: SecretString,
}

impl Heartbeat {
    /// Nothing is called yet.
    #[must_use]
    pub fn new(url: SecretString, http: HttpClient) -> Self {
        Self { http, url }
    }

    /// Says that all is well, or names the checks that failed; and returns what the watchdog answered. A ping that
    /// nobody hears costs nothing but its time.
    pub async fn ping(&self, failed: &[&str]) -> String {
        let Some(url) = self.address(!failed.is_empty()) else { return "no address".to_owned() };
        let request = self.http.post(url.as_str()).header("content-type", "text/plain").body(failed.join("\n"));
        let answer = match timeout(HEARTBEAT, self.http.send(request)).await {
            Ok(Ok(response)) if response.status().is_success() => return HEARD.to_owned(),
            Ok(Ok(response)) => format!("HTTP {}", response.status().as_u16()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => SendError::Timeout.to_string(),
        };
        tracing::warn!(
            event = log_events::HEARTBEAT,
            "the watchdog didn't hear the ping ({answer}); compare HEARTBEAT_URL with the address that it shows"
        );
        answer
    }

    /// The address, or that of a failure; a query stays behind it.
    fn address(&self, is_failure: bool) -> Option<Url> {
        let mut url = Url::parse(self.url.expose_secret()).ok()?;
        if is_failure {
            url.path_segments_mut().ok()?.pop_if_empty().push("fail");
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_an_address_of_its_own() {
        for (url, fail) in [
            ("https://hc-ping.com/uuid", "https://hc-ping.com/uuid/fail"),
            ("https://hc-ping.com/uuid/", "https://hc-ping.com/uuid/fail"),
            ("https://hc-ping.com/key/slug?create=1", "https://hc-ping.com/key/slug/fail?create=1"),
        ] {
            let heartbeat = Heartbeat::new(url.into(), HttpClient::new());
            assert_eq!(heartbeat.address(true).unwrap().as_str(), fail);
            assert_eq!(heartbeat.address(false).unwrap().as_str(), url);
        }
    }
}
