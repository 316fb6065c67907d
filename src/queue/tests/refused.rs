//! What is refused is known to be, and takes nothing else with it.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;

use super::*;
use crate::store::{
    FREE_BYTES_MIN,
    guarded::{Guard, Guarded, Ruling},
};

#[derive(Default)]
struct Shop {
    is_full: AtomicBool,
    hangs: AtomicBool,
    /// Whose writes fail.
    fails: Mutex<Option<AlertId>>,
}

#[async_trait]
impl Guard for Shop {
    async fn write(&self) -> Ruling {
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ruling::Made
    }

    fn room(&self) -> Result<(), StoreError> {
        let full = StoreError::Full { free_bytes: 0, limit_bytes: FREE_BYTES_MIN };
        if self.is_full.load(Ordering::SeqCst) { Err(full) } else { Ok(()) }
    }

    fn is_unheard(&self, id: AlertId) -> bool {
        *self.fails.lock().expect("no panic") == Some(id)
    }
}

/// Some alerts are open, and an hour later the store is full.
async fn full(events: &[Event]) -> (Queue, Arc<ManualClock>) {
    let clock = ManualClock::at(T0);
    let store = Arc::new(Guarded { inner: Arc::new(MemoryStore::new()), guard: Shop::default() });
    let queue = Queue::new(store.clone(), clock.clone());
    admissions(&queue, events).await;
    clock.advance(SignedDuration::from_hours(1));
    store.guard.is_full.store(true, Ordering::SeqCst);
    (queue, clock)
}

async fn refusal(queue: &Queue, events: &[Event]) -> StoreError {
    queue.admit(ZABBIX, events).await.expect_err("it is full")
}

#[tokio::test]
async fn in_a_full_store_what_is_open_is_heard_of_and_raised() {
    let (queue, clock) = full(&[firing("1")]).await;
    assert_eq!(answer(&queue, firing("1")).await, "joined");
    assert_eq!(latest(&queue, "1").await.last_seen_at, clock.now());
    assert_eq!(answer(&queue, Event { severity: Some(Severity::Disaster), ..firing("1") }).await, "joined");
    assert_eq!(latest(&queue, "1").await.severity, Severity::Disaster);
    assert_eq!(queue.refused_at(), None);
    assert!(matches!(refusal(&queue, &[firing("2")]).await, StoreError::Full { .. }));
    assert_eq!(queue.refused_at(), Some(clock.now()));
}

#[tokio::test]
async fn one_new_alert_in_a_full_store_bars_nothing_beside_it() {
    let (queue, clock) = full(&[firing("1"), firing("2"), firing("3")]).await;
    let raised = Event { severity: Some(Severity::Disaster), ..firing("2") };
    let body = [firing("new"), resolved("1"), raised, firing("3")];
    assert!(matches!(refusal(&queue, &body).await, StoreError::Full { .. }));
    assert_eq!(latest(&queue, "1").await.state, AlertState::Resolved);
    assert_eq!(latest(&queue, "2").await.severity, Severity::Disaster);
    assert_eq!(latest(&queue, "3").await.last_seen_at, clock.now());
    assert_eq!(latest(&queue, "2").await.count, 2);
}

#[tokio::test]
async fn nor_does_one_among_very_many() {
    let (queue, _) = full(&[firing("1")]).await;
    let mut body: Vec<Event> = (0..=EVENTS_AT_ONCE_MAX).map(|_| firing("new")).collect();
    body.push(resolved("1"));
    refusal(&queue, &body).await;
    assert_eq!(latest(&queue, "1").await.state, AlertState::Resolved);
}

#[tokio::test]
async fn what_a_later_start_finds_in_a_full_store_stays_open() {
    let (queue, _) = full(&[Event { starts_at: Some(T0), ..firing("1") }]).await;
    refusal(&queue, &[Event { starts_at: Some(T0 + SignedDuration::from_mins(50)), ..firing("1") }]).await;
    assert!(latest(&queue, "1").await.is_open(), "its place is not taken");
}

#[tokio::test]
async fn a_sender_that_does_not_wait_for_its_answer_was_refused() {
    let clock = ManualClock::at(T0);
    let store = Arc::new(Guarded { inner: Arc::new(MemoryStore::new()), guard: Shop::default() });
    let queue = Queue::new(store.clone(), clock.clone());
    admissions(&queue, &[firing("1")]).await;
    store.guard.hangs.store(true, Ordering::SeqCst);
    assert_eq!(queue.refused_at(), None);
    let event = [firing("2")];
    tokio::select! {
        biased;
        _ = queue.admit(ZABBIX, &event) => panic!("it hangs"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(queue.refused_at(), Some(T0));
}

#[tokio::test]
async fn a_write_that_fails_keeps_no_other_from_being_written() {
    let store = Arc::new(Guarded { inner: Arc::new(MemoryStore::new()), guard: Shop::default() });
    let queue = Queue::new(store.clone(), ManualClock::at(T0));
    admissions(&queue, &[firing("1"), firing("2")]).await;
    *store.guard.fails.lock().expect("no panic") = Some(latest(&queue, "1").await.id);
    assert!(queue.admit(ZABBIX, &[resolved("1"), resolved("2")]).await.is_err());
    assert_eq!(latest(&queue, "2").await.state, AlertState::Resolved);
}
