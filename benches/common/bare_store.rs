//! The bare storage rule: what sled can do on this machine when nothing else is asked of it.
//!
//! One thread writes. It drains a channel into a group, checks the dedupe key of each admit, puts a
//! value of 1.45 KB, the dedupe key and a due entry into one batch, flushes, syncs the file,
//! and only then answers. Whatever a program adds to this is its own cost.

use std::{
    fs::File,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::sync::oneshot;

/// Most admits in one group.
const GROUP_ADMITS_MAX: usize = 512;

/// What sled may hold in memory, in bytes.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// Size of the value of one admit.
pub(crate) const VALUE_BYTES: usize = 1_450;

/// What a run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Durable admits per second.
    pub(crate) per_second: f64,
    /// Median time from handing an admit over to its answer.
    pub(crate) p50: Duration,
    /// The same, for 99 of 100.
    pub(crate) p99: Duration,
    /// CPU time of the whole process per 1,000 admits, the making of their content included; `None`
    /// where `/proc` does not tell. Other load on the machine moves it far less than the rest.
    pub(crate) cpu_per_1000: Option<Duration>,
}

struct Admit {
    number: u64,
    value: Vec<u8>,
    answer: oneshot::Sender<bool>,
}

/// Runs the rule with so many tasks for so long, in an empty folder.
#[expect(clippy::disallowed_types, reason = "this program is the rule itself")]
pub(crate) fn run(tasks: usize, seconds: f64, dir: &Path) -> Figures {
    let config = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    let db = config.open().expect("an empty folder");
    let file = File::open(dir.join("db")).expect("sled has made it");
    let (sender, receiver) = mpsc::sync_channel::<Admit>(GROUP_ADMITS_MAX);
    let writer = thread::spawn(move || {
        while let Ok(first) = receiver.recv() {
            let rest = std::iter::from_fn(|| receiver.try_recv().ok());
            let group: Vec<Admit> = std::iter::once(first).chain(rest).take(GROUP_ADMITS_MAX).collect();
            let (mut batch, mut answers) = (sled::Batch::default(), Vec::with_capacity(group.len()));
            for Admit { number, value, answer } in group {
                let thread = thread_key(number);
                let known = db.get(thread).expect("readable").is_some();
                if !known {
                    batch.insert(&thread, &number.to_be_bytes());
                    batch.insert(&document_key(number), value);
                    batch.insert(&due_key(number), &[]);
                }
                answers.push((answer, !known));
            }
            db.apply_batch(batch).expect("writable");
            db.flush().expect("writable");
            file.sync_data().expect("writable");
            for (answer, admitted) in answers {
                answer.send(admitted).ok();
            }
        }
    });

    let figures = measure(tasks, seconds, move |number| {
        let sender = sender.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            // A channel per 512 and at most as many tasks: it never blocks.
            sender.send(Admit { number, value: value_of(number), answer }).expect("the writer runs");
            assert!(answered.await.expect("the writer answers"), "every number comes once");
        }
    });
    writer.join().expect("the writer ends with its channel");
    figures
}

/// Lets so many tasks admit one after another, each with a number of its own, for so long.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock and owns its tasks")]
pub(crate) fn measure<F, A>(tasks: usize, seconds: f64, admit: F) -> Figures
where
    F: Fn(u64) -> A + Send + Sync + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let (admit, next) = (Arc::new(admit), Arc::new(AtomicU64::new(0)));
    let (start, length) = (Instant::now(), Duration::from_secs_f64(seconds));
    let cpu_before = cpu_used();
    let histogram = runtime.block_on(async {
        let running: Vec<_> = (0..tasks)
            .map(|_| {
                let (admit, next) = (Arc::clone(&admit), Arc::clone(&next));
                tokio::spawn(async move {
                    let mut histogram = histogram();
                    while start.elapsed() < length {
                        let began = Instant::now();
                        admit(next.fetch_add(1, Relaxed)).await;
                        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                        histogram.saturating_record(micros);
                    }
                    histogram
                })
            })
            .collect();
        let mut all = histogram();
        for task in running {
            all.add(task.await.expect("a task ends")).expect("the same bounds");
        }
        all
    });
    let elapsed = start.elapsed().as_secs_f64();
    let cpu = cpu_before.zip(cpu_used()).map(|(before, after)| after.saturating_sub(before));
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let admits = histogram.len() as f64;
    let quantile = |quantile| Duration::from_micros(histogram.value_at_quantile(quantile));
    Figures {
        per_second: admits / elapsed,
        p50: quantile(0.5),
        p99: quantile(0.99),
        cpu_per_1000: cpu.map(|cpu| cpu.div_f64((admits / 1e3).max(1.0))),
    }
}

/// User and system time of this process, from `/proc/self/stat` (proc(5)): fields 14 and 15, in
/// ticks of 10 ms. The fields are counted after the name, which may hold spaces.
fn cpu_used() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks * 10))
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds in order")
}

/// Scattered, as digests of dedup keys are.
fn thread_key(number: u64) -> [u8; 18] {
    let high = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    joined(&[b"t/", &high.to_be_bytes(), &number.to_be_bytes()])
}

/// In the order of time, as alert ids are.
fn document_key(number: u64) -> [u8; 18] {
    joined(&[b"a/", &number.to_be_bytes(), &[7; 8]])
}

fn due_key(number: u64) -> [u8; 26] {
    joined(&[b"q/", &(number / 16).to_be_bytes(), &number.to_be_bytes(), &[7; 8]])
}

fn joined<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    parts.concat().try_into().expect("parts of the right length")
}

/// Not compressible, and not the same twice.
fn value_of(number: u64) -> Vec<u8> {
    let mut state = number | 1;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut byte).flatten().take(VALUE_BYTES).collect()
}
