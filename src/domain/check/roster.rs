//! Whether the sheet says who is on call: that it can be read, how it is read, and what it says of the days ahead.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::Finding;
use crate::domain::calendar::Calendar;
use crate::domain::chat::ChatName;
use crate::domain::roster::{
    Line, MembersTable, Note, OnCall, OnCallDay, Person, RosterState, RowProblem, Shape, Snapshot, Tab,
};

/// How many working days ahead are looked at.
const DAYS: usize = 10;
/// How many rows are named.
const MAX_ROWS: usize = 20;

/// Whether the sheet can be read, and how it was. `remedy` is what the log says of a reading that failed.
#[must_use]
pub fn sheet(state: &RosterState, remedy: Option<&str>, now: DateTime<Utc>) -> Finding {
    const NAME: &str = "sheet";
    let shape = state.snapshot.as_ref().map(|snapshot| read_as(&snapshot.roster.shape()));
    if state.failure.is_none() {
        return Finding::ok(NAME, format!("readable; {}", shape.unwrap_or_default()));
    }
    let copy = state.snapshot.as_ref().map_or_else(
        || "there is no good copy to fall back to".to_owned(),
        |copy| format!("the copy of {} min ago is used", (now - copy.read_at).num_minutes().max(0)),
    );
    Finding::failed(NAME, format!("it can't be read; {copy}"), remedy.unwrap_or("the function's log says why"))
}

/// How a sheet was read, in words.
#[must_use]
pub fn read_as(shape: &Shape) -> String {
    let lines = |lines: &[Line]| lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut words = vec![
        if shape.is_turned { "dates across" } else { "dates down" }.to_owned(),
        shape.header.map_or_else(|| "no header".to_owned(), |header| format!("header in {header}")),
        format!("dates in {}", lines(&shape.dates)),
        if shape.people.is_empty() { "no people".to_owned() } else { format!("people in {}", lines(&shape.people)) },
        if shape.is_weekly { "a row is a week" } else { "a row is a day" }.to_owned(),
    ];
    if !shape.left_out.is_empty() {
        words.push(format!("not read as people: {}", lines(&shape.left_out)));
    }
    words.join("; ")
}

/// Whether the members tab says who people are.
#[must_use]
pub fn members(state: &RosterState, complaint: Option<&str>, problems: &[RowProblem], chats: &[ChatName]) -> Finding {
    const NAME: &str = "members";
    let Some(snapshot) = &state.snapshot else {
        return Finding::skipped(NAME, "the sheet can't be read", "see the check `sheet`");
    };
    if let Some(complaint) = complaint {
        return Finding::failed(NAME, "the members tab can't be read", complaint);
    }
    match snapshot.tables.members {
        MembersTable::None if chats.len() > 1 => Finding::warning(
            NAME,
            "no members tab is set, so a name can be an id on only one of the two chats",
            "make a tab with name, typetalk and slack, and set MEMBERS_RANGE (docs/sheet.md)",
        ),
        MembersTable::None => {
            Finding::skipped(NAME, "MEMBERS_RANGE is not set: names in the sheet are the chat's ids", "")
        }
        MembersTable::Unreadable => {
            Finding::failed(NAME, "the members tab can't be read", "check MEMBERS_RANGE; the function's log says why")
        }
        MembersTable::Table(_) => {
            let people = snapshot.roster.everybody();
            let count = |chat| people.iter().filter(|person| person.mention(chat).is_some()).count();
            let counts = chats.iter().map(|chat| format!("{} with an id on {chat}", count(*chat)));
            let counts: Vec<_> = [format!("{} people", people.len())].into_iter().chain(counts).collect();
            let finding = Finding::ok(NAME, counts.join(", "));
            rows(NAME, problems, Tab::Members).map_or(finding.clone(), |rows| finding.and(rows))
        }
    }
}

/// What the roster says of the next working days.
#[must_use]
pub fn roster(
    state: &RosterState,
    problems: &[RowProblem],
    fallback: &[String],
    chats: &[ChatName],
    calendar: &Calendar,
    now: DateTime<Utc>,
) -> Finding {
    const NAME: &str = "roster";
    if state.snapshot.is_none() {
        return Finding::skipped(NAME, "the sheet can't be read", "see the check `sheet`");
    }
    let days: Vec<_> = days(calendar, calendar.today(now), DAYS)
        .map(|date| OnCallDay::from_reading(state, fallback, date, now))
        .collect();
    let lines: Vec<_> = days.iter().map(|day| format!("{}: {}", day_name(day.date), said(day, chats))).collect();
    let is_bad = |day: &OnCallDay| !matches!(day.on_call, OnCall::Nobody | OnCall::People(_));
    let lacks_ids = |day: &OnCallDay| chats.iter().any(|chat| day.unmentionable(*chat) > 0);
    let detail = lines.join("\n");
    let remedy = "fill in the days that are named, as docs/sheet.md says, and correct the names";
    // Today and the next working day are somebody's duty now.
    let finding = if days.iter().take(2).any(is_bad) {
        Finding::failed(NAME, detail, remedy)
    } else if days.iter().any(|day| is_bad(day) || lacks_ids(day)) {
        Finding::warning(NAME, detail, remedy)
    } else {
        Finding::ok(NAME, detail)
    };
    rows(NAME, problems, Tab::Roster).map_or(finding.clone(), |rows| finding.and(rows))
}

/// The next working days, today among them if it is one.
pub fn days(calendar: &Calendar, today: NaiveDate, count: usize) -> impl Iterator<Item = NaiveDate> {
    let first = if calendar.is_working_day(today) { Some(today) } else { calendar.next_working_day(today) };
    std::iter::successors(first, |date| calendar.next_working_day(*date)).take(count)
}

/// `2026-12-01 (Tue)`
#[must_use]
pub fn day_name(date: NaiveDate) -> String {
    format!("{date} ({})", date.weekday())
}

/// What a day says, with who can't be mentioned.
#[must_use]
pub fn said(day: &OnCallDay, chats: &[ChatName]) -> String {
    let mut said = match &day.on_call {
        OnCall::People(people) => people.iter().map(|person| named(person, chats)).collect::<Vec<_>>().join(", "),
        OnCall::Nobody => "nobody, as the row says".to_owned(),
        OnCall::Undecided => "undecided".to_owned(),
        OnCall::NotUnderstood { row, issue } => format!("not understood ({row}: {})", issue.remedy()),
        OnCall::NoRow => "no row".to_owned(),
        OnCall::Unknown(_) => "not known: the sheet can't be read".to_owned(),
    };
    for note in &day.notes {
        let note = match note {
            Note::PartlyUndecided => "somebody else is undecided".to_owned(),
            Note::RowNotUnderstood { row, issue } => format!("{row} is not understood: {}", issue.remedy()),
            Note::OtherYear { row, date } => format!("{row} is {date}"),
            Note::LooksWeekly => "the rows look weekly; if they are, head their dates `week`".to_owned(),
            Note::UnreadRows { rows, .. } => {
                format!("not read: {}", rows.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            }
            Note::ColumnLeftOut { .. } | Note::ColumnMissing { .. } => "see ROSTER_COLUMNS".to_owned(),
            Note::ReadAsWeekly => continue,
        };
        said.push_str("; ");
        said.push_str(&note);
    }
    said
}

fn named(person: &Person, chats: &[ChatName]) -> String {
    let without: Vec<_> =
        chats.iter().filter(|chat| person.mention(**chat).is_none()).map(|chat| format!("no id on {chat}")).collect();
    let name = person.name();
    if without.is_empty() { name.to_owned() } else { format!("{name} ({})", without.join(", ")) }
}

/// The rows to mend.
fn rows(name: &'static str, problems: &[RowProblem], tab: Tab) -> Option<Finding> {
    let of_tab: Vec<_> = problems.iter().filter(|problem| problem.tab == tab).collect();
    if of_tab.is_empty() {
        return None;
    }
    let mut lines: Vec<_> = of_tab.iter().take(MAX_ROWS).map(ToString::to_string).collect();
    if of_tab.len() > MAX_ROWS {
        lines.push(format!("{} more rows have problems", of_tab.len() - MAX_ROWS));
    }
    Some(Finding::warning(name, lines.join("\n"), "mend the rows that are named"))
}

/// Everybody of the members tab who has an id on Slack: name and id, groups apart from people.
#[must_use]
pub fn slack_ids(snapshot: &Snapshot) -> Vec<(String, String)> {
    let people = snapshot.roster.everybody().iter();
    people
        .filter_map(|person| Some((person.name().to_owned(), person.mention(ChatName::Slack)?.id().to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;
    use crate::domain::roster::SourceFailure;
    use crate::domain::samples::{now, reading};

    const BOTH: [ChatName; 2] = [ChatName::Typetalk, ChatName::Slack];

    fn judged(rows: &[&[&str]]) -> Finding {
        roster(&reading(rows), &[], &[], &BOTH, &Calendar::default(), now())
    }

    fn full(change: Option<(usize, &str)>) -> Vec<[String; 2]> {
        let calendar = Calendar::default();
        let days = days(&calendar, "2026-11-24".parse().unwrap(), 10).enumerate();
        days.map(|(index, date)| {
            let cell = change.filter(|(at, _)| *at == index).map_or("田中", |(_, cell)| cell);
            [date.to_string(), cell.to_owned()]
        })
        .collect()
    }

    fn of(rows: &[[String; 2]]) -> Finding {
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        judged(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn ten_working_days_are_told_and_the_nearest_two_must_be_filled_in() {
        let fine = of(&full(None));
        assert_eq!((fine.status, fine.detail.lines().count()), (Status::Ok, 10));
        assert!(fine.detail.starts_with("2026-11-24 (Tue): 田中"), "{fine:?}");
        for (at, cell, status, said) in [
            (0, "未定", Status::Failed, "undecided"),
            (1, "13:00", Status::Failed, "not understood"),
            (2, "未定", Status::Warning, "2026-11-26 (Thu): undecided"),
            (5, "高橋", Status::Warning, "高橋 (no id on Typetalk)"),
            (0, "なし", Status::Ok, "nobody, as the row says"),
        ] {
            let finding = of(&full(Some((at, cell))));
            assert_eq!(finding.status, status, "{cell}: {finding:?}");
            assert!(finding.detail.contains(said), "{finding:?}");
            assert!(!finding.remedy.contains("高橋"), "{finding:?}");
        }
    }

    #[test]
    fn a_sheet_of_another_year_has_no_rows_and_says_which_year_it_is() {
        let rows: Vec<_> = full(None).into_iter().map(|[date, who]| [date.replace("2026", "2025"), who]).collect();
        let finding = of(&rows);
        assert_eq!(finding.status, Status::Failed);
        assert!(finding.detail.contains("no row; row 1 is 2025-11-24"), "{finding:?}");
    }

    #[test]
    fn a_sheet_says_how_it_was_read_or_why_not() {
        let finding = sheet(&reading(&[&["日付", "担当"], &["2026-11-24", "田中"]]), None, now());
        assert_eq!(
            finding.detail,
            "readable; dates down; header in row 1; dates in column A; people in column B; a row is a day"
        );
        let failed = RosterState { snapshot: None, failure: Some(SourceFailure::Forbidden), ..RosterState::default() };
        let finding = sheet(&failed, Some("share it with relay@example.com"), now());
        assert_eq!((finding.status, finding.remedy.as_str()), (Status::Failed, "share it with relay@example.com"));
        for finding in
            [members(&failed, None, &[], &BOTH), roster(&failed, &[], &[], &BOTH, &Calendar::default(), now())]
        {
            assert_eq!(finding.status, Status::Skipped, "{finding:?}");
        }
    }

    #[test]
    fn the_members_tab_counts_who_can_be_mentioned_where() {
        let finding = members(&reading(&[]), None, &[], &BOTH);
        assert_eq!(finding.detail, "6 people, 4 with an id on Typetalk, 5 with an id on Slack");
        let finding = members(&reading(&[]), Some("check MEMBERS_RANGE"), &[], &BOTH);
        assert_eq!((finding.status, finding.remedy.as_str()), (Status::Failed, "check MEMBERS_RANGE"));
    }
}
