//! What was damaged on the disk: it is left out and counted, and the rest goes on.

use std::os::unix::fs::FileExt as _;

use super::*;
use crate::{
    alert::{AlertState, Charge, DeviceId, FoldWord, Folded, Payer, Signs, Tier, Unreached},
    store::{Damaged, Due, Record, Sought, Wanted},
};

const ALL: Sought = Sought { signs: Signs::all(), written_after: Timestamp::MAX };

/// Flips a bit in the value of every key that is meant.
fn flip(folder: &Path, is_meant: impl Fn(&[u8]) -> bool) {
    let handle = open::open(folder).unwrap();
    for entry in handle.db().iter() {
        let (key, value) = entry.unwrap();
        if is_meant(&key) {
            let mut value = value.to_vec();
            *value.last_mut().unwrap() ^= 1;
            handle.db().insert(key, value).unwrap();
        }
    }
    handle.sync().unwrap();
}

fn left_out(store: &SledStore) -> Vec<(&'static str, usize)> {
    store.damage().counts().into_iter().map(|Damaged { kind, count }| (kind, count)).collect()
}

fn charge(ms: i64) -> Charge {
    let payer = Payer::Contact("jin".parse().unwrap(), Tier::Ordinary);
    Charge { payer, at: at(ms), units: 1, reserved: 0 }
}

fn device(id: u64) -> DeviceRecord {
    DeviceRecord { id: DeviceId(id), retired_at: at(1), reason: "UNREGISTERED".to_owned() }
}

fn heartbeat(name: &str) -> HeartbeatRecord {
    HeartbeatRecord { name: name.to_owned(), first_call: at(1), last_call: at(2), silent_since: at(2) }
}

#[tokio::test]
async fn of_each_kind_what_does_not_read_is_left_out_and_the_rest_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let mut write = opening("db", 1, at(0));
    write.marks.charges = (1..=3).map(charge).collect();
    (write.chunk, write.alert.rows_moved) = (rows(0..2), 2);
    commit_one(&store, write.clone()).await.unwrap();
    commit_one(
        &store,
        AlertWrite {
            chunk: rows(2..4),
            ..{
                write.alert.rows_moved = 4;
                change(&write.alert, 1, None)
            }
        },
    )
    .await
    .unwrap();
    let records = &store as &dyn Store;
    for record in [device(1), device(2)] {
        records.put(Lane::Deliver, &record).await.unwrap();
    }
    for name in ["backup", "zabbix"] {
        records.put(Lane::Accept, &heartbeat(name)).await.unwrap();
    }
    assert_eq!(records.signing_key(ManualClock::at(at(0)).as_ref(), [1; 32]).await, [1; 32]);
    store.close().await;
    drop(store);

    let first_charge = keys::charge(codec::due_ms(at(1)), write.alert.id, 1, 0);
    flip(folder.path(), |key| {
        let of = |kind: &str, own: &[u8]| key == [keys::records_of(kind), own.to_vec()].concat();
        key == first_charge
            || key == keys::chunk(write.alert.id, 0)
            || of(DeviceRecord::KIND, &device(1).key())
            || of(HeartbeatRecord::KIND, b"backup")
            || of("signing key", b"")
    });
    let store = SledStore::open(folder.path()).unwrap();
    let records = &store as &dyn Store;
    for _ in 0..2 {
        assert_eq!(store.charges(at(0)).await.unwrap(), [charge(2), charge(3)]);
        assert_eq!(store.moved_rows(write.alert.id).await.unwrap(), rows(2..4));
        assert_eq!(records.all::<DeviceRecord>().await.unwrap(), [device(2)]);
        assert_eq!(records.all::<HeartbeatRecord>().await.unwrap(), [heartbeat("zabbix")]);
        assert_eq!(
            records.signing_key(ManualClock::at(at(0)).as_ref(), [2; 32]).await,
            [2; 32],
            "a new one, which is kept"
        );
    }
    let expected = [("charge", 1), ("device", 1), ("heartbeat", 1), ("journal chunk", 1), ("signing key", 1)];
    assert_eq!(left_out(&store), expected, "each once");
    assert!(store.health().await.is_writable());
    assert_eq!(
        store.forget_charges(at(2)..at(9), 9).await.unwrap(),
        1,
        "what does not read goes when it is old"
    );
    store.close().await;
}

#[tokio::test]
async fn a_damaged_document_does_not_keep_the_others_from_being_told() {
    let folder = tempfile::tempdir().unwrap();
    let bad = closed_store(folder.path()).await.alert;
    flip(folder.path(), |key| key == keys::alert(bad.id));
    let store = SledStore::open(folder.path()).unwrap();
    assert!(matches!(store.get(bad.id).await, Err(StoreError::Damaged(_))));
    let good = opening("web", 1, at(5));
    let writes = [change(&bad, 1, None), good.clone()];
    let commits = store.commit(Lane::Accept, &writes).await.unwrap();
    assert!(matches!(&commits[..], [Commit::Failed(StoreError::Damaged(_)), Commit::Done(1)]), "{commits:?}");
    let good = Stored { alert: good.alert, version: 1 };
    let due = Due { alerts: vec![good.clone()], at_hand: Vec::new(), unreadable: vec![bad.id] };
    assert_eq!(samples::due(&store, at(9), 10).await, due);
    let known = store.damage().alerts();
    assert_eq!(store.next_due(Wanted::all_but(&|id| known.contains(&id))).await.unwrap(), Some(at(5)));
    assert_eq!(store.list(&AlertFilter { limit: 9, ..AlertFilter::default() }).await.unwrap().alerts, [good]);
    let scheduled = store.sought(None, ALL, 9).await.unwrap();
    assert_eq!((scheduled.alerts.len(), scheduled.next), (1, None));
    assert_eq!(store.purge(at(1_000_000), 9).await.unwrap(), 0);
    assert!(store.health().await.is_writable());
    assert_eq!(left_out(&store), [("alert", 1)], "however often it is come upon");
    store.close().await;
}

#[tokio::test]
async fn a_long_document_whose_rest_is_damaged_or_gone_is_damaged() {
    for damage in ["flipped", "older", "gone"] {
        let folder = tempfile::tempdir().unwrap();
        let mut opened = closed_store(folder.path()).await;
        let store = SledStore::open(folder.path()).unwrap();
        opened.alert.body = "x".repeat(3 * VALUE_BYTES_MAX);
        for version in [1, 2] {
            commit_one(&store, change(&opened.alert, version, opened.due)).await.unwrap();
        }
        store.close().await;
        drop(store);

        let handle = open::open(folder.path()).unwrap();
        let key = keys::piece(opened.alert.id, 1);
        let mut value = handle.db().get(key).unwrap().unwrap().to_vec();
        value[100] ^= 1;
        match damage {
            "flipped" => drop(handle.db().insert(key, value).unwrap()),
            "older" => {
                let older = codec::encode_alert(&opened.alert, 2, None, false).unwrap();
                let older = codec::lay_out(&older, None).further;
                handle.db().insert(key, older[1].clone()).unwrap();
            }
            _ => drop(handle.db().remove(key).unwrap()),
        }
        drop(handle);

        let store = SledStore::open(folder.path()).unwrap();
        assert!(matches!(store.get(opened.alert.id).await, Err(StoreError::Damaged(_))), "{damage}");
        assert_eq!(left_out(&store), [("alert", 1)], "{damage}");
        store.close().await;
    }
}

#[tokio::test]
async fn a_row_of_a_digest_that_does_not_read_is_made_again_from_its_alert() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let digest = opening("digest", 1, at(0)).alert.id;
    let (mut rows, mut ids) = (Vec::new(), Vec::new());
    for name in ["one", "two"] {
        let mut write = opening(name, 1, at(5));
        let held_back = Folded {
            digest,
            word: FoldWord::Fired,
            severity: write.alert.severity,
            at: at(6),
            text: true,
            missed: false,
            unreached: Unreached::default(),
        };
        let row = write.alert.fold_row(&held_back);
        write.alert.progress.contacts.values_mut().next().unwrap().folded.insert(Tier::Ordinary, held_back);
        write.marks.folds.push((digest, row.clone()));
        commit_one(&store, write.clone()).await.unwrap();
        ids.push(write.alert.id);
        rows.push(row);
    }
    rows.sort_by_key(|row| row.alert_id);
    store.close().await;
    drop(store);

    let handle = open::open(folder.path()).unwrap();
    for id in ids {
        handle.db().insert(keys::fold(digest, id), b"x").unwrap();
    }
    drop(handle);
    let store = SledStore::open(folder.path()).unwrap();
    assert_eq!(store.folds(digest).await.unwrap(), rows);
    assert_eq!(left_out(&store), [("digest row", 2)]);
    store.close().await;
}

#[tokio::test]
async fn a_round_opens_past_one_that_does_not_read() {
    for is_document in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let old = closed_store(folder.path()).await.alert;
        let thread = old.thread();
        if is_document {
            flip(folder.path(), |key| key == keys::alert(old.id));
        } else {
            let handle = open::open(folder.path()).unwrap();
            handle.db().insert(keys::thread(thread), b"x").unwrap();
            handle.sync().unwrap();
        }
        let store = SledStore::open(folder.path()).unwrap();
        let found = store.find_threads(vec![thread]).await;
        assert_eq!(found.ok(), (!is_document).then(|| vec![None]));
        let mut next = opening("db", 1, at(9));
        next.alert.title = "down again".to_owned();
        assert!(matches!(commit_one(&store, next.clone()).await.unwrap(), Commit::Done(1)));
        let found = store.find_threads(vec![thread]).await.unwrap();
        assert_eq!(found, [Some(Stored { alert: next.alert, version: 1 })]);
        assert_eq!(left_out(&store), [(if is_document { "alert" } else { "thread" }, 1)]);
        store.close().await;
    }
}

/// Overwrites every copy of these bytes beneath an open store, which has not read them yet.
fn overwrite(folder: &Path, bytes: &[u8]) {
    let path = folder.join("db");
    let content = fs::read(&path).unwrap();
    let db = fs::OpenOptions::new().write(true).open(path).unwrap();
    let places = content.windows(bytes.len()).enumerate().filter(|(_, window)| *window == bytes);
    let overwritten =
        places.map(|(place, _)| db.write_all_at(&[0x55], u64::try_from(place).unwrap()).unwrap());
    assert!(overwritten.count() > 0, "{}", bytes.escape_ascii());
}

#[tokio::test]
async fn a_page_that_does_not_read_is_passed_over_and_what_lies_behind_it_is_there() {
    const COUNT: usize = 300;
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let mut writes: Vec<_> = (0..COUNT)
        .map(|number| opening(&format!("host{number}"), 1, at(i64::try_from(number).unwrap())))
        .collect();
    for write in &mut writes {
        write.marks.charges = vec![charge(write.alert.opened_at.as_millisecond() - at(0).as_millisecond())];
    }
    store.commit(Lane::Accept, &writes).await.unwrap();
    store.close().await;
    drop(store);

    let title = writes[150].alert.title.clone().into_bytes();
    let payment = format!("\"ordinary\"]}},\"at\":\"{}\"", at(150)).into_bytes();
    for (bytes, pages) in [(vec![title.clone()], 1), (vec![payment.clone()], 1), (vec![title, payment], 2)] {
        let damaged = tempfile::tempdir().unwrap();
        copy(folder.path(), damaged.path());
        let store = SledStore::open(damaged.path()).unwrap();
        for bytes in &bytes {
            overwrite(damaged.path(), bytes);
        }

        let mut readable = 0;
        for write in &writes {
            readable += usize::from(store.get(write.alert.id).await.is_ok());
        }
        let charges = store.charges(at(0)).await.unwrap();
        let all = AlertFilter { limit: COUNT, ..AlertFilter::default() };
        let open = AlertFilter { states: vec![AlertState::Triggered], ..all.clone() };
        for filter in [all, open] {
            assert_eq!(store.list(&filter).await.unwrap().alerts.len(), readable);
        }
        assert_eq!(store.sought(None, ALL, COUNT + 1).await.unwrap().alerts.len(), readable);
        assert_eq!(samples::due(&store, at(9_999), COUNT).await.alerts.len(), readable);
        assert_eq!(store.purge(at(9_999), COUNT).await.unwrap(), 0, "all of them are open");

        let mut writes_of_all: Vec<_> =
            writes.iter().map(|write| change(&write.alert, 1, Some(at(9_999)))).collect();
        writes_of_all[10].marks.charges = vec![charge(150)];
        let commits = store.commit(Lane::Deliver, &writes_of_all).await.unwrap();
        let is_refused = |commit: &&Commit| matches!(commit, Commit::Failed(StoreError::Damaged(_)));
        let is_unpayable = charges.iter().all(|charge| charge.at != at(150));
        assert_eq!(commits.iter().filter(is_refused).count(), COUNT - readable);
        let opened = commit_one(&store, opening("new", 1, at(9_999))).await.unwrap();
        assert!(matches!(opened, Commit::Done(1)), "and the engine stays open: {opened:?}");

        let (lost, unpaid) = (COUNT - readable, COUNT - charges.len());
        assert!(lost < 50 && unpaid < 50, "one page each: {lost} {unpaid}");
        assert_eq!(pages, usize::from(0 < lost) + usize::from(0 < unpaid));
        let unpaid_now = usize::from(is_unpayable);
        let expected = [("alert", lost), ("charge", unpaid_now), ("page", pages)];
        let expected: Vec<_> = expected.into_iter().filter(|(_, count)| 0 < *count).collect();
        assert_eq!(left_out(&store), expected);
        store.close().await;
    }
}

#[tokio::test]
async fn a_snapshot_that_a_full_disk_left_half_written_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    commit_one(&store, opening("db", 1, at(0))).await.unwrap();
    store.close().await;
    drop(store);
    for half_written in ["", "thirteen bytes"] {
        let draft = folder.path().join("snap.00000000FFFFFFFF.generating");
        std::fs::write(&draft, half_written).unwrap();
        let store = SledStore::open(folder.path()).unwrap();
        assert_eq!(
            (
                store
                    .find_threads(vec![opening("db", 1, at(0)).alert.thread()])
                    .await
                    .unwrap()
                    .into_iter()
                    .flatten()
                    .count(),
                draft.exists()
            ),
            (1, false)
        );
        store.close().await;
    }
}

#[tokio::test]
async fn a_due_time_that_does_not_read_is_made_again_from_the_document() {
    for is_gone in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path()).unwrap();
        let mut writes: Vec<_> = (0..3).map(|number| opening(&number.to_string(), 1, at(number))).collect();
        for (write, due) in writes.iter_mut().zip([500, 900, 10]) {
            write.due = Some(at(due));
            commit_one(&store, write.clone()).await.unwrap();
        }
        store.close().await;
        drop(store);
        let bad = writes[1].alert.id;
        let handle = open::open(folder.path()).unwrap();
        handle.db().insert(keys::scheduled(bad), b"x").unwrap();
        handle.sync().unwrap();
        drop(handle);
        if is_gone {
            flip(folder.path(), |key| key == keys::alert(bad));
        }

        let store = SledStore::open(folder.path()).unwrap();
        assert_eq!(store.health().await.scheduled, 3);
        let due = samples::due(&store, at(500), 9).await;
        assert_eq!(due.alerts.len(), 2, "{is_gone}");
        assert_eq!(due.unreadable, if is_gone { vec![bad] } else { vec![] });
        if !is_gone {
            assert_eq!(samples::due(&store, at(899), 9).await.alerts.len(), 2, "it is due when it was");
            assert_eq!(samples::due(&store, at(900), 9).await.alerts.len(), 3);
            let written = commit_one(&store, change(&writes[1].alert, 1, Some(at(2_000)))).await.unwrap();
            assert!(matches!(written, Commit::Done(2)), "{written:?}");
            assert_eq!(samples::due(&store, at(1_999), 9).await.alerts.len(), 2, "it has one place");
            assert_eq!((store.health().await.scheduled, left_out(&store)), (3, vec![("due time", 1)]));
        }
        store.close().await;
    }
}
