//! The settings: read once, at cold start, through a lookup; all problems are told together.
//!
//! Every field says which variable it comes from. The table of all settings is in the README.

mod reader;

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;
use yup_oauth2::ServiceAccountKey;

use crate::domain::calendar::{BusinessDays, BusinessHours, Calendar, Holidays};
use crate::domain::roster::ChatName;
use crate::domain::words::Language;

pub use reader::{Problem, Problems, Surroundings};

use reader::Reader;

/// What the webhook function needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// From `CHATS` and the variables of each chat; the first is the primary.
    pub chats: Vec<ChatConfig>,
    /// From the variables of the spreadsheet or the CSV files.
    pub roster: RosterConfig,
    /// From `PAGERDUTY_SIGNING_SECRETS`.
    pub signing_secrets: Vec<SecretString>,
    /// From `PAGERDUTY_TOKENS`.
    pub tokens: Vec<SecretString>,
    /// From `TIME_ZONE`, `BUSINESS_DAYS`, `BUSINESS_HOURS`, `HOLIDAYS`.
    pub calendar: Calendar,
    /// From `FALLBACK_MENTIONS`.
    pub fallback_mentions: Vec<String>,
    /// From `MESSAGE_LANGUAGE`.
    pub language: Language,
    /// What works, but perhaps not as meant.
    pub warnings: Vec<String>,
}

/// A chat of `CHATS`.
#[derive(Debug, Clone)]
pub enum ChatConfig {
    /// `typetalk`
    Typetalk(TypetalkConfig),
    /// `slack`
    Slack(SlackConfig),
}

impl ChatConfig {
    /// Which chat it is.
    #[must_use]
    pub fn name(&self) -> ChatName {
        match self {
            Self::Typetalk(_) => ChatName::Typetalk,
            Self::Slack(_) => ChatName::Slack,
        }
    }
}

/// Typetalk's variables.
#[derive(Debug, Clone)]
pub struct TypetalkConfig {
    /// `TYPETALK_BASE_URL`, without a slash at the end.
    pub base_url: String,
    /// `TYPETALK_ALERT_TOPIC`
    pub alert_topic: u64,
    /// `TYPETALK_ALERT_TOKEN`
    pub alert_token: SecretString,
}

/// Slack's variables.
#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// `SLACK_BASE_URL`, without a slash at the end.
    pub base_url: String,
    /// `SLACK_TOKEN`
    pub token: SecretString,
    /// `SLACK_ALERT_CHANNEL`
    pub alert_channel: String,
}

/// Where the roster is.
#[derive(Debug, Clone)]
pub enum RosterConfig {
    /// A Google Sheet.
    Google(Box<GoogleConfig>),
    /// Files.
    Csv(CsvConfig),
}

/// The spreadsheet's variables.
#[derive(Clone)]
pub struct GoogleConfig {
    /// `SHEETS_BASE_URL`, without a slash at the end.
    pub base_url: String,
    /// `SPREADSHEET_ID`
    pub spreadsheet_id: String,
    /// `ROSTER_RANGE`
    pub roster_range: String,
    /// `MEMBERS_RANGE`
    pub members_range: Option<String>,
    /// `GOOGLE_CREDENTIALS`, or the content of `GOOGLE_APPLICATION_CREDENTIALS`.
    pub key: ServiceAccountKey,
}

impl fmt::Debug for GoogleConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key has no redacted form of its own.
        f.debug_struct("GoogleConfig").field("spreadsheet_id", &self.spreadsheet_id).finish_non_exhaustive()
    }
}

/// The CSV files' variables.
#[derive(Debug, Clone)]
pub struct CsvConfig {
    /// `ROSTER_CSV`
    pub roster: PathBuf,
    /// `MEMBERS_CSV`
    pub members: Option<PathBuf>,
}

impl Config {
    /// Reads what the webhook function needs.
    ///
    /// # Errors
    /// All problems, not only the first.
    pub fn for_webhook(surroundings: &Surroundings<'_>) -> Result<Self, Problems> {
        let mut reader = Reader::new(surroundings);
        let chats = chats(&mut reader);
        let roster = roster(&mut reader);
        let (signing_secrets, tokens) = webhook_secrets(&mut reader);
        let calendar = calendar(&mut reader);
        let fallback_mentions = reader.list("FALLBACK_MENTIONS");
        let language = reader.parsed("MESSAGE_LANGUAGE", "ja", |text| match text {
            "ja" => Ok(Language::Japanese),
            "en" => Ok(Language::English),
            other => Err(format!("`{other}` is not `ja` or `en`")),
        });
        if let (Some(chats), Some(roster)) = (&chats, &roster) {
            warn_of_one_name_for_two_chats(&mut reader, chats, roster);
        }
        let warnings = reader.finish()?;
        match (chats, roster, calendar, language) {
            (Some(chats), Some(roster), Some(calendar), Some(language)) => {
                Ok(Self { chats, roster, signing_secrets, tokens, calendar, fallback_mentions, language, warnings })
            }
            // A part is missing only where a problem was reported, and then `finish` has returned.
            _ => Err(Problems::default()),
        }
    }
}

fn chats(reader: &mut Reader<'_>) -> Option<Vec<ChatConfig>> {
    let remedy = "a list of `typetalk` and `slack`, the primary first, such as `slack` or `typetalk,slack`";
    let names = reader.required("CHATS", remedy)?;
    let mut chats: Vec<Option<ChatConfig>> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for name in names.split(',').map(str::trim) {
        if seen.contains(&name) {
            reader.malformed("CHATS", format!("`{name}` is there twice; name each chat once"));
            continue;
        }
        seen.push(name);
        chats.push(match name {
            "typetalk" => typetalk(reader).map(ChatConfig::Typetalk),
            "slack" => slack(reader).map(ChatConfig::Slack),
            other => {
                reader.malformed("CHATS", format!("`{other}` is no chat; write {remedy}"));
                None
            }
        });
    }
    chats.into_iter().collect()
}

fn typetalk(reader: &mut Reader<'_>) -> Option<TypetalkConfig> {
    let base_url = reader.base_url("TYPETALK_BASE_URL", "https://typetalk.com");
    let topic = reader.required("TYPETALK_ALERT_TOPIC", "the number in the topic's address");
    let alert_topic = topic.and_then(|topic| {
        let number = topic.parse().ok();
        if number.is_none() {
            reader.malformed("TYPETALK_ALERT_TOPIC", "it must be the number in the topic's address");
        }
        number
    });
    let alert_token = reader.secret("TYPETALK_ALERT_TOKEN", "the token of the topic's bot");
    Some(TypetalkConfig { base_url: base_url?, alert_topic: alert_topic?, alert_token: alert_token? })
}

fn slack(reader: &mut Reader<'_>) -> Option<SlackConfig> {
    let base_url = reader.base_url("SLACK_BASE_URL", "https://slack.com");
    let token = reader.secret("SLACK_TOKEN", "the app's bot token, which begins with `xoxb-`");
    if let Some(false) = reader.begins_with("SLACK_TOKEN", "xoxb-") {
        reader.warn("SLACK_TOKEN doesn't begin with `xoxb-`: is it the app's bot token?");
    }
    let remedy = "the channel's id (`C…`), at the end of the channel's details";
    let alert_channel = reader.required("SLACK_ALERT_CHANNEL", remedy).filter(|channel| {
        let id = channel.bytes().all(|b| b.is_ascii_alphanumeric());
        if !id {
            reader.malformed("SLACK_ALERT_CHANNEL", format!("it must be {remedy}, not its name"));
        }
        id
    });
    Some(SlackConfig { base_url: base_url?, token: token?, alert_channel: alert_channel? })
}

fn roster(reader: &mut Reader<'_>) -> Option<RosterConfig> {
    let members_csv = reader.readable_file("MEMBERS_CSV");
    if reader.is_set("ROSTER_CSV") {
        let roster = reader.readable_file("ROSTER_CSV")?;
        return Some(RosterConfig::Csv(CsvConfig { roster, members: members_csv }));
    }
    if members_csv.is_some() {
        reader.half_set("MEMBERS_CSV", "it goes with ROSTER_CSV; for a spreadsheet, set MEMBERS_RANGE");
    }
    let spreadsheet_id = spreadsheet_id(reader);
    let roster_range = reader.optional("ROSTER_RANGE").unwrap_or_else(|| "当番表!A:Z".to_owned());
    let members_range = reader.optional("MEMBERS_RANGE");
    let base_url = reader.base_url("SHEETS_BASE_URL", "https://sheets.googleapis.com");
    let key = google_key(reader);
    Some(RosterConfig::Google(Box::new(GoogleConfig {
        base_url: base_url?,
        spreadsheet_id: spreadsheet_id?,
        roster_range,
        members_range,
        key: key?,
    })))
}

fn spreadsheet_id(reader: &mut Reader<'_>) -> Option<String> {
    let remedy = "the part of the spreadsheet's address between /d/ and /edit";
    let id = reader.required("SPREADSHEET_ID", &format!("{remedy} (or set ROSTER_CSV, to try things out)"))?;
    if id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return Some(id);
    }
    reader.malformed("SPREADSHEET_ID", format!("it must be only {remedy}"));
    None
}

fn google_key(reader: &mut Reader<'_>) -> Option<ServiceAccountKey> {
    let (variable, json) = if let Some(json) = reader.optional("GOOGLE_CREDENTIALS") {
        ("GOOGLE_CREDENTIALS", json)
    } else if reader.is_set("GOOGLE_APPLICATION_CREDENTIALS") {
        ("GOOGLE_APPLICATION_CREDENTIALS", reader.file("GOOGLE_APPLICATION_CREDENTIALS")?)
    } else {
        reader.absent(
            "GOOGLE_CREDENTIALS",
            "the service account's key as JSON (or its file's path in GOOGLE_APPLICATION_CREDENTIALS)",
        );
        return None;
    };
    let key = serde_json::from_str::<ServiceAccountKey>(&json).ok().filter(|key| {
        let token_uri = url::Url::parse(&key.token_uri);
        token_uri.is_ok_and(|uri| matches!(uri.scheme(), "http" | "https")) && !key.client_email.is_empty()
    });
    if key.is_none() {
        reader.malformed(
            variable,
            "it is no service account's key; make a JSON key in the Google Cloud console and use it whole \
             (it has `client_email`, `private_key` and `token_uri`)",
        );
    }
    key
}

fn webhook_secrets(reader: &mut Reader<'_>) -> (Vec<SecretString>, Vec<SecretString>) {
    if !reader.is_set("PAGERDUTY_SIGNING_SECRETS") && !reader.is_set("PAGERDUTY_TOKENS") {
        reader.absent(
            "PAGERDUTY_SIGNING_SECRETS",
            "the signing secret of the v3 webhook subscription, or for v2 in PAGERDUTY_TOKENS the token that the \
             extension sends as `Authorization: Bearer …`",
        );
    }
    (reader.secrets("PAGERDUTY_SIGNING_SECRETS"), reader.secrets("PAGERDUTY_TOKENS"))
}

fn calendar(reader: &mut Reader<'_>) -> Option<Calendar> {
    let zone = reader.parsed("TIME_ZONE", "Asia/Tokyo", |text| {
        text.parse().map_err(|_| format!("`{text}` is no IANA time zone such as `Asia/Tokyo`"))
    });
    let days = reader.parsed("BUSINESS_DAYS", "Mon-Fri", |text| BusinessDays::parse(text).map_err(|e| e.to_string()));
    let hours =
        reader.parsed("BUSINESS_HOURS", "10:00-17:00", |text| BusinessHours::parse(text).map_err(|e| e.to_string()));
    let holidays = reader.parsed("HOLIDAYS", "jp", |text| Holidays::parse(text).map_err(|e| e.to_string()));
    Some(Calendar::new(zone?, days?, hours?, holidays?))
}

fn warn_of_one_name_for_two_chats(reader: &mut Reader<'_>, chats: &[ChatConfig], roster: &RosterConfig) {
    let (no_members, variable) = match roster {
        RosterConfig::Google(google) => (google.members_range.is_none(), "MEMBERS_RANGE"),
        RosterConfig::Csv(csv) => (csv.members.is_none(), "MEMBERS_CSV"),
    };
    if chats.len() > 1 && no_members {
        reader.warn(format!(
            "two chats and no {variable}: a name in the sheet can be a handle on only one of them, \
             so the other will not mention people"
        ));
    }
}

#[cfg(test)]
mod tests;
