//! Changes whose fate is unknown: none is made twice, and whoever wanted it is told that it may be made.

use futures_util::future::join_all;

use super::*;

const UNKNOWN: &str = "実行されたかどうか分かりません";
const INCIDENT: &str = "/incidents/PINCIDENT1";
const NOTES: &str = "/incidents/PINCIDENT1/notes";

/// How an answer is lost: whether PagerDuty did it all the same, and whether there is time to look.
fn lost() -> [(Fault, bool, bool); 10] {
    [
        (Fault::HangUp, false, true),
        (Fault::status(500), false, true),
        (Fault::status(503), false, true),
        (Fault::status(504), false, true),
        (Fault::Answer(200, vec![], "<html>"), false, true),
        (Fault::Hang, false, false),
        (Fault::TakeAndHangUp, true, true),
        (Fault::TakeAndAnswer(502, ""), true, true),
        (Fault::TakeAndHang, true, false),
        (Fault::Drip(Duration::from_millis(100)), true, false),
    ]
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_made_once_and_its_presser_is_told_what_is_known() {
    // The reply may name the user as whom it is done only after a first press has shown who that is.
    let at = "2026-11-24T11:20:00+09:00";
    let trial = async |(fault, is_done, is_seen): (Fault, bool, bool), is_user_known: bool| {
        let world = world().await;
        let relay = world.relay().await;
        alerted(&relay).await;
        if is_user_known {
            relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "acknowledge", 1)).await;
        }
        let _ = (world.slack.take_told(), world.incidents.take_done());
        world.incidents.set_clock("2026-11-24T02:20:00Z");
        let before = world.incidents.requests_to(INCIDENT);
        world.incidents.fail_once(Fault::Delay(Duration::ZERO));
        world.incidents.fail_once(fault.clone());
        assert_eq!(relay.on_slack(at, &press(&world, TANAKA, "resolve", 2)).await, heard(), "{fault:?}");
        let asked = world.incidents.requests_to(INCIDENT) - before;
        assert_eq!(asked, if is_seen { 3 } else { 2 }, "a look, one change, a look where there is time: {fault:?}");
        assert_eq!(world.incidents.take_done(), if is_done { vec![done("resolved")] } else { vec![] }, "{fault:?}");
        let told = world.slack.take_told();
        match (is_done && is_seen, is_user_known) {
            (true, true) => assert_eq!(told, [""; 0], "{fault:?}"),
            (true, false) => {
                assert_eq!(told, [format!("#pd33 ℹ️ すでに解決済みです · {ACTING_NAME} 11:20")], "{fault:?}");
            }
            (false, _) => {
                assert!(told.len() == 1 && told[0].contains(UNKNOWN) && told[0].ends_with(PAGE), "{fault:?}: {told:?}");
            }
        }
        // Whoever looks and presses again has what they wanted, once.
        let again = "2026-11-24T11:20:30+09:00";
        assert_eq!(relay.on_slack(again, &press(&world, TANAKA, "resolve", 3)).await, heard(), "{fault:?}");
        assert_eq!(world.incidents.take_done(), if is_done { vec![] } else { vec![done("resolved")] }, "{fault:?}");
    };
    let trials = lost().map(|lost| [(lost.clone(), true), (lost, false)]);
    join_all(trials.into_iter().flatten().map(|(lost, is_user_known)| trial(lost, is_user_known))).await;
}

#[tokio::test]
async fn a_note_whose_answer_is_lost_is_written_once_and_the_form_says_that_it_may_be_there() {
    let trial = async |(fault, is_done, _): (Fault, bool, bool)| {
        let world = world().await;
        let relay = world.relay().await;
        alerted(&relay).await;
        // The connection is one that was used: there even a lost request could be sent again, if it were none to write.
        relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "acknowledge", 2)).await;
        let _ = world.incidents.take_done();
        relay.on_slack(FIVE_PAST, &press(&world, TANAKA, "note", 1)).await;
        let view = world.slack.take_views().remove(0);
        world.incidents.fail_at(NOTES);
        world.incidents.fail_once(fault.clone());
        let body = payload(&TANAKA.submit(&view, "再起動した"));
        let (status, answer) = relay.on_slack(FIVE_PAST, &body).await;
        assert_eq!((status, answer["response_action"].as_str()), (200, Some("errors")), "{fault:?}");
        let error = answer["errors"]["note"].as_str().unwrap();
        assert!(error.contains(UNKNOWN), "{fault:?}: {error}");
        assert_eq!(world.incidents.requests_to(NOTES), 1, "{fault:?}");
        assert_eq!(world.incidents.take_done().len(), usize::from(is_done), "{fault:?}");
    };
    join_all(lost().map(trial)).await;
}
