//! The push of a notification, from planned until a device has accepted it or none is left.

use jiff::SignedDuration;

use super::{
    GIVE_UP_AFTER, PUSH_IN_FLIGHT_MAX, RETRY_AFTER_MAX,
    bounds::Bounds,
    may::May,
    output::{Draft, Message, Send},
    present::Facts,
    spending,
    words::reason_of,
};
use crate::{
    alert::{Address, Charge, DeferCause, DeviceId, DevicePush, Outcome, Payer, Pending, PushState, Subject},
    roster::Person,
};

/// A push to every device of this person that may be used.
pub(super) fn begin(facts: Facts<'_>, person: &Person) -> PushState {
    let devices = if facts.rules().push { person.devices.as_slice() } else { &[] };
    let usable = devices.iter().filter(|device| facts.is_usable(device.id));
    let open = usable.map(|device| DevicePush { device: device.id, attempts: 0, state: Pending::Ready });
    PushState { open: open.collect(), ..PushState::default() }
}

/// Adds the devices that are not tried any more, unless one has accepted it.
pub(super) fn renew(push: &mut PushState, fresh: PushState) {
    if push.accepted {
        return;
    }
    for device in fresh.open {
        if push.open.iter().all(|open| open.device != device.device) {
            push.open.push(device);
        }
    }
}

pub(super) fn has_begun(push: &PushState) -> bool {
    push.accepted || push.open.iter().any(|open| open.state != Pending::Ready || 0 < open.attempts)
}

/// It is being sent, or a device has it.
pub(super) fn is_out(push: &PushState) -> bool {
    push.accepted || !push.open.is_empty()
}

/// Starts what is due, as far as there is room. A device that may not have another push now is closed, except that with `text_to_come` one
/// that was tried before waits for room. True if that leaves no device for a push that none has accepted.
pub(super) fn advance(
    draft: &mut Draft<'_>,
    message: Message<'_>,
    push: &mut PushState,
    text_to_come: bool,
    may: May,
) -> bool {
    let now = draft.facts.now();
    let is_due = |open: &DevicePush| open.state.is_due(now) && may.push(open.attempts);
    let PushState { open, accepted, short, failed } = push;
    open.retain_mut(|open| {
        let can_push = || spending::can_push(draft, open.device, message.subject);
        if !is_due(open) || !draft.facts.is_usable(open.device) || can_push() {
            return true;
        }
        let waits = text_to_come && 0 < open.attempts;
        if waits {
            let at = draft
                .facts
                .after(draft.facts.rules().backoff.delay(open.attempts, draft.facts.present.chance));
            open.state = Pending::Waiting { at, fault: false };
        }
        *short |= !waits;
        waits
    });
    open.retain_mut(|open| {
        if !is_due(open) {
            return true;
        }
        // Another alert may have shown meanwhile that the device is gone.
        if !draft.facts.is_usable(open.device) {
            failed.get_or_insert_with(|| format!("device {} is not usable", open.device));
            return false;
        }
        if draft.pushes == draft.facts.present.room {
            draft.plan.is_crowded = true;
            open.state = Pending::Ready;
            return true;
        }
        draft.pushes += 1;
        open.attempts = open.attempts.saturating_add(1);
        spending::charge_push(draft, open.device);
        open.state = draft.send(message, Address::Device(open.device));
        true
    });
    *short && !*accepted && open.is_empty()
}

/// How long a push of this subject is tried. What is said once, as the alert is over or counted, has as long as a text.
pub(super) fn lives_for(facts: Facts<'_>, subject: &Subject) -> SignedDuration {
    match subject {
        Subject::Missed | Subject::Resolved | Subject::Digest => GIVE_UP_AFTER,
        Subject::Opened | Subject::Repeat { .. } | Subject::Raised { .. } | Subject::Unreachable { .. } => {
            facts.rules().push_ttl
        }
    }
}

/// It has been tried for as long as it is of use; what was opened again has one try.
pub(super) fn give_up_old(draft: &mut Draft<'_>, message: Message<'_>, push: &mut PushState) {
    let lived = lives_for(draft.facts, message.subject);
    let reason =
        if lived == GIVE_UP_AFTER { "not accepted within 24 hours" } else { "not accepted within fcm.ttl" };
    let is_old = |open: &mut DevicePush| 0 < open.attempts && !open.state.is_in_flight();
    for open in push.open.extract_if(.., is_old) {
        draft.dead_letter(message, Address::Device(open.device), reason);
        push.failed.get_or_insert_with(|| reason.to_owned());
    }
}

/// The request of this attempt was not begun. What it had been charged.
pub(super) fn take_back_begun(push: &mut PushState, device: DeviceId, send: &Send) -> Option<Charge> {
    let is_it = |open: &&mut DevicePush| open.device == device && open.state.is_attempt(send.attempt);
    let open = push.open.iter_mut().find(is_it)?;
    open.attempts = open.attempts.saturating_sub(1);
    open.state = Pending::Ready;
    Some(Charge { payer: Payer::Device(device), at: send.began, units: -1, reserved: 0 })
}

/// Closes every device without a request under way, and returns these.
pub(super) fn keep_in_flight(push: &mut PushState) -> Vec<DevicePush> {
    push.short = false;
    push.open.extract_if(.., |open| !open.state.is_in_flight()).collect()
}

/// It is over: only requests that run are waited for; what was tried in vain becomes a dead letter.
pub(super) fn cancel(draft: &mut Draft<'_>, message: Message<'_>, push: &mut PushState) {
    for open in keep_in_flight(push).iter().filter(|open| 0 < open.attempts) {
        draft.dead_letter(message, Address::Device(open.device), "resolved before it was accepted");
    }
}

pub(super) struct PushAnswer<'a> {
    pub(super) device: DeviceId,
    pub(super) attempt: u32,
    pub(super) outcome: &'a Outcome,
}

/// Acts on an answer. One that comes after its attempt was taken for lost counts if it says "accepted" or "rejected",
/// and after its device was closed if it says "accepted". With `replaced` a push that failed is not tried again.
pub(super) fn settle(facts: Facts<'_>, push: &mut PushState, answered: &PushAnswer<'_>, replaced: bool) {
    push.accepted |= matches!(answered.outcome, Outcome::Accepted { .. });
    let Some(position) = push.open.iter().position(|open| open.device == answered.device) else { return };
    let Some(open) = push.open.get_mut(position) else { return };
    let is_waited_for = open.state.is_attempt(answered.attempt);
    let retry = |at: SignedDuration, fault| Some(Pending::Waiting { at: facts.after(at), fault });
    let (next, failed) = match answered.outcome {
        Outcome::Accepted { .. } => (None, None),
        Outcome::Rejected { detail, .. } => (None, Some(reason_of(detail, "push rejected"))),
        Outcome::Deferred { .. } | Outcome::Unknown { .. } if !is_waited_for => return,
        Outcome::Deferred { .. } | Outcome::Unknown { .. } if replaced => (None, None),
        Outcome::Deferred { cause, retry_after, detail } => {
            let pause = pause(facts, open.attempts, *cause, *retry_after);
            (retry(pause, cause.is_fault()), Some(reason_of(detail, cause.as_str())))
        }
        Outcome::Unknown { detail } => {
            let pause = facts.rules().backoff.delay(open.attempts, facts.present.chance);
            (retry(pause, false), Some(reason_of(detail, "no answer")))
        }
    };
    match next {
        Some(state) => open.state = state,
        None => {
            push.open.remove(position);
        }
    }
    if failed.is_some() {
        push.failed = failed;
    }
}

/// A provider's or breaker's wish goes before our schedule; causes that need no patience follow
/// the wish alone.
fn pause(
    facts: Facts<'_>,
    attempts: u16,
    cause: DeferCause,
    asked: Option<SignedDuration>,
) -> SignedDuration {
    let own = facts.rules().backoff.delay(attempts, facts.present.chance);
    let asked = asked.map(|asked| asked.clamp(SignedDuration::ZERO, RETRY_AFTER_MAX));
    match cause {
        DeferCause::Credential | DeferCause::ProjectFault | DeferCause::PlatformFault => asked.unwrap_or(own),
        DeferCause::Unavailable | DeferCause::Unreachable | DeferCause::Throttled => {
            own.max(asked.unwrap_or(SignedDuration::ZERO))
        }
    }
}

/// No time lies further ahead than a plan made now could set it.
pub(super) fn pull_back(push: &mut PushState, bounds: &Bounds<'_>) {
    for open in &mut push.open {
        bounds.pending(&mut open.state, PUSH_IN_FLIGHT_MAX, bounds.now);
    }
}
