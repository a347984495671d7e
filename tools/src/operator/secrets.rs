//! The secrets, one by one: what each is for, where it is made, and how it is checked before it is stored.

use std::collections::HashMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use oncall_relay::budget::OPERATORS_PATIENCE;
use oncall_relay::config::RosterConfig;
use oncall_relay::domain::roster::SourceFailure;
use oncall_relay::edge::http::{HttpClient, read_body};
use oncall_relay::edge::roster::{SourceError, try_out};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::Value;

use super::dialogue::{Outcome, Terminal};
use super::pagerduty::PagerDuty;
use super::stack::Stack;

const BODY_LIMIT: usize = 1 << 20;
/// More channels than this many pages nobody chooses from.
const MAX_PAGES: usize = 50;

/// Why a secret was not stored.
#[derive(Debug)]
pub enum Objection {
    /// It is not the right one.
    Refused(String),
    /// It may be the right one, and something else is wrong, or keeps it from being tried.
    Untold(String),
}

impl From<String> for Objection {
    fn from(why: String) -> Self {
        Self::Refused(why)
    }
}

/// What an operator needs to know of a secret.
#[derive(Debug, Clone, Copy)]
pub struct Guide {
    /// The setting that it is.
    pub name: &'static str,
    /// What it is for, and where it is made.
    pub words: &'static str,
    check: Check,
    /// Whether another command sees to it, so that nobody is asked for it.
    pub by_command: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Slack,
    GoogleFile,
    PagerDuty,
    Plain,
}

const fn guide(name: &'static str, check: Check, words: &'static str) -> Guide {
    Guide { name, words, check, by_command: None }
}

/// One for every secret among the settings.
pub const GUIDES: [Guide; 11] = [
    guide(
        "SLACK_TOKEN",
        Check::Slack,
        "the Slack app's bot token, which begins with xoxb-: api.slack.com/apps → the app → OAuth & Permissions → \
         Bot User OAuth Token (after “Install to Workspace”)",
    ),
    guide(
        "SLACK_SIGNING_SECRETS",
        Check::Plain,
        "the Slack app's signing secret, for the buttons: api.slack.com/apps → the app → Basic Information → App \
         Credentials → Signing Secret → Show",
    ),
    guide(
        "TYPETALK_ALERT_TOKEN",
        Check::Plain,
        "the token of the alert topic's bot: the topic's settings → Bots → the bot, with the scope topic.post",
    ),
    guide(
        "TYPETALK_ONCALL_TOKEN",
        Check::Plain,
        "the token of the on-call topic's bot: the topic's settings → Bots → the bot, with the scope topic.post",
    ),
    guide(
        "GOOGLE_CREDENTIALS",
        Check::GoogleFile,
        "the path of the Google service account's key file: console.cloud.google.com → IAM & Admin → Service Accounts \
         → the account → Keys → Add key → JSON",
    ),
    Guide {
        name: "PAGERDUTY_SIGNING_SECRETS",
        words: "what PagerDuty signs webhooks with; PagerDuty shows it once, when the subscription is created",
        check: Check::Plain,
        by_command: Some("cargo oncall pagerduty register"),
    },
    Guide {
        name: "PAGERDUTY_TOKENS",
        words: "a secret of your own for v2 webhooks, which the extension sends as `Authorization: Bearer …`",
        check: Check::Plain,
        by_command: Some("cargo oncall secrets PAGERDUTY_TOKENS, if you use v2 webhooks"),
    },
    guide(
        "PAGERDUTY_API_KEY",
        Check::PagerDuty,
        "a read-only REST key of PagerDuty, for the list of open incidents: Integrations → Developer Tools → API \
         Access Keys → Create New API Key → Read-only",
    ),
    guide(
        "PAGERDUTY_ACTION_KEY",
        Check::PagerDuty,
        "a REST key of PagerDuty that may write, for the buttons: Integrations → Developer Tools → API Access Keys → \
         Create New API Key",
    ),
    guide(
        "NOTICE_TOKENS",
        Check::Plain,
        "tokens of those who may post notices, such as a CI job: make them up, 32 characters or more",
    ),
    guide("HEARTBEAT_URL", Check::Plain, "the address of an outside watchdog, such as a check of healthchecks.io"),
];

/// The guide of a secret.
#[must_use]
pub fn guide_of(name: &str) -> Option<&'static Guide> {
    GUIDES.iter().find(|guide| guide.name == name)
}

impl Guide {
    /// Asks for it; empty if it is left out.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn ask(&self, terminal: &Terminal) -> Outcome<String> {
        if self.check != Check::GoogleFile {
            return terminal.ask_secret(self.name);
        }
        terminal.ask("Path of the key file", "", |path| {
            if path.is_empty() {
                return Ok(String::new());
            }
            // As a shell would have it, and as a file that was dragged into the terminal is written.
            let path = path.trim_matches(['\'', '"']).replace("\\ ", " ");
            let home = std::env::home_dir().unwrap_or_default();
            let path = path.strip_prefix("~/").map_or_else(|| path.clone().into(), |rest| home.join(rest));
            std::fs::read_to_string(&path).map_err(|error| format!("{} can't be read ({error})", path.display()))
        })
    }

    /// Asks the service whether it takes it; what there is to say about it, without the secret.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub async fn check(
        &self,
        value: &str,
        settings: &HashMap<String, String>,
        terminal: &Terminal,
    ) -> Result<String, Objection> {
        let setting = |name: &str, default: &str| {
            settings.get(name).filter(|value| !value.is_empty()).cloned().unwrap_or_else(|| default.to_owned())
        };
        match self.check {
            Check::Slack => {
                let url = setting("SLACK_BASE_URL", "https://slack.com");
                Ok(terminal.while_waiting("asking Slack", slack(value, &url)).await?)
            }
            Check::GoogleFile => {
                let account = google(value)?;
                signs(value)?;
                terminal.while_waiting("asking Google", Box::pin(sheet(value, &account, settings))).await
            }
            Check::PagerDuty => {
                let url = setting("PAGERDUTY_BASE_URL", super::pagerduty::US);
                let account = PagerDuty::with_key(&url, value, terminal).await.map_err(|error| error.to_string())?;
                for service in setting("PAGERDUTY_SERVICES", "").split(',').map(str::trim).filter(|id| !id.is_empty()) {
                    account.get(&format!("/services/{service}")).await?;
                }
                Ok("PagerDuty takes it".to_owned())
            }
            Check::Plain if value.len() < 8 || value.contains(char::is_whitespace) => {
                Err("it is too short for a secret, or has blanks; copy it whole".to_owned().into())
            }
            Check::Plain => Ok("it can't be tried without posting; `cargo oncall send-test` will".to_owned()),
        }
    }
}

/// The account that a Google key file is of.
fn google(text: &str) -> Result<String, String> {
    let key: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|_| "that is no JSON; take the file as Google's console gave it".to_owned())?;
    let field = |name: &str| key[name].as_str().unwrap_or_default();
    if field("type") != "service_account" && field("private_key").is_empty() {
        return Err("that is another kind of Google's files; it must be a service account's JSON key".to_owned());
    }
    if !field("private_key").contains("PRIVATE KEY")
        || field("client_email").is_empty()
        || field("token_uri").is_empty()
    {
        return Err("the file lacks private_key, client_email or token_uri; make a new key".to_owned());
    }
    Ok(field("client_email").to_owned())
}

/// Reads the sheet with a key, as the functions do.
async fn sheet(key: &str, account: &str, settings: &HashMap<String, String>) -> Result<String, Objection> {
    let mut settings = settings.clone();
    settings.retain(|name, _| !["GOOGLE_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"].contains(&name.as_str()));
    let secrets = [("GOOGLE_CREDENTIALS".to_owned(), key.to_owned())].into();
    let roster = RosterConfig::read(&Stack::environment(&settings, &secrets)).map_err(|problems| {
        let of_the_key = problems.0.iter().find(|problem| problem.variable == "GOOGLE_CREDENTIALS");
        match of_the_key {
            Some(problem) => Objection::Refused(problem.to_string()),
            None => Objection::Untold(format!("it was not tried; name the sheet with --sheet, since {problems}")),
        }
    })?;
    let RosterConfig::Google(config) = &roster else {
        return Err(Objection::Untold("it was not tried: with ROSTER_CSV set, no sheet is read".to_owned()));
    };
    let id = &config.spreadsheet_id;
    match try_out(&roster, OPERATORS_PATIENCE).await {
        Ok(None) => Ok(format!("Google takes it, and {account} can read the sheet {id}")),
        Ok(Some(SourceError { remedy, .. })) => {
            Ok(format!("Google takes it, and {account} can read the sheet {id}; but {remedy}"))
        }
        Err(SourceError { failure: SourceFailure::BadKey, remedy }) => Err(Objection::Refused(remedy)),
        Err(SourceError { failure, remedy }) => {
            // Nothing here keeps copies.
            let why = remedy.trim_end_matches("; the last good copy is used if there is one");
            Err(Objection::Untold(match failure {
                SourceFailure::Down | SourceFailure::Slow => format!(
                    "it could not be tried: {why}; check the network (the functions use no proxy, and so does this)"
                ),
                _ => format!("the sheet {id} can't be read with it: {why}"),
            }))
        }
    }
}

/// Whether a token can be signed with the key of a Google key file.
fn signs(text: &str) -> Result<(), String> {
    let file: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
    let lines = file["private_key"].as_str().unwrap_or_default().lines().map(str::trim);
    let body: String = lines.filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64_STANDARD.decode(body).ok();
    let key = der.and_then(|der| RsaKeyPair::from_pkcs8(&der).ok());
    let broken = || "its private_key can't be used; take the file as Google's console gave it, or make a new key";
    let key = key.ok_or_else(broken)?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"a token", &mut signature).map_err(|_| broken().to_owned())
}

async fn slack(token: &str, base_url: &str) -> Result<String, String> {
    if !token.starts_with("xoxb-") || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("the bot token begins with xoxb-; this is another one".to_owned());
    }
    let (answer, scopes) = ask_slack(token, base_url, "auth.test", "").await?;
    if scopes.is_some_and(|scopes| !scopes.split(',').any(|scope| scope.trim() == "chat:write")) {
        return Err("the app lacks the scope chat:write; add it and install the app again".to_owned());
    }
    let field = |name: &str| answer[name].as_str().unwrap_or("?").to_owned();
    Ok(format!("it is the bot {} of the workspace {}", field("user"), field("team")))
}

/// The channels that the bot is in: ids and names.
///
/// # Errors
/// What Slack refuses, and what to do.
pub async fn bot_channels(token: &str, base_url: &str, terminal: &Terminal) -> Result<Vec<(String, String)>, String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..MAX_PAGES {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("types", "public_channel,private_channel"), ("exclude_archived", "true"), ("limit", "200")])
            .extend_pairs((!cursor.is_empty()).then_some(("cursor", &cursor)))
            .finish();
        let asked = ask_slack(token, base_url, "users.conversations", &query);
        let (answer, _) = terminal.while_waiting("asking Slack for the bot's channels", asked).await?;
        let text = |one: &Value, field: &str| one[field].as_str().map(str::to_owned);
        let channels = answer["channels"].as_array().into_iter().flatten();
        found.extend(channels.filter_map(|one| Some((text(one, "id")?, text(one, "name").unwrap_or_default()))));
        cursor = text(&answer["response_metadata"], "next_cursor").unwrap_or_default();
        if cursor.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// Calls a method; the answer, and the scopes that the token has.
async fn ask_slack(token: &str, base_url: &str, method: &str, form: &str) -> Result<(Value, Option<String>), String> {
    let http = HttpClient::for_operators();
    let request = http
        .post(&format!("{base_url}/api/{method}"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    let unreachable = |why: String| format!("Slack can't be reached ({why}); check the network");
    let mut response = http.send(request).await.map_err(|error| unreachable(error.to_string()))?;
    let scopes = response.headers().get("x-oauth-scopes").and_then(|text| text.to_str().ok()).map(str::to_owned);
    let body =
        read_body(&mut response, BODY_LIMIT).await.map_err(|_| unreachable("the answer broke off".to_owned()))?;
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    match answer["error"].as_str() {
        _ if answer["ok"] == true => Ok((answer, scopes)),
        Some("missing_scope") => {
            let scope = answer["needed"].as_str().unwrap_or("channels:read,groups:read");
            Err(format!("the app lacks the scope {scope}; add it under OAuth & Permissions, and install the app again"))
        }
        code => {
            let code = code.unwrap_or("no answer of Slack's");
            Err(format!("Slack doesn't take it ({code}); copy the Bot User OAuth Token again, whole"))
        }
    }
}

#[cfg(test)]
mod tests {
    use oncall_relay::config::SETTINGS;

    use super::*;

    #[test]
    fn every_secret_among_the_settings_has_its_guide() {
        let secrets = SETTINGS.iter().filter(|setting| setting.secret);
        let missing: Vec<_> = secrets.map(|setting| setting.name).filter(|name| guide_of(name).is_none()).collect();
        assert_eq!(missing, Vec::<&str>::new());
    }

    #[test]
    fn a_google_key_is_told_from_other_files_of_google() {
        let key = r#"{"type":"service_account","client_email":"a@b.iam.gserviceaccount.com","private_key":"-----BEGIN PRIVATE KEY-----","token_uri":"https://x"}"#;
        assert_eq!(google(key).unwrap(), "a@b.iam.gserviceaccount.com");
        assert!(google(&format!("\u{feff}{key}")).is_ok());
        for (text, why) in
            [("", "no JSON"), ("{\"web\":{}}", "another kind"), (r#"{"type":"service_account"}"#, "lacks")]
        {
            assert!(google(text).unwrap_err().contains(why), "{text}");
        }
    }
}
