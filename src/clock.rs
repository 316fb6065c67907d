//! Time and chance are arguments: everything that waits, stamps or draws asks a [`Clock`].

use std::{fmt::Debug, future::Future, pin::Pin, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::chance::Chance;

pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

pub trait Clock: Debug + Send + Sync + 'static {
    /// The present instant, cut to milliseconds; never runs backwards within a process.
    fn now(&self) -> Timestamp;

    /// Completes once [`Clock::now`] has reached `at`; at once if it already has.
    fn sleep_until(&self, at: Timestamp) -> Sleep;

    /// How far the clock of this machine is ahead of [`Clock::now`]: not zero after the machine's clock was set.
    fn drift(&self) -> SignedDuration;

    /// Who decides what is left to chance.
    fn chance(&self) -> &Chance;

    fn sleep(&self, delay: SignedDuration) -> Sleep {
        self.sleep_until(self.now().saturating_add(delay).unwrap_or(Timestamp::MAX))
    }
}

/// Wall clock at start plus the monotonic clock since: an adjusted system clock cannot fire
/// or delay a notification of a running process.
#[derive(Debug)]
pub struct SystemClock {
    start: Timestamp,
    since: std::time::Instant,
}

impl SystemClock {
    /// Reads the wall clock, once.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clocks")]
    pub fn start() -> Arc<Self> {
        Arc::new(Self { start: Timestamp::now(), since: std::time::Instant::now() })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        let start = self.start.as_millisecond();
        Timestamp::from_millisecond(start.saturating_add(elapsed)).unwrap_or(Timestamp::MAX)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clocks")]
    fn drift(&self) -> SignedDuration {
        Timestamp::now().duration_since(self.now())
    }

    fn chance(&self) -> &Chance {
        &Chance::System
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let wait = Duration::try_from(at.duration_since(self.now())).unwrap_or(Duration::ZERO);
        Box::pin(tokio::time::sleep(wait))
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
    drift: watch::Sender<SignedDuration>,
    chance: Chance,
}

impl ManualClock {
    pub fn at(now: Timestamp) -> Arc<Self> {
        Self::with(now, Chance::System)
    }

    /// One under which everything happens again as it did before.
    pub fn with(now: Timestamp, chance: Chance) -> Arc<Self> {
        let drift = watch::Sender::new(SignedDuration::ZERO);
        Arc::new(Self { now: watch::Sender::new(now), drift, chance })
    }

    /// Moves time forward by `by` and wakes every sleeper that is due.
    pub fn advance(&self, by: SignedDuration) {
        self.now.send_modify(|now| *now = now.saturating_add(by).unwrap_or(Timestamp::MAX));
    }

    /// Between two starts only: the time of a running process never runs backwards.
    pub fn set_back(&self, by: SignedDuration) {
        self.now.send_modify(|now| *now = now.saturating_sub(by).unwrap_or(Timestamp::MIN));
    }

    /// Sets the clock of the machine under a running process.
    pub fn set_drift(&self, drift: SignedDuration) {
        self.drift.send_replace(drift);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn drift(&self) -> SignedDuration {
        *self.drift.borrow()
    }

    fn chance(&self) -> &Chance {
        &self.chance
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            // The sender lives as long as the clock; without it time cannot move any more.
            if now.wait_for(|now| at <= *now).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
