//! The subcommands.

pub mod setup;
