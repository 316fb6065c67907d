//! When each alert wants to be planned, the gravest first, and what its row says of it. Engines keep one row for each such
//! alert, short enough for sled to lie beside its key; this is all of them, in memory.
//!
//! ```text
//! 0        format of the row: 1
//! 1..5     CRC-32 of every other byte, big-endian
//! 5        urgency, from 0 to 5
//! 6..8     signs
//! 8..16    due time in ms since 1970
//! 16..20   when it was written, in s since 1970
//! ```

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use jiff::Timestamp;

use super::{
    AlertWrite, Place, Sought, Wanted,
    codec::{self, DecodeError, Header},
};
use crate::alert::{AlertId, Severity, Signs};

/// Most rows that one page is looked for among: a writer waits meanwhile.
const LOOKED_AT_MAX: usize = 50_000;

#[derive(Debug, Default)]
pub(super) struct Schedule(BTreeMap<Place, Row>);

/// What is known of an alert that has a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) signs: Signs,
    /// When it was written, by our clock, in whole seconds since 1970.
    pub(super) written_s: u32,
}

/// A row as an engine keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) row: Row,
}

impl Entry {
    /// `None`: it does not want to be planned.
    pub(super) fn of(write: &AlertWrite) -> Option<Self> {
        let (alert, due) = (&write.alert, write.due?);
        // Whoever changes an alert without planning it makes it due at once.
        let written = write.plan.map_or(due, |plan| plan.at);
        Some(Self {
            place: Place::new(alert.urgency(), codec::due_ms(due), alert.id),
            row: Row { signs: Signs::of(alert), written_s: seconds(written) },
        })
    }

    /// It was due when it was written, or waits for an answer. A start with a clock behind looks at what was written later.
    pub(super) fn is_found_by_every_start(self) -> bool {
        let written_ms = u64::from(self.row.written_s) * 1_000 + 999;
        self.row.signs.contains(Signs::IN_FLIGHT) || self.place.due_ms <= written_ms
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let Self { place, row } = self;
        let mut bytes = vec![codec::FORMAT, 0, 0, 0, 0, place.urgency.0 as u8];
        bytes.extend_from_slice(&row.signs.bits().to_be_bytes());
        bytes.extend_from_slice(&place.due_ms.to_be_bytes());
        bytes.extend_from_slice(&row.written_s.to_be_bytes());
        codec::sealed(bytes)
    }

    pub(super) fn from_bytes(id: AlertId, bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::checked(bytes)?;
        let short = || DecodeError::Short(bytes.len());
        let [urgency] = codec::array(bytes, 5).ok_or_else(short)?;
        let signs = u16::from_be_bytes(codec::array(bytes, 6).ok_or_else(short)?);
        let due_ms = u64::from_be_bytes(codec::array(bytes, 8).ok_or_else(short)?);
        let written_s = u32::from_be_bytes(codec::array(bytes, 16).ok_or_else(short)?);
        let urgency = Severity::from_number(urgency).ok_or(DecodeError::Severity(urgency))?;
        let row = Row { signs: Signs::from_bits_retain(signs), written_s };
        Ok(Self { place: Place::new(urgency, due_ms, id), row })
    }

    /// Of an alert whose row does not read, by the header of its document: whatever is looked for may be true of it.
    pub(super) fn by_header(id: AlertId, header: Option<Header>) -> Option<Self> {
        let place = match header {
            Some(header) => Place::of(id, header)?,
            // It is found out at once that it does not read either.
            None => Place::new(Severity::Disaster, 0, id),
        };
        Some(Self { place, row: Row { signs: Signs::all(), written_s: u32::MAX } })
    }
}

impl Place {
    fn new(urgency: Severity, due_ms: u64, id: AlertId) -> Self {
        Self { urgency: Reverse(urgency), due_ms, id }
    }

    /// Not above any other with this urgency and a due time from this on.
    fn first(urgency: Severity, due_ms: u64) -> Self {
        Self::new(urgency, due_ms, AlertId::from_bytes([0; 16]))
    }

    pub(super) fn due(self) -> Timestamp {
        codec::due_at(self.due_ms)
    }

    /// Where a document with this header has its alert.
    pub(super) fn of(id: AlertId, header: Header) -> Option<Self> {
        header.due_ms.map(|due_ms| Self::new(header.urgency, due_ms, id))
    }

    /// Whoever goes by this one finds the alert no later than by the other.
    pub(super) fn is_as_early(self, other: Self) -> bool {
        self.urgency == other.urgency && self.due_ms <= other.due_ms
    }
}

impl FromIterator<Entry> for Schedule {
    fn from_iter<T: IntoIterator<Item = Entry>>(entries: T) -> Self {
        Self(entries.into_iter().map(|Entry { place, row }| (place, row)).collect())
    }
}

impl Schedule {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn put(&mut self, before: Option<Place>, after: Option<Entry>) {
        if let Some(before) = before
            && self.0.remove(&before).is_none()
        {
            self.take_out(before.id);
        }
        if let Some(Entry { place, row }) = after {
            self.0.insert(place, row);
        }
    }

    /// It was found to be elsewhere: unless it has moved since.
    pub(super) fn correct(&mut self, before: Place, after: Option<Entry>) {
        if self.0.remove(&before).is_some()
            && let Some(Entry { place, row }) = after
        {
            self.0.insert(place, row);
        }
    }

    /// What is known of these is put in the place of what was. Looks at all of them.
    pub(super) fn replace(&mut self, entries: &HashMap<AlertId, Option<Entry>>) {
        if entries.is_empty() {
            return;
        }
        self.0.retain(|place, _| !entries.contains_key(&place.id));
        self.0.extend(entries.values().flatten().map(|Entry { place, row }| (*place, *row)));
    }

    /// Looks at all of them.
    fn take_out(&mut self, id: AlertId) {
        let place = self.0.keys().find(|place| place.id == id).copied();
        place.and_then(|place| self.0.remove(&place));
    }

    /// Up to `limit` of those due at `now`.
    pub(super) fn due(&self, now: Timestamp, limit: usize, wanted: Wanted<'_>) -> Vec<Place> {
        // As a clock shows it: a due time is rounded up.
        let now_ms = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let of_each = wanted.urgencies().map(|urgency| {
            let rows =
                self.0.range(Place::first(urgency, 0)..Place::first(urgency, now_ms.saturating_add(1)));
            rows.map(|(place, _)| *place).filter(|place| !(wanted.except)(place.id))
        });
        of_each.flatten().take(limit).collect()
    }

    pub(super) fn next_due(&self, wanted: Wanted<'_>) -> Option<Timestamp> {
        let of_each = wanted.urgencies().filter_map(|urgency| {
            let rows = self.0.range(Place::first(urgency, 0)..);
            let mut places = rows.map(|(place, _)| place).take_while(|place| place.urgency.0 == urgency);
            places.find(|place| !(wanted.except)(place.id)).map(|place| place.due_ms)
        });
        of_each.min().map(codec::due_at)
    }

    /// Up to `limit` of those sought above `after`, and where to go on, if there may be more.
    pub(super) fn sought(
        &self,
        after: Option<Place>,
        sought: Sought,
        limit: usize,
    ) -> (Vec<Place>, Option<Place>) {
        let written_after = seconds(sought.written_after);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let (mut found, mut last) = (Vec::new(), None);
        for (looked, (place, row)) in self.0.range((from, Bound::Unbounded)).enumerate() {
            if found.len() == limit || looked == LOOKED_AT_MAX {
                return (found, last);
            }
            last = Some(*place);
            if row.signs.intersects(sought.signs) || written_after < row.written_s {
                found.push(*place);
            }
        }
        (found, None)
    }
}

/// Whole seconds since 1970, as far as a row can say them.
fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_second().max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_row_reads_back_and_a_flipped_bit_is_noticed(
            (urgency, signs) in (0_u8..6, any::<u16>()),
            (due_ms, written_s) in (any::<u64>(), any::<u32>()),
            bit in 8_usize..8 * 20,
        ) {
            let id = AlertId::from_bytes([7; 16]);
            let place = Place::new(Severity::from_number(urgency).unwrap(), due_ms, id);
            let entry = Entry { place, row: Row { signs: Signs::from_bits_retain(signs), written_s } };
            let mut bytes = entry.to_bytes();
            prop_assert_eq!(Entry::from_bytes(id, &bytes), Ok(entry));
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Entry::from_bytes(id, &bytes), Err(DecodeError::Checksum));
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..32)) {
            prop_assert!(Entry::from_bytes(AlertId::from_bytes([7; 16]), &bytes).is_err());
        }
    }
}
