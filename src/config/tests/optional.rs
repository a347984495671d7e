//! What is on only if its settings are there: buttons, lists of incidents, notices, parts of the check.

use super::*;

#[test]
fn buttons_need_both_settings_and_slacks_secrets_and_each_half_is_told() {
    let acting = [("PAGERDUTY_ACTION_KEY", "planted-key"), ("PAGERDUTY_FROM", "oncall@example.com")];
    let slack = [("SLACK_SIGNING_SECRETS", "planted-slack")];
    let incidents = [("PAGERDUTY_API_KEY", "planted-read"), ("PAGERDUTY_SERVICES", "PSERVICE")];
    let is_on = |changes: &[&[(&str, &str)]]| {
        let interaction = read(&changes.concat()).unwrap().interaction;
        interaction.map(|on| (on.acting.is_some(), on.incidents.is_some()))
    };
    assert_eq!(is_on(&[&acting, &incidents]), None, "without its secrets nothing of Slack's is taken");
    assert_eq!(is_on(&[&slack]), Some((false, false)));
    assert_eq!(is_on(&[&slack, &incidents]), Some((false, true)));
    assert_eq!(is_on(&[&slack, &acting]), Some((true, false)));
    // What the reminder will refuse is no reason to post no alerts.
    assert_eq!(is_on(&[&incidents[..1]]), None);
    let warned = |changes: &[&[(&'static str, &'static str)]]| {
        let warnings = good(&changes.concat()).team.warnings;
        warnings.into_iter().filter(|warning| warning.contains("ACTION_KEY")).count()
    };
    assert_eq!(warned(&[&acting]), 1);
    assert_eq!(warned(&[&acting, &slack]), 0);
    assert_eq!(warned(&[&acting, &slack, &[("CHATS", "typetalk")]]), 1);
}

#[test]
fn notices_are_on_if_there_is_a_token_for_them() {
    let read = |tokens: &str| {
        let settings = [LEAST, &[("NOTICE_TOKENS", tokens)]].concat();
        WebhookConfig::read(&environment(&settings))
    };
    assert!(read("").unwrap().notices.is_none());
    let notices = read("planted-for-ci, planted-for-runbooks").unwrap().notices.unwrap();
    assert_eq!(exposed(&notices.tokens), ["planted-for-ci", "planted-for-runbooks"]);
    for malformed in ["planted-for-ci,", "null", "two words"] {
        let problems = read(malformed).unwrap_err().to_string();
        assert!(problems.contains("\n- NOTICE_TOKENS can't be used: "), "{malformed}: {problems}");
    }
}

#[test]
fn the_settings_that_only_the_check_needs_keep_no_reminder_from_starting() {
    let read = |changes: &[(&str, &str)]| {
        let least = [("CHATS", "slack"), ("SLACK_ONCALL_CHANNEL", "C0ONCALL"), ("ROSTER_CSV", "/roster.csv")];
        let token = [("SLACK_TOKEN", "xoxb-planted-slack")];
        ReminderConfig::read(&environment(&[&least[..], &token, changes].concat()))
    };
    let check = read(&[]).unwrap().check;
    assert!(check.alert_chats.unwrap_err().to_string().contains("SLACK_ALERT_CHANNEL is not set"));
    assert_eq!((check.webhook_url, check.heartbeat.is_none()), (None, true));
    assert_eq!(check.settings, ["CHATS", "ROSTER_CSV", "SLACK_ONCALL_CHANNEL", "SLACK_TOKEN"]);
    let check = read(&[
        ("SLACK_ALERT_CHANNEL", "C0ALERTS"),
        ("WEBHOOK_URL", "https://relay.example.com/pagerduty"),
        ("HEARTBEAT_URL", "https://hc-ping.com/planted"),
    ]);
    let check = check.unwrap().check;
    assert_eq!(check.alert_chats.unwrap().len(), 1);
    assert_eq!(check.webhook_url.unwrap().path(), "/pagerduty");
    assert_eq!(check.heartbeat.unwrap().expose_secret(), "https://hc-ping.com/planted");
    for variable in ["WEBHOOK_URL", "HEARTBEAT_URL"] {
        for address in ["relay.example.com", "mailto:planted@example.com", "https://"] {
            let problems = read(&[(variable, address)]).unwrap_err().to_string();
            assert!(problems.contains(&format!("{variable} can't be used")), "{problems}");
            assert!(!problems.contains("planted"), "{problems}");
        }
    }
}
