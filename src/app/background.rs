//! The tasks beside the server and dispatch: all of them, by name.

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll};

use tokio::task::{JoinError, JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::error;

use super::janitor::Janitor;
use crate::{
    deliver::SmsTransport,
    watch::{Balances, watch_drift},
    web::Context,
};

pub(super) struct Background(Vec<Running>);

struct Running {
    name: &'static str,
    /// Without it people would not hear of something, so the program stops when it ends.
    is_vital: bool,
    handle: JoinHandle<()>,
}

impl Background {
    /// Starts all of them, until `stop`; the watch over heartbeats until `last`, when nothing more comes in.
    pub(super) fn start(
        context: &Context,
        gateways: Vec<Arc<dyn SmsTransport>>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
        last: &CancellationToken,
    ) -> Self {
        let clock = || context.clock.clone();
        let balances = Balances { gateways, queue: context.queue.clone(), metrics: context.metrics.clone() };
        let drift = watch_drift(context.metrics.clone(), clock(), stop.clone());
        let janitor = Janitor {
            store: context.store.clone(),
            queue: context.queue.clone(),
            clock: clock(),
            keep: context.config.store.keep,
        };
        let heartbeats = context.heartbeats.clone().run(last.clone());
        let balances = balances.watch(clock(), stop.clone());
        let running = |name, is_vital, handle| Running { name, is_vital, handle };
        Self(vec![
            running("watch", true, tasks.spawn(heartbeats)),
            running("balances", false, tasks.spawn(balances)),
            running("drift", false, tasks.spawn(drift)),
            running("janitor", false, tasks.spawn(janitor.run(stop.clone()))),
        ])
    }

    /// Completes when a vital one has ended: before it is told to, only by a panic.
    pub(super) async fn ended(&mut self) -> Result<(), JoinError> {
        poll_fn(|context| {
            let vital = self.0.iter_mut().filter(|task| task.is_vital);
            let mut ended = vital.map(|task| Pin::new(&mut task.handle).poll(context));
            ended.find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await
    }

    /// Waits for the vital ones, which were told to stop.
    pub(super) async fn finish(self) {
        for Running { name, handle, .. } in self.0.into_iter().filter(|task| task.is_vital) {
            if !handle.is_finished()
                && let Err(error) = handle.await
            {
                error!(error = %error, "the {name} failed: {error}");
            }
        }
    }
}
