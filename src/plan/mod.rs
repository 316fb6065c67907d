//! 3. PLAN: who is notified now, by which road, and when to look again.
//!
//! Pure: an alert, the rules and an instant go in ([`Present`]); the alert as it should be stored, the requests
//! to make and the next due time come out ([`Plan`]). [`advance`] is idempotent: calling it early or twice
//! sends nothing twice.

mod audience;
mod backoff;
mod bounds;
mod budget;
mod changes;
mod conversation;
mod delivery;
mod digest;
mod due;
mod fold;
mod gateways;
mod heard;
mod lost;
mod may;
mod misdated;
mod notification;
mod output;
mod present;
mod push;
mod quiet;
mod reports;
mod rules;
mod settle;
mod spending;
mod text;
mod unheard;
mod unreachable;
mod window;
mod words;

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

pub use self::{
    audience::can_try_anew,
    backoff::{Backoff, RETRY_AFTER_MAX},
    budget::{Budgets, Fold, GatewayDay, Opening, STORM_LASTS, Storm},
    digest::take_back,
    heard::is_unheard,
    misdated::{is_misdated, is_orphaned, set_back},
    notification::hasten,
    output::{Ask, Plan, Send},
    present::Present,
    rules::{
        BUILT_IN_REPEATS, DELIVERY_ASKED_AFTER, DeviceBook, GATEWAY_DAY, GIVE_UP_AFTER, GatewayRule,
        PUSH_IN_FLIGHT_MAX, QUARANTINE, Repeats, Rules, SENT_TEXTS_MAX, SMS_AFTER_UNKNOWN, Stage,
    },
    settle::{DeviceVerdict, Settled, Settlement, attempt_row, settle, take_back_begun},
};
use crate::alert::{Alert, AlertState, Progress, Resolution, ResolvedBy};
use output::Draft;
use present::Facts;

/// A sender whose silence ends an alert within minutes (Prometheus, vmalert, the ruler of Loki) repeats what fires
/// every minute or so; from our start on it has this long.
const HEARD_AGAIN_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// When a push for which there was no room is tried again at the latest.
const ROOM_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// How what was opened because its sender took an end back, and said no more of it, is over.
const NOT_HEARD_OF_AGAIN: &str = "its sender did not say it again";

/// Brings the notifications of `alert` up to date.
pub fn advance(alert: &mut Alert, present: &Present<'_>) -> Plan {
    misdated::pull_back(alert, present.rules, present.now);
    if alert.state == AlertState::Noted {
        return Plan { due: (present.now < alert.close_at).then_some(alert.close_at), ..Plan::default() };
    }
    wait_for_its_sender(alert, present.running_since, present.now);
    if alert.is_open() && alert.close_at <= present.now {
        let by = if alert.kind.is_test() { ResolvedBy::Test } else { ResolvedBy::Silence };
        let is_unconfirmed = alert.taken_back.is_some() && alert.count == 1;
        let note = is_unconfirmed.then(|| NOT_HEARD_OF_AGAIN.to_owned());
        alert.resolve(Resolution { note, ..Resolution::by(by, present.now) });
    }
    heard::begin_anew_without_who_heard(alert, present.people);
    let mut progress = std::mem::take(&mut alert.progress);
    let mut conversation = std::mem::take(&mut alert.conversation);
    let mut draft = Draft::new(Facts::new(alert, &conversation, &progress, present));
    let was_unheard = draft.facts.is_unheard();
    settle::expire(&mut draft, &mut progress);
    reports::apply(&mut draft, &mut progress);
    heard::forget_who_left(draft.facts, &mut progress);
    changes::note_last_raise(draft.facts, &conversation, &mut progress);
    // With what has just become known.
    draft.facts = Facts::new(alert, &conversation, &progress, present);
    unheard::give_time_to_the_others(draft.facts, was_unheard, &mut progress);
    unheard::hurry(draft.facts, &mut progress);
    unreachable::call_off(&mut draft, &mut progress);
    match &alert.digest {
        None => changes::apply(&mut draft, &mut conversation, &mut progress),
        Some(digest) => {
            if let Some(counted) = &digest.counted {
                digest::apply(&mut draft, &mut progress, counted);
            }
        }
    }
    // With what has just been planned.
    draft.facts = Facts::new(alert, &conversation, &progress, present);
    let advance_all = |draft: &mut Draft<'_>, progress: &mut Progress| {
        let contacts = progress.contacts.iter_mut();
        contacts.fold(false, |any, (name, contact)| notification::advance_all(draft, name, contact) | any)
    };
    let mut one_ended = advance_all(&mut draft, &mut progress);
    if unheard::try_again(draft.facts, &mut progress) {
        one_ended |= advance_all(&mut draft, &mut progress);
    }
    // A contact whose last channel failed begins new notifications for the others, which start at once.
    let tell_others = |draft: &mut Draft<'_>, progress: &mut Progress| {
        let mut one_ended = false;
        while unreachable::tell(draft, progress) {
            one_ended |= advance_all(draft, progress);
        }
        one_ended
    };
    one_ended |= tell_others(&mut draft, &mut progress);
    // What one that is over did not tell of the end is told now.
    if one_ended && alert.digest.is_none() && draft.facts.is(AlertState::Resolved) {
        changes::apply(&mut draft, &mut conversation, &mut progress);
        advance_all(&mut draft, &mut progress);
        tell_others(&mut draft, &mut progress);
    }
    let was_unheard = draft.facts.is_unheard();
    draft.facts = Facts::new(alert, &conversation, &progress, present);
    unheard::give_time_to_the_others(draft.facts, was_unheard, &mut progress);
    unheard::schedule(draft.facts, &mut progress);
    delivery::ask(&mut draft, &mut progress);
    let Draft { plan, mut rows, attempts, .. } = draft;
    alert.rows.append(&mut rows);
    alert.attempts = attempts;
    (alert.progress, alert.conversation) = (progress, conversation);
    digest::end(alert, present);
    let room_at = plan.is_crowded.then(|| present.now.saturating_add(ROOM_PAUSE).unwrap_or(Timestamp::MAX));
    Plan { due: due::of(alert, present.rules).into_iter().chain(room_at).min(), ..plan }
}

/// While we took no events nobody could mention the alert: that is no silence. What should have ended before `since`,
/// when we began to take them, perhaps by a clock that is wrong now, has as long as ever from then on.
pub fn wait_for_its_sender(alert: &mut Alert, since: Timestamp, now: Timestamp) {
    let close_after = alert.close_at.duration_since(alert.last_seen_at);
    let was_away = alert.close_at <= since;
    let patience = if was_away { HEARD_AGAIN_WITHIN.max(close_after) } else { HEARD_AGAIN_WITHIN };
    let heard_until = since.saturating_add(patience).unwrap_or(Timestamp::MAX);
    if alert.is_open() && !alert.kind.is_test() && alert.close_at <= now {
        alert.close_at = alert.close_at.max(heard_until);
    }
}
