//! What one plan may still spend, and what it enters into the accounts.

use super::{
    GatewayRule,
    output::{Draft, Message, TextAnswer},
    present::Facts,
};
use crate::alert::{Charge, DeviceId, OpenText, Outcome, Payer, Reserved, Severity, Subject, Tier};

/// Said where no gateway may take another text today.
pub(super) const DAYS_SPENT: &str = "per_day of every gateway that is left";

/// No limit may drop a digest, nor a test that somebody waits for.
pub(super) fn is_exempt(facts: Facts<'_>, subject: &Subject) -> bool {
    *subject == Subject::Digest || facts.is_test()
}

/// Disasters have a budget of their own for what is new about them.
pub(super) fn tier(facts: Facts<'_>, subject: &Subject) -> Tier {
    match subject {
        Subject::Digest => facts.alert.digest.as_ref().map_or(Tier::Ordinary, |digest| digest.tier),
        Subject::Opened | Subject::Raised if facts.alert.severity == Severity::Disaster => Tier::Disaster,
        Subject::Opened
        | Subject::Raised
        | Subject::Repeat { .. }
        | Subject::Resolved
        | Subject::Missed
        | Subject::Unreachable { .. } => Tier::Ordinary,
    }
}

/// This device may have another push.
pub(super) fn can_push(draft: &Draft<'_>, device: DeviceId, subject: &Subject) -> bool {
    is_exempt(draft.facts, subject) || has_room(draft, &Payer::Device(device))
}

/// This contact may have another text, or which budget is spent.
pub(super) fn admit_text(draft: &Draft<'_>, message: Message<'_>) -> Result<(), &'static str> {
    let tier = tier(draft.facts, message.subject);
    let payer = Payer::Contact(message.contact.clone(), tier);
    if is_exempt(draft.facts, message.subject) || has_room(draft, &payer) { Ok(()) } else { Err(tier.key()) }
}

/// A gateway's day does not hold this back: no limit does, or a budget of its own.
pub(super) fn ignores_days(facts: Facts<'_>, subject: &Subject) -> bool {
    is_exempt(facts, subject) || tier(facts, subject) == Tier::Disaster
}

/// The gateway has not reached its day's limit.
pub(super) fn has_day_left(draft: &Draft<'_>, gateway: &GatewayRule) -> bool {
    has_room(draft, &Payer::Gateway(gateway.name.clone()))
}

fn has_room(draft: &Draft<'_>, payer: &Payer) -> bool {
    draft.facts.present.budgets.has_room(
        payer,
        draft.facts.alert.severity,
        draft.facts.now(),
        draft.spent(payer),
    )
}

pub(super) fn charge_push(draft: &mut Draft<'_>, device: DeviceId) {
    draft.charge(Payer::Device(device), draft.facts.now(), 1);
}

/// A text goes out through this gateway: the most that it can cost is reserved. What was refused or put off before
/// was surely not sent, so its contact is charged only what this gateway may cost more.
pub(super) fn reserve(
    draft: &mut Draft<'_>,
    message: Message<'_>,
    text: &mut OpenText,
    gateway: &GatewayRule,
) {
    let segments = gateway.segments_max.max(1);
    let (payer, units) = (Payer::Gateway(gateway.name.clone()), i32::from(segments));
    draft.plan.charges.push(Charge { payer, at: draft.facts.now(), units, reserved: units });
    let held = text.reserved.unwrap_or(Reserved { at: draft.facts.now(), segments: 0 });
    if held.segments < segments {
        let payer = Payer::Contact(message.contact.clone(), tier(draft.facts, message.subject));
        let units = i32::from(segments - held.segments);
        draft.charge(payer, held.at, units);
        text.reserved = Some(Reserved { at: held.at, segments });
    }
}

/// What was reserved for the attempt becomes what it cost. What was surely not sent costs its gateway nothing, and
/// its contact goes on paying until the text is sent.
pub(super) fn settle(
    draft: &mut Draft<'_>,
    message: Message<'_>,
    open: &mut OpenText,
    answered: &TextAnswer<'_>,
) {
    let Some(gateway) = draft.facts.rules().gateway(answered.gateway) else { return };
    let may_arrive = matches!(answered.outcome, Outcome::Accepted { .. } | Outcome::Unknown { .. });
    let reserved = gateway.segments_max.max(1);
    let cost = match answered.segments {
        _ if !may_arrive => 0,
        0 => reserved,
        segments => u16::from(segments),
    };
    let (cost, reserved) = (i32::from(cost), i32::from(reserved));
    let payer = Payer::Gateway(gateway.name.clone());
    let charge = Charge { payer, at: answered.began, units: cost - reserved, reserved: -reserved };
    draft.plan.charges.push(charge);
    if let Some(held) = open.reserved.take_if(|_| may_arrive)
        && cost != i32::from(held.segments)
    {
        let payer = Payer::Contact(message.contact.clone(), tier(draft.facts, message.subject));
        draft.charge(payer, held.at, cost - i32::from(held.segments));
    }
}

/// An earlier copy of this text has arrived, so the answer of the request under way changes nothing any more: what
/// was reserved for it counts as spent.
pub(super) fn close(draft: &mut Draft<'_>, open: &OpenText) {
    let Some(name) = open.gateway.as_ref().filter(|_| open.state.is_in_flight()) else { return };
    let Some(gateway) = draft.facts.rules().gateway(name) else { return };
    let (payer, reserved) = (Payer::Gateway(name.clone()), -i32::from(gateway.segments_max.max(1)));
    draft.plan.charges.push(Charge { payer, at: draft.facts.now(), units: 0, reserved });
}
