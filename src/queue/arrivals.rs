//! New alerts in memory, as they are being written: dispatch need not read them again once they are there.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{alert::AlertId, store::Stored};

/// Most alerts kept; one more takes the place of the oldest. Dispatch is behind then, and reads them.
const ARRIVALS_MAX: usize = 512;

/// That a document is here says nothing of whether it was written: it counts for what is due only.
#[derive(Debug, Default)]
pub struct Arrivals(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    alerts: HashMap<AlertId, Stored>,
    /// Whether or not they are still here.
    order: VecDeque<AlertId>,
}

impl Arrivals {
    pub(super) fn put(&self, stored: Stored) {
        let mut kept = self.kept();
        let id = stored.alert.id;
        kept.order.push_back(id);
        kept.alerts.insert(id, stored);
        while ARRIVALS_MAX < kept.order.len() {
            if let Some(oldest) = kept.order.pop_front() {
                kept.alerts.remove(&oldest);
            }
        }
    }

    pub fn has(&self, id: AlertId) -> bool {
        self.kept().alerts.contains_key(&id)
    }

    pub fn take(&self, id: AlertId) -> Option<Stored> {
        self.kept().alerts.remove(&id)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Each method leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
