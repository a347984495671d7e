//! Relays PagerDuty webhooks to a chat and mentions the people whom a Google Sheet says are on call.
//!
//! In reading order: [`domain`] decides and words (pure). [`config`] reads the settings. [`edge`] speaks the wires
//! that go out: roster, chats, ledger, PagerDuty. [`delivery`] gets a message to a chat, once. Use cases bring
//! them together: [`webhook`] posts alerts, [`notice`] what automation says, [`interaction`] answers what people do on
//! Slack, [`reminder`] reminds people of their duty, [`check`] tells whether all of it works. [`lambda`] is AWS's side of
//! them. The binaries only assemble.

pub mod domain;

pub mod clock;

pub mod budget;

pub mod log_events;

pub mod config;

pub mod edge;

pub mod delivery;

pub mod notice;

pub mod interaction;

pub mod webhook;

pub mod check;

pub mod reminder;

pub mod lambda;
