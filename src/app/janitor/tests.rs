//! Tidying up: as much as there is, and nothing that is not old.

use async_trait::async_trait;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    alert::{Alert, AlertId, AlertState, Charge, DedupKey, Event, Part, Payer, Resolution, ResolvedBy, Tier},
    clock::ManualClock,
    store::{
        AlertFilter, AlertWrite, Expect, Lane, MemoryStore,
        guarded::{Guard, Guarded, Ruling},
    },
    watch::Vitals,
};

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

const KEEP: SignedDuration = SignedDuration::from_hours(24 * 40);

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// An alert that began and ended at this time, and cost something.
fn over(number: u32, at: Timestamp) -> AlertWrite {
    let event = Event::firing(DedupKey::new(number.to_string()), "disk full");
    let mut entropy = [0; 10];
    entropy[..4].copy_from_slice(&number.to_be_bytes());
    let resolved = Resolution { by: ResolvedBy::Sender, at, note: None, ended_at: None };
    let alert = Alert {
        state: AlertState::Resolved,
        resolved: Some(resolved),
        ..Alert::opened(AlertId::new(at, entropy), "zabbix", &event, at)
    };
    let mut write = AlertWrite::of(alert, Expect::FIRST_ROUND, None);
    let payer = Payer::Contact("jin".parse().expect("a name"), Tier::Ordinary);
    write.marks.charges = vec![Charge { payer, at, units: 1, reserved: 0 }];
    write
}

async fn store_with(alerts: u32) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let writes: Vec<_> = (0..alerts).map(|number| over(number, T0)).collect();
    store.commit(Lane::Accept, &writes).await.expect("it works");
    store
}

/// How many alerts and charges are left.
async fn left(store: &dyn Store) -> (usize, usize) {
    let filter = AlertFilter { limit: 2_000, ..AlertFilter::default() };
    let alerts = store.list(&filter).await.expect("it works").alerts.len();
    (alerts, store.charges(Timestamp::MIN).await.expect("it works").len())
}

async fn janitor(store: Arc<dyn Store>, clock: &Arc<ManualClock>) -> Janitor {
    let queue = Arc::new(Queue::new(store.clone(), clock.clone()));
    let lived = Arc::new(Lived::restore(store.clone(), clock.clone(), KEEP).await);
    Janitor { store, queue, clock: clock.clone(), lived, keep: KEEP }
}

fn life(clock: &Arc<ManualClock>) -> Life {
    Life::new(Part::Janitor, Arc::new(Vitals::new(clock.clone())), CancellationToken::new())
}

/// A process that begins at this time and tidies up at once, and then every hour; what is left then.
async fn runs(store: &Arc<MemoryStore>, from: Timestamp, hours: i64) -> (usize, usize) {
    let clock = ManualClock::at(from);
    let janitor = janitor(store.clone(), &clock).await;
    for hour in 0..=hours {
        clock.advance(SignedDuration::from_hours(hour.min(1)));
        janitor.lived.write().await.expect("it works");
        janitor.round(&life(&clock)).await.expect("it works");
    }
    left(store.as_ref()).await
}

#[tokio::test]
async fn one_round_removes_all_that_is_old_however_much_it_is() {
    let store = store_with(3_500).await;
    let clock = ManualClock::at(T0 + KEEP + days(1));
    let janitor = janitor(store.clone(), &clock).await;
    assert_eq!(janitor.round(&life(&clock)).await.expect("it works"), 3_500);
    assert_eq!(left(store.as_ref()).await, (0, 0));
}

/// Every write takes a while.
struct Slow(Arc<ManualClock>);

#[async_trait]
impl Guard for Slow {
    async fn write(&self) -> Ruling {
        self.0.advance(SignedDuration::from_secs(26));
        Ruling::Made
    }
}

#[tokio::test]
async fn a_round_takes_no_more_than_its_time_and_the_next_goes_on() {
    let (inner, clock) = (store_with(3_500).await, ManualClock::at(T0 + KEEP + days(1)));
    let store = Arc::new(Guarded { inner, guard: Slow(clock.clone()) });
    let (janitor, vitals) = (janitor(store, &clock).await, Arc::new(Vitals::new(clock)));
    let life = Life::new(Part::Janitor, vitals.clone(), CancellationToken::new());
    for expected in [2 * BATCH, 3_500 - 2 * BATCH] {
        assert_eq!(janitor.round(&life).await.expect("it works"), expected);
        assert!(vitals.standstills().is_empty(), "a long round leaves signs of life");
    }
}

#[tokio::test]
async fn a_round_ends_when_the_program_does() {
    let store = store_with(10).await;
    let clock = ManualClock::at(T0 + KEEP + days(1));
    let (janitor, stop) = (janitor(store, &clock).await, CancellationToken::new());
    let life = Life::new(Part::Janitor, Arc::new(Vitals::new(clock)), stop.clone());
    stop.cancel();
    assert_eq!(janitor.round(&life).await.expect("it works"), 0);
}

#[tokio::test]
async fn a_clock_years_ahead_removes_nothing_and_set_right_all_is_counted_as_before() {
    let store = store_with(3).await;
    assert_eq!(runs(&store, T0 + days(1), 0).await, (3, 3));
    let ahead = T0 + days(700);
    assert_eq!(runs(&store, ahead, 24).await, (3, 3));
    assert_eq!(runs(&store, ahead + days(1), 24).await, (3, 3));
    assert_eq!(runs(&store, T0 + days(3), 0).await, (3, 3), "set right");
    assert_eq!(runs(&store, T0 + days(3), 24 * 38).await, (0, 0), "forty days have passed");
}

#[tokio::test]
async fn a_clock_that_stays_ahead_counts_from_there() {
    let store = store_with(3).await;
    runs(&store, T0, 24).await;
    let ahead = T0 + days(700);
    assert_eq!(runs(&store, ahead, 24 * 30).await, (3, 3));
    assert_eq!(runs(&store, ahead + days(30), 24 * 2).await, (3, 0), "charges are kept for 32 days");
    assert_eq!(runs(&store, ahead + days(32), 24 * 8).await, (0, 0));
}

#[tokio::test]
async fn a_clock_that_was_years_behind_is_forgotten_once_that_is_over() {
    let store = store_with(3).await;
    runs(&store, T0 + days(1), 0).await;
    assert_eq!(runs(&store, T0 - days(5_000), 0).await.0, 3);
    assert_eq!(runs(&store, T0 + days(2), 24 * 39).await.0, 3, "what the gap hides is kept once more");
    assert_eq!(runs(&store, T0 + days(41), 24 * 2).await.0, 0);
}

#[tokio::test]
async fn a_machine_that_is_off_at_night_keeps_its_history_for_as_many_hours_of_life() {
    let store = store_with(3).await;
    let mut day = 0;
    while runs(&store, T0 + days(day), 12).await.0 == 3 {
        day += 1;
        assert!(day < 1_000, "it is never removed");
    }
    assert!((78..=82).contains(&day), "forty days of life, at twelve hours a day: {day}");
}

#[tokio::test]
async fn nothing_is_removed_for_a_while_where_the_time_lived_was_lost() {
    let store = store_with(3).await;
    let (key, of_another_shape) = (Vec::new(), json!("long ago"));
    store.put_record(Lane::Deliver, "time lived", key, of_another_shape).await.expect("it works");
    let start = T0 + days(1_000);
    assert_eq!(runs(&store, start, 24 * 31).await, (3, 3));
    assert_eq!(runs(&store, start + days(31), 24 * 8).await.0, 3);
    assert_eq!(runs(&store, start + days(39), 25).await.0, 0);
}
