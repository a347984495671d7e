//! The lines of a week's message: numbers as tables, how long it took, and which titles came most often.

use super::{Destination, Language, Span, Table, sanitize};
use crate::domain::event::Incident;
use crate::domain::week::{Count, Frequent, Report, Resolution, Week};

pub(super) fn lines(week: &Week, destination: Destination, language: Language) -> Vec<Vec<Span>> {
    let mut lines = bare_lines(week, destination, language);
    if let Some(report) = week.report.as_ref().filter(|report| report.count.all > 0) {
        lines.push(vec![Span::Table(by_service(report, language))]);
        lines.push(vec![Span::Table(by_day(report, language))]);
        lines.extend(report.resolution.as_ref().map(|resolution| resolution_line(resolution, language)));
        if !report.titles.is_empty() {
            lines.push(vec![Span::Words(language.frequent_titles().to_owned())]);
            lines.extend(report.titles.iter().map(|frequent| title_line(frequent, language)));
        }
    }
    if week.in_doubt || destination.in_doubt {
        lines.push(vec![Span::Words(language.in_doubt().to_owned())]);
    }
    if let Some(failed) = destination.instead_of {
        lines.push(vec![Span::Words(language.failed_over(failed, destination.chat))]);
    }
    lines
}

/// How many there were, or that nobody could say.
pub(super) fn bare_lines(week: &Week, _: Destination, language: Language) -> Vec<Vec<Span>> {
    let words = |words: String| vec![Span::Words(words)];
    match &week.report {
        None => vec![words(language.week_unknown(&week.period))],
        Some(report) if report.count.all == 0 && !report.or_more => vec![words(language.quiet_week(&week.period))],
        Some(report) => {
            let mut lines = vec![words(language.week(&week.period, report)), words(language.week_details(report))];
            if report.or_more {
                lines.push(words(language.week_has_more().to_owned()));
            }
            lines
        }
    }
}

fn by_service(report: &Report, language: Language) -> Table {
    let name = |name: &String| {
        let name = sanitize::line(name);
        if name.is_empty() { Span::Words("-".to_owned()) } else { Span::Untrusted(name) }
    };
    let mut rows: Vec<_> = report.services.iter().map(|(service, count)| (name(service), numbers(*count))).collect();
    if report.more_services > 0 {
        rows.push((Span::Words(language.more_services(report.more_services)), Vec::new()));
    }
    Table { head: head(language.service(), language), rows }
}

fn by_day(report: &Report, language: Language) -> Table {
    let rows = report.days.iter().map(|(day, count)| (Span::Words(language.date(*day)), numbers(*count)));
    Table { head: head(language.day(), language), rows: rows.collect() }
}

fn head(first: &str, language: Language) -> Vec<String> {
    let [all, in_hours, out_of_hours] = language.counts();
    [first, all, in_hours, out_of_hours].map(str::to_owned).to_vec()
}

fn numbers(count: Count) -> Vec<String> {
    [count.all, count.in_hours, count.out_of_hours()].map(|number| number.to_string()).to_vec()
}

/// `⏱️ 解決まで: 中央値 23分、最長 3時間10分 #pd33 title link`
fn resolution_line(resolution: &Resolution, language: Language) -> Vec<Span> {
    let mut line = vec![Span::Words(language.time_to_resolve(resolution.median, resolution.longest))];
    line.extend(named(&resolution.longest_of, language));
    line
}

/// `3件 #pd33 title link`
fn title_line(frequent: &Frequent, language: Language) -> Vec<Span> {
    let mut line = vec![Span::Words(language.times(frequent.times))];
    line.extend(named(&frequent.last, language));
    line
}

fn named(incident: &Incident, language: Language) -> Vec<Span> {
    let mut spans: Vec<_> = incident.tag().map(Span::Tag).into_iter().collect();
    let title = incident.title.as_deref().and_then(super::untrusted);
    spans.push(title.unwrap_or_else(|| Span::Words(language.no_title().to_owned())));
    spans.extend(incident.link.clone().map(Span::Link));
    spans
}
