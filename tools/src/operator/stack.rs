//! The deployed stack, through the operator's own AWS credentials: its outputs, its functions' settings, its secrets.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::path::PathBuf;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ssm::config::http::HttpResponse;
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::primitives::Blob;
use aws_sdk_ssm::types::ParameterType;
use clap::Args;
use oncall_relay::config::{Environment, Problem, ReminderConfig, SETTINGS, WebhookConfig};
use oncall_relay::edge::aws::client;
use oncall_relay::edge::http::HttpClient;
use serde_json::Value;

use super::alarms;
use super::dialogue::{Outcome, Terminal};
use super::samconfig::SamConfig;

/// The most names that the store takes in one request.
const MAX_NAMES: usize = 10;

/// Which stack is meant, and whether to ask.
#[derive(Debug, Clone, Args)]
pub struct StackArgs {
    /// The stack's name; without it, the one that samconfig.toml names.
    #[arg(long)]
    pub stack: Option<String>,
    /// SAM's file, which also says region and profile.
    #[arg(long, default_value = "samconfig.toml")]
    pub config_file: PathBuf,
    /// Don't ask whether to go on.
    #[arg(long, short)]
    pub yes: bool,
}

/// A stack that is there.
#[derive(Debug)]
pub struct Stack {
    /// Its name.
    pub name: String,
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
        let sdk = terminal.while_waiting("asking AWS who you are", Box::pin(settings.load())).await;
        let Some(region) = sdk.region().map(ToString::to_string) else {
            return Err("no region is set; run `cargo oncall init`, or set AWS_REGION".into());
        };
        let stacks = aws_sdk_cloudformation::Client::new(&sdk);
        let asked = stacks.describe_stacks().stack_name(&name).send();
        let answer =
            terminal.while_waiting("looking for the stack", asked).await.map_err(|error| match error.code() {
                Some("ValidationError") => format!(
                    "there is no stack `{name}` in {region} for these AWS credentials; deploy it (`sam build`, then \
                     `sam deploy`), or say which it is with --stack and AWS_PROFILE"
                ),
                _ => refusal(&format!("to describe the stack `{name}`"), "cloudformation:DescribeStacks", &error),
            })?;
        let Some(stack) = answer.stacks.unwrap_or_default().pop() else {
            return Err(format!("there is no stack `{name}` in {region}").into());
        };
        let outputs = stack.outputs().iter().filter_map(|o| Some((o.output_key.clone()?, o.output_value.clone()?)));
        let given = stack.parameters().iter();
        let parameters = given.filter_map(|p| Some((p.parameter_key.clone()?, p.parameter_value.clone()?))).collect();
        terminal.remark(format!("Stack {name} in {region}"));
        Ok(Self { name, outputs: outputs.collect(), parameters, sdk })
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
                refusal(&format!("to read the settings of `{name}`"), "lambda:GetFunctionConfiguration", &error)
            })?;
            settings.extend(answer.environment.and_then(|environment| environment.variables).unwrap_or_default());
        }
        Ok(settings)
    }

    /// Invokes the reminder function: its answer, as JSON.
    ///
    /// # Errors
    /// If it can't be invoked, or fails.
    pub async fn invoke_reminder(&self, payload: &Value, terminal: &Terminal) -> Outcome<Value> {
        let name = self.output("ReminderFunctionName")?;
        let functions = aws_sdk_lambda::Client::new(&self.sdk);
        let call = functions.invoke().function_name(name).payload(Blob::new(payload.to_string())).send();
        let answer = terminal
            .while_waiting("the reminder function is at work", call)
            .await
            .map_err(|error| refusal(&format!("to invoke `{name}`"), "lambda:InvokeFunction", &error))?;
        let body = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if answer.function_error.is_some() {
            let why = body["errorMessage"].as_str().unwrap_or("it did not say why").to_owned();
            let why = if why.contains("SECRETS_PATH") {
                format!("{why}\nTo put them there: cargo oncall secrets")
            } else {
                why
            };
            return Err(format!("`{name}` failed: {why}\n`sam logs --name ReminderFunction` has more").into());
        }
        Ok(body)
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
                refusal(&format!("to read {}", names.join(", ")), "ssm:GetParameters (and kms:Decrypt)", &error)
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
        put.map_err(|error| refusal(&format!("to write {name}"), "ssm:PutParameter (and kms:Encrypt)", &error))?;
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

/// A refusal of AWS in words: what it was about, and what to do.
fn refusal<E>(what: &str, right: &str, error: &SdkError<E, HttpResponse>) -> String
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
            let mut words = Vec::new();
            while let Some(error) = why {
                words.push(error.to_string());
                why = error.source();
            }
            let words = words.join(": ");
            if words.contains("credentials") || words.contains("token") || words.contains("identity") {
                format!("there are no AWS credentials that work ({words}); sign in, such as with `aws sso login`")
            } else {
                format!("AWS can't be reached {what} ({words}); check the network, HTTPS_PROXY and the region")
            }
        }
    }
}
