//! Closed loop: each connection sends its next event when the last one is accepted.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::{
    clock::{now, unix_micros},
    wire::{Connection, Target},
};

/// Longest answer on record, in microseconds.
const MICROS_MAX: u64 = 600_000_000;

/// What a run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Events accepted.
    pub(crate) events: u64,
    /// Per second.
    pub(crate) per_second: f64,
    /// Time to the answer for 99 of 100.
    pub(crate) p99: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, per_second, p99 } = self;
        write!(f, "{events} accepts, {per_second:.0}/s, p99 {p99:.1?}")
    }
}

/// Posts over so many connections, for so long or so many events, whichever ends first.
pub(crate) fn run(target: Target, connections: usize, length: Duration, events_max: u64) -> Figures {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread");
    runtime.block_on(async {
        let mut posting = JoinSet::new();
        let taken = Arc::new(AtomicU64::new(0));
        let began = now();
        for _ in 0..connections {
            posting.spawn(post(target, Arc::clone(&taken), (began, length, events_max)));
        }
        let mut all = histogram();
        for histogram in posting.join_all().await {
            all.add(histogram).expect("the same bounds");
        }
        let events = all.len();
        #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
        let per_second = events as f64 / began.elapsed().as_secs_f64();
        Figures { events, per_second, p99: Duration::from_micros(all.value_at_quantile(0.99)) }
    })
}

async fn post(
    target: Target,
    taken: Arc<AtomicU64>,
    (began, length, events_max): (Instant, Duration, u64),
) -> Histogram<u64> {
    let mut connection = Connection::open(target).await;
    let mut histogram = histogram();
    while began.elapsed() < length && taken.fetch_add(1, Relaxed) < events_max {
        let start = now();
        connection.post(unix_micros()).await;
        histogram.saturating_record(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    histogram
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MICROS_MAX, 3).expect("bounds in order")
}
