//! A deployed stack, asked over AWS's own APIs: its reminder function, and who hears its alarms.
//!
//! Three calls, signed here (Signature Version 4), so that the tool needs none of AWS's larger libraries:
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>,
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>,
//! <https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html>.

use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, Utc};
use oncall_relay::clock;
use oncall_relay::edge::http::{HttpClient, read_body};
use ring::{digest, hmac};
use serde_json::{Value, json};

/// What any of these answers may have.
const BODY_LIMIT: usize = 8 << 20;
/// The function's own time-out, and the way there.
const PATIENCE: Duration = Duration::from_secs(40);

/// Who asks, and where.
struct Caller {
    http: HttpClient,
    region: String,
    key_id: String,
    secret: String,
    session: Option<String>,
    /// Another address for all of them, as AWS's own tools take it.
    endpoint: Option<String>,
}

/// Lets the deployed function check everything, and adds who hears the alarms.
pub(super) async fn check(stack: &str, post: bool) -> Result<Value, Box<dyn Error>> {
    ask(&Caller::of_process()?, stack, post).await
}

async fn ask(caller: &Caller, stack: &str, post: bool) -> Result<Value, Box<dyn Error>> {
    let function = format!("{stack}-oncall-reminder");
    let asked = json!({"check": true, "post": post}).to_string();
    let (answer, alarms) = tokio::join!(caller.invoke(&function, &asked), caller.alarms(stack));
    let mut answer = answer?;
    let alarms =
        alarms.unwrap_or_else(|why| finding("skipped", &why.to_string(), "give your own credentials these rights"));
    answer["ok"] = json!(answer["ok"] == true && alarms["status"] != "failed");
    answer["checks"].as_array_mut().ok_or("the function's answer has no checks: deploy it anew")?.push(alarms);
    Ok(answer)
}

fn finding(status: &str, detail: &str, remedy: &str) -> Value {
    json!({"name": "alarms", "status": status, "detail": detail, "remedy": remedy})
}

impl Caller {
    fn of_process() -> Result<Self, Box<dyn Error>> {
        let required = |name: &str| {
            let remedy = "log in and export your credentials, as with: eval \"$(aws configure export-credentials \
                          --format env)\"; and set AWS_REGION";
            variable(name).ok_or_else(|| format!("{name} is not set; {remedy}"))
        };
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        Ok(Self {
            http: HttpClient::new(),
            region: region.map_or_else(|| required("AWS_REGION"), Ok)?,
            key_id: required("AWS_ACCESS_KEY_ID")?,
            secret: required("AWS_SECRET_ACCESS_KEY")?,
            session: variable("AWS_SESSION_TOKEN"),
            endpoint: variable("AWS_ENDPOINT_URL"),
        })
    }

    async fn invoke(&self, function: &str, payload: &str) -> Result<Value, Box<dyn Error>> {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let (status, failed, body) = self.call("lambda", &path, "application/json", payload).await?;
        let text = String::from_utf8_lossy(&body);
        match (status, failed) {
            (200, false) => Ok(serde_json::from_slice(&body)?),
            (200, true) => Err(format!("the function {function} failed: {text}").into()),
            (404, _) => {
                Err(format!("there is no function {function} in {}: check --stack and AWS_REGION", self.region).into())
            }
            (403, _) => Err(format!("you may not invoke {function}: it needs lambda:InvokeFunction").into()),
            (status, _) => Err(format!("Lambda answered HTTP {status} to invoking {function}").into()),
        }
    }

    /// Whether anybody hears the alarms.
    async fn alarms(&self, stack: &str) -> Result<Value, Box<dyn Error>> {
        let ask = |action: &str, version: &str, name: &str, value: &str| {
            url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("Action", action), ("Version", version), (name, value)])
                .finish()
        };
        let stacks = self.query("cloudformation", &ask("DescribeStacks", "2010-05-15", "StackName", stack)).await?;
        let output = stacks.split("<member>").find(|output| output.contains("<OutputKey>AlarmTopicArn</OutputKey>"));
        let topic = output.and_then(|output| between(output, "<OutputValue>", "</OutputValue>"));
        let topic = topic.ok_or_else(|| format!("the stack {stack} has no output AlarmTopicArn"))?;
        let heard = ask("ListSubscriptionsByTopic", "2010-03-31", "TopicArn", topic);
        Ok(judge(&self.query("sns", &heard).await?))
    }

    async fn query(&self, service: &str, form: &str) -> Result<String, Box<dyn Error>> {
        let (status, _, body) = self.call(service, "/", "application/x-www-form-urlencoded", form).await?;
        let text = String::from_utf8_lossy(&body).into_owned();
        if status == 200 {
            return Ok(text);
        }
        let code = between(&text, "<Code>", "</Code>").unwrap_or("no code");
        Err(format!("who hears the alarms can't be told: {service} answered HTTP {status} ({code})").into())
    }

    async fn call(
        &self,
        service: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> Result<(u16, bool, Vec<u8>), Box<dyn Error>> {
        let endpoint =
            self.endpoint.clone().unwrap_or_else(|| format!("https://{service}.{}.amazonaws.com", self.region));
        let endpoint = url::Url::parse(&endpoint)?;
        let host = endpoint.host_str().ok_or("the endpoint has no host")?;
        let host = endpoint.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let at = clock::now();
        let signed = Signed { service, path, host: &host, content_type, body };
        let mut request = self
            .http
            .post(endpoint.join(path)?.as_str())
            .timeout(PATIENCE)
            .header("content-type", content_type)
            .header("x-amz-date", time(at))
            .header("authorization", self.authorization(&signed, at))
            .body(body.to_owned());
        if let Some(session) = &self.session {
            request = request.header("x-amz-security-token", session);
        }
        let mut response = self.http.send(request).await.map_err(|error| format!("{service} of AWS: {error}"))?;
        let failed = response.headers().contains_key("x-amz-function-error");
        let status = response.status().as_u16();
        Ok((status, failed, read_body(&mut response, BODY_LIMIT).await?))
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
    fn authorization(&self, request: &Signed<'_>, at: DateTime<Utc>) -> String {
        let mut headers = vec![
            ("content-type", request.content_type.to_owned()),
            ("host", request.host.to_owned()),
            ("x-amz-date", time(at)),
        ];
        headers.extend(self.session.as_ref().map(|session| ("x-amz-security-token", session.clone())));
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect::<Vec<_>>().concat();
        let canonical = format!("POST\n{}\n\n{lines}\n{names}\n{}", request.path, sha256(request.body));
        let scope = format!("{}/{}/{}/aws4_request", at.format("%Y%m%d"), self.region, request.service);
        let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", time(at), sha256(&canonical));
        let key = scope.split('/').fold(format!("AWS4{}", self.secret).into_bytes(), |key, part| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec()
        });
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), to_sign.as_bytes());
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            self.key_id,
            hex::encode(signature)
        )
    }
}

/// What a signature is about.
struct Signed<'a> {
    service: &'a str,
    path: &'a str,
    host: &'a str,
    content_type: &'a str,
    body: &'a str,
}

/// The operator's own variable; the functions' settings are not meant.
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok().filter(|value| !value.is_empty())
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

fn sha256(text: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

fn between<'a>(text: &'a str, before: &str, behind: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(behind).map(|(inside, _)| inside)
}

/// A subscription that nobody has confirmed has no address of its own yet.
fn judge(subscriptions: &str) -> Value {
    let all: Vec<_> = subscriptions.split("<SubscriptionArn>").skip(1).collect();
    let confirmed = all.iter().filter(|arn| arn.starts_with("arn:")).count();
    let remedy = "set AlarmEmail, or subscribe to the output AlarmTopicArn; AWS sends a mail that asks to confirm";
    match (all.len(), confirmed) {
        (0, _) => finding("failed", "nobody hears the alarms: the topic has no subscriber", remedy),
        (_, 0) => finding(
            "failed",
            "nobody hears the alarms: the subscription is not confirmed",
            "click on the link in \
             AWS's mail, or subscribe again",
        ),
        (all, confirmed) if all == confirmed => finding("ok", &format!("{all} confirmed subscriber(s)"), ""),
        (all, confirmed) => finding(
            "warning",
            &format!("of {all} subscribers, {confirmed} confirmed"),
            "click on the link \
             in AWS's mail",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::stack::Aws;

    #[test]
    fn a_request_is_signed_as_awss_own_example() {
        // https://docs.aws.amazon.com/general/latest/gr/create-signed-request.html has the key and the day; the
        // suite's `post-x-www-form-urlencoded` has the request.
        let caller = Caller {
            http: HttpClient::new(),
            region: "us-east-1".to_owned(),
            key_id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session: None,
            endpoint: None,
        };
        let request = Signed {
            service: "service",
            path: "/",
            host: "example.amazonaws.com",
            content_type: "application/x-www-form-urlencoded",
            body: "Param1=value1",
        };
        let at = "2015-08-30T12:36:00Z".parse().unwrap();
        assert_eq!(
            caller.authorization(&request, at),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
    }

    #[tokio::test]
    async fn the_deployed_function_is_asked_and_who_hears_its_alarms_is_added() {
        let answer = json!({"ok": true, "checks": [{"name": "settings", "status": "ok", "detail": "", "remedy": ""}]});
        for (subscriptions, ok, alarms) in
            [(&["arn:aws:sns:r:1:alarms:1"][..], true, "ok"), (&["PendingConfirmation"], false, "failed")]
        {
            let aws = Aws::start("oncall-relay", &answer, subscriptions).await.unwrap();
            let caller = Caller {
                http: HttpClient::new(),
                region: "ap-northeast-1".to_owned(),
                key_id: "AKIDEXAMPLE".to_owned(),
                secret: "stand-in".to_owned(),
                session: Some("stand-in-session".to_owned()),
                endpoint: Some(aws.url()),
            };
            let told = ask(&caller, "oncall-relay", true).await.unwrap();
            assert_eq!(told["ok"], ok, "{told}");
            assert_eq!(
                (&told["checks"][0]["name"], &told["checks"][1]["status"]),
                (&json!("settings"), &json!(alarms))
            );
            assert_eq!(aws.asked(), [json!({"check": true, "post": true})]);
            let why = ask(&caller, "another", false).await.unwrap_err().to_string();
            assert!(why.contains("there is no function another-oncall-reminder"), "{why}");
        }
    }

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
