//! The ledger in DynamoDB: one item per incident, so that an event costs one request before its post and one after.
//!
//! | attribute | what |
//! |---|---|
//! | `pk` | `incident#<id>`, `event#<id>` for what belongs to no incident, `number#<number>`, `notice#<hash of its key>`, `reminder#<kind>#<date>`, `storm#<date>`, `roster`, `watch`, `check` |
//! | `expires` | seconds; DynamoDB deletes what is past it, late, so that reading ignores it |
//! | `number` | the incident's |
//! | `incident` | the id of the incident that has this number |
//! | `thread` | a map: `channel` and `ts`; text, as it once was, says no channel and counts as no thread |
//! | `first` | how the incident stands and what its first message shows, as JSON (`shown.rs`), 24 KiB at most |
//! | `first_order` | that state's place in the order of states: an older one is never written over a newer one |
//! | `event#<id>` | a map: `until` in milliseconds, `by`, the claim's own mark, and `chat` once that chat has the event |
//! | `who#<action>#<member>` | a map: who pressed that button (`member`, `name`), when they did last (`at`), and as which `agent` |
//! | `pressing`, `press#<id>` | a map: until when a press is being carried out; and when each press of the last minutes was |
//! | `incidents`, `c<piece>`, `r<piece>`, `storms` | under `storm#<date>`: the new incidents of a day (UTC), those of each ten seconds of late, those that came again then, and how many storms are over; `number` is then how many came before the last one |
//! | `user` | under the key `acting`: the user of PagerDuty's as whom presses are carried out |
//! | `tables`, `read_at` | the last good roster, as JSON, and when it was read, in milliseconds |
//! | `settings`, `webhook_at`, `click_at`, `heartbeat`, `heartbeat_at` | under `watch`: what the functions leave for the check |
//!
//! An item holds 400 KiB: an incident with more than some 4,000 events stops being remembered.

mod changes;
mod press;
mod roster;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use chrono::{DateTime, Utc};

use super::record::{Claim, Entry, IncidentFacts, Lease, decide};
use super::{IdempotencyKey, incident_record, shown};
use crate::budget::RECORD_FOR;
use crate::config::LedgerConfig;
use crate::domain::chat::ChatName;
use crate::edge::aws::sdk_config;
use crate::edge::chat::Thread;
use crate::edge::http::HttpClient;
use changes::{Changes, FIRST, NUMBER, ORDER, THREAD, THREAD_IF_NONE};

/// Throttling, 5xx and broken connections mostly pass at once.
const ATTEMPTS: u32 = 3;
/// The pause before the second attempt at most; before the third, twice that.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) type Item = HashMap<String, AttributeValue>;

/// A table that couldn't be asked, in the log's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct TableError(pub(super) String);

#[derive(Debug)]
pub(super) struct Table {
    pub(super) client: Client,
    pub(super) name: String,
}

impl Table {
    pub(super) fn new(config: &LedgerConfig, http: HttpClient) -> Self {
        let sdk = sdk_config(&config.aws, config.aws.dynamodb_endpoint.as_deref(), http);
        let retry = RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(PAUSE);
        let client = Client::from_conf(Builder::from(&sdk).retry_config(retry).build());
        Self { client, name: config.table.clone() }
    }

    /// Asks for the right to post: one request for an event that is new, up to three for one that was tried before.
    pub(super) async fn claim(
        &self,
        key: &IdempotencyKey,
        number: Option<u64>,
        now: DateTime<Utc>,
    ) -> Result<Claim, TableError> {
        let by = mark(now);
        if let Some(mut old) = self.take(key, number, &by, false, now).await? {
            old.remove(&attribute(key));
            return Ok(decide_item(&old, key, number, now));
        }
        match decide_item(&self.item(&key.record).await?, key, number, now) {
            Claim::Granted(lease) => {
                let taken = self.take(key, number, &by, true, now).await?;
                // Somebody else was quicker to see that it is free again.
                Ok(if taken.is_some() { Claim::Granted(lease) } else { Claim::InProgress })
            }
            decided => Ok(decided),
        }
    }

    /// Writes a claim where there is none or, with `over_ended`, one that has ended; and returns the item as it was.
    async fn take(
        &self,
        key: &IdempotencyKey,
        number: Option<u64>,
        by: &AttributeValue,
        over_ended: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<Item>, TableError> {
        let mut entry = to_map(Entry::claimed(key, now));
        entry.insert("by".to_owned(), by.clone());
        let mut condition = "attribute_not_exists(#event) OR #event.#by = :by".to_owned();
        let mut changes = vec!["#event = :entry", "expires = :expires"];
        let mut update = self
            .update(key, now)
            .expression_attribute_names("#by", "by")
            .expression_attribute_values(":by", by.clone())
            .expression_attribute_values(":entry", AttributeValue::M(entry))
            .return_values(ReturnValue::AllOld);
        if over_ended {
            condition.push_str(" OR #event.#until <= :now");
            update = update
                .expression_attribute_names("#until", "until")
                .expression_attribute_values(":now", milliseconds(now));
        }
        if let Some(number) = number {
            changes.push("#number = :number");
            update = update
                .expression_attribute_names("#number", "number")
                .expression_attribute_values(":number", AttributeValue::N(number.to_string()));
        }
        let update = update.condition_expression(condition).update_expression(format!("SET {}", changes.join(", ")));
        match update.send().await {
            Ok(output) => Ok(Some(output.attributes.unwrap_or_default())),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
            Err(error) => Err(explain(&error)),
        }
    }

    /// Writes what is known and takes nothing away that others have learnt, but from a record past its time; says
    /// whether no newer state was known already, which stays.
    pub(super) async fn mark_posted(
        &self,
        key: &IdempotencyKey,
        lease: &Lease,
        chat: ChatName,
        facts: &IncidentFacts,
        now: DateTime<Utc>,
    ) -> Result<bool, TableError> {
        let update = || {
            self.update(key, now)
                .expression_attribute_values(":entry", AttributeValue::M(to_map(Entry::posted(chat, now))))
        };
        let number = facts.number.map(|number| AttributeValue::N(number.to_string()));
        let thread = facts.thread.as_ref().map(thread_to_map);
        let first = facts.first.as_ref().and_then(shown::to_json).map(AttributeValue::S);
        let order = first.as_ref().map(|_| AttributeValue::N(facts.order().to_string()));
        let mut changes = Changes { set: vec!["#event = :entry", "expires = :expires"], remove: Vec::new() };
        let known = [(number, &NUMBER), (thread, &THREAD)];
        let states = [(first, &FIRST), (order, &ORDER)];
        let with_state = known
            .iter()
            .chain(&states)
            .fold(update(), |update, (value, name)| changes.add(update, value.as_ref(), name, lease.is_leftover));
        let with_state = with_state.update_expression(changes.expression());
        let is_guarded = facts.first.is_some() && !lease.is_leftover;
        let with_state = if is_guarded {
            with_state.condition_expression("attribute_not_exists(#order) OR #order <= :order")
        } else {
            with_state
        };
        match with_state.send().await {
            Ok(_) => return Ok(true),
            Err(error) if is_guarded && error.code() == Some("ConditionalCheckFailedException") => {}
            Err(error) => return Err(explain(&error)),
        }
        // A newer state is known, and the message that shows it. The post is one all the same.
        let mut changes = Changes { set: vec!["#event = :entry", "expires = :expires"], remove: Vec::new() };
        let known = known.map(|(value, name)| (value, if name == &THREAD { &THREAD_IF_NONE } else { name }));
        let without =
            known.iter().fold(update(), |update, (value, name)| changes.add(update, value.as_ref(), name, false));
        without.update_expression(changes.expression()).send().await.map_err(|error| explain(&error))?;
        Ok(false)
    }

    /// What is known of an incident.
    pub(super) async fn facts(&self, key: &str, now: DateTime<Utc>) -> Result<IncidentFacts, TableError> {
        let item = self.item(key).await?;
        Ok(if is_expired(&item, now) { IncidentFacts::default() } else { facts(&item) })
    }

    /// Gives up a claim, unless somebody else holds it by now.
    pub(super) async fn release(
        &self,
        key: &IdempotencyKey,
        lease: &Lease,
        in_doubt: bool,
        now: DateTime<Utc>,
    ) -> Result<(), TableError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", AttributeValue::S(key.record.clone()))
            .condition_expression("#event.#until = :ours AND attribute_not_exists(#event.chat)")
            .expression_attribute_names("#event", attribute(key))
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":ours", milliseconds(lease.until));
        update = if in_doubt {
            update.update_expression("SET #event.#until = :now").expression_attribute_values(":now", milliseconds(now))
        } else {
            update.update_expression("REMOVE #event")
        };
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(explain(&error)),
        }
    }

    /// A whole item under a key, which is forgotten when nothing writes it for so long.
    pub(super) fn put(&self, key: &str, now: DateTime<Utc>) -> PutItemFluentBuilder {
        let put = self.client.put_item().table_name(&self.name);
        put.item("pk", AttributeValue::S(key.to_owned())).item("expires", seconds(now + RECORD_FOR))
    }

    /// Writes down which incident has this number.
    pub(super) async fn save_number(&self, number: u64, incident: &str, now: DateTime<Utc>) -> Result<(), TableError> {
        let put = self.put(&of_number(number), now).item("incident", AttributeValue::S(incident.to_owned()));
        put.send().await.map_err(|error| explain(&error))?;
        Ok(())
    }

    /// The record of the incident that has this number.
    pub(super) async fn record_of(&self, number: u64, now: DateTime<Utc>) -> Result<Option<String>, TableError> {
        let item = self.item(&of_number(number)).await?;
        let id = item.get("incident").filter(|_| !is_expired(&item, now)).and_then(|id| id.as_s().ok());
        Ok(id.map(incident_record))
    }

    pub(super) fn incident(&self, record: &str) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.name).key("pk", AttributeValue::S(record.to_owned()))
    }

    fn update(&self, key: &IdempotencyKey, now: DateTime<Utc>) -> UpdateItemFluentBuilder {
        self.incident(&key.record)
            .expression_attribute_names("#event", attribute(key))
            .expression_attribute_values(":expires", seconds(now + RECORD_FOR))
    }

    pub(super) async fn item(&self, key: &str) -> Result<Item, TableError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", AttributeValue::S(key.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| explain(&error))?;
        Ok(output.item.unwrap_or_default())
    }
}

fn decide_item(item: &Item, key: &IdempotencyKey, number: Option<u64>, now: DateTime<Utc>) -> Claim {
    let carried = IncidentFacts { number, ..IncidentFacts::default() };
    if is_expired(item, now) {
        return match decide(None, carried, key, now).teaching(number, None) {
            Claim::Granted(lease) => Claim::Granted(Lease { is_leftover: !item.is_empty(), ..lease }),
            claim => claim,
        };
    }
    let facts = facts(item);
    let known = facts.number;
    decide(item.get(&attribute(key)).and_then(entry), carried.or(facts), key, now).teaching(number, known)
}

pub(super) fn facts(item: &Item) -> IncidentFacts {
    IncidentFacts {
        number: item.get("number").and_then(|number| number.as_n().ok()?.parse().ok()),
        thread: item.get("thread").and_then(thread),
        first: item.get("first").and_then(|first| shown::from_json(first.as_s().ok()?)),
        pressed: press::pressed(item),
    }
}

fn of_number(number: u64) -> String {
    format!("number#{number}")
}

/// A mark that nobody else has: an attempt whose answer was lost must know its own claim again.
fn mark(now: DateTime<Utc>) -> AttributeValue {
    AttributeValue::S(format!("{:x}", RandomState::new().hash_one(now)))
}

pub(super) fn is_expired(item: &Item, now: DateTime<Utc>) -> bool {
    let expires = item.get("expires").and_then(|expires| expires.as_n().ok()?.parse::<i64>().ok());
    expires.is_none_or(|expires| expires <= now.timestamp())
}

fn attribute(key: &IdempotencyKey) -> String {
    format!("event#{}", key.entry)
}

fn to_map(entry: Entry) -> Item {
    let mut map = HashMap::from([("until".to_owned(), milliseconds(entry.until))]);
    if let Some(chat) = entry.posted {
        map.insert("chat".to_owned(), AttributeValue::S(chat.key().to_owned()));
    }
    map
}

fn thread_to_map(thread: &Thread) -> AttributeValue {
    let text = |text: &String| AttributeValue::S(text.clone());
    let map = [("channel".to_owned(), text(&thread.channel)), ("ts".to_owned(), text(&thread.ts))];
    AttributeValue::M(map.into())
}

fn thread(value: &AttributeValue) -> Option<Thread> {
    let map = value.as_m().ok()?;
    let text = |name| map.get(name)?.as_s().ok().cloned();
    Some(Thread { channel: text("channel")?, ts: text("ts")? })
}

pub(super) fn entry(value: &AttributeValue) -> Option<Entry> {
    let map = value.as_m().ok()?;
    let posted = map.get("chat").and_then(|chat| ChatName::from_key(chat.as_s().ok()?));
    Some(Entry { posted, until: time(map.get("until")?)? })
}

pub(super) fn milliseconds(time: DateTime<Utc>) -> AttributeValue {
    AttributeValue::N(time.timestamp_millis().to_string())
}

pub(super) fn seconds(time: DateTime<Utc>) -> AttributeValue {
    AttributeValue::N(time.timestamp().to_string())
}

pub(super) fn time(value: &AttributeValue) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(value.as_n().ok()?.parse().ok()?)
}

pub(super) fn explain<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> TableError {
    TableError(match (error, error.code()) {
        (_, Some(code @ "ResourceNotFoundException")) => {
            format!("{code}; there is no such table in this region (LEDGER_TABLE, AWS_REGION)")
        }
        (_, Some(code @ "AccessDeniedException")) => {
            format!("{code}; the function's role needs GetItem, PutItem and UpdateItem on the table")
        }
        (_, Some(code @ "ValidationException")) => {
            format!("{code}; the table's key must be `pk`, a string, and no other, and an item has 400 KiB at most")
        }
        (_, Some(code)) => code.to_owned(),
        (SdkError::DispatchFailure(_), None) => "the table can't be reached (AWS_ENDPOINT_URL_DYNAMODB)".to_owned(),
        _ => "an answer that is not DynamoDB's".to_owned(),
    })
}
