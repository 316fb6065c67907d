//! Tests against real components, as root. `tests/senders` installs those that the tests start themselves;
//! `tests/zabbix/up` and `tests/kannel/up` start a Zabbix and a Kannel and print the variables to set:
//!
//! ```sh
//! tests/senders
//! export "$(tests/zabbix/up)" "$(tests/kannel/up)"
//! cargo test --test real
//! tests/kannel/down; tests/zabbix/down
//! ```
//!
//! What is missing fails the tests that need it: a test that skips itself proves nothing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a harness that cannot go on panics, and the panic says where"
)]

mod bongsu_process;
mod capture;
mod daemon;
mod kannel_to_handset;
mod munin_lab;
mod munin_to_phone;
mod prometheus_gaps;
mod prometheus_lab;
mod prometheus_to_phone;
mod zabbix_lab;
mod zabbix_media_type;
mod zabbix_script;
mod zabbix_sources;
mod zabbix_to_phone;

use std::time::Duration;

/// How often a condition is asked for.
const POLL: Duration = Duration::from_millis(100);

/// Asks until there is an answer, and panics with `what` when there is none in time.
#[expect(clippy::disallowed_methods, reason = "real senders keep real time")]
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
