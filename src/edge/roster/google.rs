//! The roster from a Google Sheet, as a service account: the ranges' values, and beside them what is merged.
//!
//! A reading is two requests, at most every 15 s: 8 a minute for a process, of the 60 that Google allows a user.
//!
//! Sources: <https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/batchGet>,
//! <https://developers.google.com/workspace/sheets/api/guides/field-masks>,
//! <https://developers.google.com/workspace/sheets/api/limits>

mod bounded;
mod failed;
mod ranges;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use google_sheets4::api::{Scope, ValueRange};
use google_sheets4::common::{Delegate, Response, Retry, to_body};
use google_sheets4::{Error, Sheets};
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{Request, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use yup_oauth2::authenticator::Authenticator;
use yup_oauth2::error::AuthErrorCode;
use yup_oauth2::{CustomHyperClientBuilder, ServiceAccountAuthenticator};

use self::bounded::Bounded;
use self::failed::{Failed, Range};
use self::ranges::{FIELDS, Merges};
use super::{MAX_ROWS, MAX_SOURCE, MembersTable, Read, SourceError, Tables};
use crate::budget::{IDLE_CONNECTION, ROSTER_AGAIN};
use crate::config::GoogleConfig;
use crate::edge::beside::while_waiting;
use crate::edge::http::tls;

type Connector = Bounded<HttpsConnector<HttpConnector>>;

/// One try of a request.
type Attempt<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failed>> + Send + 'a>>;

const SCOPE: Scope = Scope::SpreadsheetReadonly;
const NAME: &str = concat!("oncall-relay/", env!("CARGO_PKG_VERSION"));
/// An answer's head, and the marks between its chunks.
const AROUND_BODY: usize = 64 * 1024;

/// A spreadsheet and the account that may read it.
pub(super) struct Spreadsheet {
    hub: Sheets<Connector>,
    connector: Connector,
    address: Uri,
    /// Where it is told what is merged.
    merges: Uri,
    authenticator: Authenticator<Connector>,
    id: String,
    roster_range: String,
    members_range: Option<String>,
    account: String,
    /// Whether an answer was broken off because of its size.
    exceeded: Arc<AtomicBool>,
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
        let exceeded = Arc::<AtomicBool>::default();
        let authenticator = ServiceAccountAuthenticator::with_client(
            config.key.clone(),
            CustomHyperClientBuilder::from(client::<String>(connector(&exceeded))),
        )
        .build()
        .await
        .map_err(|_| KeyError)?;
        let connector = connector(&exceeded);
        let mut hub = Sheets::new(client(connector.clone()), authenticator.clone());
        let address = config.base_url.parse().unwrap_or_default();
        let merges = format!("{}/v4/spreadsheets/{}?fields={FIELDS}", config.base_url, config.spreadsheet_id);
        hub.base_url(format!("{}/", config.base_url));
        hub.user_agent(NAME.to_owned());
        Ok(Self {
            hub,
            connector,
            address,
            merges: merges.parse().unwrap_or_default(),
            authenticator,
            id: config.spreadsheet_id.clone(),
            roster_range: config.roster_range.clone(),
            members_range: config.members_range.clone(),
            account: config.key.client_email.clone(),
            exceeded,
        })
    }

    pub(super) async fn read(&self, deadline: Instant) -> Result<Read, SourceError> {
        let roster_range = Range { setting: "ROSTER_RANGE", cells: &self.roster_range, loss: "" };
        let explain = |failed| self.explain(failed, &roster_range);
        self.exceeded.store(false, Ordering::Relaxed);
        // Both requests need it, and the library asks for one as often as it is called.
        let token = twice(deadline, || Box::pin(self.token()));
        // The sheet is another host's. Its two requests go side by side.
        while_waiting(token, || self.connector.open_ahead(&self.address, 2)).await.map_err(explain)?;
        let ranges: Vec<&str> =
            [&self.roster_range].into_iter().chain(&self.members_range).map(String::as_str).collect();
        let (values, merges) = tokio::join!(self.values(&ranges, deadline), self.merges(deadline));
        let (mut values, refused_members) = match values {
            // Google refuses the whole batch for one bad range. Which one is it?
            Err(failed) if ranges.len() > 1 && failed.is_about_a_range() => {
                self.exceeded.store(false, Ordering::Relaxed);
                (self.values(&ranges[..1], deadline).await.map_err(explain)?, Some(failed))
            }
            values => (values.map_err(explain)?, None),
        };
        let merges = merges.map_err(explain)?;
        let mut next = || (!values.is_empty()).then(|| ranges::table(values.remove(0), &merges));
        let roster = next().ok_or(Failed::Garbled).map_err(explain)?;
        if roster.rows.len() > MAX_ROWS {
            return Err(roster_range.too_many_rows(roster.rows.len(), MAX_ROWS));
        }
        let Some(range) = &self.members_range else {
            return Ok(Read { tables: Tables { roster, members: MembersTable::None }, complaint: None });
        };
        let loss = ", so nobody new can be mapped to a chat";
        let range = Range { setting: "MEMBERS_RANGE", cells: range, loss };
        let members = match (refused_members, next()) {
            (Some(failed), _) => Err(self.explain(failed, &range)),
            (None, None) => return Err(explain(Failed::Garbled)),
            (None, Some(members)) if members.rows.len() > MAX_ROWS => {
                Err(range.too_many_rows(members.rows.len(), MAX_ROWS))
            }
            (None, Some(members)) => Ok(members),
        };
        let (members, complaint) = match members {
            Ok(members) => (MembersTable::Table(members), None),
            Err(complaint) => (MembersTable::Unreadable, Some(complaint)),
        };
        Ok(Read { tables: Tables { roster, members }, complaint })
    }

    async fn token(&self) -> Result<(), Failed> {
        self.authenticator.token(&[SCOPE.as_ref()]).await.map(drop).map_err(|why| no_token(&why))
    }

    async fn values(&self, ranges: &[&str], deadline: Instant) -> Result<Vec<ValueRange>, Failed> {
        let request = || -> Attempt<'_, _> { Box::pin(self.values_once(ranges)) };
        twice(deadline, || Box::pin(self.admitted(request))).await
    }

    async fn merges(&self, deadline: Instant) -> Result<Merges, Failed> {
        let request = || -> Attempt<'_, _> { Box::pin(self.merges_once()) };
        twice(deadline, || Box::pin(self.admitted(request))).await
    }

    async fn values_once(&self, ranges: &[&str]) -> Result<Vec<ValueRange>, Failed> {
        let mut seen = Seen::default();
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
        self.answer(result, &seen).map(|answer| answer.value_ranges.unwrap_or_default())
    }

    /// Not by the library, which would read any spreadsheet with all that is in it: a tenth of the function would be
    /// code for charts and pivot tables.
    async fn merges_once(&self) -> Result<Merges, Failed> {
        let token = self.authenticator.token(&[SCOPE.as_ref()]).await.map_err(|why| no_token(&why))?;
        let request = Request::get(self.merges.clone())
            .header(AUTHORIZATION, format!("Bearer {}", token.token().unwrap_or_default()))
            .header(USER_AGENT, NAME)
            .body(to_body::<&str>(None))
            .map_err(|_| Failed::Unreachable)?;
        let broken_off = |otherwise| if self.exceeded.load(Ordering::Relaxed) { Failed::TooLarge } else { otherwise };
        let answer = self.hub.client.request(request).await.map_err(|_| broken_off(Failed::Unreachable))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|_| broken_off(Failed::BrokenOff))?.to_bytes();
        if !status.is_success() {
            return Err(Failed::refused(status.as_u16(), serde_json::from_slice(&body).ok().as_ref()));
        }
        match &body[..] {
            [] => Err(Failed::BrokenOff),
            body if body.len() > MAX_SOURCE => Err(Failed::TooLarge),
            body => ranges::merges(body).ok_or(Failed::Garbled),
        }
    }

    /// Asks once more if Google no longer accepts the token that we held for valid.
    async fn admitted<'a, T>(&self, request: impl Fn() -> Attempt<'a, T>) -> Result<T, Failed> {
        match request().await {
            Err(failed) if failed.is_about_the_token() => {
                self.authenticator.force_refreshed_token(&[SCOPE.as_ref()]).await.map_err(|why| no_token(&why))?;
                request().await
            }
            answer => answer,
        }
    }

    fn answer<T>(&self, result: Result<(Response, T), Error>, seen: &Seen) -> Result<T, Failed> {
        match result {
            Ok((response, _)) if response.body().size_hint().lower() > MAX_SOURCE as u64 => Err(Failed::TooLarge),
            Ok((_, answer)) => Ok(answer),
            Err(Error::MissingToken(why)) => Err(no_token(why.as_ref())),
            Err(_) if self.exceeded.load(Ordering::Relaxed) => Err(Failed::TooLarge),
            Err(Error::HttpError(_) | Error::Io(_)) => Err(Failed::Unreachable),
            // The library takes what breaks off for an empty answer.
            Err(Error::JsonDecodeError(text, _)) if text.is_empty() => Err(Failed::BrokenOff),
            Err(_) => Err(seen.refusal.unwrap_or(Failed::Garbled)),
        }
    }
}

/// Tries once more what may pass. A slow answer is still waited for beside the second try.
async fn twice<'a, T>(deadline: Instant, request: impl Fn() -> Attempt<'a, T>) -> Result<T, Failed> {
    let mut first = request();
    let half = deadline.saturating_duration_since(Instant::now()) / 2;
    match timeout(half, &mut first).await {
        Ok(Err(failed)) if failed.may_pass() => {
            sleep(ROSTER_AGAIN).await;
            request().await
        }
        Ok(answer) => answer,
        Err(_) => {
            let mut second = request();
            let may_pass = |answer: &Result<T, Failed>| answer.as_ref().is_err_and(|failed| failed.may_pass());
            tokio::select! {
                answer = &mut first => if may_pass(&answer) { second.await } else { answer },
                answer = &mut second => if may_pass(&answer) { first.await } else { answer },
            }
        }
    }
}

/// Only what OAuth has words for is about our key; anything else, `temporarily_unavailable` too, is an outage.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>
fn no_token(why: &(dyn std::error::Error + 'static)) -> Failed {
    match why.downcast_ref::<yup_oauth2::Error>() {
        Some(yup_oauth2::Error::AuthError(why)) if !matches!(why.error, AuthErrorCode::Other(_)) => {
            Failed::TokenRefused
        }
        _ => Failed::NoToken,
    }
}

/// Keeps the refusal, which the library's error tells in part only.
#[derive(Default)]
struct Seen {
    refusal: Option<Failed>,
}

impl Delegate for Seen {
    fn http_failure(&mut self, response: &Response, body: Option<&Value>) -> Retry {
        self.refusal = Some(Failed::refused(response.status().as_u16(), body));
        Retry::Abort
    }
}

fn connector(exceeded: &Arc<AtomicBool>) -> Connector {
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls()).https_or_http().enable_http1().build();
    Bounded::new(connector, MAX_SOURCE + AROUND_BODY, Arc::clone(exceeded))
}

fn client<B>(connector: Connector) -> Client<Connector, B>
where
    B: hyper::body::Body + Send,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_CONNECTION)
        .build(connector)
}
