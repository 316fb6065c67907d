//! How far an alert has been told: the open work, kept inside the alert's document.
//!
//! A [`Cycle`] is one contact being told one thing. Only open destinations are kept; what became
//! of the closed ones is in the journal.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ContactName, DeviceId, Fate, Folded, Report, SentText, Unanswered};

/// Most reports of one alert that wait to be planned; they are planned at once, so only a flood comes near it.
pub const REPORTS_WAITING_MAX: usize = 64;

/// Most people that one message names as not reached; the others are counted.
pub const UNREACHED_NAMED_MAX: usize = 3;

/// The telling of one alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// Changes of the alert that have been planned.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub planned: BTreeSet<Milestone>,
    /// How often the steps were repeated.
    #[serde(default)]
    pub repeats: u16,
    /// When they are repeated next, unless somebody acknowledges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_at: Option<Timestamp>,
    /// When people were last told that somebody could not be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreached_told_at: Option<Timestamp>,
    /// Per contact.
    #[serde(default)]
    pub contacts: BTreeMap<ContactName, ContactTelling>,
    /// What providers reported and nobody has planned for yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<Report>,
}

impl Telling {
    /// Keeps a report until it is planned. False if it tells nothing new.
    pub fn take_report(&mut self, report: &Report) -> bool {
        let is_known = |known: &Report| known.attempt == report.attempt && known.fate == report.fate;
        let is_news = self.contacts.values().any(|contact| contact.awaits(report))
            && !self.reports.iter().any(is_known)
            && self.reports.len() < REPORTS_WAITING_MAX;
        if is_news {
            self.reports.push(report.clone());
        }
        is_news
    }
}

/// A change of an alert that planning has taken notice of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// It was opened: everyone's telling has begun.
    Opened,
    /// It has been at or above `sms.always_at`.
    Raised,
    /// Somebody has it: what waits was cut back.
    Acknowledged,
    /// It is over: the telling of the end has begun.
    Resolved,
}

/// The telling of one alert to one contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactTelling {
    /// Whether this contact knows of the alert.
    #[serde(default)]
    pub told: Told,
    /// A text about it was accepted or may have been.
    #[serde(default)]
    pub texted: bool,
    /// Why the last road failed, once it has; the others are told once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
    /// The others have been told of that.
    #[serde(default)]
    pub unreachable_told: bool,
    /// What the last digest counts of it, if a budget held something back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folded: Option<Folded>,
    /// What is still being told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cycles: Vec<Cycle>,
    /// As `told`, without texts whose delivery may still be reported: what stays if none of them arrives.
    #[serde(default)]
    pub certain: Told,
    /// Accepted texts whose delivery may still be reported, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentText>,
}

/// Whether a contact knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Nothing reached them yet.
    #[default]
    No,
    /// A digest counts it, and is told or becomes a dead letter of its own.
    Folded,
    /// Something was sent without a readable answer.
    Maybe,
    /// A provider accepted something.
    Yes,
}

/// What a cycle tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum Subject {
    /// The alert was opened.
    Opened,
    /// Still nobody acknowledged.
    Repeat {
        /// Counted from 1.
        number: u16,
    },
    /// It was raised to `sms.always_at`.
    Raised,
    /// It is over; this contact was told of it.
    Resolved,
    /// It came and went before this contact was told.
    Missed,
    /// Other contacts could not be reached.
    Unreachable {
        /// Who; the first of them.
        contact: ContactName,
        /// Why.
        reason: String,
        /// Who else, with the first at most [`UNREACHED_NAMED_MAX`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<ContactName>,
        /// How many more.
        #[serde(default, skip_serializing_if = "is_zero")]
        more: u32,
    },
    /// So many alerts were held back: this alert is the digest.
    Digest,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Subject {
    /// The word in the ledger.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Repeat { .. } => "repeat",
            Self::Raised => "raised",
            Self::Resolved => "resolved",
            Self::Missed => "missed",
            Self::Unreachable { .. } => "unreachable",
            Self::Digest => "digest",
        }
    }

    /// True for what tells a contact of the alert itself.
    pub fn is_about_alert(&self) -> bool {
        matches!(self, Self::Opened | Self::Repeat { .. } | Self::Raised | Self::Missed | Self::Digest)
    }

    /// True for what an acknowledgement or a resolution makes pointless.
    pub fn is_about_open_alert(&self) -> bool {
        matches!(self, Self::Opened | Self::Repeat { .. } | Self::Raised)
    }
}

/// One contact being told one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// What is told.
    #[serde(flatten)]
    pub subject: Subject,
    /// When the telling was planned.
    pub since: Timestamp,
    /// Devices still open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pushes: Vec<PushRoad>,
    /// Some device accepted it.
    #[serde(default)]
    pub push_accepted: bool,
    /// Why the last closed push failed; shown as the reason of a fallback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_failed: Option<String>,
    /// A digest tells it instead, or a later message that tells more: what is under way may still arrive,
    /// nothing more is begun.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub folded: bool,
    /// The text.
    pub sms: SmsRoad,
}

/// One device that has not accepted yet. Stored as a short tuple: an alert may go to hundreds of
/// devices, and its document must stay small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredPushRoad", into = "StoredPushRoad")]
pub struct PushRoad {
    /// Which device.
    pub device: DeviceId,
    /// Attempts made so far.
    pub attempts: u16,
    /// Where it stands.
    pub state: RoadState,
}

/// Where an open destination stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RoadState {
    /// To be attempted now.
    Ready,
    /// A request runs; without an answer by `until` it is `Unknown`.
    InFlight {
        /// Number of the attempt within the alert.
        attempt: u32,
        /// When we stop waiting for the answer.
        until: Timestamp,
    },
    /// The next attempt is due at `at`.
    Waiting {
        /// When.
        at: Timestamp,
        /// Our project or the platform is at fault: waiting for it is pointless.
        fault: bool,
    },
}

impl RoadState {
    /// When this state wants to be looked at; `None` = now.
    pub fn wakes_at(self) -> Option<Timestamp> {
        match self {
            Self::Ready => None,
            Self::InFlight { until, .. } => Some(until),
            Self::Waiting { at, .. } => Some(at),
        }
    }

    /// True while a request runs.
    pub fn is_in_flight(self) -> bool {
        matches!(self, Self::InFlight { .. })
    }
}

/// Device, attempts, state code, milliseconds since 1970, attempt number.
#[derive(Serialize, Deserialize)]
struct StoredPushRoad(DeviceId, u16, StateCode, i64, u32);

type StateCode = u8;
const READY: StateCode = 0;
const IN_FLIGHT: StateCode = 1;
const WAITING: StateCode = 2;
const WAITING_FOR_FAULT: StateCode = 3;

impl From<PushRoad> for StoredPushRoad {
    fn from(road: PushRoad) -> Self {
        let (code, at, attempt) = match road.state {
            RoadState::Ready => (READY, 0, 0),
            RoadState::InFlight { attempt, until } => (IN_FLIGHT, until.as_millisecond(), attempt),
            RoadState::Waiting { at, fault: false } => (WAITING, at.as_millisecond(), 0),
            RoadState::Waiting { at, fault: true } => (WAITING_FOR_FAULT, at.as_millisecond(), 0),
        };
        Self(road.device, road.attempts, code, at, attempt)
    }
}

impl From<StoredPushRoad> for PushRoad {
    fn from(StoredPushRoad(device, attempts, code, at, attempt): StoredPushRoad) -> Self {
        let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        let state = match code {
            IN_FLIGHT => RoadState::InFlight { attempt, until: at },
            WAITING => RoadState::Waiting { at, fault: false },
            WAITING_FOR_FAULT => RoadState::Waiting { at, fault: true },
            // Attempting once too often is the safe reading of a code nobody knows.
            _ => RoadState::Ready,
        };
        Self { device, attempts, state }
    }
}

/// Where the text of a cycle stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "sms", rename_all = "snake_case")]
pub enum SmsRoad {
    /// No text belongs to this cycle.
    Off,
    /// Goes out if no push was accepted by `deadline`, or no push is left.
    Standby {
        /// `accept_within` after the push was planned.
        deadline: Timestamp,
    },
    /// Being sent.
    Open {
        /// Which gateway, counted in the order of the configuration.
        gateway: u8,
        /// Gateways tried in a row without a pause.
        tried: u8,
        /// How many of those refused for good.
        refused: u8,
        /// Attempts made so far.
        attempts: u16,
        /// How many attempts got no readable answer.
        unknowns: u8,
        /// Segments charged for it since the last of those, whichever gateway takes it.
        #[serde(default)]
        charged: u16,
        /// Where it stands.
        state: RoadState,
        /// The last attempt without a readable answer, while somebody may still tell what became of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unanswered: Option<Unanswered>,
        /// Gateways that took it and reported that it will not arrive.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        undelivered: Vec<u8>,
    },
    /// A gateway accepted it.
    Accepted,
    /// Twice no readable answer: it may have arrived.
    Unknown,
    /// Given up.
    Failed {
        /// Why.
        reason: String,
    },
}

impl ContactTelling {
    /// True while this report would tell something new.
    pub fn awaits(&self, report: &Report) -> bool {
        let attempt = report.attempt;
        let in_cycle = |cycle: &Cycle| match &cycle.sms {
            SmsRoad::Open { state, unanswered, .. } => {
                matches!(state, RoadState::InFlight { attempt: running, .. } if *running == attempt)
                    || unanswered.as_ref().is_some_and(|lost| lost.attempt == attempt)
            }
            SmsRoad::Off
            | SmsRoad::Standby { .. }
            | SmsRoad::Accepted
            | SmsRoad::Unknown
            | SmsRoad::Failed { .. } => false,
        };
        let is_final = matches!(report.fate, Fate::Delivered | Fate::Failed { .. });
        let is_sent = || self.sent.iter().any(|sent| sent.attempt == attempt);
        (is_final && is_sent()) || self.cycles.iter().any(in_cycle)
    }

    /// True while some request to this contact runs.
    pub fn is_under_way(&self) -> bool {
        self.cycles.iter().any(|cycle| {
            cycle.pushes.iter().any(|road| road.state.is_in_flight())
                || matches!(&cycle.sms, SmsRoad::Open { state, .. } if state.is_in_flight())
        })
    }
}
