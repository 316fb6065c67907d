//! An open alert that nobody knows of and nobody has is not given up: whoever every channel has failed for is tried
//! again and again; and for a day where it is over.

use jiff::SignedDuration;

use super::{
    GIVE_UP_AFTER, Rules, audience, notification,
    present::{Facts, Present},
    text,
};
use crate::{
    alert::{Alert, AlertState, Milestone, Notification, Progress, Subject, Taken, Texted},
    roster::Person,
};

/// The longest pause of what is tried more and more seldom.
const SELDOM: SignedDuration = SignedDuration::from_hours(1);

/// Somebody knows of it from now on: what still tells the others lives as long as if it had just begun.
pub(super) fn give_time_to_the_others(facts: Facts<'_>, was_unheard: bool, progress: &mut Progress) {
    if was_unheard && facts.is_heard(progress) {
        progress.notified_at = progress.notified_at.and(Some(facts.now()));
        for one in progress.contacts.values_mut().flat_map(|contact| &mut contact.notifications) {
            one.since = facts.now();
        }
    }
}

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
    let mut left = to_be_told(facts, progress);
    left.retain(|person| (is_time || is_new(person)) && is_left_alone(facts, progress, person));
    if is_time && !left.is_empty() && facts.is_unheard() {
        // Whoever it is not for may be told by now whom it did not reach.
        let audience = audience::of(facts);
        for (name, contact) in &mut progress.contacts {
            if !audience::contains(&audience, name) {
                contact.unreachable = None;
            }
        }
    }
    for person in &left {
        let contact = progress.contacts.entry(person.name.clone()).or_default();
        if let Some(one) = contact.notifications.iter_mut().find(|one| lacks_a_road(facts, person, one)) {
            notification::renew(facts, person, one, None);
        } else {
            let subject = if facts.alert.digest.is_some() {
                Subject::Digest
            } else if facts.is(AlertState::Resolved) {
                Subject::Missed
            } else {
                notification::news(facts, contact)
            };
            let again = notification::begin_again(facts, person, subject, contact);
            contact.notifications.push(again);
        }
    }
    !left.is_empty()
}

/// Whoever nothing more is tried for is tried again in `retry.max`.
pub(super) fn schedule(facts: Facts<'_>, progress: &mut Progress) {
    let is_needed =
        to_be_told(facts, progress).into_iter().any(|person| is_left_alone(facts, progress, person));
    let planned = progress.again_at.filter(|at| facts.now() < *at);
    progress.again_at = is_needed
        .then(|| planned.unwrap_or_else(|| facts.after(pause(facts.alert, progress, facts.present))));
}

/// Before who was left alone is tried again. What is over is tried more and more seldom, and so is a digest whose texts a
/// gateway takes, which are paid for though they do not arrive, and which no budget holds back.
pub(super) fn pause(alert: &Alert, progress: &Progress, present: &Present<'_>) -> SignedDuration {
    let shortest = present.rules.backoff.longest();
    let is_paid_for = progress.contacts.values().any(|contact| contact.texted != Texted::No);
    let since = match (&alert.digest, &alert.resolved) {
        (Some(digest), _) if is_paid_for => digest.due_at,
        (None, Some(end)) => end.at,
        _ => return shortest,
    };
    (present.now.duration_since(since) / 4).min(SELDOM).max(shortest)
}

/// As [`pause`], at most.
pub(super) fn pause_max(alert: &Alert, rules: &Rules) -> SignedDuration {
    let longest = rules.backoff.longest();
    let may_be_seldom = alert.digest.is_some() || alert.state == AlertState::Resolved;
    if may_be_seldom { longest.max(SELDOM) } else { longest }
}

/// Nobody, once somebody knows.
fn to_be_told<'a>(facts: Facts<'a>, progress: &Progress) -> Vec<&'a Person> {
    let is_unheard =
        facts.is_unheard() && facts.is_worth_telling() && progress.planned.contains(&Milestone::Opened);
    if is_unheard {
        audience::of(facts)
    } else if ended_unheard(facts, progress) {
        let known = |person: &&Person| progress.contacts.get(&person.name);
        let is_owed = |person: &&Person| known(person).is_some_and(|known| !known.others.are_told());
        facts.present.people.iter().filter(is_owed).collect()
    } else {
        Vec::new()
    }
}

/// It fired and was over before anybody had it or heard of it, and no later round tells of it.
fn ended_unheard(facts: Facts<'_>, progress: &Progress) -> bool {
    let Some(end) = &facts.alert.resolved else { return false };
    progress.planned.contains(&Milestone::Resolved)
        && facts.alert.digest.is_none()
        && !facts.is_test()
        && !facts.heard
        && matches!(facts.taken, None | Some(Taken::Outgrown))
        && (facts.alert.openings.tells_itself() || facts.is_last_word)
        && facts.now().duration_since(end.at) < GIVE_UP_AFTER
}

/// Nothing more is tried for this person, or not by every road.
fn is_left_alone(facts: Facts<'_>, progress: &Progress, person: &Person) -> bool {
    progress.contacts.get(&person.name).is_none_or(|contact| {
        contact.is_idle() || contact.notifications.iter().any(|one| lacks_a_road(facts, person, one))
    })
}

/// A road that its contact has is closed.
fn lacks_a_road(facts: Facts<'_>, person: &Person, one: &Notification) -> bool {
    let is_about_alert = !matches!(one.subject, Subject::Unreachable { .. });
    let mut renewed = one.clone();
    notification::renew(facts, person, &mut renewed, None);
    is_about_alert && one.is_on_its_way() && renewed != *one
}
