//! The demo: a story of a few alerts, through the real relay over the real wire, as readers of the topic see it.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, IsTerminal, Write};

use chrono::{DateTime, FixedOffset};
use http::Response;
use lambda_http::Body;
use serde_json::Value;

use crate::config::{Config, Surroundings};
use crate::edge::gateway;
use crate::relay::Relay;
use crate::stand_ins::pagerduty::{Happening, Incident, http_api_event, signature, v2};
use crate::stand_ins::server::Fault;
use crate::stand_ins::{BEARER_TOKEN, ROSTER_TAB, SIGNING_SECRET, StandIns};

/// Tells the whole story.
pub(super) async fn run(language: &str) -> Result<(), Box<dyn Error>> {
    let stand_ins = StandIns::start().await?;
    let mut settings = stand_ins.settings();
    settings.insert("MESSAGE_LANGUAGE".to_owned(), language.to_owned());
    let mut story = Story { relay: relay(&settings).await?, stand_ins, screen: Screen::new(), events: 0 };
    story.tell().await
}

async fn relay(settings: &HashMap<String, String>) -> Result<Relay, Box<dyn Error>> {
    let file = |_: &std::path::Path| Err(io::Error::from(io::ErrorKind::NotFound));
    let surroundings = Surroundings { variable: &|name| settings.get(name).cloned(), file: &file };
    Ok(Relay::open(Config::for_webhook(&surroundings)?).await?)
}

struct Story {
    relay: Relay,
    stand_ins: StandIns,
    screen: Screen,
    events: usize,
}

/// How a webhook proves that it is PagerDuty's.
enum Proof {
    Signature,
    Bearer,
}

impl Story {
    async fn tell(&mut self) -> Result<(), Box<dyn Error>> {
        self.screen.title("The real relay, with stand-ins for PagerDuty, Google, Typetalk and Slack on 127.0.0.1")?;
        self.screen
            .title("Roster: 11/24 田中、鈴木 · 11/25 佐藤 花子. Business hours: Mon-Fri, 10:00-17:00, Asia/Tokyo")?;

        let slow = incident("PINC33", 33, "応答時間が 5 秒を超えています");
        self.scene("Tuesday, 11:00: an incident is triggered. Today's people are mentioned.")?;
        self.v3(&slow, "incident.triggered", "2026-11-24T11:00:00+09:00", None).await?;
        self.scene("11:03: a note. PagerDuty's note carries no incident number; the relay remembers it.")?;
        let note = slow.v3_note(
            &self.happening("incident.annotated", "2026-11-24T11:03:00+09:00", Some("田中 太郎"))?,
            "DB のスロークエリを調べています",
        );
        self.send(&note, "2026-11-24T11:03:00+09:00", &Proof::Signature).await?;
        self.scene("11:05: somebody takes it on. 11:40: it is over. All under one hashtag.")?;
        self.v3(&slow, "incident.acknowledged", "2026-11-24T11:05:00+09:00", Some("田中 太郎")).await?;
        self.v3(&slow, "incident.resolved", "2026-11-24T11:40:00+09:00", Some("田中 太郎")).await?;

        self.scene("20:00: after hours. The same message, and nobody is mentioned.")?;
        let night = incident("PINC34", 34, "バッチが失敗しました");
        self.v3(&night, "incident.triggered", "2026-11-24T20:00:00+09:00", None).await?;

        self.scene(
            "Wednesday: 佐藤 falls ill. Somebody writes 鈴木 into the sheet, and the next alert mentions 鈴木.",
        )?;
        let before = incident("PINC35", 35, "メモリ使用率が高くなっています");
        self.v3(&before, "incident.triggered", "2026-11-25T10:10:00+09:00", None).await?;
        self.stand_ins.google.write(ROSTER_TAB, &[&["日付", "担当"], &["2026-11-25", "鈴木"]]);
        self.screen.aside("10:20: the sheet's row for 11/25 now says 鈴木")?;
        let after = incident("PINC36", 36, "ディスクの残りが少なくなっています");
        self.v3(&after, "incident.triggered", "2026-11-25T10:30:00+09:00", None).await?;

        self.scene("14:00: Typetalk is down. Slack takes over, mentions by Slack's own ids, and says why.")?;
        self.stand_ins.typetalk.fail_always(Some(Fault::status(503)));
        let outage = incident("PINC37", 37, "5xx が増えています");
        self.v3(&outage, "incident.triggered", "2026-11-25T14:00:00+09:00", None).await?;
        self.stand_ins.typetalk.fail_always(None);

        self.scene("15:00: a stranger's title tries to call everybody. It is text, nothing else. (A v2 webhook.)")?;
        let hostile = incident("PINC38", 38, "@all @here #pd33 <!channel> `rm -rf`\nhelp");
        let message = hostile.v2(&self.happening("incident.trigger", "2026-11-25T15:00:00+09:00", None)?);
        self.send(&v2(&[message]), "2026-11-25T15:00:00+09:00", &Proof::Bearer).await?;

        self.screen.title("That is all. Nothing left this machine.")
    }

    fn scene(&mut self, heading: &str) -> Result<(), Box<dyn Error>> {
        self.screen.heading(heading)
    }

    async fn v3(
        &mut self,
        incident: &Incident,
        event_type: &'static str,
        at: &str,
        agent: Option<&'static str>,
    ) -> Result<(), Box<dyn Error>> {
        let event = incident.v3(&self.happening(event_type, at, agent)?);
        self.send(&event, at, &Proof::Signature).await
    }

    fn happening(
        &mut self,
        event_type: &'static str,
        at: &str,
        agent: Option<&'static str>,
    ) -> Result<Happening, Box<dyn Error>> {
        self.events += 1;
        Ok(Happening { event_id: format!("EVENT{}", self.events), event_type, at: at.parse()?, agent })
    }

    /// Sends a webhook at a moment of the story, and shows what the chats got. Getting nothing ends the demo.
    async fn send(&mut self, body: &Value, at: &str, proof: &Proof) -> Result<(), Box<dyn Error>> {
        let at: DateTime<FixedOffset> = at.parse()?;
        let body = body.to_string();
        let header = match proof {
            Proof::Signature => ("x-pagerduty-signature", signature(SIGNING_SECRET, body.as_bytes())),
            Proof::Bearer => ("authorization", format!("Bearer {BEARER_TOKEN}")),
        };
        let event = http_api_event("/pagerduty", &[(header.0, &header.1)], body.as_bytes());
        let request = lambda_http::request::from_str(&event.to_string())?;
        let (response, _) = gateway::answer(&self.relay, request, at.to_utc()).await;

        let posts: Vec<_> = self.posts();
        if posts.is_empty() {
            return Err(format!("the relay answered {} and posted nothing", response.status()).into());
        }
        for (place, text) in posts {
            self.screen.post(&at.format("%H:%M").to_string(), place, &text)?;
        }
        self.screen.aside(&answer(&response))
    }

    fn posts(&self) -> Vec<(&'static str, String)> {
        let topic = self.stand_ins.typetalk.take_posts().into_iter().map(|post| ("Typetalk", post.message));
        let channel = self.stand_ins.slack.take_posts().into_iter().map(|post| ("Slack", post.text));
        topic.chain(channel).collect()
    }
}

fn incident(id: &'static str, number: u64, title: &str) -> Incident {
    Incident { id, number, title: title.to_owned(), service: "Backlog アプリ" }
}

fn answer(response: &Response<Body>) -> String {
    let body = String::from_utf8_lossy(response.body()).into_owned();
    format!("answer to PagerDuty: {} {body}", response.status().as_u16())
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
