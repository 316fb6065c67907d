//! Gateways leave the configuration, or change their order, while texts are on their way, and the program starts anew.

use super::*;

/// What is known of jin's text when the program stops.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stand {
    /// Both gateways put it off: it waits for its next try.
    Pending,
    /// The first was asked to send it, and nobody heard the answer.
    UnderWay,
    /// The first gave no readable answer, and can tell what became of it.
    Unanswered,
    /// The first took it, and the second after the first had failed to deliver it.
    Undelivered,
}

/// jin has only a phone; two gateways that report and can be asked.
fn scene(stand: Stand) -> Scene {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(2, true, true);
    assert_eq!(scene.plan(), ["sms 1 jin"]);
    match stand {
        Stand::Pending => {
            assert_eq!(scene.answer(1, deferred(DeferCause::Unavailable)), ["sms 2 jin"]);
            assert_eq!(scene.answer(2, deferred(DeferCause::Unavailable)), NOTHING);
        }
        Stand::UnderWay => {}
        Stand::Unanswered => assert_eq!(scene.answer(1, unknown()), NOTHING),
        Stand::Undelivered => {
            assert_eq!(scene.answer(1, accepted()), NOTHING);
            assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), ["sms 2 jin"]);
            assert_eq!(scene.answer(2, accepted()), NOTHING);
        }
    }
    scene
}

impl Scene {
    /// The program stops and starts with these gateways.
    fn restart_with(&mut self, gateways: Vec<GatewayRule>) -> Vec<String> {
        // As the store keeps it.
        let stored = serde_json::to_vec(&self.alert).expect("alerts are JSON");
        self.alert = serde_json::from_slice(&stored).expect("as they were");
        self.open.clear();
        self.asked.clear();
        self.rules.gateways = gateways;
        self.pass(5);
        self.started = self.now;
        self.plan()
    }

    /// Goes on for ten minutes; every gateway takes what it gets.
    fn go_on(&mut self) {
        let end = self.now + SignedDuration::from_mins(10);
        loop {
            while let Some(send) = self.open.first().cloned() {
                self.answer(send.attempt, accepted());
            }
            let Some(due) = self.due.filter(|due| *due < end) else { return };
            self.now = due;
            self.plan();
        }
    }

    /// Goes on until then while the first gateway and phones take what they get, each a second later, and the second
    /// gateway is down. What the first got for jin.
    fn go_on_by_the_first(&mut self, end: Timestamp) -> Vec<String> {
        let mut by_first = Vec::new();
        loop {
            while let Some(send) = self.open.first().cloned() {
                let is_down = send.address == gateway(1);
                if send.address == gateway(0) && send.contact.as_str() == "jin" {
                    by_first.push(describe(&send));
                }
                self.now += SignedDuration::from_secs(1);
                let outcome = if is_down { deferred(DeferCause::Unavailable) } else { accepted() };
                self.answer(send.attempt, outcome);
            }
            let Some(due) = self.due.filter(|due| *due <= end) else { return by_first };
            self.now = due.max(self.now);
            self.plan();
        }
    }

    fn sent_by(&self) -> Vec<&Address> {
        self.texts.iter().map(|(text, _)| &text.address).collect()
    }
}

#[test]
fn a_gateway_that_is_taken_out_costs_no_text_and_is_not_asked() {
    for stand in [Stand::Pending, Stand::UnderWay, Stand::Unanswered, Stand::Undelivered] {
        let mut scene = scene(stand);
        let before = scene.texts.len();
        scene.restart_with(vec![gateways_that(2, true, true).remove(1)]);
        scene.go_on();
        let sent = scene.sent_by().split_off(before);
        match stand {
            // `check_text` asserts that none is doubled without a reason.
            Stand::Pending | Stand::UnderWay | Stand::Unanswered => {
                assert_eq!(sent, [&gateway(1)], "{stand:?}: by the one that is left");
            }
            Stand::Undelivered => assert!(sent.is_empty(), "the second has it: {sent:?}"),
        }
        assert_eq!(scene.told("jin"), Notified::Yes, "{stand:?}");
        assert!(scene.asked.iter().all(|ask| ask.gateway == gateway_name(2)), "{stand:?}: {:?}", scene.asked);
        assert!(!scene.journal().contains("dead_letter"), "{stand:?}: {}", scene.journal());
    }
}

#[test]
fn gateways_in_another_order_are_asked_about_their_own_texts_and_double_none() {
    for stand in [Stand::Pending, Stand::UnderWay, Stand::Unanswered, Stand::Undelivered] {
        let mut scene = scene(stand);
        let before = scene.texts.len();
        let mut reordered = gateways_that(2, true, true);
        reordered.reverse();
        scene.restart_with(reordered);
        scene.go_on();
        let sent = scene.sent_by().split_off(before);
        let texted: &[Address] = match stand {
            // After the second, which was the last, comes the first.
            Stand::Pending => &[gateway(0)],
            Stand::UnderWay | Stand::Unanswered => &[gateway(1)],
            Stand::Undelivered => &[],
        };
        assert_eq!(sent, texted.iter().collect::<Vec<_>>(), "{stand:?}");
        let by = |attempt| scene.texts.iter().find(|(text, _)| text.attempt == attempt);
        for ask in &scene.asked {
            let (text, _) = by(ask.attempt).expect("a text of ours");
            assert_eq!(
                text.address,
                Address::Gateway(ask.gateway.clone()),
                "{stand:?}: who sent it is asked"
            );
        }
        assert_eq!(scene.told("jin"), Notified::Yes, "{stand:?}");
    }
}

#[test]
fn a_text_that_its_gateway_failed_to_deliver_goes_to_a_gateway_that_was_added() {
    let mut scene = Scene::at(Severity::High).with_people(vec![person("jin", 0)]);
    scene.rules.gateways = gateways_that(1, true, false);
    scene.plan();
    scene.answer(1, accepted());
    scene.restart_with(gateways_that(2, true, false));
    assert_eq!(scene.report(1, Fate::Failed { reason: "30005".into() }), ["sms 2 jin"]);
    assert_eq!(scene.open[0].address, gateway(1));
}

#[test]
fn a_gateway_that_failed_to_deliver_is_tried_again_by_a_reminder_where_the_next_is_down() {
    for people in [vec![person("jin", 0)], vec![person("jin", 0), person("min", 1)]] {
        let mut scene = Scene::at(Severity::Disaster).with_people(people);
        scene.rules.gateways = gateways_that(2, true, false);
        scene.plan();
        while let Some(send) = scene.open.first().cloned() {
            scene.answer(send.attempt, accepted());
        }
        scene.report(1, Fate::Failed { reason: "absent subscriber".to_owned() });
        let by_first = scene.go_on_by_the_first(scene.now + SignedDuration::from_mins(6));
        assert_eq!(by_first.len(), 1, "{by_first:?}");
        assert_eq!(scene.told("jin"), Notified::Yes);
    }
}

#[test]
fn a_gateway_that_failed_to_deliver_is_tried_again_where_nobody_knows_and_the_next_is_down() {
    for is_over in [true, false] {
        let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 0)]);
        scene.rules.gateways = gateways_that(2, true, false);
        scene.plan();
        scene.answer(1, accepted());
        if is_over {
            assert_eq!(scene.resolve(), NOTHING);
        }
        let first = scene.report(1, Fate::Failed { reason: "absent subscriber".to_owned() });
        assert_eq!(first.len(), 1, "{first:?}");
        let by_first = scene.go_on_by_the_first(scene.hours(1));
        assert_eq!((by_first.len(), scene.told("jin")), (1, Notified::Yes), "{is_over}: {by_first:?}");
    }
}

#[test]
fn a_gateway_that_was_away_for_a_moment_is_asked_about_its_texts_when_it_is_back() {
    let mut scene = Scene::at(Severity::Average).with_people(vec![person("jin", 0)]);
    let configured = gateways_that(1, false, true);
    scene.rules.gateways.clone_from(&configured);
    scene.plan();
    scene.answer(1, accepted());
    scene.rules.gateways.clear();
    scene.pass(90);
    assert_eq!(scene.asked, []);
    scene.rules.gateways = configured;
    scene.plan();
    scene.pass(300);
    assert_eq!(scene.asked.iter().map(|ask| ask.attempt).collect::<Vec<_>>(), [1]);
}

#[test]
fn without_a_gateway_left_a_text_becomes_a_dead_letter_and_the_others_are_told() {
    for stand in [Stand::Pending, Stand::UnderWay, Stand::Unanswered] {
        let mut scene = scene(stand);
        scene.people.push(person("min", 1));
        scene.restart_with(Vec::new());
        scene.go_on();
        assert!(scene.journal().contains(r#""entry":"unreachable","contact":"jin""#), "{}", scene.journal());
        assert_eq!(scene.texts.len(), if stand == Stand::Pending { 2 } else { 1 }, "{stand:?}: none is sent");
    }
}
