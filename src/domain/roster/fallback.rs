//! Whether the people of `FALLBACK_MENTIONS` can be mentioned at all.

use std::fmt;

use super::members::{Members, MembersTable};
use super::people;
use super::person::Person;
use crate::domain::chat::ChatName;

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
        let entries: Vec<_> = entries.iter().map(|entry| people::of_fallback_entry(&members, entry)).collect();
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
