//! What an earlier process left: a look at every scheduled alert, once, the earliest due first, a few between two
//! steps. An alert with requests of that process under way, or that a clock which ran ahead has dated, is made due
//! now, and planning sets it right. Nobody would look at the latter for hours.

use tracing::{error, warn};

use super::Dispatcher;
use crate::{
    plan::{is_misdated, is_orphaned},
    queue::write_of,
    store::{AlertWrite, DuePlace, Expect, Lane, StoreError, Stored},
};

/// Alerts looked at between two steps.
const LOOKED_AT_PER_STEP: usize = 256;

/// How far that look has come.
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
                writes.push(write_of(alert, Expect::Version(version), Some(now)));
            }
        }
        if !writes.is_empty() {
            // A conflict: whoever was faster has planned it, or made it due.
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
