//! What the ledger remembers of presses: enough to know each again, and never so much that an item can't be written.

use chrono::TimeDelta;
use oncall_relay::budget::PRESS_KNOWN_FOR;
use oncall_relay::domain::acting::{Action, Pressed, Presser};
use oncall_relay::edge::ledger::{Ending, Hold, Turn};

use super::*;

/// People of whom an item keeps a press.
const KEPT: usize = 30;

fn id() -> IncidentId {
    IncidentId::parse("PPRESSED").unwrap()
}

async fn take(ledger: &Ledger, press: &str, at: DateTime<Utc>) -> Hold {
    match ledger.take_turn(&id(), press, at).await {
        Turn::Taken(hold) => hold,
        other => panic!("{press}: {other:?}"),
    }
}

fn pressed(person: usize, at: DateTime<Utc>) -> Pressed {
    let presser = Presser::new(&format!("U0{person:07}"), &"名".repeat(100));
    Pressed { action: Action::Acknowledge, presser, at, agent: Some("PACTING".to_owned()) }
}

async fn everybody_presses(ledger: &Ledger, people: usize, every: TimeDelta) -> DateTime<Utc> {
    let mut now = at(0);
    for person in 0..people {
        let hold = take(ledger, &format!("press {person}"), now).await;
        let pressed = pressed(person, now);
        ledger.remember_press(&id(), &pressed, now).await;
        let ending = match person % 3 {
            0 => Ending::Acted(pressed),
            1 => Ending::InDoubt(pressed),
            _ => Ending::Failed(Some(pressed)),
        };
        ledger.end_turn(&id(), &hold, &ending, now).await;
        now += every;
    }
    now
}

/// Of 150 people one a minute presses, then one more, and then the one whose press is being taken away for that.
async fn many_press_and_one_once_more(url: &str) {
    let ledger = process(url);
    let now = everybody_presses(&ledger, 150, TimeDelta::minutes(1)).await;
    let last = process(url).incident(&id(), now).await.pressed;
    assert_eq!(last.len(), KEPT);
    assert_eq!(last[0].presser.id, "U00000148", "the newest stay; the last one's failed");
    let again = Pressed { at: now + TimeDelta::minutes(1), ..last[KEPT - 1].clone() };
    for pressed in [pressed(150, now), again.clone()] {
        let hold = take(&ledger, &format!("then {}", pressed.presser.id), pressed.at).await;
        ledger.remember_press(&id(), &pressed, pressed.at).await;
        ledger.end_turn(&id(), &hold, &Ending::Acted(pressed.clone()), pressed.at).await;
    }
    assert_eq!((process(url).incident(&id(), again.at).await.pressed[0].clone(), ledger.failures()), (again, 0));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local"]
async fn amazons_own_dynamodb_takes_what_is_written_about_presses() {
    let local = DynamoDbLocal::start(&path_in("DYNAMODB_LOCAL"), TABLE).await.unwrap();
    many_press_and_one_once_more(local.url()).await;
}

#[tokio::test]
async fn however_many_people_press_an_incident_its_item_stays_small() {
    let table = DynamoDb::start(0, TABLE).await.unwrap();
    many_press_and_one_once_more(&table.url()).await;
    // Key, time to live, the last people, their presses of some minutes.
    let most = 2 + KEPT + 1 + usize::try_from(PRESS_KNOWN_FOR.num_minutes()).unwrap() + 2;
    assert!(table.attributes("incident#PPRESSED") <= most, "{}", table.attributes("incident#PPRESSED"));
}

#[tokio::test]
async fn a_crowd_at_once_leaves_nothing_that_later_presses_do_not_take_away() {
    let table = DynamoDb::start(0, TABLE).await.unwrap();
    let ledger = process(&table.url());
    let now = everybody_presses(&ledger, 200, TimeDelta::milliseconds(100)).await;
    assert!(table.attributes("incident#PPRESSED") > KEPT + 30, "each can be sent again for a while");
    for later in 1..=5 {
        let now = now + PRESS_KNOWN_FOR * later;
        let hold = take(&ledger, &format!("later {later}"), now).await;
        ledger.end_turn(&id(), &hold, &Ending::NothingToDo, now).await;
    }
    assert!(table.attributes("incident#PPRESSED") <= 2 + KEPT + 2, "{}", table.attributes("incident#PPRESSED"));
    assert_eq!(ledger.failures(), 0);
}

#[tokio::test]
async fn the_memory_of_a_process_keeps_no_more_and_knows_a_press_again() {
    let ledger = Ledger::new(None, budget::WEBHOOK, &HttpClient::new());
    let now = everybody_presses(&ledger, 151, TimeDelta::minutes(1)).await;
    assert_eq!(ledger.incident(&id(), now).await.pressed.len(), KEPT);
    assert_eq!(ledger.take_turn(&id(), "press 150", now).await, Turn::Replayed);
    assert!(matches!(ledger.take_turn(&id(), "press 135", now).await, Turn::Taken(_)), "its signature has ended");
}
