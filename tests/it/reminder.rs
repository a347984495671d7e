//! Reminders from the schedule's request to the post on the wire.

use std::time::Duration;

use oncall::fakes::ROSTER_TAB;
use oncall::fakes::server::Fault;
use oncall_relay::lambda::scheduler::{self, CountsAsDone};
use serde_json::{Value, json};

use crate::ledger::world_with_table;
use crate::world::{World, instant};

const MORNING: &str = "2026-11-24T10:00:00+09:00";
const EVENING: &str = "2026-11-24T17:00:00+09:00";

/// Gives a request at a time, and returns the answer or the invocation's error.
async fn request(world: &World, at: &str, request: &Value) -> (Result<Value, String>, CountsAsDone) {
    let reminders = world.reminders().await;
    let (answer, settled, _) = scheduler::answer(&reminders, request, instant(at).to_utc()).await;
    (answer.map_err(|error| error.to_string()), settled)
}

async fn posted(world: &World, at: &str, reminder: &str) -> Value {
    let (answer, settled) = request(world, at, &json!({"reminder": reminder, "at": at})).await;
    assert_eq!(settled, CountsAsDone::Yes);
    answer.unwrap()
}

#[tokio::test]
async fn in_the_morning_todays_people_are_mentioned_in_the_on_call_topic() {
    let world = World::new().await;
    let answer = posted(&world, MORNING, "today").await;
    let posts = world.typetalk.take_posts();
    let text = "@tanaka @suzuki-k\n\
                📟 今日 11/24(火) のオンコール当番です。よろしくお願いします\n\
                📋 当番表: https://docs.google.com/spreadsheets/d/1StandInSpreadsheet/edit\n\
                ✅ 未解決のインシデントはありません";
    assert_eq!(posts.iter().map(|post| (post.topic, post.message.as_str())).collect::<Vec<_>>(), [(12, text)]);
    assert_eq!(answer, json!({"posted": true, "date": "2026-11-24", "on_call": ["田中", "鈴木"], "text": text}));
}

#[tokio::test]
async fn in_the_evening_the_people_of_the_next_working_day_are_sent_to_the_checklist() {
    let mut world = World::new().await;
    world.set("MANUAL_URL", "https://wiki.example.com/oncall");
    let days = ["2026-11-25", "2026-11-26", "2026-11-27", "2026-11-30", "2026-12-01"];
    world.google.write(ROSTER_TAB, &days.map(|day| [day, "佐藤 花子"]).each_ref().map(<[&str; 2]>::as_slice));
    let answer = posted(&world, EVENING, "next").await;
    assert_eq!((&answer["date"], &answer["on_call"]), (&json!("2026-11-25"), &json!(["佐藤 花子"])));
    assert_eq!(
        world.topic(),
        ["@sato\n\
          📅 次の営業日 11/25(水) のオンコール当番です。都合が悪くなったら当番表を書き換えてください\n\
          📖 事前チェックリストを確認してください: https://wiki.example.com/oncall\n\
          📋 当番表: https://docs.google.com/spreadsheets/d/1StandInSpreadsheet/edit"]
    );
    assert_eq!(world.incidents.requests(), 0, "the night's incidents are the morning's business");
}

#[tokio::test]
async fn a_day_off_is_settled_without_a_post() {
    let world = World::new().await;
    for at in ["2026-11-22T10:00:00+09:00", "2026-11-23T10:00:00+09:00"] {
        for reminder in ["today", "next"] {
            let answer = posted(&world, at, reminder).await;
            assert_eq!(answer["posted"], json!(false), "{answer}");
            assert!(answer["reason"].as_str().unwrap().contains("is not a working day"), "{answer}");
        }
    }
    assert_eq!(world.topic(), [""; 0]);
}

#[tokio::test]
async fn a_request_made_up_for_another_day_does_not_hide_that_the_schedule_is_silent() {
    let world = World::new().await;
    for (at, is_posted) in [("2026-11-26T10:00:00+09:00", false), ("2026-11-20T10:00:00+09:00", true)] {
        let (answer, settled) = request(&world, MORNING, &json!({"reminder": "today", "at": at})).await;
        assert_eq!((answer.unwrap()["posted"] == true, settled), (is_posted, CountsAsDone::No), "{at}");
    }
}

#[tokio::test]
async fn tomorrows_reminder_is_refused_today_and_posted_tomorrow() {
    let (world, _table) = world_with_table().await;
    let tomorrow = "2026-11-25T10:00:00+09:00";
    let for_tomorrow = json!({"reminder": "today", "at": tomorrow});
    for now in [MORNING, "2026-11-25T08:59:00+09:00"] {
        let (answer, settled) = request(&world, now, &for_tomorrow).await;
        let answer = answer.unwrap();
        assert_eq!((&answer["posted"], settled), (&json!(false), CountsAsDone::No), "{now}");
        assert!(answer["reason"].as_str().unwrap().contains("more than an hour ahead"), "{answer}");
    }
    let mut dry_run = for_tomorrow.clone();
    dry_run["dry_run"] = json!(true);
    assert_eq!(request(&world, MORNING, &dry_run).await.0.unwrap()["date"], "2026-11-25");
    assert_eq!(world.topic(), [""; 0]);
    // The clocks of a schedule and of a function need not agree to the minute.
    let (answer, settled) = request(&world, "2026-11-25T09:01:00+09:00", &for_tomorrow).await;
    assert_eq!((&answer.unwrap()["posted"], settled), (&json!(true), CountsAsDone::Yes));
    assert_eq!(world.topic().len(), 1);
}

#[tokio::test]
async fn a_dry_run_counts_nothing() {
    let world = World::new().await;
    world.google.make_private();
    let reminders = world.reminders().await;
    let counted = async |dry_run: bool| {
        let request = json!({"reminder": "today", "at": MORNING, "dry_run": dry_run});
        scheduler::answer(&reminders, &request, instant(MORNING).to_utc()).await.2.roster_stale
    };
    assert_eq!((counted(true).await, counted(false).await), (0, 1));
}

#[tokio::test]
async fn of_two_invocations_at_once_both_succeed_and_one_posts() {
    let (world, _table) = world_with_table().await;
    world.typetalk.fail_once(Fault::Delay(Duration::from_millis(700)));
    let event = json!({"reminder": "today", "at": MORNING});
    let (one, other) = tokio::join!(request(&world, MORNING, &event), request(&world, MORNING, &event));
    for (answer, _) in [&one, &other] {
        assert_eq!(answer.as_ref().unwrap()["posted"], true);
    }
    assert_ne!(one.1, other.1, "counted once");
    assert_eq!(world.topic().len(), 1);
}

#[tokio::test]
async fn a_reminder_whose_invocation_died_is_posted_by_the_next_one() {
    let (world, _table) = world_with_table().await;
    let event = json!({"reminder": "today", "at": MORNING});
    world.typetalk.fail_once(Fault::Hang);
    {
        let is_posting = async {
            while world.typetalk.requests() == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            _ = request(&world, MORNING, &event) => panic!("it hangs"),
            () = is_posting => {}
        }
    }
    let (answer, settled) = request(&world, "2026-11-24T10:01:00+09:00", &event).await;
    assert_eq!((&answer.unwrap()["posted"], settled), (&json!(true), CountsAsDone::Yes));
    let topic = world.topic();
    assert!(topic[0].contains("再送の可能性"), "{topic:?}");
}

#[tokio::test]
async fn a_reminder_that_every_chat_refuses_is_given_up_loudly_and_can_be_ordered_again() {
    let world = World::new().await;
    let too_long = r#"{"ok":false,"error":"msg_too_long"}"#;
    world.typetalk.fail_always(Some(Fault::status(413)));
    world.slack.fail_always(Some(Fault::Answer(200, vec![], too_long)));
    let reminders = world.reminders().await;
    let event = json!({"reminder": "today", "at": MORNING});
    let (answer, settled, tally) = scheduler::answer(&reminders, &event, instant(MORNING).to_utc()).await;
    let answer = answer.unwrap();
    assert_eq!((&answer["posted"], settled, tally.given_up), (&json!(false), CountsAsDone::No, 1));
    assert!(answer["reason"].as_str().unwrap().contains("every chat refuses"), "{answer}");
    world.typetalk.fail_always(None);
    let (answer, settled, tally) = scheduler::answer(&reminders, &event, instant(MORNING).to_utc()).await;
    assert_eq!((&answer.unwrap()["posted"], settled, tally.given_up), (&json!(true), CountsAsDone::Yes, 0));
}

#[tokio::test]
async fn a_reminder_counts_what_went_wrong_around_it() {
    let (mut world, table) = world_with_table().await;
    world.set("CHATS", "slack");
    world.google.write(ROSTER_TAB, &[&["2026-11-24", "田中、渡辺"]]);
    let tally = async |at: &str, event: Value| {
        let (answer, _, tally) = scheduler::answer(&world.reminders().await, &event, instant(at).to_utc()).await;
        answer.unwrap();
        (tally.roster_stale, tally.ledger_failed, tally.unmentionable, tally.seconds_to_post.map(f64::floor))
    };
    let event = json!({"reminder": "today", "at": MORNING});
    assert_eq!(tally("2026-11-24T10:00:30+09:00", event.clone()).await, (0, 0, 1, Some(30.0)));
    assert_eq!(tally("2026-11-24T10:02:00+09:00", event.clone()).await, (0, 0, 0, None), "posted before");
    world.google.make_private();
    table.shut_down();
    assert_eq!(tally(MORNING, event).await, (1, 1, 0, Some(0.0)), "nobody is known");
    assert_eq!(tally(MORNING, json!({"reminder": "next"})).await.3, None, "nobody knows when it was due");
}

#[tokio::test]
async fn a_late_retry_speaks_of_the_scheduled_day() {
    let world = World::new().await;
    let (answer, _) = request(&world, "2026-11-25T01:30:00+09:00", &json!({"reminder": "today", "at": MORNING})).await;
    assert_eq!(answer.unwrap()["date"], json!("2026-11-24"));
    let (answer, _) = request(&world, "2026-11-25T01:30:00+09:00", &json!({"reminder": "today"})).await;
    assert_eq!(answer.unwrap()["date"], json!("2026-11-25"), "without a time it is now");
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_posted_and_posts_nothing() {
    let world = World::new().await;
    let (answer, settled) =
        request(&world, MORNING, &json!({"reminder": "next", "at": EVENING, "dry_run": true})).await;
    let answer = answer.unwrap();
    assert_eq!((&answer["posted"], &answer["date"]), (&json!(false), &json!("2026-11-25")));
    assert!(answer["text"].as_str().unwrap().starts_with("@sato\n📅"), "{answer}");
    assert_eq!(settled, CountsAsDone::No, "trying out must not hide that the schedule is silent");
    assert_eq!((world.typetalk.requests(), world.slack.requests()), (0, 0));
}

#[tokio::test]
async fn an_empty_row_is_told_in_the_morning_and_passed_over_in_the_evening() {
    let world = World::new().await;
    world.google.write(ROSTER_TAB, &[&["2026-11-24", "休"], &["2026-11-25", "-"], &["2026-11-26", "鈴木"]]);
    let answer = posted(&world, MORNING, "today").await;
    assert_eq!(answer["on_call"], json!([]));
    let sheet = "📋 当番表: https://docs.google.com/spreadsheets/d/1StandInSpreadsheet/edit";
    let text = format!("{sheet}\nℹ️ 11/24(火)の当番は空欄です\n✅ 未解決のインシデントはありません");
    assert_eq!(world.topic(), [text]);
    assert_eq!(posted(&world, EVENING, "next").await["date"], json!("2026-11-26"));
}

#[tokio::test]
async fn a_missing_row_and_an_unreadable_sheet_are_said_and_mention_those_of_last_resort() {
    let world = World::new().await;
    world.google.write(ROSTER_TAB, &[&["2026-11-20", "田中"]]);
    posted(&world, EVENING, "next").await;
    assert_eq!(
        world.topic(),
        ["@sre-team\n\
          📋 当番表: https://docs.google.com/spreadsheets/d/1StandInSpreadsheet/edit\n\
          ⚠️ 当番表に11/25(水)の行がありません。行を追加してください\n\
          ⚠️ 当番表に11/26(木)・11/27(金)・11/30(月)・12/1(火)の行がありません。行を追加してください"]
    );
    world.google.make_private();
    posted(&world, EVENING, "next").await;
    assert!(world.topic()[0].ends_with("⚠️ 当番表を読めないため、当番が分かりません(閲覧権限がありません)"));
}

#[tokio::test]
async fn another_chat_takes_over_and_if_none_does_the_invocation_fails() {
    let world = World::new().await;
    world.typetalk.fail_always(Some(Fault::status(503)));
    posted(&world, MORNING, "today").await;
    let posts = world.slack.take_posts();
    assert_eq!(posts[0].channel, "C0ONCALL");
    assert!(posts[0].text.starts_with("<@U0TANAKA1> <@U0SUZUKI1>\n"), "{posts:?}");
    assert!(posts[0].text.ends_with("Typetalk に投稿できないため、Slack にお知らせしています"), "{posts:?}");

    world.slack.fail_always(Some(Fault::status(503)));
    let (answer, settled) = request(&world, MORNING, &json!({"reminder": "today"})).await;
    assert!(answer.unwrap_err().contains("no chat took the reminder"));
    assert_eq!(settled, CountsAsDone::No);
}

#[tokio::test]
async fn a_request_that_cannot_be_understood_is_an_error_that_says_what_is_allowed() {
    let world = World::new().await;
    for event in [json!({}), json!({"reminder": "tomorrow"}), json!({"reminder": "today", "at": "soon"}), Value::Null] {
        let (answer, settled) = request(&world, MORNING, &event).await;
        assert!(
            answer.unwrap_err().contains(r#"a request looks like {"reminder":"today", "next" or "week","at""#),
            "{event}"
        );
        assert_eq!(settled, CountsAsDone::No);
    }
}

#[tokio::test]
async fn what_happened_in_the_night_is_listed_in_the_morning() {
    let world = World::new().await;
    world.incidents.open(41, "#pd1 @all ディスクが一杯です", "acknowledged", "2026-11-23T22:00:00Z");
    world.incidents.open(40, "5xx が増えています", "triggered", "2026-11-23T15:30:00Z");
    world.incidents.open(39, "もう解決しました", "resolved", "2026-11-23T14:30:00Z");
    posted(&world, MORNING, "today").await;
    let topic = world.topic();
    let lines: Vec<_> = topic[0].lines().skip(3).collect();
    assert_eq!(
        lines,
        [
            "🌙 未解決のインシデントが 2 件あります(古い順)",
            "#pd40 (発生中、9時間30分) 5xx が増えています https://acme.pagerduty.com/incidents/PINC40",
            "#pd41 (対応中、3時間0分) ＃pd1 ＠all ディスクが一杯です https://acme.pagerduty.com/incidents/PINC41",
        ]
    );
}

#[tokio::test]
async fn many_open_incidents_are_paged_through_and_counted() {
    let world = World::new().await;
    for number in 0..230 {
        world.incidents.open(
            number,
            "溜まっています",
            "triggered",
            &format!("2026-11-{:02}T00:00:00Z", 1 + number % 20),
        );
    }
    posted(&world, MORNING, "today").await;
    let topic = world.topic();
    assert!(topic[0].contains("未解決のインシデントが 230 件あります"), "{topic:?}");
    assert!(topic[0].ends_with("ほか 220 件 https://acme.pagerduty.com/incidents"), "{topic:?}");
    assert_eq!(world.incidents.requests_to("/incidents"), 3);
}

#[tokio::test]
async fn pagerduty_failing_costs_the_list_and_never_the_reminder() {
    for fault in [
        Fault::status(401),
        Fault::status(500),
        Fault::Answer(200, vec![], "<html>"),
        Fault::HangUp,
        Fault::Answer(302, vec![("location", "http://127.0.0.1:1/".to_owned())], ""),
        Fault::Hang,
    ] {
        let world = World::new().await;
        world.incidents.fail_always(Some(fault.clone()));
        posted(&world, MORNING, "today").await;
        let topic = world.topic();
        assert!(topic[0].starts_with("@tanaka @suzuki-k\n📟"), "{fault:?}: {topic:?}");
        assert!(topic[0].ends_with("PagerDuty の画面で確認してください"), "{fault:?}: {topic:?}");
    }
}

#[tokio::test]
async fn pages_that_stop_coming_leave_what_there_is() {
    let world = World::new().await;
    for number in 0..150 {
        world.incidents.open(number, "溜まっています", "triggered", "2026-11-20T00:00:00Z");
    }
    world.incidents.fail_after(1, Fault::Drip(Duration::from_millis(500)));
    posted(&world, MORNING, "today").await;
    let topic = world.topic();
    assert!(topic[0].contains("未解決のインシデントが 100 件以上あります"), "{topic:?}");
}

#[tokio::test]
async fn without_an_api_key_there_is_no_list() {
    let mut world = World::new().await;
    world.set("PAGERDUTY_API_KEY", "").set("PAGERDUTY_SERVICES", "");
    posted(&world, MORNING, "today").await;
    assert!(!world.topic()[0].contains("未解決"));
}
