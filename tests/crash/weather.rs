//! FCM and the SMS company fail and recover at random, whatever the server is doing.

use std::sync::Arc;

use bongsu::{
    clock::{Clock, SystemClock},
    sandbox::{Breakage, Sandbox},
};
use jiff::SignedDuration;
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::dice::Dice;

/// How long one kind of weather lasts, in milliseconds.
const LASTS_MS: (u64, u64) = (30, 400);

/// A changing sandbox; it stays as it is when this ends.
pub(crate) struct Weather {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Weather {
    pub(crate) fn begin(sandbox: &Sandbox, dice: Dice, clock: &Arc<SystemClock>) -> Self {
        let stop = CancellationToken::new();
        let changes = change(sandbox.clone(), dice, Arc::clone(clock));
        let until = stop.clone();
        let task = TaskTracker::new().spawn(async move {
            tokio::select! {
                () = changes => {}
                () = until.cancelled() => {}
            }
        });
        Self { task, stop }
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

async fn change(sandbox: Sandbox, mut dice: Dice, clock: Arc<SystemClock>) {
    let bad = |dice: &mut Dice| {
        dice.weighted(&[(2, Breakage::Unavailable), (1, Breakage::CutOff), (1, Breakage::Hanging)])
    };
    loop {
        if dice.percent(55) {
            sandbox.fcm().repair();
        } else {
            sandbox.fcm().break_with(bad(&mut dice));
        }
        if dice.percent(85) {
            sandbox.sms().repair();
        } else {
            sandbox.sms().break_with(bad(&mut dice));
        }
        let lasts = dice.between(LASTS_MS.0, LASTS_MS.1);
        clock.sleep(SignedDuration::from_millis(lasts.cast_signed())).await;
    }
}

/// Everything works from now on.
pub(crate) fn clear_up(sandbox: &Sandbox) {
    sandbox.fcm().repair();
    sandbox.sms().repair();
}
