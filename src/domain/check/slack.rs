//! Whether Slack lets the bot post to a channel, and whether the members tab's ids are people whom Slack has.

use super::{Act, Finding, Unseen};

/// What Slack says about the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The scopes that it was granted, if Slack names them.
    pub scopes: Option<Vec<String>>,
}

impl Token {
    fn has(&self, scope: &str) -> Option<bool> {
        self.scopes.as_ref().map(|scopes| scopes.iter().any(|granted| granted == scope))
    }
}

/// What Slack says about a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    /// Only its members see it.
    pub is_private: bool,
    /// The bot is in it.
    pub is_member: bool,
    /// It takes no more messages.
    pub is_archived: bool,
}

/// How Slack knows an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// As somebody, or a group, who can be mentioned.
    Active,
    /// As somebody who was deactivated, or a group that was disabled.
    Deactivated,
    /// Not at all.
    Unknown,
}

/// The ids of the members tab, as far as Slack could be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// Name and id of each, and how Slack knows it.
    pub seen: Vec<(String, String, Standing)>,
    /// Why some could not be looked at.
    pub unseen: Vec<Unseen>,
}

/// Whether the bot can post to the channel of a setting.
#[must_use]
pub fn place(
    name: &'static str,
    setting: &'static str,
    token: &Result<Token, Unseen>,
    channel: &Result<Channel, Unseen>,
) -> Finding {
    let token = match token {
        Ok(token) => token,
        Err(unseen) => {
            let finding = Finding::unanswered(name, "Slack", unseen, "check SLACK_TOKEN and SLACK_BASE_URL");
            let is_refusal = matches!(unseen, Unseen::Refused { .. });
            return if is_refusal { finding.with_act(Act::SlackToken) } else { finding };
        }
    };
    if token.has("chat:write") == Some(false) {
        return Finding::failed(
            name,
            "SLACK_TOKEN has not the scope chat:write",
            "give the app the scope chat:write (OAuth & Permissions), install it again, and put the new SLACK_TOKEN",
        )
        .with_act(Act::SlackToken);
    }
    let unable =
        |detail: String, remedy: String| Finding::failed(name, detail, remedy).with_act(Act::SlackPlace(setting));
    match channel {
        Ok(Channel { is_archived: true, .. }) => {
            unable(format!("the channel of {setting} is archived"), format!("restore it, or set {setting} to another"))
        }
        Ok(Channel { is_member: true, .. }) => {
            Finding::ok(name, format!("the token works, and the bot is in the channel of {setting}"))
        }
        Ok(Channel { is_private: false, .. }) if token.has("chat:write.public") == Some(true) => {
            Finding::ok(name, format!("the bot is not in the channel of {setting}, but may post to public ones"))
        }
        Ok(Channel { is_private: false, .. }) if token.scopes.is_none() => Finding::skipped(
            name,
            format!("the bot is not in the channel of {setting}; whether it may post there can't be told"),
            format!("invite the bot to the channel of {setting} (/invite)"),
        ),
        Ok(_) => unable(
            format!("the bot is not in the channel of {setting}"),
            format!("invite the bot to the channel of {setting} (/invite)"),
        ),
        // A private channel is as good as not there for whom may not see private ones.
        Err(Unseen::Refused { code, .. }) if code == "channel_not_found" && token.has("groups:read") != Some(true) => {
            Finding::skipped(
                name,
                format!(
                    "the token works; Slack shows it no channel of the id in {setting}, which may be a private one"
                ),
                format!(
                    "check {setting}; to have a private channel checked, give the app groups:read; or check with \
                         `post`"
                ),
            )
        }
        Err(unseen @ Unseen::Refused { .. }) => {
            Finding::unanswered(name, "the channel", unseen, "").with_act(Act::SlackPlace(setting))
        }
        Err(Unseen::NotAllowed(scope)) => Finding::skipped(
            name,
            format!("the token works; whether the channel of {setting} takes messages can't be told without {scope}"),
            format!("give the app {scope}, and install it again; or check with `post`"),
        ),
        Err(unseen) => Finding::unanswered(name, "Slack", unseen, "check SLACK_BASE_URL"),
    }
}

/// Whether Slack has the people of the members tab.
#[must_use]
pub fn people(name: &'static str, people: &People) -> Option<Finding> {
    let with = |standing: Standing| -> Vec<String> {
        let lost = people.seen.iter().filter(|(_, _, seen)| *seen == standing);
        lost.map(|(name, id, _)| format!("{name} ({id})")).collect()
    };
    let (unknown, deactivated) = (with(Standing::Unknown), with(Standing::Deactivated));
    let mut said: Vec<String> = Vec::new();
    if !unknown.is_empty() {
        said.push(format!("ids of the members tab that Slack doesn't know: {}", unknown.join(", ")));
    }
    if !deactivated.is_empty() {
        said.push(format!("ids of the members tab that Slack has deactivated: {}", deactivated.join(", ")));
    }
    let lost = || people.seen.iter().filter(|(_, _, seen)| *seen != Standing::Active).map(|(name, _, _)| name.clone());
    let found = (!said.is_empty()).then(|| {
        let remedy = "correct them in the members tab (MEMBERS_RANGE): a person's profile > Copy member ID";
        Finding::warning(name, said.join("\n"), remedy).with_act(Act::SlackPeople(lost().collect()))
    });
    let unseen = people.unseen.iter().map(|unseen| match unseen {
        Unseen::NotAllowed(scope) => Finding::skipped(
            name,
            format!("whether Slack has the ids of the members tab can't be told without {scope}"),
            format!("give the app {scope}, and install it again"),
        ),
        unseen => Finding::warning(
            name,
            format!("some ids of the members tab could not be looked at: {unseen}"),
            "check again later",
        ),
    });
    found.into_iter().chain(unseen).reduce(Finding::and)
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as it was seen")]
    fn token(scopes: &[&str]) -> Result<Token, Unseen> {
        Ok(Token { scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()) })
    }

    fn refused(code: &str) -> Unseen {
        Unseen::Refused { code: code.to_owned(), remedy: "do something".to_owned() }
    }

    const IN_IT: Channel = Channel { is_private: false, is_member: true, is_archived: false };

    #[test]
    fn a_place_is_ok_only_if_slack_says_that_the_bot_can_post_there() {
        let outside = Channel { is_member: false, ..IN_IT };
        let secret = Channel { is_private: true, ..outside };
        let place_of = Some(Act::SlackPlace("SLACK_ALERT_CHANNEL"));
        let all = ["chat:write", "channels:read", "groups:read"];
        for (token, channel, status, act) in [
            (token(&all), Ok(IN_IT), Status::Ok, None),
            (Ok(Token { scopes: None }), Ok(IN_IT), Status::Ok, None),
            (token(&["channels:read"]), Ok(IN_IT), Status::Failed, Some(Act::SlackToken)),
            (token(&all), Ok(Channel { is_archived: true, ..IN_IT }), Status::Failed, place_of.clone()),
            (token(&all), Ok(outside), Status::Failed, place_of.clone()),
            (token(&["chat:write", "chat:write.public"]), Ok(outside), Status::Ok, None),
            (token(&["chat:write", "chat:write.public"]), Ok(secret), Status::Failed, place_of.clone()),
            (Ok(Token { scopes: None }), Ok(outside), Status::Skipped, None),
            (token(&all), Err(refused("channel_not_found")), Status::Failed, place_of.clone()),
            (token(&["chat:write", "channels:read"]), Err(refused("channel_not_found")), Status::Skipped, None),
            (token(&["chat:write"]), Err(Unseen::NotAllowed("channels:read".into())), Status::Skipped, None),
            (Err(refused("invalid_auth")), Err(refused("invalid_auth")), Status::Failed, Some(Act::SlackToken)),
            (Err(Unseen::Status(503)), Err(Unseen::Status(503)), Status::Failed, Some(Act::Look("slack.alert"))),
        ] {
            let finding = place("slack.alert", "SLACK_ALERT_CHANNEL", &token, &channel);
            assert_eq!((finding.status, &finding.act), (status, &act), "{token:?} {channel:?}: {finding:?}");
            assert!(finding.status == Status::Ok || !finding.remedy.is_empty(), "{finding:?}");
        }
    }

    #[test]
    fn people_whom_slack_has_not_are_named_with_their_ids() {
        let seen = |name: &str, standing| (name.to_owned(), format!("U0{name}"), standing);
        let fine = People { seen: vec![seen("A", Standing::Active)], unseen: Vec::new() };
        assert_eq!(people("slack.alert", &fine), None);
        let lost = People {
            seen: vec![seen("A", Standing::Active), seen("B", Standing::Unknown), seen("C", Standing::Deactivated)],
            unseen: vec![Unseen::NotAllowed("usergroups:read".to_owned())],
        };
        let finding = people("slack.alert", &lost).unwrap();
        assert_eq!(finding.status, Status::Warning);
        assert_eq!(finding.act, Some(Act::SlackPeople(vec!["B".to_owned(), "C".to_owned()])));
        for part in ["B (U0B)", "C (U0C)", "usergroups:read"] {
            assert!(finding.detail.contains(part), "{finding:?}");
        }
        let unseen = People { seen: Vec::new(), unseen: vec![Unseen::NotAllowed("users:read".to_owned())] };
        assert_eq!(people("slack.alert", &unseen).unwrap().status, Status::Skipped);
    }
}
