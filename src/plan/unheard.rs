//! An open alert that nobody knows of and nobody has is not given up: whoever every channel has failed for is tried
//! again and again.

use super::{audience, notification, present::Facts, text};
use crate::{
    alert::{ContactProgress, Milestone, Notification, Progress, Subject, TextState},
    roster::Person,
};

/// However patient a provider wants us to be, what is under way is tried again in `retry.max`.
pub(super) fn hurry(facts: Facts<'_>, progress: &mut Progress) {
    if !facts.is_unheard() {
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

/// Tries those again for whom nothing more is tried, once it is time; whoever was not there when it opened, at once.
/// True if something began.
pub(super) fn try_again(facts: Facts<'_>, progress: &mut Progress) -> bool {
    let is_time = progress.again_at.is_some_and(|at| at <= facts.now());
    let is_new = |person: &&Person| !progress.contacts.contains_key(&person.name);
    let mut left = left_alone(facts, progress);
    left.retain(|person| is_time || is_new(person));
    for person in &left {
        let contact = progress.contacts.entry(person.name.clone()).or_default();
        let texted = contact.texted;
        if let Some(one) = contact.notifications.iter_mut().find(|one| is_without_its_text(one)) {
            one.text = text::begin(facts, person, &one.subject, texted);
        } else {
            let subject = if facts.alert.digest.is_some() { Subject::Digest } else { Subject::Opened };
            let again = notification::begin_again(facts, person, subject, contact);
            contact.notifications.push(again);
        }
    }
    !left.is_empty()
}

/// Whoever nothing more is tried for is tried again in `retry.max`.
pub(super) fn schedule(facts: Facts<'_>, progress: &mut Progress) {
    let is_needed = !left_alone(facts, progress).is_empty();
    let planned = progress.again_at.filter(|at| facts.now() < *at);
    progress.again_at =
        is_needed.then(|| planned.unwrap_or_else(|| facts.after(facts.rules().backoff.longest())));
}

/// Those for whom nothing more is tried, or no text, while nobody knows.
fn left_alone<'a>(facts: Facts<'a>, progress: &Progress) -> Vec<&'a Person> {
    let is_unheard =
        facts.is_unheard() && facts.is_worth_telling() && progress.planned.contains(&Milestone::Opened);
    if !is_unheard {
        return Vec::new();
    }
    let is_left_alone = |contact: &ContactProgress| {
        contact.is_idle() || contact.notifications.iter().any(is_without_its_text)
    };
    let is_left_alone = |person: &&Person| progress.contacts.get(&person.name).is_none_or(is_left_alone);
    audience::of(facts).into_iter().filter(is_left_alone).collect()
}

/// Every gateway refused its text, and its push waits.
fn is_without_its_text(one: &Notification) -> bool {
    let is_about_alert = !matches!(one.subject, Subject::Unreachable { .. });
    is_about_alert && !one.replaced && matches!(one.text, TextState::Failed { .. })
}
