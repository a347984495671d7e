//! SSM Parameter Store's `GetParametersByPath`, in pages of ten as the real one.

use std::collections::BTreeMap;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::server::{Heard, Reply, Server, Service, lock};

/// The most that a page holds.
const PAGE: usize = 10;

/// A running parameter store; [`Server`] says how to make it fail.
#[derive(Debug)]
pub struct Ssm {
    server: Server,
    store: Arc<Store>,
}

#[derive(Debug, Default)]
struct Store {
    parameters: Mutex<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct GetParametersByPath {
    path: String,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    with_decryption: bool,
    next_token: Option<String>,
}

impl Ssm {
    /// Starts without parameters.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16) -> io::Result<Self> {
        let store = Arc::new(Store::default());
        let service: Arc<dyn Service> = store.clone();
        Ok(Self { server: Server::start(port, service).await?, store })
    }

    /// Sets a `SecureString` by its whole name, such as `/oncall-relay/SLACK_TOKEN`.
    pub fn put(&self, name: &str, value: &str) {
        lock(&self.store.parameters).insert(name.to_owned(), value.to_owned());
    }
}

impl Deref for Ssm {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Service for Store {
    fn answer(&self, request: &Heard) -> Reply {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_for_us = request.method() == Method::POST && header("x-amz-target") == "AmazonSSM.GetParametersByPath";
        if !is_for_us {
            return refusal("UnknownOperationException");
        }
        if !header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=") {
            return refusal("MissingAuthenticationToken");
        }
        match serde_json::from_slice::<GetParametersByPath>(request.body()) {
            Ok(asked) => self.page(&asked),
            Err(_) => refusal("SerializationException"),
        }
    }
}

impl Store {
    fn page(&self, asked: &GetParametersByPath) -> Reply {
        let parameters = lock(&self.parameters);
        let folder = format!("{}/", asked.path.trim_end_matches('/'));
        let under = parameters
            .iter()
            .filter(|(name, _)| name.strip_prefix(&folder).is_some_and(|rest| asked.recursive || !rest.contains('/')));
        let Ok(start) = asked.next_token.as_deref().unwrap_or("0").parse::<usize>() else {
            return refusal("InvalidNextToken");
        };
        let found: Vec<_> = under
            .skip(start)
            .map(|(name, value)| {
                // Who doesn't ask for decryption gets what nobody can use.
                let value = if asked.with_decryption { value.as_str() } else { "AQICAHencrypted" };
                json!({"Name": name, "Type": "SecureString", "Value": value, "Version": 1})
            })
            .collect();
        let mut page = json!({"Parameters": found.iter().take(PAGE).collect::<Vec<_>>()});
        if found.len() > PAGE {
            page["NextToken"] = json!((start + PAGE).to_string());
        }
        Reply::json(StatusCode::OK, &page)
    }
}

fn refusal(code: &str) -> Reply {
    Reply::json(StatusCode::BAD_REQUEST, &json!({"__type": code, "message": "refused by the stand-in"}))
}
