//! What of Slack the check reads: the token's scopes, a channel, people and groups. These methods take no JSON.
//!
//! Sources: <https://docs.slack.dev/reference/methods/auth.test>, `conversations.info`, `users.info`, `users.list` and
//! `usergroups.list` beside it.

use std::collections::HashMap;

use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::slack_errors;
use crate::config::SlackConfig;
use crate::domain::check::Unseen;
use crate::domain::check::slack::{Channel, People, Standing, Token};
use crate::edge::beside::{Work, side_by_side};
use crate::edge::http::{HttpClient, read_body};

/// Up to so many people are asked for one by one; more are looked up in the list of all.
const ONE_BY_ONE: usize = 30;
/// How many of them at once.
const AT_ONCE: usize = 6;
/// Slack recommends no larger pages.
const PAGE: &str = "200";
/// A page of two hundred people has some 400 KiB.
const BODY_LIMIT: usize = 4 << 20;

/// A workspace to be asked about.
#[derive(Debug)]
pub struct SlackReader {
    http: HttpClient,
    config: SlackConfig,
}

#[derive(Deserialize)]
struct Answer<T> {
    ok: bool,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    needed: Option<String>,
    #[serde(flatten)]
    rest: Option<T>,
}

#[derive(Deserialize)]
struct Nothing {}

#[derive(Deserialize)]
struct ChannelAnswer {
    channel: WireChannel,
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "as Slack has them")]
struct WireChannel {
    #[serde(default)]
    is_private: bool,
    #[serde(default)]
    is_im: bool,
    #[serde(default)]
    is_member: bool,
    #[serde(default)]
    is_archived: bool,
    #[serde(default)]
    is_frozen: bool,
}

#[derive(Deserialize)]
struct UserAnswer {
    user: User,
}

#[derive(Deserialize)]
struct Users {
    members: Vec<User>,
    #[serde(default)]
    response_metadata: Cursor,
}

#[derive(Deserialize, Default)]
struct Cursor {
    #[serde(default)]
    next_cursor: String,
}

#[derive(Deserialize)]
struct User {
    id: String,
    #[serde(default)]
    deleted: bool,
}

#[derive(Deserialize)]
struct Groups {
    usergroups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    id: String,
    #[serde(default)]
    date_delete: i64,
}

impl SlackReader {
    /// Nothing is called yet.
    #[must_use]
    pub fn new(config: &SlackConfig, http: HttpClient) -> Self {
        Self { http, config: config.clone() }
    }

    /// The token, and the scopes that it was granted.
    ///
    /// # Errors
    /// Says what came instead.
    pub async fn token(&self) -> Result<Token, Unseen> {
        let (_, scopes) = self.ask::<Nothing>("auth.test", &[]).await?;
        Ok(Token { scopes })
    }

    /// A channel as the bot sees it.
    ///
    /// # Errors
    /// Says what came instead.
    pub async fn channel(&self, id: &str) -> Result<Channel, Unseen> {
        let (ChannelAnswer { channel }, _) = self.ask("conversations.info", &[("channel", id)]).await?;
        Ok(Channel {
            is_private: channel.is_private,
            // A conversation with one person has no members to be among.
            is_member: channel.is_member || channel.is_im,
            is_archived: channel.is_archived || channel.is_frozen,
        })
    }

    /// How Slack knows these people and groups, each with a name and an id.
    pub async fn people(&self, ids: &[(String, String)]) -> People {
        let (groups, people): (Vec<_>, Vec<_>) = ids.iter().cloned().partition(|(_, id)| id.starts_with('S'));
        let (people, groups) = tokio::join!(self.users(people), self.groups(groups));
        let mut all = people;
        all.seen.extend(groups.seen);
        for unseen in groups.unseen {
            if !all.unseen.contains(&unseen) {
                all.unseen.push(unseen);
            }
        }
        all
    }

    async fn users(&self, ids: Vec<(String, String)>) -> People {
        if ids.len() > ONE_BY_ONE {
            return self.among_all(ids).await;
        }
        let asked = ids.into_iter().map(|(name, id)| -> Work<'_, _> {
            Box::pin(async move {
                let standing = match self.ask::<UserAnswer>("users.info", &[("user", &id)]).await {
                    Ok((UserAnswer { user: User { deleted: true, .. } }, _)) => Ok(Standing::Deactivated),
                    Ok(_) => Ok(Standing::Active),
                    Err(Unseen::Refused { code, .. }) if code == "user_not_found" || code == "user_not_visible" => {
                        Ok(Standing::Unknown)
                    }
                    Err(unseen) => Err(unseen),
                };
                (name, id, standing)
            })
        });
        let mut people = People::default();
        for (name, id, standing) in side_by_side(AT_ONCE, asked).await {
            match standing {
                Ok(standing) => people.seen.push((name, id, standing)),
                Err(unseen) if people.unseen.contains(&unseen) => {}
                Err(unseen) => people.unseen.push(unseen),
            }
        }
        people.seen.sort();
        people
    }

    async fn among_all(&self, ids: Vec<(String, String)>) -> People {
        let mut known = HashMap::new();
        let mut cursor = String::new();
        loop {
            let mut query = vec![("limit", PAGE)];
            query.extend((!cursor.is_empty()).then_some(("cursor", cursor.as_str())));
            let page: Users = match self.ask("users.list", &query).await {
                Ok((page, _)) => page,
                Err(unseen) => {
                    // Whom the pages had so far is known; of the others nothing is.
                    let seen = ids.into_iter().filter_map(|(name, id)| {
                        let standing = known.get(&id).copied()?;
                        Some((name, id, standing))
                    });
                    return People { seen: seen.collect(), unseen: vec![unseen] };
                }
            };
            let standing = |user: &User| if user.deleted { Standing::Deactivated } else { Standing::Active };
            known.extend(page.members.iter().map(|user| (user.id.clone(), standing(user))));
            cursor = page.response_metadata.next_cursor;
            if cursor.is_empty() || ids.iter().all(|(_, id)| known.contains_key(id)) {
                break;
            }
        }
        let seen = ids.into_iter().map(|(name, id)| {
            let standing = known.get(&id).copied().unwrap_or(Standing::Unknown);
            (name, id, standing)
        });
        People { seen: seen.collect(), unseen: Vec::new() }
    }

    async fn groups(&self, ids: Vec<(String, String)>) -> People {
        if ids.is_empty() {
            return People::default();
        }
        match self.ask::<Groups>("usergroups.list", &[("include_disabled", "true")]).await {
            Ok((Groups { usergroups }, _)) => {
                let standing = |id: &str| match usergroups.iter().find(|group| group.id == id) {
                    Some(Group { date_delete: 0, .. }) => Standing::Active,
                    Some(_) => Standing::Deactivated,
                    None => Standing::Unknown,
                };
                let seen = ids.into_iter().map(|(name, id)| {
                    let standing = standing(&id);
                    (name, id, standing)
                });
                People { seen: seen.collect(), unseen: Vec::new() }
            }
            Err(unseen) => People { seen: Vec::new(), unseen: vec![unseen] },
        }
    }

    /// Asks one method, and returns what it says and the scopes that the token was granted.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        query: &[(&str, &str)],
    ) -> Result<(T, Option<Vec<String>>), Unseen> {
        let url = url::Url::parse_with_params(&format!("{}/api/{method}", self.config.base_url), query)
            .map_err(|_| Unseen::Unreachable("no address".to_owned()))?;
        // A query of none would leave a bare question mark.
        let url = url.as_str().trim_end_matches('?');
        let request = if method == "auth.test" {
            self.http.post(url).header("content-type", "application/x-www-form-urlencoded")
        } else {
            self.http.get(url)
        };
        let request = request.bearer_auth(self.config.token.expose_secret());
        let mut response = self.http.send(request).await.map_err(|error| Unseen::Unreachable(error.to_string()))?;
        let status = response.status().as_u16();
        let scopes = response.headers().get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok()).map(|scopes| {
            scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
        });
        let body = read_body(&mut response, BODY_LIMIT)
            .await
            .map_err(|_| Unseen::Unreachable("no whole answer".to_owned()))?;
        match serde_json::from_slice::<Answer<T>>(&body) {
            Ok(Answer { ok: true, rest: Some(rest), .. }) if (200..300).contains(&status) => Ok((rest, scopes)),
            Ok(Answer { ok: false, error: Some(code), needed, .. }) => Err(refused(&code, needed, self.config.purpose)),
            _ if (200..300).contains(&status) => Err(Unseen::Garbled),
            _ => Err(Unseen::Status(status)),
        }
    }
}

fn refused(code: &str, needed: Option<String>, purpose: crate::config::Purpose) -> Unseen {
    let is_word = |text: &str, more: &[u8]| {
        text.len() <= 64 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || more.contains(&b))
    };
    if code == "missing_scope" {
        let needed = needed.filter(|needed| is_word(needed, b":,. ")).unwrap_or_else(|| "a scope".to_owned());
        return Unseen::NotAllowed(format!("the scope {needed}"));
    }
    if code == "plan_upgrade_required" {
        return Unseen::NotAllowed("a plan of Slack's that has user groups".to_owned());
    }
    let remedy = slack_errors::lookup(code).map_or_else(String::new, |(_, remedy)| remedy.to_owned());
    Unseen::Refused {
        code: if is_word(code, b"") { code.to_owned() } else { "an error code that is none".to_owned() },
        remedy: remedy.replace("{channel}", purpose.slack_channel()),
    }
}
