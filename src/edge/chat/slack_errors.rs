//! Slack's error codes: what each means for the post, and what to do about it.
//!
//! Sources: <https://docs.slack.dev/reference/methods/chat.postmessage#errors>, which also has the errors of every
//! method, the same of `chat.update`, and codes that are seen and not documented.

use std::time::Duration;

use super::{PostError, PostFailure};
use crate::config::Purpose;

/// What an error means for the post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It came too soon after another one, and was not taken.
    TooSoon,
    /// It was not taken, and may be later.
    Outage,
    /// It may have been taken.
    Unknown,
    /// Slack refuses what it says.
    Message,
    /// Slack refuses the thread; the channel may take it.
    Thread,
    /// Slack refuses us, whatever we say.
    Us,
}

/// Codes with the same meaning and remedy. `{channel}` in a remedy is the setting of the channel.
type Row = (Meaning, &'static [&'static str], &'static str);

/// Slack asks for at least a second between posts to a channel.
const PACE: Duration = Duration::from_secs(1);

const UNKNOWN_CODE: (Meaning, &str) = (
    Meaning::Us,
    "the relay doesn't know this code; look it up at https://docs.slack.dev/reference/methods/chat.postmessage",
);

const TABLE: &[Row] = &[
    (
        Meaning::TooSoon,
        &["ratelimited", "rate_limited"],
        "Slack takes about one message per second and channel; if it lasts, find out what else posts there",
    ),
    (Meaning::Outage, &["service_unavailable"], "look at https://slack-status.com"),
    (Meaning::Outage, &["request_timeout"], "the request reached Slack only in part; if it lasts, check the network"),
    (Meaning::Outage, &["team_added_to_org"], "the workspace is moving to an Enterprise organization; wait for it"),
    (
        Meaning::Unknown,
        &["internal_error", "fatal_error"],
        "Slack failed in the middle of it; look at https://slack-status.com",
    ),
    (Meaning::Message, &["no_text"], "the relay sent no text; please report it"),
    (Meaning::Message, &["msg_too_long", "msg_blocks_too_long"], "the message is too long for Slack"),
    (Meaning::Message, &["invalid_blocks", "invalid_blocks_format"], "Slack can't lay the message out"),
    (
        Meaning::Message,
        &["too_many_attachments", "attachment_payload_limit_exceeded"],
        "the message's attachments are too large for Slack",
    ),
    (Meaning::Message, &["markdown_text_conflict"], "the message has its text twice; please report it"),
    (
        Meaning::Message,
        &[
            "slack_connect_canvas_sharing_blocked",
            "slack_connect_file_link_sharing_blocked",
            "slack_connect_lists_sharing_blocked",
        ],
        "the text links a file, canvas or list of Slack's, which may not be shared in {channel}, a Slack Connect channel",
    ),
    (Meaning::Message, &["view_too_large"], "the form for a note is too large for Slack"),
    (
        Meaning::Us,
        &["expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"],
        "a form can be opened once, and within 3 s of the press; if it lasts, give the function more memory",
    ),
    (
        Meaning::Thread,
        &["cannot_reply_to_message", "thread_not_found", "message_not_found", "invalid_thread_ts"],
        "the incident's first message is gone or can't be replied to",
    ),
    (
        Meaning::Thread,
        &["cant_update_message"],
        "the incident's first message was posted by another app than SLACK_TOKEN's",
    ),
    (
        Meaning::Thread,
        &["edit_window_closed"],
        "the workspace lets nobody edit messages after some time; let an admin lift that, or read the state in the thread",
    ),
    (
        Meaning::Thread,
        &["is_inactive", "external_channel_migrating"],
        "the channel of the incident's first message is archived, frozen or moving",
    ),
    (
        Meaning::Thread,
        &["block_mismatch", "streaming_state_conflict", "cant_broadcast_message", "no_dual_broadcast_content_update"],
        "the incident's first message is of another kind than the relay's; was it changed by another app?",
    ),
    (
        Meaning::Outage,
        &["update_failed"],
        "Slack failed to change a message; if it lasts, look at https://slack-status.com",
    ),
    (Meaning::Message, &["invalid_attachments"], "Slack can't lay out what stands beside the coloured bar"),
    (Meaning::Thread, &["restricted_action_thread_locked"], "an admin has locked the incident's thread"),
    (Meaning::Thread, &["restricted_action_non_threadable_channel"], "{channel} is a channel without threads"),
    (
        Meaning::Us,
        &["channel_not_found"],
        "check {channel}: it must be a channel's id, and a private channel must have invited the bot",
    ),
    (Meaning::Us, &["not_in_channel"], "invite the bot to the channel of {channel}"),
    (Meaning::Us, &["is_archived"], "the channel of {channel} is archived; restore it or set another one"),
    (
        Meaning::Us,
        &["restricted_action", "channel_is_limited_access"],
        "a preference of the workspace keeps the bot from posting to {channel}; let an admin allow it",
    ),
    (
        Meaning::Us,
        &["restricted_action_read_only_channel"],
        "the channel of {channel} is read-only; let an admin allow the bot to post, or set another one",
    ),
    (
        Meaning::Us,
        &["restricted_action_thread_only_channel"],
        "the channel of {channel} takes only replies; let an admin change that, or set another one",
    ),
    (Meaning::Us, &["messages_tab_disabled"], "{channel} is a conversation with the app, whose messages tab is off"),
    (Meaning::Us, &["team_not_found"], "SLACK_TOKEN is for an organization; take a token of {channel}'s workspace"),
    (Meaning::Us, &["not_authed"], "Slack saw no token; check SLACK_TOKEN, and that SLACK_BASE_URL is Slack's"),
    (Meaning::Us, &["invalid_auth"], "check SLACK_TOKEN"),
    (
        Meaning::Us,
        &["account_inactive", "token_revoked"],
        "the app was removed from the workspace; install it again and put the new SLACK_TOKEN",
    ),
    (Meaning::Us, &["token_expired"], "SLACK_TOKEN has expired; switch the app's token rotation off and put a new one"),
    (Meaning::Us, &["missing_scope"], "give the app the scope chat:write, install it again, and check SLACK_TOKEN"),
    (Meaning::Us, &["not_allowed_token_type", "is_bot"], "SLACK_TOKEN must be the app's bot token, xoxb-…"),
    (Meaning::Us, &["no_permission"], "invite the bot to the channel of {channel}, and give the app chat:write"),
    (Meaning::Us, &["access_denied"], "SLACK_TOKEN's app may not use {channel}; let an admin allow it"),
    (Meaning::Us, &["app_access_restricted"], "an admin has restricted the app of SLACK_TOKEN; let them approve it"),
    (Meaning::Us, &["accesslimited"], "the app's settings limit the addresses that may use SLACK_TOKEN; allow AWS's"),
    (Meaning::Us, &["two_factor_setup_required"], "the account of SLACK_TOKEN must set up two-factor authentication"),
    (Meaning::Us, &["enterprise_is_restricted"], "SLACK_TOKEN is an Enterprise's; take a token of one workspace"),
    (Meaning::Us, &["org_login_required"], "the workspace is closed until it has moved to an Enterprise organization"),
    (Meaning::Us, &["ekm_access_denied"], "admins have suspended posting to {channel}, by Enterprise Key Management"),
    (
        Meaning::Us,
        &["message_limit_exceeded"],
        "the workspace's plan allows no more messages now; see its usage limits",
    ),
    (
        Meaning::Us,
        &["unknown_method", "method_deprecated", "deprecated_endpoint"],
        "check that SLACK_BASE_URL is Slack's; if it is, the relay needs an update",
    ),
    (
        Meaning::Us,
        &[
            "invalid_arguments",
            "invalid_arg_name",
            "invalid_array_arg",
            "invalid_charset",
            "invalid_form_data",
            "invalid_post_type",
            "missing_post_type",
        ],
        "Slack can't read the request; check what is between the relay and Slack (SLACK_BASE_URL)",
    ),
    (
        Meaning::Us,
        &[
            "as_user_not_supported",
            "blocked_file_type",
            "file_deleted",
            "file_is_deleted",
            "file_not_found",
            "file_share_limit_reached",
            "max_file_sharing_exceeded",
            "posting_to_channel_denied",
            "slack_connect_blocked_file_type",
            "slack_connect_clip_sharing_blocked",
            "slack_connect_file_upload_sharing_blocked",
            "unable_to_share_files",
            "duplicate_external_id",
            "draft_already_deleted",
            "draft_already_sent",
            "draft_has_conflict",
            "draft_not_found",
            "duplicate_channel_not_found",
            "duplicate_message_not_found",
            "invalid_metadata_format",
            "invalid_metadata_schema",
            "metadata_must_be_sent_from_app",
            "metadata_too_large",
            "missing_file_data",
            "send_on_behalf_not_allowed",
            "too_many_contact_cards",
        ],
        "it is about something that the relay never sends; check that SLACK_BASE_URL is Slack's",
    ),
];

/// The verdict on an error code and what to do about it, if the code is known.
#[must_use]
pub fn lookup(code: &str) -> Option<(Meaning, &'static str)> {
    let row = TABLE.iter().find(|(_, codes, _)| codes.contains(&code))?;
    Some((row.0, row.2))
}

/// What an error code means for a post.
pub(super) fn refusal(code: &str, in_thread: bool, purpose: Purpose) -> PostError {
    let (verdict, remedy) = lookup(code).unwrap_or(UNKNOWN_CODE);
    let failure = match verdict {
        Meaning::TooSoon => PostFailure::Unavailable { retry_after: Some(PACE), in_doubt: false },
        Meaning::Outage => PostFailure::Unavailable { retry_after: None, in_doubt: false },
        Meaning::Unknown => PostFailure::Unknown,
        Meaning::Message => PostFailure::MessageRefused,
        Meaning::Thread if in_thread => PostFailure::ThreadRefused,
        Meaning::Thread | Meaning::Us => PostFailure::Rejected,
    };
    // A code is a word; anything else in its place is not for the log.
    let is_code = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let detail = if is_code { code } else { "an error code that is none" };
    PostError { remedy: remedy.replace("{channel}", purpose.slack_channel()), ..PostError::new(failure, detail) }
}

/// An error code in the log's words, with what to do about it.
#[must_use]
pub fn explain(code: &str) -> String {
    let PostError { detail, remedy, .. } = refusal(code, false, Purpose::Alerts);
    format!("{detail}; {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_row_and_every_row_a_remedy_of_its_own() {
        for (index, (_, codes, remedy)) in TABLE.iter().enumerate() {
            assert!(remedy.len() > 10, "{codes:?}");
            for (_, other_codes, other_remedy) in &TABLE[index + 1..] {
                assert!(codes.iter().all(|code| !other_codes.contains(code)), "{codes:?}, {other_codes:?}");
                assert_ne!(remedy, other_remedy, "{codes:?}, {other_codes:?}");
            }
        }
    }

    #[test]
    fn a_remedy_names_the_setting_of_the_channel_at_hand() {
        for (purpose, setting) in [(Purpose::Alerts, "SLACK_ALERT_CHANNEL"), (Purpose::OnCall, "SLACK_ONCALL_CHANNEL")]
        {
            let error = refusal("not_in_channel", true, purpose);
            assert_eq!((error.failure, error.detail.as_str()), (PostFailure::Rejected, "not_in_channel"));
            assert_eq!(error.remedy, format!("invite the bot to the channel of {setting}"));
        }
    }

    #[test]
    fn an_unknown_code_is_called_so_and_blames_no_setting() {
        for code in ["never_heard_of", "<html> of & 7", ""] {
            let error = refusal(code, true, Purpose::Alerts);
            assert_eq!(error.failure, PostFailure::Rejected);
            assert!(error.remedy.contains("doesn't know this code") && !error.remedy.contains("SLACK_"), "{error:?}");
            assert!(!error.detail.contains('<'), "{error:?}");
        }
    }

    #[test]
    fn only_a_reply_can_be_refused_for_its_thread() {
        let failure = |in_thread| refusal("restricted_action_thread_locked", in_thread, Purpose::Alerts).failure;
        assert_eq!((failure(true), failure(false)), (PostFailure::ThreadRefused, PostFailure::Rejected));
    }
}
