//! Secrets from SSM Parameter Store: a parameter directly under `SECRETS_PATH` stands for the variable of its name.
//!
//! A function asks for those that it needs, by name, because IAM can grant names but not less than a whole path.
//! Source: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html>

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::config::http::HttpResponse;
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::time::{Instant, sleep, timeout};

use super::aws::sdk_config;
use super::http::HttpClient;
use crate::budget::{SECRETS_AT_START, SECRETS_ATTEMPT, SECRETS_MAX_PAUSE, SECRETS_OUT_OF_REACH, SECRETS_PAUSE};
use crate::config::{Environment, Problems, SecretsConfig};

/// The most names that the store takes in one request.
const MAX_NAMES: usize = 10;

/// Settings of which the secret ones are in the store.
#[derive(Debug, Clone)]
pub struct Secrets {
    store: SecretStore,
    environment: Environment,
}

/// What `read` makes of all settings: those of `environment`, and the secrets of the store that they name, if they
/// name one.
///
/// # Errors
/// If settings are wrong, or the store can't be read.
pub async fn load<T>(
    environment: Environment,
    read: impl Fn(&Environment) -> Result<T, Problems>,
) -> Result<(T, Option<Secrets>), lambda_http::Error> {
    let Some(config) = SecretsConfig::read(&environment)? else { return Ok((read(&environment)?, None)) };
    let secrets = Secrets { store: SecretStore::new(&config, HttpClient::new()), environment };
    let names = secrets.environment.missing_secrets(&read);
    let found = secrets.store.read(&names, SECRETS_AT_START).await?;
    let nothing = found.is_empty() && !names.is_empty();
    match read(&secrets.environment.with_secrets(found)) {
        Ok(config) => Ok((config, Some(secrets))),
        Err(_) if nothing => {
            let why = "there is no parameter under this path that this function needs; put them there, or correct \
                       the path";
            Err(secrets.store.error(format!("{why} ({})", names.join(", "))).into())
        }
        Err(problems) => Err(problems.into()),
    }
}

impl Secrets {
    /// What `read` makes of all settings, with the secrets that it looks for as they are now.
    ///
    /// # Errors
    /// If the store can't be read in this time.
    pub async fn read<T>(&self, read: impl Fn(&Environment) -> T, within: Duration) -> Result<T, SecretsError> {
        let names = self.environment.missing_secrets(&read);
        Ok(read(&self.environment.with_secrets(self.store.read(&names, within).await?)))
    }
}

/// The parameters under one path.
#[derive(Debug, Clone)]
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

/// Why an attempt failed.
struct Failure {
    why: String,
    passes: Passes,
}

/// Whether a failure passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passes {
    Never,
    Perhaps,
    /// The store has too much to do, and says so.
    Soon,
}

impl SecretStore {
    fn new(config: &SecretsConfig, http: HttpClient) -> Self {
        let sdk = sdk_config(&config.aws, config.aws.ssm_endpoint.as_deref(), http);
        Self { client: Client::new(&sdk), path: config.path.clone() }
    }

    /// Those of the parameters with these names that there are.
    async fn read(&self, names: &[&str], within: Duration) -> Result<HashMap<String, String>, SecretsError> {
        let started = Instant::now();
        let mut secrets = HashMap::new();
        for names in names.chunks(MAX_NAMES) {
            let names: Vec<_> = names.iter().map(|name| format!("{}/{name}", self.path)).collect();
            for (name, value) in self.persist(&names, within, started).await? {
                secrets.extend(name.rsplit('/').next().map(|name| (name.to_owned(), value)));
            }
        }
        Ok(secrets)
    }

    /// Asks again after failures that may pass, as long as there is time.
    async fn persist(
        &self,
        names: &[String],
        within: Duration,
        started: Instant,
    ) -> Result<Vec<(String, String)>, SecretsError> {
        let (mut attempt, mut until) = (1, within);
        let mut told: Option<String> = None;
        loop {
            let left = until.saturating_sub(started.elapsed());
            let Failure { why, passes } = match self.ask(names, left.min(SECRETS_ATTEMPT)).await {
                Ok(found) => return Ok(found),
                Err(failure) => failure,
            };
            // What an attempt said that had all its time tells more than one that was cut short.
            let is_cut_short = passes == Passes::Perhaps && left < SECRETS_ATTEMPT;
            let why = told.take().filter(|_| is_cut_short).unwrap_or(why);
            until = match passes {
                Passes::Never => Duration::ZERO,
                Passes::Perhaps => within.min(SECRETS_OUT_OF_REACH),
                Passes::Soon => within,
            };
            let pause = pause(attempt, chance());
            if started.elapsed() + pause >= until {
                return Err(self.error(why));
            }
            told = Some(why);
            sleep(pause).await;
            attempt += 1;
        }
    }

    async fn ask(&self, names: &[String], within: Duration) -> Result<Vec<(String, String)>, Failure> {
        let call = self.client.get_parameters().set_names(Some(names.to_vec())).with_decryption(true).send();
        let answer = match timeout(within, call).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(explain(&error, names)),
            Err(_) => return Err(Failure { why: "no answer in time".to_owned(), passes: Passes::Perhaps }),
        };
        let parameters = answer.parameters.unwrap_or_default().into_iter();
        Ok(parameters.filter_map(|parameter| Some((parameter.name?, parameter.value?))).collect())
    }

    fn error(&self, why: impl Into<String>) -> SecretsError {
        SecretsError { path: self.path.clone(), why: why.into() }
    }
}

/// Between half of what the attempt's pause may be and all of it, by chance (of 0 to 1): functions that start together
/// must not ask again together.
fn pause(attempt: u32, chance: f64) -> Duration {
    let longest = SECRETS_PAUSE.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(SECRETS_MAX_PAUSE);
    longest.mul_f64(0.5 + chance / 2.0)
}

fn chance() -> f64 {
    let mut bytes = [0; 2];
    // Without chance the pauses are as long as they may be.
    let drawn = SystemRandom::new().fill(&mut bytes).map(|()| u16::from_be_bytes(bytes));
    drawn.map_or(1.0, |drawn| f64::from(drawn) / f64::from(u16::MAX))
}

/// What happened, and whether it would happen again.
fn explain<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>, names: &[String]) -> Failure {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let (why, passes) = match (error, error.code()) {
        (_, Some(code @ "AccessDeniedException")) => {
            let names = names.join(", ");
            let why = format!(
                "{code}; look at the policy of the function's role: it needs ssm:GetParameters on each of {names}, \
                 since one that is left out makes the whole request fail, and kms:Decrypt if the key is your own"
            );
            (why, Passes::Never)
        }
        (_, Some(code)) => (code.to_owned(), passes(status, Some(code))),
        (SdkError::ConstructionFailure(_), None) => ("the request can't be made".to_owned(), Passes::Never),
        (SdkError::DispatchFailure(_), None) => {
            ("the store can't be reached (AWS_REGION, AWS_ENDPOINT_URL_SSM)".to_owned(), Passes::Perhaps)
        }
        (_, None) => ("an answer that is not the store's".to_owned(), passes(status, None)),
    };
    Failure { why, passes }
}

/// By the status, since there are more codes than anybody lists; only throttling mostly comes as a 400.
fn passes(status: Option<u16>, code: Option<&str>) -> Passes {
    const THROTTLING: [&str; 5] =
        ["ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"];
    match (status, code) {
        (Some(429), _) => Passes::Soon,
        (_, Some(code)) if THROTTLING.contains(&code) => Passes::Soon,
        (Some(500..), _) | (_, None) => Passes::Perhaps,
        (_, Some(_)) => Passes::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times of all attempts of which each fails at once, as far as they are within the time.
    fn attempts(within: Duration, chance: f64) -> Vec<Duration> {
        let ends = (1..).scan(Duration::ZERO, |elapsed, attempt| {
            *elapsed += pause(attempt, chance);
            Some(*elapsed)
        });
        ends.take_while(|elapsed| *elapsed < within).collect()
    }

    #[test]
    fn a_throttled_start_asks_again_at_growing_distances_until_its_time_is_up() {
        let millis = |times: Vec<Duration>| times.iter().map(Duration::as_millis).collect::<Vec<_>>();
        assert_eq!(millis(attempts(SECRETS_AT_START, 1.0)), [200, 600, 1_400, 3_000, 5_000, 7_000]);
        assert_eq!(
            millis(attempts(SECRETS_AT_START, 0.0)),
            [100, 300, 700, 1_500, 2_500, 3_500, 4_500, 5_500, 6_500, 7_500]
        );
        assert!(SECRETS_AT_START + SECRETS_ATTEMPT < Duration::from_secs(10), "Lambda begins anew after 10 s");
    }

    #[test]
    fn a_failure_passes_by_its_status_and_throttling_by_its_code_too() {
        for (status, code, expected) in [
            (400, Some("ThrottlingException"), Passes::Soon),
            (400, Some("Throttling"), Passes::Soon),
            (400, Some("RequestLimitExceeded"), Passes::Soon),
            (400, Some("TooManyRequestsException"), Passes::Soon),
            (503, Some("SlowDown"), Passes::Soon),
            (429, Some("NeverHeardOf"), Passes::Soon),
            (429, None, Passes::Soon),
            (500, Some("InternalServerError"), Passes::Perhaps),
            (500, Some("InternalFailure"), Passes::Perhaps),
            (503, Some("ServiceUnavailable"), Passes::Perhaps),
            (504, Some("NeverHeardOf"), Passes::Perhaps),
            (502, None, Passes::Perhaps),
            (200, None, Passes::Perhaps),
            (400, Some("InvalidKeyId"), Passes::Never),
            (400, Some("UnrecognizedClientException"), Passes::Never),
            (403, Some("NeverHeardOf"), Passes::Never),
        ] {
            assert_eq!(passes(Some(status), code), expected, "{status} {code:?}");
        }
    }

    #[test]
    fn no_two_functions_need_have_the_same_pauses() {
        let drawn: Vec<_> = (0..20).map(|_| chance()).collect();
        assert!(drawn.iter().all(|chance| (0.0..=1.0).contains(chance)), "{drawn:?}");
        assert!(drawn.iter().any(|chance| chance.total_cmp(&drawn[0]).is_ne()), "{drawn:?}");
    }
}
