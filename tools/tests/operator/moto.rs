//! An AWS that somebody else wrote (`PyPI` `moto`): the stack in it, made by its `CloudFormation`.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use oncall::fakes::aws::{ApiGateway, STACK};
use oncall_relay::edge::aws::client;
use oncall_relay::edge::http::HttpClient;
use serde_json::json;
use tokio::time::sleep;

async fn sdk(endpoint: &str) -> SdkConfig {
    let keys = aws_sdk_ssm::config::Credentials::new("AKIAOPERATOR", "operators-own", None, None, "test");
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(client(HttpClient::for_operators()))
        .region(Region::new("ap-northeast-1"))
        .credentials_provider(keys)
        .endpoint_url(endpoint)
        .load()
        .await
}

/// Deploys functions with these settings, of which the webhook function really answers.
pub(crate) async fn deploy(endpoint: &str, mut settings: HashMap<String, String>) -> ApiGateway {
    settings.insert("AWS_ENDPOINT_URL_SSM".to_owned(), endpoint.to_owned());
    let api = ApiGateway::start(settings.clone()).await.unwrap();
    settings.retain(|name, _| !name.starts_with("AWS_") || name.starts_with("AWS_ENDPOINT"));
    let function = |name: &str| {
        json!({"Type": "AWS::Lambda::Function", "Properties": {
            "FunctionName": name, "Handler": "bootstrap", "Runtime": "provided.al2023",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": "nothing"}, "Environment": {"Variables": settings},
        }})
    };
    let output = |value: serde_json::Value| json!({ "Value": value });
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {"SecretsPath": {"Type": "String", "Default": "/oncall-relay"}},
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}},
            "Webhook": function("oncall-relay-pagerduty2typetalk"),
            "Reminder": function("oncall-relay-oncall-reminder"),
        },
        "Outputs": {
            "WebhookUrl": output(json!(format!("{}/pagerduty", api.url()))),
            "WebhookFunctionName": output(json!({"Ref": "Webhook"})),
            "ReminderFunctionName": output(json!({"Ref": "Reminder"})),
        },
    });
    let stacks = aws_sdk_cloudformation::Client::new(&sdk(endpoint).await);
    // A deployment over another one replaces it.
    if stacks.delete_stack().stack_name(STACK).send().await.is_ok() {
        sleep(Duration::from_millis(100)).await;
    }
    stacks.create_stack().stack_name(STACK).template_body(template.to_string()).send().await.unwrap();
    api
}

/// What its store has.
pub(crate) async fn stored(endpoint: &str, name: &str) -> Option<String> {
    let store = aws_sdk_ssm::Client::new(&sdk(endpoint).await);
    let name = format!("/oncall-relay/{name}");
    let answer = store.get_parameter().name(name).with_decryption(true).send().await.ok()?;
    let parameter = answer.parameter?;
    assert_eq!(parameter.r#type, Some(aws_sdk_ssm::types::ParameterType::SecureString));
    parameter.value
}
