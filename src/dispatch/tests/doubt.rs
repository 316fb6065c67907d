//! What dispatch looks up before it plans: an end in doubt is decided at its time, also where new alerts are refused,
//! and what a later round tells is not told by an earlier one.

use super::*;
use crate::{
    alert::{EventStatus, Milestone, Resolution, ResolvedBy, Successor},
    store::{AlertWrite, Expect, Lane, Stored},
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
    let ends = ending(&fires);
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

/// One problem of Zabbix that comes and goes, and jin, who is texted.
struct Disk {
    clock: Arc<ManualClock>,
    company: Arc<Company>,
    store: Arc<MemoryStore>,
    queue: Queue,
    dispatcher: Dispatcher,
    fires: Event,
    ends: Event,
}

impl Disk {
    async fn watched(texts_resolved: bool) -> Self {
        let clock = ManualClock::at(T0);
        let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
        let queue = Queue::new(store.clone(), clock.clone());
        let rules = Rules { text_budget: Vec::new(), texts_resolved, ..rules() };
        let dispatcher = dispatcher_with(store.clone(), &clock, &company, rules).await;
        let key = DedupKey::new("disk");
        let fires = Event { severity: Some(Severity::High), ..Event::firing(key, "disk full") };
        let ends = ending(&fires);
        Self { clock, company, store, queue, dispatcher, fires, ends }
    }

    async fn admit(&self, event: &Event) {
        let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
        self.queue.admit(poster, std::slice::from_ref(event)).await.expect("it is admitted");
    }

    /// Plans and sends what is due.
    async fn work(&mut self) {
        work(&mut self.dispatcher).await.expect("it works");
    }

    /// As [`Self::work`], at the beginning of each.
    async fn minutes(&mut self, minutes: usize) {
        for _ in 0..minutes {
            self.work().await;
            self.clock.advance(SignedDuration::from_mins(1));
        }
    }

    /// The account of the only gateway is at fault, or works again.
    fn is_at_fault(&self, is: bool) {
        self.company.at_fault.store(is, Ordering::SeqCst);
    }

    async fn round(&self, number: u32) -> Stored {
        let alert = every_alert(&self.store).await.into_iter().find(|alert| alert.round == number);
        self.store.get(alert.expect("there").id).await.expect("works").expect("there")
    }

    async fn texts_of_round(&self, number: u32) -> usize {
        texts_about(&self.company, self.round(number).await.alert.id)
    }
}

fn ending(event: &Event) -> Event {
    let status = EventStatus::Resolved { note: None, escalation_cancelled: false };
    Event { status, ..event.clone() }
}

async fn tells_no_end_after_it_fires_again(before: u32) {
    let mut disk = Disk::watched(true).await;
    let (fires, ends) = (disk.fires.clone(), disk.ends.clone());
    // With those before, the round flaps or does not.
    for _ in 0..before {
        for event in [&fires, &ends] {
            disk.admit(event).await;
            disk.minutes(1).await;
        }
    }
    for (event, at_fault) in [(&fires, false), (&ends, true), (&fires, true)] {
        disk.is_at_fault(at_fault);
        disk.admit(event).await;
        disk.minutes(10).await;
    }
    disk.is_at_fault(false);
    disk.minutes(20).await;
    let told = (disk.texts_of_round(before + 1).await, disk.texts_of_round(before + 2).await);
    assert_eq!(told, (1, 1), "{before}");
}

#[tokio::test]
async fn an_end_that_could_not_be_told_before_it_fires_again_is_not_told_after_it() {
    tells_no_end_after_it_fires_again(0).await;
    tells_no_end_after_it_fires_again(3).await;
}

#[tokio::test]
async fn an_end_that_is_planned_after_it_fires_again_is_not_told() {
    // How many texts each round is worth.
    for (is_planned, told) in [(true, (1, 2)), (false, (0, 2))] {
        let mut disk = Disk::watched(true).await;
        disk.admit(&disk.fires).await;
        if is_planned {
            disk.minutes(20).await;
        }
        disk.admit(&disk.ends).await;
        disk.admit(&disk.fires).await;
        disk.minutes(20).await;
        disk.admit(&disk.ends).await;
        disk.minutes(20).await;
        assert_eq!((disk.texts_of_round(1).await, disk.texts_of_round(2).await), told);
    }
}

#[tokio::test]
async fn a_raise_that_is_over_before_it_is_planned_is_told_though_it_fires_again_as_before() {
    for (before, raised) in [(Severity::Warning, Severity::High), (Severity::High, Severity::Disaster)] {
        for fires_again in [true, false] {
            let mut disk = Disk::watched(false).await;
            let as_severe = |severity| Event { severity: Some(severity), ..disk.fires.clone() };
            let (mild, grave) = (as_severe(before), as_severe(raised));
            disk.admit(&mild).await;
            disk.minutes(1).await;
            disk.admit(&grave).await;
            disk.admit(&ending(&grave)).await;
            if fires_again {
                disk.admit(&mild).await;
            }
            disk.minutes(20).await;
            assert_eq!(disk.texts_of_round(1).await, 2, "{before} {fires_again}: it fired, it was graver");
            if fires_again {
                assert_eq!(disk.texts_of_round(2).await, 1);
            }
        }
    }
}

#[tokio::test]
async fn what_a_later_start_took_the_place_of_is_told_where_that_became_milder_before_it_was_planned() {
    let mut disk = Disk::watched(false).await;
    let fires = |severity, started| {
        let starts_at = Some(T0 + SignedDuration::from_mins(started));
        Event { severity: Some(severity), starts_at, ..disk.fires.clone() }
    };
    for event in [fires(Severity::Disaster, 0), fires(Severity::Disaster, 1), fires(Severity::Warning, 1)] {
        disk.clock.advance(SignedDuration::from_secs(61));
        disk.admit(&event).await;
    }
    disk.minutes(10).await;
    assert_eq!((disk.texts_of_round(1).await, disk.texts_of_round(2).await), (1, 1));
}

#[tokio::test]
async fn the_end_of_what_was_graver_is_told_though_it_fires_again() {
    let mut disk = Disk::watched(true).await;
    disk.admit(&disk.fires).await;
    disk.minutes(20).await;
    disk.is_at_fault(true);
    disk.admit(&disk.ends).await;
    let milder = Event { severity: Some(Severity::Warning), ..disk.fires.clone() };
    disk.admit(&milder).await;
    disk.minutes(1).await;
    let successor = disk.round(1).await.alert.openings.superseded;
    assert_eq!(successor, Some(Successor::IsQuiet), "it says so");
    disk.admit(&ending(&milder)).await;
    disk.minutes(10).await;
    let successor = disk.round(1).await.alert.openings.superseded;
    assert_eq!(successor, None, "it does not any more");
    disk.is_at_fault(false);
    disk.minutes(20).await;
    assert_eq!((disk.texts_of_round(1).await, disk.texts_of_round(2).await), (2, 1));
}

#[tokio::test]
async fn that_it_came_and_went_is_not_told_once_it_fires_again_as_grave() {
    let mut disk = Disk::watched(false).await;
    let fires = |severity| Event {
        severity: Some(severity),
        ..Event::firing(DedupKey::new(format!("disk {severity}")), "disk full")
    };
    // The last of what it fires as again, and how often it is told that the first round came and went.
    let again_as = [(Severity::High, 0), (Severity::Average, 1), (Severity::Disaster, 0)];
    disk.is_at_fault(true);
    for (severity, _) in again_as {
        let first = Event { severity: Some(Severity::High), ..fires(severity) };
        let ends = ending(&first);
        // A round between them that is milder, which leaves it to the first.
        let milder = Event { severity: Some(Severity::Warning), ..first.clone() };
        let between = [milder, ends.clone()].into_iter().filter(|_| severity == Severity::Disaster);
        for event in [first, ends].into_iter().chain(between).chain([fires(severity)]) {
            disk.admit(&event).await;
            disk.work().await;
            disk.clock.advance(SignedDuration::from_secs(40));
        }
    }
    disk.minutes(20).await;
    disk.is_at_fault(false);
    disk.minutes(20).await;
    for (severity, missed) in again_as {
        let key = fires(severity).dedup_key;
        let rounds = every_alert(&disk.store).await.into_iter().filter(|alert| alert.dedup_key == key);
        let told: Vec<_> = rounds.map(|alert| (alert.round, texts_about(&disk.company, alert.id))).collect();
        let last = told.iter().max().expect("there");
        assert!(told.contains(&(1, missed)) && 1 <= last.1, "{severity}: {told:?}");
    }
}

#[tokio::test]
async fn whom_a_quiet_round_left_to_the_one_before_is_told_by_a_later_one_alone() {
    let mut disk = Disk::watched(false).await;
    let (fires, ends) = (disk.fires.clone(), disk.ends.clone());
    disk.is_at_fault(true);
    for event in [&fires, &ends, &fires, &ends, &fires, &ends, &fires] {
        disk.admit(event).await;
        disk.clock.advance(SignedDuration::from_secs(60));
    }
    disk.work().await;
    disk.admit(&ends).await;
    disk.admit(&fires).await;
    disk.work().await;
    let Stored { mut alert, version } = disk.round(4).await;
    assert!(!alert.progress.planned.is_empty() && alert.openings.flapping().is_some());
    alert.openings.superseded = Some(Successor::IsQuiet);
    alert.progress.planned.insert(Milestone::Resolved);
    let next = disk.round(5).await.alert;
    let jin = alert.progress.contacts.get_mut(&jin()).expect("planned");
    jin.notifications.clone_from(&next.progress.contacts[&self::jin()].notifications);
    let write = AlertWrite::of(alert, Expect::Version(version), Some(disk.clock.now()));
    disk.store.commit(Lane::Deliver, &[write]).await.expect("works");
    disk.is_at_fault(false);
    disk.minutes(20).await;
    assert_eq!((disk.texts_of_round(4).await, disk.texts_of_round(5).await), (0, 1));
}

#[tokio::test]
async fn what_was_left_to_a_round_that_was_lost_is_told() {
    let mut disk = Disk::watched(false).await;
    disk.admit(&disk.fires).await;
    let Stored { mut alert, version } = disk.round(1).await;
    alert.resolve(Resolution::by(ResolvedBy::Superseded, disk.clock.now()));
    alert.openings.superseded = Some(Successor::Tells);
    let write = AlertWrite::of(alert, Expect::Version(version), Some(disk.clock.now()));
    disk.store.commit(Lane::Deliver, &[write]).await.expect("works");
    disk.minutes(10).await;
    assert_eq!(disk.texts_of_round(1).await, 1);
}
