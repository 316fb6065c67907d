//! What one event does to what is known of its dedup key. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::alert::{
    Acknowledgement, Admission, Alert, AlertId, AlertState, Entry, Event, EventStatus, IgnoreReason, Kind,
    LastRound, Resolution, ResolvedBy, Row, Severity, Update,
};

/// How long an update waits for its problem.
pub const NOTED_KEEP: SignedDuration = SignedDuration::from_hours(24);

/// A test resolves itself after this; the next press of the button is then told again.
pub const TEST_CLOSES_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// How long an `Idempotency-Key` names the alert that it opened.
pub const IDEMPOTENCY_KEEP: SignedDuration = SignedDuration::from_hours(24);

#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    pub integration: &'a str,
    pub now: Timestamp,
    pub close_after: SignedDuration,
    /// For the id, if one is needed.
    pub entropy: [u8; 10],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Write this alert: a new document if its id is not the known one's.
    Write(Box<Alert>, Admission, Option<IgnoreReason>),
    /// Nothing changed but that it was heard of again.
    Seen(Admission),
    Ignore(IgnoreReason),
}

/// `known` is the latest round of the event's dedup key.
pub fn admit(known: Option<&Alert>, event: &Event, arrival: &Arrival<'_>) -> Decision {
    match known {
        None => first_heard(event, arrival),
        Some(alert) => match alert.state {
            AlertState::Noted => noted(alert, event, arrival),
            AlertState::Triggered | AlertState::Acknowledged => open(alert, event, arrival),
            AlertState::Resolved => over(alert, event, arrival),
        },
    }
}

fn first_heard(event: &Event, arrival: &Arrival<'_>) -> Decision {
    match &event.status {
        EventStatus::Firing => opened(new_round(event, arrival, 1), event),
        EventStatus::Update(update) => {
            let mut alert = new_round(event, arrival, 1);
            alert.state = AlertState::Noted;
            alert.close_at = arrival.now.saturating_add(NOTED_KEEP).unwrap_or(Timestamp::MAX);
            alert.rows.clear();
            remember_update(&mut alert, event, update, arrival.now);
            Decision::Write(Box::new(alert), Admission::Noted, None)
        }
        EventStatus::Resolved { .. } => Decision::Ignore(IgnoreReason::UnknownAlert),
    }
}

/// An update came before its problem: the problem takes its acknowledgement and severity.
fn noted(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    match &event.status {
        EventStatus::Firing => {
            let mut alert = new_round(event, arrival, known.round);
            alert.id = known.id;
            if has_said_severity(known) {
                alert.severity = known.severity;
            }
            alert.conversation.acknowledged.clone_from(&known.conversation.acknowledged);
            if alert.conversation.acknowledged.is_some() {
                alert.state = AlertState::Acknowledged;
            }
            alert.rows.clone_from(&known.rows);
            alert.rows.push(Row { at: arrival.now, entry: Entry::Opened });
            opened(alert, event)
        }
        EventStatus::Update(update) => {
            let mut alert = known.clone();
            let changed = remember_update(&mut alert, event, update, arrival.now);
            changed_or_seen(changed, alert, Admission::Noted)
        }
        EventStatus::Resolved { .. } => Decision::Ignore(IgnoreReason::UnknownAlert),
    }
}

/// Whether an update gave a severity; most do not, which leaves `not_classified`.
fn has_said_severity(noted: &Alert) -> bool {
    let is_change = |row: &Row| matches!(row.entry, Entry::Severity { .. });
    noted.severity != Severity::default() || noted.rows.iter().any(is_change)
}

fn open(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    let mut alert = known.clone();
    let idempotent = event.idempotency_key.is_some() && event.idempotency_key == known.idempotency_key;
    match &event.status {
        EventStatus::Firing if idempotent => Decision::Seen(Admission::Opened),
        EventStatus::Firing => {
            let changed = change_severity(&mut alert, event, arrival.now);
            changed_or_seen(changed, alert, Admission::Joined)
        }
        EventStatus::Update(update) => {
            let was = alert.state;
            let changed = remember_update(&mut alert, event, update, arrival.now);
            let taken = was != alert.state && alert.state == AlertState::Acknowledged;
            let admission = if taken { Admission::Acknowledged } else { Admission::Joined };
            changed_or_seen(changed, alert, admission)
        }
        // The end of an earlier round, from a sender that is slower than its twin.
        EventStatus::Resolved { .. } if is_of_earlier_round(known, event) => {
            Decision::Ignore(IgnoreReason::Stale)
        }
        EventStatus::Resolved { note, escalation_cancelled } => {
            let end = Resolution::by(ResolvedBy::Sender, arrival.now);
            alert.resolve(Resolution { note: note.clone(), ended_at: event.ended_at, ..end });
            let reason = escalation_cancelled.then_some(IgnoreReason::EscalationCancelled);
            Decision::Write(Box::new(alert), Admission::Resolved, reason)
        }
    }
}

/// True where the sender told both ends of what it means, and both lie before this round.
fn is_of_earlier_round(known: &Alert, event: &Event) -> bool {
    let is_before = |time: Option<Timestamp>| time.is_some_and(|time| time < known.starts_at);
    is_before(event.starts_at) && is_before(event.ended_at)
}

fn over(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Decision {
    match &event.status {
        EventStatus::Firing => {
            let kept = arrival.now.duration_since(known.opened_at) < IDEMPOTENCY_KEEP;
            if event.idempotency_key.is_some() && event.idempotency_key == known.idempotency_key && kept {
                return Decision::Seen(Admission::Opened);
            }
            if !is_still_firing(known) && (event.key_never_returns || is_old(known, event)) {
                return Decision::Ignore(IgnoreReason::Stale);
            }
            let round = new_round(event, arrival, known.round.saturating_add(1));
            opened(counting_openings(round, known), event)
        }
        EventStatus::Update(Update { comment: Some(text), by, .. }) => {
            said_late(known, by.as_deref(), text, arrival)
        }
        EventStatus::Resolved { note: Some(text), .. } => said_late(known, None, text, arrival),
        EventStatus::Update(_) | EventStatus::Resolved { note: None, .. } => {
            Decision::Ignore(IgnoreReason::AlreadyResolved)
        }
    }
}

/// Nobody said that it is over: we had not heard of it, perhaps because it could not reach us.
fn is_still_firing(known: &Alert) -> bool {
    known.kind != Kind::Occurrence && known.resolved.as_ref().is_some_and(|end| end.by == ResolvedBy::Silence)
}

/// True where the sender told when it began, and that was before the known end.
fn is_old(known: &Alert, event: &Event) -> bool {
    let ended = known.resolved.as_ref().map(|end| end.ended_at.unwrap_or(end.at));
    let is_before = event.starts_at.zip(ended).is_some_and(|(starts_at, ended)| starts_at <= ended);
    is_before && !event.kind.is_test()
}

/// A comment that came after the end, as Zabbix promises no order: it is kept, and not notified.
fn said_late(known: &Alert, by: Option<&str>, text: &str, arrival: &Arrival<'_>) -> Decision {
    let ended_so = known.resolved.as_ref().is_some_and(|end| end.note.as_deref() == Some(text));
    let mut alert = known.clone();
    if !ended_so && comment(&mut alert, by, text, arrival.now) {
        Decision::Write(Box::new(alert), Admission::Ignored, Some(IgnoreReason::AlreadyResolved))
    } else {
        Decision::Ignore(IgnoreReason::AlreadyResolved)
    }
}

fn changed_or_seen(changed: bool, alert: Alert, admission: Admission) -> Decision {
    if changed { Decision::Write(Box::new(alert), admission, None) } else { Decision::Seen(admission) }
}

fn opened(alert: Alert, event: &Event) -> Decision {
    Decision::Write(Box::new(alert), Admission::Opened, event.kind.is_test().then_some(IgnoreReason::Test))
}

fn new_round(event: &Event, arrival: &Arrival<'_>, round: u32) -> Alert {
    let close_after = if event.kind.is_test() { TEST_CLOSES_AFTER } else { arrival.close_after };
    let id = AlertId::new(arrival.now, arrival.entropy);
    Alert {
        round,
        close_at: arrival.now.saturating_add(close_after).unwrap_or(Timestamp::MAX),
        ..Alert::opened(id, arrival.integration, event, arrival.now)
    }
}

/// A new round remembers how often the ones before came and went.
fn counting_openings(mut alert: Alert, known: &Alert) -> Alert {
    let resolved = known.resolved.as_ref().map_or(known.last_seen_at, |resolution| resolution.at);
    if !alert.kind.closes_on_time() {
        let last = LastRound { severity: known.severity, opened: known.opened_at, resolved };
        alert.openings = known.openings.next(last, alert.opened_at);
    }
    if let Some(rounds) = alert.openings.flapping() {
        let entry = Entry::Flapping { rounds, quiet: alert.openings.is_quiet(alert.severity) };
        alert.rows.push(Row { at: alert.opened_at, entry });
    }
    alert
}

/// True if it said anything that was not known.
fn remember_update(alert: &mut Alert, event: &Event, update: &Update, now: Timestamp) -> bool {
    let by = update.by.clone().unwrap_or_else(|| alert.integration.clone());
    let mut changed = change_severity(alert, event, now);
    match update.acknowledged {
        Some(true) => changed |= acknowledge(alert, &by, now),
        Some(false) => changed |= unacknowledge(alert, &by, now),
        None => {}
    }
    if let Some(text) = &update.comment {
        changed |= comment(alert, update.by.as_deref(), text, now);
    }
    changed
}

/// False if it is there already: every Zabbix user with the media repeats the comment.
fn comment(alert: &mut Alert, by: Option<&str>, text: &str, now: Timestamp) -> bool {
    let by = by.unwrap_or(&alert.integration).to_owned();
    let entry = Entry::Comment { by, text: text.to_owned() };
    let is_new = alert.rows.iter().all(|row| row.entry != entry);
    if is_new {
        alert.rows.push(Row { at: now, entry });
    }
    is_new
}

fn change_severity(alert: &mut Alert, event: &Event, now: Timestamp) -> bool {
    let (from, to) = (alert.severity, event.severity.unwrap_or(alert.severity));
    if from == to {
        return false;
    }
    alert.severity = to;
    alert.rows.push(Row { at: now, entry: Entry::Severity { from, to } });
    true
}

/// False if somebody already has it.
pub(super) fn acknowledge(alert: &mut Alert, by: &str, now: Timestamp) -> bool {
    if alert.conversation.acknowledged.is_some() {
        return false;
    }
    alert.conversation.acknowledged = Some(Acknowledgement { by: by.to_owned(), at: now });
    if alert.state == AlertState::Triggered {
        alert.state = AlertState::Acknowledged;
    }
    alert.rows.push(Row { at: now, entry: Entry::Acknowledged { by: by.to_owned() } });
    true
}

/// False if nobody had it.
pub(super) fn unacknowledge(alert: &mut Alert, by: &str, now: Timestamp) -> bool {
    if alert.conversation.acknowledged.take().is_none() {
        return false;
    }
    if alert.state == AlertState::Acknowledged {
        alert.state = AlertState::Triggered;
    }
    alert.rows.push(Row { at: now, entry: Entry::Unacknowledged { by: by.to_owned() } });
    true
}
