//! API Gateway's side: which requests are webhooks, notices, or Slack's, and the status and body of each answer.

use chrono::{DateTime, Utc};
use http::{HeaderValue, Method, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;

use crate::interaction::{self, InteractionHandler, Reaction};
use crate::log_events;
use crate::notice::{NoticeAnswer, NoticeHandler};
use crate::webhook::{Answer, Tally, WebhookHandler, WebhookRequest};

/// What comes in where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    /// PagerDuty's webhooks.
    Webhooks,
    /// What automation says.
    Notices,
    /// What people do on Slack.
    Slack,
}

impl Route {
    fn of(last_part: &str) -> Option<Self> {
        match last_part {
            "pagerduty" => Some(Self::Webhooks),
            "notice" => Some(Self::Notices),
            "slack" => Some(Self::Slack),
            _ => None,
        }
    }
}

/// What the caller gets.
#[derive(Serialize)]
#[serde(untagged)]
enum AnswerBody<'a> {
    Done { posted: u32, ignored: u32 },
    SendAgain { posted: u32, ignored: u32, failed: u32 },
    Notice { posted: bool },
    Refused { error: &'a str },
}

const UNAUTHENTICATED: AnswerBody<'_> = AnswerBody::Refused { error: "unauthenticated" };

/// Answers one request, and says what happened for the metrics. Nothing internal goes to the caller.
pub async fn answer(relay: &WebhookHandler, request: Request, now: DateTime<Utc>) -> (Response<Body>, Tally) {
    let Some(handler) = route(&request).and_then(|route| Handler::of(relay, route)) else {
        tracing::warn!(
            event = log_events::NOT_FOUND,
            "a request for another path: PagerDuty's webhook goes to /pagerduty, a notice to /notice if NOTICE_TOKENS is \
             set, and what people do on Slack to /slack if SLACK_SIGNING_SECRETS is"
        );
        return (refuse(StatusCode::NOT_FOUND, "not found"), Tally::default());
    };
    if request.method() != Method::POST {
        tracing::warn!(event = log_events::METHOD_NOT_ALLOWED, "a request that is not a POST");
        let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return (response, Tally::default());
    }
    // Boxed: the compiler can't measure futures that are nested as deeply as these.
    match handler {
        Handler::Webhooks => Box::pin(answer_webhook(relay, &request, now)).await,
        Handler::Notices(notices) => {
            let (answer, tally) = Box::pin(notices.on_notice(request.headers(), request.body().as_ref(), now)).await;
            (answer_notice(&answer), tally.into())
        }
        Handler::Slack(slack) => Box::pin(interact(slack, &request, now)).await,
    }
}

/// Who takes a request. What the settings don't switch on takes none.
enum Handler<'a> {
    Webhooks,
    Notices(&'a NoticeHandler),
    Slack(&'a InteractionHandler),
}

impl<'a> Handler<'a> {
    fn of(relay: &'a WebhookHandler, route: Route) -> Option<Self> {
        match route {
            Route::Webhooks => Some(Self::Webhooks),
            Route::Notices => relay.notices().map(Self::Notices),
            Route::Slack => relay.interactions().map(Self::Slack),
        }
    }
}

async fn answer_webhook(relay: &WebhookHandler, request: &Request, now: DateTime<Utc>) -> (Response<Body>, Tally) {
    let webhook = WebhookRequest { headers: request.headers(), body: request.body().as_ref() };
    let (answer, tally) = Box::pin(relay.on_webhook(webhook, now)).await;
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

fn answer_notice(answer: &NoticeAnswer) -> Response<Body> {
    match answer {
        NoticeAnswer::Posted => respond(StatusCode::OK, &AnswerBody::Notice { posted: true }),
        NoticeAnswer::PostedBefore => respond(StatusCode::OK, &AnswerBody::Notice { posted: false }),
        NoticeAnswer::Malformed(why) => refuse(StatusCode::BAD_REQUEST, &why.to_string()),
        NoticeAnswer::Unauthenticated => respond(StatusCode::UNAUTHORIZED, &UNAUTHENTICATED),
        NoticeAnswer::TooLarge => refuse(StatusCode::PAYLOAD_TOO_LARGE, "a notice has 64 KiB at most"),
        NoticeAnswer::TooMany { retry_after } => {
            let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, "too many notices within a minute");
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*retry_after));
            response
        }
        NoticeAnswer::SendAgain => refuse(StatusCode::SERVICE_UNAVAILABLE, "not posted; please send it again"),
    }
}

/// Slack shows its people a warning for every answer but 200.
async fn interact(slack: &InteractionHandler, request: &Request, now: DateTime<Utc>) -> (Response<Body>, Tally) {
    let (reaction, tally) = slack.on_request(request.headers(), request.body().as_ref(), now).await;
    let response = match reaction {
        Reaction::Unauthenticated => respond(StatusCode::UNAUTHORIZED, &UNAUTHENTICATED),
        Reaction::Heard => Response::new(Body::Empty),
        Reaction::NotHeard => refuse(StatusCode::UNPROCESSABLE_ENTITY, "not carried out, and nobody could be told"),
        Reaction::Answered(body) => json(StatusCode::OK, body),
    };
    let interaction::Tally { unauthenticated, secrets_stale, ledger_failed } = tally;
    (response, Tally { unauthenticated, secrets_stale, ledger_failed, ..Tally::default() })
}

/// Goes by the route, or else by the path's last part: what is before it is a stage or a custom domain's base path,
/// and a slash too many is somebody's slip when they gave PagerDuty the address. A 404 would drop the webhook.
fn route(request: &Request) -> Option<Route> {
    let raw = request.raw_http_path();
    let path = if raw.is_empty() { request.uri().path() } else { raw };
    let route = match request.request_context_ref() {
        // `POST /pagerduty`, or `$default`, which says nothing of the path.
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.as_deref(),
        Some(RequestContext::ApiGatewayV1(context)) => context.resource_path.as_deref(),
        _ => None,
    };
    let by_last_part = |path: &str| Route::of(path.split('/').rfind(|part| !part.is_empty())?);
    route.and_then(by_last_part).or_else(|| by_last_part(path))
}

fn refuse(status: StatusCode, error: &str) -> Response<Body> {
    respond(status, &AnswerBody::Refused { error })
}

fn respond(status: StatusCode, body: &AnswerBody<'_>) -> Response<Body> {
    json(status, serde_json::to_string(body).unwrap_or_default())
}

fn json(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
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
        let [webhooks, notices, slack] = [Route::Webhooks, Route::Notices, Route::Slack].map(Some);
        for (request, expected) in [
            (http_api("$default", "/pagerduty"), webhooks),
            (http_api("$default", "/pagerduty/"), webhooks),
            (http_api("$default", "//pagerduty"), webhooks),
            (http_api("$default", "/pagerduty//"), webhooks),
            (http_api("$default", "/prod/pagerduty"), webhooks),
            (http_api("$default", "/prod/pagerduty/"), webhooks),
            (http_api("$default", "/hooks/v1/pagerduty"), webhooks),
            (http_api("POST /pagerduty", "/pagerduty"), webhooks),
            (http_api("POST /pagerduty", "/prod/hooks/pagerduty"), webhooks),
            (http_api("POST /pagerduty", "/hooks"), webhooks),
            (http_api("ANY /pagerduty/", "/"), webhooks),
            (http_api("POST /{proxy+}", "//pagerduty/"), webhooks),
            (http_api("POST /{proxy+}", "/other"), None),
            (http_api("POST /other", "/other"), None),
            (http_api("$default", ""), None),
            (http_api("$default", "/"), None),
            (http_api("$default", "/pagerduty/v2"), None),
            (http_api("$default", "/xpagerduty"), None),
            (http_api("$default", "/pagerduty.php"), None),
            (http_api("POST /notice", "/notice"), notices),
            (http_api("$default", "/prod//notice/"), notices),
            (http_api("$default", "/notices"), None),
            (http_api("POST /pagerduty", "/notice"), webhooks),
            (rest_api("/{proxy+}", "/notice"), notices),
            (rest_api("/pagerduty", "/pagerduty"), webhooks),
            (rest_api("/pagerduty", "/pagerduty/"), webhooks),
            (rest_api("/pagerduty", "/hooks"), webhooks),
            (rest_api("/{proxy+}", "/hooks//pagerduty/"), webhooks),
            (rest_api("/{proxy+}", "/other"), None),
            (http_api("POST /slack", "/slack"), slack),
            (http_api("$default", "/prod//slack/"), slack),
            (http_api("POST /slack", "/prod/pagerduty"), slack),
            (http_api("$default", "/slack/x"), None),
            (rest_api("/slack", "/hooks"), slack),
        ] {
            assert_eq!(route(&request), expected, "{} {:?}", request.uri(), request.request_context_ref());
        }
    }
}
