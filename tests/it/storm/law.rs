//! The law of `STORM_ABOVE`, for whatever comes and whenever.

use oncall::properties::{Posted, Posts, mentions_are_as_storm_above_says};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

/// What comes in a case of the law: after so many seconds, and what it is.
#[derive(Debug, Clone, Copy)]
enum Comes {
    New,
    Acknowledged,
    /// The last one once more.
    Again,
    Practice,
}

#[test]
fn whatever_comes_people_are_mentioned_up_to_the_limit_told_of_the_storm_and_mentioned_once_it_is_over() {
    let gap = prop_oneof![12 => 0..4_i64, 4 => 5..40_i64, 1 => 200..500_i64];
    let what = prop_oneof![
        8 => Just(Comes::New),
        2 => Just(Comes::Acknowledged),
        1 => Just(Comes::Again),
        1 => Just(Comes::Practice)
    ];
    let cases = (1..5_usize, prop::collection::vec((gap, what), 1..45));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases: 40, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let storms = std::cell::Cell::new(0);
    TestRunner::new(config)
        .run(&cases, |(limit, comes)| {
            let posts = runtime.block_on(posts_of(limit, &comes));
            storms.set(storms.get() + posts.iter().filter(|(_, what, _)| *what == Posted::Storm).count());
            mentions_are_as_storm_above_says(limit, &posts);
            Ok(())
        })
        .unwrap();
    assert!(storms.get() > 20, "{storms:?}");
}

async fn posts_of(limit: usize, comes: &[(i64, Comes)]) -> Posts {
    let world = world(&limit.to_string()).await;
    let relay = world.relay().await;
    let (mut posts, mut second, mut last) = (Posts::new(), 0, None);
    for (number, (gap, what)) in (1..).zip(comes) {
        second += gap;
        let at = after(second);
        let incident = match what {
            Comes::Practice => format!("PRACTICE{number}"),
            Comes::Acknowledged => "PSTORM".to_owned(),
            Comes::New | Comes::Again => format!("PSTORM{number}"),
        };
        let incident = Incident { id: &incident, number, title: "title".to_owned(), service: "Backlog" };
        let kind = if matches!(what, Comes::Acknowledged) { "incident.acknowledged" } else { "incident.triggered" };
        let body = incident.v3(&event_spec(&format!("e{number}"), kind, &at));
        let body = if let (Comes::Again, Some(last)) = (what, last.take()) { last } else { body };
        assert_eq!(relay.signed(&at, &body).await.0, 200);
        let mut texts = relay.channel().into_iter();
        posts.extend(texts.next().filter(|_| !matches!(what, Comes::Practice)).map(|text| {
            let of_new = !matches!(what, Comes::Acknowledged);
            (instant(&at).to_utc(), if of_new { Posted::New } else { Posted::Later }, mentioned(&[text]) == 1)
        }));
        for text in texts {
            assert!(text.contains("🌪️"), "{text}");
            posts.push((instant(&at).to_utc(), Posted::Storm, mentioned(&[text]) == 1));
        }
        last = Some(body);
    }
    posts
}
