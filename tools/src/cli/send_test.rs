//! `oncall send-test`: a signed event to the deployed address, and a line to the on-call topic; or a whole practice
//! incident.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use oncall_relay::clock;
use oncall_relay::config::{ReminderConfig, SETTINGS};
use oncall_relay::domain::event::PRACTICE;
use oncall_relay::domain::wording::Language;
use oncall_relay::edge::chat::{Chat, Post};
use oncall_relay::edge::http::{HttpClient, read_body};
use ring::hmac;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::operator::dialogue::{Outcome, Terminal};
use crate::operator::stack::{Stack, StackArgs};

const BODY_LIMIT: usize = 1 << 20;
const POST_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct SendTestArgs {
    #[command(flatten)]
    stack: StackArgs,
    /// Don't ask whether to go on.
    #[arg(long, short)]
    yes: bool,
    /// Play a whole practice incident: triggered, acknowledged, a note, resolved. It mentions people as a real one does.
    #[arg(long)]
    drill: bool,
    /// Seconds between the events of a practice incident.
    #[arg(long, default_value = "10", env = "ONCALL_DRILL_PAUSE")]
    pause: u64,
}

/// What signs an event, or stands beside it.
enum Proof {
    Signature(hmac::Key),
    Bearer(String),
}

pub(super) async fn run(args: SendTestArgs) -> Outcome {
    let terminal = Terminal::new(args.yes);
    send_test(&args, &terminal).await.map_err(|error| format!("{error}\n{}", terminal.how_to_go_on()).into())
}

async fn send_test(args: &SendTestArgs, terminal: &Terminal) -> Outcome {
    let stack = Stack::find(&args.stack, terminal).await?;
    let settings = stack.settings(terminal).await?;
    let names: Vec<_> = SETTINGS.iter().filter(|setting| setting.secret).map(|setting| setting.name).collect();
    let secrets = stack.secrets(&names, terminal).await?;
    let first = |name: &str| secrets.get(name).and_then(|list| list.split(',').next()).map(|one| one.trim().to_owned());
    let proof = match (first("PAGERDUTY_SIGNING_SECRETS"), first("PAGERDUTY_TOKENS")) {
        (Some(secret), _) => Proof::Signature(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())),
        (None, Some(token)) => Proof::Bearer(token),
        (None, None) => {
            return Err("the store has neither PAGERDUTY_SIGNING_SECRETS nor PAGERDUTY_TOKENS, so the relay takes no \
                        event; run `cargo oncall pagerduty register` first"
                .into());
        }
    };
    let url = stack.output("WebhookUrl")?;
    let japanese = settings.get("MESSAGE_LANGUAGE").is_none_or(|language| language != "en");
    let now = clock::now();
    if args.drill {
        drill(args, url, &proof, japanese, now, terminal).await?;
        terminal.say(format!("Next: cargo oncall check --stack {}", stack.name));
        return Ok(());
    }
    let config = ReminderConfig::read(&Stack::environment(&settings, &secrets))?;
    terminal.plan(&[
        format!("send a signed test event to {url}; the alert channel says that it has arrived, and who is on call"),
        "post one line to the on-call channel of each chat".to_owned(),
    ])?;
    terminal.if_stopped("A test event is only a line in a channel: nothing has to be undone.");
    let stamp = now.timestamp_micros();
    let ping = json!({"event": {
        "id": format!("oncall-send-test-{stamp}"), "event_type": "pagey.ping", "resource_type": "pagey",
        "occurred_at": now.to_rfc3339(), "agent": null, "client": null,
        "data": {"message": "oncall send-test", "type": "ping"},
    }});
    send(url, &ping, &proof, terminal).await?;
    terminal.say("✓ The alert channel has the test event.");
    let language = if japanese { Language::Japanese } else { Language::English };
    let mut failed = Vec::new();
    for chat in &config.team.chats {
        let chat = Chat::new(chat, HttpClient::for_operators());
        let post =
            Post { text: language.on_call_test(), card: None, thread: None, broadcast: false, within: POST_WITHIN };
        match terminal.while_waiting("posting to the on-call channel", chat.post(post)).await {
            Ok(_) => terminal.say(format!("✓ The on-call channel of {} has a line.", chat.name())),
            Err(error) => {
                failed.push(format!("{} did not take the line: {}. {}", chat.name(), error.detail, error.remedy));
            }
        }
    }
    if !failed.is_empty() {
        return Err(failed.join("\n").into());
    }
    terminal.say(format!(
        "Next: cargo oncall check --stack {}, and with the team: cargo oncall send-test --drill",
        stack.name
    ));
    Ok(())
}

async fn drill(
    args: &SendTestArgs,
    url: &str,
    proof: &Proof,
    japanese: bool,
    now: DateTime<Utc>,
    terminal: &Terminal,
) -> Outcome {
    let id = format!("{PRACTICE}{:X}", now.timestamp());
    terminal.plan(&[
        format!("play the practice incident {id} in the alert channel: triggered, acknowledged, a note, resolved"),
        "mention those on call, if it is business time now: tell them before".to_owned(),
    ])?;
    terminal.if_stopped(
        "The practice incident may look open in the channel. It is nowhere else, and calls nobody: write there that it \
         is over.",
    );
    for (step, event_type) in ["triggered", "acknowledged", "annotated", "resolved"].into_iter().enumerate() {
        if step > 0 {
            let pause = sleep(Duration::from_secs(args.pause));
            terminal.while_waiting("the next event comes soon", pause).await;
        }
        send(url, &practice(&id, step, event_type, japanese, clock::now()), proof, terminal).await?;
        terminal.say(format!("✓ {event_type}"));
    }
    terminal.if_stopped("");
    terminal.say(format!("The practice incident {id} is over."));
    Ok(())
}

/// An event of a practice incident: as `PagerDuty` words it, but without number and page, which it has not.
fn practice(id: &str, step: usize, event_type: &str, japanese: bool, at: DateTime<Utc>) -> Value {
    let (title, note) = if japanese {
        ("トップページの応答が遅くなっています", "ロードバランサーを確認しています")
    } else {
        ("The front page responds slowly", "Looking at the load balancer")
    };
    let data = if event_type == "annotated" {
        json!({"type": "incident_note", "id": format!("{id}NOTE"), "content": note, "trimmed": false,
               "incident": {"id": id, "type": "incident_reference", "summary": title}})
    } else {
        let status = if event_type == "triggered" { "triggered" } else { event_type };
        json!({"id": id, "type": "incident", "title": title, "status": status, "urgency": "high",
               "created_at": at.to_rfc3339(), "assignees": [], "teams": [], "priority": null, "service": null})
    };
    json!({"event": {
        "id": format!("{id}-{step}"), "event_type": format!("incident.{event_type}"), "resource_type": "incident",
        "occurred_at": at.to_rfc3339(), "client": null, "data": data,
        "agent": {"id": "oncall", "type": "user_reference", "summary": "oncall send-test"},
    }})
}

/// Sends an event as `PagerDuty` would; what is wrong is said with what to do.
async fn send(url: &str, event: &Value, proof: &Proof, terminal: &Terminal) -> Outcome {
    let body = event.to_string();
    let http = HttpClient::for_operators();
    let (name, value) = match proof {
        Proof::Signature(key) => {
            ("x-pagerduty-signature", format!("v1={}", hex::encode(hmac::sign(key, body.as_bytes()))))
        }
        Proof::Bearer(token) => ("authorization", format!("Bearer {token}")),
    };
    let request = http
        .post(url)
        .header("content-type", "application/json")
        .header("x-webhook-id", event["event"]["id"].as_str().unwrap_or_default())
        .header("user-agent", "oncall send-test")
        .header(name, value)
        .body(body);
    let sent = terminal.while_waiting("the relay is at work", http.send(request)).await;
    let mut response = sent.map_err(|error| format!("{url} can't be reached ({error}); check the network"))?;
    let status = response.status().as_u16();
    let body = read_body(&mut response, BODY_LIMIT).await.unwrap_or_default();
    let answer: HashMap<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
    let why = match status {
        200 if answer.get("posted").and_then(Value::as_u64) == Some(1) => return Ok(()),
        200 => "it was taken, but not posted; the log says why",
        401 => "its secrets are other ones than the store's; wait a minute, and try again",
        404 => "the address is not the relay's",
        503 => "no chat took it, or its secrets are other ones than the store's (it reads them again after a minute)",
        500 | 502 => "the function doesn't start: a setting or a secret is wrong",
        _ => "that is no answer of the relay's",
    };
    Err(format!("the relay answered {status}: {why}. `sam logs --name WebhookFunction` has the reason in one line")
        .into())
}
