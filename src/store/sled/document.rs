//! Reading a document whole, of however many values it is, and by its thread.

use ::sled::IVec;

use super::{
    keys,
    open::Handle,
    read::{failure, guarded},
    shared::Shared,
};
use crate::{
    alert::{AlertId, ThreadKey},
    store::{
        Standing, StoreError, Stored,
        codec::{self, DecodeError, Header},
    },
};

/// How often a document is read again because somebody wrote it meanwhile.
const REREADS_MAX: usize = 16;

pub(super) fn alert(handle: &Handle, shared: &Shared, id: AlertId) -> Result<Option<Stored>, StoreError> {
    let read = guarded(|| match first_value(handle, id)? {
        Some(first) => document(handle, id, first),
        None => Ok(None),
    });
    if let Err(StoreError::Damaged(detail)) = &read {
        shared.note_damaged(id, detail);
    }
    Ok(read?.map(|(_, stored)| stored))
}

pub(super) fn first_value(handle: &Handle, id: AlertId) -> Result<Option<IVec>, StoreError> {
    handle.db().get(keys::alert(id)).map_err(|error| failure(&error))
}

/// The document that begins with this value; `None` if it is gone. It may be written between the reads of two of
/// its values: then it is read again.
pub(super) fn document(
    handle: &Handle,
    id: AlertId,
    first: IVec,
) -> Result<Option<(Header, Stored)>, StoreError> {
    let damaged = |error: DecodeError| StoreError::Damaged(format!("alert {id}: {error}"));
    let mut first = first;
    for _ in 0..REREADS_MAX {
        let header = codec::decode_header(&first).map_err(damaged)?;
        if let Some(further) = further_values(handle, id, header)? {
            let stored = codec::decode_alert(header, &first, &further).map_err(damaged)?;
            return Ok(Some((header, stored)));
        }
        let Some(again) = first_value(handle, id)? else { return Ok(None) };
        if again == first {
            return Err(damaged(DecodeError::Missing));
        }
        first = again;
    }
    Err(StoreError::Unavailable(format!("alert {id} is written faster than it can be read")))
}

/// What the document with this header goes on in; `None` if something else is there.
fn further_values(handle: &Handle, id: AlertId, header: Header) -> Result<Option<Vec<IVec>>, StoreError> {
    let mut values = Vec::with_capacity(usize::from(header.further));
    for number in 0..header.further {
        let value = handle.db().get(keys::piece(id, number)).map_err(|error| failure(&error))?;
        let Some(value) = value else { return Ok(None) };
        let piece = codec::decode_header(&value)
            .map_err(|error| StoreError::Damaged(format!("alert {id}, value {number}: {error}")))?;
        if piece.version != header.version {
            return Ok(None);
        }
        values.push(value);
    }
    Ok(Some(values))
}

pub(super) fn latest_round(
    handle: &Handle,
    shared: &Shared,
    thread: ThreadKey,
) -> Result<Option<Stored>, StoreError> {
    match latest_id(handle, thread)? {
        Some(id) => alert(handle, shared, id),
        None => Ok(None),
    }
}

/// As [`latest_round`], of which only the header is read.
pub(super) fn standing(handle: &Handle, thread: ThreadKey) -> Result<Option<Standing>, StoreError> {
    let Some(id) = latest_id(handle, thread)? else { return Ok(None) };
    let header = first_value(handle, id)?.map(|value| codec::decode_header(&value)).transpose();
    let header = header.map_err(|error| StoreError::Damaged(format!("alert {id}: {error}")))?;
    Ok(header.map(|header| Standing { id, open: header.open, severity: header.severity }))
}

/// The alert that is the latest round of a thread.
fn latest_id(handle: &Handle, thread: ThreadKey) -> Result<Option<AlertId>, StoreError> {
    let Some(entry) = handle.db().get(keys::thread(thread)).map_err(|error| failure(&error))? else {
        return Ok(None);
    };
    let (id, _) = keys::latest_round_of(&entry)
        .ok_or_else(|| StoreError::Damaged("the entry of a thread does not read".to_owned()))?;
    Ok(Some(id))
}
