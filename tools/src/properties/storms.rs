//! Whom new incidents may mention under `STORM_ABOVE`, whatever comes: by what is promised, not by how it is counted.

use chrono::{DateTime, TimeDelta, Utc};

/// A post in the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// About a new incident, at an hour at which it would mention somebody.
    New,
    /// About what else happens to an incident, at such an hour.
    Later,
    /// About the storm itself.
    Storm,
}

/// Posts in their order: when, what it is about, and whether it mentions anybody.
pub type Posts = Vec<(DateTime<Utc>, Posted, bool)>;

/// The relay counts in pieces of so long: what lies nearer to a bound may go either way.
const PIECE: TimeDelta = TimeDelta::seconds(10);
const MINUTE: TimeDelta = TimeDelta::minutes(1);
const CALM: TimeDelta = TimeDelta::minutes(5);

/// Every incident has a post. Each mentions people until they are told of a storm, and again once it is over; in between
/// none does. They are told of it once, and only if there is one.
///
/// # Panics
/// If it isn't so.
#[track_caller]
pub fn mentions_are_as_storm_above_says(limit: usize, posts: &Posts) {
    let mut new: Vec<DateTime<Utc>> = Vec::new();
    let mut told = false;
    for (index, (at, what, mentions)) in posts.iter().enumerate() {
        let here = format!("post {index} with a limit of {limit}: {posts:#?}");
        match what {
            Posted::Later => assert!(mentions, "what follows mentions as ever: {here}"),
            Posted::Storm => {
                assert!(!told && *mentions, "a storm is told of once, with a mention: {here}");
                assert!(most(&new, *at, TimeDelta::zero(), MINUTE + PIECE) > limit, "it is none: {here}");
                told = true;
            }
            Posted::New => {
                let surely_on = most(&new, *at, CALM - PIECE, MINUTE - PIECE) > limit;
                let surely_over = most(&new, *at, CALM + MINUTE, MINUTE + PIECE) <= limit;
                new.push(*at);
                assert!(told || *mentions, "nobody knows of a storm: {here}");
                assert!(!(told && surely_on && *mentions), "people were told: {here}");
                assert!(*mentions || !surely_over, "it is over: {here}");
                told &= !*mentions;
                let too_many = most(&new, *at, TimeDelta::zero(), MINUTE - PIECE) > limit;
                let is_told_now = matches!(posts.get(index + 1), Some((_, Posted::Storm, _)));
                assert!(told || !too_many || is_told_now, "people must be told: {here}");
            }
        }
    }
}

/// The most incidents in any such span that ends at an instant or up to so long before it.
fn most(incidents: &[DateTime<Utc>], at: DateTime<Utc>, back: TimeDelta, span: TimeDelta) -> usize {
    let ends = incidents.iter().copied().filter(|end| *end + back >= at).chain([at]);
    ends.map(|end| incidents.iter().filter(|came| **came <= end && **came + span > end).count())
        .max()
        .unwrap_or_default()
}
