//! One notice of every kind, digests and an outage, so that a template that fails for any of them fails at start.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{DigestNotice, Notice, Outage, OutageNotice};
use crate::alert::{
    Acknowledgement, Alert, AlertId, ContactName, Counted, DedupKey, Event, FLAPPING_ROUNDS, Kind, LastRound,
    Named, Openings, Part, Resolution, ResolvedBy, Severity, Subject, Successor, Unreached,
};

/// 22 November 2026, 03:10 in Seoul.
const STARTS_AT: Timestamp = Timestamp::constant(1_795_284_600, 0);

/// An alert and what is told about it.
#[derive(Clone)]
pub(super) struct Sample {
    alert: Alert,
    subject: Subject,
    url: &'static str,
}

impl Sample {
    /// As it is told three minutes after it began.
    pub(super) fn notice(&self) -> Notice<'_> {
        let now = STARTS_AT + SignedDuration::from_mins(3);
        let Self { alert, subject, url } = self;
        let severity = alert.severity;
        Notice { alert, subject, severity, url, time_zone: const { &TimeZone::UTC }, now }
    }
}

/// Every state at every severity, with and without what may be absent.
pub(super) fn samples() -> impl Iterator<Item = Sample> {
    let contact = jin();
    let reason = "no device enrolled".to_owned();
    let subjects = [
        Subject::Opened,
        Subject::Repeat { number: 2, last: true },
        Subject::Raised { to: Severity::NotClassified },
        Subject::Resolved,
        Subject::Missed,
        Subject::Unreachable { contact, reason, also: Vec::new(), more: 4 },
    ];
    let real = subjects.into_iter().map(|subject| full(subject, Kind::Problem));
    let at_each_severity = |sample: Sample| {
        Severity::ALL.into_iter().flat_map(move |severity| {
            let alert = Alert { severity, ..sample.alert.clone() };
            let full = Sample { alert, ..sample.clone() };
            [full.clone(), bare(full)]
        })
    };
    real.chain([full(Subject::Opened, Kind::Test)]).flat_map(at_each_severity)
}

/// A new disaster.
pub(super) fn typical() -> Sample {
    let mut sample = full(Subject::Opened, Kind::Problem);
    (sample.alert.openings, sample.alert.taken_back) = (Openings::default(), None);
    sample
}

/// A disaster, over two minutes later if it is over.
fn full(subject: Subject, kind: Kind) -> Sample {
    let event = Event {
        severity: Some(Severity::Disaster),
        body: "Free space on /var is 0 %\nlast checked 10 s ago".to_owned(),
        source_url: Some("https://zabbix.example.org/tr_events.php?triggerid=1&eventid=2".to_owned()),
        kind,
        ..Event::firing(DedupKey::new("sample"), "Disk full on db1")
    };
    let mut alert = Alert::opened(AlertId::from_bytes([7; 16]), "zabbix", &event, STARTS_AT);
    alert.conversation.acknowledged = Some(Acknowledgement {
        by: "min".to_owned(),
        at: STARTS_AT,
        since: STARTS_AT,
        severity: Severity::Disaster,
        by_sender: false,
    });
    if matches!(subject, Subject::Resolved | Subject::Missed) {
        let at = STARTS_AT + SignedDuration::from_mins(2);
        alert.resolved = Some(Resolution { by: ResolvedBy::Sender, at, note: None, ended_at: None });
    }
    let severity = Severity::Disaster;
    let last = LastRound {
        severity,
        opened: STARTS_AT,
        told_at: STARTS_AT,
        resolved: STARTS_AT,
        heard_as: Some(severity),
    };
    alert.openings =
        (1..FLAPPING_ROUNDS).fold(Openings::default(), |openings, _| openings.next(last, STARTS_AT));
    alert.openings.superseded = alert.resolved.as_ref().map(|_| Successor::IsQuiet);
    alert.taken_back = Some(Resolution::by(ResolvedBy::Operator("min".to_owned()), STARTS_AT));
    Sample { alert, subject, url: "https://a.example.org/alerts/1" }
}

fn bare(mut sample: Sample) -> Sample {
    (sample.alert.body, sample.alert.source_url) = (String::new(), None);
    sample.alert.conversation.acknowledged = None;
    sample.alert.openings = Openings::default();
    Sample { url: "", ..sample }
}

/// What digests count: alerts of two severities, of every severity, one that is over, one that somebody could not be
/// reached about.
pub(super) fn counts() -> [Counted; 4] {
    let named = |severity, title: &str| Named {
        alert_id: AlertId::from_bytes([7; 16]),
        severity,
        title: title.to_owned(),
    };
    let mixed = Counted {
        by_severity: BTreeMap::from([(Severity::High, 35), (Severity::Average, 2)]),
        worst: vec![named(Severity::High, "Disk full on db1"), named(Severity::High, "Swap full on db2")],
        since: STARTS_AT,
        until: STARTS_AT + SignedDuration::from_mins(2),
        ..Counted::default()
    };
    let every = Counted {
        by_severity: Severity::ALL.into_iter().map(|severity| (severity, 6)).collect(),
        resolved: 3,
        unreachable: 1,
        unreached: Unreached { names: [jin()].into(), more: 0 },
        ..mixed.clone()
    };
    let untold = Counted { by_severity: BTreeMap::new(), resolved: 0, ..every.clone() };
    let over = Counted {
        resolved: 1,
        unreachable: 0,
        unreached: Unreached::default(),
        worst: Vec::new(),
        ..untold.clone()
    };
    [mixed, every, over, untold]
}

/// As it is told three minutes after the first; without a link where it is about a single alert.
pub(super) fn digest(counted: &Counted) -> DigestNotice<'_> {
    let url = if counted.total() == 1 { "" } else { "https://a.example.org/alerts" };
    let now = STARTS_AT + SignedDuration::from_mins(3);
    DigestNotice { counted, url, time_zone: const { &TimeZone::UTC }, now }
}

/// Every part stands still.
pub(super) fn everything() -> Outage {
    Outage { parts: Part::ALL.into(), since: STARTS_AT }
}

pub(super) fn outage(outage: &Outage) -> OutageNotice<'_> {
    let now = STARTS_AT + SignedDuration::from_mins(3);
    OutageNotice { outage, time_zone: const { &TimeZone::UTC }, now }
}

fn jin() -> ContactName {
    "jin".parse().expect("a name")
}
