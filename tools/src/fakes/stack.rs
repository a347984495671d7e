//! What the operator's tool asks AWS of a deployed stack.
//!
//! These are Lambda's `Invoke`, `CloudFormation`'s `DescribeStacks` and SNS's `ListSubscriptionsByTopic`. A request must
//! name its service in what it signs.

use std::io;
use std::sync::Mutex;

use http::StatusCode;
use serde_json::{Value, json};

use super::server::{Fake, Received, Reply, Service, lock};

/// Running APIs; [`Server`](super::server::Server) says how to make them fail.
pub type Aws = Fake<Stack>;

/// What they keep: one stack.
#[derive(Debug)]
pub struct Stack {
    name: String,
    answer: String,
    subscriptions: Vec<&'static str>,
    asked: Mutex<Vec<Value>>,
}

impl Aws {
    /// Starts with a stack of this name whose function gives this answer, and these subscriptions to its alarms.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start(name: &str, answer: &Value, subscriptions: &[&'static str]) -> io::Result<Self> {
        let (name, answer) = (name.to_owned(), answer.to_string());
        Self::serve(0, Stack { name, answer, subscriptions: subscriptions.to_vec(), asked: Mutex::default() }).await
    }

    /// What the function was asked.
    #[must_use]
    pub fn asked(&self) -> Vec<Value> {
        lock(&self.state.asked).clone()
    }
}

impl Service for Stack {
    fn answer(&self, request: &Received) -> Reply {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_signed_for = |service: &str| {
            let authorization = header("authorization");
            authorization.starts_with("AWS4-HMAC-SHA256 Credential=")
                && authorization.contains(&format!("/{service}/aws4_request"))
                && header("x-amz-date").ends_with('Z')
        };
        let refused = |code: &str| xml(StatusCode::FORBIDDEN, &format!("<Error><Code>{code}</Code></Error>"));
        let form = String::from_utf8_lossy(request.body()).into_owned();
        match request.uri().path() {
            "/" if form.starts_with("Action=DescribeStacks&") && is_signed_for("cloudformation") => {
                if !form.contains(&format!("StackName={}", self.name)) {
                    return refused("ValidationError");
                }
                xml(
                    StatusCode::OK,
                    "<Outputs><member><OutputKey>WebhookUrl</OutputKey><OutputValue>https://x</OutputValue></member>\
                     <member><OutputKey>AlarmTopicArn</OutputKey><OutputValue>arn:aws:sns:r:1:alarms</OutputValue>\
                     </member></Outputs>",
                )
            }
            "/" if form.starts_with("Action=ListSubscriptionsByTopic&") && is_signed_for("sns") => {
                let arns = self.subscriptions.iter().map(|arn| format!("<SubscriptionArn>{arn}</SubscriptionArn>"));
                xml(StatusCode::OK, &arns.collect::<String>())
            }
            path if is_signed_for("lambda") => {
                if path != format!("/2015-03-31/functions/{}-oncall-reminder/invocations", self.name) {
                    return Reply::json(StatusCode::NOT_FOUND, &json!({"Type": "User"}));
                }
                lock(&self.asked).extend(serde_json::from_slice::<Value>(request.body()));
                Reply { status: StatusCode::OK, headers: Vec::new(), body: self.answer.clone() }
            }
            _ => refused("IncompleteSignature"),
        }
    }
}

fn xml(status: StatusCode, body: &str) -> Reply {
    Reply { status, headers: vec![("content-type", "text/xml".to_owned())], body: body.to_owned() }
}
