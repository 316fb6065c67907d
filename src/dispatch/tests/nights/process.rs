//! One life of our process: the queue, dispatch and the dead letters over the store that outlives it.

use super::{
    history::Config,
    providers::{Company, Google, Providers, TEXT_IN_FLIGHT_MAX},
    *,
};
use crate::{queue::Admitted, store::guarded::Guarded};

/// Most steps without a pause.
const STEPS_MAX: usize = 500;

const SAVE_SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// How it goes on.
pub(super) enum Worked {
    Done,
    Died,
    /// Without an end, as it seems.
    IsBusy(String),
}

/// What cannot be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Damaged {
    pub(super) alerts: BTreeSet<AlertId>,
    /// Of digests.
    pub(super) folds: BTreeSet<AlertId>,
    pub(super) kinds: BTreeSet<&'static str>,
}

impl Damaged {
    fn show_to(&self, guard: &Mortal) {
        guard.damaged.lock().expect("no panic").clone_from(&self.alerts);
        guard.damaged_folds.lock().expect("no panic").clone_from(&self.folds);
        guard.damaged_kinds.lock().expect("no panic").clone_from(&self.kinds);
    }
}

/// As the next process finds it.
pub(super) fn store(inner: &Arc<MemoryStore>, damaged: &Damaged) -> Arc<Guarded<Mortal>> {
    let store = Mortal::of(inner, usize::MAX, Death::Before);
    damaged.show_to(&store.guard);
    store
}

pub(super) struct Process {
    store: Arc<Guarded<Mortal>>,
    clock: Arc<ManualClock>,
    pub(super) queue: Arc<Queue>,
    pub(super) dead_letters: Arc<DeadLetters>,
    pub(super) dispatcher: Dispatcher,
    /// When dispatch wants to go on.
    pub(super) due: Option<Timestamp>,
    saved_at: Timestamp,
}

pub(super) fn gateway(number: usize) -> GatewayName {
    ["east", "west", "north"][number].into()
}

fn composer() -> Arc<Composer> {
    static COMPOSER: LazyLock<Arc<Composer>> = LazyLock::new(|| {
        Arc::new(Composer {
            renderer: Renderer::new(None).expect("built-in templates"),
            public_url: "https://a.example.org".to_owned(),
            time_zone: TimeZone::UTC,
            signing_key: SigningKey::new([7; 32]),
        })
    });
    COMPOSER.clone()
}

pub(super) fn rules_of(config: &Config) -> Rules {
    let gateway = |number: &usize| GatewayRule {
        name: gateway(*number),
        in_flight_max: TEXT_IN_FLIGHT_MAX,
        reports: config.reports,
        asks: config.asks,
        segments_max: 1,
        per_day: None,
    };
    let rate = |count| Rate { count, per: SignedDuration::from_mins(10) };
    let budget: Vec<_> = config.budget.and_then(NonZeroU32::new).map(rate).into_iter().collect();
    Rules {
        push: true,
        gateways: config.gateways.iter().map(gateway).collect(),
        always_at: config.always_at,
        fallback_at: config.fallback_at,
        repeats: BUILT_IN_REPEATS,
        disaster_budget: budget.clone(),
        text_budget: budget,
        texts_resolved: config.texts_resolved,
        ..rules()
    }
}

impl Process {
    pub(super) async fn start(
        store: Arc<Guarded<Mortal>>,
        clock: &Arc<ManualClock>,
        providers: &Arc<Providers>,
        config: &Config,
    ) -> Self {
        let company = |number: &usize| -> Arc<dyn SmsTransport> {
            Arc::new(Company { name: gateway(*number), providers: providers.clone() })
        };
        let channels = Channels {
            composer: composer(),
            push: Some(Arc::new(Google(providers.clone()))),
            gateways: config.gateways.iter().map(company).collect(),
        };
        let people = config.people.iter().copied().map(people::person).collect();
        let roster = Arc::new(Roster::new(people));
        let queue = Arc::new(Queue::new(store.clone(), clock.clone()));
        let dead_letters = Arc::new(DeadLetters::new(store.clone(), clock.clone()));
        dead_letters.restore().await;
        let parts = Parts {
            store: store.clone(),
            queue: queue.clone(),
            metrics: Arc::new(Metrics::default()),
            vitals: Arc::new(Vitals::new(clock.clone())),
            dead_letters: dead_letters.clone(),
            aside: Arc::default(),
            outbox: OutboxParts { channels, roster, clock: clock.clone(), tasks: TaskTracker::new() },
            rules: rules_of(config),
            pulse: watch::Sender::new(Pulse::default()),
        };
        let dispatcher = Dispatcher::new(parts).await;
        let (due, saved_at) = (None, clock.now());
        Self { store, clock: clock.clone(), queue, dead_letters, dispatcher, due, saved_at }
    }

    /// From here on it dies at this write.
    pub(super) fn dies_at(&mut self, write: usize, death: Death) {
        self.store.guard.dies_at(write, death);
    }

    pub(super) fn lives_on(&self) {
        self.store.guard.writes_left.store(usize::MAX, Ordering::SeqCst);
    }

    fn is_dead(&self) -> bool {
        self.store.guard.writes_left.load(Ordering::SeqCst) == 0
    }

    pub(super) fn damage(&self, damaged: &Damaged) {
        damaged.show_to(&self.store.guard);
    }

    /// `None` if the sender is not told that it was taken.
    pub(super) async fn admit(&mut self, event: &Event, close_after: SignedDuration) -> Option<Admitted> {
        let close_after = event.expires_after.unwrap_or(close_after);
        let poster = Poster { integration: "monitor", close_after };
        self.queue.admit(poster, std::slice::from_ref(event)).await.ok()?.pop()
    }

    /// Works until nothing is left to do now.
    pub(super) async fn work(&mut self, providers: &Providers) -> Worked {
        if SAVE_SEEN_EVERY <= self.clock.now().duration_since(self.saved_at) {
            self.saved_at = self.clock.now();
            let _ = self.queue.save_seen().await;
        }
        let mut last = String::new();
        for _ in 0..STEPS_MAX {
            // Sleepers whose time has come, and answers.
            tokio::task::yield_now().await;
            let step = self.dispatcher.step(DUE_PER_STEP_MAX).await;
            if self.is_dead() {
                return Worked::Died;
            }
            let under_way = self.dispatcher.outbox.under_way();
            if let Ok(Step::IdleUntil(due)) = step {
                self.due = due;
                if under_way == providers.waiting() {
                    return Worked::Done;
                }
            }
            last = format!("{step:?}, {under_way} under way, {} waited for", providers.waiting());
        }
        Worked::IsBusy(last)
    }
}
