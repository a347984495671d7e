//! Which state an incident is in after which events, and that their order of arrival doesn't matter.

use proptest::prelude::*;

use super::*;
use crate::domain::event::ActorKind;
use crate::domain::samples::{actor, event, now};

/// An event so many minutes after eleven, by somebody.
fn at(minute: i64, kind: Kind) -> Event {
    let actor = Some(actor(ActorKind::Person, &format!("P{minute}")));
    Event { occurred_at: Some(now() + TimeDelta::minutes(minute)), actor, ..event(kind) }
}

fn merged() -> Kind {
    Kind::Merged { into: Incident { number: Some(34), ..Incident::default() } }
}

fn after(events: &[Event]) -> Standing {
    let much_later = now() + TimeDelta::days(2);
    events.iter().fold(Standing::default(), |known, event| Standing::after(Some(&known), event, much_later))
}

/// `acknowledged by P5 at 5`
fn said(standing: &Standing) -> String {
    let Some(state) = &standing.state else { return "unknown".to_owned() };
    let by = match &state.by {
        Some(By::Name(name)) => name.as_str(),
        _ => "nobody",
    };
    format!("{:?} by {by} at {}", state.phase, (state.since - now()).num_minutes())
}

#[test]
fn the_newest_event_that_says_so_makes_the_state() {
    use Kind::{Acknowledged, Reopened, Resolved, Triggered, Unacknowledged};
    let note = |minute| at(minute, Kind::Annotated { note: "x".to_owned() });
    for (events, expected) in [
        (vec![], "unknown"),
        (vec![note(1)], "unknown"),
        (vec![at(0, Triggered)], "Triggered by P0 at 0"),
        (vec![at(0, Triggered), at(5, Acknowledged), note(6)], "Acknowledged by P5 at 5"),
        (vec![at(0, Triggered), at(5, Acknowledged), at(9, Acknowledged)], "Acknowledged by P9 at 9"),
        (vec![at(5, Acknowledged), at(35, Unacknowledged)], "Unacknowledged by P35 at 35"),
        (vec![at(5, Acknowledged), at(40, Resolved)], "Resolved by P40 at 40"),
        (vec![at(40, Resolved), at(50, Reopened)], "Reopened by P50 at 50"),
        (vec![at(5, Acknowledged), at(7, merged())], "Merged by P7 at 7"),
        // Late ones change nothing.
        (vec![at(40, Resolved), at(5, Acknowledged)], "Resolved by P40 at 40"),
        (vec![at(40, Resolved), at(0, Triggered), at(5, Acknowledged)], "Resolved by P40 at 40"),
        (vec![at(7, merged()), at(7, Resolved)], "Merged by P7 at 7"),
        // At the same instant.
        (vec![at(0, Resolved), at(0, Triggered)], "Resolved by P0 at 0"),
        (vec![at(0, Acknowledged), at(0, Triggered)], "Acknowledged by P0 at 0"),
        // An acknowledgement opens an incident again, whichever of the two comes first.
        (vec![at(0, Resolved), at(9, Reopened), at(9, Acknowledged)], "Acknowledged by P9 at 9"),
        (vec![at(0, Resolved), at(9, Acknowledged), at(9, Reopened)], "Acknowledged by P9 at 9"),
        (vec![at(9, Reopened), at(9, Acknowledged), at(9, Acknowledged), at(9, Reopened)], "Acknowledged by P9 at 9"),
        (vec![at(9, Acknowledged), at(9, Reopened), at(10, Resolved)], "Resolved by P10 at 10"),
    ] {
        assert_eq!(said(&after(&events)), expected, "{events:#?}");
    }
}

#[test]
fn what_an_event_of_another_kind_carries_counts_until_one_says_so() {
    let carried = |minute, status| {
        let mut event = at(minute, Kind::Escalated { to: Vec::new() });
        event.incident.status = Some(status);
        event
    };
    for (events, expected) in [
        (vec![carried(3, Status::Triggered)], "Triggered by nobody at 3"),
        (vec![carried(3, Status::Acknowledged)], "Acknowledged by nobody at 3"),
        (vec![carried(3, Status::Resolved)], "Resolved by nobody at 3"),
        (vec![carried(3, Status::Acknowledged), carried(9, Status::Resolved)], "Acknowledged by nobody at 3"),
        (vec![carried(3, Status::Resolved), at(1, Kind::Acknowledged)], "Acknowledged by P1 at 1"),
        (vec![at(5, Kind::Acknowledged), carried(9, Status::Triggered)], "Acknowledged by P5 at 5"),
    ] {
        assert_eq!(said(&after(&events)), expected, "{events:#?}");
    }
}

#[test]
fn how_long_it_took_is_counted_from_the_beginning() {
    use Kind::{Acknowledged, Reopened, Resolved, Triggered};
    let minutes = |events: &[Event]| after(events).took().map(|took| took.num_minutes());
    let created = |mut event: Event, minute| {
        event.incident.created_at = Some(now() + TimeDelta::minutes(minute));
        event
    };
    assert_eq!(minutes(&[at(0, Triggered), at(40, Resolved)]), Some(40));
    assert_eq!(minutes(&[at(40, Resolved), at(0, Triggered)]), Some(40), "whatever comes first");
    assert_eq!(minutes(&[at(0, Triggered), at(40, Resolved), at(50, Reopened), at(60, Resolved)]), Some(60));
    assert_eq!(minutes(&[created(at(40, Resolved), -20)]), Some(60), "an incident that wasn't seen to begin");
    assert_eq!(minutes(&[at(40, Resolved)]), None);
    assert_eq!(minutes(&[created(at(40, Resolved), 50)]), None, "PagerDuty's clocks disagree");
    assert_eq!(minutes(&[at(0, Triggered), at(40, Acknowledged)]), None);
}

#[test]
fn a_clock_that_runs_ahead_holds_no_state_for_good() {
    let ahead = Event { occurred_at: Some(now() + TimeDelta::days(900)), ..at(0, Kind::Acknowledged) };
    let shown = Standing::after(None, &ahead, now());
    assert_eq!(shown.state.as_ref().map(|state| state.since), Some(now()));
    assert_eq!(
        said(&Standing::after(Some(&shown), &at(1, Kind::Resolved), now() + TimeDelta::minutes(1))),
        "Resolved by P1 at 1"
    );
    let timeless = Event { occurred_at: None, ..at(0, Kind::Acknowledged) };
    assert_eq!(Standing::after(None, &timeless, now()).state.map(|state| state.since), Some(now()));
}

#[test]
fn what_only_refers_to_an_incident_renames_nothing_and_texts_have_a_bound() {
    let mut reference = at(3, Kind::Annotated { note: String::new() });
    (reference.service, reference.incident.title) = (None, Some("[#33] Disk is full".to_owned()));
    let known = after(&[at(0, Kind::Triggered), reference.clone()]);
    assert_eq!((known.incident.title.as_deref(), known.service.as_deref()), (Some("Disk is full"), Some("Backlog")));
    assert_eq!(after(&[reference]).incident.title.as_deref(), Some("[#33] Disk is full"));

    let mut renamed = at(5, Kind::Acknowledged);
    renamed.incident.title = Some("Disk is full again".to_owned());
    let known = after(&[renamed, at(0, Kind::Triggered)]);
    assert_eq!(known.incident.title.as_deref(), Some("Disk is full again"), "a late event has an old title");

    let mut long = at(0, Kind::Triggered);
    long.incident.title = Some("\u{202e}title ".repeat(2_000));
    let title = after(&[long]).incident.title.unwrap();
    assert_eq!(title.chars().count(), TITLE);
    assert!(title.ends_with('…') && !title.contains('\u{202e}'));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn events_in_any_order_end_in_the_state_of_the_newest(
        kinds in prop::collection::vec(0..8_usize, 1..12),
        order in any::<prop::sample::Index>(),
    ) {
        let kind = |kind| match kind {
            0 => Kind::Triggered,
            1 => Kind::Acknowledged,
            2 => Kind::Unacknowledged,
            3 => Kind::Resolved,
            4 => merged(),
            5 => Kind::Reopened,
            6 => Kind::Annotated { note: String::new() },
            _ => Kind::Escalated { to: Vec::new() },
        };
        let mut minutes = 0_i64..;
        let mut events: Vec<_> = kinds.into_iter().map(|k| at(minutes.next().unwrap_or_default(), kind(k))).collect();
        let newest = events.iter().rfind(|event| Phase::of(&event.kind).is_some()).cloned();
        let in_order = after(&events);
        let newest = newest.and_then(|event| State::after(&event, now() + TimeDelta::days(2)));
        prop_assert_eq!(&in_order.state, &newest);
        let turn = order.index(events.len());
        events.rotate_left(turn);
        prop_assert_eq!(&after(&events).state, &newest);
        events.reverse();
        let reversed = after(&events);
        prop_assert_eq!((&reversed.state, reversed.took()), (&newest, in_order.took()));
    }
}
