//! An event that cannot be decided when it comes: it fires after the end and may be a late copy, or it is the end of
//! a problem that has not come yet.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Event;

/// From the arrival of an end on, what fires with nothing new to say may be a late copy for so long.
pub const DOUBT_LASTS: SignedDuration = SignedDuration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptEvent {
    pub event: Event,
    pub arrived: Timestamp,
}
