//! People do something on Slack: they ask who is on call, or press a button under an incident.

mod press;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::HeaderMap;
use tokio::time::Instant;

use crate::budget::{INTERACTION, WEBHOOK};
use crate::clock::Invocation;
use crate::config::{ChatConfig, InteractionConfig, TeamConfig};
use crate::delivery::Dispatcher;
use crate::domain::calendar::Calendar;
use crate::domain::chat::ChatName;
use crate::domain::event::{Incident, Link};
use crate::domain::message::{Inquiry, Message};
use crate::domain::reminder::{self, OpenIncidents, ReminderKind};
use crate::domain::roster::OnCallDay;
use crate::domain::wording::Language;
use crate::edge::authenticator::{Authenticator, Verdict};
use crate::edge::chat;
use crate::edge::http::HttpClient;
use crate::edge::interactivity::{self, Press, Requested, SlackVerifier};
use crate::edge::ledger::Sighting;
use crate::edge::pagerduty::rest::RestClient;
use crate::edge::roster::RosterSource;
use crate::edge::secrets::Secrets;
use crate::log_events;
use press::Acting;

/// Everything that lasts from one request of Slack's to the next.
#[derive(Debug)]
pub struct InteractionHandler {
    authenticator: Authenticator<SlackVerifier>,
    /// `SLACK_BASE_URL`, if Slack is one of the chats.
    base_url: Option<String>,
    calendar: Calendar,
    fallback_mentions: Vec<String>,
    language: Language,
    roster: Arc<RosterSource>,
    dispatcher: Arc<Dispatcher>,
    incidents: Option<RestClient>,
    acting: Option<Acting>,
    http: HttpClient,
    settings: Vec<&'static str>,
}

/// How a request of Slack's ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// It is not Slack's.
    Unauthenticated,
    /// Slack needs to know no more than that it arrived.
    Heard,
    /// It was not carried out, and whoever pressed could not be told: Slack has to show them that something is wrong.
    NotHeard,
    /// This is for whoever asked, in Slack's own form.
    Answered(String),
}

/// What happened to a request, for the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// It was not authentic.
    pub unauthenticated: u32,
    /// It was judged by old secrets, because they could not be read again.
    pub secrets_stale: u32,
    /// The ledger's table could not be used.
    pub ledger_failed: u32,
}

impl InteractionHandler {
    /// Sets up what the settings describe; nothing is called yet. `secrets` is where secrets may be read again.
    #[must_use]
    pub fn new(
        config: InteractionConfig,
        team: &TeamConfig,
        roster: Arc<RosterSource>,
        dispatcher: Arc<Dispatcher>,
        http: &HttpClient,
        secrets: Option<Secrets>,
        now: DateTime<Utc>,
    ) -> Self {
        let InteractionConfig { secrets: signing, incidents, acting, settings } = config;
        let slack = team.chats.iter().find_map(|chat| match chat {
            ChatConfig::Slack(slack) => Some(slack),
            ChatConfig::Typetalk(_) => None,
        });
        let acting = acting.zip(slack).map(|(config, slack)| {
            Acting::new(config, slack, team, Arc::clone(&roster), Arc::clone(&dispatcher), http)
        });
        Self {
            authenticator: Authenticator::new(SlackVerifier(signing), secrets, now),
            base_url: slack.map(|slack| slack.base_url.clone()),
            calendar: team.calendar.clone(),
            fallback_mentions: team.fallback_mentions.clone(),
            language: team.language,
            roster,
            dispatcher,
            incidents: incidents.map(|config| RestClient::new(config, http.clone())),
            acting,
            http: http.clone(),
            settings,
        }
    }

    /// Authenticates a request, does what it asks for, and answers within the time that Slack gives.
    pub async fn on_request(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> (Reaction, Tally) {
        let invocation = Invocation::begin(now, INTERACTION.answer);
        let verdict = self.authenticator.admits(headers, body, now).await;
        let mut tally = Tally {
            secrets_stale: u32::from(matches!(verdict, Verdict::AdmittedByOldSecrets | Verdict::Unknown)),
            ..Tally::default()
        };
        if matches!(verdict, Verdict::Refused | Verdict::Unknown) {
            tracing::warn!(
                event = log_events::UNAUTHENTICATED,
                "refused a request to /slack whose signature fits none of SLACK_SIGNING_SECRETS, or is older than 5 \
                 minutes; if people's clicks do nothing, compare them with the signing secret of the Slack app"
            );
            tally.unauthenticated = 1;
            return (Reaction::Unauthenticated, tally);
        }
        let failures = self.dispatcher.ledger().failures();
        let reaction = match interactivity::parse(body, self.base_url.as_deref()) {
            Requested::Command => self.who_is_on_call(invocation).await,
            Requested::SslCheck => Reaction::Heard,
            Requested::Press(press) => match &self.acting {
                Some(acting) => acting.on_press(&press, invocation).await,
                None => self.not_acting(&press, invocation).await,
            },
            Requested::Note(note) => {
                if let Some(acting) = &self.acting {
                    acting.on_note(&note, invocation).await
                } else {
                    log_not_acting();
                    refused(self.language.acting_is_off(), note.link.as_ref(), self.language)
                }
            }
            Requested::Unusable(why) => {
                tracing::warn!(event = log_events::IGNORED, "a press or a note that lacks what it needs: {why}");
                Reaction::NotHeard
            }
            Requested::Nothing(why) => {
                tracing::warn!(
                    event = log_events::IGNORED,
                    "authentic, and nothing that Slack sends for the relay: {why}"
                );
                Reaction::Heard
            }
        };
        // After everything else, since only the check wants to know.
        if invocation.has_more_than(WEBHOOK.settle) {
            self.dispatcher.ledger().sight(Sighting::Click, &self.settings, now).await;
        }
        tally.ledger_failed = u32::from(self.dispatcher.ledger().failures() > failures);
        (reaction, tally)
    }

    async fn who_is_on_call(&self, invocation: Invocation) -> Reaction {
        let now = invocation.arrived_at();
        let today = self.calendar.today(now);
        let (roster, open) = tokio::join!(
            self.roster.reading(self.dispatcher.ledger(), today, invocation),
            self.open_incidents(invocation)
        );
        let next = self.calendar.next_working_day(today).map(|first| {
            reminder::on_call(ReminderKind::Next, first, &self.calendar, &roster, &self.fallback_mentions, now)
        });
        let inquiry = Inquiry {
            now,
            today: OnCallDay::from_reading(&roster, &self.fallback_mentions, today, now),
            is_working_day: self.calendar.is_working_day(today),
            next,
            open,
        };
        tracing::info!(event = log_events::INQUIRY, "somebody asked on Slack who is on call");
        let text = chat::render(ChatName::Slack, &Message::answer(&inquiry, ChatName::Slack, self.language));
        Reaction::Answered(interactivity::ephemeral(&text))
    }

    async fn not_acting(&self, press: &Press, invocation: Invocation) -> Reaction {
        log_not_acting();
        let number = self.dispatcher.ledger().incident(&press.incident, invocation.now()).await.number;
        let incident =
            Incident { id: Some(press.incident.clone()), number, link: press.link.clone(), ..Incident::default() };
        let words = Message::to_presser(self.language.acting_is_off(), &incident, self.language);
        tell(&self.http, press, &words, invocation).await
    }

    async fn open_incidents(&self, invocation: Invocation) -> OpenIncidents {
        match &self.incidents {
            Some(incidents) => incidents.open_incidents(invocation).await,
            None => OpenIncidents::NotRequested,
        }
    }
}

/// Its message is from a time when there were buttons.
fn log_not_acting() {
    tracing::warn!(
        event = log_events::IGNORED,
        "somebody pressed a button, and PAGERDUTY_ACTION_KEY and PAGERDUTY_FROM are not set, or CHATS has no `slack`"
    );
}

/// What the modal of a note shows instead of closing.
fn refused(words: &str, link: Option<&Link>, language: Language) -> Reaction {
    let link = link.map(|link| format!(" {} {link}", language.by_hand()));
    Reaction::Answered(interactivity::modal_error(&format!("{words}{}", link.unwrap_or_default())))
}

/// Tells the presser alone; if that doesn't work, Slack has to show them that something is wrong.
async fn tell(http: &HttpClient, press: &Press, message: &Message, invocation: Invocation) -> Reaction {
    let text = chat::render(ChatName::Slack, message);
    let within = invocation.deadline().saturating_duration_since(Instant::now());
    let told = match &press.reply {
        Some(reply) => interactivity::tell(http, reply, &text, within).await,
        None => Err("no response_url of Slack's".to_owned()),
    };
    let Err(why) = told else { return Reaction::Heard };
    tracing::warn!(
        event = log_events::PRESS,
        outcome = "not_told",
        "whoever pressed could not be told how it ended: {why}"
    );
    Reaction::NotHeard
}
