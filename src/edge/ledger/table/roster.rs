//! The last good roster, in an item of its own.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};

use super::{Table, TableError, explain, is_expired, milliseconds, time};
use crate::edge::ledger::SavedRoster;

/// The roster's key; there is one roster per table.
const ROSTER: &str = "roster";

impl Table {
    pub(in crate::edge::ledger) async fn save_roster(
        &self,
        saved: &SavedRoster,
        now: DateTime<Utc>,
    ) -> Result<(), TableError> {
        let put = self
            .put(ROSTER, now)
            .item("tables", AttributeValue::S(saved.tables.clone()))
            .item("read_at", milliseconds(saved.read_at))
            // A slower process must not put an older copy over a newer one.
            .condition_expression("attribute_not_exists(read_at) OR read_at <= :read_at")
            .expression_attribute_values(":read_at", milliseconds(saved.read_at));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(explain(&error)),
        }
    }

    pub(in crate::edge::ledger) async fn saved_roster(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Option<SavedRoster>, TableError> {
        let item = self.item(ROSTER).await?;
        let saved = || {
            let tables = item.get("tables")?.as_s().ok()?.clone();
            Some(SavedRoster { tables, read_at: time(item.get("read_at")?)? })
        };
        Ok(if is_expired(&item, now) { None } else { saved() })
    }
}
