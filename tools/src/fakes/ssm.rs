//! SSM Parameter Store's `GetParameters`, by ten names at most, and only by those that the caller's policy allows.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::server::{Fake, Received, Reply, Service, lock};

/// The most names in one request.
const MAX_NAMES: usize = 10;

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
        lock(&self.state.parameters).insert(name.to_owned(), value.to_owned());
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
        let is_for_us = request.method() == Method::POST && header("x-amz-target") == "AmazonSSM.GetParameters";
        if !is_for_us {
            return refusal("UnknownOperationException");
        }
        if !header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=") {
            return refusal("MissingAuthenticationToken");
        }
        match serde_json::from_slice::<GetParameters>(request.body()) {
            Ok(asked) => self.parameters(asked),
            Err(_) => refusal("SerializationException"),
        }
    }
}

impl Store {
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
