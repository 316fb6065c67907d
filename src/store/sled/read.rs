//! Reading what stands beside the documents: journal chunks, rows of digests, charges, small records.

use std::ops::Range;

use ::sled::IVec;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{document::Reader, keys};
use crate::{
    alert::{AlertId, Charge, FoldRow, Row},
    store::{StoreError, codec},
};

impl Reader {
    pub(super) fn moved_rows(&self, id: AlertId) -> Result<Vec<Row>, StoreError> {
        let chunks: Vec<Vec<Row>> = self.records(&keys::chunks_of(id), "a journal chunk")?;
        Ok(chunks.into_iter().flatten().collect())
    }

    /// What a digest counts. A row that does not read is made again from the alert that it tells of.
    pub(super) fn folds(&self, digest: AlertId) -> Result<Vec<FoldRow>, StoreError> {
        let mut rows = Vec::new();
        for entry in self.handle.starting_with(&keys::folds_of(digest)) {
            let (key, value) = entry?;
            match codec::decode_plain(&value) {
                Ok(row) => rows.push(row),
                Err(error) => {
                    let id = keys::folded_of(&key).unwrap_or(digest);
                    self.shared.note_damaged(id, &format!("its row in digest {digest}: {error}"));
                    rows.extend(self.fold_again(digest, id));
                }
            }
        }
        Ok(rows)
    }

    fn fold_again(&self, digest: AlertId, id: AlertId) -> Option<FoldRow> {
        let alert = self.alert(id).ok()??.alert;
        let mut folded = alert.progress.contacts.values().filter_map(|contact| contact.folded.as_ref());
        let folded = folded.find(|folded| folded.digest == digest)?;
        Some(alert.fold_row(folded))
    }

    pub(super) fn charges(&self, since: Timestamp) -> Result<Vec<Charge>, StoreError> {
        let from = keys::charges_from(codec::due_ms(since));
        let entries = self.handle.range(from..keys::charges_from(u64::MAX));
        entries.map(|entry| decoded(&entry?.1, "a charge")).collect()
    }

    pub(super) fn charges_outside(
        &self,
        keep: &Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<IVec>, StoreError> {
        let before = keys::CHARGES.to_vec()..keys::charges_from(codec::due_ms(keep.start));
        let after = keys::charges_from(codec::due_ms(keep.end))..keys::charges_from(u64::MAX);
        let outside = self.handle.range(before).chain(self.handle.range(after));
        outside.take(limit).map(|entry| entry.map(|(key, _)| key)).collect()
    }

    pub(super) fn records<T: DeserializeOwned>(
        &self,
        prefix: &[u8],
        what: &str,
    ) -> Result<Vec<T>, StoreError> {
        self.handle.starting_with(prefix).map(|entry| decoded(&entry?.1, what)).collect()
    }
}

fn decoded<T: DeserializeOwned>(value: &IVec, what: &str) -> Result<T, StoreError> {
    codec::decode_plain(value).map_err(|error| StoreError::Damaged(format!("{what}: {error}")))
}
