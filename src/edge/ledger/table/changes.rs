//! What an update of an item sets and removes, as DynamoDB's expressions.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

/// An attribute, and what stands for it and its value in an expression.
#[derive(PartialEq)]
pub(super) struct Name {
    attribute: &'static str,
    alias: &'static str,
    placeholder: &'static str,
    assignment: &'static str,
}

pub(super) const NUMBER: Name =
    Name { attribute: "number", alias: "#number", placeholder: ":number", assignment: "#number = :number" };
pub(super) const THREAD: Name =
    Name { attribute: "thread", alias: "#thread", placeholder: ":thread", assignment: "#thread = :thread" };
/// The same, unless there is one.
pub(super) const THREAD_IF_NONE: Name = Name { assignment: "#thread = if_not_exists(#thread,:thread)", ..THREAD };
pub(super) const FIRST: Name =
    Name { attribute: "first", alias: "#first", placeholder: ":first", assignment: "#first = :first" };
pub(super) const ORDER: Name =
    Name { attribute: "first_order", alias: "#order", placeholder: ":order", assignment: "#order = :order" };

/// What an update sets and removes.
pub(super) struct Changes {
    pub(super) set: Vec<&'static str>,
    pub(super) remove: Vec<&'static str>,
}

impl Changes {
    /// Sets what has a value; removes what has none, if it is left over.
    pub(super) fn add(
        &mut self,
        update: UpdateItemFluentBuilder,
        value: Option<&AttributeValue>,
        name: &Name,
        is_leftover: bool,
    ) -> UpdateItemFluentBuilder {
        match value {
            Some(value) => {
                self.set.push(name.assignment);
                let named = update.expression_attribute_names(name.alias, name.attribute);
                named.expression_attribute_values(name.placeholder, value.clone())
            }
            None if is_leftover => {
                self.remove.push(name.alias);
                update.expression_attribute_names(name.alias, name.attribute)
            }
            None => update,
        }
    }

    pub(super) fn expression(&self) -> String {
        let set = format!("SET {}", self.set.join(", "));
        if self.remove.is_empty() { set } else { format!("{set} REMOVE {}", self.remove.join(", ")) }
    }
}
