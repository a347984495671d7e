//! API Gateway's side: which requests are webhooks, and the status and body of each answer.

use chrono::{DateTime, Utc};
use http::{Method, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;

use crate::relay::{Answer, Relay, Tally, Webhook};

const PATH: &str = "/pagerduty";

/// What the caller is told.
#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Done { posted: u32, ignored: u32 },
    SendAgain { posted: u32, ignored: u32, failed: u32 },
    Refused { error: &'static str },
}

/// Answers one request, and says what happened for the metrics. Nothing internal goes to the caller.
pub async fn answer(relay: &Relay, request: Request, now: DateTime<Utc>) -> (Response<Body>, Tally) {
    if !is_for_us(&request) {
        tracing::warn!(event = "not_found", "a request for another path: PagerDuty's webhook goes to {PATH}");
        return (respond(StatusCode::NOT_FOUND, &Told::Refused { error: "not found" }), Tally::default());
    }
    if request.method() != Method::POST {
        tracing::warn!(event = "method_not_allowed", "a request that is no POST");
        let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, &Told::Refused { error: "method not allowed" });
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
        return (response, Tally::default());
    }
    let webhook = Webhook { headers: request.headers(), body: request.body().as_ref() };
    let (answer, tally) = relay.on_webhook(webhook, now).await;
    let Tally { posted, ignored, failed, .. } = tally;
    // What was given up is neither posted nor worth sending again; the caller is told that it is dealt with.
    let ignored = ignored + tally.given_up;
    let response = match answer {
        Answer::Done => respond(StatusCode::OK, &Told::Done { posted, ignored }),
        Answer::Unauthenticated => respond(StatusCode::UNAUTHORIZED, &Told::Refused { error: "unauthenticated" }),
        Answer::SendAgain => respond(StatusCode::SERVICE_UNAVAILABLE, &Told::SendAgain { posted, ignored, failed }),
    };
    (response, tally)
}

/// Compares the path without the stage (which API Gateway may or may not put before it) and a last slash.
fn is_for_us(request: &Request) -> bool {
    let raw = request.raw_http_path();
    let path = if raw.is_empty() { request.uri().path() } else { raw };
    let stage = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.stage.as_deref(),
        Some(RequestContext::ApiGatewayV1(context)) => context.stage.as_deref(),
        _ => None,
    };
    let without_stage = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    [Some(path), without_stage].into_iter().flatten().any(|path| path.strip_suffix('/').unwrap_or(path) == PATH)
}

fn respond(status: StatusCode, told: &Told) -> Response<Body> {
    let body = serde_json::to_string(told).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn request(event: &Value) -> Request {
        lambda_http::request::from_str(&event.to_string()).unwrap()
    }

    fn http_api(stage: &str, path: &str) -> Request {
        request(&json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": {},
            "requestContext": {"accountId": "1", "apiId": "a", "stage": stage, "requestId": "r", "timeEpoch": 0,
                "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t"}},
            "isBase64Encoded": false
        }))
    }

    fn rest_api(stage: &str, path: &str) -> Request {
        request(&json!({
            "resource": "/pagerduty", "path": path, "httpMethod": "POST", "headers": {}, "multiValueHeaders": {},
            "requestContext": {"accountId": "1", "apiId": "a", "stage": stage, "requestId": "r", "httpMethod": "POST",
                "resourcePath": "/pagerduty", "path": format!("/{stage}{path}"), "identity": {}},
            "body": null, "isBase64Encoded": false
        }))
    }

    #[test]
    fn the_path_is_compared_without_stage_and_last_slash() {
        for (request, expected) in [
            (http_api("$default", "/pagerduty"), true),
            (http_api("$default", "/pagerduty/"), true),
            (http_api("prod", "/prod/pagerduty"), true),
            (http_api("prod", "/prod/pagerduty/"), true),
            (http_api("prod", "/staging/pagerduty"), false),
            (http_api("pagerduty", "/pagerduty"), true),
            (http_api("$default", "/"), false),
            (http_api("$default", "/pagerduty/v2"), false),
            (http_api("$default", "/xpagerduty"), false),
            (rest_api("Prod", "/pagerduty"), true),
            (rest_api("Prod", "/pagerduty/"), true),
            (rest_api("Prod", "/other"), false),
        ] {
            assert_eq!(is_for_us(&request), expected, "{}", request.uri());
        }
    }
}
