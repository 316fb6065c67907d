//! What planning goes by: people, roads and limits, as plain values.

use std::{collections::HashMap, num::NonZeroU32};

use jiff::{SignedDuration, Timestamp};

use super::{Address, Backoff, budget::GATEWAY_DAY};
use crate::{
    alert::{Alert, ContactName, DeviceId, Severity, Subject},
    config::Rate,
};

/// A request to FCM is given up after so long (Google asks for at least 10 s; `plan` and
/// `deliver` must agree).
pub const PUSH_IN_FLIGHT_MAX: SignedDuration = SignedDuration::from_secs(15);

/// A text is given up after so long.
pub const SMS_GIVE_UP: SignedDuration = SignedDuration::from_hours(24);

/// After an SMS without a readable answer, the one further try waits so long.
pub const SMS_AFTER_UNKNOWN: SignedDuration = SignedDuration::from_secs(60);

/// When a gateway that can be asked is asked whether it has delivered a text, counted from the sending;
/// after the last time it stays at "accepted".
pub const DELIVERY_ASKED_AFTER: [SignedDuration; 4] = [
    SignedDuration::from_secs(60),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(3),
];

/// Most accepted texts of one contact whose reports are waited for; the oldest are let go first.
pub const SENT_TEXTS_MAX: usize = 3;

/// A device whose token belongs to another project is left alone for so long.
pub const QUARANTINE: SignedDuration = SignedDuration::from_hours(24);

/// What the configuration says about telling people.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Everybody who can be told.
    pub people: Vec<Person>,
    /// Push is configured.
    pub push: bool,
    /// In the order they are tried; empty = no texts.
    pub gateways: Vec<GatewayRule>,
    /// Texts go out with the push from here on.
    pub always_at: Option<Severity>,
    /// A failed push is followed by a text from here on.
    pub fallback_at: Option<Severity>,
    /// Whoever was texted is texted the resolution too.
    pub texts_resolved: bool,
    /// How long a push may remain unaccepted before the text goes out.
    pub accept_within: SignedDuration,
    /// How long a push is useful.
    pub push_ttl: SignedDuration,
    /// Pauses between attempts.
    pub backoff: Backoff,
    /// Who is told again.
    pub repeat: Repeat,
    /// Segments of texts to one contact; empty = no limit.
    pub text_budget: Vec<Rate>,
    /// As `text_budget`, for the first texts about a disaster.
    pub disaster_budget: Vec<Rate>,
    /// Pushes to one device; empty = no limit.
    pub per_device: Vec<Rate>,
}

/// What texts cost: only who knows their words can tell.
pub trait Price: std::fmt::Debug {
    /// Segments of the text that tells `subject` of `alert` to `contact` through the gateway of this rank.
    fn segments(&self, alert: &Alert, subject: &Subject, contact: &ContactName, rank: u8) -> u16;
}

/// An SMS gateway, as far as planning is concerned.
#[derive(Clone, Debug)]
pub struct GatewayRule {
    /// Its name in the ledger.
    pub name: String,
    /// A request to it is given up after so long.
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
    /// Its limit as a rate.
    pub(super) fn day(&self) -> Option<Rate> {
        self.per_day.map(|count| Rate { count, per: GATEWAY_DAY })
    }
}

/// Telling again because nobody acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// How often.
    pub every: SignedDuration,
    /// How many times at most.
    pub at_most: u16,
    /// From this severity on.
    pub from: Severity,
}

/// The policy of an installation that configures none: everyone, at once, by push; repeated from
/// `high` on.
pub const DEFAULT_REPEAT: Repeat =
    Repeat { every: SignedDuration::from_mins(30), at_most: 6, from: Severity::High };

/// A contact, as far as planning is concerned.
#[derive(Clone, Debug)]
pub struct Person {
    /// Who.
    pub name: ContactName,
    /// Has a number for texts.
    pub phone: bool,
    /// Their devices.
    pub devices: Vec<DeviceId>,
}

impl Rules {
    /// The person of this name, if still configured.
    pub fn person(&self, name: &ContactName) -> Option<&Person> {
        self.people.iter().find(|person| person.name == *name)
    }

    /// A request to this address is given up after so long.
    /// When a request began that may be under way until then.
    pub(super) fn began(&self, until: Timestamp, address: Address) -> Timestamp {
        until.saturating_sub(self.in_flight_max(address)).unwrap_or(Timestamp::MIN)
    }

    pub(super) fn in_flight_max(&self, address: Address) -> SignedDuration {
        match address {
            Address::Device(_) => PUSH_IN_FLIGHT_MAX,
            Address::Gateway(rank) => {
                let gateway = self.gateways.get(usize::from(rank));
                gateway.map_or(PUSH_IN_FLIGHT_MAX, |gateway| gateway.in_flight_max)
            }
        }
    }

    /// Texts go out at once at this severity.
    pub fn texts_at_once(&self, severity: Severity) -> bool {
        self.always_at.is_some_and(|always| always <= severity)
    }

    /// A failed push is followed by a text at this severity.
    pub fn falls_back(&self, severity: Severity) -> bool {
        self.fallback_at.is_some_and(|least| least <= severity)
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

    /// May be used now.
    pub fn is_usable(&self, device: DeviceId, now: Timestamp) -> bool {
        match self.blocked.get(&device) {
            None => true,
            Some(None) => false,
            Some(Some(until)) => *until <= now,
        }
    }
}
