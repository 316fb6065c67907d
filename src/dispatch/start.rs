//! What an earlier process left: a look at every scheduled alert, once, the earliest due first, a few between two
//! steps. An alert with requests of that process under way, or that a clock which ran ahead has dated, is made due
//! now, and planning sets it right. Nobody would look at the latter for hours.

use jiff::Timestamp;
use tracing::{error, warn};

use super::Dispatcher;
use crate::{
    alert::{Alert, AlertState, Digest, OURS},
    plan::{Budgets, Opening, Rules, STORM_LASTS, is_misdated, is_orphaned},
    store::{AlertFilter, AlertWrite, DuePlace, Expect, Lane, Store, StoreError, Stored},
    watch::Vitals,
};

/// Alerts in a page that is read at start.
const PAGE: usize = 500;

/// Most pages of recent alerts of our own looked through for digests.
const DIGEST_PAGES_MAX: usize = 20;

/// Most pages of open alerts looked through for those that reached nobody; the others are noted when they are planned.
const UNREACHED_PAGES_MAX: usize = 20;

const LOOKED_AT_PER_STEP: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Look {
    after: Option<DuePlace>,
    misdated: usize,
}

impl Dispatcher {
    /// Looks at the next few; again at the same ones if the store was not available. A damaged store must not keep
    /// what it can still read from being told.
    pub(super) async fn look_at_what_was_left(&mut self) -> Result<(), StoreError> {
        let looked = self.look_at_next().await;
        if let Err(error @ StoreError::Damaged(_)) = looked {
            error!(error = %error, "could not look through what the last run left: {error}");
            self.look = None;
            return Ok(());
        }
        looked
    }

    async fn look_at_next(&mut self) -> Result<(), StoreError> {
        let Some(Look { after, mut misdated }) = self.look else { return Ok(()) };
        let page = self.store.scheduled(after, LOOKED_AT_PER_STEP).await?;
        // After it was read: what was accepted meanwhile is not of the future.
        let now = self.clock.now();
        let mut writes: Vec<AlertWrite> = Vec::new();
        for (due, Stored { alert, version }) in page.alerts {
            let is_ahead = is_misdated(&alert, due, &self.rules, now);
            misdated += usize::from(is_ahead);
            if is_ahead || (now < due && is_orphaned(&alert, &self.rules, self.running_since)) {
                writes.push(AlertWrite::of(alert, Expect::Version(version), Some(now)));
            }
        }
        if !writes.is_empty() {
            // A conflict: somebody else has planned it meanwhile, or made it due.
            self.store.commit(Lane::Deliver, &writes).await?;
        }
        self.look = page.next.map(|next| Look { after: Some(next), misdated });
        if self.look.is_none() && 0 < misdated {
            warn!(
                misdated,
                "{misdated} alerts waited for times too far ahead: the system clock was ahead when they were planned, \
                 they go on now"
            );
        }
        Ok(())
    }
}

/// What the store knows of earlier spending and of digests that collect.
pub(super) async fn restore(store: &dyn Store, rules: &Rules, now: Timestamp) -> Result<Budgets, StoreError> {
    let mut budgets = Budgets::new(rules);
    let since = now.saturating_sub(budgets.counts_for()).unwrap_or(Timestamp::MIN);
    let mut charges = store.charges(since).await?;
    for charge in &mut charges {
        // A clock that was ahead must not use up the budgets until its time has come.
        charge.at = charge.at.min(now);
    }
    budgets.spend(&charges);

    let since = now.saturating_sub(STORM_LASTS).unwrap_or(Timestamp::MIN);
    let mut filter = AlertFilter {
        integration: Some(OURS.to_owned()),
        since: Some(since),
        limit: PAGE,
        ..AlertFilter::default()
    };
    for _ in 0..DIGEST_PAGES_MAX {
        let page = store.list(&filter).await?;
        for stored in page.alerts {
            let Alert { id, opened_at, digest: Some(digest), .. } = stored.alert else { continue };
            let Digest { contact, tier, due_at, counted } = digest;
            if let Some(counted) = counted {
                budgets.remember_counted(&contact, tier, due_at);
                if 0 < counted.total() {
                    budgets.storm(&contact, counted.until.min(now));
                }
            } else {
                budgets.storm(&contact, opened_at.min(now));
                let alerts = match store.folds(id).await {
                    // They are counted, or not, when it is due.
                    Err(error @ StoreError::Damaged(_)) => {
                        error!(alert.id = %id, "could not read what digest {id} counts so far: {error}");
                        0
                    }
                    folds => folds?.len(),
                };
                budgets.resume(&Opening { id, contact, tier, due_at }, alerts);
            }
        }
        let Some(next) = page.next else { break };
        filter.cursor = Some(next);
    }
    Ok(budgets)
}

/// Alerts that reached nobody before this process began: `/readyz` has to know before it answers.
pub(super) async fn find_unreached(
    store: &dyn Store,
    vitals: &Vitals,
    now: Timestamp,
) -> Result<(), StoreError> {
    let states = vec![AlertState::Triggered, AlertState::Acknowledged];
    let mut filter = AlertFilter { states, limit: PAGE, ..AlertFilter::default() };
    for _ in 0..UNREACHED_PAGES_MAX {
        let page = store.list(&filter).await?;
        for stored in &page.alerts {
            vitals.note(&stored.alert, now);
        }
        let Some(next) = page.next else { break };
        filter.cursor = Some(next);
    }
    Ok(())
}
