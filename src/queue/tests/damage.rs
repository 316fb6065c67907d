//! One alert that cannot be read holds up no other.

use std::{collections::BTreeSet, sync::Mutex};

use async_trait::async_trait;

use super::*;
use crate::{
    alert::Milestone,
    store::guarded::{Guard, Guarded, Ruling},
};

#[derive(Default)]
struct Bad(Mutex<BTreeSet<AlertId>>);

#[async_trait]
impl Guard for Bad {
    async fn write(&self) -> Ruling {
        Ruling::Made
    }

    fn is_damaged(&self, id: AlertId) -> bool {
        self.0.lock().expect("whole").contains(&id)
    }
}

#[tokio::test]
async fn one_damaged_alert_keeps_neither_itself_nor_its_neighbours_from_being_told() {
    let clock = ManualClock::at(T0);
    let store = Arc::new(Guarded { inner: Arc::new(MemoryStore::new()), guard: Bad::default() });
    let queue = Queue::new(store.clone(), clock.clone());
    let first = queue.admit(ZABBIX, &[firing("old")]).await.expect("works").remove(0);
    store.guard.0.lock().expect("whole").insert(first.alert_id.expect("opened"));
    let got = admissions(&queue, &[firing("old"), firing("new"), resolved("other")]).await;
    let opened = (Admission::Opened, None);
    assert_eq!(got, [opened, opened, (Admission::Ignored, Some(Reason::UnknownAlert))]);
    let alert = latest(&queue, "old").await;
    assert!(alert.is_open() && Some(alert.id) != first.alert_id);
    // From here on all is well.
    let got = admissions(&queue, &[firing("old"), resolved("old"), firing("old")]).await;
    assert_eq!(got, [(Admission::Joined, None), (Admission::Resolved, None), opened]);
}

#[tokio::test]
async fn what_is_said_of_a_damaged_alert_alone_is_told_too() {
    let clock = ManualClock::at(T0);
    let store = Arc::new(Guarded { inner: Arc::new(MemoryStore::new()), guard: Bad::default() });
    let queue = Queue::new(store.clone(), clock.clone());
    let first = queue.admit(ZABBIX, &[firing("old")]).await.expect("works").remove(0);
    store.guard.0.lock().expect("whole").insert(first.alert_id.expect("opened"));
    clock.advance(SignedDuration::from_mins(2));
    let taken = Update { acknowledged: Some(true), ..Update::default() };
    assert_eq!(answer(&queue, update("old", taken)).await, "noted");
    assert_eq!(answer(&queue, firing("old")).await, "opened");
}

#[tokio::test]
async fn neither_a_note_nor_what_is_damaged_takes_the_place_of_an_alert_that_can_be_read_again() {
    let clock = ManualClock::at(T0);
    let store = Arc::new(Guarded { inner: Arc::new(MemoryStore::new()), guard: Bad::default() });
    let queue = Queue::new(store.clone(), clock.clone());
    let first =
        queue.admit(ZABBIX, &[firing("old")]).await.expect("works").remove(0).alert_id.expect("opened");
    store.guard.0.lock().expect("whole").insert(first);
    clock.advance(SignedDuration::from_mins(2));
    let taken = Update { acknowledged: Some(true), ..Update::default() };
    assert_eq!(answer(&queue, update("old", taken)).await, "noted");
    store.guard.0.lock().expect("whole").clear();

    let mut alert = store.get(first).await.expect("works").expect("is there").alert;
    alert.progress.planned.insert(Milestone::Opened);
    queue.end_if_superseded(&mut alert).await.expect("works");
    assert!(alert.is_open(), "nothing else tells it");
    assert_eq!(answer(&queue, firing("old")).await, "opened");
    let next = latest(&queue, "old").await.id;
    store.guard.0.lock().expect("whole").insert(next);
    queue.end_if_superseded(&mut alert).await.expect("another that cannot be read does not hold it up");
    assert!(alert.is_open(), "nothing else tells it");
    store.guard.0.lock().expect("whole").clear();
    queue.end_if_superseded(&mut alert).await.expect("works");
    assert!(!alert.is_open(), "the next round does");
}

/// Nothing can be written, whatever its id is.
struct Ruined;

#[async_trait]
impl Guard for Ruined {
    async fn write(&self) -> Ruling {
        Ruling::Made
    }

    fn is_damaged(&self, _: AlertId) -> bool {
        true
    }
}

#[tokio::test]
async fn what_cannot_be_written_at_all_is_not_taken() {
    let store = Arc::new(Guarded { inner: Arc::new(MemoryStore::new()), guard: Ruined });
    let queue = Queue::new(store, ManualClock::at(T0));
    for events in [vec![firing("new")], vec![firing("new"), firing("other")]] {
        let refused = queue.admit(ZABBIX, &events).await;
        assert!(matches!(refused, Err(StoreError::Damaged(_))), "{refused:?}");
    }
    assert_eq!(queue.refused_at(), Some(T0));
}
