//! Who knows of an alert, of those who are there.

use crate::{
    alert::{Alert, AlertState, Milestone, Progress},
    roster::{self, Person},
};

/// One of them knows of it for certain, or is told by a digest.
pub(super) fn by_any_of(progress: &Progress, people: &[Person]) -> bool {
    let is_there = |name| roster::find(people, name).is_some();
    progress.contacts.iter().any(|(name, contact)| contact.has_heard() && is_there(name))
}

/// It is open, and whoever was notified of it is not there any more, or has not heard.
pub fn is_unheard(alert: &Alert, people: &[Person]) -> bool {
    alert.state == AlertState::Triggered
        && alert.progress.planned.contains(&Milestone::Opened)
        && !by_any_of(&alert.progress, people)
}
