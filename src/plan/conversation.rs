//! What people do with an alert, and what they are reminded of: acknowledging, giving it back, repeats.

use super::{audience, notification, output::Draft, present::Facts, push, text};
use crate::alert::{Conversation, Entry, Milestone, Notification, Notified, Progress, Subject};

/// From now on people are reminded until somebody acknowledges.
pub(super) fn begin(facts: Facts<'_>, conversation: &mut Conversation) {
    let rule = facts.rules().repeat;
    if rule.from <= facts.alert.severity && conversation.repeat_at.is_none() && conversation.repeats == 0 {
        conversation.repeat_at = Some(facts.after(rule.every));
    }
}

/// Nobody acknowledged: everyone is notified again, unless the first notification is still being tried.
pub(super) fn repeat(draft: &mut Draft<'_>, conversation: &mut Conversation, progress: &mut Progress) {
    let rule = draft.facts.rules().repeat;
    if conversation.repeat_at.is_none_or(|at| draft.facts.now() < at) {
        return;
    }
    conversation.repeats += 1;
    let number = conversation.repeats;
    conversation.repeat_at = (number < rule.at_most).then(|| draft.facts.after(rule.every));
    draft.note(Entry::Repeated { number });
    for person in audience::of(draft.facts) {
        let contact = progress.contacts.entry(person.name.clone()).or_default();
        if contact.about_open_alert().next().is_none() {
            let repeat = notification::begin(draft.facts, person, Subject::Repeat { number }, contact.texted);
            contact.notifications.push(repeat);
        }
    }
}

/// Somebody has it: what waits is cancelled, except that at `sms.always_at` each contact's first
/// push and first text still go.
pub(super) fn cut_back(draft: &mut Draft<'_>, progress: &mut Progress) {
    progress.planned.insert(Milestone::Acknowledged);
    let first_goes = draft.facts.texts_at_once();
    for contact in progress.contacts.values_mut() {
        for Notification { push, text, .. } in contact.about_open_alert() {
            push::cut_back(push, first_goes);
            text::cut_back(draft, text, first_goes);
        }
    }
}

/// Nobody has it any more: who was cut off before being notified is notified after all.
pub(super) fn resume(facts: Facts<'_>, progress: &mut Progress) {
    if !progress.planned.remove(&Milestone::Acknowledged) {
        return;
    }
    for person in audience::of(facts) {
        if let Some(contact) = progress.contacts.get_mut(&person.name)
            && contact.notified() == Notified::No
            && contact.notifications.is_empty()
        {
            let opened = notification::begin(facts, person, Subject::Opened, contact.texted);
            contact.notifications.push(opened);
        }
    }
}
