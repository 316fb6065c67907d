//! How long the disk is waited for.

use std::time::Duration;

use crate::store::StoreError;

/// What gets no further for this long hangs: whoever waits for it is told, and the sender answered. Below the 30 s after
/// which Zabbix gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `progress` has not changed for as long as `patience`.
pub(super) async fn patient<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
    progress: impl Fn() -> u64,
) -> Result<T, StoreError> {
    tokio::pin!(work);
    loop {
        let before = progress();
        match tokio::time::timeout(patience, &mut work).await {
            Ok(done) => return done,
            Err(_) if progress() == before => {
                let seconds = patience.as_secs();
                return Err(StoreError::Unavailable(format!("the disk has not answered for {seconds} s")));
            }
            Err(_) => {}
        }
    }
}
