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
    /// Texts go out with the push from this severity on; `None` = off. Default disaster.
    pub always_at: Option<Severity>,
    /// A failed push is followed by a text from this severity on; `None` = off. Default `not_classified`.
    pub fallback_at: Option<Severity>,
    /// Whether resolutions are texted to those who were texted; default false.
    pub resolved: bool,
    /// Segments of texts to one contact; empty = no limit. Default 20 in 10 minutes, 40 an hour, 100 a day.
    pub budget: Vec<Rate>,
    /// As `budget`, for the first texts about disasters. Default 20 in 10 minutes, 100 a day.
    pub disaster_budget: Vec<Rate>,
    /// In the order they are tried; empty = no texts.
    pub gateways: Vec<Gateway>,
}

pub(super) fn sms(check: &mut Check<'_>, part: Option<Part<RawSms>>) -> Sms {
    let (span, raw) = open(part);
    let mut section = check.section("[sms]", span.clone());
    let budget = section.rates("budget", raw.budget.as_ref(), &BUDGET_DEFAULT);
    let disaster_budget =
        section.rates("disaster_budget", raw.disaster_budget.as_ref(), &DISASTER_BUDGET_DEFAULT);
    let always_at = section.read("always_at", raw.always_at.as_ref(), units::threshold);
    let fallback_at = section.read("fallback_at", raw.fallback_at.as_ref(), units::threshold);
    let resolved = section.flag("resolved", raw.resolved.as_ref()).unwrap_or(false);
    let gateways = gateway::gateways(check, &raw.gateway);
    let always_at = always_at.unwrap_or(Some(Severity::Disaster));
    let fallback_at = fallback_at.unwrap_or(Some(Severity::NotClassified));
    if !raw.gateway.is_empty() && always_at.is_none() && fallback_at.is_none() {
        let what = "`always_at` and `fallback_at` are off: no text ever goes out";
        check.section("[sms]", span.clone()).warning(span, "", what);
    }
    Sms { always_at, fallback_at, resolved, budget, disaster_budget, gateways }
}
