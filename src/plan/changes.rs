//! What a change of the alert (opened, raised, acknowledged, resolved, repeated) begins and ends.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Address, desk::Desk, digest};
use crate::alert::{
    Alert, AlertState, ContactName, ContactTelling, Cycle, Entry, Milestone, PushRoad, RoadState,
    STABLE_AFTER, SmsRoad, Subject, Telling, Told,
};

/// Compares the alert with what has been planned so far, and plans what is new.
pub(super) fn apply(desk: &mut Desk<'_>, telling: &mut Telling) {
    if let Some(digest) = &desk.alert.digest {
        if let Some(counted) = &digest.counted {
            digest::apply(desk, telling, counted);
        }
        return;
    }
    if desk.alert.openings.is_superseded() && desk.state == AlertState::Resolved {
        return let_go(desk, telling);
    }
    if quiet_until(desk.alert, &telling.planned).is_some_and(|until| desk.now() < until) {
        return;
    }
    if telling.planned.insert(Milestone::Opened) {
        open(desk, telling);
    }
    match desk.state {
        AlertState::Noted => {}
        AlertState::Triggered => {
            resume(desk, telling);
            raise(desk, telling);
            repeat(desk, telling);
        }
        AlertState::Acknowledged => {
            raise(desk, telling);
            telling.planned.insert(Milestone::Acknowledged);
            cut_back(desk, telling);
        }
        AlertState::Resolved => resolve(desk, telling),
    }
}

/// Until when nothing new is told because it comes and goes: how it stands is told when it is stable.
pub(super) fn quiet_until(alert: &Alert, planned: &BTreeSet<Milestone>) -> Option<Timestamp> {
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

/// It fires again: the new round tells what there is to tell.
fn let_go(desk: &mut Desk<'_>, telling: &mut Telling) {
    telling.planned.extend([Milestone::Opened, Milestone::Resolved]);
    telling.repeat_at = None;
    for (name, contact) in &mut telling.contacts {
        for cycle in &mut contact.cycles {
            cancel_waiting(desk, name, cycle);
        }
    }
}

/// Everyone in the audience is told; an alert that is already over is told as missed instead.
fn open(desk: &Desk<'_>, telling: &mut Telling) {
    if desk.present.rules.texts_at_once(desk.severity) {
        telling.planned.insert(Milestone::Raised);
    }
    let over = desk.state == AlertState::Resolved;
    for person in desk.audience() {
        let cycles = if over { Vec::new() } else { vec![desk.begin(&person, Subject::Opened, false)] };
        telling.contacts.insert(person.name, ContactTelling { cycles, ..ContactTelling::default() });
    }
    let repeat = desk.present.rules.repeat;
    if repeat.from <= desk.severity && !desk.test && !desk.told_once {
        telling.repeat_at = Some(desk.after(repeat.every));
    }
}

/// After an un-acknowledgement, whoever was cut off before being told is told after all.
fn resume(desk: &Desk<'_>, telling: &mut Telling) {
    if !telling.planned.remove(&Milestone::Acknowledged) {
        return;
    }
    for person in desk.audience() {
        if let Some(contact) = telling.contacts.get_mut(&person.name)
            && contact.told == Told::No
            && contact.cycles.is_empty()
        {
            contact.cycles.push(desk.begin(&person, Subject::Opened, contact.texted));
        }
    }
}

/// A raise to `sms.always_at` sends the text as if the alert had been opened there.
fn raise(desk: &mut Desk<'_>, telling: &mut Telling) {
    let rules = desk.present.rules;
    if !rules.texts_at_once(desk.severity) || !telling.planned.insert(Milestone::Raised) {
        return;
    }
    if telling.repeat_at.is_none() && !desk.test && rules.repeat.from <= desk.severity && telling.repeats == 0
    {
        telling.repeat_at = Some(desk.after(rules.repeat.every));
    }
    for person in desk.audience() {
        let contact = telling.contacts.entry(person.name.clone()).or_default();
        let mut raised = desk.begin(&person, Subject::Raised, contact.texted);
        let (mut is_told, mut text_under_way) = (contact.texted, contact.texted);
        for cycle in contact.cycles.iter().filter(|cycle| cycle.subject.is_about_open_alert()) {
            is_told = true;
            text_under_way |= matches!(cycle.sms, SmsRoad::Open { .. } | SmsRoad::Accepted);
            // The push of an earlier cycle still under way tells the same alert under the same tag.
            raised.pushes.retain(|road| cycle.pushes.iter().all(|open| open.device != road.device));
        }
        if text_under_way {
            raised.sms = SmsRoad::Off;
        } else if !matches!(raised.sms, SmsRoad::Off) {
            spare_standby(contact);
        }
        // Whoever is told already, by roads that cannot be taken twice, has not failed to be.
        if !is_told || !raised.pushes.is_empty() || !matches!(raised.sms, SmsRoad::Off) {
            contact.cycles.push(raised);
        }
    }
}

/// A text that goes now makes those needless that wait for a push to fail.
fn spare_standby(contact: &mut ContactTelling) {
    for cycle in contact.cycles.iter_mut().filter(|cycle| cycle.subject.is_about_open_alert()) {
        if matches!(cycle.sms, SmsRoad::Standby { .. }) {
            cycle.sms = SmsRoad::Off;
        }
    }
}

/// Nobody acknowledged: everyone is told again, unless the first telling is still being tried.
fn repeat(desk: &mut Desk<'_>, telling: &mut Telling) {
    let rule = desk.present.rules.repeat;
    let Some(_) = telling.repeat_at.filter(|at| *at <= desk.now()) else { return };
    telling.repeats += 1;
    let number = telling.repeats;
    telling.repeat_at = (number < rule.at_most).then(|| desk.after(rule.every));
    desk.note(Entry::Repeated { number });
    for person in desk.audience() {
        let contact = telling.contacts.entry(person.name.clone()).or_default();
        if contact.cycles.iter().all(|cycle| !cycle.subject.is_about_open_alert()) {
            let texted = contact.texted;
            contact.cycles.push(desk.begin(&person, Subject::Repeat { number }, texted));
        }
    }
}

/// Somebody has it: what waits is cancelled, except that at `sms.always_at` each contact's first
/// push and first text still go.
fn cut_back(desk: &mut Desk<'_>, telling: &mut Telling) {
    let first_still_goes = desk.present.rules.texts_at_once(desk.severity);
    for contact in telling.contacts.values_mut() {
        for cycle in contact.cycles.iter_mut().filter(|cycle| cycle.subject.is_about_open_alert()) {
            cycle.pushes.retain(|road| keeps(road.state, road.attempts, first_still_goes));
            cycle.sms = match std::mem::replace(&mut cycle.sms, SmsRoad::Off) {
                SmsRoad::Standby { .. } => SmsRoad::Off,
                SmsRoad::Open { attempts, state, .. } if !keeps(state, attempts, first_still_goes) => {
                    SmsRoad::Off
                }
                kept @ (SmsRoad::Off
                | SmsRoad::Open { .. }
                | SmsRoad::Accepted
                | SmsRoad::Unknown
                | SmsRoad::Failed { .. }) => kept,
            };
        }
    }
}

fn keeps(state: RoadState, attempts: u16, first_still_goes: bool) -> bool {
    state.is_in_flight() || (first_still_goes && attempts == 0)
}

/// It is over: what waits is cancelled, and whoever was told is told so. Whoever was not gets one
/// message that says both, also where the end was to be told to them and the text under way then failed.
fn resolve(desk: &mut Desk<'_>, telling: &mut Telling) {
    telling.repeat_at = None;
    let first = telling.planned.insert(Milestone::Resolved);
    for (name, contact) in &mut telling.contacts {
        let texting =
            contact.cycles.iter().any(|cycle| cycle.subject.is_about_open_alert() && is_texting(cycle));
        let mut in_vain = false;
        for cycle in contact.cycles.iter_mut().filter(|cycle| cycle.subject.is_about_open_alert()) {
            in_vain |= cancel_waiting(desk, name, cycle);
        }
        let knows = texting || contact.told != Told::No;
        if !knows && (first || in_vain) {
            tell_both_in_one(desk, name, contact);
        } else if first
            && !desk.test
            && !desk.told_once
            && let Some(person) = desk.present.rules.person(name)
        {
            desk.is_over_in_digest(name, contact);
            contact.cycles.push(desk.begin(person, Subject::Resolved, contact.texted));
        }
    }
}

/// It is over, and this contact heard of nothing: one message says both.
pub(super) fn tell_both_in_one(desk: &mut Desk<'_>, name: &ContactName, contact: &mut ContactTelling) {
    let is_said = contact.cycles.iter().any(|cycle| cycle.subject == Subject::Missed);
    if contact.told == Told::No
        && !is_said
        && !desk.test
        && let Some(person) = desk.present.rules.person(name)
    {
        desk.is_over_in_digest(name, contact);
        contact.cycles.push(desk.begin(person, Subject::Missed, contact.texted));
    }
}

fn is_texting(cycle: &Cycle) -> bool {
    matches!(&cycle.sms, SmsRoad::Open { state, .. } if state.is_in_flight())
}

/// Only requests that run are waited for; what was tried in vain becomes a dead letter. True if a text was.
fn cancel_waiting(desk: &mut Desk<'_>, contact: &ContactName, cycle: &mut Cycle) -> bool {
    let (kept, cancelled): (Vec<PushRoad>, Vec<PushRoad>) =
        std::mem::take(&mut cycle.pushes).into_iter().partition(|road| road.state.is_in_flight());
    cycle.pushes = kept;
    for road in cancelled.iter().filter(|road| 0 < road.attempts) {
        let address = Address::Device(road.device);
        desk.dead_letter(contact, &cycle.subject, address, "resolved before it was accepted");
    }
    let mut in_vain = false;
    if let SmsRoad::Open { gateway, attempts, state, .. } = &cycle.sms
        && !state.is_in_flight()
    {
        in_vain = 0 < *attempts;
        if in_vain {
            let address = Address::Gateway(*gateway);
            desk.dead_letter(contact, &cycle.subject, address, "resolved before it was accepted");
        }
        cycle.sms = SmsRoad::Off;
    } else if matches!(cycle.sms, SmsRoad::Standby { .. }) {
        cycle.sms = SmsRoad::Off;
    }
    in_vain
}
