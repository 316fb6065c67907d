//! One contact is notified of one thing: by push, and by text when the push fails.

use jiff::Timestamp;

use super::{
    SMS_GIVE_UP,
    bounds::Bounds,
    fold::{self, Held},
    output::{Draft, Message},
    present::Facts,
    push, text,
};
use crate::{
    alert::{
        Address, AlertState, ContactName, ContactProgress, Counted, Notification, Notified, Outcome, Subject,
        Transports,
    },
    roster::{self, Person},
};

/// A new notification of `subject` to `person`, by the roads that it may take. `texted`: this person had a text
/// about the alert.
pub(super) fn begin(facts: Facts<'_>, person: &Person, subject: Subject, texted: bool) -> Notification {
    let (push, text) = (push::begin(facts, person), text::begin(facts, person, &subject, texted));
    Notification { subject, since: facts.now(), push, text, replaced: false }
}

/// Starts what is due in every notification of a contact and drops those that are over.
pub(super) fn advance_all(draft: &mut Draft<'_>, name: &ContactName, contact: &mut ContactProgress) {
    let mut notifications = std::mem::take(&mut contact.notifications);
    for notification in &mut notifications {
        if let Some(held) = advance(draft, name, contact, notification) {
            let message = Message { contact: name, subject: &notification.subject };
            if fold::hold_back(draft, message, contact, held) {
                replace(draft, notification);
            }
        }
    }
    let over = notifications.extract_if(.., |notification| is_over(notification));
    for reason in over.filter_map(|notification| failure(draft.facts, &notification)) {
        contact.unreachable.get_or_insert(reason);
    }
    contact.notifications = notifications;
}

/// Starts what is due; what is to be told in a digest instead.
fn advance(
    draft: &mut Draft<'_>,
    name: &ContactName,
    contact: &ContactProgress,
    notification: &mut Notification,
) -> Option<Held> {
    let Notification { subject, since, push, text, replaced } = notification;
    let message = Message { contact: name, subject };
    let age = draft.facts.now().duration_since(*since);
    if draft.facts.rules().push_ttl <= age {
        push::give_up_old(draft, message, push);
    }
    if SMS_GIVE_UP <= age {
        text::give_up_old(draft, message, text);
    }
    let has_begun = push::has_begun(push) || text::has_begun(text);
    if !*replaced
        && !has_begun
        && let Some(reason) = fold::reason(draft.facts, message, contact)
    {
        return Some(Held { text: text.open().is_some(), reason: reason.to_owned() });
    }
    let starved = push::advance(draft, message, push, text::is_on_standby(text));
    if starved {
        text::stand_down(text);
    }
    text::decide(draft, message, text, push);
    match text::advance(draft, message, text) {
        Err(spent) => Some(Held { text: true, reason: format!("{spent} is spent") }),
        Ok(()) if starved && !text::is_out(text) => {
            Some(Held { text: false, reason: "fcm.per_device is spent".to_owned() })
        }
        Ok(()) => None,
    }
}

/// Something else tells it: what is under way may still arrive, nothing more is begun.
pub(super) fn replace(draft: &mut Draft<'_>, notification: &mut Notification) {
    notification.replaced = true;
    push::keep_in_flight(&mut notification.push);
    text::stop(draft, &mut notification.text);
}

/// When it wants to be looked at again.
pub(super) fn wakes_at(notification: &Notification) -> Option<Timestamp> {
    notification.open().filter_map(|(state, _)| state.wakes_at()).min()
}

pub(super) fn is_over(notification: &Notification) -> bool {
    notification.push.open.is_empty() && text::is_over(&notification.text)
}

/// Why a finished notification reached nobody, if it should have.
fn failure(facts: Facts<'_>, notification: &Notification) -> Option<String> {
    let Notification { subject, push, text, replaced, .. } = notification;
    let matters = match subject {
        // Cut back by an acknowledgement or a resolution is not failed.
        Subject::Opened | Subject::Repeat { .. } | Subject::Raised => {
            facts.is(AlertState::Triggered) || text::is_failed(text)
        }
        Subject::Missed | Subject::Unreachable { .. } => true,
        Subject::Digest => {
            let counted = facts.alert.digest.as_ref().and_then(|digest| digest.counted.as_ref());
            counted.is_some_and(Counted::has_problems)
        }
        Subject::Resolved => false,
    };
    let is_silent = facts.is_test() || facts.alert.transports == Transports::PushOnly;
    if !matters || push.accepted || *replaced || is_silent { None } else { text::failure(text, push) }
}

/// It is over: what waits is cancelled. True if a text was tried in vain.
pub(super) fn cancel(draft: &mut Draft<'_>, name: &ContactName, notification: &mut Notification) -> bool {
    let Notification { subject, push, text, .. } = notification;
    let message = Message { contact: name, subject };
    push::cancel(draft, message, push);
    text::cancel(draft, message, text)
}

/// What the contact now knows, whichever notification it came by.
pub(super) fn remember(
    facts: Facts<'_>,
    contact: &mut ContactProgress,
    subject: &Subject,
    address: &Address,
    outcome: &Outcome,
) {
    let notified = match outcome {
        Outcome::Accepted { .. } => Notified::Yes,
        Outcome::Unknown { .. } => Notified::Maybe,
        Outcome::Deferred { .. } | Outcome::Rejected { .. } => return,
    };
    if !subject.is_about_alert() {
        return;
    }
    contact.texted |= matches!(address, Address::Gateway(_));
    if notified == Notified::Yes {
        contact.unreachable = None;
    }
    let is_final = match address {
        Address::Device(_) => true,
        Address::Gateway(name) => facts.rules().gateway(name).is_none_or(|rule| !rule.reports && !rule.asks),
    };
    if notified == Notified::Maybe || is_final {
        contact.certain = contact.certain.max(notified);
    }
}

/// It is over, and this contact heard of nothing: one message says both.
pub(super) fn tell_both_in_one(draft: &mut Draft<'_>, name: &ContactName, contact: &mut ContactProgress) {
    let mut known = contact.notifications.iter();
    if contact.notified() == Notified::No
        && known.all(|notification| notification.subject != Subject::Missed)
        && !draft.facts.is_test()
        && let Some(person) = roster::find(draft.facts.present.people, name)
    {
        fold::is_over(draft, name, contact);
        contact.notifications.push(begin(draft.facts, person, Subject::Missed, contact.texted));
    }
}

/// No time lies further ahead than a plan made now could set it.
pub(super) fn pull_back(notification: &mut Notification, bounds: &Bounds<'_>) {
    let bounds = Bounds { is_ahead: bounds.now < notification.since, ..*bounds };
    bounds.past(&mut notification.since);
    push::pull_back(&mut notification.push, &bounds);
    text::pull_back(&mut notification.text, &bounds);
}
