//! Who is let in: forgeries, wrong secrets, paths, methods and the shapes of API Gateway's events.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oncall::fakes::BEARER_TOKEN;
use oncall::fakes::pagerduty::http_api_event;
use oncall_relay::webhook::Tally;
use serde_json::json;

use crate::world::{DAYTIME, World, posted, triggered};

#[tokio::test]
async fn forged_requests_are_refused_and_post_nothing() {
    let world = World::new().await;
    let relay = world.relay().await;
    let body = triggered("e1").to_string();
    let wrong = format!("v1={}", "0".repeat(64));
    let wrong_token = format!("Bearer {BEARER_TOKEN}x");
    let id = ("x-webhook-id", "w-1");
    for (headers, status) in [
        (&[][..], 401),
        (&[("x-pagerduty-signature", wrong.as_str())], 401),
        (&[("x-pagerduty-signature", "v1=")], 401),
        (&[("authorization", wrong_token.as_str())], 401),
        (&[("authorization", BEARER_TOKEN), id], 401),
        (&[id], 401),
        // It has PagerDuty's marks, which would drop what gets a 401: our secret may be wrong.
        (&[("x-pagerduty-signature", wrong.as_str()), id], 503),
        (&[("authorization", wrong_token.as_str()), id, ("x-webhook-subscription", "PSUB001")], 503),
    ] {
        let answer = relay.send(DAYTIME, headers, body.as_bytes()).await;
        assert_eq!(answer, (status, json!({"error": "unauthenticated"})), "{headers:?}");
        let Tally { unauthenticated, unauthenticated_webhooks, .. } = relay.tally();
        let expected = if status == 401 { (1, 0) } else { (0, 1) };
        assert_eq!((unauthenticated, unauthenticated_webhooks), expected, "{headers:?}");
    }
    assert_eq!(relay.topic(), [""; 0]);
}

#[tokio::test]
async fn other_paths_and_methods_are_told_apart() {
    let world = World::new().await;
    let relay = world.relay().await;
    let event = |path: &str, method: &str| {
        let mut event = http_api_event(path, &[], b"{}");
        event["requestContext"]["http"]["method"] = json!(method);
        event
    };
    for (path, method, status) in
        [("/", "POST", 404), ("/pagerduty/x", "GET", 404), ("/pagerduty", "GET", 405), ("/pagerduty/", "PUT", 405)]
    {
        assert_eq!(relay.event(DAYTIME, &event(path, method)).await.0, status, "{method} {path}");
    }
}

#[tokio::test]
async fn no_base_path_stage_or_slash_too_many_costs_an_authentic_webhook() {
    let world = World::new().await;
    let relay = world.relay().await;
    let authorization = format!("Bearer {BEARER_TOKEN}");
    for (index, path) in
        ["/pagerduty/", "//pagerduty", "/pagerduty//", "/hooks/pagerduty", "/prod/hooks//pagerduty/"].iter().enumerate()
    {
        let body = triggered(&format!("e{index}")).to_string();
        let event = http_api_event(path, &[("authorization", &authorization)], body.as_bytes());
        assert_eq!(relay.event(DAYTIME, &event).await, posted(1), "{path}");
    }
}

#[tokio::test]
async fn rest_apis_stages_and_base64_bodies_work_too() {
    let world = World::new().await;
    let relay = world.relay().await;
    let authorization = format!("Bearer {BEARER_TOKEN}");
    let rest = |event_id: &str, body: String, encoded: bool| {
        json!({
            "resource": "/pagerduty", "path": "/pagerduty", "httpMethod": "POST",
            "headers": {"Authorization": authorization}, "multiValueHeaders": {"Authorization": [authorization]},
            "queryStringParameters": null, "pathParameters": null, "stageVariables": null,
            "requestContext": {"accountId": "1", "apiId": "a", "stage": "Prod", "requestId": event_id, "httpMethod": "POST",
                "resourcePath": "/pagerduty", "path": "/Prod/pagerduty", "identity": {"sourceIp": "127.0.0.1"}},
            "body": body, "isBase64Encoded": encoded,
        })
    };
    let plain = rest("r1", triggered("e1").to_string(), false);
    assert_eq!(relay.event(DAYTIME, &plain).await, posted(1));
    let encoded = rest("r2", STANDARD.encode(triggered("e2").to_string()), true);
    assert_eq!(relay.event(DAYTIME, &encoded).await, posted(1));
    let mut staged = http_api_event("/prod/pagerduty", &[("authorization", &authorization)], b"");
    staged["requestContext"]["stage"] = json!("prod");
    staged["body"] = json!(STANDARD.encode(triggered("e3").to_string()));
    staged["isBase64Encoded"] = json!(true);
    assert_eq!(relay.event(DAYTIME, &staged).await, posted(1));
    assert_eq!(relay.topic().len(), 3);
}
