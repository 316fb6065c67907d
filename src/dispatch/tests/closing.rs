//! An alert closes itself when its sender is silent, and not because we are deaf.

use super::*;
use crate::{
    alert::ResolvedBy,
    store::{AlertWrite, Expect, Lane},
};

/// A sender that says it again within `close_after`, to a dispatcher whose store can fail.
struct Scene {
    clock: Arc<ManualClock>,
    store: Arc<Guarded<Mortal>>,
    company: Arc<Company>,
    dispatcher: Dispatcher,
    close_after: SignedDuration,
}

impl Scene {
    async fn new(close_after: SignedDuration) -> Self {
        let (clock, inner) = (ManualClock::at(T0), Arc::new(MemoryStore::new()));
        let store = Mortal::of(&inner, usize::MAX, Death::Before);
        let company = Arc::<Company>::default();
        let dispatcher = dispatcher(store.clone(), &clock, &company).await;
        Self { clock, store, company, dispatcher, close_after }
    }

    async fn fires(&self) -> Result<(), StoreError> {
        self.fires_since(None).await
    }

    async fn fires_since(&self, starts_at: Option<Timestamp>) -> Result<(), StoreError> {
        let poster = Poster { integration: "script", close_after: self.close_after };
        let fires = Event::firing(DedupKey::new("1"), "disk full");
        let event = Event { severity: Some(Severity::High), starts_at, ..fires };
        self.dispatcher.queue.admit(poster, &[event]).await.map(drop)
    }

    async fn is_open(&mut self) -> bool {
        work(&mut self.dispatcher).await.expect("the store works");
        let alerts = every_alert(&self.store.inner).await;
        assert_eq!(alerts.len(), 1);
        alerts[0].is_open()
    }
}

#[tokio::test]
async fn what_is_said_again_in_time_does_not_close_though_that_is_not_saved_yet() {
    let mut scene = Scene::new(SignedDuration::from_mins(1)).await;
    scene.fires().await.expect("works");
    scene.clock.advance(SignedDuration::from_mins(20));
    scene.fires().await.expect("works");
    for _ in 0..2 {
        scene.clock.advance(SignedDuration::from_secs(25));
        scene.fires().await.expect("works");
    }
    scene.clock.advance(SignedDuration::from_secs(11));
    assert!(scene.is_open().await);
    scene.clock.advance(SignedDuration::from_secs(61));
    assert!(!scene.is_open().await);
}

#[tokio::test]
async fn what_we_refused_to_hear_is_no_silence_of_its_sender() {
    let mut scene = Scene::new(SignedDuration::from_mins(5)).await;
    scene.fires().await.expect("works");
    assert!(scene.is_open().await);
    scene.store.guard.is_full.store(true, Ordering::SeqCst);
    for _ in 0..30 {
        scene.clock.advance(SignedDuration::from_mins(1));
        scene.fires().await.expect_err("the store is away");
    }
    scene.store.guard.is_full.store(false, Ordering::SeqCst);
    assert!(scene.is_open().await, "it has not had the time to say it again");
    scene.clock.advance(SignedDuration::from_mins(10));
    assert!(!scene.is_open().await);
}

/// The write that takes its place went through, and the one that ends it was lost.
#[tokio::test]
async fn a_round_that_is_open_beside_the_next_is_neither_told_nor_told_as_over() {
    for is_heard_of in [false, true] {
        let mut scene = Scene::new(SignedDuration::from_hours(2)).await;
        scene.company.at_fault.store(!is_heard_of, Ordering::SeqCst);
        scene.fires_since(Some(T0)).await.expect("works");
        assert!(scene.is_open().await);
        let first = every_alert(&scene.store.inner).await.remove(0);
        scene.clock.advance(SignedDuration::from_hours(1));
        scene.fires_since(Some(scene.clock.now())).await.expect("works");
        let over = scene.store.get(first.id).await.expect("works").expect("there");
        let write = AlertWrite::of(first.clone(), Expect::Version(over.version), Some(scene.clock.now()));
        scene.store.commit(Lane::Deliver, &[write]).await.expect("works");
        scene.company.at_fault.store(false, Ordering::SeqCst);
        if is_heard_of {
            scene.clock.advance(SignedDuration::from_hours(1));
        }
        work(&mut scene.dispatcher).await.expect("works");
        let over = scene.store.get(first.id).await.expect("works").expect("there").alert;
        assert_eq!(over.resolved.map(|end| end.by), Some(ResolvedBy::Superseded), "heard of: {is_heard_of}");
        let texts = scene.company.texts.lock().expect("no panic");
        let about_first = texts.iter().filter(|(_, about)| *about == first.id).count();
        assert_eq!(about_first, usize::from(is_heard_of));
    }
}
