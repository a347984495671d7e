//! Presses on an incident, in its item: whose turn it is, which presses there were, and who pressed what.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use chrono::{DateTime, Utc};

use super::{Item, Table, TableError, explain, facts, is_expired, mark, milliseconds, seconds, time};
use crate::budget::{PRESS_KNOWN_FOR, PRESS_LEASE, RECORD_FOR};
use crate::domain::acting::{Action, Pressed, Presser};
use crate::edge::ledger::IncidentFacts;
use crate::edge::ledger::press::{Ending, Hold, Turn};
use crate::edge::ledger::record::keep_last;

/// The key of the user as whom presses are carried out.
const ACTING: &str = "acting";
/// What the names of the attributes begin with that say who pressed what, and which presses there were.
const WHO: &str = "who#";
const PRESS: &str = "press#";
/// Old presses that one request takes away; an expression has some kilobytes at most.
const MAX_PRUNED: usize = 50;

impl Table {
    pub(in crate::edge::ledger) async fn take_turn(
        &self,
        record: &str,
        press: &str,
        now: DateTime<Utc>,
    ) -> Result<Turn, TableError> {
        let until = now + PRESS_LEASE;
        let by = mark(now);
        let turn = [("until".to_owned(), milliseconds(until)), ("by".to_owned(), by.clone())];
        let free = "attribute_not_exists(#press) AND attribute_not_exists(#pressing)";
        let ended = "attribute_not_exists(#press) AND #pressing.#until <= :now";
        // An attempt whose answer was lost must know its own turn again.
        let update = self
            .incident(record)
            .expression_attribute_names("#pressing", "pressing")
            .expression_attribute_names("#press", of_press(press))
            .expression_attribute_names("#until", "until")
            .expression_attribute_names("#by", "by")
            .expression_attribute_values(":pressing", AttributeValue::M(turn.into()))
            .expression_attribute_values(":press", milliseconds(now))
            .expression_attribute_values(":now", milliseconds(now))
            .expression_attribute_values(":by", by)
            .expression_attribute_values(":expires", seconds(now + RECORD_FOR))
            .condition_expression(format!("{free} OR {ended} OR #pressing.#by = :by"))
            .update_expression("SET #pressing = :pressing, #press = :press, expires = :expires")
            .return_values(ReturnValue::AllOld);
        match update.send().await {
            Ok(output) => {
                let old = output.attributes.unwrap_or_default();
                let facts = if is_expired(&old, now) { IncidentFacts::default() } else { facts(&old) };
                Ok(Turn::Taken(Hold { facts, until, press: press.to_owned(), old: old_presses(&old, now) }))
            }
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
                let is_replayed = self.item(record).await?.contains_key(&of_press(press));
                Ok(if is_replayed { Turn::Replayed } else { Turn::Busy })
            }
            Err(error) => Err(explain(&error)),
        }
    }

    pub(in crate::edge::ledger) async fn remember_press(
        &self,
        record: &str,
        pressed: &Pressed,
        now: DateTime<Utc>,
    ) -> Result<(), TableError> {
        let update = self
            .incident(record)
            .expression_attribute_names("#who", of_presser(pressed))
            .expression_attribute_values(":who", to_map(pressed))
            .expression_attribute_values(":expires", seconds(now + RECORD_FOR))
            .update_expression("SET #who = :who, expires = :expires");
        update.send().await.map(|_| ()).map_err(|error| explain(&error))
    }

    /// Unless somebody else has the turn by now.
    pub(in crate::edge::ledger) async fn end_turn(
        &self,
        record: &str,
        hold: &Hold,
        ending: &Ending,
    ) -> Result<(), TableError> {
        let mut update = self
            .incident(record)
            .expression_attribute_names("#pressing", "pressing")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":ours", milliseconds(hold.until))
            .condition_expression("#pressing.#until = :ours");
        let (mut set, mut remove) = ("", vec!["#pressing".to_owned()]);
        if let Ending::Acted(pressed) | Ending::InDoubt(pressed) = ending {
            set = "SET #who = :who ";
            update = update
                .expression_attribute_names("#who", of_presser(pressed))
                .expression_attribute_values(":who", to_map(pressed));
        }
        if let Ending::Failed(Some(remembered)) = ending {
            // One's own, and nobody else's.
            remove.push("#who".to_owned());
            update = update.expression_attribute_names("#who", of_presser(remembered));
        }
        if matches!(ending, Ending::InDoubt(_) | Ending::Failed(_)) {
            remove.push("#press".to_owned());
            update = update.expression_attribute_names("#press", of_press(&hold.press));
        }
        // An expression may name an attribute once.
        let own = match ending {
            Ending::Acted(pressed) | Ending::InDoubt(pressed) | Ending::Failed(Some(pressed)) => of_presser(pressed),
            Ending::NothingToDo | Ending::Failed(None) => String::new(),
        };
        for (index, old) in hold.old.iter().filter(|old| **old != own).enumerate() {
            let alias = format!("#old{index}");
            update = update.expression_attribute_names(&alias, old);
            remove.push(alias);
        }
        match update.update_expression(format!("{set}REMOVE {}", remove.join(", "))).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(explain(&error)),
        }
    }

    pub(in crate::edge::ledger) async fn acting_user(&self, now: DateTime<Utc>) -> Result<Option<String>, TableError> {
        let item = self.item(ACTING).await?;
        let user = item.get("user").and_then(|user| user.as_s().ok().cloned());
        Ok(user.filter(|_| !is_expired(&item, now)))
    }

    pub(in crate::edge::ledger) async fn keep_acting_user(
        &self,
        user: &str,
        now: DateTime<Utc>,
    ) -> Result<(), TableError> {
        let put = self.put(ACTING, now).item("user", AttributeValue::S(user.to_owned()));
        put.send().await.map(|_| ()).map_err(|error| explain(&error))
    }
}

/// Who pressed what, as far as an item has it.
pub(super) fn pressed(item: &Item) -> Vec<Pressed> {
    let of = |(name, value): (&String, &AttributeValue)| {
        let action = Action::from_key(name.strip_prefix(WHO)?.split('#').next()?)?;
        let map = value.as_m().ok()?;
        let text = |name| map.get(name)?.as_s().ok().cloned();
        let presser = Presser { id: text("member")?, name: text("name")? };
        Some(Pressed { action, presser, at: time(map.get("at")?)?, agent: text("agent") })
    };
    item.iter().filter_map(of).fold(Vec::new(), keep_last)
}

/// Presses that nobody can send again any more, since their signatures prove nothing by now; and who pressed so long
/// ago that others have pressed since: an item has 400 KiB at most.
fn old_presses(item: &Item, now: DateTime<Utc>) -> Vec<String> {
    let last: Vec<_> = pressed(item).iter().map(of_presser).collect();
    let is_past = |at: &AttributeValue| time(at).is_none_or(|at| now - at > PRESS_KNOWN_FOR);
    let is_old = |(name, value): &(&String, &AttributeValue)| {
        (name.starts_with(PRESS) && is_past(value)) || (name.starts_with(WHO) && !last.contains(*name))
    };
    item.iter().filter(is_old).map(|(name, _)| name.clone()).take(MAX_PRUNED).collect()
}

fn to_map(pressed: &Pressed) -> AttributeValue {
    let text = |text: &String| AttributeValue::S(text.clone());
    let Pressed { presser, at, agent, .. } = pressed;
    let mut map = Item::from([
        ("member".to_owned(), text(&presser.id)),
        ("name".to_owned(), text(&presser.name)),
        ("at".to_owned(), milliseconds(*at)),
    ]);
    map.extend(agent.as_ref().map(|agent| ("agent".to_owned(), text(agent))));
    AttributeValue::M(map)
}

fn of_presser(pressed: &Pressed) -> String {
    format!("{WHO}{}#{}", pressed.action.key(), pressed.presser.id)
}

fn of_press(press: &str) -> String {
    format!("{PRESS}{press}")
}
