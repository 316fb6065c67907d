//! Reading the documents that the schedule names.

use jiff::Timestamp;

use super::document::Reader;
use crate::store::{Due, Place, StoreError, Stored, codec::Header, schedule::Entry};

impl Reader {
    /// What is to be read of these, which are due. A row may lag behind its document: then it is early, and planned as it is.
    pub(super) fn due(&self, places: &[Place]) -> Result<Due, StoreError> {
        let mut due = Due::default();
        for place in places {
            let id = place.id;
            match self.alert_with_header(id) {
                Ok(Some((header, stored))) => {
                    due.alerts.extend(self.true_place(*place, header).is_some().then_some(stored));
                }
                Ok(None) => {
                    self.shared.note_damaged(id, "it has a due time and no document");
                    due.unreadable.push(id);
                }
                Err(StoreError::Damaged(_)) => due.unreadable.push(id),
                Err(error) => return Err(error),
            }
        }
        Ok(due)
    }

    /// Where a document with this header has its alert, which the schedule has here.
    fn true_place(&self, place: Place, header: Header) -> Option<Place> {
        let truly = Place::of(place.id, header);
        if truly != Some(place) {
            self.shared.schedule().correct(place, Entry::by_header(place.id, Some(header)));
        }
        truly
    }

    /// What can be read of these, with their due times.
    pub(super) fn placed(&self, places: &[Place]) -> Result<Vec<(Timestamp, Stored)>, StoreError> {
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            match self.alert_with_header(place.id) {
                Ok(Some((header, stored))) => {
                    found.extend(self.true_place(*place, header).map(|truly| (truly.due(), stored)));
                }
                Ok(None) | Err(StoreError::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}
