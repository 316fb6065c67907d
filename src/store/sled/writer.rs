//! The one thread that writes: a group, one batch, one sync, then the answers.

use std::{
    collections::HashSet,
    io,
    ops::ControlFlow,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use ::sled::{Batch, Error};
use rustix::io::Errno;

use super::{
    group::{Effects, Group},
    handle::{Handle, failure, guarded, words_of},
    lanes::{Lanes, Message, Next},
    open::{self, OpenFailure},
    shared::Shared,
    work::{Answer, Work},
};
use crate::{
    alert::{AlertId, Epoch},
    store::{StoreError, damage},
};

/// How often a group on which the engine fails is written, before the store goes on without the rest of it.
const TRIES_MAX: u32 = 4;

/// How often the free space is looked at and the progress noted.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    path: PathBuf,
    shared: Arc<Shared>,
    lanes: Arc<Lanes>,
    handle: Option<Arc<Handle>>,
    /// Since it was open first, nothing else may be in its place.
    was_open: bool,
    /// The last group that survives a power cut, of the engine that failed.
    left_at: Option<u64>,
    /// The group on which it failed.
    unfinished: Option<Unfinished>,
    /// Of which such a group may be there in part.
    in_doubt: HashSet<AlertId>,
    /// How long to wait before opening again after a failure.
    pause: Duration,
    open_at: Instant,
    look_at: Instant,
}

/// A group that is being written.
struct Unfinished {
    batch: Batch,
    effects: Effects,
    ids: HashSet<AlertId>,
    /// How often it was written without success.
    tries: u32,
}

impl Writer {
    pub(super) fn new(path: PathBuf, shared: Arc<Shared>, lanes: Arc<Lanes>, pause: Duration) -> Self {
        let now = monotonic();
        Self {
            path,
            shared,
            lanes,
            handle: None,
            was_open: false,
            left_at: None,
            unfinished: None,
            in_doubt: HashSet::new(),
            pause,
            open_at: now,
            look_at: now,
        }
    }

    /// Opens the store, says what came of that, and works until the lanes are closed and empty.
    pub(super) fn run(mut self, opened: &mpsc::Sender<Result<(), OpenFailure>>) {
        // Nobody waits for it any more if it took too long.
        opened.send(self.open()).ok();
        let mut tries_left = TRIES_MAX;
        loop {
            match panic::catch_unwind(AssertUnwindSafe(|| self.step())) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) if self.is_whole() || tries_left == 0 => break,
                // The next start is to find it whole.
                Ok(ControlFlow::Break(())) => {
                    tries_left -= 1;
                    self.fail("it is not whole yet");
                    thread::sleep(self.pause);
                    self.reopen();
                }
                // Those who wait for an answer learn of it: the answers were dropped unsent.
                Err(panic) => self.fail(&words_of(&*panic)),
            }
        }
        self.note_progress();
        self.shared.closed("it was closed");
    }

    fn step(&mut self) -> ControlFlow<()> {
        let now = monotonic();
        if self.look_at <= now {
            self.look_at_disk();
            self.note_progress();
        }
        if self.handle.is_none() && self.open_at <= now {
            self.reopen();
        }
        let patience = if self.handle.is_none() { self.pause.min(LOOK_EVERY) } else { LOOK_EVERY };
        match self.lanes.take_group(patience) {
            Next::Group(messages) => self.answer(messages),
            Next::Idle => {}
            Next::Closed => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    fn answer(&mut self, messages: Vec<Message>) {
        let Some(handle) = self.handle.clone() else {
            let problem = self.shared.handle().err().unwrap_or_else(|| unavailable("it is being reopened"));
            return messages.into_iter().for_each(|message| message.reply.send(Err(problem.clone())));
        };
        let (work, replies): (Vec<_>, Vec<_>) =
            messages.into_iter().map(|message| (message.work, message.reply)).unzip();
        let (shared, unfinished) = (&self.shared, &mut self.unfinished);
        let committed = panic::catch_unwind(AssertUnwindSafe(|| commit(&handle, shared, unfinished, work)));
        let committed = match committed {
            Ok(committed) => committed.map_err(|error| error.to_string()),
            Err(panic) => Err(words_of(&*panic)),
        };
        match committed {
            Ok(answers) => replies.into_iter().zip(answers).for_each(|(reply, answer)| reply.send(answer)),
            // Closed before anybody is answered: who asks next must not find an engine that failed.
            Err(problem) => {
                drop(handle);
                self.fail(&problem);
                for reply in replies {
                    reply.send(Err(unavailable(&problem)));
                }
            }
        }
    }

    /// A handle that failed once cannot be trusted: sled refuses every later write on it.
    fn fail(&mut self, problem: &str) {
        tracing::error!(problem, path = %self.path.display(), "the store failed, it is opened again");
        self.shared.closed(problem);
        if let Some(handle) = self.handle.take() {
            self.left_at = Some(handle.progress().synced);
        }
        self.open_at = monotonic() + self.pause;
    }

    fn is_whole(&self) -> bool {
        self.unfinished.is_none() && self.in_doubt.is_empty()
    }

    fn open(&mut self) -> Result<(), OpenFailure> {
        let there = if self.was_open { open::is_there(&self.path) } else { Ok(()) };
        let opened = there.and_then(|()| open::open(&self.path)).map(Arc::new).and_then(|handle| {
            // What fails here is a read, which may go well the next time.
            let taken_up = self.take_up(&handle);
            taken_up.map(|()| handle).map_err(|problem| {
                tracing::error!(%problem, "could not read what is due, or write what the engine failed on");
                io::Error::from(Errno::IO).into()
            })
        });
        match &opened {
            Ok(handle) => {
                (self.handle, self.was_open) = (Some(Arc::clone(handle)), true);
                self.look_at_disk();
            }
            Err(cause) => {
                self.shared.closed(&format!("could not open it: {cause}"));
                self.open_at = monotonic() + self.pause;
            }
        }
        opened.map(drop)
    }

    /// Goes on where the engine failed, or begins with what is there.
    fn take_up(&mut self, handle: &Arc<Handle>) -> Result<(), StoreError> {
        let there = handle.progress().synced;
        if self.left_at.is_some_and(|left_at| there < left_at) {
            return Err(unavailable("groups of writes that were safe on the disk are not in it"));
        }
        let unfinished = self.unfinished.take();
        // With that group, or without.
        let most = u64::from(unfinished.is_some());
        let left_at = self.left_at.take().filter(|_| self.in_doubt.is_empty());
        let goes_on = left_at.is_some_and(|left_at| (left_at..=left_at + most).contains(&there));
        match unfinished {
            Some(unfinished) if goes_on => return self.write_again(handle, there, unfinished),
            None if goes_on => self.shared.opened_again(Arc::clone(handle)),
            unfinished => {
                self.in_doubt.extend(unfinished.into_iter().flat_map(|unfinished| unfinished.ids));
                if guarded(|| self.shared.opened(Arc::clone(handle), &self.in_doubt))? {
                    self.in_doubt.clear();
                }
            }
        }
        Ok(())
    }

    /// sled keeps what it had written of a group when it failed, so that is written once more: whoever waited for it was told
    /// that nobody knows whether it was written. Until then nothing is read.
    fn write_again(
        &mut self,
        handle: &Arc<Handle>,
        there: u64,
        mut unfinished: Unfinished,
    ) -> Result<(), StoreError> {
        let written = guarded(|| write(handle, &self.shared, &unfinished).map_err(|error| failure(&error)));
        let Err(problem) = written else {
            self.shared.opened_again(Arc::clone(handle));
            return Ok(());
        };
        unfinished.tries += 1;
        if unfinished.tries < TRIES_MAX {
            (self.left_at, self.unfinished) = (Some(there), Some(unfinished));
        } else {
            tracing::error!(%problem, "what was being written when the store failed is left as it is");
            self.in_doubt.extend(unfinished.ids);
        }
        Err(problem)
    }

    fn reopen(&mut self) {
        let path = self.path.clone();
        match self.open() {
            Ok(()) => tracing::info!(path = %path.display(), "the store is open again"),
            Err(cause) => {
                tracing::error!(problem = %cause, path = %path.display(), "could not open the store again");
            }
        }
    }

    fn note_progress(&self) {
        let noted = self.handle.as_ref().map_or(Ok(()), |handle| handle.progress().note());
        if let Err(error) = noted {
            tracing::warn!(%error, path = %self.path.display(), "could not note the progress of the store");
        }
    }

    fn look_at_disk(&mut self) {
        self.look_at = monotonic() + LOOK_EVERY;
        match rustix::fs::statvfs(&self.path) {
            Ok(space) => self.shared.set_free_bytes(space.f_bavail.saturating_mul(space.f_frsize)),
            Err(error) => tracing::warn!(%error, "could not read the free space of the store"),
        }
        match self.handle.as_ref().map_or(Ok(true), |handle| handle.is_in(&self.path)) {
            Ok(is_there) => self.shared.set_moved(!is_there),
            Err(error) => tracing::warn!(%error, "could not look for the folder of the store"),
        }
    }
}

fn commit(
    handle: &Handle,
    shared: &Shared,
    unfinished: &mut Option<Unfinished>,
    work: Vec<Work>,
) -> Result<Vec<Answer>, Error> {
    // What takes the lead is a group of its number, which no earlier lead can have had.
    let mut group =
        Group::new(handle.db(), shared.epoch(), Epoch(handle.progress().synced.max(shared.epoch().0) + 1));
    let add = |work| match group.add(work) {
        // It concerns nobody else.
        Err(error @ Error::Corruption { .. }) => Ok(Err(failure(&error))),
        done => done.map(Ok),
    };
    let answers = work.into_iter().map(add).collect::<Result<Vec<_>, _>>()?;
    let Group { batch, mut effects, .. } = group;
    for key in &effects.unpaid {
        shared.damage.note(damage::CHARGE, key.escape_ascii(), "the page where it would lie does not read");
    }
    // Without a write there is nothing to sync: what the checks have read is of earlier groups.
    if effects.writes {
        let ids = std::mem::take(&mut effects.touched);
        let group = unfinished.insert(Unfinished { batch, effects, ids, tries: 1 });
        write(handle, shared, group)?;
        *unfinished = None;
    }
    Ok(answers)
}

fn write(handle: &Handle, shared: &Shared, group: &Unfinished) -> Result<(), Error> {
    shared.begin_group(group.ids.clone());
    #[cfg(test)]
    shared.run_into_fault(handle)?;
    handle.apply(group.batch.clone())?;
    shared.synced(&group.effects);
    Ok(())
}

fn unavailable(problem: &str) -> StoreError {
    StoreError::Unavailable(problem.to_owned())
}

/// For pauses within this thread, which has no executor to ask the clock with.
#[expect(
    clippy::disallowed_methods,
    reason = "paces the writer thread; no decision about an alert rests on it"
)]
fn monotonic() -> Instant {
    Instant::now()
}
