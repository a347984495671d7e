//! The members tab: who there is, and how each is mentioned on each chat.

use std::collections::{HashMap, HashSet};

use super::cells::{Grid, Table, Value};
use super::person::{Gap, Mention, Person};
use super::pieces::{COURTESY, JOINING, depth_after, is_closing, tokens};
use super::problem::{RowIssue, RowProblem, Tab};
use super::spelling::{clean, first_of_key, key};
use super::titles::Title;
use super::words::{self, Word};
use crate::domain::chat::ChatName;

/// What is known of the members of the team.
#[derive(Debug, Clone, PartialEq)]
pub enum MembersTable {
    /// No such tab is configured: a name is a handle.
    None,
    /// The tab.
    Table(Table),
    /// It is configured and could not be read: nobody can be mapped.
    Unreadable,
}

/// The members tab, parsed; or what stands for it.
#[derive(Debug, Clone)]
pub(super) enum Members {
    /// Not configured: names are handles.
    NamesAreHandles,
    /// Configured, and not readable: nobody can be mapped.
    Unreadable,
    /// These, and nobody else, can be mentioned.
    Known(Box<Directory>),
}

/// Everybody in the tab, by every way to name them.
#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    people: Vec<Person>,
    spelt: HashMap<Box<str>, usize>,
    compared: HashMap<Box<str>, Vec<usize>>,
    by_id: HashMap<Box<str>, usize>,
    /// The compared forms of ids, and of whatever else may stand beside a name without naming anybody.
    ids: HashSet<Box<str>>,
    beside: HashSet<Box<str>>,
    /// How long the compared forms are that begin with a character: by this they are found within a text.
    lengths: HashMap<char, Vec<usize>>,
    /// The most pieces of which a name consists.
    pieces: usize,
    /// Whether a name has separators that always part names.
    has_parted_names: bool,
}

/// Whom a name means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found<'a> {
    Member(&'a Person),
    /// Two members with different ids.
    Several,
}

impl Members {
    pub(super) fn parse(table: &MembersTable) -> (Self, Vec<RowProblem>) {
        match table {
            MembersTable::None => (Self::NamesAreHandles, Vec::new()),
            MembersTable::Unreadable => (Self::Unreadable, Vec::new()),
            MembersTable::Table(table) => {
                let (directory, problems) = Directory::parse(table);
                (Self::Known(Box::new(directory)), problems)
            }
        }
    }

    pub(super) fn directory(&self) -> Option<&Directory> {
        if let Self::Known(directory) = self { Some(directory) } else { None }
    }

    /// Whom a cleaned text names, exactly or by its compared form.
    pub(super) fn find(&self, clean: &str) -> Option<Found<'_>> {
        self.directory()?.find(clean)
    }

    /// Whom a cell names as somebody spelt it.
    pub(super) fn find_spelt(&self, spelt: &str) -> Option<&Person> {
        let directory = self.directory()?;
        directory.spelt.get(spelt).map(|index| &directory.people[*index])
    }

    /// Of how many pieces a name may consist; with a blank typed into it, any name may consist of two.
    pub(super) fn most_pieces(&self) -> usize {
        self.directory().map_or(2, |directory| directory.pieces.clamp(2, 6))
    }

    /// Whether a member's name has separators that always part names.
    pub(super) fn have_parted_names(&self) -> bool {
        self.directory().is_some_and(|directory| directory.has_parted_names)
    }

    /// The member who has this id.
    pub(super) fn with_id(&self, id: &str) -> Option<&Person> {
        let directory = self.directory()?;
        directory.by_id.get(id).map(|index| &directory.people[*index])
    }

    /// Somebody whom the tab doesn't know, or two by that name.
    pub(super) fn non_member(&self, name: &str, several: bool) -> Person {
        let gap = match self {
            Self::NamesAreHandles => Gap::NotAHandle,
            Self::Unreadable => Gap::TabUnreadable,
            Self::Known(_) if several => Gap::TwoMembers,
            Self::Known(_) => Gap::NotAMember,
        };
        Person::unmapped(name, gap)
    }

    /// Whether a member other than `own` is named within a note.
    pub(super) fn names_another_within(&self, note: &str, own: &str) -> bool {
        let Some(directory) = self.directory() else { return false };
        // As a whole for names with blanks in them; and word by word, so that a name is seen beside another word.
        let words: Vec<&str> = note.split_whitespace().collect();
        let parts = words.windows(2).map(<[&str]>::concat).chain(words.iter().map(|word| (*word).to_owned()));
        parts.chain([note.to_owned()]).any(|part| directory.names_another_within(&key(&part), &key(own)))
    }
}

impl Directory {
    pub(super) fn people(&self) -> &[Person] {
        &self.people
    }

    fn find(&self, clean: &str) -> Option<Found<'_>> {
        if let Some(index) = self.spelt.get(clean) {
            return Some(Found::Member(&self.people[*index]));
        }
        if !self.may_begin(clean) {
            return None;
        }
        let indexes = self.compared.get(key(clean).as_str())?;
        let (first, others) = indexes.split_first()?;
        let first = &self.people[*first];
        let alike = others.iter().all(|other| self.people[*other].has_the_ids_of(first));
        Some(if alike { Found::Member(first) } else { Found::Several })
    }

    /// Whether some compared form begins as this text does: most words of a note are known by this to be nobody's name.
    fn may_begin(&self, clean: &str) -> bool {
        first_of_key(clean).is_some_and(|first| self.lengths.contains_key(&first))
    }

    fn names_another_within(&self, note: &str, own: &str) -> bool {
        let stands_alone = |at: usize, name: &str| {
            let beside = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            let torn_before = beside(name.chars().next()) && beside(note[..at].chars().next_back());
            let torn_after = beside(name.chars().next_back()) && beside(note[at + name.len()..].chars().next());
            !torn_before && !torn_after
        };
        let is_own = |form: &str| form == own || self.has_id(own, form);
        self.names_within(note).any(|(at, form)| !is_own(form) && stands_alone(at, form))
    }

    /// Whether the compared form of an id is that of somebody by this compared name.
    fn has_id(&self, name: &str, id: &str) -> bool {
        let own = self.compared.get(name).into_iter().flatten().map(|index| &self.people[*index]);
        let mut ids = own.flat_map(|person| [ChatName::Typetalk, ChatName::Slack].map(|chat| person.mention(chat)));
        ids.any(|own| own.is_some_and(|own| key(own.id()) == id))
    }

    /// The members' names and ids in a compared text, and where each begins.
    fn names_within<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
        let at_each = text.char_indices().flat_map(move |(at, _)| self.forms_at(text, at).map(move |form| (at, form)));
        at_each.filter(|(_, form)| self.is_one(form))
    }

    /// What of a compared text may be a form that is known, from a place on.
    fn forms_at<'a>(&'a self, text: &'a str, at: usize) -> impl Iterator<Item = &'a str> {
        let first = text[at..].chars().next();
        let lengths = first.and_then(|first| self.lengths.get(&first)).into_iter().flatten();
        lengths.filter_map(move |length| text.get(at..at + length))
    }

    /// Whether a compared text has a member's name or id in it, and no letter beside these and the words that name
    /// nobody. Forms may overlap: which of them is meant doesn't matter here.
    pub(super) fn may_have_members_only(&self, text: &str) -> bool {
        let mut has_member = false;
        self.covered(text, &mut has_member).all(|(c, is_covered)| is_covered || !c.is_alphabetic()) && has_member
    }

    /// The same of a text with notes in brackets, where a name may have a note within it, or be written with one.
    pub(super) fn may_have_members_only_beside_notes(&self, text: &str, without_notes: &str) -> bool {
        let (mut has_member, mut has_member_without) = (false, false);
        let mut depth = 0_usize;
        let mut without = self.covered(without_notes, &mut has_member_without);
        let all = self.covered(text, &mut has_member).all(|(c, is_covered)| {
            let before = depth;
            depth = depth_after(depth, c);
            if before > 0 || depth > 0 || is_closing(c) {
                return true;
            }
            let is_covered = without.next().is_some_and(|(_, is_covered)| is_covered) || is_covered;
            is_covered || !c.is_alphabetic()
        });
        drop(without);
        all && (has_member || has_member_without)
    }

    /// The characters of a compared text, and whether each belongs to a member's name or id or to a word for nobody.
    fn covered<'a>(&'a self, text: &'a str, has_member: &'a mut bool) -> impl Iterator<Item = (char, bool)> + 'a {
        let mut until = 0;
        text.char_indices().map(move |(at, c)| {
            for form in self.forms_at(text, at) {
                let is_member = self.is_one(form);
                if is_member || self.beside.contains(form) {
                    *has_member |= is_member;
                    until = until.max(at + form.len());
                }
            }
            (c, at < until)
        })
    }

    /// Whether a compared text has a member's name or id in it, be it part of a longer word.
    pub(super) fn has_one_within(&self, text: &str) -> bool {
        text.char_indices().any(|(at, _)| self.forms_at(text, at).any(|form| self.is_one(form)))
    }

    /// Whether a compared form is a member's name or id.
    fn is_one(&self, form: &str) -> bool {
        self.compared.contains_key(form) || self.ids.contains(form)
    }

    fn parse(table: &Table) -> (Self, Vec<RowProblem>) {
        let grid = Grid::of(table);
        let mut problems = Vec::new();
        let mut directory = Self::default();
        let Some((header, columns)) = Columns::find(&grid) else {
            let row = super::cells::Line::Row(table.first_row);
            problems.push(RowProblem { tab: Tab::Members, row, issue: RowIssue::NoHeader });
            return (directory, problems);
        };
        for row in header + 1..grid.height() {
            let mut problem = |issue| problems.push(RowProblem { tab: Tab::Members, row: grid.line(row), issue });
            let cell = grid.value(row, columns.name);
            let name = text_of(cell);
            let name = without_at(&name);
            if name.is_empty() || cell.is_formula_error() {
                if grid.row(row).iter().any(Value::says_something) {
                    problem(if name.is_empty() { RowIssue::NoName } else { RowIssue::FormulaError });
                }
                continue;
            }
            let mut id = |column: Option<usize>, parse: fn(&str) -> Option<Mention>, chat| {
                let text = text_of(grid.value(row, column?));
                if text.is_empty() || without_at(&text).is_empty() || stands_for_none(&text) {
                    return None;
                }
                let mention = parse(&text);
                if mention.is_none() {
                    problem(RowIssue::BadHandle(chat));
                }
                mention
            };
            let typetalk = id(columns.typetalk, Mention::typetalk_as_written, ChatName::Typetalk);
            let slack = id(columns.slack, Mention::slack_as_written, ChatName::Slack);
            if !directory.add(cell, Person::member(name, typetalk, slack)) {
                problem(RowIssue::Twice);
            }
        }
        directory.index_ids_and_words();
        (directory, problems)
    }

    /// Adds a member; a second row of one spelling completes the first.
    fn add(&mut self, cell: &Value, person: Person) -> bool {
        let name = person.name().to_owned();
        let spelt = if let Value::Text(text) = cell { without_at(&text.spelt) } else { &name };
        if let Some(index) = self.spelt.get(spelt) {
            self.people[*index].complete_with(person);
            return false;
        }
        let index = self.people.len();
        let pieces = tokens(&name);
        self.pieces = self.pieces.max(pieces.len());
        self.has_parted_names |= pieces.iter().any(|piece| piece.is_parted);
        self.people.push(person);
        self.spelt.insert(spelt.into(), index);
        self.spelt.entry(name.as_str().into()).or_insert(index);
        let compared = key(&name);
        self.compared.entry(compared.as_str().into()).or_default().push(index);
        self.add_length(&compared);
        true
    }

    fn add_length(&mut self, compared: &str) {
        let lengths = compared.chars().next().map(|first| self.lengths.entry(first).or_default());
        if let Some(lengths) = lengths.filter(|lengths| !lengths.contains(&compared.len())) {
            lengths.push(compared.len());
        }
    }

    fn index_ids_and_words(&mut self) {
        for (index, person) in self.people.iter().enumerate() {
            for id in [ChatName::Typetalk, ChatName::Slack].into_iter().filter_map(|chat| person.mention(chat)) {
                self.by_id.entry(id.id().into()).or_insert(index);
            }
        }
        self.ids = self.by_id.keys().map(|id| key(id).into()).collect();
        self.beside = words::all().chain(COURTESY).chain(JOINING).map(|word| key(word).into()).collect();
        let forms: Vec<Box<str>> = self.ids.iter().chain(&self.beside).cloned().collect();
        for form in &forms {
            self.add_length(form);
        }
    }
}

/// Where the header row puts each column.
struct Columns {
    name: usize,
    typetalk: Option<usize>,
    slack: Option<usize>,
}

impl Columns {
    /// The header is the first row with a title for names.
    fn find(grid: &Grid) -> Option<(usize, Self)> {
        (0..grid.height()).find_map(|row| {
            let name = grid.row(row).iter().position(|cell| {
                let title = Title::of(cell.text().unwrap_or_default());
                ["name", "名前", "氏名", "担当者", "メンバー"].contains(&title.whole())
            })?;
            let column = |chat: &str, parse: fn(&str) -> Option<Mention>| {
                let titled = grid.row(row).iter().enumerate();
                let titled = titled.filter(|(_, cell)| key(cell.text().unwrap_or_default()).contains(chat));
                // Beside the id there may be a column for what the person is called there.
                let ids = |column: usize| {
                    let below = (row + 1..grid.height()).map(|row| text_of(grid.value(row, column)));
                    below.filter(|text| parse(text).is_some()).count()
                };
                let titled = titled.map(|(column, _)| (column, ids(column)));
                titled.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(column, _)| column)
            };
            let typetalk = column("typetalk", Mention::typetalk_as_written);
            let slack = column("slack", Mention::slack_as_written);
            Some((row, Self { name, typetalk, slack }))
        })
    }
}

fn stands_for_none(text: &str) -> bool {
    matches!(words::word(text), Some(Word::Nobody { .. } | Word::Undecided))
}

/// A name with its leading `@` dropped.
pub(super) fn without_at(name: &str) -> &str {
    name.strip_prefix(['@', '＠']).unwrap_or(name).trim_start()
}

/// A name of digits only comes as a number.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clean.replace('\n', " "),
        Value::Number(number) => clean(&number.to_string()).into_owned(),
        Value::Blank | Value::Flag(_) | Value::Hidden => String::new(),
    }
}
