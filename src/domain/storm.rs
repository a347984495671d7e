//! Storms: so many new incidents in a minute (`STORM_ABOVE`) that one message about all of them mentions people, and the
//! rest are posted without mentions until it is over.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};

use super::alert::Mentions;
use super::event::Link;

/// New incidents that mention people, counted in pieces of ten seconds of a day (UTC): a minute is six of them.
///
/// Those that come again, because nobody could post them, don't make a storm; but it isn't over as long as they do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    new: BTreeMap<u32, u32>,
    again: BTreeMap<u32, u32>,
}

impl Counts {
    const PIECE: u32 = 10;
    const MINUTE: u32 = 6;
    /// As long as this there must not have been too many, until a storm counts as over.
    const CALM: u32 = 5 * Self::MINUTE;
    /// How many pieces are looked at.
    pub const LENGTH: u32 = Self::CALM + Self::MINUTE;

    /// The piece that an instant belongs to.
    #[must_use]
    pub fn piece(now: DateTime<Utc>) -> u32 {
        now.num_seconds_from_midnight() / Self::PIECE
    }

    /// When the last piece of a day begins that has any.
    #[must_use]
    pub fn last(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let (piece, _) = self.new.last_key_value()?;
        Some(day.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::seconds((piece * Self::PIECE).into()))
    }

    /// The same with so many more in a piece.
    pub fn add(&mut self, piece: u32, count: u32) {
        let counted = self.new.entry(piece).or_default();
        *counted = counted.saturating_add(count);
    }

    /// The same with so many more that have come again.
    pub fn add_again(&mut self, piece: u32, count: u32) {
        let counted = self.again.entry(piece).or_default();
        *counted = counted.saturating_add(count);
    }

    /// The same without what is too old to matter.
    pub fn forget_before(&mut self, piece: u32) {
        self.new.retain(|counted, _| counted + Self::LENGTH > piece);
        self.again.retain(|counted, _| counted + Self::LENGTH > piece);
    }

    /// How many there were in the minute that ends with this piece.
    #[must_use]
    pub fn in_minute(&self, piece: u32) -> u32 {
        in_minute(&self.new, piece)
    }

    fn with_again(&self, piece: u32) -> u32 {
        self.in_minute(piece).saturating_add(in_minute(&self.again, piece))
    }
}

fn in_minute(counts: &BTreeMap<u32, u32>, piece: u32) -> u32 {
    counts.range((piece + 1).saturating_sub(Counts::MINUTE)..=piece).map(|(_, count)| count).sum()
}

/// What a new incident finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// No storm: mentions as usual.
    Usual,
    /// Too many, and nobody has been told yet: mentions as usual, and tells it after that.
    Begins,
    /// People were told: no mentions.
    GoesOn,
    /// People were told, and it is over: mentions as usual, and ends it.
    Over,
}

impl Course {
    /// What the counts mean at an instant. They have the new incident itself already, if `is_counted`; `is_told` if a
    /// chat has the message about the storm.
    #[must_use]
    pub fn of(counts: &Counts, limit: u32, is_counted: bool, is_told: bool, now: DateTime<Utc>) -> Self {
        let piece = Counts::piece(now);
        let before = counts.with_again(piece).saturating_sub(u32::from(is_counted));
        let earlier = (1..=Counts::CALM).filter_map(|back| piece.checked_sub(back));
        let goes_on = before > limit || earlier.into_iter().any(|piece| counts.with_again(piece) > limit);
        match (is_told, goes_on) {
            (true, true) => Self::GoesOn,
            (true, false) => Self::Over,
            (false, _) if counts.in_minute(piece) > limit => Self::Begins,
            (false, _) => Self::Usual,
        }
    }
}

/// What the message about a storm is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storm {
    /// How many new incidents it has brought so far.
    pub so_far: u64,
    /// How many of the day came before it.
    pub before: u64,
    /// Who should know.
    pub mentions: Mentions,
    /// PagerDuty's list of incidents.
    pub list: Option<Link>,
    /// Whether an earlier attempt may have posted it already.
    pub in_doubt: bool,
    /// Whether it is over.
    pub is_over: bool,
}

impl Storm {
    /// One that is over, with so many new incidents, which is nothing to disturb anybody for.
    #[must_use]
    pub fn over(so_far: u64, list: Option<Link>) -> Self {
        Self { so_far, before: 0, mentions: Mentions::Nobody, list, in_doubt: false, is_over: true }
    }
}

/// A storm that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastStorm {
    /// On which day it was.
    pub on: NaiveDate,
    /// How many new incidents it brought.
    pub incidents: u64,
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        "2026-11-24T02:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
    }

    /// So many in a second.
    fn counts(incidents: &[(i64, u32)]) -> Counts {
        let mut counts = Counts::default();
        for (second, count) in incidents {
            counts.add(Counts::piece(at(*second)), *count);
        }
        counts
    }

    #[test]
    fn a_storm_begins_above_the_limit_and_ends_after_five_minutes_below_it() {
        use Course::{Begins, GoesOn, Over, Usual};
        for (incidents, is_told, second, course) in [
            (&[(0, 1)][..], false, 0, Usual),
            (&[(0, 20)], false, 9, Usual),
            (&[(0, 21)], false, 9, Begins),
            (&[(0, 20), (49, 1)], false, 49, Begins),
            (&[(0, 20), (60, 1)], false, 60, Usual),
            // Nobody has been told: whoever comes next tries again, as long as there are too many.
            (&[(0, 21), (30, 1)], false, 30, Begins),
            (&[(0, 21), (70, 1)], false, 70, Usual),
            (&[(0, 22)], true, 9, GoesOn),
            (&[(0, 21), (240, 1)], true, 240, GoesOn),
            (&[(0, 21), (349, 1)], true, 349, GoesOn),
            (&[(0, 21), (360, 1)], true, 360, Over),
            (&[(0, 21), (300, 21), (600, 1)], true, 600, GoesOn),
            (&[(3_600, 1)], true, 3_600, Over),
        ] {
            let found = Course::of(&counts(incidents), 20, true, is_told, at(second));
            assert_eq!(found, course, "{incidents:?} {is_told} {second}");
        }
        // What comes again makes no storm, and keeps one from being over.
        let mut again = counts(&[(0, 21)]);
        again.add_again(Counts::piece(at(300)), 21);
        for (is_told, second, course) in [(true, 600, GoesOn), (true, 660, Over), (false, 300, Usual)] {
            assert_eq!(Course::of(&again, 20, true, is_told, at(second)), course, "{is_told} {second}");
        }
        assert_eq!(Course::of(&counts(&[(0, 1)]), 0, true, false, at(0)), Begins, "a limit of none");
    }

    #[test]
    fn the_incident_that_begins_it_alone_does_not_keep_an_older_one_going() {
        let new = counts(&[(0, 21)]);
        assert_eq!(Course::of(&new, 20, true, true, at(0)), Course::Over);
        assert_eq!(Course::of(&new, 20, false, true, at(0)), Course::GoesOn, "it was counted when it came first");
    }

    #[test]
    fn counts_are_forgotten_when_they_no_longer_matter_and_a_day_has_a_beginning() {
        let mut known = counts(&[(0, 5), (350, 1)]);
        known.forget_before(Counts::piece(at(350)));
        assert_eq!(known, counts(&[(0, 5), (350, 1)]));
        known.forget_before(Counts::piece(at(360)));
        assert_eq!(known, counts(&[(350, 1)]));
        let midnight = "2026-11-24T00:00:00Z".parse().unwrap();
        let mut first = Counts::default();
        first.add(Counts::piece(midnight), 30);
        assert_eq!(Course::of(&first, 20, true, false, midnight), Course::Begins);
    }
}
