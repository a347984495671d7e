//! Everything that speaks a wire to a service: PagerDuty, the roster's source, chats, the ledger, secrets.

pub mod authenticator;

pub mod pagerduty;

pub mod notice;

pub mod interactivity;

pub mod roster;

pub mod chat;

pub mod ledger;

pub mod secrets;

pub mod heartbeat;

pub mod beside;

pub mod http;

pub mod aws;
