//! Everything that knows a wire format or does I/O: what comes in, what goes out, what is remembered.

pub mod gateway;

pub mod pagerduty;

pub mod http;

pub mod roster_source;

pub mod chat;

pub mod ledger;

pub mod telemetry;
