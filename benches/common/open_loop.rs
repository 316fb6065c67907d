//! Open loop: events are meant to leave at a steady pace, whatever becomes of those before. What
//! waits for a free connection counts from when it was meant to leave, so a server that stalls
//! cannot hide it.

use std::{fmt, sync::Arc, thread, time::Duration};

use hdrhistogram::Histogram;
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use crate::{
    clock::{now, unix_micros},
    wire::{Connection, Target},
};

/// Connections that share the events.
const CONNECTIONS: usize = 64;

/// Longest answer on record, in microseconds.
const MICROS_MAX: u64 = 600_000_000;

/// What a run came to; times count from when an event was meant to leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Median time to the answer.
    pub(crate) p50: Duration,
    /// The same, for 99 of 100.
    pub(crate) p99: Duration,
    /// The same, for all.
    pub(crate) max: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, max } = self;
        write!(f, "accepts p50 {p50:.1?}, p99 {p99:.1?}, max {max:.1?}")
    }
}

/// Posts `events` events, so many a second.
pub(crate) fn run(target: Target, per_second: u32, events: u32) -> Figures {
    let (sender, receiver) = mpsc::unbounded_channel();
    // A thread of its own, so that the pace is kept to some 50 µs; timers of the runtime have 1 ms.
    let pacer = thread::spawn(move || {
        let (start, start_micros) = (now(), unix_micros());
        for number in 0..events {
            let after = Duration::from_secs(1) * number / per_second;
            thread::sleep(after.saturating_sub(start.elapsed()));
            let meant_micros = start_micros + u64::try_from(after.as_micros()).expect("a short run");
            sender.send(meant_micros).expect("the connections outlive the pacer");
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread");
    let all = runtime.block_on(async {
        let receiver = Arc::new(Mutex::new(receiver));
        let mut posting = JoinSet::new();
        for _ in 0..CONNECTIONS {
            posting.spawn(post(target, Arc::clone(&receiver)));
        }
        let mut all = histogram();
        for histogram in posting.join_all().await {
            all.add(histogram).expect("the same bounds");
        }
        all
    });
    pacer.join().expect("it only sleeps and sends");
    let quantile = |quantile| Duration::from_micros(all.value_at_quantile(quantile));
    Figures { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1.0) }
}

async fn post(target: Target, events: Arc<Mutex<mpsc::UnboundedReceiver<u64>>>) -> Histogram<u64> {
    let mut connection = Connection::open(target).await;
    let mut histogram = histogram();
    loop {
        let Some(meant_micros) = events.lock().await.recv().await else { return histogram };
        connection.post(meant_micros).await;
        histogram.saturating_record(unix_micros().saturating_sub(meant_micros));
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MICROS_MAX, 3).expect("bounds in order")
}
