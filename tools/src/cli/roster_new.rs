//! `oncall roster new`: a sheet to paste, with pairs for a week each.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{Datelike, Days, NaiveDate};
use clap::Args;
use oncall_relay::clock;
use oncall_relay::domain::calendar::{BusinessDays, BusinessHours, Calendar, Holidays};

use crate::operator::dialogue::Outcome;
use crate::rota::{ENOUGH, Member, pairs, same_team, turns};

/// Nobody plans for longer than two years.
const MAX_WEEKS: usize = 104;

fn weeks_ahead(text: &str) -> Result<usize, String> {
    let weeks = text.parse().ok().filter(|weeks| (1..=MAX_WEEKS).contains(weeks));
    weeks.ok_or_else(|| format!("it is a number from 1 to {MAX_WEEKS}"))
}

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The first day; without it, today.
    #[arg(long)]
    from: Option<NaiveDate>,
    /// For how many weeks.
    #[arg(long, default_value = "8", value_parser = weeks_ahead)]
    weeks: usize,
    /// The members tab as CSV: a column `名前` or `name`, and `team` or `チーム` if people are of different teams.
    #[arg(long, env = "MEMBERS_CSV", default_value = "members.csv")]
    members: PathBuf,
    /// As in the settings.
    #[arg(long, env = "TIME_ZONE", default_value = "Asia/Tokyo")]
    time_zone: chrono_tz::Tz,
    /// As in the settings.
    #[arg(long, env = "BUSINESS_DAYS", default_value = "Mon-Fri")]
    business_days: String,
    /// As in the settings.
    #[arg(long, env = "HOLIDAYS", default_value = "jp")]
    holidays: String,
}

pub(super) fn run(args: &NewArgs) -> Outcome {
    let (days, hours) = (BusinessDays::parse(&args.business_days)?, BusinessHours::parse("00:00-24:00")?);
    let calendar = Calendar::new(args.time_zone, days, hours, Holidays::parse(&args.holidays)?);
    let (members, groups) = read(&args.members)?;
    if members.len() < 2 {
        let found = members.len();
        return Err(format!("{} has {found} people; a pair needs two: add rows to it", args.members.display()).into());
    }
    let from = args.from.unwrap_or_else(|| calendar.today(clock::now()));
    let pairs = pairs(&members, args.weeks);
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["日付", "担当", "副担当"])?;
    for (day, (one, other)) in days_of(from, &pairs).filter(|(day, _)| calendar.is_working_day(*day)) {
        csv.write_record([&day.to_string(), &members[one].name, &members[other].name])?;
    }
    std::io::stdout().write_all(&csv.into_inner()?)?;
    std::io::stdout().flush()?;
    for group in groups {
        eprintln!("Left out: {group}, whose Slack id is a group's.");
    }
    for (member, turns) in members.iter().zip(turns(&members, &pairs)) {
        eprintln!("{}: {turns} of {} weeks", member.name, args.weeks);
    }
    if members.len() < ENOUGH {
        eprintln!("⚠ With fewer than {ENOUGH} people somebody has two weeks running.");
    }
    let alike = pairs.iter().filter(|(one, other)| same_team(&members, *one, *other)).count();
    if alike > 0 {
        eprintln!("⚠ In {alike} weeks both are of one team: it has more than half of the people.");
    }
    eprintln!("Next: import it into the tab 当番表, and swap by hand what doesn't suit somebody.");
    Ok(())
}

/// Every day from the first one, with the pair of its calendar week.
fn days_of(from: NaiveDate, pairs: &[(usize, usize)]) -> impl Iterator<Item = (NaiveDate, (usize, usize))> {
    let monday = from.checked_sub_days(Days::new(from.weekday().num_days_from_monday().into())).unwrap_or(from);
    let weeks = pairs.iter().enumerate();
    let days = weeks.flat_map(move |(week, pair)| {
        let days = monday.iter_days().skip(7 * week).take(7);
        days.map(|day| (day, *pair))
    });
    days.filter(move |(day, _)| *day >= from)
}

/// The people of a members file, and the names of groups in it.
fn read(path: &Path) -> Result<(Vec<Member>, Vec<String>), String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!("{} can't be read ({error}); say with --members which file has the members tab", path.display())
    })?;
    parse(&text).ok_or_else(|| format!("{} has no column `名前` or `name` in its first row", path.display()))
}

fn parse(text: &str) -> Option<(Vec<Member>, Vec<String>)> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let headers = reader.headers().ok()?.clone();
    let column =
        |names: &[&str]| headers.iter().position(|title| names.contains(&title.trim().to_lowercase().as_str()));
    let name = column(&["名前", "氏名", "name"])?;
    let (team, slack) = (column(&["team", "チーム", "所属", "部署"]), column(&["slack"]));
    let (mut members, mut groups): (Vec<Member>, Vec<String>) = (Vec::new(), Vec::new());
    for row in reader.records().filter_map(Result::ok) {
        let cell = |column: Option<usize>| row.get(column?).map(str::trim).filter(|text| !text.is_empty());
        let Some(name) = cell(Some(name)) else { continue };
        if cell(slack).is_some_and(|id| id.starts_with('S')) {
            groups.push(name.to_owned());
        } else if !members.iter().any(|member| member.name == name) {
            members.push(Member { name: name.to_owned(), team: cell(team).map(str::to_owned) });
        }
    }
    Some((members, groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday_and_the_first_one_today() {
        let thursday: NaiveDate = "2026-11-26".parse().unwrap();
        let days: Vec<_> = days_of(thursday, &[(0, 1), (2, 3)]).collect();
        assert_eq!(days.len(), 4 + 7);
        assert_eq!((days[0], days[4]), ((thursday, (0, 1)), ("2026-11-30".parse().unwrap(), (2, 3))));
    }

    #[test]
    fn groups_and_repetitions_are_no_people() {
        let text = "\u{feff}名前,team,Slack\n田中,a,U01\n 田中 ,a,U01\n鈴木,,U02\nSRE,,S01\n,,\n佐藤\n";
        let (members, groups) = parse(text).unwrap();
        let member = |name: &str, team: Option<&str>| Member { name: name.to_owned(), team: team.map(str::to_owned) };
        assert_eq!(members, [member("田中", Some("a")), member("鈴木", None), member("佐藤", None)]);
        assert_eq!(groups, ["SRE"]);
        assert_eq!(parse("who\n田中\n"), None);
    }
}
