//! Several instances of the webhook function, as Lambda would run them; each takes one event at a time.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::fakes::emulator::Emulator;
use oncall_relay::clock;
use oncall_relay::config::{Environment, WebhookConfig};
use oncall_relay::lambda::api_gateway;
use oncall_relay::webhook::WebhookHandler;

const THROTTLED: u16 = 429;

/// What the instances are.
#[derive(Debug, Clone)]
pub enum Target {
    /// The built function under AWS's runtime emulator.
    Built {
        /// The emulator.
        rie: PathBuf,
        /// The function.
        bootstrap: PathBuf,
    },
    /// The same code, linked into this process.
    Linked,
}

#[derive(Debug)]
enum Instance {
    Built(Emulator),
    Linked(Box<WebhookHandler>),
}

/// Instances that take turns.
#[derive(Debug)]
pub struct Fleet {
    instances: Vec<Mutex<Instance>>,
    turn: AtomicUsize,
    /// How much later than now it is for linked instances.
    later: std::sync::Mutex<Duration>,
    is_linked: bool,
}

impl Fleet {
    /// Starts so many instances with these settings.
    ///
    /// # Errors
    /// If one can't be started.
    pub async fn start(
        make: &Target,
        size: usize,
        settings: &HashMap<String, String>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut instances = Vec::new();
        for _ in 0..size {
            instances.push(Mutex::new(Instance::start(make, settings).await?));
        }
        Ok(Self {
            instances,
            turn: AtomicUsize::new(0),
            later: std::sync::Mutex::default(),
            is_linked: matches!(make, Target::Linked),
        })
    }

    /// Starts others, for which it is as late.
    ///
    /// # Errors
    /// If one can't be started.
    pub async fn beside(
        &self,
        make: &Target,
        size: usize,
        settings: &HashMap<String, String>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self { later: self.later().into(), ..Self::start(make, size, settings).await? })
    }

    /// Lets so much time pass: linked instances are told so, built ones have clocks of their own.
    pub async fn let_pass(&self, time: Duration) {
        if !self.let_pass_at_once(time) {
            sleep(time).await;
        }
    }

    /// Tells linked instances that so much time has passed, and says whether that could be done.
    pub fn let_pass_at_once(&self, time: Duration) -> bool {
        if self.is_linked {
            *self.later.lock().unwrap_or_else(PoisonError::into_inner) += time;
        }
        self.is_linked
    }

    fn later(&self) -> Duration {
        *self.later.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces every instance by one with these settings, as a deployment does.
    ///
    /// # Errors
    /// If one can't be started.
    pub async fn deploy(
        &self,
        make: &Target,
        settings: &HashMap<String, String>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        for instance in &self.instances {
            *instance.lock().await = Instance::start(make, settings).await?;
        }
        Ok(())
    }

    /// Hands an event of API Gateway to the next free instance; the status of its answer, if it gives one.
    ///
    /// With no instance free, the answer is Lambda's own when a function's concurrency is used up.
    pub async fn invoke(&self, event: &Value) -> Option<u16> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let free = (0..self.instances.len()).map(|step| &self.instances[(turn + step) % self.instances.len()]);
        let Some(instance) = free.into_iter().find_map(|instance| instance.try_lock().ok()) else {
            return Some(THROTTLED);
        };
        match &*instance {
            Instance::Built(emulator) => {
                let answer = emulator.invoke(event).await.ok()?;
                u16::try_from(answer["statusCode"].as_u64()?).ok()
            }
            Instance::Linked(relay) => {
                let request = lambda_http::request::from_str(&event.to_string()).ok()?;
                let (response, _) = api_gateway::answer(relay, request, clock::now() + self.later()).await;
                Some(response.status().as_u16())
            }
        }
    }

    /// Kills every built instance at once, wherever it is.
    pub fn kill(&mut self) {
        for instance in &mut self.instances {
            if let Instance::Built(emulator) = instance.get_mut() {
                emulator.kill();
            }
        }
    }
}

impl Instance {
    async fn start(make: &Target, settings: &HashMap<String, String>) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(match make {
            Target::Built { rie, bootstrap } => Self::Built(Emulator::start(rie, bootstrap, settings).await?),
            Target::Linked => Self::Linked(Box::new(linked(settings).await?)),
        })
    }
}

async fn linked(settings: &HashMap<String, String>) -> Result<WebhookHandler, Box<dyn Error + Send + Sync>> {
    Ok(WebhookHandler::new(WebhookConfig::read(&read(settings))?, None, clock::now()).await?)
}

/// Settings as a process has them.
pub(super) fn read(settings: &HashMap<String, String>) -> Environment {
    let settings = settings.clone();
    Environment::new(move |name| settings.get(name).cloned(), |path| std::fs::read_to_string(path))
}
