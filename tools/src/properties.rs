//! What holds for any input: stated once, for the tests, the fuzz targets and their crashers.
//!
//! Each law takes bytes of any kind and panics where it doesn't hold. No Lambda function contains them.

mod effects;
mod storms;
mod texts;

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Asia::Tokyo;
use http::{HeaderMap, HeaderName, HeaderValue};
use ring::hmac;

use oncall_relay::config::WebhookSecrets;
use oncall_relay::domain::alert::{Alert, Delay, Mentions};
use oncall_relay::domain::chat::ChatName;
use oncall_relay::domain::event::{Event, Kind};
use oncall_relay::domain::notice::Notice;
use oncall_relay::domain::roster::{
    Cell, Line, MembersTable, Mention, OnCall, OnCallDay, ReadingRules, Roster, RosterState, Snapshot, Tab, Table,
    Tables,
};
use oncall_relay::domain::state::Standing;
use oncall_relay::edge;
use oncall_relay::edge::pagerduty::{Item, Verifier, parse};

use effects::strangers_set_nothing_off_in_a_notice;
pub use effects::{Effects, strangers_set_nothing_off};
pub use storms::{Posted, Posts, mentions_are_as_storm_above_says};
pub use texts::{event, texts};

/// What holds for any bytes at all; it panics where it doesn't.
pub type Law = fn(&[u8]);

/// The law for each kind of untrusted bytes, by the name of its fuzz target.
pub const LAWS: [(&str, Law); 5] =
    [("webhook", webhook), ("notice", notice), ("signature", signature), ("sheet", sheet), ("texts", texts)];

/// The signing secret of [`signature`]'s receiver.
pub const SIGNING_SECRET: &str = "law-signing-secret";
/// The bearer token of [`signature`]'s receiver.
pub const TOKEN: &str = "law-token";

/// The body of an authentic webhook is read whatever it is, and what is posted about its events mentions
/// those on call, carries the incident's tag and link, and does nothing else.
///
/// # Panics
/// If it doesn't hold.
pub fn webhook(body: &[u8]) {
    for item in parse(body, Some("w-1")) {
        let Item::Event(event) = item else { continue };
        let today = day(&[], "田中、渡辺、SRE");
        let mentions = match event.kind {
            Kind::Ping => Mentions::Names(today),
            _ => Mentions::OnCall(today),
        };
        let delay = event.occurred_at.map(|at| Delay { happened: at.with_timezone(&Tokyo), ago: now() - at });
        strangers_set_nothing_off(&Alert { delay, in_doubt: true, ..alert(*event, mentions) });
    }
}

/// The body of an authentic notice is read or refused whatever it is, and what is posted of it mentions nobody,
/// carries the incident's tag and the link, and does nothing else. A refusal quotes nothing.
///
/// # Panics
/// If it doesn't hold.
pub fn notice(body: &[u8]) {
    match edge::notice::parse(body) {
        Ok(received) => {
            assert!(received.key.is_none_or(|key| !key.trim().is_empty()), "a key that everybody has");
            strangers_set_nothing_off_in_a_notice(&Notice { in_doubt: true, ..received.notice });
        }
        Err(why) => assert!(why.to_string().is_ascii() && why.to_string().len() < 100, "{why}"),
    }
}

/// A request (headers, an empty line, a body) is let in only if a header proves it, and then always.
///
/// # Panics
/// If it doesn't hold.
pub fn signature(request: &[u8]) {
    let end = request.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((request, &[][..]), |end| (&request[..end], &request[end + 2..]));
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let receiver = Verifier::new(WebhookSecrets { signing: vec![SIGNING_SECRET.into()], tokens: vec![TOKEN.into()] });
    let signature_of = |body: &[u8]| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SIGNING_SECRET.as_bytes()), body);
        tag.as_ref().iter().fold("v1=".to_owned(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    let some = |headers: &HeaderMap, name: &str, holds: &dyn Fn(&str) -> bool| {
        headers.get_all(name).iter().any(|value| value.to_str().is_ok_and(|value| holds(&value.to_ascii_lowercase())))
    };
    let is_proven = |headers: &HeaderMap, body: &[u8]| {
        some(headers, "x-pagerduty-signature", &|value| value.contains(&signature_of(body)))
            || some(headers, "authorization", &|value| value.starts_with("bearer ") && value.ends_with(TOKEN))
    };
    assert!(!receiver.admits(&headers, body) || is_proven(&headers, body), "let in without proof: {headers:?}");

    // A bit of the body is another, and what was a signature is none.
    let mut other_body = body.to_vec();
    if let Some(byte) = other_body.last_mut() {
        *byte ^= 1;
        assert!(!receiver.admits(&headers, &other_body) || is_proven(&headers, &other_body), "{headers:?}");
    }
    if let Ok(value) = HeaderValue::from_str(&signature_of(body)) {
        headers.append("x-pagerduty-signature", value);
        assert!(receiver.admits(&headers, body), "refused in spite of a signature: {headers:?}");
    }
}

/// Whatever cells hold, a good row among them is found, and a post about it notifies its people only.
///
/// They come as text, a line for a row and a tab between two cells; after a line `---`, those of the members tab.
///
/// # Panics
/// If it doesn't hold.
pub fn sheet(cells: &[u8]) {
    let text = String::from_utf8_lossy(cells);
    let (roster, members) = text.split_once("\n---\n").unwrap_or((&text, ""));
    any_sheet_is_read(roster, members);
    let halves = |text: &str| {
        let mut before: Vec<_> = text.split('\n').map(|row| row.split('\t').map(cell).collect()).collect();
        let after = before.split_off(before.len() / 2);
        (before, after)
    };
    a_bad_row_hides_no_good_one(halves(roster), halves(members));
}

/// No cells break the reading, whatever they are the header of.
fn any_sheet_is_read(roster: &str, members: &str) {
    let table = |text: &str| Table::new(1, text.split('\n').map(|row| row.split('\t').map(cell).collect()).collect());
    for members in [MembersTable::None, MembersTable::Table(table(members))] {
        let tables = Tables { roster: table(roster), members };
        let (roster, _) = Roster::parse(&tables, &ReadingRules::default(), today());
        for day in -40..=40 {
            let _ = roster.day(today() + TimeDelta::days(day));
        }
    }
}

/// A cell as it is typed into a sheet: `'` before what would be a number or a tick box makes it text.
fn cell(typed: &str) -> Cell {
    match typed {
        "" => Cell::Empty,
        "TRUE" | "FALSE" => Cell::Flag(typed == "TRUE"),
        _ => match (typed.strip_prefix('\''), typed.parse()) {
            (Some(text), _) => Cell::Text(text.to_owned()),
            (None, Ok(number)) => Cell::Number(number),
            (None, Err(_)) => Cell::Text(typed.to_owned()),
        },
    }
}

/// Rows of any cells.
pub type Rows = Vec<Vec<Cell>>;

/// Rows before and after a good one, of the roster and of the members tab, cost it nothing, below a header and
/// more days than they have dates. Problems name rows that exist.
///
/// # Panics
/// If it doesn't hold.
pub fn a_bad_row_hides_no_good_one(roster: (Rows, Rows), members: (Rows, Rows)) {
    let text = |text: &str| Cell::Text(text.to_owned());
    let name = name_that_is_in_none_of([&roster.0, &roster.1, &members.0, &members.1]);
    let good = vec![text(&today().to_string()), text(&name)];
    let header = vec![text("名前"), text("typetalk"), text("slack")];
    let member = vec![text(&name), text("good.one"), text("U0GOODONE")];
    let days = (0..=roster.0.len() + roster.1.len()).map(|day| {
        let date = today() - TimeDelta::days(1_000) - TimeDelta::weeks(i64::try_from(day).unwrap_or_default());
        vec![text(&date.to_string()), text("なし")]
    });
    let tidy = std::iter::once(vec![text("日付"), text("担当")]).chain(days).collect();
    let roster = Table::new(1, [tidy, roster.0, vec![good], roster.1].concat());
    let members = Table::new(1, [vec![header], members.0, vec![member], members.1].concat());
    let sizes = [(Tab::Roster, roster.rows.len()), (Tab::Members, members.rows.len())];
    let tables = Tables { roster, members: MembersTable::Table(members) };

    let (parsed, problems) = Roster::parse(&tables, &ReadingRules::default(), today());
    for problem in problems {
        let exists = |(tab, rows): &(Tab, usize)| {
            *tab == problem.tab && (Line::Row(1)..=Line::Row(*rows)).contains(&problem.row)
        };
        let exists = sizes.iter().any(exists);
        assert!(exists, "{problem}");
    }
    let OnCall::People(people) = parsed.on_call(today()) else { panic!("{:?}", parsed.on_call(today())) };
    let found = people.iter().find(|person| person.name() == name).unwrap_or_else(|| panic!("{people:?}"));
    assert_eq!(found.mention(ChatName::Typetalk), Some(&Mention::Typetalk("good.one".to_owned())));
    assert_eq!(found.mention(ChatName::Slack), Some(&Mention::SlackMember("U0GOODONE".to_owned())));
    strangers_set_nothing_off(&alert(event(Kind::Triggered), Mentions::OnCall(read(tables))));
}

fn name_that_is_in_none_of(rows: [&Rows; 4]) -> String {
    let cells = rows.into_iter().flatten().flatten();
    let texts = cells.filter_map(|cell| if let Cell::Text(text) = cell { Some(text.as_str()) } else { None });
    let written: String = texts.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    let written = written.to_ascii_lowercase();
    let mut name = "良い 当番".to_owned();
    while written.contains(&name.replace(' ', "")) {
        name.push('x');
    }
    name
}

/// An alert about the first event of an incident, in time.
fn alert(event: Event, mentions: Mentions) -> Alert {
    let standing = Standing::after(None, &event, now());
    Alert { standing, event, mentions, at: now().with_timezone(&Tokyo), delay: None, in_doubt: false }
}

/// The day of all laws, a Tuesday.
fn today() -> NaiveDate {
    now().with_timezone(&Tokyo).date_naive()
}

/// 2026-11-24 at 11:00 in Japan.
fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_795_485_600)
}

/// What a roster says whose cell of today is this; besides a few people, these are members.
fn day(members: &[&[&str]], cell: &str) -> OnCallDay {
    const MEMBERS: [&[&str]; 4] = [
        &["name", "typetalk", "slack"],
        &["田中", "tanaka", "U0TANAKA1"],
        &["渡辺", "", ""],
        &["SRE", "sre-team", "S0SRETEAM"],
    ];
    let text = |cell: &&str| Cell::Text((*cell).to_owned());
    let table = |rows: &[&[&str]]| Table::new(1, rows.iter().map(|row| row.iter().map(text).collect()).collect());
    let members = MembersTable::Table(table(&[&MEMBERS, members].concat()));
    read(Tables { roster: table(&[&[&today().to_string(), cell]]), members })
}

fn read(tables: Tables) -> OnCallDay {
    let (snapshot, _) = Snapshot::new(tables, &ReadingRules::default(), today(), now());
    let state = RosterState { snapshot: Some(snapshot), ..RosterState::default() };
    OnCallDay::from_reading(&state, &["SRE".to_owned()], today(), now())
}
