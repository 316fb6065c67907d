//! stub
use super::Reading;
use crate::config::Integration;
use jiff::Timestamp;
/// stub
pub fn read(
    _integration: &Integration,
    _content_type: Option<&str>,
    _body: &[u8],
    _now: Timestamp,
) -> Reading {
    Reading::Events(vec![])
}
