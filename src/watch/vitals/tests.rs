use super::*;
use crate::{
    alert::{AlertState, DedupKey, Event, Milestone},
    clock::ManualClock,
};

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn scene() -> (Arc<ManualClock>, Vitals) {
    let clock = ManualClock::at(T0);
    let vitals = Vitals::new(clock.clone());
    vitals.expect_all();
    (clock, vitals)
}

fn parts(vitals: &Vitals) -> Vec<Part> {
    vitals.standstills().into_iter().map(|standstill| standstill.part).collect()
}

#[test]
fn a_part_without_signs_stands_still_after_its_time() {
    let (clock, vitals) = scene();
    clock.advance(seconds(49));
    assert!(parts(&vitals).is_empty());
    vitals.sign(Part::Heartbeats);
    clock.advance(seconds(1));
    assert_eq!(vitals.standstills().len(), Part::ALL.len() - 1);
    assert!(vitals.standstills().iter().all(|standstill| standstill.since == T0));
}

#[test]
fn an_alert_that_is_due_for_a_minute_means_that_dispatch_stands_still_whatever_signs_it_leaves() {
    let (clock, vitals) = scene();
    for (waited, stands) in [(0, false), (59, false), (60, true)] {
        clock.advance((T0 + seconds(waited)).duration_since(clock.now()));
        vitals.sign(Part::Dispatch);
        vitals.note_waiting(Some(T0));
        let still = vitals.standstills();
        let dispatch = still.iter().find(|standstill| standstill.part == Part::Dispatch);
        assert_eq!(dispatch.map(|standstill| standstill.since), stands.then_some(T0), "{waited}");
    }
    vitals.note_waiting(Some(T0 + seconds(61)));
    assert!(!parts(&vitals).contains(&Part::Dispatch));
}

#[test]
fn what_was_due_long_before_the_start_has_a_minute() {
    let (clock, vitals) = scene();
    vitals.note_waiting(Some(T0 - seconds(36_000)));
    assert!(parts(&vitals).is_empty());
    clock.advance(seconds(60));
    vitals.note_waiting(Some(T0 - seconds(36_000)));
    assert!(parts(&vitals).contains(&Part::Dispatch));
}

#[test]
fn a_pause_of_the_whole_process_is_nobodys_fault_whenever_in_a_look_it_comes() {
    let (clock, vitals) = scene();
    vitals.wake();
    clock.advance(seconds(600));
    // The end of that look.
    vitals.sign(Part::Watch);
    vitals.wake();
    assert!(parts(&vitals).is_empty());
    for _ in 0..10 {
        clock.advance(seconds(5));
        vitals.sign(Part::Watch);
        vitals.wake();
    }
    assert_eq!(parts(&vitals).len(), Part::ALL.len() - 1);
}

#[test]
fn an_alert_that_is_not_planned_again_soon_is_counted_when_it_has_reached_nobody_for_five_minutes() {
    let (clock, vitals) = scene();
    let event = Event::firing(DedupKey::new("1"), "disk full");
    let mut alert = Alert::opened(AlertId::new(T0, [7; 10]), "zabbix", &event, T0);
    alert.progress.planned.insert(Milestone::Opened);
    vitals.note(&alert);
    for (passed, expected) in [(0, 0), (299, 0), (300, 1)] {
        clock.advance((T0 + seconds(passed)).duration_since(clock.now()));
        assert_eq!(vitals.unreached(), expected, "{passed}");
    }
    alert.state = AlertState::Acknowledged;
    vitals.note(&alert);
    assert_eq!(vitals.unreached(), 0);
}
