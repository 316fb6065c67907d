//! How a round begins, and what it takes from the one before.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{
    decision::{Arrival, Decision},
    update,
};
use crate::alert::{
    Admission, Alert, AlertId, AlertState, ContactName, Conversation, Entry, Event, EventStatus, Heard,
    KeptEvent, LATE_WITHIN, LastRound, Next, Reason, Resolution, ResolvedBy, Row, Severity, Successor, Times,
};

/// A test resolves itself after this; the next press of the button is then told again.
pub const TEST_CLOSES_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// What fires again with nothing new to say closes itself after this, unless it is heard of again.
const UNCONFIRMED_CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Most contacts that the rounds of what flaps name; beyond that, it is for everybody.
const TOGETHER_MAX: usize = 100;

/// How long a recovery waits for its problem.
const EARLY_END_KEEP: SignedDuration = SignedDuration::from_secs(60);
/// As [`EARLY_END_KEEP`], where it can be about nothing else, by its dedup key or because it may be no recovery.
const EARLY_END_KEEP_OF_ONE_KEY: SignedDuration = SignedDuration::from_mins(5);

/// The first of its dedup key, as far as is known.
pub(super) fn first(event: &Event, arrival: &Arrival<'_>) -> Alert {
    begin(Heard::default(), event, arrival)
}

/// The problem of a note, as the round after it.
pub(super) fn of_note(note: &Alert, event: &Event, arrival: &Arrival<'_>) -> Alert {
    let round = note.round.saturating_add(1);
    Alert { round, ..begin(note.heard.clone(), event, arrival) }
}

/// The one after `known`, which is over.
pub(super) fn next(known: &Alert, event: &Event, arrival: &Arrival<'_>, next: Next) -> Alert {
    let round = known.round.saturating_add(1);
    let heard = known.heard.next(next, event, arrival.now.duration_since(known.opened_at));
    let alert = Alert { round, ..begin(heard, event, arrival) };
    let is_let_go = event.status == EventStatus::Firing && update::is_let_go_by_sender(known, event);
    let mut alert = if is_let_go {
        // Whoever took it there is not enough to keep it quiet.
        let conversation = Conversation { acknowledged: None, ..known.conversation.clone() };
        with_openings(alert, &Alert { conversation, ..known.clone() })
    } else {
        with_openings(alert, known)
    };
    if let EventStatus::Update(update) = &event.status {
        alert.heard.begin_with(event);
        update::remember(&mut alert, event, update, arrival.now);
    } else if is_let_go && alert.openings.flapping().is_some() {
        let entry = Entry::Unacknowledged { by: arrival.integration.to_owned() };
        alert.rows.push(Row { at: arrival.now, entry });
    }
    alert
}

/// As [`next`], where the sender takes the end back.
pub(super) fn again(known: &Alert, event: &Event, arrival: &Arrival<'_>) -> Alert {
    // Its sender may say how severe it is only when that changes.
    let event = &Event { severity: event.severity.or(Some(known.severity)), ..event.clone() };
    let mut alert = next(known, event, arrival, Next::Again);
    alert.taken_back.clone_from(&known.resolved);
    alert.close_at = alert.close_at.min(arrival.after(UNCONFIRMED_CLOSES_AFTER));
    if let Some(Resolution { by, at, .. }) = &known.resolved {
        let entry = Entry::FiresAgain { by: by.describe().to_owned(), over_at: *at };
        alert.rows.push(Row { at: arrival.now, entry });
    }
    alert
}

fn begin(mut heard: Heard, event: &Event, arrival: &Arrival<'_>) -> Alert {
    let close_after = if event.kind.is_test() { TEST_CLOSES_AFTER } else { arrival.close_after };
    heard.hear(event, arrival.now);
    let id = AlertId::new(arrival.now, arrival.entropy);
    Alert {
        round: arrival.first_round,
        close_at: arrival.after(close_after),
        heard,
        ..Alert::opened(id, arrival.integration, event, arrival.now)
    }
}

/// A new round remembers how often the ones before came and went, and once that is flapping, what people did about it.
fn with_openings(mut alert: Alert, known: &Alert) -> Alert {
    let resolved = known.resolved.as_ref().map_or(known.last_seen_at, |resolution| resolution.at);
    if !alert.kind.closes_on_time() {
        let (severity, heard_as) = (known.told_as(), heard_as(known));
        let opened = known.opened_at;
        let told_at = known.progress.notified_at.filter(|_| heard_as.is_some()).unwrap_or(opened);
        let last = LastRound { severity, opened, told_at, resolved, heard_as };
        alert.openings = known.openings.next(last, alert.opened_at);
        if known.openings.flapping().is_some() {
            let heard = known.progress.contacts.iter().filter(|(_, contact)| contact.has_heard());
            alert.openings.note_heard_by(heard.map(|(name, _)| name.clone()));
        }
    }
    if let Some(rounds) = alert.openings.flapping() {
        let is_for_more = known.is_for_others(&alert);
        if is_for_more {
            alert.openings.begin_anew();
        }
        // Whoever was told that it flaps is told how it goes on.
        alert.to = together(&known.to, &alert.to);
        let entry = Entry::Flapping { rounds, quiet: alert.openings.is_quiet(alert.severity) };
        alert.rows.push(Row { at: alert.opened_at, entry });
        alert.conversation.clone_from(&known.conversation);
        if is_for_more {
            // Whoever has it of those it was for is not enough to keep it from the others.
            let Conversation { acknowledged, repeats, repeats_before, repeat_at } = &mut alert.conversation;
            (*acknowledged, *repeats_before, *repeat_at) = (None, *repeats, None);
        }
        if alert.conversation.acknowledged.is_some() {
            alert.state = AlertState::Acknowledged;
        }
        if !is_for_more && known.progress.reminds_nobody_yet() {
            // Its reminder ends with it, and is due again.
            alert.conversation.repeats = alert.conversation.repeats.saturating_sub(1);
            alert.conversation.repeat_at = Some(alert.opened_at);
        }
    }
    alert
}

/// An empty list is everybody.
fn together(some: &[ContactName], others: &[ContactName]) -> Vec<ContactName> {
    let all: BTreeSet<&ContactName> = some.iter().chain(others).collect();
    let are_all = some.is_empty() || others.is_empty() || TOGETHER_MAX < all.len();
    if are_all { Vec::new() } else { all.into_iter().cloned().collect() }
}

/// For certain, or by whoever took the alert while it was open.
fn heard_as(known: &Alert) -> Option<Severity> {
    let taken = known.conversation.acknowledged.as_ref().filter(|taken| known.opened_at <= taken.at);
    let heard_as = known.progress.told_as(&known.openings).max(taken.map(|taken| taken.severity));
    heard_as.map(|heard_as| heard_as.min(known.told_as()))
}

/// The next round takes its place, and its end is not told apart.
pub(super) fn supersede(alert: &mut Alert, next: Successor, now: Timestamp) {
    alert.openings.superseded = Some(next);
    alert.resolve(Resolution::by(ResolvedBy::Superseded, now));
}

/// The recovery of this problem, if it came first.
fn early_end<'a>(known: &'a Alert, problem: &Event, now: Timestamp) -> Option<&'a KeptEvent> {
    // The one that says when it holds until is never ahead of its problem.
    let kept = known.early_end.as_deref().filter(|kept| kept.event.holds_until.is_none())?;
    let Times { start, said } = known.heard.times(problem);
    let end = known.heard.times(&kept.event);
    let is_its_start = start.zip(end.start).map(|(start, of_end)| start == of_end);
    let is_shortly_before = || {
        let age = end.said.zip(said).map(|(end, said)| end.duration_since(said));
        let is_new = !known.heard.is_said_again(Times { start: None, said });
        is_new && age.is_some_and(|age| age.is_positive() && age <= LATE_WITHIN)
    };
    let is_kept = now.duration_since(kept.arrived) <= early_end_keep(problem);
    (is_kept && is_its_start.unwrap_or_else(is_shortly_before)).then_some(kept)
}

pub(super) fn early_end_keep(event: &Event) -> SignedDuration {
    if event.key_never_returns || event.holds_until.is_some() {
        EARLY_END_KEEP_OF_ONE_KEY
    } else {
        EARLY_END_KEEP
    }
}

/// Opens `alert`, and ends it at once where `known` has its end already.
pub(super) fn opened(mut alert: Alert, problem: &Event, known: &Alert, now: Timestamp) -> Decision {
    let Some(end) = early_end(known, problem, now) else { return Decision::opened(alert, problem) };
    alert.heard.hear(&end.event, end.arrived);
    alert.resolve(ended_by_sender(&end.event, now));
    Decision { reason: Some(Reason::AlreadyResolved), ..Decision::write(alert, Admission::Opened) }
}

/// As this recovery says.
pub(super) fn ended_by_sender(recovery: &Event, now: Timestamp) -> Resolution {
    let (note, by) = match &recovery.status {
        EventStatus::Resolved { note, escalation_cancelled: true } => (note.clone(), ResolvedBy::Cancelled),
        EventStatus::Resolved { note, .. } => (note.clone(), ResolvedBy::Sender),
        EventStatus::Firing | EventStatus::Update(_) => (None, ResolvedBy::Sender),
    };
    let ended_at = recovery.ended_at.map(|ended_at| ended_at.min(now));
    Resolution { note, ended_at, ..Resolution::by(by, now) }
}
