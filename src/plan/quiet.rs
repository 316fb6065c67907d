//! What comes and goes is quiet until it is stable.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::alert::{Alert, AlertState, Milestone, Progress, STABLE_AFTER};

/// Until when nothing new is told because it comes and goes: how it stands is told when it is stable.
pub(super) fn until(alert: &Alert, planned: &BTreeSet<Milestone>) -> Option<Timestamp> {
    alert.openings.flapping()?;
    let since = match (alert.state, &alert.resolved) {
        (AlertState::Resolved, Some(resolution)) if !planned.contains(&Milestone::Resolved) => resolution.at,
        (AlertState::Triggered | AlertState::Acknowledged, _)
            if alert.openings.is_quiet(alert.severity) && !planned.contains(&Milestone::Opened) =>
        {
            alert.opened_at
        }
        _ => return None,
    };
    Some(since.saturating_add(STABLE_AFTER).unwrap_or(Timestamp::MAX))
}

/// It flaps and is over, but not for long enough to be told so.
pub(super) fn may_come_back(alert: &Alert, progress: &Progress, now: Timestamp) -> bool {
    alert.state == AlertState::Resolved && until(alert, &progress.planned).is_some_and(|until| now < until)
}
