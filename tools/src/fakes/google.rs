//! Google's token endpoint and `spreadsheets.values.batchGet`, with one service account and one spreadsheet.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use chrono::NaiveDate;
use http::{Method, StatusCode};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::server::{Fake, Received, Reply, Service, lock};

/// The spreadsheet's id.
pub const SPREADSHEET_ID: &str = "1StandInSpreadsheet";
/// The service account that it is shared with.
pub const ACCOUNT: &str = "oncall-relay@stand-in.iam.gserviceaccount.com";

/// A key made for the stand-in; it opens nothing else.
const PRIVATE_KEY: &str = include_str!("google/private_key.pem");
const PUBLIC_KEY: &[u8] = include_bytes!("google/public_key.der");

/// A cell as somebody typed it.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A date, which Google keeps as a serial number.
    Date(NaiveDate),
    /// Text.
    Text(String),
    /// A tick box.
    Flag(bool),
}

impl From<&str> for Cell {
    /// What looks like a date to Google becomes one; all else is text.
    fn from(typed: &str) -> Self {
        typed.parse().map_or_else(|_| Self::Text(typed.to_owned()), Self::Date)
    }
}

/// Running Google services; [`Server`](super::server::Server) says how to make them fail.
pub type Google = Fake<Account>;

/// What it keeps.
#[derive(Debug, Default)]
pub struct Account {
    tabs: Mutex<BTreeMap<String, Vec<Vec<Cell>>>>,
    tokens: Mutex<Vec<String>>,
    reads: Mutex<usize>,
    /// When the reads of the last minute came.
    recent: Mutex<VecDeque<Instant>>,
    is_private: Mutex<bool>,
}

impl Google {
    /// Starts with an empty spreadsheet.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16) -> io::Result<Self> {
        let account = Account::default();
        Self::serve(port, account).await
    }

    /// The service account's key file, as the console would make it for this token endpoint.
    #[must_use]
    pub fn credentials(&self) -> String {
        json!({
            "type": "service_account", "project_id": "stand-in", "private_key_id": "1", "private_key": PRIVATE_KEY,
            "client_email": ACCOUNT, "client_id": "1", "token_uri": format!("{}/token", self.url()),
        })
        .to_string()
    }

    /// Replaces a tab's rows.
    pub fn write(&self, tab: &str, rows: &[&[&str]]) {
        let rows = rows.iter().map(|row| row.iter().map(|cell| Cell::from(*cell)).collect()).collect();
        lock(&self.state.tabs).insert(tab.to_owned(), rows);
    }

    /// Removes a tab.
    pub fn remove(&self, tab: &str) {
        lock(&self.state.tabs).remove(tab);
    }

    /// Shares the spreadsheet with the service account no longer.
    pub fn make_private(&self) {
        *lock(&self.state.is_private) = true;
    }

    /// Forgets the tokens that were given out.
    pub fn revoke_tokens(&self) {
        lock(&self.state.tokens).clear();
    }

    /// How often the spreadsheet was read.
    #[must_use]
    pub fn reads(&self) -> usize {
        *lock(&self.state.reads)
    }
}

impl Service for Account {
    fn answer(&self, request: &Received) -> Reply {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/token") => self.token(request).unwrap_or_else(|why| {
                Reply::json(StatusCode::BAD_REQUEST, &json!({"error": "invalid_grant", "error_description": why}))
            }),
            (&Method::GET, path) if path.starts_with("/v4/spreadsheets/") => {
                *lock(&self.reads) += 1;
                self.within_quota().and_then(|()| self.values(request)).unwrap_or_else(|(status, reason, message)| {
                    let error = json!({"code": status.as_u16(), "message": message, "status": reason});
                    Reply::json(status, &json!({"error": error}))
                })
            }
            _ => Reply::empty(StatusCode::NOT_FOUND),
        }
    }
}

type Refusal = (StatusCode, &'static str, String);

impl Account {
    /// <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>
    fn token(&self, request: &Received) -> Result<Reply, &'static str> {
        let form: HashMap<_, _> = url::form_urlencoded::parse(request.body()).collect();
        if form.get("grant_type").map(AsRef::as_ref) != Some("urn:ietf:params:oauth:grant-type:jwt-bearer") {
            return Err("unsupported grant type");
        }
        let assertion = form.get("assertion").ok_or("no assertion")?;
        let (signed, signature) = assertion.rsplit_once('.').ok_or("no JWT")?;
        let decode = |part: &str| URL_SAFE.decode(part).map_err(|_| "no base64");
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, PUBLIC_KEY)
            .verify(signed.as_bytes(), &decode(signature)?)
            .map_err(|_| "Invalid JWT Signature.")?;
        let (_, claims) = signed.split_once('.').ok_or("no claims")?;
        let claims: Value = serde_json::from_slice(&decode(claims)?).map_err(|_| "no JSON")?;
        let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let lasts = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat);
        let valid = claims["iss"] == ACCOUNT
            && claims["aud"] == format!("http://{host}/token")
            && claims["scope"] == "https://www.googleapis.com/auth/spreadsheets.readonly"
            && lasts.is_some_and(|seconds| (1..=3600).contains(&seconds));
        if !valid {
            return Err("Invalid claims.");
        }
        let mut tokens = lock(&self.tokens);
        let token = format!("ya29.stand-in-{}", tokens.len() + 1);
        tokens.push(token.clone());
        Ok(Reply::json(StatusCode::OK, &json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})))
    }

    /// 60 reads a minute for a user: <https://developers.google.com/workspace/sheets/api/limits>
    fn within_quota(&self) -> Result<(), Refusal> {
        let mut recent = lock(&self.recent);
        recent.retain(|read| read.elapsed() < Duration::from_mins(1));
        if recent.len() == 60 {
            return Err((StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED", "Quota exceeded".to_owned()));
        }
        recent.push_back(Instant::now());
        Ok(())
    }

    fn values(&self, request: &Received) -> Result<Reply, Refusal> {
        let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if !lock(&self.tokens).iter().any(|known| known == token) {
            return Err((StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "invalid credentials".to_owned()));
        }
        if request.uri().path() != format!("/v4/spreadsheets/{SPREADSHEET_ID}/values:batchGet") {
            return Err((StatusCode::NOT_FOUND, "NOT_FOUND", "Requested entity was not found.".to_owned()));
        }
        if *lock(&self.is_private) {
            return Err((StatusCode::FORBIDDEN, "PERMISSION_DENIED", "The caller does not have permission".to_owned()));
        }
        let invalid = |message: String| (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message);
        let mut ranges = Vec::new();
        let (mut unformatted, mut serial) = (false, false);
        for (name, value) in url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
            match (name.as_ref(), value.as_ref()) {
                ("ranges", range) => ranges.push(range.to_owned()),
                ("valueRenderOption", "UNFORMATTED_VALUE") => unformatted = true,
                ("dateTimeRenderOption", "SERIAL_NUMBER") => serial = true,
                ("alt", "json") => {}
                (name, _) => return Err(invalid(format!("Invalid JSON payload received. Unknown name \"{name}\""))),
            }
        }
        let tabs = lock(&self.tabs);
        let value_ranges: Result<Vec<_>, _> = ranges
            .iter()
            .map(|range| {
                let tab = range.split('!').next().unwrap_or_default().trim_matches('\'');
                let rows = tabs.get(tab).ok_or_else(|| invalid(format!("Unable to parse range: {range}")))?;
                Ok(value_range(tab, rows, unformatted && serial))
            })
            .collect();
        Ok(Reply::json(StatusCode::OK, &json!({"spreadsheetId": SPREADSHEET_ID, "valueRanges": value_ranges?})))
    }
}

/// Empty cells at the end of a row and empty rows at the end of a tab are left out, as Google does.
fn value_range(tab: &str, rows: &[Vec<Cell>], serial: bool) -> Value {
    let mut values: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| {
            let mut row: Vec<_> = row.iter().map(|cell| value(cell, serial)).collect();
            row.truncate(row.iter().rposition(|cell| cell != "").map_or(0, |last| last + 1));
            row
        })
        .collect();
    values.truncate(values.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1));
    let mut range = json!({"range": format!("'{tab}'!A1:Z1000"), "majorDimension": "ROWS"});
    if !values.is_empty() {
        range["values"] = json!(values);
    }
    range
}

fn value(cell: &Cell, serial: bool) -> Value {
    match cell {
        Cell::Date(date) if serial => {
            json!((*date - NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default()).num_days())
        }
        // How a Japanese sheet shows it: ambiguous, which is why serial numbers are asked for.
        Cell::Date(date) => json!(date.format("%m/%d").to_string()),
        Cell::Text(text) => json!(text),
        Cell::Flag(flag) => json!(flag),
    }
}
