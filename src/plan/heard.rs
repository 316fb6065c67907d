//! Who knows of an alert, of those who are there.

use super::{
    audience,
    present::{Facts, Present},
};
use crate::{
    alert::{Alert, AlertState, Milestone, Progress, Taken},
    roster::{self, Person},
};

/// Who has left is no part of an alert any more, once nothing to them is under way: what only they know nobody knows,
/// while it is open. Where they did not know for certain, whoever came in their place is told, also of what is over.
pub(super) fn forget_who_left(facts: Facts<'_>, progress: &mut Progress) {
    let Facts { alert, taken, present: Present { people, .. }, .. } = facts;
    let (is_over, news) = (facts.is(AlertState::Resolved), alert.news(progress));
    let (mut left, mut is_owed) = (0, false);
    progress.contacts.retain(|name, contact| {
        let stays = roster::find(people, name).is_some()
            || contact.is_under_way()
            || (is_over && contact.knows(news));
        if !stays {
            is_owed |= contact.surely_heard_as() < Some(news);
            left += 1;
        }
        stays
    });
    // Nor does who has left know whom it did not reach.
    (0..left).for_each(|_| progress.untell_all());
    let is_free = alert.is_free_of(taken) || (is_over && matches!(taken, None | Some(Taken::Outgrown)));
    let is_told = alert.openings.tells_itself() && progress.planned.contains(&Milestone::Opened);
    if is_owed && is_free && is_told {
        for person in audience::among(people, alert) {
            progress.contacts.entry(person.name.clone()).or_default();
        }
    }
}

/// Whoever heard that it flaps has left, and nobody has it: it is news to those who are there.
pub(super) fn begin_anew_without_who_heard(alert: &mut Alert, people: &[Person]) {
    let heard_by = alert.openings.heard_by();
    let has_left = |name| roster::find(people, name).is_none();
    if alert.is_free() && !heard_by.is_empty() && heard_by.iter().all(has_left) {
        alert.openings.begin_anew();
    }
}

/// It is open, and whoever was notified of it is not there any more, or has not heard.
pub fn is_unheard(alert: &Alert, people: &[Person]) -> bool {
    let is_heard_here = || {
        let mut progress = alert.progress.clone();
        progress.contacts.retain(|name, _| roster::find(people, name).is_some());
        alert.is_heard_by(&progress)
    };
    alert.is_free_and_planned() && !is_heard_here()
}
