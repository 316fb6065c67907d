//! `[sms]`: when texts go out, and how many.

use super::{
    check::{Check, open},
    gateway::{self, Gateway},
    raw::{Part, RawSms},
    units::{self, Rate},
};
use crate::alert::Severity;

/// Segments of texts to one contact.
const BUDGET_DEFAULT: [&str; 3] = ["20/10m", "40/1h", "100/1d"];
const DISASTER_BUDGET_DEFAULT: [&str; 2] = ["20/10m", "100/1d"];

#[derive(Clone, Debug)]
pub struct Sms {
    /// Texts go out with the push from this severity on; `None` = off.
    pub always_at: Option<Severity>,
    /// A failed push is followed by a text from this severity on; `None` = off.
    pub fallback_at: Option<Severity>,
    /// Whether resolutions are texted to those who were texted.
    pub resolved: bool,
    /// Segments of texts to one contact; empty = no limit.
    pub budget: Vec<Rate>,
    /// As `budget`, for the first texts about disasters.
    pub disaster_budget: Vec<Rate>,
    /// In the order they are tried; empty = no texts.
    pub gateways: Vec<Gateway>,
}

pub(super) fn sms(check: &mut Check<'_>, part: Option<Part<RawSms>>) -> Sms {
    let (at, raw) = open(part);
    let mut section = check.section("[sms]", at);
    let budget = section.rates(raw.budget(), &BUDGET_DEFAULT);
    let disaster_budget = section.rates(raw.disaster_budget(), &DISASTER_BUDGET_DEFAULT);
    let always_at = section.read(raw.always_at(), units::threshold).unwrap_or(Some(Severity::Disaster));
    let fallback_at = section.read(raw.fallback_at(), units::threshold);
    let fallback_at = fallback_at.unwrap_or(Some(Severity::NotClassified));
    let resolved = section.flag(raw.resolved()).unwrap_or(false);
    if !raw.gateway.is_empty() && always_at.is_none() && fallback_at.is_none() {
        section.warning("", "`always_at` and `fallback_at` are off: no text ever goes out");
    }
    let gateways = gateway::gateways(check, &raw.gateway);
    Sms { always_at, fallback_at, resolved, budget, disaster_budget, gateways }
}
