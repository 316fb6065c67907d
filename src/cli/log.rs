//! The log: standard error, written by a thread of its own. Whoever takes the lines may stand on a disk that hangs; then
//! lines are lost, and nothing else waits.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::Failure;
use crate::config::Environment;

/// Lines that wait to be written; the next is lost, and counted.
const LINES_WAITING_MAX: usize = 8_192;

/// What is left at the end is waited for so long.
const LAST_LINES_MAX: Duration = Duration::from_secs(2);

/// Takes lines, and gives them to the thread that writes.
#[derive(Clone)]
pub(super) struct Log {
    lines: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

enum Entry {
    Line(Vec<u8>),
    /// Everything before is written when this is answered.
    End(SyncSender<()>),
}

impl Log {
    /// `RUST_LOG` chooses what is logged (default `level`), `BONGSU_LOG=json` how.
    pub(super) fn start(environment: Environment<'_>, level: &str) -> Result<Self, Failure> {
        let log = Self::to(io::stderr())?;
        let directives = environment("RUST_LOG").unwrap_or_else(|| level.to_owned());
        let filter = EnvFilter::try_new(&directives).map_err(|error| format!("RUST_LOG: {error}"))?;
        let (registry, lines) = (tracing_subscriber::registry().with(filter), log.clone());
        let lines = move || lines.clone();
        if environment("BONGSU_LOG").as_deref() == Some("json") {
            registry.with(fmt::layer().json().with_writer(lines)).try_init()?;
        } else {
            registry.with(fmt::layer().with_target(false).with_writer(lines)).try_init()?;
        }
        Ok(log)
    }

    fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let ((lines, taken), lost) = (sync_channel(LINES_WAITING_MAX), Arc::<AtomicU64>::default());
        let counted = Arc::clone(&lost);
        thread::Builder::new().name("bongsu-log".to_owned()).spawn(move || write(out, &taken, &counted))?;
        Ok(Self { lines, lost })
    }

    /// Waits until what was said so far is written.
    pub(super) fn end(&self) {
        let (written, all) = sync_channel(1);
        if self.lines.try_send(Entry::End(written)).is_ok() {
            all.recv_timeout(LAST_LINES_MAX).ok();
        }
    }
}

/// One call is one line.
impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.lines.try_send(Entry::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write(mut out: impl Write, entries: &Receiver<Entry>, lost: &AtomicU64) {
    // Where nobody takes the log, there is nobody to tell.
    for entry in entries {
        match entry {
            Entry::Line(line) => out.write_all(&line).unwrap_or_default(),
            Entry::End(written) => written.send(()).unwrap_or_default(),
        }
        let lost = lost.swap(0, Relaxed);
        if 0 < lost {
            writeln!(out, "{lost} lines of the log were lost here: nobody took them").unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    /// Takes a line whenever it is allowed to.
    struct Slow {
        allowed: mpsc::Receiver<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.allowed.recv().ok();
            self.taken.lock().expect("no panic").write(line)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_nobody_takes_holds_up_nobody_and_says_what_was_lost() {
        let (allow, allowed) = mpsc::channel();
        let taken = Arc::<Mutex<Vec<u8>>>::default();
        let mut log = Log::to(Slow { allowed, taken: taken.clone() }).expect("a thread");
        // The thread holds one, if it has come to that.
        let said = LINES_WAITING_MAX + 11;
        for number in 0..said {
            log.write_all(format!("line {number}\n").as_bytes()).expect("it never fails");
        }
        drop(allow);
        while log.lines.try_send(Entry::Line(b"the last\n".to_vec())).is_err() {}
        log.end();
        let taken = String::from_utf8(taken.lock().expect("no panic").clone()).expect("text");
        let lines: Vec<&str> = taken.lines().collect();
        assert_eq!((lines.first(), lines.last()), (Some(&"line 0"), Some(&"the last")));
        let written = lines.iter().filter(|line| line.starts_with("line ")).count();
        let lost: usize = lines
            .iter()
            .filter_map(|line| line.split_once(" lines of the log were lost"))
            .map(|(lost, _)| lost.parse::<usize>().expect("a number"))
            .sum();
        assert!(10 <= lost, "{lost}");
        assert_eq!(written + lost, said);
    }
}
