//! A crash at any write: what was held back is counted once, what was spent stays spent.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use jiff::tz::TimeZone;

use super::*;
use crate::{
    alert::{
        Alert, AlertId, ContactName, DedupKey, DeferCause, DeviceId, Entry, Event, Fate, GatewayName,
        Language, Outcome, PhoneNumber, PushTarget, Row, Severity, Transport,
    },
    clock::ManualClock,
    config::Rate,
    deliver::{
        Channels, Composer, Push, PushTransport, Renderer, SmsText, SmsTransport, Text,
        sms::{Finding, Fitted, Look, TextRules, fit},
    },
    plan::{BUILT_IN_REPEATS, Backoff, GatewayRule, Repeats},
    queue::{Poster, Queue},
    roster::{Device, Person},
    signing::SigningKey,
    store::{
        AlertFilter, FREE_BYTES_MIN, MemoryStore,
        guarded::{Guard, Guarded, Ruling},
    },
};

mod closing;
mod crowd;
mod damage;
mod doubt;
mod nights;
mod recovery;
mod room;

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// As [`rules`] say.
const RETRY_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Texts that the budget lets through.
const BUDGET: u32 = 2;

/// Alerts at once.
const ALERTS: usize = 7;

/// How the write ends at which the process dies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Death {
    /// It was never made.
    Before,
    /// It was made, and nobody heard of it.
    After,
}

/// A store whose process dies at one write: from there on it answers nothing.
struct Mortal {
    writes_left: AtomicUsize,
    dies_after: AtomicBool,
    /// Writes made so far.
    writes: AtomicUsize,
    /// For now it can be read only.
    is_full: AtomicBool,
    /// New alerts of senders are refused.
    refuses_new: AtomicBool,
    /// Alerts that cannot be read.
    damaged: Mutex<BTreeSet<AlertId>>,
    /// Alerts whose writes are made, and nobody hears of it.
    unheard: Mutex<BTreeSet<AlertId>>,
    /// What is small and what is many is damaged.
    all_damaged: AtomicBool,
    /// Digests whose rows cannot be read.
    damaged_folds: Mutex<BTreeSet<AlertId>>,
    /// Kinds of which nothing can be read.
    damaged_kinds: Mutex<BTreeSet<&'static str>>,
}

fn dead() -> StoreError {
    StoreError::Unavailable("the process is dead".to_owned())
}

impl Mortal {
    fn of(inner: &Arc<MemoryStore>, writes_left: usize, death: Death) -> Arc<Guarded<Self>> {
        let guard = Self {
            writes_left: AtomicUsize::new(writes_left),
            dies_after: AtomicBool::new(death == Death::After),
            writes: AtomicUsize::new(0),
            is_full: AtomicBool::new(false),
            refuses_new: AtomicBool::new(false),
            damaged: Mutex::default(),
            unheard: Mutex::default(),
            all_damaged: AtomicBool::new(false),
            damaged_folds: Mutex::default(),
            damaged_kinds: Mutex::default(),
        };
        Arc::new(Guarded { inner: inner.clone(), guard })
    }

    /// From here on it dies at the write of this number, counted from 1.
    fn dies_at(&self, write: usize, death: Death) {
        self.dies_after.store(death == Death::After, Ordering::SeqCst);
        self.writes_left.store(write, Ordering::SeqCst);
    }
}

#[async_trait]
impl Guard for Mortal {
    async fn write(&self) -> Ruling {
        if self.is_full.load(Ordering::SeqCst) {
            return Ruling::Refused(StoreError::Unavailable("no space left on the device".to_owned()));
        }
        self.writes.fetch_add(1, Ordering::SeqCst);
        let left = self.writes_left.load(Ordering::SeqCst);
        self.writes_left.store(left.saturating_sub(1), Ordering::SeqCst);
        match (left, self.dies_after.load(Ordering::SeqCst)) {
            (0, _) | (1, false) => Ruling::Refused(dead()),
            (1, true) => Ruling::Unheard(dead()),
            _ => Ruling::Made,
        }
    }

    fn room(&self) -> Result<(), StoreError> {
        let full = StoreError::Full { free_bytes: 0, limit_bytes: FREE_BYTES_MIN };
        if self.refuses_new.load(Ordering::SeqCst) { Err(full) } else { Ok(()) }
    }

    fn read(&self) -> Result<(), StoreError> {
        if self.all_damaged.load(Ordering::SeqCst) {
            return Err(StoreError::Damaged("a fault made by a test".to_owned()));
        }
        if self.writes_left.load(Ordering::SeqCst) == 0 { Err(dead()) } else { Ok(()) }
    }

    fn is_damaged(&self, id: AlertId) -> bool {
        self.damaged.lock().expect("no panic").contains(&id)
    }

    fn is_unheard(&self, id: AlertId) -> bool {
        self.unheard.lock().expect("no panic").contains(&id)
    }

    fn is_kind_damaged(&self, kind: &str) -> bool {
        self.damaged_kinds.lock().expect("no panic").contains(kind)
    }

    fn has_damaged_folds(&self, digest: AlertId) -> bool {
        self.damaged_folds.lock().expect("no panic").contains(&digest)
    }
}

/// An SMS company that takes everything, unless our account there is at fault.
#[derive(Default)]
struct Company {
    texts: Mutex<Vec<(Timestamp, AlertId)>>,
    clock: Mutex<Option<Arc<ManualClock>>>,
    at_fault: AtomicBool,
}

#[async_trait]
impl SmsTransport for Company {
    fn name(&self) -> &GatewayName {
        static NAME: LazyLock<GatewayName> = LazyLock::new(|| GatewayName::from("company"));
        &NAME
    }

    fn fit(&self, _: &PhoneNumber, text: &SmsText) -> Fitted {
        fit(&text.words, "", TextRules::automatic(1))
    }

    async fn send(&self, text: Text) -> Outcome {
        if self.at_fault.load(Ordering::SeqCst) {
            let detail = "no money is left".to_owned();
            return Outcome::Deferred { cause: DeferCause::ProjectFault, retry_after: None, detail };
        }
        let now = self.clock.lock().expect("no panic").as_ref().map_or(T0, |clock| clock.now());
        self.texts.lock().expect("no panic").push((now, text.alert_id));
        Outcome::Accepted { provider_id: None }
    }

    async fn ask(&self, _: Text, _: Timestamp) -> Fate {
        Fate::Unclear { reason: "it cannot be asked".to_owned() }
    }

    async fn look(&self, _: Look) -> Option<Result<Finding, String>> {
        None
    }
}

fn jin() -> ContactName {
    "jin".parse().expect("a name")
}

/// Has a phone and no device.
fn person_jin() -> Person {
    let phone = Some(PhoneNumber::parse("+821012345678").expect("a number"));
    Person { name: jin(), language: Language::En, phone, devices: Vec::new() }
}

fn rules() -> Rules {
    let rate = Rate { count: NonZeroU32::new(BUDGET).expect("not zero"), per: SignedDuration::from_mins(10) };
    Rules {
        push: false,
        gateways: vec![GatewayRule {
            name: "company".into(),
            in_flight_max: SignedDuration::from_secs(10),
            reports: false,
            asks: false,
            segments_max: 1,
            per_day: None,
        }],
        always_at: Some(Severity::Disaster),
        fallback_at: Some(Severity::NotClassified),
        texts_resolved: false,
        accept_within: SignedDuration::from_secs(20),
        push_ttl: SignedDuration::from_hours(1),
        backoff: Backoff::new(SignedDuration::from_secs(10), RETRY_MAX),
        repeats: Repeats { high: &[], ..BUILT_IN_REPEATS },
        text_budget: vec![rate],
        disaster_budget: Vec::new(),
        per_device: Vec::new(),
    }
}

async fn dispatcher(store: Arc<dyn Store>, clock: &Arc<ManualClock>, company: &Arc<Company>) -> Dispatcher {
    dispatcher_with(store, clock, company, rules()).await
}

async fn dispatcher_with(
    store: Arc<dyn Store>,
    clock: &Arc<ManualClock>,
    company: &Arc<Company>,
    rules: Rules,
) -> Dispatcher {
    dispatcher_to(vec![person_jin()], None, company.clone(), (store, clock.clone()), rules).await
}

async fn open_disaster(store: &Arc<MemoryStore>, clock: &Arc<ManualClock>, key: &str) -> AlertId {
    let queue = Queue::new(store.clone(), clock.clone());
    let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
    let event = Event { severity: Some(Severity::Disaster), ..Event::firing(DedupKey::new(key), "no power") };
    queue.admit(poster, &[event]).await.expect("it is admitted")[0].alert_id.expect("it is opened")
}

/// One that notifies these people by these transports.
async fn dispatcher_to(
    people: Vec<Person>,
    push: Option<Arc<dyn PushTransport>>,
    gateway: Arc<dyn SmsTransport>,
    (store, clock): (Arc<dyn Store>, Arc<ManualClock>),
    rules: Rules,
) -> Dispatcher {
    let tasks = TaskTracker::new();
    let clock: Arc<dyn Clock> = clock;
    let composer = Composer {
        renderer: Renderer::new(None).expect("built-in templates"),
        public_url: "https://a.example.org".to_owned(),
        time_zone: TimeZone::UTC,
        signing_key: SigningKey::new([7; 32]),
    };
    let outbox = OutboxParts {
        channels: Channels { composer: Arc::new(composer), push, gateways: vec![gateway] },
        roster: Arc::new(Roster::new(people)),
        clock: clock.clone(),
        tasks,
    };
    let metrics = Arc::new(Metrics::default());
    let queue = Arc::new(Queue::new(store.clone(), clock.clone()));
    let (vitals, pulse) = (Arc::new(Vitals::new(clock)), watch::Sender::new(Pulse::default()));
    let dead_letters = Arc::new(DeadLetters::new(store.clone(), outbox.clock.clone()));
    let aside = Arc::default();
    let parts = Parts { store, queue, metrics, vitals, dead_letters, aside, outbox, rules, pulse };
    Dispatcher::new(parts).await
}

/// Works until nothing is left to do now, or the store is dead.
async fn work(dispatcher: &mut Dispatcher) -> Result<(), StoreError> {
    let mut idle = 0;
    // Answers come from tasks of their own.
    while idle < 20 {
        match dispatcher.step(DUE_PER_STEP_MAX).await? {
            Step::Worked(_) => idle = 0,
            Step::IdleUntil(_) => idle += 1,
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn open_alerts(store: &Arc<MemoryStore>, clock: &Arc<ManualClock>, first: usize) {
    let queue = Queue::new(store.clone(), clock.clone());
    let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
    for number in first..first + ALERTS {
        let key = DedupKey::new(number.to_string());
        let event = Event { severity: Some(Severity::High), ..Event::firing(key, "disk full") };
        queue.admit(poster, &[event]).await.expect("it is admitted");
    }
}

fn texts_about(company: &Company, id: AlertId) -> usize {
    company.texts.lock().expect("no panic").iter().filter(|(_, about)| *about == id).count()
}

async fn every_alert(store: &MemoryStore) -> Vec<Alert> {
    let filter = AlertFilter { limit: 500, ..AlertFilter::default() };
    let page = store.list(&filter).await.expect("a page");
    page.alerts.into_iter().map(|stored| stored.alert).collect()
}

async fn history(store: &MemoryStore, alert: &Alert) -> Vec<Row> {
    let mut rows = store.moved_rows(alert.id).await.expect("rows");
    rows.extend(alert.rows.iter().cloned());
    rows
}

/// Dies at that write, starts again, and goes on for an hour; how many writes the first life made.
async fn live_and_die(at_write: usize, death: Death) -> usize {
    let clock = ManualClock::at(T0);
    let company = Arc::new(Company::default());
    *company.clock.lock().expect("no panic") = Some(clock.clone());
    let inner = Arc::new(MemoryStore::new());
    open_alerts(&inner, &clock, 0).await;
    let mortal = Mortal::of(&inner, at_write, death);
    let mut first = dispatcher(mortal.clone(), &clock, &company).await;
    for _ in 0..8 {
        if work(&mut first).await.is_err() {
            break;
        }
        clock.advance(SignedDuration::from_secs(10));
    }
    drop(first);

    clock.advance(SignedDuration::from_secs(31));
    let mut second = dispatcher(inner.clone(), &clock, &company).await;
    for _ in 0..60 {
        work(&mut second).await.expect("this store lives");
        clock.advance(SignedDuration::from_secs(60));
    }
    check(&inner, &company, (at_write, death)).await;
    mortal.guard.writes.load(Ordering::SeqCst)
}

async fn check(store: &MemoryStore, company: &Company, case: (usize, Death)) {
    let alerts = every_alert(store).await;
    let mut folded: BTreeMap<AlertId, BTreeSet<AlertId>> = BTreeMap::new();
    let mut alone = BTreeSet::new();
    for alert in alerts.iter().filter(|alert| alert.digest.is_none()) {
        let mut told = false;
        for row in history(store, alert).await {
            if let Entry::Folded { digest: Some(digest), .. } = row.entry {
                told = true;
                folded.entry(digest).or_default().insert(alert.id);
            } else if let Entry::Attempt(attempt) = row.entry
                && attempt.address.transport() == Transport::Sms
            {
                told = true;
                alone.insert(alert.id);
            }
        }
        assert!(told, "{case:?}: {alert:?} was forgotten");
    }
    let both: Vec<_> = folded.values().flatten().filter(|id| alone.contains(id)).collect();
    assert!(both.is_empty(), "{case:?}: told alone and counted");
    assert_eq!(folded.values().map(BTreeSet::len).sum::<usize>() + alone.len(), ALERTS, "{case:?}");
    assert!(alone.len() <= BUDGET as usize, "{case:?}: {} texts of a budget of {BUDGET}", alone.len());

    let texts = company.texts.lock().expect("no panic").clone();
    for digest in alerts.iter().filter(|alert| alert.digest.is_some()) {
        let counted =
            digest.digest.as_ref().and_then(|digest| digest.counted.as_ref()).expect("it has counted");
        let named = folded.remove(&digest.id).unwrap_or_default();
        assert_eq!(counted.total() as usize, named.len(), "{case:?}: {}", digest.title);
        let sent = texts.iter().filter(|(_, id)| *id == digest.id).count();
        assert_eq!(0 < sent, !named.is_empty(), "{case:?}: it was told, unless there was nothing to tell");
    }
    assert!(folded.is_empty(), "{case:?}: counted by nobody: {folded:?}");
}

#[tokio::test]
async fn a_crash_at_any_write_loses_no_counted_alert_and_counts_none_twice() {
    let writes = live_and_die(usize::MAX, Death::Before).await;
    assert!(4 <= writes, "alerts, answers, a digest opened, counted and told: {writes}");
    for at_write in 1..=writes {
        for death in [Death::Before, Death::After] {
            live_and_die(at_write, death).await;
        }
    }
}

#[tokio::test]
async fn what_could_not_be_written_spends_nothing() {
    for per_day in [None, NonZeroU32::new(3)] {
        let clock = ManualClock::at(T0);
        let (company, inner) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
        open_alerts(&inner, &clock, 0).await;
        let full = Mortal::of(&inner, usize::MAX, Death::Before);
        let mut rules = rules();
        rules.gateways[0].per_day = per_day;
        let mut dispatcher = dispatcher_with(full.clone(), &clock, &company, rules).await;
        for _ in 0..5 {
            // What is due can still be read.
            full.guard.is_full.store(true, Ordering::SeqCst);
            assert!(work(&mut dispatcher).await.is_err());
            full.guard.is_full.store(false, Ordering::SeqCst);
        }
        work(&mut dispatcher).await.expect("the disk has room again");
        assert_eq!(company.texts.lock().expect("no panic").len(), BUDGET as usize, "{per_day:?}");
    }
}

#[tokio::test]
async fn what_was_spent_before_a_restart_is_still_spent_after_it() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    for life in 0..3 {
        open_alerts(&store, &clock, life * ALERTS).await;
        let mut dispatcher = dispatcher(store.clone(), &clock, &company).await;
        work(&mut dispatcher).await.expect("the store works");
        assert_eq!(company.texts.lock().expect("no panic").len(), BUDGET as usize, "life {life}");
        assert!(dispatcher.budgets.is_stormy(&jin(), clock.now()), "life {life} knows of the storm");
        clock.advance(SignedDuration::from_secs(1));
    }
}

#[tokio::test]
async fn what_a_clock_that_ran_ahead_has_spent_counts_no_longer_than_it_would() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    *company.clock.lock().expect("no panic") = Some(clock.clone());
    open_alerts(&store, &clock, 0).await;
    let mut ahead = dispatcher(store.clone(), &clock, &company).await;
    for _ in 0..2 {
        work(&mut ahead).await.expect("the store works");
        clock.advance(SignedDuration::from_secs(31));
    }
    drop(ahead);

    clock.set_back(SignedDuration::from_hours(9));
    let mut dispatcher = dispatcher(store.clone(), &clock, &company).await;
    assert!(dispatcher.budgets.is_stormy(&jin(), clock.now()), "a storm is remembered");
    clock.advance(SignedDuration::from_mins(11));
    company.texts.lock().expect("no panic").clear();
    open_alerts(&store, &clock, ALERTS).await;
    work(&mut dispatcher).await.expect("the store works");
    assert_eq!(company.texts.lock().expect("no panic").len(), BUDGET as usize, "the budget has come back");
    clock.advance(SignedDuration::from_mins(62));
    work(&mut dispatcher).await.expect("the store works");
    assert!(!dispatcher.budgets.is_stormy(&jin(), clock.now()), "and ends an hour later");
}

#[tokio::test]
async fn every_alert_that_waits_for_a_time_too_far_ahead_is_found_at_start() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    // More than are looked at between two steps, and accepted without being planned.
    let lives = 40;
    for life in 0..lives {
        open_alerts(&store, &clock, life * ALERTS).await;
    }
    clock.set_back(SignedDuration::from_hours(9));
    let mut first = dispatcher(store.clone(), &clock, &company).await;
    first.rules.text_budget.clear();
    first.budgets = Budgets::new(&first.rules);
    work(&mut first).await.expect("the store works");
    assert_eq!(company.texts.lock().expect("no panic").len(), lives * ALERTS, "each is told, once");
    drop(first);

    let versions = async || {
        let filter = AlertFilter { limit: 500, ..AlertFilter::default() };
        let page = store.list(&filter).await.expect("a page");
        page.alerts.into_iter().map(|stored| stored.version).collect::<Vec<_>>()
    };
    let before = versions().await;
    work(&mut dispatcher(store.clone(), &clock, &company).await).await.expect("the store works");
    assert_eq!(versions().await, before, "what is dated as it should be is not written");
}
