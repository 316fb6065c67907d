//! Somebody's last road has failed: the others are told, once. Who fails within half a minute is told of in one
//! message, and that takes the place of an earlier one that is still being told, so that however many fail, nobody
//! is being told of it by more than two messages at a time.

use jiff::{SignedDuration, Timestamp};

use super::{Person, desk::Desk};
use crate::alert::{ContactName, ContactTelling, Entry, SmsRoad, Subject, Telling, UNREACHED_NAMED_MAX};

/// Those who fail so soon after others were told of wait for the next message; longer than a push is in flight.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// Tells of those whose last road has failed. True if new cycles began.
pub(super) fn tell(desk: &mut Desk<'_>, telling: &mut Telling) -> bool {
    let others = others(desk, telling);
    if !others.is_empty() && tells_at(telling).is_none_or(|at| desk.now() < at) {
        return false;
    }
    let failed: Vec<(ContactName, String)> = telling
        .contacts
        .iter_mut()
        .filter_map(|(name, contact)| {
            let reason = contact.unreachable.as_ref().filter(|_| !contact.unreachable_told)?;
            contact.unreachable_told = true;
            Some((name.clone(), reason.clone()))
        })
        .collect();
    for (contact, reason) in &failed {
        let (contact, reason) = (contact.clone(), reason.clone());
        desk.note(Entry::Unreachable { contact, reason, nobody_left: others.is_empty() });
    }
    if failed.is_empty() || others.is_empty() {
        return false;
    }
    telling.unreached_told_at = Some(desk.now());
    for person in others {
        let known = telling.contacts.entry(person.name.clone()).or_default();
        let mut unreached = Unreached::default();
        take_over(known, &mut unreached);
        for (contact, reason) in &failed {
            unreached.add(contact, reason);
        }
        if let Some(subject) = unreached.into_subject() {
            let cycle = desk.begin(&person, subject, known.texted);
            known.cycles.push(cycle);
        }
    }
    true
}

/// When those who failed since the last message are told of.
pub(super) fn tells_at(telling: &Telling) -> Option<Timestamp> {
    let waits = |contact: &ContactTelling| contact.unreachable.is_some() && !contact.unreachable_told;
    let told_at = telling.unreached_told_at.unwrap_or(Timestamp::MIN);
    let at = told_at.saturating_add(PAUSE).unwrap_or(Timestamp::MAX);
    telling.contacts.values().any(waits).then_some(at)
}

/// Everybody who may still be reached.
fn others(desk: &Desk<'_>, telling: &Telling) -> Vec<Person> {
    let reachable =
        |person: &&Person| telling.contacts.get(&person.name).is_none_or(|known| known.unreachable.is_none());
    desk.present.rules.people.iter().filter(reachable).cloned().collect()
}

/// What an earlier message told is told by the next one; only its requests under way are waited for.
fn take_over(known: &mut ContactTelling, unreached: &mut Unreached) {
    known.cycles.retain_mut(|cycle| {
        let Subject::Unreachable { contact, reason, also, more } = &cycle.subject else { return true };
        if cycle.folded {
            return false;
        }
        unreached.add(contact, reason);
        for contact in also {
            unreached.add(contact, reason);
        }
        unreached.more = unreached.more.saturating_add(*more);
        cycle.folded = true;
        cycle.pushes.retain(|road| road.state.is_in_flight());
        if !matches!(&cycle.sms, SmsRoad::Open { state, .. } if state.is_in_flight()) {
            cycle.sms = SmsRoad::Off;
        }
        true
    });
}

/// Those whom one message tells of.
#[derive(Default)]
struct Unreached {
    named: Vec<ContactName>,
    more: u32,
    reason: Option<String>,
}

impl Unreached {
    fn add(&mut self, contact: &ContactName, reason: &str) {
        match &mut self.reason {
            Some(known) if known == reason => {}
            Some(known) => "for several reasons".clone_into(known),
            none => *none = Some(reason.to_owned()),
        }
        if self.named.len() < UNREACHED_NAMED_MAX {
            self.named.push(contact.clone());
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    fn into_subject(self) -> Option<Subject> {
        let mut named = self.named.into_iter();
        let (contact, reason) = (named.next()?, self.reason?);
        Some(Subject::Unreachable { contact, reason, also: named.collect(), more: self.more })
    }
}
