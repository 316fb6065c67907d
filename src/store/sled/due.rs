//! Reading the documents that the schedule names.

use jiff::Timestamp;

use super::{document::Reader, handle::guarded};
use crate::{
    alert::AlertId,
    store::{Due, Place, StoreError, Stored, schedule::Entry},
};

impl Reader {
    /// What is to be read of these, which are due. A row may lag behind its document: then it is early, and planned as it is.
    pub(super) fn due(&self, places: &[Place]) -> Result<Due, StoreError> {
        let mut due = Due::default();
        for place in places {
            let id = place.id;
            match guarded(|| self.document(id)) {
                Ok(Some((header, stored))) => {
                    let truly = Place::of(id, header);
                    if truly != Some(*place) {
                        let entry = Entry::by_header(id, Some(header));
                        self.shared.schedule().put(Some(*place), entry);
                    }
                    due.alerts.extend(truly.is_some().then_some(stored));
                }
                Ok(None) => self.miss(id, "it has a due time and no document", &mut due),
                Err(StoreError::Damaged(detail)) => self.miss(id, &detail, &mut due),
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
