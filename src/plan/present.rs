//! What goes into planning: the alert, the instant, and what holds at it.

use jiff::{SignedDuration, Timestamp};

use super::{Budgets, DeviceBook, Rules};
use crate::{
    alert::{Alert, AlertState, DeviceId, Kind},
    roster::Person,
};

/// The instant of planning and what holds at it.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    pub now: Timestamp,
    /// When this process began: an attempt older than it is an orphan of a crash.
    pub running_since: Timestamp,
    pub rules: &'a Rules,
    pub people: &'a [Person],
    pub devices: &'a DeviceBook,
    pub budgets: &'a Budgets,
    /// Chance in `[0, 1)`, for jitter.
    pub chance: f64,
    /// For the ids of digests that are opened.
    pub entropy: [u8; 10],
}

/// The alert that is planned, and the present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) alert: &'a Alert,
    pub(super) present: &'a Present<'a>,
}

impl<'a> Facts<'a> {
    pub(super) fn now(&self) -> Timestamp {
        self.present.now
    }

    pub(super) fn after(&self, delay: SignedDuration) -> Timestamp {
        self.now().saturating_add(delay).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn rules(&self) -> &'a Rules {
        self.present.rules
    }

    pub(super) fn is(&self, state: AlertState) -> bool {
        self.alert.state == state
    }

    pub(super) fn is_test(&self) -> bool {
        self.alert.kind.is_test()
    }

    pub(super) fn texts_at_once(&self) -> bool {
        self.rules().texts_at_once(self.alert.severity)
    }

    /// Repeated while nobody acknowledges, and its end is notified.
    pub(super) fn lasts(&self) -> bool {
        self.alert.kind == Kind::Problem
    }

    pub(super) fn is_usable(&self, device: DeviceId) -> bool {
        self.present.devices.is_usable(device, self.now())
    }
}
