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
    /// Whether the incident at hand is among them.
    pub is_counted: bool,
    /// How many storms are over.
    pub over: u64,
    /// What people were told of the one that is not.
    pub told: Option<Told>,
}

impl Storms {
    /// What a new incident finds, with this limit. Every day begins anew.
    #[must_use]
    pub fn course(&self, limit: u32, now: DateTime<Utc>) -> Course {
        if self.day != now.date_naive() {
            return if self.told.is_some() { Course::Over } else { Course::Usual };
        }
        Course::of(&self.counts, limit, self.is_counted, self.told.is_some(), now)
    }

    /// How many new incidents the storm that people were told of has brought, without one that finds it over.
    #[must_use]
    pub fn incidents(&self) -> u64 {
        let others = self.today.saturating_sub(self.is_counted.into());
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
    /// Counts a new incident, if `is_new`, and says how many there were. None if the table can't say in time: then
    /// nobody can tell whether others know of a storm.
    pub async fn storms(&self, is_new: bool, within: Duration, now: DateTime<Utc>) -> Option<Storms> {
        let Some(table) = &self.table else { return Some(self.memory.storms_of(now.date_naive(), is_new, now)) };
        if within.is_zero() {
            return None;
        }
        self.asked(within, Box::pin(table.storms_of(now.date_naive(), is_new, now))).await
    }

    /// What is known of a day, without counting anything; none if the table can't say.
    pub async fn storms_of(&self, day: NaiveDate, now: DateTime<Utc>) -> Option<Storms> {
        let Some(table) = &self.table else { return Some(self.memory.storms_of(day, false, now)) };
        self.asked(self.budget.claim, Box::pin(table.storms_of(day, false, now))).await
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
    fn storms_of(&self, day: NaiveDate, is_new: bool, now: DateTime<Utc>) -> Storms {
        self.with_record(&record(day), now, |record| {
            if is_new {
                record.storms.counts.add(Counts::piece(now), 1);
                record.storms.today += 1;
                record.storms.counts.forget_before(Counts::piece(now));
            }
            let key = IdempotencyKey::of_storm(now, record.storms.over);
            let told = told(record.entries.get(&key.entry).copied(), record.facts.number, record.facts.thread.clone());
            Storms { day, told, is_counted: is_new, ..record.storms.clone() }
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
    async fn storms_of(&self, day: NaiveDate, is_new: bool, now: DateTime<Utc>) -> Result<Storms, TableError> {
        let item = if is_new { self.count(now).await? } else { self.item(&record(day)).await? };
        let number = |name: &str| item.get(name).and_then(|value| value.as_n().ok()?.parse().ok());
        let mut counts = Counts::default();
        for (name, value) in &item {
            let piece = name.strip_prefix('c').and_then(|piece| piece.parse().ok());
            let count = value.as_n().ok().and_then(|count| count.parse().ok());
            if let Some((piece, count)) = piece.zip(count) {
                counts.add(piece, count);
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
            is_counted: is_new,
            over,
            told: told(entry, facts.number, facts.thread),
        })
    }

    async fn count(&self, now: DateTime<Utc>) -> Result<Item, TableError> {
        let piece = Counts::piece(now);
        // Nobody knows which are there, and what isn't is removed as well.
        let old: Vec<_> = (Counts::LENGTH..2 * Counts::LENGTH)
            .filter_map(|back| piece.checked_sub(back))
            .map(|piece| format!("c{piece}"))
            .collect();
        let remove = if old.is_empty() { String::new() } else { format!(" REMOVE {}", old.join(", ")) };
        let update = self
            .incident(&record(now.date_naive()))
            .update_expression(format!("SET expires = :expires ADD incidents :one, c{piece} :one{remove}"))
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
