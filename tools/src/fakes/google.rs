//! Google's token endpoint, `spreadsheets.values.batchGet` and what of `spreadsheets.get` says what is merged, with one service account and one spreadsheet.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;
use http::{Method, StatusCode};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::server::{Fake, Received, Reply, Service, lock};

/// The spreadsheet's id.
pub const SPREADSHEET_ID: &str = "1StandInSpreadsheet";
/// The path of what says which of its cells are merged.
pub const SPREADSHEET_PATH: &str = "/v4/spreadsheets/1StandInSpreadsheet";
/// The path of its values.
pub const VALUES_PATH: &str = "/v4/spreadsheets/1StandInSpreadsheet/values:batchGet";
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
    /// The merged cells of each tab as row, column, rows, columns, from 0.
    merges: Mutex<BTreeMap<String, Vec<[usize; 4]>>>,
    tokens: Mutex<Vec<String>>,
    reads: Mutex<usize>,
    /// When the reads of the last minute came.
    recent: Mutex<VecDeque<Instant>>,
    is_private: Mutex<bool>,
    is_excel: Mutex<bool>,
    is_disabled: Mutex<bool>,
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

    /// Merges cells of a tab: row, column, rows, columns, from 0. Only the first keeps its value.
    pub fn merge(&self, tab: &str, merge: [usize; 4]) {
        let [top, left, height, width] = merge;
        let mut tabs = lock(&self.state.tabs);
        let rows = tabs.entry(tab.to_owned()).or_default();
        for (row, cells) in rows.iter_mut().enumerate().skip(top).take(height) {
            for (column, cell) in cells.iter_mut().enumerate().skip(left).take(width) {
                if (row, column) != (top, left) {
                    *cell = Cell::Text(String::new());
                }
            }
        }
        lock(&self.state.merges).entry(tab.to_owned()).or_default().push(merge);
    }

    /// Removes a tab.
    pub fn remove(&self, tab: &str) {
        lock(&self.state.tabs).remove(tab);
    }

    /// Shares the spreadsheet with the service account no longer.
    pub fn make_private(&self) {
        *lock(&self.state.is_private) = true;
    }

    /// Shares it again.
    pub fn share(&self) {
        *lock(&self.state.is_private) = false;
    }

    /// Has the Google Sheets API disabled in the account's project, or enabled.
    pub fn disable_api(&self, is_disabled: bool) {
        *lock(&self.state.is_disabled) = is_disabled;
    }

    /// Puts an Excel file in the spreadsheet's place.
    pub fn make_excel(&self) {
        *lock(&self.state.is_excel) = true;
    }

    /// Forgets how often the sheet was read within the last minute.
    pub fn forget_reads(&self) {
        lock(&self.state.recent).clear();
    }

    /// Forgets the tokens that were given out.
    pub fn revoke_tokens(&self) {
        lock(&self.state.tokens).clear();
    }

    /// How many requests have read the spreadsheet: each counts, whatever it reads.
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
                self.within_quota().and_then(|()| self.spreadsheet(request)).unwrap_or_else(
                    |(status, reason, message)| {
                        let mut error = json!({"code": status.as_u16(), "message": message, "status": reason});
                        if *lock(&self.is_disabled) {
                            let kind = "type.googleapis.com/google.rpc.ErrorInfo";
                            error["details"] = json!([{"@type": kind, "reason": "SERVICE_DISABLED"}]);
                        }
                        Reply::json(status, &json!({"error": error}))
                    },
                )
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
        // Google takes both: a JWT's parts have no padding (RFC 7515), and some libraries send it.
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).map_err(|_| "no base64");
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

    fn spreadsheet(&self, request: &Received) -> Result<Reply, Refusal> {
        let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if !lock(&self.tokens).iter().any(|known| known == token) {
            return Err((StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "invalid credentials".to_owned()));
        }
        if *lock(&self.is_disabled) {
            let message = "Google Sheets API has not been used in project 1 before or it is disabled.";
            return Err((StatusCode::FORBIDDEN, "PERMISSION_DENIED", message.to_owned()));
        }
        let method = request.uri().path().strip_prefix(&format!("/v4/spreadsheets/{SPREADSHEET_ID}"));
        let Some(method @ ("" | "/values:batchGet")) = method else {
            return Err((StatusCode::NOT_FOUND, "NOT_FOUND", "Requested entity was not found.".to_owned()));
        };
        if *lock(&self.is_private) {
            return Err((StatusCode::FORBIDDEN, "PERMISSION_DENIED", "The caller does not have permission".to_owned()));
        }
        if *lock(&self.is_excel) {
            let message = "This operation is not supported for this document";
            return Err((StatusCode::BAD_REQUEST, "FAILED_PRECONDITION", message.to_owned()));
        }
        let query = request.uri().query().unwrap_or_default();
        if method.is_empty() { self.merged(query) } else { self.values(query) }
    }

    /// <https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/get>
    fn merged(&self, query: &str) -> Result<Reply, Refusal> {
        let parameters: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let fields = parameters.get("fields").map(AsRef::as_ref);
        if fields != Some("sheets(properties.title,merges)") || parameters.keys().any(|n| n != "fields" && n != "alt") {
            return Err(invalid(format!("Request contains an invalid argument: {query}")));
        }
        let merges = lock(&self.merges);
        let sheets = lock(&self.tabs)
            .keys()
            .map(|tab| {
                let mut sheet = json!({"properties": {"title": tab}});
                if let Some(merges) = merges.get(tab) {
                    sheet["merges"] = merges
                        .iter()
                        .map(|[row, column, rows, columns]| {
                            json!({
                                "startRowIndex": row, "endRowIndex": row + rows,
                                "startColumnIndex": column, "endColumnIndex": column + columns,
                            })
                        })
                        .collect();
                }
                sheet
            })
            .collect::<Vec<_>>();
        Ok(Reply::json(StatusCode::OK, &json!({"sheets": sheets})))
    }

    fn values(&self, query: &str) -> Result<Reply, Refusal> {
        let mut ranges = Vec::new();
        let (mut unformatted, mut serial) = (false, false);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
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
                let unparsed = || invalid(format!("Unable to parse range: {range}"));
                let (tab, cells) = range.rsplit_once('!').unwrap_or((range, "A1:Z1000"));
                let quoted = tab.strip_prefix('\'').and_then(|tab| tab.strip_suffix('\''));
                let tab = quoted.map_or_else(|| tab.to_owned(), |tab| tab.replace("''", "'"));
                let rows = tabs.get(&tab).ok_or_else(unparsed)?;
                let corners = corners(cells).ok_or_else(unparsed)?;
                Ok(value_range(&tab, rows, corners, unformatted && serial))
            })
            .collect();
        Ok(Reply::json(StatusCode::OK, &json!({"spreadsheetId": SPREADSHEET_ID, "valueRanges": value_ranges?})))
    }
}

fn invalid(message: String) -> Refusal {
    (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
}

/// The first and the last cell of `B3:D`, as row and column from 0; a tab has 26 columns, and rows as needed.
fn corners(cells: &str) -> Option<[(usize, usize); 2]> {
    let corner = |cell: &str, missing: (usize, usize)| {
        let digits = cell.trim_start_matches(|c: char| c.is_ascii_uppercase());
        let column = match &cell.as_bytes()[..cell.len() - digits.len()] {
            [] => missing.1,
            [letter] => usize::from(letter - b'A'),
            _ => return None,
        };
        let row = if digits.is_empty() { missing.0 } else { digits.parse::<usize>().ok()?.checked_sub(1)? };
        (!cell.is_empty()).then_some((row, column))
    };
    let (first, last) = cells.split_once(':').unwrap_or((cells, cells));
    Some([corner(first, (0, 0))?, corner(last, (99_999, 25))?])
}

/// Empty cells at the end of a row and empty rows at the end of a range are left out, as Google does.
fn value_range(tab: &str, rows: &[Vec<Cell>], corners: [(usize, usize); 2], serial: bool) -> Value {
    let [(top, left), (bottom, right)] = corners;
    let mut values: Vec<Vec<Value>> = rows
        .iter()
        .take(bottom + 1)
        .skip(top)
        .map(|row| {
            let mut row: Vec<_> = row.iter().take(right + 1).skip(left).map(|cell| value(cell, serial)).collect();
            row.truncate(row.iter().rposition(|cell| cell != "").map_or(0, |last| last + 1));
            row
        })
        .collect();
    values.truncate(values.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1));
    let letter = |column: usize| char::from(b'A' + u8::try_from(column).unwrap_or(25));
    let (first, last) = (letter(left), letter(right));
    let place =
        format!("'{}'!{first}{}:{last}{}", tab.replace('\'', "''"), top + 1, bottom.min(rows.len().max(1_000) - 1) + 1);
    let mut range = json!({"range": place, "majorDimension": "ROWS"});
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
