//! `[[heartbeat]]`: what must keep calling.

use std::ops::RangeInclusive;

use jiff::SignedDuration;

use super::{
    check::{Check, Section},
    raw::{Part, RawHeartbeat},
    units,
};
use crate::alert::Severity;

/// Most heartbeats: each is a label value of the metrics, and all may be late at once.
const HEARTBEATS_MAX: usize = 500;

/// A year is as the configuration counts it.
const YEAR: SignedDuration = SignedDuration::from_hours(8_766);

const EVERY: RangeInclusive<SignedDuration> = SignedDuration::from_secs(1)..=YEAR;
const EVERY_DEFAULT: SignedDuration = SignedDuration::from_mins(1);

const GRACE: RangeInclusive<SignedDuration> = SignedDuration::ZERO..=YEAR;
const GRACE_DEFAULT: SignedDuration = SignedDuration::from_mins(2);

/// Repeated until acknowledged: behind a silent monitor anything may be happening.
const SEVERITY_DEFAULT: Severity = Severity::High;

#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// In the URL `/v1/heartbeats/NAME`; no other has it, in any case.
    pub name: String,
    pub every: SignedDuration,
    /// How much later than `every` it may call.
    pub grace: SignedDuration,
    /// Of the alert when it does not call.
    pub severity: Severity,
}

pub(super) fn heartbeats(check: &mut Check<'_>, raw: &[Part<RawHeartbeat>]) -> Vec<Heartbeat> {
    let mut heartbeats: Vec<Heartbeat> = Vec::new();
    for part in raw {
        let mut section = check.section("[[heartbeat]]", part.span().start);
        let Some(heartbeat) = heartbeat(&mut section, &part.get_ref().0) else { continue };
        // Monitors that send the name in an alert write it in a case of their own.
        if heartbeats.iter().any(|other| other.name.eq_ignore_ascii_case(&heartbeat.name)) {
            section.problem("name", "an earlier heartbeat has this name too, in some case");
        }
        heartbeats.push(heartbeat);
    }
    check.at_most(HEARTBEATS_MAX, "[[heartbeat]]", raw);
    heartbeats
}

fn heartbeat(section: &mut Section<'_, '_>, raw: &RawHeartbeat) -> Option<Heartbeat> {
    let name = section.name(raw.name(), "a name such as \"zabbix-alive\"", units::name);
    Some(Heartbeat {
        every: section.duration(raw.every(), &EVERY).unwrap_or(EVERY_DEFAULT),
        grace: section.duration(raw.grace(), &GRACE).unwrap_or(GRACE_DEFAULT),
        severity: section.read(raw.severity(), units::severity).unwrap_or(SEVERITY_DEFAULT),
        name: name?,
    })
}
