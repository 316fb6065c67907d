//! 1. RECEIVE: a body becomes events. Knows payloads, nothing of storage.

pub mod generic;
pub mod zabbix;

use jiff::Timestamp;

use crate::{
    alert::Event,
    config::{Integration, IntegrationKind},
};

/// What a body turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// One result is answered per event, in order.
    Events(Vec<Event>),
    /// Nobody can make sense of it; it is kept and told as such.
    Unreadable {
        /// What is wrong and where, for people.
        reason: String,
    },
}

/// Reads a body by the integration's rules. Never panics, never trusts a Content-Type.
pub fn read(integration: &Integration, content_type: Option<&str>, body: &[u8], now: Timestamp) -> Reading {
    match integration.kind {
        IntegrationKind::Zabbix => zabbix::read(integration, body, now),
        IntegrationKind::Generic => generic::read(integration, content_type, body, now),
    }
}
