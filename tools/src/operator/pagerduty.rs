//! PagerDuty's REST API with an operator's key, which is asked for and kept nowhere.

use std::time::Duration;

use http::Method;
use oncall_relay::edge::http::{HttpClient, read_body};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::sleep;
use url::Url;

use super::dialogue::{Outcome, Terminal};

/// Accounts in the US, and all that don't know where they are.
pub const US: &str = "https://api.pagerduty.com";
/// Accounts in the EU.
pub const EU: &str = "https://api.eu.pagerduty.com";

const PAGE: usize = 100;
const MAX_PAGES: usize = 100;
const BODY_LIMIT: usize = 16 << 20;
/// The longest that is waited for a limit to pass.
const LONGEST_PAUSE: u64 = 60;

/// An account, seen with one key.
#[derive(Debug)]
pub struct PagerDuty {
    http: HttpClient,
    base_url: String,
    key: SecretString,
    terminal: Terminal,
}

impl PagerDuty {
    /// Asks for a key and tries it.
    ///
    /// # Errors
    /// If there is no answer, or `PagerDuty` doesn't take the key.
    pub async fn sign_in(base_url: &str, terminal: &Terminal) -> Outcome<Self> {
        Self::asked(base_url, "that may write", "not read-only", terminal).await
    }

    /// Asks for a key that needs to read only, and tries it.
    ///
    /// # Errors
    /// If there is no answer, or `PagerDuty` doesn't take the key.
    pub async fn sign_in_to_read(base_url: &str, terminal: &Terminal) -> Outcome<Self> {
        Self::asked(base_url, "that may read", "read-only is enough", terminal).await
    }

    async fn asked(base_url: &str, what: &str, which: &str, terminal: &Terminal) -> Outcome<Self> {
        terminal.say(format!(
            "A REST API key of PagerDuty {what} (Integrations → Developer Tools → API Access Keys → Create New API Key, \
             {which}; or your own: My Profile → User Settings → Create API User Token). It is used now and stored nowhere."
        ));
        let key = terminal.ask_secret("PagerDuty REST API key")?;
        Self::with_key(base_url, &key, terminal).await
    }

    /// With a key that is known already.
    ///
    /// # Errors
    /// If `PagerDuty` doesn't take the key.
    pub async fn with_key(base_url: &str, key: &str, terminal: &Terminal) -> Outcome<Self> {
        if key.len() < 8 || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(
                "that is no PagerDuty key: they are some 20 letters, digits and signs; nothing was changed".into()
            );
        }
        let base_url = base_url.trim_end_matches('/').to_owned();
        let account = Self {
            http: HttpClient::for_operators(),
            base_url,
            key: key.to_owned().into(),
            terminal: terminal.clone(),
        };
        if let Err(error) = account.get("/abilities").await {
            return Err(account.explain_key(error).await.into());
        }
        Ok(account)
    }

    /// A key that one region refuses may be the other's.
    async fn explain_key(&self, error: String) -> String {
        let other = match self.base_url.as_str() {
            US => EU,
            EU => US,
            _ => return error,
        };
        let there = Self {
            base_url: other.to_owned(),
            http: self.http.clone(),
            key: self.key.clone(),
            terminal: self.terminal.clone(),
        };
        if error.contains("(401)") && there.get("/abilities").await.is_ok() {
            return format!(
                "this key is of an account at {other}, and the relay is set up for {}: run `cargo oncall init` again, \
                 give it the address of a service's page, which tells where the account is, and `sam deploy`",
                self.base_url
            );
        }
        error
    }

    /// Reads.
    ///
    /// # Errors
    /// In words, with what to do.
    pub async fn get(&self, path: &str) -> Result<Value, String> {
        self.call(Method::GET, path, None).await
    }

    /// All pages of a list.
    ///
    /// # Errors
    /// In words, with what to do.
    pub async fn list(&self, path: &str, field: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, String> {
        let mut found = Vec::new();
        for page in 0..MAX_PAGES {
            let (limit, offset) = (PAGE.to_string(), (page * PAGE).to_string());
            let query = query.iter().copied().chain([("limit", limit.as_str()), ("offset", offset.as_str())]);
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            let mut answer = self.get(&format!("{path}?{query}")).await?;
            let more = answer["more"].as_bool().unwrap_or(false);
            let Value::Array(items) = answer[field].take() else {
                return Err(format!("PagerDuty's answer to {path} has no {field}; is {} its address?", self.base_url));
            };
            found.extend(items);
            if !more {
                break;
            }
        }
        Ok(found)
    }

    /// Calls; where a limit is reached, once more after it.
    ///
    /// # Errors
    /// In words, with what to do.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let words = format!("PagerDuty: {method} {}", path.split('?').next().unwrap_or(path));
        for attempt in 0..2 {
            let exchange = self.exchange(&method, path, body.as_ref());
            let (status, wait, answer) = self.terminal.while_waiting(&words, exchange).await?;
            match status {
                200..=299 => return Ok(answer),
                429 if attempt == 0 => {
                    self.terminal.while_waiting(&words, sleep(Duration::from_secs(wait.min(LONGEST_PAUSE)))).await;
                }
                _ => return Err(refusal(&words, status, &answer)),
            }
        }
        Err(refusal(&words, 429, &Value::Null))
    }

    /// Deletes; what is gone already is as good as deleted.
    ///
    /// # Errors
    /// In words, with what to do.
    pub async fn delete(&self, path: &str) -> Result<(), String> {
        match self.call(Method::DELETE, path, None).await {
            Err(why) if !why.contains(" was refused (404)") => Err(why),
            _ => Ok(()),
        }
    }

    async fn exchange(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<(u16, u64, Value), String> {
        let url = Url::parse(&format!("{}{path}", self.base_url))
            .map_err(|_| format!("{} is no address; correct PAGERDUTY_BASE_URL", self.base_url))?;
        let mut request = self
            .http
            .request(method.clone(), url.as_str())
            .header("accept", "application/vnd.pagerduty+json;version=2")
            .header("content-type", "application/json")
            .header("authorization", format!("Token token={}", self.key.expose_secret()));
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let unreachable =
            |why: String| format!("PagerDuty can't be reached at {} ({why}); check the network", self.base_url);
        let mut response = self.http.send(request).await.map_err(|error| unreachable(error.to_string()))?;
        let status = response.status().as_u16();
        let wait = response.headers().get("ratelimit-reset").and_then(|text| text.to_str().ok()?.parse().ok());
        let body =
            read_body(&mut response, BODY_LIMIT).await.map_err(|_| unreachable("the answer broke off".to_owned()))?;
        Ok((status, wait.unwrap_or(1), serde_json::from_slice(&body).unwrap_or_default()))
    }
}

/// A refusal in words.
fn refusal(words: &str, status: u16, answer: &Value) -> String {
    let details = answer["error"]["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let said: Vec<_> = answer["error"]["message"].as_str().into_iter().chain(details).collect();
    let said = if said.is_empty() { String::new() } else { format!(" “{}”", said.join("; ")) };
    let remedy = match status {
        401 => "the key is not valid; make one under Integrations → Developer Tools → API Access Keys",
        402 => "the account's plan doesn't include this",
        403 => {
            "the key may not do this: it must be an account's key that isn't read-only (only administrators make \
             them), or the token of a user who is a manager or administrator"
        }
        404 => "there is no such thing in this account; check the id, and that the key is of the right account",
        429 => "too many requests; wait a minute and run the command again",
        500.. => "PagerDuty has a failure; see status.pagerduty.com and run the command again later",
        _ => "PagerDuty doesn't take it as it is",
    };
    format!("{words} was refused ({status}){said}: {remedy}")
}
