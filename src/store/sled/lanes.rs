//! The bounded queues in front of the writer thread, and how a group is drawn from them.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::{
    OwnedSemaphorePermit, Semaphore,
    oneshot::{self, error::TryRecvError},
};

use super::work::{Answer, Work};
use crate::store::{GROUP_WRITES_MAX, Lane, StoreError};

/// Most writes of delivering in a group that accepting also wants to be in: this many when hardly
/// anything waits to be accepted, fewer the more does, but always some. Accepting has priority,
/// delivering never starves. An alert is written once to accept it and twice to deliver it, so in a
/// steady flow delivering needs the larger part.
const DELIVER_SHARE_WRITES_MAX: usize = GROUP_WRITES_MAX / 4;
pub(super) const DELIVER_SHARE_WRITES_MIN: usize = GROUP_WRITES_MAX / 64;

/// Each sender that waits to be accepted makes the share smaller by this many writes: twenty of
/// them are a flood.
const DELIVER_YIELDS_WRITES: usize = 6;

/// Most writes in one message; a larger commit travels in several. Fits in the smallest share.
pub(super) const MESSAGE_WRITES_MAX: usize = DELIVER_SHARE_WRITES_MIN;

/// A round and the one whose place it takes come one after the other, ahead of everything else.
const _: () = assert!(MESSAGE_WRITES_MAX.is_multiple_of(2), "neither is written without the other");

const LANE_WRITES_MAX: usize = 4 * GROUP_WRITES_MAX;

/// What is delivered waits for so long for the next event of a sender who was answered a moment ago: both are in one group
/// then. With one sender that posts one event after the other it halves the number of groups.
const GATHERING: Duration = Duration::from_micros(250);

/// Which queue work waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Of(Lane),
    /// What is not needed any more is removed. It waits for nobody, and nobody for it: a group takes one message.
    Tidy,
}

impl From<Lane> for Way {
    fn from(lane: Lane) -> Self {
        Self::Of(lane)
    }
}

/// Work on its way to the writer thread. Dropped unanswered, it tells its sender so.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) work: Work,
    pub(super) reply: Reply,
}

/// Where the answer goes. Holds its room in the lane until then.
#[derive(Debug)]
pub(super) struct Reply {
    answer: oneshot::Sender<Answer>,
    _room: OwnedSemaphorePermit,
}

/// An answer that somebody waits for.
#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) answer: oneshot::Receiver<Answer>,
    is_outwaited: Arc<AtomicBool>,
}

#[derive(Debug)]
pub(super) enum Next {
    Group(Vec<Message>),
    Idle,
    /// Closed, and everything that was accepted before has been handed out.
    Closed,
}

#[derive(Debug)]
pub(super) struct Lanes {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    accept_room: Arc<Semaphore>,
    deliver_room: Arc<Semaphore>,
    tidy_room: Arc<Semaphore>,
    is_outwaited: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Waiting {
    accept: VecDeque<Message>,
    deliver: VecDeque<Message>,
    tidy: VecDeque<Message>,
    /// How many senders wait to be accepted, as far as can be told from this group and the last few.
    senders: usize,
    closed: bool,
}

impl Reply {
    pub(super) fn send(self, answer: Answer) {
        // The caller may have stopped waiting; what was written stays written.
        self.answer.send(answer).ok();
    }
}

/// What it was to answer may be made all the same.
impl Drop for Awaited {
    fn drop(&mut self) {
        let is_unanswered = matches!(self.answer.try_recv(), Err(TryRecvError::Empty));
        self.answer.close();
        if is_unanswered {
            self.is_outwaited.store(true, Relaxed);
        }
    }
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            wake: Condvar::new(),
            accept_room: Arc::new(Semaphore::new(LANE_WRITES_MAX)),
            deliver_room: Arc::new(Semaphore::new(LANE_WRITES_MAX)),
            tidy_room: Arc::new(Semaphore::new(LANE_WRITES_MAX)),
            is_outwaited: Arc::default(),
        }
    }

    /// Whether somebody has given up waiting for what may still be made.
    pub(super) fn is_outwaited(&self) -> bool {
        self.is_outwaited.load(Relaxed)
    }

    /// Hands work to the writer thread, once the lane has room for it.
    pub(super) async fn push(&self, way: impl Into<Way>, work: Work) -> Result<Awaited, StoreError> {
        let way = way.into();
        let weight = work.writes();
        debug_assert!(weight <= MESSAGE_WRITES_MAX, "the sender splits what is larger");
        let room = match way {
            Way::Of(Lane::Accept) => &self.accept_room,
            Way::Of(Lane::Deliver) => &self.deliver_room,
            Way::Tidy => &self.tidy_room,
        };
        let permits = u32::try_from(weight).unwrap_or(u32::MAX);
        let room = Arc::clone(room).acquire_many_owned(permits).await.map_err(|_| closed())?;

        let (answer, answered) = oneshot::channel();
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(closed());
        }
        let message = Message { work, reply: Reply { answer, _room: room } };
        match way {
            Way::Of(Lane::Accept) => waiting.accept.push_back(message),
            Way::Of(Lane::Deliver) => waiting.deliver.push_back(message),
            Way::Tidy => waiting.tidy.push_back(message),
        }
        drop(waiting);
        self.wake.notify_one();
        Ok(Awaited { answer: answered, is_outwaited: Arc::clone(&self.is_outwaited) })
    }

    /// Waits up to `patience` for a group of at most [`GROUP_WRITES_MAX`] writes.
    pub(super) fn take_group(&self, patience: Duration) -> Next {
        let idle = |waiting: &mut Waiting| {
            waiting.accept.is_empty()
                && waiting.deliver.is_empty()
                && waiting.tidy.is_empty()
                && !waiting.closed
        };
        let waited = self.wake.wait_timeout_while(self.waiting(), patience, idle);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if waiting.expects_a_sender() {
            let gathered =
                self.wake.wait_timeout_while(waiting, GATHERING, |waiting| waiting.expects_a_sender());
            (waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.accept.is_empty() {
            // All that it was about is made, or is not made any more.
            self.is_outwaited.store(false, Relaxed);
        }
        let group = waiting.draw();
        match (group.is_empty(), waiting.closed) {
            (false, _) => Next::Group(group),
            (true, true) => Next::Closed,
            (true, false) => Next::Idle,
        }
    }

    /// Takes nothing new; what is inside is still handed out.
    pub(super) fn close(&self) {
        self.accept_room.close();
        self.deliver_room.close();
        self.tidy_room.close();
        self.waiting().closed = true;
        self.wake.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it is held; if it ever does, the queues are still whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// One was answered a moment ago and has not come again.
    fn expects_a_sender(&self) -> bool {
        0 < self.senders && self.accept.is_empty() && !self.deliver.is_empty() && !self.closed
    }

    /// Accepting first. While both wait, delivering gets its share and no more; alone it may
    /// fill the group.
    fn draw(&mut self) -> Vec<Message> {
        // Between two groups all senders may hold an answer that they have not read yet.
        self.senders = self.accept.len().max(self.senders * 3 / 4);
        let deliver_max = match self.senders {
            0 => GROUP_WRITES_MAX,
            senders => DELIVER_SHARE_WRITES_MAX
                .saturating_sub(senders * DELIVER_YIELDS_WRITES)
                .max(DELIVER_SHARE_WRITES_MIN),
        };
        // Dispatch was told that it hangs, and plans anew. A sender that has hung up may not say it again.
        self.deliver.retain(|message| !message.reply.answer.is_closed());
        let (tidying, tidy_writes) = draw_up_to(&mut self.tidy, MESSAGE_WRITES_MAX);
        let (delivering, deliver_writes) =
            draw_up_to(&mut self.deliver, deliver_max.min(GROUP_WRITES_MAX - tidy_writes));
        let (mut group, _) = draw_up_to(&mut self.accept, GROUP_WRITES_MAX - deliver_writes - tidy_writes);
        group.extend(delivering);
        group.extend(tidying);
        group
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it was closed".to_owned())
}

fn draw_up_to(queue: &mut VecDeque<Message>, writes_max: usize) -> (Vec<Message>, usize) {
    let mut writes = 0;
    let fitting = queue.iter().take_while(|message| {
        writes += message.work.writes();
        writes <= writes_max
    });
    let count = fitting.count();
    let drawn: Vec<Message> = queue.drain(..count).collect();
    let writes = drawn.iter().map(|message| message.work.writes()).sum();
    (drawn, writes)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn waiting_with(accept: usize, deliver: usize, weight: usize) -> (Lanes, Vec<Awaited>) {
        let (lanes, mut callers) = (Lanes::new(), Vec::new());
        for (lane, count) in [(Lane::Accept, accept), (Lane::Deliver, deliver)] {
            for _ in 0..count {
                callers.push(lanes.push(lane, Work::Alerts(Work::drafts_for_tests(weight))).await.unwrap());
            }
        }
        (lanes, callers)
    }

    fn weights(group: &[Message]) -> usize {
        group.iter().map(|message| message.work.writes()).sum()
    }

    #[tokio::test]
    async fn accepting_goes_first_and_delivering_keeps_its_share() {
        for (accept, deliver, weight, left_accept, left_deliver) in [
            (1, 400, 1, 0, 400 - 122),         // a steady flow leaves delivering the larger part
            (10, 400, 1, 0, 400 - 68),         // more accepts do not wait for as large a group
            (600, 400, 1, 600 - 504, 400 - 8), // a flood of accepts does not starve delivering
            (0, 600, 1, 0, 600 - GROUP_WRITES_MAX), // alone, delivering fills the group
            (600, 0, 1, 600 - GROUP_WRITES_MAX, 0), //
            (80, 8, MESSAGE_WRITES_MAX, 17, 7), // the largest message of either lane fits
        ] {
            let (lanes, _callers) = waiting_with(accept, deliver, weight).await;
            let Next::Group(group) = lanes.take_group(Duration::ZERO) else { panic!("a group") };
            assert!(weights(&group) <= GROUP_WRITES_MAX);
            let waiting = lanes.waiting();
            assert_eq!((waiting.accept.len(), waiting.deliver.len()), (left_accept, left_deliver));
        }
    }

    #[tokio::test]
    async fn delivering_fills_the_group_only_once_no_sender_has_come_for_a_while() {
        let (lanes, _callers) = waiting_with(64, 2_000, 1).await;
        let mut shares = Vec::new();
        for _ in 0..14 {
            let before = lanes.waiting().deliver.len();
            let Next::Group(_) = lanes.take_group(Duration::ZERO) else { panic!("a group") };
            shares.push(before - lanes.waiting().deliver.len());
        }
        assert_eq!(shares, [8, 8, 8, 8, 8, 38, 62, 80, 92, 104, 110, 116, 122, GROUP_WRITES_MAX]);
    }

    #[tokio::test]
    async fn delivering_waits_for_a_sender_who_was_just_answered_and_for_nobody_else() {
        let (lanes, _callers) = waiting_with(1, 0, 1).await;
        assert!(!lanes.waiting().expects_a_sender());
        drop(lanes.take_group(Duration::ZERO));
        assert!(!lanes.waiting().expects_a_sender(), "there is nothing to deliver");
        let deliver = || lanes.push(Lane::Deliver, Work::Alerts(Work::drafts_for_tests(1)));
        let _first = deliver().await.unwrap();
        assert!(lanes.waiting().expects_a_sender());
        drop(lanes.take_group(Duration::ZERO));
        let _second = deliver().await.unwrap();
        assert!(!lanes.waiting().expects_a_sender(), "nobody came");
    }

    #[tokio::test]
    async fn removing_holds_up_nobody_and_goes_on_under_a_flood() {
        let (lanes, mut callers) = waiting_with(600, 600, 1).await;
        for _ in 0..LANE_WRITES_MAX / MESSAGE_WRITES_MAX {
            callers.push(lanes.push(Way::Tidy, Work::Alerts(Work::drafts_for_tests(8))).await.unwrap());
        }
        let Next::Group(group) = lanes.take_group(Duration::ZERO) else { panic!("a group") };
        assert_eq!(weights(&group), GROUP_WRITES_MAX);
        let waiting = lanes.waiting();
        assert_eq!(
            (waiting.accept.len(), waiting.deliver.len(), waiting.tidy.len()),
            (600 - 496, 600 - 8, LANE_WRITES_MAX / MESSAGE_WRITES_MAX - 1)
        );
    }

    #[tokio::test]
    async fn a_full_lane_makes_the_sender_wait_and_the_other_lane_not() {
        let per_message = MESSAGE_WRITES_MAX;
        let (lanes, _callers) = waiting_with(LANE_WRITES_MAX / per_message, 0, per_message).await;
        let mut late = Box::pin(lanes.push(Lane::Accept, Work::Alerts(Work::drafts_for_tests(1))));
        assert!(futures_poll(&mut late).await.is_none());
        assert!(lanes.push(Lane::Deliver, Work::Alerts(Work::drafts_for_tests(1))).await.is_ok());
        drop(lanes.take_group(Duration::ZERO));
        assert!(late.await.is_ok());
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_made_if_a_sender_said_it_and_not_if_dispatch_did() {
        let (lanes, callers) = waiting_with(2, 3, 1).await;
        drop(callers);
        let Next::Group(group) = lanes.take_group(Duration::ZERO) else { panic!("a group") };
        assert_eq!(weights(&group), 2);
    }

    #[tokio::test]
    async fn closing_hands_out_what_is_inside_and_takes_nothing_new() {
        let (lanes, _callers) = waiting_with(1, 0, 1).await;
        lanes.close();
        assert!(lanes.push(Lane::Accept, Work::Alerts(Work::drafts_for_tests(1))).await.is_err());
        assert!(matches!(lanes.take_group(Duration::ZERO), Next::Group(_)));
        assert!(matches!(lanes.take_group(Duration::ZERO), Next::Closed));
    }

    /// Polls once.
    async fn futures_poll<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
        std::future::poll_fn(|context| {
            let polled = std::pin::Pin::new(&mut *future).poll(context);
            std::task::Poll::Ready(match polled {
                std::task::Poll::Ready(value) => Some(value),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
