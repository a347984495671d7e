//! The people whom cells name: each spelling is read once.

mod cell;

use std::collections::HashMap;
use std::sync::Arc;

use super::cells::{Cell, Value};
use super::members::{Directory, Members};
use super::naming::Naming;
use super::person::Person;
use super::pieces::{is_balanced, is_opening, unwrapped, without_notes};
use super::spelling::key;
use cell::CellParser;

/// Reads cells of names, each spelling once.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    parser: CellParser<'a>,
    read: HashMap<Arc<str>, Arc<Naming>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(members: &'a Members) -> Self {
        Self { parser: CellParser::new(members), read: HashMap::new() }
    }

    /// What a cell says about people.
    pub(super) fn cell(&mut self, value: &Value) -> Arc<Naming> {
        let Value::Text(text) = value else { return self.parser.cell(value).into() };
        if let Some(read) = self.read.get(&text.spelt) {
            return read.clone();
        }
        let naming: Arc<Naming> = self.parser.cell(value).into();
        self.read.insert(text.spelt.clone(), naming.clone());
        naming
    }
}

/// Tells cells that name members and nobody else, each spelling once. Columns are known by these, so all cells of a
/// column may have to be looked at: most name no member at all, and others are read no further than somebody else.
#[derive(Debug)]
pub(super) struct MemberCells<'a> {
    parser: CellParser<'a>,
    known: HashMap<Arc<str>, bool>,
}

impl<'a> MemberCells<'a> {
    pub(super) fn new(members: &'a Members) -> Self {
        Self { parser: CellParser::of_members_only(members), known: HashMap::new() }
    }

    /// Whether a cell names members and nobody else.
    pub(super) fn has_members_only(&mut self, value: &Value) -> bool {
        let parser = self.parser;
        let Some(directory) = parser.members.directory().filter(|_| !value.is_blank()) else { return false };
        let read = || {
            let naming = parser.cell(value);
            !naming.people.is_empty() && naming.has_no_others()
        };
        let Value::Text(text) = value else { return read() };
        *self.known.entry(text.spelt.clone()).or_insert_with(|| may_name_one(directory, &text.clean) && read())
    }
}

/// Whether a text may name a member, of whatever it is part: it has one's name in it, or what may be an id.
fn may_name_one(directory: &Directory, clean: &str) -> bool {
    /// Slack's ids have as many characters, and stand without an `@`, too.
    const ID: usize = 9;
    let has_id = || {
        let mut runs = clean.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit()));
        clean.contains(['@', '<', ':']) || runs.any(|run| run.len() >= ID)
    };
    let names_one = |text: &str| directory.names_one_within(&key(text));
    let in_brackets = || {
        clean.contains(is_opening)
            && (!is_balanced(clean) || names_one(&without_notes(clean)) || names_one(&without_notes(unwrapped(clean))))
    };
    has_id() || names_one(clean) || in_brackets()
}

/// The people of an entry of `FALLBACK_MENTIONS`: whoever is not a member may be given by a handle, for one chat.
pub(super) fn of_fallback_entry(members: &Members, entry: &str) -> Vec<Person> {
    let value = Value::of(&Cell::Text(entry.to_owned()));
    let Some(text) = value.text() else { return Vec::new() };
    let naming = CellParser::new(members).cell(&value);
    if naming.people.is_empty() && naming.trouble.is_some() {
        return vec![Person::by_handle(text).on_one_chat()];
    }
    let has_tab = members.directory().is_some();
    let people = naming.people.into_iter().map(|person| match person.can_be_mentioned() {
        true if has_tab => person,
        true => person.on_one_chat(),
        false if members.find(person.name()).is_some() => person,
        false => Person::by_handle(person.name()).on_one_chat(),
    });
    people.collect()
}

#[cfg(test)]
mod tests;
