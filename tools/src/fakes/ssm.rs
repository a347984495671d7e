//! SSM Parameter Store's `GetParameters`, by ten names at most, and only by those that the caller's policy allows; and
//! `PutParameter`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::server::{Fake, Received, Reply, Service, lock};

/// The most names in one request.
const MAX_NAMES: usize = 10;
/// The longest value of a standard parameter.
const MAX_STANDARD: usize = 4096;

/// A running parameter store; [`Server`](super::server::Server) says how to make it fail.
pub type Ssm = Fake<Store>;

/// What it keeps.
#[derive(Debug, Default)]
pub struct Store {
    parameters: Mutex<BTreeMap<String, String>>,
    /// Which names the caller's policy has; without one it has all.
    allowed: Mutex<Option<BTreeSet<String>>>,
    asked: Mutex<Vec<Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct GetParameters {
    names: Vec<String>,
    #[serde(default)]
    with_decryption: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct PutParameter {
    name: String,
    value: String,
    r#type: String,
    #[serde(default)]
    overwrite: bool,
    #[serde(rename = "KeyId")]
    _key_id: Option<String>,
}

impl Ssm {
    /// Starts without parameters.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16) -> io::Result<Self> {
        let store = Store::default();
        Self::serve(port, store).await
    }

    /// Sets a `SecureString` by its whole name, such as `/oncall-relay/SLACK_TOKEN`.
    pub fn put(&self, name: &str, value: &str) {
        self.state.set(name, value);
    }

    /// Deletes a parameter, by its whole name.
    pub fn delete(&self, name: &str) {
        lock(&self.state.parameters).remove(name);
    }

    /// Gives the caller a policy with these whole names, and no others.
    pub fn allow(&self, names: &[&str]) {
        *lock(&self.state.allowed) = Some(names.iter().map(|name| (*name).to_owned()).collect());
    }

    /// The names in each request so far that was well-formed.
    #[must_use]
    pub fn asked(&self) -> Vec<Vec<String>> {
        lock(&self.state.asked).clone()
    }
}

impl Service for Store {
    fn answer(&self, request: &Received) -> Reply {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if request.method() != Method::POST {
            return refusal("UnknownOperationException");
        }
        if !header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=") {
            return refusal("MissingAuthenticationToken");
        }
        match header("x-amz-target") {
            "AmazonSSM.GetParameters" => serde_json::from_slice(request.body()).map(|asked| self.parameters(asked)),
            "AmazonSSM.PutParameter" => serde_json::from_slice(request.body()).map(|given| self.take(given)),
            _ => return refusal("UnknownOperationException"),
        }
        .unwrap_or_else(|_| refusal("SerializationException"))
    }
}

impl Store {
    /// The value of a parameter, by its whole name.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        lock(&self.parameters).get(name).cloned()
    }

    pub(super) fn set(&self, name: &str, value: &str) {
        lock(&self.parameters).insert(name.to_owned(), value.to_owned());
    }

    fn take(&self, given: PutParameter) -> Reply {
        let PutParameter { name, value, r#type, overwrite, .. } = given;
        if r#type != "SecureString" || value.is_empty() || value.len() > MAX_STANDARD {
            return refusal("ValidationException");
        }
        if !overwrite && self.value(&name).is_some() {
            return refusal("ParameterAlreadyExists");
        }
        self.set(&name, &value);
        Reply::json(StatusCode::OK, &json!({"Version": 1, "Tier": "Standard"}))
    }

    fn parameters(&self, asked: GetParameters) -> Reply {
        let GetParameters { names, with_decryption } = asked;
        let distinct: BTreeSet<_> = names.iter().collect();
        if !(1..=MAX_NAMES).contains(&names.len()) {
            return refusal("ValidationException");
        }
        lock(&self.asked).push(names.clone());
        // One name that is not allowed costs all of them.
        if lock(&self.allowed).as_ref().is_some_and(|allowed| !names.iter().all(|name| allowed.contains(name))) {
            return refusal("AccessDeniedException");
        }
        let parameters = lock(&self.parameters);
        let (found, missing): (Vec<_>, Vec<_>) = distinct.into_iter().partition(|name| parameters.contains_key(*name));
        let found: Vec<_> = found
            .into_iter()
            .map(|name| {
                // Who doesn't ask for decryption gets what nobody can use.
                let value = if with_decryption { parameters[name].as_str() } else { "AQICAHencrypted" };
                json!({"Name": name, "Type": "SecureString", "Value": value, "Version": 1})
            })
            .collect();
        Reply::json(StatusCode::OK, &json!({"Parameters": found, "InvalidParameters": missing}))
    }
}

fn refusal(code: &str) -> Reply {
    Reply::json(StatusCode::BAD_REQUEST, &json!({"__type": code, "message": "refused by the stand-in"}))
}
