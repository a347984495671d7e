//! The people whom cells name: each spelling is read once.

mod cell;

use std::collections::HashMap;
use std::sync::Arc;

use super::cells::{Cell, Value};
use super::members::{Directory, Members};
use super::naming::Naming;
use super::person::Person;
use super::pieces::{has_arrow, is_balanced, is_opening, unwrapped, without_notes};
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
        may_have_members_only(directory, &text.clean) && *self.known.entry(text.spelt.clone()).or_insert_with(read)
    }
}

/// Whether a text may name members and nobody else. Most texts are known not to by their letters alone; what arrows,
/// labels, Slack's forms and brackets without their counterparts say is for the parser.
fn may_have_members_only(directory: &Directory, clean: &str) -> bool {
    let inner = unwrapped(clean);
    if clean.contains(['<', '>', ':']) || has_arrow(clean) || !is_balanced(clean) {
        // A note may stand within a name, and what is a note, only the parser knows.
        return clean.contains(is_opening) || directory.has_one_within(&key(clean));
    }
    let may = |text: &str| {
        let plain = without_notes(text);
        if plain.len() < text.len() {
            directory.may_have_members_only_beside_notes(&key(text), &key(&plain))
        } else {
            directory.may_have_members_only(&key(text))
        }
    };
    may(clean) || (inner.len() < clean.len() && may(inner))
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
