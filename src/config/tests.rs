//! Settings from a table instead of the environment: what each variable becomes.

mod optional;
mod problems;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use super::*;
use crate::domain::chat::ChatName;

const KEY: &str = r#"{"type": "service_account", "client_email": "relay@example.iam.gserviceaccount.com",
    "private_key": "-----BEGIN PRIVATE KEY-----\nplanted-key\n-----END PRIVATE KEY-----\n",
    "token_uri": "https://oauth2.googleapis.com/token"}"#;

/// The least that a relay for both chats needs.
const LEAST: &[(&str, &str)] = &[
    ("CHATS", "typetalk,slack"),
    ("TYPETALK_ALERT_TOPIC", "11"),
    ("TYPETALK_ALERT_TOKEN", "planted-typetalk"),
    ("SLACK_TOKEN", "xoxb-planted-slack"),
    ("SLACK_ALERT_CHANNEL", "C0ALERTS"),
    ("SPREADSHEET_ID", "1aB_c-D"),
    ("GOOGLE_CREDENTIALS", KEY),
    ("PAGERDUTY_SIGNING_SECRETS", "planted-signing"),
    ("FALLBACK_MENTIONS", "sre-team,S0SRETEAM"),
];

/// The files that there are.
fn file(path: &Path) -> io::Result<String> {
    match path.to_str() {
        Some("/key.json") => Ok(KEY.to_owned()),
        Some("/roster.csv" | "/members.csv") => Ok("date,who\n".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

/// Reads the least settings with these changes; an empty value takes a variable away.
fn read(changes: &[(&str, &str)]) -> Result<WebhookConfig, Problems> {
    read_all(&[LEAST, changes].concat())
}

fn read_all(settings: &[(&str, &str)]) -> Result<WebhookConfig, Problems> {
    WebhookConfig::read(&environment(settings))
}

fn environment(settings: &[(&str, &str)]) -> Environment {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let settings: BTreeMap<_, _> = settings.iter().map(owned).collect();
    Environment::new(move |name| settings.get(name).cloned(), file)
}

fn good(changes: &[(&str, &str)]) -> WebhookConfig {
    read(changes).unwrap_or_else(|problems| panic!("{changes:?}: {problems}"))
}

fn problems(changes: &[(&str, &str)]) -> Vec<String> {
    read(changes).map_or_else(|Problems(problems)| problems.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

fn typetalk(config: &WebhookConfig) -> &TypetalkConfig {
    match &config.team.chats[0] {
        ChatConfig::Typetalk(typetalk) => typetalk,
        ChatConfig::Slack(_) => panic!("Slack is first"),
    }
}

fn google(config: &WebhookConfig) -> &GoogleConfig {
    match &config.team.roster {
        RosterConfig::Google(google) => google,
        RosterConfig::Csv(csv) => panic!("{csv:?}"),
    }
}

fn exposed(secrets: &[SecretString]) -> Vec<&str> {
    secrets.iter().map(ExposeSecret::expose_secret).collect()
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse::<DateTime<chrono::FixedOffset>>().unwrap().to_utc()
}

#[test]
fn every_variable_arrives_in_its_field() {
    let config = good(&[
        ("CHATS", " typetalk , slack "),
        ("TYPETALK_BASE_URL", "https://typetalk.example/"),
        ("SLACK_BASE_URL", "http://127.0.0.1:8080/slack/"),
        ("ROSTER_RANGE", "roster!B2:F"),
        ("MEMBERS_RANGE", "members!A:C"),
        ("SHEETS_BASE_URL", "http://127.0.0.1:8081"),
        ("PAGERDUTY_SIGNING_SECRETS", " a-new-one , an-old-one "),
        ("PAGERDUTY_TOKENS", "token-of-8,token-of-9"),
        ("TIME_ZONE", "America/New_York"),
        ("BUSINESS_DAYS", "Sun-Thu"),
        ("BUSINESS_HOURS", "08:30-12:00"),
        ("HOLIDAYS", "none"),
        ("MENTION_ON", "triggered, reopened"),
        ("FALLBACK_MENTIONS", " SRE , 田中,, "),
        ("MESSAGE_LANGUAGE", "en"),
    ]);
    assert_eq!(
        config.team.chats.iter().map(ChatConfig::name).collect::<Vec<_>>(),
        [ChatName::Typetalk, ChatName::Slack]
    );
    let TypetalkConfig { base_url, topic, token, .. } = typetalk(&config);
    assert_eq!((base_url.as_str(), *topic), ("https://typetalk.example", 11));
    assert_eq!(token.expose_secret(), "planted-typetalk");
    let ChatConfig::Slack(SlackConfig { base_url, token, channel, .. }) = &config.team.chats[1] else { panic!() };
    assert_eq!((base_url.as_str(), channel.as_str()), ("http://127.0.0.1:8080/slack", "C0ALERTS"));
    assert_eq!(token.expose_secret(), "xoxb-planted-slack");
    let GoogleConfig { base_url, spreadsheet_id, roster_range, members_range, key } = google(&config);
    assert_eq!((base_url.as_str(), spreadsheet_id.as_str()), ("http://127.0.0.1:8081", "1aB_c-D"));
    assert_eq!((roster_range.as_str(), members_range.as_deref()), ("roster!B2:F", Some("members!A:C")));
    assert_eq!(key.client_email, "relay@example.iam.gserviceaccount.com");
    assert_eq!(exposed(&config.secrets.signing), ["a-new-one", "an-old-one"]);
    assert_eq!(exposed(&config.secrets.tokens), ["token-of-8", "token-of-9"]);
    assert_eq!(config.mention_on, MentionOn::Kinds(vec!["triggered".to_owned(), "reopened".to_owned()]));
    assert_eq!(config.team.fallback_mentions, ["SRE", "田中"]);
    assert_eq!(config.team.language, Language::English);
    assert_eq!(config.team.warnings, [""; 0]);
    // 22 November 2026 is a Sunday, 23 November a holiday in Japan.
    for (time, business) in [
        ("2026-11-22T08:30:00-05:00", true),
        ("2026-11-22T08:29:59-05:00", false),
        ("2026-11-22T12:00:00-05:00", false),
        ("2026-11-27T09:00:00-05:00", false),
        ("2026-11-23T09:00:00-05:00", true),
    ] {
        assert_eq!(config.team.calendar.is_business_time(at(time)), business, "{time}");
    }
}

#[test]
fn what_is_not_set_has_its_default() {
    let config = good(&[]);
    assert_eq!(typetalk(&config).base_url, "https://typetalk.com");
    let ChatConfig::Slack(slack) = &config.team.chats[1] else { panic!() };
    assert_eq!(slack.base_url, "https://slack.com");
    let google = google(&config);
    assert_eq!(google.base_url, "https://sheets.googleapis.com");
    assert_eq!((google.roster_range.as_str(), &google.members_range), ("当番表!A:Z", &None));
    assert_eq!(config.team.fallback_mentions, ["sre-team", "S0SRETEAM"]);
    assert_eq!(config.mention_on, MentionOn::All);
    assert_eq!(config.team.language, Language::Japanese);
    assert!(config.secrets.tokens.is_empty());
    for (time, business) in [
        ("2026-11-24T10:00:00+09:00", true),
        ("2026-11-24T16:59:59+09:00", true),
        ("2026-11-24T17:00:00+09:00", false),
        ("2026-11-22T11:00:00+09:00", false),
        // Labour Thanksgiving Day.
        ("2026-11-23T11:00:00+09:00", false),
    ] {
        assert_eq!(config.team.calendar.is_business_time(at(time)), business, "{time}");
    }
}

#[test]
fn an_empty_variable_counts_as_absent() {
    for variable in [
        "TYPETALK_BASE_URL",
        "SLACK_BASE_URL",
        "SHEETS_BASE_URL",
        "ROSTER_RANGE",
        "MEMBERS_RANGE",
        "ROSTER_CSV",
        "MEMBERS_CSV",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "PAGERDUTY_TOKENS",
        "TIME_ZONE",
        "BUSINESS_DAYS",
        "BUSINESS_HOURS",
        "HOLIDAYS",
        "MENTION_ON",
        "MESSAGE_LANGUAGE",
    ] {
        for empty in ["", "  ", "\n"] {
            assert_eq!(format!("{:?}", good(&[(variable, empty)])), format!("{:?}", good(&[])), "{variable}");
        }
    }
    for (variable, _) in LEAST.iter().filter(|(variable, _)| *variable != "FALLBACK_MENTIONS") {
        let absent = LEAST.iter().copied().filter(|(name, _)| name != variable).collect::<Vec<_>>();
        let absent = read_all(&absent).unwrap_err().to_string();
        assert!(absent.contains(&format!("\n- {variable} is not set: give it ")), "{absent}");
        assert_eq!(problems(&[(variable, " ")]).len(), absent.lines().count() - 1, "{variable}");
    }
}

#[test]
fn settings_of_a_chat_that_is_not_used_are_not_asked_for() {
    let config = read_all(&[
        ("CHATS", "slack"),
        ("SLACK_TOKEN", "xoxb-one"),
        ("SLACK_ALERT_CHANNEL", "C1"),
        ("ROSTER_CSV", "/roster.csv"),
        ("PAGERDUTY_TOKENS", "token-of-8"),
    ])
    .unwrap();
    assert_eq!(config.team.chats.iter().map(ChatConfig::name).collect::<Vec<_>>(), [ChatName::Slack]);
}

#[test]
fn the_order_of_the_chats_is_that_of_the_list() {
    let config = good(&[("CHATS", "slack,typetalk")]);
    assert_eq!(
        config.team.chats.iter().map(ChatConfig::name).collect::<Vec<_>>(),
        [ChatName::Slack, ChatName::Typetalk]
    );
}

#[test]
fn files_stand_for_the_spreadsheet_and_for_the_key() {
    let csv = &[("SPREADSHEET_ID", ""), ("GOOGLE_CREDENTIALS", ""), ("ROSTER_CSV", "/roster.csv")];
    let config = good(&[&csv[..], &[("MEMBERS_CSV", "/members.csv")]].concat());
    let RosterConfig::Csv(CsvConfig { roster, members }) = &config.team.roster else {
        panic!("{:?}", config.team.roster)
    };
    assert_eq!((roster.as_path(), members.as_deref()), (Path::new("/roster.csv"), Some(Path::new("/members.csv"))));

    let key_file = |path| [("GOOGLE_CREDENTIALS", ""), ("GOOGLE_APPLICATION_CREDENTIALS", path)];
    let config = good(&key_file("/key.json"));
    assert_eq!(google(&config).key.client_email, "relay@example.iam.gserviceaccount.com");
    assert_eq!(
        problems(&key_file("/nowhere.json")),
        ["GOOGLE_APPLICATION_CREDENTIALS can't be used: its file can't be read (entity not found); check the path"]
    );
    assert!(
        problems(&key_file("/roster.csv"))[0].starts_with("GOOGLE_APPLICATION_CREDENTIALS can't be used: it is not")
    );
    assert_eq!(
        problems(&[("ROSTER_CSV", "/nowhere.csv")]),
        ["ROSTER_CSV can't be used: its file can't be read (entity not found); check the path"]
    );
}

#[test]
fn a_key_that_was_wrapped_on_its_way_is_unwrapped() {
    let escaped_breaks = KEY.replace("\\n", "\\\\n");
    let quoted = serde_json::to_string(KEY).unwrap();
    let bare = quoted.trim_matches('"').to_owned();
    let encoded = STANDARD.encode(KEY);
    let lines = encoded.as_bytes().chunks(76).map(|line| str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n");
    for (how, key) in [
        ("a byte-order mark", format!("\u{feff}{KEY}")),
        ("escaped line breaks", escaped_breaks.clone()),
        ("quoted as a JSON string", quoted),
        ("escaped once more, without the quotes", bare),
        ("base64", encoded),
        ("base64 in lines", lines),
        ("base64 for addresses", URL_SAFE.encode(format!("{KEY}{}", " ".repeat(3)))),
        ("all at once", format!("\u{feff}{}", STANDARD.encode(serde_json::to_string(&escaped_breaks).unwrap()))),
    ] {
        let config = good(&[("GOOGLE_CREDENTIALS", &key)]);
        let key = &google(&config).key;
        assert_eq!(key.client_email, "relay@example.iam.gserviceaccount.com", "{how}");
        let whole = "-----BEGIN PRIVATE KEY-----\nplanted-key\n-----END PRIVATE KEY-----\n";
        assert!(key.private_key == whole, "{how}: the private key is another");
    }
}

#[test]
fn people_of_last_resort_whom_no_chat_can_mention_are_a_warning() {
    let warned = |changes: &[(&str, &str)]| -> Vec<String> {
        let warnings = good(changes).team.warnings.into_iter();
        warnings.filter(|warning| warning.contains("FALLBACK_MENTIONS")).collect()
    };
    let entry = |number| {
        format!(
            "entry {number} of FALLBACK_MENTIONS can be mentioned on no chat of CHATS; write a name as the members tab \
             has it, or a chat's own id"
        )
    };
    let chat = |name| {
        format!(
            "nobody of FALLBACK_MENTIONS can be mentioned on {name}; add somebody whom the members tab has an id of \
             there, or that id"
        )
    };
    for (chats, fallback, expected) in [
        ("typetalk,slack", "sre-team,S0SRETEAM", vec![]),
        ("typetalk", "sre-team", vec![]),
        ("typetalk,slack", "sre-team", vec![chat("Slack")]),
        ("typetalk,slack", "S0SRETEAM", vec![chat("Typetalk")]),
        ("typetalk", "sre-team,田中,S0SRETEAM", vec![entry(2), entry(3)]),
        ("slack", "sre-team", vec![entry(1), chat("Slack")]),
        ("slack", "S0SRETEAM,なし", vec![entry(2)]),
    ] {
        assert_eq!(warned(&[("CHATS", chats), ("FALLBACK_MENTIONS", fallback)]), expected, "{chats} {fallback}");
        let members = [("CHATS", chats), ("FALLBACK_MENTIONS", fallback), ("MEMBERS_RANGE", "members!A:C")];
        assert_eq!(warned(&members), [""; 0], "who is a member is not known yet");
    }
}

#[test]
fn a_function_needs_the_secrets_that_its_configuration_uses_and_no_others() {
    let webhook = |settings: &[(&str, &str)]| environment(settings).missing_secrets(WebhookConfig::read);
    let reminder = |settings: &[(&str, &str)]| environment(settings).missing_secrets(ReminderConfig::read);
    let both = [("CHATS", "typetalk,slack")];
    let both_proofs = ["PAGERDUTY_SIGNING_SECRETS", "PAGERDUTY_TOKENS"];
    let slack = "SLACK_SIGNING_SECRETS";
    let pagerduty = ["PAGERDUTY_API_KEY", "PAGERDUTY_ACTION_KEY"];
    let all = ["TYPETALK_ALERT_TOKEN", "SLACK_TOKEN", slack, "GOOGLE_CREDENTIALS"];
    assert_eq!(webhook(&both), [&all[..], &both_proofs, &pagerduty, &["NOTICE_TOKENS"]].concat());
    // The check looks at the places of alerts, too, and tells a watchdog.
    assert_eq!(
        reminder(&both),
        [
            "TYPETALK_ALERT_TOKEN",
            "TYPETALK_ONCALL_TOKEN",
            "SLACK_TOKEN",
            "GOOGLE_CREDENTIALS",
            "PAGERDUTY_API_KEY",
            "HEARTBEAT_URL"
        ]
    );
    let csv = [("CHATS", "slack"), ("ROSTER_CSV", "/roster.csv"), ("SLACK_TOKEN", "xoxb-planted")];
    let rest = [&[slack][..], &both_proofs, &pagerduty, &["NOTICE_TOKENS"]].concat();
    assert_eq!(webhook(&csv), rest, "what the environment sets is not asked for");
    assert_eq!(reminder(&csv), ["PAGERDUTY_API_KEY", "HEARTBEAT_URL"]);
    assert_eq!(environment(&both).missing_secrets(WebhookSecrets::read_again), both_proofs);
    assert_eq!(environment(&both).missing_secrets(NoticeSecrets::read_again), ["NOTICE_TOKENS"]);
    assert_eq!(environment(&both).missing_secrets(SlackSecrets::read_again), [slack]);
    assert_eq!(webhook(LEAST), [&[slack, "PAGERDUTY_TOKENS"][..], &pagerduty, &["NOTICE_TOKENS"]].concat());
}

#[test]
fn of_secrets_that_are_read_again_those_that_can_be_used_are() {
    for (signing, tokens, expected, is_whole) in [
        ("planted-signing,an-old-one", "", &["planted-signing", "an-old-one"][..], true),
        ("planted-signing,null", "", &["planted-signing"], false),
        ("planted-signing,", "undefined", &["planted-signing"], false),
        ("null", "two words", &[], false),
        ("", "", &[], false),
    ] {
        let settings = [("PAGERDUTY_SIGNING_SECRETS", signing), ("PAGERDUTY_TOKENS", tokens)];
        let (secrets, problems) = WebhookSecrets::read_again(&environment(&settings));
        assert_eq!([exposed(&secrets.signing), exposed(&secrets.tokens)].concat(), expected, "{settings:?}");
        assert_eq!(problems.is_none(), is_whole, "{settings:?}: {problems:?}");
    }
}

#[test]
fn what_works_but_perhaps_not_as_meant_is_a_warning() {
    let two_chats = "two chats and no MEMBERS_RANGE: a name in the sheet can be a handle on only one of them, so the \
                     other will not mention people";
    assert_eq!(good(&[]).team.warnings, [two_chats]);
    assert_eq!(good(&[("MEMBERS_RANGE", "members!A:C")]).team.warnings, [""; 0]);
    let on_slack = [("CHATS", "slack"), ("FALLBACK_MENTIONS", "S0SRETEAM")];
    let slack = |more: &[(&'static str, &'static str)]| good(&[&on_slack[..], more].concat()).team.warnings;
    assert_eq!(slack(&[]), [""; 0]);
    assert_eq!(
        slack(&[("FALLBACK_MENTIONS", "")]),
        ["FALLBACK_MENTIONS is not set: when the roster can't say who is on call, nobody is mentioned"]
    );
    assert_eq!(
        slack(&[("ROSTER_CSV", "/roster.csv")]),
        ["ROSTER_CSV is set, so the sheet of SPREADSHEET_ID is not read; remove one of the two"]
    );
    assert_eq!(
        slack(&[("SLACK_TOKEN", "xoxp-one")]),
        ["SLACK_TOKEN doesn't begin with `xoxb-`: is it the app's bot token?"]
    );
}
