//! Who knows of an alert, of those who are there.

use crate::{
    alert::{Alert, AlertState, Milestone, Notification, Progress},
    roster::{self, Person},
};

/// Who has left is no part of it any more, once nothing to them is under way: what only they know nobody knows.
pub(super) fn forget_who_left(progress: &mut Progress, people: &[Person]) {
    progress.contacts.retain(|name, contact| {
        let mut open = contact.notifications.iter().flat_map(Notification::open);
        roster::find(people, name).is_some() || open.any(|(state, _)| state.is_in_flight())
    });
}

/// It is open, and whoever was notified of it is not there any more, or has not heard.
pub fn is_unheard(alert: &Alert, people: &[Person]) -> bool {
    let is_there = |name| roster::find(people, name).is_some();
    let contacts = &alert.progress.contacts;
    alert.state == AlertState::Triggered
        && alert.progress.planned.contains(&Milestone::Opened)
        && !contacts.iter().any(|(name, contact)| contact.has_heard() && is_there(name))
}
