//! First messages that another process has brought up to date in between: the newer state wins.

use std::time::Duration;

use super::*;

/// Until Slack has been asked so often to change a message.
pub(crate) async fn updates_asked(world: &World, count: usize) {
    while world.slack.requests_to("/api/chat.update") < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn reopened() -> (String, String) {
    row(RED, "🔴 再オープン #pd33 応答が遅い · 佐藤 花子 11:45")
}

#[tokio::test]
async fn what_a_webhook_has_left_behind_is_read_again_before_a_later_one_shows_it() {
    let (world, _table) = world().await;
    let (one, other) = (world.relay().await, world.relay().await);
    one.signed(&on("11:00"), &event("incident.triggered", "11:00")).await;
    world.slack.fail_at("/api/chat.update");
    for _ in 0..2 {
        world.slack.fail_once(Fault::status(503));
    }
    assert_eq!(one.signed(&on("11:40"), &event("incident.resolved", "11:40")).await, posted(1));
    assert_eq!(list(&world), [row(RED, "🔴 発生 #pd33 応答が遅い")]);
    assert_eq!(other.signed(&on("11:45"), &event("incident.reopened", "11:45")).await, posted(1));
    assert_eq!(list(&world), [reopened()]);
    let another = oncall::fakes::pagerduty::Incident { id: "PINCIDENT2", number: 34, ..incident() };
    let begun = another.v3(&event_spec("o1", "incident.triggered", &on("11:50")));
    let updates = world.slack.updates();
    assert_eq!(one.signed(&on("11:50"), &begun).await, posted(1));
    assert_eq!((list(&world)[0].clone(), world.slack.updates()), (reopened(), updates + 1));
}

#[tokio::test]
async fn a_second_try_shows_the_state_of_then() {
    let (world, _table) = world().await;
    let (one, other) = (world.relay().await, world.relay().await);
    one.signed(&on("11:00"), &event("incident.triggered", "11:00")).await;
    world.slack.fail_at("/api/chat.update");
    world.slack.fail_once(Fault::too_many(1));
    let resolved = event("incident.resolved", "11:40");
    let meanwhile = async {
        updates_asked(&world, 1).await;
        other.signed(&on("11:45"), &event("incident.reopened", "11:45")).await
    };
    let at = on("11:40");
    assert_eq!(tokio::join!(one.signed(&at, &resolved), meanwhile), (posted(1), posted(1)));
    assert_eq!((list(&world), world.slack.requests_to("/api/chat.update")), (vec![reopened()], 3));
}
