//! What holds however often and in whatever order a sender says things.

use proptest::prelude::*;

use super::*;

/// How a sender dates what it says: by a start, by the time of the message, or not at all.
#[derive(Clone, Copy, Debug)]
enum Dating {
    Start(i64),
    Message,
    SameMessage(i64),
    Nothing,
}

/// What may have come before, in whatever order.
#[derive(Clone, Copy, Debug)]
enum Word {
    Fires,
    IsOver,
    IsTaken,
    JinResolves,
    FallsSilent,
}

fn dating() -> impl Strategy<Value = Dating> {
    let seconds = -7_200_i64..7_200;
    prop_oneof![
        seconds.clone().prop_map(Dating::Start),
        Just(Dating::Message),
        seconds.prop_map(Dating::SameMessage),
        Just(Dating::Nothing),
    ]
}

fn word() -> impl Strategy<Value = Word> {
    use Word::{FallsSilent, Fires, IsOver, IsTaken, JinResolves};
    proptest::sample::select(vec![Fires, Fires, IsOver, IsOver, IsTaken, JinResolves, FallsSilent])
}

fn dated(dating: Dating, now: Timestamp, event: Event) -> Event {
    let at = |seconds| Some(T0 + SignedDuration::from_secs(seconds));
    match dating {
        Dating::Start(seconds) => Event { starts_at: at(seconds), ..event },
        Dating::SameMessage(seconds) => Event { said_at: at(seconds), ..event },
        Dating::Message => Event { said_at: Some(now), ..event },
        Dating::Nothing => event,
    }
}

/// A queue, and dispatch as far as it has to do with rounds.
struct Scene {
    queue: Queue,
    clock: Arc<ManualClock>,
}

impl Scene {
    fn run<T>(play: impl AsyncFnOnce(Self) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (queue, clock) = queue();
        runtime.block_on(play(Self { queue, clock }))
    }

    async fn pass(&self, seconds: i64) {
        let end = self.clock.now() + SignedDuration::from_secs(seconds);
        let doubted = self.latest().await.filter(|alert| alert.doubt_ends_at().is_some_and(|at| at <= end));
        if let Some(alert) = doubted {
            let at = alert.doubt_ends_at().expect("a doubt").max(self.clock.now());
            self.clock.advance(at.duration_since(self.clock.now()));
            self.queue.end_doubt(&alert).await.expect("works");
        }
        self.clock.advance(end.duration_since(self.clock.now()));
    }

    async fn say(&self, event: Event) {
        self.queue.admit(ZABBIX, &[event]).await.expect("works");
    }

    async fn latest(&self) -> Option<Alert> {
        let thread = ThreadKey::new(ZABBIX.integration, &DedupKey::new("1"));
        let found = self.queue.store.find_threads(vec![thread]).await.expect("works").remove(0);
        Some(self.queue.with_seen(found?.alert))
    }

    async fn play(&self, word: Word, dating: Dating) {
        let now = self.clock.now();
        let open = self.latest().await.filter(Alert::is_open);
        let taken = Update { acknowledged: Some(true), ..Update::default() };
        match (word, open) {
            (Word::Fires, _) => self.say(dated(dating, now, firing("1"))).await,
            (Word::IsOver, _) => self.say(dated(dating, now, resolved("1"))).await,
            (Word::IsTaken, _) => self.say(dated(dating, now, update("1", taken))).await,
            (Word::JinResolves, Some(alert)) => {
                self.queue.act(alert.id, &Action::Resolve, "jin").await.expect("works");
            }
            (Word::FallsSilent, Some(_)) => close(&self.queue, &DedupKey::new("1")).await,
            (Word::JinResolves | Word::FallsSilent, None) => {}
        }
    }

    async fn alerts(&self) -> usize {
        let filter = AlertFilter { limit: 100, ..AlertFilter::default() };
        self.queue.store.list(&filter).await.expect("works").alerts.len()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_its_sender_goes_on_saying_for_more_than_70_seconds_is_open(
        before in proptest::collection::vec((word(), dating(), 0_i64..90), 0..12), dating in dating(), every in 1_i64..10,
    ) {
        Scene::run(async |scene| {
            for (word, dating, pause) in &before {
                scene.play(*word, *dating).await;
                scene.pass(*pause).await;
            }
            for _ in 0..=70 / every + 1 {
                scene.say(dated(dating, scene.clock.now(), firing("1"))).await;
                scene.pass(every).await;
            }
            assert!(scene.latest().await.is_some_and(|alert| alert.is_open()));
        });
    }

    #[test]
    fn what_repeats_itself_with_the_time_of_each_message_opens_one_alert(
        pauses in proptest::collection::vec(1_i64..4_000, 1..30), behind in -90_000_i64..90_000,
    ) {
        Scene::run(async |scene| {
            for pause in &pauses {
                let said = scene.clock.now() + SignedDuration::from_secs(behind);
                scene.say(Event { said_at: Some(said), ..firing("1") }).await;
                scene.pass(*pause).await;
            }
            assert_eq!(scene.alerts().await, 1);
        });
    }

    #[test]
    fn one_problem_and_one_end_with_late_copies_of_both_are_one_alert(
        lasts in 1_i64..=60, copies in proptest::collection::vec((any::<bool>(), 0_i64..20), 0..12), behind in -90_000_i64..90_000,
    ) {
        Scene::run(async |scene| {
            let at = |seconds| Some(T0 + SignedDuration::from_secs(seconds + behind));
            let problem = Event { said_at: at(0), ..firing("1") };
            let end = Event { said_at: at(lasts), ..resolved("1") };
            scene.say(problem.clone()).await;
            scene.pass(lasts).await;
            scene.say(end.clone()).await;
            let mut age = 0;
            for (is_end, pause) in &copies {
                age += pause;
                if age <= 60 {
                    scene.pass(*pause).await;
                    scene.say(if *is_end { end.clone() } else { problem.clone() }).await;
                }
            }
            scene.pass(120).await;
            assert_eq!(scene.alerts().await, 1);
            assert!(scene.latest().await.is_some_and(|alert| !alert.is_open()));
        });
    }

    /// With starts a copy looks like an end that is taken back, until the copy of the end comes.
    #[test]
    fn a_twin_that_is_behind_opens_nothing(lasts in 1_i64..600, behind in 0_i64..50, apart in 0_i64..9) {
        Scene::run(async |scene| {
            let (problem, end) = (
                Event { starts_at: Some(T0), ..firing("1") },
                Event { starts_at: Some(T0), ..resolved("1") },
            );
            scene.say(problem.clone()).await;
            scene.pass(lasts).await;
            scene.say(end.clone()).await;
            scene.pass(behind).await;
            scene.say(problem).await;
            scene.pass(apart).await;
            scene.say(end).await;
            scene.pass(120).await;
            assert_eq!(scene.alerts().await, 1);
        });
    }
}

proptest! {
    /// However often and in whatever order a sender repeats itself, one key has at most one open
    /// alert, and the last one follows the last event that counted.
    #[test]
    fn one_key_has_at_most_one_open_alert(statuses in proptest::collection::vec(0_u8..4, 1..40), split in 1_usize..5) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (queue, _) = queue();
            let events: Vec<Event> = statuses
                .iter()
                .map(|status| match status {
                    0 | 1 => firing("1"),
                    2 => resolved("1"),
                    _ => update("1", Update { acknowledged: Some(true), ..Update::default() }),
                })
                .collect();
            for batch in events.chunks(split) {
                let results = queue.admit(ZABBIX, batch).await.expect("the store works");
                assert_eq!(results.len(), batch.len());
            }
            let filter = AlertFilter {
                states: vec![AlertState::Triggered, AlertState::Acknowledged],
                limit: 100,
                ..AlertFilter::default()
            };
            let open = queue.store.list(&filter).await.expect("the store works").alerts.len();
            let expected = statuses.iter().rfind(|status| **status != 3).is_some_and(|last| *last < 2);
            assert_eq!(open, usize::from(expected));
        });
    }
}
