//! Relays PagerDuty webhooks to a chat and mentions the people whom a Google Sheet says are on call.
//!
//! In reading order: [`domain`] decides and words (pure), [`edge`] speaks the wires, [`config`]
//! reads the settings, [`delivery`] gets a message to a chat, [`relay`] is the use case that brings
//! them together. The Lambda binary only assembles. [`cli`] and [`stand_ins`] are for trying and
//! testing; no Lambda function contains them.

pub mod domain;

pub mod edge;

pub mod config;

pub mod delivery;

pub mod relay;

pub mod reminder;

pub mod cli;

pub mod stand_ins;
