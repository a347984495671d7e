//! `oncall preview`: what a webhook in a file would be posted as, on each chat, at a given time.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use oncall_relay::budget::WEBHOOK;
use oncall_relay::clock::{self, Invocation};
use oncall_relay::config::{ChatConfig, Environment, WebhookConfig};
use oncall_relay::domain::alert::{Alert, Mentions};
use oncall_relay::domain::chat::ChatName;
use oncall_relay::domain::event::{Event, Kind};
use oncall_relay::domain::message::{Destination, FirstMessage, Message, Subject};
use oncall_relay::domain::roster::OnCallDay;
use oncall_relay::edge::chat::render;
use oncall_relay::edge::http::HttpClient;
use oncall_relay::edge::ledger::Ledger;
use oncall_relay::edge::pagerduty::{self, Ignored, Item};
use oncall_relay::edge::roster::RosterSource;
use serde_json::{Value, json};

use super::Ended;
use super::output::{Output, Paint};
use crate::operator::stack::SettingsOf;

/// What `oncall preview` can be told.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oncall preview webhook.json                                     as if it came now
  oncall preview webhook.json --at 2026-12-01T11:00:00+09:00      as if it came then
  oncall preview webhook.json --stack oncall-relay                with the settings of the deployed stack, and its secrets
  pbpaste | oncall preview - --json                               from the standard input")]
pub(super) struct Arguments {
    /// The webhook's body, version 2 or 3; `-` is the standard input.
    file: PathBuf,
    #[command(flatten)]
    settings: SettingsOf,
    /// When it comes (RFC 3339); now, if it isn't given.
    #[arg(long)]
    at: Option<DateTime<Utc>>,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// Reads, prints, and says whether there was something to post.
pub(super) async fn run(arguments: Arguments) -> Result<Ended, Box<dyn Error>> {
    let body = if arguments.file.as_os_str() == "-" {
        let mut body = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut body)?;
        body
    } else {
        let file = arguments.file.display();
        std::fs::read(&arguments.file).map_err(|error| format!("{file} can't be read: {error}"))?
    };
    // Nothing is authenticated here, so nobody needs to have the real one.
    let stand_in = HashMap::from([("PAGERDUTY_SIGNING_SECRETS".to_owned(), "only-for-a-preview".to_owned())]);
    let read = |environment: &Environment| WebhookConfig::read(&environment.with_secrets(stand_in.clone()));
    let config = arguments.settings.read(read).await?;
    let previews = previews(&config, &body, arguments.at.unwrap_or_else(clock::now)).await?;
    let mut output = Output::new();
    if arguments.json {
        output.line(&serde_json::to_string_pretty(&previews)?)?;
    } else {
        print(&mut output, &previews)?;
    }
    Ok(if previews["ok"] == true { Ended::Well } else { Ended::Badly })
}

async fn previews(config: &WebhookConfig, body: &[u8], at: DateTime<Utc>) -> Result<Value, Box<dyn Error>> {
    let source = RosterSource::new(&config.team, WEBHOOK).await?;
    let ledger = Ledger::new(config.team.ledger.as_ref(), WEBHOOK, &HttpClient::new());
    let mut events = Vec::new();
    let mut ok = true;
    for item in pagerduty::parse(body, None) {
        match item {
            Item::Ignored(ignored) => events.push(json!({"ignored": in_words(&ignored, body)})),
            Item::Event(event) => {
                ok &= event.kind != Kind::Unreadable;
                events.push(preview(config, &source, &ledger, *event, at).await);
            }
        }
    }
    Ok(json!({"ok": ok, "at": config.team.calendar.local(at).to_rfc3339(), "events": events}))
}

/// Why nothing is posted, and what to do if something should be.
fn in_words(ignored: &Ignored, body: &[u8]) -> String {
    let is_in_a_request = || serde_json::from_slice::<Value>(body).is_ok_and(|json| json["body"].is_string());
    match ignored {
        Ignored::NotForPeople { family } => {
            format!("an event of the kind {family}, of which nobody on call needs to know")
        }
        Ignored::Version1 => {
            "a webhook of version 1, which is not understood; use a v3 webhook subscription".to_owned()
        }
        Ignored::NoWebhook if is_in_a_request() => {
            "it is API Gateway's request around a webhook; take what is in it: jq -j .body FILE | oncall preview -"
                .to_owned()
        }
        Ignored::NoWebhook => "it is JSON, but no webhook of PagerDuty's".to_owned(),
    }
}

async fn preview(
    config: &WebhookConfig,
    source: &RosterSource,
    ledger: &Ledger,
    event: Event,
    at: DateTime<Utc>,
) -> Value {
    let team = &config.team;
    let kind = event.kind.name();
    let mentions = Mentions::of(&event, &config.mention_on, &team.calendar, at);
    let mentions = if mentions == Mentions::Nobody {
        Mentions::Nobody
    } else {
        let today = team.calendar.today(at);
        let state = source.reading(ledger, today, Invocation::begin(at, WEBHOOK.answer)).await;
        mentions.with(OnCallDay::from_reading(&state, &team.fallback_mentions, today, at))
    };
    let alert = Alert::new(event, None, mentions, false, &team.calendar, at);
    let posts = team.chats.iter().map(ChatConfig::name).map(|chat| {
        let destination = Destination { chat, instead_of: None, in_doubt: false };
        // An incident's first message on Slack is a card, which lasts and is brought up to date.
        let is_card = chat == ChatName::Slack
            && alert.event.is_about_an_incident()
            && !matches!(alert.event.kind, Kind::Unknown { .. } | Kind::Unreadable);
        let message = if is_card {
            let zone = team.calendar.local(at).timezone();
            FirstMessage::begin(&alert, destination, team.language).card(team.language, zone).text()
        } else {
            Message::whole(Subject::Alert(&alert), destination, team.language)
        };
        json!({"chat": chat.key(), "text": render(chat, &message)})
    });
    json!({"kind": kind, "posts": posts.collect::<Vec<_>>()})
}

fn print(output: &mut Output, previews: &Value) -> Result<(), Box<dyn Error>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    output.line(&format!("As if it came at {}", text(&previews["at"])))?;
    for event in previews["events"].as_array().into_iter().flatten() {
        if let Some(why) = event["ignored"].as_str() {
            output.line(&output.paint(Paint::Quiet, &format!("\nnothing is posted: {why}")))?;
            continue;
        }
        for post in event["posts"].as_array().into_iter().flatten() {
            let heading = format!("\n{} on {}", text(&event["kind"]), text(&post["chat"]));
            output.line(&output.paint(Paint::Strong, &heading))?;
            for line in text(&post["text"]).lines() {
                output.line(&format!("│ {line}"))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use oncall_relay::lambda::api_gateway;
    use oncall_relay::webhook::WebhookHandler;

    use super::*;
    use crate::fakes::pagerduty::{EventSpec, Incident, http_api_event, signature, v2};
    use crate::fakes::{Fakes, SIGNING_SECRET};

    async fn seen(body: &[u8], at: &str) -> Value {
        let fakes = Fakes::start().await.unwrap();
        let settings = fakes.settings();
        let environment =
            Environment::new(move |name| settings.get(name).cloned(), |path| std::fs::read_to_string(path));
        let config = WebhookConfig::read(&environment).unwrap();
        let previews = previews(&config, body, at.parse().unwrap()).await.unwrap();
        assert!(fakes.typetalk.take_posts().is_empty() && fakes.slack.take_posts().is_empty());
        previews
    }

    #[tokio::test]
    async fn a_webhook_of_either_version_is_shown_as_each_chat_would_have_it_at_that_time() {
        let incident = Incident { id: "PINC33", number: 33, title: "応答が遅い".to_owned(), service: "Backlog" };
        let spec = |event_type| EventSpec {
            event_id: "E1".to_owned(),
            event_type,
            at: "2026-11-24T11:00:00+09:00".parse().unwrap(),
            agent: None,
        };
        let bodies = [incident.v3(&spec("incident.triggered")), v2(&[incident.v2(&spec("incident.trigger"))])];
        for body in bodies {
            let body = body.to_string();
            for (at, mentions) in [("2026-11-24T11:00:00+09:00", true), ("2026-11-24T20:00:00+09:00", false)] {
                let previews = seen(body.as_bytes(), at).await;
                let posts = &previews["events"][0]["posts"];
                assert_eq!((&posts[0]["chat"], &posts[1]["chat"]), (&json!("typetalk"), &json!("slack")));
                let [typetalk, slack] = [0, 1].map(|index| posts[index]["text"].as_str().unwrap().to_owned());
                assert!(typetalk.contains("#pd33") && slack.contains("#pd33"), "{previews}");
                assert_eq!(typetalk.contains("@tanaka"), mentions, "{at}: {typetalk}");
                assert_eq!(slack.contains("<@U0TANAKA1>"), mentions, "{at}: {slack}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_shown_is_what_the_chat_then_gets() {
        let incident = Incident { id: "PINC33", number: 33, title: "応答が遅い".to_owned(), service: "Backlog" };
        let at = "2026-11-24T11:00:00+09:00";
        for event_type in
            ["incident.triggered", "incident.acknowledged", "incident.resolved", "incident.heard_of_by_nobody"]
        {
            let spec = EventSpec { event_id: "E1".to_owned(), event_type, at: at.parse().unwrap(), agent: None };
            let body = incident.v3(&spec).to_string();
            for (chat, index) in [("typetalk", 0), ("slack", 1)] {
                let fakes = Fakes::start().await.unwrap();
                let mut settings = fakes.settings();
                settings.insert("CHATS".to_owned(), chat.to_owned());
                let environment =
                    Environment::new(move |name| settings.get(name).cloned(), |path| std::fs::read_to_string(path));
                let config = WebhookConfig::read(&environment).unwrap();
                let relay = WebhookHandler::new(config, None, at.parse().unwrap()).await.unwrap();
                let signed = signature(SIGNING_SECRET, body.as_bytes());
                let event = http_api_event("/pagerduty", &[("x-pagerduty-signature", &signed)], body.as_bytes());
                let request = lambda_http::request::from_str(&event.to_string()).unwrap();
                let (response, _) = api_gateway::answer(&relay, request, at.parse().unwrap()).await;
                assert_eq!(response.status().as_u16(), 200, "{event_type}");
                let topic = fakes.typetalk.take_posts().into_iter().map(|post| post.message);
                let posted: Vec<_> = topic.chain(fakes.slack.take_posts().into_iter().map(|post| post.text)).collect();
                let shown = &seen(body.as_bytes(), at).await["events"][0]["posts"][index]["text"];
                assert_eq!(posted, [shown.as_str().unwrap()], "{event_type} on {chat}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_webhook_is_told() {
        assert_eq!(seen(b"<html>", "2026-11-24T11:00:00+09:00").await["ok"], false);
        let previews = seen(b"{}", "2026-11-24T11:00:00+09:00").await;
        assert_eq!(previews["events"][0]["ignored"], "it is JSON, but no webhook of PagerDuty's", "{previews}");
        let request = include_bytes!("../../../events/v3-trigger.json");
        let previews = seen(request, "2026-11-24T11:00:00+09:00").await;
        assert!(previews["events"][0]["ignored"].as_str().unwrap().contains("jq -j .body"), "{previews}");
    }
}
