//! What a clock that ran ahead has dated. A host may start hours ahead and be set right later; what was planned
//! meanwhile would then wait for a time that is hours away. So no time in an alert counts for later than a plan
//! made now could set it.

use jiff::{SignedDuration, Timestamp};

use super::{ROOM_PAUSE, Rules, bounds::Bounds, budget, delivery, due, notification, unheard};
use crate::alert::{Alert, Charge, Epoch, Notification, Pending, Progress};

/// A due time is kept in whole milliseconds, rounded up, some of the times that it is taken from rounded down.
const ROUNDING_MAX: SignedDuration = SignedDuration::from_millis(1);

/// True if this alert, which is scheduled at `due_at`, has a time that no plan made until `now` can have set, or
/// waits to be planned although it was changed. [`super::advance`] sets it right.
pub fn is_misdated(alert: &Alert, due_at: Timestamp, rules: &Rules, now: Timestamp) -> bool {
    let mut pulled = alert.clone();
    pull_back(&mut pulled, rules, now);
    // A change makes an alert due when it is made; only a plan puts off when.
    let is_planned = due::of(alert, rules).is_some_and(|planned| {
        (SignedDuration::ZERO..=ROUNDING_MAX).contains(&due_at.duration_since(planned))
    });
    // Or it waits for room, which is soon.
    pulled != *alert || (ROOM_PAUSE < due_at.duration_since(now) && !is_planned)
}

/// True if some request about this alert was begun under an earlier lead than this: nobody will hear its answer.
pub fn is_orphaned(alert: &Alert, lead: Epoch) -> bool {
    let mut open = alert.progress.notifications().flat_map(Notification::open);
    open.any(|(state, _)| matches!(state, Pending::InFlight { epoch, .. } if epoch < lead))
}

/// Leaves alone what a plan made until `now` has set.
pub(super) fn pull_back(alert: &mut Alert, rules: &Rules, now: Timestamp) {
    let bounds = Bounds { rules, now, is_ahead: false };
    bounds.past(&mut alert.opened_at);
    alert.pull_back_heard(now);
    if let Some(resolution) = &mut alert.resolved {
        bounds.past(&mut resolution.at);
    }
    if let Some(digest) = alert.digest.as_mut().filter(|digest| digest.counted.is_none()) {
        bounds.within(&mut digest.due_at, budget::digest_pause_max(digest.tier));
    }
    if let Some(taken) = &mut alert.conversation.acknowledged {
        bounds.past(&mut taken.at);
        bounds.past(&mut taken.since);
    }
    if let Some(repeat_at) = &mut alert.conversation.repeat_at {
        bounds.within(repeat_at, rules.repeats.pause_max(alert.severity));
    }
    let again_max = unheard::pause_max(alert, rules);
    if let Some(again_at) = &mut alert.progress.again_at {
        bounds.within(again_at, again_max);
    }
    let Progress { unreached_told_at, notified_at, .. } = &mut alert.progress;
    for told_at in [unreached_told_at, notified_at].into_iter().flatten() {
        bounds.past(told_at);
    }
    for contact in alert.progress.contacts.values_mut() {
        for one in &mut contact.notifications {
            notification::pull_back(one, &bounds);
        }
        for sent in &mut contact.sent {
            delivery::pull_back(sent, &bounds);
        }
        for lost in &mut contact.unanswered {
            bounds.past(&mut lost.sent_at);
        }
    }
}

/// Charges dated after `now` are moved back together, the last of them to `now`: a clock that is behind must not have
/// weeks of them count at once, nor one that was ahead use up the budgets until its time has come.
pub fn set_back(charges: &mut [Charge], now: Timestamp) {
    let last = charges.iter().map(|charge| charge.at).max().unwrap_or(now);
    let ahead = last.duration_since(now);
    for charge in charges.iter_mut().filter(|charge| now < charge.at) {
        charge.at = charge.at.saturating_sub(ahead).unwrap_or(Timestamp::MIN);
    }
}
