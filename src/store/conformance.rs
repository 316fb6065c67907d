//! One suite for every engine.
pub(crate) mod samples;
