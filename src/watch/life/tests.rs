use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::clock::ManualClock;

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

struct Scene {
    clock: Arc<ManualClock>,
    supervisor: Supervisor,
    stop: CancellationToken,
}

impl Scene {
    fn new() -> Self {
        let clock = ManualClock::at(T0);
        let supervisor =
            Supervisor { vitals: Arc::new(Vitals::new(clock.clone())), tasks: TaskTracker::new() };
        Self { clock, supervisor, stop: CancellationToken::new() }
    }

    fn life(&self) -> Life {
        Life::new(Part::Janitor, self.supervisor.vitals.clone(), self.stop.clone())
    }

    async fn pass(&self, by: i64) {
        self.clock.advance(seconds(by));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    fn stands_still(&self) -> bool {
        !self.supervisor.vitals.standstills().is_empty()
    }
}

#[tokio::test]
async fn a_turn_is_counted_from_the_last_and_not_from_the_end_of_the_work() {
    let scene = Scene::new();
    let mut pace = Pace::new(scene.life(), seconds(60));
    for _ in 0..3 {
        // The work of this turn takes as long as the pause.
        scene.clock.advance(seconds(60));
        assert!(pace.next().await);
    }
    scene.stop.cancel();
    scene.clock.advance(seconds(60));
    assert!(!pace.next().await, "the end goes before a turn");
}

#[tokio::test]
async fn waiting_for_a_turn_leaves_signs_of_life_and_a_turn_without_end_leaves_none() {
    let scene = Scene::new();
    let mut pace = Pace::new(scene.life(), seconds(3_600));
    let task = scene.supervisor.tasks.spawn(async move {
        pace.next().await;
        std::future::pending::<()>().await;
    });
    for _ in 0..180 {
        scene.pass(20).await;
        assert!(!scene.stands_still());
    }
    scene.pass(20).await;
    assert!(!scene.stands_still(), "it has just begun");
    scene.pass(20).await;
    assert!(scene.stands_still());
    task.abort();
}

#[tokio::test]
async fn turns_that_come_to_nothing_are_tried_soon_and_are_no_sign_of_life() {
    let scene = Scene::new();
    let (mut pace, turns) = (Pace::new(scene.life(), seconds(3_600)), Arc::new(AtomicUsize::new(0)));
    let counted = turns.clone();
    scene.supervisor.tasks.spawn(async move {
        while pace.next().await {
            if counted.fetch_add(1, Ordering::SeqCst) < 3 {
                pace.failed();
            }
        }
    });
    for _ in 0..181 {
        scene.pass(20).await;
    }
    assert_eq!((turns.load(Ordering::SeqCst), scene.stands_still()), (2, false));
    scene.pass(20).await;
    assert_eq!((turns.load(Ordering::SeqCst), scene.stands_still()), (3, true));
    scene.pass(20).await;
    assert_eq!((turns.load(Ordering::SeqCst), scene.stands_still()), (4, false));
}

#[tokio::test]
async fn what_ends_is_started_again_after_a_pause_that_grows_to_a_limit() {
    for panics in [false, true] {
        let scene = Scene::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        let task = scene.supervisor.keep(Part::Janitor, &scene.stop, move |life| {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(!panics || run == 7, "made by a test");
                if run == 7 {
                    life.sign();
                    life.stopped().await;
                }
                run
            }
        });
        scene.pass(0).await;
        for (run, pause) in [1, 2, 4, 8, 10, 10, 10].into_iter().enumerate() {
            scene.pass(pause - 1).await;
            assert_eq!((runs.load(Ordering::SeqCst), scene.stands_still()), (run + 1, true), "{panics}");
            scene.pass(1).await;
            assert_eq!(runs.load(Ordering::SeqCst), run + 2, "{panics}");
        }
        assert!(!scene.stands_still());
        assert_eq!(scene.supervisor.vitals.ends().get(&Part::Janitor), Some(&7));
        scene.stop.cancel();
        assert_eq!(task.await.expect("the supervisor does not fail"), Some(7));
    }
}

#[tokio::test]
async fn what_is_stopped_between_two_runs_gives_nothing() {
    let scene = Scene::new();
    let task = scene.supervisor.keep(Part::Janitor, &scene.stop, |_| async {});
    scene.pass(0).await;
    scene.stop.cancel();
    assert_eq!(task.await.expect("the supervisor does not fail"), None);
}
