//! What planning goes by: transports, limits and pauses as plain values, and which devices may be used.

use std::{collections::HashMap, num::NonZeroU32};

use jiff::{SignedDuration, Timestamp};

use super::Backoff;
use crate::{
    alert::{Address, DeviceId, GatewayName, Severity},
    config::Rate,
};

/// When a request to FCM is given up (Google asks for at least 10 s; `plan` and
/// `deliver` must agree).
pub const PUSH_IN_FLIGHT_MAX: SignedDuration = SignedDuration::from_secs(15);

/// When a text is given up.
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The pause between a text without a readable answer and its one further try.
pub const SMS_AFTER_UNKNOWN: SignedDuration = SignedDuration::from_secs(60);

/// When a gateway that can be asked is asked whether it has delivered a text, counted from the sending;
/// after the last time it stays at "accepted".
pub const DELIVERY_ASKED_AFTER: [SignedDuration; 4] = [
    SignedDuration::from_secs(60),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(3),
];

/// Most accepted texts of one contact whose reports are waited for; the oldest are let go first. A disaster's reminders
/// of two hours.
pub const SENT_TEXTS_MAX: usize = 12;

/// The day of a gateway's limit: any 24 hours.
pub const GATEWAY_DAY: SignedDuration = SignedDuration::from_hours(24);

/// How long a device is left alone whose token belongs to another project.
pub const QUARANTINE: SignedDuration = SignedDuration::from_hours(24);

#[derive(Clone, Debug)]
pub struct Rules {
    pub push: bool,
    /// In the order they are tried; empty = no texts.
    pub gateways: Vec<GatewayRule>,
    /// Texts go out with the push from here on.
    pub always_at: Option<Severity>,
    /// A failed push is followed by a text from here on.
    pub fallback_at: Option<Severity>,
    /// Who was texted is texted the resolution, too.
    pub texts_resolved: bool,
    /// How long a push may remain unaccepted before the text goes out.
    pub accept_within: SignedDuration,
    pub push_ttl: SignedDuration,
    pub backoff: Backoff,
    pub repeats: Repeats,
    /// Segments of texts to one contact; empty = no limit.
    pub text_budget: Vec<Rate>,
    /// As `text_budget`, for the first texts about a disaster.
    pub disaster_budget: Vec<Rate>,
    /// Pushes to one device; empty = no limit.
    pub per_device: Vec<Rate>,
}

/// An SMS gateway, as far as planning is concerned.
#[derive(Clone, Debug)]
pub struct GatewayRule {
    pub name: GatewayName,
    /// When a request to it is given up.
    pub in_flight_max: SignedDuration,
    /// It reports by itself what became of a text.
    pub reports: bool,
    /// It can be asked what became of a text.
    pub asks: bool,
    /// Most segments that one text through it costs.
    pub segments_max: u16,
    /// Segments in any 24 hours, from which on it takes only what no limit may drop; `None` = no limit.
    pub per_day: Option<NonZeroU32>,
}

impl GatewayRule {
    /// Its day's limit as a rate.
    pub(super) fn day(&self) -> Option<Rate> {
        self.per_day.map(|count| Rate { count, per: GATEWAY_DAY })
    }
}

/// How often everyone is notified again while nobody acknowledges, one stage after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeats {
    pub high: &'static [Stage],
    pub disaster: &'static [Stage],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    pub every: SignedDuration,
    /// `None` = without end.
    pub times: Option<u16>,
}

const fn stage(minutes: i64, times: Option<u16>) -> Stage {
    Stage { every: SignedDuration::from_mins(minutes), times }
}

/// Where no policy is configured: `high` every half hour, six times; `disaster` every 5 min for half an hour, every
/// quarter until two hours have passed, then hourly without end.
pub const BUILT_IN_REPEATS: Repeats = Repeats {
    high: &[stage(30, Some(6))],
    disaster: &[stage(5, Some(6)), stage(15, Some(6)), stage(60, None)],
};

impl Repeats {
    fn stages(&self, severity: Severity) -> &'static [Stage] {
        match severity {
            Severity::Disaster => self.disaster,
            Severity::High => self.high,
            Severity::Average | Severity::Warning | Severity::Information | Severity::NotClassified => &[],
        }
    }

    /// Whether nobody acknowledging is a reason to notify again at this severity.
    pub(super) fn repeats_at(&self, severity: Severity) -> bool {
        !self.stages(severity).is_empty()
    }

    /// The pause before the next repeat, after `made`; `None` where none follows.
    pub(super) fn pause_after(&self, severity: Severity, made: u16) -> Option<SignedDuration> {
        let mut before = 0_u16;
        let stage = self.stages(severity).iter().find(|stage| {
            before = before.saturating_add(stage.times.unwrap_or(u16::MAX));
            made < before || stage.times.is_none()
        });
        stage.map(|stage| stage.every)
    }

    /// How many there are; `None` = without end.
    pub(super) fn count(&self, severity: Severity) -> Option<u16> {
        self.stages(severity).iter().map(|stage| stage.times).sum()
    }

    /// The longest pause before one that is planned, where it may wait for being as severe again.
    pub(super) fn pause_max(&self, severity: Severity) -> SignedDuration {
        let stages = [self.stages(severity), self.high, self.disaster];
        let planned_by = if self.repeats_at(severity) { &stages[..1] } else { &stages[1..] };
        planned_by.concat().iter().map(|stage| stage.every).max().unwrap_or_default()
    }
}

impl Rules {
    /// The gateway of this name, while it is configured.
    pub fn gateway(&self, name: &GatewayName) -> Option<&GatewayRule> {
        self.gateways.iter().find(|gateway| gateway.name == *name)
    }

    /// Every gateway, in the order in which they are tried after this one, which comes last.
    pub(super) fn gateways_after(&self, last: Option<&GatewayName>) -> impl Iterator<Item = &GatewayRule> {
        let position = self.gateways.iter().position(|gateway| Some(&gateway.name) == last);
        let (before, after) = self.gateways.split_at(position.map_or(0, |position| position + 1));
        after.iter().chain(before)
    }

    /// When a request was begun that is given up at `until`.
    pub(super) fn began(&self, until: Timestamp, address: &Address) -> Timestamp {
        until.saturating_sub(self.in_flight_max(address)).unwrap_or(Timestamp::MIN)
    }

    /// A request to this address is given up after this long.
    pub(super) fn in_flight_max(&self, address: &Address) -> SignedDuration {
        match address {
            Address::Device(_) => PUSH_IN_FLIGHT_MAX,
            Address::Gateway(name) => self.in_flight_max_of(Some(name)),
        }
    }

    /// A request to this gateway is given up after this long; one whose gateway left the configuration, after as long as
    /// a push.
    pub(super) fn in_flight_max_of(&self, gateway: Option<&GatewayName>) -> SignedDuration {
        let gateway = gateway.and_then(|name| self.gateway(name));
        gateway.map_or(PUSH_IN_FLIGHT_MAX, |gateway| gateway.in_flight_max)
    }

    /// Texts go out at once at this severity.
    pub fn texts_at_once(&self, severity: Severity) -> bool {
        self.always_at.is_some_and(|always| always <= severity)
    }

    /// A failed push is followed by a text at this severity.
    pub fn falls_back(&self, severity: Severity) -> bool {
        self.fallback_at.is_some_and(|least| least <= severity)
    }

    /// Texts are on at this severity.
    pub(super) fn texts(&self, severity: Severity) -> bool {
        self.texts_at_once(severity) || self.falls_back(severity)
    }

    /// Whether this severity is news to those who were notified of the other: an alert opened there would have been
    /// told to them in another way, or it is `high` or above.
    pub(super) fn is_news(&self, to: Severity, from: Severity) -> bool {
        let tells = |severity| (self.texts_at_once(severity), self.falls_back(severity));
        from < to && (Severity::High <= to || tells(from) != tells(to))
    }
}

/// Which devices are not to be used.
#[derive(Clone, Debug, Default)]
pub struct DeviceBook {
    blocked: HashMap<DeviceId, Option<Timestamp>>,
}

impl DeviceBook {
    /// Never again.
    pub fn retire(&mut self, device: DeviceId) {
        self.blocked.insert(device, None);
    }

    /// Not before `until`.
    pub fn quarantine(&mut self, device: DeviceId, until: Timestamp) {
        // A retired device stays retired.
        if let Some(known) = self.blocked.entry(device).or_insert(Some(until)) {
            *known = until.max(*known);
        }
    }

    pub fn is_usable(&self, device: DeviceId, now: Timestamp) -> bool {
        match self.blocked.get(&device) {
            None => true,
            Some(None) => false,
            Some(Some(until)) => *until <= now,
        }
    }
}
