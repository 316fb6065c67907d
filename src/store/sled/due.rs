//! Reading the due index: what is due, what is due next, what is scheduled at all.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{document::Reader, handle::guarded, keys, shared::Shared, walk::Order};
use crate::{
    alert::AlertId,
    store::{Claimed, DuePage, DuePlace, StoreError, codec},
};

/// Alerts that are claimed for whoever keeps them; dropped before, they are released: its caller has stopped waiting.
pub(super) struct Claiming {
    claimed: Claimed,
    shared: Arc<Shared>,
}

impl Claiming {
    pub(super) fn keep(mut self) -> Claimed {
        std::mem::take(&mut self.claimed)
    }
}

impl Drop for Claiming {
    fn drop(&mut self) {
        let Claimed { alerts, unreadable } = &self.claimed;
        let claimed: Vec<&AlertId> = alerts.iter().map(|stored| &stored.alert.id).chain(unreadable).collect();
        if !claimed.is_empty() {
            self.shared.release(claimed);
        }
    }
}

impl Reader {
    pub(super) fn claim_due(
        &self,
        now: Timestamp,
        limit: usize,
        lease: SignedDuration,
    ) -> Result<Claiming, StoreError> {
        let end = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
        let now_ms = u64::try_from(now.as_millisecond()).unwrap_or(0);
        self.shared.claims().expire(now);
        let mut claiming = Claiming { claimed: Claimed::default(), shared: Arc::clone(&self.shared) };
        for entry in self.walk(keys::DUES.to_vec()..keys::dues_after(now_ms).to_vec(), Order::Ascending) {
            if claiming.claimed.alerts.len() == limit {
                break;
            }
            if let Some((_, id)) = keys::due_of(&entry?.0) {
                self.claim(id, now_ms, end, &mut claiming.claimed)?;
            }
        }
        Ok(claiming)
    }

    /// Claims an alert with a due entry, unless it is claimed.
    fn claim(
        &self,
        id: AlertId,
        now_ms: u64,
        end: Timestamp,
        claimed: &mut Claimed,
    ) -> Result<(), StoreError> {
        if !self.shared.claims().take(id, end) {
            return Ok(());
        }
        let read = guarded(|| match self.first_value(id)? {
            Some(first) => self.document(id, first),
            None => Err(StoreError::Damaged("it has a due time and no document".to_owned())),
        });
        match read {
            Ok(Some((header, stored))) if header.due_ms.is_some_and(|due_ms| due_ms <= now_ms) => {
                claimed.alerts.push(stored);
                Ok(())
            }
            Ok(_) => {
                // Its due time moved between the look at the index and the claim.
                self.shared.release([&id]);
                Ok(())
            }
            // What cannot be read stays claimed until the lease ends: it must not keep the others from
            // being told, nor wake dispatch in a loop.
            Err(StoreError::Damaged(detail)) => {
                self.shared.note_damaged(id, &detail);
                claimed.unreadable.push(id);
                Ok(())
            }
            Err(error) => {
                self.shared.claims().release([&id]);
                Err(error)
            }
        }
    }

    pub(super) fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut earliest: Option<Timestamp> = None;
        for entry in self.walk(keys::beginning_with(keys::DUES), Order::Ascending) {
            let Some((due_ms, id)) = keys::due_of(&entry?.0) else { continue };
            let due = codec::due_at(due_ms);
            if earliest.is_some_and(|earliest| earliest <= due) {
                break;
            }
            let claimable = self.shared.claims().claimable_at(id, due);
            earliest = Some(earliest.map_or(claimable, |earliest| earliest.min(claimable)));
        }
        Ok(earliest)
    }

    pub(super) fn waiting_since(&self) -> Result<Option<Timestamp>, StoreError> {
        for entry in self.walk(keys::beginning_with(keys::DUES), Order::Ascending) {
            if let Some((due_ms, id)) = keys::due_of(&entry?.0)
                && !self.shared.damage.has_alert(id)
            {
                return Ok(Some(codec::due_at(due_ms)));
            }
        }
        Ok(None)
    }

    /// Looks at up to `limit` alerts of the due index above `after`.
    pub(super) fn scheduled(&self, after: Option<DuePlace>, limit: usize) -> Result<DuePage, StoreError> {
        let mut dues = keys::beginning_with(keys::DUES);
        if let Some(after) = after {
            dues.start = keys::above(&keys::due(after.due_ms, after.id));
        }
        let mut page = DuePage::default();
        for (looked, entry) in self.walk(dues, Order::Ascending).enumerate() {
            if looked == limit {
                return Ok(page);
            }
            let Some((due_ms, id)) = keys::due_of(&entry?.0) else { continue };
            page.next = Some(DuePlace { due_ms, id });
            page.alerts.extend(self.readable(id)?.map(|stored| (codec::due_at(due_ms), stored)));
        }
        page.next = None;
        Ok(page)
    }
}
