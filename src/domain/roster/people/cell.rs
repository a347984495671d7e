//! The people whom a cell names, and whatever else it says about them.

mod arrows;

use super::super::cells::{Text, Value};
use super::super::labels::{is_word_of_a_role, without_label};
use super::super::members::{Found, Members, text_of};
use super::super::naming::{Naming, Style};
use super::super::no_name::is_no_name;
use super::super::person::{Gap, Mention, Person};
use super::super::pieces::{
    COURTESY, Forms, JOINING, Token, arrows, has_arrow, is_between_names, joins, notes, tokens, unwrapped,
    without_notes,
};
use super::super::problem::RowIssue;
use super::super::words::{self, Word};

/// Reads one cell after another, and remembers none.
#[derive(Debug, Clone, Copy)]
pub(super) struct CellParser<'a> {
    pub(super) members: &'a Members,
    /// Whether nothing matters but that a cell names members only: what comes after somebody else is not read.
    members_only: bool,
}

/// Part of a cell: a name with separators in it that was found, or a token.
struct Part<'a> {
    text: &'a str,
    token: Token,
    found: Option<Naming>,
}

impl<'a> CellParser<'a> {
    pub(super) fn new(members: &'a Members) -> Self {
        Self { members, members_only: false }
    }

    /// One that only tells whether a cell names members and nobody else.
    pub(super) fn of_members_only(members: &'a Members) -> Self {
        Self { members, members_only: true }
    }
}

impl CellParser<'_> {
    /// Whatever is longer is no list of names, and must not cost what a page of text would.
    const MAX_CELL: usize = 2_000;
    /// No name with separators in it is longer.
    const MAX_NAME: usize = 200;
    /// So many words in a row are a sentence. Four may be two people with two names each.
    const WORDS_OF_A_NOTE: usize = 5;

    /// What a cell says about people.
    pub(super) fn cell(&self, value: &Value) -> Naming {
        match value {
            _ if !value.says_something() && !self.is_a_member(value) => Naming::default(),
            Value::Text(text) => self.text(value, text),
            Value::Number(_) => {
                let text = text_of(value);
                match self.members.find(&text) {
                    Some(found) => self.found(found, &text),
                    None => Naming::trouble(RowIssue::NotAName),
                }
            }
            _ => Naming::trouble(RowIssue::MergeOutside),
        }
    }

    /// Somebody may be called `TRUE`.
    fn is_a_member(&self, value: &Value) -> bool {
        value.text().is_some_and(|text| self.members.find(text).is_some())
    }

    fn text(&self, value: &Value, text: &Text) -> Naming {
        if let Some(person) = self.members.find_spelt(&text.spelt) {
            return Naming::one(person.clone());
        }
        if text.clean.len() > Self::MAX_CELL {
            return Naming::trouble(RowIssue::NotAName);
        }
        if value.is_formula_error() && self.members.find(&text.clean).is_none() {
            return Naming { no_name: Some(RowIssue::FormulaError), ..Naming::default() };
        }
        let tokens = tokens(&text.clean);
        // A cell with separators is no member as a whole, if no member's name has any. Line breaks are blanks to a name:
        // it may be written from top to bottom, and may have its notes below it.
        let is_parted = !text.clean.contains('\n') && tokens.iter().skip(1).any(|token| token.is_parted);
        let whole = if is_parted && !self.members.have_parted_names() {
            self.non_member(&text.clean)
        } else {
            self.whole(&text.clean)
        };
        if let Some(naming) = whole {
            return naming;
        }
        let inner = unwrapped(&text.clean);
        if inner.len() < text.clean.len()
            && let Some(naming) = self.whole(inner)
        {
            return naming;
        }
        match arrows(inner)[..] {
            [] if inner.len() == text.clean.len() => self.several(inner, &tokens, self.members_only),
            [] => self.several(inner, &self::tokens(inner), self.members_only),
            ref arrows => self.handed_over(inner, arrows),
        }
    }

    fn found(&self, found: Found<'_>, name: &str) -> Naming {
        Naming::one(match found {
            Found::Member(person) => person.clone(),
            Found::Several => self.members.non_member(name, true),
        })
    }

    /// A member, a chat's own form of an id, a word, or what is plainly no name.
    fn whole(&self, text: &str) -> Option<Naming> {
        self.member(text).or_else(|| self.non_member(text))
    }

    /// What a text is as a whole that is no member's name.
    fn non_member(&self, text: &str) -> Option<Naming> {
        if let Some(naming) = self.id(text) {
            return Some(naming);
        }
        if let Some(word) = word(text) {
            return Some(Naming::word(word));
        }
        is_no_name(text).then(|| Naming::trouble(RowIssue::NotAName))
    }

    fn member(&self, text: &str) -> Option<Naming> {
        if let Some(found) = self.members.find(text) {
            return Some(self.found(found, text));
        }
        if self.members.directory().is_none() || !Forms::are_needed(text) {
            return None;
        }
        let forms = Forms::of(text);
        let found =
            forms.all().into_iter().enumerate().find_map(|(form, name)| Some((form, self.members.find(name)?, name)));
        let (form, found, name) = found?;
        let mut naming = self.found(found, name);
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
        let text = without_label(text).map_or(text, str::trim);
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

    /// Reads piece by piece; `until_doubt` as long as they name members only.
    fn several(&self, text: &str, tokens: &[Token], until_doubt: bool) -> Naming {
        let mut parts = self.parts(text, tokens).peekable();
        let mut pieces = Vec::new();
        while let Some(first) = parts.next() {
            let mut own = vec![first];
            own.extend(std::iter::from_fn(|| parts.next_if(|part| !part.token.is_parted)));
            let is_one_piece = pieces.is_empty() && parts.peek().is_none();
            let ends = own.first().zip(own.last()).filter(|_| !is_one_piece);
            let whole = ends.map_or(text, |(first, last)| &text[first.token.start..last.token.end]);
            pieces.push(self.piece(whole, &own));
            if until_doubt && pieces.last().is_some_and(|piece| !piece.has_no_others()) {
                break;
            }
        }
        Naming::of_pieces(pieces)
    }

    /// Names that have separators in them are found before the text is parted there.
    fn parts<'t>(&'t self, text: &'t str, tokens: &'t [Token]) -> impl Iterator<Item = Part<'t>> {
        let most_pieces = self.members.most_pieces();
        let mut first = 0;
        std::iter::from_fn(move || {
            let token = *tokens.get(first)?;
            let longest = tokens.len().min(first + most_pieces);
            let found = (first + 2..=longest).rev().find_map(|end| {
                let text = &text[token.start..tokens[end - 1].end];
                let naming = if text.len() > Self::MAX_NAME { None } else { self.name_with_separators(text) };
                Some((end, naming?))
            });
            let (end, found) = found.map_or((first + 1, None), |(end, naming)| (end, Some(naming)));
            first = end;
            let token = Token { end: tokens[end - 1].end, ..token };
            Some(Part { text: &text[token.start..token.end], token, found })
        })
    }

    fn name_with_separators(&self, text: &str) -> Option<Naming> {
        // `N/A`
        let word = || words::word(text).filter(|_| text.contains('/')).map(Naming::word);
        self.member(text).or_else(word)
    }

    /// What stands between two separators that always part names.
    fn piece(&self, whole: &str, parts: &[Part<'_>]) -> Naming {
        if let Some((label, rest)) = whole.split_once(':')
            && label.contains(' ')
            && without_label(whole).is_some()
            && self.member(whole).is_none()
        {
            return self.several(rest.trim(), &tokens(rest.trim()), false);
        }
        let is_left = |text| is_leftover(text) && self.in_brackets(text).is_none();
        let is_beside = |text| is_between_names(text) || (is_word_of_a_role(text) && self.member(text).is_none());
        let is_no_name = |text| is_left(text) || (parts.len() > 1 && is_beside(text));
        let are_joined = parts.len() > 1 && parts.iter().any(|part| joins(part.text));
        let parts: Vec<&Part<'_>> = parts.iter().filter(|part| !is_no_name(part.text)).collect();
        match parts[..] {
            [] => return Naming::default(),
            [part] if part.found.is_some() => return part.found.clone().unwrap_or_default(),
            [part] if part.text == whole || self.is_known(part.text) => return self.name(part.text),
            [_] => return self.name(whole),
            _ => {}
        }
        if let Some(naming) = self.whole(whole).or_else(|| self.joined(whole)) {
            return naming;
        }
        let known = |part: &&&Part<'_>| part.found.is_some() || self.is_known(part.text);
        let is_a_note = without_notes(whole).split_whitespace().count() >= Self::WORDS_OF_A_NOTE;
        let has_tab = self.members.directory().is_some();
        let all_begin_with_at = || whole.split_whitespace().all(|word| word.starts_with('@'));
        let all_known = parts.iter().all(|part| known(&part));
        if is_a_note && !(all_known && (has_tab || all_begin_with_at())) {
            return Naming { no_name: Some(RowIssue::NoteOnly), ..Naming::default() };
        }
        let read = |part: &&Part<'_>| part.found.clone().unwrap_or_else(|| self.name(part.text));
        let is_name = |part: &&&Part<'_>| known(part) && !read(part).people.is_empty();
        if all_known || (has_tab && parts.iter().filter(is_name).count() >= 2) {
            let naming = Naming::of_pieces(parts.iter().map(read));
            return if are_joined { naming.in_a_sentence() } else { naming };
        }
        let contradicts = |part: &&Part<'_>| {
            matches!(word(part.text), Some(Word::Nobody { filler: false }))
                || read(part).trouble == Some(RowIssue::NameAndNobody)
        };
        if parts.iter().any(contradicts) {
            return Naming::trouble(RowIssue::NameAndNobody);
        }
        self.non_members_name(whole)
    }

    /// Whether a part may stand beside others: a member, an id or a word; without a tab, a handle.
    fn is_known(&self, text: &str) -> bool {
        if self.member(text).is_some() || self.id(text).is_some() || word(text).is_some() {
            return true;
        }
        if self.in_brackets(text).is_some_and(|naming| naming.trouble.is_none()) {
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

    /// Nothing but a name or a word in brackets, and perhaps a label: `主:(田中)`. Any other note names nobody.
    fn in_brackets(&self, text: &str) -> Option<Naming> {
        let forms = Forms::of(text);
        let inner = unwrapped(forms.unmarked());
        if !forms.bare().is_empty() || inner.is_empty() {
            return None;
        }
        let handle = || self.handle(inner).filter(|_| text.contains(':')).map(Naming::one);
        let within = self.member(inner).or_else(|| self.id(inner)).or_else(|| word(inner).map(Naming::word));
        match within.or_else(handle) {
            Some(naming) if inner.len() < forms.unmarked().len() => {
                let style = if naming.people.is_empty() { Style::List } else { Style::Brackets };
                Some(Naming { style, ..naming })
            }
            _ => self.trouble_in_notes(text, "").map(Naming::trouble),
        }
    }

    /// A single name.
    fn name(&self, text: &str) -> Naming {
        if let Some(naming) = self.whole(text).or_else(|| self.in_brackets(text)) {
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
        if let Some(both) = self.joined(text) {
            return both;
        }
        self.non_members_name(text)
    }

    /// Without a tab a handle; else somebody who is printed by name.
    fn non_members_name(&self, text: &str) -> Naming {
        match self.handle(text) {
            Some(person) => Naming { trouble: self.trouble_in_notes(text, person.name()), ..Naming::one(person) },
            None => self.by_name(text),
        }
    }

    /// `田中と鈴木`, if all are members: the word may be part of a name.
    fn joined(&self, text: &str) -> Option<Naming> {
        text.match_indices(JOINING[0]).find_map(|(at, word)| {
            let one = self.member(text[..at].trim())?;
            let others = text[at + word.len()..].trim();
            let others = self.member(others).or_else(|| self.joined(others))?;
            Some(Naming::of_pieces([one, others]).in_a_sentence())
        })
    }

    /// Somebody who is no member, and is printed by name.
    fn by_name(&self, text: &str) -> Naming {
        let forms = Forms::of(text);
        if forms.bare() != text && is_no_name(forms.bare()) {
            return Naming::trouble(RowIssue::NotAName);
        }
        let (name, printed) = if forms.bare().is_empty() { (text, text) } else { (forms.bare(), forms.printed()) };
        let person = self.members.non_member(name, false).addressed(printed);
        Naming { trouble: self.trouble_in_notes(text, person.name()), ..Naming::one(person) }
    }
}

/// A word in place of a name; `主:なし`.
fn word(text: &str) -> Option<Word> {
    words::word(without_label(text).map_or(text, str::trim))
}

/// What is left of an `@`, a label or a title of courtesy that stands alone.
fn is_leftover(text: &str) -> bool {
    let is_symbol = !text.is_empty() && !text.chars().any(|c| c == '@' || c == ':' || c.is_alphanumeric());
    (Forms::of(text).bare().is_empty() && !is_symbol) || COURTESY.contains(&text)
}
