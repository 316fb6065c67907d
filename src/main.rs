//! The `bongsu` program.
fn main() {}
