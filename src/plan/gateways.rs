//! Which gateway takes a text next.

use jiff::SignedDuration;

use super::{
    GatewayRule, RETRY_AFTER_MAX,
    output::{Draft, Message, TextAnswer},
    present::Facts,
    spending::{self, DAYS_SPENT},
};
use crate::alert::{DeferCause, OpenText, Outcome, Pending};

/// The gateway of the next attempt; `None` if none is left. `Err` says which limit holds it back.
pub(super) fn choose<'a>(
    draft: &Draft<'a>,
    message: Message<'_>,
    open: &mut OpenText,
) -> Result<Option<&'a GatewayRule>, &'static str> {
    let ignores_days = spending::ignores_days(draft.facts, message.subject);
    if is_first(open) {
        // Of one that was not begun after all it is reserved.
        if open.reserved.is_none() {
            spending::admit_text(draft, message)?;
        }
    } else if left_in_pass(draft.facts, open).next().is_none() {
        // Only if the configuration has changed since the last attempt.
        begin_pass(open);
    }
    let left: Vec<&GatewayRule> = left_in_pass(draft.facts, open).collect();
    for gateway in &left {
        if spending::has_day_left(draft, gateway, message.subject) || (ignores_days && !is_first(open)) {
            return Ok(Some(gateway));
        }
        if !is_first(open) {
            open.tried.push(gateway.name.clone());
        }
    }
    match left.first() {
        Some(first) if ignores_days => Ok(Some(first)),
        Some(_) => Err(DAYS_SPENT),
        None => Ok(None),
    }
}

/// True if nothing of it was admitted by a budget before.
fn is_first(open: &OpenText) -> bool {
    open.attempts == 0 && open.unknowns == 0 && open.undelivered.is_empty()
}

/// The gateways that have not failed to deliver it, in the order in which they are tried after the last one.
pub(super) fn usable<'a>(facts: Facts<'a>, open: &OpenText) -> impl Iterator<Item = &'a GatewayRule> {
    let after = facts.rules().gateways_after(open.gateway.as_ref());
    after.filter(|gateway| !open.undelivered.contains(&gateway.name))
}

/// Those of them that were not tried since the last pause.
fn left_in_pass<'a>(facts: Facts<'a>, open: &OpenText) -> impl Iterator<Item = &'a GatewayRule> {
    usable(facts, open).filter(|gateway| !open.tried.contains(&gateway.name))
}

/// Every gateway may be tried again.
pub(super) fn begin_pass(open: &mut OpenText) {
    (open.tried, open.refused, open.fault) = (Vec::new(), 0, false);
}

/// The next gateway at once; after the last one a pause. True if every gateway refused for good.
pub(super) fn pass_on(
    facts: Facts<'_>,
    open: &mut OpenText,
    answered: &TextAnswer<'_>,
    asked: Option<SignedDuration>,
) -> bool {
    open.refused += usize::from(matches!(answered.outcome, Outcome::Rejected { .. }));
    open.fault |= matches!(answered.outcome, Outcome::Deferred { cause: DeferCause::ProjectFault, .. });
    open.tried.push(answered.gateway.clone());
    if left_in_pass(facts, open).next().is_some() {
        open.state = Pending::Ready;
        return false;
    }
    let (everyone_refused, fault) = (open.refused == open.tried.len(), open.fault);
    begin_pass(open);
    let all = u16::try_from(usable(facts, open).count()).unwrap_or(u16::MAX).max(1);
    let own = facts.rules().backoff.delay(open.attempts / all, facts.present.chance);
    // One gateway's wish says nothing about the others.
    let asked = asked.filter(|_| all == 1).unwrap_or(SignedDuration::ZERO);
    open.state = Pending::Waiting { at: facts.after(own.max(asked.min(RETRY_AFTER_MAX))), fault };
    everyone_refused
}

/// A gateway that failed to deliver it may do so now, where the others do not take it.
pub(super) fn forget_undelivered(open: &mut OpenText) {
    if 0 < open.attempts && open.unknowns == 0 {
        open.undelivered.clear();
    }
}
