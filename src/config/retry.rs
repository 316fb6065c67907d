//! `[retry]`: the pauses between attempts.

use std::ops::RangeInclusive;

use jiff::SignedDuration;

use super::{
    check::{Check, open},
    raw::{Part, RawRetry},
    units,
};

const RETRY: RangeInclusive<SignedDuration> =
    SignedDuration::from_millis(100)..=SignedDuration::from_hours(24);
const INITIAL_DEFAULT: SignedDuration = SignedDuration::from_secs(10);
const MAX_DEFAULT: SignedDuration = SignedDuration::from_mins(5);

#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Pause after the first deferral.
    pub initial: SignedDuration,
    pub max: SignedDuration,
}

pub(super) fn retry(check: &mut Check<'_>, part: Option<Part<RawRetry>>) -> Retry {
    let (at, raw) = open(part);
    let mut section = check.section("[retry]", at);
    let initial = section.duration(raw.initial(), &RETRY);
    let max = section.duration(raw.max(), &RETRY);
    let retry = Retry { initial: initial.unwrap_or(INITIAL_DEFAULT), max: max.unwrap_or(MAX_DEFAULT) };
    if retry.max < retry.initial {
        let field = if raw.max.is_some() { raw.max() } else { raw.initial() };
        let (initial, max) = (units::human(retry.initial), units::human(retry.max));
        section.problem(field, format!("expected initial ({initial}) to be at most max ({max})"));
    }
    retry
}
