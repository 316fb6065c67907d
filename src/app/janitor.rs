//! Saves counts, and removes what is not needed any more.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::lived::SignOfLife;
use crate::{
    clock::Clock,
    queue::Queue,
    store::{Lane, Store, StoreError},
    watch::{Life, Pace},
};

const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// How much of a round goes into removing; what is left then is for the next. Half of the time removes far more than
/// the other half can bring.
const REMOVING_MAX: SignedDuration = SignedDuration::from_secs(30);

/// How many alerts, and how many charges, are removed in turn.
const BATCH: usize = 1_000;

/// How long charges are kept: the longest window that a budget may have, and a day. One dated further ahead than
/// this came from a clock that ran ahead, and would count at every start.
const CHARGES_KEEP: SignedDuration = SignedDuration::from_hours(24 * 32);

/// A gap in our life that is worth a line.
const LONG_GAP: SignedDuration = SignedDuration::from_hours(24);

pub(super) struct Janitor {
    pub(super) store: Arc<dyn Store>,
    pub(super) queue: Arc<Queue>,
    pub(super) clock: Arc<dyn Clock>,
    /// Alerts resolved for longer than this are removed.
    pub(super) keep: SignedDuration,
}

impl Janitor {
    pub(super) async fn run(self: Arc<Self>, life: Life) {
        let mut lived = self.life_so_far().await;
        let mut pace = Pace::new(life.clone(), EVERY);
        while pace.next().await {
            match self.round(&mut lived, &life).await {
                Ok(0) => {}
                Ok(purged) => info!(purged, "removed {purged} alerts older than store.keep"),
                Err(error) => {
                    warn!(error = %error, "could not tidy up: {error}");
                    pace.failed();
                }
            }
        }
        // Nothing that scans: the store is about to be closed, and a scan would hold it open.
        if let Err(error) = self.queue.save_seen().await {
            warn!(error = %error, "could not save counts: {error}");
        }
    }

    async fn life_so_far(&self) -> SignOfLife {
        let now = self.clock.now();
        let mut lived = match self.store.all().await.map(|mut kept| kept.pop()) {
            Ok(Some(lived)) => lived,
            Ok(None) if !self.store.has_lost::<SignOfLife>() => SignOfLife::first(now),
            Ok(None) | Err(_) => {
                warn!(
                    "the last sign of life cannot be read: nothing is removed before {} have passed",
                    self.keep
                );
                SignOfLife::unknown(now)
            }
        };
        let skipped = lived.go_on(now);
        if LONG_GAP <= skipped {
            warn!(
                "the last sign of life is {skipped:#} old: what is kept for a time is kept that much longer"
            );
        }
        lived
    }

    /// How many alerts were removed. What fails keeps nothing else from being done.
    async fn round(&self, lived: &mut SignOfLife, life: &Life) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let saved = self.queue.save_seen().await;
        lived.renew(now, self.keep.max(CHARGES_KEEP));
        let signed = self.store.put(Lane::Deliver, lived).await;
        let removed = self.remove(lived, life).await;
        saved.and(signed).and(removed)
    }

    /// Removes alerts and charges in turn until none is left, or until its time is up.
    async fn remove(&self, lived: &SignOfLife, life: &Life) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let until = now.saturating_add(REMOVING_MAX).unwrap_or(Timestamp::MAX);
        let over_before = lived.cut_off(now, self.keep);
        let charges_of_use =
            lived.cut_off(now, CHARGES_KEEP)..now.saturating_add(CHARGES_KEEP).unwrap_or(Timestamp::MAX);
        let mut removed = 0;
        while !life.is_stopped() && self.clock.now() < until {
            let purged = self.store.purge(over_before, BATCH).await;
            let forgotten = self.store.forget_charges(charges_of_use.clone(), BATCH).await;
            let (purged, forgotten) = (purged?, forgotten?);
            removed += purged;
            if purged < BATCH && forgotten < BATCH {
                break;
            }
            life.sign();
        }
        Ok(removed)
    }
}
