//! A disk of its own for a store, whose power can be cut: what the server has not made durable is gone then.
//!
//! It is a file system in an image. The server is stopped where it is, and the image is copied until two copies agree, so
//! that nothing is on its way to it any more; from then on the copy is the disk. That is a device whose own cache survives.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// More than the server keeps free, and what a few rounds write.
const SIZE: &str = "640M";

/// How often it is copied until two copies agree: the kernel writes for some seconds what it has in memory.
const COPIES_MAX: usize = 100;

/// Gone with its mount when it is dropped.
pub(crate) struct Disk {
    image: PathBuf,
    copy: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// Makes an empty one, below `mount`. Needs root, as every mount does.
    pub(crate) fn make(image: PathBuf, mount: &Path) -> io::Result<Self> {
        fs::create_dir_all(mount)?;
        let copy = image.with_extension("copy");
        let disk = Self { image, copy, mount: mount.to_owned() };
        run("truncate", &["-s".as_ref(), SIZE.as_ref(), &disk.image])?;
        // Nothing that the kernel does later by itself.
        let at_once = "lazy_itable_init=0,lazy_journal_init=0";
        run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), "-E".as_ref(), at_once.as_ref(), &disk.image])?;
        disk.mount()?;
        Ok(disk)
    }

    /// What would be there if the power failed now.
    pub(crate) fn copy(&self) -> io::Result<()> {
        for _ in 0..COPIES_MAX {
            run("cp", &["--sparse=always".as_ref(), &self.image, &self.copy])?;
            if run("cmp", &["-s".as_ref(), &self.image, &self.copy]).is_ok() {
                return Ok(());
            }
        }
        Err(io::Error::other(format!("{} changes all the time", self.image.display())))
    }

    /// The power is back: the disk is what was copied.
    pub(crate) fn replace(&self) -> io::Result<()> {
        run("umount", &[&self.mount])?;
        fs::rename(&self.copy, &self.image)?;
        self.mount()
    }

    fn mount(&self) -> io::Result<()> {
        run("mount", &["-o".as_ref(), "loop".as_ref(), &self.image, &self.mount])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A folder that stays mounted cannot be removed, which says so.
        let _ = run("umount", &[&self.mount]);
    }
}

fn run(program: &str, arguments: &[&Path]) -> io::Result<()> {
    let output = Command::new(program).args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(io::Error::other(format!("{program} failed ({}): {words}", output.status)))
}
