//! Reads small text files, and no more of them than a configuration needs.

use std::{fs::File, io::Read, path::Path};

/// Why a file cannot be used. Never shows its content.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("could not read {path}: {source}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("could not read {path}: it is larger than {bytes_max} bytes")]
    TooLarge { path: String, bytes_max: u64 },
    #[error("could not read {path}: it is not UTF-8 text")]
    NotText { path: String },
}

/// The whole text of the file at `path`, if it has at most `bytes_max` bytes.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<String, FileError> {
    let name = || path.display().to_string();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
        .map_err(|source| FileError::Unreadable { path: name(), source })?;
    // The length is taken from what was read, because pipes and devices have no honest size.
    if bytes_max < u64::try_from(bytes.len()).unwrap_or(u64::MAX) {
        return Err(FileError::TooLarge { path: name(), bytes_max });
    }
    String::from_utf8(bytes).map_err(|_| FileError::NotText { path: name() })
}

/// Whether other users of this machine may read the file.
#[cfg(unix)]
pub(super) fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    const GROUP_OR_WORLD_READ: u32 = 0o044;
    path.metadata().is_ok_and(|found| found.permissions().mode() & GROUP_OR_WORLD_READ != 0)
}

/// Whether other users of this machine may read the file; not known here.
#[cfg(not(unix))]
pub(super) fn is_open_to_others(_path: &Path) -> bool {
    false
}
