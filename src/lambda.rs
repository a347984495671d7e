//! AWS's side of both use cases: what API Gateway and Scheduler hand in, and the answers, metrics and logs they take.

pub mod api_gateway;

pub mod scheduler;

pub mod telemetry;
