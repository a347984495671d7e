//! Settings of the roster: a Google Sheet, or files.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use yup_oauth2::ServiceAccountKey;

use super::reader::{Environment, Problems, Reader};
use crate::domain::event::Link;

/// Where the roster is.
#[derive(Debug, Clone)]
pub enum RosterConfig {
    /// A Google Sheet.
    Google(Box<GoogleConfig>),
    /// Files.
    Csv(CsvConfig),
}

impl RosterConfig {
    /// Reads it alone, for whoever tries out whether it can be read.
    ///
    /// # Errors
    /// All problems, not only the first.
    pub fn read(environment: &Environment) -> Result<Self, Problems> {
        let mut reader = Reader::new(environment);
        let roster = roster(&mut reader);
        reader.finish(roster).map(|(roster, _)| roster)
    }

    /// Where people edit it, if it is a sheet.
    #[must_use]
    pub fn link(&self) -> Option<Link> {
        let Self::Google(google) = self else { return None };
        Link::parse(&format!("https://docs.google.com/spreadsheets/d/{}/edit", google.spreadsheet_id))
    }

    /// The variable that would name the members tab, if it isn't set.
    pub(super) fn missing_members(&self) -> Option<&'static str> {
        match self {
            Self::Google(google) => google.members_range.is_none().then_some("MEMBERS_RANGE"),
            Self::Csv(csv) => csv.members.is_none().then_some("MEMBERS_CSV"),
        }
    }
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

pub(super) fn roster(reader: &mut Reader<'_>) -> Option<RosterConfig> {
    let members_csv = reader.readable_file("MEMBERS_CSV");
    if reader.is_set("ROSTER_CSV") {
        if reader.is_set("SPREADSHEET_ID") {
            reader.warn("ROSTER_CSV is set, so the sheet of SPREADSHEET_ID is not read; remove one of the two");
        }
        let roster = reader.readable_file("ROSTER_CSV")?;
        return Some(RosterConfig::Csv(CsvConfig { roster, members: members_csv }));
    }
    if members_csv.is_some() {
        reader.half_set("MEMBERS_CSV", "ROSTER_CSV", "the roster as a file; for a spreadsheet, set MEMBERS_RANGE");
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
    let key = parsed_key(&json, 0).filter(|key| {
        let token_uri = url::Url::parse(&key.token_uri);
        token_uri.is_ok_and(|uri| matches!(uri.scheme(), "http" | "https")) && !key.client_email.is_empty()
    });
    if key.is_none() {
        reader.malformed(
            variable,
            "it is not a service account's key; make a JSON key in the Google Cloud console and use it whole \
             (it has `client_email`, `private_key` and `token_uri`)",
        );
    }
    key
}

/// The key, however it was wrapped on its way: with a byte-order mark, quoted or escaped once more, in base64.
fn parsed_key(text: &str, depth: usize) -> Option<ServiceAccountKey> {
    const MAX_DEPTH: usize = 3;
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if let Ok(mut key) = serde_json::from_str::<ServiceAccountKey>(text) {
        key.private_key = key.private_key.replace("\\r", "").replace("\\n", "\n");
        return Some(key);
    }
    if depth == MAX_DEPTH {
        return None;
    }
    // Escaped once more, with the quotes around it or without.
    let quoted = |text: &str| serde_json::from_str::<String>(text).ok();
    let unescaped = quoted(text).or_else(|| quoted(&format!("\"{}\"", text.replace('\n', "\\n"))));
    let inner = unescaped.filter(|inner| inner != text).or_else(|| {
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '=').collect();
        let decoded = STANDARD_NO_PAD.decode(&digits).or_else(|_| URL_SAFE_NO_PAD.decode(&digits)).ok()?;
        String::from_utf8(decoded).ok()
    });
    parsed_key(&inner?, depth + 1)
}
