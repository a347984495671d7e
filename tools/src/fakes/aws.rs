//! AWS as an operator sees it, on one address: a stack, its functions' settings, the secrets' store, who hears the
//! alarms; and the functions themselves, each invocation of which is a cold start.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Mutex;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use oncall_relay::clock;
use oncall_relay::config::{Environment, ReminderConfig, WebhookConfig};
use oncall_relay::edge::secrets;
use oncall_relay::lambda::{api_gateway, scheduler};
use oncall_relay::reminder::ReminderHandler;
use oncall_relay::webhook::WebhookHandler;
use serde_json::{Value, json};
use tokio::runtime;
use tokio::task::block_in_place;

use super::pagerduty::http_api_event;
use super::server::{Fake, Received, Reply, Service, lock};
use super::ssm::Store;

/// The name of the one stack.
pub const STACK: &str = "oncall-relay";
/// The topic of its alarms.
const ALARMS: &str = "arn:aws:sns:ap-northeast-1:123456789012:oncall-relay-alarms";

/// How many subscriptions a page has.
const SUBSCRIPTIONS: usize = 100;
/// How much of its log an invocation answers with.
const LOG_TAIL: usize = 4096;

/// How a token begins that leads to the next page; nothing says that it is harmless in XML.
const NEXT: &str = "AAF+/&=";

/// A running account of AWS; [`Server`](super::server::Server) says how to make it fail.
pub type Aws = Fake<Cloud>;

/// The deployed API, behind which the webhook function is.
pub type ApiGateway = Fake<Api>;

/// What the account has.
#[derive(Debug, Default)]
pub struct Cloud {
    store: Store,
    webhook_url: Mutex<String>,
    settings: Mutex<HashMap<String, String>>,
    denied: Mutex<BTreeSet<&'static str>>,
    subscriptions: Mutex<Vec<&'static str>>,
}

/// What a function has.
#[derive(Debug)]
pub struct Api {
    settings: HashMap<String, String>,
}

impl Aws {
    /// Starts without a stack.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16) -> io::Result<Self> {
        Self::serve(port, Cloud::default()).await
    }

    /// Deploys the stack with these settings: its API, which answers webhooks.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn deploy(&self, settings: HashMap<String, String>) -> io::Result<ApiGateway> {
        let settings: HashMap<_, _> =
            settings.into_iter().chain([("AWS_ENDPOINT_URL_SSM".to_owned(), self.url())]).collect();
        let api = ApiGateway::start(settings.clone()).await?;
        *lock(&self.state.webhook_url) = format!("{}/pagerduty", api.url());
        *lock(&self.state.settings) = settings;
        Ok(api)
    }

    /// Takes a right away, such as `ssm:PutParameter`, or gives all back.
    pub fn deny(&self, right: Option<&'static str>) {
        let mut denied = lock(&self.state.denied);
        denied.clear();
        denied.extend(right);
    }

    /// The value of a parameter, by its whole name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.state.store.value(name)
    }

    /// Has these ARNs listen to the alarms; one that isn't confirmed is `PendingConfirmation`.
    pub fn subscribe(&self, arns: &[&'static str]) {
        *lock(&self.state.subscriptions) = arns.to_vec();
    }

    /// Sets a parameter, by its whole name.
    pub fn put(&self, name: &str, value: &str) {
        self.state.store.set(name, value);
    }
}

impl ApiGateway {
    /// Starts with the webhook function's settings.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start(settings: HashMap<String, String>) -> io::Result<Self> {
        Self::serve(0, Api { settings }).await
    }
}

impl Service for Cloud {
    fn answer(&self, request: &Received) -> Reply {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_denied = |right: &str| lock(&self.denied).contains(right);
        let is_signed_for = |service: &str| {
            let signed = header("authorization");
            signed.starts_with("AWS4-HMAC-SHA256 Credential=")
                && signed.contains(&format!("/{service}/aws4_request"))
                && header("x-amz-date").ends_with('Z')
        };
        let target = header("x-amz-target");
        if let Some(action) = target.strip_prefix("AmazonSSM.") {
            if is_denied(&format!("ssm:{action}")) {
                return Reply::json(
                    StatusCode::BAD_REQUEST,
                    &json!({"__type": "AccessDeniedException", "message": "no"}),
                );
            }
            return self.store.answer(request);
        }
        let path: Vec<_> = request.uri().path().trim_matches('/').split('/').collect();
        match (request.method(), path.as_slice()) {
            (&Method::POST, [""]) if is_signed_for("sns") => {
                self.subscribers(request, is_denied("sns:ListSubscriptionsByTopic"))
            }
            (&Method::POST, [""]) if is_signed_for("cloudformation") => {
                self.stack(request, is_denied("cloudformation:DescribeStacks"))
            }
            (&Method::POST, [""]) => query_error("IncompleteSignature", "the service is not the signed one"),
            (&Method::GET, ["2015-03-31", "functions", name, "configuration"]) => {
                if is_denied("lambda:GetFunctionConfiguration") {
                    return lambda_error(StatusCode::FORBIDDEN, "AccessDeniedException");
                }
                let mut settings = lock(&self.settings).clone();
                // Lambda's own are not among those of a function's configuration.
                settings.retain(|name, _| !name.starts_with("AWS_") || name.starts_with("AWS_ENDPOINT"));
                Reply::json(StatusCode::OK, &json!({"FunctionName": name, "Environment": {"Variables": settings}}))
            }
            (&Method::POST, ["2015-03-31", "functions", _, "invocations"]) => {
                let settings = lock(&self.settings).clone();
                let payload: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                match apart(move || remind(settings, payload)).unwrap_or_else(|| Err(Crash::exit(""))) {
                    Ok(answer) => Reply::json(StatusCode::OK, &answer),
                    Err(crash) => crash.reply(header("x-amz-log-type") == "Tail"),
                }
            }
            _ => lambda_error(StatusCode::NOT_FOUND, "ResourceNotFoundException"),
        }
    }
}

impl Cloud {
    fn stack(&self, request: &Received, denied: bool) -> Reply {
        let form: HashMap<_, _> = url::form_urlencoded::parse(request.body()).into_owned().collect();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let url = lock(&self.webhook_url).clone();
        if denied {
            return query_error("AccessDenied", "not authorized to perform: cloudformation:DescribeStacks");
        }
        if field("Action") != "DescribeStacks" || field("StackName") != STACK || url.is_empty() {
            return query_error("ValidationError", "Stack with that id does not exist");
        }
        let members = |pairs: &[(&str, &str)], key: &str, value: &str| -> String {
            let member = |(name, text): &(&str, &str)| {
                format!("<member><{key}>{name}</{key}><{value}>{text}</{value}></member>")
            };
            pairs.iter().map(member).collect()
        };
        let outputs = [
            ("WebhookUrl", url.as_str()),
            ("WebhookFunctionName", "oncall-relay-pagerduty2typetalk"),
            ("ReminderFunctionName", "oncall-relay-oncall-reminder"),
            ("AlarmTopicArn", ALARMS),
        ];
        let outputs = members(&outputs, "OutputKey", "OutputValue");
        let parameters =
            members(&[("SecretsPath", "/oncall-relay"), ("SecretsKeyArn", "")], "ParameterKey", "ParameterValue");
        let body = format!(
            "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult>\
             <Stacks><member><StackName>{STACK}</StackName><CreationTime>2026-11-24T00:00:00Z</CreationTime>\
             <StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{outputs}</Outputs><Parameters>{parameters}</Parameters>\
             </member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
        );
        Reply { status: StatusCode::OK, headers: vec![("content-type", "text/xml".to_owned())], body }
    }
}

impl Cloud {
    /// <https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html>
    fn subscribers(&self, request: &Received, denied: bool) -> Reply {
        let form: HashMap<_, _> = url::form_urlencoded::parse(request.body()).into_owned().collect();
        let has = |name: &str, value: &str| form.get(name).is_some_and(|given| given == value);
        if denied {
            return query_error("AuthorizationError", "not authorized to perform: SNS:ListSubscriptionsByTopic");
        }
        if !has("Action", "ListSubscriptionsByTopic") || !has("Version", "2010-03-31") {
            return query_error("InvalidAction", "The action or operation requested is invalid");
        }
        if !has("TopicArn", ALARMS) {
            return query_error("NotFound", "Topic does not exist");
        }
        let member = |arn: &&str| {
            format!("<member><TopicArn>{ALARMS}</TopicArn><SubscriptionArn>{arn}</SubscriptionArn></member>")
        };
        let (all, given) = (lock(&self.subscriptions), form.get("NextToken"));
        let first = given.map_or(Some(0), |token| token.strip_prefix(NEXT)?.parse().ok());
        let Some(first) = first.filter(|first| *first == 0 || *first < all.len()) else {
            return query_error("InvalidParameter", "Invalid parameter: NextToken");
        };
        let members: String = all.iter().skip(first).take(SUBSCRIPTIONS).map(member).collect();
        let rest = first + SUBSCRIPTIONS;
        let next = if rest < all.len() {
            format!("<NextToken>{}{rest}</NextToken>", NEXT.replace('&', "&amp;"))
        } else {
            String::new()
        };
        let body = format!(
            "<ListSubscriptionsByTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
             <ListSubscriptionsByTopicResult><Subscriptions>{members}</Subscriptions>{next}</ListSubscriptionsByTopicResult>\
             </ListSubscriptionsByTopicResponse>"
        );
        Reply { status: StatusCode::OK, headers: vec![("content-type", "text/xml".to_owned())], body }
    }
}

/// A refusal in the query protocol.
fn query_error(code: &str, message: &str) -> Reply {
    Reply {
        status: StatusCode::BAD_REQUEST,
        headers: vec![("content-type", "text/xml".to_owned())],
        body: format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        ),
    }
}

fn lambda_error(status: StatusCode, code: &str) -> Reply {
    Reply {
        headers: vec![("x-amzn-errortype", code.to_owned())],
        ..Reply::json(status, &json!({"Message": "refused"}))
    }
}

impl Service for Api {
    fn answer(&self, request: &Received) -> Reply {
        let headers: Vec<_> =
            request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let event = http_api_event(request.uri().path(), &headers, request.body()).to_string();
        let settings = self.settings.clone();
        apart(move || relay(settings, event)).unwrap_or_else(|| Reply::empty(StatusCode::BAD_GATEWAY))
    }
}

/// A function is a process of its own: it must not wait for a runtime that may be shutting down.
fn apart<T, F>(function: impl FnOnce() -> F + Send + 'static) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let process = thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().ok()?;
        Some(runtime.block_on(function()))
    });
    block_in_place(|| process.join().ok().flatten())
}

/// The webhook function; one that doesn't start is a 500 of API Gateway's own.
async fn relay(settings: HashMap<String, String>, event: String) -> Reply {
    let failed = || Reply::json(StatusCode::INTERNAL_SERVER_ERROR, &json!({"message": "Internal Server Error"}));
    let Ok((config, secrets)) = secrets::load(environment(settings), WebhookConfig::read).await else {
        return failed();
    };
    let Ok(handler) = WebhookHandler::new(config, secrets, clock::now()).await else { return failed() };
    let Ok(request) = lambda_http::request::from_str(&event) else { return failed() };
    let (response, _) = api_gateway::answer(&handler, request, clock::now()).await;
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    Reply::json(response.status(), &body)
}

/// An invocation that failed, and what the function has logged.
struct Crash {
    error: Value,
    log: String,
}

impl Crash {
    /// A process that ends: Lambda doesn't say why, and only the log does.
    fn exit(log: &str) -> Self {
        let message = "RequestId: 3bf9f6c3-a5d1-4be2-a3c4-7f7b0d6a41b5 Error: Runtime exited with error: exit status 1";
        Self { error: json!({"errorType": "Runtime.ExitError", "errorMessage": message}), log: log.to_owned() }
    }

    /// A function that could not start has logged one line.
    fn start(why: &str) -> Self {
        let line = json!({"level": "ERROR", "event": "start", "message": why});
        Self::exit(&format!("INIT_START Runtime Version: provided:al2023.v1\n{line}\nEND RequestId: 3bf9f6c3\n"))
    }

    /// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
    fn reply(&self, with_log: bool) -> Reply {
        let tail = &self.log.as_bytes()[self.log.len().saturating_sub(LOG_TAIL)..];
        let log = with_log.then(|| ("x-amz-log-result", STANDARD.encode(tail)));
        let headers = [("x-amz-function-error", "Unhandled".to_owned())].into_iter().chain(log).collect();
        Reply { headers, ..Reply::json(StatusCode::OK, &self.error) }
    }
}

/// The reminder function.
async fn remind(settings: HashMap<String, String>, payload: Value) -> Result<Value, Crash> {
    let (config, _) = secrets::load(environment(settings), ReminderConfig::read)
        .await
        .map_err(|error| Crash::start(&error.to_string()))?;
    let handler = ReminderHandler::new(config).await.map_err(|error| Crash::start(&error.to_string()))?;
    let (answer, _, _) = scheduler::answer(&handler, &payload, clock::now()).await;
    answer.map_err(|error| Crash {
        error: json!({"errorType": "Error", "errorMessage": error.to_string()}),
        log: String::new(),
    })
}

fn environment(settings: HashMap<String, String>) -> Environment {
    Environment::new(move |name| settings.get(name).cloned(), |path| std::fs::read_to_string(path))
}
