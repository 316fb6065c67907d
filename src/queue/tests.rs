//! What becomes of events, by subject.

mod ahead;
mod damage;
mod flapping;
mod histories;
mod holds;
mod notes;
mod over;
mod properties;
mod refused;
mod repeats;
mod requests;
mod senders;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::{
    alert::{
        AlertState, DOUBT_LASTS, Entry, EventStatus, Kind, Resolution, ResolvedBy, Severity, ThreadKey,
        Update,
    },
    clock::ManualClock,
    store::{AlertFilter, AlertWrite, Expect, Lane, MemoryStore, ROWS_IN_DOCUMENT_MAX, Stored},
};

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);
const ZABBIX: Poster<'_> = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(7 * 24) };

fn queue() -> (Queue, Arc<ManualClock>) {
    let clock = ManualClock::at(T0);
    (Queue::new(Arc::new(MemoryStore::new()), clock.clone()), clock)
}

fn firing(key: &str) -> Event {
    Event { severity: Some(Severity::High), ..Event::firing(DedupKey::new(key), "disk full") }
}

fn resolved(key: &str) -> Event {
    Event { status: EventStatus::Resolved { note: None, escalation_cancelled: false }, ..firing(key) }
}

fn update(key: &str, update: Update) -> Event {
    Event { status: EventStatus::Update(update), ..firing(key) }
}

fn comment(text: &str) -> Update {
    Update { comment: Some(text.to_owned()), by: Some("Min".to_owned()), ..Update::default() }
}

async fn admissions(queue: &Queue, events: &[Event]) -> Vec<(Admission, Option<Reason>)> {
    let results = queue.admit(ZABBIX, events).await.expect("the store works");
    results.into_iter().map(|result| (result.admission, result.reason)).collect()
}

async fn only_alert(queue: &Queue) -> Alert {
    let filter = AlertFilter { limit: 10, ..AlertFilter::default() };
    let mut page = queue.store.list(&filter).await.expect("the store works");
    assert_eq!(page.alerts.len(), 1);
    queue.with_seen(page.alerts.remove(0).alert)
}

/// Ends an open alert as planning does when nobody spoke of it for `close_after`.
async fn close(queue: &Queue, key: &DedupKey) {
    let thread = ThreadKey::new(ZABBIX.integration, key);
    let found = queue.store.find_threads(vec![thread]).await.expect("works").remove(0);
    let Stored { mut alert, version } = found.expect("there");
    let now = queue.clock.now();
    alert.resolve(Resolution::by(ResolvedBy::Silence, now));
    let write = AlertWrite::of(alert, Expect::Version(version), Some(now));
    queue.store.commit(Lane::Deliver, &[write]).await.expect("works");
}

async fn latest(queue: &Queue, key: &str) -> Alert {
    let thread = ThreadKey::new(ZABBIX.integration, &DedupKey::new(key));
    let found = queue.store.find_threads(vec![thread]).await.expect("works").remove(0);
    queue.with_seen(found.expect("there").alert)
}

/// As the answer says it: `ignored stale`.
async fn answer(queue: &Queue, event: Event) -> String {
    let (admission, reason) = admissions(queue, &[event]).await.remove(0);
    let reason = serde_json::to_value(reason).expect("JSON");
    [Some(admission.as_str()), reason.as_str()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
