//! What a cell says about people, with a members tab and without.

mod beside;

use proptest::prelude::*;

use super::super::cells::Table;
use super::super::members::MembersTable;
use super::super::problem::RowIssue;
use super::*;
use crate::domain::chat::ChatName;

const TAB: &[[&str; 3]] = &[
    ["name", "typetalk", "slack"],
    ["田中", "tanaka", "U0TANAKA1"],
    ["鈴木", "suzuki-k", "U0SUZUKI1"],
    ["佐藤 花子", "sato", "U0SATO001"],
    ["山田太郎", "yamada", ""],
    ["渡辺", "", ""],
    ["Smith, John", "jsmith", ""],
    ["R&D", "rd", ""],
    ["田中(営業)", "tanaka2", ""],
    ["森", "mori", ""],
    ["ann", "ann", ""],
    ["Tue", "tue", ""],
];

fn tab(rows: &[[&str; 3]]) -> Members {
    let cell = |text: &&str| Cell::Text((*text).to_owned());
    let rows = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    Members::parse(&MembersTable::Table(Table::new(1, rows))).0
}

/// What a cell says, in a few words: `@id` of Typetalk, else the name; `?` undecided, `!` why it isn't understood.
fn said(members: &Members, cell: &str) -> String {
    let naming = Reader::new(members).cell(&Value::of(&Cell::Text(cell.to_owned())));
    if let Some(issue) = &naming.trouble {
        return format!("!{issue:?}");
    }
    let person = |person: &Person| match (person.mention(ChatName::Typetalk), person.mention(ChatName::Slack)) {
        (Some(mention), _) => format!("@{}", mention.id()),
        (None, Some(mention)) => format!("<{}>", mention.id()),
        (None, None) => person.name().to_owned(),
    };
    let mut words: Vec<String> = naming.people.iter().map(person).collect();
    words.extend(naming.undecided.then(|| "?".to_owned()));
    words.extend(
        naming.no_name.as_ref().map(|issue| if *issue == RowIssue::NoteOnly { "note" } else { "#" }.to_owned()),
    );
    words.join(", ")
}

/// Each cell says what stands beside it.
fn check(members: &Members, cases: &[(&str, &str)]) {
    for (cell, expected) in cases {
        assert_eq!(said(members, cell), *expected, "{cell:?}");
    }
}

#[test]
fn cells_are_read_with_a_members_tab() {
    let members = tab(TAB);
    check(
        &members,
        &[
            // A cell is tried whole.
            ("Smith, John", "@jsmith"),
            ("smith,john", "@jsmith"),
            ("Ｒ＆Ｄ", "@rd"),
            ("R & D", "@rd"),
            ("田中(営業)", "@tanaka2"),
            ("田中（営業）", "@tanaka2"),
            ("Tue", "@tue"),
            ("@tanaka", "@tanaka"),
            ("@U0TANAKA1", "@tanaka"),
            ("U0TANAKA1", "@tanaka"),
            ("<@U0TANAKA1>", "@tanaka"),
            ("<@U0NOBODY1>", "<U0NOBODY1>"),
            ("@U0NOBODY1", "<U0NOBODY1>"),
            ("U0NOBODY1", "U0NOBODY1"),
            ("@nobody-else", "nobody-else"),
            ("N/A", "?"),
            ("(未定)", "?"),
            ("((なし))", ""),
            // Then it is parted.
            ("田中、鈴木", "@tanaka, @suzuki-k"),
            ("Smith, John、R&D/田中", "@jsmith, @rd, @tanaka"),
            ("佐藤 花子 田中", "@sato, @tanaka"),
            ("山田 太郎 田中", "@yamada, @tanaka"),
            ("田中・鈴木＋森", "@tanaka, @suzuki-k, @mori"),
            ("田中 鈴木 新人", "@tanaka, @suzuki-k, 新人"),
            ("田中 新人", "田中 新人"),
            ("佐藤 花子 の代わり", "佐藤 花子 の代わり"),
            ("Taro Yamada", "Taro Yamada"),
            ("田中、新人 二人目", "@tanaka, 新人 二人目"),
            ("田中 なし", "@tanaka"),
            ("田中 - 鈴木", "@tanaka, @suzuki-k"),
            ("n/a、田中", "@tanaka, ?"),
            ("田中、未定", "@tanaka, ?"),
            ("", ""),
            ("、", ""),
            ("@", ""),
            // What is no part of a name.
            ("主: 田中 副: 鈴木", "@tanaka, @suzuki-k"),
            ("・田中さん\n・鈴木 様※", "@tanaka, @suzuki-k"),
            ("田中 (午前, 代) 鈴木【午後】", "@tanaka, @suzuki-k"),
            ("田中さん、田中、@田中", "@tanaka"),
            ("新人さん、新人", "新人さん"),
            ("田中(田中電機)", "@tanaka"),
            ("田中(planned)", "@tanaka"),
            // Handed over.
            ("田中→鈴木", "@suzuki-k"),
            ("田中->鈴木さん", "@suzuki-k"),
            ("佐藤 花子 ⇒ 鈴木", "@suzuki-k"),
            ("新人 二人目→鈴木", "@suzuki-k"),
            ("田中→森→鈴木", "@suzuki-k"),
            ("田中→未定", "?"),
            ("(田中→鈴木)", "@suzuki-k"),
            ("田中\n→鈴木", "@suzuki-k"),
            // Line breaks are blanks to a name.
            ("佐\n藤\n花\n子", "@sato"),
            ("田中\n(午前)\n(内線 12)", "@tanaka"),
            ("田中\n(午前)\n※", "@tanaka"),
            // Not understood.
            ("田中→", "!Arrow"),
            ("→田中", "!Arrow"),
            ("田中→鈴木、森", "!Arrow"),
            ("森、田中→鈴木", "!Arrow"),
            ("森 田中→鈴木", "!Arrow"),
            ("田中(→鈴木)", "!Arrow"),
            ("田中→なし", "!NameAndNobody"),
            ("田中休み", "!NameAndNobody"),
            ("田中 休み", "!NameAndNobody"),
            ("田中、休み", "!NameAndNobody"),
            ("田中(休)", "!NameAndNobody"),
            ("田中(午後休)", "!NameAndNobody"),
            ("田中(off)", "!NameAndNobody"),
            ("新人 休み", "!NameAndNobody"),
            ("田中×", "!NameAndNobody"),
            ("田中(鈴木)", "!NameInBrackets"),
            ("田中(代: 森)", "!NameInBrackets"),
            ("田中(ann)", "!NameInBrackets"),
            ("田中、10:00", "!NotAName"),
            ("田中/11/24", "!NotAName"),
            ("11/24", "!NotAName"),
            ("Mon", "!NotAName"),
            ("○", "○"),
            ("※", "※"),
            ("=cmd|' /C calc'!A0", "=cmd, ', C calc'!A0"),
            ("+@SUM(1+1)*cmd", "+@SUM(1+1)*cmd"),
            ("新人(午前)", "新人(午前)"),
            // A note.
            ("ask anybody who is there", "note"),
            ("田中 鈴木 森 佐藤 花子", "@tanaka, @suzuki-k, @mori, @sato"),
            ("田中 and 鈴木 will both come", "note"),
            ("田中、ask anybody who is there", "@tanaka, note"),
            ("#REF!", "#"),
            ("TRUE", ""),
        ],
    );
}

#[test]
fn cells_are_read_without_a_members_tab() {
    check(
        &Members::NamesAreHandles,
        &[
            ("tanaka", "@tanaka"),
            ("@tanaka", "@tanaka"),
            ("tanakaさん", "@tanaka"),
            ("tanaka (AM)", "@tanaka"),
            ("a1・a2/b1 b2", "@a1, @a2, @b1, @b2"),
            ("a+b", "@a, @b"),
            ("tanaka 新人", "tanaka 新人"),
            ("田中", "田中"),
            ("田中 鈴木", "田中 鈴木"),
            ("田中、鈴木", "田中, 鈴木"),
            ("tanaka->suzuki", "@suzuki"),
            ("tanaka none", "!NameAndNobody"),
            ("tanaka 1234", "tanaka 1234"),
            ("swap with sato", "@swap, @with, @sato"),
            ("tanaka and suzuki", "@tanaka, @suzuki"),
            ("Primary: tanaka\nSecondary: suzuki", "@tanaka, @suzuki"),
            ("AM:tanaka / PM:TBD", "@tanaka, ?"),
            ("1. tanaka", "@tanaka"),
            ("①tanaka ②suzuki", "@tanaka, @suzuki"),
            ("tanaka, (suzuki)", "@tanaka"),
            ("AM:tanaka、PM:(suzuki)", "!NameInBrackets"),
            ("Primary on-call: tanaka", "@tanaka"),
            ("Primary tanaka / Secondary suzuki", "@tanaka, @suzuki"),
            ("backup", "@backup"),
            ("1.tanaka 2sato", "@1.tanaka, @2sato"),
            ("on call: tanaka", "@tanaka"),
            ("one two three four five", "note"),
            ("@a @b @c @d @e", "@a, @b, @c, @d, @e"),
            ("090-0000-0000", "!NotAName"),
            ("10-17", "!NotAName"),
            ("https://example.com/x", "!NotAName"),
        ],
    );
}

#[test]
fn an_unreadable_tab_maps_nobody() {
    check(
        &Members::Unreadable,
        &[("tanaka", "tanaka"), ("田中、鈴木", "田中, 鈴木"), ("なし", ""), ("<@U0TANAKA1>", "<U0TANAKA1>")],
    );
}

#[test]
fn a_compared_form_that_fits_two_members_means_neither_unless_their_ids_are_one() {
    let members = tab(&[
        ["name", "typetalk", "slack"],
        ["Sato", "sato1", ""],
        ["SATO", "sato2", ""],
        ["Ito", "ito", ""],
        ["ITO", "ito", ""],
    ]);
    check(
        &members,
        &[("Sato", "@sato1"), ("SATO", "@sato2"), ("sato", "sato"), ("sato, ito", "sato, @ito"), ("ito", "@ito")],
    );
}

const PLAIN_TAB: &[[&str; 3]] = &[
    ["name", "typetalk", "slack"],
    ["田中太郎", "tanaka", "U0TANAKA1"],
    ["佐藤 花子", "sato", ""],
    ["鈴木", "suzuki", ""],
];

const HARD_TAB: &[[&str; 3]] = &[
    ["name", "typetalk", "slack"],
    ["田中", "tanaka", "U0TANAKA1"],
    ["田中太郎", "tanaka-t", "U0TANAKA9"],
    ["佐藤 花子", "sato", "U0SATO001"],
    ["(株)鈴木", "suzuki", ""],
    ["Ann :)", "ann", ""],
    ["A(b/c)", "abc", ""],
    ["7", "seven", ""],
    ["11/24", "date", ""],
    ["様子さん", "yoko", ""],
    ["さん", "san", ""],
    ["主", "nushi", ""],
    ["休", "yasumi", ""],
    ["off", "off", "U0OFF0001"],
    ["なし", "nashi", ""],
    ["ー", "cho", ""],
    ["N/A", "na", ""],
    ["x->y", "xy", ""],
    ["@at", "at", ""],
    ["İz", "iz", ""],
    ["ʼOk", "ok", ""],
    ["a+b", "a.b", ""],
    ["<ops>", "ops", ""],
    ["R&D", "rd", ""],
    ["TRUE", "true", ""],
    ["#REF!", "ref", ""],
    ["【代】", "dai", ""],
    ["？", "hatena", ""],
    ["森※", "mori", ""],
    ["Tue", "tue", ""],
];

const HARD_CELLS: &str = "(田中|太郎|佐藤 ?花子|\\(株\\)鈴木|㈱鈴木|鈴木|Ann|:\\)|A|\\(b/c\\)|7|11/24|様子|さん|様|主|副|:|休|off|なし|ー|N/A|x->y|@at|@|at|İz|i̇z|ʼOk|'ok|a\\+b|a|b|<ops>|<|>|R&D|TRUE|#REF!|【代】|代|\\?|？|森|※|Tue|新人|U0TANAKA1|U0OFF0001|<@U0TANAKA1>|<@U0X000001>|https://x.slack.com/team/U0SATO001|tanaka|yoko|->|→|=>|->|\\(|\\)|\\(|\\)|【|】|[、,/ ・\\n&+]|[、, \\n]){0,8}";

#[test]
fn notes_within_names_and_brackets_without_counterparts_are_left_to_the_parser() {
    let members = tab(HARD_TAB);
    for cell in ["新人->佐藤(代) 花子", "佐藤(代) 花子→田中", "田中(午前)、Ann :)", "田中((>)新人", "佐藤(代)\n花子"]
    {
        let value = Value::of(&Cell::Text(cell.to_owned()));
        assert!(Reader::new(&members).cell(&value).has_no_others(), "{cell}");
        assert!(MemberCells::new(&members).has_members_only(&value), "{cell}");
    }
}

proptest! {
    /// Whoever is mentioned is in the tab, or was written as an id of Slack's.
    #[test]
    fn nobody_outside_the_tab_is_mentioned(cell in "(田中|鈴木|佐藤 花子|新人|休み|なし|tanaka|yamada|1234|Primary|AM|and|[と①1.、/ ・→()（）@※:さん主]){0,10}|\\PC{0,20}") {
        let members = tab(TAB);
        let naming = Reader::new(&members).cell(&Value::of(&Cell::Text(cell.clone())));
        for person in naming.people.iter().filter(|person| person.can_be_mentioned()) {
            let is_member = members.find(person.name()).is_some();
            prop_assert!(is_member || cell.contains("<@") || cell.contains("<!") || cell.contains("slack.com"), "{cell}: {person:?}");
        }
    }

    /// A cell that is read no further than its first doubt gives the same answer as one that is read to its end.
    #[test]
    fn cells_of_members_only_are_known_without_reading_all_of_them(
        cell in "(田中|鈴木|佐藤 花子|Smith, John|R&D|ann|an|a|n|Tue|新人|休み|なし|未定|@tanaka|U0TANAKA1|TRUE|#REF!|Primary|AM|and|[と①1.、,/ ・→>()（）<@※:さん主\n]){0,9}|\\PC{0,20}",
    ) {
        let members = tab(TAB);
        let value = Value::of(&Cell::Text(cell.clone()));
        let naming = Reader::new(&members).cell(&value);
        let expected = !naming.people.is_empty() && naming.has_no_others();
        prop_assert_eq!(MemberCells::new(&members).has_members_only(&value), expected, "{:?}", cell);
    }

    #[test]
    fn no_setting_breaks(entry in "\\PC{0,30}") {
        of_fallback_entry(&tab(TAB), &entry);
        of_fallback_entry(&Members::NamesAreHandles, &entry);
    }

    /// The same of members whose names look like everything else.
    #[test]
    fn cells_of_hard_members_only_are_known_without_reading_all_of_them(
        cell in HARD_CELLS,
    ) {
        let members = tab(HARD_TAB);
        let value = Value::of(&Cell::Text(cell.clone()));
        let naming = Reader::new(&members).cell(&value);
        let expected = !naming.people.is_empty() && naming.has_no_others();
        prop_assert_eq!(MemberCells::new(&members).has_members_only(&value), expected, "{:?} {:?}", cell, naming);
    }

    /// Whatever a cell looks like, it is a member if it is one's name as a whole.
    #[test]
    fn a_cell_is_tried_whole(cell in "(田\n?中\n?太郎|佐藤\n?花子|鈴木|\\(午前\\)|\\(代理\\)|[\n ※さん様、]){1,6}", is_hard in any::<bool>()) {
        let members = tab(if is_hard { HARD_TAB } else { PLAIN_TAB });
        let value = Value::of(&Cell::Text(cell.clone()));
        let Some(text) = value.text() else { return Ok(()) };
        let forms = super::super::pieces::Forms::of(text);
        let found = forms.all().into_iter().find_map(|form| match members.find(form) {
            Some(super::super::members::Found::Member(person)) => Some(person.name().to_owned()),
            _ => None,
        });
        if let Some(found) = found {
            let naming = Reader::new(&members).cell(&value);
            let names: Vec<&str> = naming.people.iter().map(Person::name).collect();
            prop_assert_eq!(names, vec![found.as_str()], "{:?} {:?}", cell, naming);
        }
    }
}
