//! What one event does to a dedup key whose last round is over.

use jiff::{SignedDuration, Timestamp};

use super::{
    decision::{Arrival, Change, Decision},
    round, update,
};
use crate::alert::{
    Admission, Alert, DOUBT_LASTS, Event, EventStatus, KeptEvent, Kind, Next, Reason, Resolution, ResolvedBy,
    Update,
};

/// How long an `Idempotency-Key` names the alert that it opened.
pub const IDEMPOTENCY_KEEP: SignedDuration = SignedDuration::from_hours(24);

/// What fires again so long after it first fired in doubt is no copy.
const DOUBT_CONFIRMED_AFTER: SignedDuration = SignedDuration::from_secs(10);

pub(super) fn over(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    match &event.status {
        EventStatus::Firing => fires(known, event, arrival),
        EventStatus::Resolved { .. } => ended_again(known, event, arrival),
        EventStatus::Update(Update { comment: Some(text), by, .. }) => {
            let mut alert = known.clone();
            let changed = update::comment(&mut alert, by.as_deref(), text, arrival.now);
            already_resolved(changed, alert)
        }
        EventStatus::Update(_) => Decision::ignored(Reason::AlreadyResolved),
    }
}

fn fires(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    let is_kept = arrival.now.duration_since(known.opened_at) < IDEMPOTENCY_KEEP;
    if event.idempotency_key.is_some() && event.idempotency_key == known.idempotency_key && is_kept {
        return Decision { admission: Admission::Opened, reason: None, change: Change::Nothing };
    }
    let heard = &known.heard;
    let times = heard.times(event);
    let anew = || {
        let round = round::next(known, event, arrival, Next::Anew);
        round::opened(round, event, known, arrival.now)
    };
    let says_nothing_new = times.start.is_some() || heard.is_said_again(times);
    if heard.is_later_start(times) {
        return anew();
    }
    match ended_by(known) {
        Some(ResolvedBy::Sender) if event.key_never_returns => Decision::ignored(Reason::Stale),
        Some(ResolvedBy::Sender | ResolvedBy::Operator(_)) => {
            let is_late = heard.is_late(times, arrival.now);
            if is_late && heard.is_copy(times) {
                Decision::ignored(Reason::Late)
            } else if event.key_never_returns || says_nothing_new || is_late {
                in_doubt(known, event, arrival)
            } else {
                anew()
            }
        }
        // What happened, rather than lasts, is only said again.
        _ if known.kind == Kind::Occurrence && says_nothing_new => Decision::ignored(Reason::Stale),
        _ => anew(),
    }
}

fn ended_by(known: &Alert) -> Option<&ResolvedBy> {
    known.resolved.as_ref().map(|end| &end.by)
}

/// It fires as it did before its end: a late copy, or the end is taken back.
fn in_doubt(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    let is_past = |at: Timestamp, limit| limit <= arrival.now.duration_since(at);
    let first = known.doubt.as_ref().map(|doubt| doubt.arrived);
    if known.resolved.as_ref().is_none_or(|end| is_past(end.at, DOUBT_LASTS))
        || first.is_some_and(|first| is_past(first, DOUBT_CONFIRMED_AFTER))
    {
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

/// A recovery takes back a doubt, and makes the end its sender's. What it may be ahead of is remembered.
fn ended_again(known: &Alert, recovery: &Event, arrival: &Arrival<'_>) -> Decision {
    let (heard, now) = (&known.heard, arrival.now);
    let times = heard.times(recovery);
    let end = round::ended_by_sender(recovery, now);
    let is_ahead =
        if times.start.is_some() { heard.is_later_start(times) } else { heard.is_later_message(times) };
    let mut alert = known.clone();
    let mut changed = alert.doubt.take().is_some();
    match ended_by(known) {
        Some(ResolvedBy::Operator(_) | ResolvedBy::Silence) => {
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
