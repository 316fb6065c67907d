//! A company's stage: what it answers next, what it was asked, and how an answer is given.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    answer::Answer,
    line::CutHandle,
    locked,
    script::{Breakage, Script},
    seen::{Counts, Entry, Ledger, Record, RefusalSeen},
};
use crate::clock::Clock;

const WAIT_MAX: Duration = Duration::from_secs(10);

pub(super) struct Ground {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: CancellationToken,
    ids: AtomicU64,
    /// Counts changes, for those who wait for one.
    changes: watch::Sender<u64>,
}

impl Ground {
    pub(super) fn new(clock: Arc<dyn Clock>, stop: CancellationToken) -> Self {
        Self { clock, stop, ids: 0.into(), changes: watch::Sender::new(0) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Wakes the page, and the tests that wait.
    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Waits until `holds`, looking again at every change; panics after ten seconds with what `instead`
    /// says. For tests only.
    pub(super) async fn wait_until(&self, holds: impl Fn() -> bool, instead: impl FnOnce() -> String) {
        // Subscribed before the first look, so no change between look and wait is missed.
        let mut changes = self.changes();
        let wait = async {
            while !holds() {
                if changes.changed().await.is_err() {
                    break;
                }
            }
        };
        let has_come = tokio::time::timeout(WAIT_MAX, wait).await.is_ok();
        assert!(has_come, "the sandbox waited {WAIT_MAX:?} in vain: {}", instead());
    }
}

/// A company, seen from its own side; `T` is a well-formed request to it.
pub struct Stage<T> {
    pub(super) ground: Arc<Ground>,
    script: Mutex<Script>,
    /// Counts the times at which everything that hangs was let go.
    released: watch::Sender<u64>,
    ledger: Mutex<Ledger<T>>,
}

impl<T> Stage<T> {
    /// Accepts everything; while broken with [`Breakage::Unavailable`] it says `unavailable`.
    pub(super) fn open(ground: &Arc<Ground>, unavailable: Answer, record: Record) -> Self {
        let script = Script {
            broken: None,
            unavailable,
            by_address: HashMap::new(),
            next: VecDeque::new(),
            usual: Answer::Ok,
        };
        Self {
            ground: Arc::clone(ground),
            script: Mutex::new(script),
            released: watch::Sender::new(0),
            ledger: Mutex::new(Ledger::new(record)),
        }
    }

    /// Answers the next requests with these, one each and in this order, then as usual.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        locked(&self.script).next.extend(answers);
    }

    /// The usual answer from now on; at start it is [`Answer::Ok`].
    pub fn always(&self, answer: Answer) {
        locked(&self.script).usual = answer;
    }

    /// The answer for one address from now on, before any script.
    pub(super) fn answer_for(&self, address: &str, answer: Answer) {
        locked(&self.script).by_address.insert(address.to_owned(), answer);
    }

    /// Breaks it for everybody, whatever the script says, until [`Self::repair`].
    pub fn break_with(&self, breakage: Breakage) {
        self.set_broken(Some(breakage));
    }

    /// Works again, and releases what hung because it was broken.
    pub fn repair(&self) {
        self.set_broken(None);
    }

    pub(super) fn set_broken(&self, broken: Option<Breakage>) {
        let before = std::mem::replace(&mut locked(&self.script).broken, broken);
        if before == Some(Breakage::Hanging) && broken != before {
            self.release();
        }
        self.ground.changed();
    }

    pub(super) fn broken(&self) -> Option<Breakage> {
        locked(&self.script).broken
    }

    /// Lets every request that hangs be accepted now.
    pub fn release(&self) {
        self.released.send_modify(|times| *times += 1);
    }

    pub(super) fn record(&self) -> Record {
        locked(&self.ledger).record
    }

    /// Requests that the company would not have understood or allowed; a test expects none.
    pub fn refusals(&self) -> Vec<RefusalSeen> {
        locked(&self.ledger).refusals.iter().cloned().collect()
    }

    pub fn accepted_counts(&self) -> HashMap<String, u32> {
        locked(&self.ledger).accepted.clone()
    }

    pub fn counts(&self) -> Counts {
        locked(&self.ledger).counts
    }

    /// Waits until `holds`; panics after 10 s of real time. For tests.
    pub async fn wait_until(&self, holds: impl Fn(&Self) -> bool) {
        let instead = || format!("{:?}, last refusal: {:?}", self.counts(), self.refusals().last());
        self.ground.wait_until(|| holds(self), instead).await;
    }

    pub(super) fn next(&self, address: &str) -> Answer {
        locked(&self.script).next(address)
    }

    /// Writes a broken rule down.
    pub(super) fn refuse(&self, answer: Answer) -> Answer {
        if let Answer::Status { status, body, .. } = &answer {
            let refusal = RefusalSeen { at: self.ground.now(), status: *status, body: body.clone() };
            locked(&self.ledger).refuse(refusal);
            self.ground.changed();
        }
        answer
    }

    /// Gives an answer that nothing is written down about; `ok` makes the words of acceptance.
    pub(super) async fn answer(
        &self,
        answer: Answer,
        line: &CutHandle,
        ok: impl FnOnce() -> Answer,
    ) -> Answer {
        match answer {
            Answer::Ok => ok(),
            Answer::Status { .. } => answer,
            Answer::SlowOk(delay) => {
                let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
                tokio::select! {
                    () = self.ground.clock.sleep(delay) => ok(),
                    never = self.cut_at_stop(line) => match never {},
                }
            }
            Answer::Hang => {
                self.hang(self.released.subscribe(), line).await;
                ok()
            }
            Answer::Reset => match line.cut().await {},
        }
    }

    async fn hang(&self, mut releases: watch::Receiver<u64>, line: &CutHandle) {
        tokio::select! {
            _ = releases.changed() => {}
            never = self.cut_at_stop(line) => match never {},
        }
    }

    /// Without this a request that hangs would hold up the shutdown.
    async fn cut_at_stop(&self, line: &CutHandle) -> Infallible {
        self.ground.stop.cancelled().await;
        line.cut().await
    }
}

impl<T: Clone> Stage<T> {
    /// Oldest first.
    pub(super) fn seen(&self) -> Vec<T> {
        locked(&self.ledger).entries.iter().cloned().collect()
    }

    pub(super) fn newest(&self, count: usize) -> Vec<T> {
        locked(&self.ledger).entries.iter().rev().take(count).cloned().collect()
    }
}

impl<T> Stage<T> {
    /// Writes a well-formed request down and answers it; `ok` makes the words of acceptance.
    pub(super) async fn play(
        &self,
        answer: Answer,
        entry: T,
        line: &CutHandle,
        ok: impl FnOnce() -> Answer,
    ) -> Answer
    where
        T: Entry,
    {
        // Subscribed before the request is written down: a test may release it as soon as it sees it.
        let releases = self.released.subscribe();
        let place = locked(&self.ledger).note(entry, &answer);
        self.ground.changed();
        if answer != Answer::Hang {
            return self.answer(answer, line, ok).await;
        }
        self.hang(releases, line).await;
        locked(&self.ledger).settle(&place);
        self.ground.changed();
        ok()
    }
}
