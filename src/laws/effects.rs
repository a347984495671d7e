//! What a text does in a chat: whom it notifies, what it tags and what it links.

use crate::domain::event::{Incident, Kind};
use crate::domain::message::{Destination, FailedChat, Message, News};
use crate::domain::notice::{Attention, Notice};
use crate::domain::reminder::{OpenIncidents, Reminder};
use crate::domain::roster::{ChatName, Mention, OnCall, OnCallToday, Person};
use crate::domain::words::Language;
use crate::edge::chat;

/// A message mentions no more people than this.
const MOST_PEOPLE: usize = 30;

/// What happens in a chat when a text is posted there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Who is notified: what stands behind Typetalk's `@`, or in Slack's `<@…>` and `<!…>`.
    pub mentions: Vec<String>,
    /// What is tagged. Slack has no tags.
    pub tags: Vec<String>,
    /// What is linked with a text of its own to click. Typetalk has none: an address is what it looks like.
    pub links: Vec<String>,
}

impl Effects {
    /// Those of a text in a chat.
    #[must_use]
    pub fn of(text: &str, chat: ChatName) -> Self {
        match chat {
            ChatName::Typetalk => Self::on_typetalk(text),
            ChatName::Slack => Self::on_slack(text),
        }
    }

    /// By Typetalk's rules, and stricter: every `@` and every `#` counts, wherever it stands.
    fn on_typetalk(text: &str) -> Self {
        let marked = |mark: char| {
            let after = text.split(mark).skip(1);
            after.map(|rest| rest.split(char::is_whitespace).next().unwrap_or_default().to_owned()).collect()
        };
        Self { mentions: marked('@'), tags: marked('#'), links: Vec::new() }
    }

    /// By Slack's rules: markup stands in angle brackets, and nothing else is any.
    fn on_slack(text: &str) -> Self {
        let mut effects = Self::default();
        for part in text.split('<').skip(1) {
            let (markup, _) = part.split_once('>').unwrap_or((part, ""));
            match markup.chars().next() {
                Some('@' | '!' | '#') => effects.mentions.push(markup.to_owned()),
                _ => effects.links.push(markup.replace("&amp;", "&")),
            }
        }
        effects
    }

    /// Those that a message about an incident is meant to have on a day.
    fn meant(today: Option<&OnCallToday>, incident: Option<&Incident>, chat: ChatName) -> Self {
        let links = incident.and_then(|incident| incident.link.as_ref()).map(ToString::to_string);
        let tags = incident.and_then(Incident::tag).map(|tag| tag.to_string());
        let mentions = today.map(|today| mentioned(today, chat)).unwrap_or_default();
        match chat {
            ChatName::Typetalk => Self { mentions, tags: tags.into_iter().collect(), links: Vec::new() },
            ChatName::Slack => Self { mentions, tags: Vec::new(), links: links.into_iter().collect() },
        }
    }
}

/// The people of the day, or if none of them can be mentioned, those of last resort.
fn mentioned(today: &OnCallToday, chat: ChatName) -> Vec<String> {
    let mentions = |people: &[Person]| {
        let mut mentions: Vec<String> = Vec::new();
        for mention in people.iter().filter_map(|person| person.mention(chat)) {
            let printed = match mention {
                Mention::Typetalk(id) => id.clone(),
                Mention::SlackMember(id) => format!("@{id}"),
                Mention::SlackGroup(id) => format!("!subteam^{id}"),
            };
            if !mentions.contains(&printed) {
                mentions.push(printed);
            }
        }
        mentions.truncate(MOST_PEOPLE);
        mentions
    };
    let on_call = if let OnCall::People(people) = &today.on_call { mentions(people) } else { Vec::new() };
    if on_call.is_empty() { mentions(&today.fallback) } else { on_call }
}

/// A notice notifies those on call, carries the incident's tag and link, fits, and does nothing else.
///
/// So it is for either chat in either language, whole and at its barest, and nothing in it fools its reader.
///
/// # Panics
/// If it doesn't.
#[track_caller]
pub fn strangers_set_nothing_off(notice: &Notice) {
    if let Some(link) = &notice.event.incident.link {
        assert!(is_plain_address(&link.to_string()), "{link}");
    }
    for (text, chat, is_whole) in printed(News::Alert(notice)) {
        let today = if let Attention::Mention(today) = &notice.attention { Some(today) } else { None };
        let test_event = is_whole && notice.event.kind == Kind::Ping;
        let incident = (!test_event).then_some(&notice.event.incident);
        // Mentions, headline, details, link, news of the roster (twice), of the delay, the doubt and the chat.
        check(&text, chat, &Effects::meant(today, incident, chat), 9);
    }
}

/// The same of a reminder that lists one incident.
#[track_caller]
pub(super) fn strangers_set_nothing_off_in_a_reminder(reminder: &Reminder) {
    let OpenIncidents::Known { oldest, .. } = &reminder.open else { panic!("no incident") };
    for (text, chat, is_whole) in printed(News::Reminder(reminder)) {
        let incident = oldest.first().filter(|_| is_whole).map(|open| &open.incident);
        // Mentions, whose day, news of the roster (twice), the incidents' headline, the incident, the chat.
        check(&text, chat, &Effects::meant(Some(&reminder.day), incident, chat), 7);
    }
}

/// Everything that is printed about some news, on a chat that is a backup.
fn printed(news: News<'_>) -> impl Iterator<Item = (String, ChatName, bool)> {
    const CHATS: [ChatName; 2] = [ChatName::Typetalk, ChatName::Slack];
    let both = |chat, language| {
        let failed = CHATS.into_iter().find(|other| *other != chat);
        let instead_of = failed.map(|chat| FailedChat { chat, in_doubt: true });
        let destination = Destination { chat, instead_of, again: true };
        let whole = Message::whole(news, destination, language);
        let minimum = Message::minimum(news, destination, language);
        [(chat::render(chat, &whole), chat, true), (chat::render(chat, &minimum), chat, false)]
    };
    let languages = move |chat| [Language::Japanese, Language::English].map(|language| both(chat, language)).concat();
    CHATS.map(languages).concat().into_iter()
}

#[track_caller]
fn check(text: &str, chat: ChatName, meant: &Effects, most_lines: usize) {
    assert_eq!(&Effects::of(text, chat), meant, "{text}");
    assert!(text.encode_utf16().count() < 4_000, "{text}");
    assert!(!text.contains(fools_a_reader), "{text:?}");
    let (quotes, ours): (Vec<_>, Vec<_>) = text.split('\n').partition(|line| line.starts_with("> "));
    assert!(quotes.len() <= 20 && ours.len() <= most_lines, "{text:?}");
    assert!(ours.iter().all(|line| !line.trim().is_empty()), "{text:?}");
    match chat {
        // A mention or tag is one only if white space is before it; behind it, `Effects` has looked.
        ChatName::Typetalk => {
            let stands_free = |(at, _)| text[..at].chars().next_back().is_none_or(char::is_whitespace);
            assert!(text.match_indices(['@', '#']).all(stands_free), "{text}");
        }
        ChatName::Slack => {
            let is_escaped =
                |(at, _)| ["&amp;", "&lt;", "&gt;"].iter().any(|entity: &&str| text[at..].starts_with(entity));
            assert!(text.match_indices('&').all(is_escaped), "{text}");
        }
    }
}

/// Whether an address can't be read as anything but one, on either chat.
fn is_plain_address(address: &str) -> bool {
    (address.starts_with("http://") || address.starts_with("https://"))
        && address.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>|\"`@#".contains(&byte))
}

/// Characters that begin a line, turn it around or aren't seen.
fn fools_a_reader(c: char) -> bool {
    match c {
        '\n' => false,
        '`'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}
