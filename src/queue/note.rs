//! What comes before its problem: an update, or even the recovery.

use jiff::SignedDuration;

use super::{
    decision::{Arrival, Change, Decision},
    round, update,
};
use crate::alert::{
    Admission, Alert, AlertState, Entry, Event, EventStatus, Heard, KeptEvent, Reason, Row, Severity,
};

/// How long an update waits for its problem.
pub const NOTED_KEEP: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn first_heard(event: &Event, arrival: &Arrival<'_>) -> Decision {
    match &event.status {
        EventStatus::Firing => Decision::opened(round::first(event, arrival), event),
        EventStatus::Update(update) => {
            let mut alert = Alert { close_at: arrival.after(NOTED_KEEP), ..note(event, arrival) };
            update::remember(&mut alert, event, update, arrival.now);
            Decision::write(alert, Admission::Noted)
        }
        EventStatus::Resolved { escalation_cancelled: true, .. } => Decision::ignored(Reason::UnknownAlert),
        EventStatus::Resolved { .. } => Decision {
            change: early_end(event, arrival, &Heard::default())
                .map_or(Change::Nothing, |note| Change::Write(Box::new(note))),
            ..Decision::ignored(Reason::UnknownAlert)
        },
    }
}

/// `known` is a note. One whose time has passed is not there any more.
pub(super) fn noted(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    if known.close_at <= arrival.now {
        return dropped(known, event, arrival);
    }
    match &event.status {
        EventStatus::Firing => problem(known, event, arrival),
        EventStatus::Update(update) => {
            let mut alert = known.clone();
            let is_outdated = known.heard.is_outdated_update(event, arrival.now);
            alert.heard.hear(event, arrival.now);
            alert.last_seen_at = arrival.now;
            let changed = if is_outdated {
                update::remember_comment(&mut alert, update, arrival.now)
            } else {
                alert.close_at = arrival.after(NOTED_KEEP);
                update::remember(&mut alert, event, update, arrival.now)
            };
            Decision::write_if(changed, alert, Admission::Noted)
        }
        EventStatus::Resolved { escalation_cancelled: true, .. } => Decision::ignored(Reason::UnknownAlert),
        EventStatus::Resolved { .. } => {
            let over = Alert { close_at: arrival.now, ..note(event, arrival) };
            let note = in_place_of(known, early_end(event, arrival, &known.heard).unwrap_or(over));
            Decision { change: Change::Write(Box::new(note)), ..Decision::ignored(Reason::UnknownAlert) }
        }
    }
}

/// Nothing of `known` counts any more; the next note takes its place.
fn dropped(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    let first_round = known.round.saturating_add(1);
    let mut decision = first_heard(event, &Arrival { first_round, ..*arrival });
    if let Change::Write(alert) = &mut decision.change
        && alert.state == AlertState::Noted
        && known.rows_moved == 0
    {
        **alert = in_place_of(known, (**alert).clone());
    }
    decision
}

/// One document, however often a key is noted.
fn in_place_of(known: &Alert, note: Alert) -> Alert {
    let Alert { id, round, opened_at, rows_moved, .. } = *known;
    Alert { id, round, opened_at, rows_moved, ..note }
}

/// A problem takes the acknowledgement and the severity of a note that is certainly about it, and its end where that
/// was what came first.
fn problem(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    let mut alert = round::of_note(known, event, arrival);
    // Ids tell when an alert was opened.
    if arrival.now.duration_since(known.opened_at) < NOTED_KEEP {
        (alert.id, alert.round, alert.rows_moved) = (known.id, known.round, known.rows_moved);
    }
    let mut rows = known.rows.clone();
    let end = known.early_end.as_ref().map(|end| &end.event);
    if event.key_never_returns || known.heard.was_updated_about(known.heard.times(event), end) {
        if has_said_severity(known) {
            alert.severity = known.severity;
        }
        alert.conversation.acknowledged.clone_from(&known.conversation.acknowledged);
        if let Some(taken) = &mut alert.conversation.acknowledged {
            taken.severity = alert.severity;
            alert.state = AlertState::Acknowledged;
        }
    } else {
        rows.retain(|row| matches!(row.entry, Entry::Comment { .. }));
    }
    rows.append(&mut alert.rows);
    alert.rows = rows;
    round::opened(alert, event, known, arrival.now)
}

/// Whether an update gave a severity; most do not, which leaves `not_classified`.
fn has_said_severity(noted: &Alert) -> bool {
    let is_change = |row: &Row| matches!(row.entry, Entry::Severity { .. });
    noted.severity != Severity::default() || noted.rows.iter().any(is_change)
}

fn note(event: &Event, arrival: &Arrival<'_>) -> Alert {
    Alert { state: AlertState::Noted, rows: Vec::new(), ..round::first(event, arrival) }
}

/// `None` if it could not tell its problem from a later one. What says until when it holds may be no end: the next
/// message is compared with it, and with what was `heard` before.
fn early_end(recovery: &Event, arrival: &Arrival<'_>, heard: &Heard) -> Option<Alert> {
    let heard = heard.only_holds();
    let is_worth_keeping = heard.times(recovery).are_known() || recovery.holds_until.is_some();
    is_worth_keeping.then(|| Alert {
        severity: Severity::default(),
        close_at: arrival.after(round::early_end_keep(recovery)),
        heard: heard.with_holds(recovery, arrival.now),
        early_end: Some(Box::new(KeptEvent { event: recovery.clone(), arrived: arrival.now })),
        ..note(recovery, arrival)
    })
}
