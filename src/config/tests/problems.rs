//! Settings that are absent, malformed or half set, and the words in which that is reported.

use super::*;

/// Every variable whose value must never be seen.
const SECRETS: &[&str] = &[
    "TYPETALK_ALERT_TOKEN",
    "SLACK_TOKEN",
    "SLACK_SIGNING_SECRETS",
    "GOOGLE_CREDENTIALS",
    "PAGERDUTY_SIGNING_SECRETS",
    "PAGERDUTY_TOKENS",
    "PAGERDUTY_API_KEY",
    "PAGERDUTY_ACTION_KEY",
];

#[track_caller]
fn check_problem(variable: &str, value: &str, expected: &str) {
    assert_eq!(problems(&[(variable, value)]), [expected], "{variable}={value}");
}

#[test]
fn what_is_absent_is_told_with_what_to_give() {
    for (variable, expected) in [
        (
            "CHATS",
            "CHATS is not set: give it a list of `typetalk` and `slack`, the primary first, such as `slack` or \
             `typetalk,slack`",
        ),
        ("TYPETALK_ALERT_TOPIC", "TYPETALK_ALERT_TOPIC is not set: give it the number in the topic's address"),
        ("TYPETALK_ALERT_TOKEN", "TYPETALK_ALERT_TOKEN is not set: give it the token of the topic's bot"),
        ("SLACK_TOKEN", "SLACK_TOKEN is not set: give it the app's bot token, which begins with `xoxb-`"),
        (
            "SLACK_ALERT_CHANNEL",
            "SLACK_ALERT_CHANNEL is not set: give it the channel's id (`C…`), at the end of the channel's details",
        ),
        (
            "SPREADSHEET_ID",
            "SPREADSHEET_ID is not set: give it the part of the spreadsheet's address between /d/ and /edit (or set \
             ROSTER_CSV, to try things out)",
        ),
        (
            "GOOGLE_CREDENTIALS",
            "GOOGLE_CREDENTIALS is not set: give it the service account's key as JSON (or its file's path in \
             GOOGLE_APPLICATION_CREDENTIALS)",
        ),
        (
            "PAGERDUTY_SIGNING_SECRETS",
            "PAGERDUTY_SIGNING_SECRETS is not set: give it the signing secret of the v3 webhook subscription, or for \
             v2 in PAGERDUTY_TOKENS the token that the extension sends as `Authorization: Bearer …`",
        ),
    ] {
        check_problem(variable, "", expected);
    }
}

#[test]
fn what_is_malformed_is_told_with_what_is_expected() {
    let url = "can't be used: it must be an address such as `https://example.com`";
    let chats = "a list of `typetalk` and `slack`, the primary first, such as `slack` or `typetalk,slack`";
    let no_key = "it is not a service account's key; make a JSON key in the Google Cloud console and use it whole (it has \
                  `client_email`, `private_key` and `token_uri`)";
    for (variable, value, expected) in [
        ("CHATS", "typetalk,slack,irc", format!("CHATS can't be used: `irc` is not a chat; write {chats}")),
        ("CHATS", "typetalk,", format!("CHATS can't be used: `` is not a chat; write {chats}")),
        ("CHATS", "slack,slack", "CHATS can't be used: `slack` is there twice; name each chat once".to_owned()),
        (
            "TYPETALK_ALERT_TOPIC",
            "alerts",
            "TYPETALK_ALERT_TOPIC can't be used: it must be the number in the topic's address".to_owned(),
        ),
        ("TYPETALK_BASE_URL", "typetalk.com", format!("TYPETALK_BASE_URL {url}")),
        ("SLACK_BASE_URL", "https://user:pass@slack.com", format!("SLACK_BASE_URL {url}")),
        ("SHEETS_BASE_URL", "https://x.example/?key=1", format!("SHEETS_BASE_URL {url}")),
        (
            "SLACK_ALERT_CHANNEL",
            "#alerts",
            "SLACK_ALERT_CHANNEL can't be used: it must be the channel's id (`C…`), at the end of the channel's \
             details, not its name"
                .to_owned(),
        ),
        (
            "SPREADSHEET_ID",
            "https://docs.google.com/spreadsheets/d/1aB_c-D/edit",
            "SPREADSHEET_ID can't be used: it must be only the part of the spreadsheet's address between /d/ and /edit"
                .to_owned(),
        ),
        ("GOOGLE_CREDENTIALS", "{}", format!("GOOGLE_CREDENTIALS can't be used: {no_key}")),
        (
            "TIME_ZONE",
            "JST",
            "TIME_ZONE can't be used: `JST` is not an IANA time zone such as `Asia/Tokyo`".to_owned(),
        ),
        (
            "BUSINESS_DAYS",
            "weekdays",
            "BUSINESS_DAYS can't be used: `weekdays` is not a day of the week such as `Mon` or a range such as \
             `Mon-Fri`"
                .to_owned(),
        ),
        (
            "BUSINESS_HOURS",
            "17:00-10:00",
            "BUSINESS_HOURS can't be used: `17:00-10:00` is not hours that end later on the day than they begin"
                .to_owned(),
        ),
        (
            "MENTION_ON",
            "triggered,resolve",
            "MENTION_ON can't be used: no kind of event has the name `resolve`; write `all` or `attention` alone, or \
             a list of triggered, acknowledged, unacknowledged, resolved, merged, reopened, reassigned, escalated, \
             delegated, annotated, priority_updated, service_updated, status_updated, responder_added, \
             responder_replied, custom_action, unknown, unreadable"
                .to_owned(),
        ),
        ("MESSAGE_LANGUAGE", "fr", "MESSAGE_LANGUAGE can't be used: `fr` is not `ja` or `en`".to_owned()),
        (
            "PAGERDUTY_SIGNING_SECRETS",
            "planted-signing,",
            "PAGERDUTY_SIGNING_SECRETS can't be used: the list has an empty entry; remove the comma too many".to_owned(),
        ),
        (
            "PAGERDUTY_TOKENS",
            ", ,",
            "PAGERDUTY_TOKENS can't be used: the list has an empty entry; remove the comma too many".to_owned(),
        ),
        (
            "PAGERDUTY_TOKENS",
            "Bearer planted",
            "PAGERDUTY_TOKENS can't be used: a secret has spaces or other characters that none has; give it the bare \
             secrets"
                .to_owned(),
        ),
        (
            "TYPETALK_ALERT_TOKEN",
            "planted token",
            "TYPETALK_ALERT_TOKEN can't be used: it has characters that no token has; give it the token of the topic's \
             bot"
                .to_owned(),
        ),
    ] {
        check_problem(variable, value, &expected);
    }
    assert!(problems(&[("HOLIDAYS", "jp,someday")])[0].starts_with("HOLIDAYS can't be used: `someday` is not "));
}

#[test]
fn what_is_plainly_no_secret_is_refused_and_not_shown() {
    let none = "`null`, `undefined` or shorter than 8 characters";
    for value in ["null", "undefined", "Undefined", "shorter", "\"null\"", "planted-signing,null", "x,planted-signing"]
    {
        for variable in ["PAGERDUTY_SIGNING_SECRETS", "PAGERDUTY_TOKENS"] {
            check_problem(
                variable,
                value,
                &format!("{variable} can't be used: an entry is not a secret ({none}); give it the real ones"),
            );
        }
    }
    for value in ["null", "undefined", "shorter"] {
        check_problem(
            "TYPETALK_ALERT_TOKEN",
            value,
            &format!(
                "TYPETALK_ALERT_TOKEN can't be used: it is not a secret ({none}); give it the token of the topic's bot"
            ),
        );
        let told = problems(&[("SLACK_TOKEN", value)]);
        assert!(told[0].starts_with(&format!("SLACK_TOKEN can't be used: it is not a secret ({none})")), "{told:?}");
    }
    for value in ["8-or-one", "planted-signing"] {
        assert_eq!(problems(&[("PAGERDUTY_TOKENS", value)]), [""; 0], "{value}");
    }
}

#[test]
fn what_is_set_alone_is_told_with_what_is_missing() {
    let reminder =
        [("TYPETALK_ONCALL_TOPIC", "12"), ("TYPETALK_ONCALL_TOKEN", "planted-oncall"), ("SLACK_ONCALL_CHANNEL", "C1")];
    for (variable, value, expected) in [
        (
            "MEMBERS_CSV",
            "/members.csv",
            "MEMBERS_CSV needs ROSTER_CSV beside it: the roster as a file; for a spreadsheet, set MEMBERS_RANGE",
        ),
        (
            "PAGERDUTY_API_KEY",
            "planted-read",
            "PAGERDUTY_API_KEY needs PAGERDUTY_SERVICES beside it: the ids (`P…`) of the services to list",
        ),
        (
            "PAGERDUTY_SERVICES",
            "PSERVICE",
            "PAGERDUTY_SERVICES needs PAGERDUTY_API_KEY beside it: a read-only REST API key",
        ),
        (
            "PAGERDUTY_ACTION_KEY",
            "planted-write",
            "PAGERDUTY_ACTION_KEY needs PAGERDUTY_FROM beside it: the e-mail address of the PagerDuty user that acts",
        ),
        (
            "PAGERDUTY_FROM",
            "oncall@example.com",
            "PAGERDUTY_FROM needs PAGERDUTY_ACTION_KEY beside it: a REST API key that may write",
        ),
    ] {
        let environment = environment(&[LEAST, &reminder, &[(variable, value)]].concat());
        let of_reminder = ReminderConfig::read(&environment).err().into_iter().flat_map(|problems| problems.0);
        let mut told = problems(&[(variable, value)]);
        told.extend(of_reminder.map(|problem| problem.to_string()));
        told.sort();
        told.dedup();
        assert_eq!(told, [expected], "{variable}");
    }
}

#[test]
fn all_problems_are_told_together() {
    let Err(problems) = read_all(&[("CHATS", "typetalk,slack"), ("MESSAGE_LANGUAGE", "fr"), ("TIME_ZONE", "Mars")])
    else {
        panic!("accepted")
    };
    let variables: Vec<_> = problems.0.iter().map(|problem| problem.variable).collect();
    assert_eq!(
        variables,
        [
            "TYPETALK_ALERT_TOPIC",
            "TYPETALK_ALERT_TOKEN",
            "SLACK_TOKEN",
            "SLACK_ALERT_CHANNEL",
            "SPREADSHEET_ID",
            "GOOGLE_CREDENTIALS",
            "TIME_ZONE",
            "MESSAGE_LANGUAGE",
            "PAGERDUTY_SIGNING_SECRETS",
        ]
    );
    let text = problems.to_string();
    assert!(text.starts_with("9 of the settings must be put right:\n- TYPETALK_ALERT_TOPIC is not set"), "{text}");
    assert_eq!(text.lines().count(), 10);
}

#[test]
fn either_kind_of_webhook_secret_will_do_and_none_will_not() {
    assert_eq!(problems(&[("PAGERDUTY_SIGNING_SECRETS", ""), ("PAGERDUTY_TOKENS", "token-of-8")]), [""; 0]);
    assert_eq!(problems(&[("PAGERDUTY_SIGNING_SECRETS", "secret-8"), ("PAGERDUTY_TOKENS", "")]), [""; 0]);
    assert_eq!(problems(&[("PAGERDUTY_SIGNING_SECRETS", ""), ("PAGERDUTY_TOKENS", " ")]).len(), 1);
    assert_eq!(problems(&[("PAGERDUTY_SIGNING_SECRETS", ","), ("PAGERDUTY_TOKENS", "")]).len(), 1);
}

#[test]
fn no_secret_is_ever_shown() {
    for secret in SECRETS {
        // As it should be, in the wrong place of a list, in pieces, and in a key that is none.
        let broken_key = KEY.replace("token_uri", "planted-uri");
        let cut_key = &KEY[..KEY.len() - 20];
        for value in ["planted", "planted,planted,", "planted planted\nplanted", "plánted", &broken_key, cut_key, KEY]
        {
            let shown = match read(&[(secret, value)]) {
                Ok(config) => format!("{config:?} {:?}", config.team.warnings),
                Err(problems) => format!("{problems} {problems:?}"),
            };
            assert!(!shown.contains("planted") && !shown.contains("plánted"), "{secret}={value}: {shown}");
        }
    }
}
