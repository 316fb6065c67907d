//! What a task beside the server stands on: how it leaves signs of life, when it stops, a steady pace; and the
//! supervisor, which starts it again when it has ended.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::error;

use super::vitals::{SIGN_EVERY, Vitals};
use crate::{alert::Part, clock::Clock};

/// Before a task that has ended starts again. It doubles each time, up to a limit below the time for which dispatch
/// leaves alone what it failed on: the others are told first.
const PAUSE_MIN: SignedDuration = SignedDuration::from_secs(1);
const PAUSE_MAX: SignedDuration = SignedDuration::from_secs(10);

/// A task that ran for this long starts again after the shortest pause.
const RAN_WELL_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// What a task is given.
#[derive(Clone, Debug)]
pub struct Life {
    part: Part,
    vitals: Arc<Vitals>,
    stop: CancellationToken,
}

impl Life {
    /// It begins, and is expected to go on until `stop`.
    pub fn new(part: Part, vitals: Arc<Vitals>, stop: CancellationToken) -> Self {
        let life = Self { part, vitals, stop };
        life.sign();
        life
    }

    /// It works.
    pub fn sign(&self) {
        self.vitals.sign(self.part);
    }

    fn rest(&self, is_at_rest: bool) {
        self.vitals.rest(self.part, is_at_rest);
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.vitals.clock()
    }

    /// When its next sign is due, or `at` if that is earlier.
    pub fn wake_by(&self, at: Timestamp) -> Timestamp {
        at.min(self.clock().now().saturating_add(SIGN_EVERY).unwrap_or(Timestamp::MAX))
    }

    /// True unless it is stopped meanwhile.
    async fn sleep_until(&self, at: Timestamp) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = self.clock().sleep_until(at) => true,
        }
    }
}

/// Turns at a steady pace until it is stopped, each counted from the last however long the work in between takes.
/// Waiting for one leaves signs of life.
pub struct Pace {
    life: Life,
    every: SignedDuration,
    next: Timestamp,
    went_well: bool,
}

impl Pace {
    /// The first comes after `every`.
    pub fn new(life: Life, every: SignedDuration) -> Self {
        let next = after(life.clock().as_ref(), every);
        Self { life, every, next, went_well: true }
    }

    /// Waits for the next; false once it is stopped.
    pub async fn next(&mut self) -> bool {
        if !self.went_well {
            self.next = self.life.wake_by(self.next);
        }
        loop {
            if self.went_well {
                self.life.sign();
            }
            self.life.rest(true);
            if !self.life.sleep_until(self.life.wake_by(self.next)).await {
                return false;
            }
            let now = self.life.clock().now();
            if self.next <= now {
                break;
            }
        }
        self.life.rest(false);
        self.next = after(self.life.clock().as_ref(), self.every);
        self.went_well = true;
        true
    }

    /// In the middle of a long turn.
    pub fn sign(&self) {
        self.life.sign();
    }

    /// This turn came to nothing: that is no sign of life, and it is tried again soon.
    pub fn failed(&mut self) {
        self.went_well = false;
    }
}

fn after(clock: &dyn Clock, delay: SignedDuration) -> Timestamp {
    clock.now().saturating_add(delay).unwrap_or(Timestamp::MAX)
}

/// Keeps tasks going.
pub struct Supervisor {
    pub vitals: Arc<Vitals>,
    pub tasks: TaskTracker,
}

impl Supervisor {
    /// Runs what `make` makes until `stop`, and makes it anew whenever it returns or panics before. Gives what it
    /// returned once it was stopped: nothing if it was just not running, or panicked then.
    pub fn keep<T, F>(
        &self,
        part: Part,
        stop: &CancellationToken,
        mut make: impl FnMut(Life) -> F + Send + 'static,
    ) -> JoinHandle<Option<T>>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let life = Life::new(part, self.vitals.clone(), stop.clone());
        let tasks = self.tasks.clone();
        self.tasks.spawn(async move {
            let mut pause = PAUSE_MIN;
            loop {
                let began = life.clock().now();
                let ended = tasks.spawn(make(life.clone())).await;
                if life.is_stopped() {
                    return ended.ok();
                }
                life.vitals.ended(part);
                if RAN_WELL_AFTER <= life.clock().now().duration_since(began) {
                    pause = PAUSE_MIN;
                }
                let how = if ended.is_err() { "panicked" } else { "returned" };
                let seconds = pause.as_secs();
                error!(part = %part, "the task of {part} {how} and is started again in {seconds} s");
                if !life.sleep_until(after(life.clock().as_ref(), pause)).await {
                    return None;
                }
                pause = pause.saturating_mul(2).min(PAUSE_MAX);
            }
        })
    }
}

#[cfg(test)]
mod tests;
