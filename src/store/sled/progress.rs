//! How far the store has come, noted outside sled.
//!
//! A record that does not read looks to sled like the end of its log: it drops everything that
//! came after the last snapshot and opens without a word. So every batch carries the number of its
//! group, and a small file beside the log is told now and then which number is safe. A tree that
//! is behind the file has lost writes that were answered.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

use crate::store::codec::array;

/// The file: the number of a synced group, then its CRC-32, both big-endian.
const FILE: &str = "progress";

#[derive(Debug)]
pub(super) struct Progress {
    file: File,
    /// The last group that survives a power cut.
    pub(super) synced: u64,
    noted: u64,
}

impl Progress {
    /// Opens the note of a store whose tree has come to group `synced`.
    pub(super) fn open(folder: &Path, synced: u64) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(folder.join(FILE))?;
        let mut bytes = [0; 12];
        let noted = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => number_in(&bytes).unwrap_or_else(|| {
                tracing::warn!(path = %folder.display(), "the progress of the store does not read, it is noted anew");
                0
            }),
            // New, or older than its first note.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(error),
        };
        Ok(Self { file, synced, noted })
    }

    /// How many groups were safe once and are gone.
    pub(super) fn groups_lost(&self) -> u64 {
        self.noted.saturating_sub(self.synced)
    }

    /// Notes how far it is. What was synced since the last note is not watched over.
    pub(super) fn note(&mut self) -> io::Result<()> {
        if self.noted == self.synced {
            return Ok(());
        }
        let number = self.synced.to_be_bytes();
        let mut bytes = number.to_vec();
        bytes.extend(crc32fast::hash(&number).to_be_bytes());
        self.file.write_all_at(&bytes, 0)?;
        self.file.sync_data()?;
        self.noted = self.synced;
        Ok(())
    }
}

fn number_in(bytes: &[u8; 12]) -> Option<u64> {
    let number = array(bytes, 0)?;
    let checksum = u32::from_be_bytes(array(bytes, 8)?);
    (crc32fast::hash(&number) == checksum).then_some(u64::from_be_bytes(number))
}
