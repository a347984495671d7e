//! What the functions leave for the check under a key of its own, and whether the table can be used at all.

use std::collections::HashMap;
use std::sync::PoisonError;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};

use super::table::{Table, TableError, explain, is_expired, milliseconds, seconds, time};
use super::{Ledger, Request};
use crate::budget::{RECORD_FOR, SIGHTED_EVERY};
use crate::domain::check::parts::Watch;

/// The key of what is left.
const WATCH: &str = "watch";
/// The key that the check writes and reads.
const CHECK: &str = "check";

/// What only the webhook function can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    /// An authentic webhook came.
    Webhook,
    /// Somebody pressed a button or gave a command.
    Click,
}

impl Sighting {
    fn attribute(self) -> &'static str {
        match self {
            Self::Webhook => "webhook_at",
            Self::Click => "click_at",
        }
    }
}

/// What this process has left, and when.
#[derive(Debug, Default)]
pub(super) struct Left {
    watch: Watch,
    webhook: Option<DateTime<Utc>>,
    click: Option<DateTime<Utc>>,
}

impl Ledger {
    /// Leaves that something was seen, and the names of the settings of whoever saw it; at most once in ten minutes.
    pub async fn sight(&self, sighting: Sighting, settings: &[&str], now: DateTime<Utc>) {
        {
            let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            let last = match sighting {
                Sighting::Webhook => &mut left.webhook,
                Sighting::Click => &mut left.click,
            };
            if last.is_some_and(|last| (last..last + SIGHTED_EVERY).contains(&now)) {
                return;
            }
            *last = Some(now);
        }
        let Some(table) = &self.table else { return };
        let settings = settings.join(",");
        let values = [("settings", AttributeValue::S(settings)), (sighting.attribute(), milliseconds(now))];
        let request: Request<'_, ()> = Box::pin(table.leave(values.into(), now));
        self.asked(self.budget.settle, request).await;
    }

    /// Leaves what the watchdog answered.
    pub async fn leave_heartbeat(&self, answer: &str, now: DateTime<Utc>) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).watch.heartbeat = Some((now, answer.to_owned()));
        let Some(table) = &self.table else { return };
        let values = [("heartbeat", AttributeValue::S(answer.to_owned())), ("heartbeat_at", milliseconds(now))];
        let request: Request<'_, ()> = Box::pin(table.leave(values.into(), now));
        self.asked(self.budget.settle, request).await;
    }

    /// Whether there is a table for functions to leave something in for each other.
    #[must_use]
    pub fn has_table(&self) -> bool {
        self.table.is_some()
    }

    /// What was left within thirty days.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn watch(&self, now: DateTime<Utc>) -> Result<Option<Watch>, String> {
        let Some(table) = &self.table else {
            return Ok(Some(self.left.lock().unwrap_or_else(PoisonError::into_inner).watch.clone()));
        };
        let request: Request<'_, Option<Watch>> = Box::pin(table.left(now));
        request.await.map_err(|error| error.to_string())
    }

    /// Writes into the table and reads it again; without one there is nothing to do.
    ///
    /// # Errors
    /// If the table can't be used.
    pub async fn probe(&self, now: DateTime<Utc>) -> Result<bool, String> {
        let Some(table) = &self.table else { return Ok(false) };
        let request: Request<'_, ()> = Box::pin(table.probe(now));
        request.await.map(|()| true).map_err(|error| error.to_string())
    }
}

impl Table {
    async fn leave(&self, values: HashMap<&'static str, AttributeValue>, now: DateTime<Utc>) -> Result<(), TableError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", AttributeValue::S(WATCH.to_owned()))
            .expression_attribute_values(":expires", seconds(now + RECORD_FOR));
        let mut changes = vec!["expires = :expires".to_owned()];
        for (name, value) in values {
            // Names of ours may be words of DynamoDB's.
            changes.push(format!("#{name} = :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        let update = update.update_expression(format!("SET {}", changes.join(", ")));
        update.send().await.map(drop).map_err(|error| explain(&error))
    }

    async fn left(&self, now: DateTime<Utc>) -> Result<Option<Watch>, TableError> {
        let item = self.item(WATCH).await?;
        if is_expired(&item, now) {
            return Ok(None);
        }
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
        let at = |name: &str| item.get(name).and_then(time);
        Ok(Some(Watch {
            settings: text("settings").map_or_else(Vec::new, |names| names.split(',').map(str::to_owned).collect()),
            webhook_at: at("webhook_at"),
            click_at: at("click_at"),
            heartbeat: at("heartbeat_at").zip(text("heartbeat").cloned()),
        }))
    }

    async fn probe(&self, now: DateTime<Utc>) -> Result<(), TableError> {
        let put = self.put(CHECK, now).item("at", milliseconds(now));
        put.send().await.map_err(|error| explain(&error))?;
        let item = self.item(CHECK).await?;
        // Another check may have written since.
        let at = item.get("at").and_then(time);
        if at.is_some_and(|at| at.timestamp_millis() >= now.timestamp_millis()) {
            return Ok(());
        }
        Err(TableError("what was written is not what is read".to_owned()))
    }
}
