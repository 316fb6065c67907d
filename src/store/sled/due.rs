//! Reading the documents that the schedule names.

use jiff::Timestamp;

use super::{document::Reader, handle::guarded};
use crate::{
    alert::AlertId,
    store::{Due, Place, StoreError, Stored, codec},
};

impl Reader {
    /// Those of these alerts that are due at `now`.
    pub(super) fn due(&self, ids: &[AlertId], now: Timestamp) -> Result<Due, StoreError> {
        let mut due = Due::default();
        for id in ids {
            match guarded(|| self.document(*id)) {
                Ok(Some((header, stored))) => {
                    // It may have been written since the schedule was read.
                    let is_due = header.due_ms.is_some_and(|due_ms| codec::due_at(due_ms) <= now);
                    due.alerts.extend(is_due.then_some(stored));
                }
                Ok(None) => self.miss(*id, "it has a due time and no document", &mut due),
                Err(StoreError::Damaged(detail)) => self.miss(*id, &detail, &mut due),
                Err(error) => return Err(error),
            }
        }
        Ok(due)
    }

    fn miss(&self, id: AlertId, detail: &str, due: &mut Due) {
        self.shared.note_damaged(id, detail);
        due.unreadable.push(id);
    }

    /// What is to be read of these, with their due times.
    pub(super) fn placed(&self, places: &[Place]) -> Result<Vec<(Timestamp, Stored)>, StoreError> {
        let read = |place: &Place| {
            let stored = self.readable(place.id).transpose()?;
            Some(stored.map(|stored| (place.due(), stored)))
        };
        places.iter().filter_map(read).collect()
    }
}
