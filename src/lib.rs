//! Relays PagerDuty webhooks to a chat and mentions the people whom a Google Sheet says are on call.
//!
//! In reading order: [`domain`] decides and words (pure). [`edge`] speaks the wires: webhooks come in by
//! [`edge::gateway`], past [`edge::gate`], and orders to remind by [`edge::schedule`]; it reads the roster,
//! posts to the chats and remembers in [`edge::ledger`]. [`config`] reads the settings, [`delivery`] gets
//! a message to a chat. Two use cases bring them together: [`relay`] posts alerts, [`reminder`] reminds people
//! of their duty; the Lambda binaries only assemble. [`cli`], [`stand_ins`], [`trial`] and [`laws`] are for
//! trying and testing; no Lambda function contains them.

pub mod domain;

pub mod edge;

pub mod config;

pub mod delivery;

pub mod relay;

pub mod reminder;

pub mod cli;

pub mod stand_ins;

pub mod laws;

pub mod trial;
