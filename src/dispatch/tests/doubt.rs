//! What dispatch looks up before it plans: an end in doubt is decided at its time, also where new alerts are refused,
//! and what a later round tells is not told by an earlier one.

use super::*;
use crate::{
    alert::{EventStatus, Milestone, Successor},
    store::{AlertWrite, Expect, Lane},
};

#[tokio::test]
async fn on_a_full_disk_a_doubtful_end_is_decided_and_holds_up_no_other() {
    let clock = ManualClock::at(T0);
    let (company, inner) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let store = Mortal::of(&inner, usize::MAX, Death::Before);
    let queue = Queue::new(store.clone(), clock.clone());
    let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
    let key = || DedupKey::new("disk");
    let fires =
        Event { severity: Some(Severity::High), starts_at: Some(T0), ..Event::firing(key(), "disk full") };
    let status = EventStatus::Resolved { note: None, escalation_cancelled: false };
    let ends = Event { status, ..fires.clone() };
    for event in [&fires, &ends, &fires] {
        queue.admit(poster, std::slice::from_ref(event)).await.expect("it is admitted");
        clock.advance(SignedDuration::from_secs(1));
    }
    store.guard.refuses_new.store(true, Ordering::SeqCst);
    let mut dispatcher = dispatcher(store.clone(), &clock, &company).await;
    clock.advance(SignedDuration::from_secs(61));
    open_alerts(&inner, &clock, 0).await;
    work(&mut dispatcher).await.expect("the others go on");
    let rounds = every_alert(&inner).await.into_iter().filter(|alert| alert.dedup_key == key()).count();
    assert_eq!(rounds, 2, "its sender goes on saying that it fires");
    assert_eq!(company.texts.lock().expect("no panic").len(), BUDGET as usize, "the others are told");
}

async fn tells_no_end_after_it_fires_again(before: u32) {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let queue = Queue::new(store.clone(), clock.clone());
    let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
    let fires = Event { severity: Some(Severity::High), ..Event::firing(DedupKey::new("disk"), "disk full") };
    let status = EventStatus::Resolved { note: None, escalation_cancelled: false };
    let ends = Event { status, ..fires.clone() };
    let rules = Rules { text_budget: Vec::new(), texts_resolved: true, ..rules() };
    let mut dispatcher = dispatcher_with(store.clone(), &clock, &company, rules).await;
    // With those before, the round flaps or does not.
    for _ in 0..before {
        for event in [&fires, &ends] {
            queue.admit(poster, std::slice::from_ref(event)).await.expect("it is admitted");
            work(&mut dispatcher).await.expect("it works");
            clock.advance(SignedDuration::from_mins(1));
        }
    }
    for (event, at_fault) in [(&fires, false), (&ends, true), (&fires, true)] {
        company.at_fault.store(at_fault, Ordering::SeqCst);
        queue.admit(poster, std::slice::from_ref(event)).await.expect("it is admitted");
        for _ in 0..10 {
            work(&mut dispatcher).await.expect("it works");
            clock.advance(SignedDuration::from_mins(1));
        }
    }
    company.at_fault.store(false, Ordering::SeqCst);
    for _ in 0..20 {
        work(&mut dispatcher).await.expect("it works");
        clock.advance(SignedDuration::from_mins(1));
    }
    let rounds = every_alert(&store).await;
    let of =
        |number| texts_about(&company, rounds.iter().find(|alert| alert.round == number).expect("there").id);
    assert_eq!((of(before + 1), of(before + 2)), (1, 1), "{before}");
}

#[tokio::test]
async fn an_end_that_could_not_be_told_before_it_fires_again_is_not_told_after_it() {
    tells_no_end_after_it_fires_again(0).await;
    tells_no_end_after_it_fires_again(3).await;
}

#[tokio::test]
async fn an_end_that_is_planned_after_it_fires_again_is_not_told() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let queue = Queue::new(store.clone(), clock.clone());
    let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
    let fires = Event { severity: Some(Severity::High), ..Event::firing(DedupKey::new("disk"), "disk full") };
    let status = EventStatus::Resolved { note: None, escalation_cancelled: false };
    let ends = Event { status, ..fires.clone() };
    let rules = Rules { text_budget: Vec::new(), texts_resolved: true, ..rules() };
    let mut dispatcher = dispatcher_with(store.clone(), &clock, &company, rules).await;
    // How many texts each round is worth: what comes and goes before anything is planned is told by its last round.
    for (events, told) in [
        (vec![vec![&fires], vec![&ends, &fires], vec![&ends]], [1, 2]),
        (vec![vec![&fires, &ends, &fires], vec![&ends]], [0, 2]),
    ] {
        let before = every_alert(&store).await.len();
        for events in events {
            for event in events {
                queue.admit(poster, std::slice::from_ref(event)).await.expect("it is admitted");
            }
            for _ in 0..20 {
                work(&mut dispatcher).await.expect("it works");
                clock.advance(SignedDuration::from_mins(1));
            }
        }
        let mut rounds = every_alert(&store).await;
        rounds.sort_by_key(|alert| alert.round);
        let texts: Vec<_> = rounds.iter().skip(before).map(|alert| texts_about(&company, alert.id)).collect();
        assert_eq!(texts, told);
    }
}

#[tokio::test]
async fn that_it_came_and_went_is_not_told_once_it_fires_again_as_grave() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let queue = Queue::new(store.clone(), clock.clone());
    let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
    let status = EventStatus::Resolved { note: None, escalation_cancelled: false };
    let fires = |severity| Event {
        severity: Some(severity),
        ..Event::firing(DedupKey::new(format!("disk {severity}")), "disk full")
    };
    let rules = Rules { text_budget: Vec::new(), ..rules() };
    let mut dispatcher = dispatcher_with(store.clone(), &clock, &company, rules).await;
    // The last of what it fires as again, and how often it is told that the first round came and went.
    let again_as = [(Severity::High, 0), (Severity::Average, 1), (Severity::Disaster, 0)];
    for at_fault in [true, false] {
        company.at_fault.store(at_fault, Ordering::SeqCst);
        for (severity, _) in again_as.iter().filter(|_| at_fault) {
            let first = Event { severity: Some(Severity::High), ..fires(*severity) };
            let ends = Event { status: status.clone(), ..first.clone() };
            // A round between them that is milder, which leaves it to the first.
            let milder = Event { severity: Some(Severity::Warning), ..first.clone() };
            let between = [milder, ends.clone()].into_iter().filter(|_| *severity == Severity::Disaster);
            for event in [first, ends].into_iter().chain(between).chain([fires(*severity)]) {
                queue.admit(poster, &[event]).await.expect("it is admitted");
                work(&mut dispatcher).await.expect("it works");
                clock.advance(SignedDuration::from_secs(40));
            }
        }
        for _ in 0..20 {
            work(&mut dispatcher).await.expect("it works");
            clock.advance(SignedDuration::from_mins(1));
        }
    }
    for (severity, missed) in again_as {
        let key = fires(severity).dedup_key;
        let rounds = every_alert(&store).await.into_iter().filter(|alert| alert.dedup_key == key);
        let told: Vec<_> = rounds.map(|alert| (alert.round, texts_about(&company, alert.id))).collect();
        let last = told.iter().max().expect("there");
        assert!(told.contains(&(1, missed)) && 1 <= last.1, "{severity}: {told:?}");
    }
}

#[tokio::test]
async fn whom_a_quiet_round_left_to_the_one_before_is_told_by_a_later_one_alone() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let queue = Queue::new(store.clone(), clock.clone());
    let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
    let fires = Event { severity: Some(Severity::High), ..Event::firing(DedupKey::new("disk"), "disk full") };
    let status = EventStatus::Resolved { note: None, escalation_cancelled: false };
    let ends = Event { status, ..fires.clone() };
    let rules = Rules { text_budget: Vec::new(), ..rules() };
    let mut dispatcher = dispatcher_with(store.clone(), &clock, &company, rules).await;
    company.at_fault.store(true, Ordering::SeqCst);
    for event in [&fires, &ends, &fires, &ends, &fires, &ends, &fires] {
        queue.admit(poster, std::slice::from_ref(event)).await.expect("it is admitted");
        clock.advance(SignedDuration::from_secs(60));
    }
    let round = async |number: u32| {
        let alert = every_alert(&store).await.into_iter().find(|alert| alert.round == number);
        store.get(alert.expect("there").id).await.expect("works").expect("there")
    };
    work(&mut dispatcher).await.expect("it works");
    for event in [&ends, &fires] {
        queue.admit(poster, std::slice::from_ref(event)).await.expect("it is admitted");
    }
    work(&mut dispatcher).await.expect("it works");
    let before = round(4).await;
    let (mut alert, version) = (before.alert, before.version);
    assert!(!alert.progress.planned.is_empty() && alert.openings.flapping().is_some());
    alert.openings.superseded = Some(Successor::IsQuiet);
    alert.progress.planned.insert(Milestone::Resolved);
    let jin = alert.progress.contacts.get_mut(&jin()).expect("planned");
    jin.notifications.clone_from(&round(5).await.alert.progress.contacts[&self::jin()].notifications);
    let write = AlertWrite::of(alert, Expect::Version(version), Some(clock.now()));
    store.commit(Lane::Deliver, &[write]).await.expect("works");
    company.at_fault.store(false, Ordering::SeqCst);
    for _ in 0..20 {
        work(&mut dispatcher).await.expect("it works");
        clock.advance(SignedDuration::from_mins(1));
    }
    let of = |id: AlertId| texts_about(&company, id);
    assert_eq!((of(round(4).await.alert.id), of(round(5).await.alert.id)), (0, 1));
}
