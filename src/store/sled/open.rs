//! Opening: refuses what it cannot serve, and neither deletes nor moves any of it.
//!
//! One change is not in our hands: from the first record that it cannot read, sled takes the rest of
//! its log for torn and overwrites it, before it tells whether the store opens.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use ::sled::{Batch, Db, Error};

use super::{
    handle::{Handle, words_of},
    keys,
    progress::Progress,
};
use crate::store::codec::array;

/// What sled may hold of the file in memory, in bytes; its own default is 1 GiB.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// Size of a segment of the file, in bytes. sled moves a page larger than a quarter of it into a
/// file of its own, which it never syncs; a page holds at most about 20 values, so with
/// [`VALUE_BYTES_MAX`](crate::store::VALUE_BYTES_MAX) none ever is.
const SEGMENT_BYTES: usize = 4 * 1024 * 1024;

/// How often a folder that is in use is tried, and the pause in between: two seconds in all.
const IN_USE_ATTEMPTS_MAX: usize = 41;
const IN_USE_PAUSE: Duration = Duration::from_millis(50);

/// Our own file in the folder: it says what the folder is before sled touches anything.
const MARKER: &str = "FORMAT";
/// What it is written as before it gets its name.
const MARKER_DRAFT: &str = "FORMAT.new";
const MARKER_CREATING: &str = "bongsu store, being created\n";
const MARKER_READY: &str = "bongsu store 1\n";

/// The value of the format key.
const FORMAT: &[u8] = b"1";

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another store of this one, has it open.
    #[error("could not open the store at {}: another process has it open", path.display())]
    InUse { path: PathBuf },
    /// Its content cannot be read. Nothing was deleted or moved.
    #[error(
        "could not open the store at {}: it is damaged ({detail}); restore a backup to this path, or move the folder aside, keep it, and start with an empty one",
        path.display()
    )]
    Damaged { path: PathBuf, detail: String },
    /// Another version wrote it, or something else altogether.
    #[error("could not open the store at {}: {detail}", path.display())]
    OtherFormat { path: PathBuf, detail: String },
    /// The file system refused.
    #[error("could not open the store at {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Opens the store in this folder; creates it if the folder is empty or missing.
pub(super) fn open(path: &Path) -> Result<Handle, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let ready = read_marker(path)?;
    if !ready {
        write_marker(path, MARKER_CREATING).map_err(io)?;
    }

    let db = open_engine(path)?;
    let file = File::open(path.join("db")).map_err(io)?;
    check_format(&db, path, ready)?;
    let progress = check_progress(&db, path)?;
    let handle = Handle::new(db, file, progress);
    handle.sync().map_err(|error| refusal(path, error))?;
    File::open(path.join("blobs")).and_then(|folder| folder.sync_all()).map_err(io)?;
    sync_folder(path).map_err(io)?;
    if !ready {
        write_marker(path, MARKER_READY).map_err(io)?;
    }
    Ok(handle)
}

/// Whether a finished store is there; false if one may be created.
fn read_marker(path: &Path) -> Result<bool, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let other = |detail: String| OpenError::OtherFormat { path: path.to_owned(), detail };
    // Alerts are for the user of the service only.
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
    match fs::read_to_string(path.join(MARKER)) {
        Ok(marker) if marker == MARKER_READY => {
            let bytes = fs::metadata(path.join("db")).map_or(0, |file| file.len());
            if bytes == 0 {
                let detail = "the file `db` is missing or empty".to_owned();
                return Err(OpenError::Damaged { path: path.to_owned(), detail });
            }
            Ok(true)
        }
        Ok(marker) if marker == MARKER_CREATING => Ok(false),
        Ok(marker) => Err(other(format!(
            "the file `{MARKER}` says `{}`, this program reads `{}`",
            marker.chars().take(64).collect::<String>().trim().escape_debug(),
            MARKER_READY.trim()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A first start that was killed may have left the draft, and nothing else.
            let mut files = fs::read_dir(path).map_err(io)?;
            if files.all(|file| file.is_ok_and(|file| file.file_name() == MARKER_DRAFT)) {
                Ok(false)
            } else {
                Err(other(format!("it has files but no file `{MARKER}`: not a store of Bongsu")))
            }
        }
        Err(error) => Err(io(error)),
    }
}

fn write_marker(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.join(MARKER_DRAFT);
    fs::write(&draft, text)?;
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, path.join(MARKER))?;
    sync_folder(path)
}

/// Makes the names in a folder, and its own name, survive a power cut.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    File::open(fs::canonicalize(path)?.parent().unwrap_or(path))?.sync_all()
}

/// Waits for a folder that is about to be released: sled's own threads hold it for some moments
/// after the last handle is dropped.
fn open_engine(path: &Path) -> Result<Db, OpenError> {
    for _ in 1..IN_USE_ATTEMPTS_MAX {
        match try_open_engine(path) {
            Err(OpenError::InUse { .. }) => thread::sleep(IN_USE_PAUSE),
            other => return other,
        }
    }
    try_open_engine(path)
}

/// sled panics on some damaged files; on a thread of its own that stays a message.
fn try_open_engine(path: &Path) -> Result<Db, OpenError> {
    let config = ::sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None);
    let opening = thread::Builder::new().name("bongsu-store-open".to_owned()).spawn(move || config.open());
    match opening.map_err(|source| OpenError::Io { path: path.to_owned(), source })?.join() {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) => Err(refusal(path, error)),
        Err(panic) => Err(OpenError::Damaged { path: path.to_owned(), detail: words_of(&*panic) }),
    }
}

fn check_format(db: &Db, path: &Path, ready: bool) -> Result<(), OpenError> {
    let damaged = |detail: &str| OpenError::Damaged { path: path.to_owned(), detail: detail.to_owned() };
    let format = db.get(keys::FORMAT).map_err(|error| refusal(path, error))?;
    match format {
        Some(format) if *format == *FORMAT => Ok(()),
        Some(format) => Err(OpenError::OtherFormat {
            path: path.to_owned(),
            detail: format!("it has format {}, this program reads format 1", format.escape_ascii()),
        }),
        None if ready => Err(damaged("it opens, but everything in it is gone")),
        None if db.is_empty() => {
            let mut batch = Batch::default();
            batch.insert(keys::FORMAT, FORMAT);
            db.apply_batch(batch).map_err(|error| refusal(path, error))
        }
        None => Err(damaged("it has content but no format")),
    }
}

/// Refuses a tree that has lost writes without telling.
fn check_progress(db: &Db, path: &Path) -> Result<Progress, OpenError> {
    let group = db.get(keys::GROUP).map_err(|error| refusal(path, error))?;
    let group = group.and_then(|group| array(&group, 0)).map_or(0, u64::from_be_bytes);
    let progress =
        Progress::open(path, group).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    match progress.groups_lost() {
        0 => Ok(progress),
        lost => Err(OpenError::Damaged {
            path: path.to_owned(),
            detail: format!("the last {lost} groups of writes that were safe on the disk are gone"),
        }),
    }
}

fn refusal(path: &Path, error: Error) -> OpenError {
    let path = path.to_owned();
    match error {
        Error::Io(source) if source.raw_os_error().is_some() => OpenError::Io { path, source },
        // sled wraps the refused lock in a text of its own.
        Error::Io(error) if error.to_string().contains("could not acquire lock") => OpenError::InUse { path },
        Error::Io(error) => OpenError::Damaged { path, detail: error.to_string() },
        error @ (Error::CollectionNotFound(_)
        | Error::Unsupported(_)
        | Error::ReportableBug(_)
        | Error::Corruption { .. }) => OpenError::Damaged { path, detail: error.to_string() },
    }
}
