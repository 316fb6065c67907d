//! Saves counts, and removes what is not needed any more.

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::pace::Pace;
use crate::{api::Context, store::StoreError};

/// How often.
pub(super) const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Most alerts removed in one round.
const PURGE_PER_ROUND: usize = 1_000;

/// Charges are of use for so long: the longest window that a budget may have, and a day. Those dated further
/// ahead than that are of a clock that ran ahead, and would count at every start.
const CHARGES_KEEP: SignedDuration = SignedDuration::from_hours(24 * 32);

/// Most charges forgotten in one round.
const CHARGES_PER_ROUND: usize = 500;

/// Runs until the pace is stopped; alerts resolved for longer than `keep` are removed.
pub(super) async fn tidy(context: Context, keep: SignedDuration, mut pace: Pace) {
    while pace.next().await {
        match round(&context, keep).await {
            Ok(0) => {}
            Ok(purged) => info!(purged, "removed {purged} alerts older than store.keep"),
            Err(error) => warn!(error = %error, "could not tidy up: {error}"),
        }
    }
    // Nothing that scans: the store is about to be closed, and a scan would hold it open.
    if let Err(error) = context.queue.save_seen().await {
        warn!(error = %error, "could not save counts: {error}");
    }
}

/// How many alerts were removed. What fails keeps nothing else from being done.
async fn round(context: &Context, keep: SignedDuration) -> Result<usize, StoreError> {
    let (store, now) = (context.queue.store(), context.clock.now());
    let saved = context.queue.save_seen().await;
    let before = now.saturating_sub(keep).unwrap_or(Timestamp::MIN);
    let purged = store.purge(before, PURGE_PER_ROUND).await;
    let of_use = now.saturating_sub(CHARGES_KEEP).unwrap_or(Timestamp::MIN)
        ..now.saturating_add(CHARGES_KEEP).unwrap_or(Timestamp::MAX);
    let forgotten = store.forget_charges(of_use, CHARGES_PER_ROUND).await;
    saved.and(forgotten).and(purged)
}
