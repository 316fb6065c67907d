//! Calls and lateness while the store fails, and when both come at once.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    alert::{AlertState, Part},
    clock::ManualClock,
    config,
    store::{
        MemoryStore, Record,
        guarded::{Guard, Guarded, Ruling},
    },
    watch::Vitals,
};

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// So often the other tasks get their turn before a test takes them for stuck.
const YIELDS_MAX: usize = 1_000;

/// A store that can fail, and whose writes can be held up.
struct Frail {
    /// So many further writes fail.
    failures: AtomicUsize,
    gate: Semaphore,
    /// Writes that have begun.
    begun: AtomicUsize,
}

#[async_trait]
impl Guard for Frail {
    async fn write(&self) -> Ruling {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let _permit = self.gate.acquire().await.expect("nobody closes it");
        let left = |left: usize| left.checked_sub(1);
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok() {
            return Ruling::Refused(StoreError::Unavailable("input/output error".to_owned()));
        }
        Ruling::Made
    }
}

/// Two heartbeats, late three minutes after a call, over a frail store.
struct Scene {
    heartbeats: Arc<Heartbeats>,
    store: Arc<Guarded<Frail>>,
    clock: Arc<ManualClock>,
}

impl Scene {
    fn start() -> Self {
        let text = "[[sms.gateway]]\nname = \"sms\"\nprovider = \"solapi\"\nfrom = \"1\"\napi_key = \"k\"\n\
                    api_secret = \"s\"\n[[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n\
                    [[heartbeat]]\nname = \"one\"\n[[heartbeat]]\nname = \"two\"\n";
        let config = config::parse(text, Path::new("bongsu.toml"), &|_| None).unwrap();
        let clock = ManualClock::at(T0);
        let guard =
            Frail { failures: AtomicUsize::new(0), gate: Semaphore::new(100), begun: AtomicUsize::new(0) };
        let store = Arc::new(Guarded { inner: Arc::new(MemoryStore::new()), guard });
        let queue = Arc::new(Queue::new(store.clone(), clock.clone()));
        let heartbeats = Arc::new(Heartbeats::new(&config, store.clone(), queue, clock.clone()));
        Self { heartbeats, store, clock }
    }

    async fn call(&self, name: &str) -> Result<BeatState, StoreError> {
        Ok(self.heartbeats.call(name).await?.expect("it is configured").state)
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    fn fail(&self, writes: usize) {
        self.store.guard.failures.store(writes, Ordering::SeqCst);
    }

    async fn step(&self) -> Result<(), StoreError> {
        self.heartbeats.step().await
    }

    /// How the alert about `name` is.
    async fn alert(&self, name: &str) -> Option<AlertState> {
        let thread = ThreadKey::new(OURS, &words::over(name, None).dedup_key);
        let found = self.store.find_threads(vec![thread]).await.unwrap();
        found.into_iter().flatten().next().map(|stored| stored.alert.state)
    }

    /// Lets the other tasks run until so many writes have begun.
    async fn begun(&self, writes: usize) {
        for _ in 0..YIELDS_MAX {
            if writes <= self.store.guard.begun.load(Ordering::SeqCst) {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("no write begins");
    }
}

#[tokio::test]
async fn a_first_call_that_is_not_kept_is_not_answered_and_is_kept_later() {
    let scene = Scene::start();
    scene.fail(usize::MAX);
    assert!(scene.call("one").await.is_err() && scene.call("one").await.is_err());
    assert!(scene.step().await.is_err());
    scene.fail(0);
    scene.step().await.unwrap();
    assert_eq!((&*scene.store as &dyn Store).all::<HeartbeatRecord>().await.unwrap().len(), 1);

    scene.pass(60);
    scene.fail(usize::MAX);
    assert_eq!(scene.call("one").await.unwrap(), BeatState::OnTime, "later calls need no store");
}

#[tokio::test]
async fn silence_that_could_not_be_told_is_told_when_the_store_is_back() {
    let scene = Scene::start();
    scene.call("one").await.unwrap();
    scene.pass(180);
    scene.fail(usize::MAX);
    for _ in 0..3 {
        assert!(scene.step().await.is_err());
        assert!(scene.heartbeats.due().is_some_and(|due| due <= scene.clock.now()), "it stays due");
    }
    scene.fail(0);
    scene.step().await.unwrap();
    assert_eq!(scene.alert("one").await, Some(AlertState::Triggered));
}

#[tokio::test]
async fn a_return_that_could_not_be_written_is_not_answered_and_is_written_later() {
    let scene = Scene::start();
    scene.call("one").await.unwrap();
    scene.pass(180);
    scene.step().await.unwrap();
    scene.fail(usize::MAX);
    assert!(scene.call("one").await.is_err());
    assert_eq!(scene.alert("one").await, Some(AlertState::Triggered));
    scene.fail(0);
    scene.step().await.unwrap();
    assert_eq!(scene.alert("one").await, Some(AlertState::Resolved));
}

#[tokio::test]
async fn a_call_that_comes_while_its_silence_is_written_takes_it_back() {
    let scene = Scene::start();
    scene.call("one").await.unwrap();
    scene.pass(180);
    let gate = scene.store.guard.gate.acquire_many(100).await.unwrap();
    let begun = scene.store.guard.begun.load(Ordering::SeqCst);
    let both = async {
        let late = scene.step();
        let called = async {
            scene.begun(begun + 1).await;
            scene.call("one").await
        };
        tokio::join!(late, called)
    };
    let opens = async {
        scene.begun(begun + 1).await;
        // The call has had every chance to overtake.
        for _ in 0..YIELDS_MAX {
            tokio::task::yield_now().await;
        }
        drop(gate);
    };
    let ((late, called), ()) = tokio::join!(both, opens);
    late.unwrap();
    assert_eq!(called.unwrap(), BeatState::OnTime);
    assert_eq!(scene.alert("one").await, Some(AlertState::Resolved));
    scene.step().await.unwrap();
    assert_eq!(scene.heartbeats.due(), Some(scene.clock.now() + SignedDuration::from_secs(180)));
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_nothing_undone() {
    let scene = Scene::start();
    scene.call("one").await.unwrap();
    scene.pass(180);
    scene.step().await.unwrap();
    let stop = CancellationToken::new();
    let vitals = Arc::new(Vitals::new(scene.clock.clone()));
    let running = scene.heartbeats.clone().run(Life::new(Part::Heartbeats, vitals, stop.clone()));
    let calling = async {
        // The loop sleeps until the alert would be stated again.
        tokio::task::yield_now().await;
        let gate = scene.store.guard.gate.acquire_many(100).await.unwrap();
        let begun = scene.store.guard.begun.load(Ordering::SeqCst);
        tokio::select! {
            biased;
            called = scene.call("one") => panic!("nothing was written, and it was answered: {called:?}"),
            () = scene.begun(begun + 1) => {}
        }
        drop(gate);
        for _ in 0..YIELDS_MAX {
            tokio::task::yield_now().await;
        }
        assert_eq!(scene.alert("one").await, Some(AlertState::Resolved));
        stop.cancel();
    };
    tokio::join!(running, calling);
}

#[tokio::test]
async fn one_that_cannot_be_told_does_not_keep_the_others_from_being_told() {
    let scene = Scene::start();
    scene.call("one").await.unwrap();
    scene.call("two").await.unwrap();
    scene.pass(180);
    scene.fail(1);
    assert!(scene.step().await.is_err());
    assert_eq!((scene.alert("one").await, scene.alert("two").await), (None, Some(AlertState::Triggered)));
    scene.step().await.unwrap();
    assert_eq!(scene.alert("one").await, Some(AlertState::Triggered));
}

#[tokio::test]
async fn one_whose_record_was_lost_is_watched_as_if_it_had_called_at_the_start() {
    for is_lost in [false, true] {
        let scene = Scene::start();
        if is_lost {
            let of_another_shape = serde_json::json!({ "name": 1 });
            let key = b"one".to_vec();
            scene.store.put_record(Lane::Accept, HeartbeatRecord::KIND, key, of_another_shape).await.unwrap();
        }
        scene.heartbeats.restore(T0).await;
        scene.pass(179);
        scene.step().await.unwrap();
        assert_eq!(scene.alert("one").await, None);
        scene.pass(1);
        scene.step().await.unwrap();
        let expected = is_lost.then_some(AlertState::Triggered);
        assert_eq!(scene.alert("one").await, expected, "silence is told where nobody can tell");
        scene.call("one").await.unwrap();
        assert_eq!(scene.alert("one").await, is_lost.then_some(AlertState::Resolved));
    }
}

#[tokio::test]
async fn a_caller_that_does_not_wait_until_a_hanging_save_is_over_has_called() {
    let scene = Scene::start();
    scene.call("one").await.unwrap();
    scene.pass(60);
    scene.call("one").await.unwrap();
    let gate = scene.store.guard.gate.acquire_many(100).await.unwrap();
    let begun = scene.store.guard.begun.load(Ordering::SeqCst);
    let called = async {
        scene.begun(begun + 1).await;
        scene.pass(20);
        tokio::select! {
            biased;
            called = scene.call("one") => panic!("a save is under way: {called:?}"),
            () = tokio::task::yield_now() => {}
        }
        drop(gate);
    };
    let (saved, ()) = tokio::join!(scene.step(), called);
    saved.unwrap();
    let last_call = scene.heartbeats.all().next().expect("there is one").last_call_at;
    assert_eq!(last_call, Some(scene.clock.now()));
}
