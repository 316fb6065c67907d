//! Our own health, as far as it is in memory: alerts of which nobody could be notified, and storms. `/readyz` shows
//! it.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::Serialize;

use crate::alert::{Alert, AlertId};

/// Most alerts remembered as unreached; beyond this the count no longer rises.
const UNREACHED_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub struct Vitals {
    /// Alerts for which [`Alert::reaches_nobody`](crate::alert::Alert::reaches_nobody) holds, as they were last planned.
    unreached: Mutex<BTreeSet<AlertId>>,
    storm: Mutex<StormStatus>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct StormStatus {
    pub contacts: usize,
    pub since: Option<Timestamp>,
}

impl Vitals {
    /// Remembers an alert that reaches no contact, forgets one that does.
    pub fn note(&self, alert: &Alert, now: Timestamp) {
        let mut unreached = lock(&self.unreached);
        if !alert.reaches_nobody(now) {
            unreached.remove(&alert.id);
        } else if unreached.len() < UNREACHED_MAX {
            unreached.insert(alert.id);
        }
    }

    pub fn unreached(&self) -> usize {
        lock(&self.unreached).len()
    }

    pub fn show_storm(&self, storm: StormStatus) {
        *lock(&self.storm) = storm;
    }

    pub fn storm(&self) -> StormStatus {
        *lock(&self.storm)
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
