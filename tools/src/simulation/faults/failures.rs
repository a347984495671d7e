//! Every way in which every service fails, and what of that costs the reading of the roster.

use std::time::Duration;

use super::{Failure, Lasting, Service};
use crate::fakes::server::Fault;
use crate::simulation::mentions::Costs;

pub(super) const MESSAGE_REFUSED: &str = "400 of the message";
const INTERNAL_ERROR: &str = r#"{"ok":false,"error":"internal_error"}"#;
const THROTTLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#;

/// What Google does once and would not do again at once.
const PASSING_OF_SHEET: [&str; 12] = [
    "reset",
    "hang",
    "slow drip",
    "500",
    "503",
    "429, short",
    "429, long",
    "401",
    "empty body",
    "accepted, answered too late",
    "accepted, then reset",
    "accepted, then 500",
];

/// What a fault takes away from instances that start cold. A port that is closed once is closed for a whole attempt.
pub(super) fn costs(service: Service, name: &str, lasting: Lasting) -> Costs {
    let passes = match service {
        Service::Sheet => PASSING_OF_SHEET.contains(&name),
        Service::Token => name != "refused connection",
        _ => return Costs::Nothing,
    };
    if passes && lasting == Lasting::Once { Costs::Nothing } else { Costs::Reading }
}

/// Every way in which a service fails.
pub(in crate::simulation) fn failures(service: Service) -> Vec<(&'static str, Failure)> {
    let message_refused = match service {
        Service::Slack => Fault::Answer(200, vec![], r#"{"ok":false,"error":"msg_too_long"}"#),
        _ => Fault::Answer(400, vec![], r#"{"errors":[{"field":"message","name":"error.maxLength"}]}"#),
    };
    let redirect = Fault::Answer(302, vec![("location", "https://example.com/".to_owned())], "");
    let mut failures = vec![("refused connection", Failure::Refused), ("bad TLS", Failure::BadTls)];
    let answers = [
        ("reset", Fault::HangUp),
        ("hang", Fault::Hang),
        ("slow drip", Fault::Drip(Duration::from_millis(150))),
        ("500", Fault::status(500)),
        ("503", Fault::status(503)),
        ("429, short", Fault::too_many(1)),
        ("429, long", Fault::too_many(120)),
        ("401", Fault::status(401)),
        ("403", Fault::status(403)),
        ("404", Fault::status(404)),
        ("400 of us", Fault::status(400)),
        (MESSAGE_REFUSED, message_refused),
        ("garbage", Fault::Answer(200, vec![], "<html>so long")),
        ("empty body", Fault::status(200)),
        ("redirect", redirect),
        ("ok:false", Fault::Answer(200, vec![], r#"{"ok":false,"error":"invalid_auth"}"#)),
        ("accepted, answered too late", Fault::TakeAndHang),
        ("accepted, then reset", Fault::TakeAndHangUp),
        ("accepted, then 500", Fault::TakeAndAnswer(500, "")),
    ];
    let particular = match service {
        Service::Slack => vec![
            ("internal_error", Fault::Answer(200, vec![], INTERNAL_ERROR)),
            ("accepted, then internal_error", Fault::TakeAndAnswer(200, INTERNAL_ERROR)),
            ("service_unavailable", Fault::Answer(200, vec![], r#"{"ok":false,"error":"service_unavailable"}"#)),
        ],
        Service::DynamoDb => vec![("throttled", Fault::Answer(400, vec![], THROTTLED))],
        _ => vec![],
    };
    if service == Service::Slack {
        failures.extend(of_updates());
    }
    failures.extend(answers.into_iter().chain(particular).map(|(name, fault)| (name, Failure::Answer(fault))));
    if matches!(service, Service::Typetalk | Service::Slack) {
        let channel_not_found = Fault::Answer(200, vec![], r#"{"ok":false,"error":"channel_not_found"}"#);
        let seconds = [
            ("accepted, then 500, then 503", Fault::status(503)),
            ("accepted, then 500, then 429, long", Fault::too_many(120)),
            ("accepted, then 500, then channel_not_found", channel_not_found),
        ];
        let first = Fault::TakeAndAnswer(500, "");
        failures.extend(seconds.map(|(name, second)| (name, Failure::Then(first.clone(), second))));
    }
    failures
}

/// How the first message of an incident can't be brought up to date; posts are taken as ever.
fn of_updates() -> impl Iterator<Item = (&'static str, Failure)> {
    let refused = |body| Fault::Answer(200, vec![], body);
    [
        ("update, 500", Fault::status(500)),
        ("update, 429, long", Fault::too_many(120)),
        ("update, hang", Fault::Hang),
        ("update, slow drip", Fault::Drip(Duration::from_millis(150))),
        ("update, accepted, then reset", Fault::TakeAndHangUp),
        ("update, message_not_found", refused(r#"{"ok":false,"error":"message_not_found"}"#)),
        ("update, edit_window_closed", refused(r#"{"ok":false,"error":"edit_window_closed"}"#)),
    ]
    .into_iter()
    .map(|(name, fault)| (name, Failure::Answer(fault)))
}
