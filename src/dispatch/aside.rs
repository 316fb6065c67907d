//! Alerts that are left alone for a while: they could not be read or written, or dispatch has failed while it worked on
//! one. Outlives a dispatcher that fails.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use crate::alert::AlertId;

/// For so long.
pub(super) const LEFT_FOR: SignedDuration = SignedDuration::from_secs(30);

#[derive(Debug, Default)]
pub struct Aside(Mutex<Left>);

#[derive(Debug, Default)]
struct Left {
    until: HashMap<AlertId, Timestamp>,
    /// What is worked on.
    in_hand: Vec<AlertId>,
}

impl Aside {
    pub(super) fn leave(&self, id: AlertId, now: Timestamp) {
        self.left().until.insert(id, until(now));
    }

    pub(super) fn take_in_hand(&self, ids: Vec<AlertId>) {
        self.left().in_hand = ids;
    }

    pub(super) fn lay_down(&self) {
        self.left().in_hand.clear();
    }

    /// Dispatch has failed. Of several that it worked on nobody knows which it failed on: then each is tried by itself.
    pub(super) fn failed(&self, now: Timestamp) {
        let mut left = self.left();
        if let [id] = *std::mem::take(&mut left.in_hand) {
            left.until.insert(id, until(now));
        }
    }

    /// Those that are left alone no longer.
    pub(super) fn tried_again(&self, now: Timestamp) -> Vec<AlertId> {
        self.left().until.extract_if(|_, until| *until <= now).map(|(id, _)| id).collect()
    }

    /// Those that are left alone, and when the next of them is tried again.
    pub(super) fn now(&self) -> (HashSet<AlertId>, Option<Timestamp>) {
        let until = &self.left().until;
        (until.keys().copied().collect(), until.values().min().copied())
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        // Each method leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn until(now: Timestamp) -> Timestamp {
    now.saturating_add(LEFT_FOR).unwrap_or(Timestamp::MAX)
}
