//! What one plan may still spend, and what it enters into the accounts.

use super::{
    GatewayRule,
    output::{Message, Plan, TextAnswer},
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
pub(super) fn can_push(facts: Facts<'_>, plan: &Plan, device: DeviceId, subject: &Subject) -> bool {
    is_exempt(facts, subject) || has_room(facts, plan, &Payer::Device(device))
}

/// This contact may have another text, or which budget is spent.
pub(super) fn admit_text(facts: Facts<'_>, plan: &Plan, message: Message<'_>) -> Result<(), &'static str> {
    let tier = tier(facts, message.subject);
    let payer = Payer::Contact(message.contact.clone(), tier);
    if is_exempt(facts, message.subject) || has_room(facts, plan, &payer) { Ok(()) } else { Err(tier.key()) }
}

/// A gateway's day does not hold this back: no limit does, or a budget of its own.
pub(super) fn ignores_days(facts: Facts<'_>, subject: &Subject) -> bool {
    is_exempt(facts, subject) || tier(facts, subject) == Tier::Disaster
}

/// The gateway has not reached its day's limit.
pub(super) fn has_day_left(facts: Facts<'_>, plan: &Plan, gateway: &GatewayRule) -> bool {
    has_room(facts, plan, &Payer::Gateway(gateway.name.clone()))
}

fn has_room(facts: Facts<'_>, plan: &Plan, payer: &Payer) -> bool {
    facts.present.budgets.has_room(payer, facts.alert.severity, facts.now(), plan.spent(payer))
}

/// A push goes out.
pub(super) fn charge_push(facts: Facts<'_>, plan: &mut Plan, device: DeviceId) {
    plan.charges.push(Charge { payer: Payer::Device(device), at: facts.now(), units: 1 });
}

/// A text goes out through this gateway: the most that it can cost is reserved. What was refused or put off before
/// was surely not sent, so its contact is charged only what this gateway may cost more.
pub(super) fn reserve(
    facts: Facts<'_>,
    plan: &mut Plan,
    message: Message<'_>,
    text: &mut OpenText,
    gateway: &GatewayRule,
) {
    let segments = gateway.segments_max.max(1);
    let payer = Payer::Gateway(gateway.name.clone());
    plan.charges.push(Charge { payer, at: facts.now(), units: i32::from(segments) });
    let held = text.reserved.unwrap_or(Reserved { at: facts.now(), segments: 0 });
    if held.segments < segments {
        let payer = Payer::Contact(message.contact.clone(), tier(facts, message.subject));
        let units = i32::from(segments - held.segments);
        plan.charges.push(Charge { payer, at: held.at, units });
        text.reserved = Some(Reserved { at: held.at, segments });
    }
}

/// What was reserved for the attempt becomes what it cost. What was surely not sent costs its gateway nothing, and
/// its contact goes on paying until the text is sent.
pub(super) fn settle(
    facts: Facts<'_>,
    plan: &mut Plan,
    message: Message<'_>,
    open: &mut OpenText,
    answered: &TextAnswer<'_>,
) {
    let Some(gateway) = facts.rules().gateway(answered.gateway) else { return };
    let may_arrive = matches!(answered.outcome, Outcome::Accepted { .. } | Outcome::Unknown { .. });
    let reserved = gateway.segments_max.max(1);
    let cost = match answered.segments {
        _ if !may_arrive => 0,
        0 => reserved,
        segments => u16::from(segments),
    };
    let correct = |payer, at, from: u16| {
        let units = i32::from(cost) - i32::from(from);
        (units != 0).then_some(Charge { payer, at, units })
    };
    let payer = Payer::Gateway(gateway.name.clone());
    plan.charges.extend(correct(payer, answered.began, reserved));
    if let Some(held) = open.reserved.take_if(|_| may_arrive) {
        let payer = Payer::Contact(message.contact.clone(), tier(facts, message.subject));
        plan.charges.extend(correct(payer, held.at, held.segments));
    }
}
