//! A rota: two people a week, everybody equally often, nobody in two weeks running, from different teams where possible.

use std::collections::HashMap;

/// Somebody who takes turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name, as the sheet has it.
    pub name: String,
    /// The team; people without one count as of a team each.
    pub team: Option<String>,
}

/// With fewer people somebody has two weeks running.
pub const ENOUGH: usize = 4;

/// The pairs of these weeks, as indexes of members.
///
/// Everybody has had a turn before anybody has another one, so that counts differ by one at most. Of the pairs that
/// this leaves, the best one is taken: rested, of two teams, leaving no team more than half of those who are to come,
/// seldom together, longest without a turn, first in the list. The same list gives the same rota.
#[must_use]
pub fn pairs(members: &[Member], weeks: usize) -> Vec<(usize, usize)> {
    if members.len() < 2 {
        return Vec::new();
    }
    let mut counts = vec![0_usize; members.len()];
    let mut last_turns: Vec<Option<usize>> = vec![None; members.len()];
    let mut together: HashMap<(usize, usize), usize> = HashMap::new();
    let mut pairs = Vec::new();
    for week in 0..weeks {
        let fewest = counts.iter().min().copied().unwrap_or_default();
        let due = |member: usize| counts[member] == fewest;
        let all_due: Vec<_> = (0..members.len()).filter(|member| due(*member)).collect();
        let both = (0..members.len()).flat_map(|one| (one + 1..members.len()).map(move |other| (one, other)));
        // The last one of a round is joined by somebody of the next round.
        let turns = |(one, other): &(usize, usize)| match all_due.len() {
            1 => due(*one) || due(*other),
            _ => due(*one) && due(*other),
        };
        let worth = |&(one, other): &(usize, usize)| {
            let tired = [one, other].iter().filter(|member| week > 0 && last_turns[**member] == Some(week - 1)).count();
            let left: Vec<_> = all_due.iter().copied().filter(|member| *member != one && *member != other).collect();
            let rest = |member: usize| last_turns[member].map_or(0, |turn| turn + 1);
            let known = |pair: (usize, usize)| together.get(&pair).copied().unwrap_or_default();
            // Two who are left have no choice any more.
            let forced = if let [last, other] = left[..] { known((last, other)) } else { 0 };
            let crowded = crowding(members, left.into_iter());
            let rested = rest(one) + rest(other);
            (tired, same_team(members, one, other), crowded, known((one, other)) + forced, rested, one, other)
        };
        let Some(pair) = both.filter(turns).min_by_key(worth) else { break };
        for member in [pair.0, pair.1] {
            counts[member] += 1;
            last_turns[member] = Some(week);
        }
        *together.entry(pair).or_default() += 1;
        pairs.push(pair);
    }
    pairs
}

/// How often each member has a turn.
#[must_use]
pub fn turns(members: &[Member], pairs: &[(usize, usize)]) -> Vec<usize> {
    (0..members.len()).map(|member| pairs.iter().filter(|pair| pair.0 == member || pair.1 == member).count()).collect()
}

/// Whether both are of one team.
#[must_use]
pub fn same_team(members: &[Member], one: usize, other: usize) -> bool {
    members[one].team.is_some() && members[one].team == members[other].team
}

/// By how much the largest team of these exceeds half of them: so many pairs would be of one team.
fn crowding(members: &[Member], left: impl Iterator<Item = usize>) -> usize {
    let (mut sizes, mut all) = (HashMap::<&str, usize>::new(), 0_usize);
    for member in left {
        all += 1;
        if let Some(team) = &members[member].team {
            *sizes.entry(team).or_default() += 1;
        }
    }
    (2 * sizes.values().max().copied().unwrap_or_default()).saturating_sub(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Members by the letters of their teams; `-` is none.
    fn members(teams: &str) -> Vec<Member> {
        let team = |c: char| (c != '-').then(|| c.to_string());
        teams.chars().enumerate().map(|(index, c)| Member { name: format!("{c}{index}"), team: team(c) }).collect()
    }

    /// All teams of up to seven members, of two teams and none.
    fn all_teams() -> impl Iterator<Item = String> {
        (2..=7_u32).flat_map(|size| {
            (0..3_usize.pow(size)).map(move |mut number| {
                let letter = |_| {
                    let letter = ['a', 'b', '-'][number % 3];
                    number /= 3;
                    letter
                };
                (0..size).map(letter).collect()
            })
        })
    }

    #[test]
    fn everybody_has_equally_many_turns_after_any_number_of_weeks() {
        for teams in all_teams() {
            let members = members(&teams);
            for weeks in 0..12 {
                let pairs = pairs(&members, weeks);
                assert_eq!(pairs.len(), weeks, "{teams}");
                let turns = turns(&members, &pairs);
                let (most, fewest) = (turns.iter().max().unwrap(), turns.iter().min().unwrap());
                assert!(most - fewest <= 1, "{teams}: {turns:?}");
            }
        }
    }

    #[test]
    fn nobody_has_two_weeks_running_if_there_are_enough_people() {
        for teams in all_teams().filter(|teams| teams.len() >= ENOUGH) {
            let pairs = pairs(&members(&teams), 30);
            for two in pairs.windows(2) {
                let [(a, b), (c, d)] = [two[0], two[1]];
                assert!(a != c && a != d && b != c && b != d, "{teams}: {two:?}");
            }
        }
    }

    #[test]
    fn two_teams_of_one_size_are_always_mixed() {
        for teams in ["aabb", "abab", "aaabbb", "ababab", "bbbaaa", "aaaabbbb", "aaabbbccc---", "aabbcc"] {
            let members = members(teams);
            let pairs = pairs(&members, 24);
            assert!(pairs.iter().all(|(one, other)| !same_team(&members, *one, *other)), "{teams}: {pairs:?}");
        }
    }

    #[test]
    fn a_team_that_is_too_large_pairs_with_itself_only_as_often_as_it_must() {
        // Of six people, four of one team: one pair in each round of three.
        let members = members("aaaabb");
        let pairs = pairs(&members, 12);
        let alike = pairs.iter().filter(|(one, other)| same_team(&members, *one, *other)).count();
        assert_eq!(alike, 4, "{pairs:?}");
    }

    #[test]
    fn pairs_change_from_round_to_round_and_the_same_list_gives_the_same_rota() {
        let members = members("------");
        let once = pairs(&members, 15);
        assert_eq!(once, pairs(&members, 15));
        let different: std::collections::HashSet<_> = once.iter().collect();
        assert!(different.len() >= 10, "{once:?}");
    }

    #[test]
    fn who_is_alone_has_no_rota() {
        assert_eq!(pairs(&members("a"), 3), []);
        assert_eq!(pairs(&[], 3), []);
    }
}
