//! The demo: a story of a few alerts, through the real relay over the real wire, as readers of the topic see it.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, IsTerminal, Write};

use chrono::{DateTime, FixedOffset};
use http::Response;
use lambda_http::Body;
use serde_json::{Value, json};

use crate::fakes::incidents::{ACTING_NAME, ACTING_USER};
use crate::fakes::pagerduty::{EventSpec, Incident, http_api_event, signature, v2, v3};
use crate::fakes::people::{Button, Person, payload, slack_event};
use crate::fakes::server::Fault;
use crate::fakes::{BEARER_TOKEN, Fakes, NOTICE_TOKEN, ROSTER_TAB, SIGNING_SECRET, SLACK_SIGNING_SECRET};
use crate::page::Language;
use oncall_relay::config::{Environment, ReminderConfig, WebhookConfig};
use oncall_relay::lambda::{api_gateway, scheduler};
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
        self.send(&v2(&[message]), "2026-11-25T16:30:00+09:00", &Proof::Bearer).await?;

        self.press().await?;
        self.the_week().await?;

        self.screen.heading("That is all. Nothing left this machine.")
    }

    async fn one_incident(&mut self) -> Result<(), Box<dyn Error>> {
        let slow =
            incident("PINC33", 33, self.say("応答時間が 5 秒を超えています", "Response time is above 5 seconds"));
        self.scene("11:00: an incident is triggered. Today's people are mentioned.")?;
        self.v3(&slow, "incident.triggered", "2026-11-24T11:00:00+09:00", None).await?;

        self.scene("11:03: a note. PagerDuty's note carries no incident number; the relay remembers it.")?;
        let note = slow.v3_note(
            &self.event_spec("incident.annotated", "2026-11-24T11:03:00+09:00", Some("田中 太郎"))?,
            self.say("DB のスロークエリを調べています", "Looking into slow queries of the database"),
        );
        self.send(&note, "2026-11-24T11:03:00+09:00", &Proof::Signature).await?;

        self.scene("11:05: somebody takes it on.")?;
        self.v3(&slow, "incident.acknowledged", "2026-11-24T11:05:00+09:00", Some("田中 太郎")).await?;

        self.scene("11:20: a Jenkins job restarts a server, and says so under the incident's tag.")?;
        let text = self.say("app-01 を再起動しました", "app-01 restarted");
        self.notice(
            &json!({"text": text, "status": "succeeded", "incident": 33, "source": "Jenkins",
            "url": "https://ci.example.com/job/restart/7/"}),
            "2026-11-24T11:20:00+09:00",
        )
        .await?;

        self.scene("11:40: it is over. All under one hashtag.")?;
        self.v3(&slow, "incident.resolved", "2026-11-24T11:40:00+09:00", Some("田中 太郎")).await?;

        self.scene("20:00: after hours. The same message, and nobody is mentioned.")?;
        let night = incident("PINC34", 34, self.say("バッチが失敗しました", "The nightly batch failed"));
        self.v3(&night, "incident.triggered", "2026-11-24T20:00:00+09:00", None).await
    }

    async fn press(&mut self) -> Result<(), Box<dyn Error>> {
        self.scene("17:30, on Slack: 佐藤, who has no seat in PagerDuty, presses a button under an incident.")?;
        std::mem::swap(&mut self.relay, &mut self.on_slack);
        let title = self.say("キャッシュが応答しません", "The cache doesn't answer");
        self.fakes.incidents.open(41, title, "triggered", "2026-11-25T08:30:00Z");
        let cache = incident("PINC41", 41, title);
        self.v3(&cache, "incident.triggered", "2026-11-25T17:30:00+09:00", None).await?;

        let Some(shown) = self.fakes.slack.shown().pop() else { return Err("the incident is not shown".into()) };
        self.screen.aside(&format!("buttons: {}", shown.buttons.join(", ")))?;
        let at: DateTime<FixedOffset> = "2026-11-25T17:32:00+09:00".parse()?;
        let button = Button {
            action: "acknowledge",
            value: "PINC41",
            channel: &shown.channel,
            ts: &shown.ts,
            text: &shown.text,
        };
        let person = Person { id: "U0SATO001", name: "sato" };
        let body = payload(&person.press(&button, 1, &self.fakes.slack.url()));
        let event = slack_event(SLACK_SIGNING_SECRET, at, &body);
        let request = lambda_http::request::from_str(&event.to_string())?;
        let (response, _) = api_gateway::answer(&self.relay, request, at.to_utc()).await;
        let (status, state) = (response.status().as_u16(), self.fakes.incidents.status("PINC41"));
        self.screen
            .aside(&format!("17:32: 佐藤 presses `acknowledge`. Answer to Slack: {status}. In PagerDuty: {state}"))?;
        if (status, state.as_str()) != (200, "acknowledged") {
            return Err("the press had no effect".into());
        }

        self.scene(
            "17:32: PagerDuty's webhook follows. It names the user as whom the relay acts; the relay knows better.",
        )?;
        let acknowledged = self.event_spec("incident.acknowledged", "2026-11-25T17:32:00+09:00", Some(ACTING_NAME))?;
        let mut event = cache.v3(&acknowledged);
        event["event"]["agent"]["id"] = json!(ACTING_USER);
        self.send(&event, "2026-11-25T17:32:00+09:00", &Proof::Signature).await?;
        let shown = self.fakes.slack.shown().into_iter().rfind(|message| message.thread.is_none());
        let headline = shown.map(|message| message.head.join(" / ")).unwrap_or_default();
        self.screen.aside(&format!("the first message says now: {headline}"))
    }

    async fn a_list_of_incidents(&mut self) -> Result<(), Box<dyn Error>> {
        std::mem::swap(&mut self.relay, &mut self.on_slack);
        self.scene(
            "The same morning in a team that uses Slack: the channel is the list of incidents, and red is open.",
        )?;
        let slow =
            incident("PINC33", 33, self.say("応答時間が 5 秒を超えています", "Response time is above 5 seconds"));
        let disk =
            incident("PINC32", 32, self.say("ディスクの残りが少なくなっています", "Disk space is running short"));
        self.v3(&disk, "incident.triggered", "2026-11-24T10:50:00+09:00", None).await?;
        self.v3(&slow, "incident.triggered", "2026-11-24T11:00:00+09:00", None).await?;
        self.list("11:00")?;
        self.v3(&slow, "incident.acknowledged", "2026-11-24T11:05:00+09:00", Some("田中 太郎")).await?;
        self.list("11:05")?;
        let note = slow.v3_note(
            &self.event_spec("incident.annotated", "2026-11-24T11:20:00+09:00", Some("田中 太郎"))?,
            self.say("インデックスを追加しました", "Added an index"),
        );
        self.send(&note, "2026-11-24T11:20:00+09:00", &Proof::Signature).await?;
        self.v3(&slow, "incident.resolved", "2026-11-24T11:40:00+09:00", Some("田中 太郎")).await?;
        self.list("11:40")?;
        self.thread()?;
        std::mem::swap(&mut self.relay, &mut self.on_slack);
        Ok(())
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
        let texts = [[&first.head[..], &first.body].concat().join("\n")].into_iter();
        for text in texts.chain(replies.map(|reply| reply.text.clone())) {
            self.screen.post("", "Slack", &text)?;
        }
        Ok(())
    }

    async fn people_change(&mut self) -> Result<(), Box<dyn Error>> {
        self.scene(
            "Wednesday: 佐藤 falls ill. Somebody writes 鈴木 into the sheet, and the next alert mentions 鈴木.",
        )?;
        let before = incident("PINC35", 35, self.say("メモリ使用率が高くなっています", "Memory is running short"));
        self.v3(&before, "incident.triggered", "2026-11-25T10:10:00+09:00", None).await?;
        self.fakes.google.write(ROSTER_TAB, &[&["日付", "担当"], &["2026-11-25", "鈴木"]]);
        self.screen.aside("10:20: the sheet's row for 11/25 now says 鈴木")?;
        let after =
            incident("PINC36", 36, self.say("ディスクの残りが少なくなっています", "Disk space is running short"));
        self.v3(&after, "incident.triggered", "2026-11-25T10:30:00+09:00", None).await
    }

    async fn things_fail(&mut self) -> Result<(), Box<dyn Error>> {
        let down = || Some(Fault::status(503));

        self.scene("13:00: Google is down. The alert goes by the last copy of the sheet, and says so.")?;
        self.fakes.google.fail_always(down());
        let no_sheet = incident("PINC37", 37, self.say("キューが溜まっています", "The queue is growing"));
        self.v3(&no_sheet, "incident.triggered", "2026-11-25T13:00:00+09:00", None).await?;
        self.fakes.google.fail_always(None);

        self.scene("14:00: Typetalk is down. Slack takes over, mentions by Slack's own ids, and says why.")?;
        self.fakes.typetalk.fail_always(down());
        let outage = incident("PINC38", 38, self.say("5xx が増えています", "More and more 5xx"));
        self.v3(&outage, "incident.triggered", "2026-11-25T14:00:00+09:00", None).await?;

        self.scene("15:00: both are down. PagerDuty is asked to send the webhook again; at 15:20 it is posted.")?;
        self.fakes.slack.fail_always(down());
        let kept = incident("PINC39", 39, self.say("ログインできません", "Nobody can log in"));
        let event = kept.v3(&self.event_spec("incident.triggered", "2026-11-25T15:00:00+09:00", None)?);
        self.deliver(&event, "2026-11-25T15:00:00+09:00", &Proof::Signature, &Ending::SentAgain).await?;
        self.fakes.typetalk.fail_always(None);
        self.fakes.slack.fail_always(None);
        self.send(&event, "2026-11-25T15:20:00+09:00", &Proof::Signature).await
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

    async fn the_week(&mut self) -> Result<(), Box<dyn Error>> {
        self.scene("Friday, 17:00: what happened in the week, for whoever had a quiet one.")?;
        let api = &self.fakes.incidents;
        let slow = self.say("応答時間が 5 秒を超えています", "Response time is above 5 seconds");
        api.resolved(33, slow, "2026-11-24T11:00:00+09:00", "2026-11-24T11:40:00+09:00");
        api.resolved(
            34,
            self.say("バッチが失敗しました", "The nightly batch failed"),
            "2026-11-24T20:00:00+09:00",
            "2026-11-24T23:10:00+09:00",
        );
        api.open(42, slow, "acknowledged", "2026-11-27T16:40:00+09:00");
        let at: DateTime<FixedOffset> = "2026-11-27T17:00:00+09:00".parse()?;
        let request = json!({"reminder": "week", "at": at.to_rfc3339()});
        let (posted, _, _) = scheduler::answer(&self.reminders, &request, at.to_utc()).await;
        posted?;
        self.show(at)
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
        let event = incident.v3(&self.event_spec(event_type, at, agent)?);
        self.send(&event, at, &Proof::Signature).await
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
        let at: DateTime<FixedOffset> = at.parse()?;
        let body = body.to_string();
        let header = match proof {
            Proof::Signature => ("x-pagerduty-signature", signature(SIGNING_SECRET, body.as_bytes())),
            Proof::Bearer => ("authorization", format!("Bearer {BEARER_TOKEN}")),
        };
        let event = http_api_event("/pagerduty", &[(header.0, &header.1)], body.as_bytes());
        let request = lambda_http::request::from_str(&event.to_string())?;
        let (response, _) = api_gateway::answer(&self.relay, request, at.to_utc()).await;

        let posts = self.posts();
        let status = response.status().as_u16();
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
        self.screen.aside(&format!("answer to PagerDuty: {}", answer(&response)))
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
