//! Tests against real components. `tests/zabbix/up` starts them and prints the variable to set:
//!
//! ```sh
//! export "$(tests/zabbix/up)"
//! cargo test --test real
//! tests/zabbix/down
//! ```
//!
//! Without that variable every test here fails: a test that skips itself proves nothing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a harness that cannot go on panics, and the panic says where"
)]

mod bongsu_process;
mod capture;
mod zabbix_lab;
mod zabbix_media_type;
mod zabbix_script;
mod zabbix_sources;
mod zabbix_to_phone;

use std::time::Duration;

/// How often a condition is asked for.
const POLL: Duration = Duration::from_millis(100);

/// Asks until there is an answer, and panics with `what` when there is none in time.
#[expect(clippy::disallowed_methods, reason = "a real Zabbix keeps real time")]
async fn until<T>(what: &str, within: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(waited < within, "not within {within:?}: {what}");
        tokio::time::sleep(POLL).await;
        waited += POLL;
    }
}
