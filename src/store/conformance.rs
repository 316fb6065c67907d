//! One suite for every engine: what [`Store`] promises, whoever keeps it.

pub(crate) mod samples;

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use tokio_util::task::TaskTracker;

use self::samples::{alert, at, change, next_due, opening, resolved, rows};
use super::{
    AlertFilter, AlertWrite, Commit, DOCUMENT_BYTES_MAX, Damaged, DeviceRecord, Expect, HeartbeatRecord,
    LIST_DOCUMENTS_READ_MAX, Lane, Lead, MemoryStore, Record, SledStore, Sought, Stamp, Standing, Store,
    StoreError, Stored, VALUE_BYTES_MAX, Version, Wanted,
};
use crate::{
    alert::{
        Alert, AlertId, AlertState, Charge, DeviceId, Entry, Epoch, FoldRow, FoldWord, Payer, Severity,
        Signs, Tier, Unreached,
    },
    clock::ManualClock,
};

macro_rules! conformance {
    ($($promise:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(std::sync::Arc::new(super::MemoryStore::new())).await;
            })*
        }

        mod sled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let folder = tempfile::tempdir().unwrap();
                let store = std::sync::Arc::new(super::SledStore::open(folder.path()).unwrap());
                super::$promise(store.clone()).await;
                super::Store::close(&*store).await;
            })*
        }
    };
}

conformance! {
    a_thread_opens_each_round_once,
    a_write_replaces_only_the_version_it_has_read,
    what_was_decided_on_a_round_is_written_only_while_that_is_the_latest_and_as_it_was,
    an_id_that_is_taken_is_not_overwritten,
    later_writes_of_a_commit_see_earlier_ones,
    of_64_tasks_that_open_one_round_exactly_one_wins,
    a_commit_of_any_length_is_answered_in_order,
    a_document_that_is_too_large_is_refused_and_the_others_are_written,
    a_long_document_is_read_whole_wherever_it_is_read,
    threads_are_found_in_the_order_asked,
    an_alert_is_due_where_its_last_write_put_it_and_nowhere_else,
    what_is_due_comes_gravest_first_and_again_until_it_is_written,
    only_what_is_wanted_is_due,
    what_a_look_is_for_is_seen_page_by_page,
    a_lead_that_has_passed_on_writes_no_plan,
    a_wake_up_that_comes_before_the_wait_is_not_lost,
    a_listing_is_newest_first_and_continues_below_its_cursor,
    a_listing_shows_what_its_filter_admits,
    a_listing_reads_only_so_much_at_a_time,
    moved_rows_come_back_in_their_order,
    rows_that_move_together_may_be_many,
    devices_are_remembered,
    the_signing_key_is_made_once,
    what_a_digest_counts_is_laid_down_with_the_write_and_goes_with_the_digest,
    charges_are_kept_until_they_are_forgotten,
    any_number_of_charges_is_forgotten,
    a_record_that_does_not_read_is_left_out_and_counted_once,
    heartbeats_are_remembered,
    purging_forgets_only_what_is_over,
    purging_keeps_a_thread_that_has_a_newer_round,
}

type Shop = Arc<dyn Store>;

async fn commit(store: &Shop, writes: Vec<AlertWrite>) -> Vec<Commit> {
    store.commit(Lane::Accept, &writes).await.unwrap()
}

async fn commit_one(store: &Shop, write: AlertWrite) -> Commit {
    commit(store, vec![write]).await.remove(0)
}

#[track_caller]
fn version(commit: &Commit) -> Version {
    match commit {
        Commit::Done(version) => *version,
        Commit::Conflict(current) => panic!("expected it to be written, but there is {current:?}"),
        Commit::Failed(error) => panic!("expected it to be written: {error}"),
    }
}

#[track_caller]
fn conflict(commit: Commit) -> Option<Stored> {
    match commit {
        Commit::Done(version) => panic!("expected a conflict, but it was written at version {version}"),
        Commit::Conflict(current) => current.map(|stored| *stored),
        Commit::Failed(error) => panic!("expected a conflict: {error}"),
    }
}

fn ids(alerts: &[Stored]) -> Vec<AlertId> {
    alerts.iter().map(|stored| stored.alert.id).collect()
}

async fn a_thread_opens_each_round_once(store: Shop) {
    let (first, second) = (opening("db", 1, at(0)), opening("db", 2, at(10)));
    assert_eq!(version(&commit_one(&store, first.clone()).await), 1);
    let rival =
        AlertWrite { alert: Alert { id: alert("x", 1, at(1)).id, ..first.alert.clone() }, ..first.clone() };
    let current = Stored { alert: first.alert.clone(), version: 1 };
    assert_eq!(conflict(commit_one(&store, rival.clone()).await), Some(current));

    assert_eq!(version(&commit_one(&store, second.clone()).await), 1);
    let current = Stored { alert: second.alert.clone(), version: 1 };
    assert_eq!(conflict(commit_one(&store, rival).await), Some(current.clone()));
    assert_eq!(store.find_threads(vec![first.alert.thread()]).await.unwrap(), [Some(current)]);
    assert_eq!(store.get(first.alert.id).await.unwrap(), Some(Stored { alert: first.alert, version: 1 }));
}

async fn what_was_decided_on_a_round_is_written_only_while_that_is_the_latest_and_as_it_was(store: Shop) {
    let first = opening("db", 1, at(0));
    let after = |version| AlertWrite {
        expect: Expect::NewRound { after: Some(version) },
        ..opening("db", 2, at(10))
    };
    let of_latest = |alert: &Alert, version| AlertWrite {
        expect: Expect::LatestRound(version),
        ..change(alert, version, None)
    };
    commit_one(&store, first.clone()).await;
    let over = resolved(first.alert.clone(), at(5));
    assert_eq!(version(&commit_one(&store, of_latest(&over, 1)).await), 2);
    let current = Stored { alert: over.clone(), version: 2 };
    assert_eq!(conflict(commit_one(&store, after(1)).await), Some(current));
    assert_eq!(version(&commit_one(&store, after(2)).await), 1);
    let second = Stored { alert: after(2).alert, version: 1 };
    assert_eq!(conflict(commit_one(&store, of_latest(&over, 2)).await), Some(second));
    assert_eq!(version(&commit_one(&store, change(&over, 2, None)).await), 3);
    let third = AlertWrite { expect: Expect::NewRound { after: Some(7) }, ..opening("cpu", 3, at(20)) };
    assert_eq!(version(&commit_one(&store, third).await), 1, "the round before was purged");
}

async fn a_write_replaces_only_the_version_it_has_read(store: Shop) {
    let opened = opening("db", 1, at(0));
    commit_one(&store, opened.clone()).await;
    let louder = Alert { severity: Severity::Disaster, ..opened.alert.clone() };
    assert_eq!(version(&commit_one(&store, change(&louder, 1, Some(at(5)))).await), 2);

    let current = Stored { alert: louder.clone(), version: 2 };
    for read in [1, 3] {
        let refused = commit_one(&store, change(&opened.alert, read, Some(at(9)))).await;
        assert_eq!(conflict(refused), Some(current.clone()));
    }
    assert_eq!(store.get(louder.id).await.unwrap(), Some(current));
    assert_eq!(next_due(store.as_ref()).await, Some(at(5)));
    let unknown = change(&alert("other", 1, at(0)), 1, None);
    assert_eq!(conflict(commit_one(&store, unknown).await), None);
}

async fn an_id_that_is_taken_is_not_overwritten(store: Shop) {
    let opened = opening("db", 1, at(0));
    commit_one(&store, opened.clone()).await;
    let mut other = opening("other", 1, at(0));
    other.alert.id = opened.alert.id;
    assert_eq!(conflict(commit_one(&store, other.clone()).await), None);
    assert_eq!(store.get(opened.alert.id).await.unwrap().unwrap().alert, opened.alert);
    assert_eq!(store.find_threads(vec![other.alert.thread()]).await.unwrap(), [None]);
}

async fn later_writes_of_a_commit_see_earlier_ones(store: Shop) {
    let first = opening("db", 1, at(0));
    let mut rival = first.clone();
    rival.alert.id = alert("x", 1, at(1)).id;
    let second = opening("db", 2, at(20));
    let commits = commit(
        &store,
        vec![
            first.clone(),
            rival,
            change(&first.alert, 1, Some(at(7))),
            change(&first.alert, 1, Some(at(8))),
            change(&first.alert, 2, Some(at(9))),
            second.clone(),
        ],
    )
    .await;
    let versions: Vec<_> =
        commits.iter().map(|commit| matches!(commit, Commit::Done(_)).then(|| version(commit))).collect();
    assert_eq!(versions, [Some(1), None, Some(2), None, Some(3), Some(1)]);
    assert_eq!(conflict(commits[1].clone()), Some(Stored { alert: first.alert.clone(), version: 1 }));
    assert_eq!(conflict(commits[3].clone()), Some(Stored { alert: first.alert.clone(), version: 2 }));

    assert_eq!(store.health().await.scheduled, 2);
    let due = samples::due(store.as_ref(), at(100), 10).await.alerts;
    assert_eq!(ids(&due), [first.alert.id, second.alert.id]);
    assert_eq!(due[0].version, 3);
}

async fn of_64_tasks_that_open_one_round_exactly_one_wins(store: Shop) {
    let tasks = TaskTracker::new();
    let rivals: Vec<_> = (0..64)
        .map(|number| {
            let mut write = opening("db", 1, at(0));
            write.alert.id = alert(&number.to_string(), 1, at(number)).id;
            let store = Arc::clone(&store);
            tasks.spawn(async move { (write.alert.id, commit_one(&store, write).await) })
        })
        .collect();
    let (mut winners, mut seen) = (Vec::new(), BTreeSet::new());
    for rival in rivals {
        match rival.await.unwrap() {
            (id, Commit::Done(_)) => winners.push(id),
            (_, Commit::Conflict(current)) => {
                seen.insert(current.unwrap().alert.id);
            }
            (_, Commit::Failed(error)) => panic!("{error}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), winners);
    assert_eq!(store.health().await.scheduled, 1);
}

async fn a_commit_of_any_length_is_answered_in_order(store: Shop) {
    let writes: Vec<_> = (0..700).map(|number| opening(&number.to_string(), 1, at(number))).collect();
    let mut again = writes.clone();
    again.insert(350, opening("new", 1, at(0)));
    assert!(commit(&store, writes).await.iter().all(|commit| version(commit) == 1));
    let commits = commit(&store, again.clone()).await;
    for (place, (write, commit)) in again.iter().zip(commits).enumerate() {
        match commit {
            Commit::Done(_) => assert_eq!(place, 350),
            Commit::Conflict(current) => assert_eq!(current.unwrap().alert, write.alert),
            Commit::Failed(error) => panic!("{error}"),
        }
    }
    assert_eq!(store.health().await.scheduled, 701);
    assert!(store.commit(Lane::Deliver, &[]).await.unwrap().is_empty());
}

async fn a_document_that_is_too_large_is_refused_and_the_others_are_written(store: Shop) {
    let (first, mut large, last) =
        (opening("first", 1, at(0)), opening("large", 1, at(0)), opening("last", 1, at(0)));
    large.alert.body = "x".repeat(DOCUMENT_BYTES_MAX);
    let mut long_row = opening("row", 1, at(0));
    long_row.chunk = rows(0..1);
    long_row.chunk[0].entry = Entry::Comment { by: "jin".to_owned(), text: "x".repeat(VALUE_BYTES_MAX) };
    long_row.alert.rows_moved = 1;
    let writes = [long_row.clone(), first.clone(), large.clone(), last.clone()];
    let commits = commit(&store, writes.into()).await;
    let too_large = |commit: &Commit| matches!(commit, Commit::Failed(StoreError::TooLarge { bytes, limit }) if limit < bytes);
    assert!(too_large(&commits[0]) && too_large(&commits[2]), "{commits:?}");
    assert_eq!((version(&commits[1]), version(&commits[3])), (1, 1));
    for (write, there) in [(&long_row, false), (&first, true), (&large, false), (&last, true)] {
        assert_eq!(store.get(write.alert.id).await.unwrap().is_some(), there);
    }
}

async fn a_long_document_is_read_whole_wherever_it_is_read(store: Shop) {
    let mut write = opening("long", 1, at(0));
    let id = write.alert.id;
    commit_one(&store, write.clone()).await;
    // Longer, shorter, as one value, and longer again.
    let lengths = [10 * VALUE_BYTES_MAX, 3 * VALUE_BYTES_MAX, 10, 5 * VALUE_BYTES_MAX + 1];
    for (version, length) in (1..).zip(lengths) {
        write.alert.body = "x".repeat(length);
        commit_one(&store, change(&write.alert, version, Some(at(0)))).await;
        let whole = Stored { alert: write.alert.clone(), version: version + 1 };
        assert_eq!(store.get(id).await.unwrap(), Some(whole.clone()));
        assert_eq!(store.find_threads(vec![whole.alert.thread()]).await.unwrap(), [Some(whole.clone())]);
        assert_eq!(
            store.standings(vec![whole.alert.thread()]).await.unwrap(),
            [Some(Standing::of(&whole.alert))]
        );
        assert_eq!(samples::due(store.as_ref(), at(9), 9).await.alerts, std::slice::from_ref(&whole));
        let all = Sought { signs: Signs::all(), written_after: Timestamp::MAX };
        assert_eq!(store.sought(None, all, 9).await.unwrap().alerts, [(at(0), whole.clone())]);
        let filter = AlertFilter { limit: 9, ..AlertFilter::default() };
        assert_eq!(store.list(&filter).await.unwrap().alerts, std::slice::from_ref(&whole));
        let outdated = commit_one(&store, change(&whole.alert, version, None)).await;
        assert_eq!(conflict(outdated), Some(whole.clone()));
        assert_eq!(conflict(commit_one(&store, opening("long", 1, at(7))).await), Some(whole));
    }
    commit_one(&store, change(&resolved(write.alert, at(9)), 5, None)).await;
    assert_eq!(store.purge(at(1_000), 9).await.unwrap(), 1);
    assert_eq!(store.get(id).await.unwrap(), None);
}

async fn threads_are_found_in_the_order_asked(store: Shop) {
    let writes: Vec<_> = (0..40).map(|number| opening(&number.to_string(), 1, at(number))).collect();
    commit(&store, writes.clone()).await;
    let mut asked: Vec<_> = writes.iter().rev().map(|write| write.alert.thread()).collect();
    asked.insert(3, alert("unknown", 1, at(0)).thread());
    let mut expected: Vec<_> = writes.iter().rev().map(|write| Some(write.alert.id)).collect();
    expected.insert(3, None);
    let found = store.find_threads(asked.clone()).await.unwrap();
    let standings: Vec<_> =
        found.iter().map(|found| found.as_ref().map(|stored| Standing::of(&stored.alert))).collect();
    assert_eq!(store.standings(asked).await.unwrap(), standings);
    assert_eq!(
        found.iter().map(|found| found.as_ref().map(|stored| stored.alert.id)).collect::<Vec<_>>(),
        expected
    );
}

async fn due(store: &Shop, now: Timestamp, limit: usize) -> Vec<AlertId> {
    ids(&samples::due(store.as_ref(), now, limit).await.alerts)
}

fn of_severity(mut write: AlertWrite, severity: Severity) -> AlertWrite {
    write.alert.severity = severity;
    write
}

async fn an_alert_is_due_where_its_last_write_put_it_and_nowhere_else(store: Shop) {
    let opened = opening("db", 1, at(10));
    commit_one(&store, opened.clone()).await;
    commit_one(&store, change(&opened.alert, 1, Some(at(20)))).await;
    assert_eq!(next_due(store.as_ref()).await, Some(at(20)));
    assert_eq!(due(&store, at(19), 10).await, []);
    assert_eq!(due(&store, at(20), 10).await, [opened.alert.id]);
    let graver = of_severity(change(&opened.alert, 2, Some(at(20))), Severity::Disaster);
    commit_one(&store, graver.clone()).await;
    assert_eq!(due(&store, at(20), 10).await, [opened.alert.id]);

    commit_one(&store, change(&resolved(graver.alert, at(20)), 3, None)).await;
    assert_eq!(next_due(store.as_ref()).await, None);
    assert_eq!(due(&store, at(1_000_000), 10).await, []);
    assert_eq!(store.health().await.scheduled, 0);
}

async fn what_is_due_comes_gravest_first_and_again_until_it_is_written(store: Shop) {
    let writes: Vec<_> = [
        (30, Severity::Average),
        (10, Severity::Average),
        (30, Severity::Disaster),
        (90, Severity::Disaster),
        (20, Severity::NotClassified),
        (40, Severity::High),
    ]
    .map(|(due, severity)| of_severity(opening(&format!("{due} {severity}"), 1, at(due)), severity))
    .into();
    commit(&store, writes.clone()).await;
    let expected = [2, 5, 1, 0, 4].map(|place: usize| writes[place].alert.id);
    assert_eq!(due(&store, at(40), 9).await, expected);
    assert_eq!(due(&store, at(40), 3).await, expected[..3], "nobody has taken them");
    assert_eq!(next_due(store.as_ref()).await, Some(at(10)));

    commit_one(&store, change(&writes[2].alert, 1, Some(at(200)))).await;
    assert_eq!(due(&store, at(40), 9).await, expected[1..]);
    assert_eq!(due(&store, at(200), 9).await[..2], [writes[3].alert.id, writes[2].alert.id]);
}

async fn only_what_is_wanted_is_due(store: Shop) {
    let writes: Vec<_> = [Severity::Information, Severity::High, Severity::Disaster]
        .map(|severity| of_severity(opening(severity.as_str(), 1, at(severity as i64)), severity))
        .into();
    commit(&store, writes.clone()).await;
    let [information, high, disaster] = [0, 1, 2].map(|place: usize| writes[place].alert.id);
    for (least, except, expected, next) in [
        (Severity::NotClassified, vec![], vec![disaster, high, information], Some(at(1))),
        (Severity::Average, vec![], vec![disaster, high], Some(at(4))),
        (Severity::High, vec![high], vec![disaster], Some(at(5))),
        (Severity::NotClassified, vec![disaster, information], vec![high], Some(at(4))),
        (Severity::Disaster, vec![disaster], vec![], None),
    ] {
        let except = |id| except.contains(&id);
        let wanted = Wanted { least, ..Wanted::all_but(&except) };
        assert_eq!(ids(&store.due(at(9), 9, wanted).await.unwrap().alerts), expected);
        assert_eq!(store.next_due(wanted).await.unwrap(), next);
    }
    let at_hand = |id| id == high;
    let due = store.due(at(9), 2, Wanted { at_hand: &at_hand, ..Wanted::ALL }).await.unwrap();
    assert_eq!((ids(&due.alerts), due.at_hand), (vec![disaster], vec![high]));
}

async fn what_a_look_is_for_is_seen_page_by_page(store: Shop) {
    let dues = [30, 10, 20, 90, 20, i64::from(u32::MAX)];
    let mut writes: Vec<_> = (0_i64..6).map(|number| opening(&number.to_string(), 1, at(number))).collect();
    for (write, due) in writes.iter_mut().zip(dues) {
        write.due = Some(at(due));
        write.plan = Some(Stamp { epoch: Epoch::default(), at: at(0) });
    }
    writes[3].alert.severity = Severity::Disaster;
    // With nothing under way.
    writes[4].alert.progress.contacts.clear();
    commit(&store, writes.clone()).await;
    let mut over = opening("over", 1, at(15));
    (over.alert, over.due) = (resolved(over.alert, at(16)), None);
    commit_one(&store, over).await;

    let place = |place: usize| (writes[place].due.unwrap(), writes[place].alert.id);
    let sought = Sought { signs: Signs::IN_FLIGHT, written_after: at(0) };
    let expected: Vec<_> = [3, 1, 2, 0, 5].map(place).into();
    for limit in [1, 2, 4, 6, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.sought(after, sought, limit).await.unwrap();
            assert!(page.alerts.len() <= limit);
            seen.extend(page.alerts.iter().map(|(due, stored)| (*due, stored.alert.id)));
            assert!(after < page.next || page.next.is_none(), "it goes on");
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "{limit} at a time");
    }
    let page = store.sought(None, sought, 2).await.unwrap();
    assert_eq!(page.alerts[1], (at(10), Stored { alert: writes[1].alert.clone(), version: 1 }));
    // Written in between, by a clock that runs ahead: seen where it is now.
    let mut ahead = change(&writes[4].alert, 1, Some(at(9_000)));
    ahead.plan = Some(Stamp { epoch: Epoch::default(), at: at(8_000) });
    commit_one(&store, ahead).await;
    let rest = store.sought(page.next, sought, 100).await.unwrap();
    let rest_ids: Vec<_> = rest.alerts.iter().map(|(_, stored)| stored.alert.id).collect();
    assert_eq!(rest_ids, [2, 0, 4, 5].map(|place: usize| writes[place].alert.id));
    assert_eq!((rest.alerts[2].0, rest.next), (at(9_000), None));
    let none = Sought { signs: Signs::UNANSWERED, written_after: Timestamp::MAX };
    assert!(store.sought(None, none, 100).await.unwrap().alerts.is_empty());
}

async fn a_lead_that_has_passed_on_writes_no_plan(store: Shop) {
    let Lead { epoch: first } = store.lead().await.unwrap();
    let planned = |alert: &Alert, version, epoch| AlertWrite {
        plan: Some(Stamp { epoch, at: at(5) }),
        ..change(alert, version, Some(at(20)))
    };
    let opened = opening("db", 1, at(10));
    version(&commit_one(&store, opened.clone()).await);
    version(&commit_one(&store, planned(&opened.alert, 1, first)).await);

    let Lead { epoch: second } = store.lead().await.unwrap();
    assert!(first < second);
    let other = opening("web", 1, at(11));
    let commits = commit(&store, vec![planned(&opened.alert, 2, first), other.clone()]).await;
    let Commit::Failed(StoreError::LeadLost { planned: of, now }) = &commits[0] else {
        panic!("{commits:?}");
    };
    assert_eq!((*of, *now), (first, second));
    assert_eq!(version(&commits[1]), 1, "whoever accepts needs no lead");
    version(&commit_one(&store, planned(&opened.alert, 2, second)).await);
    version(&commit_one(&store, change(&opened.alert, 3, Some(at(30)))).await);
    let found = store.get(opened.alert.id).await.unwrap().unwrap();
    assert_eq!(found.version, 4);
}

async fn a_wake_up_that_comes_before_the_wait_is_not_lost(store: Shop) {
    let due_changed = store.due_changed();
    let opened = opening("db", 1, at(0));
    commit_one(&store, opened.clone()).await;
    due_changed.notified().await;
    commit_one(&store, change(&opened.alert, 1, Some(at(1)))).await;
    due_changed.notified().await;
}

async fn a_listing_is_newest_first_and_continues_below_its_cursor(store: Shop) {
    let writes: Vec<_> = (0..10).map(|number| opening(&number.to_string(), 1, at(number))).collect();
    commit(&store, writes.clone()).await;
    for states in [vec![], vec![AlertState::Triggered]] {
        let mut filter = AlertFilter { limit: 4, states, ..AlertFilter::default() };
        let (mut listed, mut pages) = (Vec::new(), Vec::new());
        loop {
            let page = store.list(&filter).await.unwrap();
            listed.extend(ids(&page.alerts));
            pages.push(page.alerts.len());
            filter.cursor = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(listed, writes.iter().rev().map(|write| write.alert.id).collect::<Vec<_>>());
        assert_eq!(pages, [4, 4, 2]);
    }
}

async fn a_listing_shows_what_its_filter_admits(store: Shop) {
    let mut writes: Vec<_> =
        (0..6).map(|number| opening(&number.to_string(), 1, at(number * 60_000))).collect();
    writes[0].alert.state = AlertState::Noted;
    writes[1].alert.state = AlertState::Acknowledged;
    (writes[2].alert, writes[2].due) = (resolved(writes[2].alert.clone(), at(130_000)), None);
    writes[3].alert.severity = Severity::Disaster;
    writes[4].alert.body = "the Disk is full".to_owned();
    // Noted long before it was opened: its id is older than its opening.
    writes[5].alert.id = alert("5", 1, at(-80_000_000)).id;
    commit(&store, writes.clone()).await;

    let all = AlertFilter { limit: 100, ..AlertFilter::default() };
    for (filter, expected) in [
        (all.clone(), vec![4, 3, 2, 1, 5]),
        (AlertFilter { states: vec![AlertState::Resolved], ..all.clone() }, vec![2]),
        (AlertFilter { states: vec![AlertState::Acknowledged], ..all.clone() }, vec![1]),
        (
            AlertFilter { states: vec![AlertState::Triggered, AlertState::Acknowledged], ..all.clone() },
            vec![4, 3, 1, 5],
        ),
        (AlertFilter { severity: Some(Severity::Disaster), ..all.clone() }, vec![3]),
        (AlertFilter { text: Some("disk".to_owned()), ..all.clone() }, vec![4]),
        (AlertFilter { since: Some(at(180_000)), ..all.clone() }, vec![4, 3, 5]),
        (AlertFilter { until: Some(at(180_000)), ..all.clone() }, vec![2, 1]),
        (AlertFilter { since: Some(at(60_000)), until: Some(at(120_000)), ..all.clone() }, vec![1]),
        (AlertFilter { integration: Some("grafana".to_owned()), ..all }, vec![]),
    ] {
        let page = store.list(&filter).await.unwrap();
        let expected: Vec<_> = expected.into_iter().map(|place: usize| writes[place].alert.id).collect();
        assert_eq!(ids(&page.alerts), expected, "{filter:?}");
        assert_eq!(page.next, None);
    }
}

async fn a_listing_reads_only_so_much_at_a_time(store: Shop) {
    let count = i64::try_from(LIST_DOCUMENTS_READ_MAX).unwrap() + 1;
    let mut writes: Vec<_> = (0..count).map(|number| opening(&number.to_string(), 1, at(number))).collect();
    writes[0].alert.title = "the needle".to_owned();
    commit(&store, writes.clone()).await;
    let mut filter = AlertFilter { text: Some("needle".to_owned()), limit: 5, ..AlertFilter::default() };
    let page = store.list(&filter).await.unwrap();
    assert!(page.alerts.is_empty());
    filter.cursor = Some(page.next.unwrap());
    let page = store.list(&filter).await.unwrap();
    assert_eq!((ids(&page.alerts), page.next), (vec![writes[0].alert.id], None));
}

async fn rows_that_move_together_may_be_many(store: Shop) {
    let mut opened = opening("db", 1, at(0));
    commit_one(&store, opened.clone()).await;
    let mut expected = Vec::new();
    for (version, count) in (1..).zip([1_000, 3, 700]) {
        let next = u32::try_from(expected.len()).unwrap();
        let mut chunk = rows(next..next + count);
        for row in &mut chunk {
            let Entry::Comment { text, .. } = &mut row.entry else { unreachable!() };
            text.push_str(&"x".repeat(300));
        }
        expected.extend(chunk.clone());
        opened.alert.rows_moved = next + count;
        let write = AlertWrite { chunk, ..change(&opened.alert, version, None) };
        assert!(matches!(commit_one(&store, write).await, Commit::Done(_)));
        assert_eq!(store.moved_rows(opened.alert.id).await.unwrap(), expected);
    }
}

async fn moved_rows_come_back_in_their_order(store: Shop) {
    let mut opened = opening("db", 1, at(0));
    opened.alert.rows_moved = 3;
    opened.chunk = rows(0..3);
    commit_one(&store, opened.clone()).await;
    let mut alert = opened.alert;
    for (version, end) in [(1, 300), (2, 301)] {
        let chunk = rows(alert.rows_moved..end);
        alert.rows_moved = end;
        commit_one(&store, AlertWrite { chunk, ..change(&alert, version, None) }).await;
    }
    commit_one(&store, AlertWrite { chunk: rows(7..9), ..opening("other", 1, at(1)) }).await;
    assert_eq!(store.moved_rows(alert.id).await.unwrap(), rows(0..301));
}

async fn what_a_digest_counts_is_laid_down_with_the_write_and_goes_with_the_digest(store: Shop) {
    let digest = opening("digest", 1, at(0));
    let other = alert("another digest", 1, at(1)).id;
    let row = |alert: &Alert, word| FoldRow {
        alert_id: alert.id,
        word,
        severity: Severity::High,
        title: alert.title.clone(),
        at: at(3),
        text: true,
        missed: false,
        unreached: Unreached::default(),
    };
    commit_one(&store, digest.clone()).await;
    let mut expected = Vec::new();
    for number in 0..300 {
        let mut write = opening(&number.to_string(), 1, at(number));
        let row = row(&write.alert, FoldWord::Fired);
        write.marks.folds = vec![(digest.alert.id, row.clone()), (other, row.clone())];
        assert_eq!(version(&commit_one(&store, write.clone()).await), 1);
        // A write that is refused lays down nothing.
        write.marks.folds[0].1.title = "refused".to_owned();
        conflict(commit_one(&store, write).await);
        expected.push(row);
    }
    // More about the same alert: its row is replaced.
    let first = opening("0", 1, at(0)).alert;
    expected[0] = row(&first, FoldWord::Resolved);
    let mut again = change(&first, 1, None);
    again.marks.folds = vec![(digest.alert.id, expected[0].clone())];
    commit_one(&store, again).await;
    assert_eq!(store.folds(digest.alert.id).await.unwrap(), expected);
    assert_eq!(store.folds(other).await.unwrap().len(), 300);

    commit_one(&store, change(&resolved(digest.alert.clone(), at(5)), 1, None)).await;
    assert_eq!(store.purge(at(400), 1_000).await.unwrap(), 1);
    assert_eq!(store.folds(digest.alert.id).await.unwrap(), []);
    assert_eq!(store.folds(other).await.unwrap().len(), 300, "of a digest that is kept");
}

async fn charges_are_kept_until_they_are_forgotten(store: Shop) {
    let charge = |ms| Charge {
        payer: Payer::Contact("jin".parse().unwrap(), Tier::Ordinary),
        at: at(ms),
        units: i32::try_from(ms % 3 + 1).unwrap(),
        reserved: 0,
    };
    let opened = opening("db", 1, at(0));
    commit_one(&store, opened.clone()).await;
    // Two writes of one alert, two charges each, some at one instant.
    for (version, times) in [(1, [10, 10]), (2, [10, 40]), (3, [25, 41])] {
        let mut write = change(&opened.alert, version, None);
        write.marks.charges = times.map(charge).to_vec();
        assert!(matches!(commit_one(&store, write).await, Commit::Done(_)));
    }
    let since = |ms| {
        let store = store.clone();
        async move {
            let charges = store.charges(at(ms)).await.unwrap();
            charges.iter().map(|charge| charge.at).collect::<Vec<_>>()
        }
    };
    assert_eq!(since(0).await, [10, 10, 10, 25, 40, 41].map(at));
    assert_eq!(since(25).await, [25, 40, 41].map(at));
    assert_eq!(store.charges(at(41)).await.unwrap(), [charge(41)]);
    assert_eq!(store.forget_charges(at(40)..at(42), 2).await.unwrap(), 2);
    assert_eq!(store.forget_charges(at(40)..at(42), 100).await.unwrap(), 2);
    assert_eq!(store.forget_charges(at(40)..at(42), 100).await.unwrap(), 0);
    assert_eq!(since(0).await, [40, 41].map(at));
    assert_eq!(store.forget_charges(at(0)..at(41), 100).await.unwrap(), 1, "of a clock that ran ahead");
    assert_eq!(since(0).await, [40].map(at));
}

async fn any_number_of_charges_is_forgotten(store: Shop) {
    let payer = Payer::Contact("jin".parse().unwrap(), Tier::Ordinary);
    let charge = |ms| Charge { payer: payer.clone(), at: at(ms), units: 1, reserved: 0 };
    let mut opened = opening("db", 1, at(0));
    opened.marks.charges = (0..700).map(charge).collect();
    commit_one(&store, opened).await;
    assert_eq!(store.forget_charges(at(600)..at(9_999), 500).await.unwrap(), 500);
    assert_eq!(store.forget_charges(at(600)..at(9_999), 500).await.unwrap(), 100);
    assert_eq!(store.charges(at(0)).await.unwrap().len(), 100);
}

async fn a_record_that_does_not_read_is_left_out_and_counted_once(store: Shop) {
    let good = DeviceRecord { id: DeviceId(3), retired_at: at(1), reason: "other".to_owned() };
    store.put(Lane::Deliver, &good).await.unwrap();
    for key in [b"one", b"two"] {
        let another_shape = serde_json::json!({ "id": "three" });
        store.put_record(Lane::Deliver, DeviceRecord::KIND, key.to_vec(), another_shape).await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(store.all::<DeviceRecord>().await.unwrap(), std::slice::from_ref(&good));
    }
    let health = store.health().await;
    assert!(health.is_writable());
    assert_eq!(health.damaged, [Damaged { kind: "device", count: 2 }]);
    assert!(store.has_lost::<DeviceRecord>() && !store.has_lost::<HeartbeatRecord>());
}

async fn devices_are_remembered(store: Shop) {
    let record =
        |id, reason: &str| DeviceRecord { id: DeviceId(id), retired_at: at(1), reason: reason.to_owned() };
    for (id, reason) in [(7, "UNREGISTERED"), (3, "other"), (7, "again")] {
        store.put(Lane::Deliver, &record(id, reason)).await.unwrap();
    }
    assert_eq!(store.all::<DeviceRecord>().await.unwrap(), [record(3, "other"), record(7, "again")]);
}

async fn the_signing_key_is_made_once(store: Shop) {
    for fresh in [[1; 32], [2; 32], [3; 32]] {
        assert_eq!(store.signing_key(ManualClock::at(at(0)).as_ref(), fresh).await, [1; 32]);
    }
    assert_eq!(store.all::<DeviceRecord>().await.unwrap(), [], "and is no device");
}

async fn heartbeats_are_remembered(store: Shop) {
    let record = |name: &str, last| HeartbeatRecord {
        name: name.to_owned(),
        first_call: at(1),
        last_call: at(last),
        silent_since: at(last),
    };
    store
        .put(Lane::Deliver, &DeviceRecord { id: DeviceId(7), retired_at: at(1), reason: String::new() })
        .await
        .unwrap();
    let longest = "x".repeat(64);
    for (name, last) in [("zabbix", 1), ("backup", 2), ("backup2", 3), (&longest, 4), ("zabbix", 60)] {
        store.put(Lane::Accept, &record(name, last)).await.unwrap();
    }
    let all = [record("backup", 2), record("backup2", 3), record(&longest, 4), record("zabbix", 60)];
    assert_eq!(store.all::<HeartbeatRecord>().await.unwrap(), all);
    assert_eq!(store.all::<DeviceRecord>().await.unwrap().len(), 1);
}

async fn purging_forgets_only_what_is_over(store: Shop) {
    let now = at(1_000_000);
    let mut writes: Vec<_> = (0..300).map(|number| opening(&number.to_string(), 1, at(number))).collect();
    for write in &mut writes {
        (write.alert, write.due) = (resolved(write.alert.clone(), at(500)), None);
        write.alert.rows_moved = 2;
        write.chunk = rows(0..2);
    }
    writes[0] = opening("0", 1, at(0)); // open
    writes[1].due = Some(at(2_000_000)); // something is still to be told
    writes[2].alert = resolved(writes[2].alert.clone(), now); // resolved too late
    writes[3].alert = alert("3", 1, now); // opened too late
    writes[4].alert.state = AlertState::Noted; // noted, kept until later
    writes[4].alert.close_at = at(2_000_000);
    writes[5].alert.state = AlertState::Noted; // noted, and dropped
    writes[5].alert.close_at = at(600);
    commit(&store, writes.clone()).await;

    assert_eq!(store.purge(now, 10).await.unwrap(), 10);
    assert_eq!(store.purge(now, 1_000).await.unwrap(), 285);
    assert_eq!(store.purge(now, 1_000).await.unwrap(), 0);
    for (place, write) in writes.iter().enumerate() {
        let kept = place < 5;
        assert_eq!(store.get(write.alert.id).await.unwrap().is_some(), kept, "{place}");
        let found = store.find_threads(vec![write.alert.thread()]).await.unwrap();
        assert_eq!(found[0].is_some(), kept, "{place}");
        assert_eq!(
            store.moved_rows(write.alert.id).await.unwrap().is_empty(),
            !kept || place == 0,
            "{place}"
        );
    }
    assert_eq!(version(&commit_one(&store, opening("299", 1, now)).await), 1);
}

async fn purging_keeps_a_thread_that_has_a_newer_round(store: Shop) {
    let mut first = opening("db", 1, at(0));
    (first.alert, first.due) = (resolved(first.alert, at(5)), None);
    let second = opening("db", 2, at(100));
    commit(&store, vec![first.clone(), second.clone()]).await;
    assert_eq!(store.purge(at(50), 10).await.unwrap(), 1);
    assert_eq!(store.get(first.alert.id).await.unwrap(), None);
    let found = store.find_threads(vec![first.alert.thread()]).await.unwrap();
    assert_eq!(found, [Some(Stored { alert: second.alert, version: 1 })]);
}
