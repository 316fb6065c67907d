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
    /// Pause after the first deferral; default 10 s.
    pub initial: SignedDuration,
    /// Longest pause; default 5 min.
    pub max: SignedDuration,
}

pub(super) fn retry(check: &mut Check<'_>, part: Option<Part<RawRetry>>) -> Retry {
    let (span, raw) = open(part);
    let mut section = check.section("[retry]", span.clone());
    let initial = section.duration("initial", raw.initial.as_ref(), &RETRY);
    let max = section.duration("max", raw.max.as_ref(), &RETRY);
    let retry = Retry { initial: initial.unwrap_or(INITIAL_DEFAULT), max: max.unwrap_or(MAX_DEFAULT) };
    if retry.max < retry.initial {
        let (key, field) = if raw.max.is_some() { ("max", raw.max) } else { ("initial", raw.initial) };
        let (initial, max) = (units::human(retry.initial), units::human(retry.max));
        let what = format!("expected initial ({initial}) to be at most max ({max})");
        section.problem(field.map_or(span, |field| field.span()), key, what);
    }
    retry
}
