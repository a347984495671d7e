//! The lines of a notice: what automation says, under its incident's tag, without anybody's mention.

use super::{Destination, Language, SHORT_TITLE, Span, join, practice, quoted, sanitize, untrusted};
use crate::domain::notice::Notice;

pub(super) fn lines(notice: &Notice, destination: Destination, language: Language) -> Vec<Vec<Span>> {
    let mut text = sanitize::lines(&notice.text).into_iter();
    let mut headline = opening(notice, language);
    headline.extend(text.next().map(Span::Untrusted));
    let mut lines = vec![headline];
    lines.extend(quoted(text.collect()));
    let source = notice.source.as_deref().and_then(untrusted);
    let source = source.map(|source| vec![Span::Words(format!("{}:", language.source())), source]);
    let link = notice.link.clone().map(|link| vec![Span::Link(link)]);
    lines.push(join(source.into_iter().chain(link).collect(), "/"));
    if notice.in_doubt || destination.in_doubt {
        lines.push(vec![Span::Words(language.in_doubt().to_owned())]);
    }
    if let Some(failed) = destination.instead_of {
        lines.push(vec![Span::Words(language.failed_over(failed, destination.chat))]);
    }
    lines
}

pub(super) fn bare_lines(notice: &Notice, destination: Destination, language: Language) -> Vec<Vec<Span>> {
    let mut line = opening(notice, language);
    line.push(Span::Untrusted(sanitize::shorten(&sanitize::line(&notice.text), SHORT_TITLE)));
    line.extend(notice.link.clone().map(Span::Link));
    let mut lines = vec![line];
    if let Some(failed) = destination.instead_of {
        lines.push(vec![Span::Words(language.failed_over(failed, destination.chat))]);
    }
    lines
}

/// `✅ 成功 #pd33`
fn opening(notice: &Notice, language: Language) -> Vec<Span> {
    let mut line = practice(&notice.incident, language);
    line.push(Span::Words(format!("{} {}", notice.status.icon(), language.notice(notice.status))));
    line.extend(notice.incident.tag().map(Span::Tag));
    line
}
