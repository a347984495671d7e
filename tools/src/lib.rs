//! The operator's tool, and the lab in which the relay is tried without any account.
//!
//! [`cli`] is what can be asked for, [`operator`] what its commands around a deployment share. [`fakes`] stand for every service, on loopback; [`simulation`] plays
//! PagerDuty's rules of delivery with several instances and faults around them; [`properties`] states what holds
//! for any input; [`page`] lets people play with all of it in a browser. No Lambda function contains any of it.

pub mod cli;

pub mod operator;

pub mod rota;

pub mod fakes;

pub mod simulation;

pub mod properties;

pub mod page;
