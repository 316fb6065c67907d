//! Saves counts, and removes what is not needed any more.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::lived::Lived;
use crate::{
    clock::Clock,
    queue::Queue,
    store::{Store, StoreError},
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
pub(super) const CHARGES_KEEP: SignedDuration = SignedDuration::from_hours(24 * 32);

pub(super) struct Janitor {
    pub(super) store: Arc<dyn Store>,
    pub(super) queue: Arc<Queue>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lived: Arc<Lived>,
    /// Alerts resolved for longer than this are removed.
    pub(super) keep: SignedDuration,
}

impl Janitor {
    pub(super) async fn run(self: Arc<Self>, life: Life) {
        let mut pace = Pace::new(life.clone(), EVERY);
        while pace.next().await {
            match self.round(&life).await {
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

    /// How many alerts were removed. What fails keeps nothing else from being done.
    async fn round(&self, life: &Life) -> Result<usize, StoreError> {
        let saved = self.queue.save_seen().await;
        let removed = self.remove(life).await;
        saved.and(removed)
    }

    /// Removes alerts and charges in turn until none is left, or until its time is up.
    async fn remove(&self, life: &Life) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let until = now.saturating_add(REMOVING_MAX).unwrap_or(Timestamp::MAX);
        let over_before = self.lived.cut_off(self.keep);
        let charges_of_use =
            self.lived.cut_off(CHARGES_KEEP)..now.saturating_add(CHARGES_KEEP).unwrap_or(Timestamp::MAX);
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
