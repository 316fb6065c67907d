//! What a digest was to tell that cannot be read.

use super::*;
use crate::alert::{FoldWord, Folded, Others, Tier, Unreached};

fn digest(number: u8) -> AlertId {
    AlertId::from_bytes([number; 16])
}

fn name(name: &str) -> ContactName {
    name.parse().expect("a name")
}

/// jin's part of it goes into the digest, which then cannot be read.
fn taken_back(scene: &mut Scene, word: FoldWord, unreached: Option<&str>) {
    let unreached = Unreached { names: unreached.map(name).into_iter().collect(), more: 0 };
    let severity = scene.alert.severity;
    let folded =
        Folded { digest: digest(9), word, severity, at: scene.now, text: true, missed: false, unreached };
    let jin = scene.alert.progress.contacts.get_mut(&name("jin")).expect("a contact");
    jin.certain = jin.certain.max(Notified::Counted);
    jin.folded.insert(Tier::Ordinary, folded);
    let mut alert = scene.alert.clone();
    take_back(&mut alert, digest(8), &scene.present());
    assert_eq!(alert, scene.alert, "it is counted in another one");
    take_back(&mut alert, digest(9), &scene.present());
    scene.alert = alert;
}

#[test]
fn who_knew_it_from_the_digest_only_is_notified_though_others_know() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 1), person("min", 1)]);
    scene.plan();
    scene.answer(2, accepted());
    scene.alert.progress.contacts.get_mut(&name("jin")).expect("a contact").notifications.clear();
    scene.open.clear();
    taken_back(&mut scene, FoldWord::Fired, None);
    assert_eq!(scene.told("jin"), Notified::No);
    assert_eq!(scene.plan(), ["push 3 jin"]);
}

#[test]
fn who_knew_it_before_is_told_how_it_stands() {
    let mut scene = Scene::at(Severity::High);
    scene.plan();
    scene.answer(1, accepted());
    taken_back(&mut scene, FoldWord::Fired, None);
    assert_eq!(scene.plan(), ["push 2 jin raised"]);
    scene.answer(2, accepted());
    scene.resolve();
    scene.answer(3, accepted());
    taken_back(&mut scene, FoldWord::Resolved, None);
    assert_eq!(scene.plan(), ["push 4 jin resolved"]);
}

#[test]
fn whom_it_was_to_call_unreachable_the_others_are_told_of_again() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 1), person("min", 1)]);
    scene.rules.gateways.clear();
    scene.plan();
    scene.answer(1, accepted());
    let others = scene.answer(2, rejected(RejectCause::Refused));
    assert_eq!(others, ["push 3 jin unreachable"]);
    scene.answer(3, accepted());
    scene.pass(60);
    taken_back(&mut scene, FoldWord::Unreachable, Some("min"));
    assert_eq!(scene.alert.progress.contacts[&name("min")].others, Others::NotTold);
    assert_eq!(scene.plan(), ["push 4 jin unreachable"]);
}
