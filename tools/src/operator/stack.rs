//! The deployed stack, through the operator's own AWS credentials: its outputs, its functions' settings, its secrets.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::path::PathBuf;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_lambda::types::LogType;
use aws_sdk_ssm::config::http::HttpResponse;
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::primitives::Blob;
use aws_sdk_ssm::types::ParameterType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use oncall_relay::config::{Environment, Problem, Problems, ReminderConfig, SETTINGS, WebhookConfig};
use oncall_relay::edge::aws::client;
use oncall_relay::edge::http::HttpClient;
use oncall_relay::edge::secrets;
use serde_json::Value;

use super::alarms;
use super::dialogue::{Outcome, Terminal};
use super::samconfig::SamConfig;

/// The most names that the store takes in one request.
const MAX_NAMES: usize = 10;

/// The log event of a function that could not start.
const START: &str = "start";

/// Which stack is meant.
#[derive(Debug, Clone, Args)]
pub struct StackArgs {
    /// The stack's name; without it, the one that samconfig.toml names.
    #[arg(long)]
    pub stack: Option<String>,
    /// SAM's file, which also says region and profile.
    #[arg(long, default_value = "samconfig.toml")]
    pub config_file: PathBuf,
}

/// Whose settings are meant: this shell's, or a deployed stack's.
#[derive(Debug, Clone, Args)]
pub struct SettingsOf {
    /// Take the settings of this deployed stack, and its secrets from its store; without it, this shell's.
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// SAM's file, which says the stack's region, and the profile of your AWS credentials.
    #[arg(long, default_value = "samconfig.toml")]
    config_file: PathBuf,
}

impl SettingsOf {
    /// What `read` makes of them, with the secrets that it looks for.
    ///
    /// # Errors
    /// If settings are wrong, or the stack or the store can't be read.
    pub async fn read<T>(&self, read: impl Fn(&Environment) -> Result<T, Problems>) -> Outcome<T> {
        if self.stack.is_none() {
            let loaded = secrets::load(Environment::of_process(), read).await;
            return Ok(loaded.map_err(|error| error.to_string())?.0);
        }
        let terminal = Terminal::new(true).aside();
        let args = StackArgs { stack: self.stack.clone(), config_file: self.config_file.clone() };
        Stack::find(&args, &terminal).await?.config(read, &terminal).await
    }
}

/// Why the reminder function gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// It didn't start; this is what it said about that itself.
    NotStarted(String),
    /// It could not be asked, ended otherwise, or took too long.
    Failed {
        /// What happened.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
}

/// A stack that is there.
#[derive(Debug)]
pub struct Stack {
    /// Its name.
    pub name: String,
    profile: String,
    sdk: SdkConfig,
    outputs: HashMap<String, String>,
    parameters: HashMap<String, String>,
}

impl Stack {
    /// Finds the stack.
    ///
    /// # Errors
    /// If AWS can't be asked, or there is no such stack.
    pub async fn find(args: &StackArgs, terminal: &Terminal) -> Outcome<Self> {
        let file = SamConfig::read(&args.config_file)?;
        let name = args.stack.clone().unwrap_or_else(|| file.stack_name());
        let mut settings =
            aws_config::defaults(BehaviorVersion::latest()).http_client(client(HttpClient::for_operators()));
        // As `sam` does: what its file says wins.
        if let Some(region) = file.region() {
            settings = settings.region(Region::new(region));
        }
        if let Some(profile) = file.profile() {
            settings = settings.profile_name(profile);
        }
        let own = Environment::of_process().variable("AWS_PROFILE");
        let profile = file.profile().or(own).unwrap_or_else(|| "default".to_owned());
        let sdk = terminal.while_waiting("asking AWS who you are", Box::pin(settings.load())).await;
        let Some(region) = sdk.region().map(ToString::to_string) else {
            return Err("no region is set; run `cargo oncall init`, or set AWS_REGION".into());
        };
        let stacks = aws_sdk_cloudformation::Client::new(&sdk);
        let asked = stacks.describe_stacks().stack_name(&name).send();
        let answer = terminal.while_waiting("looking for the stack", asked).await.map_err(|error| {
            if error.code() == Some("ValidationError") {
                return format!(
                    "there is no stack `{name}` in {region} for these AWS credentials; deploy it (`sam build`, then \
                     `sam deploy`), or say which it is with --stack and AWS_PROFILE"
                );
            }
            let what = format!("to describe the stack `{name}`");
            refusal(&what, "cloudformation:DescribeStacks", &profile, &error)
        })?;
        let Some(stack) = answer.stacks.unwrap_or_default().pop() else {
            return Err(format!("there is no stack `{name}` in {region}").into());
        };
        let outputs = stack.outputs().iter().filter_map(|o| Some((o.output_key.clone()?, o.output_value.clone()?)));
        let given = stack.parameters().iter();
        let parameters = given.filter_map(|p| Some((p.parameter_key.clone()?, p.parameter_value.clone()?))).collect();
        terminal.remark(format!("Stack {name} in {region}"));
        Ok(Self { name, profile, outputs: outputs.collect(), parameters, sdk })
    }

    /// One of the template's outputs.
    ///
    /// # Errors
    /// If it isn't there yet.
    pub fn output(&self, name: &str) -> Outcome<&str> {
        let why = || {
            format!("the stack `{}` has no output {name}; wait for its deployment, or `sam deploy` again", self.name)
        };
        self.outputs.get(name).map(String::as_str).ok_or_else(|| why().into())
    }

    /// The settings of both functions as they are deployed, without the secrets.
    ///
    /// # Errors
    /// If AWS refuses them.
    pub async fn settings(&self, terminal: &Terminal) -> Outcome<HashMap<String, String>> {
        let functions = aws_sdk_lambda::Client::new(&self.sdk);
        let mut settings = HashMap::new();
        for output in ["WebhookFunctionName", "ReminderFunctionName"] {
            let name = self.output(output)?;
            let asked = functions.get_function_configuration().function_name(name).send();
            let answer = terminal.while_waiting("reading the functions' settings", asked).await.map_err(|error| {
                let what = format!("to read the settings of `{name}`");
                refusal(&what, "lambda:GetFunctionConfiguration", &self.profile, &error)
            })?;
            settings.extend(answer.environment.and_then(|environment| environment.variables).unwrap_or_default());
        }
        Ok(settings)
    }

    /// What `read` makes of the deployed settings, with the secrets that it looks for out of the store.
    ///
    /// # Errors
    /// If settings are wrong, or AWS refuses them.
    pub async fn config<T>(
        &self,
        read: impl Fn(&Environment) -> Result<T, Problems>,
        terminal: &Terminal,
    ) -> Outcome<T> {
        let mut settings = self.settings(terminal).await?;
        // The table is the functions' own: whoever only looks leaves it alone.
        settings.remove("LEDGER_TABLE");
        let bare = Self::environment(&settings, &BTreeMap::new());
        let names = if bare.variable("SECRETS_PATH").is_some() { bare.missing_secrets(&read) } else { Vec::new() };
        let secrets = self.secrets(&names, terminal).await?;
        Ok(read(&Self::environment(&settings, &secrets))?)
    }

    /// Invokes the reminder function: its answer, as JSON.
    ///
    /// # Errors
    /// If it can't be invoked, or fails.
    pub async fn invoke_reminder(&self, payload: &Value, terminal: &Terminal) -> Result<Value, NoAnswer> {
        let failed = |why: String, remedy: &'static str| NoAnswer::Failed { why, remedy };
        let name = self.output("ReminderFunctionName").map_err(|why| failed(why.to_string(), ""))?;
        let functions = aws_sdk_lambda::Client::new(&self.sdk);
        let call = functions.invoke().function_name(name).payload(Blob::new(payload.to_string()));
        let call = call.log_type(LogType::Tail).send();
        let answer = terminal.while_waiting("the reminder function is at work", call).await.map_err(|error| {
            let what = format!("to invoke `{name}`");
            failed(refusal(&what, "lambda:InvokeFunction", &self.profile, &error), "")
        })?;
        let body = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if answer.function_error.is_none() {
            return Ok(body);
        }
        if let Some(why) = answer.log_result.as_deref().and_then(why_not_started) {
            return Err(NoAnswer::NotStarted(why));
        }
        let why = body["errorMessage"].as_str().unwrap_or("it did not say why");
        Err(failed(format!("`{name}` failed: {why}"), "`sam logs --name ReminderFunction` has more"))
    }

    /// The check `alarms`: whether anybody hears them.
    pub async fn alarms(&self, terminal: &Terminal) -> Value {
        match self.output("AlarmTopicArn") {
            Ok(topic) => terminal.while_waiting("asking who hears the alarms", alarms::check(&self.sdk, topic)).await,
            Err(why) => alarms::skipped(&why.to_string()),
        }
    }

    /// The path of a secret in the store.
    #[must_use]
    pub fn secret_name(&self, name: &str) -> String {
        let path = self.parameters.get("SecretsPath").map_or("/oncall-relay", String::as_str);
        format!("{path}/{name}")
    }

    /// Those of these secrets that the store has.
    ///
    /// # Errors
    /// If AWS refuses them.
    pub async fn secrets(&self, names: &[&str], terminal: &Terminal) -> Outcome<BTreeMap<String, String>> {
        let store = aws_sdk_ssm::Client::new(&self.sdk);
        let mut found = BTreeMap::new();
        for names in names.chunks(MAX_NAMES) {
            let names: Vec<_> = names.iter().map(|name| self.secret_name(name)).collect();
            let asked = store.get_parameters().set_names(Some(names.clone())).with_decryption(true).send();
            let answer = terminal.while_waiting("reading the secrets' store", asked).await.map_err(|error| {
                let what = format!("to read {}", names.join(", "));
                refusal(&what, "ssm:GetParameters (and kms:Decrypt)", &self.profile, &error)
            })?;
            for parameter in answer.parameters.unwrap_or_default() {
                if let (Some(name), Some(value)) = (parameter.name, parameter.value) {
                    found.insert(name.rsplit('/').next().unwrap_or_default().to_owned(), value);
                }
            }
        }
        Ok(found)
    }

    /// Puts a secret into the store, instead of the one that was there.
    ///
    /// # Errors
    /// If AWS refuses it.
    pub async fn put_secret(&self, name: &str, value: &str, terminal: &Terminal) -> Outcome {
        let store = aws_sdk_ssm::Client::new(&self.sdk);
        let name = self.secret_name(name);
        let key = self.parameters.get("SecretsKeyArn").filter(|key| !key.is_empty()).cloned();
        let call = store.put_parameter().name(&name).value(value).r#type(ParameterType::SecureString).overwrite(true);
        let sent = call.set_key_id(key).send();
        let put = terminal.while_waiting("writing to the secrets' store", sent).await;
        put.map_err(|error| {
            refusal(&format!("to write {name}"), "ssm:PutParameter (and kms:Encrypt)", &self.profile, &error)
        })?;
        Ok(())
    }

    /// The deployed settings with these secrets, as the functions read them.
    #[must_use]
    pub fn environment(settings: &HashMap<String, String>, secrets: &BTreeMap<String, String>) -> Environment {
        let (settings, secrets) = (settings.clone(), secrets.clone());
        let lambdas = |name: &str| match name {
            // What Lambda sets by itself, and what only a function needs.
            "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("set-by-lambda".to_owned()),
            _ => None,
        };
        let variable = move |name: &str| {
            let set = settings.get(name).filter(|value| !value.trim().is_empty());
            set.or_else(|| secrets.get(name)).cloned().or_else(|| lambdas(name))
        };
        Environment::new(variable, |path| std::fs::read_to_string(path))
    }
}

/// What is still wrong with the settings of both functions.
#[must_use]
pub fn problems(environment: &Environment) -> Vec<Problem> {
    let webhook = WebhookConfig::read(environment).err().map(|problems| problems.0).unwrap_or_default();
    let reminder = ReminderConfig::read(environment).err().map(|problems| problems.0).unwrap_or_default();
    let mut all = webhook;
    all.extend(reminder);
    let mut seen: Vec<Problem> = Vec::new();
    for problem in all {
        if !seen.contains(&problem) {
            seen.push(problem);
        }
    }
    seen
}

/// The secrets that these settings can use, in the order of the list of settings.
#[must_use]
pub fn usable_secrets(environment: &Environment) -> Vec<&'static str> {
    let of_webhook = environment.missing_secrets(WebhookConfig::read);
    let of_reminder = environment.missing_secrets(ReminderConfig::read);
    let secrets = SETTINGS.iter().filter(|setting| setting.secret).map(|setting| setting.name);
    secrets.filter(|name| of_webhook.contains(name) || of_reminder.contains(name)).collect()
}

/// What a function logged that could not start. Lambda itself says only that the process has ended.
fn why_not_started(log_tail: &str) -> Option<String> {
    let log = STANDARD.decode(log_tail).ok()?;
    let log = String::from_utf8_lossy(&log).into_owned();
    let mut lines = log.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let start = lines.find(|line| line["event"] == START)?;
    Some(start["message"].as_str()?.to_owned())
}

/// A refusal of AWS in words: what it was about, and what to do.
fn refusal<E>(what: &str, right: &str, profile: &str, error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error.code() {
        Some(code) if code.starts_with("AccessDenied") || code.contains("NotAuthorized") => {
            format!("AWS does not allow you {what} ({code}); ask whoever gives rights in this account for {right}")
        }
        Some(
            code @ ("ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"),
        ) => format!("AWS doesn't take your credentials ({code}); sign in again, such as with `aws sso login`"),
        Some(code) => {
            let message = error.message().map(|words| format!(": {words}")).unwrap_or_default();
            format!("AWS refused {what} ({code}{message})")
        }
        None => {
            let mut why: Option<&(dyn Error + 'static)> = error.source();
            let (mut words, mut is_about_credentials) = (Vec::new(), false);
            while let Some(error) = why {
                words.push(error.to_string());
                is_about_credentials |= error.is::<CredentialsError>();
                why = error.source();
            }
            let words = words.join(": ");
            if !is_about_credentials {
                format!("AWS can't be reached {what} ({words}); check the network, HTTPS_PROXY and the region")
            } else if words.contains(&format!("profile `{profile}` was not defined")) {
                format!(
                    "there is no AWS profile `{profile}`; name another one in AWS_PROFILE or samconfig.toml (`aws configure \
                     list-profiles` lists them), or make it with `aws configure sso --profile {profile}` or `aws configure \
                     --profile {profile}`"
                )
            } else {
                format!(
                    "there are no AWS credentials that work for the profile `{profile}`; sign in with `aws sso login \
                     --profile {profile}`, or store keys with `aws configure --profile {profile}`"
                )
            }
        }
    }
}
