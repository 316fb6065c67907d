//! What waits for an account that was at fault goes on when it works again, also across a restart.

use super::*;

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
