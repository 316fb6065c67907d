//! A contact's last road has failed: the others are notified, once. Contacts that fail within half a minute are told
//! of in one message, and that takes the place of an earlier one that is still being sent and cannot have arrived, so
//! that however many fail, nobody is being sent more than a few such messages at a time.

use jiff::{SignedDuration, Timestamp};

use super::{notification, output::Draft, present::Facts, text};
use crate::{
    alert::{
        ContactName, ContactProgress, Entry, Notification, Others, Progress, Subject, TextState,
        UNREACHED_NAMED_MAX,
    },
    roster::Person,
};

/// Who fails this soon after the others were notified waits for the next message; longer than a push is in flight.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// Tells of those whose last road has failed. True if new notifications began.
pub(super) fn tell(draft: &mut Draft<'_>, progress: &mut Progress) -> bool {
    let others = others(draft.facts, progress);
    draft.untold.drain(..).for_each(|unreached| progress.untell(&unreached));
    let tell_now = if others.is_empty() { Others::NobodyLeft } else { Others::Told(others.len()) };
    if tells_at(progress).is_some_and(|at| draft.facts.now() < at) {
        return false;
    }
    let mut failed = Vec::new();
    for (name, contact) in &mut progress.contacts {
        let is_news = contact.others < tell_now;
        if is_news && let Some(reason) = failed_for(contact).cloned() {
            contact.others = tell_now;
            failed.push((name.clone(), reason.clone()));
            let nobody_left = others.is_empty();
            draft.note(Entry::Unreachable { contact: name.clone(), reason, nobody_left });
        }
    }
    if failed.is_empty() || others.is_empty() {
        return false;
    }
    progress.unreached_told_at = Some(draft.facts.now());
    let given_up = progress.contacts.iter().filter(|(_, contact)| contact.unreachable.is_some());
    let given_up: Vec<ContactName> = given_up.map(|(name, _)| name.clone()).collect();
    for person in others {
        let known = progress.contacts.entry(person.name.clone()).or_default();
        let mut unreached = OutOfReach::of(&given_up);
        take_over(draft, known, &mut unreached);
        for (contact, reason) in &failed {
            unreached.add(contact, reason);
        }
        if let Some(subject) = unreached.into_subject() {
            let told = notification::begin(draft.facts, person, subject, known.texted);
            known.notifications.push(told);
        }
    }
    true
}

/// Whoever has been reached since is not called out of reach any more by a message that has not arrived.
pub(super) fn call_off(draft: &mut Draft<'_>, progress: &mut Progress) {
    let calls = |one: &Notification| {
        let is_about_others = matches!(one.subject, Subject::Unreachable { .. });
        is_about_others && !one.replaced && !one.has_arrived()
    };
    if !progress.notifications().any(calls) {
        return;
    }
    let news = draft.facts.news;
    let is_reached = |contact: &ContactProgress| contact.unreachable.is_none() && contact.knows(news);
    let reached: Vec<ContactName> =
        progress.contacts.iter().filter(|(_, it)| is_reached(it)).map(|(name, _)| name.clone()).collect();
    // Whoever a message only counts is one of these.
    let all_are = progress.contacts.values().filter(|it| it.others.are_told()).all(is_reached);
    let notifications = progress.contacts.values_mut().flat_map(|contact| &mut contact.notifications);
    for one in notifications.filter(|one| calls(one)) {
        let unreached = one.subject.unreached();
        if unreached.names.iter().all(|name| reached.contains(name)) && (unreached.more == 0 || all_are) {
            draft.untold.push(unreached);
            notification::replace(draft, one);
        }
    }
}

/// When those who failed since the last message are told of.
pub(super) fn tells_at(progress: &Progress) -> Option<Timestamp> {
    let waits =
        |contact: &ContactProgress| contact.others == Others::NotTold && failed_for(contact).is_some();
    let told_at = progress.unreached_told_at.unwrap_or(Timestamp::MIN);
    let at = told_at.saturating_add(PAUSE).unwrap_or(Timestamp::MAX);
    progress.contacts.values().any(waits).then_some(at)
}

/// Why the others do not know yet that this contact could not be reached; a try under way may do it yet.
fn failed_for(contact: &ContactProgress) -> Option<&String> {
    contact.unreachable.as_ref().filter(|_| !contact.others.are_told() && !contact.is_under_way())
}

/// Everybody who may still be reached.
fn others<'a>(facts: Facts<'a>, progress: &Progress) -> Vec<&'a Person> {
    let is_reachable = |person: &&Person| {
        progress.contacts.get(&person.name).is_none_or(|known| known.unreachable.is_none())
    };
    facts.present.people.iter().filter(is_reachable).collect()
}

/// What an earlier message told is told by the next one, unless it has arrived; only its requests under way are waited
/// for.
fn take_over(draft: &mut Draft<'_>, known: &mut ContactProgress, unreached: &mut OutOfReach<'_>) {
    known.notifications.retain_mut(|notification| {
        let has_arrived = notification.has_arrived();
        let Notification { subject, text, replaced, .. } = notification;
        let Subject::Unreachable { contact, reason, also, more } = &*subject else { return true };
        if *text == TextState::Unknown {
            // It may have told them, and goes on by push.
            return true;
        }
        if *replaced {
            text::forget(draft, text);
            return false;
        }
        if !has_arrived {
            unreached.add(contact, reason);
            for contact in also {
                unreached.add(contact, reason);
            }
            unreached.more = unreached.more.saturating_add(*more);
        }
        notification::replace(draft, notification);
        true
    });
}

/// What one message says.
struct OutOfReach<'a> {
    /// Who is out of reach at present: nobody else is called so.
    given_up: &'a [ContactName],
    named: Vec<ContactName>,
    more: u32,
    reason: Option<String>,
}

impl<'a> OutOfReach<'a> {
    fn of(given_up: &'a [ContactName]) -> Self {
        Self { given_up, named: Vec::new(), more: 0, reason: None }
    }

    fn add(&mut self, contact: &ContactName, reason: &str) {
        if self.named.contains(contact) || !self.given_up.contains(contact) {
            return;
        }
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
        // Some of those counted may have been counted before, or named.
        let others = self.given_up.iter().filter(|name| !self.named.contains(name)).count();
        let more = self.more.min(u32::try_from(others).unwrap_or(u32::MAX));
        let mut named = self.named.into_iter();
        let (contact, reason) = (named.next()?, self.reason?);
        Some(Subject::Unreachable { contact, reason, also: named.collect(), more })
    }
}
