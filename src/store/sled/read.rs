//! Reading: all of it blocks, briefly or for a scan; none of it writes.

use std::{
    ops::{Bound, Range},
    panic::{self, AssertUnwindSafe},
};

use ::sled::{Error, IVec};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::{
    document::{alert, document, first_value},
    keys,
    open::{Handle, words_of},
    shared::Shared,
    work::Removal,
};
use crate::{
    alert::{AlertId, AlertState, Charge, FoldRow, Row},
    store::{
        AlertFilter, AlertPage, DeviceRecord, DuePage, DuePlace, HeartbeatRecord, LIST_DOCUMENTS_READ_MAX,
        StoreError, Stored, codec, filter::is_purgeable,
    },
};

/// An alert may be opened this long after its id was made: it was noted before.
const NOTED_BEFORE_OPENED_MAX: SignedDuration = SignedDuration::from_hours(25);

/// Where a purge stands.
pub(super) struct PurgeStep {
    pub(super) removals: Vec<Removal>,
    /// The last document looked at; `None` at the end of what can be purged.
    pub(super) reached: Option<AlertId>,
}

/// Runs a read; a panic of sled on a damaged page stays an error.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(StoreError::Damaged(format!("sled panicked: {}", words_of(&*panic)))))
}

/// Claims what is due, earliest first.
pub(super) fn claim_due(
    handle: &Handle,
    shared: &Shared,
    now: Timestamp,
    (limit, lease): (usize, SignedDuration),
) -> Result<Vec<Stored>, StoreError> {
    let end = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
    let now_ms = u64::try_from(now.as_millisecond()).unwrap_or(0);
    shared.claims().expire(now);
    let mut claimed: Vec<Stored> = Vec::new();
    for key in handle.db().range(keys::DUES.as_slice()..&keys::dues_after(now_ms)).keys() {
        if claimed.len() == limit {
            break;
        }
        match key.map_err(|error| failure(&error)).and_then(|key| claim(handle, shared, &key, (now_ms, end)))
        {
            Ok(Some(stored)) => claimed.push(stored),
            Ok(None) => {}
            Err(error) => {
                // Nobody will see the ones already taken.
                let mut claims = shared.claims();
                for stored in &claimed {
                    claims.release(stored.alert.id);
                }
                return Err(error);
            }
        }
    }
    Ok(claimed)
}

/// Claims the alert of one due entry, unless somebody has it or it cannot be read.
fn claim(
    handle: &Handle,
    shared: &Shared,
    key: &[u8],
    (now_ms, end): (u64, Timestamp),
) -> Result<Option<Stored>, StoreError> {
    let Some((_, id)) = keys::due_of(key) else { return Ok(None) };
    if !shared.claims().take(id, end) {
        return Ok(None);
    }
    let read = guarded(|| match first_value(handle, id)? {
        Some(first) => document(handle, id, first),
        None => Err(StoreError::Damaged("it has a due time and no document".to_owned())),
    });
    match read {
        Ok(Some((header, stored))) if header.due_ms.is_some_and(|due_ms| due_ms <= now_ms) => {
            Ok(Some(stored))
        }
        Ok(_) => {
            // Its due time moved between the look at the index and the claim.
            shared.claims().release(id);
            shared.due_changed.notify_one();
            Ok(None)
        }
        // What cannot be read stays claimed until the lease ends: it must not keep the others from
        // being told, nor wake dispatch in a loop.
        Err(StoreError::Damaged(detail)) => {
            shared.note_damaged(id, &detail);
            Ok(None)
        }
        Err(error) => {
            shared.claims().release(id);
            Err(error)
        }
    }
}

/// The earliest time at which something can be claimed.
pub(super) fn next_due(handle: &Handle, shared: &Shared) -> Result<Option<Timestamp>, StoreError> {
    let mut earliest: Option<Timestamp> = None;
    for key in handle.db().scan_prefix(keys::DUES).keys() {
        let key = key.map_err(|error| failure(&error))?;
        let Some((due_ms, id)) = keys::due_of(&key) else { continue };
        let due = codec::due_at(due_ms);
        if earliest.is_some_and(|earliest| earliest <= due) {
            break;
        }
        let claimable = shared.claims().claimable_at(id, due);
        earliest = Some(earliest.map_or(claimable, |earliest| earliest.min(claimable)));
    }
    Ok(earliest)
}

/// Looks at up to `limit` alerts of the due index above `after`.
pub(super) fn scheduled(
    handle: &Handle,
    shared: &Shared,
    after: Option<DuePlace>,
    limit: usize,
) -> Result<DuePage, StoreError> {
    let low = after.map_or_else(|| keys::DUES.to_vec(), |after| keys::due(after.due_ms, after.id).to_vec());
    let dues = handle.db().range((Bound::Excluded(low), Bound::Excluded(keys::DUES_END.to_vec()))).keys();
    let mut page = DuePage::default();
    for (looked, key) in dues.enumerate() {
        if looked == limit {
            return Ok(page);
        }
        let Some((due_ms, id)) = keys::due_of(&key.map_err(|error| failure(&error))?) else { continue };
        page.next = Some(DuePlace { due_ms, id });
        match alert(handle, shared, id) {
            Ok(Some(stored)) => page.alerts.push((codec::due_at(due_ms), stored)),
            // It was removed a moment ago; if not, claiming it tells.
            Ok(None) | Err(StoreError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    page.next = None;
    Ok(page)
}

pub(super) fn list(handle: &Handle, shared: &Shared, filter: &AlertFilter) -> Result<AlertPage, StoreError> {
    let limit = filter.limit.clamp(1, LIST_DOCUMENTS_READ_MAX);
    let mut page = AlertPage::default();
    let mut last = None;
    for (read, entry) in newest_first(handle, filter)?.enumerate() {
        if page.alerts.len() == limit || read == LIST_DOCUMENTS_READ_MAX {
            page.next = last;
            break;
        }
        let (id, value) = entry?;
        last = Some(id);
        match document(handle, id, value) {
            Ok(Some((_, stored))) if filter.admits(&stored.alert) => page.alerts.push(stored),
            Ok(_) => {}
            // One damaged alert must not hide the others.
            Err(StoreError::Damaged(detail)) => shared.note_damaged(id, &detail),
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

type Documents<'db> = Box<dyn Iterator<Item = Result<(AlertId, IVec), StoreError>> + 'db>;

/// The documents that the filter may admit, as far as ids and the due index tell.
fn newest_first<'db>(handle: &'db Handle, filter: &AlertFilter) -> Result<Documents<'db>, StoreError> {
    let since =
        filter.since.map(|since| since.saturating_sub(NOTED_BEFORE_OPENED_MAX).unwrap_or(Timestamp::MIN));
    let low = since.map_or(AlertId::from_bytes([0; 16]), first_id_of);
    let high = filter.until.and_then(first_id_after).into_iter().chain(filter.cursor).min();

    let is_open = |state: &AlertState| matches!(state, AlertState::Triggered | AlertState::Acknowledged);
    if filter.states.is_empty() || !filter.states.iter().all(is_open) {
        let low = keys::alert(low).to_vec();
        let high = high.map_or_else(|| keys::ALERTS_END.to_vec(), |high| keys::alert(high).to_vec());
        if high <= low {
            return Ok(Box::new(std::iter::empty()));
        }
        let entries = handle.db().range(low..high).rev();
        return Ok(Box::new(entries.filter_map(|entry| match entry {
            Ok((key, value)) => keys::alert_of(&key).map(|id| Ok((id, value))),
            Err(error) => Some(Err(failure(&error))),
        })));
    }

    // An open alert always waits for something, so the due index names all of them.
    let mut ids = Vec::new();
    for key in handle.db().scan_prefix(keys::DUES).keys() {
        let key = key.map_err(|error| failure(&error))?;
        ids.extend(
            keys::due_of(&key)
                .map(|(_, id)| id)
                .filter(|id| low <= *id && high.is_none_or(|high| *id < high)),
        );
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.dedup();
    Ok(Box::new(ids.into_iter().filter_map(|id| match handle.db().get(keys::alert(id)) {
        Ok(value) => value.map(|value| Ok((id, value))),
        Err(error) => Some(Err(failure(&error))),
    })))
}

pub(super) fn moved_rows(handle: &Handle, id: AlertId) -> Result<Vec<Row>, StoreError> {
    let chunks: Vec<Vec<Row>> = plain_values(handle, &keys::chunks_of(id), "a journal chunk")?;
    Ok(chunks.into_iter().flatten().collect())
}

/// What a digest counts. A row that does not read is made again from the alert that it tells of.
pub(super) fn folds(handle: &Handle, shared: &Shared, digest: AlertId) -> Result<Vec<FoldRow>, StoreError> {
    let mut rows = Vec::new();
    for entry in handle.db().scan_prefix(keys::folds_of(digest)) {
        let (key, value) = entry.map_err(|error| failure(&error))?;
        match codec::decode_plain(&value) {
            Ok(row) => rows.push(row),
            Err(error) => {
                let id = keys::folded_of(&key).unwrap_or(digest);
                shared.note_damaged(id, &format!("its row in digest {digest}: {error}"));
                rows.extend(fold_again(handle, shared, digest, id));
            }
        }
    }
    Ok(rows)
}

fn fold_again(handle: &Handle, shared: &Shared, digest: AlertId, id: AlertId) -> Option<FoldRow> {
    let alert = alert(handle, shared, id).ok()??.alert;
    let mut folded = alert.progress.contacts.values().filter_map(|contact| contact.folded.as_ref());
    let folded = folded.find(|folded| folded.digest == digest)?;
    Some(FoldRow::new(&alert, folded))
}

pub(super) fn charges(handle: &Handle, since: Timestamp) -> Result<Vec<Charge>, StoreError> {
    let from = keys::charges_from(codec::due_ms(since));
    let until = keys::charges_from(u64::MAX);
    let values = handle.db().range(from.as_slice()..until.as_slice()).values();
    values.map(|value| plain_value(value, "a charge")).collect()
}

/// Keys of charges from before and after this period.
pub(super) fn charges_outside(
    handle: &Handle,
    keep: &Range<Timestamp>,
    limit: usize,
) -> Result<Vec<IVec>, StoreError> {
    let first = keys::charges_from(codec::due_ms(keep.start));
    let end = keys::charges_from(codec::due_ms(keep.end));
    let before = handle.db().range(keys::CHARGES.as_slice()..first.as_slice());
    let after = handle.db().range(end.as_slice()..keys::charges_from(u64::MAX).as_slice());
    let keys = before.keys().chain(after.keys()).take(limit);
    keys.map(|key| key.map_err(|error| failure(&error))).collect()
}

pub(super) fn devices(handle: &Handle) -> Result<Vec<DeviceRecord>, StoreError> {
    plain_values(handle, keys::DEVICES, "a device record")
}

/// The signing key, if one is kept.
pub(super) fn signing_key(handle: &Handle) -> Result<Option<[u8; 32]>, StoreError> {
    Ok(plain_values(handle, keys::SIGNING, "the signing key")?.pop())
}

pub(super) fn heartbeats(handle: &Handle) -> Result<Vec<HeartbeatRecord>, StoreError> {
    plain_values(handle, keys::HEARTBEATS, "a heartbeat record")
}

/// Looks at up to `documents_max` documents above `after`, oldest first, for ones to forget.
pub(super) fn purge_step(
    handle: &Handle,
    before: Timestamp,
    after: Option<AlertId>,
    (removals_max, documents_max): (usize, usize),
) -> Result<PurgeStep, StoreError> {
    let mut step = PurgeStep { removals: Vec::new(), reached: None };
    let low = after.map_or_else(|| keys::ALERTS.to_vec(), |after| keys::alert(after).to_vec());
    let high =
        first_id_after(before).map_or_else(|| keys::ALERTS_END.to_vec(), |high| keys::alert(high).to_vec());
    if high <= low {
        return Ok(step);
    }
    for (looked, entry) in handle.db().range((Bound::Excluded(low), Bound::Excluded(high))).enumerate() {
        if step.removals.len() == removals_max || looked == documents_max {
            return Ok(step);
        }
        let (key, value) = entry.map_err(|error| failure(&error))?;
        let Some(id) = keys::alert_of(&key) else { continue };
        step.reached = Some(id);
        // A document that does not read is kept.
        let Ok(header) = codec::decode_header(&value) else { continue };
        if header.open || header.due_ms.is_some() {
            continue;
        }
        let Ok(Some((_, stored))) = document(handle, id, value) else { continue };
        if is_purgeable(&stored.alert, before) {
            let chunks = handle.db().scan_prefix(keys::chunks_of(id)).keys();
            let folds = handle.db().scan_prefix(keys::folds_of(id)).keys();
            let pieces = handle.db().scan_prefix(keys::pieces_of(id)).keys();
            let beside: Result<_, Error> = chunks.chain(folds).chain(pieces).collect();
            let beside = beside.map_err(|error| failure(&error))?;
            step.removals.push(Removal {
                id,
                thread: stored.alert.thread(),
                version: stored.version,
                beside,
            });
        }
    }
    step.reached = None;
    Ok(step)
}

fn plain_values<T: DeserializeOwned>(
    handle: &Handle,
    prefix: &[u8],
    what: &str,
) -> Result<Vec<T>, StoreError> {
    handle.db().scan_prefix(prefix).values().map(|value| plain_value(value, what)).collect()
}

fn plain_value<T: DeserializeOwned>(value: Result<IVec, Error>, what: &str) -> Result<T, StoreError> {
    let value = value.map_err(|error| failure(&error))?;
    codec::decode_plain(&value).map_err(|error| StoreError::Damaged(format!("{what}: {error}")))
}

/// The lowest id that can have been made at `at`.
fn first_id_of(at: Timestamp) -> AlertId {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    AlertId::from_bytes((u128::from(millis) << 80).to_be_bytes())
}

/// The lowest id made in a later millisecond than `at`.
fn first_id_after(at: Timestamp) -> Option<AlertId> {
    at.checked_add(SignedDuration::from_millis(1)).ok().map(first_id_of)
}

/// sled refuses writes after any error; a page that does not read leaves the others readable.
pub(super) fn failure(error: &Error) -> StoreError {
    match error {
        Error::Corruption { .. } => StoreError::Damaged(format!("sled: {error}")),
        Error::Io(_) | Error::CollectionNotFound(_) | Error::Unsupported(_) | Error::ReportableBug(_) => {
            StoreError::Unavailable(error.to_string())
        }
    }
}
