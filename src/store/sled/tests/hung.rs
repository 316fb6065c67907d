//! A disk that does not answer: whoever waits for it is told, nothing else waits, and it goes on when the disk does.

use std::sync::{
    atomic::{AtomicU64, Ordering::SeqCst},
    mpsc,
};

use super::*;
use crate::{
    alert::{Resolution, ResolvedBy},
    store::{Expect, sled::patience::patient},
};

/// Long enough for what does not hang, on the busiest machine.
const IMPATIENT: Options = Options { patience: Duration::from_secs(5), ..OPTIONS };

/// Lets go of everything that hangs when it is dropped.
type Hang = mpsc::Sender<()>;

/// A read that hangs until the other end is dropped.
fn hanging() -> (Hang, impl FnOnce(&Reader) -> Result<(), StoreError> + Send + 'static) {
    let (hang, hangs) = mpsc::channel();
    (hang, move |_: &Reader| {
        hangs.recv().ok();
        Ok(())
    })
}

/// No group of writes gets through until the first is dropped.
fn holding_up_writes(store: &SledStore) -> (Hang, JoinHandle<()>) {
    let engine = store.shared.handle().unwrap();
    let (hang, hangs) = mpsc::channel();
    let (locked, is_locked) = mpsc::channel();
    let holder = thread::spawn(move || {
        let _no_group_gets_through = engine.progress();
        locked.send(()).unwrap();
        hangs.recv().ok();
    });
    is_locked.recv().unwrap();
    (hang, holder)
}

fn is_hung<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unavailable(problem)) if problem.contains("has not answered for"))
}

#[tokio::test]
async fn a_read_that_hangs_is_given_up_by_its_caller_and_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open_with(folder.path(), IMPATIENT).unwrap();
    commit_one(&store, opening("db", 1, at(0))).await.unwrap();
    let (_hang, read) = hanging();
    // The one worker of this test is free meanwhile.
    let (hung, due) = tokio::join!(store.look_up(read), samples::due(&store, at(0), 1));
    assert!(is_hung(&hung), "{hung:?}");
    assert_eq!(due.alerts.len(), 1);
}

#[tokio::test]
async fn a_disk_on_which_every_read_hangs_takes_no_more_threads_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SledStore::open_with(folder.path(), IMPATIENT).unwrap());
    let opened = opening("db", 1, at(0)).alert;
    commit_one(&store, opening("db", 1, at(0))).await.unwrap();
    let (began, tasks) = (Arc::new(AtomicU64::new(0)), TaskTracker::new());
    let (hangs, answers): (Vec<Hang>, Vec<_>) = (0..65)
        .map(|_| {
            let ((hang, read), began, store) = (hanging(), began.clone(), store.clone());
            let read = move |reader: &Reader| {
                began.fetch_add(1, SeqCst);
                read(reader)
            };
            (hang, tasks.spawn(async move { store.look_up(read).await }))
        })
        .unzip();
    for answer in answers {
        let answer = answer.await.unwrap();
        assert!(is_hung(&answer), "{answer:?}");
    }
    let refused = store.find_threads(vec![opened.thread()]).await;
    assert!(is_hung(&refused), "{refused:?}");
    assert_eq!(store.list(&AlertFilter::default()).await.unwrap().alerts.len(), 1, "what lists has its own");
    drop(hangs);
    // Threads come back one by one.
    while store.get(opened.id).await.is_err() {}
    assert_eq!(began.load(SeqCst), 64, "the last found no thread");
    store.close().await;
}

#[tokio::test]
async fn a_crowd_of_readers_is_refused_beyond_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SledStore::open(folder.path()).unwrap());
    let tasks = TaskTracker::new();
    let mut hangs = Vec::new();
    let crowd: Vec<_> = (0..256)
        .map(|_| {
            let ((hang, read), store) = (hanging(), store.clone());
            hangs.push(hang);
            tasks.spawn(async move { store.scan(read).await })
        })
        .collect();
    while store.readers.scans.place().is_ok() {
        tokio::task::yield_now().await;
    }
    let refused = store.list(&AlertFilter::default()).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("too many")), "{refused:?}");
    drop(hangs);
    for one in crowd {
        one.await.unwrap().unwrap();
    }
    store.list(&AlertFilter::default()).await.unwrap();
}

#[tokio::test]
async fn what_gets_on_is_waited_for_and_what_does_not_is_not() {
    let asked = AtomicU64::new(0);
    // Each look finds another step, ten times.
    let progress = || asked.fetch_add(1, SeqCst).min(10);
    let never = std::future::pending::<Result<(), StoreError>>();
    let given_up = patient(Duration::from_millis(1), never, progress).await;
    assert!(is_hung(&given_up), "{given_up:?}");
    assert_eq!(asked.load(SeqCst), 12);
}

#[tokio::test]
async fn a_write_that_hangs_is_answered_and_may_be_made_later() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open_with(folder.path(), IMPATIENT).unwrap();
    let opened = opening("db", 1, at(0));
    let (hang, holder) = holding_up_writes(&store);
    let answer = match commit_one(&store, opened.clone()).await.unwrap() {
        Commit::Failed(error) => Err(error),
        Commit::Done(_) | Commit::Conflict(_) => Ok(()),
    };
    assert!(is_hung(&answer), "{answer:?}");
    // It can be seen, and may not survive a power cut.
    let read = store.get(opened.alert.id).await;
    assert!(read.is_err() || read.as_ref().is_ok_and(Option::is_none), "{read:?}");
    drop(hang);
    while !store.get(opened.alert.id).await.is_ok_and(|stored| stored.is_some()) {}
    holder.join().unwrap();
    store.close().await;
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_made_before_anything_is_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let opened = opening("db", 1, at(0));
    let Commit::Done(version) = commit_one(&store, opened.clone()).await.unwrap() else { panic!("written") };
    let (hang, holder) = holding_up_writes(&store);
    // One group is under way, and what ends the alert waits behind it.
    let other = opening("web", 2, at(0));
    drop(tokio::time::timeout(Duration::ZERO, commit_one(&store, other.clone())).await);
    while tokio::time::timeout(Duration::from_millis(10), store.get(other.alert.id)).await.is_ok() {}
    let mut over = opened.alert.clone();
    over.resolve(Resolution::by(ResolvedBy::Sender, at(1)));
    let end = AlertWrite::of(over, Expect::LatestRound(version), None);
    drop(tokio::time::timeout(Duration::ZERO, commit_one(&store, end)).await);
    let thread = opened.alert.thread();
    let (mut found, mut standing) = (store.find_threads(vec![thread]), store.standings(vec![thread]));
    for _ in 0..2 {
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut found).await.is_err());
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut standing).await.is_err());
    }
    drop(hang);
    let (found, standing) = tokio::join!(found, standing);
    assert!(found.unwrap().into_iter().flatten().all(|stored| !stored.alert.is_open()));
    assert_eq!(standing.unwrap()[0].map(|standing| standing.open), Some(false));
    holder.join().unwrap();
    store.close().await;
}
