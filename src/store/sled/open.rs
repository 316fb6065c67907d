//! Opening: refuses what it cannot serve, and neither deletes nor moves any of it.
//!
//! One change is not in our hands: from the first record that it cannot read, sled takes the rest of
//! its log for torn and overwrites it, before it tells whether the store opens.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, BufReader},
    os::unix::fs::DirBuilderExt,
    panic,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use ::sled::{Batch, Db, Error};
use rustix::io::Errno;

use super::{
    handle::{Handle, words_of},
    keys,
    progress::Progress,
};
use crate::store::codec::array;

/// What sled may hold of the file in memory, in bytes; its own default is 1 GiB.
const CACHE_BYTES: u64 = 32 * 1024 * 1024;

/// Size of a segment of the file, in bytes. sled moves a page larger than a quarter of it into a
/// file of its own, which it never syncs; a page holds at most about 20 values, so with
/// [`VALUE_BYTES_MAX`](crate::store::VALUE_BYTES_MAX) none ever is.
const SEGMENT_BYTES: usize = 4 * 1024 * 1024;

/// How often a folder that is in use is tried, and the pause in between: two seconds in all.
const IN_USE_ATTEMPTS_MAX: usize = 41;
const IN_USE_PAUSE: Duration = Duration::from_millis(50);

/// Of what is stored; the folder and the store in it both say it.
macro_rules! format_number {
    () => {
        "13"
    };
}

/// Our own file in the folder: it says what the folder is before sled touches anything.
const MARKER: &str = "FORMAT";
/// What it is written as before it gets its name.
const MARKER_DRAFT: &str = "FORMAT.new";
const MARKER_CREATING: &str = "bongsu store, being created\n";
const MARKER_READY: &str = concat!("bongsu store ", format_number!(), "\n");

const FORMAT: &[u8] = format_number!().as_bytes();

#[derive(Debug, thiserror::Error)]
#[error("could not open the store at {}: {cause}", path.display())]
pub struct OpenError {
    pub path: PathBuf,
    pub cause: OpenFailure,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenFailure {
    /// Another process, or another store of this one, has it open.
    #[error("another process has it open")]
    InUse,
    /// Its content cannot be read. Nothing was deleted or moved.
    #[error(
        "it is damaged ({0}); restore a backup to this path, or move the folder aside, keep it, and start with an empty one"
    )]
    Damaged(String),
    #[error("{0}")]
    OtherFormat(String),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl OpenFailure {
    /// The disk fails or is full, rather than that this is no folder for a store.
    pub(super) fn may_pass(&self) -> bool {
        let Self::Io(error) = self else { return false };
        let errno = error.raw_os_error().map(Errno::from_raw_os_error);
        errno.is_some_and(|errno| [Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::ROFS].contains(&errno))
    }
}

impl From<Error> for OpenFailure {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) if error.raw_os_error().is_some() => Self::Io(error),
            // sled wraps the refused lock in a text of its own.
            Error::Io(error) if error.to_string().contains("could not acquire lock") => Self::InUse,
            Error::Io(error) => Self::Damaged(error.to_string()),
            error @ (Error::CollectionNotFound(_)
            | Error::Unsupported(_)
            | Error::ReportableBug(_)
            | Error::Corruption { .. }) => Self::Damaged(error.to_string()),
        }
    }
}

/// Opens the store in this folder; creates it if the folder is empty or missing. sled panics on some damaged files: that
/// stays a message.
pub(super) fn open(path: &Path) -> Result<Handle, OpenFailure> {
    panic::catch_unwind(|| open_unguarded(path))
        .unwrap_or_else(|panic| Err(OpenFailure::Damaged(words_of(&*panic))))
}

fn open_unguarded(path: &Path) -> Result<Handle, OpenFailure> {
    let ready = read_marker(path)?;
    if !ready {
        write_marker(path, MARKER_CREATING)?;
    }

    if !ready {
        tracing::info!("there is no store at {} yet: a new, empty one is made", path.display());
    }
    remove_half_written_snapshots(path)?;
    let db = open_engine(path)?;
    let file = File::open(path.join("db"))?;
    check_format(&db, ready)?;
    let progress = check_progress(&db, path)?;
    let handle = Handle::new(db, file, progress);
    handle.sync()?;
    File::open(path.join("blobs"))?.sync_all()?;
    sync_folder(path)?;
    if !ready {
        write_marker(path, MARKER_READY)?;
    }
    Ok(handle)
}

/// Fails unless a finished store is there and reads to its end: what sled cannot read for a moment it takes for torn, and
/// overwrites.
pub(super) fn is_there(path: &Path) -> Result<(), OpenFailure> {
    match fs::read_to_string(path.join(MARKER)) {
        Ok(marker) if marker == MARKER_READY => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Ok(_) | Err(_) => {
            let gone = "its folder was removed or moved; put it back as it was";
            return Err(io::Error::new(io::ErrorKind::NotFound, gone).into());
        }
    }
    let mut file = BufReader::with_capacity(SEGMENT_BYTES, File::open(path.join("db"))?);
    io::copy(&mut file, &mut io::sink())?;
    Ok(())
}

/// Whether a finished store is there; false if one may be created.
fn read_marker(path: &Path) -> Result<bool, OpenFailure> {
    // Only this user may read alerts.
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    match fs::read_to_string(path.join(MARKER)) {
        Ok(marker) if marker == MARKER_READY => match fs::metadata(path.join("db")) {
            Ok(file) if file.len() > 0 => Ok(true),
            Ok(_) | Err(_) => Err(OpenFailure::Damaged("the file `db` is missing or empty".to_owned())),
        },
        Ok(marker) if marker == MARKER_CREATING => Ok(false),
        Ok(marker) => Err(OpenFailure::OtherFormat(format!(
            "the file `{MARKER}` says `{}`, this program reads `{}`",
            marker.chars().take(64).collect::<String>().trim().escape_debug(),
            MARKER_READY.trim()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A first start that was killed may have left the draft, and nothing else.
            let mut files = fs::read_dir(path)?;
            if files.all(|file| file.is_ok_and(|file| file.file_name() == MARKER_DRAFT)) {
                return Ok(false);
            }
            let detail = format!("it has files but no file `{MARKER}`: not a store of Bongsu");
            Err(OpenFailure::OtherFormat(detail))
        }
        Err(error) => Err(error.into()),
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

/// sled takes a snapshot that a full disk or a power cut left half written for the newest one, and the store for damaged.
/// Nothing is missing without it: the one before is there until it is whole. That of a process that has the store open is
/// left alone.
fn remove_half_written_snapshots(path: &Path) -> io::Result<()> {
    let Ok(file) = File::open(path.join("db")) else { return Ok(()) };
    if file.try_lock().is_err() {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let half_written = entry?.path();
        if half_written.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(half_written)?;
        }
    }
    Ok(())
}

/// Waits for a folder that is about to be released: sled's own threads hold it for some moments
/// after the last handle is dropped.
fn open_engine(path: &Path) -> Result<Db, OpenFailure> {
    for _ in 1..IN_USE_ATTEMPTS_MAX {
        match try_open_engine(path) {
            Err(OpenFailure::InUse) => thread::sleep(IN_USE_PAUSE),
            other => return other,
        }
    }
    try_open_engine(path)
}

fn try_open_engine(path: &Path) -> Result<Db, OpenFailure> {
    Ok(::sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None)
        .open()?)
}

fn check_format(db: &Db, ready: bool) -> Result<(), OpenFailure> {
    let damaged = |detail: &str| OpenFailure::Damaged(detail.to_owned());
    match db.get(keys::FORMAT)? {
        Some(format) if *format == *FORMAT => Ok(()),
        Some(format) => Err(OpenFailure::OtherFormat(format!(
            "it has format {}, this program reads format {}",
            format.escape_ascii(),
            FORMAT.escape_ascii()
        ))),
        None if ready => Err(damaged("it opens, but everything in it is gone")),
        None if db.is_empty() => {
            let mut batch = Batch::default();
            batch.insert(keys::FORMAT, FORMAT);
            Ok(db.apply_batch(batch)?)
        }
        None => Err(damaged("it has content but no format")),
    }
}

/// Refuses a tree that has lost writes without telling.
fn check_progress(db: &Db, path: &Path) -> Result<Progress, OpenFailure> {
    let group = db.get(keys::GROUP)?.and_then(|group| array(&group, 0)).map_or(0, u64::from_be_bytes);
    let progress = Progress::open(path, group)?;
    match progress.groups_lost() {
        0 => Ok(progress),
        lost => {
            let detail = format!("the last {lost} groups of writes that were safe on the disk are gone");
            Err(OpenFailure::Damaged(detail))
        }
    }
}
