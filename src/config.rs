//! The settings: read once, at cold start, through a lookup; all problems are reported together.
//!
//! Every field says which variable it comes from. The table of all settings is in `docs/settings.md`.

mod aws;
mod chats;
mod check;
mod interaction;
mod reader;
mod roster;
mod settings;

use secrecy::SecretString;

use crate::domain::alert::MentionOn;
use crate::domain::calendar::{BusinessDays, BusinessHours, Calendar, Holidays};
use crate::domain::event::Link;
use crate::domain::roster::{FallbackProblem, MembersTable};
use crate::domain::wording::Language;
use crate::log_events;

pub use aws::{AwsConfig, LedgerConfig, SecretsConfig};
pub use chats::{ChatConfig, Purpose, SlackConfig, TypetalkConfig};
pub use check::CheckConfig;
pub use interaction::{ActingConfig, InteractionConfig, SlackSecrets};
pub use reader::{Environment, Problem, Problems};
pub use roster::{CsvConfig, GoogleConfig, RosterConfig};
pub use settings::{SETTINGS, Setting};

use reader::Reader;

/// What both functions need to know of the team.
#[derive(Debug, Clone)]
pub struct TeamConfig {
    /// From `CHATS` and the variables of each chat; the first is the primary.
    pub chats: Vec<ChatConfig>,
    /// From the variables of the spreadsheet or the CSV files.
    pub roster: RosterConfig,
    /// From `ROSTER_COLUMNS`.
    pub roster_columns: Vec<String>,
    /// From `TIME_ZONE`, `BUSINESS_DAYS`, `BUSINESS_HOURS`, `HOLIDAYS`.
    pub calendar: Calendar,
    /// From `FALLBACK_MENTIONS`.
    pub fallback_mentions: Vec<String>,
    /// From `MESSAGE_LANGUAGE`.
    pub language: Language,
    /// From `LEDGER_TABLE`.
    pub ledger: Option<LedgerConfig>,
    /// What works, but perhaps not as meant.
    pub warnings: Vec<String>,
}

impl TeamConfig {
    /// Tells the warnings, once, at the start.
    pub fn log_warnings(&self) {
        for warning in &self.warnings {
            tracing::warn!(event = log_events::SETTINGS, "{warning}");
        }
    }
}

/// What the webhook function needs to know.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// What it shares with the reminders.
    pub team: TeamConfig,
    /// From `PAGERDUTY_SIGNING_SECRETS` and `PAGERDUTY_TOKENS`.
    pub secrets: WebhookSecrets,
    /// From `MENTION_ON`.
    pub mention_on: MentionOn,
    /// From `STORM_ABOVE`, without which every incident mentions people.
    pub storm_above: Option<u32>,
    /// From `NOTICE_TOKENS`, without which `/notice` is off.
    pub notices: Option<NoticeSecrets>,
    /// From `SLACK_SIGNING_SECRETS`, without which `/slack` is off, and what belongs to it.
    pub interaction: Option<InteractionConfig>,
    /// The names of the settings that it has.
    pub settings: Vec<&'static str>,
}

/// The secrets of which any one proves a webhook authentic.
#[derive(Debug, Clone)]
pub struct WebhookSecrets {
    /// From `PAGERDUTY_SIGNING_SECRETS`.
    pub signing: Vec<SecretString>,
    /// From `PAGERDUTY_TOKENS`.
    pub tokens: Vec<SecretString>,
}

/// The tokens of those who may post notices.
#[derive(Debug, Clone)]
pub struct NoticeSecrets {
    /// From `NOTICE_TOKENS`.
    pub tokens: Vec<SecretString>,
}

/// What the reminder function needs to know.
#[derive(Debug, Clone)]
pub struct ReminderConfig {
    /// What it shares with the webhooks.
    pub team: TeamConfig,
    /// From `MANUAL_URL`.
    pub manual: Option<Link>,
    /// From `STORM_ABOVE`.
    pub storm_above: Option<u32>,
    /// From `PAGERDUTY_API_KEY`, `PAGERDUTY_SERVICES`, `PAGERDUTY_BASE_URL`.
    pub incidents: Option<IncidentsConfig>,
    /// What only the check needs.
    pub check: CheckConfig,
}

/// PagerDuty's REST API.
#[derive(Debug, Clone)]
pub struct IncidentsConfig {
    /// `PAGERDUTY_BASE_URL`, without a slash at the end.
    pub base_url: String,
    /// `PAGERDUTY_API_KEY`
    pub key: SecretString,
    /// `PAGERDUTY_SERVICES`
    pub services: Vec<String>,
}

impl WebhookConfig {
    /// Reads what the webhook function needs.
    ///
    /// # Errors
    /// All problems, not only the first.
    pub fn read(environment: &Environment) -> Result<Self, Problems> {
        let mut reader = Reader::new(environment);
        let team = team(&mut reader, Purpose::Alerts);
        let secrets = webhook_secrets(&mut reader);
        let mention_on =
            reader.parsed("MENTION_ON", "all", |text| MentionOn::parse(text).map_err(|error| error.to_string()));
        let storm_above = storm_above(&mut reader);
        let notices = notice_secrets(&mut reader);
        let interaction = interaction::interaction(&mut reader, team.as_ref().map(|team| &team.chats[..]));
        let settings = reader.found();
        let interaction = interaction.map(|on| InteractionConfig { settings: settings.clone(), ..on });
        let ((team, mention_on), warnings) = reader.finish(team.zip(mention_on))?;
        let notices = Some(notices).filter(|notices| !notices.tokens.is_empty());
        Ok(Self {
            team: TeamConfig { warnings, ..team },
            secrets,
            mention_on,
            storm_above,
            notices,
            interaction,
            settings,
        })
    }
}

impl WebhookSecrets {
    /// Reads them again, after they may have been changed: what can be used of them, and what is wrong with the rest.
    #[must_use]
    pub fn read_again(environment: &Environment) -> (Self, Option<Problems>) {
        let mut reader = Reader::new(environment);
        let secrets = webhook_secrets(&mut reader);
        (secrets, reader.finish(Some(())).err())
    }
}

impl NoticeSecrets {
    /// Reads them again, after they may have been changed: what can be used of them, and what is wrong with the rest.
    #[must_use]
    pub fn read_again(environment: &Environment) -> (Self, Option<Problems>) {
        let mut reader = Reader::new(environment);
        let secrets = notice_secrets(&mut reader);
        (secrets, reader.finish(Some(())).err())
    }
}

impl ReminderConfig {
    /// Reads what the reminder function needs.
    ///
    /// # Errors
    /// All problems, not only the first.
    pub fn read(environment: &Environment) -> Result<Self, Problems> {
        let mut reader = Reader::new(environment);
        let team = team(&mut reader, Purpose::OnCall);
        let manual = reader.optional("MANUAL_URL").and_then(|address| {
            let link = Link::parse(&address);
            if link.is_none() {
                reader.malformed("MANUAL_URL", "it must be an address such as `https://wiki.example.com/oncall`");
            }
            link
        });
        let storm_above = storm_above(&mut reader);
        let incidents = incidents(&mut reader);
        let check = check::check(&mut reader);
        let ((team, check), warnings) = reader.finish(team.zip(check))?;
        Ok(Self { team: TeamConfig { warnings, ..team }, manual, storm_above, incidents, check })
    }
}

fn storm_above(reader: &mut Reader<'_>) -> Option<u32> {
    let limit = reader.optional("STORM_ABOVE")?.trim().parse().ok().filter(|limit| *limit > 0);
    if limit.is_none() {
        reader.malformed("STORM_ABOVE", "it must be a number of new incidents a minute, such as `20`");
    }
    limit
}

fn team(reader: &mut Reader<'_>, purpose: Purpose) -> Option<TeamConfig> {
    let chats = chats::chats(reader, purpose);
    let roster = roster::roster(reader);
    let roster_columns = reader.list("ROSTER_COLUMNS");
    let calendar = calendar(reader);
    let fallback_mentions = reader.list("FALLBACK_MENTIONS");
    if fallback_mentions.is_empty() {
        reader.warn("FALLBACK_MENTIONS is not set: when the roster can't say who is on call, nobody is mentioned");
    }
    let language = reader.parsed("MESSAGE_LANGUAGE", "ja", |text| match text {
        "ja" => Ok(Language::Japanese),
        "en" => Ok(Language::English),
        other => Err(format!("`{other}` is not `ja` or `en`")),
    });
    let ledger = aws::ledger(reader);
    if let (Some(chats), Some(roster)) = (&chats, &roster) {
        // Who is a member is only known once the tab is read.
        if let Some(variable) = roster.missing_members() {
            warn_of_one_name_for_two_chats(reader, chats, variable);
            let chats: Vec<_> = chats.iter().map(ChatConfig::name).collect();
            let problems = FallbackProblem::all(&fallback_mentions, &MembersTable::None, &chats);
            for problem in problems {
                reader.warn(problem.to_string());
            }
        }
    }
    Some(TeamConfig {
        chats: chats?,
        roster: roster?,
        roster_columns,
        calendar: calendar?,
        fallback_mentions,
        language: language?,
        ledger,
        warnings: Vec::new(),
    })
}

fn webhook_secrets(reader: &mut Reader<'_>) -> WebhookSecrets {
    if !reader.is_set("PAGERDUTY_SIGNING_SECRETS") && !reader.is_set("PAGERDUTY_TOKENS") {
        reader.absent(
            "PAGERDUTY_SIGNING_SECRETS",
            "the signing secret of the v3 webhook subscription, or for v2 in PAGERDUTY_TOKENS the token that the \
             extension sends as `Authorization: Bearer …`",
        );
    }
    WebhookSecrets { signing: reader.secrets("PAGERDUTY_SIGNING_SECRETS"), tokens: reader.secrets("PAGERDUTY_TOKENS") }
}

fn notice_secrets(reader: &mut Reader<'_>) -> NoticeSecrets {
    NoticeSecrets { tokens: reader.secrets("NOTICE_TOKENS") }
}

fn incidents(reader: &mut Reader<'_>) -> Option<IncidentsConfig> {
    let base_url = reader.base_url("PAGERDUTY_BASE_URL", "https://api.pagerduty.com");
    let services = reader.list("PAGERDUTY_SERVICES");
    match (reader.is_set("PAGERDUTY_API_KEY"), services.is_empty()) {
        (false, true) => None,
        (true, true) => {
            reader.half_set("PAGERDUTY_API_KEY", "PAGERDUTY_SERVICES", "the ids (`P…`) of the services to list");
            None
        }
        (false, false) => {
            reader.half_set("PAGERDUTY_SERVICES", "PAGERDUTY_API_KEY", "a read-only REST API key");
            None
        }
        (true, false) => {
            let is_id = |service: &String| service.bytes().all(|b| b.is_ascii_alphanumeric());
            if !services.iter().all(is_id) {
                reader.malformed("PAGERDUTY_SERVICES", "it must be ids (`P…`, in each service's address), not names");
            }
            let key = reader.secret("PAGERDUTY_API_KEY", "a read-only REST API key");
            Some(IncidentsConfig { base_url: base_url?, key: key?, services })
        }
    }
}

fn calendar(reader: &mut Reader<'_>) -> Option<Calendar> {
    let zone = reader.parsed("TIME_ZONE", "Asia/Tokyo", |text| {
        text.parse().map_err(|_| format!("`{text}` is not an IANA time zone such as `Asia/Tokyo`"))
    });
    let days = reader.parsed("BUSINESS_DAYS", "Mon-Fri", |text| BusinessDays::parse(text).map_err(|e| e.to_string()));
    let hours =
        reader.parsed("BUSINESS_HOURS", "10:00-17:00", |text| BusinessHours::parse(text).map_err(|e| e.to_string()));
    let holidays = reader.parsed("HOLIDAYS", "jp", |text| Holidays::parse(text).map_err(|e| e.to_string()));
    Some(Calendar::new(zone?, days?, hours?, holidays?))
}

fn warn_of_one_name_for_two_chats(reader: &mut Reader<'_>, chats: &[ChatConfig], variable: &str) {
    if chats.len() > 1 {
        reader.warn(format!(
            "two chats and no {variable}: a name in the sheet can be a handle on only one of them, \
             so the other will not mention people"
        ));
    }
}

#[cfg(test)]
mod tests;
