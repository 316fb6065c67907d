//! An open alert that nobody knows of and nobody has is not given up: whoever every channel has failed for is tried
//! again and again.

use super::{audience, notification, present::Facts, text};
use crate::{
    alert::{ContactProgress, Milestone, Progress, Subject},
    roster::Person,
};

/// However patient a provider wants us to be, what is under way is tried again in `retry.max`.
pub(super) fn hurry(facts: Facts<'_>, progress: &mut Progress) {
    if !facts.unheard {
        return;
    }
    let latest = facts.after(facts.rules().backoff.longest());
    for one in progress.contacts.values_mut().flat_map(|contact| &mut contact.notifications) {
        for push in &mut one.push.open {
            push.state.hasten(latest);
        }
        text::hasten(&mut one.text, latest);
    }
}

/// Tries those again for whom nothing is under way, once it is time. True if new notifications began.
pub(super) fn try_again(facts: Facts<'_>, progress: &mut Progress) -> bool {
    if progress.again_at.is_none_or(|at| facts.now() < at) {
        return false;
    }
    let subject = if facts.alert.digest.is_some() { Subject::Digest } else { Subject::Opened };
    let idle = idle(facts, progress);
    for person in &idle {
        let contact = progress.contacts.entry(person.name.clone()).or_default();
        let again = notification::begin_again(facts, person, subject.clone(), contact);
        contact.notifications.push(again);
    }
    !idle.is_empty()
}

/// Whoever nothing is under way for is tried again in `retry.max`.
pub(super) fn schedule(facts: Facts<'_>, progress: &mut Progress) {
    let is_needed = !idle(facts, progress).is_empty();
    let planned = progress.again_at.filter(|at| facts.now() < *at);
    progress.again_at =
        is_needed.then(|| planned.unwrap_or_else(|| facts.after(facts.rules().backoff.longest())));
}

/// Those for whom nothing is under way, while nobody knows.
fn idle<'a>(facts: Facts<'a>, progress: &Progress) -> Vec<&'a Person> {
    let is_unheard =
        facts.unheard && facts.is_worth_telling() && progress.planned.contains(&Milestone::Opened);
    if !is_unheard {
        return Vec::new();
    }
    let is_idle = |person: &&Person| progress.contacts.get(&person.name).is_none_or(ContactProgress::is_idle);
    audience::of(facts).into_iter().filter(is_idle).collect()
}
