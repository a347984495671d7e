//! The one list of all settings: which function reads which, and which of them are secret.
//!
//! The template declares what is listed here, and the reader refuses to read anything else.

/// A variable that the functions read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Whether its value must never be seen.
    pub secret: bool,
    /// Whether `pagerduty2typetalk` reads it.
    pub webhook: bool,
    /// Whether `oncall-reminder` reads it.
    pub reminder: bool,
}

const fn both(name: &'static str) -> Setting {
    Setting { name, secret: false, webhook: true, reminder: true }
}

const fn webhook(name: &'static str) -> Setting {
    Setting { reminder: false, ..both(name) }
}

const fn reminder(name: &'static str) -> Setting {
    Setting { webhook: false, ..both(name) }
}

const fn secret(setting: Setting) -> Setting {
    Setting { secret: true, ..setting }
}

/// All settings, in the order of the table in `docs/settings.md`.
pub const SETTINGS: &[Setting] = &[
    both("CHATS"),
    both("TYPETALK_ALERT_TOPIC"),
    secret(both("TYPETALK_ALERT_TOKEN")),
    reminder("TYPETALK_ONCALL_TOPIC"),
    secret(reminder("TYPETALK_ONCALL_TOKEN")),
    both("TYPETALK_BASE_URL"),
    secret(both("SLACK_TOKEN")),
    both("SLACK_ALERT_CHANNEL"),
    reminder("SLACK_ONCALL_CHANNEL"),
    both("SLACK_BASE_URL"),
    secret(webhook("SLACK_SIGNING_SECRETS")),
    both("SPREADSHEET_ID"),
    both("ROSTER_RANGE"),
    both("ROSTER_COLUMNS"),
    both("MEMBERS_RANGE"),
    secret(both("GOOGLE_CREDENTIALS")),
    both("GOOGLE_APPLICATION_CREDENTIALS"),
    both("SHEETS_BASE_URL"),
    both("ROSTER_CSV"),
    both("MEMBERS_CSV"),
    secret(webhook("PAGERDUTY_SIGNING_SECRETS")),
    secret(webhook("PAGERDUTY_TOKENS")),
    both("TIME_ZONE"),
    both("BUSINESS_DAYS"),
    both("BUSINESS_HOURS"),
    both("HOLIDAYS"),
    webhook("MENTION_ON"),
    both("STORM_ABOVE"),
    both("FALLBACK_MENTIONS"),
    reminder("MANUAL_URL"),
    both("MESSAGE_LANGUAGE"),
    secret(both("PAGERDUTY_API_KEY")),
    both("PAGERDUTY_SERVICES"),
    both("PAGERDUTY_BASE_URL"),
    secret(webhook("PAGERDUTY_ACTION_KEY")),
    webhook("PAGERDUTY_FROM"),
    secret(webhook("NOTICE_TOKENS")),
    reminder("WEBHOOK_URL"),
    secret(reminder("HEARTBEAT_URL")),
    both("SECRETS_PATH"),
    both("LEDGER_TABLE"),
];

/// What Lambda or the SDK's own conventions set, and no template needs to declare.
pub(super) const OF_AWS: &[&str] = &[
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL_SSM",
    "AWS_ENDPOINT_URL_DYNAMODB",
];
