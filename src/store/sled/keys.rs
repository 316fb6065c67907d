//! The byte layout of every key, as the table in [`super`] has it. Numbers are big-endian, so sled's byte order is
//! our order. `x_of` of an id is what the keys of all its `x` begin with; of a key, what stands in it.

use std::ops::Range;

use crate::{
    alert::{AlertId, ThreadKey},
    store::codec::array,
};

pub(super) const ALERTS: &[u8; 2] = b"a/";
const ALERTS_END: &[u8; 2] = b"a0";
const RESTS: &[u8; 2] = b"b/";
const PIECES: &[u8; 2] = b"p/";
const THREADS: &[u8; 2] = b"t/";
pub(super) const SCHEDULE: &[u8; 2] = b"q/";
const SCHEDULE_END: &[u8; 2] = b"q0";
const CHUNKS: &[u8; 2] = b"j/";
const FOLDS: &[u8; 2] = b"f/";
pub(super) const CHARGES: &[u8; 2] = b"s/";
const RECORDS: &[u8; 2] = b"r/";
pub(super) const FORMAT: &[u8] = b"m/format";
pub(super) const GROUP: &[u8] = b"m/group";

const THREAD_FORMAT: u8 = 1;

pub(super) fn alert(id: AlertId) -> [u8; 18] {
    joined(&[ALERTS, &id.to_bytes()])
}

/// Above the documents with lower ids than `high`; without one, above all.
pub(super) fn alerts_below(high: Option<AlertId>) -> Vec<u8> {
    high.map_or(ALERTS_END.to_vec(), |high| alert(high).to_vec())
}

pub(super) fn rest(id: AlertId) -> [u8; 18] {
    joined(&[RESTS, &id.to_bytes()])
}

pub(super) fn piece(id: AlertId, number: u16) -> [u8; 20] {
    joined(&[PIECES, &id.to_bytes(), &number.to_be_bytes()])
}

pub(super) fn pieces_of(id: AlertId) -> [u8; 18] {
    joined(&[PIECES, &id.to_bytes()])
}

pub(super) fn thread(thread: ThreadKey) -> [u8; 18] {
    joined(&[THREADS, &thread.to_bytes()])
}

pub(super) fn scheduled(id: AlertId) -> [u8; 18] {
    joined(&[SCHEDULE, &id.to_bytes()])
}

/// Above the rows of alerts with lower ids than `high`; without one, above all.
pub(super) fn scheduled_below(high: Option<AlertId>) -> Vec<u8> {
    high.map_or(SCHEDULE_END.to_vec(), |high| scheduled(high).to_vec())
}

pub(super) fn chunk(id: AlertId, first_row: u32) -> [u8; 22] {
    joined(&[CHUNKS, &id.to_bytes(), &first_row.to_be_bytes()])
}

pub(super) fn chunks_of(id: AlertId) -> [u8; 18] {
    joined(&[CHUNKS, &id.to_bytes()])
}

pub(super) fn fold(digest: AlertId, alert: AlertId) -> [u8; 34] {
    joined(&[FOLDS, &digest.to_bytes(), &alert.to_bytes()])
}

pub(super) fn folds_of(digest: AlertId) -> [u8; 18] {
    joined(&[FOLDS, &digest.to_bytes()])
}

pub(super) fn folded_of(key: &[u8]) -> Option<AlertId> {
    array(key.strip_prefix(FOLDS)?, 16).map(AlertId::from_bytes)
}

pub(super) fn charge(at_ms: u64, id: AlertId, version: u64, number: u16) -> [u8; 36] {
    joined(&[CHARGES, &at_ms.to_be_bytes(), &id.to_bytes(), &version.to_be_bytes(), &number.to_be_bytes()])
}

pub(super) fn charges_from(at_ms: u64) -> Vec<u8> {
    [CHARGES.as_slice(), &at_ms.to_be_bytes()].concat()
}

pub(super) fn records_of(kind: &str) -> Vec<u8> {
    [RECORDS.as_slice(), kind.as_bytes(), b"/"].concat()
}

pub(super) fn alert_of(key: &[u8]) -> Option<AlertId> {
    array(key.strip_prefix(ALERTS)?, 0).map(AlertId::from_bytes)
}

pub(super) fn scheduled_of(key: &[u8]) -> Option<AlertId> {
    array(key.strip_prefix(SCHEDULE)?, 0).map(AlertId::from_bytes)
}

/// The value of a thread entry: short enough for sled to keep it beside its key.
pub(super) fn latest_round(id: AlertId, round: u32) -> [u8; 21] {
    joined(&[&[THREAD_FORMAT], &id.to_bytes(), &round.to_be_bytes()])
}

pub(super) fn latest_round_of(value: &[u8]) -> Option<(AlertId, u32)> {
    let (format, rest) = value.split_first()?;
    let id = AlertId::from_bytes(array(rest, 0)?);
    (*format == THREAD_FORMAT).then_some((id, u32::from_be_bytes(array(rest, 16)?)))
}

/// All keys that begin with this.
pub(super) fn beginning_with(prefix: &[u8]) -> Range<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            break;
        }
    }
    prefix.to_vec()..end
}

/// The lowest key above this one.
pub(super) fn above(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

fn joined<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut key = [0; N];
    for (byte, part) in key.iter_mut().zip(parts.iter().copied().flatten()) {
        *byte = *part;
    }
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn byte_order_is_the_order_of_ids(a in any::<[u8; 16]>(), b in any::<[u8; 16]>()) {
            let (a, b) = (AlertId::from_bytes(a), AlertId::from_bytes(b));
            prop_assert_eq!(alert(a).cmp(&alert(b)), a.cmp(&b));
            prop_assert_eq!(scheduled(a).as_slice() < scheduled_below(Some(b)).as_slice(), a < b);
            prop_assert!(scheduled(a).as_slice() < scheduled_below(None).as_slice());
        }

        #[test]
        fn chunks_of_one_alert_lie_together_in_the_order_of_their_rows(
            id in any::<[u8; 16]>(), a in any::<u32>(), b in any::<u32>(),
        ) {
            let id = AlertId::from_bytes(id);
            prop_assert_eq!(chunk(id, a).cmp(&chunk(id, b)), a.cmp(&b));
            prop_assert!(chunk(id, a).starts_with(&chunks_of(id)));
        }

        #[test]
        fn keys_and_thread_entries_read_back(id in any::<[u8; 16]>(), round in any::<u32>()) {
            let id = AlertId::from_bytes(id);
            prop_assert_eq!(scheduled_of(&scheduled(id)), Some(id));
            prop_assert_eq!(alert_of(&alert(id)), Some(id));
            prop_assert_eq!(latest_round_of(&latest_round(id, round)), Some((id, round)));
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..15)) {
            prop_assert_eq!(scheduled_of(&bytes), None);
            prop_assert_eq!(alert_of(&bytes), None);
            prop_assert_eq!(latest_round_of(&bytes), None);
        }
    }
}
