//! Whether anybody hears a stack's alarms: who has subscribed to their topic, asked as SNS publishes it.
//!
//! A call of the query protocol for each page (<https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html>),
//! signed by AWS's own signer: SNS's whole client would cost every build more than it is worth.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use oncall_relay::edge::http::{HttpClient, read_body};
use serde_json::{Value, json};

use super::dialogue::Outcome;

/// A page has a hundred subscriptions; nobody's topic has more pages than this.
const MAX_PAGES: usize = 100;
const BODY_LIMIT: usize = 1 << 20;
/// How long SNS may take.
const PATIENCE: Duration = Duration::from_secs(10);
const FORM: &str = "application/x-www-form-urlencoded";

/// The check `alarms`; what can't be told is skipped.
pub(super) async fn check(sdk: &SdkConfig, topic: &str) -> Value {
    match subscriptions(sdk, topic).await {
        Ok(pages) => judge(&pages.concat()),
        Err(why) => skipped(&format!("who hears the alarms can't be told: {why}")),
    }
}

/// The check where the topic can't be asked about.
pub(super) fn skipped(why: &str) -> Value {
    finding("skipped", why, "it needs your own right sns:ListSubscriptionsByTopic, and the output AlarmTopicArn")
}

/// All pages, which follow each other by a token.
async fn subscriptions(sdk: &SdkConfig, topic: &str) -> Outcome<Vec<String>> {
    let mut pages: Vec<String> = Vec::new();
    while pages.len() < MAX_PAGES {
        let next = pages.last().map(|page| text_of(page, "NextToken"));
        let Some(token) = next.unwrap_or(Some(String::new())) else { return Ok(pages) };
        pages.push(page(sdk, topic, &token).await?);
    }
    Err(format!("there are more than {MAX_PAGES} pages of subscribers").into())
}

/// The text of an element, if it is there and not empty.
fn text_of(page: &str, element: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("<{element}>"))?;
    let (text, _) = rest.split_once(&format!("</{element}>"))?;
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    (!text.is_empty()).then_some(text)
}

/// The page that a token leads to; without one the first.
async fn page(sdk: &SdkConfig, topic: &str, token: &str) -> Outcome<String> {
    let region = sdk.region().map(ToString::to_string).ok_or("no region is set")?;
    let provider = sdk.credentials_provider().ok_or("there are no AWS credentials")?;
    let identity = provider.provide_credentials().await?.into();
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    let endpoint =
        sdk.endpoint_url().map_or_else(|| format!("https://sns.{region}.amazonaws.com{suffix}"), str::to_owned);
    let endpoint = url::Url::parse(&endpoint)?;
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("Action", "ListSubscriptionsByTopic"), ("Version", "2010-03-31"), ("TopicArn", topic)])
        .extend_pairs((!token.is_empty()).then_some(("NextToken", token)))
        .finish();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("sns")
        .time(SystemTime::from(oncall_relay::clock::now()))
        .settings(SigningSettings::default())
        .build()?
        .into();
    let headers = [("content-type", FORM)];
    let body = SignableBody::Bytes(form.as_bytes());
    let signable = SignableRequest::new("POST", endpoint.as_str(), headers.into_iter(), body)?;
    let (signed, _) = sign(signable, &params)?.into_parts();
    let http = HttpClient::for_operators();
    let mut request = http.post(endpoint.as_str()).timeout(PATIENCE).header("content-type", FORM);
    for (name, value) in signed.headers() {
        request = request.header(name, value);
    }
    let mut response = http.send(request.body(form)).await?;
    let body = read_body(&mut response, BODY_LIMIT).await?;
    let text = String::from_utf8_lossy(&body).into_owned();
    if response.status().is_success() {
        return Ok(text);
    }
    let code = text_of(&text, "Code").unwrap_or_else(|| response.status().to_string());
    Err(format!("SNS answered {code}").into())
}

fn finding(status: &str, detail: &str, remedy: &str) -> Value {
    json!({"name": "alarms", "status": status, "detail": detail, "remedy": remedy})
}

/// A subscription that nobody has confirmed has no address of its own yet.
fn judge(subscriptions: &str) -> Value {
    let all: Vec<_> = subscriptions.split("<SubscriptionArn>").skip(1).collect();
    let confirmed = all.iter().filter(|arn| arn.starts_with("arn:")).count();
    let subscribe = "set AlarmEmail, or subscribe to the output AlarmTopicArn; AWS sends a mail that asks to confirm";
    match (all.len(), confirmed) {
        (0, _) => finding("failed", "nobody hears the alarms: the topic has no subscriber", subscribe),
        (_, 0) => finding(
            "failed",
            "nobody hears the alarms: the subscription is not confirmed",
            "click on the link in AWS's mail, or subscribe again",
        ),
        (all, confirmed) if all == confirmed => finding("ok", &format!("{all} confirmed subscriber(s)"), ""),
        (all, confirmed) => finding(
            "warning",
            &format!("of {all} subscribers, {confirmed} confirmed"),
            "click on the link in AWS's mail",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_heard_only_if_somebody_has_confirmed() {
        let arn = "<SubscriptionArn>arn:aws:sns:ap-northeast-1:1:t:1</SubscriptionArn>";
        let pending = "<SubscriptionArn>PendingConfirmation</SubscriptionArn>";
        for (answer, status) in [
            (String::new(), "failed"),
            (pending.to_owned(), "failed"),
            (arn.to_owned(), "ok"),
            (format!("{arn}{pending}"), "warning"),
        ] {
            assert_eq!(judge(&answer)["status"], status, "{answer}");
        }
    }
}
