//! The roster from a Google Sheet: one `values:batchGet` for all ranges, as a service account.
//!
//! Source: <https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/batchGet>

use std::fmt;
use std::time::Duration;

use google_sheets4::api::{Scope, ValueRange};
use google_sheets4::common::{Delegate, Response, Retry};
use google_sheets4::{Error, Sheets};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::Value;
use yup_oauth2::authenticator::Authenticator;
use yup_oauth2::{CustomHyperClientBuilder, ServiceAccountAuthenticator};

use super::{MembersTable, Read, SourceError, SourceFailure, Tables};
use crate::budget::IDLE_CONNECTION;
use crate::config::GoogleConfig;
use crate::domain::roster::{Cell, Table};
use crate::edge::http::tls;

type Connector = HttpsConnector<HttpConnector>;

const SCOPE: Scope = Scope::SpreadsheetReadonly;

/// A spreadsheet and the account that may read it.
pub(super) struct Spreadsheet {
    hub: Sheets<Connector>,
    authenticator: Authenticator<Connector>,
    id: String,
    roster_range: String,
    members_range: Option<String>,
    account: String,
}

impl fmt::Debug for Spreadsheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spreadsheet").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The service account's key has the right form and can't be used all the same.
#[derive(Debug, thiserror::Error)]
#[error(
    "the `private_key` of the service account's key (GOOGLE_CREDENTIALS or GOOGLE_APPLICATION_CREDENTIALS) \
     is no RSA key; make a new JSON key in the Google Cloud console"
)]
pub struct KeyError;

impl Spreadsheet {
    pub(super) async fn new(config: &GoogleConfig) -> Result<Self, KeyError> {
        let authenticator = ServiceAccountAuthenticator::with_client(
            config.key.clone(),
            CustomHyperClientBuilder::from(client::<String>()),
        )
        .build()
        .await
        .map_err(|_| KeyError)?;
        let mut hub = Sheets::new(client(), authenticator.clone());
        hub.base_url(format!("{}/", config.base_url));
        hub.user_agent(concat!("oncall-relay/", env!("CARGO_PKG_VERSION")).to_owned());
        Ok(Self {
            hub,
            authenticator,
            id: config.spreadsheet_id.clone(),
            roster_range: config.roster_range.clone(),
            members_range: config.members_range.clone(),
            account: config.key.client_email.clone(),
        })
    }

    pub(super) async fn read(&self) -> Result<Read, SourceError> {
        let Some(members_range) = &self.members_range else {
            let [roster] = self.ranges([&self.roster_range]).await.map_err(|failed| self.explain(&failed))?;
            return Ok(Read { tables: Tables { roster, members: MembersTable::None }, complaint: None });
        };
        match self.ranges([&self.roster_range, members_range]).await {
            Ok([roster, members]) => {
                Ok(Read { tables: Tables { roster, members: MembersTable::Table(members) }, complaint: None })
            }
            // Google refuses the whole batch for one bad range. Which one is it?
            Err(Failed::Status { status: 400, .. }) => {
                let [roster] = self.ranges([&self.roster_range]).await.map_err(|failed| self.explain(&failed))?;
                let complaint = SourceError::new(
                    SourceFailure::BadRange,
                    format!(
                        "Google refuses MEMBERS_RANGE (HTTP 400), so nobody new can be mapped to a chat; \
                         check that the tab `{}` exists",
                        tab_of(members_range)
                    ),
                );
                Ok(Read { tables: Tables { roster, members: MembersTable::Unreadable }, complaint: Some(complaint) })
            }
            Err(failed) => Err(self.explain(&failed)),
        }
    }

    /// Reads ranges, once more if Google no longer accepts the token that we held for valid.
    async fn ranges<const N: usize>(&self, ranges: [&str; N]) -> Result<[Table; N], Failed> {
        match self.batch_get(&ranges).await {
            Err(Failed::Status { status: 401, .. }) => {
                self.authenticator.force_refreshed_token(&[SCOPE.as_ref()]).await.map_err(|why| no_token(&why))?;
                self.batch_get(&ranges).await
            }
            other => other,
        }
        .and_then(|tables| tables.try_into().map_err(|_| Failed::Garbled))
    }

    async fn batch_get(&self, ranges: &[&str]) -> Result<Vec<Table>, Failed> {
        let mut seen = SeenStatus::default();
        let mut call = self
            .hub
            .spreadsheets()
            .values_batch_get(&self.id)
            .value_render_option("UNFORMATTED_VALUE")
            .date_time_render_option("SERIAL_NUMBER")
            .add_scope(SCOPE)
            .delegate(&mut seen);
        for range in ranges {
            call = call.add_ranges(range);
        }
        let result = call.doit().await;
        match result {
            Ok((_, response)) => {
                response.value_ranges.unwrap_or_default().into_iter().map(|range| Ok(table(range))).collect()
            }
            Err(Error::HttpError(_) | Error::Io(_)) => Err(Failed::Unreachable),
            Err(Error::MissingToken(why)) => Err(no_token(why.as_ref())),
            Err(Error::JsonDecodeError(..)) => Err(Failed::Garbled),
            Err(_) => match seen.status {
                Some(status) => Err(Failed::Status { status }),
                None => Err(Failed::Garbled),
            },
        }
    }

    fn explain(&self, failed: &Failed) -> SourceError {
        let Self { account, .. } = self;
        match failed {
            Failed::Unreachable => SourceError::new(
                SourceFailure::Down,
                "the sheet can't be reached (SHEETS_BASE_URL); the last good copy is used if there is one",
            ),
            Failed::NoToken => SourceError::new(
                SourceFailure::Down,
                "Google's token endpoint (`token_uri` of the service account's key) can't be reached or fails",
            ),
            Failed::TokenRefused => SourceError::new(
                SourceFailure::BadKey,
                format!(
                    "Google refuses a token to {account}; check that the account exists, and that its key \
                     (GOOGLE_CREDENTIALS or GOOGLE_APPLICATION_CREDENTIALS) was not deleted"
                ),
            ),
            Failed::Garbled => SourceError::new(
                SourceFailure::Garbled,
                "the answer to reading the sheet is not Google's; check SHEETS_BASE_URL",
            ),
            Failed::Status { status: 400 } => SourceError::new(
                SourceFailure::BadRange,
                format!(
                    "Google refuses ROSTER_RANGE (HTTP 400); check that the tab `{}` exists",
                    tab_of(&self.roster_range)
                ),
            ),
            Failed::Status { status: status @ (401 | 403) } => SourceError::new(
                SourceFailure::Forbidden,
                format!(
                    "Google refuses to show the sheet (HTTP {status}); share it with {account} as a viewer, \
                     and see that the Google Sheets API is enabled in that account's project"
                ),
            ),
            Failed::Status { status: 404 } => SourceError::new(
                SourceFailure::Missing,
                "there is no such sheet (HTTP 404); SPREADSHEET_ID is the part of its address between /d/ and /edit",
            ),
            Failed::Status { status: status @ 300..=399 } => SourceError::new(
                SourceFailure::Garbled,
                format!(
                    "reading the sheet is redirected (HTTP {status}), which Google doesn't do; check SHEETS_BASE_URL"
                ),
            ),
            Failed::Status { status: 429 } => {
                SourceError::new(SourceFailure::TooManyReads, "Google's quota of reads is used up (HTTP 429)")
            }
            Failed::Status { status } => {
                SourceError::new(SourceFailure::OutOfOrder, format!("Google can't show the sheet now (HTTP {status})"))
            }
        }
    }
}

/// How a read failed, by what there is to do about it.
#[derive(Debug)]
enum Failed {
    Unreachable,
    NoToken,
    TokenRefused,
    Garbled,
    Status { status: u16 },
}

/// Only an error in OAuth's own words is about our key; anything else is an outage.
fn no_token(why: &(dyn std::error::Error + 'static)) -> Failed {
    match why.downcast_ref::<yup_oauth2::Error>() {
        Some(yup_oauth2::Error::AuthError(_)) => Failed::TokenRefused,
        _ => Failed::NoToken,
    }
}

/// Keeps the status of a refusal, which the library's error drops; and repeats what never reached Google.
#[derive(Default)]
struct SeenStatus {
    status: Option<u16>,
    repeated: bool,
}

impl Delegate for SeenStatus {
    fn http_error(&mut self, _: &hyper_util::client::legacy::Error) -> Retry {
        if std::mem::replace(&mut self.repeated, true) { Retry::Abort } else { Retry::After(Duration::from_millis(50)) }
    }

    fn http_failure(&mut self, response: &Response, _: Option<&Value>) -> Retry {
        self.status = Some(response.status().as_u16());
        Retry::Abort
    }
}

fn client<B>() -> Client<Connector, B>
where
    B: hyper::body::Body + Send,
    B::Data: Send,
{
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls()).https_or_http().enable_http1().build();
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_CONNECTION)
        .build(connector)
}

fn table(range: ValueRange) -> Table {
    let first_row = range.range.as_deref().and_then(first_row_of).unwrap_or(1);
    let rows = range.values.unwrap_or_default();
    Table { first_row, rows: rows.into_iter().map(|row| row.into_iter().map(cell).collect()).collect() }
}

pub(super) fn cell(value: Value) -> Cell {
    match value {
        Value::String(text) if text.is_empty() => Cell::Empty,
        Value::String(text) => Cell::Text(text),
        Value::Number(number) => number.as_f64().map_or(Cell::Empty, Cell::Number),
        Value::Bool(_) => Cell::Flag,
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Empty,
    }
}

/// The row of `'当番表'!A3:Z1000` is 3.
fn first_row_of(range: &str) -> Option<usize> {
    let cells = range.rsplit_once('!').map_or(range, |(_, cells)| cells);
    let first = cells.split(':').next()?;
    first.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '$').parse().ok()
}

fn tab_of(range: &str) -> &str {
    range.rsplit_once('!').map_or(range, |(tab, _)| tab).trim_matches('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_numbers_are_those_of_the_sheet() {
        for (range, row) in [
            ("'当番表'!A1:Z1000", Some(1)),
            ("Roster!B3:C", Some(3)),
            ("'a!b'!$A$17:C20", Some(17)),
            ("A2", Some(2)),
            ("Roster!A:C", None),
        ] {
            assert_eq!(first_row_of(range), row, "{range}");
        }
    }

    #[test]
    fn cells_of_any_kind_are_taken_as_they_are() {
        let values: Vec<Value> = serde_json::from_str(r#"["a", "", 46350, 1.5, true, null]"#).unwrap();
        let cells: Vec<_> = values.into_iter().map(cell).collect();
        assert_eq!(
            cells,
            [Cell::Text("a".into()), Cell::Empty, Cell::Number(46350.0), Cell::Number(1.5), Cell::Flag, Cell::Empty]
        );
    }
}
