//! The integration tests, in one binary: the real relay against stand-ins on loopback, at chosen times.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod world;

mod webhook;

mod intake;
mod interaction;

mod acting;

mod roster;

mod roster_cases;

mod chats;

mod slack;
mod state;

mod notice;

mod week;

mod service_levels;

mod reminder;

mod check;

mod descriptions;

mod secrets;

mod ledger;

mod faults;

mod properties;

mod crashers;

mod security;

mod tidy;

mod architecture;

mod emulator;

mod events;

mod storm;
mod template;

mod docs;
mod doubts;
