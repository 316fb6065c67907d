//! An end that is in doubt is decided at its time, if no event has decided it before.

use super::{Poster, Queue};
use crate::{
    alert::{Alert, Event, KeptEvent},
    store::{Lane, StoreError},
};

impl Queue {
    /// Admits once more what fires after the end of this alert, if that is still its last round, and still in doubt. To
    /// be called when the doubt ends ([`Alert::doubt_ends_at`]); calling it again does nothing.
    pub async fn end_doubt(&self, over: &Alert) -> Result<(), StoreError> {
        let latest = match self.store.find_threads(vec![over.thread()]).await {
            // It is another round, for this one was just read.
            Err(StoreError::Damaged(_)) => return Ok(()),
            found => found?.pop().flatten(),
        };
        let doubt = latest.filter(|latest| latest.alert.id == over.id).and_then(|latest| latest.alert.doubt);
        let Some(KeptEvent { event, .. }) = doubt.as_deref() else { return Ok(()) };
        // It was kept with this.
        let close_after = event.expires_after.unwrap_or_default();
        let poster = Poster { integration: &over.integration, close_after };
        // That it fires was decided when it arrived.
        let fires = Event { holds_until: None, ..event.clone() };
        // The event was accepted long ago: there is room for it where new alerts are refused.
        self.admit_on(Lane::Deliver, poster, &[fires]).await.map(drop)
    }
}
