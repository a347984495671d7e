//! Notices as they come in: who may send them, and what one says.

use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde_json::{Map, Value};

use super::authenticator::{Verify, bears_one_of};
use crate::config::{Environment, NoticeSecrets, Problems};
use crate::domain::event::{Incident, Link};
use crate::domain::notice::{Notice, NoticeStatus};
use crate::domain::sanitize;

/// Of the body; no job has more to say.
pub const MAX_BODY: usize = 64 << 10;

impl Verify for NoticeSecrets {
    const SETTINGS: &'static str = "NOTICE_TOKENS";

    fn admits(&self, headers: &HeaderMap, _body: &[u8], _now: DateTime<Utc>) -> bool {
        bears_one_of(headers, &self.tokens)
    }

    fn read_again(environment: &Environment) -> (Self, Option<Problems>) {
        Self::read_again(environment)
    }
}

/// A notice, and by what it is known again if it is sent once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What it says.
    pub notice: Notice,
    /// Names it; the same for every attempt to send it.
    pub key: Option<String>,
}

/// Why a body is not a notice, in words for whoever sent it. It quotes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotANotice(String);

/// Reads a notice. An empty text counts as absent: that is what a variable that is not set becomes in a script.
///
/// # Errors
/// Says which field is wrong, and what it may be.
pub fn parse(body: &[u8]) -> Result<Received, NotANotice> {
    let wrong = |what: &str| NotANotice(what.to_owned());
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return Err(wrong(r#"the body must be a JSON object such as {"text":"app-01 restarted"}"#));
    };
    let text = text(&fields, "text")?.filter(|text| !sanitize::lines(text).is_empty());
    let text = text.ok_or_else(|| wrong("`text` is missing: what the people of the alert topic are to know"))?;
    let status = match optional(&fields, "status")? {
        None => NoticeStatus::Info,
        Some(key) => NoticeStatus::from_key(&key).ok_or_else(|| {
            let keys = NoticeStatus::ALL.map(NoticeStatus::key).join("`, `");
            NotANotice(format!("`status` must be one of `{keys}`"))
        })?,
    };
    let incident = match word(&fields, "incident")? {
        None => Incident::default(),
        Some(name) => Incident::named(&name)
            .ok_or_else(|| wrong("`incident` must be a number (33), an id (PGR0VU2) or a tag (#pd33)"))?,
    };
    let link = match optional(&fields, "url")? {
        None => None,
        // What follows a `#` would be a hashtag on Typetalk; the page is the same without.
        Some(url) => Some(
            Link::parse(url.split('#').next().unwrap_or_default())
                .ok_or_else(|| wrong("`url` must be an http or https address"))?,
        ),
    };
    let source = optional(&fields, "source")?;
    let key = word(&fields, "key")?;
    Ok(Received { notice: Notice { status, text, incident, link, source, in_doubt: false }, key })
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, NotANotice> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(NotANotice(format!("`{name}` must be a text"))),
    }
}

fn optional(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, NotANotice> {
    let text = text(fields, name)?.map(|text| text.trim().to_owned());
    Ok(text.filter(|text| !text.is_empty()))
}

/// A text, or a whole number in its place.
fn word(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, NotANotice> {
    match fields.get(name) {
        Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
        Some(Value::Number(_)) => Err(NotANotice(format!("`{name}` must be a text or a whole number"))),
        _ => optional(fields, name),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<Received, String> {
        parse(body.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_text_is_required_and_what_is_empty_is_absent() {
        let plain = Notice {
            status: NoticeStatus::Info,
            text: "restarted".to_owned(),
            incident: Incident::default(),
            link: None,
            source: None,
            in_doubt: false,
        };
        let absent = Ok(Received { notice: plain.clone(), key: None });
        assert_eq!(read(&json!({"text": "restarted"})), absent);
        for nothing in [json!(""), json!("  "), Value::Null] {
            let body = json!({"text": "restarted", "status": nothing, "incident": nothing, "url": nothing,
                "source": nothing, "key": nothing, "colour": "red"});
            assert_eq!(read(&body), absent, "{body}");
        }
        let whole = json!({"text": "restarted", "status": "failed", "incident": 33, "url": "https://ci.example/1#step-2",
            "source": "Jenkins", "key": 7});
        let notice = Notice {
            status: NoticeStatus::Failed,
            incident: Incident { number: Some(33), ..Incident::default() },
            link: Link::parse("https://ci.example/1"),
            source: Some("Jenkins".to_owned()),
            ..plain
        };
        assert_eq!(read(&whole), Ok(Received { notice, key: Some("7".to_owned()) }));
    }

    #[test]
    fn what_is_no_notice_is_refused_by_its_field_without_a_quotation() {
        let object = r#"the body must be a JSON object such as {"text":"app-01 restarted"}"#;
        let text = "`text` is missing: what the people of the alert topic are to know";
        let incident = "`incident` must be a number (33), an id (PGR0VU2) or a tag (#pd33)";
        for (body, expected) in [
            (json!([]), object),
            (json!("restarted"), object),
            (json!(null), object),
            (json!({}), text),
            (json!({"text": " \n"}), text),
            (json!({"text": "\u{200b}\u{202e}"}), text),
            (json!({"text": null}), text),
            (json!({"text": 5}), "`text` must be a text"),
            (json!({"text": ["x"]}), "`text` must be a text"),
            (
                json!({"text": "x", "status": "done"}),
                "`status` must be one of `started`, `succeeded`, `failed`, `info`",
            ),
            (
                json!({"text": "x", "status": "Failed"}),
                "`status` must be one of `started`, `succeeded`, `failed`, `info`",
            ),
            (json!({"text": "x", "status": true}), "`status` must be a text"),
            (json!({"text": "x", "incident": "#pd33 @all"}), incident),
            (json!({"text": "x", "incident": 0}), incident),
            (json!({"text": "x", "incident": -1}), "`incident` must be a text or a whole number"),
            (json!({"text": "x", "incident": 33.5}), "`incident` must be a text or a whole number"),
            (json!({"text": "x", "incident": {}}), "`incident` must be a text"),
            (json!({"text": "x", "url": "javascript:alert(1)"}), "`url` must be an http or https address"),
            (json!({"text": "x", "url": "https://user:pass@ci.example/"}), "`url` must be an http or https address"),
            (json!({"text": "x", "key": {}}), "`key` must be a text"),
        ] {
            assert_eq!(read(&body).map(|_| ()), Err(expected.to_owned()), "{body}");
        }
        for bytes in [&b""[..], b"text=restarted", b"\xff", b"{\"text\":\"\\ud800\"}", &b"[".repeat(10_000)] {
            assert_eq!(parse(bytes).map_err(|error| error.to_string()), Err(object.to_owned()));
        }
    }
}
