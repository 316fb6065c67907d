//! When an event was last refused: until then nobody could tell us that anything goes on.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::clock::Clock;

pub(super) struct Refused {
    clock: Arc<dyn Clock>,
    last: Mutex<Option<Timestamp>>,
}

/// Something that a sender says: unless it is taken in the end, its sender was refused, or has gone away.
pub struct Taking<'a> {
    refused: &'a Refused,
    is_taken: bool,
}

impl Refused {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, last: Mutex::default() }
    }

    pub(super) fn last(&self) -> Option<Timestamp> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn unless_taken(&self) -> Taking<'_> {
        Taking { refused: self, is_taken: false }
    }
}

impl Taking<'_> {
    /// What came of it, which is an answer if it is `Ok`.
    pub fn answered<T, E>(mut self, answer: Result<T, E>) -> Result<T, E> {
        self.is_taken = answer.is_ok();
        answer
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        if !self.is_taken {
            let now = self.refused.clock.now();
            *self.refused.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
    }
}
