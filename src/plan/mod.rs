//! 3. PLAN: who is told now, by which road, and when to look again.
//!
//! Pure: an alert, the rules and an instant go in; the alert as it should be stored, the requests
//! to make and the next due time come out. [`advance`] is idempotent: calling it early or twice
//! sends nothing twice.

mod backoff;
mod budget;
mod changes;
mod cycle;
mod desk;
mod digest;
mod fold;
mod misdated;
mod reports;
mod rules;
mod settle;
mod unreachable;
mod window;

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

pub use self::{
    backoff::{Backoff, RETRY_AFTER_MAX},
    budget::{Budgets, Fold, GATEWAY_DAY, Opening, STORM_LASTS, Storm},
    misdated::{is_misdated, is_orphaned},
    rules::{
        DEFAULT_REPEAT, DELIVERY_ASKED_AFTER, DeviceBook, GatewayRule, PUSH_IN_FLIGHT_MAX, Person, Price,
        QUARANTINE, Repeat, Rules, SENT_TEXTS_MAX, SMS_AFTER_UNKNOWN, SMS_GIVE_UP,
    },
    settle::{DeviceVerdict, Settlement, settle},
};
use crate::alert::{
    Alert, AlertState, Charge, ContactName, DeviceId, Entry, Resolution, ResolvedBy, Row, Subject, Transport,
};
use desk::Desk;

/// A sender whose silence ends an alert within minutes (Prometheus, vmalert, the ruler of Loki) repeats what fires
/// every minute or so; from our start on it has this long.
const HEARD_AGAIN_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// The instant of planning and what holds at it.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// Now.
    pub now: Timestamp,
    /// When this process began: an attempt older than it is an orphan of a crash.
    pub running_since: Timestamp,
    /// The configuration's say.
    pub rules: &'a Rules,
    /// Which devices are not to be used.
    pub devices: &'a DeviceBook,
    /// What was spent of late.
    pub budgets: &'a Budgets,
    /// What texts cost.
    pub price: &'a dyn Price,
    /// Chance in `[0, 1)`, for jitter.
    pub chance: f64,
    /// For the ids of digests that are opened.
    pub entropy: [u8; 10],
}

/// What should happen now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Requests to make, each already marked in flight in the alert.
    pub sends: Vec<Send>,
    /// Questions to gateways. Nothing waits for their answers, which come back as reports.
    pub asks: Vec<Ask>,
    /// When to plan again; `None` only for an alert that is over and told.
    pub due: Option<Timestamp>,
    /// What that spends.
    pub charges: Vec<Charge>,
    /// What is told in digests instead.
    pub folds: Vec<Fold>,
    /// Digests that have to be there before this plan is written.
    pub opens: Vec<Opening>,
}

/// One request to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// Its number within the alert.
    pub attempt: u32,
    /// For whom.
    pub contact: ContactName,
    /// What it tells.
    pub subject: Subject,
    /// Where to.
    pub address: Address,
    /// When it was planned.
    pub began: Timestamp,
}

/// One question to a gateway: what became of a text?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Number of the attempt that is asked about.
    pub attempt: u32,
    /// Whose text.
    pub contact: ContactName,
    /// What it told.
    pub subject: Subject,
    /// Which gateway, counted in the order of the configuration.
    pub gateway: u8,
    /// When that request began.
    pub sent_at: Timestamp,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// To this device, through FCM.
    Device(DeviceId),
    /// To the contact's number, through the gateway of this rank.
    Gateway(u8),
}

impl Address {
    /// Which road this is.
    pub fn transport(self) -> Transport {
        match self {
            Self::Device(_) => Transport::Push,
            Self::Gateway(_) => Transport::Sms,
        }
    }
}

/// Brings the telling of `alert` up to date.
pub fn advance(alert: &mut Alert, present: &Present<'_>) -> Plan {
    misdated::pull_back(alert, present.rules, present.now);
    if alert.state == AlertState::Noted {
        return Plan { due: (present.now < alert.close_at).then_some(alert.close_at), ..Plan::default() };
    }
    wait_for_its_sender(alert, present);
    if alert.is_open() && alert.close_at <= present.now {
        close_by_itself(alert, present.now);
    }
    let mut telling = std::mem::take(&mut alert.telling);
    let mut desk = Desk::new(alert, present);
    desk.expire(&mut telling);
    reports::apply(&mut desk, &mut telling);
    changes::apply(&mut desk, &mut telling);
    for (name, contact) in &mut telling.contacts {
        cycle::advance_all(&mut desk, name, contact);
    }
    // A contact whose last road failed starts new cycles for the others, which start at once.
    if unreachable::tell(&mut desk, &mut telling) {
        for (name, contact) in &mut telling.contacts {
            cycle::advance_all(&mut desk, name, contact);
        }
    }
    reports::ask(&mut desk, &mut telling);
    let Desk { sends, asks, rows, attempts, charges, folds, opens, .. } = desk;
    alert.rows.extend(rows);
    alert.attempts = attempts;
    alert.telling = telling;
    digest::end(alert, present.now);
    Plan { sends, asks, due: due(alert), charges, folds, opens }
}

/// When the alert needs to be looked at next.
fn due(alert: &Alert) -> Option<Timestamp> {
    let count = digest::counts_at(alert);
    let roads =
        alert.telling.contacts.values().flat_map(|contact| &contact.cycles).filter_map(cycle::wakes_at);
    let repeat = alert.telling.repeat_at.filter(|_| alert.state == AlertState::Triggered);
    let close = (alert.state != AlertState::Resolved).then_some(alert.close_at);
    let asks = alert.telling.contacts.values().filter_map(reports::wakes_at);
    let quiet = changes::quiet_until(alert, &alert.telling.planned);
    let unreached = unreachable::tells_at(&alert.telling);
    roads.chain(repeat).chain(close).chain(asks).chain(count).chain(quiet).chain(unreached).min()
}

/// While we were away nobody could mention the alert: that is no silence.
fn wait_for_its_sender(alert: &mut Alert, present: &Present<'_>) {
    let heard_until = present.running_since.saturating_add(HEARD_AGAIN_WITHIN).unwrap_or(Timestamp::MAX);
    if alert.is_open() && !alert.test && alert.close_at <= present.now {
        alert.close_at = alert.close_at.max(heard_until);
    }
}

/// No recovery ever came, or it was only a test.
fn close_by_itself(alert: &mut Alert, now: Timestamp) {
    let by = if alert.test { ResolvedBy::Test } else { ResolvedBy::Silence };
    let entry = Entry::Resolved { by: by.describe().to_owned(), note: None };
    alert.rows.push(Row { at: now, entry });
    alert.resolved = Some(Resolution { by, at: now, note: None, ended_at: None });
    alert.state = AlertState::Resolved;
}
