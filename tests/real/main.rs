//! Tests against real components. `tests/zabbix/up` and `tests/kannel/up` start them and print the variables to set:
//!
//! ```sh
//! export "$(tests/zabbix/up)" "$(tests/kannel/up)"
//! cargo test --test real
//! tests/kannel/down; tests/zabbix/down
//! ```
//!
//! Without these variables the tests fail: a test that skips itself proves nothing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a harness that cannot go on panics, and the panic says where"
)]

mod bongsu_process;
mod capture;
mod kannel_to_handset;
mod zabbix_lab;
mod zabbix_media_type;
mod zabbix_script;
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
