//! The `bongsu` program: the one place that reads arguments and the environment.

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn main() -> ExitCode {
    bongsu::cli::run(bongsu::cli::Arguments::parse(), &environment)
}
