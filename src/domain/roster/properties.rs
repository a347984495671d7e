//! What holds for any sheet: nothing breaks the reading, and what is no person is never mentioned.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::domain::samples::{MEMBERS, table, today};

/// A cell of any kind, and often one that the laws speak of.
fn cell() -> impl Strategy<Value = Cell> {
    const WORDS: &[&str] = &[
        "日付",
        "担当",
        "備考",
        "週",
        "終了",
        "開始",
        "Date",
        "On call",
        "Notes",
        "月",
        "火",
        "○",
        "×",
        "TRUE",
        "休み",
        "なし",
        "未定",
        "TBD",
        "N/A",
        "Loading...",
        "#REF!",
        "田中",
        "鈴木さん",
        "佐藤 花子",
        "田中→鈴木",
        "田中（休）",
        "田中、鈴木 渡辺",
        "@tanaka",
        "<@U0TANAKA1>",
        "11/24(火)",
        "11/23〜11/27",
        "2026-11-24",
        "3/4/2026",
        "26/11/24",
        "R8/11/24",
        "11-24",
        "10:00-17:00",
        "090-0000-0000",
        "the day after",
        "please ask yamada or sato",
        "(",
        "→",
        "・",
    ];
    prop_oneof![
        2 => Just(Cell::Empty),
        1 => any::<bool>().prop_map(Cell::Flag),
        1 => any::<f64>().prop_map(Cell::Number),
        2 => (46_000.0..46_800.0_f64).prop_map(|serial| Cell::Number(serial.trunc())),
        4 => prop::sample::select(WORDS).prop_map(|word| Cell::Text(word.to_owned())),
        1 => "\\PC{0,12}".prop_map(Cell::Text),
        1 => "[0-9月日/〜()（）火→、・ @a田中休-]{0,14}".prop_map(Cell::Text),
    ]
}

fn any_table() -> impl Strategy<Value = Table> {
    let rows = prop::collection::vec(prop::collection::vec(cell(), 0..6), 0..12);
    let merge = (0..14_usize, 0..8_usize, 0..20_usize, 0..20_usize);
    (rows, prop::collection::vec(merge, 0..4), 1..4_usize, 1..4_usize).prop_map(
        |(rows, merges, first_row, first_column)| {
            let merges =
                merges.into_iter().map(|(row, column, rows, columns)| Merge { row, column, rows, columns }).collect();
            Table { first_row, first_column, merges, rows }
        },
    )
}

fn parse(roster: Table, members: MembersTable) -> Roster {
    Roster::parse(&Tables { roster, members }, &ReadingRules::default(), today()).0
}

/// Every day that a table may speak of, and who is on call.
fn days(roster: &Roster) -> Vec<OnCall> {
    (0..900).map(|day| roster.on_call(today() - TimeDelta::days(450) + TimeDelta::days(day))).collect()
}

/// The days that aren't missing, without places in the sheet: they differ where the table stands elsewhere.
fn answers(roster: &Roster) -> Vec<String> {
    let answer = |(day, on_call): (usize, OnCall)| match on_call {
        OnCall::NoRow => None,
        OnCall::NotUnderstood { issue, .. } => Some(format!("{day}: {issue:?}")),
        other => Some(format!("{day}: {other:?}")),
    };
    days(roster).into_iter().enumerate().filter_map(answer).collect()
}

/// A tidy roster: dates that ascend, and names under titles that say so.
fn tidy() -> impl Strategy<Value = Vec<Vec<Cell>>> {
    let name = || {
        prop::sample::select(&["田中", "鈴木", "佐藤 花子", "", "なし", "新人", "未定", "田中、渡辺", "10:00", "○"][..])
            .prop_map(|name| if name.is_empty() { Cell::Empty } else { Cell::Text(name.to_owned()) })
    };
    let row =
        (1..9_i64, name(), name(), prop::sample::select(&["%Y-%m-%d", "%-m/%-d(%a)", "%Y年%-m月%-d日", "serial"][..]));
    (prop::collection::vec(row, 3..12), prop::sample::select(&["日付", "週", "Date", ""][..])).prop_map(
        |(rows, title)| {
            let text = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
            let mut date = today() - TimeDelta::days(20);
            let mut table = vec![vec![text(title), text("担当"), text("備考"), text("副担当")]];
            for (gap, first, second, form) in rows {
                date += TimeDelta::days(gap);
                let epoch = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap();
                let days = i32::try_from((date - epoch).num_days()).unwrap();
                let cell =
                    if form == "serial" { Cell::Number(days.into()) } else { text(&date.format(form).to_string()) };
                table.push(vec![cell, first, text("@noted 山田"), second]);
            }
            table
        },
    )
}

fn turned(rows: &[Vec<Cell>]) -> Vec<Vec<Cell>> {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    (0..width).map(|column| rows.iter().map(|row| row.get(column).cloned().unwrap_or(Cell::Empty)).collect()).collect()
}

fn members() -> MembersTable {
    MembersTable::Table(table(1, MEMBERS))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_table_breaks_the_reading(roster in any_table(), tab in any_table()) {
        for members in [MembersTable::None, MembersTable::Unreadable, members(), MembersTable::Table(tab)] {
            let rows = roster.rows.len() + roster.first_row;
            let columns = 20 + roster.first_column;
            let tables = Tables { roster: roster.clone(), members };
            let (read, problems) = Roster::parse(&tables, &ReadingRules::default(), today());
            days(&read);
            for problem in problems.iter().filter(|problem| problem.tab == Tab::Roster) {
                let exists = match problem.row {
                    Line::Row(row) => row < rows,
                    Line::Column(column) => column < columns,
                };
                prop_assert!(exists, "{problem}");
            }
        }
    }

    /// Nothing but a name is mentioned: no title, note, date, time, number or phone, wherever it stands.
    #[test]
    fn what_is_no_person_is_never_mentioned(
        mut rows in tidy(),
        strange in prop::sample::select(&[
            "2026-11-24", "11/24", "11-24", "10:00", "10:00-17:00", "9am", "Tue", "火", "Mon-Fri", "12345", "1,234", "3rd",
            "090-0000-0000", "(03)1234-5678", "+81-90-0000-0000", "tel:0312345678", "20261124", "11/23〜11/27", "TBD",
            "none", "off", "#REF!", "please ask somebody who knows it", "https://example.com/x", "www.example.com",
        ][..]),
        row in any::<prop::sample::Index>(),
        column in prop::sample::select(&[1_usize, 3][..]),
    ) {
        let row = 1 + row.index(rows.len() - 1);
        rows[row][column] = Cell::Text(strange.to_owned());
        let roster = parse(Table::new(1, rows), MembersTable::None);
        for on_call in days(&roster) {
            let OnCall::People(people) = on_call else { continue };
            // All names of this sheet are Japanese, and no handles: whatever is mentioned is not one of them.
            prop_assert!(people.iter().all(|person| !person.can_be_mentioned()), "{strange}: {people:?}");
        }
    }

    #[test]
    fn a_bad_row_hides_no_good_one(rows in tidy(), at in any::<prop::sample::Index>(), bad in prop::collection::vec(cell(), 4)) {
        let before = parse(Table::new(1, rows.clone()), members());
        let mut more = rows.clone();
        let mut bad = bad;
        // A row of no day: a date of one might add to it, and a title might be a header.
        bad[0] = Cell::Text("the day after".to_owned());
        more.insert(2 + at.index(rows.len() - 1), bad);
        let after = parse(Table::new(1, more), members());
        for (before, after) in days(&before).into_iter().zip(days(&after)) {
            if let OnCall::People(_) = before {
                prop_assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn a_turned_copy_gives_the_same_days(rows in tidy()) {
        let upright = parse(Table::new(1, rows.clone()), members());
        let turned = parse(Table::new(1, turned(&rows)), members());
        prop_assert!(turned.shape().is_turned && !upright.shape().is_turned);
        prop_assert_eq!(answers(&upright), answers(&turned));
    }

    #[test]
    fn blank_rows_around_and_a_blank_column_at_the_right_change_nothing(
        table in prop_oneof![
            any_table(),
            tidy().prop_map(|rows| Table::new(1, rows)),
            tidy().prop_map(|rows| Table::new(1, turned(&rows))),
        ],
        kind in 0..4_usize,
    ) {
        let table = Table { merges: Vec::new(), ..table };
        let plain = parse(table.clone(), members());
        let mut rows = table.rows.clone();
        let blank = || Cell::Text(" \u{200b}".to_owned());
        match kind {
            0 => rows.insert(0, Vec::new()),
            1 => rows.insert(0, vec![blank(), Cell::Empty]),
            2 => rows.push(vec![Cell::Empty, blank()]),
            _ => {
                let width = rows.iter().map(Vec::len).max().unwrap_or(0);
                for row in &mut rows {
                    row.resize(width, Cell::Empty);
                    row.push(blank());
                }
            }
        }
        let padded = parse(Table { rows, ..table }, members());
        prop_assert_eq!(answers(&plain), answers(&padded));
    }

    /// A week may have a row for each of its days, in whatever order; a day without one has none.
    #[test]
    fn rows_of_a_week_with_weekdays_are_those_of_its_days(
        rows in prop::collection::hash_set(0..7_usize, 2..7)
            .prop_flat_map(|days| (Just(days.into_iter().collect::<Vec<_>>()).prop_shuffle(), prop::collection::vec("(田中|鈴木|佐藤 花子|なし|新人)", 7))),
    ) {
        let text = |text: &str| Cell::Text(text.to_owned());
        let (days, names) = rows;
        let monday = "2026-11-23".parse::<NaiveDate>().unwrap();
        let written = |day: usize| text(&(monday + TimeDelta::days(day.try_into().unwrap())).to_string());
        let mut weekly = vec![vec![text("週"), text("曜日"), text("担当")]];
        let mut daily = vec![vec![text("日付"), text("担当")]];
        for (index, (day, name)) in days.iter().zip(&names).enumerate() {
            let week = if index == 0 { written(0) } else { Cell::Empty };
            weekly.push(vec![week, text(["月", "火", "水", "木", "金", "土", "日"][*day]), text(name)]);
            daily.push(vec![written(*day), text(name)]);
        }
        let read = |rows| answers(&parse(Table::new(1, rows), members()));
        prop_assert_eq!(read(weekly), read(daily));
    }
}

#[test]
fn rows_of_any_number_are_read() {
    let text = |text: &str| Cell::Text(text.to_owned());
    for row in [
        vec![text("11/24"), text("田中")],
        vec![text("11/24(水)"), text("田中、鈴木 新人")],
        vec![text("#REF!"), text("Loading...")],
        vec![Cell::Empty, text("田中")],
        vec![text("the day after"), text("田中")],
        vec![text("日付"), text("担当")],
        vec![Cell::Number(46_350.0), Cell::Number(46_351.0), text("田中")],
    ] {
        let merges = vec![Merge { row: 1, column: 1, rows: usize::MAX, columns: usize::MAX }; 100];
        let rows = vec![row; 20_000];
        let roster = Table { merges: Vec::new(), ..Table::new(1, rows) };
        let one_cell = Table { merges, ..roster.clone() };
        for table in [roster, one_cell] {
            let _ = parse(table, members()).day(today());
        }
    }
}
