//! Secrets from SSM Parameter Store: every parameter under `SECRETS_PATH` stands for a variable.
//!
//! Source: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html>

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use tokio::time::timeout;

use super::aws::sdk_config;
use super::http::HttpClient;
use crate::config::{SecretsConfig, Surroundings};

/// An attempt to read one page; the store answers within some 20 ms.
const PAGE_WITHIN: Duration = Duration::from_millis(1_500);
/// Attempts for a page, because a function that can't start costs webhooks their time.
const ATTEMPTS: usize = 2;

/// Settings of which the secret ones are in the store.
#[derive(Debug)]
pub struct Secrets {
    store: SecretStore,
    surroundings: Surroundings,
}

/// All settings: those of `surroundings`, and the secrets of the store that they name, if they name one.
///
/// # Errors
/// If the store's own settings are wrong, or it can't be read.
pub async fn load(surroundings: Surroundings) -> Result<(Surroundings, Option<Secrets>), lambda_http::Error> {
    let Some(config) = SecretsConfig::read(&surroundings)? else { return Ok((surroundings, None)) };
    let secrets = Secrets { store: SecretStore::new(&config, HttpClient::new()), surroundings };
    Ok((secrets.read().await?, Some(secrets)))
}

impl Secrets {
    /// All settings, with the secrets as they are now.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn read(&self) -> Result<Surroundings, SecretsError> {
        Ok(self.surroundings.with_secrets(self.store.read().await?))
    }
}

/// The parameters under one path.
#[derive(Debug)]
struct SecretStore {
    client: Client,
    path: String,
}

/// The store could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secrets under SECRETS_PATH (`{path}`) can't be read from SSM Parameter Store: {why}")]
pub struct SecretsError {
    path: String,
    why: String,
}

impl SecretStore {
    fn new(config: &SecretsConfig, http: HttpClient) -> Self {
        let sdk = sdk_config(&config.aws, config.aws.ssm_endpoint.as_deref(), http);
        Self { client: Client::new(&sdk), path: config.path.clone() }
    }

    /// All parameters, by the last part of their names.
    async fn read(&self) -> Result<HashMap<String, String>, SecretsError> {
        let mut secrets = HashMap::new();
        let mut next = None;
        loop {
            let page = self.page(next).await?;
            for parameter in page.parameters.unwrap_or_default() {
                if let (Some(name), Some(value)) = (parameter.name, parameter.value) {
                    let last = name.rsplit('/').next().unwrap_or(&name);
                    if secrets.insert(last.to_owned(), value).is_some() {
                        return Err(self.error(format!("two parameters are called {last}; remove one of them")));
                    }
                }
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
        if secrets.is_empty() {
            return Err(self.error("there is no parameter under this path; put them there, or correct the path"));
        }
        Ok(secrets)
    }

    async fn page(
        &self,
        next: Option<String>,
    ) -> Result<aws_sdk_ssm::operation::get_parameters_by_path::GetParametersByPathOutput, SecretsError> {
        let mut attempt = 1;
        loop {
            let call = self
                .client
                .get_parameters_by_path()
                .path(&self.path)
                .recursive(true)
                .with_decryption(true)
                .set_next_token(next.clone())
                .send();
            let (why, is_final) = match timeout(PAGE_WITHIN, call).await {
                Ok(Ok(page)) => return Ok(page),
                Ok(Err(error)) => explain(&error),
                Err(_) => ("no answer in time".to_owned(), false),
            };
            if is_final || attempt == ATTEMPTS {
                return Err(self.error(why));
            }
            attempt += 1;
        }
    }

    fn error(&self, why: impl Into<String>) -> SecretsError {
        SecretsError { path: self.path.clone(), why: why.into() }
    }
}

/// What happened, and whether it would happen again.
fn explain<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> (String, bool) {
    match (error, error.code()) {
        (_, Some(code @ "AccessDeniedException")) => {
            (format!("{code}; the function's role needs ssm:GetParametersByPath on the path"), true)
        }
        (_, Some(code @ ("ThrottlingException" | "InternalServerError" | "ServiceUnavailable"))) => {
            (code.to_owned(), false)
        }
        (_, Some(code)) => (code.to_owned(), true),
        (SdkError::ConstructionFailure(_), None) => ("the request can't be made".to_owned(), true),
        (SdkError::DispatchFailure(_), None) => {
            ("the store can't be reached (AWS_REGION, AWS_ENDPOINT_URL_SSM)".to_owned(), false)
        }
        _ => ("an answer that is not the store's".to_owned(), false),
    }
}
