//! What one event does to what is known of its dedup key. Pure.

use jiff::SignedDuration;

use super::{
    decision::{Arrival, Change, Decision},
    note, over, round, update,
};
use crate::alert::{
    Admission, Alert, AlertState, COPY_WITHIN, Event, EventStatus, Next, Reason, Resolution, ResolvedBy,
    SOON_AFTER,
};

/// A sender that repeats every minute what fires was only restarted if its alert was heard of within this.
const HEARD_OF_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// `known` is the latest round of the event's dedup key.
pub fn admit(known: Option<&Alert>, event: &Event, arrival: &Arrival<'_>) -> Decision {
    let restated = known.and_then(|known| known.heard.restated(event, arrival.now));
    let event = restated.as_ref().unwrap_or(event);
    let decision = match known {
        None => note::first_heard(event, arrival),
        Some(alert) if alert.heard.is_end_of_twin(event) => Decision::ignored(Reason::AlreadyResolved),
        Some(alert) => match alert.state {
            AlertState::Noted => note::noted(alert, event, arrival),
            AlertState::Triggered | AlertState::Acknowledged => open(alert, event, arrival),
            AlertState::Resolved => over::over(alert, event, arrival),
        },
    };
    let start_moves = event.status == EventStatus::Firing
        && event.starts_at.is_some()
        && decision.alert().is_some_and(|alert| alert.heard.start_moves());
    let moving = start_moves.then_some(Reason::MovingStart);
    Decision { reason: decision.reason.or(moving), ..decision }
}

fn open(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    let (heard, now) = (&known.heard, arrival.now);
    let times = heard.times(event);
    // From a sender that is slower than its twin, or that tried again to say it.
    let is_of_round_before = heard.is_of_round_before(event);
    let was_just_opened = now.duration_since(known.opened_at) < SOON_AFTER;
    match &event.status {
        EventStatus::Firing => fires(known, event, arrival),
        EventStatus::Update(update) if is_of_round_before => {
            let mut alert = Alert { heard: heard.clone(), ..heard_of(known, event, arrival) };
            let changed = update::remember_comment(&mut alert, update, now);
            Decision { reason: Some(Reason::Stale), ..Decision::write_if(changed, alert, Admission::Ignored) }
        }
        EventStatus::Resolved { .. } if is_of_round_before && was_just_opened => {
            Decision::ignored(Reason::Stale)
        }
        EventStatus::Update(_) if heard.is_late_update(times, now) => Decision::ignored(Reason::Late),
        EventStatus::Update(update) => {
            let mut alert = heard_of(known, event, arrival);
            let changed = if heard.is_outdated_update(event, now) {
                update::remember_comment(&mut alert, update, now)
            } else {
                update::remember(&mut alert, event, update, now)
            };
            let is_taken = known.state != alert.state && alert.state == AlertState::Acknowledged;
            let admission = if is_taken { Admission::Acknowledged } else { Admission::Joined };
            Decision::write_if(changed, alert, admission)
        }
        EventStatus::Resolved { .. } if heard.is_late_end(times, now) => Decision::ignored(Reason::Late),
        EventStatus::Resolved { escalation_cancelled, .. } => {
            let mut alert = heard_of(known, event, arrival);
            alert.resolve(round::ended_by_sender(event, now));
            let reason = escalation_cancelled.then_some(Reason::EscalationCancelled);
            Decision { reason, ..Decision::write(alert, Admission::Resolved) }
        }
    }
}

fn fires(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    if is_another_problem(known, event, arrival) {
        return supersede(known, event, arrival);
    }
    let mut alert = heard_of(known, event, arrival);
    if event.idempotency_key.is_some() && event.idempotency_key == known.idempotency_key {
        return Decision::write_if(false, alert, Admission::Opened);
    }
    let severity = known.heard.severity_after(event, known.severity, arrival.now);
    let mut changed = update::change_severity(&mut alert, severity, arrival.now);
    if update::is_let_go_by_sender(known, event) {
        changed |= alert.unacknowledge(arrival.integration, arrival.now);
    }
    Decision::write_if(changed, alert, Admission::Joined)
}

/// Whatever an event says of an open alert, it was heard of.
fn heard_of(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Alert {
    let mut alert = known.clone();
    alert.heard.hear(event, arrival.now);
    alert.count += 1;
    alert.last_seen_at = alert.last_seen_at.max(arrival.now);
    if !alert.kind.closes_on_time() {
        alert.close_at = alert.close_at.max(arrival.after(arrival.close_after));
    }
    alert
}

/// The end of the last one was lost. What a dedup key that never returns is about cannot begin twice, and a sender
/// that repeats itself was only restarted.
fn is_another_problem(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> bool {
    let was_just_heard_of = arrival.now.duration_since(known.last_seen_at) <= HEARD_OF_WITHIN;
    let was_restarted = event.expires_after.is_some() && was_just_heard_of;
    let is_later = known.heard.has_starts() && known.heard.is_later_start(known.heard.times(event));
    is_later && !event.key_never_returns && !was_restarted
}

fn supersede(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    let mut over = known.clone();
    over.resolve(Resolution::by(ResolvedBy::Superseded, arrival.now));
    let once = known.last_seen_at.duration_since(known.opened_at) < COPY_WITHIN;
    let round = round::next(&over, event, arrival, Next::Superseding { once });
    over.openings.superseded = Some(round.as_successor(known));
    let change = Change::Supersede { round: Box::new(round), over: Box::new(over) };
    Decision { admission: Admission::Opened, reason: None, change }
}
