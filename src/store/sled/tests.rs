//! What only an engine on a disk can promise or break.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use ::sled::IVec;
use tokio_util::task::TaskTracker;

use super::*;
use crate::{
    alert::{DedupKey, Event, OURS, Signs},
    clock::ManualClock,
    queue::{Poster, Queue},
    store::{
        DeviceRecord, HeartbeatRecord, Stamp, VALUE_BYTES_MAX,
        conformance::samples::{self, at, change, opening, resolved, rows},
    },
};

mod damage;
mod hung;

const OPTIONS: Options = Options { free_bytes_min: 0, reopen_pause: Duration::ZERO, patience: PATIENCE };

async fn commit_one(store: &SledStore, write: AlertWrite) -> Result<Commit, StoreError> {
    Ok(store.commit(Lane::Accept, &[write]).await?.remove(0))
}

/// A closed store with one open alert in it.
async fn closed_store(folder: &Path) -> AlertWrite {
    let store = SledStore::open(folder).unwrap();
    let write = opening("db", 1, at(0));
    commit_one(&store, write.clone()).await.unwrap();
    store.close().await;
    write
}

fn content_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("blobs")).unwrap();
    for (path, bytes) in content_of(from) {
        fs::write(to.join(path.file_name().unwrap()), bytes).unwrap();
    }
}

#[tokio::test]
async fn a_store_that_is_opened_again_has_kept_everything() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(&folder.path().join("deep/store")).unwrap();
    let (first, second) = (opening("db", 1, at(0)), opening("web", 1, at(5)));
    store.commit(Lane::Accept, &[first.clone(), second.clone()]).await.unwrap();
    let mut over = AlertWrite { chunk: rows(0..3), ..change(&resolved(first.alert.clone(), at(9)), 1, None) };
    over.alert.rows_moved = 3;
    store.commit(Lane::Deliver, &[over.clone()]).await.unwrap();
    let device =
        DeviceRecord { id: crate::alert::DeviceId(7), retired_at: at(1), reason: "UNREGISTERED".to_owned() };
    (&store as &dyn Store).put(Lane::Deliver, &device).await.unwrap();
    let before = store.lead().await.unwrap().epoch;
    store.close().await;
    assert!(matches!(store.get(first.alert.id).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(commit_one(&store, first.clone()).await, Err(StoreError::Unavailable(_))));

    let store = SledStore::open(&folder.path().join("deep/store")).unwrap();
    let found = store.find_threads(vec![first.alert.thread(), second.alert.thread()]).await.unwrap();
    let second = Stored { alert: second.alert, version: 1 };
    assert_eq!(found, [Some(Stored { alert: over.alert, version: 2 }), Some(second.clone())]);
    assert_eq!(store.moved_rows(first.alert.id).await.unwrap(), rows(0..3));
    assert_eq!((&store as &dyn Store).all::<DeviceRecord>().await.unwrap(), [device]);
    assert_eq!(store.health().await.scheduled, 1);
    assert_eq!(samples::due(&store, at(10), 10).await.alerts, [second]);
    assert!(before < store.lead().await.unwrap().epoch);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_a_crash() {
    let (folder, copied) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = SledStore::open(folder.path()).unwrap();
    let writes: Vec<_> = (0..50).map(|number| opening(&number.to_string(), 1, at(number))).collect();
    let heartbeat = HeartbeatRecord {
        name: "zabbix".to_owned(),
        first_call: at(1),
        last_call: at(2),
        silent_since: at(2),
    };
    (&store as &dyn Store).put(Lane::Accept, &heartbeat).await.unwrap();
    for write in &writes {
        commit_one(&store, write.clone()).await.unwrap();
    }
    // The files as a killed process leaves them: no close, no drop.
    copy(folder.path(), copied.path());
    let survivor = SledStore::open(copied.path()).unwrap();
    for write in writes {
        assert_eq!(survivor.get(write.alert.id).await.unwrap().unwrap().alert, write.alert);
    }
    assert_eq!(survivor.health().await.scheduled, 50);
    assert_eq!((&survivor as &dyn Store).all::<HeartbeatRecord>().await.unwrap(), [heartbeat]);
}

#[tokio::test]
async fn what_waited_and_is_under_way_is_found_by_a_start_whose_clock_is_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let lead = store.lead().await.unwrap().epoch;
    let begun = opening("db", 1, at(0));
    let mut waits = begun.clone();
    waits.alert.progress.contacts.clear();
    (waits.due, waits.plan) = (Some(at(60_000)), Some(Stamp { epoch: lead, at: at(0) }));
    commit_one(&store, waits).await.unwrap();
    let mut sends = change(&begun.alert, 1, Some(at(75_000)));
    sends.plan = Some(Stamp { epoch: lead, at: at(60_000) });
    assert!(matches!(commit_one(&store, sends).await, Ok(Commit::Done(2))));
    store.close().await;

    let store = SledStore::open(folder.path()).unwrap();
    let sought = Sought { signs: Signs::IN_FLIGHT, written_after: at(10_000) };
    let page = store.sought(None, sought, 9).await.unwrap();
    assert_eq!(page.alerts.iter().map(|(_, stored)| stored.alert.id).collect::<Vec<_>>(), [begun.alert.id]);
}

#[tokio::test]
async fn a_store_that_is_dropped_lets_go_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let writer = store.take_writer().unwrap();
    drop(store);
    writer.join().unwrap();
    SledStore::open(folder.path()).unwrap().close().await;
}

#[tokio::test]
async fn a_folder_that_is_moved_under_a_running_store_takes_no_new_alert_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (place, aside) = (folder.path().join("store"), folder.path().join("aside"));
    let store = SledStore::open(&place).unwrap();
    let first = opening("db", 1, at(0));
    commit_one(&store, first.clone()).await.unwrap();
    let is_moved = async |expected| while store.health().await.is_moved != expected {};
    fs::rename(&place, &aside).unwrap();
    is_moved(true).await;
    assert!(!store.health().await.is_writable());
    let refused = commit_one(&store, opening("web", 1, at(1))).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    let told = store.commit(Lane::Deliver, &[change(&first.alert, 1, None)]).await.unwrap().remove(0);
    assert!(matches!(told, Commit::Done(2)), "what was accepted goes on: {told:?}");
    fs::rename(&aside, &place).unwrap();
    is_moved(false).await;
    commit_one(&store, opening("web", 1, at(1))).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_folder_that_is_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let error = SledStore::open(folder.path()).unwrap_err();
    assert!(matches!(error.cause, OpenFailure::InUse), "{error}");
    commit_one(&store, opening("db", 1, at(0))).await.unwrap();
    store.close().await;
}

type Damage = fn(&Path);

#[tokio::test]
async fn a_damaged_store_is_refused_by_name_and_left_as_it_is() {
    let damages: [(&str, Damage); 6] = [
        ("truncated", |db| fs::OpenOptions::new().write(true).open(db).unwrap().set_len(300).unwrap()),
        ("empty", |db| fs::write(db, b"").unwrap()),
        ("missing", |db| fs::remove_file(db).unwrap()),
        ("garbage", |db| fs::write(db, b"not a database ".repeat(10_000)).unwrap()),
        ("zeroed", |db| fs::write(db, vec![0; 100_000]).unwrap()),
        ("snapshot", |db| {
            let names = fs::read_dir(db.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
            let snapshots: Vec<_> =
                names.filter(|path| path.file_stem().is_some_and(|stem| stem == "snap")).collect();
            assert_eq!(snapshots.len(), 1);
            fs::write(&snapshots[0], b"garbage").unwrap();
        }),
    ];
    for (name, damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        closed_store(folder.path()).await;
        // Opening once more leaves a snapshot behind.
        SledStore::open(folder.path()).unwrap().close().await;
        damage(&folder.path().join("db"));
        let before = content_of(folder.path());

        let error = SledStore::open(folder.path()).unwrap_err();
        assert!(matches!(error.cause, OpenFailure::Damaged(_)), "{name}: {error}");
        let text = error.to_string();
        assert!(text.contains(folder.path().to_str().unwrap()) && text.contains("backup"), "{name}: {text}");
        let after = content_of(folder.path());
        for (path, bytes) in before {
            let now = after.get(&path).unwrap_or_else(|| panic!("{name}: {} is gone", path.display()));
            // sled overwrites what follows the last record it can read, before it gives up.
            let sled_pads = name == "truncated" && path.ends_with("db");
            assert!(
                sled_pads && bytes.len() <= now.len() || bytes == *now,
                "{name}: {} was changed",
                path.display()
            );
        }
    }
}

#[tokio::test]
async fn a_store_that_has_lost_the_end_of_its_log_does_not_open_as_if_nothing_were() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let writes: Vec<_> = (0..1_000).map(|number| opening(&number.to_string(), 1, at(number))).collect();
    for writes in writes.chunks(100) {
        store.commit(Lane::Accept, writes).await.unwrap();
    }
    store.close().await;
    let length = fs::metadata(folder.path().join("db")).unwrap().len();
    for eighth in 1..8 {
        let damaged = tempfile::tempdir().unwrap();
        copy(folder.path(), damaged.path());
        let db = damaged.path().join("db");
        let mut bytes = fs::read(&db).unwrap();
        let place = usize::try_from(length / 8 * eighth).unwrap();
        bytes[place..place + 512].fill(0x55);
        fs::write(&db, bytes).unwrap();
        let error = SledStore::open(damaged.path()).unwrap_err();
        assert!(matches!(error.cause, OpenFailure::Damaged(_)), "{eighth}: {error}");
    }
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_refused_and_left_as_it_is() {
    let files: [(&str, &[u8]); 3] =
        [("db", b"something else"), ("FORMAT", b"bongsu store 2\n"), ("FORMAT", b"\xff\xfe")];
    for (name, bytes) in files {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), bytes).unwrap();
        let before = content_of(folder.path());
        let error = SledStore::open(folder.path()).unwrap_err();
        assert!(matches!(error.cause, OpenFailure::OtherFormat(_) | OpenFailure::Io(_)), "{error}");
        assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
        assert_eq!(content_of(folder.path()), before);
    }
}

#[tokio::test]
async fn a_tree_of_another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    closed_store(folder.path()).await;
    let handle = open::open(folder.path()).unwrap();
    handle.db().insert(keys::FORMAT, b"2").unwrap();
    drop(handle);
    let error = SledStore::open(folder.path()).unwrap_err();
    assert!(
        matches!(&error.cause, OpenFailure::OtherFormat(detail) if detail.contains("has format 2")),
        "{error}"
    );
}

#[tokio::test]
async fn a_store_whose_creation_was_cut_short_is_created_again() {
    let left_behind: [&[(&str, &str)]; 3] = [
        &[("FORMAT.new", "")],
        &[("FORMAT", "bongsu store, being created\n"), ("db", "")],
        &[("FORMAT", "bongsu store, being created\n"), ("FORMAT.new", "bongsu st"), ("db", "")],
    ];
    for files in left_behind {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        closed_store(folder.path()).await;
        assert_eq!(fs::read_to_string(folder.path().join("FORMAT")).unwrap(), "bongsu store 13\n");
    }
}

#[tokio::test]
async fn an_engine_that_fails_or_panics_is_reported_and_opened_again() {
    for fault in [shared::Fault::Error, shared::Fault::Panic] {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open_with(folder.path(), OPTIONS).unwrap();
        let mut state = store.shared.watch_state();
        let (first, second) = (opening("db", 1, at(0)), opening("web", 1, at(5)));
        commit_one(&store, first.clone()).await.unwrap();

        store.shared.faults.lock().unwrap().push_back(fault);
        let commit = commit_one(&store, second.clone()).await.unwrap();
        assert!(matches!(commit, Commit::Failed(StoreError::Unavailable(_))), "{commit:?}");
        state.wait_for(Result::is_ok).await.unwrap();
        while !store.health().await.is_writable() {
            state.changed().await.unwrap();
        }

        assert_eq!(store.get(first.alert.id).await.unwrap().unwrap().alert, first.alert);
        // It is written once more by itself: nobody knew whether it was written.
        assert_eq!(store.get(second.alert.id).await.unwrap().unwrap().alert, second.alert);
        assert!(matches!(commit_one(&store, second).await.unwrap(), Commit::Conflict(Some(_))));
        assert_eq!(store.health().await.scheduled, 2);
        store.close().await;
    }
}

/// The beginnings of all documents, and their rests.
fn values_of(store: &SledStore) -> [Vec<(IVec, IVec)>; 2] {
    let engine = store.shared.handle().unwrap();
    [b"a/", b"b/"].map(|kind| engine.db().scan_prefix(kind).collect::<Result<_, _>>().unwrap())
}

#[tokio::test]
async fn what_a_failed_group_left_half_written_is_whole_and_found_when_the_engine_is_open_again() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = SledStore::open_with(folder.path(), OPTIONS).unwrap();
    let written = SledStore::open(other.path()).unwrap();
    let waits = AlertWrite { due: Some(at(50)), ..opening("db", 1, at(0)) };
    let mut renamed = waits.alert.clone();
    renamed.title = "another title".repeat(99);
    for store in [&store, &written] {
        commit_one(store, waits.clone()).await.unwrap();
        let later = change(&waits.alert, 1, Some(at(60)));
        assert!(matches!(commit_one(store, later).await, Ok(Commit::Done(2))));
    }
    let [_, rests] = values_of(&written);
    assert_eq!(rests.len(), 1);
    let write = change(&renamed, 2, Some(at(5)));
    assert!(matches!(commit_one(&written, write.clone()).await, Ok(Commit::Done(3))));
    let [beginnings, rests] = values_of(&written);
    assert_eq!((beginnings.len(), rests.len()), (1, 0));

    let (key, value) = beginnings[0].clone();
    store.shared.faults.lock().unwrap().push_back(shared::Fault::Halfway(key, value));
    let mut state = store.shared.watch_state();
    assert!(matches!(commit_one(&store, write).await, Ok(Commit::Failed(StoreError::Unavailable(_)))));
    state.wait_for(Result::is_ok).await.unwrap();
    let expected = Stored { alert: renamed, version: 3 };
    assert_eq!(samples::due(&store, at(10), 9).await.alerts, std::slice::from_ref(&expected));
    assert_eq!(store.health().await.scheduled, 1);
    store.close().await;
    let store = SledStore::open(folder.path()).unwrap();
    assert_eq!(samples::due(&store, at(10), 9).await.alerts, [expected]);
    store.close().await;
}

#[tokio::test]
async fn a_group_that_cannot_be_written_at_all_keeps_the_store_closed_for_a_while_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open_with(folder.path(), OPTIONS).unwrap();
    commit_one(&store, AlertWrite { due: Some(at(50)), ..opening("db", 1, at(0)) }).await.unwrap();
    let write = opening("web", 1, at(5));
    let other = tempfile::tempdir().unwrap();
    let written = SledStore::open(other.path()).unwrap();
    commit_one(&written, write.clone()).await.unwrap();
    let [beginnings, _] = values_of(&written);
    let (key, value) = beginnings[0].clone();

    let mut state = store.shared.watch_state();
    let errors = std::iter::repeat_n(shared::Fault::Error, 3);
    store.shared.faults.lock().unwrap().extend(iter::once(shared::Fault::Halfway(key, value)).chain(errors));
    assert!(matches!(
        commit_one(&store, write.clone()).await,
        Ok(Commit::Failed(StoreError::Unavailable(_)))
    ));
    state.wait_for(Result::is_ok).await.unwrap();
    assert_eq!(store.shared.faults.lock().unwrap().len(), 0);
    // Of the new alert only the beginning is there, and no row.
    assert_eq!(samples::due(&store, at(10), 9).await.alerts, [Stored { alert: write.alert, version: 1 }]);
    assert!(matches!(commit_one(&store, opening("app", 1, at(6))).await, Ok(Commit::Done(1))));
    assert_eq!(store.health().await.scheduled, 3);
    store.close().await;
    let store = SledStore::open(folder.path()).unwrap();
    assert_eq!(store.health().await.scheduled, 3);
    store.close().await;
}

#[tokio::test]
async fn an_engine_that_fails_while_its_folder_is_away_makes_no_new_store_and_goes_on_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, away) = (folder.path().join("store"), folder.path().join("away"));
    let store = SledStore::open_with(&path, OPTIONS).unwrap();
    let (first, second) = (opening("db", 1, at(0)), opening("web", 1, at(5)));
    commit_one(&store, first.clone()).await.unwrap();
    fs::rename(&path, &away).unwrap();
    let mut state = store.shared.watch_state();
    store.shared.faults.lock().unwrap().push_back(shared::Fault::Error);
    commit_one(&store, second.clone()).await.unwrap();
    state
        .wait_for(|state| matches!(state, Err(problem) if problem.to_string().contains("put it back")))
        .await
        .unwrap();
    assert!(!path.exists());
    assert!(matches!(store.get(first.alert.id).await, Err(StoreError::Unavailable(_))));
    fs::rename(&away, &path).unwrap();
    state.wait_for(Result::is_ok).await.unwrap();
    assert_eq!(store.get(first.alert.id).await.unwrap().unwrap().alert, first.alert);
    assert_eq!(store.get(second.alert.id).await.unwrap().unwrap().alert, second.alert);
    assert_eq!(store.health().await.scheduled, 2);
    store.close().await;
}

#[tokio::test]
async fn a_full_disk_stops_new_alerts_and_not_the_telling_of_old_ones() {
    let folder = tempfile::tempdir().unwrap();
    let opened = closed_store(folder.path()).await.alert;
    let store =
        SledStore::open_with(folder.path(), Options { free_bytes_min: u64::MAX - 1, ..OPTIONS }).unwrap();
    let error = commit_one(&store, opening("web", 1, at(5))).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    let health = store.health().await;
    assert!(health.problem.unwrap().contains("free space"));

    let acknowledged = change(&opened, 1, Some(at(9)));
    assert!(matches!(commit_one(&store, acknowledged).await.unwrap(), Commit::Done(2)));
    let told = change(&opened, 2, Some(at(10)));
    assert!(matches!(store.commit(Lane::Deliver, &[told]).await.unwrap()[..], [Commit::Done(3)]));
    store.close().await;
}

#[tokio::test]
async fn what_bongsu_says_of_itself_is_kept_where_new_alerts_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { free_bytes_min: u64::MAX - 1, ..OPTIONS };
    let store = Arc::new(SledStore::open_with(folder.path(), options).unwrap());
    let queue = Queue::new(store.clone(), ManualClock::at(at(5)));
    for (integration, is_kept) in [("zabbix", false), (OURS, true)] {
        let poster = Poster { integration, close_after: jiff::SignedDuration::from_hours(1) };
        let event = Event::firing(DedupKey::new("disk"), "the disk is full");
        assert_eq!(queue.admit(poster, &[event]).await.is_ok(), is_kept, "{integration}");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_document_that_is_written_meanwhile_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = closed_store(folder.path()).await;
    let store = Arc::new(SledStore::open(folder.path()).unwrap());
    let (id, writer) = (opened.alert.id, Arc::clone(&store));
    let writing = TaskTracker::new().spawn(async move {
        for version in 1..100 {
            // The length changes, too, and every piece says which version it is of.
            let letter = char::from(b'a' + u8::try_from(version % 26).unwrap());
            let pieces = usize::try_from(version % 4).unwrap();
            opened.alert.body = letter.to_string().repeat(pieces * VALUE_BYTES_MAX);
            let write = change(&opened.alert, version, opened.due);
            assert!(matches!(commit_one(&writer, write).await.unwrap(), Commit::Done(_)));
        }
    });
    while !writing.is_finished() {
        let Stored { alert, version } = store.get(id).await.unwrap().unwrap();
        let mut letters: Vec<char> = alert.body.chars().collect();
        letters.dedup();
        let pieces = usize::try_from((version - 1) % 4).unwrap();
        assert!(
            version == 1 || (letters.len() <= 1 && alert.body.len() == pieces * VALUE_BYTES_MAX),
            "{version}"
        );
    }
    writing.await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn the_largest_documents_stay_in_the_file_that_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let mut writes: Vec<_> = (0..200).map(|number| opening(&number.to_string(), 1, at(number))).collect();
    for (write, pieces) in writes.iter_mut().zip([1, 1, 1, 2, 5].into_iter().cycle()) {
        let bytes = Draft::new(write).unwrap().whole.len();
        write.alert.body.push_str(&"x".repeat(pieces * VALUE_BYTES_MAX - bytes));
    }
    store.commit(Lane::Accept, &writes).await.unwrap();
    for version in 1..4 {
        let again: Vec<_> = writes.iter().map(|write| change(&write.alert, version, write.due)).collect();
        store.commit(Lane::Deliver, &again).await.unwrap();
    }
    assert_eq!(fs::read_dir(folder.path().join("blobs")).unwrap().count(), 0);
    store.close().await;
}

#[tokio::test]
async fn a_read_waits_until_what_it_saw_survives_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let opened = opening("db", 1, at(0)).alert;
    let (engine, ids) = (Arc::downgrade(&store.shared.handle().unwrap()), [opened.id]);
    store.shared.begin_group(ids.into());
    let mut waiting = Box::pin(store.shared.settled(&engine, &ids));
    assert!(
        std::future::poll_fn(|context| std::task::Poll::Ready(waiting.as_mut().poll(context).is_pending()))
            .await
    );
    store.shared.settled(&engine, &[opening("web", 1, at(0)).alert.id]).await.unwrap();
    store.shared.synced(&group::Effects::default());
    waiting.await.unwrap();

    // A group that fails takes what was read of it along.
    store.shared.begin_group(ids.into());
    let waiting = store.shared.settled(&engine, &ids);
    store.shared.closed("the disk failed");
    assert!(matches!(waiting.await, Err(StoreError::Unavailable(_))));
}
