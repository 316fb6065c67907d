//! The digest itself: it waits until its time has come, is counted (by dispatch, which can read the rows), and
//! is then notified like any alert, except that no budget holds it back. What one was to count that cannot be read
//! is told again.

use jiff::Timestamp;

use super::{
    audience, notification,
    output::Draft,
    present::{Facts, Present},
    push, unheard,
};
use crate::{
    alert::{
        Alert, AlertId, AlertState, ContactProgress, Counted, Digest, Entry, FoldWord, Milestone,
        Notification, Notified, Others, Progress, Resolution, ResolvedBy, Subject, Texted, Unreached,
    },
    roster,
};

/// When this digest wants to be counted; `None` for anything else.
pub(super) fn counts_at(alert: &Alert) -> Option<Timestamp> {
    alert.digest.as_ref().filter(|digest| digest.counted.is_none()).map(|digest| digest.due_at)
}

/// Begins to notify of a digest that has been counted. Whatever people do to it meanwhile, it goes out.
pub(super) fn apply(draft: &mut Draft<'_>, progress: &mut Progress, counted: &Counted) {
    let first = progress.planned.insert(Milestone::Opened);
    if counted.total() == 0 {
        return;
    }
    if first {
        draft.note(Entry::Counted { alerts: counted.total(), text: counted.words() });
        for person in audience::of(draft.facts) {
            let notifications = vec![notification::begin(draft.facts, person, Subject::Digest, Texted::No)];
            let contact = ContactProgress { notifications, ..ContactProgress::default() };
            progress.contacts.insert(person.name.clone(), contact);
        }
    }
    notification::begin_missing(draft, progress);
}

/// With its text out, or none to come, a push that failed is not tried again. True if that ends it.
fn stop_retries(notification: &mut Notification) -> bool {
    if notification.text.pending().is_some() {
        return false;
    }
    notification.replaced = true;
    push::keep_in_flight(&mut notification.push);
    notification.is_over()
}

/// A digest is over when it is told, or has nothing to tell. One whose text turns out not to have arrived goes on.
pub(super) fn end(alert: &mut Alert, present: &Present<'_>) {
    let Some(digest @ Digest { counted: Some(counted), .. }) = &alert.digest else { return };
    // Unless that contact had gone when it was counted, the others are only told where it could not be told.
    let has_its_contact = alert.progress.contacts.contains_key(&digest.contact);
    let planned = alert.progress.planned.contains(&Milestone::Opened);
    let nothing = counted.total() == 0;
    let mut all_told = true;
    for (name, contact) in &mut alert.progress.contacts {
        if contact.notified() == Notified::Yes {
            contact.notifications.retain_mut(|notification| !stop_retries(notification));
        }
        let is_its_own = !has_its_contact || *name == digest.contact;
        let is_given_up = contact.unreachable.is_some() && contact.others.are_told();
        let may_know = contact.has_heard() || contact.texted == Texted::Unanswered;
        let is_told = may_know || is_given_up || !counted.has_problems();
        all_told &= contact.notifications.is_empty() && (is_told || !is_its_own);
    }
    let is_over = planned && (all_told || nothing);
    if alert.is_open() && is_over {
        alert.resolve(Resolution::by(ResolvedBy::Told, present.now));
    } else if !is_over && alert.resolved.as_ref().is_some_and(|end| end.by == ResolvedBy::Told) {
        alert.resolved = None;
        let is_taken = alert.conversation.acknowledged.is_some();
        alert.state = if is_taken { AlertState::Acknowledged } else { AlertState::Triggered };
        if alert.is_free() {
            let pause = unheard::pause(alert, &alert.progress, present);
            alert.progress.again_at = present.now.saturating_add(pause).ok();
        }
    }
}

/// This digest cannot be read: whom it was to tell of the alert does not know of it by that. The caller then calls
/// [`super::advance`], which notifies those who know nothing; who has heard of the alert otherwise is told how it stands.
pub fn take_back(alert: &mut Alert, digest: AlertId, present: &Present<'_>) {
    let mut progress = std::mem::take(&mut alert.progress);
    let facts = Facts::new(alert, &alert.conversation, &progress, present);
    let mut unreached = Unreached::default();
    for (name, contact) in &mut progress.contacts {
        let mut counted = contact.folded.iter();
        let Some(tier) = counted.find(|(_, folded)| folded.digest == digest).map(|(tier, _)| *tier) else {
            continue;
        };
        let Some(folded) = contact.folded.remove(&tier) else { continue };
        unreached = unreached.and(&folded.unreached);
        if contact.certain == Notified::Counted && contact.folded.is_empty() {
            contact.certain = Notified::No;
        }
        if folded.word != FoldWord::Unreachable
            && contact.has_heard()
            && contact.is_idle()
            && let Some(person) = roster::find(present.people, name)
        {
            let severity = alert.severity;
            let subject = if alert.is_open() { Subject::Raised { to: severity } } else { Subject::Resolved };
            contact.notifications.push(notification::begin(facts, person, subject, contact.texted));
        }
    }
    for (name, contact) in &mut progress.contacts {
        if unreached.names.contains(name) || (0 < unreached.more && contact.others.are_told()) {
            // The others are told of them anew.
            contact.others = Others::NotTold;
        }
    }
    alert.progress = progress;
}
