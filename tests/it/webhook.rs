//! Webhooks from the wire in to the post on the wire out.

use oncall_relay::stand_ins::pagerduty::{self, http_api_event, v2, v3};
use serde_json::{Value, json};

use crate::world::{DAYTIME, EVENING, SIGNING_SECRET, TOKEN, World, happening, ignored, incident, posted, triggered};

#[tokio::test]
async fn a_triggered_incident_mentions_the_people_on_call_in_daytime() {
    let world = World::new().await;
    let relay = world.relay().await;
    assert_eq!(relay.signed(DAYTIME, &triggered("e1")).await, posted(1));
    assert_eq!(
        relay.topic(),
        ["@tanaka @suzuki-k\n\
          🔴 発生 #pd33 応答が遅い\n\
          サービス: Backlog / 緊急度: 高\n\
          https://acme.pagerduty.com/incidents/PINCIDENT1"]
    );
    assert_eq!(relay.channel(), [""; 0]);
}
