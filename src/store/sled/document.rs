//! Reading documents: by id, whole, of however many values they are, and by their thread. All of it blocks.

use std::{
    ops::Range,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use ::sled::IVec;

use super::{
    handle::{Handle, guarded},
    keys,
    shared::Shared,
    walk::Order,
};
use crate::{
    alert::{AlertId, ThreadKey},
    store::{
        Standing, StoreError, Stored,
        codec::{self, DecodeError, Header},
        damage::THREAD,
    },
};

/// How often a document is read again because it was written meanwhile.
const REREADS_MAX: usize = 16;

/// Reads from one engine, which may fail or be replaced meanwhile.
pub(super) struct Reader {
    pub(super) handle: Arc<Handle>,
    pub(super) shared: Arc<Shared>,
    /// How often the engine has answered.
    pub(super) steps: Arc<AtomicU64>,
}

impl Reader {
    pub(super) fn walk(
        &self,
        keys: Range<Vec<u8>>,
        order: Order,
    ) -> impl Iterator<Item = Result<(IVec, IVec), StoreError>> {
        self.handle.walk(keys, order, &self.shared.damage).inspect(|_| self.step())
    }

    /// The engine that is read, for whoever must not be the one who closes it.
    pub(super) fn engine(&self) -> Weak<Handle> {
        Arc::downgrade(&self.handle)
    }

    pub(super) fn alert(&self, id: AlertId) -> Result<Option<Stored>, StoreError> {
        let read = guarded(|| match self.first_value(id)? {
            Some(first) => self.document(id, first),
            None => Ok(None),
        });
        if let Err(StoreError::Damaged(detail)) = &read {
            self.shared.note_damaged(id, detail);
        }
        Ok(read?.map(|(_, stored)| stored))
    }

    /// As [`Reader::alert`]; one that cannot be read must not hide the others.
    pub(super) fn readable(&self, id: AlertId) -> Result<Option<Stored>, StoreError> {
        match self.alert(id) {
            Err(StoreError::Damaged(_)) => Ok(None),
            read => read,
        }
    }

    pub(super) fn first_value(&self, id: AlertId) -> Result<Option<IVec>, StoreError> {
        self.get(&keys::alert(id))
    }

    /// The document that begins with this value; `None` if it is gone. It may be written between the reads of two
    /// of its values: then it is read again.
    pub(super) fn document(
        &self,
        id: AlertId,
        mut first: IVec,
    ) -> Result<Option<(Header, Stored)>, StoreError> {
        let damaged = |error: DecodeError| StoreError::Damaged(format!("alert {id}: {error}"));
        for _ in 0..REREADS_MAX {
            let header = codec::decode_header(&first).map_err(damaged)?;
            if let Some(further) = self.further_values(id, header)? {
                let stored = codec::decode_alert(header, &first, &further).map_err(damaged)?;
                return Ok(Some((header, stored)));
            }
            let Some(again) = self.first_value(id)? else { return Ok(None) };
            if again == first {
                return Err(damaged(DecodeError::Missing));
            }
            first = again;
        }
        Err(StoreError::Unavailable(format!("alert {id} is written faster than it can be read")))
    }

    /// What the document with this header goes on in; `None` if something else is there.
    fn further_values(&self, id: AlertId, header: Header) -> Result<Option<Vec<IVec>>, StoreError> {
        let mut values = Vec::with_capacity(usize::from(header.further));
        for number in 0..header.further {
            let Some(value) = self.get(&keys::piece(id, number))? else { return Ok(None) };
            let piece = codec::decode_header(&value)
                .map_err(|error| StoreError::Damaged(format!("alert {id}, value {number}: {error}")))?;
            if piece.version != header.version {
                return Ok(None);
            }
            values.push(value);
        }
        Ok(Some(values))
    }

    pub(super) fn latest_round(&self, thread: ThreadKey) -> Result<Option<Stored>, StoreError> {
        self.latest_id(thread)?.map_or(Ok(None), |id| self.alert(id))
    }

    /// As [`Reader::latest_round`], of which only the header is read.
    pub(super) fn standing(&self, thread: ThreadKey) -> Result<Option<Standing>, StoreError> {
        let Some(id) = self.latest_id(thread)? else { return Ok(None) };
        let header = self.first_value(id)?.map(|value| codec::decode_header(&value)).transpose();
        let header = header.map_err(|error| {
            self.shared.note_damaged(id, &error.to_string());
            StoreError::Damaged(format!("alert {id}: {error}"))
        })?;
        let standing = |Header { open, severity, in_doubt, .. }| Standing { id, open, severity, in_doubt };
        Ok(header.map(standing))
    }

    fn latest_id(&self, thread: ThreadKey) -> Result<Option<AlertId>, StoreError> {
        let Some(entry) = self.get(&keys::thread(thread))? else { return Ok(None) };
        let latest = keys::latest_round_of(&entry);
        if latest.is_none() {
            self.shared.damage.note(
                THREAD,
                keys::thread(thread).escape_ascii(),
                "what it names does not read",
            );
        }
        // As one without rounds: the next event opens one.
        Ok(latest.map(|(id, _)| id))
    }

    fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        let value = self.handle.get(key);
        self.step();
        value
    }

    fn step(&self) {
        self.steps.fetch_add(1, Relaxed);
    }
}
