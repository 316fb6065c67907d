//! One contact being told one thing: the push, and the text when the push fails.

use jiff::Timestamp;

use super::{
    Address, SMS_GIVE_UP,
    desk::{Desk, open_text},
    fold::DAYS_SPENT,
    reports,
    settle::{self, SMS_UNKNOWNS_MAX},
};
use crate::alert::{ContactName, ContactTelling, Cycle, Entry, PushRoad, RoadState, Roads, SmsRoad, Subject};

/// Starts what is due in every cycle of a contact and drops the cycles that are over.
pub(super) fn advance_all(desk: &mut Desk<'_>, name: &ContactName, contact: &mut ContactTelling) {
    let mut cycles = std::mem::take(&mut contact.cycles);
    for cycle in &mut cycles {
        advance(desk, name, contact, cycle);
    }
    contact.cycles = cycles;
    for cycle in contact.cycles.iter().filter(|cycle| is_over(cycle)) {
        if let Some(reason) = failure(desk, cycle) {
            contact.unreachable.get_or_insert(reason);
        }
    }
    contact.cycles.retain(|cycle| !is_over(cycle));
}

/// When the cycle wants to be looked at again.
pub(super) fn wakes_at(cycle: &Cycle) -> Option<Timestamp> {
    let pushes = cycle.pushes.iter().filter_map(|road| road.state.wakes_at());
    let text = match &cycle.sms {
        SmsRoad::Standby { deadline } => Some(*deadline),
        SmsRoad::Open { state, .. } => state.wakes_at(),
        SmsRoad::Off | SmsRoad::Accepted | SmsRoad::Unknown | SmsRoad::Failed { .. } => None,
    };
    pushes.chain(text).min()
}

fn advance(desk: &mut Desk<'_>, name: &ContactName, contact: &mut ContactTelling, cycle: &mut Cycle) {
    give_up_old(desk, name, cycle);
    if let Some(reason) = desk.told_in_digest(name, contact, cycle) {
        let text = matches!(cycle.sms, SmsRoad::Open { .. });
        return desk.hold_back(name, (contact, cycle), text, reason);
    }
    let starved = push(desk, name, cycle);
    decide_text(desk, name, cycle, starved);
    if let Err(spent) = text(desk, name, cycle) {
        desk.hold_back(name, (contact, cycle), true, &format!("{spent} is spent"));
    } else if starved && !matches!(cycle.sms, SmsRoad::Open { .. } | SmsRoad::Accepted) {
        desk.hold_back(name, (contact, cycle), false, "fcm.per_device is spent");
    }
}

/// A push older than its time to live, or a text older than a day, is of no use.
fn give_up_old(desk: &mut Desk<'_>, name: &ContactName, cycle: &mut Cycle) {
    let age = desk.now().duration_since(cycle.since);
    if desk.present.rules.push_ttl <= age {
        let (kept, old): (Vec<PushRoad>, Vec<PushRoad>) =
            std::mem::take(&mut cycle.pushes).into_iter().partition(|road| road.state.is_in_flight());
        cycle.pushes = kept;
        for road in old {
            desk.dead_letter(
                name,
                &cycle.subject,
                Address::Device(road.device),
                "not accepted within fcm.ttl",
            );
            cycle.push_failed.get_or_insert_with(|| "not accepted within fcm.ttl".to_owned());
        }
    }
    if SMS_GIVE_UP <= age
        && let SmsRoad::Open { gateway, state, .. } = &cycle.sms
        && !state.is_in_flight()
    {
        let reason = "no gateway accepted it within 24 hours".to_owned();
        desk.dead_letter(name, &cycle.subject, Address::Gateway(*gateway), &reason);
        cycle.sms = SmsRoad::Failed { reason };
    }
}

/// True if no device may have another push now, and none has this one or is being sent it.
fn push(desk: &mut Desk<'_>, name: &ContactName, cycle: &mut Cycle) -> bool {
    let now = desk.now();
    let usable = |road: &PushRoad| desk.present.devices.is_usable(road.device, now);
    let short = |road: &PushRoad| {
        is_due(road.state, now) && usable(road) && !desk.can_push(road.device, &cycle.subject)
    };
    let mut short: Vec<_> = cycle.pushes.iter().filter(|road| short(road)).map(|road| road.device).collect();
    if matches!(cycle.sms, SmsRoad::Standby { .. }) {
        // What was pushed in vain has a text to come: its next try waits for an allowance.
        for road in cycle.pushes.iter_mut().filter(|road| 0 < road.attempts) {
            if let Some(place) = short.iter().position(|device| *device == road.device) {
                short.swap_remove(place);
                let pause = desk.present.rules.backoff.delay(road.attempts, desk.present.chance);
                road.state = RoadState::Waiting { at: desk.after(pause), fault: false };
            }
        }
    }
    cycle.pushes.retain(|road| !short.contains(&road.device));
    let starved = !short.is_empty() && !cycle.push_accepted && !cycle.pushes.iter().any(usable);
    let Cycle { subject, pushes, push_failed, .. } = cycle;
    pushes.retain_mut(|road| {
        if !is_due(road.state, now) {
            return true;
        }
        // Another alert may have shown meanwhile that the device is gone.
        if !desk.present.devices.is_usable(road.device, now) {
            push_failed.get_or_insert_with(|| format!("device {} is not usable", road.device));
            return false;
        }
        road.attempts = road.attempts.saturating_add(1);
        road.state = desk.send(name, subject, Address::Device(road.device));
        true
    });
    starved
}

/// The table "push, then SMS": nothing while a push was accepted or may still be; at once when
/// none can be; at the deadline otherwise.
fn decide_text(desk: &mut Desk<'_>, name: &ContactName, cycle: &mut Cycle, starved: bool) {
    let SmsRoad::Standby { deadline } = cycle.sms else { return };
    if cycle.push_accepted || starved {
        cycle.sms = SmsRoad::Off;
        return;
    }
    let hopeless =
        cycle.pushes.iter().all(|road| matches!(road.state, RoadState::Waiting { fault: true, .. }));
    let reason = if hopeless {
        cycle.push_failed.clone().unwrap_or_else(|| "no device to push to".to_owned())
    } else if deadline <= desk.now() {
        let waited = desk.present.rules.accept_within.as_millis();
        format!("push not accepted in {} s", seconds(waited))
    } else {
        return;
    };
    desk.note(Entry::Fallback { contact: name.clone(), reason });
    cycle.sms = open_text();
}

/// `Err` says which budget does not allow it.
fn text(desk: &mut Desk<'_>, name: &ContactName, cycle: &mut Cycle) -> Result<(), &'static str> {
    let now = desk.now();
    let Cycle { subject, sms, .. } = cycle;
    let SmsRoad::Open { gateway, tried, attempts, unknowns, charged, state, unanswered, undelivered, .. } =
        sms
    else {
        return Ok(());
    };
    if !is_due(*state, now) {
        return Ok(());
    }
    if let Some(asked) = reports::ask_about_lost(desk, name, subject, unanswered) {
        *state = asked;
    } else if SMS_UNKNOWNS_MAX <= *unknowns {
        *sms = SmsRoad::Unknown;
    } else {
        if *attempts == 0 && *unknowns == 0 && undelivered.is_empty() {
            *gateway = desk.admit_text(name, subject)?;
        } else {
            // It was admitted before: it only costs once more, wherever a day's limit allows that.
            while !desk.has_room(*gateway, subject) {
                *tried = tried.saturating_add(1);
                if settle::gateways(desk, undelivered) <= *tried {
                    return Err(DAYS_SPENT);
                }
                *gateway = desk.next_gateway(*gateway, undelivered).unwrap_or(*gateway);
            }
        }
        // What was refused or put off was surely not sent: the next gateway may only be dearer.
        *charged = desk.charge_text(name, subject, (*gateway, *charged));
        *attempts = attempts.saturating_add(1);
        *state = desk.send(name, subject, Address::Gateway(*gateway));
    }
    Ok(())
}

fn is_due(state: RoadState, now: Timestamp) -> bool {
    match state {
        RoadState::Ready => true,
        RoadState::InFlight { .. } => false,
        RoadState::Waiting { at, .. } => at <= now,
    }
}

fn is_over(cycle: &Cycle) -> bool {
    let text_over = match cycle.sms {
        SmsRoad::Off | SmsRoad::Accepted | SmsRoad::Unknown | SmsRoad::Failed { .. } => true,
        SmsRoad::Standby { .. } | SmsRoad::Open { .. } => false,
    };
    text_over && cycle.pushes.is_empty()
}

/// Why a finished cycle reached nobody, if it should have.
fn failure(desk: &Desk<'_>, cycle: &Cycle) -> Option<String> {
    let matters = match cycle.subject {
        Subject::Opened | Subject::Repeat { .. } | Subject::Raised => {
            // Cut back by an acknowledgement or a resolution is not failed.
            desk.state == crate::alert::AlertState::Triggered || matches!(cycle.sms, SmsRoad::Failed { .. })
        }
        Subject::Missed | Subject::Unreachable { .. } => true,
        Subject::Digest => desk.digest_matters(),
        Subject::Resolved => false,
    };
    if !matters || cycle.push_accepted || cycle.folded || desk.test || desk.alert.roads == Roads::PushOnly {
        return None;
    }
    match &cycle.sms {
        SmsRoad::Accepted => None,
        SmsRoad::Unknown => Some("no gateway gave a readable answer".to_owned()),
        SmsRoad::Failed { reason } => Some(reason.clone()),
        SmsRoad::Off | SmsRoad::Standby { .. } | SmsRoad::Open { .. } => {
            Some(cycle.push_failed.clone().unwrap_or_else(|| "no device to push to and no text".to_owned()))
        }
    }
}

fn seconds(millis: i128) -> String {
    if millis % 1_000 == 0 {
        (millis / 1_000).to_string()
    } else {
        format!("{}.{:03}", millis / 1_000, millis % 1_000)
    }
}

impl Desk<'_> {
    /// A notification is given up; it stays visible.
    pub(super) fn dead_letter(
        &mut self,
        contact: &ContactName,
        subject: &Subject,
        address: Address,
        reason: &str,
    ) {
        let destination = self.describe(address);
        self.note(Entry::DeadLetter {
            contact: contact.clone(),
            transport: address.transport(),
            destination,
            subject: subject.as_str().to_owned(),
            reason: reason.to_owned(),
        });
    }
}
