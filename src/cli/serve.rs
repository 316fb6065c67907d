//! `bongsu serve`

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Failure;
use crate::{app::App, clock::SystemClock, config::Config, telemetry};

/// Runs until SIGTERM or SIGINT; a second signal ends at once.
pub(super) fn run(config: Config) -> Result<(), Failure> {
    telemetry::notice_panics();
    super::block_on(async {
        let stop = CancellationToken::new();
        let watch = stop_on_signal(stop.clone())?;
        let run = async {
            let app = App::bind(config, SystemClock::start(), stop).await?;
            info!("listening on http://{}", app.address());
            app.finish().await
        };
        tokio::select! {
            ended = run => ended?,
            () = watch => return Err("stopped at once by a second signal".into()),
        }
        info!("stopped");
        Ok(())
    })
}

/// Cancels `stop` at the first signal; the future ends at the second.
pub(super) fn stop_on_signal(stop: CancellationToken) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        for number in 1..=2 {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if number == 1 {
                warn!("stopping: finishing what is under way; a second signal stops at once");
                stop.cancel();
            }
        }
    })
}
