//! What comes and goes.

use super::*;

#[test]
fn what_comes_back_graver_than_it_was_told_is_told_at_once() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[], &[], &[]);
    let graver = storm.fire(Severity::Disaster);
    storm.alerts[graver].openings = flapping(FLAPPING_ROUNDS + 1, T0);
    assert_eq!(storm.plan(), ["push 1 jin", "sms 2 jin"], "it flapped as high");
    let raised = storm.fire(Severity::High);
    storm.alerts[raised].openings = flapping(FLAPPING_ROUNDS + 1, T0);
    assert_eq!(storm.plan(), NOTHING);
    storm.alerts[raised].severity = Severity::Disaster;
    storm.dues[raised] = Some(storm.now);
    assert_eq!(storm.plan(), ["push 1 jin", "sms 2 jin"]);
}

fn flapping(rounds: usize, now: Timestamp) -> Openings {
    let (mut openings, severity) = (Openings::default(), Severity::High);
    for _ in 1..rounds {
        let last = LastRound { severity, opened: now, told_at: now, resolved: now, heard_as: Some(severity) };
        openings = openings.next(last, now);
    }
    openings
}

#[test]
fn flapping_is_told_once_then_only_how_it_stands_when_it_is_stable() {
    let mut storm = Storm::with(vec![person("jin", 1)], &[], &[], &[]);
    let first = storm.fire(Severity::High);
    storm.alerts[first].openings = flapping(FLAPPING_ROUNDS, T0);
    assert_eq!(storm.plan(), ["push 1 jin"], "told as flapping");
    storm.answer_all(&|_| accepted());
    storm.over(first);
    assert_eq!(storm.plan(), NOTHING, "its end is not told yet");
    storm.alerts[first].openings.superseded = Some(crate::alert::Successor::IsQuiet);
    assert_eq!(storm.pass(300), NOTHING, "it has come back meanwhile");
    assert_eq!(storm.dues[first], None);

    let next = storm.fire(Severity::High);
    storm.alerts[next].openings = flapping(FLAPPING_ROUNDS + 1, T0);
    assert_eq!(storm.plan(), NOTHING, "told before");
    assert_eq!(storm.dues[next], Some(storm.now + STABLE_AFTER));
    assert_eq!(storm.pass(300), ["push 1 jin"], "it stays");
    storm.answer_all(&|_| accepted());

    let last = storm.fire(Severity::High);
    storm.alerts[last].openings = flapping(FLAPPING_ROUNDS + 2, T0);
    storm.plan();
    storm.pass(60);
    storm.over(last);
    assert_eq!(storm.pass(299), NOTHING);
    assert_eq!(storm.pass(1), ["push 1 jin missed"], "it is over for good");
}
