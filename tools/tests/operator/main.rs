//! The operator's commands as a person runs them: the built tool, with a pipe for a terminal, against fakes of AWS,
//! PagerDuty, Slack and Google.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod arrange;
mod check;
mod guide;
mod interrupted;
mod moto;
mod register;
mod secrets;
mod send_test;
mod shells;
mod world;
