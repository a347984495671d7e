//! What a text does in a chat: whom it notifies, what it tags, links and formats.

use oncall_relay::domain::alert::{Alert, Mentions};
use oncall_relay::domain::chat::ChatName;
use oncall_relay::domain::chat::FailedChat;
use oncall_relay::domain::event::{Incident, Kind};
use oncall_relay::domain::message::{Destination, Message, Subject};
use oncall_relay::domain::notice::Notice;
use oncall_relay::domain::reminder::{OpenIncidents, Reminder};
use oncall_relay::domain::roster::{Mention, OnCall, OnCallDay, Person};
use oncall_relay::domain::storm::Storm;
use oncall_relay::domain::week::{Report, Week};
use oncall_relay::domain::wording::Language;
use oncall_relay::edge::chat;

/// A message mentions no more people than this.
const MAX_PEOPLE: usize = 30;

/// What happens in a chat when a text is posted there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Who is notified: what stands behind Typetalk's `@`, or in Slack's `<@…>` and `<!…>`.
    pub mentions: Vec<String>,
    /// What is tagged. Slack has no tags.
    pub tags: Vec<String>,
    /// What is linked with a text of its own to click. Typetalk has none: an address is what it looks like.
    pub links: Vec<String>,
    /// What Slack shows as something else than was written: bold, italic, struck, a picture, a quotation.
    pub formats: Vec<String>,
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
        Self { mentions: marked('@'), tags: marked('#'), ..Self::default() }
    }

    /// By Slack's rules: what notifies or links stands in angle brackets; the rest of a line may be formatted.
    fn on_slack(text: &str) -> Self {
        let mut effects = Self { formats: outside_tables(text).flat_map(formats).collect(), ..Self::default() };
        for part in text.split('<').skip(1) {
            let (markup, _) = part.split_once('>').unwrap_or((part, ""));
            match markup.chars().next() {
                Some('@' | '!' | '#') => effects.mentions.push(markup.to_owned()),
                _ => effects.links.push(markup.replace("&amp;", "&")),
            }
        }
        effects
    }

    /// Those that a message about incidents is meant to have on a day.
    fn meant(today: Option<&OnCallDay>, incidents: &[&Incident], chat: ChatName) -> Self {
        let links = incidents.iter().filter_map(|incident| incident.link.as_ref()).map(ToString::to_string);
        let tags = incidents.iter().filter_map(|incident| incident.tag()).map(|tag| tag.to_string());
        let mentions = today.map(|today| mentioned(today, chat)).unwrap_or_default();
        match chat {
            ChatName::Typetalk => Self { mentions, tags: tags.collect(), ..Self::default() },
            ChatName::Slack => Self { mentions, links: links.rev().collect(), ..Self::default() },
        }
    }
}

/// The lines of a text that Slack formats: between two fences it shows everything as it is.
fn outside_tables(text: &str) -> impl Iterator<Item = &str> {
    let mut in_table = false;
    text.split('\n').filter(move |line| {
        let is_fence = *line == "```";
        in_table ^= is_fence;
        !in_table && !is_fence
    })
}

/// An invisible character that belongs to the word beside it: a mark beside it is in the middle of a word.
const JOINER: char = '\u{34f}';

/// What Slack formats in a line, or in a stricter reading of its rules would.
fn formats(line: &str) -> Vec<String> {
    let mut formats = Vec::new();
    if line.starts_with("&gt;") || line.starts_with('＞') {
        formats.push(line.to_owned());
    }
    let line = shown(line);
    let address = in_addresses(&line);
    let is_word = |c: &char| c.is_alphanumeric() || *c == JOINER;
    for marks in ["*＊", "_＿", "~", "｀"] {
        let is_mark = |at: usize| marks.contains(line[at]);
        let begins = |at: usize| {
            let before = line[..at].iter().rfind(|c| !"*＊_＿~｀".contains(**c));
            !address[at]
                && before.is_none_or(|c| !is_word(c) && !"/\\".contains(*c))
                && line.get(at + 1).is_some_and(|c| !c.is_whitespace())
        };
        let ends = |at: usize| {
            let after = line[at..].iter().find(|c| !"*＊_＿~｀".contains(**c));
            after.is_none_or(|c| !is_word(c)) && !line[at - 1].is_whitespace()
        };
        let end = (2..line.len()).rev().find(|at| is_mark(*at) && ends(*at)).unwrap_or_default();
        let begin = (0..end.saturating_sub(1)).find(|at| is_mark(*at) && begins(*at));
        formats.extend(begin.map(|begin| line[begin..=end].iter().collect::<String>()));
    }
    let colons: Vec<_> = (0..line.len()).filter(|at| line[*at] == ':' && !address[*at]).collect();
    let between = colons.windows(2).map(|pair| (line[..pair[0]].last(), &line[pair[0] + 1..pair[1]]));
    formats.extend(between.filter(|(before, name)| is_emoji(*before, name)).map(|(_, name)| name.iter().collect()));
    formats
}

/// A line as its reader sees it, with U+FFFC for what is in angle brackets.
fn shown(line: &str) -> Vec<char> {
    let mut shown = String::new();
    for (index, part) in line.split('<').enumerate() {
        let rest = if index == 0 { part } else { part.split_once('>').map_or("", |(_, rest)| rest) };
        shown.extend((index > 0).then_some('\u{fffc}'));
        shown.push_str(&rest.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
    }
    shown.chars().collect()
}

/// Which characters are in a web address.
fn in_addresses(line: &[char]) -> Vec<bool> {
    let mut within = vec![false; line.len()];
    for at in 0..line.len() {
        let is_next = |scheme: &str| scheme.chars().eq(line[at..].iter().copied().take(scheme.len()));
        if is_next("http://") || is_next("https://") {
            let length = line[at..].iter().take_while(|c| !c.is_whitespace() && !"<>|\"".contains(**c)).count();
            within[at..at + length].fill(true);
        }
    }
    within
}

/// Whether a name between colons may be an emoji's: not if it is a part of a time, an address or the like.
fn is_emoji(before: Option<&char>, name: &[char]) -> bool {
    let name: String = name.iter().collect();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_＿+＋-'".contains(c));
    let in_digits = before.is_some_and(|c| c.is_alphanumeric() || ":]".contains(*c));
    let digits = name.contains(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_hexdigit() || "+-".contains(c))
        && !["100", "1234", "+1", "-1"].contains(&name.as_str());
    is_name && !(in_digits && digits)
}

/// The people of the day, or if none of them can be mentioned, the fallback.
fn mentioned(today: &OnCallDay, chat: ChatName) -> Vec<String> {
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
        mentions.truncate(MAX_PEOPLE);
        mentions
    };
    let on_call = if let OnCall::People(people) = &today.on_call { mentions(people) } else { Vec::new() };
    if on_call.is_empty() { mentions(&today.fallback) } else { on_call }
}

/// A alert notifies those on call, carries the incident's tag and link, fits, and does nothing else.
///
/// So it is for either chat in either language, whole and at its barest, and nothing in it fools its reader.
///
/// # Panics
/// If it doesn't.
#[track_caller]
pub fn strangers_set_nothing_off(alert: &Alert) {
    if let Some(link) = &alert.event.incident.link {
        assert!(is_plain_address(&link.to_string()), "{link}");
    }
    for (text, chat, is_whole) in printed(Subject::Alert(alert)) {
        let today = if let Mentions::OnCall(today) = &alert.mentions { Some(today) } else { None };
        let test_event = is_whole && alert.event.kind == Kind::Ping;
        let mut incidents = Vec::new();
        incidents.extend((!test_event).then_some(&alert.event.incident));
        if let Kind::Merged { into } = &alert.event.kind {
            incidents.extend(is_whole.then_some(into));
        }
        // Mentions, headline, details, the other incident, link, lines on the roster (eight), of the delay, the doubt
        // and the chat.
        check(&text, chat, &Effects::meant(today, &incidents, chat), 16);
    }
}

/// The same of a reminder that lists one incident.
#[track_caller]
pub(super) fn strangers_set_nothing_off_in_a_reminder(reminder: &Reminder) {
    let OpenIncidents::Known { oldest, .. } = &reminder.open else { panic!("no incident") };
    for (text, chat, is_whole) in printed(Subject::Reminder(reminder)) {
        let incident: Vec<_> = oldest.iter().filter(|_| is_whole).map(|open| &open.incident).collect();
        // Mentions, whose day, the sheet, lines on the roster (eight), how it is read, the day ahead, what to act on, a
        // storm, the incidents' headline, the incident, the chat.
        let mut meant = Effects::meant(Some(&reminder.day), &incident, chat);
        let sheet = reminder.sheet.iter().filter(|_| is_whole && chat == ChatName::Slack).map(ToString::to_string);
        meant.links = sheet.chain(meant.links).collect();
        check(&text, chat, &meant, 18);
    }
}

/// The same of what is told of a storm: it mentions people while it is on, and nobody once it is over.
#[track_caller]
pub(super) fn strangers_set_nothing_off_in_a_storm(storm: &Storm) {
    for (text, chat, _) in printed(Subject::Storm(storm)) {
        let today =
            if let (Mentions::OnCall(today), false) = (&storm.mentions, storm.is_over) { Some(today) } else { None };
        let mut meant = Effects::meant(today, &[], chat);
        meant.links.extend(storm.list.iter().filter(|_| chat == ChatName::Slack).map(ToString::to_string));
        // Mentions, how many, what that means, the list, lines on the roster (eight), the doubt and the chat.
        check(&text, chat, &meant, 14);
    }
}

/// The same of what automation says.
#[track_caller]
pub(super) fn strangers_set_nothing_off_in_a_notice(notice: &Notice) {
    for (text, chat, _) in printed(Subject::Notice(notice)) {
        let meant = Incident { link: notice.link.clone(), title: None, ..notice.incident.clone() };
        // What it says, who says it, the doubt and the chat.
        check(&text, chat, &Effects::meant(None, &[&meant], chat), 4);
    }
}

/// The same of a week that names one incident twice.
#[track_caller]
pub(super) fn strangers_set_nothing_off_in_a_week(week: &Week) {
    let Some(Report { titles, .. }) = &week.report else { panic!("no numbers") };
    for (text, chat, is_whole) in printed(Subject::Week(week)) {
        let incidents: Vec<_> = titles.iter().filter(|_| is_whole).flat_map(|title| [&title.last; 2]).collect();
        let tables = if is_whole && chat == ChatName::Slack { 2 } else { 0 };
        assert_eq!(text.matches("```").count(), 2 * tables, "{text}");
        // How many (three), four rows with two heads and four fences, how long, which titles, doubt and chat.
        check(&text, chat, &Effects::meant(None, &incidents, chat), 18);
    }
}

/// Everything that is printed about some subject, on a chat that is a backup.
fn printed(subject: Subject<'_>) -> impl Iterator<Item = (String, ChatName, bool)> {
    const CHATS: [ChatName; 2] = [ChatName::Typetalk, ChatName::Slack];
    let both = |chat, language| {
        let failed = CHATS.into_iter().find(|other| *other != chat);
        let instead_of = failed.map(|chat| FailedChat { chat, in_doubt: true });
        let destination = Destination { chat, instead_of, in_doubt: true };
        let whole = Message::whole(subject, destination, language);
        let minimum = Message::minimum(subject, destination, language);
        [(chat::render(chat, &whole), chat, true), (chat::render(chat, &minimum), chat, false)]
    };
    let languages = move |chat| [Language::Japanese, Language::English].map(|language| both(chat, language)).concat();
    CHATS.map(languages).concat().into_iter()
}

#[track_caller]
fn check(text: &str, chat: ChatName, meant: &Effects, most_lines: usize) {
    assert_eq!(&Effects::of(text, chat), meant, "{text}");
    assert!(text.encode_utf16().count() < 4_000, "{text}");
    let (quotes, ours): (Vec<_>, Vec<_>) = text.split('\n').partition(|line| line.starts_with("> "));
    assert!(quotes.len() <= 20 && ours.len() <= most_lines, "{text:?}");
    assert!(ours.iter().all(|line| !line.trim().is_empty()), "{text:?}");
    match chat {
        // A mention or tag is one only if white space is before it; behind it, `Effects` has looked.
        ChatName::Typetalk => {
            assert!(!text.contains(fools_a_reader), "{text:?}");
            let stands_free = |(at, _)| text[..at].chars().next_back().is_none_or(char::is_whitespace);
            assert!(text.match_indices(['@', '#']).all(stands_free), "{text}");
        }
        ChatName::Slack => {
            // The one invisible character is there only where something would be formatted without it.
            let table: String = text.split("```\n").skip(1).step_by(2).collect();
            assert!(!table.contains(fools_a_reader), "{text:?}");
            for line in outside_tables(text) {
                let plain = line.replace(JOINER, "");
                assert!(!plain.contains(fools_a_reader), "{text:?}");
                assert!(plain == line || !formats(&plain).is_empty(), "{line:?}");
            }
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
