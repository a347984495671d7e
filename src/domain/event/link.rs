//! Addresses from outside that are safe to print.

use std::fmt;

use url::Url;

/// An `http` or `https` address that is safe to print: no white space, no credentials, of bearable length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link(String);

impl Link {
    const MAX_LENGTH: usize = 1000;

    /// The address in its normal form, unless it isn't one that we print.
    #[must_use]
    pub fn parse(address: &str) -> Option<Self> {
        let url = Url::parse(address.trim()).ok()?;
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        let bare = url.username().is_empty() && url.password().is_none();
        // What the URL standard leaves as it is but a chat's markup would not.
        let printed = url.as_str().replace('|', "%7C").replace('`', "%60").replace('@', "%40");
        // Slack writes five characters for an ampersand.
        let length = printed.len() + 4 * printed.matches('&').count();
        let plain = length <= Self::MAX_LENGTH
            && printed.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"'));
        (web && bare && plain).then_some(Self(printed))
    }
}

impl Link {
    /// Another page of the same site; `path` begins with a slash.
    #[must_use]
    pub fn sibling(&self, path: &str) -> Option<Self> {
        let Self(address) = self;
        Self::parse(Url::parse(address).ok()?.join(path).ok()?.as_str())
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_are_links() {
        for (address, printed) in [
            ("https://acme.pagerduty.com/incidents/PGR0VU2", Some("https://acme.pagerduty.com/incidents/PGR0VU2")),
            ("http://127.0.0.1:8080/x?a=1&b=2", Some("http://127.0.0.1:8080/x?a=1&b=2")),
            ("https://acme.pagerduty.com/a b|c", Some("https://acme.pagerduty.com/a%20b%7Cc")),
            ("https://acme.pagerduty.com/@all", Some("https://acme.pagerduty.com/%40all")),
            ("javascript:alert(1)", None),
            ("ftp://acme.example/", None),
            ("https://user:pass@acme.example/", None),
            ("not a url", None),
            ("", None),
        ] {
            assert_eq!(Link::parse(address).map(|link| link.to_string()).as_deref(), printed, "{address}");
        }
    }
}
