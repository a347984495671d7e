//! API Gateway's side: which requests are webhooks, and the status and body of each answer.

use chrono::{DateTime, Utc};
use http::{Method, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;

use crate::log_events;
use crate::webhook::{Answer, Tally, WebhookHandler, WebhookRequest};

/// The last part of the webhooks' path.
const WEBHOOKS: &str = "pagerduty";

/// What the caller gets.
#[derive(Serialize)]
#[serde(untagged)]
enum AnswerBody {
    Done { posted: u32, ignored: u32 },
    SendAgain { posted: u32, ignored: u32, failed: u32 },
    Refused { error: &'static str },
}

const UNAUTHENTICATED: AnswerBody = AnswerBody::Refused { error: "unauthenticated" };

/// Answers one request, and says what happened for the metrics. Nothing internal goes to the caller.
pub async fn answer(relay: &WebhookHandler, request: Request, now: DateTime<Utc>) -> (Response<Body>, Tally) {
    if !is_for_us(&request) {
        tracing::warn!(
            event = log_events::NOT_FOUND,
            "a request for another path: PagerDuty's webhook goes to /{WEBHOOKS}"
        );
        return (respond(StatusCode::NOT_FOUND, &AnswerBody::Refused { error: "not found" }), Tally::default());
    }
    if request.method() != Method::POST {
        tracing::warn!(event = log_events::METHOD_NOT_ALLOWED, "a request that is not a POST");
        let mut response =
            respond(StatusCode::METHOD_NOT_ALLOWED, &AnswerBody::Refused { error: "method not allowed" });
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
        return (response, Tally::default());
    }
    let webhook = WebhookRequest { headers: request.headers(), body: request.body().as_ref() };
    let (answer, tally) = relay.on_webhook(webhook, now).await;
    let Tally { posted, ignored, failed, .. } = tally;
    // What was given up is neither posted nor worth sending again; to the caller it is dealt with.
    let ignored = ignored + tally.given_up;
    let response = match answer {
        Answer::Done => respond(StatusCode::OK, &AnswerBody::Done { posted, ignored }),
        Answer::Unauthenticated => respond(StatusCode::UNAUTHORIZED, &UNAUTHENTICATED),
        // A 401 would drop what may be PagerDuty's, and three of them the subscription.
        Answer::UnauthenticatedWebhook => respond(StatusCode::SERVICE_UNAVAILABLE, &UNAUTHENTICATED),
        Answer::SendAgain => {
            respond(StatusCode::SERVICE_UNAVAILABLE, &AnswerBody::SendAgain { posted, ignored, failed })
        }
    };
    (response, tally)
}

/// Goes by the route, or else by the path's last part: what is before it is a stage or a custom domain's base path,
/// and a slash too many is somebody's slip when they gave PagerDuty the address. A 404 would drop the webhook.
fn is_for_us(request: &Request) -> bool {
    let raw = request.raw_http_path();
    let path = if raw.is_empty() { request.uri().path() } else { raw };
    let route = match request.request_context_ref() {
        // `POST /pagerduty`, or `$default`, which says nothing of the path.
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.as_deref(),
        Some(RequestContext::ApiGatewayV1(context)) => context.resource_path.as_deref(),
        _ => None,
    };
    let last_part = |path: &str| path.split('/').rfind(|part| !part.is_empty()) == Some(WEBHOOKS);
    last_part(path) || route.is_some_and(last_part)
}

fn respond(status: StatusCode, body: &AnswerBody) -> Response<Body> {
    let body = serde_json::to_string(body).unwrap_or_default();
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

    fn http_api(route: &str, path: &str) -> Request {
        request(&json!({
            "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "", "headers": {},
            "requestContext": {"accountId": "1", "apiId": "a", "stage": "prod", "requestId": "r", "timeEpoch": 0,
                "routeKey": route, "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1", "userAgent": "t"}},
            "isBase64Encoded": false
        }))
    }

    fn rest_api(resource: &str, path: &str) -> Request {
        request(&json!({
            "resource": resource, "path": path, "httpMethod": "POST", "headers": {}, "multiValueHeaders": {},
            "requestContext": {"accountId": "1", "apiId": "a", "stage": "Prod", "requestId": "r", "httpMethod": "POST",
                "resourcePath": resource, "path": format!("/Prod{path}"), "identity": {}},
            "body": null, "isBase64Encoded": false
        }))
    }

    #[test]
    fn a_request_is_for_us_by_its_route_or_by_the_last_part_of_its_path() {
        for (request, expected) in [
            (http_api("$default", "/pagerduty"), true),
            (http_api("$default", "/pagerduty/"), true),
            (http_api("$default", "//pagerduty"), true),
            (http_api("$default", "/pagerduty//"), true),
            (http_api("$default", "/prod/pagerduty"), true),
            (http_api("$default", "/prod/pagerduty/"), true),
            (http_api("$default", "/hooks/v1/pagerduty"), true),
            (http_api("POST /pagerduty", "/pagerduty"), true),
            (http_api("POST /pagerduty", "/prod/hooks/pagerduty"), true),
            (http_api("POST /pagerduty", "/hooks"), true),
            (http_api("ANY /pagerduty/", "/"), true),
            (http_api("POST /{proxy+}", "//pagerduty/"), true),
            (http_api("POST /{proxy+}", "/other"), false),
            (http_api("POST /other", "/other"), false),
            (http_api("$default", ""), false),
            (http_api("$default", "/"), false),
            (http_api("$default", "/pagerduty/v2"), false),
            (http_api("$default", "/xpagerduty"), false),
            (http_api("$default", "/pagerduty.php"), false),
            (rest_api("/pagerduty", "/pagerduty"), true),
            (rest_api("/pagerduty", "/pagerduty/"), true),
            (rest_api("/pagerduty", "/hooks"), true),
            (rest_api("/{proxy+}", "/hooks//pagerduty/"), true),
            (rest_api("/{proxy+}", "/other"), false),
        ] {
            assert_eq!(is_for_us(&request), expected, "{} {:?}", request.uri(), request.request_context_ref());
        }
    }
}
