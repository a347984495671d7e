//! People: the pieces of a name cell, and how each is mentioned on each chat.

use std::fmt;

use crate::domain::chat::ChatName;

use super::{Cell, MembersTable, RowIssue, RowProblem, Tab, Table, is_blank, is_formula_error};

/// A handle that a chat turns into a notification. Only the roster makes these, never a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Mention {
    /// Typetalk's unique id, without `@`.
    Typetalk(String),
    /// A Slack member's id.
    SlackMember(String),
    /// A Slack user group's id.
    SlackGroup(String),
}

impl Mention {
    /// Longer ones are no handles; the bound keeps mentions within a message's length.
    const MAX_LENGTH: usize = 40;

    fn typetalk(handle: &str) -> Option<Self> {
        let plausible = (1..=Self::MAX_LENGTH).contains(&handle.len())
            && handle.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.+-".contains(&b));
        plausible.then(|| Self::Typetalk(handle.to_owned()))
    }

    fn slack(id: &str) -> Option<Self> {
        let plausible = (2..=Self::MAX_LENGTH).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        match id.as_bytes().first()? {
            b'U' | b'W' if plausible => Some(Self::SlackMember(id.to_owned())),
            b'S' if plausible => Some(Self::SlackGroup(id.to_owned())),
            _ => None,
        }
    }

    /// A name in the roster that is a Slack id. `SUZUKI` has the letters of one, but is a person:
    /// real ids have nine characters or more, and most have digits.
    fn slack_in_roster(name: &str) -> Option<Self> {
        let like_an_id = name.len() >= 9 || name.bytes().any(|b| b.is_ascii_digit());
        Self::slack(name).filter(|_| like_an_id)
    }
}

/// Somebody in the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    name: String,
    typetalk: Option<Mention>,
    slack: Option<Mention>,
}

impl Person {
    /// Somebody who can be printed, but mentioned nowhere.
    fn unmapped(name: &str) -> Self {
        Self { name: name.to_owned(), typetalk: None, slack: None }
    }

    /// Without a members tab the name itself is the handle.
    fn by_handle(name: &str) -> Self {
        Self { name: name.to_owned(), typetalk: Mention::typetalk(name), slack: Mention::slack_in_roster(name) }
    }

    fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn complete_with(&mut self, other: Self) {
        self.typetalk = self.typetalk.take().or(other.typetalk);
        self.slack = self.slack.take().or(other.slack);
    }

    /// The name as the sheet has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How to mention them on that chat, if they can be.
    #[must_use]
    pub fn mention(&self, chat: ChatName) -> Option<&Mention> {
        match chat {
            ChatName::Typetalk => self.typetalk.as_ref(),
            ChatName::Slack => self.slack.as_ref(),
        }
    }
}

/// The members tab, parsed; or what stands for it.
#[derive(Debug, Clone)]
pub(super) enum Members {
    /// Not configured: names are handles.
    NamesAreHandles,
    /// Configured, and not readable: nobody can be mapped.
    Unreadable,
    /// These, and nobody else, can be mentioned.
    Known(Vec<Person>),
}

impl Members {
    pub(super) fn none() -> Self {
        Self::NamesAreHandles
    }

    pub(super) fn parse(table: &MembersTable) -> (Self, Vec<RowProblem>) {
        match table {
            MembersTable::None => (Self::NamesAreHandles, Vec::new()),
            MembersTable::Unreadable => (Self::Unreadable, Vec::new()),
            MembersTable::Table(table) => {
                let (people, problems) = known_members(table);
                (Self::Known(people), problems)
            }
        }
    }

    /// The people of one cell, and whether one of them is missing from the members tab.
    pub(super) fn people(&self, cell: &str) -> (Vec<Person>, bool) {
        let mut unknown = false;
        let people = self.named_in(cell, |name| match self {
            Self::NamesAreHandles => Person::by_handle(name),
            Self::Unreadable => Person::unmapped(name),
            Self::Known(_) => {
                unknown = true;
                Person::unmapped(name)
            }
        });
        (people, unknown)
    }

    /// Like [`Self::people`] for a setting instead of a cell: whoever is no member may be given by handle,
    /// and by a handle for each chat, so that what looks like a Slack id is no Typetalk handle.
    pub(super) fn fallback_people(&self, cell: &str) -> Vec<Person> {
        self.named_in(cell, |name| {
            let person = Person::by_handle(name);
            let typetalk = person.typetalk.filter(|_| person.slack.is_none());
            Person { typetalk, ..person }
        })
    }

    fn named_in(&self, cell: &str, mut stranger: impl FnMut(&str) -> Person) -> Vec<Person> {
        let mut people = Vec::new();
        for piece in cell.split([',', '、', '，', '/', ';', '&', '\n', '\r']) {
            let whole = name_of(piece);
            if let Some(member) = self.member(&whole) {
                people.push(member.clone());
                continue;
            }
            for name in whole.split(' ').map(without_at).filter(|name| !stands_for_nobody(name)) {
                people.push(self.member(name).cloned().unwrap_or_else(|| stranger(name)));
            }
        }
        people
    }

    fn member(&self, name: &str) -> Option<&Person> {
        match self {
            Self::NamesAreHandles | Self::Unreadable => None,
            Self::Known(people) => people.iter().find(|person| person.is_called(name)),
        }
    }
}

/// What is wrong with the people of last resort, whom nobody looks at until they are needed. It names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FallbackProblem {
    /// None of the chats can mention somebody of this entry, counted from 1, or the entry is nobody.
    Entry(usize),
    /// This chat can mention nobody of all entries.
    Chat(ChatName),
}

impl FallbackProblem {
    /// What is wrong with these entries on these chats; nothing is known while the members tab can't be read.
    #[must_use]
    pub fn all(entries: &[String], members: &MembersTable, chats: &[ChatName]) -> Vec<Self> {
        if entries.is_empty() || matches!(members, MembersTable::Unreadable) {
            return Vec::new();
        }
        let (members, _) = Members::parse(members);
        let entries: Vec<_> = entries.iter().map(|entry| members.fallback_people(entry)).collect();
        let called = |person: &Person| chats.iter().any(|chat| person.mention(*chat).is_some());
        let silent = entries.iter().enumerate().filter(|(_, people)| people.is_empty() || !people.iter().all(called));
        let deaf = chats.iter().filter(|chat| entries.iter().flatten().all(|person| person.mention(**chat).is_none()));
        silent.map(|(index, _)| Self::Entry(index + 1)).chain(deaf.map(|chat| Self::Chat(*chat))).collect()
    }
}

impl fmt::Display for FallbackProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(number) => write!(
                f,
                "entry {number} of FALLBACK_MENTIONS can be mentioned on no chat of CHATS; write a name as the members \
                 tab has it, or a chat's own id"
            ),
            Self::Chat(chat) => write!(
                f,
                "nobody of FALLBACK_MENTIONS can be mentioned on {chat}; add somebody whom the members tab has an id \
                 of there, or that id"
            ),
        }
    }
}

/// A name with its white space evened out (`　` is as good as a space) and a leading `@` dropped.
fn name_of(piece: &str) -> String {
    let even = piece.split_whitespace().collect::<Vec<_>>().join(" ");
    without_at(&even).trim_start().to_owned()
}

fn without_at(name: &str) -> &str {
    name.strip_prefix(['@', '＠']).unwrap_or(name)
}

fn stands_for_nobody(name: &str) -> bool {
    // The long vowel mark is how a Japanese keyboard writes a dash; its neighbours look the same.
    matches!(name, "" | "-" | "ー" | "－" | "―" | "–" | "—" | "−" | "なし" | "休")
}

fn known_members(table: &Table) -> (Vec<Person>, Vec<RowProblem>) {
    let mut problems = Vec::new();
    let mut problem = |index: usize, issue| {
        problems.push(RowProblem { tab: Tab::Members, row: table.first_row + index, issue });
    };
    let Some(columns) = table.rows.first().and_then(|row| Columns::of(row)) else {
        problem(0, RowIssue::NoHeader);
        return (Vec::new(), problems);
    };
    let mut people: Vec<Person> = Vec::new();
    for (index, row) in table.rows.iter().enumerate().skip(1) {
        let name = name_of(&text_of(row.get(columns.name)));
        if name.is_empty() || is_formula_error(&name) {
            if !row.iter().all(is_blank) {
                problem(index, if name.is_empty() { RowIssue::NoName } else { RowIssue::FormulaError });
            }
            continue;
        }
        let mut handle = |column: Option<usize>, parse: fn(&str) -> Option<Mention>, chat| {
            let text = name_of(&text_of(column.and_then(|column| row.get(column))));
            if stands_for_nobody(&text) {
                return None;
            }
            let mention = parse(&text);
            if mention.is_none() {
                problem(index, RowIssue::BadHandle(chat));
            }
            mention
        };
        let typetalk = handle(columns.typetalk, Mention::typetalk, ChatName::Typetalk);
        let slack = handle(columns.slack, Mention::slack, ChatName::Slack);
        let person = Person { name, typetalk, slack };
        match people.iter_mut().find(|known| known.is_called(&person.name)) {
            Some(known) => {
                known.complete_with(person);
                problem(index, RowIssue::Twice);
            }
            None => people.push(person),
        }
    }
    (people, problems)
}

/// Where the header row puts each column.
struct Columns {
    name: usize,
    typetalk: Option<usize>,
    slack: Option<usize>,
}

impl Columns {
    fn of(header: &[Cell]) -> Option<Self> {
        let column = |names: &[&str]| {
            header.iter().position(|cell| {
                let title = text_of(Some(cell));
                names.iter().any(|name| title.trim().eq_ignore_ascii_case(name))
            })
        };
        Some(Self { name: column(&["name", "名前"])?, typetalk: column(&["typetalk"]), slack: column(&["slack"]) })
    }
}

pub(super) fn text_of(cell: Option<&Cell>) -> String {
    match cell {
        Some(Cell::Text(text)) => text.clone(),
        Some(Cell::Number(number)) => number.to_string(),
        Some(Cell::Empty | Cell::Flag) | None => String::new(),
    }
}
