//! Work on its way to the writer thread, and what becomes of it.

use std::sync::Arc;

use super::{
    lanes::{Awaited, Lanes, MESSAGE_WRITES_MAX, Way},
    shared::Shared,
    work::{Done, Draft, Work},
};
use crate::store::{Lane, StoreError};

#[derive(Debug)]
pub(super) struct Handover {
    shared: Arc<Shared>,
    lanes: Arc<Lanes>,
}

impl Handover {
    pub(super) fn new(shared: Arc<Shared>, lanes: Arc<Lanes>) -> Self {
        Self { shared, lanes }
    }

    /// Takes nothing new; what is on its way is finished.
    pub(super) fn close(&self) {
        self.lanes.close();
    }

    async fn push(&self, way: impl Into<Way>, work: Work) -> Result<Awaited, StoreError> {
        self.shared.written(self.lanes.push(way, work)).await
    }

    async fn received(&self, mut awaited: Awaited) -> Result<Done, StoreError> {
        let interrupted = |_| Err(StoreError::Unavailable("the write was interrupted".to_owned()));
        let answer = &mut awaited.answer;
        self.shared.written(async { answer.await.unwrap_or_else(interrupted) }).await
    }

    /// What nobody waits for any more may still be made, and change what is found: it goes first.
    pub(super) async fn catch_up(&self) -> Result<(), StoreError> {
        if self.lanes.is_outwaited() {
            self.finish(Lane::Accept, Work::Alerts(Vec::new())).await?;
        }
        Ok(())
    }

    /// What became of these, message by message, each with its number of writes. Once one of them hangs or fails no other
    /// is waited for.
    pub(super) async fn write_all(
        &self,
        lane: Lane,
        mut drafts: Vec<Draft>,
    ) -> Vec<(usize, Result<Done, StoreError>)> {
        let (mut answers, mut failed) = (Vec::new(), None);
        while !drafts.is_empty() {
            let rest = drafts.split_off(drafts.len().min(MESSAGE_WRITES_MAX));
            let work = Work::Alerts(std::mem::replace(&mut drafts, rest));
            let count = work.writes();
            let pushed = match &failed {
                None => self.push(lane, work).await,
                Some(error) => Err(StoreError::clone(error)),
            };
            failed = failed.or(pushed.as_ref().err().cloned());
            answers.push((count, pushed));
        }
        let mut all = Vec::with_capacity(answers.len());
        for (count, pushed) in answers {
            let done = match (pushed, &failed) {
                (Ok(answer), None) => self.received(answer).await,
                (Ok(mut awaited), Some(error)) => {
                    awaited.answer.try_recv().unwrap_or_else(|_| Err(error.clone()))
                }
                (Err(error), _) => Err(error),
            };
            failed = failed.or(done.as_ref().err().cloned());
            all.push((count, done));
        }
        all
    }

    pub(super) async fn finish(&self, way: impl Into<Way>, work: Work) -> Result<Done, StoreError> {
        self.received(self.push(way, work).await?).await
    }
}
