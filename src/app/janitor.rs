//! Saves counts, and removes what is not needed any more.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::{
    clock::Clock,
    queue::Queue,
    store::{Store, StoreError},
    watch::{Life, Pace},
};

const EVERY: SignedDuration = SignedDuration::from_mins(1);

const PURGE_PER_ROUND: usize = 1_000;

/// How long charges are kept: the longest window that a budget may have, and a day. One dated further ahead than
/// this came from a clock that ran ahead, and would count at every start.
const CHARGES_KEEP: SignedDuration = SignedDuration::from_hours(24 * 32);

const CHARGES_PER_ROUND: usize = 500;

pub(super) struct Janitor {
    pub(super) store: Arc<dyn Store>,
    pub(super) queue: Arc<Queue>,
    pub(super) clock: Arc<dyn Clock>,
    /// Alerts resolved for longer than this are removed.
    pub(super) keep: SignedDuration,
}

impl Janitor {
    pub(super) async fn run(self: Arc<Self>, life: Life) {
        let mut pace = Pace::new(life, EVERY);
        while pace.next().await {
            match self.round().await {
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
    async fn round(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let saved = self.queue.save_seen().await;
        let before = now.saturating_sub(self.keep).unwrap_or(Timestamp::MIN);
        let purged = self.store.purge(before, PURGE_PER_ROUND).await;
        let of_use = now.saturating_sub(CHARGES_KEEP).unwrap_or(Timestamp::MIN)
            ..now.saturating_add(CHARGES_KEEP).unwrap_or(Timestamp::MAX);
        let forgotten = self.store.forget_charges(of_use, CHARGES_PER_ROUND).await;
        saved.and(forgotten).and(purged)
    }
}
