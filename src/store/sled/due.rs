//! Reading the documents that the schedule names.

use jiff::Timestamp;

use super::{document::Reader, handle::guarded};
use crate::{
    alert::AlertId,
    store::{Due, Place, StoreError, Stored, codec, schedule::Entry},
};

impl Reader {
    /// Those of these alerts that are due at `now`.
    pub(super) fn due(&self, ids: &[AlertId], now: Timestamp) -> Result<Due, StoreError> {
        let mut due = Due::default();
        for id in ids {
            match guarded(|| self.document(*id)) {
                Ok(Some((header, stored))) => {
                    let is_due = header.due_ms.is_some_and(|due_ms| codec::due_at(due_ms) <= now);
                    if is_due {
                        due.alerts.push(stored);
                    } else {
                        // It was written since the schedule was read, or its row was not written with it.
                        let place = Entry::by_header(*id, Some(header));
                        self.shared.schedule().put_anywhere(*id, place);
                    }
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
