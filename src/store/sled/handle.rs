//! An open engine: reads in the store's own errors, and batches that are durable.

use std::{
    any::Any,
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ::sled::{Batch, Db, Error, IVec};

use super::{keys, progress::Progress};
use crate::store::StoreError;

/// The folder is unlocked when the last one who holds it lets go.
#[derive(Debug)]
pub(super) struct Handle {
    // `None` only while it is dropped.
    db: Option<Db>,
    file: File,
    progress: Mutex<Progress>,
}

impl Handle {
    pub(super) fn new(db: Db, file: File, progress: Progress) -> Self {
        Self { db: Some(db), file, progress: Mutex::new(progress) }
    }

    pub(super) fn db(&self) -> &Db {
        self.db.as_ref().expect("only drop takes it")
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.db().get(key).map_err(|error| failure(&error))
    }

    /// Writes a batch; it survives a power cut when this returns.
    pub(super) fn apply(&self, mut batch: Batch) -> Result<(), Error> {
        let mut progress = self.progress();
        batch.insert(keys::GROUP, &(progress.synced + 1).to_be_bytes());
        self.db().apply_batch(batch)?;
        self.sync()?;
        progress.synced += 1;
        Ok(())
    }

    pub(super) fn sync(&self) -> Result<(), Error> {
        self.db().flush()?;
        // On Linux sled's flush ends in `sync_file_range`, which neither waits for the metadata nor
        // empties the cache of the disk.
        self.file.sync_data().map_err(Error::Io)
    }

    /// Its file is the one in this folder.
    pub(super) fn is_in(&self, folder: &Path) -> io::Result<bool> {
        let (ours, there) = (self.file.metadata()?, fs::metadata(folder.join("db")));
        match there {
            Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Only the writer thread asks for it.
    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let db = self.db.take();
        // sled syncs when it is dropped and panics if that fails; the last holder, perhaps a reader, is not to
        // blame.
        if panic::catch_unwind(AssertUnwindSafe(|| drop(db))).is_err() {
            tracing::error!("could not close the store's engine in order");
        }
    }
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

/// Runs a read; a panic of sled on a damaged page stays an error.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(StoreError::Damaged(format!("sled panicked: {}", words_of(&*panic)))))
}

pub(super) fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}
