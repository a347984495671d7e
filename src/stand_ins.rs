//! Stand-ins for Google, Typetalk and Slack on loopback, for the demo and the tests.
//!
//! They speak the real services' wire, refuse what the real ones would refuse, and fail as they are
//! told to. No Lambda function uses them, and the linker leaves them out there.

pub mod server;

pub mod pagerduty;

pub mod google;

pub mod typetalk;

pub mod slack;
