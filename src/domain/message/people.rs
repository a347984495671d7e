//! Whom a message is for: everybody on call, and those of last resort if nobody of them can be mentioned.

use super::{ChatName, Language, MAX_PEOPLE, Mentions, OnCall, OnCallDay, Person, Span, untrusted};

/// The first line: everybody on call, mentioned or by name, and the fallback if nobody can be mentioned.
pub(super) fn mention_spans(mentions: &Mentions, chat: ChatName, language: Language) -> Vec<Span> {
    let Mentions::OnCall(today) = mentions else { return Vec::new() };
    let fallback = needs_fallback(today, chat).then(|| fallback_people(today, chat));
    mention_line(on_call_people(today).iter().chain(fallback.into_iter().flatten()), chat, language)
}

/// Those of last resort who can be mentioned here; if nobody can, all of them by name.
pub(super) fn fallback_people(today: &OnCallDay, chat: ChatName) -> impl Iterator<Item = &Person> {
    let anybody = today.fallback.iter().any(|person| person.mention(chat).is_some());
    today.fallback.iter().filter(move |person| !anybody || person.mention(chat).is_some())
}

pub(super) fn mention_line<'a>(
    people: impl Iterator<Item = &'a Person>,
    chat: ChatName,
    language: Language,
) -> Vec<Span> {
    let mut line: Vec<Span> = Vec::new();
    for person in people {
        let span = person.mention(chat).cloned().map(Span::Mention).or_else(|| untrusted(person.name()));
        line.extend(span.filter(|span| !line.contains(span)));
    }
    // A mention is worth more than a name: names are the first that a crowded line leaves out.
    if line.len() > MAX_PEOPLE {
        let left_out = line.len() - MAX_PEOPLE;
        line.sort_by_key(|span| !matches!(span, Span::Mention(_)));
        line.truncate(MAX_PEOPLE);
        line.push(Span::Words(language.more_people(left_out)));
    }
    line
}

pub(super) fn on_call_people(today: &OnCallDay) -> &[Person] {
    match &today.on_call {
        OnCall::People(people) => people,
        _ => &[],
    }
}

pub(super) fn needs_fallback(today: &OnCallDay, chat: ChatName) -> bool {
    on_call_people(today).iter().all(|person| person.mention(chat).is_none())
}
