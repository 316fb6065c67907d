//! What waits for an account that was at fault goes on when it works again, also across a restart.

use super::*;
use crate::{
    alert::{Address, RejectCause, Subject},
    plan::{Send, Settlement},
};

#[tokio::test]
async fn what_waits_since_before_a_restart_goes_on_with_the_first_text_that_is_accepted() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    company.at_fault.store(true, Ordering::SeqCst);
    let rules = Rules { text_budget: Vec::new(), ..rules() };
    open_alerts(&store, &clock, 0).await;
    let mut before = dispatcher_with(store.clone(), &clock, &company, rules.clone()).await;
    for _ in 0..20 {
        work(&mut before).await.expect("the store works");
        clock.advance(SignedDuration::from_mins(1));
    }
    work(&mut before).await.expect("the store works");
    drop(before);

    company.at_fault.store(false, Ordering::SeqCst);
    let texts = || company.texts.lock().expect("no panic").len();
    let mut after = dispatcher_with(store.clone(), &clock, &company, rules).await;
    work(&mut after).await.expect("the store works");
    assert_eq!(texts(), 0, "they wait");
    open_alerts(&store, &clock, ALERTS).await;
    work(&mut after).await.expect("the store works");
    assert_eq!(texts(), 2 * ALERTS);
}

/// Of three devices one works; one is of a platform that Google cannot reach, and one is throttled.
#[derive(Default)]
struct Odd(Mutex<Vec<(AlertId, PushTarget)>>);

#[async_trait]
impl PushTransport for Odd {
    async fn send(&self, push: Push) -> Outcome {
        let target = push.target.clone();
        let is = |name: &str| target == PushTarget::Token(name.to_owned());
        let deferred = |cause| Outcome::Deferred {
            cause,
            retry_after: Some(SignedDuration::from_secs(60)),
            detail: "later".to_owned(),
        };
        let outcome = if is("works") {
            Outcome::Accepted { provider_id: None }
        } else if is("odd") {
            deferred(DeferCause::PlatformFault)
        } else {
            deferred(DeferCause::Throttled)
        };
        self.0.lock().expect("no panic").push((push.message.alert_id, target));
        outcome
    }
}

#[tokio::test]
async fn an_odd_device_does_not_hasten_what_a_provider_wants_to_wait() {
    let clock = ManualClock::at(T0);
    let (company, store, fcm) =
        (Arc::new(Company::default()), Arc::new(MemoryStore::new()), Arc::new(Odd::default()));
    let device = |(name, id)| Device { id: DeviceId(id), target: PushTarget::Token(String::from(name)) };
    let devices = [("works", 1), ("odd", 2), ("throttled", 3)].map(device).to_vec();
    let (people, ground) =
        (vec![Person { devices, ..person_jin() }], (store.clone() as Arc<dyn Store>, clock.clone()));
    let rules = Rules { push: true, text_budget: Vec::new(), ..rules() };
    let mut dispatcher = dispatcher_to(people, Some(fcm.clone()), company, ground, rules).await;
    for batch in 0..5 {
        open_alerts(&store, &clock, batch * ALERTS).await;
        work(&mut dispatcher).await.expect("the store works");
        clock.advance(SignedDuration::from_secs(10));
    }
    let requests = fcm.0.lock().expect("no panic").clone();
    let to = |name: &str| {
        let target = PushTarget::Token(name.to_owned());
        requests.iter().filter(|(_, to)| *to == target).count()
    };
    assert_eq!((to("works"), to("throttled")), (5 * ALERTS, 5 * ALERTS), "once for each alert");
    assert_eq!(to("odd"), 6 * ALERTS, "those of the start once more, as the account is known to work");
}

#[tokio::test]
async fn an_account_works_again_when_something_begun_after_the_fault_is_accepted() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let mut dispatcher = dispatcher(store, &clock, &company).await;
    work(&mut dispatcher).await.expect("the store works");
    let at = |seconds: i64| T0 + SignedDuration::from_secs(seconds);
    let fault = Outcome::Deferred {
        cause: DeferCause::ProjectFault,
        retry_after: None,
        detail: "no money is left".to_owned(),
    };
    let accepted = Outcome::Accepted { provider_id: None };
    let mut looks = |outcome: &Outcome, began: i64, ended: i64| {
        let address = Address::Gateway("company".into());
        let (subject, severity) = (Subject::Opened, Severity::High);
        let send = Send { attempt: 1, contact: jin(), subject, severity, address, began: at(began) };
        let outcome = outcome.clone();
        dispatcher.look = None;
        dispatcher.note_recovery(&Settlement { send, outcome, segments: 1, ended: at(ended) });
        dispatcher.look.is_some()
    };
    assert!(looks(&accepted, 0, 1), "what it was before the start is not known");
    assert!(!looks(&accepted, 1, 2));
    assert!(!looks(&fault, 2, 4));
    assert!(!looks(&accepted, 3, 5), "it was under way");
    assert!(!looks(&fault, 5, 6), "not asked");
    assert!(looks(&accepted, 5, 7));
    assert!(!looks(&accepted, 7, 8));
}

/// No device is known to Google any more.
struct NoDevice;

#[async_trait]
impl PushTransport for NoDevice {
    async fn send(&self, _: Push) -> Outcome {
        Outcome::Rejected { cause: RejectCause::DeviceGone, detail: "UNREGISTERED".to_owned() }
    }
}

#[tokio::test]
async fn what_follows_from_an_answer_at_a_stop_is_begun_at_the_next_start() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let devices = vec![Device { id: DeviceId(1), target: PushTarget::Token("gone".to_owned()) }];
    let (people, rules) =
        (vec![Person { devices, ..person_jin() }], Rules { push: true, text_budget: Vec::new(), ..rules() });
    let start = async || {
        let ground = (store.clone() as Arc<dyn Store>, clock.clone());
        dispatcher_to(people.clone(), Some(Arc::new(NoDevice)), company.clone(), ground, rules.clone()).await
    };
    let texts = || company.texts.lock().expect("no panic").len();
    open_alerts(&store, &clock, 0).await;
    let mut before = start().await;
    before.step(DUE_PER_STEP_MAX).await.expect("the store works");
    assert_eq!(before.outbox.under_way(), ALERTS);
    assert!(before.finish().await);
    assert_eq!(texts(), 0, "a text takes longer than a stop");
    let mut after = start().await;
    work(&mut after).await.expect("the store works");
    assert_eq!(texts(), ALERTS);
}
