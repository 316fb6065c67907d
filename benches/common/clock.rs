//! Time as a bench needs it: the machine's.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Now, for durations within this process.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Microseconds since 1970, for durations between processes of one machine.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(crate) fn unix_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(since.as_micros()).expect("a year before 500,000")
}
