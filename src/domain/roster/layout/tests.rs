//! Where tables have their header, their dates and their people.

use super::super::cells::{Cell, Table};
use super::super::columns::ColumnKind;
use super::super::members::{Members, MembersTable};
use super::*;

fn grid(rows: &[&[&str]]) -> Grid {
    let cell = |text: &&str| match text.parse() {
        Ok(number) => Cell::Number(number),
        Err(_) if text.is_empty() => Cell::Empty,
        Err(_) => Cell::Text((*text).to_owned()),
    };
    Grid::of(&Table::new(1, rows.iter().map(|row| row.iter().map(cell).collect()).collect()))
}

fn layout(rows: &[&[&str]], wanted: &[&str]) -> Layout {
    let members = Members::parse(&MembersTable::None).0;
    let wanted: Vec<String> = wanted.iter().map(|title| (*title).to_owned()).collect();
    Layout::of(&grid(rows), &wanted, &mut MemberCells::new(&members))
}

/// The header's row, then for each table its columns: `D` dates, `E` ends, `N` names, `M` marks, a weekday, `x` left out.
fn shown(rows: &[&[&str]]) -> String {
    let layout = layout(rows, &[]);
    let mut shown = layout.header.map_or("none".to_owned(), |header| header.to_string());
    for part in &layout.parts {
        let mut columns: Vec<(usize, String)> = vec![(part.dates, "D".to_owned())];
        columns.extend(part.ends.map(|column| (column, "E".to_owned())));
        columns.extend(part.left_out.iter().map(|column| (*column, "x".to_owned())));
        columns.extend(part.columns.iter().map(|column| match column.kind {
            ColumnKind::Names => (column.index, "N".to_owned()),
            ColumnKind::NamesOn(weekday) => (column.index, weekday.to_string()),
            ColumnKind::Marks => (column.index, "M".to_owned()),
        }));
        columns.sort();
        let columns: Vec<String> = columns.into_iter().map(|(column, kind)| format!("{kind}{column}")).collect();
        shown = format!("{shown} | {}", columns.join(" "));
    }
    shown
}

#[test]
fn header_dates_and_people_are_found() {
    const D: &str = "46350";
    for (rows, expected) in [
        (&[&["日付", "担当"][..], &[D, "a"]][..], "0 | D0 N1"),
        (&[&[D, "a", "b"]], "none | D0 N1 N2"),
        (&[&["担当", "日付"], &["a", D]], "0 | N0 D1"),
        (&[&["当番表"], &["日付", "担当", "備考"], &[D, "a", "x"]], "1 | D0 N1"),
        (&[&["2026年 当番表"], &[D, "a"]], "none | D0 N1"),
        (&[&["当番表"], &[D, "a"]], "0 | D0 N1"),
        (&[&["日付", "担当"], &["注意", ""], &[D, "a"]], "0 | D0 N1"),
        (&[&["日付", "a", "b"], &[D, "x", "y"]], "0 | D0 N1 N2"),
        (&[&["日付", "担当", "a", "備考"], &[D, "x", "y", "z"]], "0 | D0 N1 x2"),
        (&[&["日付", "担当", "", "備考", ""], &[D, "x", "y", "z", "w"]], "0 | D0 N1 N2"),
        (&[&["日付", "", "担当"], &[D, "x", "y"]], "0 | D0 x1 N2"),
        (&[&["開始", "終了", ""], &[D, D, "x"]], "0 | D0 E1 N2"),
        (&[&["開始", "終了", "担当"], &[D, "0.5", "x"]], "0 | D0 N2"),
        (&[&[D, D, "x"]], "none | D0 E1 N2"),
        (&[&[D, "x", D]], "none | D0 N1 N2"),
        (&[&["日付", "担当", "日付", "担当"], &[D, "x", D, "y"]], "0 | D0 N1 | D2 N3"),
        (&[&[D, "x", "", D, "y"], &[D, "x", "", D, "y"]], "none | D0 N1 N2 | D3 N4"),
        (&[&["日付", "担当", "更新日", "副担当"], &[D, "x", D, "y"]], "0 | D0 N1 x2 N3"),
        (&[&["日付", "担当", "日付"], &[D, "x", D]], "0 | D0 N1"),
        (&[&["チケット", "日付", "担当"], &["46000", D, "x"], &["46001", "", "y"]], "0 | D1 N2"),
        (&[&["日付", "a", "b"], &[D, "○", "×"], &[D, "", "○"]], "0 | D0 M1 M2"),
        (&[&["日付", "担当", "b"], &[D, "○", "○"]], "0 | D0 N1 x2"),
        (&[&["日付", "a", "b"], &[D, "○", "c"], &[D, "d", "e"]], "0 | D0 N1 N2"),
        (&[&["週", "月", "火"], &[D, "a", "b"]], "0 | D0 Mon1 Tue2"),
        (&[&["日付", "月"], &[D, "a"]], "0 | D0 N1"),
        (&[&["担当", "備考"], &["a", "b"]], "none | D0 N1"),
        (&[], "none | D0"),
    ] {
        assert_eq!(shown(rows), expected, "{rows:?}");
    }
}

#[test]
fn roster_columns_choose_and_what_is_missing_is_known() {
    let rows: &[&[&str]] = &[&["日付", "一次", "二次", "備考"], &["46350", "a", "b", "c"]];
    for (wanted, columns, missing, lacks_all) in [
        (&["一次"][..], &[1][..], &[][..], false),
        (&["備考", "一 次"], &[1, 3], &[], false),
        (&["一次", "三次"], &[1], &["三次"], false),
        (&["三次", "四次"], &[], &["三次", "四次"], true),
        (&["日付"], &[], &["日付"], true),
    ] {
        let layout = layout(rows, wanted);
        let found: Vec<usize> = layout.parts[0].columns.iter().map(|column| column.index).collect();
        assert_eq!(found, columns, "{wanted:?}");
        assert_eq!(layout.missing, missing, "{wanted:?}");
        assert_eq!(layout.lacks_all, lacks_all, "{wanted:?}");
        assert!(layout.parts[0].left_out.is_empty());
    }
}

#[test]
fn a_table_is_turned_only_if_its_first_row_plainly_has_its_dates() {
    for (rows, turned) in [
        (&[&["日付", "46349", "46350", "46351"][..], &["担当", "a", "b", "c"]][..], true),
        (&[&["", "12/28", "1/4", "1/5"], &["担当", "a", "b", "c"]], true),
        (&[&["11/23", "11/24", "11/25"], &["a", "b", "c"]], true),
        (&[&["日付", "46349", "46350"], &["担当", "a", "b"]], false),
        (&[&["日付", "46349", "46349", "46350"], &["担当", "a", "b", "c"]], false),
        (&[&["日付", "46350", "46349", "46351"], &["担当", "a", "b", "c"]], false),
        (&[&["46349", "46350", "46351"], &["46350"], &["46351"]], false),
        (&[&["当番表"], &["日付", "46349", "46350", "46351"]], false),
    ] {
        assert_eq!(is_turned(&grid(rows)), turned, "{rows:?}");
    }
}
