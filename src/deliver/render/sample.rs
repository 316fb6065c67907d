//! One notice of every kind and digests, so that a template that fails for any of them fails at start.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{DigestContext, Notice, NoticeState};
use crate::alert::{AlertId, Severity};

static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();

/// Every state.
pub(super) const STATES: [NoticeState<'static>; 7] = [
    NoticeState::Triggered,
    NoticeState::Repeat { number: 2 },
    NoticeState::Raised,
    NoticeState::Resolved,
    NoticeState::Missed,
    NoticeState::Unreachable { contact: "jin", reason: "no device enrolled", also: &[], more: 4 },
    NoticeState::Test,
];

/// Every state at every severity, with and without what may be absent.
pub(super) fn samples() -> impl Iterator<Item = Notice<'static>> {
    let each = |state| Severity::ALL.into_iter().flat_map(move |severity| both(state, severity));
    STATES.into_iter().flat_map(each)
}

fn both(state: NoticeState<'static>, severity: Severity) -> [Notice<'static>; 2] {
    let full = full(state, severity);
    let bare =
        Notice { body: "", source_url: None, acknowledged_by: None, flapping: None, url: "", ..full.clone() };
    [full, bare]
}

/// A new disaster.
pub(super) fn typical() -> Notice<'static> {
    Notice { flapping: None, ..full(NoticeState::Triggered, Severity::Disaster) }
}

/// 22 November 2026, 03:10 in Seoul.
const STARTS_AT: Timestamp = Timestamp::constant(1_795_284_600, 0);

/// Over two minutes later, if it is over.
fn full(state: NoticeState<'static>, severity: Severity) -> Notice<'static> {
    let starts_at = STARTS_AT;
    let over = matches!(state, NoticeState::Resolved | NoticeState::Missed);
    Notice {
        alert_id: AlertId::from_bytes([7; 16]),
        state,
        severity,
        title: "Disk full on db1",
        body: "Free space on /var is 0 %\nlast checked 10 s ago",
        integration: "zabbix",
        labels: &NO_LABELS,
        source_url: Some("https://zabbix.example.org/tr_events.php?triggerid=1&eventid=2"),
        starts_at,
        resolved_at: over.then_some(starts_at + SignedDuration::from_mins(2)),
        acknowledged_by: Some("min"),
        flapping: Some(4),
        url: "https://a.example.org/alerts/1",
        time_zone: const { &TimeZone::UTC },
        now: starts_at + SignedDuration::from_mins(3),
    }
}

/// A digest of every severity, of one, of none, and of one alert.
pub(super) fn digests() -> impl Iterator<Item = DigestContext<'static>> {
    let worst = || vec!["Disk full on db1".to_owned(), "Swap full on db2".to_owned()];
    let mixed = DigestContext {
        count: 37,
        by_severity: vec![(Severity::High, 35), (Severity::Average, 2)],
        resolved: 0,
        unreachable: 0,
        unreached: Vec::new(),
        worst: worst(),
        since: STARTS_AT,
        until: STARTS_AT + SignedDuration::from_mins(2),
        url: "https://a.example.org/alerts",
        time_zone: const { &TimeZone::UTC },
        now: STARTS_AT + SignedDuration::from_mins(3),
    };
    let every = DigestContext {
        count: 40,
        by_severity: Severity::ALL.into_iter().map(|severity| (severity, 6)).collect(),
        resolved: 3,
        unreachable: 1,
        unreached: vec!["jin".to_owned()],
        ..mixed.clone()
    };
    let over = DigestContext {
        count: 1,
        by_severity: Vec::new(),
        resolved: 1,
        worst: Vec::new(),
        url: "",
        ..mixed.clone()
    };
    let untold = DigestContext {
        resolved: 0,
        unreachable: 1,
        unreached: vec!["jin".to_owned()],
        worst: worst(),
        ..over.clone()
    };
    [mixed, every, over, untold].into_iter()
}
