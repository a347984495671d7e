//! How many new incidents there were lately, in a record for each day, and whether people were told of a storm.
//!
//! The message about a storm is claimed and settled in that record like any other; its entry says that people were told.

use std::time::Duration;

use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use chrono::{DateTime, NaiveDate, Utc};

use super::memory::Memory;
use super::record::Entry;
use super::table::{Item, Table, TableError, entry, explain, facts, seconds};
use super::{IdempotencyKey, Ledger};
use crate::budget::{EVENT_LEASE, RECORD_FOR};
use crate::domain::storm::{Counts, Course};
use crate::edge::chat::Thread;

/// What is known of a day's new incidents and storms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storms {
    /// The day (UTC).
    pub day: NaiveDate,
    /// How many new incidents there were lately.
    pub counts: Counts,
    /// How many there were on this day.
    pub today: u64,
    /// What the incident at hand was counted as.
    pub counted: Counted,
    /// How many storms are over.
    pub over: u64,
    /// What people were told of the one that is not.
    pub told: Option<Told>,
}

/// What an incident is counted as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Counted {
    /// It isn't.
    #[default]
    Not,
    /// A new one.
    New,
    /// One that has come before, and was not posted.
    Again,
}

impl Storms {
    /// What a new incident finds, with this limit. Every day begins anew.
    #[must_use]
    pub fn course(&self, limit: u32, now: DateTime<Utc>) -> Course {
        if self.day != now.date_naive() {
            return if self.told.is_some() { Course::Over } else { Course::Usual };
        }
        Course::of(&self.counts, limit, self.counted != Counted::Not, self.told.is_some(), now)
    }

    /// How many new incidents the storm that people were told of has brought, without one that finds it over.
    #[must_use]
    pub fn incidents(&self) -> u64 {
        let others = self.today.saturating_sub((self.counted == Counted::New).into());
        others.saturating_sub(self.told.as_ref().map_or(0, |told| told.before))
    }
}

/// A message about a storm that a chat has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// How many incidents of the day came before that storm.
    pub before: u64,
    /// Where it is on Slack.
    pub message: Option<Thread>,
}

impl IdempotencyKey {
    /// The message about the day's next storm, after so many that are over.
    #[must_use]
    pub fn of_storm(now: DateTime<Utc>, over: u64) -> Self {
        Self { record: record(now.date_naive()), entry: format!("storm{over}"), lease_time: EVENT_LEASE }
    }
}

fn record(day: NaiveDate) -> String {
    format!("storm#{day}")
}

impl Ledger {
    /// Counts an incident, as new if `is_new`, and says how many there were. None if the table can't say in time: then
    /// nobody can tell whether others know of a storm.
    pub async fn storms(&self, is_new: bool, within: Duration, now: DateTime<Utc>) -> Option<Storms> {
        let (counted, day) = (if is_new { Counted::New } else { Counted::Again }, now.date_naive());
        let Some(table) = &self.table else { return Some(self.memory.storms_of(day, counted, now)) };
        if within.is_zero() {
            return None;
        }
        self.asked(within, Box::pin(table.storms_of(day, counted, now))).await
    }

    /// What is known of a day, without counting anything; none if the table can't say.
    pub async fn storms_of(&self, day: NaiveDate, now: DateTime<Utc>) -> Option<Storms> {
        let Some(table) = &self.table else { return Some(self.memory.storms_of(day, Counted::Not, now)) };
        self.asked(self.budget.claim, Box::pin(table.storms_of(day, Counted::Not, now))).await
    }

    /// Writes down that a storm is over, unless somebody has already.
    pub async fn end_storm(&self, storms: &Storms, now: DateTime<Utc>) {
        match &self.table {
            None => self.memory.end_storm(storms, now),
            Some(table) => {
                self.asked(self.budget.settle, Box::pin(table.end_storm(storms))).await;
            }
        }
    }
}

impl Memory {
    fn storms_of(&self, day: NaiveDate, counted: Counted, now: DateTime<Utc>) -> Storms {
        self.with_record(&record(day), now, |record| {
            let (piece, counts) = (Counts::piece(now), &mut record.storms.counts);
            match counted {
                Counted::Not => {}
                Counted::New => {
                    counts.add(piece, 1);
                    record.storms.today += 1;
                }
                Counted::Again => counts.add_again(piece, 1),
            }
            if counted != Counted::Not {
                record.storms.counts.forget_before(piece);
            }
            let key = IdempotencyKey::of_storm(now, record.storms.over);
            let told = told(record.entries.get(&key.entry).copied(), record.facts.number, record.facts.thread.clone());
            Storms { day, counted, told, ..record.storms.clone() }
        })
    }

    fn end_storm(&self, storms: &Storms, now: DateTime<Utc>) {
        self.with_record(&record(storms.day), now, |record| {
            if record.storms.over == storms.over {
                record.storms.over += 1;
            }
        });
    }
}

impl Table {
    async fn storms_of(&self, day: NaiveDate, counted: Counted, now: DateTime<Utc>) -> Result<Storms, TableError> {
        let item = match counted {
            Counted::Not => self.item(&record(day)).await?,
            Counted::New => self.count("incidents :one, c", now).await?,
            Counted::Again => self.count("r", now).await?,
        };
        let number = |name: &str| item.get(name).and_then(|value| value.as_n().ok()?.parse().ok());
        let mut counts = Counts::default();
        for (name, value) in &item {
            let piece = |prefix: char| name.strip_prefix(prefix).and_then(|piece| piece.parse().ok());
            let count = value.as_n().ok().and_then(|count| count.parse().ok());
            match (piece('c'), piece('r'), count) {
                (Some(piece), _, Some(count)) => counts.add(piece, count),
                (_, Some(piece), Some(count)) => counts.add_again(piece, count),
                _ => {}
            }
        }
        let over = number("storms").unwrap_or_default();
        let facts = facts(&item);
        let key = IdempotencyKey::of_storm(now, over);
        let entry = item.get(&format!("event#{}", key.entry)).and_then(entry);
        Ok(Storms {
            day,
            counts,
            today: number("incidents").unwrap_or_default(),
            counted,
            over,
            told: told(entry, facts.number, facts.thread),
        })
    }

    /// Adds one to what is named, of which the piece of the day is the rest of the name.
    async fn count(&self, what: &str, now: DateTime<Utc>) -> Result<Item, TableError> {
        let piece = Counts::piece(now);
        // Nobody knows which are there, and what isn't is removed as well.
        let old: Vec<_> = (Counts::LENGTH..2 * Counts::LENGTH)
            .filter_map(|back| piece.checked_sub(back))
            .flat_map(|piece| [format!("c{piece}"), format!("r{piece}")])
            .collect();
        let remove = if old.is_empty() { String::new() } else { format!(" REMOVE {}", old.join(", ")) };
        let update = self
            .incident(&record(now.date_naive()))
            .update_expression(format!("SET expires = :expires ADD {what}{piece} :one{remove}"))
            .expression_attribute_values(":expires", seconds(now + RECORD_FOR))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::AllNew)
            .customize()
            // An attempt whose answer was lost would be counted twice.
            .config_override(Builder::default().retry_config(RetryConfig::disabled()));
        let output = update.send().await.map_err(|error| explain(&error))?;
        Ok(output.attributes.unwrap_or_default())
    }

    async fn end_storm(&self, storms: &Storms) -> Result<(), TableError> {
        let over = storms.over;
        let update = self
            .incident(&record(storms.day))
            .update_expression("SET storms = :next")
            .condition_expression("attribute_not_exists(storms) OR storms = :over")
            .expression_attribute_values(":over", AttributeValue::N(over.to_string()))
            .expression_attribute_values(":next", AttributeValue::N((over + 1).to_string()));
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(explain(&error)),
        }
    }
}

fn told(entry: Option<Entry>, before: Option<u64>, message: Option<Thread>) -> Option<Told> {
    entry?.posted.map(|_| Told { before: before.unwrap_or_default(), message })
}
