//! Relays PagerDuty webhooks to a chat and mentions the people whom a Google Sheet says are on call.
//!
//! In reading order: [`domain`] decides and words (pure). [`config`] reads the settings. [`edge`] speaks the wires
//! that go out: roster, chats, ledger, PagerDuty. [`delivery`] gets a message to a chat, once. Three use cases bring
//! them together: [`webhook`] posts alerts, [`interaction`] answers what people do on Slack, [`reminder`] reminds people
//! of their duty. [`lambda`] is AWS's side of them. The binaries only assemble.

pub mod domain;

pub mod clock;

pub mod budget;

pub mod log_events;

pub mod config;

pub mod edge;

pub mod delivery;

pub mod interaction;

pub mod webhook;

pub mod reminder;

pub mod lambda;
