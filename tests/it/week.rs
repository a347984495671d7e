//! The week from the schedule's request to the post on the wire.

use std::time::{Duration, Instant};

use oncall::fakes::server::Fault;
use oncall_relay::domain::chat::ChatName;
use oncall_relay::lambda::scheduler::{self, CountsAsDone};
use oncall_relay::reminder;
use serde_json::{Value, json};

use crate::ledger::world_with_table;
use crate::world::{World, instant};

/// The end of an ordinary week: a Friday, after a Monday off.
const FRIDAY: &str = "2026-11-27T17:00:00+09:00";
const ROOT: &str = "https://acme.pagerduty.com/incidents";

async fn week(world: &World, at: &str) -> (Value, CountsAsDone, reminder::Tally) {
    let request = json!({"reminder": "week", "at": at});
    let (answer, settled, tally) = scheduler::answer(&world.reminders().await, &request, instant(at).to_utc()).await;
    (answer.unwrap(), settled, tally)
}

async fn on(chat: ChatName) -> World {
    let mut world = World::new().await;
    world.set("CHATS", chat.key());
    world
}

fn an_eventful_week(world: &World) {
    let api = &world.incidents;
    api.resolved(30, "前の週の障害", "2026-11-20T16:59:59+09:00", "2026-11-20T17:30:00+09:00");
    api.resolved(31, "応答が遅い", "2026-11-20T17:00:00+09:00", "2026-11-20T17:23:00+09:00");
    api.resolved(32, "応答が遅い", "2026-11-24T11:00:00+09:00", "2026-11-24T14:10:00+09:00");
    api.add(
        33,
        "<!channel> @all #pd1",
        "resolved",
        "2026-11-24T11:05:00+09:00",
        &json!({"resolve_reason": {"type": "merge_resolve_reason", "incident": {"id": "PINC32"}},
            "resolved_at": "2026-11-24T11:06:00+09:00"}),
    );
    let search = json!({"service": {"id": "PSERVICE2", "summary": "検索 <b>"}});
    api.add(34, "検索できない", "acknowledged", "2026-11-26T20:00:00+09:00", &search);
    let practice = json!({"id": "PRACTICE01", "resolved_at": "2026-11-26T12:00:00+09:00"});
    api.add(35, "訓練", "resolved", "2026-11-26T11:00:00+09:00", &practice);
    // What PagerDuty may leave out, and clocks that ran backwards.
    let odd = json!({"resolved_at": "2026-11-25T10:00:00+09:00", "title": null, "html_url": null, "service": null});
    api.add(36, "", "resolved", "2026-11-25T11:00:00+09:00", &odd);
}

#[tokio::test]
async fn on_slack_the_week_is_a_table() {
    let world = on(ChatName::Slack).await;
    an_eventful_week(&world);
    let (answer, settled, _) = week(&world, FRIDAY).await;
    let posts = world.slack.take_posts();
    let expected = format!(
        "📊 今週のインシデント: 5件(11/20(金) 17:00〜11/27(金) 17:00)\n\
         営業時間内 3件・時間外 2件・未解決 1件・統合 1件\n\
         ```\n\
         サービス  件数  時間内  時間外\n\
         Backlog      3       2       1\n\
         -            1       1       0\n\
         検索 &lt;b&gt;     1       0       1\n\
         ```\n\
         ```\n\
         日         件数  時間内  時間外\n\
         11/20(金)     1       0       1\n\
         11/24(火)     2       2       0\n\
         11/25(水)     1       1       0\n\
         11/26(木)     1       0       1\n\
         ```\n\
         ⏱️ 解決まで: 中央値 1時間46分、最長 3時間10分: #pd32 応答が遅い <{ROOT}/PINC32>\n\
         📌 多かった件名(リンクは最後のもの):\n\
         2件 #pd32 応答が遅い <{ROOT}/PINC32>\n\
         1件 #pd34 検索できない <{ROOT}/PINC34>\n\
         1件 #pd33 &lt;!channel&gt; @all #pd1 <{ROOT}/PINC33>"
    );
    assert_eq!(posts.len(), 1);
    assert_eq!((posts[0].channel.as_str(), posts[0].text.as_str()), ("C0ONCALL", expected.as_str()));
    assert_eq!(answer, json!({"posted": true, "date": "2026-11-27", "on_call": [], "text": expected}));
    assert_eq!(settled, CountsAsDone::Yes);
    assert_eq!(world.google.requests(), 0, "nobody is mentioned, so nobody need be known");
}

#[tokio::test]
async fn on_typetalk_it_is_lines() {
    let mut world = on(ChatName::Typetalk).await;
    world.set("MESSAGE_LANGUAGE", "en");
    an_eventful_week(&world);
    week(&world, FRIDAY).await;
    assert_eq!(
        world.topic(),
        [format!(
            "📊 This week: 5 incidents (11/20 (Fri) 17:00 to 11/27 (Fri) 17:00)\n\
             3 in business hours, 2 outside, 1 still open, 1 merged\n\
             Backlog: incidents 3 / in hours 2 / outside 1\n\
             -: incidents 1 / in hours 1 / outside 0\n\
             検索 <b>: incidents 1 / in hours 0 / outside 1\n\
             11/20 (Fri): incidents 1 / in hours 0 / outside 1\n\
             11/24 (Tue): incidents 2 / in hours 2 / outside 0\n\
             11/25 (Wed): incidents 1 / in hours 1 / outside 0\n\
             11/26 (Thu): incidents 1 / in hours 0 / outside 1\n\
             ⏱️ Time to resolve: median 1 h 46 min, longest 3 h 10 min: #pd32 応答が遅い {ROOT}/PINC32\n\
             📌 Most frequent titles, with the last incident of each:\n\
             2 × #pd32 応答が遅い {ROOT}/PINC32\n\
             1 × #pd34 検索できない {ROOT}/PINC34\n\
             1 × #pd33 <!channel> ＠all ＃pd1 {ROOT}/PINC33"
        )]
    );
}

#[tokio::test]
async fn a_quiet_week_is_one_line() {
    for (language, line) in [
        ("ja", "📊 今週のインシデントはありませんでした(11/20(金) 17:00〜11/27(金) 17:00)"),
        ("en", "📊 No incident this week (11/20 (Fri) 17:00 to 11/27 (Fri) 17:00)"),
    ] {
        let mut world = on(ChatName::Typetalk).await;
        world.set("MESSAGE_LANGUAGE", language);
        week(&world, FRIDAY).await;
        assert_eq!(world.topic(), [line]);
    }
}

#[tokio::test]
async fn before_the_weeks_last_working_day_and_without_a_key_there_is_nothing_to_tell() {
    let mut world = World::new().await;
    for at in ["2026-11-26T17:00:00+09:00", "2026-11-28T17:00:00+09:00", "2026-11-23T17:00:00+09:00"] {
        let (answer, settled, _) = week(&world, at).await;
        assert_eq!((&answer["posted"], settled), (&json!(false), CountsAsDone::Yes), "{at}");
        assert!(answer["reason"].as_str().unwrap().contains("is not the last working day of its week"), "{answer}");
    }
    assert_eq!(world.incidents.requests(), 0);
    world.set("PAGERDUTY_API_KEY", "").set("PAGERDUTY_SERVICES", "");
    let (answer, settled, _) = week(&world, FRIDAY).await;
    assert_eq!((&answer["posted"], settled), (&json!(false), CountsAsDone::Yes));
    assert!(answer["reason"].as_str().unwrap().contains("PAGERDUTY_API_KEY"), "{answer}");
    assert_eq!(world.topic(), [""; 0]);
}

#[tokio::test]
async fn pagerdutys_failure_costs_the_numbers_and_not_the_message() {
    for (after, faults, known) in [
        (0, vec![Fault::status(500)], true),
        (0, vec![Fault::status(500), Fault::status(500)], false),
        (0, vec![Fault::status(401), Fault::status(401)], false),
        (0, vec![Fault::Answer(200, vec![], "<html>"), Fault::HangUp], false),
        // Those from the third on.
        (2, vec![Fault::status(500)], false),
    ] {
        let world = on(ChatName::Typetalk).await;
        for number in 0..250 {
            world.incidents.open(number, "x", "triggered", "2026-11-24T11:00:00+09:00");
        }
        for fault in faults.clone() {
            if after == 0 { world.incidents.fail_once(fault) } else { world.incidents.fail_after(after, fault) }
        }
        let (_, settled, _) = week(&world, FRIDAY).await;
        let topic = world.topic();
        assert_eq!(topic[0].starts_with("📊 今週のインシデント: 250件"), known, "{faults:?}: {topic:?}");
        assert_eq!(topic[0].starts_with("⚠️ 今週のインシデントを PagerDuty から取得できませんでした"), !known);
        assert_eq!(settled, CountsAsDone::Yes, "{faults:?}");
    }
}

#[tokio::test]
async fn pagerduty_lists_ten_thousand_and_no_more() {
    let world = on(ChatName::Typetalk).await;
    let page = vec![json!({"incident_number": 1, "title": "x", "created_at": "2026-11-24T02:00:00Z"}); 100];
    let page = json!({"incidents": page, "more": true}).to_string();
    world.incidents.fail_always(Some(Fault::Answer(200, vec![], page.leak())));
    week(&world, FRIDAY).await;
    let topic = world.topic();
    assert!(topic[0].starts_with("📊 今週のインシデント: 10000件以上"), "{topic:?}");
    assert!(topic[0].contains("10,000 件までです"), "{topic:?}");
    assert_eq!(world.incidents.requests(), 100, "and nothing is asked for behind them");
}

#[tokio::test]
async fn a_thousand_incidents_take_less_than_ten_seconds() {
    let world = on(ChatName::Slack).await;
    for number in 0..1_000 {
        world.incidents.open(number, "x", "triggered", "2026-11-24T11:00:00+09:00");
    }
    world.incidents.fail_always(Some(Fault::Delay(Duration::from_millis(300))));
    let started = Instant::now();
    week(&world, FRIDAY).await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(world.channel()[0].starts_with("📊 今週のインシデント: 1000件("));
}

#[tokio::test]
async fn a_week_is_told_of_once_and_a_late_retry_tells_of_the_same() {
    let (world, _table) = world_with_table().await;
    world.incidents.resolved(1, "x", "2026-11-27T16:59:00+09:00", "2026-11-27T17:10:00+09:00");
    world.incidents.open(2, "y", "triggered", "2026-11-27T17:05:00+09:00");
    let request = json!({"reminder": "week", "at": FRIDAY});
    for minute in [0, 30] {
        let now = instant(FRIDAY).to_utc() + chrono::TimeDelta::minutes(minute);
        let (answer, _, _) = scheduler::answer(&world.reminders().await, &request, now).await;
        let answer = answer.unwrap();
        assert!(answer["text"].as_str().unwrap().starts_with("📊 今週のインシデント: 1件("), "{answer}");
    }
    assert_eq!(world.topic().len(), 1);
    let dry_run = json!({"reminder": "week", "at": FRIDAY, "dry_run": true});
    let (answer, settled, _) = scheduler::answer(&world.reminders().await, &dry_run, instant(FRIDAY).to_utc()).await;
    assert_eq!((&answer.unwrap()["posted"], settled), (&json!(false), CountsAsDone::No));
}
