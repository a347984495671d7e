//! Links the Lambda functions at a fixed address.
//!
//! The tables of time zones hold some 40,000 addresses. In a position-independent executable the loader
//! writes every one of them at each cold start, which took longer than all the rest of it.

const FUNCTIONS: [&str; 2] = ["pagerduty2typetalk", "oncall-reminder"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_CFG_TARGET_OS").is_none_or(|os| os != "linux") {
        return;
    }
    for function in FUNCTIONS {
        println!("cargo:rustc-link-arg-bin={function}=-no-pie");
    }
}
