//! Whether a delivery comes from PagerDuty: a v3 signature, or the bearer token that a v2 extension sends.

use ::http::HeaderMap;
use chrono::{DateTime, Utc};
use ring::hmac;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::json::is_id;
use crate::config::{Environment, Problems, WebhookSecrets};
use crate::edge::authenticator::{Verify, bearer, bears_one_of, header_values};

/// Knows the secrets of which any one proves a delivery authentic.
#[derive(Debug)]
pub struct Verifier {
    secrets: WebhookSecrets,
}

impl Verifier {
    /// Several secrets of a kind let one replace the other without a gap.
    #[must_use]
    pub fn new(secrets: WebhookSecrets) -> Self {
        Self { secrets }
    }

    /// Checks the raw bytes of a delivery, in constant time.
    ///
    /// Source: <https://developer.pagerduty.com/docs/webhooks-signatures>
    #[must_use]
    pub fn admits(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        self.is_signed(headers, body) || bears_one_of(headers, &self.secrets.tokens)
    }

    fn is_signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let signatures: Vec<_> = header_values(headers, "x-pagerduty-signature")
            .flat_map(|header| header.split(','))
            // Only the first version exists; what others mean is not known.
            .filter_map(|signature| hex::decode(signature.trim().strip_prefix("v1=")?).ok())
            .collect();
        // The body is hashed once for each of our secrets, not for each signature in the header, of which a forger may send any number.
        !signatures.is_empty()
            && self.secrets.signing.iter().any(|secret| {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
                let expected = hmac::sign(&key, body);
                signatures.iter().any(|signature| expected.as_ref().ct_eq(signature).into())
            })
    }
}

impl Verify for Verifier {
    const SETTINGS: &'static str = "PAGERDUTY_SIGNING_SECRETS and PAGERDUTY_TOKENS";

    fn admits(&self, headers: &HeaderMap, body: &[u8], _now: DateTime<Utc>) -> bool {
        self.admits(headers, body)
    }

    fn read_again(environment: &Environment) -> (Self, Option<Problems>) {
        let (secrets, problems) = WebhookSecrets::read_again(environment);
        (Self::new(secrets), problems)
    }
}

/// What a request carries that PagerDuty's webhooks carry, and hardly anybody else's; it proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks<'a> {
    /// A signature, whether or not it is ours.
    pub signed: bool,
    /// A bearer token, whether or not it is ours.
    pub bearer: bool,
    /// The v3 subscription that it names, if that looks like an id.
    pub subscription: Option<&'a str>,
}

impl<'a> Marks<'a> {
    /// A webhook's id, and a signature or a bearer token; none if one of the two is missing.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Option<Self> {
        let signed = headers.contains_key("x-pagerduty-signature");
        let bearer = header_values(headers, "authorization").any(|value| bearer(value).is_some());
        let subscription = header_values(headers, "x-webhook-subscription").next().filter(|id| is_id(id));
        (headers.contains_key("x-webhook-id") && (signed || bearer)).then_some(Self { signed, bearer, subscription })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "test-signing-secret";
    const BODY: &[u8] = br#"{"event":{"event_type":"pagey.ping"}}"#;
    /// By another program: `printf %s BODY | openssl dgst -sha256 -hmac SECRET`.
    const SIGNATURE: &str = "v1=ff3c58bfc722c378bf958f1abcd2688b2ab51711f91d490ce5e4d95f70b18a4b";

    fn verifier() -> Verifier {
        with(&["an older secret", SECRET], &["t0ken", "n3w"])
    }

    fn with(signing: &[&str], tokens: &[&str]) -> Verifier {
        let secrets = |secrets: &[&str]| secrets.iter().map(|secret| (*secret).into()).collect();
        Verifier::new(WebhookSecrets { signing: secrets(signing), tokens: secrets(tokens) })
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn pagerdutys_own_signature_is_accepted_wherever_it_stands() {
        for header in [
            SIGNATURE.to_owned(),
            format!("v1={},{SIGNATURE}", "0".repeat(64)),
            format!("v2=whatever, {SIGNATURE} ,v1=nothex,v1="),
            format!("v1={}", SIGNATURE[3..].to_uppercase()),
        ] {
            assert!(verifier().admits(&headers(&[("x-pagerduty-signature", &header)]), BODY), "{header}");
        }
        let two_lines = headers(&[("x-pagerduty-signature", "v1=00"), ("x-pagerduty-signature", SIGNATURE)]);
        assert!(verifier().admits(&two_lines, BODY));
    }

    #[test]
    fn a_signature_of_something_else_is_refused() {
        for header in [
            "",
            "v1=",
            "v1=00",
            &SIGNATURE[..66],
            &SIGNATURE[3..],
            &SIGNATURE.replace("v1", "v2"),
            &format!("{SIGNATURE}0"),
        ] {
            assert!(!verifier().admits(&headers(&[("x-pagerduty-signature", header)]), BODY), "{header}");
        }
        assert!(!verifier().admits(&headers(&[("x-pagerduty-signature", SIGNATURE)]), b"{}"));
        let other = with(&["another secret"], &[]);
        assert!(!other.admits(&headers(&[("x-pagerduty-signature", SIGNATURE)]), BODY));
        assert!(!verifier().admits(&HeaderMap::new(), BODY));
    }

    #[test]
    fn any_of_the_tokens_is_accepted_as_bearer_and_in_no_other_way() {
        for (header, expected) in [
            ("Bearer t0ken", true),
            ("bearer  n3w ", true),
            ("Bearer t0ke", false),
            ("Bearer t0kenn", false),
            ("Bearer ", false),
            ("Bearer", false),
            ("Token token=t0ken", false),
            ("t0ken", false),
        ] {
            assert_eq!(verifier().admits(&headers(&[("authorization", header)]), b"{}"), expected, "{header}");
        }
    }

    #[test]
    fn what_carries_a_webhooks_id_and_a_proof_of_either_kind_has_pagerdutys_marks() {
        let (id, signature, bearer) = (("x-webhook-id", "w-1"), ("x-pagerduty-signature", "?"), "Bearer x");
        let marks = |signed, bearer, subscription| Some(Marks { signed, bearer, subscription });
        for (pairs, expected) in [
            (&[id, signature][..], marks(true, false, None)),
            (&[id, ("authorization", bearer)], marks(false, true, None)),
            (&[id, signature, ("authorization", bearer)], marks(true, true, None)),
            (&[id, signature, ("x-webhook-subscription", "PSUB001")], marks(true, false, Some("PSUB001"))),
            (&[id, signature, ("x-webhook-subscription", "two words")], marks(true, false, None)),
            (&[id], None),
            (&[id, ("authorization", "Basic x")], None),
            (&[signature, ("authorization", bearer), ("x-webhook-subscription", "PSUB001")], None),
            (&[], None),
        ] {
            assert_eq!(Marks::of(&headers(pairs)), expected, "{pairs:?}");
        }
    }

    #[test]
    fn without_secrets_nothing_is_admitted() {
        let none = with(&[], &[]);
        assert!(!none.admits(&headers(&[("x-pagerduty-signature", SIGNATURE), ("authorization", "Bearer ")]), BODY));
    }
}
