//! Cells that hand the duty over: `A→B`.

use super::super::super::labels::{is_half_a_day, without_label};
use super::super::super::naming::Naming;
use super::super::super::pieces::{notes, tokens};
use super::super::super::problem::RowIssue;
use super::CellParser;

impl CellParser<'_> {
    /// `A→B`, alone in its cell, is B.
    pub(super) fn handed_over(&self, text: &str, arrows: &[(usize, usize)]) -> Naming {
        if is_about_parts_of_a_day(text, arrows) {
            return Naming::trouble(RowIssue::Arrow);
        }
        let mut start = 0;
        for (at, length) in arrows {
            let from = text[start..*at].trim();
            let parts = tokens(from);
            let naming =
                if from.is_empty() { Naming::trouble(RowIssue::Arrow) } else { self.several(from, &parts, false) };
            if let Some(issue) = naming.trouble {
                return Naming::trouble(issue);
            }
            let parts_are_names = || parts.iter().any(|part| self.is_known(&from[part.start..part.end]));
            let is_one = parts.len() < 2 || self.member(from).is_some() || !parts_are_names();
            if !is_one || naming.people.len() > 1 || naming.no_name.is_some() {
                return Naming::trouble(RowIssue::Arrow);
            }
            start = at + length;
        }
        let to = text[start..].trim();
        let naming = self.several(to, &tokens(to), self.members_only);
        match naming.people.len() {
            _ if to.is_empty() || naming.no_name.is_some() => Naming::trouble(RowIssue::Arrow),
            0 if naming.undecided || naming.trouble.is_some() => naming,
            0 => Naming::trouble(RowIssue::NameAndNobody),
            1 => naming,
            _ => Naming::trouble(RowIssue::Arrow),
        }
    }
}

/// Whether the arrows stand between parts of a day, or between roles: `AM:田中→PM:鈴木`, `田中(〜15時)→鈴木(15時〜)`.
fn is_about_parts_of_a_day(text: &str, arrows: &[(usize, usize)]) -> bool {
    let starts = std::iter::once(0).chain(arrows.iter().map(|(at, length)| at + length));
    let ends = arrows.iter().map(|(at, _)| *at).chain([text.len()]);
    let sides: Vec<&str> = starts.zip(ends).map(|(start, end)| text[start..end].trim()).collect();
    let says_when = |note: &str| is_half_a_day(note) || note.contains(|c: char| c.is_ascii_digit());
    let has_half = |side: &&str| side.split_once(':').is_some_and(|(label, _)| is_half_a_day(label));
    sides.iter().any(has_half)
        || sides.iter().skip(1).any(|side| without_label(side).is_some())
        || (sides.len() > 1 && sides.iter().all(|side| notes(side).into_iter().any(says_when)))
}
