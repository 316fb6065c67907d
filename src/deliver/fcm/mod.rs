//! stub
/// stub
pub const REQUEST_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(15);
