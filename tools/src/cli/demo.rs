//! The demo: a story of a few alerts, through the real relay over the real wire, as readers of the topic see it.

mod scenes;

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, IsTerminal, Write};

use chrono::{DateTime, FixedOffset};
use http::Response;
use lambda_http::Body;
use serde_json::{Value, json};

use crate::fakes::pagerduty::{EventSpec, Incident, http_api_event, signature, v2, v3};
use crate::fakes::{BEARER_TOKEN, Fakes, NOTICE_TOKEN, SIGNING_SECRET};
use crate::page::Language;
use oncall_relay::config::{Environment, ReminderConfig, WebhookConfig};
use oncall_relay::lambda::api_gateway;
use oncall_relay::reminder::ReminderHandler;
use oncall_relay::webhook::WebhookHandler;

/// Tells the whole story.
pub(super) async fn run(language: Language) -> Result<(), Box<dyn Error>> {
    let fakes = Fakes::start().await?;
    let mut settings = fakes.settings();
    settings.insert("MESSAGE_LANGUAGE".to_owned(), language.code().to_owned());
    let (on_typetalk, reminders) = functions(settings.clone()).await?;
    settings.insert("CHATS".to_owned(), "slack".to_owned());
    let (on_slack, _) = functions(settings).await?;
    Story { relay: on_typetalk, on_slack, reminders, fakes, language, screen: Screen::new(), events: 0 }.tell().await
}

async fn functions(settings: HashMap<String, String>) -> Result<(WebhookHandler, ReminderHandler), Box<dyn Error>> {
    let no_files = |_: &std::path::Path| Err(io::Error::from(io::ErrorKind::NotFound));
    let environment = Environment::new(move |name| settings.get(name).cloned(), no_files);
    let relay = WebhookHandler::new(WebhookConfig::read(&environment)?, None, DateTime::UNIX_EPOCH).await?;
    Ok((relay, ReminderHandler::new(ReminderConfig::read(&environment)?).await?))
}

struct Story {
    relay: WebhookHandler,
    /// Another team's, which uses Slack alone.
    on_slack: WebhookHandler,
    reminders: ReminderHandler,
    fakes: Fakes,
    language: Language,
    screen: Screen,
    events: usize,
}

/// How a webhook proves that it is PagerDuty's.
enum Proof {
    Signature,
    Bearer,
}

/// What a webhook must come to; anything else ends the demo.
#[derive(PartialEq)]
enum Ending {
    Posted,
    SentAgain,
}

impl Story {
    async fn tell(&mut self) -> Result<(), Box<dyn Error>> {
        self.screen.title("The real relay, with stand-ins for PagerDuty, Google, Typetalk and Slack on 127.0.0.1")?;
        self.screen
            .title("Roster: 11/24 田中、鈴木 · 11/25 佐藤 花子. Business hours: Mon-Fri, 10:00-17:00, Asia/Tokyo")?;

        self.scene("Tuesday, 09:30: PagerDuty's test event. Set-up is seen to work; nobody is mentioned.")?;
        let ping = self.event_spec("pagey.ping", "2026-11-24T09:30:00+09:00", None)?;
        let ping = v3(&ping, &json!({"type": "ping", "message": "Hello from your friend Pagey!"}));
        self.send(&ping, "2026-11-24T09:30:00+09:00", &Proof::Signature).await?;

        self.one_incident().await?;
        self.a_list_of_incidents().await?;
        self.people_change().await?;
        self.things_fail().await?;

        self.scene("16:30: a stranger's title tries to call everybody. It is text, nothing else. (A v2 webhook.)")?;
        let hostile = incident("PINC40", 40, "@all @here #pd33 <!channel> `rm -rf`\nhelp");
        let message = hostile.v2(&self.event_spec("incident.trigger", "2026-11-25T16:30:00+09:00", None)?);
        self.happened(&hostile, "incident.triggered", "2026-11-25T16:30:00+09:00");
        self.send(&v2(&[message]), "2026-11-25T16:30:00+09:00", &Proof::Bearer).await?;
        self.over(&hostile, "2026-11-25T16:40:00+09:00").await?;

        self.press().await?;
        self.the_week().await?;

        self.screen.heading("That is all. Nothing left this machine.")
    }

    /// The channel as it looks now: what stands in it, and in which colour.
    fn list(&mut self, time: &str) -> Result<(), Box<dyn Error>> {
        self.screen.aside(&format!("{time} the channel"))?;
        for message in self.fakes.slack.shown().iter().filter(|message| message.thread.is_none()) {
            let headline = message.head.last().map(String::as_str).unwrap_or_default();
            self.screen.row(message.colour.as_deref().unwrap_or_default(), headline)?;
        }
        Ok(())
    }

    /// The thread of the incident that has most to tell.
    fn thread(&mut self) -> Result<(), Box<dyn Error>> {
        let shown = self.fakes.slack.shown();
        let Some(first) = shown.iter().max_by_key(|message| message.updates) else { return Ok(()) };
        self.screen.aside("its thread")?;
        let replies = shown.iter().filter(|message| message.thread.as_ref() == Some(&first.ts));
        self.screen.post("at its head,", "Slack", &[&first.head[..], &first.body].concat().join("\n"))?;
        for reply in replies {
            self.screen.post("a reply,", "Slack", &reply.text)?;
        }
        Ok(())
    }

    /// What automation says, with its own token.
    async fn notice(&mut self, body: &Value, at: &str) -> Result<(), Box<dyn Error>> {
        let bearer = format!("Bearer {NOTICE_TOKEN}");
        let event = http_api_event("/notice", &[("authorization", &bearer)], body.to_string().as_bytes());
        let at: DateTime<FixedOffset> = at.parse()?;
        let request = lambda_http::request::from_str(&event.to_string())?;
        let (response, _) = api_gateway::answer(&self.relay, request, at.to_utc()).await;
        self.show(at)?;
        self.screen.aside(&format!("answer to Jenkins: {}", answer(&response)))
    }

    fn say(&self, japanese: &'static str, english: &'static str) -> &'static str {
        match self.language {
            Language::Ja => japanese,
            Language::En => english,
        }
    }

    fn scene(&mut self, heading: &str) -> Result<(), Box<dyn Error>> {
        self.screen.heading(heading)
    }

    async fn v3(
        &mut self,
        incident: &Incident<'_>,
        event_type: &'static str,
        at: &str,
        agent: Option<&'static str>,
    ) -> Result<(), Box<dyn Error>> {
        self.happened(incident, event_type, at);
        let event = incident.v3(&self.event_spec(event_type, at, agent)?);
        self.send(&event, at, &Proof::Signature).await
    }

    /// Has PagerDuty know what its webhook is about, for the week's numbers.
    fn happened(&self, incident: &Incident<'_>, event_type: &str, at: &str) {
        let api = &self.fakes.incidents;
        match event_type {
            "incident.acknowledged" => api.set(incident.id, "acknowledged", "田中 太郎", at),
            "incident.resolved" => api.set(incident.id, "resolved", "田中 太郎", at),
            _ if api.status(incident.id).is_empty() => api.open(incident.number, &incident.title, "triggered", at),
            _ => {}
        }
    }

    /// An incident is resolved; of its message only the headline is shown.
    async fn over(&mut self, incident: &Incident<'_>, at: &str) -> Result<(), Box<dyn Error>> {
        self.happened(incident, "incident.resolved", at);
        let event = incident.v3(&self.event_spec("incident.resolved", at, Some("田中 太郎"))?);
        let (at, status, _) = self.hand_over(&event, at, &Proof::Signature).await?;
        let posts = self.posts();
        let [(place, text)] = &posts[..] else {
            return Err(format!("the relay answered {status} and posted {}", posts.len()).into());
        };
        let tag = format!("#pd{}", incident.number);
        let headline = text.lines().find(|line| line.contains(&tag)).unwrap_or_default();
        self.screen.aside(&format!("{} {place}: {headline}", at.format("%H:%M")))
    }

    fn event_spec(
        &mut self,
        event_type: &'static str,
        at: &str,
        agent: Option<&'static str>,
    ) -> Result<EventSpec<'static>, Box<dyn Error>> {
        self.events += 1;
        Ok(EventSpec { event_id: format!("EVENT{}", self.events), event_type, at: at.parse()?, agent })
    }

    async fn send(&mut self, body: &Value, at: &str, proof: &Proof) -> Result<(), Box<dyn Error>> {
        self.deliver(body, at, proof, &Ending::Posted).await
    }

    /// Delivers a webhook at a moment of the story, and shows what the chats got.
    async fn deliver(&mut self, body: &Value, at: &str, proof: &Proof, ending: &Ending) -> Result<(), Box<dyn Error>> {
        let (at, status, answer) = self.hand_over(body, at, proof).await?;
        let posts = self.posts();
        let as_told = match ending {
            Ending::Posted => status == 200 && posts.len() == 1,
            Ending::SentAgain => status == 503 && posts.is_empty(),
        };
        if !as_told {
            return Err(format!("the relay answered {status} and posted {}", posts.len()).into());
        }
        for (place, text) in posts {
            self.screen.post(&at.format("%H:%M").to_string(), place, &text)?;
        }
        self.screen.aside(&format!("answer to PagerDuty: {answer}"))
    }

    /// Hands a webhook to the relay: when that was, the answer's status, and the answer.
    async fn hand_over(
        &self,
        body: &Value,
        at: &str,
        proof: &Proof,
    ) -> Result<(DateTime<FixedOffset>, u16, String), Box<dyn Error>> {
        let at: DateTime<FixedOffset> = at.parse()?;
        let body = body.to_string();
        let header = match proof {
            Proof::Signature => ("x-pagerduty-signature", signature(SIGNING_SECRET, body.as_bytes())),
            Proof::Bearer => ("authorization", format!("Bearer {BEARER_TOKEN}")),
        };
        let event = http_api_event("/pagerduty", &[(header.0, &header.1)], body.as_bytes());
        let request = lambda_http::request::from_str(&event.to_string())?;
        let (response, _) = api_gateway::answer(&self.relay, request, at.to_utc()).await;
        Ok((at, response.status().as_u16(), answer(&response)))
    }

    /// Shows what the chats got; nothing ends the demo.
    fn show(&mut self, at: DateTime<FixedOffset>) -> Result<(), Box<dyn Error>> {
        let posts = self.posts();
        if posts.is_empty() {
            return Err("nothing was posted".into());
        }
        for (place, text) in posts {
            self.screen.post(&at.format("%H:%M").to_string(), place, &text)?;
        }
        Ok(())
    }

    fn posts(&self) -> Vec<(&'static str, String)> {
        let topic = self.fakes.typetalk.take_posts().into_iter().map(|post| ("Typetalk", post.message));
        let channel = self.fakes.slack.take_posts().into_iter().map(|post| ("Slack", post.text));
        topic.chain(channel).collect()
    }
}

fn incident(id: &'static str, number: u64, title: &str) -> Incident<'static> {
    Incident { id, number, title: title.to_owned(), service: "Backlog" }
}

fn answer(response: &Response<Body>) -> String {
    let body = String::from_utf8_lossy(response.body()).into_owned();
    format!("{} {body}", response.status().as_u16())
}

/// The terminal, with colour where it has it.
struct Screen {
    out: io::Stdout,
    colour: bool,
}

impl Screen {
    fn new() -> Self {
        let out = io::stdout();
        let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { out, colour }
    }

    fn title(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        let text = self.paint("1", text);
        Ok(writeln!(self.out, "{text}")?)
    }

    fn heading(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        let text = self.paint("1;4", text);
        Ok(writeln!(self.out, "\n{text}")?)
    }

    fn aside(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        let text = self.paint("2", text);
        Ok(writeln!(self.out, "  {text}")?)
    }

    fn post(&mut self, time: &str, place: &str, text: &str) -> Result<(), Box<dyn Error>> {
        let place = self.paint("35", place);
        writeln!(self.out, "  {time} {place}")?;
        for line in text.lines() {
            let words: Vec<_> = line.split(' ').map(|word| self.word(word)).collect();
            writeln!(self.out, "  │ {}", words.join(" "))?;
        }
        Ok(())
    }

    /// A message of a channel with the colour of its bar.
    fn row(&mut self, colour: &str, headline: &str) -> Result<(), Box<dyn Error>> {
        let style = match colour {
            "#d0021b" => "31",
            "#f5c400" => "33",
            "#2eb886" => "32",
            _ => "90",
        };
        let bar = self.paint(style, "│");
        Ok(writeln!(self.out, "  {bar} {headline}")?)
    }

    /// What the chat would highlight, highlighted.
    fn word(&self, word: &str) -> String {
        if word.starts_with('@') || word.starts_with("<@") || word.starts_with("<!subteam^") {
            self.paint("1;33", word)
        } else if word.starts_with('#') {
            self.paint("36", word)
        } else if word.starts_with("http") || word.starts_with("<http") {
            self.paint("4;34", word)
        } else {
            word.to_owned()
        }
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
