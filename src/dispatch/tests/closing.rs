//! An alert closes itself when its sender is silent, and not because we are deaf.

use super::*;

/// A sender that says it again within `close_after`, to a dispatcher whose store can fail.
struct Scene {
    clock: Arc<ManualClock>,
    store: Arc<Guarded<Mortal>>,
    dispatcher: Dispatcher,
    close_after: SignedDuration,
}

impl Scene {
    async fn new(close_after: SignedDuration) -> Self {
        let (clock, inner) = (ManualClock::at(T0), Arc::new(MemoryStore::new()));
        let store = Mortal::of(&inner, usize::MAX, Death::Before);
        let dispatcher = dispatcher(store.clone(), &clock, &Arc::new(Company::default())).await;
        Self { clock, store, dispatcher, close_after }
    }

    async fn fires(&self) -> Result<(), StoreError> {
        let poster = Poster { integration: "script", close_after: self.close_after };
        let event =
            Event { severity: Some(Severity::High), ..Event::firing(DedupKey::new("1"), "disk full") };
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
