//! What stands beside names: roles, numbers, words for "and", brackets.

use super::*;

#[test]
fn roles_numbers_and_words_for_and_are_no_part_of_a_name() {
    let members = tab(TAB);
    check(
        &members,
        &[
            ("Primary: 田中 / Secondary：鈴木さん", "@tanaka, @suzuki-k"),
            ("正:田中\n副:新人", "@tanaka, 新人"),
            ("On-call: 田中", "@tanaka"),
            ("AM:田中、PM:鈴木", "@tanaka, @suzuki-k"),
            ("主:田中、副:なし", "@tanaka"),
            ("主:未定", "?"),
            ("担当:休み", ""),
            ("休み:田中", "!NameAndNobody"),
            ("代わり:田中", "代わり:田中"),
            ("主:鈴木 副:なし", "@suzuki-k"),
            ("AM:田中 PM:休み", "!NameAndNobody"),
            ("主担当:@tanaka 副担当:<@U0SUZUKI1>", "@tanaka, @suzuki-k"),
            ("Primary on-call: 田中 Secondary on-call: 鈴木", "@tanaka, @suzuki-k"),
            ("AM:田中→PM:鈴木", "!Arrow"),
            ("主:田中→副:鈴木", "!Arrow"),
            ("主:田中→鈴木", "@suzuki-k"),
            ("田中(〜15時)→鈴木(15時〜)", "!Arrow"),
            ("①田中 ②鈴木", "@tanaka, @suzuki-k"),
            ("①鈴木②未定", "@suzuki-k, ?"),
            ("①@tanaka", "@tanaka"),
            ("1. 田中 2. 佐藤 花子", "@tanaka, @sato"),
            ("2田中さん", "@tanaka"),
            ("1：田中 2：鈴木", "@tanaka, @suzuki-k"),
            ("2名", "!NotAName"),
            ("田中と鈴木", "@tanaka, @suzuki-k"),
            ("田中 と 鈴木さん", "@tanaka, @suzuki-k"),
            ("ann AND 田中", "@ann, @tanaka"),
            ("佐藤 花子さんと鈴木", "@sato, @suzuki-k"),
            ("田中と佐藤花子と鈴木", "@tanaka, @sato, @suzuki-k"),
            ("田中と新人", "田中と新人"),
            ("と", "と"),
            ("AM10:00 田中", "AM10:00 田中"),
            ("田中と鈴木休み", "!NameAndNobody"),
        ],
    );
}

#[test]
fn who_stands_in_brackets_is_seen() {
    let members = tab(TAB);
    check(
        &members,
        &[
            ("主：（鈴木）", "@suzuki-k"),
            ("担当:【田中】 副:【鈴木】", "@tanaka, @suzuki-k"),
            ("・（鈴木）", "@suzuki-k"),
            ("Primary: (<@U0SUZUKI1>)", "@suzuki-k"),
            ("主:(未定)", "?"),
            ("主:(なし)", ""),
            ("主:(田中→鈴木)", "!Arrow"),
            ("主:(田中休み)", "!NameAndNobody"),
            ("（田中）、（鈴木）", "@tanaka, @suzuki-k"),
            ("「田中」「鈴木」", "!NameInBrackets"),
            ("田中、（鈴木）", "!NameInBrackets"),
            ("主:鈴木、副:(田中)", "!NameInBrackets"),
            ("田中、(未定)", "@tanaka, ?"),
            ("田中、(午前)", "@tanaka"),
            ("田中、(鈴木は休み)", "!NameAndNobody"),
            ("ann (田中 today)", "!NameInBrackets"),
            ("田中 (with ann today)", "!NameInBrackets"),
            ("田中 (annual)", "@tanaka"),
            ("田中(@suzuki-k代理)", "!NameInBrackets"),
            ("田中(<@U0SUZUKI1>)", "!NameInBrackets"),
            ("田中(@tanaka)", "@tanaka"),
            ("田中(有給)", "!NameAndNobody"),
            ("ann (PTO)", "!NameAndNobody"),
            ("ann (out)", "!NameAndNobody"),
        ],
    );
}
