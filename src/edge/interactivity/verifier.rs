//! Whether a request is Slack's: its `v0` signature, at most five minutes old.
//!
//! Source: <https://docs.slack.dev/authentication/verifying-requests-from-slack>

use chrono::{DateTime, Utc};
use http::HeaderMap;
use ring::hmac;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::budget::SLACK_SIGNATURE_FOR;
use crate::config::{Environment, Problems, SlackSecrets};
use crate::edge::authenticator::Verify;

/// Knows the secrets of which any one proves a request to be Slack's.
#[derive(Debug)]
pub struct SlackVerifier(pub SlackSecrets);

impl Verify for SlackVerifier {
    const SETTINGS: &'static str = "SLACK_SIGNING_SECRETS";

    fn admits(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> bool {
        let header = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
        let signature = header("x-slack-signature").and_then(|text| hex::decode(text.trim().strip_prefix("v0=")?).ok());
        let (Some(signature), Some(timestamp)) = (signature, header("x-slack-request-timestamp")) else {
            return false;
        };
        let signed_at = timestamp.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        if signed_at.is_none_or(|at| (now - at).abs() > SLACK_SIGNATURE_FOR) {
            return false;
        }
        self.0.signing.iter().any(|secret| {
            let mut context =
                hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes()));
            for part in [b"v0:", timestamp.as_bytes(), b":", body] {
                context.update(part);
            }
            context.sign().as_ref().ct_eq(&signature).into()
        })
    }

    fn read_again(environment: &Environment) -> (Self, Option<Problems>) {
        let (secrets, problems) = SlackSecrets::read_again(environment);
        (Self(secrets), problems)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    /// Slack's own example.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIMESTAMP: &str = "1531420618";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
                        &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
                        &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmib\
                        IGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn admits(secrets: &[&str], headers: &[(&'static str, &str)], body: &[u8], seconds_later: i64) -> bool {
        let signing = secrets.iter().map(|secret| (*secret).into()).collect();
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let now = DateTime::from_timestamp(1_531_420_618, 0).unwrap() + TimeDelta::seconds(seconds_later);
        SlackVerifier(SlackSecrets { signing }).admits(&headers, body, now)
    }

    #[test]
    fn slacks_own_example_is_admitted_for_five_minutes_under_any_secret() {
        let headers = [("x-slack-signature", SIGNATURE), ("x-slack-request-timestamp", TIMESTAMP)];
        for (seconds, expected) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
            assert_eq!(admits(&["an older secret", SECRET], &headers, BODY.as_bytes(), seconds), expected, "{seconds}");
        }
        assert!(!admits(&["another secret"], &headers, BODY.as_bytes(), 0));
        assert!(!admits(&[], &headers, BODY.as_bytes(), 0));
        assert!(!admits(&[SECRET], &headers, &BODY.as_bytes()[1..], 0));
    }

    #[test]
    fn what_is_not_signed_so_is_refused() {
        let bare = &SIGNATURE[3..];
        let (wrong_version, short) = (SIGNATURE.replace("v0", "v1"), &SIGNATURE[..66]);
        for (signature, timestamp) in [
            ("", TIMESTAMP),
            ("v0=", TIMESTAMP),
            ("v0=nothex", TIMESTAMP),
            (bare, TIMESTAMP),
            (short, TIMESTAMP),
            (wrong_version.as_str(), TIMESTAMP),
            (SIGNATURE, ""),
            (SIGNATURE, "1531420619"),
            (SIGNATURE, "1531420618.0"),
            (SIGNATURE, "+1531420618"),
            (SIGNATURE, "99999999999999999999"),
        ] {
            let headers = [("x-slack-signature", signature), ("x-slack-request-timestamp", timestamp)];
            assert!(!admits(&[SECRET], &headers, BODY.as_bytes(), 0), "{signature} {timestamp}");
        }
        assert!(!admits(&[SECRET], &[("x-slack-signature", SIGNATURE)], BODY.as_bytes(), 0));
    }
}
