//! The pure core: who is on call, what has to be said, and in which words.
//!
//! Nothing here is async, reads a clock or the environment, or does I/O; `now` is an argument.

pub mod sanitize;

pub mod event;

pub mod chat;

pub mod calendar;

pub mod roster;

pub mod state;

pub mod check;

pub mod alert;

pub mod reminder;

pub mod notice;

pub mod storm;

pub mod week;

pub mod acting;

pub mod message;

pub mod wording;

#[cfg(test)]
pub(crate) mod samples;
