//! The roster as people write it: who is on call on which day, and which rows must be mended.

use chrono::TimeDelta;

use super::*;
use crate::domain::chat::ChatName;
use crate::domain::samples::{MEMBERS, now, on_call_from, table, today};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn parse(tables: &Tables) -> (Roster, Vec<RowProblem>) {
    Roster::parse(tables, &ReadingRules::default(), today())
}

fn with_members(roster: &[&[&str]], members: &[&[&str]]) -> (Roster, Vec<RowProblem>) {
    parse(&Tables { roster: table(1, roster), members: MembersTable::Table(table(1, members)) })
}

fn without_members(roster: &[&[&str]], members: MembersTable) -> Roster {
    parse(&Tables { roster: table(1, roster), members }).0
}

/// The answer in a few words: whoever can be mentioned on Typetalk as such, everybody else by name.
fn said(on_call: &OnCall) -> String {
    said_on(ChatName::Typetalk, on_call)
}

fn said_on(chat: ChatName, on_call: &OnCall) -> String {
    match on_call {
        OnCall::People(people) => people.iter().map(|person| handle(chat, person)).collect::<Vec<_>>().join(", "),
        OnCall::Nobody => "nobody".to_owned(),
        OnCall::Undecided => "undecided".to_owned(),
        OnCall::NotUnderstood { row, issue } => format!("{row}: {issue:?}"),
        OnCall::NoRow => "no row".to_owned(),
        OnCall::Unknown(failure) => format!("unknown: {failure:?}"),
    }
}

fn handle(chat: ChatName, person: &Person) -> String {
    match person.mention(chat) {
        Some(Mention::Typetalk(id)) => format!("@{id}"),
        Some(Mention::SlackMember(id)) => format!("<@{id}>"),
        Some(Mention::SlackGroup(id)) => format!("<!subteam^{id}>"),
        None => person.name().to_owned(),
    }
}

#[track_caller]
fn check_cell(cell: &str, expected: &str) {
    let (roster, _) = with_members(&[&["2026-11-24", cell]], MEMBERS);
    assert_eq!(said(&roster.on_call(today())), expected, "{cell:?}");
}

/// The problems as `row: what to do`, in the order of the rows.
fn reported(problems: &[RowProblem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_cell_holds_several_people_with_any_separator() {
    for separator in [",", "、", "，", "/", ";", "&", "\n", "\r\n", " ", "　", ", ", " 、 ", ",,", "\t"] {
        check_cell(&format!("田中{separator}鈴木"), "@tanaka, @suzuki-k");
    }
    check_cell("田中,鈴木/SRE;渡辺", "@tanaka, @suzuki-k, @sre-team, 渡辺");
}

#[test]
fn a_members_name_may_have_spaces_of_any_kind_and_number() {
    for cell in ["佐藤 花子", "佐藤　花子", "  佐藤   花子 ", "@佐藤 花子"] {
        check_cell(cell, "@sato");
    }
    check_cell("佐藤 花子、田中", "@sato, @tanaka");
    check_cell("佐藤 花子 田中", "@sato, @tanaka");
}

#[test]
fn an_at_sign_before_a_name_and_the_case_of_letters_make_no_difference() {
    for cell in ["@田中", "＠田中", "@ 田中", " ＠田中 "] {
        check_cell(cell, "@tanaka");
    }
    check_cell("@田中 ＠鈴木", "@tanaka, @suzuki-k");
    check_cell("sre", "@sre-team");
}

#[test]
fn marks_for_nobody_are_nobodys_names() {
    for cell in ["", " ", "-", "ー", "なし", "休", "－", "—", "- 、なし", "@", "、"] {
        check_cell(cell, "nobody");
    }
    check_cell("なし、田中", "@tanaka");
    check_cell("-田中", "-田中");
}

#[test]
fn rows_and_columns_of_one_date_add_up_and_nobody_is_named_twice() {
    let (roster, problems) = with_members(
        &[
            &["2026-11-24", "田中", "鈴木"],
            &["2026-11-25", "渡辺"],
            &["11/24(火)", "@鈴木、佐藤 花子", "", "新人、新人"],
            &["2026年11月24日", "なし"],
        ],
        MEMBERS,
    );
    assert_eq!(said(&roster.on_call(today())), "@tanaka, @suzuki-k, @sato, 新人");
    assert_eq!(said(&roster.on_call(day("2026-11-25"))), "渡辺");
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn a_first_row_without_a_date_is_a_header_and_blank_rows_are_nothing() {
    for header in [&["日付", "担当"][..], &["", "担当"], &["date", "who", "memo"], &["TRUE"]] {
        let (roster, problems) = with_members(&[header, &[], &["", " "], &["2026-11-24", "田中"]], MEMBERS);
        assert_eq!(said(&roster.on_call(today())), "@tanaka", "{header:?}");
        assert_eq!(problems, [], "{header:?}");
    }
    let (roster, _) = with_members(&[&["2026-11-24", "田中"]], MEMBERS);
    assert_eq!(said(&roster.on_call(today())), "@tanaka", "a first row with a date is a day");
}

#[test]
fn a_bad_row_is_reported_by_its_number_and_hides_no_good_one() {
    let roster = table(
        5,
        &[
            &["日付", "担当"],
            &["2026-11-32", "田中"],
            &["", "鈴木"],
            &["2026-11-24", "#REF!", "田中"],
            &["メモ: 来週から増員"],
            &["2026-11-25", "新人"],
            &["2026-11-26", "鈴木"],
        ],
    );
    let tables = Tables { roster, members: MembersTable::Table(table(1, MEMBERS)) };
    let (roster, problems) = parse(&tables);
    assert_eq!(said(&roster.on_call(today())), "@tanaka");
    assert_eq!(said(&roster.on_call(day("2026-11-25"))), "新人");
    assert_eq!(said(&roster.on_call(day("2026-11-26"))), "@suzuki-k");
    assert_eq!(
        reported(&problems),
        [
            "roster, row 6: the first cell is no date; write one like 2026-11-24, 2026/11/24 or 11/24(火)",
            "roster, row 7: the first cell is no date; write one like 2026-11-24, 2026/11/24 or 11/24(火)",
            "roster, row 8: a cell shows a formula error; mend the formula or write the name",
            "roster, row 10: a name is not in the members tab and can't be mentioned; add it there",
        ]
    );
}

#[test]
fn a_slip_in_the_weekday_costs_nobody_the_day() {
    let (roster, problems) = with_members(&[&["2026-11-24(水)", "田中"]], MEMBERS);
    assert_eq!(said(&roster.on_call(today())), "@tanaka");
    assert_eq!(
        reported(&problems),
        ["roster, row 1: the weekday is not that of 2026-11-24; the row is used for 2026-11-24, please correct it"]
    );
}

#[test]
fn cells_that_are_no_text_are_read_as_the_sheet_means_them() {
    let row = |cells: &[Cell]| Table::new(1, vec![cells.to_vec()]);
    let mut members = table(1, &[&["name", "typetalk"], &["", "kato"]]);
    members.rows[1][0] = Cell::Number(1024.0);
    let tables = Tables {
        roster: row(&[Cell::Number(46_350.0), Cell::Flag(true), Cell::Number(1024.0), Cell::Empty]),
        members: MembersTable::Table(members),
    };
    let (roster, problems) = parse(&tables);
    assert_eq!(said(&roster.on_call(today())), "@kato", "a date's serial number, a tick box, a name of digits");
    assert_eq!(problems, []);
}

#[test]
fn the_members_tabs_columns_are_found_by_their_headers_in_either_language_and_any_order() {
    for members in [
        &[&["name", "typetalk", "slack"][..], &["田中", "tanaka", "U0TANAKA1"]][..],
        &[&["名前", "Typetalk", "Slack"], &["田中", "tanaka", "U0TANAKA1"]],
        &[&["SLACK", "memo", " 名前 ", "typetalk"], &["U0TANAKA1", "新橋", "@田中", "＠tanaka"]],
    ] {
        let (roster, problems) = with_members(&[&["2026-11-24", "田中"]], members);
        assert_eq!(said_on(ChatName::Typetalk, &roster.on_call(today())), "@tanaka", "{members:?}");
        assert_eq!(said_on(ChatName::Slack, &roster.on_call(today())), "<@U0TANAKA1>", "{members:?}");
        assert_eq!(problems, [], "{members:?}");
    }
    let (roster, problems) = with_members(&[&["2026-11-24", "田中"]], &[&["名前", "slack"], &["田中", "U0TANAKA1"]]);
    assert_eq!(said_on(ChatName::Typetalk, &roster.on_call(today())), "田中", "there is no column for Typetalk");
    assert_eq!(said_on(ChatName::Slack, &roster.on_call(today())), "<@U0TANAKA1>");
    assert_eq!(problems, []);
}

#[test]
fn bad_rows_of_the_members_tab_are_reported_by_number_and_hide_no_good_ones() {
    let members: &[&[&str]] = &[
        &["名前", "Typetalk", "Slack"],
        &["", "nobody", ""],
        &["鈴木", "suzuki k!", "suzuki"],
        &["#N/A", "x", ""],
        &["", "", ""],
        &["田中", "tanaka", "U0TANAKA1"],
    ];
    let (roster, problems) = with_members(&[&["2026-11-24", "鈴木、田中"]], members);
    assert_eq!(said(&roster.on_call(today())), "鈴木, @tanaka");
    assert_eq!(
        reported(&problems),
        [
            "members tab, row 2: there is no name; write it as the roster does",
            "members tab, row 3: the Typetalk id has characters that no id has; use letters, digits and _ . + -",
            "members tab, row 3: the Slack id is none; copy the member ID (U… or W…) from the person's profile, \
             or a user group's (S…)",
            "members tab, row 4: a cell shows a formula error; mend the formula or write the name",
        ]
    );
}

#[test]
fn two_rows_of_one_member_complete_each_other_whichever_comes_first() {
    let members = |rows: &[&[&str]]| {
        let rows = [&[&["name", "typetalk", "slack"][..]], rows].concat();
        let tables =
            Tables { roster: table(1, &[&["2026-11-24", "田中"]]), members: MembersTable::Table(table(1, &rows)) };
        let (roster, problems) = parse(&tables);
        let OnCall::People(people) = roster.on_call(today()) else { panic!("nobody") };
        let handles = [ChatName::Typetalk, ChatName::Slack].map(|chat| people[0].mention(chat).cloned());
        (handles, problems.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let both = [Some(Mention::Typetalk("tanaka".into())), Some(Mention::SlackMember("U0TANAKA1".into()))];
    let twice = "the name has a row already; where the two differ nobody is mentioned; remove one";
    for rows in [
        [&["田中", "", ""][..], &["田中", "tanaka", "U0TANAKA1"]],
        [&["田中", "tanaka", ""], &["田中", "", "U0TANAKA1"]],
        [&["田中", "tanaka", "U0TANAKA1"], &["田中", "tanaka", "U0TANAKA1"]],
    ] {
        assert_eq!(members(&rows), (both.clone(), vec![format!("members tab, row 3: {twice}")]), "{rows:?}");
    }
    // Two people may be called so.
    let [typetalk, slack] = members(&[&["田中", "tanaka", "U0TANAKA1"], &["田中", "other", "U0TANAKA1"]]).0;
    assert_eq!((typetalk, slack), (None, both[1].clone()));
}

#[test]
fn a_first_row_whose_date_cannot_be_read_does_not_pass_for_a_header() {
    let (_, problems) = with_members(&[&["11/32/2026", "田中"], &["2026-11-24", "鈴木"]], MEMBERS);
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn a_members_tab_without_a_header_maps_nobody_and_says_so_once() {
    for members in [&[][..], &[&["田中", "tanaka"][..]], &[&["handle", "typetalk"], &["田中", "tanaka"]]] {
        let (roster, problems) = with_members(&[&["2026-11-24", "田中"]], members);
        assert_eq!(said(&roster.on_call(today())), "田中", "{members:?}");
        assert_eq!(
            reported(&problems)[0],
            "members tab, row 1: the first row must be a header with a column `name` (or `名前`), and `typetalk` \
             and/or `slack`",
            "{members:?}"
        );
    }
}

#[test]
fn without_a_members_tab_a_name_is_a_handle_wherever_it_looks_like_one() {
    for (cell, typetalk, slack) in [
        ("tanaka", "@tanaka", "tanaka"),
        ("@suzuki-k", "@suzuki-k", "suzuki-k"),
        ("a.b_c-d", "@a.b_c-d", "a.b_c-d"),
        ("a.b_c+d-e", "@a.b_c, @d-e", "a.b_c, d-e"),
        ("田中", "田中", "田中"),
        ("U0TANAKA1", "@U0TANAKA1", "<@U0TANAKA1>"),
        ("W0SATO001", "@W0SATO001", "<@W0SATO001>"),
        ("S0SRETEAM", "@S0SRETEAM", "<!subteam^S0SRETEAM>"),
        // A person, although it has the letters of an id.
        ("SUZUKI", "@SUZUKI", "SUZUKI"),
        ("C0CHANNEL", "@C0CHANNEL", "C0CHANNEL"),
        ("tana:ka", "tana:ka", "tana:ka"),
    ] {
        let on_call = without_members(&[&["2026-11-24", cell]], MembersTable::None).on_call(today());
        assert_eq!(said_on(ChatName::Typetalk, &on_call), typetalk, "{cell}");
        assert_eq!(said_on(ChatName::Slack, &on_call), slack, "{cell}");
    }
}

#[test]
fn a_members_tab_that_cant_be_read_maps_nobody_and_drops_nobody() {
    let roster = without_members(&[&["2026-11-24", "田中, tanaka"]], MembersTable::Unreadable);
    assert_eq!(said(&roster.on_call(today())), "田中, tanaka");
}

#[test]
fn a_day_without_a_row_is_told_from_a_day_without_people() {
    let (roster, _) = with_members(&[&["日付"], &["2026-11-24"], &["2026-11-25", "ー"]], MEMBERS);
    assert_eq!(roster.on_call(today()), OnCall::Nobody);
    assert_eq!(roster.on_call(day("2026-11-25")), OnCall::Nobody);
    assert_eq!(roster.on_call(day("2026-11-26")), OnCall::NoRow);
}

#[test]
fn an_old_copy_serves_as_long_as_it_has_the_day_and_says_its_age() {
    let (slow, ago) = (Some(SourceFailure::Slow), TimeDelta::minutes(35));
    for (row, failure, expected, age) in [
        (&["2026-11-24", "田中"], None, "@tanaka", None),
        (&["2026-11-24", "田中"], slow, "@tanaka", Some(ago)),
        (&["2026-11-24", "なし"], slow, "nobody", Some(ago)),
        (&["2026-11-23", "田中"], None, "no row", None),
        // Today's row may have been added since.
        (&["2026-11-23", "田中"], slow, "unknown: Slow", None),
    ] {
        let today = on_call_from(&[row], ago, failure);
        assert_eq!((said(&today.on_call).as_str(), today.copy_age), (expected, age), "{row:?} {failure:?}");
    }
    // A clock that was set back makes no copy come from the future.
    let today = on_call_from(&[&["2026-11-24", "田中"]], -ago, slow);
    assert_eq!(today.copy_age, Some(TimeDelta::zero()));
}

#[test]
fn without_any_copy_who_is_on_call_is_unknown() {
    let reading = RosterState { failure: Some(SourceFailure::Forbidden), ..RosterState::default() };
    let today = OnCallDay::from_reading(&reading, &["sre-team".to_owned()], today(), now());
    assert_eq!(today.on_call, OnCall::Unknown(SourceFailure::Forbidden));
    assert_eq!(today.copy_age, None);
    assert_eq!(said(&OnCall::People(today.fallback)), "@sre-team");
}

#[test]
fn people_of_last_resort_are_written_as_in_the_sheet_or_as_handles() {
    let snapshot = |members| {
        let tables = Tables { roster: table(1, &[]), members };
        Snapshot::new(tables, &ReadingRules::default(), today(), now()).0
    };
    let fallback = |members, entries: &[&str]| {
        let entries: Vec<_> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        let reading = RosterState { snapshot: Some(snapshot(members)), ..RosterState::default() };
        OnCall::People(OnCallDay::from_reading(&reading, &entries, today(), now()).fallback)
    };
    let members = || MembersTable::Table(table(1, MEMBERS));
    assert_eq!(said(&fallback(members(), &["SRE", "@佐藤 花子"])), "@sre-team, @sato");
    assert_eq!(said(&fallback(members(), &["ops-bot", "部長"])), "@ops-bot, 部長");
    assert_eq!(said_on(ChatName::Slack, &fallback(members(), &["S0OPSTEAM"])), "<!subteam^S0OPSTEAM>");
    assert_eq!(said(&fallback(members(), &["S0OPSTEAM"])), "S0OPSTEAM", "nobody on Typetalk is called so");
    assert_eq!(said(&fallback(MembersTable::None, &["sre-team"])), "@sre-team");
    assert_eq!(said(&fallback(MembersTable::Unreadable, &["sre-team"])), "@sre-team");
    assert_eq!(fallback(members(), &[]), OnCall::People(vec![]));
}

#[test]
fn entries_of_last_resort_that_call_nobody_are_found_once_the_members_are_known() {
    use super::FallbackProblem::{Chat, Entry};
    let members = || MembersTable::Table(table(1, MEMBERS));
    let both = &[ChatName::Typetalk, ChatName::Slack];
    for (entries, members, chats, expected) in [
        (&["SRE"][..], members(), &both[..], vec![]),
        (&["SRE", "S0SRETEAM"], MembersTable::None, both, vec![]),
        (&["SRE"], MembersTable::None, both, vec![Chat(ChatName::Slack)]),
        (&["部長", "SRE"], members(), both, vec![Entry(1)]),
        (&["SRE/部長"], members(), both, vec![Entry(1)]),
        (&["なし"], members(), both, vec![Entry(1), Chat(ChatName::Typetalk), Chat(ChatName::Slack)]),
        (&["S0OPSTEAM"], members(), &both[..1], vec![Entry(1), Chat(ChatName::Typetalk)]),
        (&["部長"], MembersTable::Unreadable, both, vec![]),
        (&[], members(), both, vec![]),
    ] {
        let written: Vec<_> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        assert_eq!(FallbackProblem::all(&written, &members, chats), expected, "{entries:?}");
    }
}

#[test]
fn problems_name_nobody() {
    let (_, problems) = with_members(
        &[&["担当"], &["田中", "鈴木"], &["2026-11-24", "新人"]],
        &[&["name", "slack"], &["田中", "田中"], &["", "U0SECRET1"]],
    );
    assert_eq!(problems.len(), 4);
    for line in reported(&problems) {
        assert!(!["田中", "鈴木", "新人", "U0SECRET1"].iter().any(|name| line.contains(name)), "{line}");
    }
}
