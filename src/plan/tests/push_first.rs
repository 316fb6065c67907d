//! What is told by a text only where no push is left.

use super::*;
use crate::alert::Transports;

fn scene(people: Vec<Person>) -> Scene {
    let mut scene = Scene::at(Severity::High).with_people(people);
    scene.alert.transports = Transports::PushFirst;
    scene
}

#[test]
fn it_waits_for_its_push_however_long_that_takes() {
    let mut scene = scene(vec![person("jin", 1)]);
    scene.alert.severity = Severity::Disaster;
    assert_eq!(scene.plan(), ["push 1 jin"]);
    assert_eq!(scene.answer(1, deferred(DeferCause::Unavailable)), NOTHING);
    assert_eq!(scene.pass(60), ["push 2 jin"]);
    assert_eq!(scene.answer(2, accepted()), NOTHING);
}

#[test]
fn it_is_texted_where_push_broke_or_there_was_none() {
    for fails in [deferred(DeferCause::ProjectFault), rejected(RejectCause::DeviceGone)] {
        let mut scene = scene(vec![person("jin", 1), person("min", 0)]);
        assert_eq!(scene.plan(), ["push 1 jin", "sms 2 min"]);
        assert_eq!(scene.answer(1, fails), ["sms 3 jin"]);
    }
}

#[test]
fn whom_it_cannot_reach_the_others_are_told_of() {
    let mut scene = scene(vec![person("jin", 1), person("min", 1)]);
    scene.rules.gateways.clear();
    scene.plan();
    scene.answer(2, accepted());
    assert_eq!(scene.answer(1, rejected(RejectCause::Refused)), ["push 3 min unreachable"]);
}
