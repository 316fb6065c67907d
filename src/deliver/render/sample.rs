//! One notice of every kind, so that a template that fails for any of them fails at start.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{Notice, NoticeState};
use crate::alert::{AlertId, Counted, Named, Severity};

static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();

/// Every state.
pub(super) const STATES: [NoticeState<'static>; 7] = [
    NoticeState::Triggered,
    NoticeState::Repeat { number: 2 },
    NoticeState::Raised,
    NoticeState::Resolved,
    NoticeState::Missed,
    NoticeState::Unreachable { contact: "jin", reason: "no device enrolled" },
    NoticeState::Test,
];

/// Two digests: a grave one, and one of mere ends.
fn digests() -> &'static [Counted; 2] {
    static DIGESTS: LazyLock<[Counted; 2]> = LazyLock::new(|| {
        let since = Timestamp::constant(1_795_284_600, 0);
        let until = since + SignedDuration::from_secs(40);
        let named = |severity, title: &str| Named {
            alert_id: AlertId::from_bytes([8; 16]),
            severity,
            title: title.to_owned(),
        };
        let grave = Counted {
            by_severity: [(Severity::Average, 2), (Severity::High, 35), (Severity::Disaster, 1)].into(),
            resolved: 4,
            unreachable: 3,
            unreached: BTreeSet::from(["jin".parse().expect("a name")]),
            worst: vec![named(Severity::Disaster, "Site down"), named(Severity::High, "Disk full on db1")],
            since,
            until,
            text: true,
        };
        [grave, Counted { resolved: 12, since, until, ..Counted::default() }]
    });
    &DIGESTS
}

/// Every state at every severity, with and without what may be absent.
pub(super) fn samples() -> impl Iterator<Item = Notice<'static>> {
    let each = |state| Severity::ALL.into_iter().flat_map(move |severity| both(state, severity));
    let digests = digests().iter().map(NoticeState::Digest);
    STATES.into_iter().chain(digests).flat_map(each)
}

fn both(state: NoticeState<'static>, severity: Severity) -> [Notice<'static>; 2] {
    let full = full(state, severity);
    let bare =
        Notice { body: "", source_url: None, acknowledged_by: None, flapping: None, url: "", ..full.clone() };
    [full, bare]
}

/// 22 November 2026, 03:10 in Seoul; over at 03:12.
fn full(state: NoticeState<'static>, severity: Severity) -> Notice<'static> {
    let starts_at = Timestamp::constant(1_795_284_600, 0);
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
