use super::*;
use crate::{
    alert::{DeferCause, Outcome},
    deliver::wire::Reading,
};

const EAGER: Probes = Probes::UntilOneTells(SignedDuration::from_secs(20));

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn opened_at(second: i64, probes: Probes) -> Breaker {
    let mut breaker = Breaker::new(probes);
    assert_eq!(breaker.admit(at(second)), Ok(Pass::Ordinary));
    assert_eq!(breaker.settle(Pass::Ordinary, Evidence::Fault, at(second)), Some(secs(60)));
    breaker
}

#[test]
fn a_fault_stops_requests_and_one_probe_finds_the_recovery() {
    let mut breaker = opened_at(0, EAGER);
    assert_eq!(breaker.admit(at(10)), Err(secs(50)));
    assert_eq!(breaker.admit(at(60)), Ok(Pass::Probe));
    assert!(breaker.admit(at(61)).is_err(), "one probe at a time");
    breaker.settle(Pass::Probe, Evidence::Works, at(61));
    assert_eq!(breaker.admit(at(61)), Ok(Pass::Ordinary));
    assert_eq!(breaker.open_until(), None);
}

#[test]
fn a_fault_stops_requests_for_a_minute_and_then_lets_one_probe_through() {
    let mut breaker = opened_at(0, Probes::OnePerPause);
    assert_eq!(breaker.admit(at(18)), Err(secs(42)));
    assert_eq!(breaker.admit(at(60)), Ok(Pass::Probe));
    assert_eq!(breaker.admit(at(60)), Err(secs(60)), "one probe, not two");
    breaker.settle(Pass::Probe, Evidence::Works, at(60));
    assert_eq!(breaker.admit(at(61)), Ok(Pass::Ordinary));
    let pause = breaker.settle(Pass::Ordinary, Evidence::Fault, at(61));
    assert_eq!(pause, Some(secs(60)), "a success starts the pauses anew");
}

#[test]
fn pauses_double_up_to_ten_minutes_while_probes_keep_failing() {
    for probes in [EAGER, Probes::OnePerPause] {
        let (mut breaker, mut now, mut pauses) = (Breaker::new(probes), 0, Vec::new());
        for _ in 0..7 {
            let pass = breaker.admit(at(now)).expect("a probe, or the first request");
            let pause = breaker.settle(pass, Evidence::Fault, at(now)).expect("it is open").as_secs();
            assert_eq!(breaker.open_until(), Some(at(now + pause)));
            pauses.push(pause);
            now += pause;
        }
        assert_eq!(pauses, [60, 120, 240, 480, 600, 600, 600], "{probes:?}");
    }
}

#[test]
fn requests_under_way_when_it_opened_change_nothing() {
    let mut breaker = opened_at(0, EAGER);
    breaker.settle(Pass::Ordinary, Evidence::Fault, at(1));
    breaker.settle(Pass::Ordinary, Evidence::Works, at(2));
    assert_eq!(breaker.open_until(), Some(at(60)));
}

#[test]
fn faults_of_requests_already_on_their_way_do_not_lengthen_the_pause() {
    for pass in [Pass::Ordinary, Pass::Probe] {
        let mut breaker = opened_at(0, Probes::OnePerPause);
        for late in [1, 2, 30] {
            assert_eq!(breaker.settle(pass, Evidence::Fault, at(late)), Some(secs(60 - late)));
        }
        assert_eq!(breaker.admit(at(60)), Ok(Pass::Probe));
    }
}

#[test]
fn a_probe_without_news_gives_way_to_the_next_request() {
    let mut breaker = opened_at(0, EAGER);
    assert_eq!(breaker.admit(at(60)), Ok(Pass::Probe));
    breaker.settle(Pass::Probe, Evidence::Nothing, at(61));
    assert_eq!(breaker.admit(at(61)), Ok(Pass::Probe));
    assert!(breaker.admit(at(62)).is_err());
    assert_eq!(breaker.admit(at(61 + 20)), Ok(Pass::Probe), "the probe was dropped");
}

#[test]
fn a_probe_that_never_reports_is_followed_by_another() {
    let mut breaker = opened_at(0, Probes::OnePerPause);
    assert_eq!(breaker.admit(at(60)), Ok(Pass::Probe));
    breaker.settle(Pass::Probe, Evidence::Nothing, at(61));
    assert_eq!(breaker.admit(at(119)), Err(secs(1)));
    assert_eq!(breaker.admit(at(120)), Ok(Pass::Probe));
}

#[test]
fn one_odd_device_does_not_stop_an_account_that_works() {
    let mut breaker = Breaker::new(EAGER);
    breaker.settle(Pass::Ordinary, Evidence::Works, at(0));
    breaker.settle(Pass::Ordinary, Evidence::Suspicious, at(1));
    assert_eq!(breaker.open_until(), None);
    breaker.settle(Pass::Ordinary, Evidence::Suspicious, at(601));
    assert_eq!(breaker.open_until(), Some(at(661)), "nothing worked for ten minutes");
}

#[test]
fn a_probe_with_an_odd_device_rests_that_device_and_not_the_account() {
    let mut breaker = Breaker::new(EAGER);
    breaker.settle(Pass::Ordinary, Evidence::Works, at(0));
    breaker.settle(Pass::Ordinary, Evidence::Fault, at(1));
    assert_eq!(breaker.admit(at(61)), Ok(Pass::Probe));
    let rest = breaker.settle(Pass::Probe, Evidence::Suspicious, at(61));
    let outcome = Reading::Suspicion("404".to_owned()).outcome(rest);
    let (cause, retry_after) = (DeferCause::PlatformFault, Some(PAUSE_MIN));
    assert_eq!(outcome, Outcome::Deferred { cause, retry_after, detail: "404".to_owned() });
    assert_eq!(breaker.admit(at(61)), Ok(Pass::Probe), "the next device may show it");
}
