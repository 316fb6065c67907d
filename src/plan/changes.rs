//! What a change of the alert (opened, raised, acknowledged, resolved) begins and ends.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{audience, conversation, fold, notification, output::Draft, present::Facts, push, text};
use crate::{
    alert::{
        Alert, AlertState, ContactProgress, Conversation, Milestone, Notification, Notified, Progress,
        STABLE_AFTER, Subject,
    },
    roster,
};

/// Compares the alert with what has been planned so far, and plans what is new.
pub(super) fn apply(draft: &mut Draft<'_>, conversation: &mut Conversation, progress: &mut Progress) {
    let Facts { alert, .. } = draft.facts;
    if alert.openings.superseded && draft.facts.is(AlertState::Resolved) {
        return let_go(draft, conversation, progress);
    }
    if quiet_until(alert, &progress.planned).is_some_and(|until| draft.facts.now() < until) {
        return;
    }
    if progress.planned.insert(Milestone::Opened) {
        open(draft.facts, conversation, progress);
    }
    match alert.state {
        AlertState::Noted => {}
        AlertState::Triggered => {
            conversation::resume(draft.facts, progress);
            raise(draft, conversation, progress);
            conversation::repeat(draft, conversation, progress);
        }
        AlertState::Acknowledged => {
            raise(draft, conversation, progress);
            conversation::cut_back(draft, progress);
        }
        AlertState::Resolved => resolve(draft, conversation, progress),
    }
}

/// Until when nothing new is told because it comes and goes: how it stands is told when it is stable.
pub(super) fn quiet_until(alert: &Alert, planned: &BTreeSet<Milestone>) -> Option<Timestamp> {
    alert.openings.flapping()?;
    let since = match (alert.state, &alert.resolved) {
        (AlertState::Resolved, Some(resolution)) if !planned.contains(&Milestone::Resolved) => resolution.at,
        (AlertState::Triggered | AlertState::Acknowledged, _)
            if alert.openings.is_quiet(alert.severity) && !planned.contains(&Milestone::Opened) =>
        {
            alert.opened_at
        }
        _ => return None,
    };
    Some(since.saturating_add(STABLE_AFTER).unwrap_or(Timestamp::MAX))
}

/// It fires again: the new round tells what there is to tell.
fn let_go(draft: &mut Draft<'_>, conversation: &mut Conversation, progress: &mut Progress) {
    progress.planned.extend([Milestone::Opened, Milestone::Resolved]);
    conversation.repeat_at = None;
    for (name, contact) in &mut progress.contacts {
        for notification in &mut contact.notifications {
            notification::cancel(draft, name, notification);
        }
    }
}

/// Everyone in the audience is notified; an alert that is already over is told as missed instead.
fn open(facts: Facts<'_>, conversation: &mut Conversation, progress: &mut Progress) {
    if facts.texts_at_once() {
        progress.planned.insert(Milestone::Raised);
    }
    let over = facts.is(AlertState::Resolved);
    for person in audience::of(facts) {
        let opened = (!over).then(|| notification::begin(facts, person, Subject::Opened, false));
        let notifications = opened.into_iter().collect();
        let contact = ContactProgress { notifications, ..ContactProgress::default() };
        progress.contacts.insert(person.name.clone(), contact);
    }
    if facts.lasts() {
        conversation::begin(facts, conversation);
    }
}

/// A raise to `sms.always_at` sends the text as if the alert had been opened there.
fn raise(draft: &mut Draft<'_>, conversation: &mut Conversation, progress: &mut Progress) {
    let facts = draft.facts;
    if !facts.texts_at_once() || !progress.planned.insert(Milestone::Raised) {
        return;
    }
    if !facts.is_test() {
        conversation::begin(facts, conversation);
    }
    for person in audience::of(facts) {
        let contact = progress.contacts.entry(person.name.clone()).or_default();
        let mut raised = notification::begin(facts, person, Subject::Raised, contact.texted);
        let (mut is_told, mut text_is_out) = (contact.texted, contact.texted);
        for earlier in contact.about_open_alert() {
            is_told = true;
            text_is_out |= text::is_out(&earlier.text);
            // The push of an earlier notification still under way tells the same alert under the same tag.
            push::leave_to(&mut raised.push, &earlier.push);
        }
        if text_is_out {
            text::stop(draft, &mut raised.text);
        } else if !text::is_over(&raised.text) {
            contact.about_open_alert().for_each(|earlier| text::stand_down(&mut earlier.text));
        }
        // Not one that is over before it begins, for somebody who is being notified already: it would count as failed.
        if !is_told || !notification::is_over(&raised) {
            contact.notifications.push(raised);
        }
    }
}

/// It is over: what waits is cancelled, and who was notified is notified of it. Who was not gets one
/// message that says both, also where the end was to be told to them and the text under way then failed.
fn resolve(draft: &mut Draft<'_>, conversation: &mut Conversation, progress: &mut Progress) {
    conversation.repeat_at = None;
    let first = progress.planned.insert(Milestone::Resolved);
    for (name, contact) in &mut progress.contacts {
        let is_texting = |one: &mut Notification| one.text.is_in_flight();
        let knows = contact.about_open_alert().any(is_texting) || contact.notified() != Notified::No;
        let mut in_vain = false;
        for notification in contact.about_open_alert() {
            in_vain |= notification::cancel(draft, name, notification);
        }
        if !knows && (first || in_vain) {
            notification::tell_both_in_one(draft, name, contact);
        } else if first
            && draft.facts.lasts()
            && let Some(person) = roster::find(draft.facts.present.people, name)
        {
            fold::is_over(draft, name, contact);
            let resolved = notification::begin(draft.facts, person, Subject::Resolved, contact.texted);
            contact.notifications.push(resolved);
        }
    }
}
