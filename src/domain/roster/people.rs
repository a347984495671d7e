//! The people whom a cell names, and whatever else it says about them.

use crate::domain::chat::ChatName;
use std::collections::HashMap;
use std::sync::Arc;

use super::cells::{Text, Value};
use super::members::{Found, Members, text_of};
use super::naming::Naming;
use super::no_name::is_no_name;
use super::person::{Gap, Mention, Person};
use super::pieces::{COURTESY, Forms, Token, arrows, has_arrow, notes, tokens, unwrapped, without_notes};
use super::problem::RowIssue;
use super::words::{self, Word};

/// Reads name cells, each spelling once.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    members: &'a Members,
    read: HashMap<Arc<str>, Arc<Naming>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(members: &'a Members) -> Self {
        Self { members, read: HashMap::new() }
    }

    /// What a cell says about people.
    pub(super) fn cell(&mut self, value: &Value) -> Arc<Naming> {
        match value {
            _ if !value.says_something() && !self.is_a_member(value) => Arc::default(),
            Value::Text(text) => {
                if let Some(read) = self.read.get(&text.spelt) {
                    return read.clone();
                }
                let naming = Arc::new(text_cell(self.members, value, text));
                self.read.insert(text.spelt.clone(), naming.clone());
                naming
            }
            Value::Number(_) => {
                let text = text_of(value);
                match self.members.find(&text) {
                    Some(found) => Arc::new(naming_of(self.members, found, &text)),
                    None => Arc::new(Naming::trouble(RowIssue::NotAName)),
                }
            }
            _ => Arc::new(Naming::trouble(RowIssue::MergeOutside)),
        }
    }

    /// Whether a cell names members and nobody else.
    pub(super) fn has_members_only(&mut self, value: &Value) -> bool {
        if self.members.directory().is_none() || value.is_blank() {
            return false;
        }
        let naming = self.cell(value);
        let known =
            |person: &Person| !matches!(person.gap(ChatName::Typetalk), Some(Gap::NotAMember | Gap::TwoMembers));
        !naming.people.is_empty()
            && naming.trouble.is_none()
            && naming.no_name.is_none()
            && naming.people.iter().all(known)
    }

    /// Somebody may be called `TRUE`.
    fn is_a_member(&self, value: &Value) -> bool {
        value.text().is_some_and(|text| self.members.find(text).is_some())
    }
}

/// The people of a setting: whoever is not a member may be given by a handle, for one chat.
pub(super) fn of_a_setting(members: &Members, entry: &str) -> Vec<Person> {
    let value = Value::of(&super::Cell::Text(entry.to_owned()));
    let Value::Text(text) = &value else { return Vec::new() };
    let naming = text_cell(members, &value, text);
    if naming.people.is_empty() && naming.trouble.is_some() {
        return vec![Person::by_handle(&text.clean).on_one_chat()];
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

fn text_cell(members: &Members, value: &Value, text: &Text) -> Naming {
    /// Whatever is longer is no list of names, and must not cost what a page of text would.
    const MAX_LENGTH: usize = 2_000;
    if let Some(person) = members.find_spelt(&text.spelt) {
        return Naming::one(person.clone());
    }
    if text.clean.len() > MAX_LENGTH {
        return Naming::trouble(RowIssue::NotAName);
    }
    if value.is_formula_error() && members.find(&text.clean).is_none() {
        return Naming { no_name: Some(RowIssue::FormulaError), ..Naming::default() };
    }
    let cell = Cell { members };
    // A cell with separators is no member as a whole, if no member's name has any.
    let is_parted = tokens(&text.clean).iter().skip(1).any(|token| token.is_parted);
    let whole =
        if is_parted && !members.have_parted_names() { cell.no_member(&text.clean) } else { cell.whole(&text.clean) };
    if let Some(naming) = whole {
        return naming;
    }
    let inner = unwrapped(&text.clean);
    if inner.len() < text.clean.len()
        && let Some(naming) = cell.whole(inner)
    {
        return naming;
    }
    match arrows(inner)[..] {
        [] => cell.several(inner),
        ref arrows => cell.handed_over(inner, arrows),
    }
}

fn naming_of(members: &Members, found: Found<'_>, name: &str) -> Naming {
    Naming::one(match found {
        Found::Member(person) => person.clone(),
        Found::Several => members.stranger(name, true),
    })
}

/// A cell's text before the members.
struct Cell<'a> {
    members: &'a Members,
}

/// Part of a cell: a name with separators in it that was found, or a token.
struct Part<'a> {
    text: &'a str,
    token: Token,
    found: Option<Naming>,
}

impl Cell<'_> {
    /// A member, a chat's own form of an id, a word, or what is plainly no name.
    fn whole(&self, text: &str) -> Option<Naming> {
        self.member(text).or_else(|| self.no_member(text))
    }

    fn no_member(&self, text: &str) -> Option<Naming> {
        if let Some(naming) = self.id(text) {
            return Some(naming);
        }
        if let Some(word) = words::word(text) {
            return Some(Naming::word(word));
        }
        is_no_name(text).then(|| Naming::trouble(RowIssue::NotAName))
    }

    fn member(&self, text: &str) -> Option<Naming> {
        if let Some(found) = self.members.find(text) {
            return Some(naming_of(self.members, found, text));
        }
        if self.members.directory().is_none() || !Forms::are_needed(text) {
            return None;
        }
        let forms = Forms::of(text);
        let found =
            forms.all().into_iter().enumerate().find_map(|(form, name)| Some((form, self.members.find(name)?, name)));
        let (form, found, name) = found?;
        let mut naming = naming_of(self.members, found, name);
        // The first two forms have their brackets: they are part of the member's name.
        if form >= 2 {
            let own = naming.people.first().map_or("", Person::name).to_owned();
            naming.trouble = self.trouble_in_notes(text, &own);
        }
        Some(naming)
    }

    fn trouble_in_notes(&self, text: &str, own: &str) -> Option<RowIssue> {
        notes(text).into_iter().find_map(|note| {
            if has_arrow(note) {
                Some(RowIssue::Arrow)
            } else if words::note_says_nobody(note) {
                Some(RowIssue::NameAndNobody)
            } else {
                self.members.names_another_within(note, own).then_some(RowIssue::NameInBrackets)
            }
        })
    }

    /// `<@U…>` and its like; `@id` if it is a member's or plainly Slack's.
    fn id(&self, text: &str) -> Option<Naming> {
        let gap = if self.members.directory().is_some() { Gap::NotAMember } else { Gap::NotAHandle };
        if let Some((mention, label)) = Mention::in_slacks_own_form(text) {
            let member = self.members.with_id(mention.id()).cloned();
            return Some(Naming::one(member.unwrap_or_else(|| Person::by_slack_id(mention, label, gap))));
        }
        let id = text.strip_prefix('@').map(str::trim);
        let own = Mention::slack_in_roster(id.unwrap_or(text)).filter(|mention| mention.id().len() >= 9);
        if let Some(member) = id.or(own.as_ref().map(Mention::id)).and_then(|id| self.members.with_id(id)) {
            return Some(Naming::one(member.clone()));
        }
        let own = own.filter(|mention| id.is_some() && mention.id().bytes().any(|byte| byte.is_ascii_digit()));
        own.filter(|_| self.members.directory().is_some())
            .map(|mention| Naming::one(Person::by_slack_id(mention, None, gap)))
    }

    /// `A→B`, alone in its cell, is B.
    fn handed_over(&self, text: &str, arrows: &[(usize, usize)]) -> Naming {
        let mut start = 0;
        for (at, length) in arrows {
            let from = text[start..*at].trim();
            let naming = if from.is_empty() { Naming::trouble(RowIssue::Arrow) } else { self.several(from) };
            if let Some(issue) = naming.trouble {
                return Naming::trouble(issue);
            }
            let parts = tokens(from);
            let parts_are_names = || parts.iter().any(|part| self.is_known(&from[part.start..part.end]));
            let is_one = parts.len() < 2 || self.member(from).is_some() || !parts_are_names();
            if !is_one || naming.people.len() > 1 || naming.no_name.is_some() {
                return Naming::trouble(RowIssue::Arrow);
            }
            start = at + length;
        }
        let to = text[start..].trim();
        let naming = self.several(to);
        match naming.people.len() {
            _ if to.is_empty() || naming.no_name.is_some() => Naming::trouble(RowIssue::Arrow),
            0 if naming.undecided || naming.trouble.is_some() => naming,
            0 => Naming::trouble(RowIssue::NameAndNobody),
            1 => naming,
            _ => Naming::trouble(RowIssue::Arrow),
        }
    }

    fn several(&self, text: &str) -> Naming {
        let parts = self.parts(text, &tokens(text));
        let is_one_piece = !parts.iter().skip(1).any(|part| part.token.is_parted);
        if is_one_piece {
            return Naming::of_pieces([self.piece(text, &parts)]);
        }
        let mut pieces = Vec::new();
        let mut start = 0;
        for end in 1..=parts.len() {
            if end == parts.len() || parts[end].token.is_parted {
                let own = &parts[start..end];
                let piece = own.first().zip(own.last());
                let whole = piece.map_or("", |(first, last)| &text[first.token.start..last.token.end]);
                pieces.push(self.piece(whole, own));
                start = end;
            }
        }
        Naming::of_pieces(pieces)
    }

    /// Names that have separators in them are found before the text is parted there.
    fn parts<'a>(&self, text: &'a str, tokens: &[Token]) -> Vec<Part<'a>> {
        const MAX_LENGTH: usize = 200;
        let most_pieces = self.members.most_pieces();
        let mut parts = Vec::new();
        let mut first = 0;
        while first < tokens.len() {
            let token = tokens[first];
            let longest = tokens.len().min(first + most_pieces);
            let found = (first + 2..=longest).rev().find_map(|end| {
                let text = &text[token.start..tokens[end - 1].end];
                let naming = if text.len() > MAX_LENGTH { None } else { self.name_with_separators(text) };
                Some((end, text, naming?))
            });
            let (end, text, found) = match found {
                Some((end, text, naming)) => (end, text, Some(naming)),
                None => (first + 1, &text[token.start..token.end], None),
            };
            parts.push(Part { text, token: Token { end: tokens[end - 1].end, ..token }, found });
            first = end;
        }
        parts
    }

    fn name_with_separators(&self, text: &str) -> Option<Naming> {
        // `N/A`
        let word = || words::word(text).filter(|_| text.contains('/')).map(Naming::word);
        self.member(text).or_else(word)
    }

    /// What stands between two separators that always part names.
    fn piece(&self, whole: &str, parts: &[Part<'_>]) -> Naming {
        let parts: Vec<&Part<'_>> = parts.iter().filter(|part| !is_empty(part.text)).collect();
        match parts[..] {
            [] => return Naming::default(),
            [part] if part.found.is_some() => return part.found.clone().unwrap_or_default(),
            [part] if part.text == whole || self.is_known(part.text) => return self.name(part.text),
            [_] => return self.name(whole),
            _ => {}
        }
        if let Some(naming) = self.whole(whole) {
            return naming;
        }
        let known = |part: &&&Part<'_>| part.found.is_some() || self.is_known(part.text);
        let is_a_note = without_notes(whole).split_whitespace().count() >= 5;
        let has_tab = self.members.directory().is_some();
        let all_called = || whole.split_whitespace().all(|word| word.starts_with('@'));
        let all_known = parts.iter().all(|part| known(&part));
        if is_a_note && !(all_known && (has_tab || all_called())) {
            return Naming { no_name: Some(RowIssue::NoteOnly), ..Naming::default() };
        }
        let read = |part: &&Part<'_>| part.found.clone().unwrap_or_else(|| self.name(part.text));
        let is_name = |part: &&&Part<'_>| known(part) && !read(part).people.is_empty();
        if all_known || (has_tab && parts.iter().filter(is_name).count() >= 2) {
            return Naming::of_pieces(parts.iter().map(read));
        }
        let contradicts = |part: &&Part<'_>| {
            matches!(words::word(part.text), Some(Word::Nobody { filler: false }))
                || read(part).trouble == Some(RowIssue::NameAndNobody)
        };
        if parts.iter().any(contradicts) {
            return Naming::trouble(RowIssue::NameAndNobody);
        }
        self.stranger(whole)
    }

    /// Whether a part may stand beside others: a member, an id or a word; without a tab, a handle.
    fn is_known(&self, text: &str) -> bool {
        if self.member(text).is_some() || self.id(text).is_some() || words::word(text).is_some() {
            return true;
        }
        matches!(self.members, Members::NamesAreHandles) && self.handle(text).is_some()
    }

    fn handle(&self, text: &str) -> Option<Person> {
        if !matches!(self.members, Members::NamesAreHandles) {
            return None;
        }
        let forms = Forms::of(text);
        let person = Person::by_handle(forms.bare());
        (person.can_be_mentioned() && !is_no_name(forms.bare())).then_some(person)
    }

    /// A single name.
    fn name(&self, text: &str) -> Naming {
        if let Some(naming) = self.whole(text) {
            return naming;
        }
        let is_name = |name: &str| self.members.find(name).is_some() || self.handle(name).is_some();
        let plain = without_notes(text);
        let has_notes = plain.len() < text.len();
        if words::has_nobody_within(plain.trim(), is_name) || (has_notes && words::has_nobody_within(text, is_name)) {
            return Naming::trouble(RowIssue::NameAndNobody);
        }
        if has_arrow(&plain) {
            return Naming::trouble(RowIssue::Arrow);
        }
        match self.handle(text) {
            Some(person) => Naming { trouble: self.trouble_in_notes(text, person.name()), ..Naming::one(person) },
            None => self.stranger(text),
        }
    }

    /// Somebody who stands by name.
    fn stranger(&self, text: &str) -> Naming {
        let forms = Forms::of(text);
        if forms.bare() != text && is_no_name(forms.bare()) {
            return Naming::trouble(RowIssue::NotAName);
        }
        let (name, printed) = if forms.bare().is_empty() { (text, text) } else { (forms.bare(), forms.printed()) };
        let person = self.members.stranger(name, false).addressed(printed);
        Naming { trouble: self.trouble_in_notes(text, person.name()), ..Naming::one(person) }
    }
}

/// What is left of an `@`, a label or a title of courtesy that stands alone.
fn is_empty(text: &str) -> bool {
    let is_symbol = !text.is_empty() && !text.chars().any(|c| c == '@' || c == ':' || c.is_alphanumeric());
    (Forms::of(text).bare().is_empty() && !is_symbol) || COURTESY.contains(&text)
}

#[cfg(test)]
mod tests;
