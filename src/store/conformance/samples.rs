//! Alerts to store.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    alert::{
        Alert, AlertId, AlertState, ContactName, ContactProgress, DedupKey, DeviceId, DevicePush, Entry,
        Epoch, Event, Milestone, Notification, Pending, Progress, PushState, Resolution, ResolvedBy, Row,
        Severity, Subject, TextState,
    },
    store::{AlertWrite, Due, Expect, Marks, Store, Version, Wanted},
};

/// The instant `ms` milliseconds after the beginning of every test.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
}

/// A triggered alert that is being told to one contact.
pub(crate) fn alert(key: &str, round: u32, opened_at: Timestamp) -> Alert {
    let dedup_key = DedupKey::new(key);
    let mut entropy = [0; 10];
    for (byte, from) in
        entropy.iter_mut().zip(crate::alert::Tag::new("zabbix", &dedup_key, round).to_string().bytes())
    {
        *byte = from;
    }
    let event = Event {
        severity: Some(Severity::High),
        body: "no answer for 5 minutes".to_owned(),
        labels: BTreeMap::from([("host".to_owned(), "db-1".to_owned())]),
        source_url: Some("https://zabbix.example/tr_events.php?eventid=1".to_owned()),
        ..Event::firing(dedup_key, format!("{key} is down"))
    };
    Alert {
        round,
        attempts: 1,
        progress: progress(opened_at),
        ..Alert::opened(AlertId::new(opened_at, entropy), "zabbix", &event, opened_at)
    }
}

fn progress(at: Timestamp) -> Progress {
    let state = Pending::InFlight { attempt: 1, severity: Severity::High, epoch: Epoch(1), until: at };
    let push = DevicePush { device: DeviceId(7), attempts: 1, state };
    let notification = Notification {
        subject: Subject::Opened,
        since: at,
        push: PushState { open: vec![push], ..PushState::default() },
        text: TextState::Standby { deadline: Some(at) },
        replaced: false,
    };
    let contact = ContactProgress { notifications: vec![notification], ..ContactProgress::default() };
    let contacts = BTreeMap::from([("jin".parse::<ContactName>().unwrap(), contact)]);
    Progress { planned: [Milestone::Opened].into(), contacts, ..Progress::default() }
}

/// The write that opens `alert(key, round, opened_at)`, due at once.
pub(crate) fn opening(key: &str, round: u32, opened_at: Timestamp) -> AlertWrite {
    AlertWrite {
        alert: alert(key, round, opened_at),
        expect: Expect::FIRST_ROUND,
        due: Some(opened_at),
        chunk: Vec::new(),
        plan: None,
        marks: Marks::default(),
    }
}

/// The write that replaces `version` of an alert.
pub(crate) fn change(alert: &Alert, version: Version, due: Option<Timestamp>) -> AlertWrite {
    AlertWrite {
        alert: alert.clone(),
        expect: Expect::Version(version),
        due,
        chunk: Vec::new(),
        plan: None,
        marks: Marks::default(),
    }
}

/// The same alert, resolved.
pub(crate) fn resolved(mut alert: Alert, at: Timestamp) -> Alert {
    alert.state = AlertState::Resolved;
    alert.resolved = Some(Resolution { by: ResolvedBy::Sender, at, note: None, ended_at: None });
    alert
}

/// Journal rows, told apart by their comments.
pub(crate) fn rows(texts: std::ops::Range<u32>) -> Vec<Row> {
    let row =
        |text: u32| Row { at: at(0), entry: Entry::Comment { by: "jin".to_owned(), text: text.to_string() } };
    texts.map(row).collect()
}

pub(crate) async fn due(store: &dyn Store, now: Timestamp, limit: usize) -> Due {
    store.due(now, limit, Wanted::ALL).await.unwrap()
}

pub(crate) async fn next_due(store: &dyn Store) -> Option<Timestamp> {
    store.next_due(Wanted::ALL).await.unwrap()
}
