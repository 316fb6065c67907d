//! What one event does to a dedup key whose last round is over.

use jiff::{SignedDuration, Timestamp};

use super::{
    decision::{Arrival, Change, Decision},
    round, update,
};
use crate::alert::{
    Admission, Alert, COPY_WITHIN, DOUBT_LASTS, Event, EventStatus, KeptEvent, Kind, Next, Reason,
    Resolution, ResolvedBy, Update,
};

/// How long an `Idempotency-Key` names the alert that it opened.
pub const IDEMPOTENCY_KEEP: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn over(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    match &event.status {
        EventStatus::Firing => fires(known, event, arrival),
        EventStatus::Resolved { .. } => ended_again(known, event, arrival),
        EventStatus::Update(update) => updated(known, event, update, arrival),
    }
}

/// What its sender did not end goes on there, when an update says so.
fn updated(known: &Alert, event: &Event, update: &Update, arrival: &Arrival<'_>) -> Decision {
    let (heard, now) = (&known.heard, arrival.now);
    let times = heard.times(event);
    let is_of_round_before = heard.is_of_round_before(event);
    let is_old =
        is_of_round_before || heard.is_late_update(times, now) || heard.is_outdated_update(event, now);
    let says_no_more =
        update.acknowledged.is_none() && event.severity.is_none_or(|severity| severity == known.severity);
    let is_over = match ended_by(known) {
        _ if known.doubt.is_some() => false,
        Some(ResolvedBy::Operator(_) | ResolvedBy::Cancelled | ResolvedBy::Silence) => {
            known.kind == Kind::Occurrence || says_no_more
        }
        _ => true,
    };
    let mut alert = known.clone();
    let changed = update::remember_comment(&mut alert, update, now);
    if is_old || is_over {
        return already_resolved(changed, alert);
    }
    let event = as_known(&alert, event);
    match ended_by(known) {
        Some(ResolvedBy::Silence) => anew(&alert, &event, arrival),
        _ => in_doubt(&alert, &event, arrival),
    }
}

/// An update says what changed: the rest is as it was.
fn as_known(known: &Alert, update: &Event) -> Event {
    let Alert { title, body, labels, source_url, kind, transports, to, .. } = known.clone();
    let in_doubt = known.doubt.as_ref().and_then(|doubt| doubt.event.severity);
    let severity = update.severity.or(in_doubt).or(Some(known.severity));
    Event { severity, title, body, labels, source_url, kind, transports, to, ..update.clone() }
}

fn fires(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    let is_kept = arrival.now.duration_since(known.opened_at) < IDEMPOTENCY_KEEP;
    if event.idempotency_key.is_some() && event.idempotency_key == known.idempotency_key && is_kept {
        return Decision { admission: Admission::Opened, reason: None, change: Change::Nothing };
    }
    let heard = &known.heard;
    let times = heard.times(event);
    let says_nothing_new = times.start.is_some() || heard.is_said_again(times);
    if heard.is_later_start(times) {
        return anew(known, event, arrival);
    }
    // What happened, rather than lasts, is only said again.
    if known.kind == Kind::Occurrence && heard.is_old(times, arrival.now) {
        return Decision::ignored(Reason::Stale);
    }
    match ended_by(known) {
        Some(ResolvedBy::Sender) if event.key_never_returns => Decision::ignored(Reason::Stale),
        Some(ResolvedBy::Sender | ResolvedBy::Operator(_) | ResolvedBy::Cancelled) => {
            let is_late = heard.is_late(times, arrival.now);
            if is_late && heard.is_copy(times) {
                Decision::ignored(Reason::Late)
            } else if event.key_never_returns || says_nothing_new || is_late {
                in_doubt(known, event, arrival)
            } else {
                anew(known, event, arrival)
            }
        }
        _ => anew(known, event, arrival),
    }
}

fn anew(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    // What a dedup key that never returns is about goes on as it was.
    let known_severity = event.key_never_returns.then_some(known.severity);
    let event = &Event { severity: event.severity.or(known_severity), ..event.clone() };
    let round = round::next(known, event, arrival, Next::Anew);
    round::opened(round, event, known, arrival.now)
}

fn ended_by(known: &Alert) -> Option<&ResolvedBy> {
    known.resolved.as_ref().map(|end| &end.by)
}

/// It fires as it did before its end: a late copy, or the end is taken back.
fn in_doubt(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    let is_past = |at: Timestamp, limit| limit <= arrival.now.duration_since(at);
    let is_firing = event.status == EventStatus::Firing;
    let first = known.doubt.as_ref().map(|doubt| doubt.arrived);
    let event = &known.doubt.as_ref().map_or_else(|| event.clone(), |doubt| said_after(&doubt.event, event));
    let is_confirmed = is_firing && first.is_some_and(|first| is_past(first, COPY_WITHIN));
    if is_confirmed || known.resolved.as_ref().is_none_or(|end| is_past(end.at, DOUBT_LASTS)) {
        return Decision::opened(round::again(known, event, arrival), event);
    }
    // With what its integration says of closing, for when its time has come.
    let event = Event { expires_after: Some(arrival.close_after), ..event.clone() };
    let doubt = Some(Box::new(KeptEvent { event, arrived: first.unwrap_or(arrival.now) }));
    let is_known = known.doubt == doubt;
    let noted = Decision::write(Alert { doubt, ..known.clone() }, Admission::Noted);
    Decision {
        reason: Some(Reason::Doubtful),
        change: if is_known { Change::Nothing } else { noted.change },
        ..noted
    }
}

/// What updates have said stands until another one says otherwise.
fn said_after(before: &Event, event: &Event) -> Event {
    let EventStatus::Update(known) = &before.status else { return event.clone() };
    let (update, severity) = match &event.status {
        EventStatus::Update(update) => (
            Update { acknowledged: update.acknowledged.or(known.acknowledged), ..update.clone() },
            event.severity,
        ),
        EventStatus::Firing | EventStatus::Resolved { .. } => {
            (known.clone(), event.severity.max(before.severity))
        }
    };
    Event { status: EventStatus::Update(update), severity, ..event.clone() }
}

/// A recovery takes back a doubt, and makes the end its sender's. What it may be ahead of is remembered.
fn ended_again(known: &Alert, recovery: &Event, arrival: &Arrival<'_>) -> Decision {
    let (heard, now) = (&known.heard, arrival.now);
    let times = heard.times(recovery);
    let end = round::ended_by_sender(recovery, now);
    let is_ahead =
        if times.start.is_some() { heard.is_later_start(times) } else { heard.is_later_message(times) };
    let mut alert = known.clone();
    let is_recovery = end.by == ResolvedBy::Sender;
    let mut changed = is_recovery && alert.doubt.take().is_some();
    match ended_by(known).filter(|_| is_recovery) {
        Some(ResolvedBy::Operator(_) | ResolvedBy::Cancelled | ResolvedBy::Silence) => {
            alert.heard.hear(recovery, now);
            alert.resolve(end);
            changed = true;
        }
        Some(ResolvedBy::Sender) if is_ahead => {
            alert.early_end = Some(Box::new(KeptEvent { event: recovery.clone(), arrived: now }));
            changed = true;
        }
        _ => {}
    }
    if is_recovery && recovery.holds_until.is_some() {
        let heard = alert.heard.with_holds(recovery, now);
        changed |= heard != alert.heard;
        alert.heard = heard;
    }
    let is_said = |end: &Resolution, text: &str| end.note.as_deref() == Some(text);
    if let EventStatus::Resolved { note: Some(text), .. } = &recovery.status
        && !alert.resolved.as_ref().is_some_and(|end| is_said(end, text))
    {
        changed |= update::comment(&mut alert, None, text, now);
    }
    already_resolved(changed, alert)
}

fn already_resolved(changed: bool, alert: Alert) -> Decision {
    let change = if changed { Change::Write(Box::new(alert)) } else { Change::Nothing };
    Decision { change, ..Decision::ignored(Reason::AlreadyResolved) }
}
