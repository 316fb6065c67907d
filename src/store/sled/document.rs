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
        Ok(self.alert_with_header(id)?.map(|(_, stored)| stored))
    }

    pub(super) fn alert_with_header(&self, id: AlertId) -> Result<Option<(Header, Stored)>, StoreError> {
        let read = guarded(|| self.document(id));
        if let Err(StoreError::Damaged(detail)) = &read {
            self.shared.note_damaged(id, detail);
        }
        read
    }

    /// As [`Reader::alert`]; one that cannot be read must not hide the others.
    pub(super) fn readable(&self, id: AlertId) -> Result<Option<Stored>, StoreError> {
        match self.alert(id) {
            Err(StoreError::Damaged(_)) => Ok(None),
            read => read,
        }
    }

    /// The rest of a document if it has one, else what it begins as, which is all.
    fn newest(&self, id: AlertId) -> Result<Option<IVec>, StoreError> {
        let rest = self.get(&keys::rest(id))?;
        if rest.is_some() { Ok(rest) } else { self.get(&keys::alert(id)) }
    }

    pub(super) fn header(&self, id: AlertId) -> Result<Option<Header>, StoreError> {
        let damaged = |error: DecodeError| StoreError::Damaged(format!("alert {id}: {error}"));
        self.newest(id)?.map(|newest| codec::decode_header(&newest).map_err(damaged)).transpose()
    }

    /// `None` if it is gone. It may be written between the reads of two of its values: then it is read again.
    fn document(&self, id: AlertId) -> Result<Option<(Header, Stored)>, StoreError> {
        let damaged = |error: DecodeError| StoreError::Damaged(format!("alert {id}: {error}"));
        let mut last = None;
        for _ in 0..REREADS_MAX {
            let Some(newest) = self.newest(id)? else { return Ok(None) };
            if last.as_ref() == Some(&newest) {
                return Err(damaged(DecodeError::Missing));
            }
            let header = codec::decode_header(&newest).map_err(damaged)?;
            let (beginning, is_its) = self.beginning(id, header)?;
            if is_its && let Some(further) = self.further_values(id, header)? {
                let stored = codec::decode_alert(header, &newest, beginning.as_deref(), &further);
                return Ok(Some((header, stored.map_err(damaged)?)));
            }
            last = Some(newest);
        }
        Err(StoreError::Unavailable(format!("alert {id} is written faster than it can be read")))
    }

    /// What the document with this header begins as, where it is a rest, and whether that is what is there.
    fn beginning(&self, id: AlertId, header: Header) -> Result<(Option<IVec>, bool), StoreError> {
        let Some(begins) = header.begins else { return Ok((None, true)) };
        let beginning = self.get(&keys::alert(id))?;
        let found = beginning.as_ref().map(|value| codec::decode_header(value)).transpose();
        let found =
            found.map_err(|error| StoreError::Damaged(format!("alert {id}, its beginning: {error}")))?;
        Ok((beginning, found.is_some_and(|found| found.version == begins.version)))
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
        let header = self.header(id).and_then(|header| {
            let Some(header) = header else { return Ok(None) };
            // An event that is said to have joined it must not have joined what does not read.
            let (_, is_whole) = self.beginning(id, header)?;
            if is_whole { Ok(Some(header)) } else { Ok(self.document(id)?.map(|(header, _)| header)) }
        });
        if let Err(StoreError::Damaged(detail)) = &header {
            self.shared.note_damaged(id, detail);
        }
        let header = header?;
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
