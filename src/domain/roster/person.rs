//! A person in the roster: a name, and how to mention them on each chat.

use super::spelling::key;
use crate::domain::chat::ChatName;

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

    /// The id alone.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Typetalk(id) | Self::SlackMember(id) | Self::SlackGroup(id) => id,
        }
    }

    pub(super) fn typetalk(handle: &str) -> Option<Self> {
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
    pub(super) fn slack_in_roster(name: &str) -> Option<Self> {
        let like_an_id = name.len() >= 9 || name.bytes().any(|b| b.is_ascii_digit());
        Self::slack(name).filter(|_| like_an_id)
    }

    /// An id in the members tab: `tanaka`, `@tanaka`.
    pub(super) fn typetalk_as_written(text: &str) -> Option<Self> {
        Self::typetalk(super::members::without_at(text))
    }

    /// An id in the members tab, in any way in which Slack writes one.
    pub(super) fn slack_as_written(text: &str) -> Option<Self> {
        Self::in_slacks_own_form(text)
            .map(|(mention, _)| mention)
            .or_else(|| Self::slack(super::members::without_at(text)))
    }

    /// `<@U…>`, `<@U…|x>`, `<!subteam^S…|x>`, a profile's address; with the label that stands beside the id.
    pub(super) fn in_slacks_own_form(text: &str) -> Option<(Self, Option<&str>)> {
        let markup = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
        let (inside, label) = match markup.unwrap_or(text).split_once('|') {
            Some((inside, label)) if markup.is_some() => {
                (inside, Some(label.trim_start_matches('@')).filter(|label| !label.is_empty()))
            }
            None => (markup.unwrap_or(text), None),
            Some(_) => return None,
        };
        let mention = if let Some(id) = inside.strip_prefix('@').filter(|_| markup.is_some()) {
            Self::slack(id).filter(|mention| matches!(mention, Self::SlackMember(_)))
        } else if let Some(id) = inside.strip_prefix("!subteam^").filter(|_| markup.is_some()) {
            Self::slack(id).filter(|mention| matches!(mention, Self::SlackGroup(_)))
        } else {
            Self::of_profile(inside)
        };
        mention.map(|mention| (mention, label))
    }

    /// `https://acme.slack.com/team/U…`
    fn of_profile(address: &str) -> Option<Self> {
        let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
        let (host, path) = rest.split_once('/')?;
        if host != "slack.com" && !host.ends_with(".slack.com") {
            return None;
        }
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let mut parts = path.split('/').skip_while(|part| !matches!(*part, "team" | "user_profile" | "user_groups"));
        parts.nth(1).and_then(Self::slack)
    }
}

/// Why somebody can't be mentioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The members tab doesn't have them.
    NotAMember,
    /// The members tab has no id of theirs for this chat.
    NoId,
    /// The name fits two members with different ids.
    TwoMembers,
    /// The members tab can't be read.
    TabUnreadable,
    /// No members tab is set, and the name is not a handle of this chat.
    NotAHandle,
}

/// Somebody in the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    name: String,
    /// By which two cells are known to name the same person.
    compared: String,
    typetalk: Result<Mention, Gap>,
    slack: Result<Mention, Gap>,
}

impl Person {
    /// Somebody who can be printed, but mentioned nowhere.
    pub(super) fn unmapped(name: &str, gap: Gap) -> Self {
        Self { name: name.to_owned(), compared: key(name), typetalk: Err(gap), slack: Err(gap) }
    }

    /// The same with the title of courtesy that stands behind the name; it is printed, and no part of the name.
    pub(super) fn addressed(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// Somebody with the ids of the members tab.
    pub(super) fn member(name: &str, typetalk: Option<Mention>, slack: Option<Mention>) -> Self {
        let (typetalk, slack) = (typetalk.ok_or(Gap::NoId), slack.ok_or(Gap::NoId));
        Self { name: name.to_owned(), compared: key(name), typetalk, slack }
    }

    /// Without a members tab the name itself is the handle.
    pub(super) fn by_handle(handle: &str) -> Self {
        // Ids with a `+` need the members tab: it parts names.
        let typetalk = Mention::typetalk(handle).filter(|_| !handle.contains('+'));
        Self {
            name: handle.to_owned(),
            compared: handle.to_owned(),
            typetalk: typetalk.ok_or(Gap::NotAHandle),
            slack: Mention::slack_in_roster(handle).ok_or(Gap::NotAHandle),
        }
    }

    /// Somebody given by Slack's own form of an id.
    pub(super) fn by_slack_id(mention: Mention, label: Option<&str>, gap: Gap) -> Self {
        let name = label.unwrap_or(mention.id()).to_owned();
        Self { compared: mention.id().to_owned(), name, typetalk: Err(gap), slack: Ok(mention) }
    }

    /// A setting has a handle for each chat: what looks like a Slack id is not one of Typetalk's.
    pub(super) fn on_one_chat(self) -> Self {
        let typetalk = if self.slack.is_ok() { Err(Gap::NotAHandle) } else { self.typetalk };
        Self { typetalk, ..self }
    }

    /// A second row of one member: ids that contradict each other are nobody's.
    pub(super) fn complete_with(&mut self, other: Self) {
        let complete = |own: &mut Result<Mention, Gap>, other: Result<Mention, Gap>| match (&own, other) {
            (Ok(known), Ok(other)) if *known != other => *own = Err(Gap::TwoMembers),
            (Err(Gap::NoId), Ok(other)) => *own = Ok(other),
            _ => {}
        };
        complete(&mut self.typetalk, other.typetalk);
        complete(&mut self.slack, other.slack);
    }

    pub(super) fn has_the_ids_of(&self, other: &Self) -> bool {
        self.typetalk == other.typetalk && self.slack == other.slack
    }

    /// Whether two cells name the same person.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.name == other.name || (self.has_the_ids_of(other) && self.compared == other.compared)
    }

    /// Whether they can be mentioned on any chat.
    #[must_use]
    pub fn can_be_mentioned(&self) -> bool {
        self.typetalk.is_ok() || self.slack.is_ok()
    }

    /// Why nobody is known by this name: it is no member's, or fits two. Such a name lacks the ids of all chats alike.
    pub(super) fn unknown(&self) -> Option<Gap> {
        self.gap(ChatName::Typetalk).filter(|gap| matches!(gap, Gap::NotAMember | Gap::TwoMembers))
    }

    /// The name as the sheet has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How to mention them on that chat, if they can be.
    #[must_use]
    pub fn mention(&self, chat: ChatName) -> Option<&Mention> {
        self.on(chat).as_ref().ok()
    }

    /// Why they can't be mentioned on that chat, if they can't.
    #[must_use]
    pub fn gap(&self, chat: ChatName) -> Option<Gap> {
        self.on(chat).as_ref().err().copied()
    }

    fn on(&self, chat: ChatName) -> &Result<Mention, Gap> {
        match chat {
            ChatName::Typetalk => &self.typetalk,
            ChatName::Slack => &self.slack,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slacks_own_forms_of_an_id_are_read() {
        for (text, id, label) in [
            ("<@U0TANAKA1>", "U0TANAKA1", None),
            ("<@W0TANAKA1|tanaka>", "W0TANAKA1", Some("tanaka")),
            ("<!subteam^S0SRETEAM>", "S0SRETEAM", None),
            ("<!subteam^S0SRETEAM|@sre>", "S0SRETEAM", Some("sre")),
            ("https://acme.slack.com/team/U0YAMADA1", "U0YAMADA1", None),
            ("<https://acme.slack.com/team/U0YAMADA1|山田>", "U0YAMADA1", Some("山田")),
            ("https://app.slack.com/client/T0ACME/C0A/user_profile/U0YAMADA1?x=1", "U0YAMADA1", None),
        ] {
            let (mention, found) = Mention::in_slacks_own_form(text).unwrap();
            assert_eq!((mention.id(), found), (id, label), "{text}");
        }
        for text in [
            "U0TANAKA1",
            "@U0TANAKA1",
            "<U0TANAKA1>",
            "<@S0SRETEAM>",
            "<!subteam^U0TANAKA1>",
            "<!channel>",
            "<!here>",
            "<@U0tanaka1>",
            "https://acme.slack.com.evil.example/team/U0YAMADA1",
            "https://acme.slack.com/archives/C0CHANNEL",
            "acme.slack.com/team/U0YAMADA1",
            "@U0A|x",
        ] {
            assert_eq!(Mention::in_slacks_own_form(text), None, "{text}");
        }
    }

    #[test]
    fn the_members_tab_takes_ids_in_every_form() {
        for text in ["U0TANAKA1", "@U0TANAKA1", "<@U0TANAKA1>", "https://acme.slack.com/team/U0TANAKA1"] {
            assert_eq!(Mention::slack_as_written(text).unwrap().id(), "U0TANAKA1", "{text}");
        }
        for text in ["tanaka", "@tanaka", "@ tanaka"] {
            assert_eq!(Mention::typetalk_as_written(text).unwrap().id(), "tanaka", "{text}");
        }
        assert_eq!(Mention::typetalk_as_written("tana ka"), None);
        assert_eq!(Mention::slack_as_written("tanaka"), None);
    }
}
