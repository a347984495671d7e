//! How reading the sheet fails, and what the log says to do about it, by Google's own words.

use serde_json::Value;

use super::super::{SourceError, SourceFailure};
use super::Spreadsheet;
use super::ranges::tab_of;

/// How a read failed, by what there is to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    Unreachable,
    NoToken,
    TokenRefused,
    Garbled,
    /// The answer ended before its end, or was empty.
    BrokenOff,
    TooLarge,
    Refused {
        status: u16,
        why: Refusal,
    },
}

/// Google's reason, from `error.status` of its answer.
///
/// Source: <https://cloud.google.com/apis/design/errors#error_codes>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    BadRange,
    /// The document is no Google Sheet.
    OtherDocument,
    Unauthenticated,
    NotShared,
    ApiDisabled,
    Missing,
    TooManyReads,
    Redirected,
    OutOfOrder,
}

impl Failed {
    /// A refusal, from the answer's status and body, if that is JSON.
    pub(super) fn refused(status: u16, body: Option<&Value>) -> Self {
        let error = body.map(|body| &body["error"]);
        let is_disabled = || {
            let details = error.and_then(|error| error["details"].as_array());
            details.into_iter().flatten().any(|detail| detail["reason"] == "SERVICE_DISABLED")
        };
        let why = match (error.and_then(|error| error["status"].as_str()), status) {
            (Some("FAILED_PRECONDITION"), _) => Refusal::OtherDocument,
            (Some("PERMISSION_DENIED"), _) if is_disabled() => Refusal::ApiDisabled,
            (Some("RESOURCE_EXHAUSTED"), _) | (_, 429) => Refusal::TooManyReads,
            (Some("INVALID_ARGUMENT"), _) | (_, 400) => Refusal::BadRange,
            (Some("UNAUTHENTICATED"), _) | (_, 401) => Refusal::Unauthenticated,
            (Some("PERMISSION_DENIED"), _) | (_, 403) => Refusal::NotShared,
            (Some("NOT_FOUND"), _) | (_, 404) => Refusal::Missing,
            (_, 300..=399) => Refusal::Redirected,
            _ => Refusal::OutOfOrder,
        };
        Self::Refused { status, why }
    }

    /// Whether another try may do better.
    pub(super) fn may_pass(self) -> bool {
        match self {
            Self::Unreachable | Self::NoToken | Self::BrokenOff => true,
            Self::Refused { why, .. } => matches!(why, Refusal::TooManyReads | Refusal::OutOfOrder),
            Self::TokenRefused | Self::Garbled | Self::TooLarge => false,
        }
    }

    /// Whether it may be about one of several ranges, and not about the others.
    pub(super) fn is_about_a_range(self) -> bool {
        matches!(self, Self::TooLarge | Self::Refused { why: Refusal::BadRange, .. })
    }

    pub(super) fn is_about_the_token(self) -> bool {
        matches!(self, Self::Refused { why: Refusal::Unauthenticated, .. })
    }
}

/// What a range is called in the settings, and what is lost without it.
pub(super) struct Range<'a> {
    pub(super) setting: &'static str,
    pub(super) cells: &'a str,
    pub(super) loss: &'static str,
}

impl Range<'_> {
    pub(super) fn too_many_rows(&self, rows: usize, most: usize) -> SourceError {
        let Self { setting, loss, .. } = self;
        SourceError::new(
            SourceFailure::TooLarge,
            format!("{setting} has {rows} rows, more than {most}{loss}; narrow {setting} to the rows that are needed"),
        )
    }
}

impl Spreadsheet {
    pub(super) fn explain(&self, failed: Failed, range: &Range<'_>) -> SourceError {
        let (account, Range { setting, cells, loss }) = (&self.account, range);
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
            Failed::Garbled | Failed::BrokenOff => SourceError::new(
                SourceFailure::Garbled,
                "the answer to reading the sheet is not Google's; check SHEETS_BASE_URL",
            ),
            Failed::TooLarge => SourceError::new(
                SourceFailure::TooLarge,
                format!(
                    "{setting} holds more than 2 MiB{loss}; narrow {setting} to the rows and columns that are needed"
                ),
            ),
            Failed::Refused { status, why } => {
                let (failure, remedy) = refusal(why, account, &tab_of(cells), setting, loss);
                SourceError::new(failure, format!("{remedy} (HTTP {status})"))
            }
        }
    }
}

fn refusal(why: Refusal, account: &str, tab: &str, setting: &str, loss: &str) -> (SourceFailure, String) {
    match why {
        Refusal::BadRange => (
            SourceFailure::BadRange,
            format!("Google refuses {setting}{loss}; check that the tab `{tab}` exists, and how the range is written"),
        ),
        Refusal::OtherDocument => (
            SourceFailure::NoSheet,
            "the document of SPREADSHEET_ID is no Google Sheet but, most likely, an Excel file; open it, choose \
             File > Save as Google Sheets, and set SPREADSHEET_ID to the new sheet's id"
                .to_owned(),
        ),
        Refusal::Unauthenticated => (
            SourceFailure::Forbidden,
            format!(
                "Google accepts no token of {account}; check that the account is enabled and that its key \
                 (GOOGLE_CREDENTIALS or GOOGLE_APPLICATION_CREDENTIALS) is for Google's own endpoint"
            ),
        ),
        Refusal::NotShared => (
            SourceFailure::Forbidden,
            format!(
                "Google refuses to show the sheet; open it, choose Share, and add {account} as a viewer \
                 (if it is shared already, see that the Google Sheets API is enabled in that account's project)"
            ),
        ),
        Refusal::ApiDisabled => (
            SourceFailure::Forbidden,
            format!(
                "the Google Sheets API is not enabled in the project of {account}; enable it in the Google Cloud console"
            ),
        ),
        Refusal::Missing => (
            SourceFailure::Missing,
            "there is no such sheet; SPREADSHEET_ID is the part of its address between /d/ and /edit".to_owned(),
        ),
        Refusal::TooManyReads => (
            SourceFailure::TooManyReads,
            "Google's quota of reads is used up; it fills again within a minute".to_owned(),
        ),
        Refusal::Redirected => (
            SourceFailure::Garbled,
            "reading the sheet is redirected, which Google doesn't do; check SHEETS_BASE_URL".to_owned(),
        ),
        Refusal::OutOfOrder => (SourceFailure::OutOfOrder, "Google can't show the sheet now".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn googles_words_count_more_than_the_status() {
        let detail = json!([{"reason": "SERVICE_DISABLED"}]);
        for (status, reason, details, why) in [
            (400, "FAILED_PRECONDITION", json!([]), Refusal::OtherDocument),
            (400, "INVALID_ARGUMENT", json!([]), Refusal::BadRange),
            (400, "RESOURCE_EXHAUSTED", json!([]), Refusal::TooManyReads),
            (403, "PERMISSION_DENIED", json!([]), Refusal::NotShared),
            (403, "PERMISSION_DENIED", detail, Refusal::ApiDisabled),
            (404, "NOT_FOUND", json!([]), Refusal::Missing),
            (401, "UNAUTHENTICATED", json!([]), Refusal::Unauthenticated),
            (503, "UNAVAILABLE", json!([]), Refusal::OutOfOrder),
            (418, "NEW", json!([]), Refusal::OutOfOrder),
        ] {
            let body = json!({"error": {"code": status, "status": reason, "details": details}});
            assert_eq!(Failed::refused(status, Some(&body)), Failed::Refused { status, why }, "{body}");
        }
        for body in [json!([]), json!("no"), json!({"error": "no"}), json!({"error": {"status": 5}})] {
            assert_eq!(
                Failed::refused(403, Some(&body)),
                Failed::Refused { status: 403, why: Refusal::NotShared },
                "{body}"
            );
        }
    }
}
