//! An alert that cannot be read holds up no other, and what its requests came to is not lost.

use super::*;
use crate::{dispatch::aside::LEFT_FOR, queue::Action};

#[tokio::test]
async fn a_digest_whose_rows_cannot_be_read_waits_and_the_others_are_told() {
    let clock = ManualClock::at(T0);
    let (company, inner) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    open_alerts(&inner, &clock, 0).await;
    let store = Mortal::of(&inner, usize::MAX, Death::Before);
    let mut dispatcher = dispatcher(store.clone(), &clock, &company).await;
    work(&mut dispatcher).await.expect("the store works");
    let digest =
        every_alert(&inner).await.into_iter().find(|alert| alert.digest.is_some()).expect("a digest");

    store.guard.damaged_folds.lock().expect("no panic").insert(digest.id);
    for key in ["one", "two", "three"] {
        clock.advance(SignedDuration::from_secs(31));
        let healthy = open_disaster(&inner, &clock, key).await;
        work(&mut dispatcher).await.expect("the others go on");
        assert_eq!((texts_about(&company, healthy), texts_about(&company, digest.id)), (1, 0), "{key}");
    }
    // A process that starts meanwhile starts all the same.
    let mut dispatcher = dispatcher_with(store.clone(), &clock, &company, rules()).await;
    store.guard.damaged_folds.lock().expect("no panic").clear();
    clock.advance(LEFT_FOR);
    work(&mut dispatcher).await.expect("the store works");
    assert_eq!(texts_about(&company, digest.id), 1, "it is told when it can be read again");
}

#[tokio::test]
async fn an_end_is_told_though_the_round_that_followed_cannot_be_read() {
    let clock = ManualClock::at(T0);
    let (company, inner) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let store = Mortal::of(&inner, usize::MAX, Death::Before);
    let rules = Rules { texts_resolved: true, ..rules() };
    let mut dispatcher = dispatcher_with(store.clone(), &clock, &company, rules).await;
    let queue = Queue::new(inner.clone(), clock.clone());
    let first = open_disaster(&inner, &clock, "one").await;
    work(&mut dispatcher).await.expect("it works");
    company.at_fault.store(true, Ordering::SeqCst);
    queue.act(first, &Action::Resolve, "jin").await.expect("it works");
    work(&mut dispatcher).await.expect("it works");
    clock.advance(SignedDuration::from_mins(6));
    let second = open_disaster(&inner, &clock, "one").await;
    store.guard.damaged.lock().expect("no panic").insert(second);
    company.at_fault.store(false, Ordering::SeqCst);
    for _ in 0..20 {
        work(&mut dispatcher).await.expect("it works");
        clock.advance(SignedDuration::from_mins(1));
    }
    assert_eq!(texts_about(&company, first), 2);
}

#[tokio::test]
async fn what_a_digest_that_cannot_be_read_was_to_count_goes_into_the_next_also_after_a_restart() {
    for is_restarted in [false, true] {
        let clock = ManualClock::at(T0);
        let (company, inner) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
        open_alerts(&inner, &clock, 0).await;
        let store = Mortal::of(&inner, usize::MAX, Death::Before);
        let mut first = dispatcher(store.clone(), &clock, &company).await;
        work(&mut first).await.expect("the store works");
        let digests = async || {
            every_alert(&inner).await.into_iter().filter(|alert| alert.digest.is_some()).collect::<Vec<_>>()
        };
        let unreadable = digests().await[0].id;
        store.guard.damaged.lock().expect("no panic").insert(unreadable);
        let mut goes_on =
            if is_restarted { dispatcher(store.clone(), &clock, &company).await } else { first };
        clock.advance(SignedDuration::from_secs(31));
        open_alerts(&inner, &clock, ALERTS).await;
        work(&mut goes_on).await.expect("the others go on");
        for _ in 0..10 {
            clock.advance(LEFT_FOR);
            work(&mut goes_on).await.expect("the others go on");
        }
        let next: Vec<_> = digests().await.into_iter().filter(|digest| digest.id != unreadable).collect();
        let counted = next[0].digest.as_ref().and_then(|digest| digest.counted.as_ref());
        let total = counted.expect("it has counted").total() as usize;
        assert_eq!((next.len(), total), (1, 2 * ALERTS - BUDGET as usize), "{is_restarted}");
        assert_eq!((texts_about(&company, next[0].id), texts_about(&company, unreadable)), (1, 0));
    }
}

/// While the answers of several alerts wait, one of these cannot be read any more.
async fn answers_wait(read_again: bool) {
    let clock = ManualClock::at(T0);
    let (company, inner) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    open_alerts(&inner, &clock, 0).await;
    let store = Mortal::of(&inner, usize::MAX, Death::Before);
    let rules = Rules { text_budget: Vec::new(), ..rules() };
    let mut dispatcher = dispatcher_with(store.clone(), &clock, &company, rules).await;
    assert_eq!(dispatcher.step(DUE_PER_STEP_MAX).await.expect("it works"), Step::Worked(ALERTS));
    while dispatcher.answers.len() < ALERTS {
        tokio::task::yield_now().await;
    }
    if read_again {
        // None of their documents is in hand afterwards.
        store.guard.is_full.store(true, Ordering::SeqCst);
        dispatcher.step(DUE_PER_STEP_MAX).await.expect_err("it is full");
        store.guard.is_full.store(false, Ordering::SeqCst);
    }
    let bad = every_alert(&inner).await[0].id;
    store.guard.damaged.lock().expect("no panic").insert(bad);
    work(&mut dispatcher).await.expect("the others go on");
    let healthy = open_disaster(&inner, &clock, "healthy").await;
    work(&mut dispatcher).await.expect("the others go on");
    for alert in every_alert(&inner).await {
        let under_way = alert.progress.is_under_way();
        assert_eq!((texts_about(&company, alert.id), under_way), (1, alert.id == bad), "{alert:?}");
    }
    assert_eq!(texts_about(&company, healthy), 1);

    store.guard.damaged.lock().expect("no panic").clear();
    clock.advance(LEFT_FOR);
    work(&mut dispatcher).await.expect("the store works");
    let alert = inner.get(bad).await.expect("the store works").expect("it is there").alert;
    let rows = history(&inner, &alert).await;
    let outcomes: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let Entry::Attempt(attempt) = &row.entry else { return None };
            Some(attempt.outcome.as_str())
        })
        .collect();
    assert_eq!((outcomes, texts_about(&company, bad)), (vec!["accepted"], 1), "as it was answered, and once");
}

#[tokio::test]
async fn answers_of_an_alert_that_cannot_be_written_wait_until_it_can() {
    answers_wait(false).await;
}

#[tokio::test]
async fn answers_of_an_alert_that_cannot_be_read_wait_until_it_can() {
    answers_wait(true).await;
}

#[tokio::test]
async fn a_start_goes_on_without_what_cannot_be_read_of_earlier_processes() {
    let clock = ManualClock::at(T0);
    let (company, inner) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let waiting = open_disaster(&inner, &clock, "one").await;
    let store = Mortal::of(&inner, usize::MAX, Death::Before);
    store.guard.all_damaged.store(true, Ordering::SeqCst);
    let mut dispatcher = dispatcher(store.clone(), &clock, &company).await;
    store.guard.all_damaged.store(false, Ordering::SeqCst);
    work(&mut dispatcher).await.expect("the store works again");
    assert_eq!(texts_about(&company, waiting), 1);
}

#[tokio::test]
async fn a_start_waits_for_a_store_that_is_not_available_and_begins_with_what_was_spent() {
    let clock = ManualClock::at(T0);
    let (company, inner) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    open_alerts(&inner, &clock, 0).await;
    work(&mut dispatcher(inner.clone(), &clock, &company).await).await.expect("the store works");
    open_alerts(&inner, &clock, ALERTS).await;
    let store = Mortal::of(&inner, 0, Death::Before);
    let comes_back = async {
        for _ in 0..5 {
            tokio::task::yield_now().await;
            clock.advance(SignedDuration::from_secs(1));
        }
        store.guard.writes_left.store(usize::MAX, Ordering::SeqCst);
        tokio::task::yield_now().await;
        clock.advance(SignedDuration::from_secs(1));
    };
    let (mut dispatcher, ()) = tokio::join!(dispatcher(store.clone(), &clock, &company), comes_back);
    work(&mut dispatcher).await.expect("the store works again");
    assert_eq!(company.texts.lock().expect("no panic").len(), BUDGET as usize);
    assert!(dispatcher.budgets.is_stormy(&jin(), clock.now()));
}

#[tokio::test]
async fn alerts_that_cannot_be_read_at_a_start_are_left_out_and_counted() {
    let clock = ManualClock::at(T0);
    let (company, inner) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let bad = open_disaster(&inner, &clock, "bad").await;
    let good = open_disaster(&inner, &clock, "good").await;
    let store = Mortal::of(&inner, usize::MAX, Death::Before);
    store.guard.damaged.lock().expect("no panic").insert(bad);
    let mut dispatcher = dispatcher(store.clone(), &clock, &company).await;
    work(&mut dispatcher).await.expect("the other goes on");
    assert_eq!((texts_about(&company, good), texts_about(&company, bad)), (1, 0));
    let damaged = store.health().await.damaged;
    assert_eq!((damaged.len(), damaged[0].kind, damaged[0].count), (1, "alert", 1));
}

#[tokio::test]
async fn a_commit_of_which_a_part_is_not_heard_of_starts_what_is_known_to_be_written() {
    let clock = ManualClock::at(T0);
    let (company, inner) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let store = Mortal::of(&inner, usize::MAX, Death::Before);
    let mut dispatcher = dispatcher(store.clone(), &clock, &company).await;
    let (healthy, unheard) =
        (open_disaster(&inner, &clock, "one").await, open_disaster(&inner, &clock, "two").await);
    store.guard.unheard.lock().expect("no panic").insert(unheard);
    for _ in 0..2 {
        work(&mut dispatcher).await.expect_err("a part of it failed");
        clock.advance(SignedDuration::from_secs(13));
    }
    assert_eq!(texts_about(&company, unheard), 0);
    store.guard.unheard.lock().expect("no panic").clear();
    // Nothing of it was begun, so it is not sent twice.
    for _ in 0..3 {
        clock.advance(SignedDuration::from_secs(5));
        work(&mut dispatcher).await.expect("the store works");
    }
    assert_eq!((texts_about(&company, healthy), texts_about(&company, unheard)), (1, 1));
}

#[tokio::test]
async fn a_text_of_which_nobody_heard_that_it_was_written_is_within_the_budget_that_it_took() {
    let clock = ManualClock::at(T0);
    let (company, inner) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let store = Mortal::of(&inner, usize::MAX, Death::Before);
    let one = Rate { count: NonZeroU32::MIN, per: SignedDuration::from_mins(10) };
    let rules = Rules { disaster_budget: vec![one], ..rules() };
    let mut dispatcher = dispatcher_with(store.clone(), &clock, &company, rules).await;
    let unheard = open_disaster(&inner, &clock, "one").await;
    store.guard.unheard.lock().expect("no panic").insert(unheard);
    work(&mut dispatcher).await.expect_err("it is not heard of");
    store.guard.unheard.lock().expect("no panic").clear();
    clock.advance(SignedDuration::from_secs(1));
    work(&mut dispatcher).await.expect("the store works");
    assert_eq!(texts_about(&company, unheard), 1);
    let second = open_disaster(&inner, &clock, "two").await;
    work(&mut dispatcher).await.expect("the store works");
    assert_eq!(texts_about(&company, second), 0, "the budget is spent");
}
