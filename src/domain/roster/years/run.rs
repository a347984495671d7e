//! The years of rows of which nothing else tells the year: those with which their column runs best.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};

use super::super::date::MonthDay;
use super::{Row, Year, years};

/// Days in a circle of a leap year.
const CIRCLE: i64 = 366;

fn place(date: MonthDay) -> i64 {
    date.of(MonthDay::LEAP).map_or(0, |date| i64::from(date.ordinal()))
}

/// The shorter way round the year from one day to another.
fn step(from: i64, to: i64) -> i64 {
    let forward = (to - from).rem_euclid(CIRCLE);
    if forward > CIRCLE / 2 { forward - CIRCLE } else { forward }
}

/// Gives the rows that are left the years with which the column runs in its prevailing direction, and lies as
/// near to today as it can.
pub(super) fn decide(rows: &[Row], decided: &mut [Option<Year>], today: NaiveDate) {
    if decided.iter().all(Option::is_some) {
        return;
    }
    // What can't be read has no place in the column.
    let column: Vec<(usize, MonthDay)> = (0..rows.len())
        .filter(|index| decided[*index] != Some(Year::None))
        .filter_map(|index| Some((index, rows[index].month_day()?)))
        .collect();
    let places: Vec<i64> = column.iter().map(|(_, date)| place(*date)).collect();
    let steps: Vec<i64> = places.windows(2).map(|pair| step(pair[0], pair[1])).collect();
    let ups = steps.iter().filter(|step| **step > 0).count();
    let downs = steps.iter().filter(|step| **step < 0).count();
    let direction = if ups >= downs { 1 } else { -1 };
    let steps: Vec<Step> = kinds(&steps.iter().map(|step| step * direction).collect::<Vec<_>>());

    let candidates = |position: usize| -> Vec<NaiveDate> {
        let (index, date) = column[position];
        match decided[index] {
            Some(Year::Known(year)) => date.of(year).into_iter().collect(),
            _ => years(today).filter_map(|year| date.of(year)).collect(),
        }
    };
    let mut best: Vec<Vec<(NaiveDate, Cost, usize)>> = Vec::with_capacity(column.len());
    for position in 0..column.len() {
        let floats = decided[column[position].0].is_none();
        let ways = candidates(position).into_iter().map(|date| {
            let distance = if floats { (date - today).num_days().abs() } else { 0 };
            let before = position.checked_sub(1).map(|before| &best[before]);
            let from = before.into_iter().flatten().enumerate().map(|(from, (previous, cost, _))| {
                let both_float = floats && decided[column[position - 1].0].is_none();
                (*cost + steps[position - 1].cost((date - *previous).num_days() * direction, both_float), from)
            });
            let (cost, from) = from.min_by_key(|(cost, _)| *cost).unwrap_or_default();
            (date, cost + Cost { distance, ..Cost::default() }, from)
        });
        let ways: Vec<_> = ways.collect();
        best.push(ways);
    }
    let Some((mut way, cost)) = best.last().and_then(|ways| {
        let ways = ways.iter().enumerate().map(|(way, (_, cost, _))| (way, *cost));
        ways.min_by_key(|(_, cost)| *cost)
    }) else {
        return;
    };
    for position in (0..column.len()).rev() {
        let Some((date, _, from)) = best[position].get(way) else { return };
        way = *from;
        let index = column[position].0;
        if decided[index].is_none() {
            decided[index] = Some(if cost.impossible > 0 { Year::None } else { Year::Known(date.year()) });
        }
    }
}

/// How badly a choice of years fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    impossible: u32,
    against: u32,
    distance: i64,
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            impossible: self.impossible + other.impossible,
            against: self.against + other.against,
            distance: self.distance + other.distance,
        }
    }
}

/// How one row follows another, in the column's prevailing direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// On, or on the same day.
    On,
    /// Back among what is above: rows that were put there late.
    Aside,
    /// Back to the beginning of another year.
    NewYear,
}

impl Step {
    fn cost(self, days: i64, both_float: bool) -> Cost {
        match self {
            Self::On if both_float => Cost { impossible: u32::from(days < 0), ..Cost::default() },
            Self::On => Cost { against: u32::from(days < 0), ..Cost::default() },
            Self::Aside => Cost { against: u32::from(days.abs() > CIRCLE / 2), ..Cost::default() },
            Self::NewYear => Cost { impossible: u32::from(days <= 0), ..Cost::default() },
        }
    }
}

/// A step back begins another year if the rows after it go through dates that the rows before it have gone through.
fn kinds(steps: &[i64]) -> Vec<Step> {
    let mut kinds = vec![Step::On; steps.len()];
    let (mut place, mut seen) = (0, BTreeSet::from([0]));
    let mut index = 0;
    while index < steps.len() {
        place += steps[index];
        if steps[index] >= 0 {
            seen.insert(place);
            index += 1;
            continue;
        }
        let mut later = vec![place];
        let mut end = index + 1;
        while end < steps.len() && steps[end] >= 0 {
            place += steps[end];
            later.push(place);
            end += 1;
        }
        if is_another_round(&later, &seen) {
            kinds[index] = Step::NewYear;
            seen.clear();
        } else {
            kinds[index] = Step::Aside;
        }
        seen.extend(later);
        index = end;
    }
    kinds
}

/// Two dates that were there already, or dates that lie by turns between those that were: 2, 9, 16 and 1, 8, 15.
fn is_another_round(later: &[i64], seen: &BTreeSet<i64>) -> bool {
    const REPEATED: usize = 2;
    const TURNS: usize = 2;
    let mut distinct = later.to_vec();
    distinct.dedup();
    let repeated = distinct.iter().filter(|place| seen.contains(place)).take(REPEATED).count();
    let last_seen = seen.last().copied().unwrap_or(0);
    let parted =
        distinct.windows(2).filter(|pair| pair[1] <= last_seen && seen.range(pair[0] + 1..pair[1]).next().is_some());
    repeated >= REPEATED || parted.take(TURNS).count() >= TURNS
}
