use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;

use super::*;
use crate::{
    alert::{AlertState, ContactProgress, DedupKey, Event, Others, Progress},
    clock::ManualClock,
    store::{
        AlertWrite, Expect, MemoryStore,
        guarded::{Guard, Guarded, Ruling},
    },
};

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

#[derive(Default)]
struct Frail {
    /// So many further writes fail.
    failures: AtomicUsize,
    reads_fail: AtomicBool,
    is_damaged: AtomicBool,
}

fn down() -> StoreError {
    StoreError::Unavailable("input/output error".to_owned())
}

#[async_trait]
impl Guard for Frail {
    async fn write(&self) -> Ruling {
        if self.is_damaged.load(Ordering::SeqCst) {
            return Ruling::Refused(StoreError::Damaged("a page does not read".to_owned()));
        }
        let one_less = |left: usize| left.checked_sub(1);
        let fails = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        if fails { Ruling::Refused(down()) } else { Ruling::Made }
    }

    fn read(&self) -> Result<(), StoreError> {
        if self.reads_fail.load(Ordering::SeqCst) { Err(down()) } else { Ok(()) }
    }
}

fn scene(inner: &Arc<MemoryStore>) -> (Arc<Guarded<Frail>>, DeadLetters) {
    let store = Arc::new(Guarded { inner: inner.clone(), guard: Frail::default() });
    (store.clone(), DeadLetters::new(store, ManualClock::at(T0)))
}

/// It is over, and gives jin up.
fn unheard(number: u8) -> Alert {
    let event = Event::firing(DedupKey::new(number.to_string()), "disk full");
    let mut alert = Alert::opened(AlertId::from_bytes([number; 16]), "zabbix", &event, T0);
    alert.state = AlertState::Resolved;
    let contact = ContactProgress { unreachable: Some("gone".to_owned()), ..ContactProgress::default() };
    alert.progress.contacts.insert("jin".parse().expect("a name"), contact);
    alert
}

#[tokio::test]
async fn a_letter_that_cannot_be_written_concerns_its_own_alert_only() {
    let (store, letters) = scene(&Arc::default());
    let alerts = [unheard(1), unheard(2), unheard(3)];
    store.guard.failures.store(1, Ordering::SeqCst);
    let failed = letters.note(&alerts).await;
    assert_eq!((failed.len(), letters.all().len()), (1, 2), "{failed:?}");
    assert!(letters.note(&alerts).await.is_empty());
    assert_eq!((letters.all().len(), letters.unseen().in_all()), (3, 3));
}

#[tokio::test]
async fn a_letter_that_is_never_going_to_be_written_does_not_keep_its_alert_from_being_told_to_the_others() {
    let (store, letters) = scene(&Arc::default());
    store.guard.is_damaged.store(true, Ordering::SeqCst);
    assert!(letters.note(&[unheard(1)]).await.is_empty());
    assert_eq!(letters.unseen().in_all(), 1);
}

#[tokio::test]
async fn nothing_is_written_before_what_is_there_was_read() {
    let inner = Arc::default();
    assert!(scene(&inner).1.note(&[unheard(1)]).await.is_empty());
    let (store, letters) = scene(&inner);
    store.guard.reads_fail.store(true, Ordering::SeqCst);
    let heard = Alert { progress: Progress::default(), ..unheard(3) };
    let failed = letters.note(&[unheard(2), heard]).await;
    assert_eq!(failed.into_keys().collect::<Vec<_>>(), [unheard(2).id], "who gives nobody up goes on");
    store.guard.reads_fail.store(false, Ordering::SeqCst);
    assert!(letters.note(&[unheard(2)]).await.is_empty());
    let kept = letters.store.all::<DeadLetter>().await.expect("the store works");
    assert_eq!((kept.len(), letters.all().len()), (2, 2), "none has taken the place of another");
}

#[tokio::test]
async fn what_was_to_be_tried_once_more_and_was_not_is_unseen_after_a_restart() {
    let inner = Arc::default();
    let (store, letters) = scene(&inner);
    let alert = unheard(1);
    letters.note([&alert]).await;
    let id = letters.all()[0].id();
    store.commit(Lane::Deliver, &[AlertWrite::of(alert, Expect::FIRST_ROUND, None)]).await.expect("it works");
    letters.retry(&id, "dana").await.expect("the store works");
    assert_eq!(letters.unseen().in_all(), 0);
    let (_, letters) = scene(&inner);
    letters.restore().await;
    assert_eq!(letters.unseen().in_all(), 1);
}

#[tokio::test]
async fn what_nobody_has_looked_at_is_listed_first() {
    let (_, letters) = scene(&Arc::default());
    letters.note(&[unheard(1), unheard(2)]).await;
    for _ in 0..2 {
        let first = letters.all()[0].id();
        assert_eq!(letters.all()[0].stands, Stands::Unseen);
        letters.see(&first, "dana").await.expect("the store works");
    }
    assert_eq!(letters.unseen().in_all(), 0);
}

#[tokio::test]
async fn a_start_waits_until_the_letters_of_earlier_runs_can_be_read() {
    let inner = Arc::default();
    assert!(scene(&inner).1.note(&[unheard(1)]).await.is_empty());
    let store = Arc::new(Guarded { inner: inner.clone(), guard: Frail::default() });
    let clock = ManualClock::at(T0);
    let letters = DeadLetters::new(store.clone(), clock.clone());
    store.guard.reads_fail.store(true, Ordering::SeqCst);
    let comes_back = async {
        tokio::task::yield_now().await;
        store.guard.reads_fail.store(false, Ordering::SeqCst);
        clock.advance(jiff::SignedDuration::from_secs(1));
    };
    tokio::join!(letters.restore(), comes_back);
    assert_eq!(letters.unseen().in_all(), 1);
}

#[tokio::test]
async fn the_next_letter_after_the_last_slot_takes_the_place_of_the_oldest_that_needs_no_look() {
    let (_, letters) = scene(&Arc::default());
    letters.note(&[unheard(1), unheard(2), unheard(3)]).await;
    let seen = DeadLetter { slot: KEPT_MAX - 1, ..letters.all()[0].clone() };
    letters.letters().insert(DeadLetter { alert_id: unheard(9).id, ..seen });
    let second = format!("{}:jin", unheard(2).id);
    letters.see(&second, "dana").await.expect("the store works");
    letters.note(&[unheard(4), unheard(5)]).await;
    assert!(letters.find(&second).is_none(), "somebody has looked at it");
    assert_eq!(letters.all().len(), 4, "the oldest of the others has gone, too");
    assert!([4, 5].iter().all(|number| letters.find(&format!("{}:jin", unheard(*number).id)).is_some()));
}

#[tokio::test]
async fn what_was_looked_at_is_unseen_again_once_what_is_more_severe_was_not_told_either() {
    let (_, letters) = scene(&Arc::default());
    let told_as = |severity| {
        let mut alert = unheard(1);
        alert.progress.notified_as = Some(severity);
        alert
    };
    letters.note([&told_as(Severity::Warning)]).await;
    letters.see(&letters.all()[0].id(), "dana").await.expect("the store works");
    letters.note([&told_as(Severity::Warning)]).await;
    assert_eq!(letters.unseen().in_all(), 0);
    letters.note([&told_as(Severity::Disaster)]).await;
    assert_eq!((letters.unseen().in_all(), letters.all()[0].severity), (1, Severity::Disaster));
}

#[tokio::test]
async fn what_was_looked_at_is_unseen_again_once_the_others_do_not_know_any_more() {
    let (_, letters) = scene(&Arc::default());
    let mut alert = unheard(1);
    for (others, unseen) in [(Others::Told(1), 0), (Others::NotTold, 1), (Others::Told(1), 1)] {
        for contact in alert.progress.contacts.values_mut() {
            contact.others = others;
        }
        letters.note([&alert]).await;
        if others == Others::Told(1) && unseen == 0 {
            letters.see(&letters.all()[0].id(), "dana").await.expect("the store works");
        }
        assert_eq!(letters.unseen().in_all(), unseen, "{others:?}");
    }
}
