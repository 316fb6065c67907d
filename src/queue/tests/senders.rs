//! Senders that are heard of: what moves the time at which an alert closes itself, what is written, and when.

use super::*;

