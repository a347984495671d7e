//! What of an account is seen, and what is made of it, as tables of cases.

use chrono::{DateTime, Utc};

use super::super::Status;
use super::*;
use crate::domain::calendar::Calendar;

const EVENTS: [&str; 3] = ["incident.triggered", "incident.acknowledged", "incident.resolved"];

fn now() -> DateTime<Utc> {
    at("2026-11-24T01:00:00Z")
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn subscription(scope: Scope) -> Subscription {
    Subscription {
        id: "PSUB".to_owned(),
        url: "https://relay.example.com/pagerduty".to_owned(),
        active: true,
        temporarily_disabled: false,
        events: EVENTS.map(str::to_owned).into(),
        scope,
    }
}

fn service(id: &str) -> SeenService {
    let seen = Service {
        status: "active".to_owned(),
        teams: vec!["PTEAM".to_owned()],
        policy: "PPOLICY".to_owned(),
        first_delay: Some(30),
    };
    (id.to_owned(), Ok(seen))
}

fn judged(subscriptions: Vec<Subscription>, extensions: Vec<Extension>) -> Finding {
    let url = Url::parse("https://relay.example.com/pagerduty").unwrap();
    let services = [service("PA"), service("PB")];
    let (subscriptions, extensions) = (Ok(subscriptions), Ok(extensions));
    Webhook { url: &url, services: &services, subscriptions, extensions, events: &EVENTS }.judge()
}

fn extension(services: &[&str], temporarily_disabled: bool) -> Extension {
    Extension {
        url: "https://relay.example.com/pagerduty".to_owned(),
        services: services.iter().map(|id| (*id).to_owned()).collect(),
        temporarily_disabled,
    }
}

#[test]
fn a_subscription_must_be_ours_and_active_and_cover_every_service_with_every_event() {
    let account = || subscription(Scope::Account);
    let of = |id: &str| subscription(Scope::Service(id.to_owned()));
    let missing = |ids: &[&str]| Some(Act::WebhookMissing(ids.iter().map(|id| (*id).to_owned()).collect()));
    for (subscriptions, status, act, said) in [
        (vec![account()], Status::Ok, None, "is active"),
        (vec![of("PA"), of("PB")], Status::Ok, None, "2 subscriptions"),
        (vec![subscription(Scope::Team("PTEAM".to_owned()))], Status::Ok, None, "is active"),
        (vec![], Status::Failed, missing(&["PA", "PB"]), "no subscription that the key can see"),
        (vec![of("PA")], Status::Failed, missing(&["PB"]), "no webhook for PB"),
        (vec![of("PZ")], Status::Failed, missing(&["PA", "PB"]), "cover other services"),
        (vec![subscription(Scope::Team("PELSE".to_owned()))], Status::Failed, missing(&["PA", "PB"]), "no webhook"),
        (vec![subscription(Scope::Unknown)], Status::Failed, missing(&["PA", "PB"]), "no webhook"),
        (
            vec![Subscription { url: "https://elsewhere.example.com/pagerduty".to_owned(), ..account() }],
            Status::Failed,
            missing(&["PA", "PB"]),
            "no subscription",
        ),
        (
            vec![Subscription { temporarily_disabled: true, ..account() }],
            Status::Failed,
            Some(Act::WebhookDisabled),
            "PagerDuty has disabled",
        ),
        (vec![Subscription { active: false, ..account() }], Status::Failed, Some(Act::WebhookInactive), "switched off"),
        (vec![Subscription { temporarily_disabled: true, ..of("PA") }, account()], Status::Ok, None, "2 subscriptions"),
        (
            vec![Subscription { events: vec![EVENTS[0].to_owned()], ..account() }],
            Status::Warning,
            None,
            "doesn't send incident.acknowledged, incident.resolved",
        ),
        (
            vec![Subscription { events: vec![EVENTS[2].to_owned()], ..account() }],
            Status::Failed,
            Some(Act::WebhookEvents),
            "doesn't send incident.triggered",
        ),
    ] {
        let finding = judged(subscriptions.clone(), Vec::new());
        assert_eq!((finding.status, &finding.act), (status, &act), "{subscriptions:?}: {finding:?}");
        assert!(finding.detail.contains(said), "{said}: {finding:?}");
    }
}

#[test]
fn an_address_is_ours_however_it_is_spelt() {
    for (url, ours) in [
        ("https://relay.example.com/pagerduty/", true),
        ("https://RELAY.example.com:443//pagerduty", true),
        ("https://user:secret@relay.example.com/pagerduty?x=1", true),
        ("https://relay.example.com/prod/pagerduty", false),
        ("https://relay.example.com.evil.example/pagerduty", false),
        ("no address", false),
    ] {
        let finding = judged(vec![Subscription { url: url.to_owned(), ..subscription(Scope::Account) }], Vec::new());
        assert_eq!(finding.status == Status::Ok, ours, "{url}: {finding:?}");
        assert!(!finding.detail.contains("secret"), "{finding:?}");
    }
}

#[test]
fn a_v2_extension_is_told_beside_a_subscription_and_in_its_place() {
    for (subscriptions, extensions, status, act, said) in [
        (vec![subscription(Scope::Account)], vec![extension(&["PA"], false)], Status::Warning, None, "come twice"),
        (vec![], vec![extension(&["PA", "PB"], false)], Status::Warning, None, "no longer supports"),
        (vec![], vec![extension(&["PA", "PB"], true)], Status::Failed, Some(Act::WebhookDisabled), "disabled"),
    ] {
        let finding = judged(subscriptions, extensions);
        assert_eq!((finding.status, &finding.act), (status, &act), "{finding:?}");
        assert!(finding.detail.contains(said), "{finding:?}");
    }
}

#[test]
fn events_are_judged_for_each_service_by_what_is_sent_for_it() {
    let of = |id: &str, events: &[&str]| Subscription {
        id: format!("S{id}"),
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        ..subscription(Scope::Service(id.to_owned()))
    };
    let off = |one: Subscription| Subscription { active: false, ..one };
    let disabled = |one: Subscription| Subscription { temporarily_disabled: true, ..one };
    let silent = Some(Act::WebhookEvents);
    for (subscriptions, status, act, said) in [
        (
            vec![of("PA", &EVENTS), of("PB", &EVENTS[1..])],
            Status::Failed,
            silent.clone(),
            "for PB the subscription doesn't send incident.triggered",
        ),
        (
            vec![of("PA", &EVENTS), of("PB", &EVENTS[..1])],
            Status::Warning,
            None,
            "for PB the subscription doesn't send incident.acknowledged",
        ),
        (
            vec![of("PA", &EVENTS), of("PB", &EVENTS[1..]), off(of("PB", &EVENTS))],
            Status::Failed,
            silent.clone(),
            "for PB",
        ),
        (
            vec![of("PA", &EVENTS), of("PB", &EVENTS[1..]), disabled(of("PB", &EVENTS))],
            Status::Failed,
            silent.clone(),
            "for PB",
        ),
        (vec![of("PA", &EVENTS), of("PB", &EVENTS[1..]), of("PB", &EVENTS[..1])], Status::Ok, None, "3 subscriptions"),
        (vec![of("PA", &EVENTS), of("PB", &EVENTS[1..]), of("PZ", &EVENTS)], Status::Failed, silent, "for PB"),
    ] {
        let finding = judged(subscriptions.clone(), Vec::new());
        assert_eq!((finding.status, &finding.act), (status, &act), "{subscriptions:?}: {finding:?}");
        assert!(finding.detail.contains(said), "{said}: {finding:?}");
    }
}

#[test]
fn nobody_is_told_to_delete_the_only_webhook_that_works() {
    let of = |id: &str| subscription(Scope::Service(id.to_owned()));
    let off = |one: Subscription| Subscription { active: false, ..one };
    let disabled = |one: Subscription| Subscription { temporarily_disabled: true, ..one };
    let deaf = Subscription { events: vec![EVENTS[2].to_owned()], ..subscription(Scope::Account) };
    let both = || vec![extension(&["PA", "PB"], false)];
    for (subscriptions, extensions, first, twice) in [
        (vec![off(subscription(Scope::Account))], both(), Some("PA, PB"), false),
        (vec![disabled(subscription(Scope::Account))], both(), Some("PA, PB"), false),
        (vec![deaf], both(), Some("PA, PB"), false),
        (vec![of("PZ")], both(), Some("PA, PB"), false),
        (vec![of("PA")], vec![extension(&["PB"], false)], Some("PB"), false),
        (vec![of("PA")], both(), Some("PB"), true),
        // A service that isn't ours lives on it, too.
        (vec![of("PA"), of("PB")], vec![extension(&["PA", "PZ"], false)], Some("PZ"), true),
        (vec![of("PA"), of("PB")], both(), None, true),
        (vec![subscription(Scope::Team("PTEAM".to_owned()))], both(), None, true),
    ] {
        let finding = judged(subscriptions.clone(), extensions);
        assert_eq!((finding.status, &finding.act), (Status::Warning, &None), "{subscriptions:?}: {finding:?}");
        assert_eq!(finding.detail.contains("come twice"), twice, "{subscriptions:?}: {finding:?}");
        assert!(subscriptions[0].sends() || !finding.detail.contains("is active"), "{finding:?}");
        let asked = first.map(|ids| format!("have a v3 subscription send for {ids} first"));
        assert_eq!(asked.is_some(), !finding.remedy.starts_with("delete it"), "{finding:?}");
        assert!(finding.remedy.contains(&asked.unwrap_or_default()), "{subscriptions:?}: {finding:?}");
    }
}

#[test]
fn two_subscriptions_that_send_the_same_are_told() {
    let of = |id: &str| Subscription { id: format!("S{id}"), ..subscription(Scope::Service(id.to_owned())) };
    let finding = judged(vec![subscription(Scope::Account), of("PB"), of("PZ")], Vec::new());
    assert_eq!(finding.status, Status::Warning);
    assert!(finding.detail.contains("for PB events come twice: the subscriptions PSUB, SPB all"), "{finding:?}");
}

#[test]
fn what_the_key_may_not_read_is_never_ok() {
    let url = Url::parse("https://relay.example.com/pagerduty").unwrap();
    let services = [service("PA"), ("PB".to_owned(), Err(Unseen::Status(403)))];
    let judged = |subscriptions, extensions| {
        Webhook { url: &url, services: &services, subscriptions, extensions, events: &EVENTS }.judge()
    };
    let all = || Ok(vec![subscription(Scope::Account)]);
    for (finding, status) in [
        (judged(all(), Ok(Vec::new())), Status::Ok),
        (judged(all(), Err(Unseen::Status(403))), Status::Skipped),
        (judged(Err(Unseen::Status(403)), Ok(Vec::new())), Status::Skipped),
        (judged(Err(Unseen::Status(500)), Ok(Vec::new())), Status::Failed),
        (judged(Err(Unseen::Garbled), Ok(Vec::new())), Status::Failed),
        (escalation(&services, Ok(&[always("PPOLICY")]), &Calendar::default(), now()), Status::Skipped),
        (escalation(&[service("PA")], Err(&Unseen::Status(403)), &Calendar::default(), now()), Status::Skipped),
        (
            escalation(
                &[service("PA")],
                Err(&Unseen::Unreachable("can't connect".to_owned())),
                &Calendar::default(),
                now(),
            ),
            Status::Failed,
        ),
        (key(Err(Unseen::Status(403))), Status::Skipped),
        (key(Err(Unseen::Status(401))), Status::Failed),
        (key(Err(Unseen::Garbled)), Status::Failed),
        (key(Ok(())), Status::Ok),
    ] {
        assert_eq!(finding.status, status, "{finding:?}");
    }
}

fn always(policy: &str) -> Shift {
    Shift { policy: policy.to_owned(), from: None, until: None }
}

fn shift(from: &str, until: &str) -> Shift {
    Shift { policy: "PPOLICY".to_owned(), from: Some(at(from)), until: Some(at(until)) }
}

#[test]
fn somebody_must_be_on_call_at_every_hour_of_seven_days() {
    let (before, middle, after) = ("2026-11-20T00:00:00Z", "2026-11-26T12:00:00Z", "2026-12-02T00:00:00Z");
    for (shifts, gap_from) in [
        (vec![always("PPOLICY")], None),
        (vec![shift(before, after)], None),
        (vec![shift(middle, after), shift(before, middle)], None),
        (vec![shift(before, middle), shift("2026-11-26T12:00:30Z", after)], None),
        (vec![], Some("2026-11-24T01:00:00Z")),
        (vec![always("PANOTHER")], Some("2026-11-24T01:00:00Z")),
        (vec![shift(before, middle)], Some(middle)),
        (vec![shift(before, middle), shift("2026-11-26T13:00:00Z", after)], Some(middle)),
        // A long shift holds over a short one that begins later.
        (vec![shift(before, after), shift(before, middle)], None),
    ] {
        let finding = escalation(&[service("PA")], Ok(&shifts), &Calendar::default(), now());
        let act = gap_from.map(|from| Act::NobodyOnCall(Calendar::default().local(at(from)).naive_local()));
        assert_eq!(finding.act, act, "{shifts:?}: {finding:?}");
        assert!(finding.detail.contains("the first level has 30 min"), "{finding:?}");
    }
}

#[test]
fn a_service_that_is_gone_or_disabled_or_resting_is_named() {
    let with = |status: &str| {
        let (id, seen) = service("PA");
        (id, seen.map(|service| Service { status: status.to_owned(), ..service }))
    };
    for (services, status, act) in [
        (vec![with("disabled")], Status::Failed, Some(Act::ServicesDisabled(vec!["PA".to_owned()]))),
        (vec![with("maintenance")], Status::Warning, None),
        (vec![with("critical")], Status::Ok, None),
        (
            vec![("PGONE".to_owned(), Err(Unseen::Status(404))), service("PA")],
            Status::Failed,
            Some(Act::ServicesGone(vec!["PGONE".to_owned()])),
        ),
    ] {
        let finding = escalation(&services, Ok(&[always("PPOLICY")]), &Calendar::default(), now());
        assert_eq!((finding.status, &finding.act), (status, &act), "{services:?}: {finding:?}");
    }
}
