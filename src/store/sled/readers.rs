//! Where the disk is waited for: beside the runtime, whose workers never touch it, and not for ever.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{document::Reader, handle::guarded, patience::patient, shared::Shared};
use crate::store::StoreError;

/// How much is read at once. Each takes a thread, one that a hung disk keeps: together far below the 512 that tokio
/// has for whatever blocks, which names of providers are looked up with, too.
const LOOK_UPS_MAX: usize = 64;
const SCANS_MAX: usize = 16;

/// Callers that wait for that, or for what they read; the next is refused.
const LOOK_UPS_WAITING_MAX: usize = 4_096;
const SCANS_WAITING_MAX: usize = 256;

#[derive(Debug)]
pub(super) struct Readers {
    pub(super) look_ups: Room,
    /// Of their own, so that many who list hold up neither a sender nor dispatch.
    pub(super) scans: Room,
}

#[derive(Debug)]
pub(super) struct Room {
    callers: Semaphore,
    threads: Arc<Semaphore>,
}

impl Default for Readers {
    fn default() -> Self {
        Self {
            look_ups: Room::new(LOOK_UPS_MAX, LOOK_UPS_WAITING_MAX),
            scans: Room::new(SCANS_MAX, SCANS_WAITING_MAX),
        }
    }
}

impl Room {
    fn new(threads: usize, callers: usize) -> Self {
        Self { callers: Semaphore::new(callers), threads: Arc::new(Semaphore::new(threads)) }
    }

    /// A place among the callers, until it is dropped.
    pub(super) fn place(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        let crowded = |_| StoreError::Unavailable("too many wait for the disk".to_owned());
        self.callers.try_acquire().map_err(crowded)
    }

    /// Reads on a thread that may block. One that hangs keeps its thread, and whatever it reads in the end is dropped.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        shared: &Arc<Shared>,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        shared.is_open()?;
        let _place = self.place()?;
        let thread = Arc::clone(&self.threads).acquire_owned();
        let closed = |_| StoreError::Unavailable("it was closed".to_owned());
        let thread = patient(shared.patience, async { thread.await.map_err(closed) }, || 0).await?;
        let (patience, shared, steps) = (shared.patience, Arc::clone(shared), Arc::<AtomicU64>::default());
        let counted = Arc::clone(&steps);
        let reading = tokio::task::spawn_blocking(move || {
            let _thread = thread;
            // Made here: the last one who holds an engine closes it, which blocks.
            let reader = Reader { handle: shared.handle()?, shared, steps: counted };
            guarded(|| read(&reader))
        });
        let read =
            async { reading.await.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string()))) };
        patient(patience, read, || steps.load(Relaxed)).await
    }
}
