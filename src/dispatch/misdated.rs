//! A look at every scheduled alert, once after the start, a few between two steps: what a clock that ran ahead
//! has dated is made due now, and planning pulls it back. Otherwise nobody would look at it for hours.

use tracing::{error, warn};

use super::Dispatcher;
use crate::{
    plan::is_misdated,
    queue::{commit, write_of},
    store::{AlertWrite, DuePlace, Expect, Lane, StoreError, Stored},
};

/// Alerts looked at between two steps.
const LOOKED_AT_PER_STEP: usize = 256;

/// How far that look has come.
#[derive(Debug, Default)]
pub(super) struct Look {
    after: Option<DuePlace>,
    found: usize,
}

impl Dispatcher {
    /// Looks at the next few; again at the same ones if the store was not available. A damaged store must not keep
    /// what it can still read from being told.
    pub(super) async fn look_for_misdated(&mut self) -> Result<(), StoreError> {
        let looked = self.look_at_next().await;
        if let Err(error @ StoreError::Damaged(_)) = looked {
            error!(error = %error, "could not look for alerts that wait for times too far ahead: {error}");
            self.look = None;
            return Ok(());
        }
        looked
    }

    async fn look_at_next(&mut self) -> Result<(), StoreError> {
        let Some(Look { after, found }) = self.look else { return Ok(()) };
        let page = self.store.scheduled(after, LOOKED_AT_PER_STEP).await?;
        // After it was read: what was accepted meanwhile is not of the future.
        let now = self.clock.now();
        let misdated = page
            .alerts
            .into_iter()
            .filter(|(due, stored)| is_misdated(&stored.alert, *due, &self.rules, now));
        let mut writes: Vec<AlertWrite> = misdated
            .map(|(_, Stored { alert, version })| write_of(alert, Expect::Version(version), Some(now)))
            .collect();
        if !writes.is_empty() {
            // A conflict: whoever was faster has planned it, or made it due.
            commit(self.store.as_ref(), Lane::Deliver, &mut writes).await?;
        }
        let found = found + writes.len();
        self.look = page.next.map(|next| Look { after: Some(next), found });
        if self.look.is_none() && 0 < found {
            warn!(
                found,
                "{found} alerts waited for times too far ahead: the system clock was ahead when they were planned, \
                 they go on now"
            );
        }
        Ok(())
    }
}
