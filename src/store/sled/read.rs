//! Reading what stands beside the documents: journal chunks, rows of digests, charges, small records.

use std::ops::Range;

use ::sled::IVec;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{document::Reader, keys, walk::Order};
use crate::{
    alert::{AlertId, Charge, FoldRow, Row},
    store::{
        StoreError, codec,
        damage::{CHARGE, DIGEST_ROW, JOURNAL_CHUNK},
    },
};

impl Reader {
    pub(super) fn moved_rows(&self, id: AlertId) -> Result<Vec<Row>, StoreError> {
        let chunks: Vec<(_, Vec<Row>)> =
            self.decoded(keys::beginning_with(&keys::chunks_of(id)), JOURNAL_CHUNK)?;
        Ok(chunks.into_iter().flat_map(|(_, rows)| rows).collect())
    }

    /// What a digest counts. A row that does not read is made again from the alert that it tells of.
    pub(super) fn folds(&self, digest: AlertId) -> Result<Vec<FoldRow>, StoreError> {
        let mut rows = Vec::new();
        for entry in self.walk(keys::beginning_with(&keys::folds_of(digest)), Order::Ascending) {
            let (key, value) = entry?;
            match codec::decode_plain(&value) {
                Ok(row) => rows.push(row),
                Err(error) => {
                    let id = keys::folded_of(&key).unwrap_or(digest);
                    self.shared.damage.note(DIGEST_ROW, format_args!("{digest}/{id}"), error);
                    rows.extend(self.fold_again(digest, id));
                }
            }
        }
        Ok(rows)
    }

    fn fold_again(&self, digest: AlertId, id: AlertId) -> Option<FoldRow> {
        let alert = self.alert(id).ok()??.alert;
        let mut folded = alert.progress.contacts.values().flat_map(|contact| contact.folded.values());
        let folded = folded.find(|folded| folded.digest == digest)?;
        Some(alert.fold_row(folded))
    }

    pub(super) fn charges(&self, since: Timestamp) -> Result<Vec<Charge>, StoreError> {
        let from = keys::charges_from(codec::due_ms(since));
        let charges = self.decoded(from..keys::charges_from(u64::MAX), CHARGE)?;
        Ok(charges.into_iter().map(|(_, charge)| charge).collect())
    }

    pub(super) fn charges_outside(
        &self,
        keep: &Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<IVec>, StoreError> {
        let before = keys::CHARGES.to_vec()..keys::charges_from(codec::due_ms(keep.start));
        let after = keys::charges_from(codec::due_ms(keep.end))..keys::charges_from(u64::MAX);
        let outside = [before, after].into_iter().flat_map(|keys| self.walk(keys, Order::Ascending));
        outside.take(limit).map(|entry| entry.map(|(key, _)| key)).collect()
    }

    pub(super) fn records(&self, kind: &'static str) -> Result<Vec<(Vec<u8>, Value)>, StoreError> {
        let prefix = keys::records_of(kind);
        let records = self.decoded(keys::beginning_with(&prefix), kind)?;
        let own = |key: IVec| key.strip_prefix(prefix.as_slice()).unwrap_or_default().to_vec();
        Ok(records.into_iter().map(|(key, record)| (own(key), record)).collect())
    }

    /// Keys and values; what cannot be read is left out and counted as one of this kind.
    fn decoded<T: DeserializeOwned>(
        &self,
        keys: Range<Vec<u8>>,
        kind: &'static str,
    ) -> Result<Vec<(IVec, T)>, StoreError> {
        let mut read = Vec::new();
        for entry in self.walk(keys, Order::Ascending) {
            let (key, value) = entry?;
            match codec::decode_plain(&value) {
                Ok(row) => read.push((key, row)),
                Err(error) => self.shared.damage.note(kind, key.escape_ascii(), error),
            }
        }
        Ok(read)
    }
}
