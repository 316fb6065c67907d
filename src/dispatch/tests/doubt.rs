//! An end in doubt is decided at its time, also where new alerts are refused.

use super::*;
use crate::alert::EventStatus;

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
