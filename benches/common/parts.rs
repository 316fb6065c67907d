//! Which parts of a bench run, and for how long.

use crate::arguments::value_of;

/// Whether this part of the bench was asked for: `--part NAME` runs one alone.
pub(crate) fn wants(part: &str) -> bool {
    value_of("--part").is_none_or(|wanted| wanted == part)
}

/// Seconds of each measurement: `--seconds N`.
pub(crate) fn seconds(otherwise: u32) -> u32 {
    value_of("--seconds").map_or(otherwise, |seconds| seconds.parse().expect("--seconds takes a number"))
}
