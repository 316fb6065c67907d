//! What comes before its problem.

use super::*;

#[tokio::test]
async fn a_note_without_a_severity_leaves_the_problem_its_own() {
    let one_key = |event| Event { key_never_returns: true, ..event };
    let note = |severity| one_key(Event { severity, ..update("1", comment("downtime")) });
    for (notes, expected) in [
        (vec![note(None)], Severity::High),
        (vec![note(Some(Severity::Disaster))], Severity::Disaster),
        (vec![note(Some(Severity::Warning)), note(None)], Severity::Warning),
        (vec![note(Some(Severity::High)), note(Some(Severity::NotClassified))], Severity::NotClassified),
    ] {
        let (queue, _) = queue();
        admissions(&queue, &notes).await;
        admissions(&queue, &[one_key(firing("1"))]).await;
        assert_eq!(only_alert(&queue).await.severity, expected, "{notes:?}");
    }
}

fn taken() -> Event {
    update("1", Update { acknowledged: Some(true), ..Update::default() })
}

async fn opened_after(note: Event, problem: Event, pause: SignedDuration) -> AlertState {
    let (queue, clock) = queue();
    assert_eq!(answer(&queue, note).await, "noted");
    clock.advance(pause);
    assert_eq!(answer(&queue, problem).await, "opened");
    latest(&queue, "1").await.state
}

#[tokio::test]
async fn a_problem_takes_a_note_that_is_certainly_about_it() {
    let said = |seconds, event| Event { said_at: Some(T0 + SignedDuration::from_secs(seconds)), ..event };
    let began = |seconds, event| Event { starts_at: Some(T0 + SignedDuration::from_secs(seconds)), ..event };
    let one_key = |event| Event { key_never_returns: true, ..event };
    let (soon, day) = (SignedDuration::from_secs(9), SignedDuration::from_hours(24));
    let (free, has_it) = (AlertState::Triggered, AlertState::Acknowledged);
    for (note, problem, pause, expected) in [
        (one_key(taken()), one_key(firing("1")), soon, has_it),
        (one_key(taken()), one_key(firing("1")), day, free),
        (taken(), firing("1"), soon, free),
        (taken(), began(-60, firing("1")), soon, free),
        (said(0, taken()), firing("1"), soon, free),
        (said(0, taken()), began(-60, firing("1")), soon, has_it),
        (said(0, taken()), said(-60, firing("1")), soon, has_it),
        (said(0, taken()), said(5, firing("1")), soon, free),
        (said(0, taken()), said(-60, firing("1")), day, free),
        // A note of what came later does not speak for what fired before.
        (said(0, taken()), said(-301, firing("1")), soon, free),
        (said(0, began(-60, taken())), said(-7_200, began(-7_200, firing("1"))), soon, free),
        (said(0, began(-7_200, taken())), said(-60, began(-60, firing("1"))), soon, free),
        (said(0, began(-7_200, taken())), said(-7_200, began(-7_200, firing("1"))), soon, has_it),
        (said(0, began(-7_200, taken())), said(-7_200, began(-7_199, firing("1"))), soon, free),
    ] {
        let state = opened_after(note.clone(), problem.clone(), pause).await;
        assert_eq!(state, expected, "{note:?} {problem:?}");
    }
}

#[tokio::test]
async fn a_recovery_ends_a_note() {
    let (queue, _) = queue();
    let one_key = |event| Event { key_never_returns: true, ..event };
    for event in [one_key(taken()), one_key(resolved("1")), one_key(firing("1"))] {
        admissions(&queue, &[event]).await;
    }
    let alert = latest(&queue, "1").await;
    assert_eq!((alert.state, alert.conversation.acknowledged), (AlertState::Triggered, None));
}

#[tokio::test]
async fn what_was_over_before_it_came_is_one_document_that_says_both() {
    let (queue, clock) = queue();
    let at = |event| Event { starts_at: Some(T0), ..event };
    let note = Some("closed by Min".to_owned());
    let closed = EventStatus::Resolved { note: note.clone(), escalation_cancelled: false };
    admissions(&queue, &[at(Event { status: closed, ..firing("1") })]).await;
    clock.advance(SignedDuration::from_secs(3));
    assert_eq!(answer(&queue, at(firing("1"))).await, "opened already_resolved");
    let alert = only_alert(&queue).await;
    assert_eq!((alert.state, alert.round, alert.severity), (AlertState::Resolved, 1, Severity::High));
    let words: Vec<bool> = alert.rows.iter().map(|row| matches!(row.entry, Entry::Resolved { .. })).collect();
    assert_eq!((words, alert.resolved.expect("over").note), (vec![false, true], note));
}

#[tokio::test]
async fn an_update_keeps_the_end_that_came_before_it() {
    let (queue, _) = queue();
    let at = |event| Event { starts_at: Some(T0), key_never_returns: true, ..event };
    for event in [at(resolved("1")), at(taken())] {
        admissions(&queue, &[event]).await;
    }
    assert_eq!(answer(&queue, at(firing("1"))).await, "opened already_resolved");
}

#[tokio::test]
async fn a_key_that_is_only_ever_said_to_be_well_is_one_document() {
    let (queue, clock) = queue();
    let at = |clock: &ManualClock, event| Event { said_at: Some(clock.now()), ..event };
    answer(&queue, at(&clock, resolved("1"))).await;
    let first = latest(&queue, "1").await;
    for pause in [30, 59, 61, 300, 3_600, 90_000] {
        clock.advance(SignedDuration::from_secs(pause));
        assert_eq!(answer(&queue, at(&clock, resolved("1"))).await, "ignored unknown_alert");
        let note = latest(&queue, "1").await;
        assert_eq!((note.id, note.round), (first.id, first.round), "{pause}");
        assert!(clock.now() < note.close_at);
    }
    clock.advance(SignedDuration::from_secs(30));
    assert_eq!(answer(&queue, at(&clock, firing("1"))).await, "opened");
    let opened = latest(&queue, "1").await;
    assert_eq!((opened.opened_at, opened.round), (clock.now(), first.round + 1));
    assert!(first.id < opened.id, "it is listed by when it was opened");
}
