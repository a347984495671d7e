//! Settings that only the check of everything needs: the places of alerts, the webhook's address, the watchdog.

use std::collections::BTreeSet;

use secrecy::SecretString;
use url::Url;

use super::chats::{self, ChatConfig, Purpose};
use super::reader::{Problems, Reader};

/// What the check looks at besides what reminders need.
#[derive(Debug, Clone)]
pub struct CheckConfig {
    /// Where alerts are posted. It must not keep reminders from starting, so its problems are the check's to report.
    pub alert_chats: Result<Vec<ChatConfig>, Problems>,
    /// From `WEBHOOK_URL`.
    pub webhook_url: Option<Url>,
    /// From `HEARTBEAT_URL`.
    pub heartbeat: Option<SecretString>,
    /// The names of the settings that this function has.
    pub settings: Vec<&'static str>,
}

pub(super) fn check(reader: &mut Reader<'_>) -> Option<CheckConfig> {
    let webhook_url = reader.optional("WEBHOOK_URL").map(|text| {
        let url = address(&text);
        if url.is_none() {
            reader.malformed(
                "WEBHOOK_URL",
                "it must be the address that PagerDuty posts to, such as `https://example.com/pagerduty`",
            );
        }
        url
    });
    let heartbeat = reader.optional("HEARTBEAT_URL").map(|text| {
        let url = address(&text);
        if url.is_none() {
            reader.malformed(
                "HEARTBEAT_URL",
                "it must be the address that the watchdog gives, such as `https://hc-ping.com/…`",
            );
        }
        url.map(|_| SecretString::from(text))
    });
    let mut alerts = Reader::new(reader.environment());
    let chats = chats::chats(&mut alerts, Purpose::Alerts);
    let settings: BTreeSet<_> = reader.found().into_iter().chain(alerts.found()).collect();
    let alert_chats = alerts.finish(chats).map(|(chats, _)| chats);
    Some(CheckConfig {
        alert_chats,
        webhook_url: webhook_url.map_or(Some(None), |url| url.map(Some))?,
        heartbeat: heartbeat.map_or(Some(None), |url| url.map(Some))?,
        settings: settings.into_iter().collect(),
    })
}

fn address(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
