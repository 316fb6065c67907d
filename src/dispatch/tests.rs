//! A crash at any write: what was held back is counted once, what was spent stays spent.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::*;
use crate::{
    alert::{
        Alert, Charge, ContactName, DedupKey, DeviceId, Entry, Event, Fate, FoldRow, Language, Outcome,
        PhoneNumber, Row, Severity, SigningKey, ThreadKey, Transport,
    },
    clock::ManualClock,
    config::{Contact, Rate},
    deliver::{
        Renderer, SmsText, SmsTransport, Text,
        sms::{Fitted, Look, Seen, TextRules, fit},
    },
    plan::{Backoff, DEFAULT_REPEAT, GatewayRule, Person, Repeat},
    queue::{Poster, Queue},
    store::{
        AlertFilter, AlertPage, AlertWrite, Commit, DeviceRecord, DuePage, DuePlace, Health, HeartbeatRecord,
        Lane, MemoryStore,
    },
};

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

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
    inner: Arc<MemoryStore>,
    writes_left: AtomicUsize,
    death: Death,
    /// Writes made so far.
    writes: AtomicUsize,
    /// For now it can be read only.
    is_full: AtomicBool,
}

fn dead<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("the process is dead".to_owned()))
}

impl Mortal {
    fn is_dead(&self) -> bool {
        self.writes_left.load(Ordering::SeqCst) == 0
    }
}

#[async_trait]
impl Store for Mortal {
    async fn commit(&self, lane: Lane, writes: &[AlertWrite]) -> Result<Vec<Commit>, StoreError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        if self.is_full.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("no space left on device".to_owned()));
        }
        match self.writes_left.load(Ordering::SeqCst) {
            0 => dead(),
            1 => {
                self.writes_left.store(0, Ordering::SeqCst);
                if self.death == Death::After {
                    self.inner.commit(lane, writes).await?;
                }
                dead()
            }
            left => {
                self.writes_left.store(left - 1, Ordering::SeqCst);
                self.inner.commit(lane, writes).await
            }
        }
    }

    async fn get(&self, id: AlertId) -> Result<Option<Stored>, StoreError> {
        if self.is_dead() { dead() } else { self.inner.get(id).await }
    }

    async fn find_threads(&self, threads: Vec<ThreadKey>) -> Result<Vec<Option<Stored>>, StoreError> {
        self.inner.find_threads(threads).await
    }

    async fn claim_due(
        &self,
        now: Timestamp,
        limit: usize,
        lease: SignedDuration,
    ) -> Result<Vec<Stored>, StoreError> {
        if self.is_dead() { dead() } else { self.inner.claim_due(now, limit, lease).await }
    }

    async fn release(&self, ids: &[AlertId]) {
        self.inner.release(ids).await;
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.inner.next_due().await
    }

    async fn scheduled(&self, after: Option<DuePlace>, limit: usize) -> Result<DuePage, StoreError> {
        self.inner.scheduled(after, limit).await
    }

    fn due_changed(&self) -> Arc<Notify> {
        self.inner.due_changed()
    }

    async fn list(&self, filter: &AlertFilter) -> Result<AlertPage, StoreError> {
        self.inner.list(filter).await
    }

    async fn moved_rows(&self, id: AlertId) -> Result<Vec<Row>, StoreError> {
        self.inner.moved_rows(id).await
    }

    async fn folds(&self, digest: AlertId) -> Result<Vec<FoldRow>, StoreError> {
        self.inner.folds(digest).await
    }

    async fn charges(&self, since: Timestamp) -> Result<Vec<Charge>, StoreError> {
        self.inner.charges(since).await
    }

    async fn forget_charges(&self, keep: Range<Timestamp>, limit: usize) -> Result<usize, StoreError> {
        self.inner.forget_charges(keep, limit).await
    }

    async fn signing_key(&self, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.inner.signing_key(fresh).await
    }

    async fn put_device(&self, device: DeviceRecord) -> Result<(), StoreError> {
        self.inner.put_device(device).await
    }

    async fn devices(&self) -> Result<Vec<DeviceRecord>, StoreError> {
        self.inner.devices().await
    }

    async fn put_heartbeat(&self, lane: Lane, heartbeat: HeartbeatRecord) -> Result<(), StoreError> {
        self.inner.put_heartbeat(lane, heartbeat).await
    }

    async fn heartbeats(&self) -> Result<Vec<HeartbeatRecord>, StoreError> {
        self.inner.heartbeats().await
    }

    async fn purge(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.inner.purge(before, limit).await
    }

    async fn health(&self) -> Health {
        self.inner.health().await
    }

    async fn close(&self) {}
}

/// An SMS company that takes everything.
#[derive(Default)]
struct Company {
    texts: Mutex<Vec<(Timestamp, AlertId)>>,
    clock: Mutex<Option<Arc<ManualClock>>>,
}

#[async_trait]
impl SmsTransport for Company {
    fn name(&self) -> &'static str {
        "company"
    }

    fn fit(&self, _: &PhoneNumber, text: &SmsText) -> Fitted {
        fit(&text.words, "", TextRules::automatic(1))
    }

    async fn send(&self, text: Text) -> Outcome {
        let now = self.clock.lock().expect("no panic").as_ref().map_or(T0, |clock| clock.now());
        self.texts.lock().expect("no panic").push((now, text.alert_id));
        Outcome::Accepted { provider_id: None }
    }

    async fn ask(&self, _: Text, _: Timestamp) -> Fate {
        Fate::Unclear { reason: "it cannot be asked".to_owned() }
    }

    async fn look(&self, _: Look) -> Option<Result<Seen, String>> {
        None
    }
}

fn jin() -> ContactName {
    "jin".parse().expect("a name")
}

fn rules() -> Rules {
    let rate = Rate { count: NonZeroU32::new(BUDGET).expect("not zero"), per: SignedDuration::from_mins(10) };
    Rules {
        people: vec![Person { name: jin(), phone: true, devices: Vec::<DeviceId>::new() }],
        push: false,
        gateways: vec![GatewayRule {
            name: "company".to_owned(),
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
        backoff: Backoff::new(SignedDuration::from_secs(10), SignedDuration::from_mins(5)),
        repeat: Repeat { from: Severity::Disaster, ..DEFAULT_REPEAT },
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
    let tasks = TaskTracker::new();
    let renderer = Arc::new(Renderer::new(None).expect("built-in templates"));
    let (url, key) = ("https://a.example.org".to_owned(), SigningKey::new([7; 32]));
    let mut outbox = Outbox::new(renderer, url, key, (clock.clone(), tasks.clone()));
    outbox.gateways = vec![company.clone()];
    outbox.directory = Directory::new(&[Contact {
        name: jin(),
        phone: Some(PhoneNumber::parse("+821012345678").expect("a number")),
        language: Language::En,
        devices: Vec::new(),
    }]);
    let metrics = Arc::new(Metrics::default());
    let clock: Arc<dyn Clock> = clock.clone();
    Dispatcher::new(Parts { store, clock, metrics, tasks, outbox, rules }).await.expect("it starts")
}

/// Works until nothing is left to do now, or the store is dead.
async fn work(dispatcher: &mut Dispatcher) -> Result<(), StoreError> {
    let mut idle = 0;
    // Answers come from tasks of their own.
    while idle < 20 {
        match dispatcher.step(CLAIMS_PER_STEP_MAX).await? {
            Step::Worked(_) => idle = 0,
            Step::IdleUntil(_) => idle += 1,
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn open_alerts(store: &Arc<MemoryStore>, clock: &Arc<ManualClock>, first: usize) {
    let queue = Queue::new(store.clone(), clock.clone());
    let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24), house: false };
    for number in first..first + ALERTS {
        let key = DedupKey::new(number.to_string());
        let event = Event { severity: Some(Severity::High), ..Event::firing(key, "disk full") };
        queue.admit(poster, &[event]).await.expect("it is admitted");
    }
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
    let mortal = Arc::new(Mortal {
        inner: inner.clone(),
        writes_left: AtomicUsize::new(at_write),
        death,
        writes: AtomicUsize::new(0),
        is_full: AtomicBool::new(false),
    });
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
    mortal.writes.load(Ordering::SeqCst)
}

async fn check(store: &MemoryStore, company: &Company, case: (usize, Death)) {
    let alerts = every_alert(store).await;
    let mut folded: BTreeMap<AlertId, BTreeSet<AlertId>> = BTreeMap::new();
    let mut alone = BTreeSet::new();
    for alert in alerts.iter().filter(|alert| alert.digest.is_none()) {
        let mut told = false;
        for row in history(store, alert).await {
            if let Entry::Folded { digest, .. } = row.entry {
                told = true;
                folded.entry(digest).or_default().insert(alert.id);
            } else if let Entry::Attempt(attempt) = row.entry
                && attempt.transport == Transport::Sms
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
        let full = Arc::new(Mortal {
            inner: inner.clone(),
            writes_left: AtomicUsize::new(usize::MAX),
            death: Death::Before,
            writes: AtomicUsize::new(0),
            is_full: AtomicBool::new(true),
        });
        let mut rules = rules();
        rules.gateways[0].per_day = per_day;
        let mut dispatcher = dispatcher_with(full.clone(), &clock, &company, rules).await;
        for _ in 0..5 {
            // What is due can still be read.
            full.is_full.store(true, Ordering::SeqCst);
            assert!(work(&mut dispatcher).await.is_err());
            full.is_full.store(false, Ordering::SeqCst);
        }
        work(&mut dispatcher).await.expect("the disk has room again");
        assert_eq!(company.texts.lock().expect("no panic").len(), BUDGET as usize, "{per_day:?}");
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_uses_no_budget_up_for_good() {
    let clock = ManualClock::at(T0 + SignedDuration::from_hours(24 * 365));
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    open_alerts(&store, &clock, 0).await;
    work(&mut dispatcher(store.clone(), &clock, &company).await).await.expect("the store works");
    assert_eq!(company.texts.lock().expect("no panic").len(), BUDGET as usize);

    let clock = ManualClock::at(T0);
    let mut dispatcher = dispatcher(store.clone(), &clock, &company).await;
    assert!(dispatcher.budgets.is_stormy(&jin(), clock.now()), "it was a moment ago");
    clock.advance(SignedDuration::from_mins(61));
    open_alerts(&store, &clock, ALERTS).await;
    work(&mut dispatcher).await.expect("the store works");
    assert_eq!(company.texts.lock().expect("no panic").len(), 2 * BUDGET as usize);
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
async fn a_device_is_left_alone_for_no_longer_than_its_quarantine() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let (id, until) = (DeviceId(7), T0 + SignedDuration::from_hours(24 + 9));
    let reason = "SENDER_ID_MISMATCH".to_owned();
    let record = DeviceRecord { id, retired_at: None, quarantined_until: Some(until), reason };
    store.put_device(record).await.expect("the store works");
    let dispatcher = dispatcher(store, &clock, &company).await;
    let usable = |hours| dispatcher.devices.is_usable(id, T0 + SignedDuration::from_hours(hours));
    assert!(!usable(23));
    assert!(usable(24));
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
