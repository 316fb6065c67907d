//! What a start reads: a store that is not available is not taken for an empty one.

use jiff::SignedDuration;
use tracing::warn;

use super::StoreError;
use crate::clock::Clock;

const TRY_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(1);

/// Reads until the store is available; it may say that this is damaged.
pub async fn when_available<T, F: Future<Output = Result<T, StoreError>>>(
    clock: &dyn Clock,
    what: &str,
    read: impl Fn() -> F,
) -> Result<T, StoreError> {
    loop {
        match read().await {
            Err(error @ StoreError::Unavailable(_)) => {
                let seconds = TRY_AGAIN_AFTER.as_secs();
                warn!(error = %error, "could not read {what}, trying again in {seconds} s: {error}");
                clock.sleep(TRY_AGAIN_AFTER).await;
            }
            read => return read,
        }
    }
}
