//! What a cell says about people, and how cells of one row or day add up.

use super::person::Person;
use super::problem::RowIssue;
use super::words::Word;

/// What a cell says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Naming {
    pub(super) people: Vec<Person>,
    /// Somebody is meant, and it is not known who.
    pub(super) undecided: bool,
    /// Why what is written names nobody: a note, or a formula that failed. It matters if there is no other name.
    pub(super) no_name: Option<RowIssue>,
    /// Why the cell is not understood; its people don't count.
    pub(super) trouble: Option<RowIssue>,
    /// A word says that nobody is meant.
    pub(super) nobody: bool,
    /// How its people are written.
    pub(super) style: Style,
}

/// How people are written in a cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Style {
    /// As names are.
    #[default]
    List,
    /// In brackets.
    Brackets,
    /// Joined by a word, as in a sentence.
    Sentence,
}

impl Naming {
    /// A message names thirty; and everybody is compared with everybody.
    const MAX_PEOPLE: usize = 200;

    pub(super) fn one(person: Person) -> Self {
        Self { people: vec![person], ..Self::default() }
    }

    pub(super) fn trouble(issue: RowIssue) -> Self {
        Self { trouble: Some(issue), ..Self::default() }
    }

    pub(super) fn in_a_sentence(self) -> Self {
        Self { style: Style::Sentence, ..self }
    }

    pub(super) fn word(word: Word) -> Self {
        match word {
            Word::Nobody { filler } => Self { nobody: !filler, ..Self::default() },
            Word::Undecided => Self { undecided: true, ..Self::default() },
        }
    }

    /// Whether it is understood, and all whom it names are members. A sentence is no list of people.
    pub(super) fn has_no_others(&self) -> bool {
        let are_members = || self.people.iter().all(|person| person.unknown().is_none());
        self.trouble.is_none() && self.no_name.is_none() && self.style != Style::Sentence && are_members()
    }

    /// Why what is written is not understood, if it isn't.
    pub(super) fn issue(&self) -> Option<RowIssue> {
        self.trouble.clone().or_else(|| self.no_name.clone().filter(|_| self.people.is_empty()))
    }

    pub(super) fn add(&mut self, other: &Self) {
        for person in &other.people {
            if self.people.len() < Self::MAX_PEOPLE && !self.people.iter().any(|known| known.is(person)) {
                self.people.push(person.clone());
            }
        }
        self.undecided |= other.undecided;
        self.no_name = self.no_name.take().or_else(|| other.no_name.clone());
        self.trouble = self.trouble.take().or_else(|| other.trouble.clone());
    }

    /// Pieces of one cell: a name and a word for nobody contradict each other, and who of some stands in brackets may be
    /// meant or not.
    pub(super) fn of_pieces(pieces: impl IntoIterator<Item = Self>) -> Self {
        let mut naming = Self::default();
        let (mut is_open, mut is_bracketed) = (false, false);
        for piece in pieces {
            naming.add(&piece);
            naming.nobody |= piece.nobody;
            is_bracketed |= piece.style == Style::Brackets;
            is_open |= piece.style != Style::Brackets && !piece.people.is_empty();
            naming.style = if piece.style == Style::List { naming.style } else { piece.style };
        }
        if is_bracketed && is_open {
            naming.trouble.get_or_insert(RowIssue::NameInBrackets);
        }
        if naming.nobody && !naming.people.is_empty() {
            naming.trouble.get_or_insert(RowIssue::NameAndNobody);
        }
        naming
    }
}
