//! Settings of what AWS keeps for the functions: secrets and the ledger's table.

use secrecy::SecretString;

use super::reader::{Environment, Problems, Reader};

/// Who calls AWS, and where. Lambda sets all of it.
#[derive(Debug, Clone)]
pub struct AwsConfig {
    /// `AWS_REGION`
    pub region: String,
    /// `AWS_ACCESS_KEY_ID`
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_access_key: SecretString,
    /// `AWS_SESSION_TOKEN`
    pub session_token: Option<SecretString>,
    /// `AWS_ENDPOINT_URL_SSM`
    pub ssm_endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_DYNAMODB`
    pub dynamodb_endpoint: Option<String>,
}

/// Where secrets are, if not in the environment.
#[derive(Debug, Clone)]
pub struct SecretsConfig {
    /// `SECRETS_PATH`, without a slash at the end.
    pub path: String,
    /// How to reach it.
    pub aws: AwsConfig,
}

/// Where the ledger is, if not in the memory of the process.
#[derive(Debug, Clone)]
pub struct LedgerConfig {
    /// `LEDGER_TABLE`
    pub table: String,
    /// How to reach it.
    pub aws: AwsConfig,
}

impl SecretsConfig {
    /// Reads where the secrets are; none if they are all in the environment.
    ///
    /// # Errors
    /// All problems, not only the first.
    pub fn read(environment: &Environment) -> Result<Option<Self>, Problems> {
        let mut reader = Reader::new(environment);
        let config = reader.optional("SECRETS_PATH").and_then(|path| {
            let well_formed = path.len() > 1
                && path.starts_with('/')
                && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_.-".contains(&b));
            if !well_formed {
                reader.malformed("SECRETS_PATH", "it must be a path such as `/oncall-relay`");
                return None;
            }
            Some(Self { path: path.trim_end_matches('/').to_owned(), aws: aws(&mut reader)? })
        });
        let (config, _) = reader.finish(Some(config))?;
        Ok(config)
    }
}

pub(super) fn ledger(reader: &mut Reader<'_>) -> Option<LedgerConfig> {
    let table = reader.optional("LEDGER_TABLE")?;
    Some(LedgerConfig { table, aws: aws(reader)? })
}

fn aws(reader: &mut Reader<'_>) -> Option<AwsConfig> {
    let remedy = "what Lambda sets by itself; to try things out elsewhere, set it by hand";
    let region = reader.required("AWS_REGION", remedy);
    let access_key_id = reader.required("AWS_ACCESS_KEY_ID", remedy);
    let secret_access_key = reader.required("AWS_SECRET_ACCESS_KEY", remedy);
    let session_token = reader.optional("AWS_SESSION_TOKEN").map(Into::into);
    let ssm_endpoint = reader.optional_url("AWS_ENDPOINT_URL_SSM");
    let dynamodb_endpoint = reader.optional_url("AWS_ENDPOINT_URL_DYNAMODB");
    Some(AwsConfig {
        region: region?,
        access_key_id: access_key_id?,
        secret_access_key: secret_access_key?.into(),
        session_token,
        ssm_endpoint,
        dynamodb_endpoint,
    })
}
