//! Rows about the roster alone: each stumble of Google's, with whatever was known of the sheet before.

use std::sync::LazyLock;
use std::time::Duration;

use super::{Failure, Lasting, Row, Service, Version};
use crate::fakes::google::Google;
use crate::fakes::server::Fault;
use crate::fakes::{MEMBERS_TAB, ROSTER_TAB};
use crate::simulation::mentions::{Costs, Known};

/// More than is read.
static OVER_2_MIB: LazyLock<String> = LazyLock::new(|| "x".repeat(2 * 1024 * 1024 + 128 * 1024));

const PASSING: &str = r#"{"error":"temporarily_unavailable"}"#;
const REFUSED: &str = r#"{"error":"invalid_grant"}"#;

/// Every stumble in each state of knowledge.
pub(super) fn rows() -> Vec<Row> {
    let stumbles: Vec<_> = passing().into_iter().chain(lasting()).chain(edits()).collect();
    let each = |known: Known| {
        let tried = stumbles.iter().filter(move |row| row.is_asked_by(known));
        tried.map(move |row| Row {
            known,
            costs: if row.is_kept_from(known) { Costs::Nothing } else { row.costs },
            ..row.clone()
        })
    };
    Known::ALL.into_iter().flat_map(each).collect()
}

impl Row {
    /// A process that has a token asks for no other within the hour: one row is enough to show that.
    fn is_asked_by(&self, known: Known) -> bool {
        self.service != Service::Token || !known.is_warm() || (known, self.name) == (Known::InProcess, "503")
    }

    fn is_kept_from(&self, known: Known) -> bool {
        self.service == Service::Token && known.is_warm()
    }
}

fn row(service: Service, name: &'static str, failure: Failure, lasting: Lasting, costs: Costs) -> Row {
    Row { version: Version::V3, service, name, failure, lasting, known: Known::Nothing, costs }
}

/// What another try at once puts right.
fn passing() -> Vec<Row> {
    let slow = || Fault::Delay(Duration::from_millis(1_100));
    let once = |service, name, fault| row(service, name, Failure::Answer(fault), Lasting::Once, Costs::Nothing);
    vec![
        once(Service::Sheet, "503", Fault::status(503)),
        once(Service::Sheet, "429, short", Fault::too_many(1)),
        once(Service::Sheet, "reset", Fault::HangUp),
        once(Service::Sheet, "slow answer", slow()),
        once(Service::Values, "503", Fault::status(503)),
        once(Service::Merges, "503", Fault::status(503)),
        once(Service::Token, "503", Fault::status(503)),
        once(Service::Token, "reset", Fault::HangUp),
        once(Service::Token, "slow answer", slow()),
        once(Service::Token, "temporarily_unavailable", Fault::Answer(400, vec![], PASSING)),
    ]
}

/// What lasts, and costs the reading.
fn lasting() -> Vec<Row> {
    let too_slow = || Fault::Delay(Duration::from_secs(3));
    let always = |service, name, fault| row(service, name, Failure::Answer(fault), Lasting::ForGood, Costs::Reading);
    vec![
        always(Service::Sheet, "503", Fault::status(503)),
        always(Service::Sheet, "slow answer", too_slow()),
        always(Service::Sheet, "403", Fault::status(403)),
        always(Service::Sheet, "garbage", Fault::Answer(200, vec![], "<html>so long")),
        always(Service::Sheet, "over 2 MiB", Fault::Answer(200, vec![], OVER_2_MIB.as_str())),
        always(Service::Values, "503", Fault::status(503)),
        always(Service::Values, "ok:false", Fault::Answer(200, vec![], r#"{"ok":false}"#)),
        always(Service::Merges, "503", Fault::status(503)),
        always(Service::Merges, "ok:false", Fault::Answer(200, vec![], r#"{"ok":false}"#)),
        always(Service::Token, "503", Fault::status(503)),
        always(Service::Token, "temporarily_unavailable", Fault::Answer(400, vec![], PASSING)),
        always(Service::Token, "invalid_grant", Fault::Answer(400, vec![], REFUSED)),
    ]
}

/// What somebody does to the spreadsheet.
fn edits() -> Vec<Row> {
    let edit = |name, edit: fn(&Google), costs| row(Service::Sheet, name, Failure::Edit(edit), Lasting::ForGood, costs);
    vec![
        edit("not shared any more", Google::make_private, Costs::Reading),
        edit("an Excel file", Google::make_excel, Costs::Reading),
        edit("roster's tab removed", |google| google.remove(ROSTER_TAB), Costs::Reading),
        edit("members tab removed", |google| google.remove(MEMBERS_TAB), Costs::Members),
    ]
}
