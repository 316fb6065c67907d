//! Room for requests to one provider: whoever is graver goes first, and finds room though what is less grave waits for
//! answers.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::alert::Severity;

#[derive(Debug)]
pub(in crate::deliver) struct Gate {
    /// Kept free by each severity for the next one.
    step: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    free: usize,
    /// By severity, then in the order of their coming.
    waiting: BTreeMap<(Reverse<Severity>, u64), oneshot::Sender<Turn>>,
    came: u64,
}

/// The right to one request, until it is dropped.
#[derive(Debug)]
pub(in crate::deliver) struct Turn(Option<Arc<Gate>>);

impl Gate {
    /// Room for so many, of which each severity leaves `step` to what is graver.
    pub(in crate::deliver) fn new(room: usize, step: usize) -> Arc<Self> {
        let inside = Inside { free: room, waiting: BTreeMap::new(), came: 0 };
        Arc::new(Self { step, inside: Mutex::new(inside) })
    }

    /// Waits for room; whoever stops waiting gives up its turn.
    pub(in crate::deliver) async fn enter(self: &Arc<Self>, severity: Severity) -> Turn {
        let (sender, turn) = oneshot::channel();
        {
            let mut inside = self.inside();
            inside.came += 1;
            let place = (Reverse(severity), inside.came);
            inside.waiting.insert(place, sender);
        }
        self.let_in();
        // It is never closed: the gate outlives whoever waits at it.
        turn.await.unwrap_or(Turn(None))
    }

    /// Lets in as many as there is room for. Those who have stopped waiting are passed over.
    fn let_in(self: &Arc<Self>) {
        loop {
            let mut inside = self.inside();
            let Some(next) = inside.waiting.first_entry() else { return };
            let Reverse(severity) = next.key().0;
            let kept_free = self.step * severity.graver_ones();
            if next.get().is_closed() {
                next.remove();
                continue;
            }
            if inside.free <= kept_free {
                return;
            }
            inside.free -= 1;
            let turn = inside.waiting.pop_first().map(|(_, turn)| turn);
            drop(inside);
            // Outside the lock: one that nobody takes any more is dropped here, which gives its room back.
            if let Some(turn) = turn {
                drop(turn.send(Turn(Some(Arc::clone(self)))));
            }
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Nothing panics while it is held.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(gate) = self.0.take() {
            gate.inside().free += 1;
            gate.let_in();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Poll};

    use super::*;

    async fn polled<T>(future: &mut std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
        std::future::poll_fn(|context| {
            Poll::Ready(match future.as_mut().poll(context) {
                Poll::Ready(value) => Some(value),
                Poll::Pending => None,
            })
        })
        .await
    }

    #[tokio::test]
    async fn the_gravest_goes_first_whoever_came_before() {
        let gate = Gate::new(1, 0);
        let turn = gate.enter(Severity::Information).await;
        let mut average = pin!(gate.enter(Severity::Average));
        assert!(polled(&mut average).await.is_none());
        let mut disaster = pin!(gate.enter(Severity::Disaster));
        assert!(polled(&mut disaster).await.is_none());
        drop(turn);
        assert!(polled(&mut average).await.is_none());
        drop(polled(&mut disaster).await.expect("it has the room"));
        assert!(polled(&mut average).await.is_some());
    }

    #[tokio::test]
    async fn what_is_less_grave_leaves_room_for_what_is_graver() {
        let gate = Gate::new(6, 1);
        let mut turns = Vec::new();
        for severity in Severity::ALL {
            turns.push(gate.enter(severity).await);
            let mut one_more = pin!(gate.enter(severity));
            assert!(polled(&mut one_more).await.is_none(), "{severity}");
        }
    }

    #[tokio::test]
    async fn whoever_stops_waiting_keeps_no_room() {
        let gate = Gate::new(1, 0);
        let turn = gate.enter(Severity::High).await;
        {
            let mut gone = pin!(gate.enter(Severity::High));
            assert!(polled(&mut gone).await.is_none());
        }
        drop(turn);
        let mut waiting = pin!(gate.enter(Severity::High));
        let turn = polled(&mut waiting).await.expect("there is room");
        {
            // It got its turn and did not look.
            let mut gone = pin!(gate.enter(Severity::High));
            assert!(polled(&mut gone).await.is_none());
            drop(turn);
        }
        assert_eq!(gate.inside().free, 1);
    }
}
