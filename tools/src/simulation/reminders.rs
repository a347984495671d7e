//! Reminders in trouble: two invocations at once, one that dies over its post, a request for a time to come.

use std::collections::HashMap;
use std::error::Error;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Services;
use super::faults::Outcome;
use super::fleet::{Target, read};
use super::mentions::Mentioned;
use super::sender::{Sent, Webhook};
use crate::fakes::emulator::Emulator;
use crate::fakes::server::Fault;
use oncall_relay::clock;
use oncall_relay::config::ReminderConfig;
use oncall_relay::lambda::scheduler;
use oncall_relay::reminder::ReminderHandler;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The function's own limit.
const WITHIN: Duration = Duration::from_secs(25);
/// The first invocation, and two that Lambda makes of one that fails.
const ATTEMPTS: usize = 3;

enum Function {
    Built(Emulator),
    Linked(Box<ReminderHandler>),
}

impl Function {
    async fn start(make: &Target, settings: &HashMap<String, String>) -> Result<Self> {
        Ok(match make {
            Target::Built { rie, bootstrap } => {
                Self::Built(Emulator::start(rie, &bootstrap.with_file_name("oncall-reminder"), settings).await?)
            }
            Target::Linked => {
                Self::Linked(Box::new(ReminderHandler::new(ReminderConfig::read(&read(settings))?).await?))
            }
        })
    }

    /// Whether the invocation succeeds.
    async fn succeeds(&self, request: &Value) -> bool {
        match self {
            Self::Built(emulator) => emulator.invoke(request).await.is_ok_and(|answer| answer["errorType"].is_null()),
            Self::Linked(reminders) => scheduler::answer(reminders, request, clock::now()).await.0.is_ok(),
        }
    }
}

/// Services, settings with one chat, and the reminder that is requested.
async fn start() -> Result<(Services, HashMap<String, String>, Webhook)> {
    let around = Services::start().await?;
    let mut settings = around.settings();
    settings.insert("CHATS".to_owned(), "typetalk".to_owned());
    let request = Webhook { incident: "reminder", mark: "📟".to_owned(), event: json!({"reminder": "today"}) };
    Ok((around, settings, request))
}

fn outcome(around: &Services, sent: Sent, request: &Webhook) -> Outcome {
    let posts = around.take_posts(Mentioned::TODAY);
    Outcome { within: WITHIN, ..Outcome::of_webhooks(around, sent, std::slice::from_ref(request), &posts) }
}

/// Two invocations are asked for the same reminder at the same time; both should succeed.
///
/// # Errors
/// If the services or the functions can't be started.
pub async fn two_at_once(make: &Target) -> Result<Outcome> {
    let (around, settings, request) = start().await?;
    let (one, other) = (Function::start(make, &settings).await?, Function::start(make, &settings).await?);
    // Slow enough that both are at it.
    around.fakes.typetalk.fail_once(Fault::Delay(Duration::from_millis(700)));
    let started = Instant::now();
    let succeeded = tokio::join!(one.succeeds(&request.event), other.succeeds(&request.event));
    let failed = [succeeded.0, succeeded.1].into_iter().filter(|succeeded| !succeeded).count();
    let sent = Sent { attempts: 2, undelivered: failed, slowest: started.elapsed(), disabled: false };
    Ok(outcome(&around, sent, &request))
}

/// The first invocation dies over its post, and Lambda makes another; that takes half a minute, as long as a claim.
///
/// # Errors
/// If the services or the functions can't be started.
pub async fn first_dies(make: &Target) -> Result<Outcome> {
    let (around, settings, request) = start().await?;
    around.fakes.typetalk.fail_once(Fault::Hang);
    let doomed = Function::start(make, &settings).await?;
    let is_posting = async {
        while around.fakes.typetalk.requests() == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = doomed.succeeds(&request.event) => {}
        () = is_posting => {}
    }
    drop(doomed);
    let function = Function::start(make, &settings).await?;
    let mut sent = Sent { attempts: 1, undelivered: 1, ..Sent::default() };
    while sent.undelivered > 0 && sent.attempts < ATTEMPTS {
        let started = Instant::now();
        sent.undelivered = usize::from(!function.succeeds(&request.event).await);
        sent.slowest = sent.slowest.max(started.elapsed());
        sent.attempts += 1;
    }
    Ok(outcome(&around, sent, &request))
}

/// Tomorrow's reminder is requested today, and then today's: only that one is to be posted.
///
/// # Errors
/// If the services or the functions can't be started.
pub async fn requested_early(make: &Target) -> Result<Outcome> {
    let (around, settings, request) = start().await?;
    let function = Function::start(make, &settings).await?;
    let tomorrow = json!({"reminder": "today", "at": (clock::now() + TimeDelta::days(1)).to_rfc3339()});
    let started = Instant::now();
    let mut undelivered = 0;
    for event in [&tomorrow, &request.event] {
        undelivered += usize::from(!function.succeeds(event).await);
    }
    let sent = Sent { attempts: 2, undelivered, slowest: started.elapsed(), disabled: false };
    Ok(outcome(&around, sent, &request))
}
