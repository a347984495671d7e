//! Everything that knows a wire format or does I/O: what comes in, what goes out, what is remembered.

pub mod gateway;

pub mod schedule;

pub mod gate;

pub mod pagerduty;

pub mod http;

pub mod roster_source;

pub mod chat;

pub mod ledger;

pub mod incidents;

pub mod secret_store;

mod aws;

pub mod telemetry;
