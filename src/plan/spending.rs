//! What one plan may still spend, and what it enters into the accounts.

use super::{
    GatewayRule,
    output::{Draft, Message, Send, TextAnswer},
    present::Facts,
    window::Spare,
};
use crate::alert::{
    Charge, ContactName, DeviceId, GatewayName, OpenText, Payer, Pending, Reserved, Severity, Subject,
    TextState, Tier,
};

/// Said where no gateway may take another text today.
pub(super) const DAYS_SPENT: &str = "per_day of every gateway that is left";

/// No limit may drop a digest, nor that it could not be told, which would go into another; nor a test that somebody
/// waits for.
pub(super) fn is_exempt(facts: Facts<'_>) -> bool {
    facts.alert.digest.is_some() || facts.is_test()
}

/// Disasters have a budget of their own for what is new about them.
pub(super) fn tier(facts: Facts<'_>, subject: &Subject) -> Tier {
    match subject {
        Subject::Digest => facts.alert.digest.as_ref().map_or(Tier::Ordinary, |digest| digest.tier),
        Subject::Opened | Subject::Raised { .. } if facts.alert.severity == Severity::Disaster => {
            Tier::Disaster
        }
        Subject::Opened
        | Subject::Raised { .. }
        | Subject::Repeat { .. }
        | Subject::Resolved
        | Subject::Missed
        | Subject::Unreachable { .. } => Tier::Ordinary,
    }
}

/// This device may have another push.
pub(super) fn can_push(draft: &Draft<'_>, device: DeviceId, subject: &Subject) -> bool {
    is_exempt(draft.facts) || has_room(draft, &Payer::Device(device), subject)
}

/// This contact may have another text, or which budget is spent.
pub(super) fn admit_text(draft: &Draft<'_>, message: Message<'_>) -> Result<(), &'static str> {
    let tier = tier(draft.facts, message.subject);
    let payer = Payer::Contact(message.contact.clone(), tier);
    if is_exempt(draft.facts) || has_room(draft, &payer, message.subject) { Ok(()) } else { Err(tier.key()) }
}

/// A gateway's day does not hold this back: no limit does, or a budget of its own.
pub(super) fn ignores_days(facts: Facts<'_>, subject: &Subject) -> bool {
    is_exempt(facts) || tier(facts, subject) == Tier::Disaster
}

/// The gateway has not reached its day's limit.
pub(super) fn has_day_left(draft: &Draft<'_>, gateway: &GatewayRule, subject: &Subject) -> bool {
    has_room(draft, &Payer::Gateway(gateway.name.clone()), subject)
}

fn has_room(draft: &Draft<'_>, payer: &Payer, subject: &Subject) -> bool {
    let spare = spare(draft.facts.alert.severity, payer, subject);
    draft.facts.present.budgets.has_room(payer, spare, draft.facts.now(), draft.spent(payer))
}

/// What is less severe leaves something for what is more severe, and a reminder for what is new.
fn spare(severity: Severity, payer: &Payer, subject: &Subject) -> Spare {
    match (payer, severity) {
        (Payer::Contact(..), _) if matches!(subject, Subject::Repeat { .. }) => Spare::Half,
        (Payer::Gateway(_) | Payer::Contact(_, Tier::Disaster), _) | (_, Severity::Disaster) => {
            Spare::Nothing
        }
        (Payer::Contact(_, Tier::Ordinary), Severity::High) => Spare::Nothing,
        (Payer::Device(_), Severity::High) => Spare::Eighth,
        (
            Payer::Contact(_, Tier::Ordinary) | Payer::Device(_),
            Severity::Average | Severity::Warning | Severity::Information | Severity::NotClassified,
        ) => Spare::Quarter,
    }
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
    text.at_gateway = segments;
    let tier = tier(draft.facts, message.subject);
    let held = text.reserved.unwrap_or(Reserved { tier, at: draft.facts.now(), segments: 0 });
    if held.segments < segments {
        let units = i32::from(segments) - i32::from(held.segments);
        draft.charge(Payer::Contact(message.contact.clone(), held.tier), held.at, units);
        text.reserved = Some(Reserved { segments, ..held });
    }
}

/// What was reserved for the attempt becomes what it cost. What was surely not sent costs its gateway nothing, and
/// its contact what it would have cost, until it is sent.
pub(super) fn settle(
    draft: &mut Draft<'_>,
    contact: &ContactName,
    open: &mut OpenText,
    answered: &TextAnswer<'_>,
) {
    let may_arrive = answered.outcome.short().may_arrive();
    let reserved = std::mem::take(&mut open.at_gateway);
    let price = if answered.segments == 0 { reserved } else { u16::from(answered.segments) };
    let cost = if may_arrive { price } else { 0 };
    let units = i32::from(cost) - i32::from(reserved);
    let (payer, reserved) = (Payer::Gateway(answered.gateway.clone()), -i32::from(reserved));
    draft.plan.charges.push(Charge { payer, at: answered.began, units, reserved });
    if let Some(held) = open.reserved.take() {
        let payer = Payer::Contact(contact.clone(), held.tier);
        draft.charge(payer, held.at, i32::from(price) - i32::from(held.segments));
        open.reserved = (!may_arrive).then_some(Reserved { segments: price, ..held });
    }
}

/// The answer of what is under way is not waited for any more: what was reserved for it counts as spent.
pub(super) fn close(draft: &mut Draft<'_>, open: &mut OpenText) {
    if let Some(gateway) = open.gateway.clone().filter(|_| 0 < open.at_gateway) {
        let reserved = -i32::from(std::mem::take(&mut open.at_gateway));
        let payer = Payer::Gateway(gateway);
        draft.plan.charges.push(Charge { payer, at: draft.facts.now(), units: 0, reserved });
    }
}

/// The request of this attempt was not begun: its gateway is not charged for it. What its contact is charged stays
/// reserved.
pub(super) fn take_back_begun(text: &mut TextState, gateway: &GatewayName, send: &Send) -> Option<Charge> {
    let open = text.open_mut().filter(|open| open.state.is_attempt(send.attempt))?;
    open.attempts = open.attempts.saturating_sub(1);
    open.state = Pending::Ready;
    let units = -i32::from(std::mem::take(&mut open.at_gateway));
    Some(Charge { payer: Payer::Gateway(gateway.clone()), at: send.began, units, reserved: units })
}
