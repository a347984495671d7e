//! What the operator's commands share: the terminal, the deployed stack, and PagerDuty with a key that may write.

pub mod dialogue;

pub mod samconfig;

mod alarms;

pub mod stack;

pub mod pagerduty;

pub mod subscriptions;

pub mod secrets;
